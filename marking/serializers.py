"""Shapes of the marking room's API."""

from django.conf import settings
from rest_framework import serializers

from marking.labels import PROFILES
from marking.models import LabelPart, LabelRun, Mark, Symbols
from marking.models.printing import RESOLUTIONS
from marking.services.orders import LabelOrder


class MarkSerializer(serializers.ModelSerializer[Mark]):
    item = serializers.IntegerField(source="derivative_id", allow_null=True, help_text="Null for a blank label.")
    number = serializers.CharField(
        source="derivative.number",
        allow_null=True,
        help_text="Registration number of the derivative; null for a blank label.",
    )
    key = serializers.CharField(source="key_id", help_text="Id of the key that signed it; see /m/keys.json.")

    class Meta:
        model = Mark
        fields = ["code", "item", "number", "state", "generation", "key", "issued_at", "ended_at"]


class RegisterSerializer(serializers.Serializer[None]):
    explanation = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=2000,
        help_text="Why there are more horns than two a male.",
    )
    confirm_band = serializers.BooleanField(required=False, default=False, help_text="Unusual measures are right.")
    band_reason = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=2000,
        help_text="Why unusual measures are right: two words and ten letters at least.",
    )
    mark = serializers.BooleanField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Whether marks are issued; null: as is usual for the term. False is refused where marking is a duty.",
    )
    version = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=0,
        help_text="The version of the weighing table that was seen; refused when it has changed since.",
    )


class RegistrationSerializer(serializers.Serializer[None]):
    intake = serializers.IntegerField()
    count = serializers.IntegerField(help_text="Derivatives registered.")


class LabelOrderSerializer(serializers.Serializer[LabelOrder]):
    profile = serializers.CharField(
        max_length=20, help_text=f"One of {', '.join(PROFILES)}, or the key of a label of your organisation."
    )
    dpi = serializers.ChoiceField(choices=RESOLUTIONS, required=False, default=300)
    start = serializers.IntegerField(
        required=False, default=1, min_value=1, help_text="First free position of a used sheet."
    )
    language = serializers.ChoiceField(choices=settings.LANGUAGES, required=False, default="kk")
    second = serializers.ChoiceField(
        choices=settings.LANGUAGES, required=False, default="", allow_blank=True, help_text="Second language."
    )
    form = serializers.ChoiceField(choices=LabelRun.Form.choices, required=False, default="pdf")
    symbols = serializers.ChoiceField(choices=Symbols.choices, required=False, default="qr")
    printer = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        help_text="A printer of your organisation; it brings its own resolution, offsets and form.",
    )
    hidden = serializers.BooleanField(
        required=False, default=False, help_text="A hidden code for under the flap on each label."
    )
    reason = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=200, help_text="Why they are printed again."
    )


class LabelPartSerializer(serializers.ModelSerializer[LabelPart]):
    name = serializers.CharField(source="document.name")
    sha256 = serializers.CharField(source="document.sha256")

    class Meta:
        model = LabelPart
        fields = ["part", "name", "sha256", "labels", "pages", "read_back"]


class LabelRunSerializer(serializers.ModelSerializer[LabelRun]):
    job = serializers.UUIDField(source="job_id")
    state = serializers.CharField(source="job.state", help_text="queued, running, done, failed or cancelled.")
    error = serializers.CharField(source="job.error")
    parts = LabelPartSerializer(many=True, help_text="Finished parts; each is a file.")
    suits_horns = serializers.BooleanField(help_text="Whether its symbol is read when stuck round a horn.")
    left_out = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="In the answer to an order: items whose labels are not printed, because they left the store.",
    )

    class Meta:
        model = LabelRun
        fields = [
            "id",
            "intake",
            "profile",
            "own_stock",
            "printer",
            "form",
            "symbols",
            "dpi",
            "start",
            "language",
            "second",
            "hidden",
            "suits_horns",
            "count",
            "reason",
            "ordered_at",
            "job",
            "state",
            "error",
            "parts",
            "left_out",
        ]

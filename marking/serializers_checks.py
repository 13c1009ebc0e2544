"""Shapes of checks, keys, the snapshot, alerts of copies and hidden codes."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from marking.checklog import is_no_place
from marking.models import Check, CopyAlert
from marking.selectors import Answer, Reason, Verdict
from marking.services.once import Redeemed, Redemption
from marking.verdicts import say

LONGEST_TEXT = 500
MOST_TEXTS = 1_000


class AnswerSerializer(serializers.Serializer[Answer]):
    """What anybody may know of a mark: never who holds the item, nor where."""

    verdict = serializers.ChoiceField(choices=[verdict.value for verdict in Verdict])
    kind = serializers.CharField(
        help_text="copied while a rule of copies has an open alert on this code (it may exist twice), else empty."
    )
    title = serializers.SerializerMethodField(help_text="The verdict in a few words, in the language of the request.")
    text = serializers.SerializerMethodField(help_text="What it means, in a sentence or two.")
    code = serializers.CharField(help_text="The code that was understood; empty when none was.")
    reasons = serializers.ListField(
        child=serializers.ChoiceField(choices=[reason.value for reason in Reason]),
        help_text="Why a genuine mark is not simply in order, the gravest first.",
    )
    signed = serializers.BooleanField(help_text="The signature of the symbol was checked.")
    term = serializers.CharField(help_text="CITES term, when genuine.")
    origin = serializers.CharField(help_text="Origin class, when genuine.")
    year = serializers.SerializerMethodField(help_text="Year of registration, when genuine.")
    mass_g = serializers.IntegerField(allow_null=True, help_text="Grams, only when the signature was checked.")
    needs_permit = serializers.BooleanField(help_text="In the country, which it may leave only under a CITES permit.")

    def get_title(self, answer: Answer) -> str:
        return str(say(answer).title)

    def get_text(self, answer: Answer) -> str:
        return str(say(answer).text)

    def get_year(self, answer: Answer) -> int | None:
        return answer.year or None


def a_place(text: str) -> None:
    """Copies are found by distance: whoever says a place in another form would never notice that none is looked for."""
    if is_no_place(text):
        raise serializers.ValidationError(
            _("This is no place. Write degrees north and east, such as 51.2,51.4, or the two digits of a region.")
        )


class PlaceSerializer(serializers.Serializer[None]):
    place = serializers.CharField(required=False, default="", max_length=40, allow_blank=True, validators=[a_place])


class ChecksSerializer(serializers.Serializer[None]):
    texts = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_TEXT, allow_blank=True, trim_whitespace=False),
        min_length=1,
        max_length=MOST_TEXTS,
        help_text="Codes, signed texts, or their addresses.",
    )
    place = serializers.CharField(
        required=False,
        default="",
        max_length=40,
        allow_blank=True,
        validators=[a_place],
        help_text="Roughly where: 51.2,51.4 (degrees north and east, kept to a tenth) or the two digits of a region.",
    )
    via = serializers.ChoiceField(
        required=False,
        default=Check.Channel.API,
        choices=[Check.Channel.APP.value, Check.Channel.API.value],
        help_text="app for the scanner, api for a program.",
    )


class AnswersSerializer(serializers.Serializer[None]):
    results = AnswerSerializer(many=True, help_text="One for each text, in their order.")


class PublicKeySerializer(serializers.Serializer[None]):
    id = serializers.CharField(help_text="The first four bytes of SHA-256 of the key, in hexadecimal.")
    public_key = serializers.CharField(help_text="32 bytes in base 64.")
    state = serializers.CharField(help_text="in_use, retired or compromised.")
    used_from = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class PublicKeysSerializer(serializers.Serializer[None]):
    algorithm = serializers.CharField()
    prefix = serializers.CharField(help_text="What printed symbols begin with.")
    keys = PublicKeySerializer(many=True)


class SnapshotIndexSerializer(serializers.Serializer[None]):
    edition = serializers.IntegerField()
    made_at = serializers.DateTimeField()
    marks = serializers.IntegerField()
    sha256 = serializers.CharField(help_text="Of records and prints of all marks.")
    key = serializers.CharField()
    full = serializers.CharField(help_text="Address of all marks; public.")
    changes_from = serializers.IntegerField(
        allow_null=True, help_text="The first edition whose changes are kept, at /m/snapshot/<edition>.bin."
    )


class CheckSerializer(serializers.ModelSerializer[Check]):
    class Meta:
        model = Check
        fields = ["at", "verdict", "reasons", "is_signed", "channel", "who", "organisation", "lat", "lon", "regions"]


class CopyAlertSerializer(serializers.ModelSerializer[CopyAlert]):
    code = serializers.CharField(source="mark_id")
    item = serializers.IntegerField(source="mark.derivative_id", allow_null=True)
    text = serializers.CharField(source="notice.text", help_text="What was found, in the language of the request.")
    is_open = serializers.BooleanField(source="notice.is_open", help_text="Nobody has decided yet.")
    stands = serializers.BooleanField(
        help_text="Whoever checks the mark is told while this is open; else it is a question to the authority alone."
    )

    class Meta:
        model = CopyAlert
        fields = ["id", "code", "item", "rule", "value", "text", "is_open", "stands", "on", "found_at", "notice"]


class CopyAlertWithChecksSerializer(CopyAlertSerializer):
    checks = serializers.SerializerMethodField(help_text="The checks it rests on, the latest first.")

    class Meta(CopyAlertSerializer.Meta):
        fields = [*CopyAlertSerializer.Meta.fields, "checks"]

    @extend_schema_field(CheckSerializer(many=True))
    def get_checks(self, alert: CopyAlert) -> list[dict[str, object]]:
        found = Check.objects.filter(evidence__alert=alert)
        return [dict(one) for one in CheckSerializer(found, many=True).data]


class OnceSerializer(serializers.Serializer[None]):
    code = serializers.CharField(max_length=100, help_text="Code of the mark.")
    hidden = serializers.CharField(max_length=40, help_text="The eight characters under the flap.")


class RedemptionSerializer(serializers.Serializer[Redemption]):
    outcome = serializers.ChoiceField(choices=[one.value for one in Redeemed])
    used_at = serializers.DateTimeField(allow_null=True, help_text="When it was used for the first time.")
    verdict = serializers.CharField(
        source="standing.verdict", default=None, allow_null=True, help_text="What the check says of the mark itself."
    )


class HiddenCodesSerializer(serializers.Serializer[None]):
    made = serializers.IntegerField(help_text="Labels that had no hidden code before.")


class HiddenCodeSerializer(serializers.Serializer[None]):
    place = serializers.IntegerField(help_text="Place on the reel.")
    code = serializers.CharField(help_text="Code of the mark.")
    hidden = serializers.CharField(help_text="What is printed under the flap.")

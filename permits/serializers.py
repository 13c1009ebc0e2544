"""What programs send to this room and read from it. Masses are grams; items are named by number or mark code."""

from typing import Any

from rest_framework import serializers

from core.accounts.models import Organisation
from core.accounts.signature import SignedSerializer
from ledger.models import CustodyAccount, Handover, HandoverLine, HandoverSeal
from ledger.services.handovers import MOST_GRAMS
from permits.models import Application, Decision, Kind, Permit, PermitLine
from permits.selectors import Missing, Row

MOST_ITEMS = 10_000


class PartySerializer(serializers.ModelSerializer[Organisation]):
    name = serializers.CharField(help_text="In the language of the request.")

    class Meta:
        model = Organisation
        fields = ["id", "bin", "name"]


class StoreSerializer(serializers.ModelSerializer[CustodyAccount]):
    name = serializers.CharField(help_text="In the language of the request.")

    class Meta:
        model = CustodyAccount
        fields = ["code", "name"]


class ApplicationDecisionSerializer(serializers.ModelSerializer[Decision]):
    class Meta:
        model = Decision
        fields = ["round", "outcome", "reason", "article", "decided_at"]


class ApplicationSerializer(serializers.ModelSerializer[Application]):
    applicant = PartySerializer()
    receiver = PartySerializer(allow_null=True)
    store = StoreSerializer(allow_null=True)

    class Meta:
        model = Application
        fields = [
            "id",
            "number",
            "kind",
            "state",
            "round",
            "applicant",
            "receiver",
            "store",
            "purpose",
            "wished_from",
            "wished_until",
            "price_tenge",
            "opened_at",
            "submitted_at",
            "due_on",
        ]


class ApplicationDetailSerializer(ApplicationSerializer):
    decisions = ApplicationDecisionSerializer(many=True)
    pieces = serializers.SerializerMethodField()
    permit = serializers.SerializerMethodField(help_text="Key of the permit, once there is one.")

    class Meta(ApplicationSerializer.Meta):
        fields = [*ApplicationSerializer.Meta.fields, "pieces", "permit", "decisions"]

    def get_pieces(self, application: Application) -> int:
        return application.lines.count()

    def get_permit(self, application: Application) -> int | None:
        return Permit.objects.filter(application=application).values_list("pk", flat=True).first()


class ItemsField(serializers.ListField):
    """Numbers (KZ26-0012345) or mark codes."""

    child = serializers.CharField(max_length=60)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MOST_ITEMS, **kwargs)


class WishesSerializer(serializers.Serializer[Any]):
    """What an application says beside its items; anything may be open until it is submitted."""

    store = serializers.CharField(required=False, allow_null=True, help_text="Code of the receiving store.")
    purpose = serializers.CharField(required=False, allow_blank=True, max_length=4000)
    wished_from = serializers.DateField(required=False, allow_null=True)
    wished_until = serializers.DateField(required=False, allow_null=True)
    price_tenge = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, help_text="For the whole lot; a sale only."
    )


class NewApplicationSerializer(WishesSerializer):
    kind = serializers.ChoiceField(choices=Kind.choices)
    applicant = serializers.CharField(
        required=False, help_text="BIN of the organisation that applies; needed when you act for several."
    )
    items = ItemsField(required=False)


class LinesSerializer(serializers.Serializer[Any]):
    add = ItemsField(required=False)
    remove = ItemsField(required=False)


class ProblemSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField()


class LineSerializer(serializers.Serializer[Row]):
    """One item of an application, with what stands against it today."""

    item = serializers.IntegerField(source="item.pk")
    number = serializers.CharField(source="item.number")
    term = serializers.CharField(source="item.term")
    origin = serializers.CharField(help_text="Origin class now: what was seized is confiscated after the court.")
    mark = serializers.CharField(source="code")
    grams = serializers.IntegerField()
    problems = ProblemSerializer(many=True)


class DecideSerializer(serializers.Serializer[Any]):
    outcome = serializers.ChoiceField(choices=Decision.Outcome.choices)
    valid_until = serializers.DateField(required=False, help_text="For an approval: last day of the permit.")
    reason = serializers.CharField(required=False, default="", max_length=4000)
    article = serializers.CharField(required=False, default="", max_length=200)


class PermitSerializer(serializers.ModelSerializer[Permit]):
    holder = PartySerializer()
    receiver = PartySerializer()
    store = StoreSerializer()
    state = serializers.SerializerMethodField()

    class Meta:
        model = Permit
        fields = [
            "id",
            "number",
            "application",
            "kind",
            "state",
            "holder",
            "receiver",
            "store",
            "purpose",
            "valid_from",
            "valid_until",
            "pieces",
            "grams",
            "issued_at",
        ]

    def get_state(self, permit: Permit) -> str:
        return permit.state_on(self.context["today"]).value


class PermitLineSerializer(serializers.ModelSerializer[PermitLine]):
    number = serializers.CharField(source="item.number")
    mark = serializers.CharField(source="mark_code")

    class Meta:
        model = PermitLine
        fields = ["row", "item", "number", "mark", "grams", "handover", "used_at"]


class PermitReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=4000)


class HandoverSerializer(serializers.ModelSerializer[Handover]):
    source = StoreSerializer()  # type: ignore[assignment]  # a field of this name, not where a field is read from
    target = StoreSerializer()

    class Meta:
        model = Handover
        fields = [
            "id",
            "number",
            "state",
            "source",
            "target",
            "under",
            "vehicle",
            "driver",
            "carried_by",
            "seals",
            "escort",
            "route",
            "expected_at",
            "due_at",
            "dispatched_at",
            "turned_at",
            "turn_reason",
            "closed_at",
            "difference_reason",
        ]


class HandoverLineSerializer(serializers.ModelSerializer[HandoverLine]):
    number = serializers.CharField(source="item.derivative.number")
    box = serializers.CharField(source="box.sscc", default=None, allow_null=True)

    class Meta:
        model = HandoverLine
        fields = ["item", "number", "box", "outcome", "scanned_at", "reason", "in_sample", "weighed_g"]
        fields += ["first_weighed_g", "weigh_reason", "seen_at"]


class HandoverSealSerializer(serializers.ModelSerializer[HandoverSeal]):
    """A seal of the load, or of a box in it, and how it was found."""

    box = serializers.CharField(source="box.sscc", default=None, allow_null=True)

    class Meta:
        model = HandoverSeal
        fields = ["number", "box", "state", "checked_at"]


class HandoverDetailSerializer(HandoverSerializer):
    seals_found = HandoverSealSerializer(source="seal_checks", many=True, read_only=True)

    class Meta(HandoverSerializer.Meta):
        fields = [*HandoverSerializer.Meta.fields, "seals_found"]


class MissingSerializer(serializers.Serializer[Missing]):
    """An item missing on the way: since when, how many days, and the report of its loss, if there is one."""

    item = serializers.IntegerField(source="item.pk")
    number = serializers.CharField(source="item.number")
    handover = serializers.IntegerField(source="handover.pk")
    handover_number = serializers.CharField(source="handover.number")
    source = serializers.CharField(source="handover.source.code")  # type: ignore[assignment]
    target = serializers.CharField(source="handover.target.code")
    since = serializers.DateTimeField()
    days = serializers.IntegerField()
    report = serializers.CharField(help_text="Number of the report of loss; empty where nobody reported it.")


class DispatchSerializer(SignedSerializer):
    source = serializers.CharField(help_text="Code of the store that sends.")  # type: ignore[assignment]
    target = serializers.CharField(help_text="Code of the store that receives.")
    items = ItemsField(allow_empty=False)
    permit = serializers.CharField(required=False, help_text="Number of the permit, where one is needed.")
    vehicle = serializers.CharField(required=False, default="", max_length=60)
    driver = serializers.CharField(required=False, default="", max_length=120)
    carried_by = serializers.CharField(
        required=False, default="", max_length=120, help_text="Who carries it by hand, where there is no vehicle."
    )
    seals = serializers.CharField(required=False, default="", max_length=200)
    escort = serializers.CharField(required=False, default="", max_length=300, help_text="Names of the guards.")
    route = serializers.CharField(required=False, default="", max_length=1000)
    expected_at = serializers.DateTimeField(
        required=False, default=None, help_text="When it should arrive; by the rule of the day if left out."
    )


class ScanSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(
        max_length=500, help_text="A mark in any form, its printed address, or a readable number."
    )


class VerdictSerializer(serializers.Serializer[Any]):
    """The answer to one scan, and how far the receiver is."""

    verdict = serializers.ChoiceField(choices=["ok", "attention", "stop"])
    title = serializers.CharField()
    text = serializers.CharField()
    sent = serializers.IntegerField()
    received = serializers.IntegerField()
    missing = serializers.IntegerField()
    extra = serializers.IntegerField()


class AcceptSerializer(SignedSerializer):
    difference_reason = serializers.CharField(required=False, default="", max_length=4000, allow_blank=True)
    reasons = serializers.DictField(
        child=serializers.CharField(max_length=300),
        required=False,
        default=dict,
        help_text="Reasons of single items that are missing or weigh otherwise, by readable number.",
    )
    seals = serializers.DictField(
        child=serializers.ChoiceField(choices=["intact", "broken", "gone"]),
        required=False,
        default=dict,
        help_text="How each seal was found, by its number: those of the load and of its boxes; none is left out.",
    )
    carrier_said = serializers.ChoiceField(
        choices=Handover.Carrier.choices,
        required=False,
        default="",
        allow_blank=True,
        help_text="What the driver did with the discrepancy act.",
    )


class TurnBackSerializer(SignedSerializer):
    reason = serializers.CharField(max_length=4000)


class ReceiveMissingSerializer(SignedSerializer):
    items = ItemsField(allow_empty=False)
    reason = serializers.CharField(max_length=4000, help_text="Where they were found.")


class SampleSerializer(serializers.Serializer[Any]):
    size = serializers.IntegerField(min_value=1)


class SampleDrawnSerializer(serializers.Serializer[Any]):
    """The seed and the items it chose: anybody can draw them again."""

    seed = serializers.CharField()
    size = serializers.IntegerField()
    items = serializers.ListField(child=serializers.CharField())


class WeighSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=500, help_text="A mark or a readable number.")
    grams = serializers.IntegerField(min_value=1, max_value=MOST_GRAMS)
    confirmed = serializers.BooleanField(default=False, help_text="True for a mass that differs beyond the rule.")
    reason = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=300,
        help_text="Why it weighs otherwise, or is weighed again.",
    )


class OpenArrivedSerializer(serializers.Serializer[Any]):
    box = serializers.CharField(max_length=30, help_text="SSCC of the box.")
    seal = serializers.ChoiceField(choices=["intact", "broken", "gone"], help_text="How its seal was found.")
    reason = serializers.CharField(max_length=300)

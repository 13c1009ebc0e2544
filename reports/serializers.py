"""How stock, items, events and statements look to programs: codes, whole grams, ISO days."""

from typing import Any

from rest_framework import serializers

from core.audit.models import Event
from ledger.models import AccountKind, CustodyAccount, Hold
from marking.codes import group
from registry.models import Condition, Origin, Outcome, Population, Side, Term
from reports.models import Statement


class PlaceSerializer(serializers.ModelSerializer[CustodyAccount]):
    name = serializers.CharField(help_text="In the language of the request.")
    kind = serializers.ChoiceField(choices=AccountKind.choices)

    class Meta:
        model = CustodyAccount
        fields = ["id", "code", "kind", "name", "custodian", "region"]


class StockRowSerializer(serializers.Serializer[Any]):
    """Pieces and grams of one term and origin class in one place."""

    place = PlaceSerializer(source="account")
    term = serializers.ChoiceField(choices=Term.choices)
    origin = serializers.ChoiceField(choices=Origin.choices)
    pieces = serializers.IntegerField()
    grams = serializers.IntegerField()


class HoldSerializer(serializers.ModelSerializer[Hold]):
    class Meta:
        model = Hold
        fields = ["kind", "reference", "placed_at"]


class ItemSerializer(serializers.Serializer[Any]):
    """One item: what it is, where it is, what binds it."""

    id = serializers.IntegerField(source="derivative.pk")
    number = serializers.CharField(source="derivative.number")
    mark = serializers.SerializerMethodField(help_text="Its active mark in groups; empty if it has none.")
    term = serializers.ChoiceField(choices=Term.choices, source="derivative.term")
    origin = serializers.ChoiceField(choices=Origin.choices, help_text="What kind of stock it is now.")
    decided = serializers.ChoiceField(
        choices=Outcome.choices,
        allow_blank=True,
        help_text="What a court has decided of a seized item, once confirmed; empty while it is pending.",
    )
    side = serializers.ChoiceField(choices=Side.choices, source="derivative.side")
    condition = serializers.ChoiceField(choices=Condition.choices, source="derivative.condition")
    length_mm = serializers.IntegerField(source="derivative.length_mm", allow_null=True)
    pieces = serializers.IntegerField()
    grams = serializers.IntegerField(help_text="What it weighs now.")
    registered_grams = serializers.IntegerField(source="derivative.mass_g")
    registered_at = serializers.DateTimeField(source="derivative.registered_at")
    place = PlaceSerializer()
    there_since = serializers.DateField(source="since")
    holds = HoldSerializer(many=True)
    reserved_for = serializers.CharField(help_text='The right it is promised to ("permit:12"); empty if to none.')
    intake = serializers.CharField(source="derivative.intake.number")
    intake_on = serializers.DateField(source="derivative.intake.on")
    population = serializers.ChoiceField(
        choices=Population.choices, source="derivative.intake.population", allow_blank=True
    )

    def get_mark(self, row: Any) -> str:
        return group(row.code)


class EventSerializer(serializers.ModelSerializer[Event]):
    facts = serializers.DictField()

    class Meta:
        model = Event
        fields = [
            "id",
            "verb",
            "at",
            "recorded_at",
            "actor_id",
            "actor_name",
            "organisation_id",
            "subject_kind",
            "subject_id",
            "subject_name",
            "facts",
        ]


class StatementFileSerializer(serializers.Serializer[Any]):
    """One file of a published statement."""

    format = serializers.CharField(help_text="pdf, xlsx, csv (the balance) or movements (CSV of the annex).")
    name = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()


class StatementSerializer(serializers.ModelSerializer[Statement]):
    store = serializers.CharField(source="account.code")
    state = serializers.CharField(source="job.state", help_text="queued, running, done, failed or cancelled.")
    percent = serializers.IntegerField(source="job.percent")
    error = serializers.CharField(source="job.error")
    files = StatementFileSerializer(many=True)

    class Meta:
        model = Statement
        fields = [
            "id",
            "number",
            "store",
            "starts_on",
            "ends_on",
            "language",
            "asked_at",
            "state",
            "percent",
            "error",
            "published_at",
            "check_code",
            "files",
        ]


class StatementRequestSerializer(serializers.Serializer[Any]):
    """What a program sends to ask for a statement; both days are included."""

    store = serializers.CharField(help_text="The code of the store.")
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    language = serializers.ChoiceField(choices=["kk", "ru", "en"], default="kk")

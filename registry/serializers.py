"""Shapes of the API, and of what the weighing page sends while one types."""

from typing import Any

from rest_framework import serializers

from core.accounts.models import Organisation, User
from core.base.errors import BadInput
from ledger.serializers import StoreField
from registry.fields import FIELDS, MAX_LENGTH_MM, MAX_NOTE, MAX_PACKAGE_G, Kind
from registry.measures import ROW_COLUMNS, TableRow
from registry.models import (
    FACTS,
    Brigade,
    Case,
    Condition,
    Derivative,
    Intake,
    IntakeRow,
    Side,
)
from registry.selectors_cases import CaseNotNamed, find_case
from registry.serializers_papers import PermitNumberField
from registry.services import CaseFacts
from registry.services.opening import MOST_ANIMALS
from registry.services.table import MOST_ROWS


class CaseSerializer(serializers.ModelSerializer[Case]):
    """A case in a list; the agency is told by its BIN."""

    agency = serializers.SlugRelatedField[Organisation](slug_field="bin", read_only=True)

    class Meta:
        model = Case
        fields = ("id", "protocol_number", "protocol_on", "erdr_number", "agency", "region", "place", "seized_on")


class IntakeSerializer(serializers.ModelSerializer[Intake]):
    """A reception or a seizure. `pieces` and `grams` are what was registered; null before.

    Animals and carcasses are those of the daily `sheet` where the reception rests on one.
    """

    store = StoreField(read_only=True)
    males = serializers.IntegerField(source="counted.males", read_only=True, allow_null=True)
    females = serializers.IntegerField(source="counted.females", read_only=True, allow_null=True)
    young = serializers.IntegerField(source="counted.young", read_only=True, allow_null=True)
    carcasses = serializers.IntegerField(source="counted.carcasses", read_only=True, allow_null=True)

    class Meta:
        model = Intake
        fields = (
            "id",
            "number",
            "origin",
            "term",
            "state",
            "store",
            "on",
            "region",
            "population",
            "permit",
            "brigade",
            "sheet",
            "males",
            "females",
            "young",
            "carcasses",
            "case",
            "certificate",
            "explanation",
            "band_reason",
            "cancel_reason",
            "version",
            "pieces",
            "grams",
            "opened_at",
            "closed_at",
        )


class OpenRemovalSerializer(serializers.Serializer[Any]):
    """A reception of what one brigade brought on one day. The store is named by its code."""

    store = StoreField()
    permit = PermitNumberField()
    brigade = serializers.PrimaryKeyRelatedField(queryset=Brigade.objects.all())
    on = serializers.DateField()
    males = serializers.IntegerField(min_value=0, max_value=MOST_ANIMALS)
    females = serializers.IntegerField(min_value=0, max_value=MOST_ANIMALS)
    young = serializers.IntegerField(min_value=0, max_value=MOST_ANIMALS)
    carcasses = serializers.IntegerField(min_value=0, max_value=MOST_ANIMALS)


class CaseFactsSerializer(serializers.Serializer[CaseFacts]):
    """What the protocol of a seizure says. The agency is named by its BIN."""

    protocol_number = serializers.CharField(max_length=60)
    protocol_on = serializers.DateField()
    erdr_number = serializers.CharField(max_length=30, allow_blank=True, default="")
    agency = serializers.SlugRelatedField[Organisation](slug_field="bin", queryset=Organisation.objects.active())
    place = serializers.CharField(max_length=200)
    seized_on = serializers.DateField()


class OpenSeizureSerializer(serializers.Serializer[Any]):
    """Seized goods that came into an evidence room: of a new case, or of one in the register.

    That one is named by its ERDR number, by its own (SZ…), or by the number of its protocol.
    """

    store = StoreField()
    on = serializers.DateField()
    case = CaseFactsSerializer(required=False)
    known_case = serializers.CharField(required=False, max_length=30)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("case" in attrs) == ("known_case" in attrs):
            raise serializers.ValidationError({"case": "Give either case or known_case."})
        return attrs


def known_case_of(person: User, named: str) -> Case:
    """The case that `known_case` names. Raises BadInput of that field."""
    try:
        return find_case(person, named)
    except CaseNotNamed as refusal:
        raise BadInput(fields={"known_case": refusal.message}) from None


def _codes(column: str) -> list[str]:
    """Every code of a choice, of whatever term."""
    codes: dict[str, None] = {}
    for fields in FIELDS.values():
        for one in fields:
            if one.column == column and one.kind == Kind.CHOICE:
                codes |= dict.fromkeys(one.choices or {})
    return list(codes)


def _whole(most: int, least: int = 1) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=least, max_value=most, allow_null=True, default=None)


class RowSerializer(serializers.Serializer[TableRow]):
    """One horn, package or batch on the table. Which fields its kind has, `fields` of the table says; leave out others.

    Masses in grams (`mass_g` is net), lengths in millimetres. `pair` is the number of another row, or the registration
    number of a horn.
    """

    row = serializers.IntegerField(min_value=1, max_value=10 * MOST_ROWS)
    side = serializers.ChoiceField(choices=Side.choices, default=Side.UNKNOWN.value)
    mass_g = serializers.IntegerField(min_value=1, max_value=MAX_PACKAGE_G)
    length_mm = _whole(MAX_LENGTH_MM)
    condition = serializers.ChoiceField(choices=Condition.choices, default=Condition.WHOLE.value)
    note = serializers.CharField(max_length=MAX_NOTE, allow_blank=True, default="")
    straight_mm = _whole(MAX_LENGTH_MM)
    base_mm = _whole(MAX_LENGTH_MM)
    rings = _whole(60, 0)
    pair = serializers.RegexField(r"^([1-9][0-9]{0,7}|KZ[0-9]{2}-[0-9]{7,11})?$", allow_blank=True, default="")
    package = serializers.ChoiceField(choices=_codes("package"), allow_blank=True, default="")
    gross_g = _whole(MAX_PACKAGE_G)
    count = _whole(1_000_000, 0)
    cut = serializers.ChoiceField(choices=_codes("cut"), allow_blank=True, default="")
    treatment = serializers.ChoiceField(choices=_codes("treatment"), allow_blank=True, default="")
    made_on = serializers.DateField(allow_null=True, default=None)
    use_by = serializers.DateField(allow_null=True, default=None)
    width_mm = _whole(MAX_LENGTH_MM)
    right_length_mm = _whole(MAX_LENGTH_MM)
    right_base_mm = _whole(MAX_LENGTH_MM)
    spread_mm = _whole(MAX_LENGTH_MM)
    product = serializers.CharField(max_length=100, allow_blank=True, default="")
    lot = serializers.CharField(max_length=40, allow_blank=True, default="")
    dose_mg = _whole(10_000_000, 0)


class SavedRowSerializer(serializers.ModelSerializer[IntakeRow]):
    class Meta:
        model = IntakeRow
        fields = ("row", *ROW_COLUMNS)


class ChangedRowsSerializer(serializers.Serializer[Any]):
    """Rows to write by number and rows to take out. `version` is the table that was read before.

    With `whole`, rows that are not given are taken out.
    """

    version = serializers.IntegerField(min_value=0)
    rows = RowSerializer(many=True)
    removed = serializers.ListField(child=serializers.IntegerField(min_value=1), default=list)
    whole = serializers.BooleanField(default=False)

    def table_rows(self) -> list[TableRow]:
        """The rows as the service takes them; only after is_valid()."""
        return [TableRow(**row) for row in self.validated_data["rows"]]


class TableSerializer(serializers.Serializer[Any]):
    """A weighing table and its version."""

    version = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Intake.State.choices)
    fields_of_term = serializers.SerializerMethodField()
    rows = SavedRowSerializer(many=True)

    def get_fields_of_term(self, intake: Intake) -> list[str]:
        """The fields that rows of this kind of derivative have."""
        return [one.column for one in FIELDS[intake.term]]


class CancellationSerializer(serializers.Serializer[Any]):
    """Why an intake is closed without registering anything."""

    reason = serializers.CharField(max_length=1000)


class DerivativeSerializer(serializers.ModelSerializer[Derivative]):
    """A registered derivative. Where it is now, the ledger says."""

    id = serializers.IntegerField(source="item_id", read_only=True)

    class Meta:
        model = Derivative
        fields = (
            "id",
            "number",
            "term",
            "origin",
            "intake",
            "row",
            *FACTS,
            "certificate",
            "registered_at",
        )

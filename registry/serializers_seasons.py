"""Shapes of the API about seasons and daily sheets."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from core.accounts.models import Organisation, Region
from ledger.serializers import StoreField
from registry.models import (
    Brigade,
    DailySheet,
    Delivery,
    Population,
    RemovalDecision,
    RemovalLimit,
    RemovalPermit,
    Season,
    Sex,
    SlaughterPoint,
)
from registry.serializers_papers import PermitNumberField
from registry.services.opening import MOST_ANIMALS
from registry.services.papers import Limit
from registry.services.sheets import Delivered

MOST = 10_000_000


class SeasonSerializer(serializers.ModelSerializer[Season]):
    class Meta:
        model = Season
        fields = ("id", "name_kk", "name_ru", "name_en", "starts_on", "ends_on")


class LimitSerializer(serializers.ModelSerializer[RemovalLimit]):
    """One line of a decision, with what its permits let so far (`given`)."""

    given = serializers.IntegerField(read_only=True)

    class Meta:
        model = RemovalLimit
        fields = ("id", "population", "region", "sex", "animals", "given")


class RemovalDecisionSerializer(serializers.ModelSerializer[RemovalDecision]):
    """A decision on regulation with its limits."""

    limits = LimitSerializer(many=True, read_only=True)

    class Meta:
        model = RemovalDecision
        fields = (
            *("id", "season", "number", "decided_on", "title", "authority", "legal_basis"),
            *("basis_by", "basis_number", "basis_on", "limits"),
        )


class NewLimitSerializer(serializers.Serializer[Any]):
    population = serializers.ChoiceField(choices=Population.choices)
    region = serializers.PrimaryKeyRelatedField(queryset=Region.objects.all())
    sex = serializers.ChoiceField(choices=Sex.choices, default=Sex.ANY.value)
    animals = serializers.IntegerField(min_value=1, max_value=MOST)


class NewDecisionSerializer(serializers.Serializer[Any]):
    """A decision with all its limits; it is never edited."""

    season = serializers.PrimaryKeyRelatedField(queryset=Season.objects.all())
    number = serializers.CharField(max_length=40)
    decided_on = serializers.DateField()
    title = serializers.CharField(max_length=200)
    legal_basis = serializers.CharField(max_length=300)
    basis_by = serializers.CharField(max_length=200)
    basis_number = serializers.CharField(max_length=60)
    basis_on = serializers.DateField()
    limits = NewLimitSerializer(many=True, allow_empty=False)

    def facts(self) -> dict[str, Any]:
        """What the service takes."""
        given = dict(self.validated_data)
        given["limits"] = [
            Limit(Population(line["population"]), line["region"], line["animals"], Sex(line["sex"]))
            for line in given["limits"]
        ]
        return given


class RemovalPermitSerializer(serializers.ModelSerializer[RemovalPermit]):
    """A removal permit. `taken` counts the animals taken under it so far, `signed` those of them on signed sheets."""

    taken = serializers.SerializerMethodField()
    signed = serializers.SerializerMethodField()

    class Meta:
        model = RemovalPermit
        fields = (
            *("id", "number", "issued_on", "season", "limit", "population", "region", "sex", "holder"),
            *("animals_limit", "taken", "signed", "withdrawn_at", "withdraw_reason"),
        )

    def get_taken(self, permit: RemovalPermit) -> int:
        taken: dict[int, int] = self.context.get("taken", {})
        return taken.get(permit.pk, 0)

    def get_signed(self, permit: RemovalPermit) -> int:
        signed: dict[int, int] = self.context.get("signed", {})
        return signed.get(permit.pk, 0)


class NewRemovalPermitSerializer(serializers.Serializer[Any]):
    """A permit under one line of a decision. The holder is named by its BIN."""

    limit = serializers.PrimaryKeyRelatedField(queryset=RemovalLimit.objects.all())
    number = serializers.CharField(max_length=40)
    issued_on = serializers.DateField()
    holder = serializers.SlugRelatedField[Organisation](slug_field="bin", queryset=Organisation.objects.active())
    animals_limit = serializers.IntegerField(min_value=1, max_value=MOST)


class BrigadeSerializer(serializers.ModelSerializer[Brigade]):
    class Meta:
        model = Brigade
        fields = (
            *("id", "name", "season", "region", "contract_number", "contract_on", "leader", "members"),
            *("valid_from", "valid_until"),
        )
        # The service answers for what is there already, with the same words as on the page.
        validators: list[Any] = []
        extra_kwargs = {
            name: {"required": True, "allow_null": False}
            for name in ("contract_on", "members", "valid_from", "valid_until")
        } | {"leader": {"required": True, "allow_blank": False}}


class SlaughterPointSerializer(serializers.ModelSerializer[SlaughterPoint]):
    class Meta:
        model = SlaughterPoint
        fields = ("id", "name_kk", "name_ru", "name_en", "region", "attestation_number", "attested_on", "is_active")
        read_only_fields = ("is_active",)
        # The service says who has this number already.
        extra_kwargs: dict[str, Any] = {"attestation_number": {"validators": []}}


class SlaughterPointField(serializers.SlugRelatedField[SlaughterPoint]):
    """An attested slaughter point, by the number of its attestation or by its name; told by the number."""

    default_error_messages = {
        "does_not_exist": gettext_lazy("No slaughter point has the attestation number or the name “{value}”."),
        "several": gettext_lazy("Several slaughter points are called “{value}”: give the number of the attestation."),
    }

    def __init__(self, **kwargs: Any) -> None:
        queryset = None if kwargs.get("read_only") else SlaughterPoint.objects.filter(is_active=True)
        super().__init__(slug_field="attestation_number", queryset=queryset, **kwargs)

    def to_internal_value(self, data: Any) -> SlaughterPoint:
        said = " ".join(str(data).split())
        known = SlaughterPoint.objects.filter(is_active=True)
        if by_number := known.filter(attestation_number__iexact=said).first():
            return by_number
        called = list(known.filter(Q(name_kk__iexact=said) | Q(name_ru__iexact=said) | Q(name_en__iexact=said))[:2])
        if not called:
            self.fail("does_not_exist", value=said)
        if len(called) > 1:
            self.fail("several", value=said)
        return called[0]


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """Carcasses brought to a reception point (by its code) or to a slaughter point (by its attestation number)."""

    store = StoreField(read_only=True)
    slaughter_point = SlaughterPointField(read_only=True)

    class Meta:
        model = Delivery
        fields = ("store", "slaughter_point", "carcasses")


class DailySheetSerializer(serializers.ModelSerializer[DailySheet]):
    """What one brigade took, delivered and cut on one day under one permit."""

    deliveries = DeliverySerializer(many=True, read_only=True)
    permit = serializers.SlugRelatedField(slug_field="number", read_only=True)  # type: ignore[var-annotated]

    class Meta:
        model = DailySheet
        fields = (
            *("id", "number", "state", "version", "brigade", "permit", "on", "males", "females", "young"),
            *("carcasses", "unusable", "horns_cut", "deliveries", "note", "organisation", "entered_at", "closed_at"),
            "withdraw_reason",
        )


class NewDeliverySerializer(serializers.Serializer[Any]):
    """Give either store or slaughter_point."""

    store = StoreField(required=False)
    slaughter_point = SlaughterPointField(required=False)
    carcasses = serializers.IntegerField(min_value=1, max_value=MOST_ANIMALS)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("store" in attrs) == ("slaughter_point" in attrs):
            raise serializers.ValidationError({"store": _("Give either a reception point or a slaughter point.")})
        return attrs


class SheetFiguresSerializer(serializers.Serializer[Any]):
    """The figures of a sheet; `version` is the one you read, and refuses to write over a newer one."""

    males = serializers.IntegerField(min_value=0, max_value=MOST_ANIMALS)
    females = serializers.IntegerField(min_value=0, max_value=MOST_ANIMALS)
    young = serializers.IntegerField(min_value=0, max_value=MOST_ANIMALS)
    unusable = serializers.IntegerField(min_value=0, max_value=MOST_ANIMALS, default=0)
    horns_cut = serializers.IntegerField(min_value=0, max_value=MOST_ANIMALS)
    deliveries = NewDeliverySerializer(many=True)
    note = serializers.CharField(max_length=2000, allow_blank=True, default="")
    confirm = serializers.BooleanField(
        default=False, help_text="The paper has these figures, though they do not fit together."
    )

    def facts(self) -> dict[str, Any]:
        """What the service takes."""
        given = dict(self.validated_data)
        given["deliveries"] = [
            Delivered(line["store"] if "store" in line else line["slaughter_point"], line["carcasses"])
            for line in given["deliveries"]
        ]
        return given


class SheetCorrectionSerializer(SheetFiguresSerializer):
    version = serializers.IntegerField(required=False, min_value=0)


class NewSheetSerializer(SheetFiguresSerializer):
    """A new sheet. The permit is named by its number."""

    brigade = serializers.PrimaryKeyRelatedField(queryset=Brigade.objects.all())
    permit = PermitNumberField()
    on = serializers.DateField()


class SheetReceptionSerializer(serializers.Serializer[Any]):
    """At which reception point, by its code."""

    store = StoreField()


class WhySerializer(serializers.Serializer[Any]):
    """Why something is withdrawn or reopened."""

    reason = serializers.CharField(max_length=1000)

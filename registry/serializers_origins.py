"""Shapes of the API of other origins, of veterinary certificates and of sales under them."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from core.accounts.models import Organisation
from ledger.serializers import StoreField
from registry.models import (
    Confiscation,
    Derivative,
    Find,
    Importation,
    OldStock,
    Origin,
    Sale,
    Term,
    VeterinaryCertificate,
)
from registry.serializers_papers import PermitNumberField
from registry.serializers_seasons import SlaughterPointField
from registry.services import Scan


class FindSerializer(serializers.ModelSerializer[Find]):
    """The act by which found horns were handed in. Who found them is not told again."""

    class Meta:
        model = Find
        fields = (
            "place", "latitude", "longitude", "found_on", "finder", "finder_contact", "act_number", "act_on"
        )  # fmt: skip
        extra_kwargs = {"finder": {"write_only": True}, "finder_contact": {"write_only": True}}


class ConfiscationSerializer(serializers.ModelSerializer[Confiscation]):
    class Meta:
        model = Confiscation
        fields = ("decision_number", "decided_on", "court", "effective_on")


class OldStockSerializer(serializers.ModelSerializer[OldStock]):
    class Meta:
        model = OldStock
        fields = ("sheet_number", "sheet_on", "commission")


class ImportationSerializer(serializers.ModelSerializer[Importation]):
    """The importer is named by the BIN."""

    importer = serializers.SlugRelatedField[Organisation](slug_field="bin", queryset=Organisation.objects.active())

    class Meta:
        model = Importation
        fields = ("permit_number", "permit_on", "country", "declaration_number", "declared_on", "importer")
        validators: list[Any] = []


class OpenOriginSerializer(serializers.Serializer[Any]):
    """Goods of one kind and origin. Give the one paper that proves the origin; for unknown, `explanation`.

    In a multipart request its fields are named `old_stock.sheet_number`, and so on.
    """

    origin = serializers.ChoiceField(choices=Origin.choices)
    term = serializers.ChoiceField(choices=Term.choices, default=Term.HORN.value)
    store = StoreField()
    on = serializers.DateField()
    find = FindSerializer(required=False)
    confiscation = ConfiscationSerializer(required=False)
    old_stock = OldStockSerializer(required=False)
    importation = ImportationSerializer(required=False)
    permit = PermitNumberField(required=False)
    certificate = serializers.SlugRelatedField[VeterinaryCertificate](
        slug_field="number", queryset=VeterinaryCertificate.objects.all(), required=False, allow_null=True
    )
    explanation = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    scan = serializers.FileField(
        required=False,
        help_text="The scanned paper, in a multipart request; found, confiscated, old and imported goods need it.",
    )

    def facts(self) -> dict[str, Any]:
        """What the service takes; only after is_valid()."""
        said = dict(self.validated_data)
        models: dict[str, Any] = {
            "find": Find,
            "confiscation": Confiscation,
            "old_stock": OldStock,
            "importation": Importation,
        }
        papers: list[Any] = [models[name](**said.pop(name)) for name in models if name in said]
        papers += [said.pop("permit")] if "permit" in said else []
        if len(papers) > 1:
            raise serializers.ValidationError({"origin": "Give one paper."})
        if "scan" in said:
            said["scan"] = Scan(name=said["scan"].name or "", content=said["scan"])
        said |= {"origin": Origin(said["origin"]), "term": Term(said["term"]), "paper": papers[0] if papers else None}
        return said


class CertificateSerializer(serializers.ModelSerializer[VeterinaryCertificate]):
    """A veterinary certificate. The veterinary body is named by its BIN, the slaughter point by the number of its
    attestation or by its name; `slaughter_point_name` is how it was called on paper. The region is the point's.
    """

    issued_by = serializers.SlugRelatedField[Organisation](slug_field="bin", queryset=Organisation.objects.active())
    number = serializers.CharField(max_length=40)
    slaughter_point = SlaughterPointField(source="point")
    slaughter_point_name = serializers.CharField(source="slaughter_point", read_only=True)

    class Meta:
        model = VeterinaryCertificate
        fields = (
            "id",
            "number",
            "issued_on",
            "valid_until",
            "issued_by",
            "officer",
            "slaughter_point",
            "slaughter_point_name",
            "region",
            "carcasses",
            "net_g",
        )
        read_only_fields = ("region",)

    def facts(self) -> dict[str, Any]:
        """What the service takes."""
        said = dict(self.validated_data)
        return said | {"slaughter_point": said.pop("point")}


class SellSerializer(serializers.Serializer[Any]):
    """Batches of one store to one buyer. `items` are numbers (KZ26-0012345)."""

    store = StoreField()
    items = serializers.ListField(child=serializers.CharField(max_length=60), min_length=1, max_length=1000)
    on = serializers.DateField()
    buyer_name = serializers.CharField(max_length=200)
    buyer_bin = serializers.CharField(max_length=12)
    price_tenge = serializers.IntegerField(min_value=0, required=False, allow_null=True, default=None)

    def validate_items(self, numbers: list[str]) -> list[int]:
        """The keys of what these numbers name; a key is taken too, as before."""
        tidy = ["".join(number.upper().split()) for number in numbers]
        found = dict(Derivative.objects.filter(number__in=tidy).values_list("number", "pk"))
        found |= {number: int(number) for number in tidy if number.isascii() and number.isdigit() and len(number) < 19}
        if unknown := [number for number in tidy if number not in found]:
            raise serializers.ValidationError(_("Not in the registry: %(items)s") % {"items": ", ".join(unknown[:20])})
        return [found[number] for number in tidy]


class SaleSerializer(serializers.ModelSerializer[Sale]):
    store = StoreField(read_only=True)

    class Meta:
        model = Sale
        fields = ("id", "number", "store", "on", "buyer_name", "buyer_bin", "price_tenge", "pieces", "grams", "sold_at")


class SheetSerializer(serializers.Serializer[Any]):
    """A CSV or XLSX file of rows. With `only_good`, the rows that can be taken are added although others cannot."""

    file = serializers.FileField(allow_empty_file=True)
    only_good = serializers.BooleanField(default=False)


class StartedSerializer(serializers.Serializer[Any]):
    """The job at work; ask for it until `finished_at` is there. Its result says `added`, `bad` and `problems`."""

    job = serializers.UUIDField()

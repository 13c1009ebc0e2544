"""What programs send and read about stock-takes, climate and weighing. Masses are grams; items by number or mark."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from core.accounts.signature import SignedSerializer
from ledger.models import MOST_GRAMS, ClimateReading, Hold, StockTake, StockTakeLine, WeighIn, Weighing
from ledger.stocktaking import Stray

MOST_READINGS = 5_000
MOST_WEIGHED = 20_000
COUNT_VERDICTS = [
    ("found", "Found"),
    ("misplaced", "On another shelf"),
    ("elsewhere", "Registered elsewhere"),
    ("arrived", "Came during the count"),
    ("unknown", "Unknown"),
    ("repeat", "Scanned before"),
    ("differs", "Some of the box differs"),
    ("not_in_sample", "Not in the sample"),
    ("shelf", "A shelf"),
    ("refused", "Not possible"),
    ("unreadable", "Read it again"),
]


class StockTakeSerializer(serializers.ModelSerializer[StockTake]):
    store = serializers.CharField(source="account.code", help_text="Code of the store.")
    shelf = serializers.CharField(source="shelf.code", allow_null=True, default=None)
    seed = serializers.CharField()
    secret = serializers.SerializerMethodField(help_text="Published with the seed; empty before.")
    commission = serializers.SerializerMethodField()

    class Meta:
        model = StockTake
        fields = [
            "id", "number", "store", "shelf", "kind", "state", "round", "trusts_seals", "opened_at", "frozen_at",
            "wanted", "frame_items", "expected_items", "expected_grams", "commitment", "words", "frame_digest",
            "secret", "seed", "ended_at", "result", "result_digest", "closed_at", "cancel_reason", "commission",
        ]  # fmt: skip

    def get_secret(self, stocktake: StockTake) -> str:
        return stocktake.secret if stocktake.seed else ""

    def get_commission(self, stocktake: StockTake) -> list[dict[str, Any]]:
        return [
            {
                "username": member.person.username,
                "name": member.person.full_name,
                "signed_at": member.signed_at.isoformat() if member.signed_at else None,
            }
            for member in stocktake.members.all()
        ]


class NewStockTakeSerializer(serializers.Serializer[Any]):
    store = serializers.CharField(max_length=20, help_text="Code of the store.")
    shelf = serializers.CharField(
        max_length=20, required=False, help_text="Code of the shelf; the whole store if left out."
    )
    kind = serializers.ChoiceField(choices=StockTake.Kind.choices)
    wanted = serializers.IntegerField(min_value=1, required=False, help_text="Size of the sample.")
    trusts_seals = serializers.BooleanField(default=True, help_text="A sealed box counts by one scan.")
    commission = serializers.ListField(
        child=serializers.CharField(max_length=150), max_length=20, help_text="User names of those who sign."
    )


class DrawSerializer(serializers.Serializer[Any]):
    words = serializers.CharField(min_length=8, max_length=300)


class CountScanSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=400)
    shelf = serializers.CharField(max_length=20, required=False, help_text="Code of the shelf where it stands.")
    key = serializers.CharField(
        max_length=40, required=False, help_text="Your own name for this scan: sent again it gets the first answer."
    )


class CountsSerializer(serializers.Serializer[Any]):
    expected = serializers.IntegerField()
    found = serializers.IntegerField()
    missing = serializers.IntegerField(help_text="Nobody has scanned it yet.")
    misplaced = serializers.IntegerField()
    elsewhere = serializers.IntegerField()
    arrived = serializers.IntegerField()
    unknown = serializers.IntegerField()
    repeats = serializers.IntegerField()


class CountVerdictSerializer(CountsSerializer):
    verdict = serializers.ChoiceField(choices=COUNT_VERDICTS)
    what = serializers.ChoiceField(
        choices=Stray.choices, allow_blank=True, help_text="What an item is that the books have elsewhere."
    )
    tone = serializers.CharField(help_text="ok, attention, stop or neutral.")
    title = serializers.CharField()
    text = serializers.CharField(allow_blank=True)


class CountReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=400)


class SignSerializer(SignedSerializer):
    digest = serializers.CharField(max_length=64, help_text="`result_digest` of the result you saw.")


class StockTakeLineSerializer(serializers.ModelSerializer[StockTakeLine]):
    number = serializers.CharField(source="item.derivative.number")

    class Meta:
        model = StockTakeLine
        fields = ["item_id", "number", "stock_class", "grams", "is_chosen", "outcome"]


class TenthsField(serializers.DecimalField):
    """A number with one place, kept as whole tenths."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=5, decimal_places=1, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return int(super().to_internal_value(data) * 10)

    def to_representation(self, value: Any) -> Any:
        return super().to_representation(Decimal(value) / 10)

    def run_validators(self, value: Any) -> None:
        # Bounds are those of the service; the value is tenths by now.
        return


class ReadingSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    temperature = TenthsField(required=False, allow_null=True, default=None, help_text="Degrees Celsius.")
    humidity = TenthsField(required=False, allow_null=True, default=None, help_text="Relative humidity, per cent.")
    sensor = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")


class ReadingsSerializer(serializers.Serializer[Any]):
    readings: Any = serializers.ListSerializer(child=ReadingSerializer(), max_length=MOST_READINGS, min_length=1)


class LoggedSerializer(serializers.Serializer[Any]):
    written = serializers.IntegerField(help_text="How many were new.")


class ClimateReadingSerializer(serializers.ModelSerializer[ClimateReading]):
    temperature = TenthsField(allow_null=True)
    humidity = TenthsField(allow_null=True)

    class Meta:
        model = ClimateReading
        fields = ["at", "sensor", "temperature", "humidity"]


class WeighedSerializer(serializers.Serializer[Any]):
    item = serializers.CharField(max_length=40, help_text="Number or mark.")
    grams = serializers.IntegerField(min_value=1, max_value=MOST_GRAMS)
    confirmed = serializers.BooleanField(
        default=False, help_text="It was weighed twice: asked for where drying does not explain the mass."
    )


class NewWeighingSerializer(serializers.Serializer[Any]):
    store = serializers.CharField(max_length=20, help_text="Code of the store.")
    on = serializers.DateField(required=False, help_text="The day of weighing; today, if left out.")
    items: Any = serializers.ListSerializer(child=WeighedSerializer(), max_length=MOST_WEIGHED, min_length=1)


class WeighInSerializer(serializers.ModelSerializer[WeighIn]):
    number = serializers.CharField(source="item.derivative.number")

    class Meta:
        model = WeighIn
        fields = [
            "item_id",
            "number",
            "first_g",
            "first_on",
            "before_g",
            "grams",
            "floor_g",
            "ceiling_g",
            "verdict",
            "is_taken",
            "bears_out",
        ]
        extra_kwargs = {
            "is_taken": {"help_text": "The books have taken this mass."},
            "bears_out": {"help_text": "The line of another person that found the same."},
        }


class WeighingSerializer(serializers.ModelSerializer[Weighing]):
    store = serializers.CharField(source="account.code")

    class Meta:
        model = Weighing
        fields = [
            "id",
            "number",
            "store",
            "on",
            "weighed_at",
            "items",
            "before_g",
            "after_g",
            "unexplained",
            "movement",
        ]


class WeighingDetailSerializer(WeighingSerializer):
    weighed_by = serializers.CharField(source="weighed_by.full_name")
    in_question = serializers.SerializerMethodField(
        help_text="Items held until another person has weighed, or the authority has judged."
    )

    class Meta(WeighingSerializer.Meta):
        fields = [*WeighingSerializer.Meta.fields, "weighed_by", "in_question"]

    def get_in_question(self, weighing: Weighing) -> list[str]:
        held = Hold.objects.active().filter(kind=Hold.Kind.MASS, reference=weighing.number)
        return list(held.order_by("item_id").values_list("item__derivative__number", flat=True))


class SettleMassesSerializer(SignedSerializer):
    reason = serializers.CharField(max_length=400)
    items: Any = serializers.ListSerializer(
        child=serializers.CharField(max_length=40),
        required=False,
        min_length=1,
        max_length=MOST_WEIGHED,
        help_text="Numbers or marks; all that this weighing called in question, if left out.",
    )

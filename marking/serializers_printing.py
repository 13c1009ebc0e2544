"""Shapes of printers and label sizes in the API."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from marking.labels import CHOOSABLE, Profile, suits_horns
from marking.models import OwnStock, Printer, Symbols
from marking.models.printing import RESOLUTIONS


class PrinterSerializer(serializers.ModelSerializer[Printer]):
    keeps_size = serializers.BooleanField(help_text="False when its calibration page came out too large or too small.")

    class Meta:
        model = Printer
        fields = [
            "id",
            "organisation",
            "name",
            "language",
            "zpl_way",
            "dpi",
            "move_x",
            "move_y",
            "scale_x",
            "scale_y",
            "keeps_size",
            "calibrated_at",
            "added_at",
            "ended_at",
        ]


class PrinterChangeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=60)
    language = serializers.ChoiceField(choices=Printer.Language.choices, required=False, default="pdf")
    dpi = serializers.ChoiceField(choices=RESOLUTIONS, required=False, default=300)
    zpl_way = serializers.ChoiceField(choices=Printer.ZplWay.choices, required=False, default="commands")


class PrinterNewSerializer(PrinterChangeSerializer):
    organisation = serializers.IntegerField(help_text="One for which you print labels.")


def _mm(**kwargs: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=5, decimal_places=2, min_value=0, **kwargs)


class MeasuredSerializer(serializers.Serializer[Any]):
    """What was measured on a calibration page, in millimetres."""

    stock = serializers.CharField(max_length=20, help_text="The label that was in the printer.")
    left = _mm(help_text="From the left edge of the paper to the cross.")
    top = _mm(help_text="From the upper edge of the paper to the cross.")
    ruler_x = _mm(help_text="Length of the ruler across.")
    ruler_y = _mm(help_text="Length of the ruler downwards.")


class StockSerializer(serializers.Serializer[Profile]):
    """A label that everybody can print on; millimetres from the upper left corner."""

    key = serializers.CharField(help_text="What an order of labels names as `profile`.")
    name = serializers.SerializerMethodField()
    page_width = serializers.FloatField()
    page_height = serializers.FloatField()
    label_width = serializers.FloatField()
    label_height = serializers.FloatField()
    columns = serializers.IntegerField()
    rows = serializers.IntegerField()
    margin_left = serializers.FloatField()
    margin_top = serializers.FloatField()
    pitch_x = serializers.FloatField()
    pitch_y = serializers.FloatField()
    inset = serializers.FloatField()
    symbol = serializers.FloatField()
    short = serializers.BooleanField()
    is_roll = serializers.BooleanField(help_text="Label printers (ZPL) take rolls only.")
    for_horns = serializers.SerializerMethodField(
        help_text="Resolutions at which its QR symbol is read when stuck round a horn."
    )

    def get_for_horns(self, profile: Profile) -> list[int]:
        return [dpi for dpi, _name in RESOLUTIONS if suits_horns(profile, "qr", dpi)]

    def get_name(self, profile: Profile) -> str:
        return str(self.context["names"][profile.key])


class OwnStockSerializer(serializers.ModelSerializer[OwnStock]):
    key = serializers.CharField(help_text="What an order of labels names as `profile`.")
    shown = serializers.ListField(
        child=serializers.CharField(), source="fields", help_text="What stands beside the code."
    )

    class Meta:
        model = OwnStock
        fields = [
            "id",
            "key",
            "organisation",
            "name",
            "page_width",
            "page_height",
            "label_width",
            "label_height",
            "columns",
            "rows",
            "margin_left",
            "margin_top",
            "pitch_x",
            "pitch_y",
            "inset",
            "symbol",
            "symbols",
            "short",
            "shown",
            "dpi",
            "former",
            "added_at",
            "ended_at",
        ]


class OwnStockNewSerializer(serializers.Serializer[Any]):
    """A label that an organisation buys itself; millimetres from the upper left corner."""

    organisation = serializers.IntegerField(help_text="One for which you print labels.")
    former = serializers.IntegerField(
        required=False, allow_null=True, default=None, help_text="The label that this one replaces; it is put away."
    )
    name = serializers.CharField(max_length=60)
    page_width = _mm()
    page_height = _mm()
    label_width = _mm()
    label_height = _mm()
    columns = serializers.IntegerField(required=False, default=1, min_value=1, max_value=20)
    rows = serializers.IntegerField(required=False, default=1, min_value=1, max_value=60)
    margin_left = _mm(required=False, default=Decimal())
    margin_top = _mm(required=False, default=Decimal())
    pitch_x = _mm(required=False, default=Decimal())
    pitch_y = _mm(required=False, default=Decimal())
    inset = _mm(required=False, default=Decimal("1.5"))
    symbol = _mm(help_text="Side of the symbol with its white edge.")
    symbols = serializers.ChoiceField(choices=Symbols.choices, required=False, default="qr")
    short = serializers.BooleanField(required=False, default=False, help_text="The code alone in the symbol.")
    shown = serializers.MultipleChoiceField(choices=list(CHOOSABLE), required=False, default=set[str](CHOOSABLE))
    dpi = serializers.ChoiceField(choices=RESOLUTIONS, required=False, default=300)

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustodyConfig(AppConfig):
    name = "custody"

    def ready(self) -> None:
        from core.accounts.subjects import register_subject as register
        from custody.keeping import keeps_key
        from ledger.models import StockTake, Weighing

        register(
            "stocktake",
            label=_("Stock-take"),
            url_name="custody:stocktake",
            known_to=StockTake.objects.visible_to,
            everything=StockTake.objects.all,
            add=keeps_key,
            prefix="SK",
        )
        register(
            "weighing",
            label=_("Weighing"),
            url_name="custody:weighing",
            known_to=Weighing.objects.visible_to,
            everything=Weighing.objects.all,
            prefix="WG",
        )

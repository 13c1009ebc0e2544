from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    name = "reports"

    def ready(self) -> None:
        from core.audit.services import register_verbs

        import_module("reports.tasks")
        register_verbs(
            {
                "statement.asked": _("Stock statement asked for"),
                "statement.published": _("Stock statement published"),
            }
        )

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    name = "reports"

    def ready(self) -> None:
        from core.accounts.subjects import register_subject
        from core.audit.services import register_verbs
        from reports.models import Statement

        import_module("reports.tasks")
        register_subject(
            "report",
            label=_("Stock statement"),
            url_name="reports:statement",
            known_to=lambda user: Statement.objects.visible_to(user),
            everything=lambda: Statement.objects.all(),
            prefix="ST",
        )
        register_verbs(
            {
                "statement.asked": _("Stock statement asked for"),
                "statement.published": _("Stock statement published"),
            }
        )

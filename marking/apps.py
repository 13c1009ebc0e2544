from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MarkingConfig(AppConfig):
    name = "marking"

    def ready(self) -> None:
        from core.audit.services import register_verbs

        import_module("marking.tasks")
        register_verbs(
            {
                "key.created": _("Signing key made"),
                "key.taken_into_use": _("Signing key taken into use"),
                "key.retired": _("Signing key retired"),
                "key.compromised": _("Signing key declared compromised"),
                "marks.issued": _("Marks issued"),
                "labels.ordered": _("Labels ordered"),
                "labels.printed": _("Labels ready to print"),
            }
        )

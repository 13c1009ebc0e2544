from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MarkingConfig(AppConfig):
    name = "marking"

    def ready(self) -> None:
        from core.accounts.subjects import register_subject
        from core.audit.services import register_verbs
        from marking.models import LabelRun, Mark

        import_module("marking.tasks")
        register_subject(
            "mark",
            label=_("Mark"),
            url_name="reports:item",
            known_to=lambda user: Mark.objects.visible_to(user),
            page_key="derivative_id",
        )
        register_subject(
            "label_run",
            label=_("Label run"),
            url_name="marking:label-run",
            known_to=lambda user: LabelRun.objects.visible_to(user),
        )
        register_verbs(
            {
                "key.created": _("Signing key made"),
                "key.taken_into_use": _("Signing key taken into use"),
                "key.retired": _("Signing key retired"),
                "key.compromised": _("Signing key declared compromised"),
                "marks.issued": _("Marks issued"),
                "snapshot.made": _("Snapshot for phones made"),
                "labels.ordered": _("Labels ordered"),
                "labels.printed": _("Labels ready to print"),
            }
        )

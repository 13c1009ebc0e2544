from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RegistryConfig(AppConfig):
    name = "registry"

    def ready(self) -> None:
        from core.audit.services import register_verbs
        from core.notices.services import register_notice_codes
        from core.rules.values import register_terms
        from registry.models import Term

        register_terms({term.value: term.label for term in Term})
        register_verbs(
            {
                "case.opened": _("Seizure case entered"),
                "intake.opened": _("Reception opened"),
                "intake.corrected": _("Reception corrected"),
                "intake.rows_corrected": _("Weighing corrected"),
                "intake.sheet_added": _("Rows added from a file"),
                "intake.photo_added": _("Photo added"),
                "intake.registered": _("Horns registered"),
                "intake.cancelled": _("Reception cancelled"),
                "season.opened": _("Season entered"),
                "season.permit_entered": _("Removal permit entered"),
                "season.brigade_entered": _("Brigade entered"),
            }
        )
        register_notice_codes(
            {
                "intake.horns_per_male": _(
                    "%(pieces)s horns from %(males)s males in reception %(number)s. Inspector: %(explanation)s"
                ),
            }
        )

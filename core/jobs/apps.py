from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    name = "core.jobs"
    label = "jobs"

    def ready(self) -> None:
        from core.accounts.subjects import register_subject
        from core.audit.services import register_verbs

        register_subject("job", label=_("Background work"))
        register_verbs(
            {
                "job.started": _("Background work started"),
                "job.finished": _("Background work ended"),
                "job.cancelled": _("Background work cancelled"),
            }
        )

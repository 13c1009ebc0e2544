from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DocumentsConfig(AppConfig):
    name = "core.documents"
    label = "documents"

    def ready(self) -> None:
        from core.accounts.subjects import register_subject
        from core.audit.services import register_verbs

        register_subject("document", label=_("Document"))
        register_verbs({"file.added": _("File added"), "file.withdrawn": _("File withdrawn")})

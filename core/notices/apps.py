from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NoticesConfig(AppConfig):
    name = "core.notices"
    label = "notices"

    def ready(self) -> None:
        from core.audit.services import register_verbs

        register_verbs({"notice.raised": _("Notice raised"), "notice.decided": _("Notice decided")})

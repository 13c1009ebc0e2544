from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NoticesConfig(AppConfig):
    name = "core.notices"
    label = "notices"

    def ready(self) -> None:
        from core.accounts.subjects import register_subject
        from core.audit.services import register_verbs
        from core.notices.models import Notice

        register_subject(
            "notice",
            label=_("Notice"),
            url_name="notices:notice",
            known_to=lambda user: Notice.objects.visible_to(user),
            add=lambda user, key: Notice.objects.decidable_by(user).filter(pk=key).exists(),
        )
        register_verbs({"notice.raised": _("Notice raised"), "notice.decided": _("Notice decided")})

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RulesConfig(AppConfig):
    name = "core.rules"
    label = "rules"

    def ready(self) -> None:
        from core.accounts.roles import Can
        from core.accounts.subjects import register_subject
        from core.audit.services import register_verbs
        from core.rules.models import Rule

        register_subject(
            "rule",
            label=_("Rule"),
            url_name="rules:rule",
            known_to=lambda user: Rule.objects.all() if user.can(Can.SEE_RULES) else Rule.objects.none(),
        )
        register_verbs(
            {
                "rule.basis_cited": _("Legal basis entered"),
                "rule.drafted": _("Rule drafted"),
                "rule.enacted": _("Rule put in force"),
                "rule.ended": _("Rule ended by a later one"),
                "rule.withdrawn": _("Draft of a rule withdrawn"),
            }
        )

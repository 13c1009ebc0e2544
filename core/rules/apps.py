from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RulesConfig(AppConfig):
    name = "core.rules"
    label = "rules"

    def ready(self) -> None:
        from core.audit.services import register_verbs

        register_verbs(
            {
                "rule.basis_cited": _("Legal basis entered"),
                "rule.drafted": _("Rule drafted"),
                "rule.enacted": _("Rule put in force"),
                "rule.ended": _("Rule ended by a later one"),
                "rule.withdrawn": _("Draft of a rule withdrawn"),
            }
        )

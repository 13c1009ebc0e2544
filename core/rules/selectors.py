"""Asking what is allowed on a day."""

from datetime import date

from django.utils.translation import gettext_lazy as _

from core.base.errors import DomainError
from core.rules.models import Rule, RuleCode


class NoRuleInForce(DomainError):
    """Nothing in force means no."""

    code = "no-rule-in-force"
    message = _("No rule in force allows this.")


def in_force(code: RuleCode, on: date, *, scope: str = "") -> Rule:
    """The one rule of this code and scope in force on the day; raises NoRuleInForce."""
    try:
        return Rule.objects.on(on).select_related("basis").get(code=code, scope=scope)
    except Rule.DoesNotExist:
        raise NoRuleInForce(
            _("No rule in force on %(day)s: %(rule)s.") % {"day": on.isoformat(), "rule": RuleCode(code).label}
        ) from None

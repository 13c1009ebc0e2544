"""Asking what is allowed on a day."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.base.clock import day_of
from core.base.errors import DomainError
from core.base.templatetags.fmt import day as in_words
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


def known_from(code: RuleCode) -> date | None:
    """The first day of the earliest rule of this code; None where none was put in force."""
    first: date | None = (
        Rule.objects.enacted().filter(code=code).order_by("starts_on").values_list("starts_on", flat=True).first()
    )
    return first


def refusal_of_sale(on: date) -> StrOrPromise:
    """Why nothing may be sold inside the country on the day: which rule, from when; empty when it may."""
    try:
        rule = in_force(RuleCode.DOMESTIC_SALE, on)
    except NoRuleInForce:
        return _("No rule in force on %(day)s allows a sale inside the country.") % {"day": in_words(on)}
    if rule.value["allowed"]:
        return ""
    return _("Sale inside the country is forbidden since %(day)s: %(basis)s.") % {
        "day": in_words(rule.starts_on),
        "basis": rule.basis.title,
    }


@dataclass(frozen=True)
class Story:
    """One kind of rule, for one scope: what is in force on the day asked about, and all periods, latest first."""

    code: RuleCode
    scope: str
    now: Rule | None
    periods: list[Rule]


def rule_stories(on: date) -> list[Story]:
    """Every kind of rule in the order of the law's own list, also those of which nothing is in force."""
    enacted = Rule.objects.enacted().select_related("basis", "drafted_by", "enacted_by").order_by("scope", "-starts_on")
    by_kind: dict[RuleCode, dict[str, list[Rule]]] = {code: {} for code in RuleCode}
    for rule in enacted:
        by_kind[RuleCode(rule.code)].setdefault(rule.scope, []).append(rule)
    return [
        Story(code, scope, next((rule for rule in periods if rule.covers(on)), None), periods)
        for code, scopes in by_kind.items()
        for scope, periods in (scopes or {"": []}).items()
    ]


def discrepancy_due_on(at: datetime) -> date:
    """The day by which a discrepancy told at this moment is explained and decided, by the rule of its day."""
    day = day_of(at)
    return day + timedelta(days=in_force(RuleCode.DISCREPANCY_DAYS, day).value["days"])

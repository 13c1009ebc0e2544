"""Changing what is allowed: one person drafts, another puts in force."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.accounts.independence import require_independent
from core.accounts.models import User
from core.audit.services import record
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed
from core.rules.models import LegalBasis, Rule, RuleCode
from core.rules.values import check_scope, check_value


class SecondPersonNeeded(NotAllowed):
    """Who drafted a rule does not put it in force."""

    code = "second-person-needed"
    message = _("Another person puts this rule in force, not the one who drafted it.")


class PeriodTaken(DomainError):
    """A rule of the same kind is in force or enacted for some of these days."""

    code = "period-taken"
    message = _("Another rule of this kind covers some of these days. Draft this one for other days.")


@transaction.atomic
def cite_basis(
    *,
    actor: User,
    at: datetime,
    title_kk: str,
    title_ru: str,
    title_en: str,
    number: str = "",
    issued_on: date | None = None,
    url: str = "",
    is_confirmed: bool = True,
) -> LegalBasis:
    """Enter a law, order or decision that rules can rest on. It is never edited: a better text is another row."""
    basis = LegalBasis.objects.create(
        title_kk=title_kk,
        title_ru=title_ru,
        title_en=title_en,
        number=number,
        issued_on=issued_on,
        url=url,
        is_confirmed=is_confirmed,
    )
    record("rule.basis_cited", actor=actor, at=at, subject=("rule", f"basis:{basis.pk}"), number=number, title=title_kk)
    return basis


@transaction.atomic
def draft_rule(
    *,
    actor: User,
    at: datetime,
    code: RuleCode,
    value: Mapping[str, Any],
    starts_on: date,
    ends_on: date | None,
    basis: LegalBasis,
    scope: str = "",
) -> Rule:
    """Write down a rule that another person may put in force; nothing is allowed or forbidden by it yet.

    Raises BadInput for a value that is not of this rule's shape, or a period that ends before it starts.
    """
    if ends_on is not None and ends_on < starts_on:
        raise BadInput(fields={"ends_on": _("The last day is before the first.")})
    rule = Rule.objects.create(
        code=code,
        scope=check_scope(code, scope),
        value=check_value(code, value),
        starts_on=starts_on,
        ends_on=ends_on,
        basis=basis,
        drafted_by=actor,
        drafted_at=at,
    )
    _record("rule.drafted", rule, actor=actor, at=at)
    return rule


@transaction.atomic
def enact_rule(*, actor: User, at: datetime, rule: Rule) -> Rule:
    """Put a draft in force. A rule of the same kind that runs without an end ends the day before this one starts.

    Raises SecondPersonNeeded, PeriodTaken, InvalidTransition.
    """
    # All rules of the kind are locked in the order of their keys: two drafts for the same days cannot both pass.
    same = list(
        Rule.objects.select_for_update(of=("self",))
        .filter(code=rule.code, scope=rule.scope)
        .order_by("pk")
        .select_related("basis")
    )
    rule = next(other for other in same if other.pk == rule.pk)
    if not rule.is_draft:
        raise InvalidTransition
    if rule.drafted_by_id == actor.pk:
        raise SecondPersonNeeded
    require_independent(actor, rule.drafted_by_id, at=at)
    for other in same:
        if other.enacted_at is None or other.pk == rule.pk:
            continue
        if other.ends_on is None and other.starts_on < rule.starts_on:
            other.ends_on = rule.starts_on - timedelta(days=1)
            other.save(update_fields=["ends_on"])
            _record("rule.ended", other, actor=actor, at=at)
        elif _overlap(rule, other):
            raise PeriodTaken
    rule.enacted_by, rule.enacted_at = actor, at
    rule.save(update_fields=["enacted_by", "enacted_at"])
    _record("rule.enacted", rule, actor=actor, at=at)
    return rule


@transaction.atomic
def withdraw_rule(*, actor: User, at: datetime, rule: Rule) -> Rule:
    """Give up a draft, for good. Raises InvalidTransition when it is in force or given up already."""
    draft = Q(pk=rule.pk, enacted_at=None, withdrawn_at=None)
    # Update-where: it cannot be withdrawn and put in force at once.
    if not Rule.objects.filter(draft).update(withdrawn_by=actor, withdrawn_at=at):
        raise InvalidTransition
    rule.refresh_from_db()
    _record("rule.withdrawn", rule, actor=actor, at=at)
    return rule


def _overlap(one: Rule, other: Rule) -> bool:
    starts_before_end = one.ends_on is None or other.starts_on <= one.ends_on
    ends_after_start = other.ends_on is None or one.starts_on <= other.ends_on
    return starts_before_end and ends_after_start


def _record(verb: str, rule: Rule, *, actor: User, at: datetime) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=("rule", rule.pk),
        subject_name=str(rule)[:120],
        code=rule.code,
        scope=rule.scope,
        value=rule.value,
        starts_on=rule.starts_on.isoformat(),
        ends_on=rule.ends_on.isoformat() if rule.ends_on else None,
    )

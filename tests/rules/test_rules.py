"""Rules: what was in force when, how two persons change it, and a database that keeps it so."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import Error, transaction
from django.utils import translation

from core.accounts.models import User
from core.audit.models import Event
from core.base.errors import BadInput, InvalidTransition
from core.rules.models import LegalBasis, Rule, RuleCode
from core.rules.selectors import NoRuleInForce, in_force, rule_stories
from core.rules.services import (
    PeriodTaken,
    SecondPersonNeeded,
    cite_basis,
    draft_rule,
    enact_rule,
    withdraw_rule,
)
from core.rules.values import PARTS, TERM_WORDS, in_words

pytestmark = pytest.mark.django_db

NEXT_YEAR = date(2027, 1, 1)


@pytest.fixture
def basis(authority_officer: User, now: datetime) -> LegalBasis:
    return cite_basis(
        actor=authority_officer,
        at=now,
        title_kk="Бұйрық",
        title_ru="Приказ",
        title_en="Order",
        number="12",
        issued_on=date(2025, 11, 1),
    )


@pytest.fixture
def draft(authority_officer: User, basis: LegalBasis, now: datetime) -> Callable[..., Rule]:
    """Draft a rule; domestic sale allowed from 2027 unless said otherwise."""

    def make(**facts: Any) -> Rule:
        given: dict[str, Any] = {
            "code": RuleCode.DOMESTIC_SALE,
            "value": {"allowed": True},
            "starts_on": NEXT_YEAR,
            "ends_on": None,
            "basis": basis,
        }
        return draft_rule(actor=authority_officer, at=now, **(given | facts))

    return make


# What is known from the start


@pytest.mark.parametrize(
    ("code", "scope", "on", "value"),
    [
        (RuleCode.MARKING_COMPULSORY, "", date(2023, 3, 1), {"terms": []}),
        (RuleCode.MARKING_COMPULSORY, "", date(2025, 11, 30), {"terms": []}),
        (RuleCode.MARKING_COMPULSORY, "", date(2025, 12, 1), {"terms": ["HOR"]}),
        (RuleCode.HORN_MASS_BAND, "", date(2025, 7, 1), {"min_g": 50, "max_g": 400}),
        (RuleCode.HORN_PER_MALE, "", date(2025, 7, 1), {"max": 2}),
        (RuleCode.EXPORT_QUOTA, "HOR", date(2019, 11, 26), {"grams": 0}),
        (RuleCode.EXPORT_QUOTA, "HOR", date(2026, 3, 4), {"grams": 0}),
        (RuleCode.EXPORT_QUOTA, "HOR", date(2026, 3, 5), {"grams": 10_000_000}),
        (RuleCode.EXPORT_QUOTA, "HOR", date(2029, 3, 4), {"grams": 10_000_000}),
        (RuleCode.EXPORT_QUOTA, "HOR", date(2029, 3, 5), {"grams": 0}),
        (RuleCode.MRP, "", date(2024, 6, 1), {"tenge": 3692}),
        (RuleCode.MRP, "", date(2025, 6, 1), {"tenge": 3932}),
        (RuleCode.MRP, "", date(2026, 12, 31), {"tenge": 4325}),
        (RuleCode.STATE_TRANSFER, "", date(2025, 7, 1), {"allowed": True}),
    ],
)
def test_the_known_rules_are_loaded(code: RuleCode, scope: str, on: date, value: dict[str, Any]) -> None:
    assert in_force(code, on, scope=scope).value == value


@pytest.mark.parametrize(
    ("code", "scope", "on"),
    [
        (RuleCode.DOMESTIC_SALE, "", date(2026, 6, 1)),
        (RuleCode.EXPORT_QUOTA, "MEA", date(2026, 6, 1)),
        (RuleCode.EXPORT_QUOTA, "HOR", date(2019, 11, 25)),
        (RuleCode.MRP, "", date(2027, 1, 1)),
        (RuleCode.MARKING_COMPULSORY, "", date(2023, 2, 28)),
    ],
)
def test_nothing_in_force_means_no(code: RuleCode, scope: str, on: date) -> None:
    with pytest.raises(NoRuleInForce):
        in_force(code, on, scope=scope)


def test_what_is_not_known_from_the_text_itself_is_marked_so() -> None:
    unconfirmed = {(rule.code, rule.starts_on.year) for rule in Rule.objects.filter(basis__is_confirmed=False)}

    assert unconfirmed >= {("export.quota", 2026), ("export.quota", 2029), ("custody.state_transfer", 2023)}
    assert not unconfirmed & {("export.quota", 2019), ("mrp", 2024), ("mrp", 2026), ("marking.compulsory", 2025)}


def test_every_loaded_rule_has_the_shape_of_its_kind_and_can_be_said_in_three_languages() -> None:
    for rule in Rule.objects.all():
        assert rule.value.keys() == {part.key for part in PARTS[RuleCode(rule.code)]}
        for language in ("kk", "ru", "en"):
            with translation.override(language):
                assert in_words(rule)


def test_rules_are_said_as_one_would_say_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TERM_WORDS, "HOR", "horn")

    with translation.override("en"):
        said = [
            in_words(in_force(RuleCode.EXPORT_QUOTA, date(2026, 6, 1), scope="HOR")).replace("\xa0", " "),
            in_words(in_force(RuleCode.MARKING_COMPULSORY, date(2026, 6, 1))),
            in_words(in_force(RuleCode.MARKING_COMPULSORY, date(2024, 6, 1))),
            in_words(in_force(RuleCode.HORN_PER_MALE, date(2026, 6, 1))),
        ]

    assert said[0].replace(",", " ") == "10 000 kg a year"
    assert said[1:] == ["Compulsory for: horn", "Voluntary", "At most 2 horns per male"]


def test_the_story_of_rules_names_every_kind_also_where_nothing_is_in_force() -> None:
    stories = {(story.code, story.scope): story for story in rule_stories(date(2026, 6, 1))}

    assert {code for code, _scope in stories} == set(RuleCode)
    assert stories[RuleCode.DOMESTIC_SALE, ""].now is None
    quota = stories[RuleCode.EXPORT_QUOTA, "HOR"]
    assert [rule.starts_on.year for rule in quota.periods] == [2029, 2026, 2019]
    assert quota.now == quota.periods[1]


# Two persons


def test_a_draft_changes_nothing(draft: Callable[..., Rule]) -> None:
    rule = draft()

    assert rule.is_draft
    with pytest.raises(NoRuleInForce):
        in_force(RuleCode.DOMESTIC_SALE, NEXT_YEAR)


def test_a_second_person_puts_it_in_force(draft: Callable[..., Rule], authority_head: User, now: datetime) -> None:
    rule = enact_rule(actor=authority_head, at=now, rule=draft())

    assert in_force(RuleCode.DOMESTIC_SALE, NEXT_YEAR) == rule
    with pytest.raises(NoRuleInForce):
        in_force(RuleCode.DOMESTIC_SALE, NEXT_YEAR - timedelta(days=1))
    verbs = Event.objects.about(("rule", rule.pk)).order_by("pk").values_list("verb", "actor_id")
    assert list(verbs) == [("rule.drafted", rule.drafted_by_id), ("rule.enacted", authority_head.pk)]


def test_whoever_drafted_it_does_not(draft: Callable[..., Rule], authority_officer: User, now: datetime) -> None:
    rule = draft()

    with pytest.raises(SecondPersonNeeded):
        enact_rule(actor=authority_officer, at=now, rule=rule)

    rule.refresh_from_db()
    assert rule.is_draft


def test_an_open_period_ends_the_day_before_the_next_begins(
    draft: Callable[..., Rule], authority_head: User, now: datetime
) -> None:
    before = in_force(RuleCode.HORN_PER_MALE, date(2026, 1, 1))

    after = enact_rule(
        actor=authority_head, at=now, rule=draft(code=RuleCode.HORN_PER_MALE, value={"max": 3}, starts_on=NEXT_YEAR)
    )

    before.refresh_from_db()
    assert before.ends_on == date(2026, 12, 31)
    assert in_force(RuleCode.HORN_PER_MALE, date(2026, 12, 31)) == before
    assert in_force(RuleCode.HORN_PER_MALE, NEXT_YEAR) == after
    assert Event.objects.filter(verb="rule.ended", subject_id=str(before.pk)).exists()


def test_a_period_with_an_end_is_not_cut(draft: Callable[..., Rule], authority_head: User, now: datetime) -> None:
    rule = draft(code=RuleCode.MRP, value={"tenge": 5000}, starts_on=date(2026, 6, 1))

    with pytest.raises(PeriodTaken):
        enact_rule(actor=authority_head, at=now, rule=rule)

    assert in_force(RuleCode.MRP, date(2026, 6, 1)).value == {"tenge": 4325}


def test_a_rule_before_one_already_enacted_must_end_before_it(
    draft: Callable[..., Rule], authority_head: User, now: datetime
) -> None:
    enact_rule(actor=authority_head, at=now, rule=draft(starts_on=date(2028, 1, 1)))
    open_ended, closed = draft(starts_on=NEXT_YEAR), draft(starts_on=NEXT_YEAR, ends_on=date(2027, 12, 31))

    with pytest.raises(PeriodTaken):
        enact_rule(actor=authority_head, at=now, rule=open_ended)
    enact_rule(actor=authority_head, at=now, rule=closed)

    assert in_force(RuleCode.DOMESTIC_SALE, date(2027, 12, 31)) == closed


def test_quotas_of_two_terms_do_not_touch_each_other(
    draft: Callable[..., Rule], authority_head: User, now: datetime
) -> None:
    enact_rule(
        actor=authority_head,
        at=now,
        rule=draft(code=RuleCode.EXPORT_QUOTA, scope="MEA", value={"grams": 5}, starts_on=date(2026, 3, 5)),
    )

    assert in_force(RuleCode.EXPORT_QUOTA, date(2026, 6, 1), scope="HOR").value == {"grams": 10_000_000}


def test_a_draft_is_decided_once(draft: Callable[..., Rule], authority_head: User, now: datetime) -> None:
    enacted, withdrawn = draft(), draft()
    enact_rule(actor=authority_head, at=now, rule=enacted)
    withdraw_rule(actor=authority_head, at=now, rule=withdrawn)

    for act in (enact_rule, withdraw_rule):
        for rule in (enacted, withdrawn):
            with pytest.raises(InvalidTransition):
                act(actor=authority_head, at=now, rule=rule)


@pytest.mark.parametrize(
    ("facts", "fields"),
    [
        ({"value": {}}, {"allowed"}),
        ({"value": {"allowed": "yes"}}, {"allowed"}),
        ({"code": RuleCode.HORN_MASS_BAND, "value": {"min_g": 400, "max_g": 50}}, {"max_g"}),
        ({"code": RuleCode.HORN_MASS_BAND, "value": {"min_g": 1.5, "max_g": None}}, {"min_g", "max_g"}),
        ({"code": RuleCode.HORN_PER_MALE, "value": {"max": True}}, {"max"}),
        ({"code": RuleCode.MARKING_COMPULSORY, "value": {"terms": ["horn"]}}, {"terms"}),
        ({"code": RuleCode.EXPORT_QUOTA, "value": {"grams": 1}}, {"scope"}),
        ({"code": RuleCode.EXPORT_QUOTA, "scope": "HOR", "value": {"grams": -1}}, {"grams"}),
        ({"scope": "HOR"}, {"scope"}),
        ({"ends_on": NEXT_YEAR - timedelta(days=1)}, {"ends_on"}),
    ],
)
def test_a_value_of_another_shape_is_refused(
    draft: Callable[..., Rule], facts: dict[str, Any], fields: set[str]
) -> None:
    with pytest.raises(BadInput) as caught:
        draft(**facts)

    assert set(caught.value.fields) == fields
    assert not Rule.objects.drafts().exists()


def test_what_is_beside_the_value_is_not_kept(draft: Callable[..., Rule]) -> None:
    assert draft(value={"allowed": True, "also": "this"}).value == {"allowed": True}


# Around the services


def refused(rows: Any, **change: object) -> None:
    before = list(rows.values())
    with pytest.raises(Error), transaction.atomic():
        rows.update(**change)
    assert list(rows.values()) == before


def test_the_database_wants_two_persons(
    draft: Callable[..., Rule], authority_officer: User, authority_head: User, now: datetime
) -> None:
    rows = Rule.objects.filter(pk=draft().pk)

    refused(rows, enacted_by=authority_officer, enacted_at=now)
    refused(rows, enacted_by=authority_head)
    refused(rows, enacted_at=now)


def test_the_database_lets_nobody_rewrite_a_rule(
    draft: Callable[..., Rule], authority_head: User, second_officer: User, now: datetime
) -> None:
    rule = enact_rule(actor=authority_head, at=now, rule=draft(ends_on=date(2027, 12, 31)))
    rows = Rule.objects.filter(pk=rule.pk)

    refused(rows, value={"allowed": False})
    refused(rows, starts_on=date(2020, 1, 1))
    refused(rows, ends_on=date(2030, 1, 1))
    refused(rows, code="mrp")
    refused(rows, drafted_by=second_officer)
    refused(rows, enacted_by=second_officer)
    refused(rows, enacted_at=None, enacted_by=None)
    refused(LegalBasis.objects.all(), is_confirmed=True)
    for model in (Rule, LegalBasis):
        with pytest.raises(Error), transaction.atomic():
            model._default_manager.all()._raw_delete(using="default")


def test_the_database_keeps_periods_apart(draft: Callable[..., Rule], authority_head: User, now: datetime) -> None:
    overlapping = draft(code=RuleCode.MRP, value={"tenge": 1}, starts_on=date(2026, 12, 31))

    refused(Rule.objects.filter(pk=overlapping.pk), enacted_by=authority_head, enacted_at=now)


def test_a_withdrawn_draft_stays_withdrawn(draft: Callable[..., Rule], authority_head: User, now: datetime) -> None:
    rule = withdraw_rule(actor=authority_head, at=now, rule=draft())

    refused(Rule.objects.filter(pk=rule.pk), withdrawn_at=None, withdrawn_by=None)
    refused(Rule.objects.filter(pk=rule.pk), enacted_at=now, enacted_by=authority_head)

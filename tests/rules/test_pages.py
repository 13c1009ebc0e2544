"""The pages of rules: who sees, who drafts, who signs."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core.accounts.models import User
from core.rules.models import LegalBasis, Rule, RuleCode
from core.rules.selectors import in_force
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db


def as_person(person: User) -> Client:
    client = Client()
    client.force_login(person)
    client.cookies["django_language"] = "en"
    return client


def draft(client: Client, code: str = "sale.domestic", **fields: Any) -> Any:
    basis = LegalBasis.objects.order_by("pk").values_list("pk", flat=True)[0]
    given = {"allowed": "yes", "starts_on": "2027-01-01", "ends_on": "", "basis": basis} | fields
    return client.post(reverse("rules:draft", args=[code]), given)


@pytest.mark.parametrize(
    ("who", "page", "status"),
    [
        ("inspector", "rules", 200),
        ("trader", "rules", 200),
        ("stranger", "rules", 403),
        ("authority_officer", "draft", 200),
        ("authority_head", "draft", 403),
        ("trader", "draft", 403),
        ("authority_officer", "cite", 200),
        ("auditor", "cite", 403),
    ],
)
def test_each_role_on_each_page(request: pytest.FixtureRequest, who: str, page: str, status: int) -> None:
    arguments = ["sale.domestic"] if page == "draft" else []

    answer = as_person(request.getfixturevalue(who)).get(reverse(f"rules:{page}", args=arguments))

    assert answer.status_code == status


def test_the_page_of_rules_answers_for_any_day(auditor: User, django_assert_max_num_queries: Any) -> None:
    client = as_person(auditor)

    def on(day: str) -> dict[str, Rule | None]:
        stories = client.get(reverse("rules:rules"), {"on": day}).context["stories"]
        return {story.code.value: story.now for story in stories}

    assert (quota := on("2026-03-05")["export.quota"]) is not None
    assert quota.value == {"grams": 10_000_000}
    assert on("2010-01-01")["mrp"] is None
    assert client.get(reverse("rules:rules"), {"on": "some day"}).status_code == 200
    with django_assert_max_num_queries(10):
        client.get(reverse("rules:rules"))


@pytest.mark.parametrize("code", RuleCode.values)
def test_there_is_a_form_for_every_kind_of_rule(authority_officer: User, code: str) -> None:
    assert as_person(authority_officer).get(reverse("rules:draft", args=[code])).status_code == 200


@pytest.mark.parametrize(
    ("code", "fields", "value"),
    [
        ("sale.domestic", {"allowed": "no"}, {"allowed": False}),
        ("export.quota", {"scope": "MEA", "grams": "1 250,5"}, {"grams": 1_250_500}),
        ("marking.compulsory", {"terms": "HOR, MEA"}, {"terms": ["HOR", "MEA"]}),
        ("marking.compulsory", {"terms": ""}, {"terms": []}),
        ("horn.mass_band", {"min_g": "40", "max_g": "450"}, {"min_g": 40, "max_g": 450}),
        ("mrp", {"tenge": "4600"}, {"tenge": 4600}),
    ],
)
def test_a_draft_keeps_what_was_typed(
    authority_officer: User, code: str, fields: dict[str, str], value: dict[str, Any]
) -> None:
    answer = draft(as_person(authority_officer), code, **fields)

    rule = Rule.objects.drafts().get()
    assert (answer.status_code, rule.value, rule.starts_on) == (302, value, date(2027, 1, 1))


def test_the_head_sees_what_changes_and_signs(authority_officer: User, authority_head: User) -> None:
    draft(as_person(authority_officer), "horn.per_male", max="3")
    rule = Rule.objects.drafts().get()
    head, address = as_person(authority_head), reverse("rules:rule", args=[rule.pk])

    page = head.get(address).content.decode()
    assert "At most 2 horns per male" in page
    assert "At most 3 horns per male" in page

    refused = head.post(address, {"password": "not mine"})
    assert refused.context["form"].errors.keys() == {"password"}
    assert Rule.objects.drafts().exists()

    signed = head.post(address, {"password": PASSWORD})
    assert signed.status_code == 302
    assert in_force(RuleCode.HORN_PER_MALE, date(2027, 1, 1)) == rule


def test_guessing_a_signature_is_stopped(authority_officer: User, authority_head: User) -> None:
    draft(as_person(authority_officer))
    rule = Rule.objects.drafts().get()
    head, address = as_person(authority_head), reverse("rules:rule", args=[rule.pk])

    for _ in range(5):
        head.post(address, {"password": "not mine"})
    head.post(address, {"password": PASSWORD})

    assert Rule.objects.drafts().exists()


def test_an_officer_cannot_sign_even_by_sending_the_form(authority_officer: User, second_officer: User) -> None:
    draft(as_person(authority_officer))
    rule = Rule.objects.drafts().get()

    for person in (authority_officer, second_officer):
        as_person(person).post(reverse("rules:rule", args=[rule.pk]), {"password": PASSWORD})

    assert Rule.objects.drafts().exists()


def test_a_draft_is_withdrawn_by_its_author_or_the_head(
    authority_officer: User, second_officer: User, authority_head: User
) -> None:
    for _ in range(2):
        draft(as_person(authority_officer))
    first, second = Rule.objects.drafts().order_by("pk")

    foreign = as_person(second_officer).post(reverse("rules:withdraw", args=[first.pk]))
    own = as_person(authority_officer).post(reverse("rules:withdraw", args=[first.pk]))
    by_head = as_person(authority_head).post(reverse("rules:withdraw", args=[second.pk]))

    assert (foreign.status_code, own.status_code, by_head.status_code) == (404, 302, 302)
    assert not Rule.objects.drafts().exists()


def test_a_legal_basis_is_entered(authority_officer: User) -> None:
    titles = {"title_kk": "Бұйрық", "title_ru": "Приказ", "title_en": "Order"}

    as_person(authority_officer).post(reverse("rules:cite"), {**titles, "number": "7", "is_confirmed": "on"})

    assert LegalBasis.objects.filter(number="7", is_confirmed=True).exists()

"""The frame: Kazakh first, other languages by one click, error pages that need nothing to work."""

import re
from datetime import datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation

from config.navigation import MENUS, entries_for
from core.accounts.models import Organisation, User
from core.accounts.roles import GRANTS, Can, Role
from core.base.context import LANGUAGES
from tests.cast import give_role

FAULTS = ["400.html", "403.html", "403_csrf.html", "404.html", "409.html", "413.html", "429.html", "500.html"]


@pytest.mark.django_db
@pytest.mark.parametrize("wanted", ["en-GB,en;q=0.9", "ru", ""])
def test_the_door_speaks_kazakh_whatever_the_browser_prefers(client: Client, wanted: str) -> None:
    response = client.get(reverse("account_login"), headers={"accept-language": wanted})

    assert response.headers["Content-Language"] == "kk"
    assert '<html lang="kk"' in response.text


@pytest.mark.django_db
@pytest.mark.parametrize("language", [language.code for language in LANGUAGES])
def test_a_language_is_one_click_away_and_the_page_stays(client: Client, language: str) -> None:
    here = f"{reverse('account_login')}?next=/stock/"
    page = client.get(here).text
    assert f'name="language" value="{language}" lang="{language}"' in page
    assert f'name="next" value="{here}"' in page

    answer = client.post(reverse("set_language"), {"language": language, "next": here})

    assert answer.headers["Location"] == here
    assert f'<html lang="{language}"' in client.get(here).text


@pytest.mark.django_db
def test_a_chosen_darkness_is_drawn_by_the_server_and_a_strange_one_is_not(client: Client) -> None:
    client.cookies["theme"] = "dark"
    assert 'data-bs-theme="dark"' in client.get(reverse("account_login")).text

    client.cookies["theme"] = '"><script>'
    assert "data-bs-theme" not in client.get(reverse("account_login")).text


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
@pytest.mark.parametrize("template", FAULTS)
def test_a_fault_is_told_without_database_or_session(template: str, language: str) -> None:
    request = RequestFactory().get("/nowhere/")
    request.user = AnonymousUser()

    with translation.override(language):
        page = render_to_string(template, {}, request)
        bare = render_to_string(template)

    for html in (page, bare):
        assert f'<html lang="{language}"' in html
        assert re.search(r"<h1>\S", html)
        assert 'href="/"' in html


@pytest.mark.django_db
def test_a_wrong_address_is_answered_in_our_frame(client: Client) -> None:
    response = client.get("/there-is-no-such-page/")

    assert response.status_code == 404
    assert "css/theme.css" in response.text


@pytest.mark.django_db
def test_pages_run_no_script_and_no_style_but_ours(client: Client) -> None:
    response = client.get(reverse("account_login"))

    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy.replace("'wasm-unsafe-eval'", "")
    assert not re.search(r"(src|href)=\"(https?:)?//", response.text)


@pytest.mark.parametrize("role", list(Role), ids=str)
def test_each_role_has_a_short_menu_of_pages_that_exist(role: Role) -> None:
    menu = MENUS[role]

    assert 4 <= len(menu) <= 8
    assert len({entry.url_name for entry in menu}) == len(menu)
    for line in menu:
        for page in getattr(line, "pages", (line,)):
            assert reverse(page.url_name).startswith("/")


@pytest.mark.parametrize("role", [role for role in Role if Can.PRINT_LABELS in GRANTS[role]], ids=str)
def test_whoever_prints_labels_finds_them_in_the_menu(role: Role) -> None:
    names = [page.url_name for line in MENUS[role] for page in getattr(line, "pages", (line,))]

    assert "marking:label-runs" in names


@pytest.mark.parametrize("first", ["inspector", "auditor"])
def test_two_roles_share_one_menu_without_repeats(
    request: pytest.FixtureRequest, administrator: User, inspectorate: Organisation, now: datetime, first: str
) -> None:
    person = request.getfixturevalue(first)
    give_role(person, Role.STOREKEEPER, inspectorate, by=administrator, at=now)

    lines = entries_for(User.objects.get(pk=person.pk))
    names = [page.url_name for line in lines for page in getattr(line, "pages", (line,))]

    assert len(names) == len(set(names))
    assert {"marking:label-runs", "reports:statements"} <= set(names)


def test_who_has_no_role_is_told_whom_to_ask(client: Client, stranger: User) -> None:
    client.force_login(stranger)
    client.cookies["django_language"] = "en"

    page = client.get(reverse("account_change_password")).text

    assert "You have no role yet." in page
    assert [entry.url_name for entry in entries_for(stranger)] == ["reports:home"]

"""Signing in: by name or e-mail, in one's own language, not too often; signing up is closed."""

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from core.accounts.models import User
from core.accounts.roles import Role
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db

SIGN_IN = "/accounts/login/"


def sign_in(client: Client, login: str, password: str = PASSWORD) -> int:
    return client.post(SIGN_IN, {"login": login, "password": password}).status_code


@pytest.mark.parametrize("login", ["inspector", "inspector@example.kz"])
def test_it_takes_the_user_name_and_the_email(client: Client, inspector: User, login: str) -> None:
    assert sign_in(client, login) == 302
    assert client.get(reverse("accounts:tokens")).status_code == 200


def test_it_brings_back_to_the_page_that_was_asked_for(client: Client, inspector: User) -> None:
    answer = client.post(f"{SIGN_IN}?next=/tokens/", {"login": "inspector", "password": PASSWORD})

    assert answer["Location"] == "/tokens/"


def test_it_does_not_bring_to_a_foreign_page(client: Client, inspector: User) -> None:
    answer = client.post(f"{SIGN_IN}?next=https://evil.example/", {"login": "inspector", "password": PASSWORD})

    assert "evil" not in answer["Location"]


def test_nobody_signs_up(client: Client) -> None:
    answer = client.post(
        "/accounts/signup/", {"username": "new", "email": "", "password1": PASSWORD, "password2": PASSWORD}
    )

    assert answer.status_code in (200, 403)
    assert not User.objects.exists()


def test_a_closed_account_does_not_sign_in(client: Client, inspector: User) -> None:
    User.objects.filter(pk=inspector.pk).update(is_active=False)

    sign_in(client, "inspector")

    assert client.get(reverse("accounts:tokens")).status_code == 302


def test_guessing_is_stopped_and_the_right_password_does_not_help_then(client: Client, inspector: User) -> None:
    for _ in range(6):
        sign_in(client, "inspector", "wrong password")

    sign_in(client, "inspector")

    assert client.get(reverse("accounts:tokens")).status_code == 302


def test_it_goes_on_in_the_persons_own_language(client: Client, inspector: User) -> None:
    User.objects.filter(pk=inspector.pk).update(language="ru")

    sign_in(client, "inspector")

    assert client.cookies["django_language"].value == "ru"


def test_switching_the_language_is_remembered_for_the_next_sign_in(client: Client, inspector: User) -> None:
    client.force_login(inspector)

    answer = client.post(reverse("set_language"), {"language": "ru", "next": "/tokens/"})

    inspector.refresh_from_db()
    assert (answer["Location"], inspector.language) == ("/tokens/", "ru")
    assert client.cookies["django_language"].value == "ru"


@pytest.mark.parametrize("language", ["de", "", "kk'--"])
def test_a_language_of_no_one_is_not_remembered(client: Client, inspector: User, language: str) -> None:
    client.force_login(inspector)

    client.post(reverse("set_language"), {"language": language, "next": "/"})

    inspector.refresh_from_db()
    assert inspector.language == "en"


def test_a_visitor_switches_without_an_account(client: Client) -> None:
    client.post(reverse("set_language"), {"language": "en", "next": "/"})

    assert client.cookies["django_language"].value == "en"


def test_the_first_two_administrators_are_set_up_and_no_third(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    monkeypatch.setattr("core.accounts.management.commands.create_administrator.getpass", lambda prompt: PASSWORD)
    names = {"last_name": "Ахметов", "first_name": "Ерлан", "bin": "960240000124", "name_kk": "Комитет"}

    call_command("create_administrator", "chief", **names)

    chief = User.objects.get(username="chief")
    assert chief.roles == {Role.ADMINISTRATOR}
    assert sign_in(client, "chief") == 302

    call_command("create_administrator", "second", **names)

    assert User.objects.get(username="second").roles == {Role.ADMINISTRATOR}
    with pytest.raises(CommandError):
        call_command("create_administrator", "third", **names)
    assert User.objects.count() == 2

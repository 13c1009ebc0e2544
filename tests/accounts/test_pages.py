"""The pages of people, organisations and keys, through the browser's door."""

import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from core.accounts.doors import SignedInRequest, requires
from core.accounts.models import ApiToken, Appointment, Organisation, User
from core.accounts.roles import Can, Role
from core.accounts.services import create_token
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db

MANAGERS_PAGES = ["people", "add-person", "organisations", "add-organisation"]


@pytest.fixture
def admin_client(client: Client, administrator: User) -> Client:
    client.force_login(administrator)
    client.cookies["django_language"] = "en"
    return client


@requires(Can.OPEN_INTAKE)
def for_inspectors(request: SignedInRequest) -> HttpResponseBase:
    return HttpResponse(request.user.username)


def asked_by(user: object, method: str = "get") -> HttpRequest:
    request: HttpRequest = getattr(RequestFactory(), method)("/intakes/?x=1")
    request.user = user  # type: ignore[assignment]
    return request


def test_a_door_lets_in_whom_it_is_for(inspector: User) -> None:
    assert for_inspectors(asked_by(inspector)).status_code == 200


def test_a_door_refuses_others_who_are_signed_in(trader: User, stranger: User) -> None:
    for person in (trader, stranger):
        with pytest.raises(PermissionDenied):
            for_inspectors(asked_by(person))


def test_a_door_sends_the_unknown_to_sign_in_and_back() -> None:
    from django.contrib.auth.models import AnonymousUser

    assert for_inspectors(asked_by(AnonymousUser()))["Location"] == "/accounts/login/?next=%2Fintakes%2F%3Fx%3D1"
    assert for_inspectors(asked_by(AnonymousUser(), "post"))["Location"] == "/accounts/login/"


def test_a_door_turns_the_whole_page_for_a_fragment_asked_too_late(client: Client) -> None:
    answer = client.get(
        reverse("jobs:job", args=["7d0c3b0e-4b7e-4d8e-9f6b-3f6f4f0a2b11"]), headers={"HX-Request": "true"}
    )

    assert answer["HX-Redirect"] == "/accounts/login/"


def test_flags_of_the_library_give_nothing(client: Client, stranger: User) -> None:
    User.objects.filter(pk=stranger.pk).update(is_superuser=True, is_staff=True)
    stranger.user_permissions.set(Permission.objects.all())
    client.force_login(stranger)

    assert client.get(reverse("accounts:people")).status_code == 403
    assert client.get("/admin/").status_code in (302, 403)
    assert client.get("/admin/accounts/user/").status_code in (302, 403)


@pytest.mark.parametrize("name", MANAGERS_PAGES)
def test_only_administrators_manage_people(
    client: Client, administrator: User, inspector: User, authority_head: User, auditor: User, name: str
) -> None:
    seen = {}
    for person in (administrator, inspector, authority_head, auditor):
        client.force_login(person)
        seen[person.username] = client.get(reverse(f"accounts:{name}")).status_code
    client.logout()

    assert seen == {"administrator": 200, "inspector": 403, "authority_head": 403, "auditor": 403}
    assert client.get(reverse(f"accounts:{name}")).status_code == 302


def test_lists_cost_a_steady_number_of_queries(
    admin_client: Client, inspector: User, trader: User, auditor: User, django_assert_max_num_queries: object
) -> None:
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        page = admin_client.get(reverse("accounts:people")).content.decode()

    assert "Сәрсенова Айгүл" in page
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        admin_client.get(reverse("accounts:organisations"))


def test_people_are_found_by_words_role_and_organisation(
    admin_client: Client, inspector: User, trader: User, trader_company: Organisation
) -> None:
    def found(**query: str | int) -> list[User]:
        return list(admin_client.get(reverse("accounts:people"), query).context["page"])

    assert found(q="айгүл сәрс") == [inspector]
    assert found(role="trader") == [trader]
    assert found(organisation=trader_company.pk) == [trader]
    assert found(q="nobody at all") == []


def test_it_opens_an_account_two_give_the_role_and_the_person_comes_in_by_the_link(
    admin_client: Client, authority_head: User, inspectorate: Organisation
) -> None:
    details = {
        "last_name": "Жаңа",
        "first_name": "Қызметкер",
        "username": "new_inspector",
        "email": "new@example.kz",
        "language": "kk",
    }
    added = admin_client.post(reverse("accounts:add-person"), details)
    person = User.objects.get(username="new_inspector")
    assert added["Location"] == reverse("accounts:person", args=[person.pk])

    wish = {"role": "inspector", "organisation": inspectorate.pk, "reason": "Hired for Oral", "password": PASSWORD}
    asked = admin_client.post(reverse("accounts:appoint", args=[person.pk]), wish)
    assert asked.status_code == 302
    assert person.roles == frozenset()
    by_head = Client()
    by_head.force_login(authority_head)
    waiting = by_head.get(reverse("accounts:role-requests")).context["waiting"]
    page = reverse("accounts:role-request", args=[waiting[0].pk])
    assert by_head.post(page, {"confirm": "yes", "password": "wrong"}).status_code == 422
    assert by_head.post(page, {"confirm": "yes", "password": PASSWORD}).status_code == 302
    person.forget_roles()
    assert person.roles == {Role.INSPECTOR}

    shown = admin_client.post(reverse("accounts:password-link", args=[person.pk]))
    (link,) = re.findall(r"https?://testserver(/accounts/password/reset/key/[^<\s]+)", shown.content.decode())
    assert "no-store" in shown["Cache-Control"]

    visitor = Client()
    form = visitor.get(link, follow=True)
    done = visitor.post(form.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD})
    assert done.status_code == 302
    assert Client().login(username="new_inspector", password=PASSWORD)
    assert Client().get(link, follow=True).context.get("token_fail")


def test_a_refusal_of_the_service_stands_beside_its_field(admin_client: Client, stranger: User) -> None:
    company = Organisation.objects.get()

    answer = admin_client.post(
        reverse("accounts:appoint", args=[stranger.pk]),
        {"role": "trader", "organisation": company.pk, "password": PASSWORD},
    )

    assert answer.context["form"].errors.keys() == {"role"}
    assert not stranger.appointments.exists()


def test_the_form_does_not_take_a_wrong_bin(admin_client: Client) -> None:
    names = {"name_kk": "х", "name_ru": "х", "name_en": "x", "kind": "trader"}

    answer = admin_client.post(reverse("accounts:add-organisation"), {"bin": "960240000125", **names})
    assert answer.context["form"].errors.keys() == {"bin"}

    again = admin_client.post(reverse("accounts:add-organisation"), {"bin": "960240000124", **names})
    assert again.context["form"].errors.keys() == {"bin"}


def test_an_administrator_cannot_close_the_own_account_or_take_the_own_role(
    admin_client: Client, administrator: User
) -> None:
    page = admin_client.get(reverse("accounts:person", args=[administrator.pk])).content.decode()
    admin_client.post(reverse("accounts:close-account", args=[administrator.pk]))
    admin_client.post(reverse("accounts:end-appointment", args=[administrator.appointments.get().pk]))

    administrator.refresh_from_db()
    assert administrator.is_active
    assert administrator.appointments.not_ended().exists()
    assert "Another administrator gives you roles" in page


def test_closing_an_account_ends_its_session(client: Client, administrator: User, trader: User) -> None:
    client.force_login(trader)
    assert client.get(reverse("accounts:tokens")).status_code == 200
    by_administrator = Client()
    by_administrator.force_login(administrator)

    by_administrator.post(reverse("accounts:close-account", args=[trader.pk]))

    assert client.get(reverse("accounts:tokens")).status_code == 302


def test_details_of_a_person_and_an_organisation_can_be_corrected(
    admin_client: Client, trader: User, trader_company: Organisation
) -> None:
    admin_client.post(
        reverse("accounts:person", args=[trader.pk]),
        {"last_name": "Ли-Ким", "first_name": "Анна", "patronymic": "", "email": "anna@example.kz"},
    )
    admin_client.post(
        reverse("accounts:organisation", args=[trader_company.pk]),
        {"kind": "trader", "name_kk": "Жаңа атау", "name_ru": "Новое", "name_en": "New", "is_active": "on"},
    )

    trader.refresh_from_db()
    trader_company.refresh_from_db()
    assert trader.last_name == "Ли-Ким"
    assert (trader_company.name_kk, trader_company.region) == ("Жаңа атау", None)


def test_a_keys_secret_is_shown_once_and_works(client: Client, trader: User) -> None:
    client.force_login(trader)

    shown = client.post(reverse("accounts:tokens"), {"name": "таразы", "days": 30})

    (secret,) = re.findall(r"srt_[\w-]{43}", shown.content.decode())
    assert secret not in client.get(reverse("accounts:tokens")).content.decode()
    answer = Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {secret}"})
    assert answer.json()["username"] == "trader"


def test_nobody_revokes_anothers_key_but_an_administrator(
    client: Client, administrator: User, trader: User, other_trader: User, now: datetime
) -> None:
    token, _secret = create_token(actor=trader, at=now, name="scale")

    client.force_login(other_trader)
    assert client.post(reverse("accounts:revoke-token", args=[token.pk])).status_code == 404
    assert ApiToken.objects.filter(revoked_at=None).exists()

    client.force_login(administrator)
    assert client.post(reverse("accounts:revoke-token", args=[token.pk])).status_code == 302
    assert not ApiToken.objects.filter(revoked_at=None).exists()


def test_the_tables_are_for_administrators_and_only_to_look_at(admin_client: Client, trader: User) -> None:
    assert admin_client.get("/admin/").status_code == 200
    assert admin_client.get(f"/admin/accounts/user/{trader.pk}/change/").status_code == 200
    assert (
        "password"
        not in admin_client.get(f"/admin/accounts/user/{trader.pk}/change/").content.decode().lower().split("<main")[-1]
    )
    assert admin_client.get("/admin/accounts/user/add/").status_code == 403
    assert admin_client.post(f"/admin/accounts/user/{trader.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.post(f"/admin/accounts/user/{trader.pk}/change/", {"username": "x"}).status_code == 403


def test_the_tables_send_the_unknown_to_the_one_sign_in(client: Client) -> None:
    there = client.get("/admin/accounts/user/")["Location"]

    assert client.get(there)["Location"].startswith("/accounts/login/?next=")


def test_appointments_of_the_past_are_told_on_the_persons_page(admin_client: Client, trader: User) -> None:
    appointment = Appointment.objects.get(user=trader)
    admin_client.post(reverse("accounts:end-appointment", args=[appointment.pk]))

    page = admin_client.get(reverse("accounts:person", args=[trader.pk]))

    assert page.context["appointments"][0][1] is False
    assert "Ended" in page.content.decode()
    appointment.refresh_from_db()
    assert appointment.ended_at is not None
    assert timezone.now() - appointment.ended_at < timedelta(minutes=1)

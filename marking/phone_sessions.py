"""Sign-ins made on a phone that keeps a notebook end when that phone is revoked.

A sign-in is known to be the phone's in two ways: the phone has greeted with it, or it was made by a browser that keeps
the notebook's cookie. The sign-in carries the phone from then on, so taking the cookie off helps nobody.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from marking.models import FieldDevice

COOKIE = "field_phone"
KEPT_SECONDS = 400 * 24 * 3600
_IN_SESSION = "field_phone"

Answer = Callable[[HttpRequest], HttpResponseBase]


def note_phone(request: HttpRequest, device: FieldDevice) -> None:
    """This sign-in is made on this phone; who comes with a token has none."""
    if request.session.session_key and request.session.get(_IN_SESSION) != str(device.pk):
        request.session[_IN_SESSION] = str(device.pk)


def leave_cookie(response: HttpResponseBase, device: FieldDevice) -> None:
    """So that later sign-ins of this browser are known to be the phone's."""
    response.set_cookie(
        COOKIE, str(device.pk), max_age=KEPT_SECONDS, secure=settings.SECURE_COOKIES, httponly=True, samesite="Lax"
    )


def on_sign_in(sender: object, request: HttpRequest | None, **_more: Any) -> None:
    """Whoever signs in on a phone that stands, signs in on that phone. On one that was revoked, the password counts."""
    known = request.COOKIES.get(COOKIE) if request is not None else None
    if request is None or not known:
        return
    try:
        device = FieldDevice.objects.standing().filter(pk=UUID(known)).first()
    except ValueError:
        return
    if device is not None:
        note_phone(request, device)


def end_on_revoked_phones(get_response: Answer) -> Answer:
    """Middleware behind authentication: who is signed in on a phone that was revoked meanwhile is signed out.

    Asks the database nothing for sign-ins of other machines, and nothing where nobody asks who is signed in.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        known = request.user
        request.user = SimpleLazyObject(lambda: _unless_revoked(request, known))  # type: ignore[assignment]
        return get_response(request)

    return answer


def _unless_revoked(request: HttpRequest, person: Any) -> Any:
    phone = request.session.get(_IN_SESSION) if person.is_authenticated else None
    if phone is None or FieldDevice.objects.standing().filter(pk=phone).exists():
        return getattr(person, "_wrapped", person)
    request.session.flush()
    return AnonymousUser()

"""Doors: who may come in. Pages send the unknown to sign in and refuse others with 403; the API answers 401 or 403."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from core.accounts.models import User
from core.accounts.roles import Can

P = ParamSpec("P")


class SignedInRequest(HttpRequest):
    """A request that has passed `requires`: its user is a person of ours."""

    user: User
    htmx: HtmxDetails


def requires(
    *any_of: Can,
) -> Callable[
    [Callable[Concatenate[SignedInRequest, P], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, P], HttpResponseBase],
]:
    """Open a view to people with one of these capabilities; without any, to everybody who is signed in.

    For a class-based view: `@method_decorator(requires(Can.X), name="dispatch")`.
    """

    def decorate(
        view: Callable[Concatenate[SignedInRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def door(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not isinstance(request.user, User):
                return _ask_to_sign_in(request)
            if any_of and request.user.capabilities.isdisjoint(any_of):
                raise PermissionDenied
            return view(cast("SignedInRequest", request), *args, **kwargs)

        return door

    return decorate


def granted(*any_of: Can) -> type[BasePermission]:
    """A permission class of the API: people with one of these capabilities; without any, everybody with an account."""

    class Granted(BasePermission):
        def has_permission(self, request: Request, view: APIView) -> bool:
            if not isinstance(request.user, User):
                return False
            return not any_of or not request.user.capabilities.isdisjoint(any_of)

    return Granted


def person_of(request: Request) -> User:
    """The person an API request speaks for; raises NotAuthenticated for nobody."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


def _ask_to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """To the sign-in page and back; after a form that was sent too late, back to the page of the form is enough."""
    address = resolve_url("account_login")
    if request.method in ("GET", "HEAD") and not getattr(request, "htmx", False):
        address = f"{address}?{urlencode({'next': request.get_full_path()})}"
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(address)
    return HttpResponseRedirect(address)

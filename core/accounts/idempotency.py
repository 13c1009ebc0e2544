"""Writes of the API that are done once, however often they are sent.

    class Decide(APIView):
        @idempotent
        def post(self, request: Request, pk: int) -> Response: ...

Same key and same body: the first answer again, with `Idempotent-Replay: true`. Same key and another body: 422.
While the first is still at work: 409. The answer is kept in the transaction of the act itself, so an act that was
refused or failed left nothing behind and may be sent again under the same key. After 30 days a key is forgotten.
"""

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import person_of
from core.accounts.models import ApiRequest, User
from core.base.api import IDEMPOTENCY_KEY
from core.base.errors import BadInput, DomainError

HEADER = "Idempotency-Key"
REPLAY = "Idempotent-Replay"

P = ParamSpec("P")
V = TypeVar("V", bound=APIView)


class BadKey(BadInput):
    """The Idempotency-Key is empty, too long or not plain text."""

    code = "bad-idempotency-key"
    message = _("An Idempotency-Key is 1 to 100 printable ASCII characters.")


class KeyUsedForAnother(BadInput):
    """The key was used before, for something else."""

    code = "idempotency-key-reused"
    message = _("This Idempotency-Key was used for another request.")


class StillAtWork(DomainError):
    """The first request with this key has not been answered yet."""

    code = "request-in-progress"
    message = _("The first request with this Idempotency-Key is still at work. Ask again in a moment.")


def idempotent(
    method: Callable[Concatenate[V, Request, P], Response],
) -> Callable[Concatenate[V, Request, P], Response]:
    """Make a writing method of an API view atomic, and done at most once per person and Idempotency-Key."""

    @wraps(method)
    def once(view: V, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            with transaction.atomic():
                return _undo_if_refused(method(view, request, *args, **kwargs))
        if not 1 <= len(key) <= 100 or not key.isascii() or not key.isprintable():
            raise BadKey
        user = person_of(request)
        fingerprint = _fingerprint(request)
        with transaction.atomic():
            # The lock closes the race of two equal requests sent at once; it ends with the transaction.
            if not _lock(user, key):
                raise StillAtWork
            first = ApiRequest.objects.filter(user=user, key=key).first()
            if first is not None:
                if first.fingerprint != fingerprint:
                    raise KeyUsedForAnother
                return Response(first.body, status=first.status, headers={REPLAY: "true"})
            response = _undo_if_refused(method(view, request, *args, **kwargs))
            if response.status_code < 400:
                ApiRequest.objects.create(
                    user=user,
                    key=key,
                    fingerprint=fingerprint,
                    status=response.status_code,
                    body=json.loads(JSONRenderer().render(response.data) or "null"),
                    at=timezone.now(),
                )
            return response

    return extend_schema(parameters=[IDEMPOTENCY_KEY])(once)


def _undo_if_refused(response: Response) -> Response:
    if response.status_code >= 400:
        transaction.set_rollback(True)
    return response


def _lock(user: User, key: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, %s))", [key, user.pk])
        (taken,) = cursor.fetchone()
    return bool(taken)


def _fingerprint(request: Request) -> str:
    """SHA-256 over the method, the address and what was sent, files included; the order of JSON keys is no matter.

    A password that signs is left out: a hash that is kept must not be one that passwords can be tried on.
    """
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    data: Any = request.data
    if not isinstance(data, QueryDict):
        if isinstance(data, dict):
            data = {name: value for name, value in data.items() if name != "password"}
        digest.update(json.dumps(data, sort_keys=True).encode())
        return digest.hexdigest()
    for name in sorted(set(data) - {"password"}):
        for value in data.getlist(name):
            digest.update(f"{name}\n".encode())
            if isinstance(value, UploadedFile):
                for chunk in value.chunks():
                    digest.update(chunk)
                value.seek(0)
            else:
                digest.update(json.dumps(value).encode())
    return digest.hexdigest()

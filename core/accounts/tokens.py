"""API tokens: `Authorization: Bearer …`, kept hashed, expiring."""

import hashlib

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from core.accounts.models import ApiToken, User
from core.base.clock import day_of


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class TokenAuthentication(BaseAuthentication):
    """Accepts a token that is neither revoked nor expired, of a person who is active."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        secret = parts[1].decode("latin-1") if len(parts) == 2 else ""
        now = timezone.now()
        token = ApiToken.objects.usable(now).select_related("user").filter(digest=digest_of(secret)).first()
        if token is None:
            raise AuthenticationFailed(_("This token is not valid, or it has expired."))
        if token.last_used_on != (today := day_of(now)):
            ApiToken.objects.filter(pk=token.pk).update(last_used_on=today)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class TokenScheme(OpenApiAuthenticationExtension):
    """How the schema tells about these tokens."""

    target_class = "core.accounts.tokens.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A key made at /tokens/."}

"""Refusals: what a service says when it will not do what was asked."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise


class DomainError(Exception):
    """A refusal that a person can read: `message` says what to do, `fields` names what was wrong.

    `status` is the HTTP status a door answers with; `code` is stable and meant for programs.
    """

    status = 409
    code = "refused"
    message: StrOrPromise = _("This cannot be done now.")

    def __init__(
        self,
        message: StrOrPromise | None = None,
        *,
        code: str | None = None,
        fields: Mapping[str, StrOrPromise] | None = None,
    ) -> None:
        self.message = self.message if message is None else message
        self.code = self.code if code is None else code
        self.fields = dict(fields or {})
        super().__init__(self.message)

    def __str__(self) -> str:
        return str(self.message)


class InvalidTransition(DomainError):
    """The thing is not in a state from which this act is possible."""

    code = "invalid-transition"
    message = _("This is no longer possible: its state has changed. Reload the page.")


class NotAllowed(DomainError):
    """The person may know the thing but may not do this act."""

    status = 403
    code = "not-allowed"
    message = _("You are not allowed to do this.")


class NotFound(DomainError):
    """There is no such thing, or none that the person may know of."""

    status = 404
    code = "not-found"
    message = _("Not found.")


class BadInput(DomainError):
    """What was given is not usable; `fields` says where."""

    status = 422
    code = "bad-input"
    message = _("Some of what you entered cannot be used.")

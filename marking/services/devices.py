"""Phones of the field notebook: registered by their person, kept signed in for a day's work, revoked when lost."""

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.accounts.tokens import digest_of
from core.audit.services import record
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed
from core.base.reasons import require_reason
from marking.models import FieldDevice
from marking.models.field import keeps_devices

KEY_PREFIX = "srf_"
MOST_DEVICES = 10
"""Standing phones of one person."""


class DeviceRefused(DomainError):
    """The phone was revoked, is not known, or its person's account is closed: it must forget all it keeps."""

    status = 410
    code = "device-revoked"
    message = _("This phone was revoked. Everything that the notebook kept on it is wiped.")


class SignInNeeded(DomainError):
    """The person has not signed in on this phone for too long: what waits goes on waiting."""

    status = 401
    code = "sign-in-needed"
    message = _("Sign in again. What you recorded waits on this phone, and is sent afterwards.")


class DeviceOfAnother(DomainError):
    """The notebook on this phone belongs to another person."""

    status = 403
    code = "device-of-another"
    message = _("The notebook on this phone belongs to another person. Let that person sign in, or wipe it.")


def may_keep_notebook(user: User) -> bool:
    return user.can(Can.OPEN_INTAKE) or user.can(Can.REGISTER_SEIZURE)


@transaction.atomic
def register_device(*, actor: User, at: datetime, name: str) -> tuple[FieldDevice, str]:
    """Make a phone known; returns it with its key, which is told once and kept hashed. Raises NotAllowed, BadInput."""
    if not may_keep_notebook(actor):
        raise NotAllowed
    if not name.strip():
        raise BadInput(fields={"name": _("Name the phone, so that you find it again.")})
    # The lock closes the race of two registrations past the most.
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    if FieldDevice.objects.standing().filter(person=actor).count() >= MOST_DEVICES:
        raise BadInput(
            fields={"name": _("You have %(most)d phones already. Revoke one first.") % {"most": MOST_DEVICES}}
        )
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    device = FieldDevice.objects.create(
        person=actor,
        name=name.strip()[:60],
        digest=digest_of(key),
        registered_at=at,
        last_seen_at=at,
        signed_until=_until(at),
    )
    _record("field_device.registered", device, actor, at)
    return device, key


def device_of(key: str) -> FieldDevice:
    """The phone with this key. Raises DeviceRefused for one that must wipe itself."""
    device = FieldDevice.objects.select_related("person").filter(digest=digest_of(key)).first()
    if device is None or device.is_revoked or not device.person.is_active:
        raise DeviceRefused
    return device


def lock_device(device: FieldDevice) -> FieldDevice:
    """The phone, locked until the transaction ends: a revocation waits for it, or has come first.

    Raises DeviceRefused. Lock order: the phone before its records and photos.
    """
    locked = FieldDevice.objects.select_for_update(no_key=True, of=("self",)).select_related("person").get(pk=device.pk)
    if locked.is_revoked or not locked.person.is_active:
        raise DeviceRefused
    return locked


def greet_device(*, actor: User, at: datetime, key: str) -> FieldDevice:
    """Its person has signed in on this phone: it may send again for as long as a session lasts.

    Raises DeviceRefused, DeviceOfAnother.
    """
    device = device_of(key)
    if device.person_id != actor.pk:
        raise DeviceOfAnother
    # Update-where: a revocation at the same moment wins.
    if not FieldDevice.objects.standing().filter(pk=device.pk).update(signed_until=_until(at), last_seen_at=at):
        raise DeviceRefused
    device.refresh_from_db(fields=["signed_until", "last_seen_at", "sequence"])
    return device


@transaction.atomic
def revoke_device(*, actor: User, at: datetime, device: FieldDevice, reason: str) -> FieldDevice:
    """Refuse this phone from now on, for good; the next time it has network it wipes itself.

    By its person, or by those who keep phones. Raises NotAllowed, BadInput, InvalidTransition.
    """
    if device.person_id != actor.pk and not keeps_devices(actor):
        raise NotAllowed
    require_reason(reason)
    # The lock waits for a record that is being taken: what was sent before is kept.
    locked = FieldDevice.objects.select_for_update(of=("self",)).get(pk=device.pk)
    if locked.is_revoked:
        raise InvalidTransition
    locked.revoked_at, locked.revoked_by, locked.revoke_reason = at, actor, reason.strip()[:200]
    locked.save(update_fields=["revoked_at", "revoked_by", "revoke_reason"])
    _record("field_device.revoked", locked, actor, at, reason=locked.revoke_reason)
    return locked


def _until(at: datetime) -> datetime:
    return at + timedelta(seconds=settings.SESSION_COOKIE_AGE)


def _record(verb: str, device: FieldDevice, actor: User, at: datetime, *, reason: str = "") -> None:
    record(
        verb, actor=actor, at=at, subject=("field_device", device.pk), subject_name=device.name, reason=reason or None
    )

"""The life of signing keys: made, taken into use, retired, declared compromised."""

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.audit.services import record
from core.base.errors import DomainError, InvalidTransition
from marking.keys import UnreadableKeyError, encryption_key, seal, unseal
from marking.models import SigningKey
from marking.payload import key_id_of


class NoSigningKey(DomainError):
    """There is no key in use that can sign."""

    code = "no-signing-key"
    message = _("There is no signing key in use. Ask the administrator of the system.")


@transaction.atomic
def create_key(*, actor: User | None, at: datetime) -> SigningKey:
    """Make a key pair that is not in use yet. Actor None: the system itself, at its first start."""
    private_key = Ed25519PrivateKey.generate()
    public_key = private_key.public_key().public_bytes_raw()
    key = SigningKey.objects.create(
        id=key_id_of(public_key).hex(),
        public_key=public_key,
        sealed_private_key=seal(private_key, _encryption_key()),
        created_at=at,
    )
    record("key.created", actor=actor, at=at, subject=("key", key.pk), subject_name=key.pk)
    return key


@transaction.atomic
def take_into_use(*, actor: User | None, at: datetime, key: SigningKey) -> SigningKey:
    """Sign with this key from now on; the one used before is retired, its marks stay genuine.

    Raises InvalidTransition unless the key was made and never used.
    """
    _lock_keys()
    retired = SigningKey.objects.in_use().first()
    if retired is not None:
        SigningKey.objects.filter(pk=retired.pk).update(state=SigningKey.State.RETIRED, ended_at=at)
        record("key.retired", actor=actor, at=at, subject=("key", retired.pk), subject_name=retired.pk)
    fresh = SigningKey.objects.filter(pk=key.pk, state=SigningKey.State.CREATED)
    if not fresh.update(state=SigningKey.State.IN_USE, used_from=at):
        raise InvalidTransition
    key.refresh_from_db()
    record("key.taken_into_use", actor=actor, at=at, subject=("key", key.pk), subject_name=key.pk)
    return key


@transaction.atomic
def declare_compromised(*, actor: User, at: datetime, key: SigningKey) -> SigningKey:
    """Nothing this key signed is proof any more: its marks are checked by their code alone.

    Raises InvalidTransition when it was declared before. If it was in use, marks wait for another key.
    """
    _lock_keys()
    sound = SigningKey.objects.filter(pk=key.pk).exclude(state=SigningKey.State.COMPROMISED)
    if not sound.update(state=SigningKey.State.COMPROMISED, ended_at=at):
        raise InvalidTransition
    key.refresh_from_db()
    record("key.compromised", actor=actor, at=at, subject=("key", key.pk), subject_name=key.pk)
    return key


@transaction.atomic
def ensure_signing_key(*, at: datetime) -> SigningKey:
    """The key in use; the system makes its first one by itself. Two at once make one.

    When keys exist but none is in use, a person has to decide (`manage.py signing_keys`): raises NoSigningKey.
    """
    _lock_keys()
    key = SigningKey.objects.in_use().first()
    if key is not None:
        return key
    if SigningKey.objects.exists():
        raise NoSigningKey
    return take_into_use(actor=None, at=at, key=create_key(actor=None, at=at))


def signing_key_in_use() -> tuple[SigningKey, Ed25519PrivateKey]:
    """The key in use with its private half; nobody ends it before this transaction ends. Raises NoSigningKey."""
    # A share lock: many sign at once, and a key is retired or declared compromised only between them.
    found = SigningKey.objects.raw("SELECT * FROM marking_signingkey WHERE state = 'in_use' FOR SHARE")
    key = next(iter(found), None)
    if key is None:
        raise NoSigningKey
    try:
        return key, unseal(bytes(key.sealed_private_key), bytes(key.public_key), _encryption_key())
    except UnreadableKeyError:
        raise NoSigningKey(_("The signing key cannot be read: it was sealed under another secret.")) from None


def _lock_keys() -> None:
    """One change of keys at a time."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE marking_signingkey IN SHARE ROW EXCLUSIVE MODE")


def _encryption_key() -> bytes:
    return encryption_key(settings.KEY_ENCRYPTION_KEY, settings.SECRET_KEY)

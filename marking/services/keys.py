"""The life of signing keys: made, taken into use, retired, declared compromised."""

import secrets
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from core.accounts.independence import require_independent
from core.accounts.models import User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed
from core.base.reasons import require_reason
from marking.keyring import KeyInMemory, KeyUnavailableError, Signer, read_key_file, write_key_file
from marking.keys import UnreadableKeyError, encryption_key, seal, unseal
from marking.models import KeyRequest, SigningKey
from marking.payload import key_id_of
from marking.tokens import KeyInToken, Token, public_key_of
from marking.tokens import make_key as make_key_in_token

Storage = SigningKey.Storage


class NoSigningKey(DomainError):
    """There is no key in use that can sign."""

    code = "no-signing-key"
    message = _("There is no signing key in use. Ask the administrator of the system.")


class _KeyInToken(KeyInToken):
    """Says in words why a token does not sign."""

    __slots__ = ()

    def sign(self, data: bytes, /) -> bytes:
        try:
            return super().sign(data)
        except KeyUnavailableError as error:
            raise NoSigningKey(_("The signing key cannot be used: %(why)s") % {"why": error}) from None


class KeyStoreFailed(DomainError):
    """The place where private keys are kept does not answer as it should."""

    code = "key-store-failed"
    message = _("The place where private keys are kept does not answer. Ask whoever runs the system.")


@transaction.atomic
def create_key(*, actor: User | None, at: datetime) -> SigningKey:
    """Make a key pair that is not in use yet, where the settings say. Actor None: the system, at its first start.

    Raises NotAllowed, KeyStoreFailed.
    """
    if actor is not None and not actor.can(Can.MANAGE_KEYS):
        raise NotAllowed
    storage, place, sealed = Storage(settings.KEY_STORAGE), "", None
    try:
        if storage == Storage.TOKEN:
            place = f"saiga-{secrets.token_hex(6)}"
            public_key = make_key_in_token(_token(), place)
        else:
            private_key = Ed25519PrivateKey.generate()
            public_key = private_key.public_key().public_bytes_raw()
            if storage == Storage.FILE:
                place = f"{key_id_of(public_key).hex()}.pem"
                write_key_file(_key_file(place), private_key)
            else:
                sealed = seal(private_key, _encryption_key())
    except KeyUnavailableError as error:
        raise KeyStoreFailed(_("No key was made: %(why)s") % {"why": error}) from None
    return _keep(public_key, storage, place, sealed, actor=actor, at=at)


@transaction.atomic
def adopt_key(*, actor: User, at: datetime, storage: str, place: str) -> SigningKey:
    """Take note of a key pair that exists: the name of a file in the directory of keys, or of a key in the token.

    Raises NotAllowed, KeyStoreFailed, BadInput.
    """
    if not actor.can(Can.MANAGE_KEYS):
        raise NotAllowed
    try:
        if storage == Storage.TOKEN:
            public_key = public_key_of(_token(), place)
        else:
            public_key = read_key_file(_key_file(place)).public_key().public_bytes_raw()
    except KeyUnavailableError as error:
        raise KeyStoreFailed(str(error)) from None
    if SigningKey.objects.filter(pk=key_id_of(public_key).hex()).exists():
        raise BadInput(_("This key is known already."))
    return _keep(public_key, Storage(storage), place, None, actor=actor, at=at)


def _keep(
    public_key: bytes, storage: Storage, place: str, sealed: bytes | None, *, actor: User | None, at: datetime
) -> SigningKey:
    key = SigningKey.objects.create(
        id=key_id_of(public_key).hex(),
        public_key=public_key,
        storage=storage,
        place=place,
        sealed_private_key=sealed,
        created_at=at,
    )
    record("key.created", actor=actor, at=at, subject=("key", key.pk), subject_name=key.pk, storage=str(storage))
    return key


@transaction.atomic
def take_into_use(*, actor: User | None, at: datetime, key: SigningKey) -> SigningKey:
    """Sign with this key from now on; the one used before is retired, its marks stay genuine.

    In the transaction of an approved request; only the first key of a system needs none. Raises InvalidTransition
    unless the key was made and never used.
    """
    _lock_keys()
    if not SigningKey.objects.filter(pk=key.pk, state=SigningKey.State.CREATED).exists():
        raise InvalidTransition
    retired = SigningKey.objects.in_use().first()
    if retired is not None:
        SigningKey.objects.filter(pk=retired.pk).update(state=SigningKey.State.RETIRED, ended_at=at)
        record("key.retired", actor=actor, at=at, subject=("key", retired.pk), subject_name=retired.pk)
    SigningKey.objects.filter(pk=key.pk).update(state=SigningKey.State.IN_USE, used_from=at)
    key.refresh_from_db()
    record("key.taken_into_use", actor=actor, at=at, subject=("key", key.pk), subject_name=key.pk)
    return key


@transaction.atomic
def declare_compromised(*, actor: User, at: datetime, key: SigningKey) -> SigningKey:
    """Nothing this key signed is proof any more: its marks are checked by their code alone.

    In the transaction of an approved request. Raises InvalidTransition when it was declared before. If it was in use,
    marks wait for another key.
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


def signing_key_in_use() -> tuple[SigningKey, Signer]:
    """The key in use and what signs with it; nobody ends it before this transaction ends. Raises NoSigningKey.

    The signer gives signatures and nothing else.
    """
    # A share lock: many sign at once, and a key is retired or declared compromised only between them.
    found = SigningKey.objects.raw("SELECT * FROM marking_signingkey WHERE state = 'in_use' FOR SHARE")
    key = next(iter(found), None)
    if key is None:
        raise NoSigningKey
    return key, signer_of(key)


def signer_of(key: SigningKey) -> Signer:
    """What signs with this key, wherever its private half is. Raises NoSigningKey."""
    try:
        if key.storage == Storage.TOKEN:
            return _KeyInToken(_token(), key.place)
        if key.storage == Storage.FILE:
            return KeyInMemory(read_key_file(_key_file(key.place), of=bytes(key.public_key)))
        return KeyInMemory(unseal(bytes(key.sealed_private_key or b""), bytes(key.public_key), _encryption_key()))
    except UnreadableKeyError:
        raise NoSigningKey(_("The signing key cannot be read: it was sealed under another secret.")) from None
    except KeyUnavailableError as error:
        raise NoSigningKey(_("The signing key cannot be used: %(why)s") % {"why": error}) from None


# Acts by two persons


@transaction.atomic
def ask_key_act(*, actor: User, at: datetime, key: SigningKey, kind: str, reason: str) -> KeyRequest:
    """Ask that a key be taken into use or declared compromised; a second person decides.

    Raises NotAllowed, BadInput, InvalidTransition.
    """
    if not actor.can(Can.MANAGE_KEYS):
        raise NotAllowed
    why = require_reason(reason)[:200]
    _lock_keys()
    key.refresh_from_db()
    fitting = key.state == SigningKey.State.CREATED if kind == KeyRequest.Kind.USE else not key.is_compromised
    if not fitting or KeyRequest.objects.filter(key=key, kind=kind, state=KeyRequest.State.ASKED).exists():
        raise InvalidTransition
    asked = KeyRequest.objects.create(kind=kind, key=key, reason=why, asked_by=actor, asked_at=at)
    _told("key.act_asked", asked, actor, at)
    return asked


@transaction.atomic
def decide_key_act(*, actor: User, at: datetime, request: KeyRequest, approve: bool) -> KeyRequest:
    """Let it happen, or not. Raises NotAllowed, for whoever asked too; NotIndependent, InvalidTransition."""
    if not actor.can(Can.MANAGE_KEYS):
        raise NotAllowed
    _lock_keys()
    request = KeyRequest.objects.select_for_update(no_key=True, of=("self",)).select_related("key").get(pk=request.pk)
    if request.state != KeyRequest.State.ASKED:
        raise InvalidTransition
    if request.asked_by_id == actor.pk:
        raise NotAllowed(_("You asked for this; another person decides."))
    if approve:
        require_independent(actor, request.asked_by_id, at=at)
    request.state = KeyRequest.State.APPROVED if approve else KeyRequest.State.REFUSED
    request.decided_by, request.decided_at = actor, at
    request.save(update_fields=["state", "decided_by", "decided_at"])
    _told("key.act_approved" if approve else "key.act_refused", request, actor, at)
    if approve and request.kind == KeyRequest.Kind.USE:
        signer_of(request.key).sign(b"")  # before anything relies on it
        take_into_use(actor=actor, at=at, key=request.key)
    elif approve:
        declare_compromised(actor=actor, at=at, key=request.key)
    return request


def _told(verb: str, request: KeyRequest, actor: User, at: datetime) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=("key", request.key_id),
        subject_name=request.key_id,
        kind=request.kind,
        reason=request.reason,
    )


def _lock_keys() -> None:
    """One change of keys at a time."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE marking_signingkey IN SHARE ROW EXCLUSIVE MODE")


def _encryption_key() -> bytes:
    return encryption_key(settings.KEY_ENCRYPTION_KEY, settings.SECRET_KEY)


def _key_file(name: str) -> Path:
    if not name or Path(name).name != name:
        raise KeyUnavailableError("a key file is named without its directory")
    return Path(settings.KEY_DIRECTORY) / name


def _token() -> Token:
    return Token(settings.PKCS11_MODULE, settings.PKCS11_TOKEN, settings.PKCS11_PIN)

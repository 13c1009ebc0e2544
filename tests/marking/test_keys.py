"""Signing keys: made once, sealed at rest, moving on in one direction only."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, transaction
from django.test import Client, override_settings
from django.utils import translation

from core.accounts.models import User
from core.audit.models import Event
from core.base.errors import InvalidTransition
from marking.keys import UnreadableKeyError, encryption_key, seal, unseal
from marking.models import KeyRequest, Mark, SigningKey
from marking.payload import key_id_of
from marking.services.keys import (
    NoSigningKey,
    create_key,
    declare_compromised,
    ensure_signing_key,
    signing_key_in_use,
    take_into_use,
)
from tests.cast import PASSWORD
from tests.marks import decide_key

SECRET = encryption_key("", "a secret of this installation")


def test_it_seals_a_key_that_only_the_same_secret_opens() -> None:
    private_key = Ed25519PrivateKey.generate()
    public_key = private_key.public_key().public_bytes_raw()
    sealed = seal(private_key, SECRET)

    assert unseal(sealed, public_key, SECRET).private_bytes_raw() == private_key.private_bytes_raw()
    assert private_key.private_bytes_raw() not in sealed
    assert seal(private_key, SECRET) != sealed
    other_public_key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    for wrong in (
        lambda: unseal(sealed, public_key, encryption_key("", "another secret")),
        lambda: unseal(sealed, other_public_key, SECRET),
        lambda: unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), public_key, SECRET),
        lambda: unseal(b"", public_key, SECRET),
    ):
        with pytest.raises(UnreadableKeyError):
            wrong()


def test_it_takes_the_configured_secret_of_32_bytes() -> None:
    configured = base64.urlsafe_b64encode(bytes(range(32))).decode()

    assert encryption_key(configured, "x") == bytes(range(32))
    assert encryption_key(configured.rstrip("="), "x") == bytes(range(32))
    for wrong in ("short", "!" * 44, base64.urlsafe_b64encode(bytes(31)).decode()):
        with pytest.raises(ValueError, match="32 bytes"):
            encryption_key(wrong, "x")


@pytest.mark.django_db
def test_the_system_makes_its_first_key_once(now: datetime) -> None:
    first = ensure_signing_key(at=now)

    assert ensure_signing_key(at=now) == first
    assert SigningKey.objects.count() == 1
    assert first.state == SigningKey.State.IN_USE
    assert first.pk == key_id_of(bytes(first.public_key)).hex()
    assert set(Event.objects.values_list("verb", flat=True)) == {"key.created", "key.taken_into_use"}
    key, signer = signing_key_in_use()
    Ed25519PublicKey.from_public_bytes(bytes(key.public_key)).verify(signer.sign(b"words"), b"words")


@pytest.mark.django_db
def test_the_command_makes_a_key_and_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("ensure_signing_key")
    call_command("ensure_signing_key")

    (key,) = SigningKey.objects.all()
    assert capsys.readouterr().out.split() == [key.pk, key.pk]


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The command, with what a person types when asked for the password."""

    def run(*words: str, password: str = PASSWORD) -> None:
        monkeypatch.setattr("marking.management.commands.signing_keys.getpass", lambda _prompt: password)
        call_command("signing_keys", *words)

    return run


@pytest.mark.django_db
def test_two_people_act_on_a_key_from_the_console_each_by_own_password(
    signing_key: SigningKey,
    authority_head: User,
    administrator: User,
    console: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    why = "--reason=The year of this key is over"
    one, other = f"--by={authority_head.username}", f"--by={administrator.username}"
    console("rotate", one, why)
    asked = KeyRequest.objects.get()
    assert f"waits  {asked.pk}  use {asked.key_id}" in capsys.readouterr().out
    assert signing_key_in_use()[0] == signing_key
    for wrong in ([one], [f"--by={administrator.username}", "wrong"]):
        with pytest.raises(CommandError):
            console("approve", str(asked.pk), wrong[0], password=wrong[-1] if len(wrong) > 1 else PASSWORD)
    assert signing_key_in_use()[0] == signing_key
    console("approve", str(asked.pk), other)

    fresh = signing_key_in_use()[0]
    assert fresh.pk == asked.key_id
    console("compromise", signing_key.pk, other, why)
    console("approve", str(KeyRequest.objects.latest("pk").pk), one)
    states = {line.split()[0]: line.split()[1] for line in capsys.readouterr().out.splitlines()[-2:]}
    assert states == {signing_key.pk: "compromised", fresh.pk: "in_use"}
    assert Event.objects.get(verb="key.compromised").actor_id == authority_head.pk


@pytest.mark.django_db
def test_the_console_refuses_what_does_not_fit_and_whoever_may_not(
    signing_key: SigningKey, authority_head: User, inspector: User, console: Callable[..., None]
) -> None:
    why, by = "--reason=The year of this key is over", f"--by={authority_head.username}"
    for wrong in (
        ["compromise", "00000000", by, why],
        ["use", signing_key.pk, by, why],
        ["approve", "4711", by],
        ["rotate", "--by=nobody", why],
        ["rotate", f"--by={inspector.username}", why],
        ["adopt", "file", "a.pem", f"--by={inspector.username}"],
    ):
        with pytest.raises(CommandError):
            console(*wrong)
    with pytest.raises(CommandError):
        console("rotate", by, why, password="guessed")

    assert list(SigningKey.objects.all()) == [signing_key]
    assert not KeyRequest.objects.exists()


@pytest.mark.django_db
def test_a_system_without_a_sound_key_starts_and_says_so(
    signing_key: SigningKey,
    authority_head: User,
    administrator: User,
    now: datetime,
    capsys: pytest.CaptureFixture[str],
) -> None:
    decide_key(signing_key, "compromise", asker=administrator, second=authority_head, at=now)

    call_command("ensure_signing_key")

    assert "signing_keys" in capsys.readouterr().err
    assert SigningKey.objects.count() == 1


@pytest.mark.django_db
def test_a_new_key_retires_the_old_one_whose_marks_stay_genuine(
    marks: list[Mark],
    signing_key: SigningKey,
    authority_head: User,
    administrator: User,
    now: datetime,
    client: Client,
) -> None:
    fresh = create_key(actor=authority_head, at=now)
    assert signing_key_in_use()[0] == signing_key

    decide_key(fresh, "use", asker=administrator, second=authority_head, at=now)

    signing_key.refresh_from_db()
    assert signing_key.state == SigningKey.State.RETIRED
    assert signing_key_in_use()[0] == fresh
    for spent in (signing_key, fresh):
        with pytest.raises(InvalidTransition):
            take_into_use(actor=authority_head, at=now, key=spent)


@pytest.mark.django_db
def test_a_compromised_key_is_so_for_good_and_is_not_replaced_by_itself(
    signing_key: SigningKey, authority_head: User, administrator: User, now: datetime
) -> None:
    decide_key(signing_key, "compromise", asker=administrator, second=authority_head, at=now)

    with pytest.raises(InvalidTransition):
        declare_compromised(actor=authority_head, at=now, key=signing_key)
    with pytest.raises(NoSigningKey):
        ensure_signing_key(at=now)
    with pytest.raises(NoSigningKey):
        signing_key_in_use()


@pytest.mark.django_db
def test_a_key_sealed_under_another_secret_is_refused_in_words(signing_key: SigningKey) -> None:
    with (
        translation.override("en"),
        override_settings(SECRET_KEY="another secret"),
        pytest.raises(NoSigningKey, match="another secret"),
    ):
        signing_key_in_use()


@pytest.mark.django_db
def test_the_database_keeps_keys_and_their_states(
    signing_key: SigningKey, authority_head: User, administrator: User, now: datetime
) -> None:
    rows = SigningKey.objects.filter(pk=signing_key.pk)
    waiting = create_key(actor=None, at=now)

    def refused(act: Callable[[], object]) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            act()

    refused(rows.delete)
    refused(lambda: rows.update(public_key=b"x" * 32))
    refused(lambda: rows.update(sealed_private_key=b"x"))
    refused(lambda: rows.update(state="created", used_from=None))
    refused(lambda: rows.update(state="retired"))
    refused(lambda: rows.update(ended_at=now))
    refused(lambda: SigningKey.objects.filter(pk=waiting.pk).update(state="in_use", used_from=now))
    refused(lambda: SigningKey.objects.filter(pk=waiting.pk).update(state="retired", used_from=now, ended_at=now))
    refused(lambda: rows.update(state="compromised", ended_at=now))  # nobody approved it
    decide_key(signing_key, "compromise", asker=administrator, second=authority_head, at=now)
    refused(lambda: rows.update(state="in_use", ended_at=None))
    refused(lambda: rows.update(ended_at=datetime(2026, 1, 1, tzinfo=UTC)))


@pytest.mark.django_db
def test_the_database_changes_a_key_only_as_two_persons_decided(
    signing_key: SigningKey, authority_head: User, administrator: User, now: datetime
) -> None:
    fresh, third = create_key(actor=None, at=now), create_key(actor=None, at=now)
    ended = {"state": "compromised", "ended_at": now}
    used = {"state": "in_use", "used_from": now}

    def change(key: SigningKey, said: dict[str, object]) -> None:
        SigningKey.objects.filter(pk=key.pk).update(**said)

    def approve(key: SigningKey, kind: str) -> KeyRequest:
        asked = KeyRequest.objects.create(
            kind=kind, key=key, reason="Lost on the way", asked_by=administrator, asked_at=now
        )
        KeyRequest.objects.filter(pk=asked.pk).update(state="approved", decided_by=authority_head, decided_at=now)
        return asked

    @transaction.atomic
    def together(*acts: Callable[[], object]) -> None:
        for act in acts:
            act()

    def refused(*acts: Callable[[], object]) -> None:
        with pytest.raises(DatabaseError):
            together(*acts)

    refused(lambda: SigningKey.objects.create(id="00000001", public_key=b"1" * 32, created_at=now, **used))
    for key in (signing_key, fresh):
        refused(partial(change, key, ended))
        refused(partial(approve, third, "compromise"), partial(change, key, ended))
        refused(partial(approve, key, "use"), partial(change, key, ended))
    change_over = (partial(change, signing_key, {"state": "retired", "ended_at": now}), partial(change, fresh, used))
    refused(*change_over)
    refused(partial(approve, third, "use"), *change_over)
    refused(partial(approve, fresh, "compromise"), *change_over)
    asked = KeyRequest.objects.create(kind="use", key=fresh, reason="x", asked_by=administrator, asked_at=now)
    refused(lambda: KeyRequest.objects.filter(pk=asked.pk).update(approved_in=1), *change_over)
    refused(
        lambda: KeyRequest.objects.create(
            kind="use",
            key=third,
            reason="x",
            state="approved",
            asked_by=administrator,
            asked_at=now,
            decided_by=authority_head,
            decided_at=now,
        )
    )
    with transaction.atomic():
        KeyRequest.objects.filter(pk=asked.pk).update(state="approved", decided_by=authority_head, decided_at=now)
        for act in change_over:
            act()
    assert signing_key_in_use()[0] == fresh


@pytest.mark.django_db
def test_public_keys_are_published_and_nothing_else_of_them(
    signing_key: SigningKey, client: Client, now: datetime
) -> None:
    create_key(actor=None, at=now)

    response = client.get("/m/keys.json")

    (published,) = response.json()["keys"]
    assert base64.b64decode(published["public_key"]) == bytes(signing_key.public_key)
    assert (published["id"], published["state"]) == (signing_key.pk, "in_use")
    assert bytes(signing_key.sealed_private_key or b"").hex() not in response.content.decode()
    assert response["Cache-Control"] == "public, max-age=300"

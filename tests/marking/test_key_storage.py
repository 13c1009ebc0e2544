"""Where private keys are kept: sealed, in a file, in a token; and acts on keys, which take two people."""

import base64
import os
import pickle
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.test import Client, override_settings

from core.accounts.models import User
from core.audit.models import Event
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from marking.keyring import KeyInMemory, KeyUnavailableError, read_key_file, write_key_file
from marking.models import KeyRequest, Mark, SigningKey
from marking.payload import key_id_of, read, to_text, verify
from marking.selectors import Reason, Verdict, check_text
from marking.services.issue import register_and_mark
from marking.services.keys import (
    KeyStoreFailed,
    NoSigningKey,
    adopt_key,
    ask_key_act,
    create_key,
    decide_key_act,
    ensure_signing_key,
    signer_of,
    signing_key_in_use,
)
from marking.services.snapshots import make_edition
from marking.snapshots import Status, look_up, read_state
from marking.tokens import KeyInToken, Token
from registry.models import Intake
from tests.cast import PASSWORD

SOFTHSM = next(
    filter(
        os.path.exists,
        ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    ),
    "",
)
needs_token = pytest.mark.skipif(
    not SOFTHSM or shutil.which("softhsm2-util") is None, reason="no SoftHSM here; on Debian: apt install softhsm2"
)
REASON = "The yearly change of keys"


@pytest.fixture
def key_files(tmp_path: Path) -> Iterator[Path]:
    """Keys are made as files."""
    with override_settings(KEY_STORAGE="file", KEY_DIRECTORY=str(tmp_path / "keys")):
        yield tmp_path / "keys"


@pytest.fixture(scope="module")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A software token: a real PKCS#11 module."""
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    start = ["softhsm2-util", "--init-token", "--free", "--label=saiga", "--pin=1234", "--so-pin=5678"]
    subprocess.run(start, check=True, capture_output=True)
    yield {"KEY_STORAGE": "token", "PKCS11_MODULE": SOFTHSM, "PKCS11_TOKEN": "saiga", "PKCS11_PIN": "1234"}
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


def status_in(content: bytes, code: str) -> Status:
    found = look_up(read_state(content), code)
    assert found is not None
    return found.status


def proves(key: SigningKey) -> None:
    signature = signer_of(key).sign(b"words")
    Ed25519PublicKey.from_public_bytes(bytes(key.public_key)).verify(signature, b"words")


def test_a_signer_gives_signatures_and_nothing_else() -> None:
    signer = KeyInMemory(Ed25519PrivateKey.generate())

    assert [name for name in dir(signer) if not name.startswith("_")] == ["sign", "sign_all"]
    with pytest.raises(TypeError):
        pickle.dumps(signer)


def test_a_key_file_is_read_if_nobody_else_may_open_it(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    pem, raw = tmp_path / "k.pem", tmp_path / "k.raw"
    write_key_file(pem, key)
    raw.write_bytes(key.private_bytes_raw())
    raw.chmod(0o600)
    public = key.public_key().public_bytes_raw()

    assert pem.stat().st_mode & 0o777 == 0o600
    for path in (pem, raw):
        assert read_key_file(path, of=public).public_key().public_bytes_raw() == public
    with pytest.raises(KeyUnavailableError):
        write_key_file(pem, key)
    with pytest.raises(KeyUnavailableError):
        read_key_file(pem, of=bytes(32))
    (tmp_path / "link").symlink_to(pem)
    (tmp_path / "text").write_text("no key")
    (tmp_path / "text").chmod(0o600)
    raw.chmod(0o640)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for wrong in ("k.raw", "link", "text", "missing", "pipe", "."):
        with pytest.raises(KeyUnavailableError):
            read_key_file(tmp_path / wrong)


@pytest.mark.django_db
def test_a_key_in_a_file_signs_and_leaves_nothing_in_the_database(key_files: Path, now: datetime) -> None:
    key = ensure_signing_key(at=now)

    assert (key.storage, key.place) == ("file", f"{key.pk}.pem")
    assert key.sealed_private_key is None
    proves(key)
    (key_files / key.place).chmod(0o644)
    with pytest.raises(NoSigningKey, match="0600"):
        signing_key_in_use()


@pytest.mark.django_db
def test_a_key_that_exists_is_adopted(
    key_files: Path, authority_head: User, administrator: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marking.management.commands.signing_keys.getpass", lambda _prompt: PASSWORD)
    key_files.mkdir()
    (key_files / "ours.raw").write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
    (key_files / "ours.raw").chmod(0o600)
    by = f"--by={authority_head.username}"

    call_command("signing_keys", "adopt", "file", "ours.raw", by)
    (key,) = SigningKey.objects.all()
    call_command("signing_keys", "use", key.pk, by, "--reason=Made by the offline ceremony")
    asked = KeyRequest.objects.get()
    call_command("signing_keys", "approve", str(asked.pk), f"--by={administrator.username}")

    proves(signing_key_in_use()[0])
    with pytest.raises(BadInput):
        adopt_key(actor=authority_head, at=now, storage="file", place="ours.raw")
    for wrong in ("../ours.raw", "", "nothing.pem"):
        with pytest.raises(KeyStoreFailed):
            adopt_key(actor=authority_head, at=now, storage="file", place=wrong)


@needs_token
@pytest.mark.django_db
def test_a_token_makes_its_key_and_signs_marks(
    softhsm: dict[str, str], open_intake: Intake, inspector: User, now: datetime
) -> None:
    with override_settings(**softhsm):
        key = ensure_signing_key(at=now)
        register_and_mark(actor=inspector, at=now, intake=open_intake)

        assert key.storage == "token"
        assert key.sealed_private_key is None
        assert key.pk == key_id_of(bytes(key.public_key)).hex()
        for mark in Mark.objects.all():
            text = to_text(bytes(mark.payload), bytes(mark.signature))
            verify(read(text), {bytes.fromhex(key.pk): bytes(key.public_key)})
            assert check_text(text, own_hosts=[]).verdict == Verdict.GENUINE


@needs_token
@pytest.mark.django_db
def test_a_token_that_does_not_answer_is_said_in_words(softhsm: dict[str, str], now: datetime) -> None:
    with override_settings(**softhsm):
        key = ensure_signing_key(at=now)
    for wrong in ({"PKCS11_PIN": "9999"}, {"PKCS11_TOKEN": "nothing"}, {"PKCS11_MODULE": "/nowhere.so"}):
        with override_settings(**(softhsm | wrong)):
            with pytest.raises(NoSigningKey):
                signer_of(key).sign(b"words")
            with pytest.raises(KeyStoreFailed):
                create_key(actor=None, at=now)
    with override_settings(**softhsm):
        proves(key)


def test_a_token_keeps_its_pin_to_itself() -> None:
    token = Token("module", "label", "1234")

    assert "1234" not in repr(token)
    assert [name for name in dir(KeyInToken(token, "name")) if not name.startswith("_")] == ["sign"]


# Two people


@pytest.mark.django_db
def test_rotation_takes_two_and_prints_nothing_again(
    marks: list[Mark], signing_key: SigningKey, authority_head: User, administrator: User, client: Client, now: datetime
) -> None:
    texts = [to_text(bytes(mark.payload), bytes(mark.signature)) for mark in marks]
    fresh = create_key(actor=administrator, at=now)
    asked = ask_key_act(actor=administrator, at=now, key=fresh, kind="use", reason=REASON)
    with pytest.raises(NotAllowed):
        decide_key_act(actor=administrator, at=now, request=asked, approve=True)
    assert signing_key_in_use()[0] == signing_key

    decide_key_act(actor=authority_head, at=now, request=asked, approve=True)

    assert signing_key_in_use()[0] == fresh
    published = {key["id"]: key for key in client.get("/m/keys.json").json()["keys"]}
    assert published[signing_key.pk]["state"] == "retired"
    keys = {bytes.fromhex(pk): base64.b64decode(key["public_key"]) for pk, key in published.items()}
    for text in texts:
        verify(read(text), keys)
        assert check_text(text, own_hosts=[]).verdict == Verdict.GENUINE
    assert {"key.act_asked", "key.act_approved", "key.retired", "key.taken_into_use"} <= set(
        Event.objects.values_list("verb", flat=True)
    )


@pytest.mark.django_db
def test_marks_of_a_compromised_key_are_checked_online_only(
    marks: list[Mark], signing_key: SigningKey, authority_head: User, administrator: User, client: Client, now: datetime
) -> None:
    asked = ask_key_act(actor=authority_head, at=now, key=signing_key, kind="compromise", reason=REASON)
    fresh = create_key(actor=administrator, at=now)
    use = ask_key_act(actor=authority_head, at=now, key=fresh, kind="use", reason=REASON)
    decide_key_act(actor=administrator, at=now, request=use, approve=True)
    before = make_edition(at=now)
    assert status_in(bytes(before.full or b""), marks[0].pk) == Status.IN_ORDER

    decide_key_act(actor=administrator, at=now, request=asked, approve=True)

    text = to_text(bytes(marks[0].payload), bytes(marks[0].signature))
    answer = check_text(text, own_hosts=[])
    assert (answer.verdict, answer.reasons, answer.signed) == (
        Verdict.GENUINE_BUT,
        (Reason.KEY_COMPROMISED,),
        False,
    )
    assert check_text(marks[0].pk, own_hosts=[]).verdict == Verdict.GENUINE
    (published,) = [key for key in client.get("/m/keys.json").json()["keys"] if key["id"] == signing_key.pk]
    assert published["state"] == "compromised"
    # A phone that has the snapshot and not yet the list of keys asks too.
    after = make_edition(at=now)
    assert status_in(bytes(after.full or b""), marks[0].pk) == Status.ASK


@pytest.mark.django_db
def test_acts_on_keys_are_asked_in_their_states_only(
    signing_key: SigningKey, authority_head: User, administrator: User, inspector: User, now: datetime
) -> None:
    ask: Callable[..., KeyRequest] = lambda **given: ask_key_act(  # noqa: E731
        **{"actor": administrator, "at": now, "key": signing_key, "kind": "compromise", "reason": REASON, **given}
    )
    with pytest.raises(NotAllowed):
        ask(actor=inspector)
    with pytest.raises(BadInput):
        ask(reason="aaaaaaaaaaaaaaaa")
    with pytest.raises(InvalidTransition):
        ask(kind="use")
    asked = ask()
    with pytest.raises(InvalidTransition):
        ask()
    with pytest.raises(NotAllowed):
        decide_key_act(actor=inspector, at=now, request=asked, approve=True)
    decide_key_act(actor=authority_head, at=now, request=asked, approve=False)
    with pytest.raises(InvalidTransition):
        decide_key_act(actor=authority_head, at=now, request=asked, approve=True)
    signing_key.refresh_from_db()
    assert signing_key.state == SigningKey.State.IN_USE


@pytest.mark.django_db
def test_the_database_knows_where_a_key_is_and_who_decided(
    signing_key: SigningKey, administrator: User, now: datetime
) -> None:
    def refused(act: Callable[[], object]) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            act()

    refused(lambda: SigningKey.objects.filter(pk=signing_key.pk).update(storage="file", place="x"))
    new = {"id": "00000001", "public_key": b"1" * 32, "created_at": now}
    refused(lambda: SigningKey.objects.create(**new))
    refused(lambda: SigningKey.objects.create(**new, storage="file"))
    refused(lambda: SigningKey.objects.create(**new, storage="token", place="x", sealed_private_key=b"x"))
    asked = ask_key_act(actor=administrator, at=now, key=signing_key, kind="compromise", reason=REASON)
    rows = KeyRequest.objects.filter(pk=asked.pk)
    refused(rows.delete)
    refused(lambda: rows.update(reason="Another"))
    refused(lambda: rows.update(state="approved"))
    refused(lambda: rows.update(state="approved", decided_by=administrator, decided_at=now))


@pytest.mark.django_db
def test_the_pages_of_keys(
    signing_key: SigningKey, authority_head: User, administrator: User, auditor: User, inspector: User, client: Client
) -> None:
    client.force_login(administrator)
    assert client.post("/keys/make/", {"password": "wrong"}).status_code == 422
    assert client.post("/keys/make/", {"password": PASSWORD}).status_code == 302
    fresh = SigningKey.objects.get(state="created")
    ask = f"/keys/{fresh.pk}/use/"
    assert client.get(ask).status_code == 200
    assert client.post(ask, {"reason": REASON, "password": "wrong"}).status_code == 422
    assert client.post(ask, {"reason": REASON, "password": PASSWORD}).status_code == 302
    asked = KeyRequest.objects.get()
    decide = f"/keys/requests/{asked.pk}/"
    assert client.post(decide, {"approve": "yes", "password": PASSWORD}).status_code == 422
    client.force_login(authority_head)
    assert REASON in client.get("/keys/").content.decode()
    assert client.get(decide).status_code == 200
    assert client.post(decide, {"approve": "yes", "password": PASSWORD}).status_code == 302
    assert signing_key_in_use()[0] == fresh
    assert client.get("/keys/0/nothing/").status_code == 404
    client.force_login(auditor)
    assert client.get("/keys/").status_code == 200
    assert client.get("/keys/make/").status_code == 403
    listed = client.get("/api/v1/keys/").json()["results"]
    assert {key["id"]: key["state"] for key in listed} == {signing_key.pk: "retired", fresh.pk: "in_use"}
    client.force_login(inspector)
    assert client.get("/keys/").status_code == 403
    assert client.get("/api/v1/keys/").status_code == 403

"""The snapshot: it says of every mark what the public check says, gives away no code, and cannot be forged."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import DatabaseError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from core.accounts.models import Organisation, User
from ledger.models import Hold
from ledger.services import place_hold
from marking.codes import from_number, new_code
from marking.keyring import Signer
from marking.models import Mark, SigningKey, Snapshot
from marking.payload import key_id_of
from marking.selectors import Reason, check_text, reasons_of
from marking.services.keys import signing_key_in_use
from marking.services.snapshots import STATUSES, collect_state, make_edition
from marking.services.stock import make_series, order_series
from marking.snapshots import (
    RECORD_BYTES,
    Found,
    SnapshotError,
    State,
    Status,
    apply_changes,
    changes_between,
    head_of,
    look_up,
    read_snapshot,
    write_snapshot,
)
from tests.marks import end_mark, print_again

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = SIGNER.public_key().public_bytes_raw()
KEYS = {key_id_of(PUBLIC): PUBLIC}
IN_STORE: dict[str, Any] = {"state": "active", "is_bound": True, "place": "store", "decided": None}
MADE = datetime.fromisoformat("2026-11-23T08:00:00+00:00")


def state_of(statuses: Mapping[str, Status], prints: Mapping[str, int] | None = None) -> State:
    records = sorted(head_of(code)[:4] + bytes([head_of(code)[4] | status]) for code, status in statuses.items())
    return State(
        b"".join(records), b"".join(sorted(head_of(code) + bytes([count]) for code, count in (prints or {}).items()))
    )


def written(brings: State, after: State, *, edition: int = 2, base: int = 0) -> bytes:
    return write_snapshot(
        brings, edition=edition, base=base, made_at=MADE, sha256=after.sha256, key_id=key_id_of(PUBLIC), signer=SIGNER
    )


def test_it_finds_every_mark_and_no_other() -> None:
    draw = Random(5)
    statuses = {from_number(draw.getrandbits(55)): draw.choice(list(Status)) for _ in range(3_000)}
    again = dict.fromkeys(list(statuses)[:40], 3)
    state = read_snapshot(written(state_of(statuses, again), state_of(statuses, again)), KEYS).brings

    assert len(state) == 3_000
    for code, status in statuses.items():
        found = look_up(state, code)
        assert found is not None
        assert (found.status, found.generation) == (status, again.get(code, 1))
    assert not any(look_up(state, new_code()) for _ in range(1_000))
    assert look_up(State(), new_code()) is None


def test_changes_lead_to_the_next_edition_and_to_no_other() -> None:
    codes = [new_code() for _ in range(200)]
    before = state_of(dict.fromkeys(codes[:150], Status.IN_ORDER), {codes[0]: 2})
    after = state_of(
        dict.fromkeys(codes, Status.IN_ORDER) | dict.fromkeys(codes[:9], Status.LOST), {codes[0]: 3, codes[1]: 2}
    )
    changes = changes_between(before, after)
    read = read_snapshot(written(changes, after, base=1), KEYS)

    assert len(changes) == 59
    assert apply_changes(before, read) == after
    with pytest.raises(SnapshotError):
        apply_changes(State(), read)


def test_no_bit_of_it_can_be_changed() -> None:
    state = state_of({new_code(): Status.EXPORTED for _ in range(3)})
    content = written(state, state)

    for at in range(len(content) * 8):
        forged = bytearray(content)
        forged[at // 8] ^= 1 << at % 8
        with pytest.raises(SnapshotError):
            read_snapshot(bytes(forged), KEYS)
    with pytest.raises(SnapshotError):
        read_snapshot(content, {})


@given(st.binary(max_size=400))
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(SnapshotError):
        read_snapshot(content, KEYS)


@pytest.mark.django_db
def test_every_hold_is_told_or_hidden_on_purpose() -> None:
    hidden = [kind for kind in Hold.Kind if not reasons_of(**IN_STORE, holds=[kind])]

    assert hidden == [Hold.Kind.PROCESSING, Hold.Kind.IN_TRANSIT]


def test_evidence_is_not_told_from_other_holds() -> None:
    """Whoever subtracts two editions would learn of a seizure, and of how many, within the hour."""
    holds = {STATUSES[reason] for reason in (Reason.EVIDENCE, Reason.COURT, Reason.DISPUTE, Reason.TO_RETURN)}

    assert holds == {Status.HELD}
    assert Status.EVIDENCE not in STATUSES.values()


def test_every_reason_has_a_status() -> None:
    assert set(STATUSES) == set(Reason) - {Reason.OLD_COPY, Reason.KEY_COMPROMISED}


@pytest.mark.django_db
def test_it_says_what_the_public_check_says(
    marks: list[Mark], blank: Mark, inspector: User, authority_officer: User, now: datetime
) -> None:
    place_hold(
        actor=inspector, at=now, item_ids=[marks[1].item.pk], kind=Hold.Kind.DISPUTE, reference="Claimed by another"
    )
    end_mark(marks[2], "void", asker=inspector, approver=authority_officer, at=now)
    print_again(marks[3], b"new", b"new", asker=inspector, approver=authority_officer, at=now)
    state = collect_state()

    for mark in [*marks, blank]:
        mark.refresh_from_db()
        reasons = check_text(mark.code, own_hosts=()).reasons
        found = look_up(state, mark.code)
        assert found is not None
        assert found.status == (STATUSES[reasons[0]] if reasons else Status.IN_ORDER)
        assert found.generation == mark.generation
    assert len(state) == Mark.objects.count()


@pytest.mark.django_db
def test_editions_follow_each_other(marks: list[Mark], inspector: User, now: datetime, client: Client) -> None:
    first = make_edition(at=now)
    place_hold(actor=inspector, at=now, item_ids=[marks[1].item.pk], kind=Hold.Kind.DISPUTE, reference="Claimed")
    make_edition(at=now + timedelta(hours=1))
    make_edition(at=now + timedelta(hours=2))
    with transaction.atomic():
        key, _signer = signing_key_in_use()
    keys = {bytes.fromhex(key.pk): bytes(key.public_key)}

    index = client.get("/m/snapshot.json").json()
    assert (index["edition"], index["marks"], index["changes_from"]) == (3, len(marks), 2)
    full = client.get(index["full"])
    assert client.get(index["full"], headers={"If-None-Match": full["ETag"]}).status_code == 304
    last = read_snapshot(full.content, keys)
    assert last.sha256.hex() == index["sha256"]
    state = read_snapshot(bytes(first.full or b""), keys).brings
    for edition in (2, 3):
        state = apply_changes(state, read_snapshot(client.get(f"/m/snapshot/{edition}.bin").content, keys))
    assert state == last.brings
    assert look_up(state, marks[1].code).status == Status.HELD  # type: ignore[union-attr]
    assert client.get("/m/snapshot/1.bin").status_code == 404
    assert Snapshot.objects.exclude(full=None).get().edition == 3


@pytest.mark.django_db
def test_it_has_no_room_for_more_than_five_bytes_a_mark(marks: list[Mark]) -> None:
    assert len(collect_state().records) == RECORD_BYTES * len(marks)


@pytest.mark.django_db
def test_marks_that_share_their_bits_are_asked_about_online(
    signing_key: SigningKey, authority_officer: User, storekeeper: User, okhotzooprom: Organisation, now: datetime
) -> None:
    """Found by search: the hashes of these two codes begin with the same 36 bits."""
    pair = ("00017F7GEVST", "00069MGMN5TK")
    series = order_series(
        actor=authority_officer,
        at=now,
        office=okhotzooprom,
        printer=okhotzooprom,
        purpose="Season",
        profile="a4-65",
        reel_count=1,
        reel_size=3,
    )
    make_series(actor=storekeeper, at=now, series=series, codes=iter((*pair, "7H4Q9TX2MW8H")))
    state = collect_state()

    assert len(state) == 2
    assert [found.status for code in pair if (found := look_up(state, code))] == [Status.ASK, Status.ASK]
    assert look_up(state, "7H4Q9TX2MW8H") == Found(Status.BLANK, 1)


@pytest.mark.django_db
def test_the_database_keeps_an_edition_as_it_was(marks: list[Mark], now: datetime) -> None:
    made = make_edition(at=now)
    rows = Snapshot.objects.filter(pk=made.pk)

    for change in ({"sha256": "0" * 64}, {"marks": 0}, {"full": b"forged"}, {"made_at": now + timedelta(days=1)}):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**change)


def test_collecting_a_million_marks_keeps_nobody_from_declaring_a_key_compromised(
    marks: list[Mark], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock on the key is taken for signing alone, after everything was collected."""
    order: list[str] = []

    def collect() -> State:
        order.append("collected")
        return collect_state()

    def take_key() -> tuple[SigningKey, Signer]:
        order.append("key")
        return signing_key_in_use()

    monkeypatch.setattr("marking.services.snapshots.collect_state", collect)
    monkeypatch.setattr("marking.services.snapshots.signing_key_in_use", take_key)
    make_edition(at=now)

    assert order == ["collected", "key"]


def test_a_lost_label_is_lost_in_the_snapshot_too() -> None:
    assert (STATUSES[Reason.LABEL_LOST], STATUSES[Reason.TO_RETURN]) == (Status.LOST, Status.HELD)

"""The state of all marks in one small signed file, for phones that have no network. No Django in here.

Layout, version 1, big-endian; docs/marks.md has test vectors:

    4 bytes  "SGS1"
    1 byte   0 = all marks, 1 = what changed since another edition
    4 bytes  edition, from 1
    4 bytes  the edition that the changes go upon; 0 for all marks
    8 bytes  when it was made, seconds since 1970-01-01 UTC
    4 bytes  key id, as in marks
    4 bytes  how many records; 4 bytes how many prints
    32 bytes SHA-256 of the records and prints of all marks in this edition
    records  5 bytes each, in order: the first 36 bits of SHA-256 of the code, then 4 bits of status
    prints   6 bytes each, in order: the same 36 bits, 4 bits of 0, one byte generation; only of marks printed anew
    64 bytes Ed25519 signature over all bytes before it

Codes are hashed and cut, so that the file tells the state of a code that somebody has, and no code to somebody who has
none: each record fits half a million codes that were never issued. Two marks that share 36 bits, about seven pairs in
a million marks, become one record of status ASK.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from struct import Struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from marking.keyring import Signer
from marking.payload import SIGNATURE_BYTES

MAGIC = b"SGS1"
RECORD_BYTES = 5
PRINT_BYTES = 6
_LATEST = 2**32 - 1
_HEAD = Struct(">4sBIIQ4sII32s")


class Status(IntEnum):
    """What a record says of its mark; the numbers are part of the layout."""

    IN_ORDER = 0
    BLANK = 1
    REPLACED = 2
    VOID = 3
    SPOILED = 4
    LOST = 5
    DESTROYED = 6
    CONSUMED = 7
    WITHDRAWN = 8
    EVIDENCE = 9
    HELD = 10
    TO_DESTROY = 11
    EXPORTED = 12
    SOLD = 13
    RETURNED = 14
    ASK = 15


class SnapshotError(ValueError):
    """These bytes are no snapshot of ours, or do not go upon the edition at hand."""


@dataclass(frozen=True, slots=True)
class State:
    """All marks of one edition: records and prints as in the file."""

    records: bytes = b""
    prints: bytes = b""

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.records + self.prints).digest()

    def __len__(self) -> int:
        return len(self.records) // RECORD_BYTES


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file that was read: which edition, upon which other (0: none), made when, and what it brings."""

    edition: int
    base: int
    made_at: datetime
    key_id: bytes
    sha256: bytes
    brings: State


@dataclass(frozen=True, slots=True)
class Found:
    """What an edition says of a code: its status, and the generation of its last print."""

    status: Status
    generation: int


def head_of(code: str) -> bytes:
    """The five bytes by which records name a mark: 36 bits of SHA-256, then four bits of 0."""
    digest = hashlib.sha256(code.encode("ascii")).digest()
    return digest[:4] + bytes([digest[4] & 0xF0])


def write_snapshot(
    brings: State, *, edition: int, base: int, made_at: datetime, sha256: bytes, key_id: bytes, signer: Signer
) -> bytes:
    """The signed file: all marks when `base` is 0, else what changed. `sha256` is that of all marks afterwards."""
    head = _HEAD.pack(
        MAGIC,
        1 if base else 0,
        edition,
        base,
        int(made_at.timestamp()),
        key_id,
        len(brings),
        len(brings.prints) // PRINT_BYTES,
        sha256,
    )
    body = head + brings.records + brings.prints
    return body + signer.sign(body)


def read_snapshot(content: bytes, public_keys: Mapping[bytes, bytes]) -> Snapshot:
    """What the file says, once the holder of one of these keys (by key id) is seen to have signed it.

    Raises SnapshotError.
    """
    body, signature = content[:-SIGNATURE_BYTES], content[-SIGNATURE_BYTES:]
    snapshot = _take_apart(body)
    public_key = public_keys.get(snapshot.key_id)
    if public_key is None:
        raise SnapshotError("signed with an unknown key")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, body)
    except InvalidSignature:
        raise SnapshotError("the signature does not fit") from None
    if not snapshot.base and snapshot.brings.sha256 != snapshot.sha256:
        raise SnapshotError("the records do not fit their hash")
    return snapshot


def read_state(content: bytes) -> State:
    """What a file brings, for who keeps it himself: the signature is not looked at. Raises SnapshotError."""
    return _take_apart(content[:-SIGNATURE_BYTES]).brings


def _take_apart(body: bytes) -> Snapshot:
    if len(body) < _HEAD.size:
        raise SnapshotError("too short")
    magic, kind, edition, base, made_at, key_id, records, prints, sha256 = _HEAD.unpack_from(body)
    split = _HEAD.size + records * RECORD_BYTES
    if magic != MAGIC or kind != (1 if base else 0) or len(body) != split + prints * PRINT_BYTES:
        raise SnapshotError("not a snapshot of version 1")
    if made_at > _LATEST:
        raise SnapshotError("made in no time of ours")
    brings = State(body[_HEAD.size : split], body[split:])
    return Snapshot(edition, base, datetime.fromtimestamp(made_at, UTC), key_id, sha256, brings)


def changes_between(before: State, after: State) -> State:
    """The records and prints of `after` that `before` does not have. Marks never vanish."""
    return State(
        b"".join(sorted(set(_cut(after.records, RECORD_BYTES)) - set(_cut(before.records, RECORD_BYTES)))),
        b"".join(sorted(set(_cut(after.prints, PRINT_BYTES)) - set(_cut(before.prints, PRINT_BYTES)))),
    )


def apply_changes(state: State, changes: Snapshot) -> State:
    """All marks after these changes. Raises SnapshotError when they do not lead to what was signed."""
    records = {_head(record): record for record in _cut(state.records, RECORD_BYTES)}
    records |= {_head(record): record for record in _cut(changes.brings.records, RECORD_BYTES)}
    prints = {entry[:RECORD_BYTES]: entry for entry in _cut(state.prints, PRINT_BYTES)}
    prints |= {entry[:RECORD_BYTES]: entry for entry in _cut(changes.brings.prints, PRINT_BYTES)}
    after = State(
        b"".join(records[head] for head in sorted(records)), b"".join(prints[head] for head in sorted(prints))
    )
    if after.sha256 != changes.sha256:
        raise SnapshotError("the changes do not go upon this edition")
    return after


def look_up(state: State, code: str) -> Found | None:
    """What the edition says of this code; None when no mark has it."""
    head = head_of(code)
    record = _search(state.records, RECORD_BYTES, head)
    if record is None or _head(record) != head:
        return None
    entry = _search(state.prints, PRINT_BYTES, head)
    is_printed_anew = entry is not None and entry[:RECORD_BYTES] == head
    return Found(Status(record[4] & 0x0F), entry[RECORD_BYTES] if entry and is_printed_anew else 1)


def _search(rows: bytes, width: int, head: bytes) -> bytes | None:
    """The first row that is not below `head`."""
    count = len(rows) // width
    place = bisect_left(range(count), head, key=lambda row: rows[row * width : row * width + width])
    return rows[place * width : place * width + width] if place < count else None


def _head(record: bytes) -> bytes:
    return record[:4] + bytes([record[4] & 0xF0])


def _cut(rows: bytes, width: int) -> list[bytes]:
    return [rows[at : at + width] for at in range(0, len(rows), width)]

"""Editions of the snapshot that phones check marks against without network."""

from datetime import datetime, timedelta
from functools import lru_cache, partial

from django.db import connection, transaction

from core.audit.services import record
from marking.models import Snapshot
from marking.selectors import DECIDED_SQL, HOLDS_SQL, Reason, reasons_of
from marking.services.keys import signing_key_in_use
from marking.snapshots import PRINT_BYTES, RECORD_BYTES, State, Status, changes_between, read_state, write_snapshot

# What an edition changed is kept so long; who is further behind fetches all marks.
CHANGES_KEPT = timedelta(days=60)

STATUSES: dict[Reason, Status] = {
    Reason.REPLACED: Status.REPLACED,
    Reason.VOID: Status.VOID,
    Reason.SPOILED: Status.SPOILED,
    Reason.BLANK: Status.BLANK,
    Reason.LOST: Status.LOST,
    Reason.DESTROYED: Status.DESTROYED,
    Reason.CONSUMED: Status.CONSUMED,
    Reason.WITHDRAWN: Status.WITHDRAWN,
    # Evidence is not told from other holds: whoever subtracts editions would learn of each seizure within the hour.
    Reason.EVIDENCE: Status.HELD,
    Reason.COURT: Status.HELD,
    Reason.DISPUTE: Status.HELD,
    Reason.TO_DESTROY: Status.TO_DESTROY,
    Reason.LABEL_LOST: Status.LOST,
    Reason.TO_RETURN: Status.HELD,
    Reason.COPIED: Status.ASK,
    Reason.EXPORTED: Status.EXPORTED,
    Reason.SOLD: Status.SOLD,
    Reason.RETURNED: Status.RETURNED,
}


@transaction.atomic
def make_edition(*, at: datetime) -> Snapshot:
    """The state of all marks at this moment, signed, and what changed since the edition before.

    Made also when nothing changed: an edition says how fresh the knowledge is. One at a time. Raises NoSigningKey.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE marking_snapshot IN SHARE ROW EXCLUSIVE MODE")
    last = Snapshot.objects.order_by("-edition").first()
    edition = last.edition + 1 if last else 1
    before = read_state(bytes(last.full)) if last and last.full else State()
    after = collect_state()
    # Only now: while a million marks are collected a key can be declared compromised.
    key, signer = signing_key_in_use()
    write = partial(
        write_snapshot, edition=edition, made_at=at, sha256=after.sha256, key_id=bytes.fromhex(key.pk), signer=signer
    )
    changes = write(changes_between(before, after), base=last.edition) if last else b""
    if last:
        Snapshot.objects.filter(pk=last.pk).update(full=None)
    made = Snapshot.objects.create(
        edition=edition,
        made_at=at,
        key=key,
        marks=len(after),
        sha256=after.sha256.hex(),
        full=write(after, base=0),
        changes=changes,
    )
    Snapshot.objects.filter(made_at__lt=at - CHANGES_KEPT, full=None).delete()
    record("snapshot.made", actor=None, at=at, subject=("snapshot", edition), marks=len(after), sha256=made.sha256)
    return made


def collect_state() -> State:
    """Every mark with what is gravest of it, as records and prints: one statement, one moment."""
    records, prints = bytearray(), bytearray()
    with connection.cursor() as cursor:
        cursor.execute(_STANDING)
        while rows := cursor.fetchmany(20_000):
            for digest, generation, *facts in rows:
                head = digest[:4] + bytes([digest[4] & 0xF0])
                status = _status_of(*facts)
                if records[-RECORD_BYTES:-1] == head[:4] and records[-1] & 0xF0 == head[4]:
                    del records[-RECORD_BYTES:]
                    status = Status.ASK
                records += head[:4] + bytes([head[4] | status])
                if generation > 1 and prints[-PRINT_BYTES:-1] != head:
                    prints += head + bytes([generation])
    return State(bytes(records), bytes(prints))


# Holds and decisions are looked up only for what is held at all: most of a million marks are on goods in order.
_STANDING = f"""
    SELECT substr(sha256(m.code::bytea), 1, {RECORD_BYTES}), m.generation, m.state, m.derivative_id IS NOT NULL,
        coalesce(a.kind, CASE WHEN consumed.item_id IS NOT NULL THEN 'processing' END),
        CASE WHEN held.item_id IS NOT NULL THEN array_to_string({HOLDS_SQL}, ' ') ELSE '' END,
        CASE WHEN held.item_id IS NOT NULL THEN {DECIDED_SQL} END,
        copied.mark_id IS NOT NULL, k.state = 'compromised'
    FROM marking_mark m
    JOIN marking_signingkey k ON k.id = m.key_id
    LEFT JOIN ledger_holding h ON h.item_id = m.derivative_id AND h.pieces > 0
    LEFT JOIN ledger_custodyaccount a ON a.id = h.account_id
    LEFT JOIN (SELECT DISTINCT item_id FROM ledger_hold WHERE lifted_at IS NULL) held ON held.item_id = m.derivative_id
    LEFT JOIN (SELECT DISTINCT item_id FROM registry_processinginput WHERE mass_g IS NOT NULL) consumed
        ON consumed.item_id = m.derivative_id
    LEFT JOIN (
        SELECT c.mark_id, max(c.generation) AS generation
        FROM marking_copyalert c JOIN notices_notice n ON n.id = c.notice_id
        WHERE (c.stands AND n.state <> 'decided') OR n.outcome = 'copied' GROUP BY c.mark_id
    ) copied ON copied.mark_id = m.code AND copied.generation >= m.generation
    ORDER BY 1
"""  # noqa: S608  constants of this house


@lru_cache(maxsize=4096)
def _status_of(
    state: str, is_bound: bool, place: str | None, holds: str, decided: str | None, is_copied: bool, no_proof: bool
) -> Status:
    reasons = reasons_of(
        state=state, is_bound=is_bound, place=place, holds=holds.split(), decided=decided, is_copied=is_copied
    )
    if not reasons:
        # Whoever has a compromised key can sign such a label anew; only the registry knows more.
        return Status.ASK if no_proof else Status.IN_ORDER
    return STATUSES.get(reasons[0], Status.ASK)

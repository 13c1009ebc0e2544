"""Editions of the snapshot that phones check marks against without network."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial

from django.db import connection, transaction

from core.audit.services import record
from ledger.models import AccountKind
from marking.models import Snapshot
from marking.selectors import BY_HOLD, BY_PLACE, BY_STATE, IN_ORDER, Reason
from marking.services.keys import signing_key_in_use
from marking.snapshots import State, Status, changes_between, read_state, write_snapshot

# What an edition changed is kept so long; who is further behind fetches all marks.
CHANGES_KEPT = timedelta(days=60)

STATUSES: dict[Reason, Status] = {
    Reason.REPLACED: Status.REPLACED,
    Reason.VOID: Status.VOID,
    Reason.SPOILED: Status.SPOILED,
    Reason.LABEL_LOST: Status.SPOILED,
    Reason.BLANK: Status.BLANK,
    Reason.LOST: Status.LOST,
    Reason.DESTROYED: Status.DESTROYED,
    Reason.CONSUMED: Status.CONSUMED,
    Reason.WITHDRAWN: Status.WITHDRAWN,
    Reason.EVIDENCE: Status.EVIDENCE,
    Reason.COURT: Status.HELD,
    Reason.DISPUTE: Status.HELD,
    Reason.TO_DESTROY: Status.TO_DESTROY,
    Reason.TO_RETURN: Status.HELD,
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
    key, signer = signing_key_in_use()
    last = Snapshot.objects.order_by("-edition").first()
    edition = last.edition + 1 if last else 1
    before = read_state(bytes(last.full)) if last and last.full else State()
    after = collect_state()
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
    """Every mark with its gravest status, as records and prints: one statement, one moment."""
    ranks = {reason: rank for rank, reason in enumerate(Reason)}
    statuses = [int(STATUSES.get(reason, Status.ASK)) for reason in Reason]
    by_state = _ranked(BY_STATE, ranks)
    by_hold = _ranked(BY_HOLD, ranks)
    elsewhere = {kind.value: BY_PLACE.get(kind, Reason.WITHDRAWN) for kind in AccountKind if kind not in IN_ORDER}
    by_place = _ranked(elsewhere, ranks)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH state_rank(state, rank) AS (SELECT * FROM unnest(%s::text[], %s::int[])),
            hold_rank(kind, rank) AS (SELECT * FROM unnest(%s::text[], %s::int[])),
            place_rank(kind, rank) AS (SELECT * FROM unnest(%s::text[], %s::int[])),
            held AS (
                SELECT h.item_id, min(r.rank) AS rank FROM ledger_hold h JOIN hold_rank r USING (kind)
                WHERE h.lifted_at IS NULL GROUP BY h.item_id
            ),
            standing AS (
                SELECT h.item_id, a.kind FROM ledger_holding h
                JOIN ledger_custodyaccount a ON a.id = h.account_id WHERE h.pieces > 0
            ),
            consumed AS (SELECT DISTINCT item_id FROM registry_processinginput WHERE mass_g IS NOT NULL),
            graded AS (
                SELECT substr(sha256(m.code::bytea), 1, 5) AS digest, m.generation, least(
                    s.rank, held.rank,
                    CASE WHEN m.derivative_id IS NULL THEN NULL
                        WHEN standing.item_id IS NOT NULL THEN p.rank
                        WHEN consumed.item_id IS NOT NULL THEN %s
                        ELSE %s END
                ) AS rank
                FROM marking_mark m
                LEFT JOIN state_rank s ON s.state = m.state
                LEFT JOIN held ON held.item_id = m.derivative_id
                LEFT JOIN standing ON standing.item_id = m.derivative_id
                LEFT JOIN place_rank p ON p.kind = standing.kind
                LEFT JOIN consumed ON consumed.item_id = m.derivative_id
            ),
            told AS (
                SELECT set_byte(digest, 4, get_byte(digest, 4) & 240) AS head, generation,
                    coalesce((%s::int[])[rank + 1], 0) AS status
                FROM graded
            ),
            one AS (
                SELECT head, max(generation) AS generation,
                    CASE WHEN count(*) > 1 THEN %s ELSE min(status) END AS status
                FROM told GROUP BY head
            )
            SELECT
                string_agg(set_byte(head, 4, get_byte(head, 4) | status), ''::bytea ORDER BY head),
                string_agg(head || set_byte(' '::bytea, 0, generation), ''::bytea ORDER BY head)
                    FILTER (WHERE generation > 1)
            FROM one
            """,
            [
                *by_state,
                *by_hold,
                *by_place,
                ranks[Reason.CONSUMED],
                ranks[Reason.WITHDRAWN],
                statuses,
                int(Status.ASK),
            ],
        )
        records, prints = next(iter(cursor.fetchall()))
    return State(bytes(records or b""), bytes(prints or b""))


def _ranked(reasons: Mapping[str, Reason], ranks: dict[Reason, int]) -> Iterator[list[object]]:
    yield list(reasons)
    yield [ranks[reason] for reason in reasons.values()]

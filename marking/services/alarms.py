"""Alarms from checks of no mark: codes that were never issued, codes computed from the snapshot, forged symbols.

Each is one notice to the authority while it is open; what is counted lies after the last decision. None says anything
of a mark, which anybody could bring into disrepute by asking for it.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection

from core.accounts.models import Organisation
from core.base.clock import ALMATY, day_of
from core.notices.models import Notice
from core.notices.services import raise_notice
from core.rules.models import RuleCode
from core.rules.selectors import NoRuleInForce, in_force
from marking.codes import group
from marking.models import Mark, Snapshot
from marking.snapshots import State, look_up, read_state

COMPUTED = "check.computed"
MOST_CODES = 20_000  # that are held against the snapshot at one look
NAMED = 8  # codes and regions that a sentence names
NOWHERE = "—"

_STRANGE = """
    SELECT verdict, code, max(at) FROM marking_check
    WHERE recorded_at > %s AND recorded_at <= %s AND verdict IN ('unknown', 'forged') AND NOT is_repeat
    GROUP BY verdict, code ORDER BY verdict, max(at) DESC LIMIT %s
"""
# Nothing is recorded before it happened.
_COUNTED = """
    SELECT count(*), max(at), (array_agg(DISTINCT code) FILTER (WHERE code <> ''))[1:%(named)s]
    FROM marking_check
    WHERE recorded_at > %(after)s AND at > %(after)s AND verdict = %(verdict)s AND NOT is_repeat
"""
_WHERE = """
    SELECT r.name_kk FROM marking_check c CROSS JOIN unnest(c.regions) AS seen (code)
    JOIN accounts_region r ON r.code = seen.code
    WHERE c.recorded_at > %(after)s AND c.at > %(after)s AND c.verdict = %(verdict)s AND NOT c.is_repeat
    GROUP BY r.name_kk ORDER BY count(*) DESC, r.name_kk LIMIT %(named)s
"""


def raise_alarms(*, since: datetime, until: datetime, authority: Organisation, at: datetime) -> list[Notice]:
    """What the checks that were recorded in this time say beside copies; under the lock of the watch for copies."""
    with connection.cursor() as cursor:
        cursor.execute(_STRANGE, [since, until, MOST_CODES])
        strange = cursor.fetchall()
    if not strange:
        return []
    unknown = {code: seen_at for verdict, code, seen_at in strange if verdict == "unknown"}
    forged = [seen_at for verdict, _code, seen_at in strange if verdict == "forged"]
    raised = []
    if unknown:
        raised.append(_of_rate(RuleCode.CHECK_UNKNOWN, "unknown", "minutes", max(unknown.values()), authority, at))
        raised.append(_of_computed(unknown, authority, at))
    if forged:
        raised.append(_of_rate(RuleCode.CHECK_FORGED, "forged", "days", max(forged), authority, at))
    return [notice for notice in raised if notice is not None]


def _of_rate(
    rule: RuleCode, verdict: str, unit: str, latest: datetime, authority: Organisation, at: datetime
) -> Notice | None:
    """Those of the time before the latest that the rule names."""
    try:
        value = in_force(rule, day_of(at)).value
    except NoRuleInForce:
        return None
    last = _last(rule)
    if last is not None and last.is_open:
        return None
    after = latest - timedelta(**{unit: value[unit]})
    if last is not None and last.decided_at is not None:
        after = max(after, last.decided_at)
    with connection.cursor() as cursor:
        asked: dict[str, Any] = {"after": after, "verdict": verdict, "named": NAMED}
        cursor.execute(_COUNTED, asked)
        count, ended, codes = cursor.fetchone()
        if count < value["checks"]:
            return None
        cursor.execute(_WHERE, asked)
        places = [name for (name,) in cursor.fetchall()]
    return _raise(
        rule,
        authority,
        at,
        count=count,
        ended=ended,
        labels=_named(codes or []),
        places=", ".join(places) or NOWHERE,
        **{unit: value[unit]},
    )


def _of_computed(unknown: dict[str, datetime], authority: Organisation, at: datetime) -> Notice | None:
    """A code nobody issued shares its 36 bits with a mark once in a hundred thousand times or less: it was computed."""
    last = _last(COMPUTED)
    if last is not None and last.is_open:
        return None
    after = last.decided_at if last is not None else None
    edition = Snapshot.objects.exclude(full=None).order_by("-edition").values_list("pk", flat=True).first()
    if edition is None:
        return None
    state = _state_of(edition)
    alike = [code for code in unknown if (after is None or unknown[code] > after) and look_up(state, code)]
    # Asked for a moment before it was issued: no computed one.
    issued = set(Mark.objects.filter(pk__in=alike).values_list("pk", flat=True)) if alike else set()
    computed = [code for code in alike if code not in issued]
    if not computed:
        return None
    ended = max(unknown[code] for code in computed)
    return _raise(COMPUTED, authority, at, count=len(computed), ended=ended, labels=_named(computed))


@lru_cache(maxsize=1)
def _state_of(edition: int) -> State:
    """All marks of the newest edition, fetched once an hour: five megabytes of a million marks."""
    full = Snapshot.objects.values_list("full", flat=True).get(pk=edition)
    return read_state(bytes(full or b""))


def _last(code: str) -> Notice | None:
    return Notice.objects.filter(code=code).order_by("-pk").first()


def _named(codes: list[str]) -> str:
    return ", ".join(group(code) for code in codes[:NAMED]) or NOWHERE


def _raise(code: str, authority: Organisation, at: datetime, *, ended: datetime, **facts: Any) -> Notice:
    return raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code=str(code),
        organisation=authority,
        subject=("organisation", authority.pk),
        ended=ended.astimezone(ALMATY).strftime("%d.%m.%Y %H:%M"),
        **facts,
    )

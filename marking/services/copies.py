"""Telling copies from checks: each rule one statement over all marks that were checked since the last look.

What a rule counts lies after the last decision on an alert of the same mark and rule, and an alert that is open is not
raised again: each finding is told once.

Anybody can type a code and invent a place, so each rule looks twice: first at what weighs, checks by bodies of the
State and symbols that the public scanned and said where; what it finds there, of a body of the State or of two visitors
at least, stands and is told to everybody. Then at all checks: what it finds there is a question to the authority. When
one rule finds many marks in a day, somebody may be making them up: they share one notice and none of them stands.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from core.accounts.models import Organisation
from core.base.clock import ALMATY, day_of
from core.notices.models import Notice
from core.notices.services import raise_notice
from core.rules.models import RuleCode
from core.rules.selectors import NoRuleInForce, in_force
from marking.codes import group
from marking.models import CopyAlert, CopyEvidence, CopyWatch, Mark
from marking.services.alarms import raise_alarms

EVIDENCE = 50  # the latest checks that an alert names at most
BACK_TO = datetime(2000, 1, 1, tzinfo=UTC)
FLOOD = "copy.flood"  # what is said when one rule finds many marks
MANY_MARKS = 10  # of one rule within a day; more are a flood
NAMED = 8
ABROAD = "copy.abroad"  # what the rule of stores says of a place outside the country
ROUNDED_KM = 15  # two places, each rounded to a tenth of a degree, may be so much nearer


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found of one mark: the checks, the latest first, and what its sentence says."""

    code: str
    at: datetime
    checks: list[Any]
    facts: Mapping[str, Any]
    is_abroad: bool = False


# The marks in question: what was checked since the last look.
_TOUCHED = """
    SELECT DISTINCT c.code FROM marking_check c JOIN marking_mark m ON m.code = c.code
    WHERE c.recorded_at > %s AND c.recorded_at <= %s AND c.verdict <> 'forged'
"""
# Whoever holds a label can scan it; who asks by a program says any place.
WEIGHS = """(c.organisation_id IS NOT NULL OR (
    c.is_signed AND c.who = 'public' AND c.channel <> 'api' AND (c.lat IS NOT NULL OR cardinality(c.regions) > 0)
))"""
# All their checks that this rule has not judged yet; when asked for what stands, those that weigh. What only typed
# codes said hides nothing of it. A forged symbol says nothing of the label whose code it names.
_SEEN = f"""
    SELECT c.*, c.who = 'public' AND NOT c.is_repeat AS counts, m.derivative_id, m.state, m.issued_at, m.ended_at
    FROM touched t JOIN marking_check c ON c.code = t.code JOIN marking_mark m ON m.code = t.code
    LEFT JOIN LATERAL (
        SELECT bool_or(n.state <> 'decided' AND covers.it) AS is_open, max(n.decided_at) AS decided_at,
            max(a."on") FILTER (WHERE covers.it) AS told_on
        FROM marking_copyalert a JOIN notices_notice n ON n.id = a.notice_id,
            LATERAL (SELECT a.stands OR NOT %(stands)s
                OR (n.code = '{FLOOD}' AND n.params->'weighs' = 'true') AS it) covers
        WHERE a.mark_id = t.code AND a.rule = %(rule)s
    ) told ON true
    WHERE c.verdict <> 'forged' AND (NOT %(stands)s OR {WEIGHS}) AND told.is_open IS NOT TRUE
    AND (told.decided_at IS NULL OR c.at > told.decided_at)
    AND (told.told_on IS NULL OR (c.at AT TIME ZONE 'Asia/Almaty')::date > told.told_on)
"""  # noqa: S608
# One visitor alone may invent all places he says.
_VOUCHED = """(NOT %(stands)s OR bool_or(s.organisation_id IS NOT NULL)
    OR count(DISTINCT s.visitor) >= %(visitors)s)"""
_HELD = """
    JOIN ledger_holding h ON h.item_id = s.derivative_id AND h.pieces > 0
    JOIN ledger_custodyaccount a ON a.id = h.account_id
"""
_LATEST = "(array_agg(s.id ORDER BY s.at DESC))[1:%(most)s] AS checks"
_AT_THAT_TIME = """
    SELECT (array_agg(s.id ORDER BY s.at DESC))[1:%(most)s] FROM seen s
    WHERE s.code = m.code AND s.counts AND s.at <= m.at
"""


def _vouched_within(length: str) -> str:
    """The same of the checks that the latest of them ends."""
    return f"""(SELECT {_VOUCHED} FROM seen s
        WHERE s.code = m.code AND s.counts AND s.at BETWEEN m.at - make_interval({length}) AND m.at)"""  # noqa: S608


_RULES: dict[RuleCode, str] = {
    RuleCode.COPY_FAR: f"""
        , steps AS (
            SELECT code, id, at, lat::float, lon::float, lag(id) OVER w AS id0, lag(at) OVER w AS at0,
                lag(lat::float) OVER w AS lat0, lag(lon::float) OVER w AS lon0,
                coalesce(visitor <> lag(visitor) OVER w, false)
                    OR organisation_id IS NOT NULL OR lag(organisation_id) OVER w IS NOT NULL AS is_vouched
            FROM seen WHERE lat IS NOT NULL WINDOW w AS (PARTITION BY code ORDER BY at, id)
        ), apart AS (
            SELECT *, extract(epoch FROM at - at0) / 3600 AS hours, 12742 * asin(least(1, sqrt(
                sin(radians(lat - lat0) / 2) ^ 2
                + cos(radians(lat)) * cos(radians(lat0)) * sin(radians(lon - lon0) / 2) ^ 2))) AS km
            FROM steps WHERE id0 IS NOT NULL
        )
        SELECT DISTINCT ON (code) code, at, ARRAY[id, id0] AS checks, ARRAY[lat0, lon0] AS place, at0 AS began,
            ARRAY[lat, lon] AS target, at AS ended, km::int AS km, ceil(hours * 60)::int AS minutes
        FROM apart WHERE (NOT %(stands)s OR %(visitors)s < 2 OR is_vouched)
            AND km > %(km)s AND km - {ROUNDED_KM} > %(km_h)s * hours ORDER BY code, km DESC
    """,  # noqa: S608
    RuleCode.COPY_GONE: f"""
        SELECT s.code, max(s.at) AS at, {_LATEST}, count(*)::int AS count, max(s.at) AS ended,
            to_char(max(h.moved_on), 'DD.MM.YYYY') AS day
        FROM seen s {_HELD}
        WHERE CASE a.kind
            WHEN 'export' THEN cardinality(s.regions) > 0
                AND (s.at AT TIME ZONE 'Asia/Almaty')::date > h.moved_on + %(export_days)s
            WHEN 'destruction' THEN (s.at AT TIME ZONE 'Asia/Almaty')::date > h.moved_on + %(days)s
            WHEN 'processing' THEN (s.at AT TIME ZONE 'Asia/Almaty')::date > h.moved_on + %(days)s
            ELSE false END
        GROUP BY s.code HAVING {_VOUCHED}
    """,  # noqa: S608
    RuleCode.COPY_BLANK: f"""
        SELECT code, max(at) AS at, {_LATEST}, count(*)::int AS count, max(at) AS ended
        FROM seen s WHERE counts AND ((at < issued_at AND verdict = 'unknown')
            OR (is_signed AND reasons && ARRAY['blank', 'spoiled', 'label_lost']::varchar[]))
        GROUP BY code HAVING count(*) >= %(checks)s
    """,  # noqa: S608
    RuleCode.COPY_BURST: f"""
        , counted AS (
            SELECT code, at, count(*) OVER (PARTITION BY code ORDER BY at
                RANGE BETWEEN make_interval(mins => %(minutes)s) PRECEDING AND CURRENT ROW) AS count
            FROM seen WHERE counts
        ), most AS (
            SELECT DISTINCT ON (code) * FROM counted WHERE count >= %(checks)s ORDER BY code, count DESC, at
        )
        SELECT m.code, m.at, m.count::int, m.at AS ended, %(minutes)s::int AS minutes, ({_AT_THAT_TIME}) AS checks
        FROM most m WHERE {_vouched_within("mins => %(minutes)s")}
    """,  # noqa: S608
    RuleCode.COPY_MANY: f"""
        , counted AS (
            SELECT code, at, count(*) OVER (PARTITION BY code ORDER BY at
                RANGE BETWEEN make_interval(days => %(days)s) PRECEDING AND CURRENT ROW) AS count
            FROM seen WHERE counts
        ), most AS (
            SELECT DISTINCT ON (code) * FROM counted WHERE count >= %(checks)s ORDER BY code, count DESC, at
        )
        SELECT m.code, m.at, m.count::int, m.at AS ended, %(days)s::int AS days, ({_AT_THAT_TIME}) AS checks
        FROM most m WHERE {_vouched_within("days => %(days)s")}
    """,  # noqa: S608
    # A place without a region lies abroad. On its way inside the country an item may be anywhere in it.
    RuleCode.COPY_STORE: f"""
        SELECT s.code, max(s.at) AS at, {_LATEST}, count(*)::int AS count, max(s.at) AS ended, max(a.code) AS store,
            bool_or(s.is_abroad) AS is_abroad
        FROM (SELECT *, lat IS NOT NULL AND cardinality(regions) = 0 AS is_abroad FROM seen) s {_HELD}
        WHERE CASE WHEN a.kind IN ('store', 'evidence')
                THEN s.is_abroad OR (cardinality(s.regions) > 0 AND a.region_id <> ALL(s.regions))
                ELSE a.kind = 'transit' AND s.is_abroad END
            AND s.at > (h.moved_on::timestamp AT TIME ZONE 'Asia/Almaty') + make_interval(hours => %(hours)s)
        GROUP BY s.code HAVING {_VOUCHED}
    """,  # noqa: S608
    RuleCode.COPY_OLD_PRINT: f"""
        SELECT s.code, max(s.at) AS at, {_LATEST}, count(*)::int AS count, max(s.at) AS ended,
            to_char(max(coalesce(r.decided_at, s.ended_at)) AT TIME ZONE 'Asia/Almaty', 'DD.MM.YYYY') AS day
        FROM seen s LEFT JOIN LATERAL (
            SELECT max(q.decided_at) AS decided_at FROM marking_markrequest q
            WHERE q.kind = 'reprint' AND q.state = 'approved' AND (
                q.mark_id = s.code
                -- All labels of an intake were printed anew.
                OR q.intake_id = (SELECT d.intake_id FROM registry_derivative d WHERE d.item_id = s.derivative_id)
            )
        ) r ON 'old_copy' = ANY(s.reasons)
        WHERE ('old_copy' = ANY(s.reasons) AND s.at > r.decided_at + make_interval(days => %(days)s))
            OR (s.state = 'replaced' AND s.at > s.ended_at + make_interval(days => %(days)s))
        GROUP BY s.code HAVING count(*) >= %(checks)s AND {_VOUCHED}
    """,  # noqa: S608
}


@transaction.atomic
def find_copies(*, at: datetime) -> list[CopyAlert]:
    """Look at all marks that were checked since the last look and raise what the rules in force find, each once."""
    watch = lock_watch()
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(recorded_at) FROM marking_check WHERE recorded_at > %s", [watch.until])
        (until,) = cursor.fetchone()
    if until is None:
        return []
    raised = []
    authority = Organisation.objects.active().filter(kind=Organisation.Kind.MINISTRY).order_by("pk").first()
    if authority is not None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE touched ON COMMIT DROP AS " + _TOUCHED, [watch.until, until])
        for code in CopyAlert.RULES:
            try:
                value = in_force(code, day_of(at)).value
            except NoRuleInForce:
                continue
            if code != RuleCode.COPY_BLANK:  # the post itself scans a fresh label
                raised += _raise_all(code, value, _find(code, value, stands=True), authority, at, stands=True)
            raised += _raise_all(code, value, _find(code, value, stands=False), authority, at, stands=False)
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE touched")
        raise_alarms(since=watch.until, until=until, authority=authority, at=at)
    CopyWatch.objects.filter(pk=watch.pk).update(until=until)
    return raised


def lock_watch() -> CopyWatch:
    """The lock closes the race of two looks at the same checks."""
    CopyWatch.objects.get_or_create(pk=1, defaults={"until": BACK_TO})
    return CopyWatch.objects.select_for_update(no_key=True).get(pk=1)


def _find(code: RuleCode, value: Mapping[str, Any], *, stands: bool) -> list[Finding]:
    with connection.cursor() as cursor:
        asked = {**value, "rule": code.value, "most": EVIDENCE, "stands": stands}
        asked["visitors"] = settings.COPY_STANDS_VISITORS
        cursor.execute(f"WITH seen AS ({_SEEN}) {_RULES[code]}", asked)
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [
        Finding(
            row.pop("code"),
            row.pop("at"),
            row.pop("checks"),
            is_abroad=row.pop("is_abroad", False),
            facts=_said(row),
        )
        for row in rows
    ]


def _said(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as a sentence has them: moments of Almaty, whole numbers, degrees."""
    said: dict[str, Any] = {}
    for name, fact in facts.items():
        if isinstance(fact, datetime):
            said[name] = fact.astimezone(ALMATY).strftime("%d.%m.%Y %H:%M")
        elif isinstance(fact, list):
            said[name] = ", ".join(f"{one:g}" for one in fact)
        else:
            said[name] = fact if isinstance(fact, int | str) else str(fact)
    return said


def _raise_all(
    code: RuleCode,
    value: Mapping[str, Any],
    findings: list[Finding],
    authority: Organisation,
    at: datetime,
    *,
    stands: bool,
) -> list[CopyAlert]:
    """An alert for each mark, with a notice of its own; with one for all when there are too many to be believed."""
    if not findings:
        return []
    of_rule = CopyAlert.objects.filter(rule=code.value)
    lately = of_rule.filter(found_at__gt=at - timedelta(days=1))
    if stands:
        # Nobody hides a real copy behind codes he typed.
        lately = lately.filter(Q(stands=True) | Q(notice__code=FLOOD, notice__params__weighs=True))
    if lately.values("mark").distinct().count() + len(findings) <= MANY_MARKS:
        raised = []
        for one in findings:
            key = uuid.uuid4()
            notice = _notice(code, one, authority, key, at)
            raised.append(_keep(code, value, one, notice, key, at, stands=stands))
        return raised
    known = set(of_rule.filter(mark__in=[one.code for one in findings], stands=False).values_list("mark", "on"))
    findings = [one for one in findings if (one.code, day_of(one.at)) not in known]
    if not findings:
        return []
    keys = [uuid.uuid4() for _one in findings]
    flood = Notice.objects.open().filter(code=FLOOD, params__rule=code.value, params__weighs=stands)
    notice = flood.order_by("pk").first() or raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code=FLOOD,
        organisation=authority,
        subject=("copy", keys[0]),
        rule=code.value,
        weighs=stands,
        count=MANY_MARKS,
        labels=", ".join(group(one.code) for one in findings[:NAMED]),
        **_said({"ended": max(one.at for one in findings)}),
    )
    return [_keep(code, value, one, notice, key, at, stands=False) for one, key in zip(findings, keys, strict=True)]


def _notice(code: RuleCode, finding: Finding, authority: Organisation, key: uuid.UUID, at: datetime) -> Notice:
    return raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code=ABROAD if finding.is_abroad else code.value,
        organisation=authority,
        subject=("copy", key),
        labels=group(finding.code),
        **finding.facts,
    )


def _keep(
    code: RuleCode,
    value: Mapping[str, Any],
    finding: Finding,
    notice: Notice,
    key: uuid.UUID,
    at: datetime,
    *,
    stands: bool,
) -> CopyAlert:
    alert = CopyAlert.objects.create(
        id=key,
        mark_id=finding.code,
        rule=code.value,
        on=day_of(finding.at),
        value=dict(value),
        notice=notice,
        found_at=at,
        generation=Mark.objects.values_list("generation", flat=True).get(pk=finding.code),
        stands=stands,
    )
    CopyEvidence.objects.bulk_create([CopyEvidence(alert=alert, seen_id=pk) for pk in finding.checks])
    return alert

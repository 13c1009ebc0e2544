"""The answer to "is this mark genuine, and what has become of the thing?" — everything anybody may know."""

import base64
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.urls import reverse

from core.base.planned import fetch_one
from core.notices.models import Notice
from ledger.models import AccountKind, Hold
from marking.codes import CodeError, parse
from marking.models import Mark, SigningKey, Snapshot
from marking.payload import Defect, PayloadError, SignedStatement, looks_signed, read, verify
from registry.models import Origin, Outcome


class Verdict(StrEnum):
    """What can be said of a text that should be a mark of ours."""

    GENUINE = "genuine"
    GENUINE_BUT = "genuine_but"
    MISTYPED = "mistyped"
    UNKNOWN = "unknown"
    FOREIGN = "foreign"
    UNREADABLE = "unreadable"
    FORGED = "forged"


class Reason(StrEnum):
    """Why a genuine mark is not simply in order, the gravest first."""

    REPLACED = "replaced"
    OLD_COPY = "old_copy"
    SPOILED = "spoiled"
    LABEL_LOST = "label_lost"
    BLANK = "blank"
    VOID = "void"
    LOST = "lost"
    DESTROYED = "destroyed"
    CONSUMED = "consumed"
    WITHDRAWN = "withdrawn"
    EVIDENCE = "evidence"
    COURT = "court"
    DISPUTE = "dispute"
    TO_DESTROY = "to_destroy"
    TO_RETURN = "to_return"
    COPIED = "copied"
    EXPORTED = "exported"
    SOLD = "sold"
    RETURNED = "returned"
    KEY_COMPROMISED = "key_compromised"


BY_PLACE: dict[str, Reason] = {
    AccountKind.EXPORT: Reason.EXPORTED,
    AccountKind.DOMESTIC_SALE: Reason.SOLD,
    AccountKind.PROCESSING: Reason.CONSUMED,
    AccountKind.DRYING_LOSS: Reason.CONSUMED,
    AccountKind.DESTRUCTION: Reason.DESTROYED,
    AccountKind.LOSS: Reason.LOST,
    AccountKind.RETURNED: Reason.RETURNED,
}
# What is evidence is under a hold and says so; what a court has let go may still stand in the evidence room.
IN_ORDER = frozenset({AccountKind.STORE.value, AccountKind.EVIDENCE.value, AccountKind.TRANSIT.value})
BY_HOLD: dict[str, Reason] = {
    Hold.Kind.EVIDENCE: Reason.EVIDENCE,
    Hold.Kind.COURT: Reason.COURT,
    Hold.Kind.DISPUTE: Reason.DISPUTE,
    Hold.Kind.LOSS: Reason.LOST,
    Hold.Kind.MISSING: Reason.LOST,
    Hold.Kind.TO_DESTROY: Reason.TO_DESTROY,
    Hold.Kind.MASS: Reason.DISPUTE,
    Hold.Kind.ORIGIN: Reason.DISPUTE,
    Hold.Kind.REMOVAL: Reason.DISPUTE,
}
# Work of the keeper that says nothing against the goods.
# What is only looked for on the way is nobody's loss yet: the public hears of it when it is reported.
_SILENT = frozenset({Hold.Kind.PROCESSING.value, Hold.Kind.IN_TRANSIT.value})
BY_STATE: dict[str, Reason] = {
    Mark.State.VOID: Reason.VOID,
    Mark.State.REPLACED: Reason.REPLACED,
    Mark.State.BLANK: Reason.BLANK,
    Mark.State.SPOILED: Reason.SPOILED,
    Mark.State.DESTROYED: Reason.SPOILED,
    Mark.State.LOST: Reason.LABEL_LOST,
}


_BY_DECISION: dict[str, Reason] = {Outcome.DESTROY: Reason.TO_DESTROY, Outcome.RETURNED: Reason.TO_RETURN}
DECIDED = "decided"
"""The origin of seized goods of which a court has decided and that have not become another class of stock."""
_GONE = frozenset({Reason.EXPORTED, Reason.DESTROYED, Reason.CONSUMED, Reason.WITHDRAWN, Reason.VOID, Reason.REPLACED})


@dataclass(frozen=True, slots=True)
class Answer:
    """What anybody may know of a mark: never who holds it, nor where. `origin` is its class now, not how it came.

    `code` is the code that was understood. Term, origin class and year of registration are known when the mark is
    genuine and on an item ("" and 0 for a blank label); the mass in grams only when the symbol's signature was
    checked. `fault` says what is wrong with a mistyped code, `defect` why a signed text proves nothing.
    """

    verdict: Verdict
    code: str = ""
    reasons: tuple[Reason, ...] = ()
    signed: bool = False
    term: str = ""
    origin: str = ""
    year: int = 0
    mass_g: int | None = None
    fault: CodeError | None = None
    defect: Defect | None = None

    @property
    def needs_permit(self) -> bool:
        """Whether the item is in the country and may leave it only under a CITES permit: saiga is in Appendix II."""
        return bool(self.term) and not _GONE.intersection(self.reasons)

    @property
    def kind(self) -> str:
        """ "copied" while an alert of a rule of copies stands on this code: what a scanner says before all else."""
        return Reason.COPIED.value if Reason.COPIED in self.reasons else ""

    @property
    def is_genuine(self) -> bool:
        return self.verdict in (Verdict.GENUINE, Verdict.GENUINE_BUT)


class Found(NamedTuple):
    """A mark as kept, and the state of the key that a signed text names (None when there is no such key).

    What is said of the item is None on a blank label. `alerts` are those of copies that are told.
    """

    state: str
    generation: int
    payload: bytes
    term: str | None
    origin: str | None
    mass_g: int | None
    number: str | None
    place: str | None
    holds: list[str]
    decided: str | None
    alerts: list[int]
    key_state: str | None


def check_text(text: str, *, own_hosts: Collection[str]) -> Answer:
    """The answer for a code in any forgiving form, a signed text, or the whole printed address of either.

    An address of another host is never ours. A signature is checked before anything is looked up, so that a symbol
    nobody signed tells nothing of the code it names, not even by the time it takes. Costs one query, a mistyped code
    none; one more when this process meets a key for the first time.
    """
    asked = _understand(text, own_hosts)
    if isinstance(asked, Answer):
        return asked
    if asked.signed is not None:
        _learn_keys([asked.key_id])
        if (forged := _forged(asked)) is not None:
            return forged
    return _judge(asked, _find(asked.code, asked.key_id))


def check_texts(texts: Sequence[str], *, own_hosts: Collection[str]) -> list[Answer]:
    """What `check_text` answers for each of them, in their order, in three queries at most."""
    asked = [_understand(text, own_hosts) for text in texts]
    _learn_keys({one.key_id for one in asked if isinstance(one, _Asked) and one.signed})
    known = [one if isinstance(one, Answer) else _forged(one) or one for one in asked]
    wanted = {(one.code, one.key_id) for one in known if isinstance(one, _Asked)}
    found = _find_many(wanted) if wanted else {}
    return [one if isinstance(one, Answer) else _judge(one, found.get((one.code, one.key_id))) for one in known]


class _Asked(NamedTuple):
    """A code to look up, with the signed statement it came in, if it did."""

    code: str
    key_id: str = ""
    signed: SignedStatement | None = None


def _understand(text: str, own_hosts: Collection[str]) -> _Asked | Answer:
    mark_text = without_address(text, own_hosts)
    if mark_text is None:
        return Answer(Verdict.FOREIGN)
    if looks_signed(mark_text):
        try:
            signed = read(mark_text)
        except PayloadError as error:
            return Answer(Verdict.UNREADABLE, defect=error.defect)
        return _Asked(signed.statement.code, signed.statement.key_id.hex(), signed)
    try:
        return _Asked(parse(mark_text))
    except CodeError as error:
        return Answer(Verdict.MISTYPED, fault=error)


# Some servers join the two slashes of an address that stands in a path.
_ADDRESS = re.compile(r"(?:https?:/+)?([^/\s]+)/m/(.*)", re.IGNORECASE | re.DOTALL)


def without_address(text: str, own_hosts: Collection[str]) -> str | None:
    """What stands behind the address of the public check; None when the address is another's."""
    text = text.strip()
    if "/" not in text:
        return text
    match = _ADDRESS.fullmatch(text)
    if match is None or match[1].lower() not in {host.lower() for host in own_hosts}:
        return None
    return match[2]


# Public keys by their ids. A public key is its id, for ever, and what was in use once is never unknown again; whether
# it is to be trusted still is asked with the mark.
_keys: dict[str, bytes] = {}


def _learn_keys(ids: Collection[str]) -> None:
    """Fetch the public keys of these ids that this process does not know yet; those never in use are nobody's."""
    if strange := [one for one in ids if one not in _keys]:
        keys = SigningKey.objects.exclude(state=SigningKey.State.CREATED).filter(pk__in=strange)
        _keys.update((pk, bytes(public_key)) for pk, public_key in keys.values_list("pk", "public_key"))


def _forged(asked: _Asked) -> Answer | None:
    """The answer to a signed text that no key of ours has signed; None for any other. Asks nobody."""
    if asked.signed is None:
        return None
    key_id = asked.signed.statement.key_id
    try:
        verify(asked.signed, {key_id: _keys[asked.key_id]} if asked.key_id in _keys else {})
    except PayloadError as error:
        return Answer(Verdict.FORGED, code=asked.code, defect=error.defect)
    return None


def _judge(asked: _Asked, found: Found | None) -> Answer:
    """The answer from what is known of the code; a signed text has a genuine signature."""
    code, signed = asked.code, asked.signed
    if found is None:
        return Answer(Verdict.UNKNOWN, code=code)
    if signed is None:
        return _describe(code, found)
    if found.key_state is None:
        return Answer(Verdict.FORGED, code=code, defect=Defect.UNKNOWN_KEY)
    if found.key_state == SigningKey.State.COMPROMISED:
        return _describe(code, found, Reason.KEY_COMPROMISED)
    if signed.statement.generation < found.generation:
        return _describe(code, found, Reason.OLD_COPY)
    if signed.body != bytes(found.payload):
        return Answer(Verdict.FORGED, code=code, defect=Defect.SIGNATURE)
    return _describe(code, found, signed=signed)


def _describe(code: str, found: Found, known: Reason | None = None, *, signed: SignedStatement | None = None) -> Answer:
    standing = reasons_of(
        state=found.state,
        is_bound=found.number is not None,
        place=found.place,
        holds=found.holds,
        decided=found.decided,
        is_copied=bool(found.alerts),
    )
    reasons = tuple(reason for reason in Reason if reason in standing or reason == known)
    return Answer(
        verdict=Verdict.GENUINE_BUT if reasons else Verdict.GENUINE,
        code=code,
        reasons=reasons,
        signed=signed is not None,
        term=found.term or "",
        origin=DECIDED if found.decided and found.origin == Origin.SEIZURE else found.origin or "",
        year=2000 + int(found.number[2:4]) if found.number else 0,
        mass_g=found.mass_g if signed else None,
    )


def reasons_of(
    *,
    state: str,
    is_bound: bool,
    place: str | None,
    holds: Iterable[str],
    decided: str | None,
    is_copied: bool = False,
) -> tuple[Reason, ...]:
    """Why a mark in this state, on an item at this kind of place and under these holds, is not simply in order.

    The gravest first. `decided` is what a court has decided of the item; `is_copied` is true while it waits to be
    decided whether the label has a copy.
    """
    reasons = {_by_hold(kind, decided) for kind in holds if kind not in _SILENT}
    if state in BY_STATE:
        reasons.add(BY_STATE[state])
    if is_bound and place not in IN_ORDER:
        # An item that is nowhere any more: its registration was taken back.
        reasons.add(BY_PLACE.get(place or "", Reason.WITHDRAWN))
    if is_copied:
        reasons.add(Reason.COPIED)
    return tuple(reason for reason in Reason if reason in reasons)


def _by_hold(kind: str, decided: str | None) -> Reason:
    """What a hold says; a court that has decided holds the thing until its decision is carried out."""
    if kind == Hold.Kind.COURT and decided in _BY_DECISION:
        return _BY_DECISION[decided]
    return BY_HOLD[kind]


# Of a mark m. What a count has not found is public when its commission has signed, not while it still counts.
HOLDS_SQL = """ARRAY(
    SELECT o.kind FROM ledger_hold o WHERE o.item_id = m.derivative_id AND o.lifted_at IS NULL
    AND NOT (o.kind = 'missing' AND EXISTS (
        SELECT FROM ledger_stocktake s WHERE s.number = o.reference AND s.state <> 'closed'
    ))
)"""
DECIDED_SQL = "(SELECT outcome FROM registry_decideditem WHERE item_id = m.derivative_id AND is_confirmed)"

# Notices of copies of this print, decided or not; negative where the alert is a question to the authority alone. Most
# marks have none, and a join would be planned at every check for nothing.
ALERTS_SQL = """ARRAY(
    SELECT CASE WHEN c.stands THEN c.notice_id ELSE -c.notice_id END FROM marking_copyalert c
    WHERE c.mark_id = m.code AND c.generation >= m.generation
)"""


# What is to be known of a mark m, whose signed text names the key k.
_FACTS = f"""
    m.state, m.generation, m.payload, d.term,
    coalesce(split_part(h.stock_class, ':', 2), d.origin), d.mass_g, d.number,
    -- What one run made and another consumed came from the boundary and went back: it holds nothing.
    coalesce(a.kind, (
        SELECT 'processing' FROM registry_processinginput i
        WHERE i.item_id = m.derivative_id AND i.mass_g IS NOT NULL LIMIT 1
    )),
    {HOLDS_SQL}, {DECIDED_SQL}, {ALERTS_SQL}, k.state
"""  # noqa: S608  constants of this file
_BESIDE = """
    LEFT JOIN registry_derivative d ON d.item_id = m.derivative_id
    LEFT JOIN ledger_holding h ON h.item_id = m.derivative_id AND h.pieces > 0
    LEFT JOIN ledger_custodyaccount a ON a.id = h.account_id
"""
_ONE = f"""
    SELECT {_FACTS} FROM marking_mark m {_BESIDE} LEFT JOIN marking_signingkey k ON k.id = $1 WHERE m.code = $2
"""  # noqa: S608
_MANY = f"""
    SELECT asked.code, asked.key_id, {_FACTS}
    FROM unnest(%s::text[], %s::text[]) AS asked (code, key_id)
    JOIN marking_mark m ON m.code = asked.code {_BESIDE}
    LEFT JOIN marking_signingkey k ON k.id = asked.key_id
"""  # noqa: S608


def _find(code: str, key_id: str) -> Found | None:
    """One row for one code. Plain SQL, planned once: this page is asked by everybody, and the row is all it needs."""
    row = fetch_one("facts_of_mark", _ONE, [key_id, code])
    if row is None:
        return None
    found = Found(*row)
    return found._replace(alerts=sorted(_told(found.alerts))) if found.alerts else found


def _told(alerts: Collection[int]) -> set[int]:
    """Those of the alerts that whoever checks is told: what stands and is open, and what the authority confirmed."""
    known = Notice.objects.filter(pk__in={abs(alert) for alert in alerts}).values_list("pk", "state", "outcome")
    standing = {pk: state != Notice.State.DECIDED for pk, state, _outcome in known}
    confirmed = {pk for pk, _state, outcome in known if outcome == Notice.Outcome.COPIED}
    return {one for one in alerts if abs(one) in confirmed or (one > 0 and standing.get(one, False))}


def _find_many(wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], Found]:
    """The same for many codes, each with the key that its text names."""
    with connection.cursor() as cursor:
        cursor.execute(_MANY, [[code for code, _key in wanted], [key for _code, key in wanted]])
        found = {(code, key): Found(*row) for code, key, *row in cursor.fetchall()}
    alerts = {alert for one in found.values() for alert in one.alerts}
    is_told = _told(alerts) if alerts else set()
    return {
        asked: one._replace(alerts=[alert for alert in one.alerts if alert in is_told]) if one.alerts else one
        for asked, one in found.items()
    }


def public_keys() -> dict[str, Any]:
    """Public keys that have ever signed marks, with what the symbols begin with: a label can be checked without us."""
    keys = SigningKey.objects.exclude(state=SigningKey.State.CREATED)
    return {
        "algorithm": "Ed25519",
        "prefix": f"HTTPS://{settings.PUBLIC_HOST}/M/".upper(),
        "keys": [
            {
                "id": key.pk,
                "public_key": base64.b64encode(bytes(key.public_key)).decode(),
                "state": key.state,
                "used_from": key.used_from,
                "ended_at": key.ended_at,
            }
            for key in keys
        ],
    }


def newest_snapshot() -> dict[str, Any] | None:
    """Which edition of the snapshot there is, and from which one on changes are kept; None before the first."""
    newest = Snapshot.objects.defer("full", "changes").order_by("-edition").first()
    if newest is None:
        return None
    kept = Snapshot.objects.exclude(changes=b"").order_by("edition").values_list("edition", flat=True)
    return {
        "edition": newest.edition,
        "made_at": newest.made_at,
        "marks": newest.marks,
        "sha256": newest.sha256,
        "key": newest.key_id,
        "full": reverse("marking:snapshot"),
        "changes_from": kept.first(),
    }

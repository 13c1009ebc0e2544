"""The codes of notices: what each says, what to do, who decides, what can follow. Each room gives its own as it starts;
the only such table.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.subjects import SUBJECTS, label_of

if TYPE_CHECKING:
    from core.accounts.models import User
    from core.notices.models import Notice

Decider = Literal["organisation", "authority"]

TEXTS: dict[str, StrOrPromise] = {}
ADVICE: dict[str, StrOrPromise] = {}
DECIDERS: dict[str, Decider] = {}
OBSTACLES: dict[str, Callable[[str], StrOrPromise]] = {}
PARTIES: dict[str, Callable[[str], Collection[int]]] = {}
SEQUELS: dict[str, Callable[["Notice", "User", datetime], None]] = {}
GOODS: set[str] = set()  # codes of goods that are not where they should be: an explanation alone is no end
COPIES: set[str] = set()  # codes that ask whether a label has a copy


# What an example of a sentence says in each place; numbers come from the subject that a code begins with.
EXAMPLES: dict[str, object] = {
    "after": 4,
    "animals": 5,
    "before": 5,
    "began": "05.11.2025 14:20",
    "booked": 430,
    "brigade": _("Brigade No. 2"),
    "carcasses": 4,
    "contract": "12/2025",
    "count": 12,
    "counted": 4,
    "cut": 8,
    "day": "05.11.2025",
    "days": 30,
    "decision": "№ 77",
    "ended": "05.11.2025 14:40",
    "expected": 40,
    "explanation": _("one horn had broken off long ago"),
    "extra": 2,
    "gained": 0,
    "horns": 9,
    "input": 600,
    "items": "KZ25-0000001, KZ25-0000002",
    "km": 410,
    "labels": "7H4Q-9TX2-MW8H",
    "limit": 4,
    "loss": 60,
    "lost": 1,
    "males": 4,
    "minutes": 10,
    "missing": 1,
    "most": 8,
    "percent": 5,
    "permit": "№ 14",
    "phone": "A-17",
    "pieces": 9,
    "place": _("cold store, shelf 3"),
    "places": "1–4",
    "protocol": "№ 118",
    "reason": _("one box had been opened"),
    "received": 4,
    "registered": 7,
    "seals": "A 001234",
    "sent": 40,
    "sequence": 12,
    "source": "RP-27-1",
    "store": "CS-75",
    "taken": 3,
    "target": "CS-75",
    "unusable": 0,
    "weighed": 250,
    "worst": "9.5",
    "code": "7H4Q-9TX2-MW8H",
    "code_read": "7H4Q-9TX2-MW8H",
    "kind": "—",
    "reel": "LS26-0001/003",
    "state": "—",
    "what": "KZ26-0012345",
    "label": "7H4Q-9TX2-MW8H",
    "marks": 4,
    "ledger": 4,
    "item": "KZ25-0000001",
    "other": "KZ25-0000002",
    "carrier": "A 001234",
    "known": "A 001235",
    "file": "codes.csv",
    "visitors": 12,
    "person": "Ахметов Ерлан",
    "who": "Бекенов Марат",
}
NUMBERED_AS = {
    "removal": "daily_sheet",
    "permit": "handover",
    "correction": "movement",
    "climate": "store",
    "labels": "label_reel",
    "labels.missing": "label_shipment",
    "labels.late": "label_shipment",
    "labels.late_back": "label_shipment",
    "labels.destruction_waits": "label_destruction",
    "marks": "mark_request",
}


@dataclass(frozen=True, slots=True)
class Code:
    """One line of the table: what it is about, an example of its sentence, what to do, who decides."""

    code: str
    about: str
    example: str
    advice: str
    decides: Decider


def register_notice_codes(
    texts: Mapping[str, StrOrPromise],
    *,
    decides: Decider = "organisation",
    goods_missing: bool = False,
    copied: bool = False,
) -> None:
    """Give the sentence for each of a room's notice codes, with %(name)s places for its params.

    Where the authority `decides`, the organisation that is told must explain first. What says that goods are missing
    ends in their being found, reported as lost, or the record corrected. What says that a label may be `copied` can end
    in there being a copy.
    """
    TEXTS.update(texts)
    DECIDERS.update(dict.fromkeys(texts, decides))
    if goods_missing:
        GOODS.update(texts)
    if copied:
        COPIES.update(texts)


def register_advice(*said: tuple[StrOrPromise, Iterable[str]]) -> None:
    """Give, for the codes of a room, what whoever is told does next: one sentence, and the codes that it is for."""
    for sentence, codes in said:
        ADVICE.update(dict.fromkeys(codes, sentence))


def register_obstacle(code: str, ask: Callable[[str], StrOrPromise]) -> None:
    """Have a room asked, by the key of the subject, why a notice with this code cannot be decided yet; "" if it can."""
    OBSTACLES[code] = ask


def register_parties(subject_kind: str, ask: Callable[[str], Collection[int]]) -> None:
    """Have a room asked, by the key of the subject, whose doing it is: none of them decides what is told about it."""
    PARTIES[subject_kind] = ask


def parties_of(notice: "Notice") -> Collection[int]:
    """Whose doing the subject of this notice is, beside the one person that raised it."""
    ask = PARTIES.get(notice.subject_kind)
    return ask(notice.subject_id) if ask else ()


def register_sequel(codes: Iterable[str], act: "Callable[[Notice, User, datetime], None]") -> None:
    """Have a room act, in the transaction that closes it, on a notice with one of these codes: the notice, who closed
    it, and when. Not called where the clock closes one: nobody acts then.
    """
    SEQUELS.update(dict.fromkeys(codes, act))


def outcomes_of(code: str) -> list[str]:
    """What a person's decision of such a notice can end in."""
    ends = ["found", "loss_reported", "corrected", "other"]
    if code in COPIES:
        return ["explained", "copied", *ends]
    return ends if code in GOODS else ["explained", *ends]


def table_of_codes() -> list[Code]:
    """Every alert that the system can raise, by code."""
    found = [
        Code(code, *_example(code), str(ADVICE.get(code, "")), DECIDERS.get(code, "organisation")) for code in TEXTS
    ]
    return sorted(found, key=lambda line: (line.about, line.example))


def _example(code: str) -> tuple[str, str]:
    """What a code is about, and its sentence with something in every place."""
    head = code.partition(".")[0]
    kind = NUMBERED_AS.get(code) or NUMBERED_AS.get(head, head)
    prefix = SUBJECTS[kind].prefix if kind in SUBJECTS else ""
    number = f"{prefix}25-000012" if prefix else "12"
    return str(label_of(kind)), say(code, EXAMPLES | {"number": number})


def say(code: str, params: Mapping[str, object]) -> str:
    """The sentence of a code, in the reader's language and in the plural of its count."""
    return str(TEXTS[code] % params)


def text_of(notice: "Notice") -> str:
    """What the notice says, in the reader's language."""
    return say(notice.code, notice.params)


def advice_on(notice: "Notice") -> str:
    """What whoever is told does next, in the reader's language; nothing for a code of before."""
    return str(ADVICE.get(notice.code, ""))

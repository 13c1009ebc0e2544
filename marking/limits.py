"""How often one visitor may ask what a mark is, and what else the public may do how often."""

from collections.abc import Collection, Sequence

from core.accounts.models import User
from core.base.errors import DomainError
from core.base.ratelimit import allow
from core.base.visitors import Visitor
from marking.payload import looks_signed
from marking.refusals import note_refusal
from marking.selectors import Answer, Verdict, check_text, check_texts, without_address
from marking.verdicts import SLOW_DOWN

# For each visitor. Checks: a market hall of five hundred people behind one address, each asking once a minute,
# passes. Codes that do not exist: people mistype, but the check character tells almost all of that apart before
# anything is looked up, so a visitor who goes on asking is searching; each such code costs as much as two hundred
# checks, and when all is spent the visitor learns nothing more of codes, existing or not. Whoever has a whole network
# has many visitors, so codes that do not exist are counted for the wider networks too: checks as such are not.
CHECKS = 6_000
UNKNOWN_CODES = 30
WINDOW_SECONDS = 600
# Who is signed in is known and checks whole loads: ten times as much, and a code that does not exist costs the same.
CHECKS_SIGNED_IN = 60_000
# Hidden codes, from one address or by one person: a shop may open a carton of them, a machine may not try out codes.
REDEMPTIONS = 60
REDEMPTIONS_SECONDS = 3600
# Tips from one address: a market's inspector may tell of a whole stall, a machine may not fill the store. Counted are
# those that are taken; forms that come back to be corrected cost us work only, and are counted apart.
TIPS = 10
TIP_FORMS = 100
TIPS_SECONDS = 3600
# All marks for a phone, of one address: the phones of a market hall fetch them once and then what has changed.
SNAPSHOTS = 300
# A phone of the field notebook that says it is there, of one address.
GREETINGS = 600
_PRICE = CHECKS // UNKNOWN_CODES


class TooManyChecks(DomainError):
    """This person has asked for too many codes that do not exist, and learns nothing more of codes for a while."""

    status = 429
    code = "too-many-checks"
    message = SLOW_DOWN.text


def check_counted(text: str, *, visitor: Visitor, own_hosts: Collection[str]) -> Answer | None:
    """What `check_text` answers, or None when this visitor has asked too often.

    Signed texts cannot be guessed, so they are counted apart: whoever scans is not stopped by a neighbour behind the
    same address, or in the same network, who tries out codes.
    """
    is_signed = looks_signed(without_address(text, own_hosts) or "")
    counted = f"{'scan' if is_signed else 'check'}:{visitor.name}"
    about = {f"unknown:{network}": UNKNOWN_CODES * times for network, times in visitor.about.items()}
    if not allow(counted, limit=CHECKS, seconds=WINDOW_SECONDS, beside=None if is_signed else about):
        note_refusal("check", visitor.name)
        return None
    answer = check_text(text, own_hosts=own_hosts)
    if answer.verdict == Verdict.UNKNOWN:
        fits = [allow(counted, limit=CHECKS, seconds=WINDOW_SECONDS, cost=_PRICE)]
        fits += [allow(network, limit=most, seconds=WINDOW_SECONDS) for network, most in about.items()]
        if not all(fits):
            note_refusal("check", visitor.name)
            return None
    return answer


def check_many_counted(texts: Sequence[str], *, visitor: str, own_hosts: Collection[str]) -> list[Answer] | None:
    """What `check_texts` answers to somebody who is signed in, or None when this visitor has asked too often.

    Counted apart from what the same person checks one by one.
    """
    if not allow(f"many:{visitor}", limit=CHECKS_SIGNED_IN, seconds=WINDOW_SECONDS, cost=max(len(texts), 1)):
        note_refusal("work", visitor)
        return None
    answers = check_texts(texts, own_hosts=own_hosts)
    unknown = sum(answer.verdict == Verdict.UNKNOWN for answer in answers)
    return None if unknown and not _spend(visitor, unknown) else answers


def check_by_person(text: str, *, person: User, own_hosts: Collection[str]) -> Answer | None:
    """What `check_text` answers to a person at work, or None when this person has asked too often.

    One count for scans in stores, lists of items, loads checked at once and labels bound.
    """
    visitor = f"person-{person.pk}"
    if not allow(f"many:{visitor}", limit=CHECKS_SIGNED_IN, seconds=WINDOW_SECONDS):
        note_refusal("work", visitor)
        return None
    answer = check_text(text, own_hosts=own_hosts)
    if answer.verdict == Verdict.UNKNOWN and not _spend(visitor, 1):
        return None
    return answer


def require_check_by_person(text: str, *, person: User, own_hosts: Collection[str]) -> Answer:
    """What `check_by_person` answers. Raises TooManyChecks."""
    answer = check_by_person(text, person=person, own_hosts=own_hosts)
    if answer is None:
        raise TooManyChecks
    return answer


def spend_on_unknown(count: int, *, person: User) -> None:
    """Count so many codes of a list that do not exist. Raises TooManyChecks, also when all was spent before."""
    if not _spend(f"person-{person.pk}", count):
        raise TooManyChecks


def _spend(visitor: str, unknown: int) -> bool:
    if allow(f"many:{visitor}", limit=CHECKS_SIGNED_IN, seconds=WINDOW_SECONDS, cost=_PRICE * unknown):
        return True
    note_refusal("work", visitor)
    return False

"""Hidden codes: under the flap of a label, seen by whoever opens it first, used up by the first owner.

The code of a mark follows from a secret key of the registry, so it can be printed again and is kept nowhere; what is
kept is a keyed hash, which tells that the mark has such a code and that what somebody typed is it.
"""

import hashlib
import hmac
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from django.conf import settings
from django.db import connection, transaction

from core.accounts.models import User
from core.audit.services import record
from core.base.errors import BadInput
from marking.codes import ALPHABET, CodeError, fold, parse
from marking.models import Mark, OnceCode
from marking.selectors import Answer, check_text
from marking.verdicts import say

LENGTH = 8
_BITS = 5 * LENGTH


class Redeemed(StrEnum):
    """What a hidden code turned out to be."""

    FIRST = "first"
    USED = "used"
    WRONG = "wrong"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Redemption:
    """The answer to whoever typed a hidden code; `used_at` is when it was used for the first time.

    `standing` is what the public check says of the mark itself; None where the code was wrong.
    """

    outcome: Redeemed
    code: str = ""
    used_at: datetime | None = None
    standing: Answer | None = None


def once_texts(codes: Iterable[str]) -> dict[str, str]:
    """For the printer: the text under the flap for each of these marks that has a hidden code, as `XXXX-XXXX`.

    One query. A reprint that prints hidden codes has another than the former print.
    """
    wanted = list(codes)
    known = OnceCode.objects.filter(mark__in=wanted).values_list("mark", "generation")
    return {code: _shown(_text_of(code, generation)) for code, generation in known}


@transaction.atomic
def read_once_texts(*, actor: User, at: datetime, codes: Iterable[str], subject: tuple[str, object]) -> dict[str, str]:
    """The same for a person who prints them elsewhere; the journal says who has read them."""
    texts = once_texts(codes)
    record("once_codes.read", actor=actor, at=at, subject=subject, count=len(texts))
    return texts


@transaction.atomic
def make_once_codes(*, actor: User, at: datetime, codes: Collection[str], subject: tuple[str, object]) -> int:
    """Give these marks hidden codes; how many had none before. `subject` is the run, series or reel they belong to.

    A code of a former print that nobody has used gives way to one of the present print; a used one stays used.
    One statement for any number of marks. Only marks that can still be used: an ended one raises BadInput.
    """
    wanted = sorted(set(codes))
    usable = (Mark.State.BLANK, Mark.State.ACTIVE)
    marks = Mark.objects.filter(pk__in=wanted, state__in=usable)
    generations = dict(marks.order_by("pk").values_list("pk", "generation"))
    if len(generations) != len(wanted):
        raise BadInput
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO marking_oncecode AS o (mark_id, generation, digest, made_by_id, made_at)
            SELECT code, generation, digest, %s, %s
            FROM unnest(%s::text[], %s::int[], %s::bytea[]) AS new (code, generation, digest)
            ON CONFLICT (mark_id) DO UPDATE SET generation = excluded.generation, digest = excluded.digest,
                made_by_id = excluded.made_by_id, made_at = excluded.made_at
            WHERE o.used_at IS NULL AND o.generation < excluded.generation
            """,
            [
                actor.pk,
                at,
                list(generations),
                list(generations.values()),
                [_digest(code, _text_of(code, generation)) for code, generation in generations.items()],
            ],
        )
        made = cursor.rowcount
    if made:
        record("once_codes.made", actor=actor, at=at, subject=subject, count=made)
    return made


@transaction.atomic
def redeem_once(*, at: datetime, code: str, text: str) -> Redemption:
    """Use up the hidden code of a mark: FIRST for exactly one asker, USED with the moment for all after.

    Anything that is not the hidden code of the mark's present print is WRONG, whatever it is: nobody learns which marks
    have one. The right code of a mark that must not be accepted is REFUSED and stays unused.
    """
    try:
        mark = parse(code)
    except CodeError:
        return Redemption(Redeemed.WRONG)
    digest = _digest(mark, fold(text))
    found = OnceCode.objects.filter(mark=mark, digest=digest)
    kept = found.values("used_at", "generation", "mark__generation").first()
    if kept is None or (kept["used_at"] is None and kept["generation"] != kept["mark__generation"]):
        return Redemption(Redeemed.WRONG)
    standing = check_text(mark, own_hosts=())
    if kept["used_at"] is None and say(standing).tone == "stop":
        return Redemption(Redeemed.REFUSED, mark, standing=standing)
    # Update-where: of two who open it at once only one is the first.
    if kept["used_at"] is None and found.filter(used_at=None).update(used_at=at):
        record("once_code.used", actor=None, at=at, subject=("mark", mark))
        return Redemption(Redeemed.FIRST, mark, at, standing)
    used_at = found.values_list("used_at", flat=True).get()
    return Redemption(Redeemed.USED, mark, used_at, standing)


def _text_of(code: str, generation: int) -> str:
    """Of the first print it follows from the code alone, of others from the code and the print."""
    of = code if generation == 1 else f"{code}/{generation}"
    number = int.from_bytes(hmac.digest(_key("text"), of.encode(), "sha256")[:8], "big") >> (64 - _BITS)
    return "".join(ALPHABET[number >> shift & 31] for shift in range(_BITS - 5, -1, -5))


def _digest(code: str, text: str) -> bytes:
    return hmac.digest(_key("digest"), f"{code}:{text}".encode(), "sha256")


def _shown(text: str) -> str:
    return f"{text[:4]}-{text[4:]}"


def _key(use: str) -> bytes:
    return _derive(use, settings.ONCE_CODE_KEY or settings.SECRET_KEY)


@lru_cache(maxsize=4)
def _derive(use: str, secret: str) -> bytes:
    return hashlib.sha256(f"marking: hidden codes: {use}\0{secret}".encode()).digest()

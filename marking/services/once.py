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

LENGTH = 8
_BITS = 5 * LENGTH


class Redeemed(StrEnum):
    """What a hidden code turned out to be."""

    FIRST = "first"
    USED = "used"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Redemption:
    """The answer to whoever typed a hidden code; `used_at` is when it was used for the first time."""

    outcome: Redeemed
    code: str = ""
    used_at: datetime | None = None


def once_texts(codes: Iterable[str]) -> dict[str, str]:
    """For the printer: the text under the flap for each of these marks that has a hidden code, as `XXXX-XXXX`.

    One query. The same at every print of a mark.
    """
    wanted = list(codes)
    known = OnceCode.objects.filter(mark__in=wanted).values_list("mark", flat=True)
    return {code: _shown(_text_of(code)) for code in known}


@transaction.atomic
def read_once_texts(*, actor: User, at: datetime, codes: Iterable[str], subject: tuple[str, object]) -> dict[str, str]:
    """The same for a person who prints them elsewhere; the journal says who has read them."""
    texts = once_texts(codes)
    record("once_codes.read", actor=actor, at=at, subject=subject, count=len(texts))
    return texts


@transaction.atomic
def make_once_codes(*, actor: User, at: datetime, codes: Collection[str], subject: tuple[str, object]) -> int:
    """Give these marks hidden codes; how many had none before. `subject` is the run, series or reel they belong to.

    One statement for any number of marks. Only marks that can still be used: an ended one raises BadInput.
    """
    wanted = sorted(set(codes))
    usable = (Mark.State.BLANK, Mark.State.ACTIVE)
    if Mark.objects.filter(pk__in=wanted, state__in=usable).count() != len(wanted):
        raise BadInput
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO marking_oncecode (mark_id, digest, made_by_id, made_at)
            SELECT code, digest, %s, %s FROM unnest(%s::text[], %s::bytea[]) AS new (code, digest)
            ON CONFLICT (mark_id) DO NOTHING
            """,
            [actor.pk, at, wanted, [_digest(code, _text_of(code)) for code in wanted]],
        )
        made = cursor.rowcount
    if made:
        record("once_codes.made", actor=actor, at=at, subject=subject, count=made)
    return made


@transaction.atomic
def redeem_once(*, at: datetime, code: str, text: str) -> Redemption:
    """Use up the hidden code of a mark: FIRST for exactly one asker, USED with the moment for all after.

    Anything that is not the mark's hidden code is WRONG, whatever it is: nobody learns which marks have one.
    """
    try:
        mark = parse(code)
    except CodeError:
        return Redemption(Redeemed.WRONG)
    digest = _digest(mark, fold(text))
    # Update-where: of two who open it at once only one is the first.
    first = OnceCode.objects.filter(mark=mark, digest=digest, used_at=None).update(used_at=at)
    if first:
        record("once_code.used", actor=None, at=at, subject=("mark", mark))
        return Redemption(Redeemed.FIRST, mark, at)
    used_at = OnceCode.objects.filter(mark=mark, digest=digest).values_list("used_at", flat=True).first()
    return Redemption(Redeemed.USED, mark, used_at) if used_at else Redemption(Redeemed.WRONG)


def _text_of(code: str) -> str:
    number = int.from_bytes(hmac.digest(_key("text"), code.encode(), "sha256")[:8], "big") >> (64 - _BITS)
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

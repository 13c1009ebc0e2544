"""The codes of notices: what each says, who decides, what can follow. Each room gives its own as it starts; the only
such table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django_stubs_ext import StrOrPromise

if TYPE_CHECKING:
    from core.notices.models import Notice

Decider = Literal["organisation", "authority"]

TEXTS: dict[str, StrOrPromise] = {}
DECIDERS: dict[str, Decider] = {}
GOODS: set[str] = set()  # codes of goods that are not where they should be: an explanation alone is no end


@dataclass(frozen=True, slots=True)
class Code:
    """One line of the table: the code, its sentence with %(name)s places for its params, and who decides."""

    code: str
    text: StrOrPromise
    decides: Decider


def register_notice_codes(
    texts: Mapping[str, StrOrPromise], *, decides: Decider = "organisation", goods_missing: bool = False
) -> None:
    """Give the sentence for each of a room's notice codes, with %(name)s places for its params.

    Where the authority `decides`, the organisation that is told must explain first. What says that goods are missing
    ends in their being found, reported as lost, or the record corrected.
    """
    TEXTS.update(texts)
    DECIDERS.update(dict.fromkeys(texts, decides))
    if goods_missing:
        GOODS.update(texts)


def outcomes_of(code: str) -> list[str]:
    """What a person's decision of such a notice can end in."""
    ends = ["found", "loss_reported", "corrected", "other"]
    return ends if code in GOODS else ["explained", *ends]


def table_of_codes() -> list[Code]:
    """Every alert that the system can raise, by code."""
    return [Code(code, TEXTS[code], DECIDERS.get(code, "organisation")) for code in sorted(TEXTS)]


def text_of(notice: "Notice") -> str:
    """What the notice says, in the reader's language."""
    return str(TEXTS[notice.code]) % notice.params

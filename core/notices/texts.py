"""The sentences of notices, by code; each room gives its own as it starts."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django_stubs_ext import StrOrPromise

if TYPE_CHECKING:
    from core.notices.models import Notice

TEXTS: dict[str, StrOrPromise] = {}


def register_notice_codes(texts: Mapping[str, StrOrPromise]) -> None:
    """Give the sentence for each of a room's notice codes, with %(name)s places for its params."""
    TEXTS.update(texts)


def text_of(notice: "Notice") -> str:
    """What the notice says, in the reader's language."""
    return str(TEXTS[notice.code]) % notice.params

"""Signing keys of the demo: the first one, which signed the autumn; the one in use; a third that waits for a person."""

from datetime import datetime, timedelta

from config.demo.cast import Cast
from marking.models import KeyRequest
from marking.services.keys import ask_key_act, create_key, decide_key_act


def change_keys(cast: Cast, at: datetime, now: datetime) -> None:
    """The administrator asks and the head of the authority agrees: from `at` on another key signs. A third is made."""
    administrator, head = cast.people["administrator"], cast.people["head"]
    second = create_key(actor=administrator, at=at)
    asked = ask_key_act(
        actor=administrator, at=at, key=second, kind=KeyRequest.Kind.USE, reason="Маусым аяқталды, жылдық ауыстыру"
    )
    decide_key_act(actor=head, at=at + timedelta(hours=3), request=asked, approve=True)
    third = create_key(actor=administrator, at=now - timedelta(days=2))
    ask_key_act(
        actor=administrator,
        at=now - timedelta(days=2),
        key=third,
        kind=KeyRequest.Kind.USE,
        reason="Жаңа маусым алдындағы жоспарлы ауыстыру",
    )

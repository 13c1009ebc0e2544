"""Who is told when somebody takes another's account in hand: the person, the other administrators, those who oversee.

The letters go from here; rooms above add what they tell (`register_teller`), so that this one need not know them.
"""

from collections.abc import Callable
from datetime import datetime

from core.accounts.models import User
from core.base.queue import after_commit

Teller = Callable[[str, User, datetime, User], None]

TELLERS: list[Teller] = []


def register_teller(teller: Teller) -> None:
    """Have a room told, in the transaction of the act: what was done, by whom, when, with whose account."""
    if teller not in TELLERS:
        TELLERS.append(teller)


def tell_of_hand(what: str, *, actor: User, at: datetime, person: User, address: str) -> None:
    """Tell of a link to a password, or of another address (`password_link`, `email_changed`), made by somebody else.

    `address` is where the person is written to: of a changed address, the one before.
    """
    from core.accounts.tasks import write_of_hand

    for teller in TELLERS:
        teller(what, actor, at, person)
    after_commit(write_of_hand, what, actor.pk, person.pk, address)

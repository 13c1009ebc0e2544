"""Two persons are two only where neither has the other's account in hand.

Whoever opened a person's account, opened it again, gave it its role, changed its address or made a link to its password
may be that person, for all the registry knows. For some days after it (rule `accounts.independence`) the two cannot be
the two persons of one act. The database says who has whom in hand, by the journal, in its function
`accounts_in_one_hand`; its triggers ask the same function.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.base.errors import NotAllowed

IN_HAND = (
    "user.created",
    "user.reactivated",
    "user.appointed",
    "user.password_link_made",
    "user.email_changed",
)
DAYS = 30  # where no rule is in force


class NotIndependent(NotAllowed):
    """One of the two had the other's account in hand a short while ago."""

    code = "not-independent"
    message = _(
        "One of you two opened the other's account, gave it its role or made a link to its password not long ago:"
        " another person does this."
    )


def in_one_hand(person: User | int, others: Iterable[User | int | None], at: datetime) -> set[int]:
    """Which of the others had this person's account in hand, or the other way round, within the days of the rule."""
    wanted = {_key(other) for other in others if other is not None} - {_key(person)}
    if not wanted:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT other FROM unnest(%s::bigint[]) AS other WHERE accounts_in_one_hand(%s, other, %s)",
            [sorted(wanted), _key(person), at],
        )
        return {row[0] for row in cursor.fetchall()}


def require_independent(actor: User, *others: User | int | None, at: datetime) -> None:
    """Say no to the second person of an act who had the first one's account in hand, or the other way round.

    To be asked wherever an act takes two persons, after the question whether they are one. Raises NotIndependent.
    """
    if in_one_hand(actor, others, at):
        raise NotIndependent


def problem_of_commission(
    newcomers: Iterable[User], seated: Iterable[User] = (), *, at: datetime
) -> StrOrPromise | None:
    """What is wrong where two of those who are to sign together have each other's account in hand; None if all is well.

    To be asked as people are seated: who signs is asked again (`require_independent`), but then it is too late to
    choose somebody else. One statement.
    """
    new = {person.pk: person for person in newcomers}
    people = {person.pk: person for person in seated} | new
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT one, other FROM unnest(%s::bigint[]) AS one, unnest(%s::bigint[]) AS other"
            " WHERE (one < other OR other <> ALL(%s)) AND one <> other AND accounts_in_one_hand(one, other, %s)"
            " ORDER BY one, other LIMIT 1",
            [sorted(new), sorted(people), sorted(new), at],
        )
        found = cursor.fetchone()
    if found is None:
        return None
    names = {"one": people[found[0]].full_name, "other": people[found[1]].full_name}
    return (
        _(
            "%(one)s and %(other)s cannot sign together: one of them opened the other's account, gave it its role or"
            " made a link to its password not long ago. Name somebody else."
        )
        % names
    )


def _key(person: User | int) -> int:
    return person if isinstance(person, int) else person.pk

"""The life of an application: one table of what may be done in which state, and by which side.

The services, the pages, the database's own trigger and the diagram in docs/applications.md all read this table.
`python -m permits.machine` prints the diagram.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum, auto

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("Submitted")
    IN_REVIEW = "in_review", _("In review")
    RETURNED = "returned", _("Returned for correction")
    APPROVED = "approved", _("Approved")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class Act(models.TextChoices):
    CHANGE = "change", _("Change")
    SUBMIT = "submit", _("Submit")
    WITHDRAW = "withdraw", _("Withdraw")
    TAKE_UP = "take_up", _("Take up")
    APPROVE = "approve", _("Approve")
    REFUSE = "refuse", _("Refuse")
    RETURN = "return", _("Return for correction")


class Side(StrEnum):
    """Who acts: people of the organisation that applies, or officers of the authority."""

    APPLICANT = auto()
    AUTHORITY = auto()


@dataclass(frozen=True, slots=True)
class Transition:
    act: Act
    source: State
    target: State
    side: Side


def _rows(act: Act, side: Side, sources: tuple[State, ...], target: State | None) -> Iterator[Transition]:
    """One row for each state the act is possible in; `target` None means that the state stays."""
    for source in sources:
        yield Transition(act, source, source if target is None else target, side)


BEFORE_SUBMISSION = (State.DRAFT, State.RETURNED)
WAITING = (State.SUBMITTED, State.IN_REVIEW)
FINAL = (State.APPROVED, State.REFUSED, State.WITHDRAWN)

TRANSITIONS: tuple[Transition, ...] = (
    *_rows(Act.CHANGE, Side.APPLICANT, BEFORE_SUBMISSION, None),
    *_rows(Act.SUBMIT, Side.APPLICANT, BEFORE_SUBMISSION, State.SUBMITTED),
    *_rows(Act.WITHDRAW, Side.APPLICANT, BEFORE_SUBMISSION + WAITING, State.WITHDRAWN),
    *_rows(Act.TAKE_UP, Side.AUTHORITY, (State.SUBMITTED,), State.IN_REVIEW),
    *_rows(Act.APPROVE, Side.AUTHORITY, WAITING, State.APPROVED),
    *_rows(Act.REFUSE, Side.AUTHORITY, WAITING, State.REFUSED),
    *_rows(Act.RETURN, Side.AUTHORITY, WAITING, State.RETURNED),
)


def find_transition(source: str, act: Act) -> Transition | None:
    """The row for this act in this state; None where the act is not possible."""
    return next((row for row in TRANSITIONS if row.source == source and row.act == act), None)


def acts_of(source: str, side: Side) -> list[Act]:
    """What a side may do in a state, in the order of the table."""
    return [row.act for row in TRANSITIONS if row.source == source and row.side == side]


def state_pairs() -> list[tuple[str, str]]:
    """Every change of state that the table allows, each once, from and to."""
    return sorted({(row.source.value, row.target.value) for row in TRANSITIONS if row.source != row.target})


def draw() -> str:
    """The table as a Mermaid diagram and as a Markdown table, in the words of the code."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> draft"]
    lines += [f"    {row.source.value} --> {row.target.value}: {row.act.value}" for row in _moving()]
    lines += [f"    {state.value} --> [*]" for state in FINAL]
    lines += ["```", "", "| act | side | from | to |", "|---|---|---|---|"]
    lines += [
        f"| {row.act.value} | {row.side.value} | {row.source.value} | {row.target.value} |" for row in TRANSITIONS
    ]
    return "\n".join(lines) + "\n"


def _moving() -> Iterator[Transition]:
    return (row for row in TRANSITIONS if row.source != row.target)


if __name__ == "__main__":
    print(draw(), end="")

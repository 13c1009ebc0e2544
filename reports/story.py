"""One item's whole story: every movement and every act about it, each with who, when, and under which paper."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.accounts.subjects import pages_of
from core.audit.models import Event
from core.audit.services import VERBS
from core.audit.templatetags.journal import Fact, facts_in_words
from ledger.models import Handover, MovementKind, Posting
from marking.codes import group
from marking.models import LabelRunMark, Mark
from permits.models import Application, Permit
from registry.models import Derivative, Processing

MOST_OUTSIDE = 1000  # unusual rows that the journal names

# The act that made a movement: told together with it, as one step.
MADE_BY = {
    "intake.registered": MovementKind.INTAKE,
    "processing.registered": MovementKind.CONSUMPTION,
    "handover.dispatched": MovementKind.DISPATCH,
    "handover.accepted": MovementKind.ACCEPT,
    "handover.cancelled": MovementKind.RETURN,
}


@dataclass(slots=True)
class Step:
    """One thing that happened: the deed in words, who and when, from where to where, the paper, the proof."""

    at: datetime
    deed: StrOrPromise
    who: str
    on: date | None = None
    left: str = ""
    came: str = ""
    paper: str = ""
    url: str = ""
    about: str = ""
    facts: list[Fact] = field(default_factory=list)
    event: int | None = None
    movement: int | None = None


@dataclass(slots=True)
class _Moved:
    """A movement of the item, put together from its two postings."""

    movement: int
    kind: str
    on: date
    at: datetime
    who: str
    reference: str
    left: list[str]
    came: list[str]


def tell_story(derivative: Derivative, *, reader: User) -> list[Step]:
    """Every step, newest first, with links to what the reader may open. A constant number of queries."""
    links = _links(derivative, reader)
    moved = _movements(derivative.pk)
    subjects = [
        ("derivative", derivative.pk),
        *(("movement", movement.movement) for movement in moved),
        *links,
    ]
    steps: list[Step] = []
    told: set[int] = set()
    for event in Event.objects.about(*subjects):
        if event.verb == "intake.registered" and not _is_unusual(derivative.row, event):
            event.facts.pop("band_reason", None)
        step = _from_event(event, links)
        kind = MADE_BY.get(event.verb)
        made = next((m for m in moved if kind == m.kind and _is_of(event, m, links)), None) if kind else None
        if made is not None:
            told.add(made.movement)
            _add_movement(step, made)
        steps.append(step)
    for movement in moved:
        if movement.movement not in told:
            step = Step(at=movement.at, deed=MovementKind(movement.kind).label, who=movement.who)
            _add_movement(step, movement)
            steps.append(step)
    return sorted(steps, key=lambda step: (step.at, step.event or 0, step.movement or 0), reverse=True)


def _is_unusual(row: int, registered: Event) -> bool:
    """Whether a row was confirmed as unusual; the journal keeps the first thousand, in their order."""
    outside: list[int] = registered.facts.get("outside_band", [])
    return row in outside or (len(outside) >= MOST_OUTSIDE and row > outside[-1])


@dataclass(frozen=True, slots=True)
class _Link:
    """A subject whose events belong to the story: its name, its page, and the movement that began it."""

    name: str
    url: str = ""
    movement: int | None = None


def _links(derivative: Derivative, reader: User) -> dict[tuple[str, str], _Link]:
    """The item's intake, marks, label runs, hand-overs, applications and permits, with pages the reader may open."""
    item = derivative.pk
    found: dict[tuple[str, str], _Link] = {("intake", str(derivative.intake_id)): _Link(derivative.intake.number)}
    runs_of_item = Processing.objects.filter(
        Q(made=derivative.intake_id) | Q(inputs__item=item, state="done")
    ).distinct()
    for pk, number in runs_of_item.values_list("pk", "number"):
        found["processing", str(pk)] = _Link(number)
    for code in Mark.objects.filter(derivative=item).values_list("pk", flat=True):
        found["mark", code] = _Link(group(code))
    runs = LabelRunMark.objects.filter(mark__derivative=item).values_list("run", flat=True).distinct()
    found |= {("label_run", str(run)): _Link("") for run in runs}
    handovers = Handover.objects.filter(lines__item=item)
    for pk, number, movement in handovers.values_list("pk", "number", "dispatch_movement"):
        found["handover", str(pk)] = _Link(number, movement=movement)
    # A draft that was never submitted is nobody's business but the applicant's.
    submitted = Application.objects.filter(lines__item=item, number__isnull=False)
    for pk, number in submitted.values_list("pk", "number"):
        found["application", str(pk)] = _Link(number or "")
    for pk, number in Permit.objects.filter(lines__item=item).values_list("pk", "number"):
        found["permit", str(pk)] = _Link(number)
    pages = pages_of(reader, (subject for subject in found if subject[0] != "mark"))
    return {subject: replace(link, url=pages.get(subject, "")) for subject, link in found.items()}


def _movements(item: int) -> list[_Moved]:
    postings = (
        Posting.objects.filter(item=item)
        .select_related("movement__actor", "account")
        .order_by("movement", "pieces", "pk")
    )
    found: dict[int, _Moved] = {}
    for posting in postings:
        movement = posting.movement
        moved = found.setdefault(
            movement.pk,
            _Moved(
                movement.pk,
                movement.kind,
                movement.effective_on,
                movement.recorded_at,
                movement.actor.full_name,
                movement.reference,
                [],
                [],
            ),
        )
        (moved.came if posting.pieces > 0 else moved.left).append(posting.account.name)
    return list(found.values())


def _is_of(event: Event, moved: _Moved, links: dict[tuple[str, str], _Link]) -> bool:
    """Whether this act made this movement."""
    if event.facts.get("movement") == moved.movement:
        return True
    link = links.get((event.subject_kind, event.subject_id))
    if link is None:
        return False
    return moved.movement == link.movement or (moved.reference != "" and moved.reference == link.name)


def _from_event(event: Event, links: dict[tuple[str, str], _Link]) -> Step:
    link = links.get((event.subject_kind, event.subject_id))
    return Step(
        at=event.at,
        deed=VERBS.get(event.verb, event.verb),
        who=event.actor_name or _("The registry itself"),
        about=event.subject_name or (link.name if link else ""),
        url=link.url if link else "",
        facts=facts_in_words(event),
        event=event.pk,
    )


def _add_movement(step: Step, moved: _Moved) -> None:
    step.on, step.movement = moved.on, moved.movement
    step.left, step.came = ", ".join(moved.left), ", ".join(moved.came)
    if not step.about:
        step.paper = moved.reference


def name_right(reference: str) -> tuple[str, str]:
    """The number and the page of the permit that a reservation names; the reference itself if it names none."""
    right, _colon, key = reference.partition(":")
    if right == "permit" and key.isdecimal():
        number = Permit.objects.filter(pk=int(key)).values_list("number", flat=True).first()
        if number:
            return number, reverse("permits:permit", args=[key])
    return reference, ""

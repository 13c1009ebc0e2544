"""One item's whole story: every movement and every act about it, each with who, when, and under which paper."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django_stubs_ext import StrOrPromise

from core.audit.models import Event
from core.audit.services import VERBS
from core.audit.templatetags.journal import Fact, facts_in_words
from ledger.models import AccountKind, CustodyAccount, HandoverLine, Hold, MovementKind, Posting
from marking.models import LabelRunMark, Mark
from permits.models import ApplicationLine, Permit, PermitLine
from registry.models import Derivative

# The act that made a movement: told together with it, as one step.
MADE_BY = {
    "intake.registered": MovementKind.INTAKE,
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


def tell_story(derivative: Derivative) -> list[Step]:
    """Every step, newest first. A constant number of queries, however long the story."""
    links = _links(derivative)
    moved = _movements(derivative.pk)
    subjects = [
        ("derivative", derivative.pk),
        ("intake", derivative.intake_id),
        *(("movement", movement.movement) for movement in moved),
        *links,
    ]
    steps: list[Step] = []
    told: set[int] = set()
    for event in Event.objects.about(*subjects):
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


@dataclass(frozen=True, slots=True)
class _Link:
    """A subject whose events belong to the story: its name, its page, and the movement that began it."""

    name: str
    url: str
    movement: int | None = None


def _links(derivative: Derivative) -> dict[tuple[str, object], _Link]:
    """Marks, label runs, hand-overs, applications and permits of the item."""
    links: dict[tuple[str, object], _Link] = {}
    item = derivative.pk
    for code in Mark.objects.filter(derivative=item).values_list("pk", flat=True):
        links["mark", code] = _Link(code, "")
    for run in LabelRunMark.objects.filter(mark__derivative=item).values_list("run", flat=True):
        links["label_run", run] = _Link("", reverse("marking:label-run", args=[run]))
    lines = HandoverLine.objects.filter(item=item).values_list(
        "handover", "handover__number", "handover__dispatch_movement"
    )
    for pk, number, movement in lines:
        links["handover", pk] = _Link(number, reverse("permits:handover", args=[pk]), movement)
    for pk, number in ApplicationLine.objects.filter(item=item).values_list("application", "application__number"):
        links["application", pk] = _Link(number or "", reverse("permits:application", args=[pk]))
    for pk, number in PermitLine.objects.filter(item=item).values_list("permit", "permit__number"):
        links["permit", pk] = _Link(number, reverse("permits:permit", args=[pk]))
    return links


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


def _is_of(event: Event, moved: _Moved, links: dict[tuple[str, object], _Link]) -> bool:
    """Whether this act made this movement."""
    if event.facts.get("movement") == moved.movement:
        return True
    if not event.subject_id.isdecimal():
        return False
    link = links.get((event.subject_kind, int(event.subject_id)))
    if link is None:
        return False
    return moved.movement == link.movement or (moved.reference != "" and moved.reference == link.name)


def _from_event(event: Event, links: dict[tuple[str, object], _Link]) -> Step:
    key: object = int(event.subject_id) if event.subject_id.isdecimal() else event.subject_id
    link = links.get((event.subject_kind, key))
    url = link.url if link else ""
    if event.subject_kind == "intake":
        url = reverse("registry:intake", args=[event.subject_id])
    return Step(
        at=event.at,
        deed=VERBS.get(event.verb, event.verb),
        who=event.actor_name or _("The registry itself"),
        about=event.subject_name or (link.name if link else ""),
        url=url,
        facts=facts_in_words(event),
        event=event.pk,
    )


def _add_movement(step: Step, moved: _Moved) -> None:
    step.on, step.movement = moved.on, moved.movement
    step.left, step.came = ", ".join(moved.left), ", ".join(moved.came)
    if not step.about:
        step.paper = moved.reference


# Where it is, in words


@dataclass(frozen=True, slots=True)
class Standing:
    """A state in words, with its tone, and what to do about it."""

    tone: str
    label: str
    advice: str = ""


def standings(place: CustodyAccount, holds: Sequence[Hold], reserved_for: str) -> list[Standing]:
    """Where the item is, then what binds it there."""
    found = [_place_in_words(place)]
    found += [
        Standing(
            "stop",
            _("On hold: %(kind)s, %(reference)s") % {"kind": hold.get_kind_display(), "reference": hold.reference},
            _("It stays where it is until the decision in this case is recorded."),
        )
        for hold in holds
    ]
    if reserved_for:
        found.append(
            Standing(
                "wait",
                _("Reserved for %(right)s") % {"right": reserved_for},
                _("It moves only under this permit."),
            )
        )
    return found


def _place_in_words(place: CustodyAccount) -> Standing:
    match place.kind:
        case AccountKind.STORE:
            return Standing("ok", _("In store: %(store)s") % {"store": place.name})
        case AccountKind.EVIDENCE:
            return Standing("attention", _("In the evidence room: %(store)s") % {"store": place.name})
        case AccountKind.TRANSIT:
            return Standing("wait", _("On the way between stores"))
        case AccountKind.LOSS:
            return Standing("stop", str(place.get_kind_display()))
        case _:
            return Standing("neutral", str(place.get_kind_display()))


def name_right(reference: str) -> tuple[str, str]:
    """The number and the page of the permit that a reservation names; the reference itself if it names none."""
    right, _colon, key = reference.partition(":")
    if right == "permit" and key.isdecimal():
        number = Permit.objects.filter(pk=int(key)).values_list("number", flat=True).first()
        if number:
            return number, reverse("permits:permit", args=[key])
    return reference, ""

"""Processing: a draft that grows, then one act that consumes what went in and registers what came out.

Where more is lost than the norm allows, the act waits: the goods are held until the authority approves it or gives it
back. Lock order: the run, then what the ledger locks: the store, holdings by item, totals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from django_stubs_ext import StrOrPromise

from core.accounts.independence import require_independent
from core.accounts.models import Organisation, User
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed
from core.base.reasons import is_reason, require_reason
from core.documents.services import take_numbers
from core.notices.models import Notice, is_authority
from core.notices.services import raise_notice, settle_notices
from core.rules.models import RuleCode
from core.rules.selectors import NoRuleInForce, discrepancy_due_on, in_force
from ledger.models import MOST_GRAMS, AccountKind, CustodyAccount, Hold, Holding, MovementKind
from ledger.services import (
    Arrival,
    ItemsNotThere,
    SecondPersonNeeded,
    enter_items,
    lift_hold,
    lock_items,
    lock_open,
    move_items,
    open_items,
    place_hold,
)
from registry.measures import MAX_NOTE
from registry.models import (
    WAYS,
    Derivative,
    Intake,
    Origin,
    Processing,
    ProcessingInput,
    ProcessingOutput,
    Recipe,
    Side,
    Term,
)
from registry.models.terms import split_stock_class
from registry.processing import Consumed, Obstacle, find_input_obstacles, may_process_in, weigh_inputs
from registry.services.registration import insert_derivatives

MOST_PACKAGES = 20_000
MOST_INPUTS = 20_000
MOST_NAMED = 5


class NothingToProcess(BadInput):
    """Nothing goes in, or nothing comes out."""

    code = "nothing-to-process"
    message = _("Choose what goes in and enter what came out.")


class InputsRefused(DomainError):
    """Some of the items cannot be consumed by this run."""

    code = "inputs-refused"
    message = _("Some of these items cannot be processed now.")


class MassDiffers(BadInput):
    """What went in is not what came out and the declared loss together."""

    code = "mass-differs"
    message = _("The masses do not add up.")


class LossNotExplained(BadInput):
    """More is lost than the norm allows, and nobody has said why."""

    code = "loss-not-explained"
    message = _("More is lost than the norm allows. Say why.")


class RunChanged(DomainError):
    """The run is not the one the person saw: somebody else has changed it meanwhile."""

    code = "run-changed"
    message = _("Somebody else changed this meanwhile. Look at it again.")


@dataclass(frozen=True, slots=True)
class Package:
    """So many packages with the same mass each, in grams."""

    count: int
    mass_g: int
    note: str = ""


@transaction.atomic
def open_processing(
    *,
    actor: User,
    at: datetime,
    recipe: Recipe,
    store: CustodyAccount,
    on: date | None = None,
    item_ids: Sequence[int] = (),
) -> Processing:
    """Begin a run in a store of a processor or of the State, with those of these items on its list that can go in.

    Raises NotAllowed, BadInput; then there is no run.
    """
    if not may_process_in(actor, store):
        raise NotAllowed
    on = on or day_of(at)
    if on > day_of(at):
        raise BadInput(fields={"on": _("The day lies in the future.")})
    (serial,) = take_numbers(series="PR", year=on.year)
    run = Processing.objects.create(
        number=f"PR{on:%y}-{serial:06d}", recipe=recipe, store=store, on=on, opened_by=actor, opened_at=at
    )
    _record("processing.opened", run, actor=actor, at=at, recipe=run.recipe)
    if item_ids:
        choose_inputs(actor=actor, at=at, run=run, item_ids=item_ids)
        run.refresh_from_db(fields=["version"])
    return run


@transaction.atomic
def choose_inputs(
    *, actor: User, at: datetime, run: Processing, item_ids: Sequence[int]
) -> tuple[int, dict[int, list[Obstacle]]]:
    """Put items on the list of what goes in; how many were new, and what stands against the others, which stay out.

    One origin class goes into a run: the first item decides it. Raises NotAllowed, InvalidTransition, BadInput.
    """
    run = lock_draft(actor=actor, run=run)
    wanted = list(dict.fromkeys(item_ids))
    there = set(run.inputs.values_list("item_id", flat=True))
    if len(there) + len(wanted) > MOST_INPUTS:
        raise BadInput(_("At most %(most)d items go into one run.") % {"most": MOST_INPUTS})
    obstacles = find_input_obstacles(run, wanted)
    new = [item for item in wanted if item not in there and item not in obstacles]
    ProcessingInput.objects.bulk_create(ProcessingInput(processing=run, item_id=item) for item in new)
    if new:
        _count_change(run)
    return len(new), obstacles


@transaction.atomic
def drop_inputs(*, actor: User, at: datetime, run: Processing, item_ids: Sequence[int] | None = None) -> int:
    """Take items, or all of them, off the list of what goes in; how many. Raises NotAllowed, InvalidTransition."""
    run = lock_draft(actor=actor, run=run)
    leaving = run.inputs.all() if item_ids is None else run.inputs.filter(item__in=list(item_ids))
    count, _each = leaving.delete()
    if count:
        _count_change(run)
    return count


@transaction.atomic
def save_outputs(
    *, actor: User, at: datetime, run: Processing, packages: Sequence[Package], version: int | None = None
) -> Processing:
    """Write down all that came out, in place of what was written before. Raises NotAllowed, InvalidTransition,
    RunChanged, and BadInput with fields named "outputs.<row>.<column>".
    """
    run = lock_draft(actor=actor, run=run)
    if version is not None and version != run.version:
        raise RunChanged
    _refuse_wrong(packages)
    run.outputs.all().delete()
    ProcessingOutput.objects.bulk_create(
        ProcessingOutput(processing=run, row=row, count=one.count, mass_g=one.mass_g, note=one.note.strip())
        for row, one in enumerate(packages, start=1)
    )
    _count_change(run)
    return run


@transaction.atomic
def cancel_processing(*, actor: User, at: datetime, run: Processing, reason: str) -> Processing:
    """Give up a draft; nothing was consumed. Raises NotAllowed, InvalidTransition, BadInput."""
    run = lock_draft(actor=actor, run=run)
    reason = require_reason(reason)
    run.inputs.all().delete()
    run.outputs.all().delete()
    run.state, run.closed_by, run.closed_at, run.cancel_reason = Processing.State.CANCELLED, actor, at, reason.strip()
    run.save(update_fields=["state", "closed_by", "closed_at", "cancel_reason"])
    _record("processing.cancelled", run, actor=actor, at=at, reason=run.cancel_reason)
    return run


@transaction.atomic
def register_processing(
    *,
    actor: User,
    at: datetime,
    run: Processing,
    loss_g: int,
    explanation: str = "",
    version: int | None = None,
) -> list[Derivative]:
    """Consume what goes in and register what came out, in the run's store: all of it or nothing.

    What went in is exactly what came out and the declared loss together, in grams. Loss above the norm of what is made
    must be explained; then nothing is consumed: the run waits, its goods are held, and the authority is told. Outputs
    have the origin class of the inputs. Marks are not issued here. Nothing comes back of a run that waits.
    Raises NotAllowed, InvalidTransition, RunChanged, NothingToProcess, InputsRefused, MassDiffers, LossNotExplained,
    and what the ledger raises; then nothing has changed.
    """
    run = lock_draft(actor=actor, run=run)
    if version is not None and version != run.version:
        raise RunChanged
    items = list(run.inputs.order_by("item_id").values_list("item_id", flat=True))
    packages = _packages(run)
    if not items or not packages:
        raise NothingToProcess
    lock_open(run.store)
    lock_items(items)
    if obstacles := find_input_obstacles(run, items):
        raise InputsRefused(_first_reasons(obstacles))
    # Read under the lock of the holdings: what is weighed here is what leaves below.
    weighed = _weigh(run, items)
    went_in = sum(line.grams for line in weighed)
    _refuse_wrong_mass(went_in, sum(one.count * one.mass_g for one in packages), loss_g)
    percent = norm_of_loss(run.way.gives, run.on)
    if loss_g * 100 <= went_in * percent:
        _note_totals(run, weighed, packages, loss_g)
        return _consume(run, packages, actor=actor, at=at, registered_by=actor)
    if not is_reason(explanation):
        text = _("The norm is %(percent)d %%. Say why more was lost: two words and ten letters at least.")
        raise LossNotExplained(fields={"explanation": text % {"percent": percent}})
    _note_totals(run, weighed, packages, loss_g)
    _ask(run, weighed, explanation.strip(), percent, actor=actor, at=at)
    return []


@transaction.atomic
def approve_processing(*, actor: User, at: datetime, run: Processing, reason: str) -> list[Derivative]:
    """Let a run that loses more than the norm through, as somebody of the authority who did not ask for it: what waited
    is consumed, what came out is registered.

    Raises NotAllowed, SecondPersonNeeded, InvalidTransition, InputsRefused, BadInput, and what the ledger raises; then
    nothing has changed.
    """
    run = _lock_awaiting(run)
    if not is_authority(actor):
        raise NotAllowed
    if run.asked_by_id == actor.pk:
        raise SecondPersonNeeded(_("Another person must approve this: you asked for it yourself."))
    require_independent(actor, run.asked_by_id, at=at)
    _refuse_short(reason)
    asked = {line.item_id: line.mass_g for line in run.inputs.all()}
    run.approved_by, run.approved_at, run.approval_reason = actor, at, reason.strip()
    run.save(update_fields=["approved_by", "approved_at", "approval_reason"])
    lock_open(run.store)
    items = sorted(asked)
    lift_hold(actor=actor, at=at, item_ids=items, kind=Hold.Kind.PROCESSING, reason=run.number)
    if obstacles := find_input_obstacles(run, items):
        raise InputsRefused(_first_reasons(obstacles))
    weighed = _weigh(run, items)
    if {line.item_id: line.grams for line in weighed} != asked:
        raise InvalidTransition(_("The goods were weighed again since. Give the run back, to be registered anew."))
    _settle(run, _("Loss approved by the authority"), reason, actor=actor, at=at)
    return _consume(run, _packages(run), actor=actor, at=at, registered_by=run.asked_by or actor)


@transaction.atomic
def return_processing(*, actor: User, at: datetime, run: Processing, reason: str) -> Processing:
    """Make a draft of a waiting run again: not approved by the authority, or taken back by who works there.

    Its goods are free. Raises NotAllowed, InvalidTransition, BadInput.
    """
    run = _lock_awaiting(run)
    if not is_authority(actor) and not may_process_in(actor, run.store):
        raise NotAllowed
    _refuse_short(reason)
    run.state, run.asked_by, run.asked_at, run.explanation, run.origin = Processing.State.DRAFT, None, None, "", ""
    run.input_pieces = run.input_g = run.output_pieces = run.output_g = run.loss_g = None
    run.version += 1
    run.save()
    items = list(run.inputs.order_by("item_id").values_list("item_id", flat=True))
    run.inputs.update(mass_g=None)
    lift_hold(actor=actor, at=at, item_ids=items, kind=Hold.Kind.PROCESSING, reason=f"{run.number}: {reason}"[:200])
    _settle(run, _("Given back, the goods are free"), reason, actor=actor, at=at)
    _record("processing.returned", run, actor=actor, at=at, reason=reason.strip())
    return run


def _settle(run: Processing, decision: StrOrPromise, reason: str, *, actor: User, at: datetime) -> None:
    settle_notices(
        actor=actor,
        at=at,
        subject=("processing", run.pk),
        code="processing.loss",
        decision=decision,
        reason=reason.strip(),
    )


def _ask(
    run: Processing, weighed: Sequence[Consumed], explanation: str, percent: int, *, actor: User, at: datetime
) -> None:
    """Hold what would be consumed, as it weighs now, and tell the authority."""
    run.inputs.all().delete()
    ProcessingInput.objects.bulk_create(
        ProcessingInput(processing=run, item_id=line.item_id, mass_g=line.grams) for line in weighed
    )
    run.state, run.asked_by, run.asked_at, run.explanation = Processing.State.AWAITING, actor, at, explanation
    run.version += 1
    run.save()
    items = [line.item_id for line in weighed]
    place_hold(actor=actor, at=at, item_ids=items, kind=Hold.Kind.PROCESSING, reference=run.number)
    _record(
        "processing.asked",
        run,
        actor=actor,
        at=at,
        consumed_pieces=run.input_pieces,
        consumed_grams=run.input_g,
        grams=run.output_g,
        loss_grams=run.loss_g,
        reason=explanation,
    )
    _tell_authority(run, percent, actor=actor, at=at)


def _consume(
    run: Processing, packages: Sequence[Package], *, actor: User, at: datetime, registered_by: User
) -> list[Derivative]:
    """Move what goes in out of the store and what came out into it, and close the run."""
    items = list(run.inputs.order_by("item_id").values_list("item_id", flat=True))
    # Numbers before what the ledger locks last, as registration of a reception takes them: so the two never block each
    # other.
    numbers = _Numbers(
        intake=take_numbers(series="IN", year=run.on.year)[0],
        items=take_numbers(series="KZ", year=run.on.year, count=sum(one.count for one in packages)),
    )
    movement = move_items(
        actor=actor,
        at=at,
        key=f"processing:{run.pk}:in",
        kind=MovementKind.CONSUMPTION,
        item_ids=items,
        source=run.store,
        target=CustodyAccount.objects.boundary(AccountKind.PROCESSING),
        effective_on=run.on,
        reference=run.number,
    )
    run.inputs.all().delete()
    ProcessingInput.objects.bulk_create(
        ProcessingInput(processing=run, item_id=line.item_id, mass_g=line.grams)
        for line in weigh_inputs(movement, run.store)
    )
    run.outputs.all().delete()
    run.state, run.closed_by, run.closed_at = Processing.State.DONE, registered_by, at
    run.save()
    derivatives = _make(run, packages, numbers, actor=actor, at=at)
    enter_items(
        actor=actor,
        at=at,
        key=f"processing:{run.pk}:out",
        source=CustodyAccount.objects.boundary(AccountKind.PROCESSING),
        target=run.store,
        arrivals=[Arrival(d.item_id, d.stock_class, 1, d.mass_g) for d in derivatives],
        effective_on=run.on,
        reference=run.number,
        kind=MovementKind.PRODUCTION,
    )
    _record(
        "processing.registered",
        run,
        actor=actor,
        at=at,
        pieces=run.output_pieces,
        grams=run.output_g,
        consumed_pieces=run.input_pieces,
        consumed_grams=run.input_g,
        loss_grams=run.loss_g,
        first=derivatives[0].number,
        last=derivatives[-1].number,
        movement=movement.pk,
        reason=run.approval_reason or run.explanation,
    )
    return derivatives


def _note_totals(run: Processing, weighed: Sequence[Consumed], packages: Sequence[Package], loss_g: int) -> None:
    run.origin = _one_origin([line.stock_class for line in weighed])
    run.input_pieces, run.input_g = len(weighed), sum(line.grams for line in weighed)
    run.output_pieces = sum(one.count for one in packages)
    run.output_g, run.loss_g = sum(one.count * one.mass_g for one in packages), loss_g


def _weigh(run: Processing, item_ids: Sequence[int]) -> list[Consumed]:
    held = Holding.objects.filter(account=run.store_id, item__in=item_ids, pieces__gt=0).order_by("item_id")
    weighed = [Consumed(*row) for row in held.values_list("item_id", "stock_class", "grams")]
    if len(weighed) != len(item_ids):
        raise ItemsNotThere
    return weighed


def _packages(run: Processing) -> list[Package]:
    return [Package(*line) for line in run.outputs.order_by("row").values_list("count", "mass_g", "note")]


def _lock_awaiting(run: Processing) -> Processing:
    """The run, locked until commit, while it waits. The lock closes the race of two who decide it."""
    Processing.objects.select_for_update().get(pk=run.pk)
    locked = Processing.objects.select_related("store__custodian", "store__region", "asked_by").get(pk=run.pk)
    if not locked.is_awaiting:
        raise InvalidTransition(_("This run waits for nobody any more. Reload the page."))
    return locked


def _refuse_short(reason: str) -> None:
    require_reason(reason)


def norm_of_loss(term: Term, on: date) -> int:
    """Percent of what goes in that may be lost in making this; nothing in force means none."""
    try:
        percent: int = in_force(RuleCode.PROCESSING_LOSS, on, scope=term).value["percent"]
    except NoRuleInForce:
        return 0
    return percent


def lock_draft(*, actor: User, run: Processing) -> Processing:
    """The run, locked until commit, while it is a draft and the actor may work on it.

    The row lock closes the race of two registrations of one run, and of a registration against a change of its lines.
    Raises NotAllowed, InvalidTransition.
    """
    Processing.objects.select_for_update().get(pk=run.pk)
    # Read again once it is ours: rows joined while waiting would be those of before.
    locked = Processing.objects.select_related("store__custodian", "store__region").get(pk=run.pk)
    if not may_process_in(actor, locked.store):
        raise NotAllowed
    if not locked.is_draft:
        raise InvalidTransition(_("This run is closed already. Reload the page."))
    return locked


def _refuse_wrong(packages: Sequence[Package]) -> None:
    wrong: dict[str, StrOrPromise] = {}
    for row, one in enumerate(packages, start=1):
        if not 1 <= one.count <= MOST_PACKAGES:
            wrong[f"outputs.{row}.count"] = _("From 1 to %(most)d packages.") % {"most": MOST_PACKAGES}
        if not 1 <= one.mass_g <= MOST_GRAMS:
            wrong[f"outputs.{row}.mass_g"] = _("The mass must be at least 1 g.")
        if len(one.note.strip()) > MAX_NOTE:
            wrong[f"outputs.{row}.note"] = _("At most %(most)d letters.") % {"most": MAX_NOTE}
    if wrong:
        raise BadInput(fields=wrong)
    if sum(one.count for one in packages) > MOST_PACKAGES:
        raise BadInput(_("One run makes at most %(most)d packages.") % {"most": MOST_PACKAGES})


def _refuse_wrong_mass(went_in: int, came_out: int, loss_g: int) -> None:
    if came_out > went_in:
        raise MassDiffers(
            _("More comes out (%(out)d g) than went in (%(in)d g). Weigh again.") % {"out": came_out, "in": went_in}
        )
    if loss_g != went_in - came_out:
        raise MassDiffers(
            fields={
                "loss_g": _("%(in)d g went in and %(out)d g came out: the loss is %(loss)d g.")
                % {"in": went_in, "out": came_out, "loss": went_in - came_out}
            }
        )


def _one_origin(stock_classes: Sequence[str]) -> Origin:
    origins = {split_stock_class(code)[1] for code in stock_classes}
    if len(origins) != 1:
        raise InputsRefused(_("Origin classes are never mixed in one run."))
    return origins.pop()


def _first_reasons(obstacles: dict[int, list[Obstacle]]) -> StrOrPromise:
    reasons = sorted({str(obstacle.text) for found in obstacles.values() for obstacle in found})[:MOST_NAMED]
    words = ngettext_lazy(
        "%(count)d item cannot be processed: %(reasons)s", "%(count)d items cannot be processed: %(reasons)s", "count"
    )
    return words % {"count": len(obstacles), "reasons": " ".join(reasons)}


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The number of the intake of what came out, and those of the packages."""

    intake: int
    items: range


def _make(
    run: Processing, packages: Sequence[Package], numbers: _Numbers, *, actor: User, at: datetime
) -> list[Derivative]:
    """An intake of what came out, and a derivative for each package, with its own item and number."""
    term = WAYS[Recipe(run.recipe)].gives
    made = Intake.objects.create(
        number=f"IN{run.on:%y}-{numbers.intake:06d}",
        origin=run.origin,
        term=term,
        store=run.store,
        on=run.on,
        region_id=str(run.store.region_id),
        processing=run,
        state=Intake.State.REGISTERED,
        pieces=run.output_pieces,
        grams=run.output_g,
        opened_by=actor,
        opened_at=at,
        closed_by=actor,
        closed_at=at,
    )
    certificate = _one_certificate(run) if term == Term.MEAT else None
    masses = [(one.mass_g, one.note) for one in packages for _each in range(one.count)]
    items = sorted(open_items(len(masses)))
    derivatives = [
        Derivative(
            item_id=item,
            number=f"KZ{run.on:%y}-{number:07d}",
            term=term,
            origin=run.origin,
            intake=made,
            certificate_id=certificate,
            row=row,
            side=Side.UNKNOWN,
            mass_g=mass,
            note=note,
            registered_at=at,
        )
        for row, (item, number, (mass, note)) in enumerate(zip(items, numbers.items, masses, strict=True), start=1)
    ]
    insert_derivatives(derivatives)
    return derivatives


def _one_certificate(run: Processing) -> int | None:
    """Portions stay under the veterinary certificate of their batch; of several batches, under none."""
    inputs = Derivative.objects.filter(item__in=run.inputs.values("item"), certificate__isnull=False)
    found = set(inputs.values_list("certificate", flat=True))
    return found.pop() if len(found) == 1 else None


def _count_change(run: Processing) -> None:
    run.version += 1
    run.save(update_fields=["version"])


def _tell_authority(run: Processing, percent: int, *, actor: User, at: datetime) -> None:
    """More was lost than the norm allows: the owner of the store explains, the authority judges."""
    raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code="processing.loss",
        organisation=Organisation.objects.get(custody_accounts=run.store),
        subject=("processing", run.pk),
        due_on=discrepancy_due_on(at),
        actor=actor,
        number=run.number,
        loss=run.loss_g,
        input=run.input_g,
        percent=percent,
        explanation=run.explanation,
    )


def _record(verb: str, run: Processing, *, actor: User, at: datetime, **facts: object) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=("processing", run.pk),
        subject_name=run.number,
        organisation_id=run.store.custodian_id,
        number=run.number,
        **facts,
    )

"""Processing: what goes in is consumed, what comes out is registered, and no gram is unaccounted for."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.accounts.models import User
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed
from core.notices.models import Notice
from ledger.models import AccountKind, CustodyAccount, Hold, Holding, Movement, MovementKind, Posting
from ledger.selectors import find_differences
from ledger.services import (
    Arrival,
    ItemsNotThere,
    enter_items,
    lift_hold,
    move_items,
    open_items,
    place_hold,
    reserve_items,
    reverse_movement,
    weigh_items,
)
from marking.models import Mark, SigningKey
from marking.selectors import Reason, check_text
from marking.services.issue import issue_marks, process_and_mark
from registry.models import Derivative, Intake, Processing, ProcessingInput, ProcessingOutput, Recipe, Term
from registry.processing import family_of
from registry.services import (
    InputsRefused,
    LossNotExplained,
    MassDiffers,
    NothingToProcess,
    Package,
    RunChanged,
    approve_processing,
    cancel_processing,
    choose_inputs,
    drop_inputs,
    open_processing,
    register_processing,
    return_processing,
    save_outputs,
)

pytestmark = pytest.mark.django_db


def begin(
    actor: User,
    at: datetime,
    store: CustodyAccount,
    items: list[int],
    *packages: Package,
    recipe: Recipe = Recipe.SLICES,
) -> Processing:
    """A draft with these inputs and outputs."""
    run = open_processing(actor=actor, at=at, recipe=recipe, store=store)
    choose_inputs(actor=actor, at=at, run=run, item_ids=items)
    save_outputs(actor=actor, at=at, run=run, packages=packages)
    return Processing.objects.get(pk=run.pk)


def keys(derivatives: list[Derivative]) -> list[int]:
    return [derivative.pk for derivative in derivatives]


def mass(derivatives: list[Derivative]) -> int:
    return sum(derivative.mass_g for derivative in derivatives)


@pytest.fixture
def draft(storekeeper: User, now: datetime, reception_store: CustodyAccount, horns: list[Derivative]) -> Processing:
    """Six horns into two packages of slices, ten grams lost."""
    total = mass(horns)
    return begin(storekeeper, now, reception_store, keys(horns), Package(1, 500), Package(1, total - 510))


def finish(actor: User, at: datetime, run: Processing, **more: Any) -> list[Derivative]:
    return register_processing(actor=actor, at=at, run=run, **({"loss_g": 10} | more))


def test_what_went_in_is_consumed_and_what_came_out_is_in_the_store(
    storekeeper: User, now: datetime, reception_store: CustodyAccount, horns: list[Derivative], draft: Processing
) -> None:
    made = finish(storekeeper, now, draft)

    draft.refresh_from_db()
    total = mass(horns)
    assert (draft.state, draft.origin) == ("done", "removal")
    assert (draft.input_pieces, draft.input_g, draft.output_pieces, draft.output_g) == (6, total, 2, total - 10)
    assert [(d.term, d.origin, d.mass_g, d.intake.processing) for d in made] == [
        ("HOP", "removal", 500, draft),
        ("HOP", "removal", total - 510, draft),
    ]
    held = Holding.objects.filter(account=reception_store, pieces__gt=0)
    assert {(h.item_id, h.stock_class, h.grams) for h in held} == {(d.pk, "HOP:removal", d.mass_g) for d in made}
    boundary = CustodyAccount.objects.boundary(AccountKind.PROCESSING)
    assert sum(Posting.objects.filter(account=boundary).values_list("grams", flat=True)) == 10
    assert find_differences() == {}
    assert not Notice.objects.exists()


def test_marks_of_what_was_consumed_say_so_and_packages_have_their_own(
    storekeeper: User, now: datetime, signing_key: SigningKey, horns: list[Derivative], draft: Processing
) -> None:
    old = issue_marks(actor=storekeeper, at=now, derivatives=horns)

    done = process_and_mark(actor=storekeeper, at=now, run=draft, loss_g=10)
    assert done is not None

    assert Reason.CONSUMED in check_text(old[0], own_hosts=()).reasons
    codes = list(Mark.objects.active().filter(derivative__intake=done.intake).values_list("pk", flat=True))
    assert len(codes) == done.count == 2
    assert [check_text(code, own_hosts=()).reasons for code in codes] == [(), ()]


def test_the_masses_must_add_up_to_the_gram(storekeeper: User, now: datetime, draft: Processing) -> None:
    for loss in (0, 9, 11):
        with pytest.raises(MassDiffers):
            finish(storekeeper, now, draft, loss_g=loss)

    draft.refresh_from_db()
    assert draft.is_draft
    assert Holding.objects.filter(item__in=draft.inputs.values("item"), pieces__gt=0, is_physical=True).count() == 6
    assert not Movement.objects.filter(kind__in=["consumption", "production"]).exists()


def test_more_cannot_come_out_than_went_in(
    storekeeper: User, now: datetime, reception_store: CustodyAccount, horns: list[Derivative]
) -> None:
    run = begin(storekeeper, now, reception_store, keys(horns), Package(1, mass(horns) + 1))

    with pytest.raises(MassDiffers):
        finish(storekeeper, now, run, loss_g=0)


@pytest.fixture
def waiting(storekeeper: User, now: datetime, reception_store: CustodyAccount, horns: list[Derivative]) -> Processing:
    """A gram more than the norm is lost, and explained."""
    loss = mass(horns) * 3 // 100 + 1
    run = begin(storekeeper, now, reception_store, keys(horns), Package(1, mass(horns) - loss))
    with pytest.raises(LossNotExplained):
        finish(storekeeper, now, run, loss_g=loss)
    assert finish(storekeeper, now, run, loss_g=loss, explanation="Ара тозаңы, as told") == []
    run.refresh_from_db()
    return run


def test_a_loss_above_the_norm_waits_with_its_goods_held(
    waiting: Processing, storekeeper: User, reception_store: CustodyAccount, horns: list[Derivative]
) -> None:
    assert (waiting.state, waiting.asked_by, waiting.input_g) == ("awaiting", storekeeper, mass(horns))
    held = Hold.objects.active().filter(kind=Hold.Kind.PROCESSING, reference=waiting.number)
    assert sorted(held.values_list("item_id", flat=True)) == sorted(keys(horns))
    assert Holding.objects.filter(account=reception_store, item__in=keys(horns), pieces__gt=0).count() == len(horns)
    assert not Movement.objects.filter(kind__in=["consumption", "production"]).exists()
    notice = Notice.objects.get()
    assert (notice.code, notice.subject_kind, notice.subject_id) == ("processing.loss", "processing", str(waiting.pk))
    assert "Ара тозаңы" in notice.text


def test_the_authority_lets_a_waiting_run_through(
    waiting: Processing, storekeeper: User, authority_officer: User, now: datetime, horns: list[Derivative]
) -> None:
    with pytest.raises(NotAllowed):
        approve_processing(actor=storekeeper, at=now, run=waiting, reason="The sieve was torn")
    with pytest.raises(BadInput):
        approve_processing(actor=authority_officer, at=now, run=waiting, reason="ok")

    made = approve_processing(actor=authority_officer, at=now, run=waiting, reason="The sieve was torn")

    waiting.refresh_from_db()
    assert (waiting.state, waiting.closed_by, waiting.approved_by) == ("done", storekeeper, authority_officer)
    assert [d.mass_g for d in made] == [waiting.output_g]
    assert not Hold.objects.active().exists()
    assert find_differences() == {}
    with pytest.raises(InvalidTransition):
        approve_processing(actor=authority_officer, at=now, run=waiting, reason="The sieve was torn")


def test_a_waiting_run_is_given_back_and_changed(
    waiting: Processing, storekeeper: User, trader: User, now: datetime, horns: list[Derivative]
) -> None:
    with pytest.raises(NotAllowed):
        return_processing(actor=trader, at=now, run=waiting, reason="Weigh the dust too")
    run = return_processing(actor=storekeeper, at=now, run=waiting, reason="Weigh the dust too")

    assert run.is_draft
    assert not Hold.objects.active().exists()
    save_outputs(actor=storekeeper, at=now, run=run, packages=[Package(1, mass(horns) - 10)])
    assert len(finish(storekeeper, now, run)) == 1


def test_what_was_weighed_again_meanwhile_is_not_approved(
    waiting: Processing, storekeeper: User, authority_officer: User, now: datetime, horns: list[Derivative]
) -> None:
    item = horns[0]
    weigh_items(actor=storekeeper, at=now, key="w", account=waiting.store, grams={item.pk: item.mass_g - 1})

    with pytest.raises(InvalidTransition):
        approve_processing(actor=authority_officer, at=now, run=waiting, reason="The sieve was torn")

    waiting.refresh_from_db()
    assert waiting.is_awaiting
    assert Hold.objects.active().filter(item=item.pk).exists()


def test_the_database_lets_no_waiting_run_through_alone(
    waiting: Processing, storekeeper: User, now: datetime, horns: list[Derivative]
) -> None:
    same = {"approved_by": storekeeper, "approved_at": now, "approval_reason": "Mine"}
    runs = Processing.objects.filter(pk=waiting.pk)
    refused(lambda: runs.update(**same), "processing_is_approved_by_another_person")
    refused(lambda: waiting.outputs.all().delete(), "lines_belong_to_draft")
    refused(
        lambda: lift_hold(
            actor=storekeeper,
            at=now,
            item_ids=keys(horns),
            kind=Hold.Kind.PROCESSING,
            reason="Never mind, as told",
        ),
        "goods_of_a_run_stay_until_it_is_decided",
    )
    assert Hold.objects.active().count() == len(horns)


def test_a_run_beyond_the_norm_is_never_done_without_approval(
    storekeeper: User,
    now: datetime,
    reception_store: CustodyAccount,
    horns: list[Derivative],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The service believes in another norm; the database knows the rule of the day."""
    monkeypatch.setattr("registry.services.processing.norm_of_loss", lambda *_rule: 90)
    loss = mass(horns) // 2
    run = begin(storekeeper, now, reception_store, keys(horns), Package(1, mass(horns) - loss))

    refused(lambda: finish(storekeeper, now, run, loss_g=loss), "loss_beyond_the_norm_is_approved")

    run.refresh_from_db()
    assert run.is_draft


def test_a_loss_within_the_norm_needs_no_words(
    storekeeper: User, now: datetime, reception_store: CustodyAccount, horns: list[Derivative]
) -> None:
    loss = mass(horns) * 3 // 100
    run = begin(storekeeper, now, reception_store, keys(horns), Package(1, mass(horns) - loss))

    finish(storekeeper, now, run, loss_g=loss)

    assert not Notice.objects.exists()


def test_nothing_is_not_processed(
    storekeeper: User, now: datetime, reception_store: CustodyAccount, horns: list[Derivative]
) -> None:
    empty = begin(storekeeper, now, reception_store, [], Package(1, 100))
    bare = begin(storekeeper, now, reception_store, keys(horns))

    for run in (empty, bare):
        with pytest.raises(NothingToProcess):
            finish(storekeeper, now, run)


@pytest.mark.parametrize("binding", ["hold", "reservation", "moved"])
def test_what_is_bound_or_gone_does_not_go_in(
    storekeeper: User,
    now: datetime,
    reception_store: CustodyAccount,
    other_reception_store: CustodyAccount,
    horns: list[Derivative],
    draft: Processing,
    binding: str,
) -> None:
    item = horns[0].pk
    if binding == "hold":
        place_hold(actor=storekeeper, at=now, item_ids=[item], kind=Hold.Kind.COURT, reference="1")
    elif binding == "reservation":
        reserve_items(at=now, item_ids=[item], reference="permit:1")
    else:
        move_items(
            actor=storekeeper,
            at=now,
            key="away",
            kind=MovementKind.TRANSFER,
            item_ids=[item],
            source=reception_store,
            target=other_reception_store,
            effective_on=day_of(now),
        )

    with pytest.raises(InputsRefused):
        finish(storekeeper, now, draft)

    other = open_processing(actor=storekeeper, at=now, recipe=Recipe.SLICES, store=reception_store)
    added, obstacles = choose_inputs(actor=storekeeper, at=now, run=other, item_ids=keys(horns))
    assert (added, list(obstacles)) == (5, [item])


@pytest.mark.usefixtures("without_intakes")
def test_origin_classes_and_terms_are_not_mixed(
    storekeeper: User, inspector: User, now: datetime, reception_store: CustodyAccount, horns: list[Derivative]
) -> None:
    found, powder, seized = enter(inspector, now, reception_store, "HOR:found", "POW:removal", "HOR:seizure")
    run = open_processing(actor=storekeeper, at=now, recipe=Recipe.SLICES, store=reception_store)

    added, obstacles = choose_inputs(actor=storekeeper, at=now, run=run, item_ids=[horns[0].pk, found, powder, seized])

    assert added == 1
    assert {item: [one.code for one in reasons] for item, reasons in obstacles.items()} == {
        found: ["other-origin"],
        powder: ["other-term"],
        seized: ["no-title"],
    }


def enter(actor: User, at: datetime, store: CustodyAccount, *classes: str) -> list[int]:
    items = open_items(len(classes))
    enter_items(
        actor=actor,
        at=at,
        key=uuid.uuid4().hex,
        source=CustodyAccount.objects.boundary(AccountKind.REMOVAL),
        target=store,
        arrivals=[Arrival(item, code, 1, 200) for item, code in zip(items, classes, strict=True)],
        effective_on=day_of(at),
    )
    return items


def test_only_processors_and_the_state_process_in_their_own_stores(
    trader: User,
    inspector: User,
    storekeeper: User,
    trader_store: CustodyAccount,
    reception_store: CustodyAccount,
    evidence_room: CustodyAccount,
    draft: Processing,
    now: datetime,
) -> None:
    for person, store in (
        (trader, trader_store),
        (inspector, reception_store),
        (storekeeper, evidence_room),
        (storekeeper, trader_store),
    ):
        with pytest.raises(NotAllowed):
            open_processing(actor=person, at=now, recipe=Recipe.SLICES, store=store)
    with pytest.raises(NotAllowed):
        finish(trader, now, draft)


def test_a_draft_grows_shrinks_and_is_given_up(
    storekeeper: User, now: datetime, reception_store: CustodyAccount, horns: list[Derivative], draft: Processing
) -> None:
    with pytest.raises(RunChanged):
        save_outputs(actor=storekeeper, at=now, run=draft, packages=[Package(1, 1)], version=draft.version - 1)
    assert drop_inputs(actor=storekeeper, at=now, run=draft, item_ids=[horns[0].pk]) == 1
    assert choose_inputs(actor=storekeeper, at=now, run=draft, item_ids=keys(horns)) == (1, {})
    for wrong in (Package(0, 1), Package(1, 0), Package(30_000, 1), Package(1, 1, "x" * 201)):
        with pytest.raises(BadInput):
            save_outputs(actor=storekeeper, at=now, run=draft, packages=[wrong])

    cancel_processing(actor=storekeeper, at=now, run=draft, reason="Қате, as told")

    for act in (lambda: finish(storekeeper, now, draft), lambda: drop_inputs(actor=storekeeper, at=now, run=draft)):
        with pytest.raises(InvalidTransition):
            act()
    assert not ProcessingInput.objects.exists()
    assert not ProcessingOutput.objects.exists()
    assert Holding.objects.filter(account=reception_store, pieces__gt=0).count() == 6


def test_many_packages_are_registered_by_the_same_number_of_queries(
    storekeeper: User, now: datetime, receive: Callable[..., Intake], reception_store: CustodyAccount, inspector: User
) -> None:
    from tests.builders import register

    def count(packages: int) -> int:
        horns = register(receive(rows=10), actor=inspector, at=now)
        made = Package(packages, mass(horns) // packages)
        run = begin(storekeeper, now, reception_store, keys(horns), made)
        loss = mass(horns) - made.count * made.mass_g
        with CaptureQueriesContext(connection) as asked:
            register_processing(actor=storekeeper, at=now, run=run, loss_g=loss, explanation="As the act says")
        return len(asked)

    assert count(2) == count(200)


def chain(storekeeper: User, at: datetime, store: CustodyAccount, horns: list[Derivative]) -> list[list[Derivative]]:
    """Horns → slices → powder → packs, one gram lost at each step."""
    steps = [horns]
    for recipe in (Recipe.SLICES, Recipe.POWDER, Recipe.MEDICINE):
        total = mass(steps[-1]) - 1
        packages = [Package(1, total)] if recipe != Recipe.MEDICINE else [Package(3, 10), Package(1, total - 30)]
        run = begin(storekeeper, at, store, keys(steps[-1]), *packages, recipe=recipe)
        steps.append(register_processing(actor=storekeeper, at=at, run=run, loss_g=1))
    return steps


def test_the_family_of_an_item_reaches_down_to_the_removal_permit(
    storekeeper: User,
    now: datetime,
    reception_store: CustodyAccount,
    horns: list[Derivative],
    django_assert_num_queries: Any,
) -> None:
    _horns, slices, powder, packs = chain(storekeeper, now, reception_store, horns)

    with django_assert_num_queries(2):
        family = family_of(packs[0].pk)

    assert [node.number for node in family.ancestors] == [powder[0].number]
    (slice_,) = family.ancestors[0].branches
    assert slice_.number == slices[0].number
    assert {node.number for node in slice_.branches} == {horn.number for horn in horns}
    assert {node.root for node in slice_.branches} == {horns[0].intake.permit.number}  # type: ignore[union-attr]
    assert family.descendants == []
    below = family_of(horns[0].pk)
    assert below.ancestors == []
    (slice_,) = below.descendants
    assert len(slice_.branches[0].branches) == 4
    assert {node.term for node in slice_.branches[0].branches} == {Term.MEDICINE}


def test_the_boundary_keeps_exactly_what_was_declared_lost(
    storekeeper: User, now: datetime, reception_store: CustodyAccount, horns: list[Derivative]
) -> None:
    steps = chain(storekeeper, now, reception_store, horns)

    boundary = CustodyAccount.objects.boundary(AccountKind.PROCESSING)
    assert sum(Posting.objects.filter(account=boundary).values_list("grams", flat=True)) == 3
    assert mass(steps[-1]) == mass(horns) - 3
    assert find_differences() == {}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    wanted=st.lists(st.integers(0, 5), min_size=1, max_size=6, unique=True),
    shares=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 90)), min_size=1, max_size=4),
    loss=st.integers(0, 60),
)
def test_whatever_goes_in_comes_out_or_is_lost(
    storekeeper: User,
    authority_officer: User,
    now: datetime,
    reception_store: CustodyAccount,
    horns: list[Derivative],
    wanted: list[int],
    shares: list[tuple[int, int]],
    loss: int,
) -> None:
    """Random inputs, packages and losses: either the run balances and so does the ledger, or nothing has changed."""
    with transaction.atomic():
        chosen = [horns[place] for place in wanted]
        packages = [Package(*share) for share in shares]
        rest = mass(chosen) - sum(one.count * one.mass_g for one in packages) - loss
        if rest > 0:
            packages.append(Package(1, rest))
        run = begin(storekeeper, now, reception_store, keys(chosen), *packages)
        before = sorted(Holding.objects.filter(account=reception_store).values_list("item_id", "grams"))
        try:
            with transaction.atomic():
                made = register_processing(
                    actor=storekeeper, at=now, run=run, loss_g=loss, explanation="As the act says"
                )
                if not made:
                    assert loss * 100 > mass(chosen) * 3
                    made = approve_processing(actor=authority_officer, at=now, run=run, reason="Seen on the spot")
                connection.check_constraints()
        except DomainError:
            assert rest < 0
            assert sorted(Holding.objects.filter(account=reception_store).values_list("item_id", "grams")) == before
        else:
            assert mass(made) + loss == mass(chosen)
            held = Holding.objects.filter(account=reception_store, pieces__gt=0)
            assert sum(held.values_list("grams", flat=True)) == mass(horns) - loss
        assert find_differences() == {}
        transaction.set_rollback(True)


# --- around the service ---------------------------------------------------------------------------------------


def refused(change: Callable[[], object], name: str) -> None:
    """The change, tried in a transaction of its own, is refused by what the database calls by this name."""

    def attempt() -> None:
        with transaction.atomic():
            change()
            connection.check_constraints()

    with pytest.raises(DatabaseError) as caught:
        attempt()
    named = getattr(getattr(caught.value.__cause__, "diag", None), "constraint_name", "")
    assert name in f"{caught.value} {named}"


def test_a_run_cannot_be_called_done_around_the_service(storekeeper: User, now: datetime, draft: Processing) -> None:
    def declare(**totals: int) -> None:
        Processing.objects.filter(pk=draft.pk).update(
            state="done",
            origin="removal",
            closed_by=storekeeper,
            closed_at=now,
            input_pieces=6,
            output_pieces=2,
            **totals,
        )

    refused(lambda: declare(input_g=100, output_g=100, loss_g=1), "processing_keeps_mass")
    refused(lambda: declare(input_g=101, output_g=100, loss_g=1), "processing_moves_goods")


def test_nothing_is_consumed_or_made_without_a_run(
    storekeeper: User, now: datetime, reception_store: CustodyAccount, horns: list[Derivative]
) -> None:
    boundary = CustodyAccount.objects.boundary(AccountKind.PROCESSING)

    def consume() -> None:
        move_items(
            actor=storekeeper,
            at=now,
            key="x",
            kind=MovementKind.CONSUMPTION,
            item_ids=keys(horns),
            source=reception_store,
            target=boundary,
            effective_on=day_of(now),
        )

    def make() -> None:
        enter_items(
            actor=storekeeper,
            at=now,
            key="y",
            source=boundary,
            target=reception_store,
            arrivals=[Arrival(open_items(1)[0], "HOP:removal", 1, 100)],
            effective_on=day_of(now),
            kind=MovementKind.PRODUCTION,
        )

    refused(consume, "processing_movement_has_its_run")
    refused(make, "processing_movement_has_its_run")


def test_what_was_registered_stays_and_is_undone_only_whole(
    storekeeper: User, now: datetime, reception_store: CustodyAccount, horns: list[Derivative], draft: Processing
) -> None:
    finish(storekeeper, now, draft)
    went_in, came_out = (Movement.objects.get(key=f"processing:{draft.pk}:{side}") for side in ("in", "out"))

    def reverse(movement: Movement) -> None:
        reverse_movement(
            actor=storekeeper, at=now, key=f"undo:{movement.pk}", movement=movement, effective_on=day_of(now)
        )

    refused(lambda: Processing.objects.filter(pk=draft.pk).update(loss_g=11), "closed_processing_stays")
    refused(lambda: Processing.objects.filter(pk=draft.pk)._raw_delete(using="default"), "registry_processing")
    refused(lambda: draft.inputs.all().delete(), "lines_belong_to_draft")
    refused(
        lambda: ProcessingOutput.objects.create(processing=draft, row=9, count=1, mass_g=1), "lines_belong_to_draft"
    )
    refused(lambda: reverse(came_out), "processing_is_undone_whole")

    def undo() -> None:
        reverse(came_out)
        reverse(went_in)

    refused(undo, "reversal_is_of_a_correction")
    assert Holding.objects.filter(account=reception_store, pieces__gt=0).count() == 2
    assert find_differences() == {}


def test_an_intake_of_processing_cannot_name_other_papers(
    storekeeper: User, now: datetime, draft: Processing, horns: list[Derivative]
) -> None:
    made = finish(storekeeper, now, draft)

    refused(
        lambda: Intake.objects.create(
            number="IN25-999999",
            origin="removal",
            store=draft.store,
            on=draft.on,
            region_id=str(draft.store.region_id),
            processing=draft,
            opened_by=storekeeper,
            opened_at=now,
        ),
        "registry_intake",
    )
    assert made[0].intake in Intake.objects.all()
    assert made[0].intake not in Intake.objects.received()


def test_an_item_taken_meanwhile_is_said(
    storekeeper: User,
    now: datetime,
    reception_store: CustodyAccount,
    horns: list[Derivative],
    draft: Processing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = begin(storekeeper, now, reception_store, keys(horns), Package(1, mass(horns)))
    finish(storekeeper, now, other, loss_g=0)
    monkeypatch.setattr("registry.services.processing.find_input_obstacles", lambda run, items: {})

    with pytest.raises(ItemsNotThere):
        finish(storekeeper, now, draft)

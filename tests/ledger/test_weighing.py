"""Weighing again: the mass changes by a movement, and what drying does not explain is told."""

from datetime import date, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.accounts.granting import ask_role, confirm_role
from core.accounts.models import Organisation, User
from core.accounts.roles import Role
from core.accounts.services import end_appointment
from core.base.clock import day_of
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.notices.models import Notice
from core.notices.services import decide_notice, explain_notice
from ledger import services
from ledger.drying import judge, loss_percent
from ledger.models import (
    AccountKind,
    AccountTotal,
    CustodyAccount,
    Hold,
    Holding,
    Movement,
    Posting,
    WeighIn,
    Weighing,
)
from ledger.selectors import find_differences
from tests.cast import enter_person, enter_second_administrator
from tests.goods import Enter

CURVE = {"days_30": 4, "days_90": 7, "days_365": 10, "ever": 12}


def weigh(actor: User, at: datetime, account: CustodyAccount, grams: dict[int, int], key: str = "k") -> Weighing:
    """As the page does it: what drying does not explain was asked about and confirmed."""
    return services.weigh_items(actor=actor, at=at, key=key, account=account, grams=grams, confirmed=list(grams))


# --- the curve ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "percent"), [(-1, 0), (0, 0), (15, 2), (30, 4), (60, 5.5), (90, 7), (365, 10), (730, 11), (5000, 12)]
)
def test_the_curve_goes_straight_between_its_days(days: int, percent: float) -> None:
    assert loss_percent(CURVE, days) == percent


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.integers(0, 3000))
def test_an_unchanged_mass_is_always_explained(first: int, before: int, days: int) -> None:
    judged = judge(first_g=first, before_g=before, now_g=before, days=days, curve=CURVE, tolerance_percent=2)

    assert judged.verdict == "dry"


@pytest.mark.parametrize(
    ("before", "days_before", "days", "floor"),
    [
        (200, 0, 365, 179),  # never weighed since: a year of the curve
        (200, 364, 365, 198),  # weighed yesterday: a day of it
        (190, 90, 365, 182),  # 7 % were explained then, 10 % are now
        (204, 30, 30, 199),  # what scales showed too much is not a loss
        (180, 365, 5000, 175),
    ],
)
def test_a_loss_is_measured_from_the_mass_before_too(before: int, days_before: int, days: int, floor: int) -> None:
    judged = judge(
        first_g=200, before_g=before, now_g=1, days=days, days_before=days_before, curve=CURVE, tolerance_percent=2
    )

    assert (judged.verdict, judged.floor_g) == ("loss", floor)


@pytest.mark.django_db
def test_a_dry_horn_that_loses_as_a_fresh_one_is_asked_about(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount
) -> None:
    (item,) = enter(central, 200)
    weigh(storekeeper, now + timedelta(days=300), central, {item: 198}, "a")

    weighing = weigh(storekeeper, now + timedelta(days=310), central, {item: 184}, "b")

    assert weighing.lines.get().verdict == "loss"
    assert in_question() == {item}


@pytest.mark.django_db
@pytest.mark.usefixtures("without_intakes")
def test_stock_older_than_the_marking_has_dried(
    storekeeper: User, inspector: User, now: datetime, central: CustodyAccount
) -> None:
    with transaction.atomic():
        (item,) = services.open_items(1)
        services.enter_items(
            actor=inspector,
            at=now,
            key="old",
            source=CustodyAccount.objects.boundary(AccountKind.OLD_STOCK),
            target=central,
            arrivals=[services.Arrival(item, "HOR:old_stock", 1, 200)],
            effective_on=day_of(now),
        )

    weighing = weigh(storekeeper, now + timedelta(days=90), central, {item: 190})

    assert weighing.lines.get().verdict == "loss"


@given(st.integers(1, 10_000), st.integers(0, 3000), st.integers(1, 12_000))
def test_what_is_lighter_is_never_better_explained(first: int, days: int, now_g: int) -> None:
    def verdict(grams: int) -> str:
        return judge(first_g=first, before_g=first, now_g=grams, days=days, curve=CURVE, tolerance_percent=2).verdict

    if verdict(now_g) == "loss":
        assert verdict(max(now_g - 1, 1)) == "loss"
    if verdict(now_g) == "gain":
        assert verdict(now_g + 1) == "gain"


# --- the service ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_loss_goes_to_the_drying_account_and_the_pieces_stay(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount
) -> None:
    (item,) = enter(central, 200)

    weighing = weigh(storekeeper, now + timedelta(days=30), central, {item: 194})

    assert weighing.number == "WG25-000001"
    assert Holding.objects.get(account=central, item=item).grams == 194
    assert Holding.objects.get(account=central, item=item).pieces == 1
    drying = CustodyAccount.objects.boundary(AccountKind.DRYING_LOSS)
    assert AccountTotal.objects.get(account=drying, stock_class="HOR:removal").grams == 6
    assert AccountTotal.objects.get(account=drying, stock_class="HOR:removal").pieces == 0
    line = WeighIn.objects.get(weighing=weighing)
    assert (line.first_g, line.before_g, line.grams, line.verdict) == (200, 200, 194, "dry")
    assert not Notice.objects.exists()
    assert find_differences() == {}


@pytest.mark.django_db
def test_what_drying_does_not_explain_is_told_once(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount
) -> None:
    light, heavy, right = enter(central, 200, 200, 200)

    weighing = weigh(storekeeper, now + timedelta(days=10), central, {light: 150, heavy: 240, right: 199})

    assert {line.item_id: line.verdict for line in weighing.lines.all()} == {
        light: "loss",
        heavy: "gain",
        right: "dry",
    }
    notice = Notice.objects.get()
    assert (notice.code, notice.params["lost"], notice.params["gained"]) == ("weighing.unexplained", 1, 1)


@pytest.mark.django_db
def test_many_small_losses_do_not_pass_where_one_large_would_not(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount
) -> None:
    (item,) = enter(central, 200)

    first = weigh(storekeeper, now + timedelta(days=9), central, {item: 197}, "a")
    second = weigh(storekeeper, now + timedelta(days=9), central, {item: 194}, "b")

    assert first.lines.get().verdict == "dry"
    assert second.lines.get().verdict == "loss"
    assert not second.lines.get().is_taken


@pytest.mark.django_db
def test_what_is_held_or_promised_may_be_weighed(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount
) -> None:
    held, promised = enter(central, 200, 210)
    services.place_hold(actor=storekeeper, at=now, item_ids=[held], kind=Hold.Kind.COURT, reference="case")
    services.reserve_items(at=now, item_ids=[promised], reference="permit:1")

    weigh(storekeeper, now, central, {held: 199, promised: 209})

    assert AccountTotal.objects.get(account=central, stock_class="HOR:removal").grams == 408


@pytest.mark.django_db
def test_the_same_mass_again_is_a_weighing_without_a_movement(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount
) -> None:
    (item,) = enter(central, 200)
    before = Movement.objects.count()

    weighing = weigh(storekeeper, now, central, {item: 200})

    assert weighing.movement is None
    assert Movement.objects.count() == before


@pytest.mark.django_db
def test_a_repeated_key_weighs_once_and_serves_nothing_else(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount
) -> None:
    (item,) = enter(central, 200)

    first, again = weigh(storekeeper, now, central, {item: 199}), weigh(storekeeper, now, central, {item: 199})

    assert first == again
    with pytest.raises(services.KeyReused):
        weigh(storekeeper, now, central, {item: 198})
    assert Weighing.objects.count() == 1


@pytest.mark.django_db
def test_a_refused_weighing_changes_nothing(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount, reception: CustodyAccount
) -> None:
    (here,), (there,) = enter(central, 200), enter(reception, 210)
    before = Posting.objects.count()

    with pytest.raises(services.ItemsNotThere):
        weigh(storekeeper, now, central, {here: 199, there: 209})
    with pytest.raises(BadInput):
        weigh(storekeeper, now, central, {})
    with pytest.raises(BadInput):
        weigh(storekeeper, now, central, {here: 0})
    with pytest.raises(services.BackDated):
        services.weigh_items(
            actor=storekeeper, at=now, key="z", account=central, grams={here: 199}, on=day_of(now) - timedelta(days=9)
        )
    with pytest.raises(services.BackDated):
        services.weigh_items(
            actor=storekeeper, at=now, key="y", account=central, grams={here: 200}, on=date(2099, 1, 1)
        )
    assert Posting.objects.count() == before
    assert not Weighing.objects.exists()


@pytest.mark.django_db
def test_many_items_take_as_many_statements_as_one(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount
) -> None:
    one, *many = enter(central, *[200] * 300)
    with CaptureQueriesContext(connection) as of_one:
        weigh(storekeeper, now, central, {one: 199}, "one")
    with CaptureQueriesContext(connection) as of_many:
        weigh(storekeeper, now, central, dict.fromkeys(many, 199), "many")

    assert len(of_one) == len(of_many)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rounds=st.lists(
        st.tuples(st.booleans(), st.lists(st.integers(1, 400), min_size=3, max_size=3)), min_size=1, max_size=5
    )
)
@pytest.mark.django_db(transaction=True)
def test_mass_is_conserved_whatever_is_weighed(
    enter: Enter,
    storekeeper: User,
    storekeeper_elsewhere: User,
    now: datetime,
    central: CustodyAccount,
    rounds: list[tuple[bool, list[int]]],
) -> None:
    """Every posting of a weighing sums to zero with the drying account; the store holds what was taken last, and never
    more of an item than came in, but for what scales allow.
    """
    items = enter(central, 200, 210, 220)
    for is_second, masses in rounds:
        number = Weighing.objects.count()
        person = storekeeper_elsewhere if is_second else storekeeper
        weigh(person, now, central, dict(zip(items, masses, strict=True)), f"w{number}")

    held = dict(Holding.objects.filter(account=central, item__in=items).values_list("item", "grams"))
    taken = dict(WeighIn.objects.filter(item__in=items, is_taken=True).order_by("pk").values_list("item", "grams"))
    assert held == dict(zip(items, (200, 210, 220), strict=True)) | taken
    assert all(held[item] <= first + 4 for item, first in zip(items, (200, 210, 220), strict=True))
    sums = Posting.objects.filter(item__in=items).aggregate(grams=Sum("grams"), pieces=Sum("pieces"))
    assert sums == {"grams": 0, "pieces": 0}
    assert find_differences() == {}


# --- what drying does not explain -----------------------------------------------------------------------------


def in_question() -> set[int]:
    return set(Hold.objects.active().filter(kind=Hold.Kind.MASS).values_list("item_id", flat=True))


def grams_of(item: int, account: CustodyAccount) -> int:
    return Holding.objects.get(account=account, item=item).grams


@pytest.mark.django_db
def test_a_mass_that_drying_does_not_explain_is_asked_about(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount
) -> None:
    odd, right = enter(central, 200, 200)

    with pytest.raises(services.MassNotConfirmed) as refused:
        services.weigh_items(
            actor=storekeeper, at=now, key="k", account=central, grams={odd: 1, right: 200}, confirmed=[right]
        )

    assert set(refused.value.odd) == {odd}
    assert not Weighing.objects.exists()
    assert not in_question()


@pytest.mark.django_db
@pytest.mark.parametrize("found", [1, 150, 240, 645])
def test_one_person_changes_no_mass_that_drying_does_not_explain(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount, reception: CustodyAccount, found: int
) -> None:
    (item,) = enter(central, 200)

    weigh(storekeeper, now, central, {item: found}, "a")
    weigh(storekeeper, now, central, {item: found}, "b")
    weigh(storekeeper, now, central, {item: 200}, "c")

    assert grams_of(item, central) == 200
    assert in_question() == {item}
    assert Notice.objects.count() == 1
    with pytest.raises(services.ItemsOnHold):
        services.dispatch_items(
            carried_by="A courier",
            actor=storekeeper,
            at=now,
            key="out",
            source=central,
            target=reception,
            item_ids=[item],
        )


@pytest.mark.django_db
def test_two_persons_who_find_the_same_are_believed(
    enter: Enter, storekeeper: User, storekeeper_elsewhere: User, now: datetime, central: CustodyAccount
) -> None:
    (item,) = enter(central, 200)
    weigh(storekeeper, now, central, {item: 150}, "a")

    weigh(storekeeper_elsewhere, now, central, {item: 170}, "b")
    assert (grams_of(item, central), in_question()) == (200, {item})
    second = weigh(storekeeper_elsewhere, now, central, {item: 151}, "c")

    assert grams_of(item, central) == 151
    assert not in_question()
    line = second.lines.get()
    assert line.bears_out is not None
    assert (line.is_taken, line.bears_out.weighing.weighed_by) == (True, storekeeper)
    assert find_differences() == {}


@pytest.mark.django_db
def test_a_second_person_who_finds_the_mass_of_the_books_frees_the_item(
    enter: Enter, storekeeper: User, storekeeper_elsewhere: User, now: datetime, central: CustodyAccount
) -> None:
    (item,) = enter(central, 200)
    weigh(storekeeper, now, central, {item: 20}, "a")

    weigh(storekeeper_elsewhere, now, central, {item: 199}, "b")

    assert (grams_of(item, central), in_question()) == (199, set())


@pytest.mark.django_db
def test_the_drying_account_makes_no_more_of_an_item_than_it_came_in_with(
    enter: Enter,
    storekeeper: User,
    storekeeper_elsewhere: User,
    authority_officer: User,
    now: datetime,
    central: CustodyAccount,
) -> None:
    (item,) = enter(central, 200)
    weigh(storekeeper, now, central, {item: 600}, "a")
    weigh(storekeeper_elsewhere, now, central, {item: 600}, "b")
    assert (grams_of(item, central), in_question()) == (200, {item})

    services.settle_masses(
        actor=authority_officer, at=now, weighing=Weighing.objects.earliest("pk"), reason="Two horns were tied together"
    )

    assert (grams_of(item, central), in_question()) == (200, set())


@pytest.mark.django_db
def test_gains_do_not_creep(enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount) -> None:
    (item,) = enter(central, 200)

    weigh(storekeeper, now, central, {item: 204}, "a")
    weigh(storekeeper, now, central, {item: 208}, "b")

    assert (grams_of(item, central), in_question()) == (204, {item})


@pytest.fixture
def colleague(okhotzooprom: Organisation, administrator: User) -> User:
    """Another storekeeper of the same office."""
    return enter_person("colleague", "Other Keeper", Role.STOREKEEPER, okhotzooprom, appointed_by=administrator)


REASON = "The scale stood askew"


@pytest.mark.django_db
def test_colleagues_settle_no_mass_in_words(
    enter: Enter,
    storekeeper: User,
    colleague: User,
    inspector: User,
    authority_officer: User,
    now: datetime,
    central: CustodyAccount,
) -> None:
    (item,) = enter(central, 227)
    weighing = weigh(storekeeper, now, central, {item: 1}, "a")

    for party in (storekeeper, colleague, inspector):
        with pytest.raises(NotAllowed):
            services.settle_masses(actor=party, at=now, weighing=weighing, reason=REASON)
    for nothing in ("x", "xxxxxxxxxx", "askew"):
        with pytest.raises(BadInput):
            services.settle_masses(actor=authority_officer, at=now, weighing=weighing, reason=nothing)
    with pytest.raises(InvalidTransition):
        decide(Notice.objects.get(), authority_officer, now)
    assert (in_question(), Notice.objects.get().decides) == ({item}, "authority")
    assert services.settle_masses(actor=authority_officer, at=now, weighing=weighing, reason=REASON) == 1

    assert (grams_of(item, central), in_question()) == (227, set())
    assert Notice.objects.get().state == "decided"
    with pytest.raises(InvalidTransition):
        services.settle_masses(actor=authority_officer, at=now, weighing=weighing, reason=REASON)


def decide(notice: Notice, actor: User, at: datetime) -> None:
    decide_notice(actor=actor, at=at, notice=notice, outcome="explained", decision="Explained", reason=REASON)


@pytest.mark.django_db
def test_the_authority_does_not_judge_what_it_weighed_or_its_own_people_did(
    enter: Enter,
    storekeeper: User,
    authority_officer: User,
    authority_head: User,
    now: datetime,
    central: CustodyAccount,
) -> None:
    (item,) = enter(central, 227)
    weighing = weigh(storekeeper, now, central, {item: 20}, "a")
    weigh(authority_officer, now, central, {item: 120}, "b")

    for party in (authority_officer, authority_head):
        with pytest.raises(services.SecondPersonNeeded):
            services.settle_masses(actor=party, at=now, weighing=weighing, reason=REASON)

    assert in_question() == {item}


@pytest.mark.django_db
def test_what_two_of_one_office_find_stays_held_until_the_authority_has_judged(
    enter: Enter,
    storekeeper: User,
    colleague: User,
    storekeeper_elsewhere: User,
    authority_officer: User,
    now: datetime,
    central: CustodyAccount,
) -> None:
    (item,) = enter(central, 227)
    weigh(storekeeper, now, central, {item: 1}, "a")

    weigh(colleague, now, central, {item: 1}, "b")
    weigh(colleague, now, central, {item: 1}, "c")  # what the books have by now
    weigh(storekeeper_elsewhere, now, central, {item: 1}, "d")

    assert (grams_of(item, central), in_question()) == (1, {item})
    lift = {"at": now, "item_ids": [item], "kind": Hold.Kind.MASS, "reason": "WG25-000002"}
    for party in (colleague, storekeeper_elsewhere):
        with pytest.raises(IntegrityError, match="is_settled_by"), transaction.atomic():
            services.lift_hold(actor=party, **lift)  # type: ignore[arg-type]
    notice = Notice.objects.get()
    explain_notice(actor=colleague, at=now, notice=notice, explanation="The horn was cut for a sample")
    with pytest.raises(InvalidTransition):
        decide(notice, authority_officer, now)
    asked = Weighing.objects.earliest("pk")
    assert services.settle_masses(actor=authority_officer, at=now, weighing=asked, reason=REASON) == 1
    assert (grams_of(item, central), in_question()) == (1, set())
    assert Notice.objects.get().state == "decided"


@pytest.mark.django_db
def test_what_two_of_two_offices_find_is_settled(
    enter: Enter, storekeeper: User, storekeeper_elsewhere: User, now: datetime, central: CustodyAccount
) -> None:
    (item,) = enter(central, 227)
    weigh(storekeeper, now, central, {item: 150}, "a")

    weigh(storekeeper_elsewhere, now, central, {item: 150}, "b")

    assert (grams_of(item, central), Notice.objects.get().state) == (150, "decided")


@pytest.fixture
def visitor(
    inspectorate_elsewhere: Organisation, okhotzooprom: Organisation, administrator: User, now: datetime
) -> User:
    """A storekeeper of the enterprise for the first days of the test, and an inspector elsewhere before and after."""
    person = enter_person("visitor", "Guest Keeper", Role.INSPECTOR, inspectorate_elsewhere, appointed_by=administrator)
    asked = ask_role(
        actor=administrator, at=now, person=person, organisation=okhotzooprom, role=Role.STOREKEEPER,
        reason="Stands in for a week", valid_until=day_of(now) + timedelta(days=7),
    )  # fmt: skip
    confirm_role(actor=enter_second_administrator(), at=now, asked=asked)
    person.forget_roles()
    return person


@pytest.mark.django_db
def test_who_left_after_weighing_was_a_colleague_of_the_next(
    enter: Enter,
    storekeeper: User,
    visitor: User,
    administrator: User,
    okhotzooprom: Organisation,
    now: datetime,
    central: CustodyAccount,
) -> None:
    (item,) = enter(central, 227)
    weigh(visitor, now, central, {item: 1}, "a")
    role = visitor.appointments.get(organisation=okhotzooprom)
    end_appointment(actor=administrator, at=now + timedelta(days=1), appointment=role)

    weigh(storekeeper, now + timedelta(days=2), central, {item: 1}, "b")

    assert (grams_of(item, central), in_question()) == (1, {item})
    with pytest.raises(IntegrityError, match="is_settled_by"), transaction.atomic():
        services.lift_hold(actor=storekeeper, at=now, item_ids=[item], kind=Hold.Kind.MASS, reason="WG25-000002")


@pytest.mark.django_db
def test_whose_term_had_passed_is_a_colleague_no_more(
    enter: Enter, storekeeper: User, visitor: User, now: datetime, central: CustodyAccount
) -> None:
    (item,) = enter(central, 227)
    weigh(visitor, now + timedelta(days=8), central, {item: 150}, "a")

    weigh(storekeeper, now + timedelta(days=8), central, {item: 150}, "b")

    assert (grams_of(item, central), in_question()) == (150, set())


@pytest.mark.django_db
def test_the_authority_judges_by_where_they_stood_when_they_weighed(
    enter: Enter,
    storekeeper: User,
    authority_officer: User,
    authority_head: User,
    administrator: User,
    now: datetime,
    central: CustodyAccount,
) -> None:
    (item,) = enter(central, 227)
    weighing = weigh(storekeeper, now, central, {item: 20}, "a")
    weigh(authority_officer, now, central, {item: 120}, "b")
    for role in authority_officer.appointments.all():
        end_appointment(actor=administrator, at=now + timedelta(days=1), appointment=role)

    with pytest.raises(services.SecondPersonNeeded):
        services.settle_masses(actor=authority_head, at=now + timedelta(days=2), weighing=weighing, reason=REASON)

    assert in_question() == {item}


# --- around the service ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_weighing_is_never_rewritten_and_never_unposted(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount
) -> None:
    (item,) = enter(central, 200)
    weighing = weigh(storekeeper, now, central, {item: 199})

    with pytest.raises(DatabaseError), transaction.atomic():
        Weighing.objects.filter(pk=weighing.pk).update(after_g=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        WeighIn.objects.filter(weighing=weighing).delete()
    with pytest.raises(IntegrityError, match="weighing_is_posted"), transaction.atomic():
        Weighing.objects.create(
            number="WG25-9", account=central, on=day_of(now), weighed_by=storekeeper, weighed_at=now, key="x",
            items=1, before_g=2, after_g=1, unexplained=0,
        )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("verdict", "grams", "refused"),
    [
        ("dry", 199, ""),
        ("dry", 600, "mass_does_not_outgrow_the_first"),
        ("loss", 20, "odd_mass_is_found_by_two_persons"),
        ("", 150, "weighing_has_its_lines"),
    ],
)
def test_no_mass_changes_without_a_line_that_answers_for_it(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount, verdict: str, grams: int, refused: str
) -> None:
    (item,) = enter(central, 200)

    def post() -> None:
        """What `weigh_items` writes, without asking anybody."""
        movement = Movement.objects.create(kind="weighing", key="around", actor=storekeeper, effective_on=day_of(now))
        weighing = Weighing.objects.create(
            number="WG25-9", account=central, on=day_of(now), weighed_by=storekeeper, weighed_at=now, key="x",
            items=1, before_g=200, after_g=grams, unexplained=0, movement=movement,
        )  # fmt: skip
        if verdict:
            WeighIn.objects.create(
                weighing=weighing, item_id=item, first_g=200, first_on=day_of(now), before_g=200, floor_g=0,
                grams=grams, verdict=verdict,
            )  # fmt: skip
        drying = CustodyAccount.objects.boundary(AccountKind.DRYING_LOSS)
        Posting.objects.bulk_create(
            Posting(movement=movement, account=place, item_id=item, stock_class="HOR:removal", pieces=0, grams=change)
            for place, change in ((central, grams - 200), (drying, 200 - grams))
        )
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    if not refused:
        post()
        assert grams_of(item, central) == grams
        return
    with pytest.raises(IntegrityError, match=refused), transaction.atomic():
        post()
    assert grams_of(item, central) == 200


@pytest.mark.django_db
def test_only_a_scale_or_the_authority_lifts_the_hold_of_a_mass(
    enter: Enter, storekeeper: User, storekeeper_elsewhere: User, now: datetime, central: CustodyAccount
) -> None:
    (item,) = enter(central, 200)
    weigh(storekeeper, now, central, {item: 20})

    lift = {"at": now, "item_ids": [item], "kind": Hold.Kind.MASS, "reason": "Never mind"}
    for party in (storekeeper, storekeeper_elsewhere):
        with pytest.raises(IntegrityError, match="is_settled_by"), transaction.atomic():
            services.lift_hold(actor=party, **lift)  # type: ignore[arg-type]

    assert in_question() == {item}

"""Weighing again: the mass changes by a movement, and what drying does not explain is told."""

from datetime import date, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.accounts.models import User
from core.base.clock import day_of
from core.base.errors import BadInput
from core.notices.models import Notice
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
from tests.goods import Enter

CURVE = {"days_30": 4, "days_90": 7, "days_365": 10, "ever": 12}


def weigh(actor: User, at: datetime, account: CustodyAccount, grams: dict[int, int], key: str = "k") -> Weighing:
    return services.weigh_items(actor=actor, at=at, key=key, account=account, grams=grams)


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
@given(rounds=st.lists(st.lists(st.integers(1, 400), min_size=3, max_size=3), min_size=1, max_size=4))
@pytest.mark.django_db(transaction=True)
def test_mass_is_conserved_whatever_is_weighed(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount, rounds: list[list[int]]
) -> None:
    """Every posting of a weighing sums to zero with the drying account; the store holds what the scale said last."""
    items = enter(central, 200, 210, 220)
    for masses in rounds:
        number = Weighing.objects.count()
        weigh(storekeeper, now, central, dict(zip(items, masses, strict=True)), f"w{number}")

    held = dict(Holding.objects.filter(account=central, item__in=items).values_list("item", "grams"))
    assert held == dict(zip(items, rounds[-1], strict=True))
    sums = Posting.objects.filter(item__in=items).aggregate(grams=Sum("grams"), pieces=Sum("pieces"))
    assert sums == {"grams": 0, "pieces": 0}
    assert find_differences() == {}


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

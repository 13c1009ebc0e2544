"""Ten people scan at once; a count ends while goods are sent. Each race has a twin that shows what the lock is for."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from core.accounts.models import User
from core.base.errors import DomainError, InvalidTransition
from ledger import services
from ledger.models import CustodyAccount, Handover, Hold, Holding, StockTake, StockTakeLine, StockTakeScan, Weighing
from ledger.selectors import find_differences
from ledger.services import stocktakes
from ledger.stocktaking import count_live
from tests.goods import Enter, bring_back
from tests.races import at_once, winners

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


@pytest.fixture
def reception(annex: CustodyAccount) -> CustodyAccount:
    """Of the same keeper as the central store, for goods that go without a hand-over."""
    return annex


def open_count(storekeeper: User, auditor: User, now: datetime, account: CustodyAccount) -> StockTake:
    return services.open_stocktake(actor=storekeeper, at=now, account=account, commission=[storekeeper, auditor])


def test_ten_who_scan_the_same_items_count_each_once(
    enter: Enter, storekeeper: User, auditor: User, inspector: User, now: datetime, central: CustodyAccount
) -> None:
    items = enter(central, *[200] * 30)
    stocktake = open_count(storekeeper, auditor, now, central)

    def scan_all(person: User) -> Callable[[], int]:
        def act() -> int:
            taken = [
                services.take_scan(actor=person, at=now, stocktake=stocktake, item_id=item, text=str(item))
                for item in items
            ]
            return sum(one is not None and one.is_new for one in taken)

        return act

    results = at_once(*(scan_all((storekeeper, auditor, inspector)[number % 3]) for number in range(10)))

    assert sum(results) == 30
    live = count_live(stocktake)
    assert (live.found, live.missing, live.repeats) == (30, 0, 270)
    assert StockTakeScan.objects.count() == 30


def test_the_end_of_a_count_waits_for_the_scans_under_way(
    enter: Enter, storekeeper: User, auditor: User, now: datetime, central: CustodyAccount
) -> None:
    items = enter(central, *[200] * 20)
    stocktake = open_count(storekeeper, auditor, now, central)

    def scan(item: int) -> Callable[[], object]:
        return lambda: services.take_scan(actor=storekeeper, at=now, stocktake=stocktake, item_id=item, text=str(item))

    def end() -> StockTake:
        return services.end_counting(actor=storekeeper, at=now, stocktake=stocktake)

    results = at_once(*(scan(item) for item in items[:10]), end)

    refused = [result for result in results if isinstance(result, Exception)]
    assert all(isinstance(result, InvalidTransition) for result in refused)
    found = StockTakeLine.objects.filter(stocktake=stocktake, outcome="found").count()
    assert found == StockTakeScan.objects.count() == 10 - len(refused)


def race_end_with_dispatch(
    storekeeper: User,
    now: datetime,
    stocktake: StockTake,
    central: CustodyAccount,
    reception: CustodyAccount,
    item: int,
) -> list[object]:
    def dispatch() -> Handover:
        return services.dispatch_items(
            carried_by="A courier",
            actor=storekeeper,
            at=now,
            key=f"gone:{item}",
            source=central,
            target=reception,
            item_ids=[item],
        )

    def end() -> StockTake:
        return services.end_counting(actor=storekeeper, at=now, stocktake=stocktake)

    return at_once(dispatch, end)


def test_an_item_is_sent_or_missing_and_never_both(
    enter: Enter, storekeeper: User, auditor: User, now: datetime, central: CustodyAccount, reception: CustodyAccount
) -> None:
    for _round in range(8):
        (item,) = enter(central, 200)
        stocktake = open_count(storekeeper, auditor, now, central)
        sent, ended = race_end_with_dispatch(storekeeper, now, stocktake, central, reception, item)

        assert isinstance(ended, StockTake)
        outcome = StockTakeLine.objects.get(stocktake=stocktake, item=item).outcome
        held = Hold.objects.active().filter(item=item).exists()
        if isinstance(sent, DomainError):
            assert isinstance(sent, services.ItemsOnHold)
            assert (outcome, held) == ("missing", True)
        else:
            assert (outcome, held) == ("left", False)
            assert isinstance(sent, Handover)
            bring_back(sent, turned_by=storekeeper, counted_by=auditor, at=now)
        services.count_again(actor=storekeeper, at=now, stocktake=stocktake, reason="Look again, as told")
        services.take_scan(actor=storekeeper, at=now, stocktake=stocktake, item_id=item, text=str(item))
        result = services.end_counting(actor=storekeeper, at=now, stocktake=stocktake)
        for person in (storekeeper, auditor):
            services.sign_stocktake(actor=person, at=now, stocktake=result, digest=result.result_digest)
        _empty(storekeeper, now, central, reception, item)
    assert find_differences() == {}


def _empty(storekeeper: User, now: datetime, central: CustodyAccount, reception: CustodyAccount, item: int) -> None:
    """Out of the way of the next round."""
    services.move_items(
        actor=storekeeper,
        at=now,
        key=f"away:{item}",
        kind="transfer",  # type: ignore[arg-type]
        item_ids=[item],
        source=central,
        target=reception,
        effective_on=now.date(),
    )


def test_without_the_lock_an_item_is_sent_and_called_missing(
    enter: Enter,
    storekeeper: User,
    auditor: User,
    now: datetime,
    central: CustodyAccount,
    reception: CustodyAccount,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The twin: who only looks instead of locking holds on the road what the books say was missing in the store."""
    (item,) = enter(central, 200)
    stocktake = open_count(storekeeper, auditor, now, central)
    looked, sent = threading.Event(), threading.Event()

    def only_look(counted: StockTake) -> list[int]:
        there = list(Holding.objects.filter(account=counted.account, pieces__gt=0).values_list("item_id", flat=True))
        looked.set()
        sent.wait(10)
        return there

    monkeypatch.setattr(stocktakes, "_lock_unscanned", only_look)

    def dispatch() -> Handover:
        looked.wait(10)
        try:
            return services.dispatch_items(
                carried_by="A courier",
                actor=storekeeper,
                at=now,
                key=f"gone:{item}",
                source=central,
                target=reception,
                item_ids=[item],
            )
        finally:
            sent.set()

    results = at_once(dispatch, lambda: services.end_counting(actor=storekeeper, at=now, stocktake=stocktake))

    assert len(winners(results)) == 2
    assert StockTakeLine.objects.get(stocktake=stocktake, item=item).outcome == "missing"
    assert Hold.objects.active().filter(item=item).exists()
    assert not Holding.objects.filter(account=central, item=item).exists()


def test_one_place_is_counted_by_one_stock_take(
    enter: Enter, storekeeper: User, auditor: User, now: datetime, central: CustodyAccount
) -> None:
    enter(central, 200)

    results = at_once(*[lambda: open_count(storekeeper, auditor, now, central)] * 4)

    assert len(winners(results)) == 1
    assert all(isinstance(result, services.StockTakeOpen) for result in results if isinstance(result, Exception))


def test_two_weighings_of_one_item_follow_each_other(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount
) -> None:
    (item,) = enter(central, 200)

    def weigh(scale: int) -> Callable[[], Weighing]:
        return lambda: services.weigh_items(
            actor=storekeeper, at=now + timedelta(days=10), key=f"w{scale}", account=central, grams={item: 199}
        )

    results = at_once(*(weigh(scale) for scale in range(4)))

    # One of them found a gram dried away; the others, who came after it, nothing more.
    assert len(winners(results)) == 4
    assert sorted(one.before_g - one.after_g for one in Weighing.objects.all()) == [0, 0, 0, 1]
    assert Holding.objects.get(item=item, account=central).grams == 199
    assert find_differences() == {}


@pytest.mark.parametrize("grams", [199, 200])
def test_a_weighing_sent_twice_at_once_is_one_weighing(
    enter: Enter, storekeeper: User, now: datetime, central: CustodyAccount, grams: int
) -> None:
    """Both come to the lock of the holding with one key; the second gets the weighing of the first."""
    (item,) = enter(central, 200)

    def weigh() -> Weighing:
        return services.weigh_items(actor=storekeeper, at=now, key="same", account=central, grams={item: grams})

    results = at_once(*[weigh] * 4)

    assert len(winners(results)) == 4
    assert len({weighing.pk for weighing in winners(results)}) == 1
    assert Weighing.objects.count() == 1
    assert find_differences() == {}


def test_two_persons_who_weigh_an_odd_mass_at_once_agree_or_wait(
    enter: Enter, storekeeper: User, storekeeper_elsewhere: User, now: datetime, central: CustodyAccount
) -> None:
    """Whoever comes second finds the question of the first and bears it out: the mass is taken, nobody is held."""
    (item,) = enter(central, 200)

    def weigh(person: User) -> Callable[[], Weighing]:
        return lambda: services.weigh_items(
            actor=person, at=now, key=person.username, account=central, grams={item: 150}, confirmed=[item]
        )

    results = at_once(weigh(storekeeper), weigh(storekeeper_elsewhere))

    assert len(winners(results)) == 2
    assert Holding.objects.get(item=item, account=central).grams == 150
    assert not Hold.objects.active().exists()
    assert find_differences() == {}

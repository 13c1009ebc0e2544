"""Stock-takes: what is expected is frozen, what is there is scanned, and a commission signs for the difference."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core.accounts.independence import DAYS
from core.accounts.models import Organisation, Region, User
from core.accounts.services import make_password_key
from core.audit.models import Event
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.notices.models import Notice
from core.notices.selectors import refusal_to_decide, who_may_decide
from core.notices.services import decide_notice
from ledger import services
from ledger.models import (
    AccountKind,
    CustodyAccount,
    Hold,
    Holding,
    Movement,
    Placement,
    Shelf,
    StockTake,
    StockTakeLine,
    StockTakeMember,
    StockTakeScan,
    StockTakeTally,
)
from ledger.sampling import commitment_to, digest_of_frame, draw, seed_of
from ledger.selectors import find_differences
from ledger.stocktaking import count_live
from tests.goods import Enter, bring_back, make_account, put_into

pytestmark = pytest.mark.django_db

Open = Callable[..., StockTake]
Scan = Callable[..., "services.Taken | None"]


@pytest.fixture
def second_keeper(storekeeper: User, auditor: User) -> User:
    return auditor


@pytest.fixture
def open_count(storekeeper: User, second_keeper: User, central: CustodyAccount, now: datetime) -> Open:
    def begin(account: CustodyAccount = central, **facts: Any) -> StockTake:
        return services.open_stocktake(
            actor=storekeeper, at=now, account=account, commission=[storekeeper, second_keeper], **facts
        )

    return begin


@pytest.fixture
def scan(storekeeper: User, now: datetime) -> Scan:
    def take(stocktake: StockTake, item: int, by: User | None = None, **facts: Any) -> "services.Taken | None":
        return services.take_scan(
            actor=by or storekeeper, at=now, stocktake=stocktake, item_id=item, text=f"N{item}", **facts
        )

    return take


def sign_all(stocktake: StockTake, *people: User, at: datetime) -> StockTake:
    for person in people:
        stocktake = services.sign_stocktake(
            actor=person, at=at, stocktake=stocktake, digest=StockTake.objects.get(pk=stocktake.pk).result_digest
        )
    return stocktake


def outcome(stocktake: StockTake, item: int) -> str:
    return StockTakeLine.objects.get(stocktake=stocktake, item=item).outcome


def test_opening_freezes_what_is_in_the_store(enter: Enter, open_count: Open, central: CustodyAccount) -> None:
    items = enter(central, 200, 210, 220)

    stocktake = open_count()
    enter(central, 230)

    assert stocktake.number == "SK25-000001"
    assert (stocktake.state, stocktake.expected_items, stocktake.expected_grams) == ("counting", 3, 630)
    assert set(stocktake.lines.values_list("item", flat=True)) == set(items)
    assert stocktake.frame_digest == digest_of_frame(items)
    assert Event.objects.filter(verb="stocktake.opened", subject_id=str(stocktake.pk)).exists()


def test_opening_takes_as_many_statements_for_many_items_as_for_few(
    enter: Enter,
    open_count: Open,
    central: CustodyAccount,
    reception: CustodyAccount,
    django_assert_max_num_queries: object,
) -> None:
    enter(central, 200)
    enter(reception, *[200] * 50)
    with CaptureQueriesContext(connection) as few:
        open_count()
    with CaptureQueriesContext(connection) as many:
        open_count(reception)

    assert len(few) == len(many)


def test_an_empty_store_one_person_and_a_second_count_are_refused(
    enter: Enter, open_count: Open, storekeeper: User, central: CustodyAccount, now: datetime
) -> None:
    with pytest.raises(services.NothingToCount):
        open_count()
    enter(central, 200)
    with pytest.raises(services.CommissionTooSmall):
        services.open_stocktake(actor=storekeeper, at=now, account=central, commission=[storekeeper, storekeeper])
    open_count()
    with pytest.raises(services.StockTakeOpen):
        open_count()
    assert StockTake.objects.count() == 1


def test_who_has_the_others_account_in_hand_is_not_seated_beside_them(
    enter: Enter, storekeeper: User, auditor: User, administrator: User, central: CustodyAccount,
    now: datetime, later: Callable[..., datetime],
) -> None:  # fmt: skip
    enter(central, 200)
    make_password_key(actor=administrator, at=now, person=storekeeper)
    said: dict[str, Any] = {"actor": storekeeper, "account": central}
    said["commission"] = [storekeeper, auditor, administrator]

    for begin in (services.open_stocktake, partial(services.announce_sample, wanted=1)):
        with pytest.raises(BadInput) as refusal:
            begin(at=later(minutes=5), **said)
        assert storekeeper.full_name in str(refusal.value.fields["commission"])
        assert administrator.full_name in str(refusal.value.fields["commission"])

    assert not StockTake.objects.exists()
    assert services.open_stocktake(at=later(days=DAYS + 1), **said).members.count() == 3


def test_scans_say_what_they_are_and_are_counted(
    enter: Enter, open_count: Open, scan: Scan, storekeeper: User, inspector: User, now: datetime,
    central: CustodyAccount, reception: CustodyAccount,
) -> None:  # fmt: skip
    here, other = enter(central, 200, 210)
    (elsewhere,) = enter(reception, 300)
    stocktake = open_count()
    (late,) = enter(central, 220)

    first, again = scan(stocktake, here), scan(stocktake, here)
    verdicts = [taken.verdict for item in (elsewhere, late) if (taken := scan(stocktake, item))]
    by_other = scan(stocktake, other, by=inspector)
    unknown = services.note_unknown(actor=storekeeper, at=now, stocktake=stocktake, text="ZZZZ")

    assert first
    assert again
    assert by_other
    assert (first.verdict, first.is_new, again.is_new) == ("found", True, False)
    assert verdicts == ["elsewhere", "arrived"]
    assert unknown.verdict == "unknown"
    live = count_live(stocktake)
    assert (live.found, live.missing, live.elsewhere, live.arrived, live.unknown, live.repeats) == (2, 0, 1, 1, 1, 1)
    assert StockTakeTally.objects.filter(stocktake=stocktake).count() == 2


def test_a_scan_sent_again_after_the_network_was_lost_is_the_same_scan(
    enter: Enter, open_count: Open, scan: Scan, central: CustodyAccount
) -> None:
    (item,) = enter(central, 200)
    stocktake = open_count()

    first = scan(stocktake, item, key="gun-1")
    again = scan(stocktake, item, key="gun-1")

    assert first
    assert again
    assert first.is_new
    assert again.is_new
    assert count_live(stocktake).repeats == 0


def test_only_the_own_last_scan_is_taken_back(
    enter: Enter,
    open_count: Open,
    scan: Scan,
    storekeeper: User,
    inspector: User,
    now: datetime,
    central: CustodyAccount,
) -> None:
    one, two = enter(central, 200, 210)
    stocktake = open_count()
    scan(stocktake, one)
    scan(stocktake, two, by=inspector)

    undone = services.undo_scan(actor=storekeeper, at=now, stocktake=stocktake)
    nothing = services.undo_scan(actor=storekeeper, at=now, stocktake=stocktake)

    assert (undone, nothing) == (f"N{one}", None)
    assert count_live(stocktake).found == 1
    assert scan(stocktake, one).is_new  # type: ignore[union-attr]
    assert StockTakeScan.objects.filter(stocktake=stocktake, item=one).count() == 2


def test_what_nobody_scanned_is_missing_and_held_and_what_left_is_not(
    enter: Enter, open_count: Open, scan: Scan, storekeeper: User, inspector: User, second_keeper: User, now: datetime,
    central: CustodyAccount, reception: CustodyAccount,
) -> None:  # fmt: skip
    found, missing, left = enter(central, 200, 210, 220)
    stocktake = open_count()
    scan(stocktake, found)
    services.dispatch_items(
        carried_by="A courier", actor=storekeeper, at=now, key="d", source=central, target=reception, item_ids=[left]
    )

    stocktake = services.end_counting(actor=storekeeper, at=now, stocktake=stocktake)

    assert [outcome(stocktake, item) for item in (found, missing, left)] == ["found", "missing", "left"]
    assert stocktake.state == "signing"
    assert stocktake.result == {
        "expected": 3, "found": 1, "missing": 1, "missing_grams": 210, "left": 1,
        "misplaced": 0, "elsewhere": 0, "arrived": 0, "unknown": 0,
    }  # fmt: skip
    assert list(Hold.objects.active().values_list("item", "reference")) == [(missing, stocktake.number)]
    with pytest.raises(services.ItemsOnHold):
        services.dispatch_items(
            carried_by="A courier",
            actor=storekeeper,
            at=now,
            key="e",
            source=central,
            target=reception,
            item_ids=[missing],
        )


def test_the_last_signature_closes_and_tells(
    enter: Enter, open_count: Open, scan: Scan, storekeeper: User, second_keeper: User, inspector: User, now: datetime,
    central: CustodyAccount,
) -> None:  # fmt: skip
    found, _missing = enter(central, 200, 210)
    stocktake = open_count()
    scan(stocktake, found)
    services.note_unknown(actor=storekeeper, at=now, stocktake=stocktake, text="ZZZZ")
    stocktake = services.end_counting(actor=storekeeper, at=now, stocktake=stocktake)

    with pytest.raises(services.NotOfTheCommission):
        sign_all(stocktake, inspector, at=now)
    sign_all(stocktake, storekeeper, storekeeper, at=now)
    assert StockTake.objects.get(pk=stocktake.pk).state == "signing"
    sign_all(stocktake, second_keeper, at=now)

    assert StockTake.objects.get(pk=stocktake.pk).state == "closed"
    told = Notice.objects.filter(subject_kind="stocktake", subject_id=str(stocktake.pk)).order_by("pk")
    assert [notice.code for notice in told] == ["stocktake.missing", "stocktake.unknown"]
    assert all(notice.due_on for notice in told)
    assert find_differences() == {}


def test_a_signature_counts_for_the_result_that_was_seen(
    enter: Enter, open_count: Open, scan: Scan, storekeeper: User, second_keeper: User, now: datetime,
    central: CustodyAccount,
) -> None:  # fmt: skip
    found, missing = enter(central, 200, 210)
    stocktake = open_count()
    scan(stocktake, found)
    stocktake = services.end_counting(actor=storekeeper, at=now, stocktake=stocktake)
    seen = stocktake.result_digest
    sign_all(stocktake, second_keeper, at=now)

    stocktake = services.count_again(actor=storekeeper, at=now, stocktake=stocktake, reason="Not looked behind")
    assert not Hold.objects.active().exists()
    assert not StockTakeMember.objects.filter(signed_at__isnull=False).exists()
    scan(stocktake, missing)
    stocktake = services.end_counting(actor=storekeeper, at=now, stocktake=stocktake)

    with pytest.raises(InvalidTransition):
        services.sign_stocktake(actor=second_keeper, at=now, stocktake=stocktake, digest=seen)
    assert stocktake.result["missing"] == 0  # type: ignore[index]
    assert StockTakeScan.objects.get(stocktake=stocktake, item=missing).round == 2


def test_what_stands_in_another_own_store_is_moved_and_what_is_bound_is_told(
    enter: Enter, open_count: Open, scan: Scan, storekeeper: User, second_keeper: User, now: datetime,
    central: CustodyAccount, reception: CustodyAccount,
) -> None:  # fmt: skip
    own = make_account("CEN-2", central.kind, central.custodian)  # type: ignore[arg-type]
    enter(central, 200)
    (ours, held), (foreign,) = enter(own, 210, 220), enter(reception, 230)
    services.place_hold(actor=storekeeper, at=now, item_ids=[held], kind=Hold.Kind.COURT, reference="case")
    stocktake = open_count()
    for item in (ours, held, foreign, *stocktake.lines.values_list("item", flat=True)):
        scan(stocktake, item)
    stocktake = services.end_counting(actor=storekeeper, at=now, stocktake=stocktake)

    sign_all(stocktake, storekeeper, second_keeper, at=now)

    places = dict(Holding.objects.filter(pieces__gt=0).values_list("item", "account"))
    assert (places[ours], places[held], places[foreign]) == (central.pk, own.pk, reception.pk)
    assert places[ours] == central.pk
    told = Notice.objects.order_by("pk")
    assert [(notice.code, notice.organisation, notice.params["items"]) for notice in told] == [
        ("stocktake.other_keeper", central.custodian, f"N{foreign}"),
        ("stocktake.other_keeper", reception.custodian, f"N{foreign}"),
        ("stocktake.other_store", central.custodian, f"N{held}"),
    ]
    assert find_differences() == {}


def test_what_stands_in_the_books_of_another_region_stays_there_and_is_told(
    enter: Enter, open_count: Open, scan: Scan, storekeeper: User, second_keeper: User, now: datetime,
    central: CustodyAccount, annex: CustodyAccount, region_elsewhere: Region,
) -> None:  # fmt: skip
    far_store = make_account("FAR", AccountKind.STORE, central.custodian, region_elsewhere)
    (here,), (near,), (far,) = enter(central, 200), enter(annex, 210), enter(far_store, 220)
    stocktake = open_count()
    for item in (here, near, far):
        scan(stocktake, item)
    stocktake = services.end_counting(actor=storekeeper, at=now, stocktake=stocktake)

    sign_all(stocktake, storekeeper, second_keeper, at=now)

    assert StockTake.objects.get(pk=stocktake.pk).result["moved"] == 1  # type: ignore[index]
    places = dict(Holding.objects.filter(pieces__gt=0).values_list("item", "account"))
    assert (places[near], places[far]) == (central.pk, far_store.pk)
    assert not Movement.objects.filter(kind="transfer", postings__item=far).exists()
    told = Notice.objects.get()
    assert (told.code, told.organisation, told.decides) == ("stocktake.other_store", central.custodian, "authority")
    assert (told.params["items"], told.params["place"]) == (f"N{far}", "FAR")
    assert find_differences() == {}


def test_what_belongs_elsewhere_is_told_by_number_to_both_sides_and_judged_by_others(
    enter: Enter, open_count: Open, scan: Scan, storekeeper: User, second_keeper: User, inspector: User,
    authority_officer: User, now: datetime, central: CustodyAccount, reception: CustodyAccount,
    inspectorate: Organisation,
) -> None:  # fmt: skip
    room = make_account("EVI", AccountKind.EVIDENCE, inspectorate)
    (here,) = enter(central, 200)
    (evidence,), (road,), (ash,) = enter(room, 210, stock_class="HOR:seizure"), enter(reception, 220), enter(room, 230)
    put_into(ash, CustodyAccount.objects.boundary(AccountKind.DESTRUCTION))
    put_into(road, CustodyAccount.objects.get(code="T-REC"))
    stocktake = open_count()
    for item in (here, evidence, road):
        scan(stocktake, item)
    scan(stocktake, ash, by=inspector)
    stocktake = services.end_counting(actor=storekeeper, at=now, stocktake=stocktake)

    sign_all(stocktake, storekeeper, second_keeper, at=now)

    told = Notice.objects.order_by("pk")
    assert [(notice.code, notice.organisation, notice.params["items"]) for notice in told] == [
        ("stocktake.destroyed", central.custodian, f"N{ash}"),
        ("stocktake.evidence", central.custodian, f"N{evidence}"),
        ("stocktake.evidence", inspectorate, f"N{evidence}"),
        ("stocktake.in_transit", central.custodian, f"N{road}"),
        ("stocktake.in_transit", inspectorate, f"N{road}"),
    ]
    assert {notice.decides for notice in told} == {Notice.Decides.AUTHORITY}
    burnt = told[0]
    decide = partial(
        decide_notice, at=now, notice=burnt, outcome="explained", decision="Seen", reason="As the act says"
    )
    for person in (storekeeper, second_keeper, inspector):
        with pytest.raises(NotAllowed):
            decide(actor=person)
    assert refusal_to_decide(inspector, burnt) == refusal_to_decide(storekeeper, told[1])
    assert not {storekeeper, second_keeper, inspector} & set(who_may_decide(burnt, now.date()))
    assert Notice.objects.get(pk=burnt.pk).is_open
    assert decide(actor=authority_officer).decided_by == authority_officer


def test_the_database_lets_nobody_judge_the_own_count(
    enter: Enter, open_count: Open, scan: Scan, storekeeper: User, second_keeper: User, inspector: User,
    authority_officer: User, now: datetime, central: CustodyAccount,
) -> None:  # fmt: skip
    (here,) = enter(central, 200)
    stocktake = open_count()
    scan(stocktake, here, by=inspector)
    services.note_unknown(actor=inspector, at=now, stocktake=stocktake, text="ZZZZ")
    stocktake = services.end_counting(actor=storekeeper, at=now, stocktake=stocktake)
    sign_all(stocktake, storekeeper, second_keeper, at=now)
    decided = {
        "state": "decided",
        "outcome": "other",
        "decision": "Seen",
        "reason": "As the act says",
        "decided_at": now,
    }

    for person in (storekeeper, inspector, second_keeper):
        with pytest.raises(IntegrityError, match=r"own count|nobody_decides"), transaction.atomic():
            Notice.objects.update(decided_by=person, **decided)

    assert Notice.objects.update(decided_by=authority_officer, **decided) == 1


def test_a_shelf_is_counted_by_itself_and_the_wrong_shelf_is_corrected(
    enter: Enter, open_count: Open, scan: Scan, storekeeper: User, second_keeper: User, now: datetime,
    central: CustodyAccount,
) -> None:  # fmt: skip
    here, there, _loose = enter(central, 200, 210, 220)
    one, two = (Shelf.objects.create(account=central, code=code) for code in ("A-1", "A-2"))
    Placement.objects.create(shelf=one, item_id=here, placed_by=storekeeper, placed_at=now)
    Placement.objects.create(shelf=two, item_id=there, placed_by=storekeeper, placed_at=now)

    stocktake = open_count(shelf=one)
    assert list(stocktake.lines.values_list("item", flat=True)) == [here]
    verdicts = [taken.verdict for item in (here, there) if (taken := scan(stocktake, item))]
    stocktake = services.end_counting(actor=storekeeper, at=now, stocktake=stocktake)
    sign_all(stocktake, storekeeper, second_keeper, at=now)

    assert verdicts == ["found", "misplaced"]
    assert one.placements.filter(removed_at=None).count() == 2
    assert two.placements.filter(removed_at=None).count() == 0


def test_what_was_missing_and_is_found_by_the_next_count_is_free_again(
    enter: Enter, open_count: Open, scan: Scan, storekeeper: User, second_keeper: User, now: datetime,
    central: CustodyAccount,
) -> None:  # fmt: skip
    one, two = enter(central, 200, 210)
    first = open_count()
    scan(first, one)
    first = services.end_counting(actor=storekeeper, at=now, stocktake=first)
    sign_all(first, storekeeper, second_keeper, at=now)
    assert Hold.objects.active().get().item_id == two

    second = open_count()
    scan(second, one)
    scan(second, two)
    second = services.end_counting(actor=storekeeper, at=now, stocktake=second)
    sign_all(second, storekeeper, second_keeper, at=now)

    assert not Hold.objects.active().exists()
    assert StockTake.objects.get(pk=second.pk).result["found_again"] == 1  # type: ignore[index]


def test_a_sample_follows_from_what_was_committed_and_what_was_said(
    enter: Enter, scan: Scan, storekeeper: User, second_keeper: User, now: datetime, central: CustodyAccount
) -> None:
    items = enter(central, *range(200, 240))
    announced = services.announce_sample(
        actor=storekeeper, at=now, account=central, commission=[storekeeper, second_keeper], wanted=10
    )
    assert announced.state == "announced"
    assert announced.commitment == commitment_to(announced.secret)
    assert announced.seed == ""
    with pytest.raises(InvalidTransition):
        scan(announced, items[0])

    drawn = services.draw_sample(actor=second_keeper, at=now, stocktake=announced, words="USD  512.40, National Bank")

    seed = seed_of(
        number=drawn.number,
        frame=digest_of_frame(items),
        words="USD 512.40, National Bank",
        secret=announced.secret,
    )
    chosen = set(drawn.lines.filter(is_chosen=True).values_list("item", flat=True))
    assert drawn.seed == seed
    assert chosen == set(draw(items, seed=seed, count=10))
    assert (drawn.frame_items, drawn.expected_items) == (40, 10)
    outside = next(item for item in items if item not in chosen)
    assert scan(drawn, outside) is None
    ended = services.end_counting(actor=storekeeper, at=now, stocktake=drawn)
    assert ended.result["missing"] == 10  # type: ignore[index]


def test_a_sample_is_no_larger_than_what_is_there(
    enter: Enter, storekeeper: User, second_keeper: User, now: datetime, central: CustodyAccount
) -> None:
    said: dict[str, Any] = {"actor": storekeeper, "at": now, "account": central}
    said["commission"] = [storekeeper, second_keeper]
    with pytest.raises(services.NothingToCount):
        services.announce_sample(**said, wanted=1)
    enter(central, 200, 210, 220)

    for wanted in (4, 1_000_000_000, 10**12):
        with pytest.raises(BadInput) as refusal:
            services.announce_sample(**said, wanted=wanted)
        assert "3" in str(refusal.value.fields["wanted"])
    assert not StockTake.objects.exists()

    whole = services.announce_sample(**said, wanted=3)
    drawn = services.draw_sample(actor=storekeeper, at=now, stocktake=whole, words="USD 512.40, National Bank")
    assert (drawn.wanted, drawn.expected_items, drawn.frame_items) == (3, 3, 3)


def test_what_was_counted_is_not_called_off(
    enter: Enter, open_count: Open, storekeeper: User, now: datetime, central: CustodyAccount
) -> None:
    """Colleagues could end the count of an empty shelf that way, also by counting again first."""
    enter(central, 200)
    stocktake = services.end_counting(actor=storekeeper, at=now, stocktake=open_count())
    with pytest.raises(InvalidTransition):
        services.cancel_stocktake(actor=storekeeper, at=now, stocktake=stocktake, reason="Fire drill, as told")
    assert Hold.objects.active().exists()
    services.count_again(actor=storekeeper, at=now, stocktake=stocktake, reason="Look again, as told")

    with pytest.raises(InvalidTransition):
        services.cancel_stocktake(actor=storekeeper, at=now, stocktake=stocktake, reason="Fire drill, as told")

    services.end_counting(actor=storekeeper, at=now, stocktake=stocktake)
    assert Hold.objects.active().exists()


def test_a_count_called_off_is_told_to_the_authority(
    enter: Enter,
    open_count: Open,
    storekeeper: User,
    authority_officer: User,
    now: datetime,
    central: CustodyAccount,
) -> None:
    enter(central, 200)
    stocktake = open_count()
    with pytest.raises(BadInput):
        services.cancel_stocktake(actor=storekeeper, at=now, stocktake=stocktake, reason=" ")
    services.cancel_stocktake(actor=storekeeper, at=now, stocktake=stocktake, reason="Fire drill, as told")

    notice = Notice.objects.get(code="stocktake.cancelled")
    assert (notice.caused_by, notice.params["reason"]) == (storekeeper, "Fire drill, as told")
    assert notice.decides == Notice.Decides.AUTHORITY
    assert notice in Notice.objects.waiting_for(authority_officer)
    with pytest.raises(InvalidTransition):
        services.count_again(actor=storekeeper, at=now, stocktake=stocktake, reason="As the act says")


# --- around the services --------------------------------------------------------------------------------------


def test_the_database_lets_a_stocktake_go_its_way_only(
    enter: Enter, open_count: Open, storekeeper: User, now: datetime, central: CustodyAccount
) -> None:
    enter(central, 200)
    stocktake = open_count()
    row = StockTake.objects.filter(pk=stocktake.pk)
    called_off = {"state": "cancelled", "closed_at": now, "cancelled_by": storekeeper, "cancel_reason": "Fire drill"}
    counted = {"state": "signing", "ended_by": storekeeper, "ended_at": now, "result_digest": "x"}

    def refuse(**change: Any) -> None:
        with pytest.raises(DatabaseError, match="does not go from"), transaction.atomic():
            row.update(**change)

    for change in ({"state": "announced"}, {"round": 2}, {**counted, "round": 2}):
        refuse(**change)
    with pytest.raises(DatabaseError, match="begins as announced"), transaction.atomic():
        StockTake.objects.create(
            number="SK25-9", account=central, kind="full", state="counting", persons_needed=2, opened_by=storekeeper,
            opened_at=now, frozen_at=now,
        )  # fmt: skip

    services.end_counting(actor=storekeeper, at=now, stocktake=stocktake)
    for change in (called_off, {"state": "announced"}, {"state": "counting"}, {"state": "counting", "round": 3}):
        refuse(**change)

    services.count_again(actor=storekeeper, at=now, stocktake=stocktake, reason="Look again, as told")
    refuse(**called_off)
    assert row.get().round == 2


def test_the_database_lets_go_what_a_count_missed_by_a_count_or_an_act_only(
    enter: Enter, open_count: Open, scan: Scan, storekeeper: User, second_keeper: User, inspector: User, now: datetime,
    central: CustodyAccount,
) -> None:  # fmt: skip
    one, two = enter(central, 200, 210)
    first = services.end_counting(actor=storekeeper, at=now, stocktake=open_count())

    def refuse(item: int, by: User, reason: str) -> None:
        with pytest.raises(IntegrityError, match="no count and no act finds"), transaction.atomic():
            Hold.objects.active().filter(item=item).update(lifted_by=by, lifted_at=now, lift_reason=reason)

    refuse(one, storekeeper, "It lay behind the scale")
    sign_all(first, storekeeper, second_keeper, at=now)
    refuse(one, storekeeper, first.number)
    second = open_count()
    scan(second, one)
    refuse(one, storekeeper, second.number)
    services.end_counting(actor=storekeeper, at=now, stocktake=second)
    refuse(one, storekeeper, second.number)
    sign_all(second, storekeeper, second_keeper, at=now)

    assert Hold.objects.active().get().item_id == two
    for person in (storekeeper, inspector):
        refuse(two, person, second.number)


def test_the_database_refuses_a_scan_when_counting_has_ended(
    enter: Enter, open_count: Open, scan: Scan, storekeeper: User, now: datetime, central: CustodyAccount
) -> None:
    one, two = enter(central, 200, 210)
    stocktake = open_count()
    scan(stocktake, one)
    services.end_counting(actor=storekeeper, at=now, stocktake=stocktake)

    with pytest.raises(InvalidTransition):
        scan(stocktake, two)
    with pytest.raises(InvalidTransition):
        services.undo_scan(actor=storekeeper, at=now, stocktake=stocktake)
    with pytest.raises(IntegrityError, match="not being counted"), transaction.atomic():
        StockTakeScan.objects.create(
            stocktake=stocktake, round=1, item_id=two, verdict="found", scanned_by=storekeeper, scanned_at=now
        )
    assert count_live(stocktake).found == 1


def test_the_database_refuses_to_close_without_the_commission(
    enter: Enter, open_count: Open, storekeeper: User, second_keeper: User, now: datetime, central: CustodyAccount
) -> None:
    enter(central, 200)
    stocktake = services.end_counting(actor=storekeeper, at=now, stocktake=open_count())
    sign_all(stocktake, storekeeper, at=now)

    with pytest.raises(IntegrityError, match="has not signed"), transaction.atomic():
        StockTake.objects.filter(pk=stocktake.pk).update(state="closed", closed_at=now)
    with pytest.raises(IntegrityError, match="one_seat"), transaction.atomic():
        StockTakeMember.objects.create(stocktake=stocktake, person=storekeeper)
    with pytest.raises(DatabaseError), transaction.atomic():
        StockTakeMember.objects.filter(person=second_keeper).update(person=storekeeper)
    with pytest.raises(IntegrityError, match="no such result"), transaction.atomic():
        StockTakeMember.objects.filter(person=second_keeper).update(signed_at=now, signed_result="0" * 64)
    with pytest.raises(DatabaseError), transaction.atomic():
        StockTakeMember.objects.filter(person=second_keeper).delete()
    with pytest.raises(IntegrityError, match="stocktake_needs_two"), transaction.atomic():
        StockTake.objects.create(
            number="SK25-9", account=central, kind="full", persons_needed=1, opened_by=storekeeper, opened_at=now
        )  # fmt: skip


def test_the_database_keeps_the_frame_and_the_draw(
    enter: Enter, open_count: Open, storekeeper: User, central: CustodyAccount
) -> None:
    (item,) = enter(central, 200)
    stocktake = open_count()
    (late,) = enter(central, 210)

    with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
        StockTakeLine.objects.create(stocktake=stocktake, item_id=late, stock_class="x", pieces=1, grams=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        StockTakeLine.objects.filter(stocktake=stocktake).update(is_chosen=False)
    with pytest.raises(DatabaseError), transaction.atomic():
        StockTakeLine.objects.filter(stocktake=stocktake, item=item).delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        StockTake.objects.filter(pk=stocktake.pk).update(seed="another")
    with pytest.raises(DatabaseError), transaction.atomic():
        StockTakeTally.objects.create(
            stocktake=stocktake, person=storekeeper, found=9, misplaced=0, elsewhere=0, arrived=0, unknown=0, repeats=0
        )


def test_a_closed_count_stays_as_it_was_signed(
    enter: Enter, open_count: Open, scan: Scan, storekeeper: User, second_keeper: User, now: datetime,
    central: CustodyAccount,
) -> None:  # fmt: skip
    (item,) = enter(central, 200)
    stocktake = open_count()
    scan(stocktake, item)
    stocktake = services.end_counting(actor=storekeeper, at=now, stocktake=stocktake)
    sign_all(stocktake, storekeeper, second_keeper, at=now)

    with pytest.raises(DatabaseError), transaction.atomic():
        StockTake.objects.filter(pk=stocktake.pk).update(result={})
    with pytest.raises(IntegrityError, match="has ended"), transaction.atomic():
        StockTakeLine.objects.filter(stocktake=stocktake).update(outcome="missing")
    with pytest.raises(DatabaseError), transaction.atomic():
        StockTakeScan.objects.filter(stocktake=stocktake).delete()


def test_an_item_that_was_moved_back_and_forth_is_there(
    enter: Enter,
    open_count: Open,
    storekeeper: User,
    auditor: User,
    now: datetime,
    central: CustodyAccount,
    reception: CustodyAccount,
) -> None:
    """Dispatched and returned unscanned: it is missing, for the books say that it is here."""
    (item,) = enter(central, 200)
    stocktake = open_count()
    sent = services.dispatch_items(
        carried_by="A courier", actor=storekeeper, at=now, key="d", source=central, target=reception, item_ids=[item]
    )
    bring_back(sent, turned_by=storekeeper, counted_by=auditor, at=now + timedelta(hours=1))

    stocktake = services.end_counting(actor=storekeeper, at=now, stocktake=stocktake)

    assert outcome(stocktake, item) == "missing"

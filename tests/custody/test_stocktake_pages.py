"""The pages of stock-taking, the store, its log and its scale: with script, without, and for who may not."""

import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from core.accounts.models import User
from core.notices.models import Notice
from custody.views.climate import DRAWN, _thinned
from ledger import services
from ledger.models import (
    Box,
    ClimateReading,
    CustodyAccount,
    Hold,
    Holding,
    Shelf,
    StockTake,
    StockTakeScan,
    WeighIn,
    Weighing,
)
from marking.selectors import Reason, check_text
from registry.models import Derivative
from tests.cast import PASSWORD
from tests.rights import code_of, keys

pytestmark = pytest.mark.django_db


@pytest.fixture
def counted(
    marked: list[Derivative], storekeeper: User, auditor: User, reception_store: CustodyAccount, now: datetime
) -> StockTake:
    return services.open_stocktake(
        actor=storekeeper, at=now, account=reception_store, commission=[storekeeper, auditor]
    )


@pytest.fixture
def keeper(client: Client, storekeeper: User) -> Client:
    client.force_login(storekeeper)
    return client


def scan(client: Client, stocktake: StockTake, code: str, *, part: bool = False) -> str:
    headers = {"X-Scan": "part"} if part else {}
    answer = client.post(reverse("custody:stocktake-scan", args=[stocktake.pk]), {"code": code}, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_count_is_opened_scanned_ended_and_signed_by_forms_alone(
    keeper: Client, marked: list[Derivative], storekeeper: User, auditor: User, reception_store: CustodyAccount
) -> None:
    opened = keeper.post(
        f"{reverse('custody:open-stocktake')}?store={reception_store.pk}",
        {"kind": "full", "trusts_seals": "on", "commission": [storekeeper.pk, auditor.pk]},
    )
    stocktake = StockTake.objects.get()
    assert opened.headers["Location"] == reverse("custody:stocktake", args=[stocktake.pk])

    for item in marked[1:]:
        assert 'data-tone="ok"' in scan(keeper, stocktake, code_of(item))
    assert 'data-tone="attention"' in scan(keeper, stocktake, marked[1].number)
    assert marked[0].number in keeper.get(reverse("custody:stocktake-end", args=[stocktake.pk])).content.decode()
    keeper.post(reverse("custody:stocktake-end", args=[stocktake.pk]))
    stocktake.refresh_from_db()
    assert stocktake.state == "signing"
    assert Reason.LOST not in check_text(code_of(marked[0]), own_hosts=()).reasons

    sign = reverse("custody:stocktake-sign", args=[stocktake.pk])
    wrong = keeper.post(sign, {"password": "nonsense-password", "digest": stocktake.result_digest})
    assert wrong.status_code == 422
    keeper.post(sign, {"password": PASSWORD, "digest": stocktake.result_digest})
    other = Client()
    other.force_login(auditor)
    other.post(sign, {"password": PASSWORD, "digest": stocktake.result_digest})

    stocktake.refresh_from_db()
    assert stocktake.state == "closed"
    assert Reason.LOST in check_text(code_of(marked[0]), own_hosts=()).reasons
    page = keeper.get(reverse("custody:stocktake", args=[stocktake.pk])).content.decode()
    assert marked[0].number in page
    assert Notice.objects.get(code="stocktake.missing").params["missing"] == 1


def test_the_script_gets_only_what_changes(keeper: Client, counted: StockTake, marked: list[Derivative]) -> None:
    part = scan(keeper, counted, marked[0].number, part=True)

    assert "<html" not in part
    assert 'data-tone="ok"' in part
    assert marked[0].number in part


def test_what_is_unknown_foreign_or_misread_is_told_apart(
    keeper: Client, counted: StockTake, marked: list[Derivative]
) -> None:
    assert 'data-tone="stop"' in scan(keeper, counted, "KZ26-9999999")
    assert StockTakeScan.objects.get().verdict == "unknown"
    before = StockTakeScan.objects.count()
    scan(keeper, counted, code_of(marked[0])[:-1] + "?")
    scan(keeper, counted, "")
    assert StockTakeScan.objects.count() == before


def test_a_sealed_box_counts_by_one_scan_and_an_open_one_does_not(
    keeper: Client, counted: StockTake, marked: list[Derivative], storekeeper: User, now: datetime,
    reception_store: CustodyAccount,
) -> None:  # fmt: skip
    (box,) = services.begin_boxes(actor=storekeeper, at=now, account=reception_store, kind=Box.Kind.BOX, count=1)
    services.pack_items(actor=storekeeper, at=now, box=box, item_ids=keys(marked[:4]))

    assert 'data-tone="attention"' in scan(keeper, counted, box.sscc)
    services.seal_box(actor=storekeeper, at=now, box=box, seal_number="К100")
    assert 'data-tone="ok"' in scan(keeper, counted, box.sscc)
    assert StockTakeScan.objects.filter(box=box, verdict="found").count() == 4
    assert 'data-tone="attention"' in scan(keeper, counted, box.sscc)

    keeper.post(reverse("custody:stocktake-undo", args=[counted.pk]))
    assert not StockTakeScan.objects.filter(undone_at=None).exists()


def test_a_shelf_label_says_where_the_person_stands(
    keeper: Client, counted: StockTake, marked: list[Derivative], storekeeper: User, now: datetime,
    reception_store: CustodyAccount,
) -> None:  # fmt: skip
    (shelf,) = services.add_shelves(actor=storekeeper, at=now, account=reception_store, codes=["A-1"])

    assert "A-1" in scan(keeper, counted, shelf.number)
    assert 'data-tone="attention"' in scan(keeper, counted, marked[0].number)
    assert StockTakeScan.objects.get().verdict == "misplaced"
    keeper.post(reverse("custody:stocktake-no-shelf", args=[counted.pk]))
    assert 'data-tone="ok"' in scan(keeper, counted, marked[1].number)
    assert Shelf.objects.count() == 1


def test_a_scan_costs_the_same_after_many_scans(keeper: Client, counted: StockTake, marked: list[Derivative]) -> None:
    scan(keeper, counted, marked[0].number, part=True)
    with CaptureQueriesContext(connection) as early:
        scan(keeper, counted, marked[1].number, part=True)
    for item in marked[2:5]:
        scan(keeper, counted, item.number, part=True)
    with CaptureQueriesContext(connection) as late:
        scan(keeper, counted, marked[5].number, part=True)

    assert len(late) == len(early)
    assert len(early) <= 14


def test_who_only_oversees_sees_and_does_not_scan(
    client: Client, counted: StockTake, marked: list[Derivative], authority_officer: User, trader: User, auditor: User
) -> None:
    client.force_login(authority_officer)
    assert client.get(reverse("custody:stocktake", args=[counted.pk])).status_code == 200
    assert client.post(reverse("custody:stocktake-scan", args=[counted.pk]), {"code": "x"}).status_code == 403
    client.force_login(trader)
    assert client.get(reverse("custody:stocktake", args=[counted.pk])).status_code == 404
    assert client.post(reverse("custody:stocktake-scan", args=[counted.pk]), {"code": "x"}).status_code == 404
    client.force_login(auditor)
    assert client.get(reverse("custody:stocktake-scan", args=[counted.pk])).status_code == 200


def test_a_sample_is_announced_drawn_and_published(
    keeper: Client, marked: list[Derivative], storekeeper: User, auditor: User, reception_store: CustodyAccount
) -> None:
    address = f"{reverse('custody:open-stocktake')}?store={reception_store.pk}"
    facts = {"kind": "sample", "trusts_seals": "on", "commission": [storekeeper.pk, auditor.pk]}
    assert keeper.post(address, facts).status_code == 422
    keeper.post(address, {**facts, "wanted": "2"})
    stocktake = StockTake.objects.get()
    page = reverse("custody:stocktake", args=[stocktake.pk])
    before = keeper.get(page).content.decode()
    assert stocktake.commitment in before
    assert stocktake.secret not in before
    assert keeper.get(reverse("custody:stocktake-frame", args=[stocktake.pk])).status_code == 404

    assert keeper.post(reverse("custody:stocktake-draw", args=[stocktake.pk]), {"words": "x"}).status_code == 422
    keeper.post(reverse("custody:stocktake-draw", args=[stocktake.pk]), {"words": "USD 512.40 National Bank"})

    stocktake.refresh_from_db()
    assert stocktake.expected_items == 2
    assert stocktake.secret in keeper.get(page).content.decode()
    frame = b"".join(keeper.get(reverse("custody:stocktake-frame", args=[stocktake.pk])).streaming_content).decode()  # type: ignore[attr-defined]
    lines = [line.split(",") for line in frame.strip().splitlines()[1:]]
    lowest = sorted(lines, key=lambda line: line[2])[:2]
    assert [line[3] for line in lowest] == ["1", "1"]
    outside = Derivative.objects.exclude(pk__in=stocktake.lines.filter(is_chosen=True).values("item")).first()
    assert outside is not None
    assert 'data-tone="neutral"' in scan(keeper, stocktake, outside.number)


@pytest.mark.parametrize("fmt", ["pdf", "xlsx", "csv"])
def test_the_inventory_sheet_is_a_file(
    keeper: Client, counted: StockTake, marked: list[Derivative], storekeeper: User, now: datetime, fmt: str
) -> None:
    scan(keeper, counted, marked[0].number)
    services.end_counting(actor=storekeeper, at=now, stocktake=counted)

    answer = keeper.get(reverse("custody:stocktake-file", args=[counted.pk, fmt]))

    content = b"".join(answer) if answer.streaming else answer.content
    if fmt == "pdf":
        assert content.startswith(b"%PDF")
    elif fmt == "xlsx":
        book = load_workbook(io.BytesIO(content))
        assert book.worksheets[0].max_row == 7
        assert book.worksheets[1].max_row == 6
    else:
        assert content.count(b"KZ25-") == 6


def test_a_list_of_stock_takes_costs_the_same_for_many(
    keeper: Client,
    counted: StockTake,
    storekeeper: User,
    now: datetime,
) -> None:
    with CaptureQueriesContext(connection) as one:
        assert keeper.get(reverse("custody:stocktakes")).status_code == 200
    services.cancel_stocktake(actor=storekeeper, at=now, stocktake=counted, reason="As the act says")
    services.open_stocktake(
        actor=storekeeper, at=now, account=counted.account, commission=[m.person for m in counted.members.all()]
    )
    with CaptureQueriesContext(connection) as two:
        keeper.get(reverse("custody:stocktakes"))
    assert len(one) == len(two)


def test_a_count_is_called_off_with_a_reason_until_it_was_ended_once(
    keeper: Client, counted: StockTake, storekeeper: User, now: datetime
) -> None:
    page = reverse("custody:stocktake", args=[counted.pk])
    cancel = reverse("custody:stocktake-cancel", args=[counted.pk])
    assert cancel in keeper.get(page).content.decode()
    services.end_counting(actor=storekeeper, at=now, stocktake=counted)
    again = reverse("custody:stocktake-again", args=[counted.pk])
    assert keeper.post(again, {"reason": ""}).status_code == 422
    keeper.post(again, {"reason": "Behind the door"})
    counted.refresh_from_db()
    assert (counted.state, counted.round) == ("counting", 2)
    assert cancel not in keeper.get(page).content.decode()
    assert keeper.post(cancel, {"reason": "Fire drill, as told"}).status_code == 422
    counted.refresh_from_db()
    assert counted.state == "counting"


def test_a_count_under_way_is_called_off_with_a_reason(keeper: Client, counted: StockTake) -> None:
    cancel = reverse("custody:stocktake-cancel", args=[counted.pk])
    assert keeper.get(cancel).status_code == 200
    assert keeper.post(cancel, {"reason": ""}).status_code == 422
    keeper.post(cancel, {"reason": "Fire drill, as told"})
    counted.refresh_from_db()
    assert counted.state == "cancelled"
    keeper.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    page = keeper.get(reverse("custody:stocktake", args=[counted.pk])).content.decode()
    assert "This count holds nothing" in page
    assert "On hold in this store" not in page


# --- the store ------------------------------------------------------------------------------------------------


def test_the_store_page_tells_what_is_there(
    keeper: Client,
    counted: StockTake,
    marked: list[Derivative],
    storekeeper: User,
    reception_store: CustodyAccount,
    now: datetime,
) -> None:
    services.log_climate(
        actor=storekeeper, at=now, account=reception_store, readings=[services.Reading(now, 150, 700, "S1")]
    )
    page = keeper.get(reverse("custody:store", args=[reception_store.pk])).content.decode()

    assert counted.number in page
    assert "15" in page
    assert keeper.get(reverse("custody:stores")).status_code == 200


def test_the_administrator_is_sent_to_the_settings(
    client: Client, administrator: User, trader: User, reception_store: CustodyAccount
) -> None:
    client.force_login(administrator)
    answer = client.get(reverse("custody:store", args=[reception_store.pk]))
    assert answer.headers["Location"] == reverse("ledger:store", args=[reception_store.pk])
    client.force_login(trader)
    assert client.get(reverse("custody:store", args=[reception_store.pk])).status_code == 404


def test_a_reading_is_written_down_by_a_form(
    keeper: Client, client: Client, reception_store: CustodyAccount, auditor: User
) -> None:
    address = reverse("custody:climate", args=[reception_store.pk])
    assert keeper.post(address, {"temperature": "", "humidity": ""}).status_code == 422
    assert keeper.post(address, {"temperature": "13,4", "humidity": "60"}).status_code == 302
    reading = ClimateReading.objects.get()
    assert (reading.temperature, reading.humidity) == (134, 600)
    assert Notice.objects.get().code == "climate.warm"
    assert "<svg" in keeper.get(address).content.decode()
    keeper.post(reverse("custody:climate-watch", args=[reception_store.pk]), {"minutes": "30"})
    assert reception_store.watch.minutes == 30
    client.force_login(auditor)
    assert client.get(address).status_code == 200
    assert client.post(address, {"temperature": "3"}).status_code == 403


def test_a_year_of_readings_is_thinned_by_the_database_and_keeps_its_peak(
    storekeeper: User, reception_store: CustodyAccount, now: datetime, django_assert_num_queries: Any
) -> None:
    ClimateReading.objects.bulk_create(
        ClimateReading(
            account=reception_store,
            at=now - timedelta(minutes=minutes),
            temperature=390 if minutes == 777 else 100 + minutes % 7,
            entered_by=storekeeper,
            entered_at=now,
        )
        for minutes in range(2_000)
    )

    with django_assert_num_queries(1):
        readings = _thinned(reception_store, "temperature", since=now - timedelta(days=30))

    assert readings is not None
    assert len(readings.drawn) <= DRAWN
    assert (now - timedelta(minutes=777), 390) in readings.drawn
    assert (readings.drawn[0][0], readings.drawn[-1][0]) == (now - timedelta(minutes=1_999), now)
    assert (readings.least, readings.most, readings.last) == (100, 390, 100)
    assert _thinned(reception_store, "humidity", since=now) is None


# --- weighing -------------------------------------------------------------------------------------------------


def test_scan_mass_enter(keeper: Client, marked: list[Derivative], reception_store: CustodyAccount) -> None:
    item = marked[0]
    address = reverse("custody:weigh", args=[reception_store.pk])

    asked = keeper.post(address, {"code": code_of(item), "grams": ""}).content.decode()
    assert item.number in asked
    taken = keeper.post(address, {"code": item.number, "grams": str(item.mass_g)}).content.decode()

    assert 'data-tone="ok"' in taken
    assert WeighIn.objects.get().item_id == item.pk


def test_a_mass_that_drying_does_not_explain_is_asked_about_once(
    keeper: Client, marked: list[Derivative], reception_store: CustodyAccount
) -> None:
    item = marked[0]
    address = reverse("custody:weigh", args=[reception_store.pk])

    asked = keeper.post(address, {"code": item.number, "grams": "20"}).content.decode()
    assert 'data-tone="attention"' in asked
    assert not Weighing.objects.exists()
    told = keeper.post(address, {"code": item.number, "grams": "20", "confirm": "20"}).content.decode()

    assert 'data-tone="stop"' in told
    assert item.number in told.partition('id="held"')[2]
    assert Holding.objects.get(item=item.pk, account=reception_store).grams == item.mass_g
    assert Hold.objects.active().get().kind == Hold.Kind.MASS
    assert Notice.objects.get().code == "weighing.unexplained"


def test_the_authority_judges_a_mass_in_question(
    keeper: Client,
    client: Client,
    marked: list[Derivative],
    reception_store: CustodyAccount,
    inspector: User,
    authority_officer: User,
    auditor: User,
) -> None:
    item = marked[0]
    keeper.post(
        reverse("custody:weigh", args=[reception_store.pk]), {"code": item.number, "grams": "20", "confirm": "20"}
    )
    weighing = Weighing.objects.get()
    page, act = (reverse(f"custody:{name}", args=[weighing.pk]) for name in ("weighing", "weighing-settle"))
    given = {"reason": "The scale stood askew", "password": PASSWORD}

    assert act not in keeper.get(page).content.decode()
    assert keeper.post(act, given).status_code == 403
    client.force_login(auditor)
    assert client.post(act, given).status_code == 403
    client.force_login(inspector)
    assert act not in client.get(page).content.decode()
    assert client.post(act, given).status_code == 403
    client.force_login(authority_officer)
    assert act in client.get(page).content.decode()
    assert client.post(act, {**given, "password": "wrong"}).status_code == 422
    assert client.post(act, {**given, "reason": "x"}).status_code == 422
    assert Hold.objects.active().exists()
    assert client.post(act, given).status_code == 302

    assert not Hold.objects.active().exists()
    assert Holding.objects.get(item=item.pk, account=reception_store).grams == item.mass_g


def test_a_sheet_with_odd_masses_is_confirmed_by_a_tick(
    keeper: Client, marked: list[Derivative], reception_store: CustodyAccount
) -> None:
    address = reverse("custody:weigh-sheet", args=[reception_store.pk])
    sheet = SimpleUploadedFile("w.csv", f"number;mass\n{marked[0].number};900\n".encode(), "text/csv")
    token = keeper.post(address, {"file": sheet}).context["token"]

    keeper.post(address, {"token": token})
    assert not Weighing.objects.exists()
    keeper.post(address, {"token": token, "confirm": "on"})

    assert Hold.objects.active().get().item_id == marked[0].pk


def test_a_sheet_is_shown_before_it_is_recorded(
    keeper: Client, marked: list[Derivative], reception_store: CustodyAccount
) -> None:
    address = reverse("custody:weigh-sheet", args=[reception_store.pk])
    rows = "\n".join(f"{item.number};{item.mass_g - 1}" for item in marked)
    good = SimpleUploadedFile("w.csv", f"Нөмірі;Масса, г\n{rows}\n".encode(), "text/csv")
    bad = SimpleUploadedFile("w.csv", f"number;mass\n{marked[0].number};heavy\n".encode(), "text/csv")

    assert "heavy" in keeper.post(address, {"file": bad}).content.decode()
    assert keeper.post(address, {"file": SimpleUploadedFile("w.csv", b"a;b\n1;2\n")}).status_code == 422
    preview = keeper.post(address, {"file": good})
    assert not Weighing.objects.exists()
    token = preview.context["token"]
    answer = keeper.post(address, {"token": token})

    weighing = Weighing.objects.get()
    assert answer.headers["Location"] == reverse("custody:weighing", args=[weighing.pk])
    assert (weighing.items, weighing.change_g) == (6, -6)
    keeper.post(address, {"token": token})
    assert Weighing.objects.count() == 1
    assert keeper.get(reverse("custody:weighing", args=[weighing.pk])).status_code == 200
    assert marked[0].number in keeper.get(reverse("reports:item", args=[marked[0].pk])).content.decode()
    assert weighing.number in keeper.get(reverse("reports:item", args=[marked[0].pk])).content.decode()


def test_only_who_keeps_a_store_weighs_there(
    client: Client, marked: list[Derivative], reception_store: CustodyAccount, trader: User, inspector: User
) -> None:
    address = reverse("custody:weigh", args=[reception_store.pk])
    client.force_login(trader)
    assert client.get(address).status_code == 404
    client.force_login(inspector)
    assert client.get(address).status_code == 200
    only = client.get(reverse("custody:weighings"))
    assert only.headers["Location"] == address

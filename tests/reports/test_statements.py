"""The stock statement: asked for, made, published whole, equal to the ledger, and kept."""

import csv
import hashlib
import io
import random
import re
import uuid
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any

import openpyxl
import pypdf
import pytest
from django.db import Error, connection, transaction
from django.test import Client

from core.accounts.models import User
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError
from core.documents.models import Document
from core.jobs.models import Job
from core.jobs.services import Progress, execute_job
from ledger.models import AccountTotal, CustodyAccount, Handover, HandoverLine, MovementKind
from ledger.selectors import as_of
from ledger.services import (
    accept_handover,
    dispatch_items,
    move_items,
    reverse_movement,
    scan_received,
)
from registry.models import Derivative
from reports.balance import Amount, add_up, differences
from reports.models import Statement
from reports.selectors import read_statement_source
from reports.services import ask_statement
from reports.tasks import make_stock_statement
from tests.goods import Enter, bring_back

pytestmark = pytest.mark.django_db


def ask(actor: User, at: datetime, account: CustodyAccount, language: str = "en", days: int = 30) -> Statement:
    today = day_of(at)
    return ask_statement(
        actor=actor,
        at=at,
        account=account,
        starts_on=today - timedelta(days=days),
        ends_on=today,
        language=language,
    )


def make(statement: Statement) -> Statement:
    """Run the job as the worker does."""
    execute_job(statement.job_id)
    statement.refresh_from_db()
    return statement


def figures_of(statement: Statement) -> dict[str, Any]:
    """What a published statement says."""
    assert statement.figures is not None
    figures: dict[str, Any] = statement.figures
    return figures


def text_of(document: Document | None) -> str:
    assert document is not None
    with document.file.open("rb") as file:
        return "\n".join(page.extract_text() for page in pypdf.PdfReader(file).pages)


def test_what_was_asked_for_is_made_and_published(
    auditor: User, now: datetime, horns: list[Derivative], reception_store: CustodyAccount
) -> None:
    statement = make(ask(auditor, now, reception_store))

    grams = sum(horn.mass_g for horn in horns)
    assert statement.is_published
    assert re.fullmatch(r"ST25-\d{6}", statement.number)
    assert figures_of(statement)["balance"] == [
        ["HOR:removal", 0, 0, 6, grams, 0, 0, 6, grams],
    ]
    assert figures_of(statement)["changes"] == [["HOR:removal", "in", "intake", "removal", 6, grams]]
    job = Job.objects.get(pk=statement.job_id)
    assert job.state == Job.State.DONE
    assert job.done == job.total > 0
    assert [paper["id"] for paper in job.result["documents"]] == [
        str(statement.pdf_id),
        str(statement.xlsx_id),
        str(statement.csv_id),
        str(statement.movements_csv_id),
    ]
    assert Event.objects.filter(verb="statement.published", subject_id=str(statement.pk)).count() == 1


def test_its_files_say_the_same(
    auditor: User, now: datetime, horns: list[Derivative], reception_store: CustodyAccount
) -> None:
    statement = make(ask(auditor, now, reception_store))

    grams = sum(horn.mass_g for horn in horns)
    paper = text_of(statement.pdf)
    assert statement.number in paper
    assert statement.check_code in paper
    assert f"{grams // 1000}.{grams % 1000:03d}" in paper
    assert statement.xlsx is not None
    with statement.xlsx.file.open("rb") as file:
        book = openpyxl.load_workbook(file, data_only=True)
    assert len(book.sheetnames) == 3
    cells = {cell.value for row in book.worksheets[0].iter_rows() for cell in row}
    assert grams / 1000 in cells
    assert statement.csv is not None
    rows = list(csv.reader(io.StringIO(statement.csv.file.open("rb").read().decode("utf-8-sig"))))
    assert rows[1][2:] == ["0", "0", "6", str(grams), "0", "0", "6", str(grams)]
    assert statement.movements_csv is not None
    movements = list(csv.reader(io.StringIO(statement.movements_csv.file.open("rb").read().decode("utf-8-sig"))))
    assert [row[4] for row in movements[1:]] == [horns[0].intake.number]


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_it_speaks_the_language_asked_for(
    language: str,
    auditor: User,
    now: datetime,
    horns: list[Derivative],
    reception_store: CustodyAccount,
) -> None:
    statement = make(ask(auditor, now, reception_store, language=language))

    paper = text_of(statement.pdf)
    assert reception_store.name_in(language) in paper
    assert "�" not in paper


def test_its_code_is_the_same_in_every_language_and_another_day_later(
    auditor: User, now: datetime, horns: list[Derivative], reception_store: CustodyAccount
) -> None:
    first = make(ask(auditor, now, reception_store, language="kk"))
    second = make(ask(auditor, now, reception_store, language="ru"))

    assert first.check_code == second.check_code
    assert first.number != second.number


def test_a_hand_over_is_told_with_its_number_and_the_other_side(
    auditor: User,
    storekeeper: User,
    now: datetime,
    horns: list[Derivative],
    reception_store: CustodyAccount,
    central_store: CustodyAccount,
) -> None:
    handover = dispatch_items(
        carried_by="A courier",
        actor=storekeeper,
        at=now,
        key="away",
        source=reception_store,
        target=central_store,
        item_ids=[horns[0].pk, horns[1].pk],
    )

    statement = make(ask(auditor, now, reception_store))

    assert ["HOR:removal", "out", "dispatch", "", 2] in [row[:5] for row in figures_of(statement)["changes"]]
    paper = text_of(statement.pdf)
    assert handover.number in paper
    assert central_store.name_en in paper


def test_it_is_not_published_when_the_ledger_does_not_agree(
    auditor: User, now: datetime, horns: list[Derivative], reception_store: CustodyAccount
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE ledger_accounttotal SET grams = grams + 1 WHERE account_id = %s", [reception_store.pk])
        cursor.execute("SET LOCAL session_replication_role = origin")

    statement = make(ask(auditor, now, reception_store))

    job = Job.objects.get(pk=statement.job_id)
    assert not statement.is_published
    assert job.state == Job.State.FAILED
    assert "HOR:removal" in job.error
    assert not Document.objects.filter(kind=Document.Kind.REPORT).exists()
    assert not Event.objects.filter(verb="statement.published").exists()


def test_two_clicks_are_one_statement(
    auditor: User, now: datetime, reception_store: CustodyAccount, storekeeper: User
) -> None:
    first = ask(auditor, now, reception_store)

    assert ask(auditor, now, reception_store) == first
    assert ask(storekeeper, now, reception_store) != first
    make(first)
    assert ask(auditor, now, reception_store) != first


def test_a_worker_that_died_after_publishing_does_not_make_it_publish_twice(
    auditor: User, now: datetime, horns: list[Derivative], reception_store: CustodyAccount
) -> None:
    statement = ask(auditor, now, reception_store)
    running = Job.objects.filter(pk=statement.job_id)
    running.update(state=Job.State.RUNNING, claim=uuid.uuid4(), attempts=1, started_at=now, heartbeat_at=now)
    job = running.get()
    make_stock_statement(job, Progress(job))
    running.update(heartbeat_at=now)

    published = make(statement)

    assert published.is_published
    assert running.get().state == Job.State.DONE
    assert len(running.get().result["documents"]) == 4
    assert Document.objects.filter(kind=Document.Kind.REPORT).count() == 4
    assert Event.objects.filter(verb="statement.published").count() == 1


@pytest.mark.parametrize(("first", "last"), [(0, -1), (0, 1), (-5000, 0)])
def test_an_impossible_period_is_refused(
    first: int, last: int, auditor: User, now: datetime, reception_store: CustodyAccount
) -> None:
    today = day_of(now)

    with pytest.raises(BadInput):
        ask_statement(
            actor=auditor,
            at=now,
            account=reception_store,
            starts_on=today + timedelta(days=first),
            ends_on=today + timedelta(days=last),
            language="kk",
        )

    assert not Statement.objects.exists()
    assert not Job.objects.exists()


def test_a_published_statement_is_never_changed(
    auditor: User, now: datetime, horns: list[Derivative], reception_store: CustodyAccount
) -> None:
    statement = make(ask(auditor, now, reception_store))

    for attempt in (
        lambda: Statement.objects.filter(pk=statement.pk).update(check_code="0000-0000-0000"),
        lambda: Statement.objects.filter(pk=statement.pk).delete(),
    ):
        with pytest.raises(Error), transaction.atomic():
            attempt()
    statement.refresh_from_db()
    assert statement.is_published


def test_half_a_statement_is_refused_by_the_database(
    auditor: User, now: datetime, reception_store: CustodyAccount
) -> None:
    statement = ask(auditor, now, reception_store)

    with pytest.raises(Error), transaction.atomic():
        Statement.objects.filter(pk=statement.pk).update(published_at=now)


# --- it equals the ledger, whatever happened ------------------------------------------------------------------


def play(seed: int, *, people: list[User], stores: list[CustodyAccount], enter: Enter, now: datetime) -> None:
    """A random history of some weeks: goods come in, are handed over, cancelled, lost, sent back and corrected."""
    chance = random.Random(seed)
    items: list[int] = []
    movements = []
    for number in range(40):
        at = now + timedelta(days=number // 3, minutes=number)
        source, target = chance.sample(stores, 2)
        with suppress(DomainError), transaction.atomic():
            match chance.randrange(6):
                case 0 | 1:
                    stock_class = chance.choice(["HOR:removal", "HOR:found", "MEA:removal"])
                    masses = [chance.randint(50, 400) for _ in range(chance.randint(1, 6))]
                    items += enter(source, *masses, stock_class=stock_class)
                case 2:
                    dispatch_items(
                        carried_by="A courier",
                        actor=people[0],
                        at=at,
                        key=uuid.uuid4().hex,
                        source=source,
                        target=target,
                        item_ids=chance.sample(items, min(len(items), 3)),
                    )
                case 3:
                    under_way = Handover.objects.filter(state=Handover.State.DISPATCHED).first()
                    if under_way:
                        for line in HandoverLine.objects.filter(handover=under_way)[: chance.randint(1, 3)]:
                            scan_received(actor=people[1], at=at, handover=under_way, item_id=line.item_id)
                        accept_handover(
                            actor=people[1], at=at, handover=under_way, difference_reason="The box was open."
                        )
                case 4:
                    under_way = Handover.objects.filter(state=Handover.State.DISPATCHED).first()
                    if under_way:
                        bring_back(under_way, turned_by=people[0], counted_by=people[1], at=at)
                case 5:
                    movements.append(
                        move_items(
                            actor=people[0],
                            at=at,
                            key=uuid.uuid4().hex,
                            kind=MovementKind.TRANSFER,
                            item_ids=chance.sample(items, min(len(items), 2)),
                            source=source,
                            target=target,
                            effective_on=day_of(at),
                        )
                    )
                    if chance.random() < 0.5:
                        reverse_movement(
                            actor=people[1],
                            at=at,
                            key=uuid.uuid4().hex,
                            movement=movements[-1],
                            effective_on=day_of(at),
                        )


def sums_on(account: CustodyAccount, day: date) -> dict[str, Amount]:
    return {place.stock_class: Amount(place.pieces, place.grams) for place in as_of([account], day)}


@pytest.mark.usefixtures("ledger_alone")
@pytest.mark.parametrize("seed", range(6))
def test_it_equals_the_ledger_over_any_history_and_any_period(
    seed: int,
    inspector: User,
    storekeeper: User,
    annex: CustodyAccount,
    central: CustodyAccount,
    enter: Enter,
    now: datetime,
) -> None:
    beginning = now - timedelta(days=30)
    play(seed, people=[inspector, storekeeper], stores=[annex, central], enter=enter, now=beginning)
    chance = random.Random(seed)

    accounts = list(CustodyAccount.objects.filter(pk__in=AccountTotal.objects.values("account")))
    assert len(accounts) > 2
    for account in accounts:
        for _ in range(4):
            first = day_of(beginning) + timedelta(days=chance.randint(-2, 16))
            last = first + timedelta(days=chance.randint(0, 12))
            source = read_statement_source(account, first, last)
            balances = add_up(source)

            assert differences(balances, source) == []
            closing = {b.stock_class: b.closing for b in balances if b.closing != Amount()}
            opening = {b.stock_class: b.opening for b in balances if b.opening != Amount()}
            assert closing == sums_on(account, last)
            assert opening == sums_on(account, first - timedelta(days=1))


# --- who may --------------------------------------------------------------------------------------------------


def test_each_asks_for_the_own_stores_and_the_auditor_for_all(
    client: Client,
    auditor: User,
    storekeeper: User,
    trader: User,
    reception_store: CustodyAccount,
    trader_store: CustodyAccount,
    now: datetime,
) -> None:
    wanted = {"account": reception_store.pk, "starts_on": "2025-11-01", "ends_on": "2025-11-10", "language": "kk"}
    answers = {}
    for person in (auditor, storekeeper, trader):
        client.force_login(person)
        answers[person.username] = client.post("/statements/", wanted).status_code

    assert answers == {"auditor": 302, "storekeeper": 302, "trader": 422}
    assert Statement.objects.count() == 2


@pytest.mark.parametrize("who", ["inspector", "customs_officer", "administrator", "scientific_reviewer", "stranger"])
def test_others_are_refused(who: str, client: Client, request: pytest.FixtureRequest) -> None:
    client.force_login(request.getfixturevalue(who))

    assert client.get("/statements/").status_code == 403


def test_files_are_given_to_those_who_may_ask_for_them(
    client: Client,
    auditor: User,
    storekeeper: User,
    trader: User,
    trader_store: CustodyAccount,
    inspector: User,
    now: datetime,
    horns: list[Derivative],
    reception_store: CustodyAccount,
) -> None:
    statement = make(ask(auditor, now, reception_store))
    address = f"/statements/{statement.pk}/"

    for person, page, file in ((auditor, 200, 200), (storekeeper, 200, 200), (trader, 404, 404), (inspector, 403, 403)):
        client.force_login(person)
        assert client.get(address).status_code == page
        assert client.get(f"{address}pdf/").status_code == file
    client.logout()
    assert client.get(f"{address}pdf/").status_code == 302


def test_the_downloaded_file_has_the_hash_that_the_page_shows(
    client: Client, auditor: User, now: datetime, horns: list[Derivative], reception_store: CustodyAccount
) -> None:
    statement = make(ask(auditor, now, reception_store))
    client.force_login(auditor)

    page = client.get(f"/statements/{statement.pk}/").content.decode()

    for name in ("pdf", "xlsx", "csv", "movements"):
        answer = client.get(f"/statements/{statement.pk}/{name}/")
        content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        assert hashlib.sha256(content).hexdigest() in page
        assert "attachment" in answer["Content-Disposition"]
    assert statement.check_code in page


def test_the_page_of_a_statement_being_made_shows_the_job(
    client: Client, auditor: User, storekeeper: User, now: datetime, reception_store: CustodyAccount
) -> None:
    statement = ask(auditor, now, reception_store)

    client.force_login(auditor)
    assert f"job-{statement.job_id}" in client.get(f"/statements/{statement.pk}/").content.decode()
    client.force_login(storekeeper)
    assert f"job-{statement.job_id}" not in client.get(f"/statements/{statement.pk}/").content.decode()
    assert client.get(f"/statements/{statement.pk}/pdf/").status_code == 404


def test_the_list_of_statements_costs_the_same_for_any_number(
    client: Client,
    auditor: User,
    now: datetime,
    reception_store: CustodyAccount,
    django_assert_max_num_queries: object,
) -> None:
    for days in range(1, 8):
        ask(auditor, now, reception_store, days=days)
    client.force_login(auditor)

    with django_assert_max_num_queries(10):  # type: ignore[operator]
        assert client.get("/statements/").status_code == 200

"""Pages of the registry room: who sees what, what forms do without scripts, files and photos."""

import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import Workbook, load_workbook

from core.accounts.models import Organisation, User
from core.accounts.roles import Role
from core.documents.models import Document
from ledger.models import CustodyAccount
from registry.importing import read_sheet
from registry.measures import read_condition, read_side
from registry.models import Brigade, Case, Intake, IntakeSheet, RemovalPermit
from registry.samples import CONDITION_WORDS, HEADERS, SIDE_WORDS, csv_sample, xlsx_sample
from registry.services import attach_photo, change_photo
from tests.builders import Receive, build_intake, register
from tests.cast import enter_person
from tests.registry.test_table import photo

SignIn = Callable[[User], Client]


@pytest.fixture
def sign_in() -> SignIn:
    """A client of its own for each person."""

    def enter(person: User) -> Client:
        client = Client()
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
        client.force_login(person)
        return client

    return enter


@pytest.fixture
def client_of_inspector(sign_in: SignIn, inspector: User) -> Client:
    return sign_in(inspector)


# --- who may see what -------------------------------------------------------------------------------------------


def test_pages_open_for_those_of_the_region_and_those_who_oversee(
    open_intake: Intake, open_seizure: Intake, inspector: User, auditor: User, sign_in: SignIn
) -> None:
    for person in (inspector, auditor):
        client = sign_in(person)
        for intake in (open_intake, open_seizure):
            page = client.get(reverse("registry:intake", args=[intake.pk]))
            assert page.status_code == 200
            assert intake.number in page.content.decode()
        assert client.get(reverse("registry:intakes")).status_code == 200
        assert client.get(reverse("registry:cases")).status_code == 200
        assert client.get(reverse("registry:case", args=[open_seizure.case_id])).status_code == 200


def test_an_inspector_of_another_region_finds_nothing(
    open_intake: Intake, open_seizure: Intake, inspector_elsewhere: User, sign_in: SignIn
) -> None:
    client = sign_in(inspector_elsewhere)

    for name in ("intake", "intake-rows", "intake-import", "intake-cancel", "intake-correct"):
        assert client.get(reverse(f"registry:{name}", args=[open_intake.pk])).status_code == 404, name
    assert client.post(reverse("registry:row-photo", args=[open_intake.pk, 1])).status_code == 404
    assert client.get(reverse("registry:case", args=[open_seizure.case_id])).status_code == 404
    for name in ("intakes", "cases"):
        page = client.get(reverse(f"registry:{name}")).content.decode()
        assert open_intake.number not in page
        assert open_seizure.number not in page


def test_a_trader_has_no_business_here(open_intake: Intake, trader: User, sign_in: SignIn) -> None:
    client = sign_in(trader)

    for name in ("intakes", "open-removal", "open-seizure", "cases"):
        assert client.get(reverse(f"registry:{name}")).status_code == 403, name
    for name in ("intake", "intake-rows", "intake-import", "intake-cancel"):
        assert client.get(reverse(f"registry:{name}", args=[open_intake.pk])).status_code == 403, name


def test_the_unknown_are_sent_to_sign_in(open_intake: Intake, client: Client) -> None:
    for address in (reverse("registry:intakes"), reverse("registry:intake", args=[open_intake.pk])):
        answer = client.get(address)
        assert answer.status_code == 302
        assert "login" in answer["Location"]


def test_who_only_sees_cannot_write(
    open_intake: Intake, auditor: User, storekeeper: User, sign_in: SignIn, now: datetime
) -> None:
    before = open_intake.rows.count()
    body = json.dumps({"version": open_intake.version, "rows": [], "removed": [1]})
    for person in (auditor, storekeeper):
        client = sign_in(person)
        page = client.get(reverse("registry:intake", args=[open_intake.pk])).content.decode()
        assert "data-sheet" not in page
        assert "Horns are weighed by the inspection of this region." in page
        rows = reverse("registry:intake-rows", args=[open_intake.pk])
        assert client.post(rows, body, content_type="application/json").status_code == 403
        assert client.post(reverse("registry:intake-cancel", args=[open_intake.pk]), {"reason": "x"}).status_code == 403

    open_intake.refresh_from_db()
    assert (open_intake.state, open_intake.rows.count()) == ("open", before)


# --- the list ---------------------------------------------------------------------------------------------------


def test_the_list_filters_by_the_address(
    receive: Receive, open_seizure: Intake, inspector: User, now: datetime, client_of_inspector: Client
) -> None:
    first, second = receive(rows=2), receive(rows=3, on=now.date() - timedelta(days=3))
    register(second, actor=inspector, at=now)

    def numbers(**query: Any) -> list[str]:
        page = client_of_inspector.get(reverse("registry:intakes"), query)
        assert page.status_code == 200
        return [intake.number for intake in page.context["page"]]

    assert numbers() == [second.number, first.number, open_seizure.number]
    assert numbers(state="open") == [first.number, open_seizure.number]
    assert numbers(origin="seizure") == [open_seizure.number]
    assert numbers(store=first.store_id, state="registered") == [second.number]
    assert numbers(brigade=first.brigade_id, since="2025-11-09") == [first.number]
    assert numbers(until="08.11.2025") == [second.number]


def test_the_list_costs_the_same_with_many_rows(receive: Receive, client_of_inspector: Client) -> None:
    receive(rows=2)
    address = reverse("registry:intakes")
    client_of_inspector.get(address)
    with CaptureQueriesContext(connection) as few:
        client_of_inspector.get(address)
    for _ in range(8):
        receive(rows=5)
    with CaptureQueriesContext(connection) as many:
        client_of_inspector.get(address)

    assert len(few) == len(many)


# --- opening ----------------------------------------------------------------------------------------------------


def test_a_reception_is_opened_and_remembered(
    client_of_inspector: Client,
    reception_store: CustodyAccount,
    permit_to_remove: RemovalPermit,
    brigade: Brigade,
    now: datetime,
) -> None:
    sent = {
        "store": reception_store.pk,
        "permit": permit_to_remove.pk,
        "brigade": brigade.pk,
        "on": "2025-11-10",
        "males": "1204",
        "females": "7",
        "young": "0",
        "carcasses": "1211",
    }

    answer = client_of_inspector.post(reverse("registry:open-removal"), sent)

    intake = Intake.objects.get()
    assert answer["Location"] == reverse("registry:intake", args=[intake.pk])
    form = client_of_inspector.get(reverse("registry:open-removal")).context["form"]
    assert (form.initial["store"], form.initial["permit"], form.initial["brigade"]) == (
        reception_store.pk,
        permit_to_remove.pk,
        brigade.pk,
    )


def test_a_refused_reception_keeps_what_was_typed(
    client_of_inspector: Client, reception_store: CustodyAccount, permit_to_remove: RemovalPermit, brigade: Brigade
) -> None:
    sent = {
        "store": reception_store.pk,
        "permit": permit_to_remove.pk,
        "brigade": brigade.pk,
        "on": "2025-11-10",
        "males": "2",
        "females": "0",
        "young": "0",
        "carcasses": "5",
    }

    answer = client_of_inspector.post(reverse("registry:open-removal"), sent)

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "There cannot be more carcasses than animals taken." in page
    assert 'value="5"' in page
    assert not Intake.objects.exists()


def test_a_seizure_is_opened_with_its_case_and_more_goods_come_to_it(
    client_of_inspector: Client, evidence_room: CustodyAccount, police: Organisation
) -> None:
    sent = {
        "store": evidence_room.pk,
        "on": "2025-11-10",
        "protocol_number": "17/2025",
        "erdr_number": "252700121000345",
        "agency": police.pk,
        "place": "Жәнібек ауданы",
        "seized_on": "2025-11-09",
        "protocol_on": "2025-11-09",
    }

    client_of_inspector.post(reverse("registry:open-seizure"), sent)
    again = client_of_inspector.post(reverse("registry:open-seizure"), sent)
    case = Case.objects.get()
    more = client_of_inspector.post(
        f"{reverse('registry:open-seizure')}?case={case.pk}", {"store": evidence_room.pk, "on": "2025-11-10"}
    )

    assert again.status_code == 422
    assert more.status_code == 302
    assert case.intakes.count() == 2


def test_a_reception_is_corrected_and_cancelled(client_of_inspector: Client, open_intake: Intake) -> None:
    address = reverse("registry:intake-correct", args=[open_intake.pk])
    form = client_of_inspector.get(address).context["form"]
    sent = {name: getattr(form.initial[name], "pk", form.initial[name]) for name in form.fields}
    sent |= {"males": 5, "carcasses": 9}
    assert client_of_inspector.post(address, sent).status_code == 302
    assert client_of_inspector.post(address, sent | {"carcasses": 999}).status_code == 422

    cancelled = client_of_inspector.post(
        reverse("registry:intake-cancel", args=[open_intake.pk]), {"reason": "Opened twice."}, follow=True
    )

    open_intake.refresh_from_db()
    assert (open_intake.males, open_intake.carcasses, open_intake.state) == (5, 9, "cancelled")
    assert "Opened twice." in cancelled.content.decode()


# --- the table, by a script and without ---------------------------------------------------------------------------


def test_a_script_reads_and_saves_rows(client_of_inspector: Client, open_intake: Intake) -> None:
    address = reverse("registry:intake-rows", args=[open_intake.pk])
    read = client_of_inspector.get(address, {"first": "5"}).json()
    assert [row["row"] for row in read["rows"]] == [5, 6]

    row = {"row": 7, "side": "L", "mass_g": 205, "length_mm": None, "condition": "whole", "note": "Ұшы жоқ"}
    body = {"version": read["version"], "rows": [row], "removed": [1]}
    saved = client_of_inspector.post(address, json.dumps(body), content_type="application/json")
    stale = client_of_inspector.post(address, json.dumps(body), content_type="application/json")

    assert saved.json() == {"version": read["version"] + 1}
    assert (stale.status_code, stale.json()["code"]) == (409, "table-changed")
    assert sorted(open_intake.rows.values_list("row", flat=True)) == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    "body",
    ["[]", "nonsense", '{"version": 1}', '{"version": 1, "rows": {}}', '{"version": "x", "rows": [1]}', "[[1]]"],
)
def test_a_script_that_sends_nonsense_is_told(body: str, client_of_inspector: Client, open_intake: Intake) -> None:
    address = reverse("registry:intake-rows", args=[open_intake.pk])

    answer = client_of_inspector.post(address, body, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (422, "bad-input")


def test_a_script_is_told_the_wrong_cell(client_of_inspector: Client, open_intake: Intake) -> None:
    rows = [{"row": 7, "side": "L", "mass_g": 0}, {"row": 8, "side": "Z", "mass_g": 210}]
    body = json.dumps({"version": open_intake.version, "rows": rows})

    answer = client_of_inspector.post(
        reverse("registry:intake-rows", args=[open_intake.pk]), body, content_type="application/json"
    )

    assert answer.status_code == 422
    assert set(answer.json()["fields"]) == {"rows.7.mass_g", "rows.8.side"}
    assert open_intake.rows.count() == 6


def plain_form(intake: Intake, **cells: Any) -> dict[str, Any]:
    """What a browser without scripts sends back for the first rows of the page."""
    rows = list(intake.rows.all())
    numbers = [*(row.row for row in rows), 7, 8]
    sent: dict[str, Any] = {"version": intake.version, "line": numbers, "saved": [row.row for row in rows]}
    for row in rows:
        sent |= {
            f"side-{row.row}": row.side,
            f"mass-{row.row}": row.mass_g,
            f"length-{row.row}": row.length_mm or "",
            f"condition-{row.row}": row.condition,
            f"note-{row.row}": row.note,
        }
    return sent | {name.replace("_", "-"): value for name, value in cells.items()}


def test_the_table_is_a_plain_form_without_scripts(client_of_inspector: Client, open_intake: Intake) -> None:
    page = client_of_inspector.get(reverse("registry:intake", args=[open_intake.pk])).content.decode()
    assert page.count('name="line"') >= 6 + 12
    cells = {"side_7": "R", "mass_7": "0,199", "condition_7": "whole", "mass_1": "", "length_1": "", "side_1": ""}
    picture = SimpleUploadedFile("horn.jpg", photo(), "image/jpeg")

    answer = client_of_inspector.post(
        reverse("registry:intake-rows", args=[open_intake.pk]), plain_form(open_intake, **cells) | {"photo-7": picture}
    )

    assert answer.status_code == 302
    assert sorted(open_intake.rows.values_list("row", flat=True)) == [2, 3, 4, 5, 6, 7]
    row = open_intake.rows.get(row=7)
    assert (row.side, row.mass_g) == ("R", 199)
    assert open_intake.photos.get().row == 7


def test_a_plain_form_with_a_wrong_cell_saves_nothing_and_forgets_nothing(
    client_of_inspector: Client, open_intake: Intake
) -> None:
    sent = plain_form(open_intake, mass_7="heavy", note_7="tip", mass_2="333")

    answer = client_of_inspector.post(reverse("registry:intake-rows", args=[open_intake.pk]), sent)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "The mass is not a number." in page
    assert 'value="heavy"' in page
    assert 'value="333"' in page
    assert open_intake.rows.get(row=2).mass_g != 333


def test_a_plain_form_never_writes_over_what_others_added(
    client_of_inspector: Client, open_intake: Intake, inspector: User, now: datetime
) -> None:
    mine = plain_form(open_intake, side_7="L", mass_7="150")
    client_of_inspector.post(
        reverse("registry:intake-rows", args=[open_intake.pk]), plain_form(open_intake, side_7="R", mass_7="222")
    )

    answer = client_of_inspector.post(reverse("registry:intake-rows", args=[open_intake.pk]), mine)

    assert answer.status_code == 409
    lines = {line.row: line for line in answer.context["lines"]}
    assert lines[8].text("mass") == "150"
    assert open_intake.rows.get(row=7).mass_g == 222


def test_a_long_table_is_shown_by_pages_and_the_last_comes_first(receive: Receive, client_of_inspector: Client) -> None:
    intake = receive(rows=230)
    address = reverse("registry:intake", args=[intake.pk])

    last = client_of_inspector.get(address).context
    first = client_of_inspector.get(address, {"page": "1"}).context

    assert [line.row for line in last["window"].lines] == list(range(201, 231))
    assert [line.row for line in first["lines"]] == list(range(1, 101))
    assert first["setup"]["elsewhere"]["pieces"] == 130
    assert last["tally"].pieces == 230
    assert client_of_inspector.get(address, {"page": "999999999999"}).status_code == 200


def test_the_act_shows_every_horn_with_its_number(
    open_intake: Intake, inspector: User, now: datetime, client_of_inspector: Client
) -> None:
    horns = register(open_intake, actor=inspector, at=now)

    page = client_of_inspector.get(reverse("registry:intake", args=[open_intake.pk])).content.decode()

    assert all(horn.number in page for horn in horns)
    assert reverse("reports:item", args=[horns[0].pk]) in page
    assert "data-sheet" not in page


# --- photos -----------------------------------------------------------------------------------------------------


def test_a_photo_is_shown_to_those_who_may_know_the_horn(
    open_intake: Intake,
    inspector: User,
    inspector_elsewhere: User,
    trader: User,
    auditor: User,
    now: datetime,
    sign_in: SignIn,
) -> None:
    client = sign_in(inspector)
    file = SimpleUploadedFile("horn.jpg", photo(), "image/jpeg")
    sent = client.post(reverse("registry:row-photo", args=[open_intake.pk, 1]), {"photo": file}).json()

    def answers(person: User) -> list[int]:
        return [sign_in(person).get(sent["url"] + query).status_code for query in ("", "?small")]

    assert answers(inspector) == answers(auditor) == [200, 200]
    assert answers(inspector_elsewhere) == answers(trader) == [404, 404]
    register(open_intake, actor=inspector, at=now)
    assert answers(inspector) == [200, 200]
    assert answers(inspector_elsewhere) == [404, 404]


def test_a_photo_taken_off_its_row_is_not_shown_any_more(
    open_intake: Intake, inspector: User, now: datetime, sign_in: SignIn
) -> None:
    attach_photo(actor=inspector, at=now, intake=open_intake, row=1, name="a.jpg", content=photo(1))
    taken_off = Document.objects.get()
    attach_photo(actor=inspector, at=now, intake=open_intake, row=1, name="b.jpg", content=photo(2))

    change_photo(actor=inspector, at=now, intake=open_intake, document=taken_off, has_scale_bar=False, removed=True)

    assert sign_in(inspector).get(reverse("registry:photo", args=[taken_off.pk])).status_code == 404
    assert Document.objects.count() == 2


def test_what_is_no_photo_is_refused(client_of_inspector: Client, open_intake: Intake) -> None:
    address = reverse("registry:row-photo", args=[open_intake.pk, 1])
    page = SimpleUploadedFile("horn.jpg", b"<html>", "image/jpeg")

    assert client_of_inspector.post(address, {"photo": page}).status_code == 422
    assert client_of_inspector.post(address).status_code == 422
    assert not Document.objects.exists()


# --- rows from a file ---------------------------------------------------------------------------------------------


def sheet_file(*lines: list[Any]) -> SimpleUploadedFile:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for line in lines:
        sheet.append(line)
    file = io.BytesIO()
    book.save(file)
    return SimpleUploadedFile("horns.xlsx", file.getvalue())


def test_a_file_is_shown_first_and_added_when_agreed(client_of_inspector: Client, open_intake: Intake) -> None:
    address = reverse("registry:intake-import", args=[open_intake.pk])
    file = sheet_file(["Жағы", "Массасы, г"], ["сол", 210], ["оң", 211])

    preview = client_of_inspector.post(address, {"file": file})

    assert preview.context["good"]["pieces"] == 2
    assert open_intake.rows.count() == 6
    kept = Document.objects.get()
    assert kept.sha256 in preview.content.decode() or kept.sha256[:12] in preview.content.decode()

    agreed = {"token": preview.context["token"]}
    assert client_of_inspector.post(address, agreed).status_code == 302
    client_of_inspector.post(address, agreed)

    assert open_intake.rows.count() == 8
    sheet = IntakeSheet.objects.get()
    given = client_of_inspector.get(reverse("registry:intake-sheet", args=[open_intake.pk, sheet.pk]))
    assert b"".join(given) == b"".join(kept.file.chunks())


def test_every_bad_row_is_listed_and_only_the_good_ones_are_added_on_wish(
    client_of_inspector: Client, open_intake: Intake
) -> None:
    address = reverse("registry:intake-import", args=[open_intake.pk])
    file = sheet_file(["side", "mass_g"], ["L", 210], ["L", "heavy"], ["both", 200], ["R", 212])

    preview = client_of_inspector.post(address, {"file": file})
    page = preview.content.decode()
    assert [line for line, _reasons in preview.context["problems"]] == [3, 4]
    assert "The mass is not a number." in page
    assert "The side must be left, right or unknown." in page

    token = {"token": preview.context["token"]}
    assert client_of_inspector.post(address, token).status_code == 200
    assert open_intake.rows.count() == 6
    client_of_inspector.post(address, token | {"only_good": "yes"})

    assert open_intake.rows.count() == 8
    assert IntakeSheet.objects.get().rows_refused == 2


def test_a_preview_belongs_to_one_person_and_one_intake(
    client_of_inspector: Client,
    open_intake: Intake,
    receive: Receive,
    inspectorate: Organisation,
    administrator: User,
    sign_in: SignIn,
) -> None:
    colleague = enter_person("colleague", "Оспанов Нұрлан", Role.INSPECTOR, inspectorate, appointed_by=administrator)
    address = reverse("registry:intake-import", args=[open_intake.pk])
    preview = client_of_inspector.post(address, {"file": sheet_file(["mass"], [210])})
    token = {"token": preview.context["token"]}
    other = receive(rows=0, males=1)

    client_of_inspector.post(reverse("registry:intake-import", args=[other.pk]), token)
    sign_in(colleague).post(address, token)
    client_of_inspector.post(address, {"token": "forged"})

    assert open_intake.rows.count() == 6
    assert other.rows.count() == 0


def test_a_file_that_is_no_table_is_refused_at_its_field(client_of_inspector: Client, open_intake: Intake) -> None:
    address = reverse("registry:intake-import", args=[open_intake.pk])
    for content in (b"", b"%PDF-1.7\x00", b"PK\x03\x04rubbish", b"just;words\n1;2\n"):
        answer = client_of_inspector.post(address, {"file": SimpleUploadedFile("horns.csv", content)})
        assert answer.status_code == 422
        assert answer.context["form"].errors["file"]

    assert not Document.objects.exists()


def test_a_closed_intake_takes_no_file(
    client_of_inspector: Client, open_intake: Intake, inspector: User, now: datetime
) -> None:
    register(open_intake, actor=inspector, at=now)

    answer = client_of_inspector.get(reverse("registry:intake-import", args=[open_intake.pk]))

    assert answer["Location"] == reverse("registry:intake", args=[open_intake.pk])


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_a_filled_sample_is_read_back(language: str) -> None:
    text = csv_sample(language).decode("utf-8-sig")
    words = zip(SIDE_WORDS[language], CONDITION_WORDS[language], strict=False)
    lines = [f"{side};215;245;;;;;{condition};" for side, condition in words]
    sheet = read_sheet((text + "\r\n".join(lines)).encode("utf-8-sig"))
    assert [(row.side, row.mass_g, row.length_mm, row.condition) for row in sheet.rows] == [
        ("L", 215, 245, "whole"),
        ("R", 215, 245, "cracked"),
        ("U", 215, 245, "broken"),
    ]
    book = load_workbook(io.BytesIO(xlsx_sample(language)))
    assert book.active is not None
    assert [cell.value for cell in book.active[1]] == list(HEADERS[language])
    assert [read_side(word) for word in SIDE_WORDS[language]] == ["L", "R", "U"]
    assert [read_condition(word) for word in CONDITION_WORDS[language]] == ["whole", "cracked", "broken", "decayed"]


@pytest.mark.parametrize("fmt", ["csv", "xlsx"])
def test_a_sample_is_offered(fmt: str, client_of_inspector: Client, reception_store: CustodyAccount) -> None:
    answer = client_of_inspector.get(reverse("registry:import-sample", args=[fmt]))

    assert answer.status_code == 200
    assert "attachment" in answer["Content-Disposition"]


def test_a_store_elsewhere_is_not_in_the_form(
    client_of_inspector: Client,
    reception_store: CustodyAccount,
    reception_store_elsewhere: CustodyAccount,
    permit_to_remove: RemovalPermit,
) -> None:
    form = client_of_inspector.get(reverse("registry:open-removal")).context["form"]

    assert list(form.fields["store"].queryset) == [reception_store]


def test_receptions_elsewhere_stay_unknown(
    inspector: User,
    inspector_elsewhere: User,
    now: datetime,
    reception_store: CustodyAccount,
    permit_to_remove: RemovalPermit,
    brigade: Brigade,
    sign_in: SignIn,
) -> None:
    build_intake(actor=inspector, at=now, store=reception_store, permit=permit_to_remove, brigade=brigade)

    page = sign_in(inspector_elsewhere).get(reverse("registry:intakes"))

    assert list(page.context["page"]) == []
    assert all(count == 0 for _state, count in page.context["states"])

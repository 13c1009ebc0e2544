"""State codes, seals and chips on items: one of a kind, one item each; a mismatch is an alarm; two people end one."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
import xlsxwriter
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import translation
from pytest_django.fixtures import DjangoAssertNumQueries

from core.accounts.models import User
from core.audit.models import Event
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.jobs.models import Job
from core.jobs.services import execute_job
from core.notices.models import Notice
from core.rules.models import LegalBasis, Rule, RuleCode
from custody.scanning import find_items, read_scan
from marking.carrier_table import Row
from marking.carriers import item_of_carrier
from marking.codes import group
from marking.models import Carrier, LabelSeries, Mark
from marking.services.carrier_files import check_rows
from marking.services.carriers import Raw, approve_end, ask_end, bind_carrier, bind_many, read_carrier, refuse_end
from marking.state_code import GS, SHOWN_GS
from reports.find import find_named, understand
from tests.cast import PASSWORD
from tests.marks import end_mark, unused_code

pytestmark = pytest.mark.django_db

GTIN = "04870000000012"
TID = "E2801160600002A0B1C2D3E4"


def raw_code(serial: str, gtin: str = GTIN, check: str = "dGVzdA==") -> str:
    return f"01{gtin}21{serial}{GS}91EE06{GS}92{check}"


def state_code(serial: str, gtin: str = GTIN, check: str = "dGVzdA==") -> Raw:
    return read_carrier("state_code", raw_code(serial, gtin, check))


@pytest.fixture
def bound(marks: list[Mark], inspector: User, now: datetime) -> Carrier:
    """The state code of the first horn."""
    carrier = bind_carrier(actor=inspector, at=now, mark=marks[0], raw=state_code("SERIAL0000001")).carrier
    assert carrier is not None
    return carrier


def alarms() -> list[str]:
    return list(Notice.objects.filter(code__startswith="carrier.").order_by("pk").values_list("code", flat=True))


def test_it_binds_what_was_scanned_beside_the_mark(bound: Carrier, marks: list[Mark], inspector: User) -> None:
    assert bound.value == raw_code("SERIAL0000001")
    assert bound.parts == {"01": GTIN, "21": "SERIAL0000001", "91": "EE06", "92": "dGVzdA=="}
    assert (bound.derivative_id, bound.mark_id) == (marks[0].derivative_id, marks[0].pk)
    event = Event.objects.get(verb="carrier.bound")
    assert (event.subject_kind, event.subject_id) == ("derivative", str(bound.derivative_id))
    assert alarms() == []


def test_scanned_again_it_is_only_confirmed(bound: Carrier, marks: list[Mark], inspector: User, now: datetime) -> None:
    pair = bind_carrier(actor=inspector, at=now, mark=marks[0], raw=state_code("SERIAL0000001"))

    assert pair.was_bound
    assert pair.carrier == bound
    assert Carrier.objects.count() == 1


@pytest.mark.parametrize(
    ("at_mark", "raw", "code"),
    [
        (1, state_code("SERIAL0000001"), "carrier.on_another_item"),
        (0, state_code("SERIAL0000002"), "carrier.item_has_another"),
        (0, state_code("SERIAL0000001", check="Zm9yZ2Vk"), "carrier.other_check_value"),
    ],
)
def test_a_mismatch_binds_nothing_and_is_an_alarm_for_the_authority(
    bound: Carrier, marks: list[Mark], inspector: User, now: datetime, at_mark: int, raw: Raw, code: str
) -> None:
    for _again in range(2):
        pair = bind_carrier(actor=inspector, at=now, mark=marks[at_mark], raw=raw)

        assert pair.carrier is None
        assert pair.alarm is not None
        assert pair.alarm.decides == Notice.Decides.AUTHORITY
    assert alarms() == [code]
    assert Carrier.objects.count() == 1


def test_another_gtin_than_the_kind_has_on_the_day_is_an_alarm(
    marks: list[Mark], inspector: User, now: datetime
) -> None:
    basis = LegalBasis.objects.create(title_kk="x", title_ru="x", title_en="x")
    rule = {"code": RuleCode.STATE_GTIN, "scope": "HOR", "basis": basis, "enacted_at": datetime(2025, 1, 1, tzinfo=UTC)}
    Rule.objects.create(**rule, value={"gtin": "04870000000029"}, starts_on=date(2025, 1, 1), ends_on=date(2025, 11, 1))
    assert bind_carrier(actor=inspector, at=now, mark=marks[0], raw=state_code("A000")).carrier
    Rule.objects.create(**rule, value={"gtin": "04870000000029"}, starts_on=date(2025, 11, 2))

    pair = bind_carrier(actor=inspector, at=now, mark=marks[1], raw=state_code("A001"))

    assert pair.carrier is None
    assert alarms() == ["carrier.wrong_gtin"]
    assert bind_carrier(actor=inspector, at=now, mark=marks[1], raw=state_code("A001", "04870000000029")).carrier


def test_without_a_rule_nothing_of_another_company_is_bound(marks: list[Mark], inspector: User, now: datetime) -> None:
    foreign = state_code("TEST000000003", "04600682000013")
    assert bind_carrier(actor=inspector, at=now, mark=marks[0], raw=foreign).carrier is None
    assert alarms() == ["carrier.foreign_gtin"]
    with pytest.raises(BadInput):
        bind_many(actor=inspector, at=now, pairs=[(marks[0], foreign)])
    assert not Carrier.objects.exists()

    basis = LegalBasis.objects.create(title_kk="x", title_ru="x", title_en="x")
    rule = {"code": RuleCode.STATE_GTIN, "scope": "HOR", "basis": basis, "enacted_at": datetime(2025, 1, 1, tzinfo=UTC)}
    Rule.objects.create(**rule, value={"gtin": "04600682000013"}, starts_on=date(2025, 1, 1))
    assert bind_carrier(actor=inspector, at=now, mark=marks[0], raw=foreign).carrier


def test_a_seal_and_a_chip_are_bound_the_same_way(marks: list[Mark], inspector: User, now: datetime) -> None:
    for kind, text, identity in (("seal", "кz 0012345", "KZ0012345"), ("rfid", "e280 1160 6000 02a0 b1c2 d3e4", TID)):
        carrier = bind_carrier(actor=inspector, at=now, mark=marks[0], raw=read_carrier(kind, text)).carrier

        assert carrier is not None
        assert carrier.identity == identity
        assert bind_carrier(actor=inspector, at=now, mark=marks[1], raw=read_carrier(kind, text)).alarm


def test_a_seal_is_one_number_however_it_is_written(marks: list[Mark], inspector: User, now: datetime) -> None:
    first = bind_carrier(actor=inspector, at=now, mark=marks[0], raw=read_carrier("seal", "KZF-0000001"))

    for text in ("kzf 0000001", "KZF/0000001", "KZF.0000001", "KZF_0000001"):
        raw = read_carrier("seal", text)
        assert bind_carrier(actor=inspector, at=now, mark=marks[0], raw=raw).carrier == first.carrier
        assert bind_carrier(actor=inspector, at=now, mark=marks[1], raw=raw).alarm, text
        with pytest.raises(DatabaseError) as refusal, transaction.atomic():
            insert_seal(raw.identity, marks[1], inspector, now)
        assert "seal_is_on_one_item" in str(refusal.value.__cause__.diag.constraint_name)  # type: ignore[union-attr]
        assert find_items([text], person=inspector) == [marks[0].derivative_id]
    twice = rows_of(marks[1:3], seal=["AB-12345", "AB12345"])
    assert len(check_rows(twice, actor=inspector, at=now).faults) == 1
    assert Carrier.objects.count() == 1
    with pytest.raises(BadInput):
        ask_end(actor=inspector, at=now, carrier=Carrier.objects.get(), reason="Torn off", replace_by="KZF0000001")


def test_seals_that_earlier_versions_bound_twice_are_alarms(marks: list[Mark], inspector: User, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'pgtrigger_seal_is_on_one_item%'")
        (name,) = cursor.fetchone()
        cursor.execute(f'ALTER TABLE marking_carrier DISABLE TRIGGER "{name}"')
    insert_seal("K555-001", marks[0], inspector, now)
    insert_seal("K555001", marks[1], inspector, now)

    for mark in marks[:3]:
        raw = read_carrier("seal", "K555/001")
        assert bind_carrier(actor=inspector, at=now, mark=mark, raw=raw).alarm is not None
    assert item_of_carrier("K555001") is None


def insert_seal(identity: str, mark: Mark, inspector: User, now: datetime) -> Carrier:
    """By hand, past the service."""
    fields = {"kind": "seal", "identity": identity, "value": identity, "derivative": mark.item, "mark": mark}
    return Carrier.objects.create(**fields, bound_by=inspector, bound_at=now)


def test_a_mark_or_number_of_ours_is_no_seal(
    marks: list[Mark], series: LabelSeries, inspector: User, client: Client, now: datetime
) -> None:
    blank = series.reels.get(reel=1).marks.order_by("pk")[0].pk
    other = marks[1]
    for text in (other.pk, group(other.pk).lower(), other.item.number, other.item.number.replace("-", ""), blank):
        raw = read_carrier("seal", text)
        pair = bind_carrier(actor=inspector, at=now, mark=marks[0], raw=raw)

        assert pair.carrier is None
        assert pair.alarm is not None
        with pytest.raises(DatabaseError) as refusal, transaction.atomic():
            insert_seal(raw.identity, marks[0], inspector, now)
        assert "seal_is_on_one_item" in str(refusal.value.__cause__.diag.constraint_name)  # type: ignore[union-attr]
        assert len(check_rows(rows_of(marks[:1], seal=[text]), actor=inspector, at=now).faults) == 1
        with pytest.raises(BadInput):
            bind_many(actor=inspector, at=now, pairs=[(marks[0], raw)])
    assert set(alarms()) == {"carrier.is_our_own"}
    client.force_login(inspector)
    told = client.post(
        "/api/v1/carriers/bind/",
        {"mark": marks[0].pk, "kind": "seal", "value": other.pk},
        "application/json",
        headers={"Idempotency-Key": "a-key-of-mine"},
    )
    assert (told.json()["outcome"], told.json()["alarm"]) == ("mismatch", "carrier.is_our_own")
    assert not Carrier.objects.exists()
    # Another seal that could be a code, but of which there is no mark, is a seal.
    assert bind_carrier(actor=inspector, at=now, mark=marks[0], raw=read_carrier("seal", unused_code())).carrier


def test_it_is_bound_by_those_who_label_and_to_a_mark_in_force(
    marks: list[Mark], trader: User, inspector: User, authority_officer: User, now: datetime
) -> None:
    with pytest.raises(NotAllowed):
        bind_carrier(actor=trader, at=now, mark=marks[0], raw=state_code("A1"))
    end_mark(marks[0], "void", asker=inspector, approver=authority_officer, at=now)
    with pytest.raises(InvalidTransition):
        bind_carrier(actor=inspector, at=now, mark=marks[0], raw=state_code("A1"))
    assert not Carrier.objects.exists()


def test_two_people_take_one_off_and_another_comes_in_its_place(
    bound: Carrier, marks: list[Mark], inspector: User, storekeeper: User, authority_officer: User, now: datetime
) -> None:
    with pytest.raises(BadInput):
        ask_end(actor=inspector, at=now, carrier=bound, reason="Torn off")
    ask_end(actor=inspector, at=now, carrier=bound, reason="Torn off by the wind", replace_by=raw_code("SERIAL0000009"))
    assert alarms() == ["carrier.end_waits"]
    with pytest.raises(InvalidTransition):
        ask_end(actor=storekeeper, at=now, carrier=bound, reason="Torn off by the wind")
    with pytest.raises(NotAllowed):
        approve_end(actor=inspector, at=now, carrier=bound)

    pair = approve_end(actor=authority_officer, at=now, carrier=bound)

    bound.refresh_from_db()
    assert (bound.ended_by, bound.end_asked_by) == (authority_officer, inspector)
    assert pair.carrier is not None
    assert pair.carrier.identity.endswith("SERIAL0000009")
    assert not Notice.objects.open().filter(code="carrier.end_waits").exists()
    # What was taken off may be bound where it belongs.
    assert bind_carrier(actor=inspector, at=now, mark=marks[1], raw=state_code("SERIAL0000001")).carrier


def test_a_refusal_leaves_it_where_it_is(
    bound: Carrier, marks: list[Mark], inspector: User, authority_officer: User, now: datetime
) -> None:
    ask_end(actor=inspector, at=now, carrier=bound, reason="Torn off by the wind")
    refuse_end(actor=authority_officer, at=now, carrier=bound)

    bound.refresh_from_db()
    assert bound.ended_at is None
    assert bound.end_asked_at is None
    with pytest.raises(InvalidTransition):
        approve_end(actor=authority_officer, at=now, carrier=bound)


def test_what_cannot_come_in_its_place_leaves_the_old_one(
    bound: Carrier, marks: list[Mark], inspector: User, authority_officer: User, now: datetime
) -> None:
    ask_end(actor=inspector, at=now, carrier=bound, reason="Torn off by the wind", replace_by=raw_code("TAKEN"))
    bind_carrier(actor=inspector, at=now, mark=marks[1], raw=state_code("TAKEN"))

    with pytest.raises(BadInput):
        approve_end(actor=authority_officer, at=now, carrier=bound)

    bound.refresh_from_db()
    assert bound.ended_at is None


def test_the_database_keeps_pairs_whoever_writes(
    bound: Carrier, marks: list[Mark], inspector: User, authority_officer: User, now: datetime
) -> None:
    rows = Carrier.objects.filter(pk=bound.pk)

    def refused(act: Callable[[], object]) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            act()

    def insert(serial: str, mark: Mark, **other: object) -> None:
        raw = state_code(serial)
        fields = {"kind": raw.kind, "identity": raw.identity, "value": raw.value, "parts": raw.parts, "mark": mark}
        fields |= {"derivative": mark.item, "bound_by": inspector, "bound_at": now}
        Carrier.objects.create(**(fields | other))

    refused(lambda: insert("SERIAL0000001", marks[1]))
    refused(lambda: insert("ANOTHER", marks[0]))
    refused(lambda: insert("ANOTHER", marks[1], derivative=marks[2].item))
    refused(lambda: insert("ANOTHER", marks[1], identity="01" + GTIN + "21OTHER"))
    refused(lambda: insert("ANOTHER", marks[1], value="something else"))
    refused(rows.delete)
    refused(lambda: rows.update(identity="x"))
    refused(lambda: rows.update(derivative=marks[1].derivative_id))
    refused(lambda: rows.update(ended_by=authority_officer, ended_at=now))
    asked = {"end_asked_by": inspector, "end_asked_at": now, "end_reason": "Torn"}
    refused(lambda: rows.update(**asked, ended_by=inspector, ended_at=now))
    rows.update(**asked, ended_by=authority_officer, ended_at=now)
    refused(lambda: rows.update(ended_by=None, ended_at=None))
    insert("SERIAL0000001", marks[1])


def test_every_search_finds_the_item(
    bound: Carrier, marks: list[Mark], inspector: User, trader: User, client: Client, now: datetime
) -> None:
    bind_carrier(actor=inspector, at=now, mark=marks[0], raw=read_carrier("seal", "AB 1234567"))
    bind_carrier(actor=inspector, at=now, mark=marks[0], raw=read_carrier("rfid", TID))

    for text in (bound.value, f"]d2{bound.value}", bound.shown_value, "ав1234567", TID.lower()):
        assert read_scan(text, person=inspector, own_hosts=["x"]).item == bound.derivative, text
        assert [match.pk for match in find_named(inspector, understand(text))] == [bound.derivative_id], text
        assert find_items([text], person=inspector) == [bound.derivative_id]
        assert find_named(trader, understand(text)) == []
    client.force_login(inspector)
    assert client.get("/find/", {"q": bound.value})["Location"].endswith(f"/{bound.derivative_id}/")
    assert read_scan(raw_code("UNKNOWN"), person=inspector, own_hosts=["x"]).refused is not None


def scan(client: Client, text: str, page: str = "one", **more: str) -> str:
    with translation.override("en"):
        answer = client.post("/carriers/scan/", {"code": text, "page": page, **more}, headers={"X-Scan": "part"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_gun_binds_pair_after_pair(marks: list[Mark], inspector: User, client: Client) -> None:
    client.force_login(inspector)
    assert client.get("/carriers/scan/").status_code == 200
    for number, mark in enumerate(marks[:3]):
        assert mark.item.number in scan(client, mark.pk)
        assert 'data-tone="ok"' in scan(client, raw_code(f"PAIR{number}"))

    assert Carrier.objects.count() == 3
    assert 'data-tone="attention"' in scan(client, raw_code("LATER"))
    assert marks[0].item.number in scan(client, raw_code("PAIR0"))
    scan(client, marks[3].pk)
    assert 'data-tone="stop"' in scan(client, raw_code("PAIR0"))
    assert alarms() == ["carrier.on_another_item"]


def test_two_pages_of_one_person_do_not_mix_their_pairs(marks: list[Mark], inspector: User, client: Client) -> None:
    client.force_login(inspector)
    scan(client, marks[0].pk, "one")
    scan(client, marks[1].pk, "two")
    scan(client, raw_code("FIRST"), "one")
    scan(client, raw_code("SECOND"), "two")

    assert Carrier.objects.get(mark=marks[0]).parts["21"] == "FIRST"
    assert Carrier.objects.get(mark=marks[1]).parts["21"] == "SECOND"


def test_the_page_asks_what_the_scanner_sends_and_remembers(marks: list[Mark], inspector: User, client: Client) -> None:
    client.force_login(inspector)
    scan(client, marks[0].pk)
    sent = raw_code("PIPES").replace(GS, "|")
    asked = scan(client, sent)
    assert 'name="separator" value="|"' in asked
    assert not Carrier.objects.exists()

    scan(client, sent, separator="|")
    scan(client, marks[1].pk)
    scan(client, raw_code("AGAIN").replace(GS, "|"))

    assert [carrier.parts["21"] for carrier in Carrier.objects.order_by("pk")] == ["PIPES", "AGAIN"]


def test_an_item_nobody_told_them_of_is_not_bound(marks: list[Mark], inspector_elsewhere: User, client: Client) -> None:
    client.force_login(inspector_elsewhere)
    assert 'data-tone="stop"' in scan(client, marks[0].pk)
    assert marks[0].item.number not in scan(client, marks[0].pk)


def test_scanning_asks_the_database_the_same_however_much_is_bound(
    marks: list[Mark], inspector: User, now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number, mark in enumerate(marks):
        with django_assert_max_num_queries(12):
            bind_carrier(actor=inspector, at=now, mark=mark, raw=state_code(f"N{number}"))


def rows_of(marks: list[Mark], **columns: list[str]) -> list[Row]:
    return [
        Row(line, {"mark": mark.pk, **{key: texts[line - 2] for key, texts in columns.items()}})
        for line, mark in enumerate(marks, 2)
    ]


def test_a_table_is_checked_whole_before_anything_is_written(
    bound: Carrier, marks: list[Mark], inspector: User, now: datetime
) -> None:
    codes = [bound.value, bound.value, raw_code("T2"), "nonsense", raw_code("T4"), raw_code("T4")]
    rows = [*rows_of(marks, state_code=codes), Row(9, {"mark": "7H4Q9TX2MW8H", "state_code": raw_code("T9")})]

    checked = check_rows(rows, actor=inspector, at=now)

    assert (len(checked.pairs), checked.bound, checked.contradictions) == (2, 1, 0)
    assert [fault.line for fault in checked.faults] == [3, 5, 7, 9]
    assert Carrier.objects.count() == 1


def test_a_printed_address_in_a_table_is_ours_only_under_our_host(
    marks: list[Mark], inspector: User, now: datetime
) -> None:
    addresses = [
        f"HTTPS://{settings.PUBLIC_HOST.upper()}/M/{marks[0].pk}",
        f"https://evil.example/m/{marks[1].pk}",
        f"evil.example/{marks[2].pk}",
    ]
    rows = [Row(n, {"mark": text, "seal": f"S-{n:05}"}) for n, text in enumerate(addresses, start=2)]

    checked = check_rows(rows, actor=inspector, at=now)

    assert [mark.pk for mark, _raw in checked.pairs] == [marks[0].pk]
    assert [fault.line for fault in checked.faults] == [3, 4]


@pytest.mark.usefixtures("one_window")
def test_whoever_binds_carriers_cannot_search_there_for_codes(
    marks: list[Mark], inspector: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marking.limits.CHECKS_SIGNED_IN", 1_000)
    client.force_login(inspector)
    for _ in range(5):
        client.post("/carriers/scan/", {"code": unused_code(), "page": "one"}, headers={"X-Scan": "part"})

    assert marks[0].item.number not in scan(client, marks[0].pk)
    answers = [
        client.post(
            "/api/v1/carriers/bind/",
            {"mark": code, "kind": "seal", "value": "AB 1234567"},
            "application/json",
            headers={"Idempotency-Key": code},
        )
        for code in (marks[0].pk, unused_code())
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(429, "too-many-checks")] * 2
    assert not Carrier.objects.exists()


@pytest.mark.usefixtures("one_window")
def test_a_scan_is_counted_once(
    marks: list[Mark], inspector: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marking.limits.CHECKS_SIGNED_IN", 3)
    client.force_login(inspector)

    for mark in marks[:3]:  # each in place of the one before
        assert mark.item.number in scan(client, mark.pk)
    assert 'data-tone="ok"' in scan(client, raw_code("COUNTED"))
    assert marks[3].item.number not in scan(client, marks[3].pk)

    assert Carrier.objects.get().mark == marks[2]


def test_a_table_is_checked_in_as_many_queries_however_long(
    marks: list[Mark], inspector: User, now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    rows = rows_of(
        marks, state_code=[raw_code(f"Q{number}") for number in range(6)], seal=[f"S-{n:05}" for n in range(6)]
    )
    for part in (rows[:1], rows):
        with django_assert_max_num_queries(6):
            checked = check_rows(part, actor=inspector, at=now)
    assert len(checked.pairs) == 12
    with django_assert_max_num_queries(10):
        assert bind_many(actor=inspector, at=now, pairs=checked.pairs) == 12
    assert bind_many(actor=inspector, at=now, pairs=checked.pairs) == 0


def csv_of(marks: list[Mark]) -> bytes:
    lines = [f"{mark.pk};{raw_code(f'F{line}')}" for line, mark in enumerate(marks)]
    return "\r\n".join(["Mark;State code", *lines]).encode()


def xlsx_of(marks: list[Mark]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Метка", "Код маркировки"])
        for line, mark in enumerate(marks):
            sheet.write_string(line + 1, 0, mark.item.number)
            sheet.write_string(line + 1, 1, raw_code(f"F{line}").replace(GS, "_x001D_"))
    return out.getvalue()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("name", "make"), [("codes.csv", csv_of), ("codes.xlsx", xlsx_of)])
def test_a_file_is_read_then_bound_in_the_background(
    marks: list[Mark], inspector: User, client: Client, name: str, make: Callable[[list[Mark]], bytes]
) -> None:
    client.force_login(inspector)

    def run(answer: object) -> Job:
        job = Job.objects.get(pk=str(answer.url).rpartition("=")[2])  # type: ignore[attr-defined]
        execute_job(job.pk)
        job.refresh_from_db()
        return job

    read = run(client.post("/carriers/file/", {"file": SimpleUploadedFile(name, make(marks))}))
    assert read.result == {"pairs": 6, "bound": 0, "faults": 0, "rows": []}
    assert not Carrier.objects.exists()
    assert client.get(f"/carriers/file/?job={read.pk}").status_code == 200
    done = run(client.post("/carriers/file/", {"bind": str(read.pk)}))

    assert done.result == {"count": 6, "bound": 0}
    assert Carrier.objects.bound().filter(value=raw_code("F5"), mark=marks[5]).exists()
    execute_job(done.pk)
    assert Carrier.objects.count() == 6
    assert client.get(f"/carriers/file/?job={done.pk}").status_code == 302


def test_the_pages_show_it_and_two_people_end_it(
    bound: Carrier, inspector: User, storekeeper: User, authority_officer: User, auditor: User, client: Client
) -> None:
    client.force_login(inspector)
    assert "SERIAL0000001" in client.get(f"/items/{bound.derivative_id}/").content.decode()
    end = f"/carriers/{bound.pk}/end/"
    assert client.get(end).status_code == 200
    assert client.post(end, {"reason": ""}).status_code == 422
    assert client.post(end, {"reason": "Torn off by the wind"}).status_code == 302
    assert client.post(end, {"approve": "yes", "password": PASSWORD}).status_code == 422
    client.force_login(authority_officer)
    assert "Torn off" in client.get("/carriers/").content.decode()
    assert client.post(end, {"approve": "yes", "password": "wrong"}).status_code == 422
    assert client.post(end, {"approve": "yes", "password": PASSWORD}).status_code == 302
    bound.refresh_from_db()
    assert bound.ended_by == authority_officer
    client.force_login(auditor)
    assert client.get("/carriers/").status_code == 200
    assert client.get("/carriers/scan/").status_code == 403
    assert client.get(end).status_code == 403


def test_programs_bind_search_and_end(
    marks: list[Mark], inspector: User, authority_officer: User, client: Client
) -> None:
    client.force_login(inspector)
    body = {"mark": marks[0].pk, "kind": "state_code", "value": raw_code("API1")}
    bind = "/api/v1/carriers/bind/"
    first = client.post(bind, body, "application/json", headers={"Idempotency-Key": "a-key-of-mine"})
    assert (first.status_code, first.json()["outcome"]) == (201, "bound")
    assert client.post(bind, body, "application/json").json()["outcome"] == "bound_before"
    wrong = client.post(bind, {**body, "mark": marks[1].pk}, "application/json")
    assert (wrong.json()["outcome"], wrong.json()["alarm"]) == ("mismatch", "carrier.on_another_item")
    assert alarms() == ["carrier.on_another_item"]
    assert client.post(bind, {**body, "value": "x"}, "application/json").status_code == 422
    (found,) = client.get("/api/v1/carriers/", {"value": raw_code("API1")}).json()["results"]
    assert found["item"] == marks[0].derivative_id
    ask = f"/api/v1/carriers/{found['id']}/ask-end/"
    decide = f"/api/v1/carriers/{found['id']}/decide-end/"
    assert client.post(ask, {"reason": "Torn off by the wind"}, "application/json").status_code == 200
    client.force_login(authority_officer)
    assert client.post(decide, {"approve": True, "password": "no"}, "application/json").status_code == 422
    assert client.post(decide, {"approve": True, "password": PASSWORD}, "application/json").json()["ended_at"]


def test_a_code_as_the_page_shows_it_is_read_back(bound: Carrier) -> None:
    assert SHOWN_GS in bound.shown_value
    assert read_carrier("state_code", bound.shown_value).value == bound.value


def test_pages_show_the_sign_that_stands_for_gs(marks: list[Mark], inspector: User, client: Client) -> None:
    client.force_login(inspector)

    for path in ("/carriers/scan/", "/carriers/file/"):
        page = client.get(path).content.decode()
        assert "&lt;GS&gt;" in page
        assert "<GS>" not in page


@pytest.mark.parametrize(
    "text",
    [
        f"(01){GTIN}(21)SERIAL0000001",
        f"(01) {GTIN} (21) SERIAL0000001 (91) EE06",
        f"01{GTIN}21SERIAL000000191EE0692dGVzdA==",
        f"01{GTIN}21SERIAL0000001",
        f"]d201{GTIN}21SERIAL0000001|91EE06|92dGVzdA==",
        "SERIAL0000001",
        " serial0000001 ",
    ],
)
def test_a_state_code_is_found_by_what_people_and_guns_send(
    bound: Carrier, inspector: User, client: Client, text: str
) -> None:
    assert [match.pk for match in find_named(inspector, understand(text))] == [bound.derivative_id]
    carrier = item_of_carrier(text)
    assert carrier is not None
    assert carrier.pk == bound.pk
    client.force_login(inspector)
    assert client.get("/find/", {"q": text})["Location"].endswith(f"/{bound.derivative_id}/")


@pytest.mark.parametrize("text", ["SEAL-T1", "seal t1", "Seal - T1", "sealt1", "SEAL.T1", "sEaL/t1"])
def test_a_seal_is_found_however_it_is_written(marks: list[Mark], inspector: User, now: datetime, text: str) -> None:
    bind_carrier(actor=inspector, at=now, mark=marks[0], raw=read_carrier("seal", "SEAL-T1"))

    assert [match.pk for match in find_named(inspector, understand(text))] == [marks[0].derivative_id]


def test_a_serial_number_that_two_items_have_names_both_and_neither(
    marks: list[Mark], inspector: User, client: Client, now: datetime
) -> None:
    for mark, gtin in zip(marks, (GTIN, "04870000000029"), strict=False):
        assert bind_carrier(actor=inspector, at=now, mark=mark, raw=state_code("TWICE01", gtin)).carrier
    client.force_login(inspector)

    assert item_of_carrier("TWICE01") is None
    page = client.get("/find/", {"q": "TWICE01"}).content.decode()
    assert all(mark.item.number in page for mark in marks[:2])

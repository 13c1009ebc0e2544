"""What the phone may put right, cases nobody knows yet, and what the office reads and does."""

import re
import uuid
from collections.abc import Callable
from datetime import datetime
from html import unescape
from typing import Any

import pytest
from django.test import Client

from core.accounts.models import Organisation, User
from core.audit.models import Event
from ledger.models import CustodyAccount
from marking.field_told import advice_of, facts_of
from marking.models import FieldDevice, FieldRecord, Mark, RowLabel
from marking.selectors_field import pack_for
from marking.services.devices import register_device
from marking.services.field import Sent, enter_waiting, take_record
from registry.measures import TableRow
from registry.models import Case, CaseWord, Intake, IntakeRow
from registry.services import CaseFacts, cancel_intake, open_case, save_rows

pytestmark = pytest.mark.django_db

HOSTS = ("saiga.gov.kz",)
Send = Callable[..., FieldRecord]


@pytest.fixture
def device(inspector: User, now: datetime) -> FieldDevice:
    return register_device(actor=inspector, at=now, name="Phone of the reception")[0]


@pytest.fixture
def send(device: FieldDevice, inspector: User, now: datetime) -> Send:
    """`send("row", payload)`: the phone's next record."""

    def sent(act: str, payload: dict[str, Any], name: uuid.UUID | None = None) -> FieldRecord:
        device.refresh_from_db()
        record = Sent(name or uuid.uuid4(), device.sequence + 1, act, payload, now, 49.2, 48.9, 12)
        return take_record(actor=inspector, at=now, device=device, sent=record, own_hosts=HOSTS)[0]

    return sent


def horn(mass: int = 214, **more: Any) -> dict[str, Any]:
    return {"side": "L", "mass_g": mass, "length_mm": 251, "condition": "whole", "note": "", **more}


def line_of(kept: FieldRecord) -> IntakeRow:
    """The line of the table that the record is on."""
    assert kept.intake is not None
    assert kept.row is not None
    return kept.intake.rows.get(row=kept.row)


@pytest.fixture
def seizure(evidence_room: CustodyAccount, police: Organisation) -> dict[str, Any]:
    """A seizure of a case that the register does not know, as the phone sends it."""
    case = {
        "protocol_number": "41/2025",
        "protocol_on": "2025-11-10",
        "erdr_number": "",
        "agency": police.bin,
        "place": "Жәнібек",
        "seized_on": "2025-11-10",
    }
    return {"store": evidence_room.code, "on": "2025-11-10", "case": case, "detection": "random"}


@pytest.fixture
def detection(db: None) -> CaseWord:
    return CaseWord.objects.get_or_create(
        list="detection",
        code="random",
        defaults={"name_kk": "Тексеру", "name_ru": "Проверка", "name_en": "Random check", "place": 1},
    )[0]


# --- a case that nobody knows yet ---------------------------------------------------------------------------------


def test_a_new_case_is_made_once_with_its_horns(
    send: Send, seizure: dict[str, Any], detection: CaseWord, device: FieldDevice, inspector: User, now: datetime
) -> None:
    name = uuid.uuid4()
    opened = send("open_seizure", seizure, name)
    first = send("row", {"opening": str(name), "row": horn()})
    again = Sent(name, 1, "open_seizure", seizure, now, 49.2, 48.9, 12)
    _kept, is_replay = take_record(actor=inspector, at=now, device=device, sent=again, own_hosts=HOSTS)

    case = Case.objects.get()
    assert (opened.state, first.state, is_replay) == ("accepted", "accepted", True)
    assert (case.protocol_number, case.erdr_number, case.detection) == ("41/2025", "", detection)
    assert Intake.objects.get(case=case).rows.count() == 1


def test_a_case_that_the_register_knows_meanwhile_is_joined_and_the_horns_follow(
    send: Send, seizure: dict[str, Any], detection: CaseWord, police: Organisation, region: Any, inspector: User,
    now: datetime, client: Client,
) -> None:  # fmt: skip
    facts = CaseFacts(
        protocol_number="41/2025", protocol_on=now.date(), erdr_number="", agency=police, place="Жәнібек",
        seized_on=now.date(),
    )  # fmt: skip
    known = open_case(actor=inspector, at=now, facts=facts, region=region)
    opened = send("open_seizure", seizure)
    rows = [send("row", {"opening": str(opened.uuid), "row": horn(200 + place)}) for place in range(2)]
    assert (opened.state, rows[0].answer["code"]) == ("conflict", "opening-waits")

    client.force_login(inspector)
    page = unescape(client.get(f"/field/records/{opened.pk}/", headers={"accept-language": "en"}).content.decode())
    assert f'value="{known.number}"' in page
    done = client.post(f"/field/records/{opened.pk}/", {"act": "enter", "case": known.number})
    assert done.status_code == 302
    assert Case.objects.count() == 1
    assert [one.mass_g for one in Intake.objects.get(case=known).rows.order_by("row")] == [200, 201]


def test_a_reception_that_is_open_already_takes_what_the_phone_opened_again(
    send: Send, seizure: dict[str, Any], open_intake: Intake, inspector: User, now: datetime
) -> None:
    opened = send("open_removal", {"store": "nowhere"})
    waiting = send("row", {"opening": str(opened.uuid), "row": horn(207)})
    assert opened.state == "refused"
    enter_waiting(actor=inspector, at=now, record_id=opened.pk, own_hosts=HOSTS, intake=open_intake.pk)

    waiting.refresh_from_db()
    assert (waiting.state, waiting.intake) == ("resolved", open_intake)


def test_the_pack_names_agencies_and_methods_but_no_persons(
    inspector: User, police: Organisation, detection: CaseWord, open_seizure: Intake, now: datetime
) -> None:
    pack = pack_for(inspector, now.date(), "en")

    assert police.bin in {one["bin"] for one in pack["agencies"]}
    assert {"code": "random", "name": detection.name_en} in pack["detections"]
    assert [one["number"] for one in pack["cases"]] == [open_seizure.case.number if open_seizure.case else ""]


# --- corrections ------------------------------------------------------------------------------------------------


def test_a_sent_row_is_corrected_on_its_own_line(send: Send, open_intake: Intake, blank: Mark) -> None:
    first = send("row", {"intake": open_intake.pk, "row": horn(), "label": blank.code})
    kept = send("correct_row", {"record": str(first.uuid), "row": horn(241, side="R")})

    assert (kept.state, kept.intake, kept.row) == ("accepted", open_intake, first.row)
    row = line_of(first)
    assert (row.mass_g, row.side, open_intake.rows.count()) == (241, "R", 7)
    assert RowLabel.objects.get().mark == blank
    assert first.payload["row"]["mass_g"] == 214
    assert Event.objects.filter(verb="intake.rows_corrected", subject_id=str(open_intake.pk)).exists()
    again = send("correct_row", {"record": str(first.uuid), "row": horn(242), "label": ""})
    assert (again.state, line_of(first).mass_g, RowLabel.objects.count()) == ("accepted", 242, 0)


def test_what_the_office_wrote_beside_it_stays(send: Send, open_intake: Intake, inspector: User, now: datetime) -> None:
    first = send("row", {"intake": open_intake.pk, "row": horn()})
    open_intake.refresh_from_db()
    line = TableRow(row=first.row or 0, side="L", mass_g=214, length_mm=251, rings=11)
    save_rows(actor=inspector, at=now, intake=open_intake, version=open_intake.version, rows=[line])

    kept = send("correct_row", {"record": str(first.uuid), "row": horn(241)})
    row = line_of(first)
    assert (kept.state, row.mass_g, row.rings) == ("accepted", 241, 11)


def test_a_row_weighed_twice_is_taken_off_with_a_reason(send: Send, open_intake: Intake, blank: Mark) -> None:
    first = send("row", {"intake": open_intake.pk, "row": horn(), "label": blank.code})
    assert send("correct_row", {"record": str(first.uuid)}).state == "refused"
    kept = send("correct_row", {"record": str(first.uuid), "row": None, "reason": "Weighed twice"})

    assert (kept.state, open_intake.rows.count(), RowLabel.objects.count()) == ("accepted", 6, 0)
    assert send("correct_row", {"record": str(first.uuid), "row": horn()}).answer["code"] == "row-gone"


def test_a_row_changed_at_the_office_is_not_overwritten(
    send: Send, open_intake: Intake, inspector: User, now: datetime, client: Client
) -> None:
    first = send("row", {"intake": open_intake.pk, "row": horn()})
    open_intake.refresh_from_db()
    line = TableRow(row=first.row or 0, side="L", mass_g=219, length_mm=251)
    save_rows(actor=inspector, at=now, intake=open_intake, version=open_intake.version, rows=[line])
    kept = send("correct_row", {"record": str(first.uuid), "row": horn(241)})

    assert (kept.state, kept.answer["code"]) == ("conflict", "row-changed")
    assert line_of(first).mass_g == 219
    (fact,) = [fact for fact in facts_of(inspector, kept) if fact.now]
    assert "241" in fact.value
    assert "219" in fact.now
    client.force_login(inspector)
    assert client.post(f"/field/records/{kept.pk}/", {"act": "enter"}).status_code == 302
    assert line_of(first).mass_g == 241


def test_a_closed_reception_is_corrected_no_more(
    send: Send, open_intake: Intake, inspector: User, now: datetime
) -> None:
    first = send("row", {"intake": open_intake.pk, "row": horn()})
    cancel_intake(actor=inspector, at=now, intake=open_intake, reason="Opened twice")
    kept = send("correct_row", {"record": str(first.uuid), "row": horn(241)})

    assert kept.state == "conflict"
    assert line_of(first).mass_g == 214


def test_only_rows_of_the_same_phone_are_corrected(
    send: Send, open_intake: Intake, inspector: User, now: datetime
) -> None:
    other = register_device(actor=inspector, at=now, name="Another")[0]
    sent = Sent(uuid.uuid4(), 1, "row", {"intake": open_intake.pk, "row": horn()}, now)
    first = take_record(actor=inspector, at=now, device=other, sent=sent, own_hosts=HOSTS)[0]

    assert send("correct_row", {"record": str(first.uuid), "row": horn(241)}).answer["code"] == "row-not-entered"


def test_what_was_taken_back_on_the_phone_enters_nothing_and_stays_readable(
    send: Send, open_intake: Intake, inspector: User, client: Client
) -> None:
    kept = send("row", {"intake": open_intake.pk, "row": horn(), "taken_back": "Weighed twice"})

    assert (kept.state, kept.decided_by, kept.decision) == ("set_aside", inspector, "Weighed twice")
    assert open_intake.rows.count() == 6
    client.force_login(inspector)
    assert "Weighed twice" in client.get(f"/field/records/{kept.pk}/").content.decode()
    assert f"/field/records/{kept.pk}/" not in client.get("/field/").content.decode()
    assert send("row", {"intake": open_intake.pk, "row": horn()}).state == "accepted"


# --- the office reads it ------------------------------------------------------------------------------------------


def test_the_office_reads_values_and_no_json(
    send: Send, open_intake: Intake, blank: Mark, inspector: User, now: datetime, client: Client
) -> None:
    send("row", {"intake": open_intake.pk, "row": horn(), "label": blank.code})
    kept = send("row", {"intake": open_intake.pk, "row": horn(219, note="Wet"), "label": blank.code})
    assert kept.state == "conflict"
    client.force_login(inspector)
    page = unescape(client.get(f"/field/records/{kept.pk}/", headers={"accept-language": "en"}).content.decode())

    text = re.sub(r"<[^>]+>", " ", page)
    for said in ("219", "251", "Wet", open_intake.number, f"{blank.code[:4]}-{blank.code[4:8]}"):
        assert said in text
    for raw in ("mass_g", "length_mm", "{", "confirm_foreign", "rows."):
        assert raw not in re.sub(r"(?s)<(script|style).*?</\1>|<[^>]+>", " ", page)
    assert 'value="without_label"' in page
    assert client.post(f"/field/records/{kept.pk}/", {"act": "without_label"}).status_code == 302
    assert open_intake.rows.count() == 8


def test_the_office_puts_a_wrong_value_right(send: Send, open_intake: Intake, inspector: User, client: Client) -> None:
    kept = send("row", {"intake": open_intake.pk, "row": horn(-4)})
    assert kept.state == "refused"
    client.force_login(inspector)
    answer = client.post(
        f"/field/records/{kept.pk}/",
        {"act": "enter", "intake": open_intake.pk, "side": "R", "mass_g": "204", "length_mm": "251",
         "condition": "whole", "note": "", "label": ""},
    )  # fmt: skip

    assert answer.status_code == 302
    kept.refresh_from_db()
    assert (kept.state, kept.payload["row"]["mass_g"]) == ("resolved", -4)
    assert line_of(kept).mass_g == 204


def test_a_row_that_waits_for_its_reception_leads_to_it(
    send: Send, inspector: User, open_intake: Intake, client: Client
) -> None:
    opened = send("open_removal", {"store": "nowhere"})
    kept = send("row", {"opening": str(opened.uuid), "row": horn()})
    client.force_login(inspector)

    assert f'href="/field/records/{opened.pk}/"' in client.get(f"/field/records/{kept.pk}/").content.decode()


@pytest.mark.parametrize(
    "payload",
    [
        {}, {"row": 7}, {"row": [1]}, {"row": {"mass_g": "x", "side": 4}, "intake": 2**70},
        {"former": "x", "row": None},
        {"opening": "x", "row": {}}, {"opening": [1]}, {"store": {"a": 1}, "brigade": -1, "case": "x", "on": 5},
        {"case": {"agency": None, "seized_on": "never"}, "label": 3}, {"record": 4, "row": {"mass_g": True}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("act", ["row", "correct_row", "open_removal", "open_seizure"])
def test_whatever_a_phone_sends_the_office_can_read_it(
    send: Send, inspector: User, client: Client, act: str, payload: dict[str, Any]
) -> None:
    kept = send(act, payload)
    client.force_login(inspector)

    assert kept.state in ("refused", "conflict")
    assert advice_of(kept)
    assert client.get(f"/field/records/{kept.pk}/").status_code == 200
    assert client.post(f"/field/records/{kept.pk}/", {"act": "enter"}).status_code in (409, 422)

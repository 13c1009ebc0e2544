"""Records of phones: each kept once, in order, entered or kept with the reason; photos in pieces; lost phones."""

import hashlib
import io
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from PIL import Image
from rest_framework.test import APIClient

from core.accounts.models import User
from core.documents.models import Attachment
from core.notices.models import Notice
from core.notices.texts import text_of
from ledger.models import CustodyAccount
from marking.models import FieldDevice, FieldPhoto, FieldPiece, FieldRecord, LabelReel, Mark, RowLabel
from marking.selectors_field import labels_of
from marking.services.devices import register_device, revoke_device
from marking.services.field import OutOfOrder, RecordDiffers, Sent, enter_waiting, set_aside, take_record
from marking.services.issue import register_and_mark
from registry.models import Brigade, DerivativePhoto, Intake, RemovalPermit, RowPhoto
from registry.services import cancel_intake

pytestmark = pytest.mark.django_db

HOSTS = ("saiga.gov.kz",)
Send = Callable[..., FieldRecord]


def photo_bytes(colour: str = "tan") -> bytes:
    out = io.BytesIO()
    Image.effect_noise((300, 200), 60).convert("RGB").save(out, "JPEG")
    Image.new("RGB", (8, 8), colour)
    return out.getvalue()


def row(intake: Intake | None = None, *, opening: uuid.UUID | None = None, **more: Any) -> dict[str, Any]:
    said = {"side": "L", "mass_g": 214, "length_mm": 251}
    place = {"intake": intake.pk} if intake else {"opening": str(opening)}
    return {**place, "row": said, **more}


@pytest.fixture
def device(inspector: User, now: datetime) -> FieldDevice:
    return register_device(actor=inspector, at=now, name="Phone of the reception")[0]


@pytest.fixture
def send(device: FieldDevice, inspector: User, now: datetime) -> Send:
    """`send("row", payload)`: the phone's next record."""

    def sent(act: str, payload: dict[str, Any], **more: Any) -> FieldRecord:
        device.refresh_from_db()
        facts: dict[str, Any] = {"uuid": uuid.uuid4(), "sequence": device.sequence + 1, "made_at": now} | more
        kept, _replay = take_record(
            actor=inspector,
            at=now,
            device=device,
            sent=Sent(act=act, payload=payload, **facts),
            own_hosts=HOSTS,
        )
        return kept

    return sent


@pytest.fixture
def opening(reception_store: CustodyAccount, permit_to_remove: RemovalPermit, brigade: Brigade) -> dict[str, Any]:
    return {
        "store": reception_store.code,
        "permit": permit_to_remove.number,
        "brigade": brigade.pk,
        "on": "2025-11-10",
        "males": 2,
        "females": 1,
        "young": 0,
        "carcasses": 3,
    }


def test_a_row_is_entered_below_the_last_with_its_blank_label(send: Send, open_intake: Intake, blank: Mark) -> None:
    kept = send("row", row(open_intake, label=blank.code.lower()), lat=49.2, lon=48.9, accuracy_m=12)

    assert (kept.state, kept.intake, kept.row) == ("accepted", open_intake, 7)
    assert open_intake.rows.get(row=7).mass_g == 214
    assert RowLabel.objects.get(intake=open_intake, row=7).mark == blank
    assert (kept.lat, kept.accuracy_m) == (49.2, 12)


def test_sent_again_it_gets_its_first_answer_and_nothing_is_done_twice(
    device: FieldDevice, inspector: User, open_intake: Intake, now: datetime
) -> None:
    sent = Sent(uuid.uuid4(), 1, "row", row(open_intake), now)
    first, was_there = take_record(actor=inspector, at=now, device=device, sent=sent, own_hosts=HOSTS)
    again, is_there = take_record(actor=inspector, at=now, device=device, sent=sent, own_hosts=HOSTS)

    assert (was_there, is_there) == (False, True)
    assert (first.pk, first.answer) == (again.pk, again.answer)
    assert open_intake.rows.count() == 7


def test_records_are_taken_in_order_and_a_uuid_keeps_its_words(
    device: FieldDevice, inspector: User, open_intake: Intake, now: datetime
) -> None:
    take = lambda sent: take_record(actor=inspector, at=now, device=device, sent=sent, own_hosts=HOSTS)  # noqa: E731
    name = uuid.uuid4()
    with pytest.raises(OutOfOrder):
        take(Sent(uuid.uuid4(), 2, "row", row(open_intake), now))
    take(Sent(name, 1, "row", row(open_intake), now))
    with pytest.raises(RecordDiffers):
        take(Sent(name, 1, "row", row(open_intake, label="7H4Q"), now))

    assert FieldRecord.objects.count() == 1
    assert open_intake.rows.count() == 7


def test_a_reception_opened_in_the_field_takes_its_rows(send: Send, opening: dict[str, Any]) -> None:
    first = send("open_removal", opening)
    second = send("row", row(opening=first.uuid))

    assert first.intake is not None
    assert (first.state, second.state) == ("accepted", "accepted")
    assert (second.intake, second.row) == (first.intake, 1)


def test_a_seizure_is_opened_in_the_field(send: Send, evidence_room: CustodyAccount, police: Any) -> None:
    case = {
        "protocol_number": "41/2025",
        "protocol_on": "2025-11-10",
        "erdr_number": "",
        "agency": police.bin,
        "place": "Жәнібек",
        "seized_on": "2025-11-10",
    }
    kept = send("open_seizure", {"store": evidence_room.code, "on": "2025-11-10", "case": case})

    assert kept.state == "accepted", kept.answer
    assert kept.intake is not None
    assert kept.intake.case is not None


def test_what_cannot_be_entered_is_kept_and_the_office_enters_it(
    send: Send, open_intake: Intake, receive: Any, inspector: User, now: datetime
) -> None:
    cancel_intake(actor=inspector, at=now, intake=open_intake, reason="Opened twice")
    other = receive(rows=2)
    kept = send("row", row(open_intake))

    assert (kept.state, kept.intake) == ("conflict", None)
    assert kept.answer["detail"]
    assert kept.answer["advice"]
    notice = Notice.objects.open().get(code="field_record.conflict", subject_id=str(kept.pk))
    with translation.override("en"):
        named = f"record {kept.sequence} of the phone {kept.device.name}"
        assert text_of(notice) == f"From the field: {named} was not entered. Its page says why"
    enter_waiting(actor=inspector, at=now, record_id=kept.pk, own_hosts=HOSTS, intake=other.pk)
    kept.refresh_from_db()
    assert (kept.state, kept.intake, kept.row, kept.decided_by) == ("resolved", other, 3, inspector)
    assert kept.payload["intake"] == open_intake.pk
    assert not Notice.objects.open().filter(code="field_record.conflict").exists()


def test_a_label_used_elsewhere_is_a_conflict_and_no_row_is_written(
    send: Send, open_intake: Intake, blank: Mark, inspector: User, now: datetime
) -> None:
    send("row", row(open_intake, label=blank.code))
    kept = send("row", row(open_intake, label=blank.code))

    assert (kept.state, open_intake.rows.count()) == ("conflict", 7)
    enter_waiting(actor=inspector, at=now, record_id=kept.pk, own_hosts=HOSTS, label="")
    assert open_intake.rows.count() == 8
    assert RowLabel.objects.count() == 1


def test_rows_follow_their_reception_once_it_is_opened(
    send: Send, opening: dict[str, Any], permit_to_remove: RemovalPermit, inspector: User, now: datetime
) -> None:
    first = send("open_removal", {**opening, "males": 0, "females": 0, "carcasses": 0})
    rows = [send("row", row(opening=first.uuid)) for _ in range(3)]

    assert first.state == "conflict"
    assert {one.answer["code"] for one in rows} == {"opening-waits"}
    assert Notice.objects.filter(code="field_record.conflict").count() == 1
    FieldRecord.objects.filter(pk=first.pk)
    set_aside(actor=inspector, at=now, record_id=first.pk, reason="No animals were taken")
    for one in rows:
        one.refresh_from_db()
        assert one.state == "conflict"


def test_rows_follow_when_what_was_in_the_way_is_gone(
    send: Send, opening: dict[str, Any], brigade: Brigade, inspector: User, now: datetime
) -> None:
    first = send("open_removal", {**opening, "on": "2025-11-11"})
    rows = [send("row", row(opening=first.uuid)) for _ in range(3)]
    assert first.state == "conflict"
    tomorrow = now + timedelta(days=1)
    enter_waiting(actor=inspector, at=tomorrow, record_id=first.pk, own_hosts=HOSTS)

    for place, one in enumerate(rows, start=1):
        one.refresh_from_db()
        assert (one.state, one.row) == ("resolved", place)


@pytest.mark.parametrize(
    "payload", [{}, {"intake": "x"}, {"row": 7}, {"intake": 1, "row": {"mass_g": -4}}, {"intake": 2**70, "row": {}}]
)
def test_what_has_no_shape_is_kept_too(send: Send, payload: dict[str, Any]) -> None:
    kept = send("row", payload)

    assert kept.state == "refused"
    assert kept.payload == payload


def test_a_record_of_a_strange_reception_is_kept_and_tells_nothing(send: Send, other_inspector_intake: Intake) -> None:
    kept = send("row", row(other_inspector_intake))

    assert (kept.state, kept.answer["code"]) == ("conflict", "intake-not-known")


@pytest.fixture
def other_inspector_intake(open_seizure: Intake, inspector: User) -> Intake:
    """A reception that is not there for the inspector."""
    return Intake(pk=open_seizure.pk + 1_000_000)


# --- photos ---------------------------------------------------------------------------------------------------


@pytest.fixture
def phone(inspector: User, now: datetime) -> APIClient:
    """A phone with its key, speaking to the API."""
    _device, key = register_device(actor=inspector, at=timezone.now(), name="Phone")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Device {key}")
    return client


def key_of(phone: Any) -> str:
    return str(phone._credentials["HTTP_AUTHORIZATION"]).split()[1]


def post_record(phone: APIClient, sequence: int, payload: dict[str, Any], name: uuid.UUID | None = None) -> Any:
    said = {
        "uuid": str(name or uuid.uuid4()),
        "sequence": sequence,
        "act": "row",
        "payload": payload,
        "made_at": "2025-11-10T09:00:00+05:00",
    }
    return phone.post("/api/v1/field/records/", {"records": [said]}, format="json")


def send_photo(phone: APIClient, record: uuid.UUID, content: bytes, *, piece: int = 1_000) -> Any:
    name = uuid.uuid4()
    said = {
        "uuid": str(name),
        "record": str(record),
        "name": "IMG_1.jpg",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
    }
    answer = phone.post("/api/v1/field/photos/", said, format="json").json()
    while answer["received"] < len(content):
        start = answer["received"]
        for _twice in range(2):
            sent = phone.put(
                f"/api/v1/field/photos/{name}/{start}/",
                content[start : start + piece],
                content_type="application/octet-stream",
            )
            assert sent.status_code == 200, sent.content
        answer = sent.json()
    assert phone.post("/api/v1/field/photos/", said, format="json").json()["is_kept"]
    return answer


def test_a_photo_in_pieces_sent_twice_each_comes_to_its_row_once(phone: APIClient, open_intake: Intake) -> None:
    name, content = uuid.uuid4(), photo_bytes()
    post_record(phone, 1, row(open_intake), name)
    send_photo(phone, name, content)

    photo = RowPhoto.objects.get(intake=open_intake, row=7)
    with photo.document.file.open("rb") as kept:
        assert kept.read() == content
    assert not FieldPiece.objects.exists()


def test_a_photo_that_comes_after_registration_belongs_to_the_horn(
    phone: APIClient, signing_key: object, open_intake: Intake, inspector: User
) -> None:
    name = uuid.uuid4()
    post_record(phone, 1, row(open_intake), name)
    register_and_mark(actor=inspector, at=timezone.now(), intake=open_intake, explanation="Counted twice")
    send_photo(phone, name, photo_bytes())

    assert DerivativePhoto.objects.get().derivative.row == 7


def test_photos_of_a_conflict_wait_with_it_and_go_with_it(
    phone: APIClient, open_intake: Intake, receive: Any, inspector: User, now: datetime
) -> None:
    name = uuid.uuid4()
    cancel_intake(actor=inspector, at=now, intake=open_intake, reason="Opened twice")
    other = receive(rows=1)
    assert post_record(phone, 1, row(open_intake), name).json()["answers"][0]["state"] == "conflict"
    send_photo(phone, name, photo_bytes())
    assert Attachment.objects.filter(subject_kind="field_record").count() == 1
    enter_waiting(actor=inspector, at=now, record_id=FieldRecord.objects.get().pk, own_hosts=HOSTS, intake=other.pk)

    assert RowPhoto.objects.filter(intake=other, row=2).count() == 1


def test_what_is_no_photo_is_kept_as_it_came(phone: APIClient, open_intake: Intake) -> None:
    name = uuid.uuid4()
    post_record(phone, 1, row(open_intake), name)
    answer = send_photo(phone, name, b"no photo at all" * 10)

    assert answer["problem"]
    assert FieldPhoto.objects.get().document is not None


def test_bytes_that_differ_from_what_was_announced_are_refused(phone: APIClient, open_intake: Intake) -> None:
    name, photo = uuid.uuid4(), uuid.uuid4()
    post_record(phone, 1, row(open_intake), name)
    said = {"uuid": str(photo), "record": str(name), "name": "a.jpg", "sha256": "0" * 64, "size": 4}
    phone.post("/api/v1/field/photos/", said, format="json")
    sent = phone.put(f"/api/v1/field/photos/{photo}/0/", b"1234", content_type="application/octet-stream")

    assert (sent.status_code, sent.json()["code"]) == (409, "photo-broken")


# --- phones ---------------------------------------------------------------------------------------------------


def test_a_phone_is_registered_greeted_and_gets_its_pack(
    client: Client, inspector: User, open_intake: Intake, blank: Mark, reel: LabelReel
) -> None:
    client.force_login(inspector)
    made = client.post("/api/v1/field/devices/", {"name": "Redmi"}, content_type="application/json")
    key = made.json()["key"]
    greeted = client.post("/api/v1/field/hello/", {"key": key}, content_type="application/json")
    pack = client.get("/api/v1/field/pack/", headers={"authorization": f"Device {key}"})

    assert (made.status_code, greeted.status_code, pack.status_code) == (201, 200, 200)
    assert FieldDevice.objects.get().digest == hashlib.sha256(key.encode()).hexdigest()
    said = pack.json()
    assert [one["id"] for one in said["intakes"]] == [open_intake.pk]
    assert said["bands"]["mass_g"]
    assert inspector.last_name not in pack.content.decode()
    assert "Тасболатов" not in pack.content.decode()
    assert blank.code not in pack.content.decode()
    assert len(labels_of(inspector)) == -(-reel.size * 5 // 3) * 4


def test_the_pack_asks_the_database_as_often_for_many(phone: APIClient, receive: Any) -> None:
    counts = []
    for more in (1, 6):
        for _ in range(more):
            receive(rows=1)
        with CaptureQueriesContext(connection) as asked:
            assert phone.get("/api/v1/field/pack/").status_code == 200
        counts.append(len(asked))

    assert counts[0] == counts[1]


@pytest.mark.parametrize("door", ["pack", "records", "hello"])
def test_a_revoked_or_unknown_phone_is_told_to_wipe_itself(
    phone: APIClient, inspector: User, now: datetime, door: str
) -> None:
    device = FieldDevice.objects.get()
    key = key_of(phone)
    revoke_device(actor=inspector, at=now, device=device, reason="Lost on the way")
    for said in (key, "srf_nobody"):
        phone.credentials(HTTP_AUTHORIZATION=f"Device {said}")
        if door == "hello":
            answer = APIClient().post("/api/v1/field/hello/", {"key": said}, format="json")
        else:
            answer = phone.get(f"/api/v1/field/{door}/")
        assert (answer.status_code, answer.json()["code"]) == (410, "device-revoked")
    assert not FieldRecord.objects.exists()


def test_a_phone_sends_for_as_long_as_a_session_lasts(phone: APIClient, inspector: User) -> None:
    FieldDevice.objects.update(signed_until=timezone.now() - timedelta(minutes=1))
    answer = phone.get("/api/v1/field/pack/")

    assert (answer.status_code, answer.json()["code"]) == (401, "sign-in-needed")


def test_a_notebook_belongs_to_one_person(phone: APIClient, other_inspector: User) -> None:
    key = key_of(phone)
    client = Client()
    client.force_login(other_inspector)
    answer = client.post("/api/v1/field/hello/", {"key": key}, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (403, "device-of-another")


@pytest.fixture
def other_inspector(authority_officer: User) -> User:
    return authority_officer


def test_who_revokes_phones(
    device: FieldDevice, client: Client, inspector: User, trader: User, administrator: User, now: datetime
) -> None:
    client.force_login(trader)
    assert client.post(f"/field/devices/{device.pk}/revoke/", {"reason": "x"}).status_code == 403
    client.force_login(administrator)
    assert device.name in client.get("/field/devices/").content.decode()
    client.post(f"/field/devices/{device.pk}/revoke/", {"reason": "Reported lost"})

    device.refresh_from_db()
    assert device.revoked_by == administrator
    with pytest.raises(DatabaseError), transaction.atomic():
        FieldDevice.objects.filter(pk=device.pk).update(revoked_at=None, revoked_by=None, revoke_reason="")


def test_only_those_who_take_goods_in_have_a_notebook(client: Client, trader: User) -> None:
    client.force_login(trader)
    made = client.post("/api/v1/field/devices/", {"name": "Redmi"}, content_type="application/json")

    assert made.status_code == 403
    assert client.get("/field/").status_code == 403


def test_a_batch_ends_at_the_first_that_cannot_be_taken(phone: APIClient, open_intake: Intake) -> None:
    said = [
        {
            "uuid": str(uuid.uuid4()),
            "sequence": sequence,
            "act": "row",
            "payload": row(open_intake),
            "made_at": "2025-11-10T09:00:00+05:00",
        }
        for sequence in (1, 2, 4, 3)
    ]
    answer = phone.post("/api/v1/field/records/", {"records": said}, format="json").json()

    assert [one["state"] for one in answer["answers"]] == ["accepted", "accepted", "unsent", "unsent"]
    assert [one["code"] for one in answer["answers"][2:]] == ["out-of-order", "out-of-order"]
    assert [one["uuid"] for one in answer["answers"]] == [one["uuid"] for one in said]
    assert answer["sequence"] == 2
    again = phone.post("/api/v1/field/records/", {"records": said[:2]}, format="json").json()
    assert [(one["replay"], one["row"]) for one in again["answers"]] == [(True, 7), (True, 8)]


# --- the office -----------------------------------------------------------------------------------------------


def test_the_office_decides_on_its_page(
    client: Client, send: Send, open_intake: Intake, receive: Any, inspector: User, now: datetime
) -> None:
    cancel_intake(actor=inspector, at=now, intake=open_intake, reason="Opened twice")
    other = receive(rows=1)
    one, two = send("row", row(open_intake)), send("row", row(open_intake))
    client.force_login(inspector)
    page = client.get("/field/").content.decode()
    assert f"/field/records/{one.pk}/" in page
    assert client.post(f"/field/records/{one.pk}/", {"act": "enter", "label": ""}).status_code == 409
    assert client.post(f"/field/records/{one.pk}/", {"act": "enter", "intake": other.pk}).status_code == 302
    assert client.post(f"/field/records/{two.pk}/", {"act": "set_aside", "reason": "Twice"}).status_code == 422
    assert (
        client.post(f"/field/records/{two.pk}/", {"act": "set_aside", "reason": "Weighed twice by mistake"}).status_code
        == 302
    )

    assert client.get(f"/field/records/{two.pk}/").status_code == 200
    assert [record.state for record in FieldRecord.objects.order_by("pk")] == ["resolved", "set_aside"]
    assert f"/field/records/{one.pk}/" not in client.get("/field/").content.decode()
    assert f"/field/records/{one.pk}/" in client.get("/field/?state=all").content.decode()


def test_the_first_answer_stays_the_first(
    phone: APIClient, open_intake: Intake, receive: Any, inspector: User, now: datetime
) -> None:
    name = uuid.uuid4()
    cancel_intake(actor=inspector, at=now, intake=open_intake, reason="Opened twice")
    first = post_record(phone, 1, row(open_intake), name).json()["answers"][0]
    kept = FieldRecord.objects.get()
    enter_waiting(actor=inspector, at=now, record_id=kept.pk, own_hosts=HOSTS, intake=receive(rows=1).pk)
    again = post_record(phone, 1, row(open_intake), name).json()["answers"][0]
    news = phone.get("/api/v1/field/records/").json()["answers"]

    assert again == first | {"replay": True}
    assert [one["state"] for one in news] == ["resolved"]


def test_the_database_keeps_what_was_sent(send: Send, open_intake: Intake) -> None:
    kept = send("row", row(open_intake))
    acts: list[Callable[[], object]] = [
        lambda: FieldRecord.objects.filter(pk=kept.pk).update(payload={}),
        lambda: FieldRecord.objects.filter(pk=kept.pk).update(state="conflict"),
        lambda: FieldRecord.objects.filter(pk=kept.pk).delete(),
        lambda: FieldDevice.objects.update(sequence=0),
    ]
    for act in acts:
        with pytest.raises(DatabaseError), transaction.atomic():
            act()
    kept.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        kept.save(force_insert=True)


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_the_notebook_opens_for_everybody_and_holds_nothing(client: Client, language: str) -> None:
    page = client.get("/field/notebook/", headers={"accept-language": language})

    assert page.status_code == 200
    assert "sessionid" not in page.cookies
    assert "/intakes/" in page.content.decode()

"""Nothing that a phone sends stops what comes after it: bad text, bad shapes, broken photos, faults of ours."""

import hashlib
import json
import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from core.accounts.models import Organisation, User
from core.accounts.roles import Role
from core.documents.models import Attachment
from ledger.models import AccountKind, CustodyAccount
from marking.api_field import KeyJSON
from marking.limits import GREETINGS
from marking.models import FieldDevice, FieldPhoto, FieldPiece, FieldRecord
from marking.phone_sessions import COOKIE
from marking.services import field
from marking.services.devices import DeviceRefused, register_device, revoke_device
from marking.services.field import Sent, take_record
from marking.services.field_photos import MOST_PHOTOS, Announced, PhotoBroken, begin_photo, take_piece
from marking.services.issue import register_and_mark
from registry.models import Derivative, DerivativePhoto, Intake
from tests.cast import PASSWORD, give_role
from tests.goods import put_into
from tests.marking.test_field import key_of, photo_bytes, post_record, row, send_photo

pytestmark = pytest.mark.django_db
RECORDS = "/api/v1/field/records/"
MADE = "2025-11-10T09:00:00+05:00"


@pytest.fixture
def phone(inspector: User) -> APIClient:
    """A phone with its key, speaking to the API. An error page is an answer too: 500."""
    _device, key = register_device(actor=inspector, at=timezone.now(), name="Phone")
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Device {key}")
    return client


def said(sequence: int, payload: object, **more: object) -> dict[str, Any]:
    facts = {"uuid": str(uuid.uuid4()), "sequence": sequence, "act": "row", "payload": payload, "made_at": MADE}
    return facts | more


def send(phone: APIClient, *records: object) -> Any:
    return phone.post(RECORDS, data=_text({"records": records}), content_type="application/json")


def states(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content[:300]
    return [one["state"] for one in answer.json()["answers"]]


@pytest.mark.parametrize("bad", ["\x00", "\ud83d", "\ude00 \x00"])
def test_text_that_no_database_holds_is_entered_without_it_and_once(
    phone: APIClient, open_intake: Intake, bad: str
) -> None:
    payload = row(open_intake)
    payload["row"]["note"] = f"cracked{bad}"
    payload[f"key{bad}"] = bad
    record = said(1, payload)

    assert states(send(phone, record)) == ["accepted"]
    assert states(send(phone, record)) == ["accepted"]
    assert open_intake.rows.get(row=7).note.startswith("cracked")
    other = record | {"payload": payload | {"row": payload["row"] | {"note": "cracked"}}}
    assert send(phone, other).json()["answers"][0]["code"] == "record-differs"


def test_a_record_without_shape_is_kept_and_stops_no_other(phone: APIClient, open_intake: Intake) -> None:
    records = [
        said(1, row(open_intake)),
        said(2, row(open_intake), made_at="yesterday"),
        said(3, [1, 2]),
        said(4, row(open_intake), act="fly"),
        said(5, row(open_intake), made_at="9999-12-31T23:59:59-12:00"),
        said(6, row(open_intake), accuracy_m=10**9, lat="nan", lon="x"),
        said(7, row(open_intake), lat=1e400, lon=0),
        said(8, row(open_intake)),
    ]
    first = send(phone, *records)
    again = send(phone, *records)

    assert states(first) == ["accepted", *["refused"] * 4, *["accepted"] * 3]
    assert states(again) == states(first)
    assert all(one["replay"] for one in again.json()["answers"])
    kept = {one.sequence: one for one in FieldRecord.objects.all()}
    assert kept[2].payload["unread"] == {"made_at": "yesterday"}
    assert kept[2].answer["fields"]["made_at"]
    assert kept[3].payload["unread"] == {"payload": [1, 2]}
    assert (kept[6].lat, kept[6].accuracy_m) == (None, None)


def test_the_office_opens_and_sets_aside_what_has_no_shape(
    phone: APIClient, open_intake: Intake, client: Client, inspector: User
) -> None:
    send(phone, said(1, row(open_intake), act="fly"), said(2, {"unread": 5, "row": 7}), said(3, "\x00"))
    client.force_login(inspector)
    for kept in FieldRecord.objects.all():
        address = f"/field/records/{kept.pk}/"
        assert client.get(address).status_code == 200
        assert client.post(address, {"act": "enter"}).status_code in (409, 422)
        assert client.post(address, {"act": "set_aside", "reason": "There was no horn at all"}).status_code == 302


def test_what_has_no_name_ends_a_batch_and_loses_nothing_before_it(phone: APIClient, open_intake: Intake) -> None:
    answer = send(phone, said(1, row(open_intake)), {"uuid": "x"}, said(2, row(open_intake)), None)

    assert states(answer) == ["accepted", "unsent", "unsent", "unsent"]
    told = answer.json()["answers"]
    assert (told[1]["uuid"], told[1]["sequence"], told[1]["code"]) == ("x", 0, "bad-input")
    assert {"uuid", "sequence"} <= told[1]["fields_wrong"].keys()
    assert "ErrorDetail" not in told[1]["fields_wrong"]["sequence"]
    assert [one["code"] for one in told[2:]] == ["out-of-order", "out-of-order"]
    assert FieldRecord.objects.count() == 1
    assert states(send(phone, said(2, row(open_intake)), None)) == ["accepted", "unsent"]
    assert send(phone, {"uuid": "x"}).status_code == 422


def test_what_arrived_with_other_words_does_not_end_a_batch(phone: APIClient, open_intake: Intake) -> None:
    first = said(1, row(open_intake))
    send(phone, first)
    other = first | {"payload": row(open_intake) | {"label": "other"}}

    assert states(send(phone, other, said(2, row(open_intake)))) == ["unsent", "accepted"]


@pytest.mark.parametrize(
    ("sent", "dropped"),
    [
        ({"lat": 999, "lon": 48.9, "accuracy_m": 12}, {"lat", "lon"}),
        ({"lat": 49.2, "lon": -180.5}, {"lat", "lon"}),
        ({"lat": 49.2}, {"lat"}),
        ({"lat": 49.2, "lon": 48.9, "accuracy_m": -1}, {"accuracy_m"}),
        ({"lat": 49.2, "lon": 48.9, "accuracy_m": 12}, set()),
    ],
)
def test_a_place_that_cannot_be_right_is_left_out_and_told(
    phone: APIClient, open_intake: Intake, sent: dict[str, Any], dropped: set[str]
) -> None:
    record = said(1, row(open_intake), **sent)
    answers = [send(phone, record).json()["answers"][0] for _ in range(2)]

    assert [(one["state"], set(one["fields_wrong"])) for one in answers] == [("accepted", dropped)] * 2
    kept = FieldRecord.objects.get()
    assert (kept.lat is None) == ("lat" in dropped)


def test_what_was_recorded_tomorrow_is_kept_and_not_entered(phone: APIClient, open_intake: Intake) -> None:
    answer = send(phone, said(1, row(open_intake), made_at="2099-01-01T00:00:00+05:00"))

    assert states(answer) == ["refused"]
    assert answer.json()["answers"][0]["fields_wrong"]["made_at"]


def test_a_fault_of_ours_keeps_the_record_and_takes_the_next(
    phone: APIClient, open_intake: Intake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = field.enter_record

    def faulty(**given: Any) -> Any:
        if given["payload"].get("label") == "boom":
            raise ZeroDivisionError
        return real(**given)

    monkeypatch.setattr(field, "enter_record", faulty)
    with caplog.at_level(logging.ERROR):
        answer = send(phone, said(1, row(open_intake, label="boom")), said(2, row(open_intake)))

    assert states(answer) == ["refused", "accepted"]
    assert "was kept and not entered" in caplog.text


def test_a_database_that_is_away_keeps_nothing_and_is_asked_again(
    phone: APIClient, open_intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_given: Any) -> Any:
        raise OperationalError

    record = said(1, row(open_intake))
    with monkeypatch.context() as patched:
        patched.setattr(field, "enter_record", away)
        assert send(phone, record).status_code >= 500

    assert not FieldRecord.objects.exists()
    assert states(send(phone, record)) == ["accepted"]


def test_a_record_belongs_to_the_office_of_its_stores_region(
    inspectorate_elsewhere: Organisation,
    inspectorate: Organisation,
    phone: APIClient,
    open_intake: Intake,
    inspector: User,
    administrator: User,
) -> None:
    """Of a person of two offices, and not whichever has the lower number."""
    assert inspectorate_elsewhere.pk < inspectorate.pk
    give_role(inspector, Role.INSPECTOR, inspectorate_elsewhere, by=administrator, at=timezone.now())
    opening = said(2, {"store": open_intake.store.code, "permit": "none"}, act="open_removal")
    following = said(3, row(opening=uuid.UUID(opening["uuid"])))
    bad = row(open_intake)
    bad["row"]["mass_g"] = -1
    answer = send(phone, said(1, bad), opening, following, said(4, row(open_intake)))

    assert states(answer)[3] == "accepted"
    assert set(states(answer)[:3]) <= {"conflict", "refused"}
    assert set(FieldRecord.objects.values_list("office", flat=True)) == {inspectorate.pk}


# --- photos ---------------------------------------------------------------------------------------------------


@pytest.fixture
def device(inspector: User, now: datetime) -> FieldDevice:
    return register_device(actor=inspector, at=now, name="Phone")[0]


Announce = Callable[..., FieldPhoto]


@pytest.fixture
def record(device: FieldDevice, inspector: User, open_intake: Intake, now: datetime) -> uuid.UUID:
    name = uuid.uuid4()
    sent = Sent(name, 1, "row", row(open_intake), now)
    take_record(actor=inspector, at=now, device=device, sent=sent, own_hosts=())
    return name


@pytest.fixture
def announce(device: FieldDevice, record: uuid.UUID, now: datetime) -> Announce:
    def begun(content: bytes, *, sha256: str = "", name: uuid.UUID | None = None) -> FieldPhoto:
        digest = sha256 or hashlib.sha256(content).hexdigest()
        return begin_photo(
            at=now,
            device=device,
            announced=Announced(name or uuid.uuid4(), record, "a.jpg", digest, len(content)),
        )

    return begun


def test_a_photo_that_arrives_broken_leaves_nothing_and_counts_for_nothing(
    announce: Announce, device: FieldDevice, inspector: User, now: datetime
) -> None:
    for _time in range(MOST_PHOTOS + 1):
        photo = announce(b"abcdef", sha256="0" * 64)
        take_piece(actor=inspector, at=now, device=device, photo=photo.uuid, start=0, content=b"abc")
        with pytest.raises(PhotoBroken):
            take_piece(actor=inspector, at=now, device=device, photo=photo.uuid, start=3, content=b"def")
    assert not FieldPiece.objects.exists()
    with pytest.raises(PhotoBroken):
        announce(b"abcdef", sha256="0" * 64, name=photo.uuid)
    with pytest.raises(PhotoBroken):
        take_piece(actor=inspector, at=now, device=device, photo=photo.uuid, start=3, content=b"def")

    whole = announce(photo_bytes())
    assert whole.received == 0


@pytest.mark.parametrize("door", ["begin", "piece"])
def test_a_revoked_phone_sends_no_photo(
    door: str, announce: Announce, device: FieldDevice, inspector: User, now: datetime
) -> None:
    """The phone was let in at the door a moment before it was revoked."""
    content = photo_bytes()
    photo = announce(content)
    revoke_device(actor=inspector, at=now, device=FieldDevice.objects.get(pk=device.pk), reason="The phone was lost")

    piece: dict[str, Any] = {"photo": photo.uuid, "start": 0, "content": content[:10]}
    send_it = (
        partial(announce, content)
        if door == "begin"
        else partial(take_piece, actor=inspector, at=now, device=device, **piece)
    )
    with pytest.raises(DeviceRefused):
        send_it()
    assert not FieldPiece.objects.exists()


@pytest.mark.parametrize("why", ["late", "gone"])
def test_a_photo_joins_a_registered_horn_only_while_it_is_there_and_fresh(
    why: str,
    announce: Announce,
    device: FieldDevice,
    inspector: User,
    open_intake: Intake,
    signing_key: object,
    committee: Organisation,
    now: datetime,
) -> None:
    open_intake.refresh_from_db()
    register_and_mark(actor=inspector, at=now, intake=open_intake, explanation="One more was found")
    later = now + timedelta(days=31 if why == "late" else 1)
    if why == "gone":
        gone = Derivative.objects.get(intake=open_intake, row=7)
        put_into(gone.pk, CustodyAccount.objects.boundary(AccountKind.EXPORT))
    content = photo_bytes()
    photo = announce(content)
    for start in range(0, len(content), 500_000):
        piece = content[start : start + 500_000]
        took = take_piece(actor=inspector, at=later, device=device, photo=photo.uuid, start=start, content=piece)

    assert not DerivativePhoto.objects.exists()
    assert took.problem
    assert Attachment.objects.get(subject_kind="field_record").document == took.document


# --- sign-ins of a phone --------------------------------------------------------------------------------------


def begin_notebook(client: Client) -> FieldDevice:
    made = client.post("/api/v1/field/devices/", {"name": "Redmi"}, content_type="application/json")
    assert made.status_code == 201
    return FieldDevice.objects.get()


def may_read(client: Client) -> bool:
    return client.get("/field/").status_code == 200


def test_a_revoked_phone_is_signed_out_and_no_other_machine(client: Client, inspector: User) -> None:
    desk = Client()
    for one in (client, desk):
        one.force_login(inspector)
    device = begin_notebook(client)
    assert may_read(client)
    revoke_device(actor=inspector, at=timezone.now(), device=device, reason="The phone was lost")

    assert not may_read(client)
    assert client.get("/api/v1/marks/").status_code in (401, 403)
    assert may_read(desk)


def test_a_sign_in_made_later_on_the_phone_ends_with_it_too(
    client: Client, inspector: User, administrator: User
) -> None:
    client.force_login(inspector)
    device = begin_notebook(client)
    client.logout()
    client.cookies[COOKIE] = str(device.pk)
    assert client.post("/accounts/login/", {"login": inspector.username, "password": PASSWORD}).status_code == 302
    assert may_read(client)
    # Who takes the cookie off is too late: the sign-in carries the phone.
    del client.cookies[COOKIE]
    revoke_device(actor=administrator, at=timezone.now(), device=device, reason="The phone was lost")
    assert not may_read(client)
    # With the password the person, who has found the phone again, signs in as everywhere.
    client.cookies[COOKIE] = str(device.pk)
    client.post("/accounts/login/", {"login": inspector.username, "password": PASSWORD})
    assert may_read(client)


def test_a_greeting_ties_the_sign_in_to_the_phone(phone: APIClient, client: Client, inspector: User) -> None:
    client.force_login(inspector)
    answer = client.post("/api/v1/field/hello/", {"key": key_of(phone)}, content_type="application/json")
    cookie = answer.cookies[COOKIE]
    assert (answer.status_code, bool(cookie["httponly"]), cookie["samesite"]) == (200, True, "Lax")
    revoke_device(actor=inspector, at=timezone.now(), device=FieldDevice.objects.get(), reason="The phone was lost")

    assert not may_read(client)


def test_a_cookie_that_names_no_phone_changes_nothing(client: Client, inspector: User) -> None:
    for text in ("x", str(uuid.uuid4()), ""):
        client.cookies[COOKIE] = text
        client.post("/accounts/login/", {"login": inspector.username, "password": PASSWORD})
        assert may_read(client)
        client.logout()


# --- whatever is sent -----------------------------------------------------------------------------------------


def test_who_is_not_known_is_counted_and_sends_little(one_window: None) -> None:
    client = APIClient(raise_request_exception=False)
    large = "x" * (KeyJSON.most_bytes + 1)
    assert client.post("/api/v1/field/hello/", {"key": large}, format="json").status_code == 400
    for _time in range(GREETINGS):
        answer = client.post("/api/v1/field/hello/", {"key": "srf_no"}, format="json")
        if answer.status_code == 429:
            break
    assert answer.status_code in (410, 429)
    assert client.post("/api/v1/field/hello/", {"key": "srf_no"}, format="json").status_code == 429


def test_what_is_nested_without_end_is_refused(phone: APIClient) -> None:
    content = '{"records": ' + "[" * 100_000 + "]" * 100_000 + "}"

    assert phone.post(RECORDS, data=content, content_type="application/json").status_code == 400


often = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(
    st.characters(), max_size=30
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
)
NAMES = [
    "intake",
    "opening",
    "row",
    "label",
    "record",
    "reason",
    "case",
    "store",
    "on",
    "taken_back",
    "unread",
    "former",
]
PAYLOADS = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=9), ANYTHING, max_size=6) | ANYTHING
ACTS = st.sampled_from(FieldRecord.Act.values) | ANYTHING


def _text(value: object) -> str:
    """As JSON, with what Python would call Infinity as a number that is too large."""
    return json.dumps(value).replace("-Infinity", "-1e999").replace("Infinity", "1e999")


@often
@given(payload=PAYLOADS, act=ACTS, made_at=st.just(MADE) | ANYTHING, place=ANYTHING)
@example(payload={"row": {"note": "\ud83d"}}, act="row", made_at=MADE, place=None)
@example(payload={"taken_back": "\x00"}, act="row", made_at=MADE, place=None)
@example(payload={"record": {}, "row": None, "reason": 5}, act="correct_row", made_at=MADE, place=1e999)
def test_whatever_a_record_says_it_is_kept_and_the_next_one_is_taken(
    phone: APIClient,
    client: Client,
    inspector: User,
    open_intake: Intake,
    payload: Any,
    act: Any,
    made_at: Any,
    place: Any,
) -> None:
    cache.clear()
    done = FieldDevice.objects.get().sequence
    bad = said(done + 1, payload, act=act, made_at=made_at, lat=place, lon=place, accuracy_m=place)
    content = _text({"records": [bad, said(done + 2, row(open_intake))]})
    answer = phone.post(RECORDS, data=content, content_type="application/json")

    assert answer.status_code == 200, (answer.content[:300], content)
    assert len(answer.json()["answers"]) == 2, content
    assert answer.json()["answers"][1]["state"] == "accepted"
    assert phone.get(RECORDS).status_code == 200
    client.force_login(inspector)
    kept = FieldRecord.objects.get(sequence=done + 1)
    assert client.get(f"/field/records/{kept.pk}/").status_code == 200, content


@often
@given(body=ANYTHING, raw=st.binary(max_size=300), start=st.integers(0, 2**70))
def test_whatever_is_sent_as_a_photo_is_answered(
    phone: APIClient, open_intake: Intake, body: Any, raw: bytes, start: int
) -> None:
    if not FieldRecord.objects.exists():
        post_record(phone, 1, row(open_intake))
    kept = FieldRecord.objects.get()
    photos = "/api/v1/field/photos/"
    assert phone.post(photos, data=_text(body), content_type="application/json").status_code in (400, 422)
    about = {"uuid": str(uuid.uuid4()), "record": str(kept.uuid), "name": "a\x00\ud83d.jpg", "size": max(1, len(raw))}
    begun = phone.post(
        photos, data=json.dumps(about | {"sha256": hashlib.sha256(raw).hexdigest()}), content_type="application/json"
    )
    assert begun.status_code in (200, 400, 409, 422), begun.content
    for place in (start, 0, 0):
        sent = phone.put(f"{photos}{about['uuid']}/{place}/", raw, content_type="application/octet-stream")
        assert sent.status_code in (200, 400, 404, 409, 422), (sent.status_code, sent.content[:200])
    assert phone.put(f"{photos}x/0/", raw, content_type="application/octet-stream").status_code == 404


def test_a_photo_with_an_odd_name_arrives(phone: APIClient, open_intake: Intake) -> None:
    name = uuid.uuid4()
    post_record(phone, 1, row(open_intake), name)
    content = b"no photo \x00 at all"
    send_photo(phone, name, content)
    about = {"uuid": str(uuid.uuid4()), "record": str(name), "name": "\x00\ud83d", "size": 3, "sha256": "0" * 64}
    answer = phone.post("/api/v1/field/photos/", data=json.dumps(about), content_type="application/json")

    assert answer.status_code == 200, answer.content

"""The notebook in a real browser: the network goes, pages close, answers are lost, and each record arrives once."""

import base64
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.utils import timezone
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    FilePayload,
    Page,
    Request,
    Route,
    expect,
)
from pytest_django.live_server_helper import LiveServer

from core.accounts.models import Organisation, User
from ledger.models import CustodyAccount
from marking.models import FieldDevice, FieldPhoto, FieldPiece, FieldRecord, Mark, RowLabel
from marking.services.devices import revoke_device
from registry.models import Brigade, Case, Intake, RemovalPermit, RowPhoto
from registry.services import cancel_intake
from tests.conftest import CHROMIUM

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
ADD = """async ([intake, count, first]) => {
  const outbox = await import("/static/js/field/outbox.js");
  for (let place = 0; place < count; place++) {
    const row = { side: "LR"[place % 2], mass_g: first + place, length_mm: 240 };
    const photos = place % 50 ? [] : [new File([Uint8Array.from(atob(window.photo), (s) => s.charCodeAt(0))], "a.jpg")];
    await outbox.add({ act: "row", payload: { intake, row }, place: {}, title: String(place), photos });
  }
}"""
# A connection that fails at random: a third of the requests never leave, of another third the answer is lost.
FAIL = """() => {
  const real = window.fetch;
  let seed = 7;
  window.lost = { before: 0, after: 0 };
  window.fetch = async (address, how) => {
    seed = (seed * 48271) % 2147483647;
    const fate = String(address).includes("/api/v1/field/") ? seed / 2147483647 : 1;
    if (fate < 0.3) {
      window.lost.before++;
      throw new TypeError("the request is lost");
    }
    const answer = await real(address, how);
    if (fate >= 0.6) return answer;
    await answer.arrayBuffer();
    window.lost.after++;
    throw new TypeError("the answer is lost");
  };
}"""
SEND_AND_COUNT = """async () => {
  const outbox = await import("/static/js/field/outbox.js");
  document.querySelector("[data-send]").click();
  await new Promise((done) => setTimeout(done, 100));
  for (let turn = 0; turn < 200 && document.querySelector("[data-said]").textContent.includes("Sending …"); turn++) {
    await new Promise((done) => setTimeout(done, 50));
  }
  const { records, photos } = await outbox.waiting();
  return records + photos;
}"""
Open = Callable[..., Page]


@pytest.fixture
def phone(browser: Browser, live_server: LiveServer) -> Iterator[Callable[..., BrowserContext]]:
    """`phone()`: a fresh phone. Errors of scripts and refusals by CSP fail the test."""
    faults: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            faults.append(message.text)

    with ExitStack() as contexts:

        def unpack(*, width: int = 360, scripts: bool = True, workers: bool = True) -> BrowserContext:
            context = contexts.enter_context(
                browser.new_context(
                    base_url=live_server.url,
                    viewport={"width": width, "height": 740},
                    java_script_enabled=scripts,
                    locale="en-GB",
                    timezone_id="Asia/Almaty",
                    service_workers="allow" if workers else "block",
                    geolocation={"latitude": 49.2, "longitude": 48.9, "accuracy": 12},
                    permissions=["geolocation"],
                )
            )
            context.on("weberror", lambda error: faults.append(str(error.error)))
            context.on("console", note)
            return context

        yield unpack
        assert faults == []


def sign_in(context: BrowserContext, person: User) -> None:
    client = Client()
    client.force_login(person)
    client.get("/field/")
    address = context.new_page()
    address.goto("/m/keys.json")
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        context.add_cookies(
            [{"name": name, "value": client.cookies[name].value, "url": address.evaluate("location.origin")}]
        )
    address.close()


@pytest.fixture
def begin(phone: Callable[..., BrowserContext], inspector: User) -> Open:
    """`begin()`: the notebook just begun on a phone on which the inspector has signed in."""

    def opened(**how: bool) -> Page:
        context = phone(**how)
        sign_in(context, inspector)
        page = context.new_page()
        page.goto("/field/notebook/?lang=en")
        page.fill("#phone-name", "Redmi of the reception")
        # The greeting is the last that a notebook says when it begins: after it the phone is at rest.
        with page.expect_response("**/api/v1/field/hello/"):
            page.press("#phone-name", "Enter")
        expect(page.locator("[data-main]")).to_be_visible()
        waits(page, 0)
        # Without its lists a phone knows no store: only with them it goes out of the network.
        expect(page.locator("[data-pack]")).not_to_be_empty()
        return page

    return opened


def waits(page: Page, records: int, photos: int = 0) -> None:
    status = page.locator("[data-status]")
    expect(status).to_have_attribute("data-records", str(records), timeout=15_000)
    expect(status).to_have_attribute("data-photos", str(photos), timeout=15_000)


def weigh(page: Page, mass: str, length: str = "245", label: str = "") -> None:
    page.fill("#mass", mass)
    page.fill("#length", length)
    page.fill("#label", label)
    page.click(".notebook-keep")


def records(page: Page) -> list[dict[str, Any]]:
    """What the phone keeps of records."""
    kept: list[dict[str, Any]] = page.evaluate("import('/static/js/field/outbox.js').then(o => o.records())")
    return kept


def jpeg() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((900, 700), 80).convert("RGB").save(out, "JPEG", quality=95)
    return out.getvalue()


def choose(page: Page, intake: Intake) -> None:
    page.select_option("#intake", f"intake:{intake.pk}")


def keep_for_offline(page: Page) -> None:
    page.evaluate(
        """async () => {
            await navigator.serviceWorker.ready;
            while (!navigator.serviceWorker.controller) await new Promise((done) => setTimeout(done, 50));
        }"""
    )


def test_it_takes_horns_without_network_and_sends_them_when_it_returns(
    begin: Open, open_intake: Intake, blank: Mark
) -> None:
    page = begin()
    keep_for_offline(page)
    choose(page, open_intake)
    page.context.set_offline(True)
    page.reload()
    expect(page.locator("#intake")).to_have_value(f"intake:{open_intake.pk}")
    expect(page.locator("[data-place]")).not_to_be_empty()

    photo: FilePayload = {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": jpeg()}
    page.set_input_files("#photo", [photo])
    weigh(page, "0,214", "251", blank.code.lower())
    waits(page, 1, 1)
    expect(page.locator("#mass")).to_be_focused()
    weigh(page, "198")
    waits(page, 2, 1)
    page.reload()
    waits(page, 2, 1)
    expect(page.locator("[data-last] li")).to_have_count(2)
    assert not FieldRecord.objects.exists()
    page.context.set_offline(False)
    waits(page, 0)

    rows = list(open_intake.rows.filter(row__gt=6).order_by("row").values_list("row", "side", "mass_g", "length_mm"))
    assert rows == [(7, "L", 214, 251), (8, "L", 198, 245)] or rows == [(7, "L", 214, 251), (8, "R", 198, 245)]
    assert RowLabel.objects.get(intake=open_intake).row == 7
    with RowPhoto.objects.get(intake=open_intake, row=7).document.file.open("rb") as kept:
        assert kept.read() == photo["buffer"]
    assert not FieldRecord.objects.filter(lat=None).exists()


def test_two_hundred_records_through_a_connection_that_fails_arrive_once_and_in_order(
    begin: Open, open_intake: Intake
) -> None:
    page = begin(workers=False)
    page.evaluate("photo => { window.photo = photo }", base64.b64encode(jpeg()).decode())
    page.evaluate(ADD, [open_intake.pk, 200, 1_000])
    page.evaluate(FAIL)
    for _ in range(300):
        if page.evaluate(SEND_AND_COUNT) == 0:
            break
    lost = page.evaluate("window.lost")

    assert lost["before"] > 5
    assert lost["after"] > 5
    sent = FieldRecord.objects.order_by("pk").values_list("sequence", "state")
    assert list(sent) == [(sequence, "accepted") for sequence in range(1, 201)]
    masses = open_intake.rows.filter(row__gt=6).order_by("row").values_list("mass_g", flat=True)
    assert list(masses) == list(range(1_000, 1_200))
    assert FieldPhoto.objects.exclude(document=None).count() == RowPhoto.objects.count() == 4


def test_a_conflict_is_shown_and_stays(begin: Open, open_intake: Intake, inspector: User, now: datetime) -> None:
    page = begin()
    choose(page, open_intake)
    page.context.set_offline(True)
    weigh(page, "214")
    waits(page, 1)
    cancel_intake(actor=inspector, at=now, intake=open_intake, reason="Opened twice")
    page.context.set_offline(False)
    waits(page, 0)

    expect(page.locator("[data-last] [data-state=conflict]")).to_contain_text("was cancelled")
    expect(page.locator("[data-last] [data-state=conflict]")).to_contain_text("you need not record it again")
    assert FieldRecord.objects.get().state == "conflict"


def test_what_is_odd_is_asked_about_and_what_is_wrong_is_refused(begin: Open, open_intake: Intake, blank: Mark) -> None:
    page = begin()
    choose(page, open_intake)
    warning = page.locator("[data-warning]")
    weigh(page, "")
    expect(warning).to_contain_text("Enter the mass")
    weigh(page, "2140")
    expect(warning).to_contain_text("Unusual mass")
    waits(page, 0)
    weigh(page, "214", "245", "7H4Q-9TX2-MW8J")
    expect(warning).to_contain_text("no code of a label")
    weigh(page, "214", "245", blank.code)
    expect(warning).to_be_hidden()
    weigh(page, "215", "245", blank.code)
    expect(warning).to_contain_text("recorded before")
    weigh(page, "2140")
    page.click(".notebook-keep")
    expect(page.locator("[data-last] [data-state=accepted]")).to_have_count(2)

    assert open_intake.rows.count() == 8


def test_a_revoked_phone_wipes_itself(begin: Open, open_intake: Intake, inspector: User, now: datetime) -> None:
    page = begin()
    choose(page, open_intake)
    page.context.set_offline(True)
    weigh(page, "214")
    waits(page, 1)
    revoke_device(actor=inspector, at=now, device=FieldDevice.objects.get(), reason="Lost on the way")
    page.context.set_offline(False)

    expect(page.locator("[data-gone]")).to_contain_text("revoked")
    names = page.evaluate("indexedDB.databases().then((found) => found.map((one) => one.name))")
    assert "saiga-notebook" not in names
    assert not FieldRecord.objects.exists()


def test_when_the_session_has_ended_records_wait_for_the_sign_in(
    begin: Open, open_intake: Intake, inspector: User
) -> None:
    page = begin()
    choose(page, open_intake)
    FieldDevice.objects.update(signed_until=timezone.now() - timedelta(minutes=1))
    page.context.clear_cookies()
    weigh(page, "214")
    expect(page.locator("[data-sign-in]")).to_be_visible()
    waits(page, 1)
    sign_in(page.context, inspector)
    page.click("[data-send]")
    waits(page, 0)
    expect(page.locator("[data-said]")).to_be_empty()  # it forgets the place as the last of all

    assert FieldRecord.objects.get().state == "accepted"
    (kept,) = records(page)
    assert kept["payload"]["row"]["mass_g"] == 214
    assert not {"lat", "lon", "accuracy_m"} & set(kept)


def test_a_seizure_of_a_new_case_is_recorded_without_network_and_made_once(
    begin: Open, evidence_room: CustodyAccount, police: Organisation, inspector: User
) -> None:
    page = begin()
    keep_for_offline(page)
    page.context.set_offline(True)
    page.reload()
    page.click("[data-open-seizure] summary")
    page.fill("#s-protocol", "41/2025")
    page.fill("#s-seized", "2025-11-10")
    page.fill("#s-protocol-on", "2025-11-09")
    page.fill("#s-place", "Жәнібек")
    page.select_option("#s-agency", police.bin)
    page.click("[data-open-seizure] button[type=submit]")
    expect(page.locator("[data-wrong]")).to_contain_text("cannot be older")
    page.fill("#s-protocol-on", "2025-11-10")
    page.click("[data-open-seizure] button[type=submit]")
    waits(page, 1)
    weigh(page, "214")
    weigh(page, "198")
    waits(page, 3)
    page.reload()
    waits(page, 3)
    assert not Case.objects.exists()
    page.context.set_offline(False)
    waits(page, 0)

    case = Case.objects.get()
    assert (case.protocol_number, case.erdr_number, case.agency, case.opened_by) == ("41/2025", "", police, inspector)
    assert [one.mass_g for one in Intake.objects.get(case=case).rows.order_by("row")] == [214, 198]
    page.click("[data-open-seizure] summary")
    page.select_option("#s-case", case.number)
    expect(page.locator("[data-new-case]")).to_be_hidden()
    assert "Жәнібек" not in str(records(page))


def test_a_reception_opened_without_network_takes_its_horns(
    begin: Open, reception_store: CustodyAccount, permit_to_remove: RemovalPermit, brigade: Brigade
) -> None:
    page = begin()
    keep_for_offline(page)
    # The season of the permit is long over where today stands: only the day decides what the lists show.
    day = permit_to_remove.season.starts_on + timedelta(days=30)
    expect(page.locator("[data-pack]")).to_contain_text("Lists of")
    page.context.set_offline(True)
    page.evaluate(PACK_OF, [reception_store.code, permit_to_remove.number, brigade.pk])
    page.reload()
    page.click("[data-open-removal] summary")
    page.fill("#r-on", day.isoformat())
    page.fill("#r-males", "1")
    page.fill("#r-carcasses", "1")
    page.click("[data-open-removal] button[type=submit]")
    waits(page, 1)
    weigh(page, "214")
    waits(page, 2)
    page.context.set_offline(False)
    waits(page, 0)

    opened = Intake.objects.get()
    assert (opened.on, opened.brigade, opened.males) == (day, brigade, 1)
    assert [one.mass_g for one in opened.rows.all()] == [214]


# The lists that a phone fetched in the season.
PACK_OF = """async ([store, permit, brigade]) => {
  const outbox = await import("/static/js/field/outbox.js");
  const pack = await outbox.kept("pack");
  pack.stores = [{ code: store, name: store, region: "27" }];
  pack.permits = [{ number: permit }];
  pack.brigades = [{ id: brigade, name: "Brigade" }];
  await outbox.keep("pack", pack);
}"""


def correct(page: Page, number: int = 0) -> None:
    page.locator("[data-last] li").nth(number).get_by_role("button", name="Correct it").click()


def test_what_waits_is_changed_or_taken_back_before_it_is_sent(begin: Open, open_intake: Intake, blank: Mark) -> None:
    page = begin()
    keep_for_offline(page)
    choose(page, open_intake)
    page.context.set_offline(True)
    weigh(page, "214", "251", blank.code)
    weigh(page, "1198")
    page.click(".notebook-keep")
    waits(page, 2)
    correct(page)
    expect(page.locator("#mass")).to_have_value("1198")
    page.fill("#mass", "198")
    page.click(".notebook-keep")
    expect(page.locator("[data-last] li").first).to_contain_text("198 g")
    correct(page, 1)
    page.click("[data-off] summary")
    page.fill("#off-reason", "Weighed twice")
    page.click("[data-off-do]")
    expect(page.locator("[data-last] li").nth(1)).to_contain_text("taken back")
    weigh(page, "220", "251", blank.code)  # the label is free again
    waits(page, 3)
    page.context.set_offline(False)
    waits(page, 0)

    assert [one.mass_g for one in open_intake.rows.filter(row__gt=6).order_by("row")] == [198, 220]
    first, second, third = FieldRecord.objects.order_by("sequence")
    assert (first.state, first.decision, first.payload["row"]["mass_g"]) == ("set_aside", "Weighed twice", 214)
    assert (second.state, [was["mass_g"] for was in second.payload["former"]]) == ("accepted", [1198])
    assert third.state == "accepted"
    assert RowLabel.objects.get().row == 8


def test_what_was_sent_is_corrected_while_the_table_is_open(begin: Open, open_intake: Intake, inspector: User) -> None:
    page = begin()
    choose(page, open_intake)
    weigh(page, "214")
    weigh(page, "198")
    expect(page.locator("[data-last] [data-state=accepted]")).to_have_count(2)
    waits(page, 0)
    correct(page, 1)
    page.fill("#mass", "241")
    page.click(".notebook-keep")
    expect(page.locator("[data-last] [data-state=accepted]")).to_have_count(3)
    correct(page, 1)
    page.click("[data-off] summary")
    page.fill("#off-reason", "Weighed twice")
    page.click("[data-off-do]")
    expect(page.locator("[data-last] [data-state=accepted]")).to_have_count(4)

    assert [(one.row, one.mass_g) for one in open_intake.rows.filter(row__gt=6)] == [(7, 241)]
    cancel_intake(actor=inspector, at=timezone.now(), intake=open_intake, reason="Opened twice")
    page.reload()
    waits(page, 0)
    expect(page.locator("[data-last] button")).to_have_count(0)


def test_what_may_have_arrived_is_corrected_and_not_rewritten(begin: Open, open_intake: Intake) -> None:
    """The answer was lost: the phone does not know whether the record is there."""
    page = begin(workers=False)
    choose(page, open_intake)

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/api/v1/field/records/", lose)
    weigh(page, "214")
    waits(page, 1)
    expect(page.locator("[data-said]")).to_contain_text("failed")
    correct(page)
    page.fill("#mass", "241")
    page.click(".notebook-keep")
    waits(page, 2)
    page.unroute("**/api/v1/field/records/")
    page.click("[data-send]")
    waits(page, 0)

    assert [one.mass_g for one in open_intake.rows.filter(row__gt=6)] == [241]
    assert list(FieldRecord.objects.order_by("sequence").values_list("act", "state")) == [
        ("row", "accepted"),
        ("correct_row", "accepted"),
    ]


def test_photos_go_on_where_they_broke_off(begin: Open, open_intake: Intake) -> None:
    page = begin(workers=False)
    choose(page, open_intake)
    photos: list[FilePayload] = [
        {"name": f"IMG_{place}.jpg", "mimeType": "image/jpeg", "buffer": jpeg()} for place in range(3)
    ]
    assert all(len(photo["buffer"]) > 256 * 1024 for photo in photos)
    taken: list[tuple[str, int]] = []

    def some(route: Route) -> None:
        if len(taken) >= 3:
            return route.abort()
        answer = route.fetch()
        taken.append(_piece(route.request))
        return route.fulfill(response=answer)

    page.route("**/api/v1/field/photos/*/*/", some)
    page.set_input_files("#photo", photos)
    weigh(page, "214")
    expect(page.locator("[data-said]")).to_contain_text("failed")
    before = list(taken)
    status = page.locator("[data-status]")
    left = int(status.get_attribute("data-photos") or 0)
    assert 0 < left < 3
    assert FieldPhoto.objects.exclude(document=None).count() == 3 - left
    page.unroute("**/api/v1/field/photos/*/*/")
    page.on("request", lambda request: taken.append(_piece(request)) if request.method == "PUT" else None)
    page.click("[data-send]")
    waits(page, 0)

    assert len(set(taken)) == len(taken), "a piece that had arrived was sent again"
    assert len(taken) > len(before)
    kept = RowPhoto.objects.filter(intake=open_intake, row=7)
    assert sorted(_bytes(one) for one in kept) == sorted(photo["buffer"] for photo in photos)


def _piece(request: Request) -> tuple[str, int]:
    *_before, photo, start, _end = request.url.split("/")
    return photo, int(start)


def _bytes(photo: RowPhoto) -> bytes:
    with photo.document.file.open("rb") as kept:
        content: bytes = kept.read()
    return content


def test_what_is_sent_leaves_the_phone(begin: Open, open_intake: Intake, receive: Any, blank: Mark) -> None:
    page = begin()
    choose(page, open_intake)
    photo: FilePayload = {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": jpeg()}
    page.set_input_files("#photo", [photo])
    weigh(page, "214", "251", blank.code)
    page.evaluate("photo => { window.photo = photo }", base64.b64encode(jpeg()).decode())
    page.evaluate(ADD, [open_intake.pk, 20, 230])
    page.reload()
    waits(page, 0)
    expect(page.locator("[data-last] li")).to_have_count(12)
    kept = records(page)
    for _ in range(100):  # A promise is true before it is kept, so a wait in the page would not wait.
        if len(kept) == 12:
            break
        page.wait_for_timeout(100)
        kept = records(page)
    assert [one["sequence"] for one in kept] == list(range(10, 22))
    assert not any({"lat", "lon", "accuracy_m"} & set(one) for one in kept)
    everything = page.evaluate(EVERYTHING)
    assert blank.code not in everything
    assert "Тасболатов" not in everything
    assert page.evaluate("import('/static/js/field/outbox.js').then(o => o.waiting())")["photos"] == 0


EVERYTHING = """async () => {
  const outbox = await import("/static/js/field/outbox.js");
  const db = await outbox.database();
  const kept = [];
  for (const name of db.objectStoreNames) kept.push(await db.getAll(name));
  return JSON.stringify(kept);
}"""


def test_a_lost_phone_keeps_nothing_after_its_next_contact(
    begin: Open, open_intake: Intake, inspector: User, now: datetime
) -> None:
    """Photos on their way, a session that has ended, somebody signed out: it is wiped all the same."""
    page = begin()
    keep_for_offline(page)
    choose(page, open_intake)
    page.context.set_offline(True)
    photo: FilePayload = {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": jpeg()}
    page.set_input_files("#photo", [photo])
    weigh(page, "214")
    waits(page, 1, 1)
    FieldDevice.objects.update(signed_until=timezone.now() - timedelta(minutes=1))
    revoke_device(actor=inspector, at=now, device=FieldDevice.objects.get(), reason="Lost on the way")
    page.context.clear_cookies()
    page.context.set_offline(False)

    expect(page.locator("[data-gone]")).to_contain_text("revoked")
    assert page.evaluate("indexedDB.databases()") == []
    assert page.evaluate("caches.keys()") == []
    page.reload()
    expect(page.locator("[data-begin]")).to_be_visible()
    assert not FieldRecord.objects.exists()


def test_the_scanner_too_wipes_a_lost_phone(begin: Open, open_intake: Intake, inspector: User, now: datetime) -> None:
    page = begin()
    page.goto("/scan/?lang=en")
    page.wait_for_load_state("networkidle")
    assert "saiga-notebook" in page.evaluate(DATABASES)
    revoke_device(actor=inspector, at=now, device=FieldDevice.objects.get(), reason="Lost on the way")
    page.context.clear_cookies()
    page.click("[data-refresh]")
    for _time in range(50):
        if "saiga-notebook" not in page.evaluate(DATABASES):
            break
        page.wait_for_timeout(100)
    assert "saiga-notebook" not in page.evaluate(DATABASES)


DATABASES = "indexedDB.databases().then((found) => found.map((one) => one.name))"


def test_the_camera_reads_a_blank_label_into_the_notebook(
    browser: Browser, live_server: LiveServer, inspector: User, open_intake: Intake, blank: Mark, tmp_path: Path
) -> None:
    film, text = tmp_path / "label.mjpeg", f"HTTPS://SAIGA.GOV.KZ/M/{blank.code}"
    drawn = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode).to_image(scale=6)
    picture = Image.new("L", (640, 480), 190)
    label = Image.fromarray(drawn).convert("L").rotate(5, expand=True, fillcolor=255)
    picture.paste(label, ((640 - label.width) // 2, (480 - label.height) // 2))
    frame = io.BytesIO()
    picture.convert("RGB").save(frame, "JPEG", quality=80)
    film.write_bytes(frame.getvalue() * 30)
    seeing = browser.browser_type.launch(
        executable_path=CHROMIUM,
        args=[
            "--no-sandbox",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={film}",
        ],
    )
    with seeing, seeing.new_context(base_url=live_server.url) as context:
        context.grant_permissions(["camera"])
        sign_in(context, inspector)
        page = context.new_page()
        page.goto("/field/notebook/?lang=en")
        page.fill("#phone-name", "Redmi")
        page.press("#phone-name", "Enter")
        waits(page, 0)
        keep_for_offline(page)
        choose(page, open_intake)
        page.context.set_offline(True)
        page.reload()
        page.click("[data-camera-open]")
        expect(page.locator("#label")).to_have_value(text, timeout=15_000)
        expect(page.locator("[data-lens]")).to_be_hidden()
        page.fill("#mass", "214")
        page.click(".notebook-keep")
        waits(page, 1)
        page.context.set_offline(False)
        waits(page, 0)
    assert RowLabel.objects.get().mark == blank


def test_a_waiting_reception_is_taken_back_only_without_its_horns(
    begin: Open, evidence_room: CustodyAccount, police: Organisation
) -> None:
    page = begin()
    keep_for_offline(page)
    page.context.set_offline(True)
    page.click("[data-open-seizure] summary")
    for field, text in (("#s-protocol", "41/2025"), ("#s-place", "Жәнібек")):
        page.fill(field, text)
    page.select_option("#s-agency", police.bin)
    page.click("[data-open-seizure] button[type=submit]")
    waits(page, 1)
    said: list[str] = []

    def answer(dialog: Dialog) -> None:
        said.append(dialog.type)
        dialog.accept("Opened twice")

    page.on("dialog", answer)
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator("[data-last] li")).to_contain_text("taken back")
    page.context.set_offline(False)
    waits(page, 0)

    assert said == ["prompt"]
    assert FieldRecord.objects.get().state == "set_aside"
    assert not Case.objects.exists()


def test_thirteen_photos_are_refused_on_the_phone_and_by_the_register_and_stop_nothing(
    begin: Open, open_intake: Intake
) -> None:
    page = begin()
    choose(page, open_intake)
    photo: FilePayload = {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": jpeg()}
    page.set_input_files("#photo", [photo] * 13)
    expect(page.locator("[data-warning]")).to_contain_text("At most 12 photos")
    expect(page.locator("[data-chosen]")).to_have_text("(12)")
    # An older page knew no such limit.
    page.evaluate(MANY, [open_intake.pk, 13, base64.b64encode(jpeg()).decode()])
    page.click("[data-send]")
    expect(page.locator("[data-status]")).to_have_attribute("data-refused", "1", timeout=30_000)
    waits(page, 0)
    expect(page.locator("[data-waits]")).to_contain_text("not taken: 1")
    expect(page.locator("[data-refused-photo]")).to_contain_text("at most 12 photos")
    assert FieldPhoto.objects.exclude(document=None).count() == 13
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete the photo").click()

    expect(page.locator("[data-status]")).to_have_attribute("data-refused", "0")
    expect(page.locator("[data-waits]")).to_have_text("Everything is sent")


MANY = """async ([intake, count, photo]) => {
  const outbox = await import("/static/js/field/outbox.js");
  const bytes = Uint8Array.from(atob(photo), (sign) => sign.charCodeAt(0));
  const photos = Array.from({ length: count }, (_, at) => new File([bytes], `${at}.jpg`));
  const row = { side: "L", mass_g: 214, length_mm: 240 };
  await outbox.add({ act: "row", payload: { intake, row }, place: {}, title: "one", photos });
  await outbox.add({ act: "row", payload: { intake, row }, place: {}, title: "two", photos: photos.slice(0, 1) });
}"""


def test_a_photo_that_always_arrives_broken_is_set_aside_and_the_news_come(begin: Open, open_intake: Intake) -> None:
    page = begin()
    page.evaluate(MANY, [open_intake.pk, 1, base64.b64encode(jpeg()).decode()])
    page.evaluate(SPOIL)
    for _time in range(20):
        if page.locator("[data-status][data-refused='1']").count():
            break
        page.click("[data-send]")
        page.wait_for_timeout(500)

    expect(page.locator("[data-status]")).to_have_attribute("data-refused", "1", timeout=30_000)
    waits(page, 0)
    assert FieldPhoto.objects.exclude(document=None).count() == 1
    assert not FieldPiece.objects.exists()


SPOIL = """async () => {
  const outbox = await import("/static/js/field/outbox.js");
  const db = await outbox.database();
  const [one] = (await db.getAll("photos")).sort((a, b) => a.order - b.order);
  await db.put("photos", { ...one, sha256: "0".repeat(64) });
}"""


def test_a_revoked_phone_is_signed_out_of_everything(begin: Open, inspector: User, now: datetime) -> None:
    page = begin()
    page.goto("/field/")
    assert page.url.endswith("/field/")
    revoke_device(actor=inspector, at=now, device=FieldDevice.objects.get(), reason="Lost on the way")
    page.goto("/field/")

    assert "/accounts/login/" in page.url


def test_without_script_it_points_to_the_usual_page(phone: Callable[..., BrowserContext]) -> None:
    page = phone(scripts=False).new_page()
    page.goto("/field/notebook/?lang=en")

    expect(page.get_by_role("link", name="Weigh on the usual page")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1440])
def test_it_is_open_to_everybodys_hands(begin: Open, open_intake: Intake, width: int) -> None:
    page = begin()
    page.set_viewport_size({"width": width, "height": 740})
    results = Axe().run(page, options=RULES)

    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_the_copy_of_the_phone_speaks_the_language_of_the_person(begin: Open) -> None:
    page = begin()
    keep_for_offline(page)
    origin = page.evaluate("location.origin")
    page.context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": "ru", "url": origin}])

    page.goto("/field/notebook/")
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    page.context.set_offline(True)
    page.goto("/field/notebook/")
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    page.goto("/field/notebook/?lang=en")
    expect(page.locator("html")).to_have_attribute("lang", "en")

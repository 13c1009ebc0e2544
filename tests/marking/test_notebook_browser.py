"""The notebook in a real browser: the network goes, pages close, answers are lost, and each record arrives once."""

import base64
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, FilePayload, Page, expect
from pytest_django.live_server_helper import LiveServer

from core.accounts.models import User
from marking.models import FieldDevice, FieldPhoto, FieldRecord, Mark, RowLabel
from marking.services.devices import revoke_device
from registry.models import Intake, RowPhoto
from registry.services import cancel_intake

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
        page.press("#phone-name", "Enter")
        expect(page.locator("[data-main]")).to_be_visible()
        waits(page, 0)
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
    assert FieldRecord.objects.filter(lat__isnull=False).exists()


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

    assert FieldRecord.objects.get().state == "accepted"
    kept = page.evaluate("import('/static/js/field/outbox.js').then(o => o.records())")
    assert [record["payload"] for record in kept] == [None]


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

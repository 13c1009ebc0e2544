"""The scanner in a real browser: it sees, it tells, it works without network, and it never calls green what is not."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from core.accounts.models import Organisation, User
from ledger.models import Hold
from ledger.services import lift_hold, place_hold
from ledger.sscc import make_sscc
from marking import field
from marking.models import Check, Mark, SigningKey
from marking.payload import to_text
from marking.services.copies import find_copies
from marking.services.snapshots import make_edition
from tests.cast import PASSWORD
from tests.conftest import CHROMIUM
from tests.marks import decide_key, end_mark, print_again

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
STATE_CODE = "0104870000000012215Ab%cdEFgHiJ\x1d91EE06\x1d92QUJD"
PREFIX = "HTTPS://SAIGA.GOV.KZ/M/"

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Visit]:
    """`visit()`: the scanner on a fresh phone. Errors, refusals by CSP and foreign addresses fail the test."""
    faults: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            faults.append(message.text)

    with ExitStack() as contexts:

        def open_page(path: str = "/scan/?lang=en", *, width: int = 360, scripts: bool = True) -> Page:
            context = contexts.enter_context(
                browser.new_context(
                    base_url=live_server.url,
                    viewport={"width": width, "height": 740},
                    java_script_enabled=scripts,
                    locale="en-GB",
                    timezone_id="Asia/Almaty",
                )
            )
            page = context.new_page()
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on("console", note)
            page.on(
                "request",
                lambda request: None if request.url.startswith(live_server.url) else faults.append(request.url),
            )
            page.goto(path)
            return page

        yield open_page
        assert faults == []


def printed(mark: Mark) -> str:
    return PREFIX + to_text(bytes(mark.payload), bytes(mark.signature))


def test_a_hidden_code_is_sent_by_a_real_browser(visit: Visit, marks: list[Mark]) -> None:
    """Whatever the page says of its referrer, the browser still names itself to the check against forged requests."""
    page = visit("/m/once/?lang=en", scripts=False)
    page.fill("input[name=code]", marks[0].code)
    page.fill("input[name=hidden]", "AAAA-AAAA")
    page.click("main form button[type=submit]")

    expect(page.locator("main")).to_contain_text("Not the hidden code of this mark")


def scan(page: Page, text: str) -> None:
    """What a gun does."""
    page.fill("#text", text)
    page.press("#text", "Enter")


def says(page: Page, tone: str, title: str) -> None:
    expect(page.locator(f".verdict-{tone} .verdict-title")).to_have_text(title)


# Promises, since the pages' rules of content refuse what Playwright's own waiting evaluates from its second look on.
CONTROLLED = """new Promise((done) => {
    const worker = navigator.serviceWorker;
    worker.addEventListener("controllerchange", () => done(null), {once: true});
    if (worker.controller) done(null);
})"""
GONE = """(name) => new Promise((done) => {
    const look = async () => ((await caches.has(name)) ? setTimeout(look, 50) : done(null));
    look();
})"""


def wait_until_known(page: Page) -> None:
    """The keys and the snapshot are on the phone, and the service worker has everything."""
    expect(page.locator("[data-freshness].notice-ok")).to_be_visible()
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    page.evaluate(CONTROLLED)


def test_it_says_what_the_registry_says(visit: Visit, marks: list[Mark]) -> None:
    make_edition(at=datetime.now(UTC))
    page = visit()

    scan(page, printed(marks[0]))
    says(page, "ok", "Genuine and in order")
    expect(page.locator("[data-facts]")).to_contain_text("Saiga horn")
    expect(page.locator("[data-facts]")).to_contain_text("Checked: this symbol was signed by the registry")
    expect(page.locator("[data-facts]")).not_to_contain_text("Where it is")
    scan(page, marks[0].code.lower())
    says(page, "attention", "Code known, label not checked")
    scan(page, "HTTPS://EXAMPLE.COM/M/" + marks[0].code)
    says(page, "stop", "Not our address")
    scan(page, marks[0].code[:-1] + ("0" if marks[0].code[-1] != "0" else "1"))
    says(page, "attention", "Check what you typed")
    expect(page.locator("[data-latest] li")).to_have_count(4)


def test_it_works_without_network(visit: Visit, marks: list[Mark], authority_officer: User) -> None:
    place_hold(
        actor=authority_officer,
        at=datetime.now(UTC),
        item_ids=[marks[1].item.pk],
        kind=Hold.Kind.COURT,
        reference="12-2026",
    )
    make_edition(at=datetime.now(UTC))
    page = visit()
    wait_until_known(page)

    page.context.set_offline(True)
    page.goto("/scan/?lang=ru")
    page.goto("/scan/")
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    page.goto("/scan/?lang=en")
    expect(page.locator("[data-freshness].notice-ok")).to_be_visible()
    fonts = page.evaluate("document.fonts.ready.then(() => document.fonts.check('16px \"Noto Sans\"'))")
    assert fonts

    scan(page, printed(marks[0]))
    says(page, "ok", "Genuine and in order")
    expect(page.locator("[data-age]")).to_contain_text("Told by this phone alone")
    scan(page, printed(marks[1]))
    says(page, "attention", "Genuine, but held")
    scan(page, marks[0].code)
    says(page, "attention", "Code known, label not checked")
    page.goto(f"/M/{to_text(bytes(marks[0].payload), bytes(marks[0].signature))}")
    says(page, "ok", "Genuine and in order")


def test_what_the_registry_said_is_not_forgotten_with_the_network(
    visit: Visit, marks: list[Mark], inspector: User, storekeeper: User, authority_officer: User
) -> None:
    at = datetime.now(UTC)
    make_edition(at=at)
    page = visit()
    wait_until_known(page)
    former = printed(marks[0])
    print_again(marks[0], b"x", b"y", asker=inspector, approver=storekeeper, at=at)
    end_mark(marks[1], "void", asker=inspector, approver=storekeeper, at=at)
    item = marks[2].item.pk
    place_hold(actor=authority_officer, at=at, item_ids=[item], kind=Hold.Kind.COURT, reference="12-2026")
    said = {
        former: ("stop", "Genuine, but an old print"),
        printed(marks[1]): ("stop", "Genuine, but void"),
        printed(marks[2]): ("attention", "Genuine, but held by a court"),
    }
    for text, (tone, title) in said.items():
        scan(page, text)
        says(page, tone, title)
        expect(page.locator("[data-age]")).to_have_text("Told by the registry.")
    scan(page, printed(marks[3]))
    says(page, "ok", "Genuine and in order")
    assert page.evaluate(UNTIL_TOLD, 3)

    page.context.set_offline(True)
    page.goto("/scan/?lang=en")
    for text, (tone, title) in said.items():
        scan(page, text)
        says(page, tone, title)
        expect(page.locator("[data-age]")).to_contain_text("The registry told this phone so on")
    scan(page, marks[1].code)
    says(page, "stop", "Genuine, but void")
    scan(page, printed(marks[3]))
    says(page, "ok", "Genuine and in order")
    assert marks[1].code not in page.evaluate(KEPT_TOLD)

    # A later snapshot knows better.
    at = datetime.now(UTC) + timedelta(seconds=1)  # an edition is of a whole second
    lift_hold(actor=authority_officer, at=at, item_ids=[item], kind=Hold.Kind.COURT, reason="Decided")
    make_edition(at=at)
    page.context.set_offline(False)
    fetch_what_is_new(page)
    assert page.evaluate(UNTIL_TOLD, 0)
    page.context.set_offline(True)
    page.goto("/scan/?lang=en")
    scan(page, printed(marks[2]))
    says(page, "ok", "Genuine and in order")
    scan(page, former)
    says(page, "stop", "Genuine, but an old print")


UNTIL_TOLD = """async (count) => {
  const { recall } = await import("/static/js/field/store.js");
  for (let turn = 0; turn < 400; turn++) {
    if ((await recall()).told.size === count) return true;
    await new Promise((done) => setTimeout(done, 25));
  }
  return false;
}"""
KEPT_TOLD = """async () => JSON.stringify([...(await (await import("/static/js/field/store.js")).recall()).told])"""


@pytest.mark.parametrize("width", [360, 1440])
def test_it_can_be_used_by_everybody(visit: Visit, marks: list[Mark], width: int) -> None:
    make_edition(at=datetime.now(UTC))
    page = visit(width=width)
    scan(page, printed(marks[0]))
    says(page, "ok", "Genuine and in order")

    problems = Axe().run(page, options=RULES).response["violations"]

    assert [f"{problem['id']}: {problem['nodes'][0]['html']}" for problem in problems] == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_it_checks_without_script(visit: Visit, marks: list[Mark]) -> None:
    page = visit(scripts=False)

    scan(page, printed(marks[0]))

    says(page, "ok", "Genuine and in order")
    assert "/m/" in page.url


def test_old_news_are_amber_never_green(visit: Visit, marks: list[Mark]) -> None:
    make_edition(at=datetime.now(UTC) - timedelta(hours=25))
    page = visit()
    expect(page.locator("[data-freshness].notice-attention")).to_contain_text("knows 6 marks")
    page.context.set_offline(True)

    scan(page, printed(marks[0]))

    says(page, "attention", "Genuine, but this phone knows old news")


def test_green_ends_at_the_minute_when_the_news_are_too_old(visit: Visit, marks: list[Mark]) -> None:
    made = datetime.now(UTC).replace(microsecond=0)
    make_edition(at=made)
    page = visit()
    wait_until_known(page)
    page.context.set_offline(True)
    oldest = page.evaluate(OLDEST)
    boundary = datetime.fromtimestamp(oldest / 1000, UTC) + timedelta(hours=settings.FIELD_STALE_AFTER)
    page.clock.install(time=boundary - timedelta(seconds=30))
    page.goto("/scan/?lang=en")
    expect(page.locator("[data-freshness].notice-ok")).to_contain_text("h ago")
    page.clock.pause_at(boundary)
    scan(page, printed(marks[0]))
    says(page, "ok", "Genuine and in order")
    expect(page.locator("[data-age]")).to_contain_text("h ago")

    page.clock.run_for(61_000)
    says(page, "attention", "Genuine, but this phone knows old news")
    expect(page.locator("[data-freshness].notice-attention")).to_contain_text("Too old")
    scan(page, printed(marks[0]))
    says(page, "attention", "Genuine, but this phone knows old news")
    # A clock that is set back makes nothing fresh again.
    page.clock.set_system_time(boundary - timedelta(hours=12))
    page.goto("/scan/?lang=en")
    scan(page, printed(marks[0]))
    says(page, "attention", "Genuine, but this phone knows old news")


def test_a_clock_that_was_set_back_makes_nothing_green(visit: Visit, marks: list[Mark]) -> None:
    """One check, or one look at the page, at a later hour is enough; and no answer of the registry takes it back."""
    made = datetime.now(UTC).replace(microsecond=0)
    make_edition(at=made)
    page = visit()
    wait_until_known(page)
    page.context.set_offline(True)
    page.clock.install(time=made + timedelta(minutes=30))
    page.goto("/scan/?lang=en")
    scan(page, printed(marks[0]))
    says(page, "ok", "Genuine and in order")
    # Less than a minute at the later hour, and no minute passes on the page.
    page.clock.pause_at(made + timedelta(days=5))
    scan(page, printed(marks[0]))
    says(page, "attention", "Genuine, but this phone knows old news")
    page.clock.set_system_time(made + timedelta(hours=1))
    page.goto("/scan/?lang=en")
    expect(page.locator("[data-freshness].notice-attention")).to_be_visible()
    scan(page, printed(marks[0]))
    says(page, "attention", "Genuine, but this phone knows old news")
    assert page.evaluate(SEEN) >= (made + timedelta(days=5)).timestamp() * 1000


def test_a_clock_set_back_by_an_hour_makes_nothing_green_either(visit: Visit, marks: list[Mark]) -> None:
    made = datetime.now(UTC).replace(microsecond=0)
    make_edition(at=made)
    page = visit()
    wait_until_known(page)
    page.context.set_offline(True)
    page.clock.install(time=made + timedelta(hours=3))
    page.goto("/scan/?lang=en")
    expect(page.locator("[data-freshness].notice-ok")).to_be_visible()
    page.clock.set_system_time(made + timedelta(hours=2))
    scan(page, printed(marks[0]))
    says(page, "attention", "Genuine, but this phone knows old news")
    page.clock.set_system_time(made + timedelta(hours=4))
    scan(page, printed(marks[0]))
    says(page, "ok", "Genuine and in order")


def test_a_clock_that_was_ahead_is_forgiven_once_the_registry_agrees_with_it(visit: Visit, marks: list[Mark]) -> None:
    make_edition(at=datetime.now(UTC))
    page = visit()
    wait_until_known(page)
    page.evaluate(SEE_LATER, 5 * 86_400_000)
    page.goto("/scan/?lang=en")
    expect(page.locator("[data-freshness].notice-ok")).to_be_visible()
    # A page whose clock is wrong is not forgiven, with network or without.
    page.evaluate(SEE_LATER, 5 * 86_400_000)
    page.clock.install(time=datetime.now(UTC) - timedelta(hours=2))
    page.goto("/scan/?lang=en")
    page.wait_for_load_state("networkidle")
    expect(page.locator("[data-freshness].notice-attention")).to_be_visible()


SEEN = """async () => (await (await import("/static/js/field/store.js")).recall()).seenAt"""
SEE_LATER = """async (more) => (await import("/static/js/field/store.js")).witness(Date.now() + more)"""


def test_no_place_is_sent_until_the_person_allows_it_and_never_exactly(visit: Visit, marks: list[Mark]) -> None:
    page = visit()
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"latitude": 51.23456, "longitude": 51.36789})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "check.json" in request.url else None)
    scan(page, printed(marks[0]))
    says(page, "ok", "Genuine and in order")
    assert "place=" not in asked[-1]

    page.check("[data-place-on]")
    expect(page.locator("[data-place-said]")).to_contain_text("51.2,51.4")
    page.reload()
    expect(page.locator("[data-place-said]")).to_contain_text("51.2,51.4")
    scan(page, printed(marks[0]))
    says(page, "ok", "Genuine and in order")
    assert "place=51.2%2C51.4" in asked[-1]
    page.select_option("[data-place-region]", "27")
    scan(page, printed(marks[1]))
    says(page, "ok", "Genuine and in order")
    assert "place=27" in asked[-1]
    page.uncheck("[data-place-on]")
    scan(page, marks[2].code)
    expect(page.locator("[data-latest] li")).to_have_count(3)
    assert "place=" not in asked[-1]
    assert not any("51.23" in url for url in asked)


def test_a_mark_under_an_alert_is_called_copied(visit: Visit, marks: list[Mark], committee: Organisation) -> None:
    for hours, place in ((0, (43.2, 76.9)), (1, (51.2, 51.4))):
        Check.objects.create(
            at=datetime.now(UTC) + timedelta(hours=hours), code=marks[0].code, verdict="genuine", channel="app",
            is_signed=True, who="public", lat=place[0], lon=place[1], regions=["75"], visitor=hours,
        )  # fmt: skip
    assert find_copies(at=datetime.now(UTC) + timedelta(hours=2))
    page = visit()

    scan(page, printed(marks[0]))

    says(page, "stop", "Genuine, but perhaps copied")
    expect(page.locator("[data-latest]")).to_contain_text("perhaps copied")


def test_whatever_is_read_the_page_is_never_green_and_never_breaks(visit: Visit, marks: list[Mark]) -> None:
    """Through the form itself, without network: random bytes, foreign symbols, old versions, every bit flipped."""
    make_edition(at=datetime.now(UTC))
    page = visit()
    wait_until_known(page)
    page.context.set_offline(True)
    draw = Random(5)
    raw = bytes(marks[0].payload) + bytes(marks[0].signature)
    texts = [
        "\x00",
        "💥" * 40,
        "A" * 500,
        "WIFI:S:x;;",
        "javascript:alert(1)",
        "<img src=x onerror=alert(1)>",
        STATE_CODE,
    ]
    texts += [draw.randbytes(draw.randint(1, 200)).decode("latin-1") for _time in range(150)]
    changed = [bytes([version]) + raw[1:] for version in range(256) if version != raw[0]]
    for place in range(8 * len(raw)):
        flipped = bytearray(raw)
        flipped[place // 8] ^= 1 << place % 8
        changed.append(bytes(flipped))
    changed += [draw.randbytes(len(raw)) for _time in range(100)] + [raw[:-1], raw[1:], raw + b"\0"]
    texts += [PREFIX + to_text(one[:-64], one[-64:]) for one in changed]

    tones = page.evaluate(READ_ALL, texts)

    assert len(tones) == len(texts)
    assert set(tones) <= {"attention", "stop", "neutral"}
    scan(page, printed(marks[0]))
    says(page, "ok", "Genuine and in order")


OLDEST = """async () => {
  const { snapshot, keysAt } = await (await import("/static/js/field/store.js")).recall();
  return Math.min(snapshot.madeAt, keysAt);
}"""
READ_ALL = """async (texts) => {
  const form = document.querySelector("[data-scanner]");
  const verdict = document.querySelector("[data-verdict]");
  const title = () => verdict.querySelector(".verdict-title").textContent;
  const tones = [];
  for (const text of texts) {
    verdict.className = "";
    verdict.querySelector(".verdict-title").textContent = "";
    location.hash = "";
    form.elements.namedItem("text").value = text;
    form.dispatchEvent(new Event("submit", { cancelable: true }));
    // A blank text asks nothing.
    if (!form.elements.namedItem("text").value.trim()) { tones.push("neutral"); continue; }
    for (let turn = 0; turn < 400 && (!title() || title() === "Checking …"); turn++) {
      await new Promise((done) => setTimeout(done, 5));
    }
    tones.push(/verdict-([a-z]+)/.exec(verdict.className)?.[1] ?? `nothing for ${text}`);
  }
  return tones;
}"""


def test_without_a_snapshot_the_signature_is_genuine_and_the_state_unknown(visit: Visit, marks: list[Mark]) -> None:
    page = visit()
    page.wait_for_load_state("networkidle")
    expect(page.locator("[data-freshness]")).to_contain_text("knows nothing")
    page.context.set_offline(True)

    scan(page, printed(marks[0]))

    says(page, "attention", "Genuine, but state unknown")


def test_the_camera_reads_a_label(browser: Browser, live_server: LiveServer, marks: list[Mark], tmp_path: Path) -> None:
    """The camera is a film of the printed symbol; the reader is the one that the site keeps."""
    film = tmp_path / "label.mjpeg"
    film.write_bytes(_frame(zxingcpp.BarcodeFormat.QRCode, printed(marks[0])) * 30)
    with _seeing(browser, film) as seeing, seeing.new_context(base_url=live_server.url) as context:
        context.grant_permissions(["camera"])
        page = context.new_page()
        page.goto("/scan/?lang=en")
        page.click("[data-open]")
        says(page, "ok", "Genuine and in order")
        expect(page.locator("[data-facts]")).to_contain_text("Checked: this symbol was signed by the registry")
        page.click("[data-close]")
        expect(page.locator("[data-view]")).to_be_hidden()


def _seeing(browser: Browser, film: Path) -> Browser:
    return browser.browser_type.launch(
        executable_path=CHROMIUM,
        args=[
            "--no-sandbox",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={film}",
        ],
    )


def _frame(symbol: zxingcpp.BarcodeFormat, text: str) -> bytes:
    """One picture of a film: a label held before a camera."""
    scale = 3 if symbol == zxingcpp.BarcodeFormat.Code128 else 5
    drawn = zxingcpp.create_barcode(text, symbol).to_image(scale=scale)
    label = Image.fromarray(drawn).convert("L").rotate(7, expand=True, fillcolor=255)
    picture = Image.new("L", (640, 480), 190)
    picture.paste(label, ((640 - label.width) // 2, (480 - label.height) // 2))
    content = io.BytesIO()
    picture.convert("RGB").save(content, "JPEG", quality=80)
    return content.getvalue()


@pytest.mark.parametrize(
    ("symbol", "text", "title"),
    [
        (zxingcpp.BarcodeFormat.DataMatrix, f"{PREFIX}7H4Q9TX2MW8H", "Not in the registry"),
        (
            zxingcpp.BarcodeFormat.DataMatrix,
            STATE_CODE,
            "State code of goods",
        ),
        (zxingcpp.BarcodeFormat.Code128, f"00{make_sscc('487000000', 1)}", "A box or a pallet"),
        (zxingcpp.BarcodeFormat.QRCode, "https://evil.example/M/7H4Q9TX2MW8H", "Not our address"),
        (zxingcpp.BarcodeFormat.QRCode, "WIFI:S:market;T:WPA;P:secret;;", "Not ours"),
    ],
    ids=["datamatrix", "state", "sscc", "foreign", "wifi"],
)
def test_the_camera_says_what_it_sees_and_opens_nothing(
    browser: Browser, live_server: LiveServer, tmp_path: Path, symbol: zxingcpp.BarcodeFormat, text: str, title: str
) -> None:
    film = tmp_path / "label.mjpeg"
    film.write_bytes(_frame(symbol, text) * 30)
    with _seeing(browser, film) as seeing, seeing.new_context(base_url=live_server.url) as context:
        context.grant_permissions(["camera"])
        page = context.new_page()
        foreign: list[str] = []
        page.on("request", lambda request: foreign.append(request.url))
        page.goto("/scan/?lang=en")
        page.click("[data-open]")
        expect(page.locator(".verdict-title")).to_have_text(title)
        expect(page.locator(".verdict-ok")).to_have_count(0)
        assert [url for url in foreign if not url.startswith(live_server.url)] == []
        assert page.url == f"{live_server.url}/scan/?lang=en"


def test_only_changes_are_fetched_and_a_key_that_was_lost_is_not_trusted(
    visit: Visit, marks: list[Mark], signing_key: SigningKey, authority_officer: User, authority_head: User
) -> None:
    make_edition(at=datetime.now(UTC))
    page = visit()
    wait_until_known(page)
    at = datetime.now(UTC)
    item = marks[0].item.pk
    place_hold(actor=authority_officer, at=at, item_ids=[item], kind=Hold.Kind.COURT, reference="12-2026")
    make_edition(at=at)
    make_edition(at=at + timedelta(seconds=1))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/m/")[2]))

    fetch_what_is_new(page)
    page.context.set_offline(True)
    scan(page, printed(marks[0]))
    says(page, "attention", "Genuine, but held")
    assert asked[:4] == ["keys.json", "snapshot.json", "snapshot/2.bin", "snapshot/3.bin"]
    assert "snapshot.bin" not in asked

    decide_key(signing_key, "compromise", asker=authority_officer, second=authority_head, at=at)
    with page.expect_response("**/m/snapshot.json"):
        page.context.set_offline(False)
    expect(page.locator("[data-freshness]")).not_to_contain_text("Fetching")
    page.context.set_offline(True)
    scan(page, printed(marks[1]))
    says(page, "attention", "Check with network")


def test_all_marks_of_an_earlier_hour_do_not_take_the_place_of_later_ones(
    visit: Visit, marks: list[Mark], authority_officer: User
) -> None:
    """Whoever stands between the phone and the registry can hand out an old file, signed and whole."""
    at = datetime.now(UTC)
    former = bytes(make_edition(at=at - timedelta(minutes=10)).full or b"")
    place_hold(actor=authority_officer, at=at, item_ids=[marks[0].item.pk], kind=Hold.Kind.COURT, reference="12-2026")
    make_edition(at=at)
    page = visit()
    wait_until_known(page)
    index = page.request.get("/m/snapshot.json").json()
    page.route("**/m/snapshot.json", lambda route: route.fulfill(json=index | {"edition": 9, "sha256": "0" * 64}))
    page.route("**/m/snapshot/*.bin", lambda route: route.fulfill(status=404))
    page.route("**/m/snapshot.bin", lambda route: route.fulfill(body=former))

    with page.expect_response("**/m/snapshot.bin"):
        fetch_what_is_new(page)
    page.context.set_offline(True)
    scan(page, printed(marks[0]))

    says(page, "attention", "Genuine, but held")


def test_a_key_that_was_lost_once_stays_lost_whatever_a_later_list_says(
    visit: Visit, marks: list[Mark], signing_key: SigningKey, authority_officer: User, authority_head: User
) -> None:
    at = datetime.now(UTC)
    make_edition(at=at)
    page = visit()
    wait_until_known(page)
    listed = page.request.get("/m/keys.json").json()
    decide_key(signing_key, "compromise", asker=authority_officer, second=authority_head, at=at)
    fetch_what_is_new(page)

    for former in (listed, listed | {"keys": []}):
        page.route("**/m/keys.json", answering(former))
        # The page asks by itself too once there is network again: whichever asks is answered so.
        with page.expect_response("**/m/keys.json"):
            page.context.set_offline(False)
            fetch_what_is_new(page)
        page.context.set_offline(True)
        scan(page, printed(marks[0]))
        says(page, "attention", "Check with network")


def test_nothing_private_is_kept_and_all_can_be_forgotten(visit: Visit, marks: list[Mark], inspector: User) -> None:
    make_edition(at=datetime.now(UTC))
    page = visit("/accounts/login/")
    page.fill("[name=login]", inspector.username)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.goto("/scan/?lang=en")
    wait_until_known(page)
    scan(page, printed(marks[0]))
    expect(page.locator("[data-facts]")).to_contain_text("Where it is")
    page.goto("/intakes/")
    page.goto("/scan/?lang=en")
    kept = page.evaluate(KEPT)
    pages = {path.split("?")[0] for path in kept if not path.startswith("/static/")}
    assert {"/scan/", "/language"} <= pages <= {"/scan/", "/language", "/field/notebook/"}
    assert not any(inspector.last_name in text for text in kept.values())

    page.on("dialog", lambda dialog: dialog.accept())
    page.click("[data-forget]")
    expect(page.locator("[data-freshness]")).to_contain_text("Everything was forgotten")
    assert page.evaluate("caches.keys()") == []
    assert page.evaluate("indexedDB.databases()") == []


def test_a_newer_version_waits_until_the_person_agrees(
    visit: Visit, marks: list[Mark], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_edition(at=datetime.now(UTC))
    page = visit()
    wait_until_known(page)
    before = page.evaluate("caches.keys()")
    monkeypatch.setattr("marking.views.scanner.field.worker", _another(field.worker))

    page.reload()
    expect(page.locator("[data-update]")).to_be_visible()
    with page.expect_event("load"):
        page.click("[data-update] button")

    page.evaluate(GONE, before[0])
    assert len([name for name in page.evaluate("caches.keys()") if name != "field-memory"]) == 1


def _another(worker: Callable[[Mapping[str, str]], str]) -> Callable[[Mapping[str, str]], str]:
    return lambda shells: worker({address: f"{content} " for address, content in shells.items()})


KEPT = """async () => {
  const kept = {};
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const url = new URL(request.url);
      kept[url.pathname + url.search] = await (await cache.match(request)).text();
    }
  }
  return kept;
}"""


def answering(said: object) -> Callable[[Route], None]:
    """Says this, whatever is asked."""
    return lambda route: route.fulfill(json=said)


def fetch_what_is_new(page: Page) -> None:
    page.click("[data-refresh]")
    expect(page.locator("[data-freshness]")).not_to_contain_text("Fetching")

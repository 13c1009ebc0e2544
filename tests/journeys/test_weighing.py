"""The weighing table under the hands of people: a scale, a spreadsheet, a lost connection, two people at once."""

import io
import re
from collections.abc import Callable, Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.journeys.conftest import DESK, PASSWORD, PHONE, SignIn

pytestmark = pytest.mark.xdist_group("system")

Open = Callable[[Page], str]


@pytest.fixture
def open_reception() -> Open:
    """Opens a reception of two males with the form, as an inspector does; its address."""

    def opened(page: Page) -> str:
        page.goto("/intakes/open/removal/")
        page.select_option("select[name=brigade]", index=1)
        page.fill("input[name=on]", "2025-11-28")
        for name, value in {"males": "2", "females": "1", "young": "0", "carcasses": "3"}.items():
            page.fill(f"input[name={name}]", value)
        page.press("input[name=carcasses]", "Enter")
        page.wait_for_url(re.compile(r"/intakes/\d+/$"))
        return page.url

    return opened


def type_key(page: Page, key: str) -> None:
    """A key of a Kazakh or Russian keyboard, which the browser's driver does not know."""
    page.evaluate(
        """key => {
            const pressed = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
            document.activeElement.dispatchEvent(pressed);
        }""",
        key,
    )


def weigh(page: Page, *typed: str) -> None:
    """What hands and scale send: single letters are keys, "Enter" is Enter, the rest is typed."""
    for text in typed:
        if text == "Enter":
            page.keyboard.press("Enter")
        elif len(text) == 1 and not text.isdigit():
            type_key(page, text)
        else:
            page.keyboard.type(text)


def shown(page: Page, name: str) -> str:
    return page.locator(f".sheet-sums [data-sum={name}]").inner_text()


def masses(page: Page) -> list[str]:
    cells = page.locator("[data-rows] [data-cell=mass]").all()
    return [value for cell in cells if (value := cell.input_value())]


def saved(page: Page) -> None:
    expect(page.locator("[data-state]")).to_have_attribute("data-saved", "yes")


def test_a_scale_and_a_keyboard_fill_the_table(sign_in: SignIn, open_reception: Open) -> None:
    page = sign_in("inspector")
    open_reception(page)
    expect(page.locator("[data-row='1'] [data-cell=side]")).to_be_focused()

    weigh(page, "С", "215", "Enter", "245", "Enter")
    weigh(page, "П", "0,198", "Enter", "Enter")
    weigh(page, "l", "20 g", "Enter", "Enter")
    saved(page)
    page.check("[data-skip-length]")
    page.locator("[data-row='4'] [data-cell=side]").focus()
    weigh(page, "R", "ST,GS,+ 0.222kg", "Enter")

    expect(page.locator("[data-row='5'] [data-cell=side]")).to_be_focused()
    saved(page)
    assert masses(page) == ["215", "198", "20", "222"]
    assert (shown(page, "pieces"), shown(page, "left"), shown(page, "right")) == ("4", "2", "2")
    expect(page.locator("[data-row='3']")).to_have_class(re.compile("row-attention"))
    page.keyboard.press("ArrowUp")
    expect(page.locator("[data-row='4'] [data-cell=side]")).to_be_focused()
    page.reload()
    assert masses(page) == ["215", "198", "20", "222"]
    assert page.locator("[data-row='2'] [data-cell=side]").input_value() == "R"


def test_rows_of_a_spreadsheet_are_pasted(sign_in: SignIn, open_reception: Open) -> None:
    page = sign_in("inspector")
    open_reception(page)
    text = "Сторона\tМасса\tДлина\tСостояние\nлевый\t201\t240\tцелый\nоң\t0,199\t\tсынған\nboth\t188\t\t\n"

    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const paste = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
            document.activeElement.dispatchEvent(paste);
        }""",
        text,
    )

    assert masses(page) == ["201", "199", "188"]
    expect(page.locator("[data-row='3']")).to_have_class(re.compile("row-stop"))
    expect(page.locator("[data-row='1']")).not_to_have_class(re.compile("row-stop"))
    assert page.locator("[data-row='2'] [data-cell=condition]").input_value() == "broken"
    page.click("[data-register] button[name=print]")
    expect(page.locator("[data-register-error]")).to_be_visible()
    page.select_option("[data-row='3'] [data-cell=side]", "R")
    saved(page)


def test_nothing_is_lost_without_a_connection(sign_in: SignIn, open_reception: Open) -> None:
    page = sign_in("inspector", phone=True)
    address = open_reception(page)
    page.locator("[data-row='1'] [data-cell=side]").focus()
    weigh(page, "l", "215", "Enter", "Enter")
    saved(page)

    page.context.set_offline(True)
    weigh(page, "r", "208", "Enter", "Enter")
    expect(page.locator("[data-state]")).to_have_attribute("data-tone", "attention")
    page.context.set_offline(False)
    saved(page)

    # A page that is closed before it could save brings its rows back.
    page.route("**/rows/", lambda route: route.abort())
    weigh(page, "l", "199", "Enter", "Enter")
    page.wait_for_timeout(600)
    page.unroute("**/rows/")
    page.goto("/intakes/")
    page.goto(address)
    saved(page)
    assert masses(page) == ["215", "208", "199"]


def test_two_people_weigh_into_one_table(sign_in: SignIn, open_reception: Open) -> None:
    first, second = sign_in("inspector"), sign_in("inspector")
    second.goto(open_reception(first))

    weigh(first, "l", "201", "Enter", "Enter")
    saved(first)
    weigh(second, "r", "202", "Enter", "Enter")
    saved(second)
    assert sorted(masses(second)) == ["201", "202"]

    first.reload()
    first.fill("[data-row='1'] [data-cell=mass]", "150")
    first.keyboard.press("Enter")
    saved(first)
    second.fill("[data-row='1'] [data-cell=mass]", "160")
    second.keyboard.press("Enter")
    dispute = second.locator("[data-row='1'] [data-why]")
    expect(dispute).to_contain_text("150")
    dispute.get_by_role("button").first.click()
    saved(second)

    assert sorted(masses(second)) == ["150", "202"]
    first.reload()
    assert sorted(masses(first)) == ["150", "202"]


def test_a_photo_is_taken_by_one_key(sign_in: SignIn, open_reception: Open) -> None:
    page = sign_in("inspector")
    open_reception(page)
    weigh(page, "l", "201", "Enter", "Enter")
    file = io.BytesIO()
    Image.new("RGB", (400, 300), (190, 170, 110)).save(file, "JPEG")

    picture_of_horn: FilePayload = {"name": "horn.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}
    page.on("filechooser", lambda chooser: chooser.set_files(picture_of_horn))

    page.focus("[data-row='1'] [data-cell=mass]")
    page.keyboard.press("f")

    picture = page.locator("[data-row='1'] [data-pictures] img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


@pytest.fixture
def plain(browser: Browser, system: str) -> Iterator[Page]:
    """An inspector whose browser runs no scripts."""
    size = {"width": PHONE["width"], "height": DESK["height"]}
    with browser.new_context(base_url=system, java_script_enabled=False, viewport=size) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto("/accounts/login/")
        page.fill("input[name=login]", "inspector")
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        yield page


def test_without_scripts_the_table_is_a_form(plain: Page, open_reception: Open) -> None:
    address = open_reception(plain)
    plain.select_option("[name=side-1]", "L")
    plain.fill("[name=mass-1]", "0,207")
    plain.fill("[name=mass-2]", "heavy")

    plain.click("form[data-sheet] .sheet-save button")
    expect(plain.locator("[name=mass-2]")).to_have_value("heavy")
    plain.fill("[name=mass-2]", "211")
    plain.click("form[data-sheet] .sheet-save button")

    plain.goto(address)
    assert masses(plain) == ["207", "211"]
    plain.click("[data-register] button:not([name])")
    expect(plain.locator("h1")).to_contain_text(re.compile(r"IN25-\d{6}"))
    assert len(set(re.findall(r"KZ25-\d{7}", plain.locator("main").inner_text()))) == 2

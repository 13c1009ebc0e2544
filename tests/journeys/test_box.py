"""A box that arrives one horn short: packed, sealed and sent; the seal is broken on the road; one is missing."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import PASSWORD, SignIn

pytestmark = pytest.mark.xdist_group("system")


def shoot(page: Page, text: str) -> None:
    """What a gun does: types into whatever has the focus, and presses Enter."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def test_a_box_arrives_one_horn_short(sign_in: SignIn) -> None:
    keeper = sign_in("storekeeper")
    box, numbers = find_sealed_box(keeper)
    handover = send_box(keeper, box)

    receiver = sign_in("storekeeper2", phone=True)
    receiver.goto(f"{handover}receive/")
    shoot(receiver, f"00{box}")
    expect(receiver.locator("#receiving .verdict-ok")).to_be_visible()
    receiver.locator("a[href*='/boxes/'][href$='/open/']").click()
    receiver.check("input[name=seal][value=broken]")
    receiver.fill("[name=reason]", "Пломба жолда үзілген")
    receiver.locator("main form button[type=submit]").click()
    receiver.wait_for_url(re.compile(r"/receive/$"))
    counts = receiver.locator(".scan-counts .stat-count")
    expect(counts.nth(1)).to_have_text("0")
    for count, number in enumerate(numbers[:-1], start=1):
        shoot(receiver, number)
        expect(counts.nth(1)).to_have_text(str(count))
    expect(counts.nth(2)).to_have_text("1")

    receiver.locator("#receiving a[href$='/accept/']").click()
    receiver.wait_for_url(re.compile(r"/accept/$"))
    receiver.locator("input[type=radio][value=broken]").first.check()
    receiver.fill("[name^='reason-']", "Жәшікте жоқ")
    receiver.fill("[name=difference_reason]", "Пломба үзілген, бір мүйіз жоқ")
    receiver.select_option("[name=carrier_said]", "refuses")
    sign_on_screen(receiver)
    receiver.fill("main input[name=password]", PASSWORD)
    receiver.locator("main form:has(input[name=password]) button[type=submit]").click()
    receiver.wait_for_url(re.compile(r"/handovers/\d+/$"))

    paper = receiver.locator("a[href$='/papers/discrepancy.kk.pdf']").get_attribute("href")
    answer = receiver.request.get(f"{receiver.url.split('/handovers')[0]}{paper}")
    assert answer.ok
    assert answer.body().startswith(b"%PDF-")
    keeper.goto("/notices/")
    expect(keeper.locator("main")).to_contain_text("Пломба үзілген, бір мүйіз жоқ")
    receiver.goto(f"/boxes/{box}/")
    expect(receiver.locator("main")).to_contain_text(numbers[0])
    expect(receiver.locator("main")).not_to_contain_text(numbers[-1])


def find_sealed_box(keeper: Page) -> tuple[str, list[str]]:
    """A sealed box of the central store that stands on no pallet: its number, and the horns in it."""
    keeper.goto("/boxes/?state=sealed&kind=box")
    link = keeper.locator("tbody tr:not(:has(td:nth-child(2) br)) a.code").first
    box = re.search(r"/boxes/(\d{18})/", str(link.get_attribute("href"))).group(1)  # type: ignore[union-attr]
    keeper.goto(f"/boxes/{box}/")
    return box, keeper.locator("tbody a.code").all_inner_texts()


def send_box(keeper: Page, box: str) -> str:
    """Dispatch the box by one scan to a reception point; the page of the hand-over."""
    keeper.goto("/handovers/new/?choose=source")
    keeper.locator("main a", has_text="Алматы орталық").first.click()
    target = keeper.locator("select[name=destination] option", has_text="Жәнібек").first
    keeper.select_option("select[name=destination]", value=target.get_attribute("value"))
    keeper.locator("main form button[type=submit]").first.click()
    keeper.wait_for_selector("input#code")
    shoot(keeper, box)
    expect(keeper.locator("#loading .verdict-ok")).to_be_visible()
    keeper.fill("input[name=seals]", "К-900")
    keeper.fill("input[name=carried_by]", "Сейітов Д.")
    keeper.fill("input[name=escort]", "Сейітов Д.")
    keeper.fill("form[action$='/dispatch/'] input[name=password]", PASSWORD)
    keeper.locator("form[action$='/dispatch/'] button[type=submit]").click()
    keeper.wait_for_url(re.compile(r"/handovers/\d+/$"))
    return keeper.url


def sign_on_screen(page: Page) -> None:
    pad = page.locator("canvas.signature-pad")
    pad.scroll_into_view_if_needed()
    edge = pad.bounding_box()
    assert edge is not None
    page.mouse.move(edge["x"] + 20, edge["y"] + 40)
    page.mouse.down()
    page.mouse.move(edge["x"] + 120, edge["y"] + 20, steps=4)
    page.mouse.move(edge["x"] + 160, edge["y"] + 60, steps=4)
    page.mouse.up()
    expect(page.locator("[data-signature] input")).to_have_value(re.compile("^data:image/png"))

"""A scanner gun at the receiving store: faster than the server, and through a network that goes away."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import PASSWORD, SignIn

pytestmark = pytest.mark.xdist_group("system")


def shoot(page: Page, text: str) -> None:
    """What a gun does: types into whatever has the focus, and presses Enter."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def sign_acceptance(receiver: Page) -> None:
    """The seals are whole, and the password signs."""
    receiver.wait_for_url(re.compile(r"/accept/$"))
    for seal in receiver.locator("input[type=radio][value=intact]").all():
        seal.check()
    receiver.fill("main input[name=password]", PASSWORD)
    receiver.locator("main form:has(input[name=password]) button[type=submit]").click()


def dispatch_four(keeper: Page) -> tuple[str, list[str]]:
    """Four horns of a reception point on their way to the central store: the page of the hand-over, their numbers."""
    keeper.goto("/handovers/new/?choose=source")
    keeper.locator("main a", has_text="Казталовка").first.click()
    target = keeper.locator("select[name=destination] option", has_text="Алматы орталық").first
    keeper.select_option("select[name=destination]", value=target.get_attribute("value"))
    keeper.locator("main form button[type=submit]").first.click()
    keeper.wait_for_selector("input#code")
    keeper.goto(keeper.url)
    choose = keeper.locator("a[href$='/choose/']").first.get_attribute("href")
    keeper.goto(str(choose))
    free = keeper.locator("input[name=item]:not([disabled])")
    numbers = [keeper.locator("label.code").nth(place).inner_text() for place in range(4)]
    for place in range(4):
        free.nth(place).check()
    keeper.locator("form:has(input[name=item]) button[type=submit]").first.click()
    expect(keeper.locator("#loading tbody tr")).to_have_count(4)
    keeper.fill("form[action$='/dispatch/'] input[name=carried_by]", "Сейітов Д.")
    keeper.fill("form[action$='/dispatch/'] input[name=password]", PASSWORD)
    keeper.locator("form[action$='/dispatch/'] button[type=submit]").click()
    keeper.wait_for_url(re.compile(r"/handovers/\d+/$"))
    return keeper.url, numbers


def test_a_gun_is_faster_than_the_server_and_no_scan_is_lost(sign_in: SignIn) -> None:
    handover, numbers = dispatch_four(sign_in("storekeeper"))
    receiver = sign_in("storekeeper2", phone=True)
    receiver.goto(f"{handover}receive/")
    expect(receiver.locator("input#code")).to_be_focused()
    counts = receiver.locator(".scan-counts .stat-count")

    shoot(receiver, numbers[0])
    shoot(receiver, numbers[1])
    expect(counts.nth(1)).to_have_text("2")
    shoot(receiver, numbers[1])
    expect(receiver.locator("#receiving .verdict-attention")).to_be_visible()

    receiver.context.set_offline(True)
    shoot(receiver, numbers[2])
    shoot(receiver, numbers[3])
    waiting = receiver.locator("[data-unsent]")
    expect(waiting).to_have_text(f"{numbers[2]}, {numbers[3]}")
    receiver.context.set_offline(False)
    receiver.locator(".notice-stop button").click()
    expect(counts.nth(1)).to_have_text("4")
    expect(waiting).to_have_count(0)
    expect(receiver.locator("input#code")).to_be_focused()

    receiver.locator("form[action$='/undo/'] button").click()
    expect(counts.nth(1)).to_have_text("3")
    shoot(receiver, numbers[3])
    expect(counts.nth(2)).to_have_text("0")
    receiver.locator("#receiving a[href$='/accept/']").click()
    sign_acceptance(receiver)
    receiver.wait_for_url(re.compile(r"/handovers/\d+/$"))
    expect(receiver.locator(".page-sub .state-ok")).to_be_visible()


def test_scanning_works_with_scripts_blocked(sign_in: SignIn) -> None:
    handover, numbers = dispatch_four(sign_in("storekeeper"))
    receiver = sign_in("storekeeper2")
    receiver.route("**/*.js", lambda route: route.abort())
    receiver.goto(f"{handover}receive/")

    for number in numbers:
        shoot(receiver, number)
        expect(receiver.locator(".verdict-ok")).to_contain_text(number)
        expect(receiver.locator("input#code")).to_be_focused()

    receiver.locator("#receiving a[href$='/accept/']").click()
    sign_acceptance(receiver)
    receiver.wait_for_url(re.compile(r"/handovers/\d+/$"))
    expect(receiver.locator(".page-sub .state-ok")).to_be_visible()

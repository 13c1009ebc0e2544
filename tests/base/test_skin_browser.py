"""The door in a real browser: on a phone and a desk, light and dark, with and without scripts."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from core.accounts.models import User
from tests.cast import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE, DESK = 360, 1440
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

Opener = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Opener]:
    """`visit(path, width=…, …)`: a fresh visitor's page; whatever it asks of another address fails the test."""
    contexts = []
    strangers: list[str] = []

    def visit(path: str, *, width: int = DESK, dark: bool = False, scripts: bool = True) -> Page:
        scheme: Literal["dark", "light"] = "dark" if dark else "light"
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            java_script_enabled=scripts,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: strangers.append(request.url) if _is_foreign(request.url) else None)
        page.goto(path)
        return page

    def _is_foreign(url: str) -> bool:
        return not url.startswith((live_server.url, "data:"))

    yield visit
    for context in contexts:
        context.close()
    assert strangers == []


def sign_in(page: Page, person: User) -> None:
    page.locator("[name=login]").fill(person.username)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("name", ["account_login", "account_reset_password"])
def test_a_page_for_everybody_is_accessible(visit: Opener, name: str, width: int, dark: bool) -> None:
    page = visit(reverse(name), width=width, dark=dark)

    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_page_for_those_who_signed_in_is_accessible(visit: Opener, inspector: User, width: int, dark: bool) -> None:
    page = visit(f"{reverse('account_login')}?next={reverse('account_change_password')}", width=width, dark=dark)
    sign_in(page, inspector)
    page.wait_for_url(f"**{reverse('account_change_password')}")

    page.locator("main button[type=submit]").click()
    page.locator(".error-summary").wait_for()

    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


HARDLY_FITS = """() => {
  const box = document.createElement("div");
  box.className = "table-responsive";
  box.innerHTML = `<table class="table registry-table"><thead><tr><th>Where</th><th class="num">Labels</th></tr></thead>
    <tbody><tr><td>${"unused by the ledger ".repeat(3)}</td><td class="num">25</td></tr></tbody></table>`;
  for (const cell of box.querySelectorAll(".num")) cell.style.minWidth = "110px";
  document.querySelector("main").append(box);
  box.dispatchEvent(new Event("htmx:afterSettle", { bubbles: true }));
}"""
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def test_a_table_that_hardly_fits_goes_on_fitting_once_that_is_known(visit: Opener) -> None:
    page = visit(reverse("account_login"), width=PHONE)

    page.evaluate(HARDLY_FITS)
    page.locator(".table-responsive[data-fits]").wait_for()

    for _again in range(4):
        page.evaluate(TWO_FRAMES)
        assert page.locator(".table-responsive[data-fits]").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE


def test_the_error_summary_takes_the_focus_and_leads_into_the_field(visit: Opener, inspector: User) -> None:
    page = visit(f"{reverse('account_login')}?next={reverse('account_change_password')}")
    sign_in(page, inspector)
    page.wait_for_url(f"**{reverse('account_change_password')}")
    page.locator("main button[type=submit]").click()

    expect(page.locator("[data-error-summary]")).to_be_focused()
    page.locator(".error-summary a").first.click()

    assert page.evaluate("document.activeElement.name") == "oldpassword"


def test_signing_in_works_with_scripts_blocked_and_menus_open(visit: Opener, inspector: User) -> None:
    page = visit(f"{reverse('account_login')}?next={reverse('account_change_password')}", width=PHONE, scripts=False)
    page.locator("button[name=language][value=ru]").click()
    page.locator("html[lang=ru]").wait_for()
    sign_in(page, inspector)

    page.locator(".bar-menu").click()
    assert page.locator("#menu a").first.is_visible()
    page.keyboard.press("Escape")
    page.locator("[popovertarget=person]").click()
    page.locator("#person button[type=submit]").click()

    page.wait_for_url(f"**{reverse('account_login')}*")


def test_the_search_box_is_one_key_away_and_the_darkness_one_click(visit: Opener, inspector: User) -> None:
    page = visit(f"{reverse('account_login')}?next={reverse('account_change_password')}")
    sign_in(page, inspector)
    page.wait_for_url(f"**{reverse('account_change_password')}")

    page.locator("h1").click()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"

    page.locator("[data-theme-switch]").click()
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
    page.reload()
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"


def faults_of(page: Page) -> list[str]:
    """What axe finds wrong, in short."""
    found: list[dict[str, Any]] = Axe().run(page, options=RULES).response["violations"]
    return [f"{fault['id']}: {node['html']}" for fault in found for node in fault["nodes"]]

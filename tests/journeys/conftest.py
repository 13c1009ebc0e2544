"""People of the demo at their own screens."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

PASSWORD = "saiga-demo-2025"
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1440, "height": 900}
NAME_OF_SESSION = "sessionid"
SIGN_IN = "/accounts/login/"
TOO_WIDE = "wider than the screen"
TELL_WIDTH = """addEventListener("load", () => {
  const page = document.documentElement;
  if (page.scrollWidth > page.clientWidth) console.error("wider than the screen: " + location.href);
});"""

SignIn = Callable[..., Page]


@pytest.fixture(scope="session")
def sessions() -> dict[str, str]:
    """The session of each person who signed in already: many tests a minute would be told they sign in too often."""
    return {}


@pytest.fixture
def sign_in(browser: Browser, system: str, sessions: dict[str, str]) -> Iterator[SignIn]:
    """`sign_in("inspector", phone=True, language="ru")`: a page of that person, each at a screen of their own.

    Errors of scripts, refusals by CSP, and pages that are wider than the screen fail the test.
    """
    faults: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or message.text.startswith(TOO_WIDE):
            faults.append(message.text)

    with ExitStack() as contexts:

        def open_page(username: str = "", *, phone: bool = False, language: str = "kk") -> Page:
            screen = PHONE if phone else DESK
            context = contexts.enter_context(
                browser.new_context(
                    base_url=system,
                    locale={"kk": "kk-KZ", "ru": "ru-RU", "en": "en-GB"}[language],
                    timezone_id="Asia/Almaty",
                    viewport={"width": screen["width"], "height": screen["height"]},
                    has_touch=phone,
                    accept_downloads=True,
                )
            )
            context.add_init_script(TELL_WIDTH)
            page = context.new_page()
            page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
            page.on("console", note)
            if username:
                if username in sessions:
                    context.add_cookies([{"name": NAME_OF_SESSION, "value": sessions[username], "url": system}])
                page.goto(SIGN_IN)  # whoever is signed in is led on
                if SIGN_IN in page.url:
                    page.fill("input[name=login]", username)
                    page.fill("input[name=password]", PASSWORD)
                    page.press("input[name=password]", "Enter")
                    page.wait_for_url(lambda url: SIGN_IN not in url)
                    sessions[username] = next(
                        one["value"] for one in context.cookies() if one["name"] == NAME_OF_SESSION
                    )
                # A person's choice is remembered, from an earlier test too.
                if page.locator("html").get_attribute("lang") != language:
                    choose_language(page, language)
            return page

        yield open_page
        assert faults == []


def choose_language(page: Page, language: str) -> None:
    """Switch by the one click in the bar (behind the person's menu on a phone)."""
    page.locator(f"form button[name=language][value={language}]").first.evaluate("button => button.click()")
    page.wait_for_selector(f"html[lang={language}]")

import json
import re
import urllib.request

from playwright.sync_api import Page, expect


def test_the_sign_in_page_opens_in_kazakh(page: Page) -> None:
    page.goto("/")

    expect(page).to_have_url(re.compile("/accounts/login/"))
    expect(page.locator("html")).to_have_attribute("lang", "kk")
    expect(page.locator("input[name=login]")).to_be_visible()
    expect(page.locator("input[name=password]")).to_be_visible()


def test_every_part_of_the_system_works(system: str) -> None:
    with urllib.request.urlopen(f"{system}/readyz") as answer:  # noqa: S310
        parts = json.load(answer)

    assert parts == {"status": "ready", "database": "ok", "redis": "ok", "worker": "ok"}

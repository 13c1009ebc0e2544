"""What every page knows before anything is asked of the database."""

from typing import Any, NamedTuple

from django.http import HttpRequest

THEMES = ("light", "dark")


class Language(NamedTuple):
    """A language as its own speakers write it, whatever language the page is in."""

    code: str
    short: str
    name: str


LANGUAGES = (
    Language("kk", "Қаз", "Қазақша"),
    Language("ru", "Рус", "Русский"),
    Language("en", "Eng", "English"),
)


def page(request: HttpRequest) -> dict[str, Any]:
    """Languages to choose from, and the colours the person chose (empty: those of the device)."""
    theme = request.COOKIES.get("theme", "")
    return {"page_languages": LANGUAGES, "page_theme": theme if theme in THEMES else ""}

"""What was done is told once, however often it was sent before a page was shown."""

from django.contrib import messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.template.loader import render_to_string
from django.test import RequestFactory


def test_a_sentence_that_piled_up_is_told_once() -> None:
    request = RequestFactory().get("/")
    request.session = {}  # type: ignore[assignment]
    waiting = FallbackStorage(request)
    for level, text in (
        (messages.SUCCESS, "Case entered."),
        (messages.WARNING, "A place abroad."),
        (messages.SUCCESS, "Case entered."),
    ):
        waiting.add(level, text)

    page = render_to_string("components/messages.html", {"messages": waiting})

    assert page.count("Case entered.") == 1
    assert page.count("A place abroad.") == 1
    assert waiting.used

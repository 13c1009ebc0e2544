"""What doors say when goods are in hand, and how they recognise a scanner."""

from django.contrib import messages
from django.http import HttpRequest

from core.base.errors import DomainError


def say_refusal(request: HttpRequest, refusal: DomainError) -> None:
    """Put a refusal, with what it says of single fields, where the next page shows it."""
    said = [str(refusal), *(str(text) for text in refusal.fields.values())]
    messages.error(request, " ".join(dict.fromkeys(said)))


def wants_part(request: HttpRequest) -> bool:
    """True when the script asks only for what a scan changes; a form without script gets the whole page."""
    return request.headers.get("X-Scan") == "part"


def chosen_items(request: HttpRequest) -> list[int]:
    """Keys of items that a list or an address names; what is no key is left out."""
    given = request.POST if request.method == "POST" else request.GET
    return [int(key) for key in given.getlist("item") if key.isascii() and key.isdigit() and len(key) < 19]

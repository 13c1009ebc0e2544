"""Events of the journal in words."""

from typing import NamedTuple

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_stubs_ext import StrOrPromise

from core.audit import services
from core.audit.models import Event
from core.audit.services import VERBS
from core.base.templatetags import fmt

register = template.Library()

# Facts that a reader of the journal is shown, in this order; the rest are for programs.
FACTS: dict[str, StrOrPromise] = {
    "number": gettext_lazy("Number"),
    "pieces": gettext_lazy("Pieces"),
    "persons": gettext_lazy("Persons"),
    "grams": gettext_lazy("Mass"),
    "mass_g": gettext_lazy("Mass"),
    "source": gettext_lazy("From"),
    "target": gettext_lazy("To"),
    "reference": gettext_lazy("Reference"),
    "permit": gettext_lazy("Permit"),
    "decision": gettext_lazy("Decision"),
    "reason": gettext_lazy("Reason"),
    "note": gettext_lazy("Note"),
}


class Fact(NamedTuple):
    label: StrOrPromise
    value: str


@register.filter
def deed(event: Event) -> str:
    """What was done, as the room that did it words it."""
    return str(VERBS.get(event.verb, event.verb))


@register.filter
def facts_in_words(event: Event) -> list[Fact]:
    """The facts worth reading: quantities with units, reasons, numbers of papers."""
    general = [Fact(label, _in_words(event, key)) for key, label in FACTS.items() if _is_told(event, key)]
    of_rooms = services.FACTS.items()
    return general + [Fact(label, say(event.facts[key])) for key, (label, say) in of_rooms if _is_told(event, key)]


def _is_told(event: Event, key: str) -> bool:
    return event.facts.get(key) not in (None, "", [])


def _in_words(event: Event, key: str) -> str:
    value = event.facts[key]
    old_words = services.OLD_WORDS.get((event.verb, key), {})
    if key in ("grams", "mass_g") and isinstance(value, int):
        return fmt.kg(value)
    if key == "pieces" and isinstance(value, int):
        return fmt.count(value)
    if isinstance(value, list):
        shown = ", ".join(_said(str(part), old_words) for part in value[:5])
        more = len(value) - 5
        return _("%(shown)s and %(more)d more") % {"shown": shown, "more": more} if more > 0 else shown
    return _said(str(value), old_words)


def _said(text: str, old_words: dict[str, StrOrPromise]) -> str:
    """What an earlier version wrote in words of its own, alone or before a count, in the reader's language."""
    word, colon, count = text.partition(": ")
    if colon and word in old_words and count.isdecimal():
        return f"{str(old_words[word]).capitalize()}: {count}"
    return str(old_words.get(text, text))

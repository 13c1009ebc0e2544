"""What the scanner is told by the registry: what anybody may know of a mark, and more to who may know more."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.base.templatetags.fmt import grams, grouped
from ledger.models import Box, Holding
from ledger.sscc import SsccError, parse_sscc, show_sscc
from marking import words
from marking.models import Mark
from marking.selectors import Answer, Reason, Verdict
from marking.verdicts import REASONS, Said, other_reasons, say, signature_of


def told(text: str, answer: Answer, *, person: User | None) -> dict[str, Any]:
    """The answer as data for the page: words, tone, facts, and a link where the person may read on.

    `kind` is set where the page has a verdict of its own for what the registry saw; `found` is what the phone shall
    remember of it: the names of all that speaks against the mark or the print.
    """
    try:
        sscc = parse_sscc(text)
    except SsccError:
        facts, link = _of_mark(answer, person)
        # That a label may exist twice concerns whoever holds one of the two more than anything else said of the item.
        others = [REASONS[reason] for reason in answer.reasons if reason != Reason.COPIED]
        return {
            "kind": answer.kind,
            "said": worded(say(answer)),
            "others": [worded(said) for said in (others if answer.kind else other_reasons(answer))],
            "facts": _public_facts(answer) + facts,
            "is_genuine": answer.is_genuine,
            "found": _found(answer),
            "link": link,
        }
    return {"kind": "box"} | _of_box(sscc, person)


def worded(said: Said) -> dict[str, str]:
    """Title, text and tone as data."""
    return {"title": str(said.title), "text": str(said.text), "tone": said.tone}


def _found(answer: Answer) -> list[str]:
    if answer.is_genuine:
        return [reason.value for reason in answer.reasons]
    return [answer.verdict.value] if answer.verdict in (Verdict.FORGED, Verdict.UNKNOWN) else []


def _public_facts(answer: Answer) -> list[tuple[str, str]]:
    facts = [(_("Mark"), grouped(answer.code))] if answer.code else []
    if not answer.term:
        return facts
    facts += [
        (_("What it is"), str(words.THINGS.get(answer.term, ""))),
        (_("Origin"), str(words.ORIGINS.get(answer.origin, ""))),
        (_("Year of registration"), str(answer.year)),
    ]
    if answer.mass_g is not None:
        facts.append((_("Mass when registered"), grams(answer.mass_g)))
    facts.append((_("Signature"), str(signature_of(answer))))
    if answer.needs_permit:
        facts.append((_("Export"), _("It may leave the country only with a CITES permit. Ask to see the permit.")))
    return facts


def _of_mark(answer: Answer, person: User | None) -> tuple[list[tuple[str, str]], str]:
    """Number and place of the item, where the person may know them."""
    if person is None or not answer.is_genuine:
        return [], ""
    mark = Mark.objects.visible_to(person).select_related("derivative").filter(pk=answer.code).first()
    if mark is None or mark.derivative is None:
        return [], ""
    facts = [(_("Number"), mark.derivative.number)]
    held = Holding.objects.filter(item=mark.derivative_id, pieces__gt=0).select_related("account").first()
    if held:
        facts += [(_("Where it is"), str(held.account)), (_("Mass now"), grams(held.grams))]
    return facts, reverse("reports:item", args=[mark.derivative_id])


def _of_box(sscc: str, person: User | None) -> dict[str, Any]:
    facts = [(_("Number of the box"), show_sscc(sscc))]
    box = Box.objects.visible_to(person).select_related("account").filter(sscc=sscc).first() if person else None
    if box is None:
        return {"facts": facts, "others": [], "is_genuine": False, "link": ""}
    facts.append((_("Where it is"), str(box.account)))
    facts.append((_("Seal"), box.seal_number or _("Not sealed")))
    return {
        "facts": facts,
        "others": [],
        "is_genuine": False,
        "link": reverse("custody:box", args=[sscc]),
    }

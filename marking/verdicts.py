"""How an answer is said to people: a few words, a sentence or two, and how grave it is."""

from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_stubs_ext import StrOrPromise

from marking.codes import CODE_LENGTH, CodeError, Fault, group
from marking.payload import Defect
from marking.selectors import Answer, Reason, Verdict


class Said(NamedTuple):
    """Title and text of a verdict, and its tone: ok, attention or stop."""

    title: StrOrPromise
    text: StrOrPromise
    tone: str


REASONS: dict[Reason, Said] = {
    Reason.REPLACED: Said(
        gettext_lazy("Genuine, but replaced"),
        gettext_lazy("This mark was replaced by another one. Accept nothing under it."),
        "stop",
    ),
    Reason.OLD_COPY: Said(
        gettext_lazy("Genuine, but an old print"),
        gettext_lazy("This label was printed anew and the former print was declared invalid. Accept nothing under it."),
        "stop",
    ),
    Reason.SPOILED: Said(
        gettext_lazy("Genuine, but a spoiled label"),
        gettext_lazy("This label was declared spoiled before it was ever on an item. Accept nothing under it."),
        "stop",
    ),
    Reason.LABEL_LOST: Said(
        gettext_lazy("Genuine, but a lost label"),
        gettext_lazy(
            "This label was reported lost before it was ever on an item. Accept nothing under it, and tell the"
            " territorial inspection."
        ),
        "stop",
    ),
    Reason.BLANK: Said(
        gettext_lazy("Genuine, but a blank label"),
        gettext_lazy(
            "No item is registered under this label yet. If it is on an item, tell the territorial inspection."
        ),
        "stop",
    ),
    Reason.VOID: Said(
        gettext_lazy("Genuine, but void"),
        gettext_lazy("This mark was declared void. Accept nothing under it."),
        "stop",
    ),
    Reason.LOST: Said(
        gettext_lazy("Genuine, but lost or stolen"),
        gettext_lazy("The item with this mark is missing. Tell the police or the territorial inspection."),
        "stop",
    ),
    Reason.DESTROYED: Said(
        gettext_lazy("Genuine, but destroyed"),
        gettext_lazy("The item with this mark was destroyed. What bears the mark now is something else."),
        "stop",
    ),
    Reason.CONSUMED: Said(
        gettext_lazy("Genuine, but used up"),
        gettext_lazy("The item with this mark was used up in processing. What bears the mark now is something else."),
        "stop",
    ),
    Reason.WITHDRAWN: Said(
        gettext_lazy("Genuine, but withdrawn"),
        gettext_lazy("The registration of this item was taken back. Accept nothing under this mark."),
        "stop",
    ),
    Reason.EVIDENCE: Said(
        gettext_lazy("Genuine, but held as evidence"),
        gettext_lazy("This item is evidence in a case: it must not be sold, moved or taken out of the country."),
        "attention",
    ),
    Reason.COURT: Said(
        gettext_lazy("Genuine, but held by a court"),
        gettext_lazy("A court has ordered that this item stays where it is."),
        "attention",
    ),
    Reason.DISPUTE: Said(
        gettext_lazy("Genuine, but in dispute"),
        gettext_lazy("The right to this item is disputed: it must not be sold or moved."),
        "attention",
    ),
    Reason.TO_DESTROY: Said(
        gettext_lazy("Genuine, but to be destroyed"),
        gettext_lazy("A commission is to destroy this item: it must not be sold, moved or taken out of the country."),
        "stop",
    ),
    Reason.TO_RETURN: Said(
        gettext_lazy("Genuine, but to be given back to its owner"),
        gettext_lazy("A court decided to give this item back to its owner. Until then it must not be sold or moved."),
        "attention",
    ),
    Reason.COPIED: Said(
        gettext_lazy("Genuine, but perhaps copied"),
        gettext_lazy(
            "This label was seen in ways that a single label cannot be: there may be a copy. Compare the item with"
            " what is said below, and ask the inspection before you buy or accept it."
        ),
        "attention",
    ),
    Reason.EXPORTED: Said(
        gettext_lazy("Genuine, but exported"),
        gettext_lazy("This item has left Kazakhstan under a permit. Inside the country this mark is valid no longer."),
        "attention",
    ),
    Reason.SOLD: Said(
        gettext_lazy("Genuine, and sold"),
        gettext_lazy("This item was sold inside Kazakhstan. It may leave the country only with a permit."),
        "attention",
    ),
    Reason.RETURNED: Said(
        gettext_lazy("Genuine, but returned to its owner"),
        gettext_lazy("A court gave this item back to its owner. It is not on the books of the registry any more."),
        "attention",
    ),
    Reason.KEY_COMPROMISED: Said(
        gettext_lazy("The code is genuine, the symbol proves nothing"),
        gettext_lazy("The key of this symbol is not to be trusted any more. Compare the item with what is said below."),
        "attention",
    ),
}

# A code stands in letters on every label: whoever copies it has no label of ours yet. Never green.
CODE_ALONE = Said(
    gettext_lazy("Code known, label not checked"),
    gettext_lazy("There is such a mark, and nothing against it. Anybody can write a code: scan the symbol."),
    "attention",
)

SLOW_DOWN = Said(
    gettext_lazy("Too many checks"),
    gettext_lazy("Too many codes were asked for from this address. Wait ten minutes, or scan the symbol."),
    "attention",
)


def say(answer: Answer) -> Said:
    """The verdict in words. Of several reasons the gravest is in the title; `other_reasons` has the rest.

    Only a symbol whose signature was checked is in order; a code without it is known, and no more.
    """
    if answer.verdict == Verdict.GENUINE:
        if not answer.signed:
            return CODE_ALONE
        return Said(_("Genuine and in order"), _("The registry issued this mark, and the item is on its books."), "ok")
    if answer.verdict == Verdict.GENUINE_BUT:
        return REASONS[answer.reasons[0]]
    if answer.verdict == Verdict.MISTYPED:
        return Said(_("Check what you typed"), _fault(answer.fault), "attention")
    if answer.verdict == Verdict.UNKNOWN:
        text = _("No mark with this code was ever issued. If the label says exactly this, it is not ours.")
        return Said(_("Not in the registry"), text, "stop")
    if answer.verdict == Verdict.FOREIGN:
        text = _("This address is not ours, so its page proves nothing. Type the code that is printed on the label.")
        return Said(_("Not our address"), text, "stop")
    if answer.verdict == Verdict.FORGED:
        text = (
            _("The symbol is signed with a key that is not ours. The label is forged.")
            if answer.defect == Defect.UNKNOWN_KEY
            else _("The signature does not fit what the symbol says. The label is forged.")
        )
        return Said(_("Forged"), text, "stop")
    text = _("It was read in part only, or it is no symbol of ours. Scan again, or type the code printed beside it.")
    return Said(_("This cannot be read"), text, "attention")


def other_reasons(answer: Answer) -> list[Said]:
    """What else is to be said of a genuine mark, the gravest first."""
    return [REASONS[reason] for reason in answer.reasons[1:]]


def _fault(error: CodeError | None) -> str:
    if error is None or error.fault == Fault.EMPTY:
        return _("Type the twelve characters of the code.")
    if error.fault == Fault.CHARACTER:
        return _("“%(character)s” does not occur in our codes. Compare with the label.") % {
            "character": error.character
        }
    if error.fault == Fault.LENGTH:
        return ngettext(
            "A code has %(needed)d characters; you typed %(count)d.",
            "A code has %(needed)d characters; you typed %(count)d.",
            error.length,
        ) % {"needed": CODE_LENGTH, "count": error.length}
    return _("One character is wrong, or two are exchanged: the check character does not fit. Compare with the label.")


def shown_code(answer: Answer) -> str:
    """The code in groups, as on the label; "" when none was understood."""
    return group(answer.code)


def signature_of(answer: Answer) -> StrOrPromise:
    """What is known of the signature of what was checked: it may have been scanned, and prove nothing."""
    if answer.signed:
        return gettext_lazy("Checked: this symbol was signed by the registry")
    if Reason.KEY_COMPROMISED in answer.reasons:
        return gettext_lazy("Checked: it proves nothing, for its key is known to others")
    return gettext_lazy("Not checked: scan the symbol of the label to check it")

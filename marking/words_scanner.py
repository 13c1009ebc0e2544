"""What the scanner says by itself, without network: a verdict for every kind of `static/js/field/verify.js`."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marking.payload import Defect
from marking.selectors import Answer, Reason, Verdict
from marking.snapshots import Status
from marking.verdicts import CODE_ALONE, REASONS, Said, say

BY_STATUS: dict[Status, Said] = {
    Status.BLANK: REASONS[Reason.BLANK],
    Status.REPLACED: REASONS[Reason.REPLACED],
    Status.VOID: REASONS[Reason.VOID],
    Status.SPOILED: REASONS[Reason.SPOILED],
    Status.LOST: REASONS[Reason.LOST],
    Status.DESTROYED: REASONS[Reason.DESTROYED],
    Status.CONSUMED: REASONS[Reason.CONSUMED],
    Status.WITHDRAWN: REASONS[Reason.WITHDRAWN],
    Status.EVIDENCE: REASONS[Reason.EVIDENCE],
    Status.HELD: Said(
        gettext_lazy("Genuine, but held"),
        gettext_lazy(
            "This item is evidence, or a court or a dispute holds it: it must not be sold, moved or taken out of the"
            " country."
        ),
        "attention",
    ),
    Status.TO_DESTROY: REASONS[Reason.TO_DESTROY],
    Status.EXPORTED: REASONS[Reason.EXPORTED],
    Status.SOLD: REASONS[Reason.SOLD],
    Status.RETURNED: REASONS[Reason.RETURNED],
    Status.ASK: Said(
        gettext_lazy("Ask with network"),
        gettext_lazy("What has become of this mark can be told only with network. Check it again there."),
        "attention",
    ),
}

ALONE: dict[str, Said] = {
    "ready": Said(
        gettext_lazy("Ready"), gettext_lazy("Hold a label before the camera, use a scanner gun, or type."), "neutral"
    ),
    "asking": Said(gettext_lazy("Checking …"), "", "neutral"),
    "old_copy": REASONS[Reason.OLD_COPY],
    "key_compromised": Said(
        gettext_lazy("Check with network"),
        gettext_lazy("The key of this symbol is not to be trusted any more: without network it proves nothing."),
        "attention",
    ),
    "stale": Said(
        gettext_lazy("Genuine, but this phone knows old news"),
        gettext_lazy(
            "The signature is ours. What has become of the item since is not known here: connect to the network, and"
            " check again."
        ),
        "attention",
    ),
    "status_unknown": Said(
        gettext_lazy("Genuine, but state unknown"),
        gettext_lazy(
            "The signature is ours. This phone has not fetched yet what has become of the marks: connect to the"
            " network, and check again."
        ),
        "attention",
    ),
    "newer_than_known": Said(
        gettext_lazy("Genuine, but state unknown"),
        gettext_lazy(
            "The signature is ours. The label is younger than what this phone knows: connect to the network, and check"
            " again."
        ),
        "attention",
    ),
    "unknown_key": Said(
        gettext_lazy("Unknown key"),
        gettext_lazy(
            "This symbol is signed with a key that was not ours when this phone asked last. Accept nothing under it"
            " until you have checked it with network."
        ),
        "stop",
    ),
    "no_keys": Said(
        gettext_lazy("Cannot be checked yet"),
        gettext_lazy("This phone has no keys yet. Open this page once with network."),
        "attention",
    ),
    "cannot_check": Said(
        gettext_lazy("Cannot be checked here"),
        gettext_lazy("This browser cannot check signatures. Use another one, or check with network."),
        "attention",
    ),
    "code_in_order": CODE_ALONE,
    "code_not_known": Said(
        gettext_lazy("Code not known"),
        gettext_lazy(
            "This phone knows no mark with this code. Either it is younger than what the phone knows, or it is not"
            " ours: check with network."
        ),
        "attention",
    ),
    "code_unchecked": Said(
        gettext_lazy("Code well formed, label not checked"),
        gettext_lazy("More cannot be said without network. Scan the symbol of the label."),
        "attention",
    ),
    "not_ours": Said(
        gettext_lazy("Not ours"),
        gettext_lazy("This symbol is not of the registry. Nothing in it was opened. Look for our mark on the item."),
        "stop",
    ),
    "number": Said(
        gettext_lazy("This is the number of an item"),
        gettext_lazy("The number is for papers and talk. Scan the symbol, or type the twelve characters of the code."),
        "attention",
    ),
    "box": Said(
        gettext_lazy("A box or a pallet"),
        gettext_lazy("This is the number of a box, which anybody can print. Check the marks of what is inside."),
        "neutral",
    ),
    "box_wrong": Said(
        gettext_lazy("Check the number of the box"),
        gettext_lazy(
            "The number of a box has 18 digits, and the last one checks the others. One is wrong or missing here:"
            " compare with the label."
        ),
        "attention",
    ),
    "state_code": Said(
        gettext_lazy("State code of goods"),
        gettext_lazy(
            "This is the code of the State's marking of goods. Here it proves nothing: look for our mark on the item."
        ),
        "neutral",
    ),
    "copied": Said(
        gettext_lazy("Genuine, but perhaps copied"),
        gettext_lazy(
            "This mark was checked in a way that one thing cannot be: there may be several labels like this. Compare"
            " the item closely, and tell the territorial inspection."
        ),
        "stop",
    ),
}


def said_alone() -> dict[str, Said]:
    """Title, text and tone of every kind, in the language of the request."""
    by_status = {status.name.lower(): said for status, said in BY_STATUS.items()}
    return (
        # What the registry said once is remembered by its reasons.
        {reason.value: said for reason, said in REASONS.items()}
        | ALONE
        | by_status
        | {
            "in_order": say(Answer(Verdict.GENUINE, signed=True)),
            "forged": say(Answer(Verdict.FORGED, defect=Defect.SIGNATURE)),
            "foreign": say(Answer(Verdict.FOREIGN)),
            "unknown": say(Answer(Verdict.UNKNOWN)),
            "unreadable": say(Answer(Verdict.UNREADABLE)),
        }
    )


def said_of_faults() -> dict[str, str]:
    """What is wrong with a mistyped code, by the faults of `marking/codes.py`; {0} is the sign or the number."""
    return {
        "title": _("Check what you typed"),
        "empty": _("Type the twelve characters of the code."),
        "character": _("“{0}” does not occur in our codes. Compare with the label."),
        "length": _("A code has 12 characters; here the number of characters is {0}."),
        "check": _(
            "One character is wrong, or two are exchanged: the check character does not fit. Compare with the label."
        ),
    }

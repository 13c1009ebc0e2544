"""What is wrong with a scanned carrier, in words that say what to do."""

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from marking.state_code import CarrierError, Fault

FAULTS: dict[Fault, StrOrPromise] = {
    Fault.EMPTY: _("Nothing read. Scan it, or type what stands on it."),
    Fault.SYMBOLOGY: _("This is a symbol of another kind. The state code is a GS1 DataMatrix."),
    Fault.LAYOUT: _("The keyboard writes Cyrillic, so the scanner's letters come out wrong. Switch it to Latin."),
    Fault.SEPARATOR: _(
        "The scanner sends no separator (GS), so nobody can tell where the serial ends. Say what it sends instead, or"
        " set the scanner to send GS."
    ),
    Fault.CONTENT: _("This is not a state code: it has no GTIN and serial as GS1 writes them."),
    Fault.GTIN: _("The check digit of the GTIN does not fit. Scan again."),
    Fault.INCOMPLETE: _("The check value of the code is missing: it was read in part only. Scan again."),
    Fault.FORM: _("This cannot be such a number. Compare it with what stands on the seal or what the reader shows."),
}


def fault_in_words(error: CarrierError) -> StrOrPromise:
    """Why this cannot be used, and what helps."""
    return FAULTS[error.fault]

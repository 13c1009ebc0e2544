"""What is said on labels and to the public, in words anybody understands."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from registry.models import Origin, Term

# On a label and as the answer to "what is it?".
THINGS: Mapping[str, StrOrPromise] = {
    Term.HORN: _("Saiga horn"),
    Term.HORN_PIECE: _("Piece of saiga horn"),
    Term.HORN_CARVING: _("Saiga horn carving"),
    Term.MEAT: _("Saiga meat"),
    Term.SKIN: _("Saiga hide"),
    Term.SKIN_PIECE: _("Piece of saiga hide"),
    Term.TROPHY: _("Saiga trophy"),
    Term.POWDER: _("Saiga horn powder"),
    Term.MEDICINE: _("Medicine with saiga horn"),
}

ORIGINS: Mapping[str, StrOrPromise] = {
    Origin.REMOVAL: _("Taken lawfully, under a permit of the State to remove animals"),
    Origin.FOUND: _("Found in the steppe after a natural death and handed in"),
    Origin.SEIZURE: _("Seized from an illegal holder; the court has not decided yet"),
    "decided": _("Seized from an illegal holder; a court has decided"),
    Origin.CONFISCATED: _("Confiscated by decision of a court"),
    Origin.OLD_STOCK: _("From stock older than the marking of saiga derivatives"),
    Origin.IMPORTED: _("Brought in from another country"),
    Origin.UNKNOWN: _("Origin not known"),
}

STOCK: Mapping[str, StrOrPromise] = {
    "roll-50x25": _("Roll, 50 × 25 mm"),
    "roll-58x40": _("Roll, 58 × 40 mm"),
    "roll-100x150": _("Roll, 100 × 150 mm"),
    "a4-65": _("A4 sheet of 65, 38.1 × 21.2 mm"),
    "a4-21": _("A4 sheet of 21, 63.5 × 38.1 mm"),
    "a4-14": _("A4 sheet of 14, 99.1 × 38.1 mm"),
    "a4-10": _("A4 sheet of 10, 99.1 × 57 mm"),
}

# What may be written beside the code.
FIELDS: Mapping[str, StrOrPromise] = {
    "caption": _("Name of the registry"),
    "term": _("What it is"),
    "number": _("Number"),
    "mass": _("Mass"),
    "dated": _("Date"),
}

"""What a specimen is and how it came: the words of the field, and the ledger's code for both."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from ledger.models import AccountKind


class Term(models.TextChoices):
    """What a specimen is, by the CITES code of its description."""

    HORN = "HOR", _("horn")
    HORN_PIECE = "HOP", _("piece of horn")
    HORN_CARVING = "HOC", _("horn carving")
    MEAT = "MEA", _("meat")
    SKIN = "SKI", _("hide")
    SKIN_PIECE = "SKP", _("piece of hide")
    TROPHY = "TRO", _("trophy")
    POWDER = "POW", _("horn powder")
    MEDICINE = "MED", _("medicine")


class Origin(models.TextChoices):
    """How a specimen came into the system. Origins are never mixed."""

    REMOVAL = "removal", _("legal removal")
    FOUND = "found", _("found, natural death")
    SEIZURE = "seizure", _("seized, court pending")
    CONFISCATED = "confiscated", _("confiscated")
    OLD_STOCK = "old_stock", _("stock from before marking")
    IMPORTED = "imported", _("imported")
    UNKNOWN = "unknown", _("unknown")


UNTITLED = (Origin.SEIZURE, Origin.UNKNOWN)
"""Nobody has a title to these: the court has not decided, or nobody knows where they come from."""

BOUNDARIES = {
    Origin.REMOVAL: AccountKind.REMOVAL,
    Origin.FOUND: AccountKind.FIND,
    Origin.SEIZURE: AccountKind.SEIZURE,
    Origin.CONFISCATED: AccountKind.CONFISCATION,
    Origin.OLD_STOCK: AccountKind.OLD_STOCK,
    Origin.IMPORTED: AccountKind.IMPORT,
    Origin.UNKNOWN: AccountKind.UNKNOWN,
}
"""The boundary through which goods of an origin enter.

What was evidence in the registry before its confiscation is in already, and only changes its class; what the court
gave to the State elsewhere comes in from a boundary of its own.
"""


class Population(models.TextChoices):
    URAL = "ural", _("Ural")
    BETPAKDALA = "betpakdala", _("Betpakdala")
    USTYURT = "ustyurt", _("Ustyurt")


class Sex(models.TextChoices):
    """Which animals a limit or a permit is for; young ones are counted by themselves, whatever their sex."""

    ANY = "any", _("any sex and age")
    MALE = "male", _("males only")
    FEMALE = "female", _("females only")
    YOUNG = "young", _("young only")


class Side(models.TextChoices):
    LEFT = "L", _("left")
    RIGHT = "R", _("right")
    UNKNOWN = "U", _("unknown")


class Condition(models.TextChoices):
    WHOLE = "whole", _("whole")
    CRACKED = "cracked", _("cracked")
    BROKEN = "broken", _("broken")
    DECAYED = "decayed", _("decayed")


def stock_class(term: str, origin: str) -> str:
    """The ledger's opaque code for this kind of stock."""
    return f"{term}:{origin}"


def split_stock_class(code: str) -> tuple[Term, Origin]:
    """Term and origin of a ledger code made by `stock_class`."""
    term, _colon, origin = code.partition(":")
    return Term(term), Origin(origin)


def untitled_classes() -> list[str]:
    """The stock classes that nobody has a title to."""
    return [stock_class(term, origin) for term in Term for origin in UNTITLED]

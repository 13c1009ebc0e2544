"""What the ledger refuses, in words."""

from django.utils.translation import gettext_lazy as _

from core.base.errors import BadInput, DomainError, NotAllowed, NotFound


class ItemsNotThere(DomainError):
    """Some of the items are not, or no longer, in the account they should leave."""

    code = "items-not-there"
    message = _("Some of these items are no longer there. Reload the list.")


class ItemsOnHold(DomainError):
    """Some of the items are under a hold and stay where they are."""

    code = "items-on-hold"
    message = _("Some of these items are on hold. The page of each says why.")


class ItemsReserved(DomainError):
    """Some of the items are promised to a right other than the one named."""

    code = "items-reserved"
    message = _("Some of these items are reserved for another permit.")


class BackDated(DomainError):
    """The day lies before the items arrived, in a closed period, or in the future."""

    code = "back-dated"
    message = _("This day cannot be used.")


class KeyReused(DomainError):
    """The idempotency key was used for another movement."""

    code = "key-reused"
    message = _("This request was already used for something else.")


class SecondPersonNeeded(NotAllowed):
    """One person cannot do both halves of this act."""

    code = "second-person-needed"
    message = _("Another person must do this: you dispatched these goods yourself.")


class NotInHandover(NotFound):
    """The item is not part of this hand-over."""

    code = "not-in-handover"
    message = _("This item is not in this hand-over.")


class BeingReceived(DomainError):
    """A load of which something was scanned on arrival is accepted with its differences, not turned back."""

    code = "being-received"
    message = _(
        "The receiver has begun to scan this load: it is accepted with its differences, and what goes back goes by a"
        " hand-over of its own."
    )


class OddOnArrival(BadInput):
    """A mass that differs beyond the rule is taken only when it is confirmed."""

    code = "odd-on-arrival"
    message = _("This mass differs from what was sent. Confirm that it is right.")


class WeighedBefore(BadInput):
    """A second weighing says why it was needed."""

    code = "weighed-before"
    message = _("This was weighed before. Say why it is weighed again.")


class StoreClosed(DomainError):
    """The store takes nothing in any more."""

    code = "store-closed"
    message = _("This store is closed.")


class StoreKnown(DomainError):
    """An account with this code exists."""

    code = "store-known"


class StoreNotEmpty(DomainError):
    """A place with goods in it cannot be closed."""

    code = "store-not-empty"
    message = _("Goods are still kept here or on their way here: move or receive them first.")


class BoxIsSealed(DomainError):
    """Nothing goes into or out of a sealed box, and it moves whole."""

    code = "box-is-sealed"
    message = _("This box is sealed: open the seal and say why, or take the whole box.")


class BoxNotSealed(DomainError):
    """What is in an open box is scanned one by one."""

    code = "box-not-sealed"
    message = _("This box is open: scan every item in it.")


class BoxIsEmpty(DomainError):
    """An empty box is not sealed."""

    code = "box-is-empty"
    message = _("There is nothing in this box yet.")


class AlreadyPacked(DomainError):
    """What lies in one box lies in no other, and has no shelf of its own."""

    code = "already-packed"


class NotInBox(DomainError):
    """The item does not lie in this box."""

    code = "not-in-box"
    message = _("This is not in the box.")


class SealKnown(DomainError):
    """A seal number is used once: on one box, or on one load at a time."""

    code = "seal-known"
    message = _("This seal was used before. Put on a new one.")


class ShelfKnown(DomainError):
    """The store has a shelf with this code."""

    code = "shelf-known"

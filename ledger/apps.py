from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LedgerConfig(AppConfig):
    name = "ledger"

    def ready(self) -> None:
        from core.accounts.subjects import register_subject
        from core.audit.services import register_verbs
        from core.documents.places import allow_distance
        from core.notices.services import register_notice_codes
        from ledger.models import CustodyAccount, Handover
        from ledger.subjects import may_add_to_handover, may_add_to_store, photo_distance

        allow_distance(photo_distance)
        register_subject(
            "handover",
            label=_("Hand-over"),
            url_name="permits:handover",
            known_to=lambda user: Handover.objects.visible_to(user),
            add=may_add_to_handover,
            everything=lambda: Handover.objects.all(),
            prefix="HO",
        )
        register_subject(
            "store",
            label=_("Store"),
            known_to=lambda user: CustodyAccount.objects.visible_to(user),
            add=may_add_to_store,
        )
        register_subject("movement", label=_("Movement"))
        register_subject("ledger", label=_("Ledger"))
        register_verbs(
            {
                "handover.dispatched": _("Goods dispatched"),
                "handover.accepted": _("Goods accepted"),
                "handover.cancelled": _("Goods returned to the sender"),
                "ledger.movement_reversed": _("Movement corrected"),
                "ledger.period_closed": _("Period closed"),
                "store.opened": _("Store opened"),
                "store.closed": _("Store closed"),
                "store.reopened": _("Store reopened"),
                "store.shelves_added": _("Shelves set up"),
                "shelf.filled": _("Put on a shelf"),
                "box.begun": _("Box begun"),
                "box.packed": _("Packed into the box"),
                "box.unpacked": _("Taken out of the box"),
                "box.stacked": _("Box put on a pallet"),
                "box.unstacked": _("Box taken off its pallet"),
                "box.sealed": _("Box sealed"),
                "box.seal_opened": _("Seal opened"),
            }
        )
        register_notice_codes(
            {
                "handover.missing": _(
                    "%(missing)s of %(sent)s items missing on arrival of %(number)s. Receiver: %(reason)s"
                ),
            }
        )

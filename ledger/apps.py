from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LedgerConfig(AppConfig):
    name = "ledger"

    def ready(self) -> None:
        from core.audit.services import register_verbs
        from core.notices.services import register_notice_codes

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
            }
        )
        register_notice_codes(
            {
                "handover.missing": _(
                    "%(missing)s of %(sent)s items missing on arrival of %(number)s. Receiver: %(reason)s"
                ),
            }
        )

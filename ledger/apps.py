from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy


class LedgerConfig(AppConfig):
    name = "ledger"

    def ready(self) -> None:
        from core.accounts.subjects import register_subject
        from core.audit.services import register_verbs
        from core.documents.places import allow_distance
        from core.notices.services import register_advice, register_notice_codes, register_obstacle, register_parties
        from ledger.models import Box, CustodyAccount, Handover, Shelf
        from ledger.stocktaking import people_of
        from ledger.subjects import (
            may_add_to_box,
            may_add_to_handover,
            may_add_to_store,
            photo_distance,
            still_in_question,
            still_missing,
        )

        allow_distance(photo_distance)
        register_parties("stocktake", people_of)
        register_obstacle("handover.missing", still_missing)
        register_obstacle("weighing.unexplained", still_in_question)
        register_subject(
            "handover",
            label=_("Hand-over"),
            url_name="permits:handover",
            known_to=lambda user: Handover.objects.visible_to(user),
            add=may_add_to_handover,
            keeps=lambda key: Handover.objects.filter(pk=key).values_list("closed_at", flat=True).first(),
            everything=lambda: Handover.objects.all(),
            prefix="HO",
        )
        register_subject(
            "store",
            label=_("Store"),
            url_name="custody:store",
            known_to=lambda user: CustodyAccount.objects.visible_to(user),
            add=may_add_to_store,
        )
        register_subject(
            "box",
            label=_("Box"),
            url_name="custody:box",
            known_to=lambda user: Box.objects.visible_to(user),
            add=may_add_to_box,
            page_key="sscc",
        )
        register_subject(
            "shelf",
            label=_("Shelf"),
            url_name="custody:shelf",
            known_to=lambda user: Shelf.objects.filter(account__in=CustodyAccount.objects.visible_to(user)),
        )
        register_subject("movement", label=_("Movement"))
        register_subject("ledger", label=_("Ledger"))
        register_verbs(
            {
                "handover.dispatched": _("Goods dispatched"),
                "handover.sample_drawn": _("Sample for weighing drawn"),
                "handover.accepted": _("Goods accepted"),
                "handover.turned_back": _("Goods turned back to the sender"),
                "handover.returned": _("Goods counted on their return"),
                "handover.received_later": _("Missing goods received later"),
                "handover.weighed_again": _("Weighed a second time on arrival"),
                "handover.cancelled": _("Goods returned to the sender"),
                "ledger.movement_reversed": _("Movement corrected"),
                "ledger.period_closed": _("Period closed"),
                "stocktake.announced": _("Stock-take announced"),
                "stocktake.opened": _("Counting began"),
                "stocktake.counted": _("Counting ended"),
                "stocktake.counted_again": _("Counted again"),
                "stocktake.signed": _("Result signed"),
                "stocktake.closed": _("Stock-take closed"),
                "stocktake.cancelled": _("Stock-take called off"),
                "climate.logged": _("Temperature and humidity logged"),
                "climate.watched": _("Watch over the sensors changed"),
                "weighing.recorded": _("Weighed again"),
                "weighing.settled": _("Mass settled"),
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
                "stocktake.elsewhere": ngettext_lazy(
                    "%(count)s item that stock-take %(number)s found is registered in another place.",
                    "%(count)s items that stock-take %(number)s found are registered in other places.",
                    "count",
                ),
                "stocktake.unknown": ngettext_lazy(
                    "Stock-take %(number)s found %(count)s unknown label: %(labels)s",
                    "Stock-take %(number)s found %(count)s unknown labels: %(labels)s",
                    "count",
                ),
                "climate.warm": _("Too warm in %(store)s since %(began)s: %(worst)s °C, at most %(limit)s °C."),
                "climate.cold": _("Too cold in %(store)s since %(began)s: %(worst)s °C, at least %(limit)s °C."),
                "climate.damp": _("Too damp in %(store)s since %(began)s: %(worst)s %%, at most %(limit)s %%."),
                "climate.silent": _("No readings from %(store)s since %(began)s."),
                "handover.late": _("%(number)s from %(source)s to %(target)s did not arrive in time."),
                "handover.late_back": _("%(number)s was turned back to %(source)s and did not arrive there in time."),
            }
        )
        # Both sides of a hand-over, and whoever keeps a store, are concerned themselves: the authority judges.
        register_notice_codes(
            {
                "stocktake.missing": ngettext_lazy(
                    "%(missing)s of %(expected)s items was not found in %(store)s by stock-take %(number)s. It"
                    " is on hold until that is settled.",
                    "%(missing)s of %(expected)s items were not found in %(store)s by stock-take %(number)s."
                    " They are on hold until it is settled.",
                    "missing",
                ),
                "handover.missing": ngettext_lazy(
                    "%(missing)s of %(sent)s items is missing on arrival of %(number)s. Receiver: %(reason)s",
                    "%(missing)s of %(sent)s items are missing on arrival of %(number)s. Receiver: %(reason)s",
                    "missing",
                ),
            },
            decides="authority",
            goods_missing=True,
        )
        register_notice_codes(
            {
                "handover.mass": ngettext_lazy(
                    "%(count)s item weighed on arrival of %(number)s differs beyond the rule. Receiver: %(reason)s",
                    "%(count)s items weighed on arrival of %(number)s differ beyond the rule. Receiver: %(reason)s",
                    "count",
                ),
                "weighing.unexplained": ngettext_lazy(
                    "Weighing %(number)s in %(store)s: %(count)s mass is not explained by drying (lighter:"
                    " %(lost)s, heavier: %(gained)s).",
                    "Weighing %(number)s in %(store)s: %(count)s masses are not explained by drying (lighter:"
                    " %(lost)s, heavier: %(gained)s).",
                    "count",
                ),
                "stocktake.destroyed": ngettext_lazy(
                    "Stock-take %(number)s found in %(store)s %(count)s item that was destroyed by an act: %(items)s",
                    "Stock-take %(number)s found in %(store)s %(count)s items that were destroyed by an act: %(items)s",
                    "count",
                ),
                "stocktake.gone": ngettext_lazy(
                    "Stock-take %(number)s found in %(store)s %(count)s item that is sold, used up, lost or returned"
                    " by the books: %(items)s",
                    "Stock-take %(number)s found in %(store)s %(count)s items that are sold, used up, lost or returned"
                    " by the books: %(items)s",
                    "count",
                ),
                "stocktake.evidence": ngettext_lazy(
                    "Stock-take %(number)s found in %(store)s %(count)s item that is evidence kept in another place:"
                    " %(items)s",
                    "Stock-take %(number)s found in %(store)s %(count)s items that are evidence kept in another place:"
                    " %(items)s",
                    "count",
                ),
                "stocktake.in_transit": ngettext_lazy(
                    "Stock-take %(number)s found in %(store)s %(count)s item that is on its way by the books:"
                    " %(items)s",
                    "Stock-take %(number)s found in %(store)s %(count)s items that are on their way by the books:"
                    " %(items)s",
                    "count",
                ),
                "stocktake.other_keeper": ngettext_lazy(
                    "Stock-take %(number)s found in %(store)s %(count)s item that is in the books of another keeper:"
                    " %(items)s",
                    "Stock-take %(number)s found in %(store)s %(count)s items that are in the books of another keeper:"
                    " %(items)s",
                    "count",
                ),
                "stocktake.other_store": ngettext_lazy(
                    "Stock-take %(number)s found in %(store)s %(count)s item that is in the books of %(place)s:"
                    " %(items)s",
                    "Stock-take %(number)s found in %(store)s %(count)s items that are in the books of %(place)s:"
                    " %(items)s",
                    "count",
                ),
                "stocktake.cancelled": _("Stock-take %(number)s of store %(store)s was called off: %(reason)s"),
                "handover.seals": _("Seals of %(number)s were not intact on arrival: %(seals)s. Receiver: %(reason)s"),
            },
            decides="authority",
        )
        register_advice(
            (_("Explain why, and begin another count; the authority decides."), ("stocktake.cancelled",)),
            (_("Take each to its place, or record the movement that brought it here."), ("stocktake.elsewhere",)),
            (
                _("Keep it apart and locked, and explain how it came there; the authority decides."),
                ("stocktake.destroyed", "stocktake.evidence", "stocktake.gone"),
            ),
            (
                _("Both sides say how it came there; it goes back by a hand-over, and the authority decides."),
                ("stocktake.in_transit", "stocktake.other_keeper", "stocktake.other_store"),
            ),
            (_("Put aside what carries these labels, and find out whose they are."), ("stocktake.unknown",)),
            (
                _("Look at the store and its cooling, move the goods if needed, and say what was done."),
                ("climate.cold", "climate.damp", "climate.warm"),
            ),
            (_("Look at the sensor, and enter readings by hand until it works."), ("climate.silent",)),
            (
                _("Call the driver and the sender: receive the load, or report the loss."),
                ("handover.late", "handover.late_back"),
            ),
            (
                _("Search: what is found is taken in or counted again, what is not is reported as lost or stolen."),
                ("handover.missing", "stocktake.missing"),
            ),
            (_("Weigh these items again on another scale, and explain; the authority decides."), ("handover.mass",)),
            (_("Another person weighs these items again, or the authority judges."), ("weighing.unexplained",)),
            (
                _("Compare what came with the list piece by piece, and explain; the authority decides."),
                ("handover.seals",),
            ),
        )

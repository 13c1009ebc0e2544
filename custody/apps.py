from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy


class CustodyConfig(AppConfig):
    name = "custody"

    def ready(self) -> None:
        from core.accounts.subjects import register_subject
        from core.audit.services import register_verbs
        from core.notices.services import register_advice, register_notice_codes
        from custody.keeping import keeps_key
        from custody.models import DestructionOrder, LossReport
        from custody.services.corrections import may_see_movements
        from custody.subjects import (
            destruction_kept_since,
            hold_destruction,
            hold_loss,
            loss_kept_since,
            may_add_to_destruction,
            may_add_to_loss,
        )
        from ledger.models import Movement, StockTake, Weighing

        register_subject(
            "stocktake",
            label=_("Stock-take"),
            url_name="custody:stocktake",
            known_to=StockTake.objects.visible_to,
            everything=StockTake.objects.all,
            add=keeps_key,
            keeps=lambda key: StockTake.objects.filter(pk=key).values_list("closed_at", flat=True).first(),
            prefix="SK",
        )
        register_subject(
            "weighing",
            label=_("Weighing"),
            url_name="custody:weighing",
            known_to=Weighing.objects.visible_to,
            everything=Weighing.objects.all,
            prefix="WG",
        )
        register_subject(
            "loss",
            label=_("Report of loss"),
            url_name="custody:loss",
            known_to=lambda user: LossReport.objects.visible_to(user),
            add=may_add_to_loss,
            keeps=loss_kept_since,
            hold=hold_loss,
            everything=lambda: LossReport.objects.all(),
            prefix="LR",
        )
        register_subject(
            "destruction",
            label=_("Destruction"),
            url_name="custody:destruction",
            known_to=lambda user: DestructionOrder.objects.visible_to(user),
            add=may_add_to_destruction,
            keeps=destruction_kept_since,
            hold=hold_destruction,
            everything=lambda: DestructionOrder.objects.all(),
            prefix="DE",
        )
        register_subject(
            "movement",
            label=_("Movement"),
            url_name="custody:movement",
            known_to=lambda user: Movement.objects.all() if may_see_movements(user) else Movement.objects.none(),
            everything=lambda: Movement.objects.all(),
        )
        register_verbs(
            {
                "correction.asked": _("Correction of a movement asked for"),
                "correction.confirmed": _("Correction of a movement confirmed"),
                "correction.refused": _("Correction of a movement refused"),
                "loss.reported": _("Loss reported"),
                "loss.police_noted": _("Police told of the loss"),
                "loss.act_proposed": _("Act on lost goods proposed"),
                "loss.act_refused": _("Act on lost goods refused"),
                "loss.recovered": _("Lost goods found again"),
                "loss.written_off": _("Lost goods written off"),
                "destruction.ordered": _("Destruction ordered"),
                "destruction.goods_listed": _("Goods put on the list of destruction"),
                "destruction.member_seated": _("Member of the commission named"),
                "destruction.member_left": _("Member of the commission left"),
                "destruction.list_closed": _("List of destruction closed"),
                "destruction.list_opened": _("List of destruction opened again"),
                "destruction.signed": _("Destruction signed by a member"),
                "destruction.executed": _("Goods destroyed"),
                "destruction.cancelled": _("Destruction cancelled"),
                "paper.drawn": _("Act drawn"),
            }
        )
        register_notice_codes(
            {
                "loss.reported": ngettext_lazy(
                    "%(number)s: %(pieces)s item is reported lost or stolen. Place: %(place)s",
                    "%(number)s: %(pieces)s items are reported lost or stolen. Place: %(place)s",
                    "pieces",
                ),
                "correction.waits": _("Movement %(number)s: its correction waits for a second person. %(reason)s"),
            }
        )
        register_notice_codes(
            {
                "loss.mass_differs": ngettext_lazy(
                    "%(number)s: %(pieces)s item found again weighs otherwise than the register says: %(items)s",
                    "%(number)s: %(pieces)s items found again weigh otherwise than the register says: %(items)s",
                    "pieces",
                ),
                "destruction.mass_differs": _(
                    "Destruction %(number)s: %(booked)s g in the register, %(weighed)s g weighed. %(reason)s"
                ),
            },
            decides="authority",
        )
        register_advice(
            (
                _("Search, tell the police, and settle the report by an act: found again, or written off."),
                ("loss.reported",),
            ),
            (_("Another person than the one who asked opens it, and approves or refuses."), ("correction.waits",)),
            (
                _("Check the scale and the list, and explain; the authority decides."),
                ("destruction.mass_differs", "loss.mass_differs"),
            ),
        )

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy


class PermitsConfig(AppConfig):
    name = "permits"

    def ready(self) -> None:
        from core.accounts.subjects import register_subject
        from core.audit.services import register_verbs
        from core.notices.services import register_advice, register_notice_codes
        from permits.models import Application, Permit
        from permits.selectors import may_add_to_application, may_add_to_permit

        register_subject(
            "application",
            label=_("Application"),
            url_name="permits:application",
            known_to=lambda user: Application.objects.visible_to(user),
            add=may_add_to_application,
            everything=lambda: Application.objects.all(),
            prefix="AP",
        )
        register_subject(
            "permit",
            label=_("Permit"),
            url_name="permits:permit",
            known_to=lambda user: Permit.objects.visible_to(user),
            add=may_add_to_permit,
            everything=lambda: Permit.objects.all(),
            prefix="PM",
        )
        register_verbs(
            {
                "application.opened": _("Application begun"),
                "application.changed": _("Application changed"),
                "application.items_added": _("Items added to the application"),
                "application.items_removed": _("Items taken off the application"),
                "application.submitted": _("Application submitted"),
                "application.taken_up": _("Application taken up by an officer"),
                "application.approved": _("Application approved"),
                "application.refused": _("Application refused"),
                "application.returned": _("Application returned for correction"),
                "application.withdrawn": _("Application withdrawn"),
                "permit.issued": _("Permit issued"),
                "permit.used": _("Goods arrived under the permit"),
                "permit.used_up": _("Permit used up"),
                "permit.expired": _("Permit expired"),
                "permit.revoked": _("Permit revoked"),
            }
        )
        register_notice_codes(
            {
                "permit.revoked_under_way": _(
                    "Permit %(permit)s was revoked while %(number)s was on its way: %(reason)s."
                    " The goods go back to the sender."
                ),
            }
        )
        register_notice_codes(
            {
                "handover.extra": ngettext_lazy(
                    "%(extra)s item arrived with %(number)s that is not on its list: %(items)s",
                    "%(extra)s items arrived with %(number)s that are not on its list: %(items)s",
                    "extra",
                ),
            },
            decides="authority",
        )
        register_advice(
            (_("Turn the load back, and take it in where it came from."), ("permit.revoked_under_way",)),
            (_("Keep these items apart, and say where they came from; the authority decides."), ("handover.extra",)),
        )

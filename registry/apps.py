from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RegistryConfig(AppConfig):
    name = "registry"

    def ready(self) -> None:
        from core.accounts.subjects import register_subject
        from core.audit.services import register_verbs
        from core.documents.attaching import register_holder
        from core.notices.services import register_notice_codes
        from core.rules.values import register_terms
        from registry.models import Case, Derivative, Intake, Processing, Term
        from registry.subjects import (
            holders_of,
            may_add_to_case,
            may_add_to_derivative,
            may_add_to_intake,
            may_add_to_processing,
            place_of_case,
        )

        register_terms({term.value: term.label for term in Term})
        register_holder(holders_of)
        register_subject(
            "derivative",
            label=_("Item"),
            url_name="reports:item",
            known_to=lambda user: Derivative.objects.visible_to(user),
            add=may_add_to_derivative,
            everything=lambda: Derivative.objects.all(),
            prefix="KZ",
            digits=7,
        )
        register_subject(
            "intake",
            label=_("Reception"),
            url_name="registry:intake",
            known_to=lambda user: Intake.objects.visible_to(user),
            add=may_add_to_intake,
            everything=lambda: Intake.objects.all(),
            prefix="IN",
        )
        register_subject(
            "case",
            label=_("Case"),
            url_name="registry:case",
            known_to=lambda user: Case.objects.visible_to(user),
            add=may_add_to_case,
            place=place_of_case,
            everything=lambda: Case.objects.all(),
            prefix="SZ",
        )
        register_subject(
            "processing",
            label=_("Processing"),
            url_name="custody:processing",
            known_to=lambda user: Processing.objects.visible_to(user),
            add=may_add_to_processing,
            everything=lambda: Processing.objects.all(),
            prefix="PR",
        )
        register_verbs(
            {
                "case.opened": _("Seizure case entered"),
                "case.facts_noted": _("Facts of the case noted"),
                "case.goods_counted": _("Goods of the protocol counted"),
                "case.person_added": _("Person of the case entered"),
                "case.persons_seen": _("Personal data of the case looked at"),
                "case.expertise_asked": _("Expertise asked for"),
                "case.expertise_received": _("Conclusion of the expert received"),
                "case.decision_recorded": _("Court decision recorded"),
                "case.decision_confirmed": _("Court decision confirmed"),
                "case.decision_withdrawn": _("Court decision not confirmed"),
                "intake.opened": _("Reception opened"),
                "intake.corrected": _("Reception corrected"),
                "intake.rows_corrected": _("Weighing corrected"),
                "intake.sheet_added": _("Rows added from a file"),
                "intake.photo_added": _("Photo added"),
                "intake.photo_described": _("Photo described"),
                "intake.photo_removed": _("Photo taken off its row"),
                "intake.registered": _("Horns registered"),
                "intake.cancelled": _("Reception cancelled"),
                "processing.opened": _("Processing begun"),
                "processing.cancelled": _("Processing cancelled"),
                "processing.registered": _("Processed and registered"),
                "season.opened": _("Season entered"),
                "season.permit_entered": _("Removal permit entered"),
                "season.brigade_entered": _("Brigade entered"),
            }
        )
        register_notice_codes(
            {
                "case.counts_differ": _(
                    "Case %(number)s: protocol %(protocol)s counts %(counted)s, but %(taken)s were weighed and marked"
                ),
                "case.decision_waits": _(
                    "Case %(number)s: the court decision %(decision)s waits for a second person to confirm it"
                ),
                "processing.loss": _(
                    "%(number)s lost %(loss)s g of %(input)s g; the norm is %(percent)s %%. Processor: %(explanation)s"
                ),
                "intake.horns_per_male": _(
                    "%(pieces)s horns from %(males)s males in reception %(number)s. Inspector: %(explanation)s"
                ),
            }
        )

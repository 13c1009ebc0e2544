from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy


def _counts_in_words(words: Any, counts: Mapping[str, int]) -> str:
    """How many of each, by the words of a list of choices."""
    return ", ".join(f"{str(words(key).label).capitalize()}: {count}" for key, count in counts.items())


class RegistryConfig(AppConfig):
    name = "registry"

    def ready(self) -> None:
        from core.accounts.subjects import register_subject
        from core.audit.services import register_facts, register_old_words, register_verbs
        from core.documents.attaching import register_holder
        from core.notices.services import register_advice, register_notice_codes, register_obstacle, register_sequel
        from core.rules.values import register_terms
        from registry.models import Case, DailySheet, Derivative, Intake, Outcome, Processing, Term
        from registry.selectors import permits_seen, seasons_seen
        from registry.services.confirming import BY_SECOND_PERSON
        from registry.services.removal_holds import let_go_when_judged
        from registry.subjects import (
            case_kept_since,
            decision_still_waits,
            holders_of,
            may_add_to_case,
            may_add_to_derivative,
            may_add_to_intake,
            may_add_to_processing,
            may_add_to_sheet,
            place_of_case,
            still_unconfirmed,
        )
        from registry.triggers import IN_QUESTION

        import_module("registry.tasks")
        register_terms({term.value: term.label for term in Term})
        register_holder(holders_of)
        for said in BY_SECOND_PERSON.values():
            register_obstacle(said.waits, still_unconfirmed)
        register_obstacle("case.decision_waits", decision_still_waits)
        register_sequel(IN_QUESTION, let_go_when_judged)
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
            keeps=lambda key: Intake.objects.filter(pk=key).values_list("closed_at", flat=True).first(),
            everything=lambda: Intake.objects.all(),
            prefix="IN",
        )
        register_subject(
            "case",
            label=_("Case"),
            url_name="registry:case",
            known_to=lambda user: Case.objects.visible_to(user),
            add=may_add_to_case,
            keeps=case_kept_since,
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
            keeps=lambda key: Processing.objects.filter(pk=key).values_list("closed_at", flat=True).first(),
            everything=lambda: Processing.objects.all(),
            prefix="PR",
        )
        register_subject(
            "daily_sheet",
            label=_("Daily sheet"),
            url_name="registry:daily-sheet",
            known_to=lambda user: DailySheet.objects.visible_to(user),
            add=may_add_to_sheet,
            keeps=lambda key: DailySheet.objects.filter(pk=key).values_list("closed_at", flat=True).first(),
            everything=lambda: DailySheet.objects.all(),
            prefix="DS",
        )
        register_subject("season", label=_("Season"), url_name="registry:season", known_to=seasons_seen)
        register_subject(
            "removal_permit", label=_("Removal permit"), url_name="registry:removal-permit", known_to=permits_seen
        )
        register_subject("slaughter_point", label=_("Slaughter point"))
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
                "case.goods_returned": _("Goods given back to their owner"),
                "case.decision_withdrawn": _("Court decision not confirmed"),
                "intake.opened": _("Reception opened"),
                "intake.corrected": _("Reception corrected"),
                "intake.rows_corrected": _("Weighing corrected"),
                "intake.sheet_added": _("Rows added from a file"),
                "intake.photo_added": _("Photo added"),
                "intake.photo_described": _("Photo described"),
                "intake.photo_removed": _("Photo taken off its row"),
                "intake.registered": _("Derivatives registered"),
                "intake.old_stock_confirmed": _("Old stock confirmed"),
                "intake.found_confirmed": _("Found goods confirmed"),
                "intake.confiscated_confirmed": _("Confiscated goods confirmed"),
                "intake.imported_confirmed": _("Imported goods confirmed"),
                "intake.cancelled": _("Reception cancelled"),
                "certificate.entered": _("Veterinary certificate entered"),
                "sale.made": _("Batches sold"),
                "processing.opened": _("Processing begun"),
                "processing.cancelled": _("Processing cancelled"),
                "processing.asked": _("Processing waits for the authority"),
                "processing.returned": _("Processing given back"),
                "processing.registered": _("Processed and registered"),
                "season.opened": _("Season entered"),
                "season.permit_entered": _("Removal permit entered"),
                "season.brigade_entered": _("Brigade entered"),
                "season.decision_entered": _("Decision on removal entered"),
                "season.permit_withdrawn": _("Removal permit withdrawn"),
                "slaughter_point.entered": _("Slaughter point entered"),
                "sheet.entered": _("Daily sheet entered"),
                "sheet.corrected": _("Daily sheet corrected"),
                "sheet.signed": _("Daily sheet signed"),
                "sheet.reopened": _("Daily sheet reopened"),
                "sheet.withdrawn": _("Daily sheet withdrawn"),
            }
        )
        register_facts(
            {
                "decided_as": (_("Decided"), partial(_counts_in_words, Outcome)),
                "band_reason": (_("Why measures are unusual"), str),
                "counted_as": (_("By the protocol"), partial(_counts_in_words, Term)),
            }
        )
        register_old_words(
            {
                **{outcome.value: outcome.label for outcome in Outcome},
                **{term.value: term.label for term in Term},
            },
            facts=[
                (verb, "note") for verb in ("case.goods_counted", "case.decision_recorded", "case.decision_confirmed")
            ],
        )
        register_old_words(
            {
                "Confirmed": _("Confirmed"),
                "Not confirmed": _("Not confirmed"),
                "Adds up after a correction": _("Adds up after a correction"),
                "Replaced by a newer count": _("Replaced by a newer count"),
            },
            facts=[("notice.decided", "decision")],
        )
        register_notice_codes(
            {
                "intake.old_stock_waits": ngettext_lazy(
                    "Old stock %(number)s in %(store)s: %(pieces)s item waits for a second person of an inspection or"
                    " the authority.",
                    "Old stock %(number)s in %(store)s: %(pieces)s items wait for a second person of an inspection or"
                    " the authority.",
                    "pieces",
                ),
                "intake.found_waits": ngettext_lazy(
                    "Found goods %(number)s in %(store)s: %(pieces)s item waits for another inspector of the region or"
                    " the head of the authority.",
                    "Found goods %(number)s in %(store)s: %(pieces)s items wait for another inspector of the region or"
                    " the head of the authority.",
                    "pieces",
                ),
                "intake.confiscated_waits": ngettext_lazy(
                    "Confiscated goods %(number)s in %(store)s: %(pieces)s item waits for a second person of an"
                    " inspection or the authority.",
                    "Confiscated goods %(number)s in %(store)s: %(pieces)s items wait for a second person of an"
                    " inspection or the authority.",
                    "pieces",
                ),
                "intake.imported_waits": ngettext_lazy(
                    "Imported goods %(number)s in %(store)s: %(pieces)s item waits for a second person of an"
                    " inspection or the authority.",
                    "Imported goods %(number)s in %(store)s: %(pieces)s items wait for a second person of an"
                    " inspection or the authority.",
                    "pieces",
                ),
                "case.decision_waits": _(
                    "Case %(number)s: the court decision %(decision)s waits for a second person to confirm it"
                ),
            }
        )
        # Horns that vanish or come from nowhere, and whatever a day of removal leaves open: the authority that gave the
        # permit judges, not a colleague of the one who wrote the sheet.
        register_notice_codes(
            {
                "removal.carcasses": ngettext_lazy(
                    "%(brigade)s, %(day)s: %(animals)s animal taken, %(carcasses)s carcasses delivered,"
                    " %(unusable)s unusable. Sheet %(number)s.",
                    "%(brigade)s, %(day)s: %(animals)s animals taken, %(carcasses)s carcasses delivered,"
                    " %(unusable)s unusable. Sheet %(number)s.",
                    "animals",
                ),
                "removal.counts": ngettext_lazy(
                    "%(brigade)s, %(day)s: the reception counted %(received)s animal, sheet %(number)s says"
                    " %(animals)s.",
                    "%(brigade)s, %(day)s: the reception counted %(received)s animals, sheet %(number)s says"
                    " %(animals)s.",
                    "received",
                ),
                "removal.sex": ngettext_lazy(
                    "%(brigade)s, %(day)s: %(count)s animal taken of a sex or age that permit %(permit)s is"
                    " not for. Sheet %(number)s.",
                    "%(brigade)s, %(day)s: %(count)s animals taken of a sex or age that permit %(permit)s is"
                    " not for. Sheet %(number)s.",
                    "count",
                ),
                "removal.contract": _(
                    "%(brigade)s, %(day)s: animals taken on a day that contract %(contract)s does not cover."
                    " Sheet %(number)s."
                ),
                "removal.no_sheet": _("%(brigade)s, %(day)s: horns received, but no daily sheet."),
                "removal.sheet_open": _("%(brigade)s, %(day)s: daily sheet %(number)s is not signed."),
                "removal.reception_open": _("%(brigade)s, %(day)s: a reception of this day is still open."),
                "intake.horns_per_male": ngettext_lazy(
                    "%(pieces)s horn from %(males)s males in reception %(number)s. Inspector: %(explanation)s",
                    "%(pieces)s horns from %(males)s males in reception %(number)s. Inspector: %(explanation)s",
                    "pieces",
                ),
                "intake.unknown_origin": ngettext_lazy(
                    "%(pieces)s item of unknown origin taken in at %(store)s, reception %(number)s."
                    " Inspector: %(explanation)s",
                    "%(pieces)s items of unknown origin taken in at %(store)s, reception %(number)s."
                    " Inspector: %(explanation)s",
                    "pieces",
                ),
                "removal.horns_too_many": ngettext_lazy(
                    "%(brigade)s, %(day)s: %(horns)s horn cut from %(males)s males, at most %(most)s possible."
                    " Sheet %(number)s.",
                    "%(brigade)s, %(day)s: %(horns)s horns cut from %(males)s males, at most %(most)s"
                    " possible. Sheet %(number)s.",
                    "horns",
                ),
                "removal.horns_too_few": ngettext_lazy(
                    "%(brigade)s, %(day)s: only %(horns)s horn cut from %(males)s males, %(most)s expected."
                    " Sheet %(number)s.",
                    "%(brigade)s, %(day)s: only %(horns)s horns cut from %(males)s males, %(most)s expected."
                    " Sheet %(number)s.",
                    "horns",
                ),
                "removal.over_permit": ngettext_lazy(
                    "%(animals)s animal taken under removal permit %(permit)s, which lets %(limit)s.",
                    "%(animals)s animals taken under removal permit %(permit)s, which lets %(limit)s.",
                    "animals",
                ),
                "removal.over_decision": ngettext_lazy(
                    "%(animals)s animal taken under decision %(decision)s, whose line lets %(limit)s.",
                    "%(animals)s animals taken under decision %(decision)s, whose line lets %(limit)s.",
                    "animals",
                ),
                "processing.loss": _(
                    "%(number)s lost %(loss)s g of %(input)s g; the norm is %(percent)s %%. Processor: %(explanation)s"
                ),
            },
            decides="authority",
        )
        register_notice_codes(
            {
                "case.counts_differ": ngettext_lazy(
                    "Case %(number)s: protocol %(protocol)s counts %(counted)s, but %(taken)s was weighed and marked",
                    "Case %(number)s: protocol %(protocol)s counts %(counted)s, but %(taken)s were weighed and marked",
                    "taken",
                ),
                "case.count_lowered": _(
                    "Case %(number)s: the count of protocol %(protocol)s was lowered from %(before)s to %(after)s."
                    " Inspector: %(explanation)s"
                ),
                "removal.horns_registered": ngettext_lazy(
                    "%(brigade)s, %(day)s: %(cut)s horn cut, %(registered)s registered. Sheet %(number)s.",
                    "%(brigade)s, %(day)s: %(cut)s horns cut, %(registered)s registered. Sheet %(number)s.",
                    "cut",
                ),
                "removal.no_reception": ngettext_lazy(
                    "%(brigade)s, %(day)s: %(cut)s horn cut, but no reception. Sheet %(number)s.",
                    "%(brigade)s, %(day)s: %(cut)s horns cut, but no reception. Sheet %(number)s.",
                    "cut",
                ),
            },
            decides="authority",
            goods_missing=True,
        )
        register_advice(
            (
                _("Count and weigh again, or correct the counts of the protocol; then say why they differed."),
                ("case.counts_differ",),
            ),
            (
                _("Compare the paper of the protocol with what lies in the evidence room, piece by piece."),
                ("case.count_lowered",),
            ),
            (
                _("Another person than the one who asked opens it, and approves or refuses."),
                ("case.decision_waits", *(said.waits for said in BY_SECOND_PERSON.values())),
            ),
            (
                _("Compare the brigade's paper with the sheet and the reception: correct what is wrong, or explain."),
                (
                    "intake.horns_per_male",
                    "removal.carcasses",
                    "removal.counts",
                    "removal.horns_registered",
                    "removal.horns_too_few",
                    "removal.horns_too_many",
                ),
            ),
            (
                _("Stop the removal under this paper, and explain; what was taken stays in the register."),
                ("removal.contract", "removal.over_decision", "removal.over_permit", "removal.sex"),
            ),
            (
                _("Ask who brought or left these goods, and write what came of it; the authority judges it."),
                ("intake.unknown_origin",),
            ),
            (_("Enter the daily sheet of this brigade and day."), ("removal.no_sheet",)),
            (_("Check the sheet against the paper, and sign it."), ("removal.sheet_open",)),
            (_("Register what was received, or cancel the reception."), ("removal.reception_open",)),
            (_("Open the reception of this day, or correct the sheet."), ("removal.no_reception",)),
            (
                _("Check the masses of what went in and came out; the authority decides upon the explanation."),
                ("processing.loss",),
            ),
        )

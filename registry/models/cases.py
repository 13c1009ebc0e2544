"""Seizure cases: the seizure, its persons, what the protocol counted, expertise, the court's decision."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import Organisation, Region, ThreeNames, User
from core.accounts.roles import Can
from core.base.triggers import append_only, final_once, fixed, never_deleted
from core.documents.models import Document
from ledger.models import Hold, Item
from registry import triggers
from registry.models.terms import Term

NO_COUNTRY = ("XX", "XV", "HS")
"""What CITES writes where there is no country: unknown, various, the sea."""


class Country(ThreeNames):
    """ISO 3166-1, and the three codes that CITES adds: XX unknown, XV various, HS the sea."""

    code = models.CharField(max_length=2, primary_key=True)

    class Meta:
        ordering = ["code"]


class CaseWord(ThreeNames):
    """An entry of one of the lists that the annual illegal trade report is written with."""

    class List(models.TextChoices):
        REASON = "reason", _("Reason for seizure")
        DETECTION = "detection", _("Method of detection")
        TRANSPORT = "transport", _("Mode of transport")
        CONCEALMENT = "concealment", _("Method of concealment")
        DISPOSAL = "disposal", _("Disposal of the goods")

    list = models.CharField(max_length=12, choices=List)
    code = models.CharField(max_length=30)
    place = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["list", "place", "pk"]
        constraints = [models.UniqueConstraint(fields=["list", "code"], name="one_case_word_of_a_code")]


class Stage(models.TextChoices):
    """How far a case has come; computed, never written."""

    OPENED = "opened", _("Goods not weighed yet")
    EVIDENCE = "evidence", _("Evidence is held")
    WAITING = "waiting", _("Decision waits for confirmation")
    DECIDED = "decided", _("Decided")


class CaseQuerySet(models.QuerySet["Case"]):
    def visible_to(self, user: User) -> "CaseQuerySet":
        """Cases of the person's regions and own agency, and those whose goods came where the person may know."""
        if user.can(Can.SEE_EVERYTHING):
            return self
        if not user.can(Can.SEE_INTAKES):
            return self.none()
        from registry.models.intakes import Intake  # intakes name their case

        own = Q(region__in=user.region_codes(Can.REGISTER_SEIZURE)) | Q(
            agency__in=user.organisation_ids(Can.SEE_INTAKES)
        )
        goods = models.Exists(Intake.objects.visible_to(user).filter(case=models.OuterRef("pk")))
        return self.filter(own | goods)

    def with_stage(self) -> "CaseQuerySet":
        """Each with `stage`: how far it has come, in the codes of Stage."""
        of_case = models.OuterRef("pk")
        decisions = CourtDecision.objects.filter(case=of_case)
        held = Hold.objects.active().filter(kind=Hold.Kind.EVIDENCE, item__derivative__intake__case=of_case)
        return self.annotate(
            stage=models.Case(
                models.When(models.Exists(decisions.filter(state="recorded")), then=models.Value(Stage.WAITING)),
                models.When(models.Exists(held), then=models.Value(Stage.EVIDENCE)),
                models.When(models.Exists(decisions.filter(state="confirmed")), then=models.Value(Stage.DECIDED)),
                default=models.Value(Stage.OPENED),
                output_field=models.CharField(),
            )
        )


def _word(label: StrOrPromise) -> "models.ForeignKey[CaseWord | None, CaseWord | None]":
    return models.ForeignKey(
        CaseWord, verbose_name=label, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )


class Case(models.Model):
    """A seizure: who took what from where and why, and what came of it.

    The criminal-register number (ERDR) may come days after the protocol; once given it stays. `version` counts the
    changes of the facts, so that a person who saves older ones is told. One protocol of an agency is entered once;
    `is_repeat` marks cases of a time when that was not asked. The facts of a decided case stay.
    """

    number = models.CharField(max_length=20, unique=True)
    protocol_number = models.CharField(_("protocol number"), max_length=60)
    protocol_on = models.DateField(_("date of the protocol"))
    erdr_number = models.CharField(_("ERDR number"), max_length=30, blank=True)
    agency = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="cases", verbose_name=_("agency"))
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+", verbose_name=_("region"))
    place = models.CharField(_("place"), max_length=200)
    latitude = models.DecimalField(_("latitude"), max_digits=9, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(_("longitude"), max_digits=9, decimal_places=6, null=True, blank=True)
    seized_on = models.DateField(_("day of the seizure"))
    offence_on = models.DateField(_("day of the offence"), null=True, blank=True)
    reason = _word(_("reason for seizure"))
    detection = _word(_("method of detection"))
    transport = _word(_("mode of transport"))
    concealment = _word(_("method of concealment"))
    origin_country = models.ForeignKey(Country, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    transit_countries = models.ManyToManyField(Country, blank=True, related_name="+")
    destination_country = models.ForeignKey(Country, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    nationalities = models.ManyToManyField(Country, blank=True, related_name="+")
    articles = models.CharField(_("articles of law"), max_length=300, blank=True)
    estimated_value = models.PositiveBigIntegerField(_("estimated value"), null=True, blank=True)
    sanction = models.CharField(_("sanction"), max_length=500, blank=True)
    additional = models.TextField(_("additional information"), blank=True)
    males = models.PositiveIntegerField(_("males"), default=0)
    females = models.PositiveIntegerField(_("females"), default=0)
    young = models.PositiveIntegerField(_("young"), default=0)
    is_repeat = models.BooleanField(default=False, db_default=False)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=0)

    objects = CaseQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["seized_on"])]
        constraints = [
            models.CheckConstraint(condition=Q(protocol_on__gte=F("seized_on")), name="protocol_not_before_seizure"),
            models.UniqueConstraint(fields=["erdr_number"], condition=~Q(erdr_number=""), name="one_case_per_erdr"),
            models.UniqueConstraint(
                F("agency"),
                F("protocol_on"),
                Lower("protocol_number"),
                condition=Q(is_repeat=False),
                name="one_case_of_a_protocol",
            ),
            models.CheckConstraint(
                condition=Q(latitude=None, longitude=None)
                | Q(latitude__gte=-90, latitude__lte=90, longitude__gte=-180, longitude__lte=180),
                name="case_coordinates_whole",
            ),
            models.CheckConstraint(
                condition=Q(offence_on=None) | Q(offence_on__lte=F("seized_on")), name="offence_not_after_seizure"
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("case_is_fixed", "number", "protocol_number", "opened_by", "opened_at"),
            pgtrigger.Protect(
                name="erdr_number_stays",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__erdr_number="")
                & pgtrigger.Q(old__erdr_number__df=pgtrigger.F("new__erdr_number")),
            ),
            triggers.case_words_are_of_their_lists(),
            triggers.erdr_number_has_15_digits(),
            triggers.decided_case_stays(),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """How people speak of the case: the ERDR number, or the register's own while there is none."""
        return self.erdr_number or self.number


class SeizedCount(models.Model):
    """What the protocol says was seized, of one kind: counted on the spot, perhaps weighed in bulk."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="counts", db_index=False)
    term = models.CharField(_("term"), max_length=3, choices=Term)
    pieces = models.PositiveIntegerField(_("pieces"))
    grams = models.PositiveBigIntegerField(_("mass"), null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["case", "term"], name="one_count_of_a_term"),
            models.CheckConstraint(condition=Q(pieces__gt=0), name="something_was_counted"),
        ]
        triggers: list[pgtrigger.Trigger] = [triggers.decided_counts_stay(), triggers.lower_count_is_told()]

    def __str__(self) -> str:
        return f"{self.case_id} {self.term} {self.pieces}"


class CasePerson(models.Model):
    """A person of a case. Personal data: shown to few, and every look is journalled."""

    class Part(models.TextChoices):
        SUSPECT = "suspect", _("Suspect")
        ACCUSED = "accused", _("Accused")
        WITNESS = "witness", _("Witness")
        OWNER = "owner", _("Owner of the goods")
        CLAIMANT = "claimant", _("Claimant of the goods")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="persons")
    full_name = models.CharField(_("full name"), max_length=200)
    iin = models.CharField(_("IIN"), max_length=12, blank=True)
    part = models.CharField(_("part in the case"), max_length=8, choices=Part)
    nationality = models.ForeignKey(Country, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(_("note"), max_length=300, blank=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=Q(iin="") | Q(iin__regex=r"^[0-9]{12}$"), name="iin_form")]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.case_id} {self.part}"


class Expertise(models.Model):
    """An expert's examination: asked for, and later answered with a finding."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="expertises")
    institution = models.CharField(_("institution"), max_length=200)
    requested_on = models.DateField(_("asked for on"))
    question = models.TextField(_("questions to the expert"), blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    number = models.CharField(_("number of the conclusion"), max_length=60, blank=True)
    done_on = models.DateField(_("date of the conclusion"), null=True, blank=True)
    expert = models.CharField(_("expert"), max_length=150, blank=True)
    finding = models.TextField(_("finding"), blank=True)
    document = models.ForeignKey(Document, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    received_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(received_by=None, received_at=None, done_on=None, number="", finding="")
                | Q(received_by__isnull=False, received_at__isnull=False, done_on__gte=F("requested_on"))
                & ~Q(number="")
                & ~Q(finding=""),
                name="expertise_answered_all_or_none",
            )
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            final_once("expertise_answered_for_good", pgtrigger.Q(old__received_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.number or f"{self.case_id} {self.requested_on}"


class Outcome(models.TextChoices):
    """What a court decides of seized goods."""

    CONFISCATED = "confiscated", _("Confiscated")
    RETURNED = "returned", _("Returned to the owner")
    DESTROY = "destroy", _("To be destroyed")


class CourtDecision(models.Model):
    """A court's decision on goods of a case: written down by one person, confirmed against the paper by another."""

    class State(models.TextChoices):
        RECORDED = "recorded", _("Waits for confirmation")
        CONFIRMED = "confirmed", _("Confirmed")
        WITHDRAWN = "withdrawn", _("Not confirmed")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="decisions")
    court = models.CharField(_("court"), max_length=200)
    number = models.CharField(_("number of the decision"), max_length=60)
    decided_on = models.DateField(_("date of the decision"))
    in_force_on = models.DateField(_("in legal force on"))
    returned_to = models.CharField(_("to whom goods are returned"), max_length=200, blank=True, db_default="")
    note = models.TextField(_("note"), blank=True)
    document = models.ForeignKey(Document, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=9, choices=State, default=State.RECORDED)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)
    close_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(in_force_on__gte=F("decided_on")), name="decision_in_force_after_it"),
            models.CheckConstraint(
                condition=~Q(state="confirmed") | ~Q(closed_by=F("recorded_by")), name="decision_needs_two_persons"
            ),
            models.CheckConstraint(
                condition=Q(state="recorded", closed_by=None, closed_at=None)
                | (~Q(state="recorded") & Q(closed_by__isnull=False, closed_at__isnull=False)),
                name="decision_closed_all_or_none",
            ),
            models.UniqueConstraint(
                fields=["case"], condition=Q(state="recorded"), name="one_decision_of_a_case_waits"
            ),
            models.UniqueConstraint(
                fields=["case", "court", "number"], condition=~Q(state="withdrawn"), name="one_decision_of_a_number"
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed(
                "decision_is_fixed",
                "case",
                "court",
                "number",
                "decided_on",
                "in_force_on",
                "returned_to",
                "recorded_by",
                "recorded_at",
            ),
            final_once("decision_closed_for_good", ~pgtrigger.Q(old__state="recorded")),
            triggers.decision_is_sound(),
        ]

    def __str__(self) -> str:
        return self.number


class ReturnAct(models.Model):
    """Goods given back to their owner: who received them, by which document, and the receipt that was signed.

    The owner or claimant stands among the persons of the case, entered by another than who hands over, or in the
    decision.

    Personal data: shown to those who may see the persons of the case. The goods leave the books with it, never before.
    Two persons hand them over: `handed_by`, who did not record the decision, and a `second`.
    """

    number = models.CharField(max_length=20, unique=True)
    decision = models.ForeignKey(CourtDecision, on_delete=models.PROTECT, related_name="returns")
    # Whose the goods are: None where the decision itself names the receiver, and in acts of earlier versions.
    owner = models.ForeignKey(CasePerson, null=True, on_delete=models.PROTECT, related_name="+")
    receiver_name = models.CharField(_("who receives the goods"), max_length=200)
    receiver_iin = models.CharField(_("IIN"), max_length=12, blank=True)
    receiver_document = models.CharField(_("identity document"), max_length=120)
    on_behalf = models.CharField(_("power of attorney"), max_length=200, blank=True)
    picture = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    receipt = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    paper_kk = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+")
    paper_ru = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+")
    handed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    handed_at = models.DateTimeField()
    # None in acts of earlier versions; the trigger asks every new one for it.
    second = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(second=None) | ~Q(second=F("handed_by")), name="nobody_gives_goods_back_alone"
            ),
            models.CheckConstraint(
                condition=~Q(receiver_name="") & ~Q(receiver_document=""), name="return_names_its_receiver"
            ),
            models.CheckConstraint(
                condition=Q(receiver_iin="") | Q(receiver_iin__regex=r"^[0-9]{12}$"), name="receiver_iin_form"
            ),
            models.CheckConstraint(
                condition=Q(picture__isnull=False) | Q(receipt__isnull=False), name="return_is_signed_for"
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *append_only(),
            triggers.goods_go_back_by_two_persons(),
            triggers.goods_go_back_to_whom_the_case_names(),
        ]

    def __str__(self) -> str:
        return self.number


class DecidedItem(models.Model):
    """What a decision says of one item. Of one item only one decision is ever confirmed."""

    decision = models.ForeignKey(CourtDecision, on_delete=models.PROTECT, related_name="items", db_index=False)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="court_decisions")
    outcome = models.CharField(max_length=11, choices=Outcome)
    is_confirmed = models.BooleanField(default=False)
    return_act = models.ForeignKey(ReturnAct, null=True, on_delete=models.PROTECT, related_name="items")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["decision", "item"], name="one_outcome_of_an_item"),
            models.UniqueConstraint(
                fields=["item"], condition=Q(is_confirmed=True), name="one_confirmed_decision_of_an_item"
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("decided_item_is_fixed", "decision", "item", "outcome"),
            final_once("item_returned_for_good", pgtrigger.Q(old__return_act__isnull=False)),
            triggers.items_are_decided_with_their_decision(),
        ]

    def __str__(self) -> str:
        return f"{self.decision_id} {self.item_id} {self.outcome}"

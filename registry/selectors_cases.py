"""Questions about seizure cases: who may what, what was counted and taken in, the damage, how the goods stand."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, prefetch_related_objects
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import GRANTS, Can
from core.base.errors import DomainError
from core.notices.models import Notice
from core.rules.models import RuleCode
from core.rules.selectors import NoRuleInForce, in_force
from ledger.models import AccountKind, CustodyAccount, Hold, Holding
from registry.damage import Damage, compute_damage
from registry.models import Case, CasePerson, CourtDecision, DecidedItem, Derivative, Outcome, Term
from registry.processing import knowable


def can_work_on_case(user: User, case: Case) -> bool:
    """Whether the person may write in the case: one who seizes, of its region or of its agency."""
    return (
        case.region_id in user.region_codes(Can.REGISTER_SEIZURE)
        or case.agency_id in user.organisation_ids(Can.REGISTER_SEIZURE)
    )  # fmt: skip


class CaseNotNamed(DomainError):
    """The number is that of no case which the person may know, or of several; its words say what is taken."""

    status = 422
    code = "case-not-named"
    message = _(
        "No case of yours has this number. Name it by the ERDR number, the number SZ…, or that of the protocol."
    )


def find_case(user: User, named: str) -> Case:
    """The case that the user may know by any number that its page shows: ERDR, our own, or that of the protocol.

    Raises CaseNotNamed.
    """
    number = " ".join(named.split())
    known = Case.objects.visible_to(user)
    case = known.filter(Q(erdr_number="".join(named.split())) | Q(number__iexact=number)).first() if number else None
    by_protocol = list(known.filter(protocol_number__iexact=number)[:2]) if number and case is None else []
    if len(by_protocol) == 1:
        case = by_protocol[0]
    if case is not None:
        return case
    if by_protocol:
        text = _("Several cases have a protocol of this number. Name the case by its number SZ… or its ERDR number.")
        raise CaseNotNamed(text)
    raise CaseNotNamed


def can_confirm_decision(user: User, case: Case) -> bool:
    """Whether the person may confirm a court decision: one who works on the case, or one who oversees all."""
    return user.can(Can.CONFIRM_DECISION) and (_oversees(user, Can.CONFIRM_DECISION) or can_work_on_case(user, case))


def can_see_persons(user: User, case: Case) -> bool:
    """Whether the person may look at personal data of a case: those who work on it, and the authority's head."""
    return user.can(Can.SEE_PERSONS) and (_oversees(user, Can.SEE_PERSONS) or can_work_on_case(user, case))


def _oversees(user: User, act: Can) -> bool:
    return any({Can.SEE_EVERYTHING, act} <= GRANTS[role] for role in user.roles)


@dataclass(frozen=True, slots=True)
class CountLine:
    """One kind of goods: what the protocol counted, and what was weighed and registered."""

    term: Term
    counted: int | None
    counted_grams: int | None
    taken: int
    taken_grams: int

    @property
    def difference(self) -> int | None:
        """Pieces taken in less those counted; None where the protocol says nothing."""
        return None if self.counted is None else self.taken - self.counted


def compare_counts(case: Case) -> list[CountLine]:
    """Counted against registered, by term; two queries."""
    return compare_counts_of([case])[case.pk]


def compare_counts_of(cases: Sequence[Case]) -> dict[int, list[CountLine]]:
    """Counted against registered in each of these cases, by term; two queries whatever their number."""
    prefetch_related_objects(cases, "counts")
    registered = (
        Derivative.objects.filter(intake__case__in=cases)
        .order_by()
        .values_list("intake__case", "term")
        .annotate(Count("pk"), Sum("mass_g"))
    )
    taken = {(case, term): (pieces, grams) for case, term, pieces, grams in registered}
    found: dict[int, list[CountLine]] = {}
    for case in cases:
        counted = {count.term: count for count in case.counts.all()}
        lines = found[case.pk] = []
        for term in Term:
            if term not in counted and (case.pk, term) not in taken:
                continue
            count, (pieces, grams) = counted.get(term), taken.get((case.pk, term), (0, 0))
            said = (None, None) if count is None else (count.pieces, count.grams)
            lines.append(CountLine(term, said[0], said[1], pieces, grams))
    return found


def is_decided(case: Case) -> bool:
    """Whether a decision of the case is confirmed: its facts and counts stay from then on."""
    return case.decisions.filter(state=CourtDecision.State.CONFIRMED).exists()


ABOUT_COUNTS = ("case.counts_differ", "case.count_lowered")


def counts_are_settled(case: Case) -> bool:
    """Whether the protocol's counts are those weighed, or somebody judged the difference; an open notice about it, or
    about a count that was lowered, is neither."""
    told = Notice.objects.filter(code__in=ABOUT_COUNTS, subject_kind="case", subject_id=str(case.pk))
    found = set(told.values_list("code", "state"))
    if any(state != Notice.State.DECIDED for _code, state in found):
        return False
    return any(code == "case.counts_differ" for code, _state in found) or not any(
        line.difference for line in compare_counts(case)
    )


def damage_of(case: Case, lines: Sequence[CountLine]) -> Damage | None:
    """The damage by the rules in force on the day of the offence; None where no MRP or rates are in force on it.

    Horns are those counted by the protocol, or those registered where there are more.
    """
    on = case.offence_on or case.seized_on
    try:
        mrp, rates = in_force(RuleCode.MRP, on).value["tenge"], in_force(RuleCode.DAMAGE_RATES, on).value
        per_male = in_force(RuleCode.HORN_PER_MALE, on).value["max"]
    except NoRuleInForce:
        return None
    horns = sum(max(line.counted or 0, line.taken) for line in lines if line.term == Term.HORN)
    animals = {"male": case.males, "female": case.females, "young": case.young}
    return compute_damage(on=on, mrp=mrp, rates=rates, animals=animals, horns=horns, horns_per_male=per_male)


def goods_of(case: Case) -> QuerySet[Derivative]:
    """Everything registered in the case, in the order of numbers."""
    return Derivative.objects.filter(intake__case=case).order_by("pk")


def undecided_goods(case: Case) -> QuerySet[Derivative]:
    """Goods of the case that are still held as evidence."""
    held = Hold.objects.active().filter(kind=Hold.Kind.EVIDENCE).values("item")
    return goods_of(case).filter(item__in=held)


NAMED = "decision"


def owners_of(decision: CourtDecision) -> dict[str, str]:
    """For whom goods may be received, by key: owners and claimants of the case, and NAMED, whom the decision names.

    Personal data.
    """
    named = {NAMED: decision.returned_to} if decision.returned_to else {}
    return named | {str(person.pk): person.full_name for person in claimants_of(decision)}


def claimants_of(decision: CourtDecision) -> QuerySet[CasePerson]:
    """Owners and claimants of the case, as they were entered."""
    parts = (CasePerson.Part.OWNER, CasePerson.Part.CLAIMANT)
    return CasePerson.objects.filter(case=decision.case_id, part__in=parts).order_by("pk")


def goods_to_return(decision: CourtDecision) -> QuerySet[DecidedItem]:
    """What the court gave back by the decision and is still here, held by nothing but the court."""
    held = Hold.objects.active().filter(item=OuterRef("item"))
    return DecidedItem.objects.filter(
        Exists(held.filter(kind=Hold.Kind.COURT)),
        ~Exists(held.exclude(kind=Hold.Kind.COURT)),
        decision=decision,
        outcome=Outcome.RETURNED,
        is_confirmed=True,
        return_act=None,
    ).order_by("item")


def stuck_goods(decision: CourtDecision) -> int:
    """How many items of a decision are held by something else than the case: missing, lost, in dispute."""
    held = Hold.objects.active().filter(item=OuterRef("item")).exclude(kind=Hold.Kind.EVIDENCE)
    return DecidedItem.objects.filter(Exists(held), decision=decision).count()


def open_notices(case: Case) -> list[Notice]:
    """What nobody has decided yet about the case or its receptions, but for the confirmation that is asked."""
    intakes = [str(pk) for pk in case.intakes.values_list("pk", flat=True)]
    about = Q(subject_kind="case", subject_id=str(case.pk)) | Q(subject_kind="intake", subject_id__in=intakes)
    return list(Notice.objects.open().filter(about).exclude(code="case.decision_waits").order_by("pk"))


@dataclass(frozen=True, slots=True)
class GoodsLine:
    """Goods of one term, in one place and class: how many, how heavy, and what becomes of them."""

    term: Term
    outcome: str
    place: str
    kind: str
    pieces: int
    grams: int

    @property
    def outcome_label(self) -> str:
        return str(Outcome(self.outcome).label) if self.outcome else "—"


def standing_goods(case: Case) -> list[GoodsLine]:
    """Where the goods of the case are now and what was decided of them; two queries whatever their number."""
    return standing_goods_of([case])[case.pk]


def standing_goods_of(cases: Sequence[Case]) -> dict[int, list[GoodsLine]]:
    """Where the goods of each of these cases are now and what was decided of them; two queries for all."""
    decided = DecidedItem.objects.filter(item=OuterRef("item"), is_confirmed=True).values("outcome")[:1]
    rows = (
        Holding.objects.filter(pieces__gt=0, item__derivative__intake__case__in=cases)
        .order_by()
        .values(
            case=F("item__derivative__intake__case"),
            term=F("item__derivative__term"),
            outcome=Subquery(decided),
            place=F("account"),
        )
        .annotate(pieces_sum=Sum("pieces"), grams_sum=Sum("grams"))
    )
    found = list(rows)
    places = CustodyAccount.objects.in_bulk({row["place"] for row in found})
    lines: dict[int, list[GoodsLine]] = {case.pk: [] for case in cases}
    for row in sorted(found, key=lambda row: (Term.values.index(row["term"]), row["outcome"] or "", row["place"])):
        place = places[row["place"]]
        goods = GoodsLine(
            Term(row["term"]), row["outcome"] or "", place.name, place.kind, row["pieces_sum"], row["grams_sum"]
        )
        lines[row["case"]].append(goods)
    return lines


@dataclass(frozen=True, slots=True)
class CaseItem:
    """One item of a case: what was decided of it, where it is now, and whether the reader may read its story."""

    pk: int
    number: str
    term: Term
    grams: int
    outcome: str
    place: str
    may_open: bool

    @property
    def outcome_label(self) -> str:
        return str(Outcome(self.outcome).label) if self.outcome else "—"


def items_of(case: Case, reader: User, *, at_most: int) -> list[CaseItem]:
    """The first items of a case in the order of numbers, gone ones too; six queries whatever their number."""
    decided = DecidedItem.objects.filter(item=OuterRef("pk"), is_confirmed=True).values("outcome")[:1]
    here = Holding.objects.filter(item=OuterRef("pk"), pieces__gt=0).values("account")[:1]
    found = list(goods_of(case).annotate(outcome=Subquery(decided), place=Subquery(here))[:at_most])
    places = CustodyAccount.objects.in_bulk({one.place for one in found if one.place})
    open_to = knowable(reader, [one.pk for one in found]) if reader.can(Can.SEE_STOCK) else set()
    return [
        CaseItem(
            pk=one.pk,
            number=one.number,
            term=Term(one.term),
            grams=one.mass_g,
            outcome=one.outcome or "",
            place=places[one.place].name if one.place else "",
            may_open=one.pk in open_to,
        )
        for one in found
    ]


# What became of goods, in the words of the illegal trade report: by the place they are in, else by the decision.
_DISPOSAL_BY_PLACE = {
    AccountKind.DESTRUCTION: "destroyed",
    AccountKind.RETURNED: "owner",
    AccountKind.LOSS: "lost",
    AccountKind.DOMESTIC_SALE: "sale",
}


def disposal_of(line: GoodsLine) -> str:
    """The code of the list "disposal" for goods that stand so."""
    by_place = _DISPOSAL_BY_PLACE.get(AccountKind(line.kind))
    if by_place is not None:
        return by_place
    return "stock" if line.outcome == Outcome.CONFISCATED else "evidence"

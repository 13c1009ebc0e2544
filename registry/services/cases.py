"""Seizure cases: entered from the road, filled in later, decided by a court.

Lock order: the case, then its decision, then what the ledger locks.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.bin import is_valid_iin
from core.accounts.identity import is_same_name, problem_of_identity, problem_of_name
from core.accounts.independence import require_independent
from core.accounts.models import Organisation, Region, User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed
from core.base.maps import region_at
from core.base.reasons import is_reason, require_reason
from core.base.templatetags.fmt import day as in_words
from core.documents.acts import save_act
from core.documents.models import Document
from core.documents.services import keep_document, keep_paper, take_numbers
from core.documents.signatures import NOT_DRAWN, is_drawn
from core.notices.models import Notice
from core.notices.services import raise_notice, settle_notices
from core.rules.models import RuleCode
from core.rules.selectors import discrepancy_due_on, known_from
from ledger.models import AccountKind, CustodyAccount, Hold, Holding, MovementKind
from ledger.selectors import stores_of
from ledger.services import SecondPersonNeeded, lift_hold, move_items, place_hold, reclassify_items
from registry.models import (
    Case,
    CasePerson,
    Country,
    CourtDecision,
    DecidedItem,
    Derivative,
    Expertise,
    Intake,
    Origin,
    Outcome,
    ReturnAct,
    SeizedCount,
    Term,
    stock_class,
)
from registry.papers import LANGUAGES, draw_return_act
from registry.selectors_cases import (
    NAMED,
    can_confirm_decision,
    can_see_persons,
    can_work_on_case,
    claimants_of,
    compare_counts,
    counts_are_settled,
    goods_to_return,
    is_decided,
    undecided_goods,
)

Fields = dict[str, StrOrPromise]
MOST_PIECES = 1_000_000
MOST_GRAMS = 2_000_000_000
# A court judges by these: on the day of its decision they are said, be it by silence.
JUDGED_BY = ("agency", "place", "seized_on", "offence_on", "males", "females", "young")


class CaseKnown(BadInput):
    """A case with this criminal-register number is in the register."""

    code = "case-known"
    message = _("This case is in the register already. Open its page and take the goods in from there.")


class PlaceNotConfirmed(BadInput):
    """The coordinates lie elsewhere than the region of the case, and the person has not said that they are right."""

    code = "place-not-confirmed"


class CountsNotSettled(DomainError):
    """The protocol counts otherwise than what was weighed, and nobody has judged that difference yet."""

    code = "counts-not-settled"
    message = _(
        "The protocol counts otherwise than what was weighed and marked. "
        "Take in what is missing or correct the count, and have the discrepancy decided; then confirm."
    )


class DecidedCase(InvalidTransition):
    """A court has decided the case by these facts."""

    code = "case-decided"
    message = _("A court has decided this case: its facts stay as they were. What is empty can still be filled in.")


class CaseChanged(DomainError):
    """Somebody changed the case since the person read it."""

    code = "case-changed"
    message = _("Somebody changed this case meanwhile. Reload the page and enter your changes again.")


class DecisionWaits(DomainError):
    """Another decision of the case has not been confirmed yet."""

    code = "decision-waits"
    message = _("A decision of this case waits for confirmation. Confirm or refuse it first.")


class GoodsNotHeld(DomainError):
    """Some of the goods are not held as evidence any more, or not of this case."""

    code = "goods-not-held"
    message = _("Some of these goods are not evidence of this case any more. Reload the page.")


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What the protocol of a seizure says. The ERDR number may come later; counts are pieces by term.

    `confirm_place` says that coordinates outside the region are right all the same.
    """

    protocol_number: str
    protocol_on: date
    erdr_number: str
    agency: Organisation
    place: str
    seized_on: date
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    horns: int | None = None
    confirm_place: bool = False


@dataclass(frozen=True, slots=True)
class DecisionFacts:
    """What the paper of a court says; `returned_to`, whom it names as the one to take goods back."""

    court: str
    number: str
    decided_on: date
    in_force_on: date
    note: str = ""
    returned_to: str = ""


@transaction.atomic
def open_case(*, actor: User, at: datetime, facts: CaseFacts, region: Region) -> Case:
    """Enter a seizure by what is known on the spot.

    Raises NotAllowed, CaseKnown, PlaceNotConfirmed, or BadInput with the wrong fields.
    """
    if not actor.can(Can.REGISTER_SEIZURE):
        raise NotAllowed
    wrong = wrong_case(facts, today=day_of(at))
    if region.pk not in actor.region_codes(Can.REGISTER_SEIZURE):
        wrong["region"] = _("This is not a region of yours.")
    if wrong:
        raise BadInput(fields=wrong)
    return enter_case(actor=actor, at=at, facts=facts, region=region)


def wrong_case(facts: CaseFacts, *, today: date) -> Fields:
    """What does not fit together, by field."""
    wrong: Fields = {}
    for name in ("protocol_number", "place"):
        if not getattr(facts, name).strip():
            wrong[name] = _("Fill this in.")
    if facts.seized_on > today:
        wrong["seized_on"] = _("This day lies in the future.")
    if facts.protocol_on > today:
        wrong["protocol_on"] = _("This day lies in the future.")
    elif facts.protocol_on < facts.seized_on:
        wrong["protocol_on"] = _("The protocol cannot be older than the seizure.")
    if not facts.agency.is_state:
        wrong["agency"] = _("Only a body of the State seizes.")
    if (facts.latitude is None) != (facts.longitude is None):
        wrong["longitude" if facts.longitude is None else "latitude"] = _("Give both coordinates, or none.")
    if not is_erdr_number(tidy_erdr(facts.erdr_number)):
        wrong["erdr_number"] = NOT_ERDR
    if facts.horns is not None and not 1 <= facts.horns <= MOST_PIECES:
        wrong["horns"] = _("Enter a number from %(least)s to %(most)s.") % {"least": 1, "most": MOST_PIECES}
    return wrong


def enter_case(*, actor: User, at: datetime, facts: CaseFacts, region: Region) -> Case:
    """Write a case that was checked by `wrong_case`; in the transaction of its caller.

    Raises CaseKnown and PlaceNotConfirmed.
    """
    erdr_number, protocol = tidy_erdr(facts.erdr_number), " ".join(facts.protocol_number.split())
    known = _known_case(None, erdr_number, protocol, facts.protocol_on, facts.agency)
    if known is not None:
        raise known
    if not facts.confirm_place:
        _ask_about_place(facts.latitude, facts.longitude, region)
    year = facts.protocol_on.year
    (serial,) = take_numbers(series="SZ", year=year)
    try:
        with transaction.atomic():
            case = Case.objects.create(
                number=f"SZ{year % 100:02d}-{serial:06d}",
                protocol_number=protocol,
                protocol_on=facts.protocol_on,
                erdr_number=erdr_number,
                agency=facts.agency,
                region=region,
                place=facts.place.strip(),
                latitude=facts.latitude,
                longitude=facts.longitude,
                seized_on=facts.seized_on,
                opened_by=actor,
                opened_at=at,
            )
    except IntegrityError as race:
        # Two people entered the case at the same moment.
        raise (_known_case(None, erdr_number, protocol, facts.protocol_on, facts.agency) or CaseKnown()) from race
    if facts.horns is not None:
        SeizedCount.objects.create(case=case, term=Term.HORN, pieces=facts.horns)
    _record(
        "case.opened",
        case,
        actor=actor,
        at=at,
        number=case.protocol_number,
        reference=case.erdr_number,
        day=case.seized_on.isoformat(),
        pieces=facts.horns,
    )
    return case


NOT_ERDR = _("An ERDR number has 15 digits.")


def tidy_erdr(text: str) -> str:
    """An ERDR number without the blanks that people put in."""
    return "".join(text.split())


def is_erdr_number(text: str) -> bool:
    """Whether a tidy text is an ERDR number, or none yet."""
    return not text or (len(text) == 15 and text.isascii() and text.isdigit())


def _known_case(
    case: Case | None, erdr_number: str, protocol: str, protocol_on: date, agency: Organisation
) -> CaseKnown | None:
    """The refusal when another case has this ERDR number, or this protocol of the agency and day."""
    others = Case.objects.all() if case is None else Case.objects.exclude(pk=case.pk)
    if erdr_number and others.filter(erdr_number=erdr_number).exists():
        return CaseKnown(fields={"erdr_number": _("A case with this number is in the register already.")})
    same = others.filter(protocol_number__iexact=protocol, protocol_on=protocol_on, agency=agency, is_repeat=False)
    known = None if case is not None and case.is_repeat else same.first()
    if known is None:
        return None
    text = _("This protocol of the agency and day is in the register already: case %(number)s.")
    return CaseKnown(fields={"protocol_number" if case is None else "agency": text % {"number": known.number}})


def _ask_about_place(latitude: Decimal | None, longitude: Decimal | None, region: Region) -> None:
    """Ask once more when the coordinates do not lie in the region; the outlines are coarse, so it is no refusal."""
    if latitude is None or longitude is None:
        return
    found = region_at(float(longitude), float(latitude))
    if found == region.iso:
        return
    there = None if found is None else Region.objects.filter(iso=found).first()
    text = (
        _("These coordinates are outside Kazakhstan. Correct them, or confirm that they are right.")
        if there is None
        else _("These coordinates are in another region: %(region)s. Correct them, or confirm that they are right.")
        % {"region": there.name}
    )
    raise PlaceNotConfirmed(text, fields={"confirm_place": text})


# Facts that are written by their own names; the rest have rules of their own.
PLAIN = (
    "agency",
    "place",
    "latitude",
    "longitude",
    "seized_on",
    "offence_on",
    "reason",
    "detection",
    "transport",
    "concealment",
    "origin_country",
    "destination_country",
    "articles",
    "estimated_value",
    "sanction",
    "additional",
    "males",
    "females",
    "young",
)


@transaction.atomic
def note_facts(
    *,
    actor: User,
    at: datetime,
    case: Case,
    version: int,
    facts: Mapping[str, Any],
    erdr_number: str | None = None,
    transit_countries: Iterable[Country] | None = None,
    nationalities: Iterable[Country] | None = None,
    confirm_place: bool = False,
) -> Case:
    """Write what has become known of a case: `facts` by the names of PLAIN; what is not given stays.

    The ERDR number is given once. Of a decided case the facts stay: only what is empty is filled in, and what becomes
    known afterwards (LATER) is written. Raises NotAllowed, CaseChanged, CaseKnown, DecidedCase, PlaceNotConfirmed,
    BadInput.
    """
    case = _take_in_hand(actor, case)
    if version != case.version:
        raise CaseChanged
    new = {name: facts[name] for name in PLAIN if name in facts}
    erdr = tidy_erdr(erdr_number or "")
    _refuse_wrong(case, new, erdr, today=day_of(at))
    changed = [name for name, value in new.items() if getattr(case, name) != value]
    if not confirm_place and {"latitude", "longitude"} & set(changed):
        _ask_about_place(new.get("latitude", case.latitude), new.get("longitude", case.longitude), case.region)
    lists = {
        name: chosen
        for name, chosen in (("transit_countries", transit_countries), ("nationalities", nationalities))
        if chosen is not None
        and {country.pk for country in chosen} != set(getattr(case, name).values_list("pk", flat=True))
    }
    if is_decided(case):
        _refuse_to_rewrite(case, changed, lists)
    for name in changed:
        setattr(case, name, new[name])
    if erdr and not case.erdr_number:
        case.erdr_number = erdr
        changed.append("erdr_number")
    for name, chosen in lists.items():
        getattr(case, name).set(chosen)
        changed.append(name)
    if not changed:
        return case
    case.version += 1
    try:
        with transaction.atomic():
            case.save()
    except IntegrityError as race:
        raise (_known_case(case, erdr, case.protocol_number, case.protocol_on, case.agency) or CaseKnown()) from race
    _record("case.facts_noted", case, actor=actor, at=at, reference=case.erdr_number, changed=changed)
    return case


def _refuse_wrong(case: Case, new: Mapping[str, Any], erdr: str, *, today: date) -> None:
    """Raises BadInput with what does not fit together, or CaseKnown."""
    wrong = _wrong_facts(case, new, today=today)
    if erdr and case.erdr_number not in ("", erdr):
        wrong["erdr_number"] = _("The ERDR number was given before and stays.")
    elif erdr != case.erdr_number and not is_erdr_number(erdr):
        wrong["erdr_number"] = NOT_ERDR
    if wrong:
        raise BadInput(fields=wrong)
    known = _known_case(case, erdr, case.protocol_number, case.protocol_on, new.get("agency", case.agency))
    if known is not None:
        raise known


# What is often known only after the court has spoken.
LATER = ("articles", "sanction", "additional")


def _refuse_to_rewrite(case: Case, changed: Iterable[str], lists: Iterable[str]) -> None:
    """Facts of a decided case: what is empty is filled in, what was said stays. Raises DecidedCase."""
    said = [
        name for name in changed if name not in LATER and (name in JUDGED_BY or getattr(case, name) not in (None, ""))
    ]
    said += [name for name in lists if getattr(case, name).exists()]
    if said:
        raise DecidedCase(fields=dict.fromkeys(said, _("This stays: a court has decided the case.")))


def _wrong_facts(case: Case, new: Mapping[str, Any], *, today: date) -> Fields:
    wrong: Fields = {}
    now = {name: new.get(name, getattr(case, name)) for name in PLAIN}
    if not (now["place"] or "").strip():
        wrong["place"] = _("Fill this in.")
    if not now["agency"].is_state:
        wrong["agency"] = _("Only a body of the State seizes.")
    if now["seized_on"] > min(today, case.protocol_on):
        wrong["seized_on"] = _("The protocol cannot be older than the seizure.")
    if now["offence_on"] is not None and now["offence_on"] > now["seized_on"]:
        wrong["offence_on"] = _("The offence cannot be later than the seizure.")
    elif now["offence_on"] not in (None, case.offence_on) and (problem := _before_the_mrp(now["offence_on"])):
        wrong["offence_on"] = problem
    if (now["latitude"] is None) != (now["longitude"] is None):
        wrong["longitude" if now["longitude"] is None else "latitude"] = _("Give both coordinates, or none.")
    for name in ("males", "females", "young"):
        if not 0 <= (now[name] or 0) <= MOST_PIECES:
            wrong[name] = _("Enter a number from %(least)s to %(most)s.") % {"least": 0, "most": MOST_PIECES}
    for name in ("reason", "detection", "transport", "concealment"):
        if now[name] is not None and now[name].list != name:
            wrong[name] = _("This word is of another list.")
    return wrong


def _before_the_mrp(day: date) -> StrOrPromise:
    """Why nothing can be computed for an offence of this day; empty when it can."""
    first = known_from(RuleCode.MRP)
    if first is None or day >= first:
        return ""
    return _(
        "The MRP is known from %(day)s on: for an earlier offence the damage cannot be computed. "
        "Correct the day, or have the MRP of that time entered among the rules first."
    ) % {"day": in_words(first)}


@transaction.atomic
def count_goods(
    *, actor: User, at: datetime, case: Case, counts: Mapping[Term, tuple[int, int | None]], reason: str = ""
) -> list[SeizedCount]:
    """Write what the protocol counted, by term: pieces and, where it was weighed in bulk, grams. 0 takes a term out.

    A count that was written may grow; who lowers it says why, and the authority judges it. Raises NotAllowed, BadInput,
    InvalidTransition once a court has decided.
    """
    case = _take_in_hand(actor, case)
    if is_decided(case):
        raise DecidedCase(_("A court has decided: the counts of the protocol stay."))
    if any(not (0 <= pieces <= MOST_PIECES and 0 <= (grams or 0) <= MOST_GRAMS) for pieces, grams in counts.values()):
        raise BadInput(_("Enter a number from %(least)s to %(most)s.") % {"least": 0, "most": MOST_PIECES})
    known = dict(case.counts.values_list("term", "pieces"))
    lowered = {term: pieces for term, (pieces, _grams) in counts.items() if pieces < known.get(term, 0)}
    if lowered:
        before = sum(known[term] for term in lowered)
        _ask_about_lower(actor, at, case, before=before, after=sum(lowered.values()), reason=reason)
    for term, (pieces, grams) in counts.items():
        if pieces:
            SeizedCount.objects.update_or_create(case=case, term=term, defaults={"pieces": pieces, "grams": grams})
        else:
            SeizedCount.objects.filter(case=case, term=term).delete()
    said = {str(term): pieces for term, (pieces, _grams) in counts.items()}
    why = {"reason": reason.strip()} if lowered else {}
    _record("case.goods_counted", case, actor=actor, at=at, counted_as=said, **why)
    tell_difference(actor=actor, at=at, case=case)
    return list(case.counts.all())


def _ask_about_lower(actor: User, at: datetime, case: Case, *, before: int, after: int, reason: str) -> None:
    """A piece that was seized and is counted no longer: the authority is told. Raises BadInput without a reason."""
    if not is_reason(reason):
        raise BadInput(fields={"reason": _("The count is lower than before: say why, in two words and ten letters.")})
    raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code="case.count_lowered",
        organisation=Organisation.objects.get(pk=min(actor.organisation_ids(Can.REGISTER_SEIZURE))),
        subject=("case", case.pk),
        due_on=discrepancy_due_on(at),
        actor=actor,
        number=case.name,
        protocol=case.protocol_number,
        before=before,
        after=after,
        explanation=reason.strip(),
    )


def lock_case(pk: int) -> Case:
    """The case, locked until commit: of two receptions registered at once the second sees the first, so that a
    difference to the protocol is told whatever else the two happen to wait for."""
    return Case.objects.select_for_update(no_key=True).get(pk=pk)


def tell_difference(*, actor: User, at: datetime, case: Case) -> Notice | None:
    """Raise a discrepancy when all receptions of a case are closed and the protocol counted otherwise.

    Called by the registration of the goods, in its transaction.
    """
    if not case.intakes.filter(state=Intake.State.REGISTERED).exists() or case.intakes.open().exists():
        return None
    differing = [line for line in compare_counts(case) if line.difference]
    if not differing or Notice.objects.open().filter(
        code="case.counts_differ", subject_kind="case", subject_id=str(case.pk)
    ):
        return None
    room = case.intakes.filter(state=Intake.State.REGISTERED).latest("pk").store
    return raise_notice(
        at=at,
        kind=Notice.Kind.DISCREPANCY,
        code="case.counts_differ",
        organisation=Organisation.objects.get(custody_accounts=room),
        subject=("case", case.pk),
        due_on=discrepancy_due_on(at),
        actor=actor,
        number=case.name,
        protocol=case.protocol_number,
        counted=sum(line.counted or 0 for line in differing),
        taken=sum(line.taken for line in differing),
    )


@transaction.atomic
def add_person(
    *,
    actor: User,
    at: datetime,
    case: Case,
    full_name: str,
    part: CasePerson.Part,
    iin: str = "",
    nationality: Country | None = None,
    note: str = "",
) -> CasePerson:
    """Enter a person of the case. The journal says that it was done, not whom. Raises NotAllowed, BadInput."""
    case = _take_in_hand(actor, case)
    if not can_see_persons(actor, case):
        raise NotAllowed
    wrong: Fields = {}
    if problem := problem_of_name(full_name):
        wrong["full_name"] = problem
    if iin and not is_valid_iin(iin):
        wrong["iin"] = _("This is not a valid IIN: check the 12 digits.")
    if wrong:
        raise BadInput(fields=wrong)
    person = CasePerson.objects.create(
        case=case,
        full_name=full_name.strip(),
        part=part,
        iin=iin,
        nationality=nationality,
        note=note.strip(),
        added_by=actor,
        added_at=at,
    )
    _record("case.person_added", case, actor=actor, at=at, person=person.pk)
    return person


@transaction.atomic
def look_at_persons(*, actor: User, at: datetime, case: Case) -> list[CasePerson]:
    """The personal data of a case; the look is written into the journal. Raises NotAllowed."""
    if not can_see_persons(actor, case):
        raise NotAllowed
    persons = list(case.persons.select_related("nationality", "added_by"))
    _record("case.persons_seen", case, actor=actor, at=at, persons=len(persons))
    return persons


@transaction.atomic
def request_expertise(
    *, actor: User, at: datetime, case: Case, institution: str, requested_on: date, question: str = ""
) -> Expertise:
    """Note that an expert was asked. Raises NotAllowed, BadInput."""
    case = _take_in_hand(actor, case)
    wrong: Fields = {}
    if not institution.strip():
        wrong["institution"] = _("Fill this in.")
    if requested_on > day_of(at):
        wrong["requested_on"] = _("This day lies in the future.")
    if wrong:
        raise BadInput(fields=wrong)
    asked = Expertise.objects.create(
        case=case,
        institution=institution.strip(),
        requested_on=requested_on,
        question=question.strip(),
        requested_by=actor,
        requested_at=at,
    )
    _record("case.expertise_asked", case, actor=actor, at=at, target=asked.institution)
    return asked


@transaction.atomic
def receive_expertise(
    *,
    actor: User,
    at: datetime,
    expertise: Expertise,
    number: str,
    done_on: date,
    expert: str,
    finding: str,
    content: bytes | None = None,
    name: str = "",
) -> Expertise:
    """Write down the expert's conclusion, perhaps with its scan. Raises NotAllowed, BadInput, InvalidTransition."""
    case = _take_in_hand(actor, expertise.case)
    # The lock closes the race of two people who write the conclusion down.
    expertise = Expertise.objects.select_for_update(no_key=True).get(pk=expertise.pk)
    if expertise.received_at is not None:
        raise InvalidTransition(_("The conclusion of this expertise is in the register already."))
    wrong: Fields = {
        name: _("Fill this in.") for name, text in (("number", number), ("finding", finding)) if not text.strip()
    }
    if not expertise.requested_on <= done_on <= day_of(at):
        wrong["done_on"] = _("The conclusion is not older than the request, and not in the future.")
    if wrong:
        raise BadInput(fields=wrong)
    expertise.number, expertise.done_on = number.strip(), done_on
    expertise.expert, expertise.finding = expert.strip(), finding.strip()
    expertise.document = _keep_scan(actor, at, name, content)
    expertise.received_by, expertise.received_at = actor, at
    expertise.save()
    _record("case.expertise_received", case, actor=actor, at=at, number=expertise.number)
    return expertise


def _keep_scan(actor: User, at: datetime, name: str, content: bytes | None) -> Document | None:
    if not content:
        return None
    return keep_paper(actor=actor, at=at, name=name, content=content)


@transaction.atomic
def record_decision(
    *,
    actor: User,
    at: datetime,
    case: Case,
    facts: DecisionFacts,
    outcomes: Mapping[Outcome, Sequence[int]],
    content: bytes | None = None,
    name: str = "",
) -> CourtDecision:
    """Write down what a court decided of goods that are held as evidence; another person confirms it.

    Raises NotAllowed, DecisionWaits, GoodsNotHeld, BadInput, InvalidTransition while goods are being weighed.
    """
    # The lock closes the race of two people who record decisions of one case.
    case = _take_in_hand(actor, case)
    if case.decisions.filter(state=CourtDecision.State.RECORDED).exists():
        raise DecisionWaits
    if case.intakes.open().exists():
        raise InvalidTransition(_("Goods of this case are still being weighed. Register or cancel them first."))
    wrong = _wrong_decision(facts, case, today=day_of(at))
    if outcomes.get(Outcome.RETURNED) and not content:
        wrong["scan"] = NO_SCAN
    if case.decisions.exclude(state=CourtDecision.State.WITHDRAWN).filter(
        court=facts.court.strip(), number=facts.number.strip()
    ):
        wrong["number"] = _("This decision is in the register already.")
    if wrong:
        raise BadInput(fields=wrong)
    decided = [(item, outcome) for outcome, items in outcomes.items() for item in items]
    held = set(undecided_goods(case).values_list("pk", flat=True))
    if not decided:
        raise BadInput(_("No goods are named. Say what the court decided of them."))
    if len({item for item, _outcome in decided}) != len(decided) or not {item for item, _o in decided} <= held:
        raise GoodsNotHeld
    decision = CourtDecision.objects.create(
        case=case,
        court=facts.court.strip(),
        number=facts.number.strip(),
        decided_on=facts.decided_on,
        in_force_on=facts.in_force_on,
        note=facts.note.strip(),
        returned_to=" ".join(facts.returned_to.split()),
        document=_keep_scan(actor, at, name, content),
        recorded_by=actor,
        recorded_at=at,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO registry_decideditem (decision_id, item_id, outcome, is_confirmed)"
            " SELECT %s, item, outcome, false FROM unnest(%s::bigint[], %s::text[]) AS decided (item, outcome)",
            [decision.pk, [item for item, _o in decided], [str(outcome) for _i, outcome in decided]],
        )
    _record(
        "case.decision_recorded",
        case,
        actor=actor,
        at=at,
        decision=f"{decision.court}, {decision.number}",
        decided_as={str(outcome): len(items) for outcome, items in outcomes.items() if items},
    )
    raise_notice(
        at=at,
        kind=Notice.Kind.ALERT,
        code="case.decision_waits",
        organisation=Organisation.objects.get(pk=_acts_for(actor, case)),
        subject=("case", case.pk),
        due_on=discrepancy_due_on(at),
        actor=actor,
        number=case.name,
        decision=decision.number,
    )
    return decision


def _acts_for(actor: User, case: Case) -> int:
    """The organisation for which the actor works on the case."""
    mine = sorted(actor.organisation_ids(Can.REGISTER_SEIZURE))
    return case.agency_id if case.agency_id in mine else mine[0]


NO_SCAN = _("Goods are given back only by a decision whose scan is in the register. Attach it.")


def _wrong_decision(facts: DecisionFacts, case: Case, *, today: date) -> Fields:
    wrong: Fields = {}
    for name in ("court", "number"):
        if not getattr(facts, name).strip():
            wrong[name] = _("Fill this in.")
    if facts.decided_on > today:
        wrong["decided_on"] = _("This day lies in the future.")
    elif facts.decided_on < case.seized_on:
        wrong["decided_on"] = _before_the_seizure(case)
    if facts.returned_to.strip() and (no_name := problem_of_name(facts.returned_to)):
        wrong["returned_to"] = no_name
    if facts.in_force_on < facts.decided_on:
        wrong["in_force_on"] = _("A decision comes into force on its day or later.")
    return wrong


def _before_the_seizure(case: Case) -> StrOrPromise:
    text: StrOrPromise = _("The goods were seized on %(day)s: no court decided of them before.") % {
        "day": case.seized_on.strftime("%d.%m.%Y")
    }
    return text


@transaction.atomic
def confirm_decision(*, actor: User, at: datetime, decision: CourtDecision) -> CourtDecision:
    """Have a decision take effect: the evidence is let go, and the goods become what the court said.

    Confiscated goods stay where they are as stock of the State; goods of the owner stay under a hold of the court until
    an act of return; goods to be destroyed until a destruction. The number of queries does not depend on the number of
    goods. Raises SecondPersonNeeded, NotAllowed, InvalidTransition, CountsNotSettled, GoodsNotHeld, what the ledger
    raises.
    """
    # The locks close the race of two confirmations, and of a confirmation against a withdrawal.
    case = lock_case(decision.case_id)
    decision = CourtDecision.objects.select_for_update(no_key=True).get(pk=decision.pk)
    if not can_confirm_decision(actor, case):
        raise NotAllowed
    if decision.state != CourtDecision.State.RECORDED:
        raise InvalidTransition
    if decision.recorded_by_id == actor.pk:
        raise SecondPersonNeeded(_("Another person must confirm this: you recorded the decision yourself."))
    require_independent(actor, decision.recorded_by_id, at=at)
    if decision.in_force_on > day_of(at):
        raise InvalidTransition(
            _("The decision is not in legal force before %(day)s.") % {"day": decision.in_force_on.strftime("%d.%m.%Y")}
        )
    if decision.decided_on < case.seized_on:
        raise InvalidTransition(_before_the_seizure(case))
    if not counts_are_settled(case):
        raise CountsNotSettled
    decided = dict(DecidedItem.objects.filter(decision=decision).order_by("item").values_list("item", "outcome"))
    items = list(decided)
    if Outcome.RETURNED in decided.values():
        _refuse_release(actor, decision)
    if Hold.objects.active().filter(item__in=items, kind=Hold.Kind.EVIDENCE).count() != len(items):
        raise GoodsNotHeld
    decision.state, decision.closed_by, decision.closed_at = CourtDecision.State.CONFIRMED, actor, at
    decision.save(update_fields=["state", "closed_by", "closed_at"])
    DecidedItem.objects.filter(decision=decision).update(is_confirmed=True)
    name = f"{decision.court}, {decision.number}"
    lift_hold(actor=actor, at=at, item_ids=items, kind=Hold.Kind.EVIDENCE, reason=name[:200])
    # What is lost, missing or in dispute cannot become anything now: the court holds it until that is settled.
    stuck = set(Hold.objects.active().filter(item__in=items).values_list("item_id", flat=True))
    # What goes back to its owner stays as it is until the act of return.
    waits = stuck | {item for item, outcome in decided.items() if outcome == Outcome.RETURNED}
    _carry_out(actor, at, decision, {item: outcome for item, outcome in decided.items() if item not in waits})
    kept = sorted(waits | {item for item, outcome in decided.items() if outcome == Outcome.DESTROY})
    if kept:
        place_hold(actor=actor, at=at, item_ids=kept, kind=Hold.Kind.COURT, reference=decision.number[:60])
    _record(
        "case.decision_confirmed",
        case,
        actor=actor,
        at=at,
        decision=name,
        decided_as={
            outcome: list(decided.values()).count(outcome) for outcome in Outcome.values if outcome in decided.values()
        },
    )
    _settle_notice(actor, at, case, name, name)
    return decision


def _refuse_release(actor: User, decision: CourtDecision) -> None:
    """Goods are given back by the paper of the court, and by two offices: one alone cannot let evidence go."""
    if decision.document_id is None:
        raise InvalidTransition(NO_SCAN)
    if actor.organisation_ids() & decision.recorded_by.organisation_ids():
        raise SecondPersonNeeded(
            _("Goods go back to an owner: somebody of another organisation than the one who recorded it confirms.")
        )


def _carry_out(
    actor: User, at: datetime, decision: CourtDecision, decided: Mapping[int, str], *, again: str = ""
) -> None:
    """Goods that the State keeps, for itself or to be destroyed, become stock of the State where they are."""
    terms = dict(Derivative.objects.filter(pk__in=decided).values_list("pk", "term"))
    places: dict[int, list[int]] = {}
    found = Holding.objects.filter(item__in=list(decided), is_physical=True, pieces__gt=0).order_by("item_id")
    for account, item in found.values_list("account_id", "item_id"):
        places.setdefault(account, []).append(item)
    accounts = CustodyAccount.objects.in_bulk(places)
    for account, items in places.items():
        reclassify_items(
            key=f"decision:{decision.pk}:{account}{again}",
            account=accounts[account],
            classes={item: stock_class(terms[item], Origin.CONFISCATED) for item in items},
            actor=actor,
            at=at,
            effective_on=day_of(at),
            reference=decision.number[:60],
            document=decision.document,
        )


@transaction.atomic
def carry_out_found(*, actor: User, at: datetime, item_ids: Sequence[int]) -> int:
    """Have decisions take effect on goods that were lost or missing when they were confirmed and are there again.

    What is to be destroyed or given back stays under the hold of the court. Returns how many it was done for.
    """
    waiting: dict[int, dict[int, str]] = {}
    found = _found_again().filter(item__in=item_ids)
    for paper, item, outcome in found.values_list("decision_id", "item_id", "outcome"):
        waiting.setdefault(paper, {})[item] = outcome
    for decision in CourtDecision.objects.filter(pk__in=waiting).select_related("document").order_by("pk"):
        _carry_out_again(actor, at, decision, waiting[decision.pk])
    return sum(len(items) for items in waiting.values())


def carry_out_waiting(*, at: datetime) -> int:
    """Have every decision take effect on what was found meanwhile, in the name of the one who confirmed it; how many.

    A stock-take that finds a missing item again knows nothing of courts: this catches up with it.
    """
    done = 0
    for pk in sorted(set(_found_again().values_list("decision_id", flat=True))):
        with transaction.atomic():
            # The lock closes the race of two such runs, and of one against a recovery.
            decision = CourtDecision.objects.select_for_update(no_key=True).get(pk=pk)
            items = dict(_found_again().filter(decision=decision).values_list("item_id", "outcome"))
            if items and decision.closed_by is not None:
                _carry_out_again(decision.closed_by, at, decision, items)
                done += len(items)
    return done


def _found_again() -> QuerySet[DecidedItem]:
    """Confiscated by a confirmed decision, still booked as seized, and held by nothing but the court."""
    held = Hold.objects.active().filter(item=OuterRef("item")).exclude(kind=Hold.Kind.COURT)
    return DecidedItem.objects.filter(
        ~Exists(held),
        is_confirmed=True,
        outcome=Outcome.CONFISCATED,
        item__holdings__is_physical=True,
        item__holdings__pieces__gt=0,
        item__holdings__stock_class__endswith=f":{Origin.SEIZURE}",
    ).order_by("item")


def _carry_out_again(actor: User, at: datetime, decision: CourtDecision, decided: Mapping[int, str]) -> None:
    items = sorted(decided)
    lift_hold(actor=actor, at=at, item_ids=items, kind=Hold.Kind.COURT, reason=decision.number[:200])
    _carry_out(actor, at, decision, decided, again=f":{items[0]}")


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who takes goods back: the owner, or whom the owner has empowered.

    `for_whom` is a key of `owners_of`, empty where the receiver is the owner; `on_behalf` the number, the day and the
    notary of the power of attorney.
    """

    name: str
    document: str
    iin: str = ""
    for_whom: str = ""
    on_behalf: str = ""


NO_SECOND = _("A second person signs beside you: one who works on the case, or keeps the evidence room.")


@transaction.atomic
def return_goods(
    *,
    actor: User,
    second: User,
    at: datetime,
    decision: CourtDecision,
    item_ids: Sequence[int],
    receiver: Receiver,
    picture: bytes | None = None,
    content: bytes | None = None,
    name: str = "",
) -> ReturnAct:
    """Give goods back to their owner by an act that the receiver signs; they leave the books with it, never before.

    `actor` hands them over and did not record the decision; `second`, who works on the case or keeps the room, signs
    beside. The receiver is an owner or claimant whom somebody else than `actor` entered in the case, or whom the
    decision names, or says for which of them by a power of attorney. `picture` is the receiver's signature drawn on the
    screen, `content` the scan of a signed receipt.
    Raises NotAllowed, SecondPersonNeeded, InvalidTransition, GoodsNotHeld, BadInput, what the ledger raises.
    """
    case = _take_in_hand(actor, decision.case)
    # The lock closes the race of two acts for one item.
    decision = CourtDecision.objects.select_for_update(no_key=True).get(pk=decision.pk)
    if decision.state != CourtDecision.State.CONFIRMED:
        raise InvalidTransition
    if decision.recorded_by_id == actor.pk:
        raise SecondPersonNeeded(
            _("You recorded the decision: somebody else hands the goods over, and you may sign as the second person.")
        )
    if wrong := _wrong_receipt(receiver, picture, content):
        raise BadInput(fields=wrong)
    owner = _whose_goods(actor, decision, receiver)
    items = sorted(set(item_ids))
    if not items:
        raise BadInput(_("Choose the goods that are given back."))
    if goods_to_return(decision).filter(item__in=items).count() != len(items):
        raise GoodsNotHeld
    (serial,) = take_numbers(series="RT", year=day_of(at).year)
    act = ReturnAct(
        number=f"RT{day_of(at):%y}-{serial:06d}",
        decision=decision,
        owner=owner,
        receiver_name=receiver.name.strip(),
        receiver_document=receiver.document.strip(),
        receiver_iin=receiver.iin,
        on_behalf=receiver.on_behalf.strip(),
        picture=_keep_picture(actor, at, picture),
        receipt=_keep_scan(actor, at, name, content),
        handed_by=actor,
        handed_at=at,
        second=second,
    )
    places: dict[int, list[int]] = {}
    found = Holding.objects.filter(item__in=items, is_physical=True, pieces__gt=0).order_by("item_id")
    for account, item in found.values_list("account_id", "item_id"):
        places.setdefault(account, []).append(item)
    if second.pk == actor.pk or not _may_sign_second(second, case, places):
        raise SecondPersonNeeded(NO_SECOND, fields={"second": NO_SECOND})
    require_independent(actor, second, decision.recorded_by_id, at=at)
    act.paper_kk, act.paper_ru = (
        save_act(
            actor=actor,
            at=at,
            name=f"{act.number}-{language}.pdf",
            content=draw_return_act(act, case, items, picture, language),
        )
        for language in LANGUAGES
    )
    act.save()
    DecidedItem.objects.filter(decision=decision, item__in=items).update(return_act=act)
    lift_hold(actor=actor, at=at, item_ids=items, kind=Hold.Kind.COURT, reason=act.number)
    for account, goods in CustodyAccount.objects.in_bulk(places).items():
        move_items(
            key=f"returned:{act.number}:{account}",
            kind=MovementKind.DECISION,
            item_ids=places[account],
            source=goods,
            target=CustodyAccount.objects.boundary(AccountKind.RETURNED),
            actor=actor,
            at=at,
            effective_on=day_of(at),
            reference=act.number,
            document=act.paper_kk,
        )
    _record(
        "case.goods_returned",
        case,
        actor=actor,
        at=at,
        number=act.number,
        pieces=len(items),
        person=second.full_name,
    )
    return act


def _wrong_receipt(receiver: Receiver, picture: bytes | None, content: bytes | None) -> Fields:
    """What is missing or cannot be in who receives, and in what the receiver signed."""
    wrong: Fields = {}
    if no_name := problem_of_name(receiver.name):
        wrong["receiver_name"] = no_name
    if problem := problem_of_identity(receiver.document):
        wrong["receiver_document"] = problem
    if receiver.iin and not is_valid_iin(receiver.iin):
        wrong["receiver_iin"] = _("This is not a valid IIN: check the 12 digits.")
    if not picture and not content:
        wrong["receipt"] = _("The receiver signs on the screen, or the signed receipt is attached.")
    elif picture and not is_drawn(picture):
        wrong["signature"] = NOT_DRAWN
    return wrong


def _whose_goods(actor: User, decision: CourtDecision, receiver: Receiver) -> CasePerson | None:
    """The owner or claimant who receives, or for whom the receiver does; None where the decision names one.

    Raises BadInput that says what to do.
    """
    persons = list(claimants_of(decision))
    if receiver.for_whom:
        known = [one for one in persons if str(one.pk) == receiver.for_whom]
        is_named = receiver.for_whom == NAMED and bool(decision.returned_to)
        is_own = any(_is_person(receiver, one) for one in known) or (is_named and _is_named(receiver, decision))
    else:
        known = [one for one in persons if _is_person(receiver, one)]
        is_named = is_own = _is_named(receiver, decision)
    if receiver.for_whom and not (known or is_named):
        raise BadInput(fields={"for_whom": _("Choose an owner or claimant of this case, or whom the decision names.")})
    if receiver.on_behalf.strip() and not receiver.for_whom:
        raise BadInput(fields={"for_whom": _("Choose whose power of attorney this is.")})
    if receiver.for_whom and not is_own and not any(sign.isdigit() for sign in receiver.on_behalf):
        text = _("Who receives for somebody else brings a power of attorney: write its number, date and notary.")
        raise BadInput(fields={"on_behalf": text})
    by_others = [one for one in known if one.added_by_id != actor.pk]
    if by_others:
        return by_others[0]
    if is_named:
        return None
    if known:
        raise SecondPersonNeeded(
            _("You entered this person in the case yourself: a colleague hands the goods over."),
        )
    text = _(
        "The case names nobody by this name. A colleague enters the owner or claimant among the persons of the case;"
        " who comes for one of them chooses for whom, and brings a power of attorney."
    )
    raise BadInput(fields={"receiver_name": text})


def _is_person(receiver: Receiver, person: CasePerson) -> bool:
    """Whether the receiver is this person: by the IIN where both have one, else by the full name."""
    if receiver.iin and person.iin:
        return receiver.iin == person.iin
    return is_same_name(receiver.name, person.full_name)


def _is_named(receiver: Receiver, decision: CourtDecision) -> bool:
    return is_same_name(receiver.name, decision.returned_to)


def _may_sign_second(user: User, case: Case, places: Collection[int]) -> bool:
    """One who works on the case, or keeps every room that the goods leave."""
    if can_work_on_case(user, case):
        return True
    rooms = stores_of(user, Can.KEEP_STORE, kinds=(AccountKind.EVIDENCE, AccountKind.STORE))
    return rooms.filter(pk__in=places).count() == len(places)


def _keep_picture(actor: User, at: datetime, picture: bytes | None) -> Document | None:
    if not picture:
        return None
    return keep_document(actor=actor, at=at, kind=Document.Kind.PHOTO, name="signature.png", content=picture)


@transaction.atomic
def look_at_return(*, actor: User, at: datetime, act: ReturnAct, language: str) -> Document:
    """The act of return, which names a person; the look is written into the journal. Raises NotAllowed."""
    case = act.decision.case
    if not can_see_persons(actor, case):
        raise NotAllowed
    _record("case.persons_seen", case, actor=actor, at=at, number=act.number)
    return act.paper_kk if language == "kk" else act.paper_ru


def _settle_notice(actor: User, at: datetime, case: Case, decision: str, reason: StrOrPromise) -> None:
    settle_notices(
        actor=actor, at=at, subject=("case", case.pk), code="case.decision_waits", decision=decision, reason=str(reason)
    )


@transaction.atomic
def withdraw_decision(*, actor: User, at: datetime, decision: CourtDecision, reason: str) -> CourtDecision:
    """Take a decision back that was written down wrongly; nothing has changed by it yet. The reason is required.

    Both the one who recorded it and the one who should confirm it may. Raises NotAllowed, InvalidTransition, BadInput.
    """
    reason = require_reason(reason)
    case = lock_case(decision.case_id)
    decision = CourtDecision.objects.select_for_update(no_key=True).get(pk=decision.pk)
    if decision.recorded_by_id != actor.pk and not can_confirm_decision(actor, case):
        raise NotAllowed
    if decision.state != CourtDecision.State.RECORDED:
        raise InvalidTransition
    decision.state, decision.closed_by, decision.closed_at = CourtDecision.State.WITHDRAWN, actor, at
    decision.close_reason = reason.strip()[:500]
    decision.save(update_fields=["state", "closed_by", "closed_at", "close_reason"])
    _record("case.decision_withdrawn", case, actor=actor, at=at, decision=decision.number, reason=decision.close_reason)
    _settle_notice(actor, at, case, f"{decision.court}, {decision.number}", decision.close_reason)
    return decision


def _take_in_hand(actor: User, case: Case) -> Case:
    """The case, locked until commit, when the actor may work on it. Raises NotAllowed."""
    lock_case(case.pk)
    locked = Case.objects.select_related(
        "agency", "region", "reason", "detection", "transport", "concealment", "origin_country", "destination_country"
    ).get(pk=case.pk)
    if not can_work_on_case(actor, locked):
        raise NotAllowed
    return locked


def _record(verb: str, case: Case, *, actor: User, at: datetime, **facts: object) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=("case", case.pk),
        subject_name=case.name,
        organisation_id=case.agency_id,
        **facts,
    )

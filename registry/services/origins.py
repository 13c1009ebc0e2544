"""Opening intakes of every origin but a brigade's day and a seizure, each with its own evidence; certificates."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.identity import problem_of_name
from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, InvalidTransition, NotAllowed
from core.base.maps import region_at
from core.base.reasons import is_reason
from core.documents.services import keep_paper
from ledger.models import CustodyAccount
from registry.models import (
    EVIDENCE,
    NO_COUNTRY,
    Confiscation,
    Country,
    Find,
    Importation,
    Intake,
    OldStock,
    Origin,
    RemovalPermit,
    SlaughterPoint,
    Term,
    VeterinaryCertificate,
)
from registry.selectors import stores_for_intake
from registry.services.confirming import paper_needed
from registry.services.locking import lock_open_intake
from registry.services.opening import begin_intake
from registry.services.table import TableChanged

Fields = dict[str, StrOrPromise]
_DIGIT = re.compile(r"[0-9]")
Paper = Find | Confiscation | OldStock | Importation | RemovalPermit
UNKNOWN_TOLD: StrOrPromise = _(
    "Say what is known of these goods, and why their origin is not: two words and ten letters at least."
)
NO_NUMBER: StrOrPromise = _("Write the number as it stands on the paper: it has a digit at least.")
NEAR = 0.1  # degrees: about ten kilometres
# What is made of the goods of a removal, and so comes from a processing that says of which.
MADE = frozenset({Term.HORN_PIECE, Term.POWDER, Term.MEDICINE, Term.SKIN_PIECE})
PAPER_OF: dict[Origin, type[Paper] | None] = {
    Origin.REMOVAL: RemovalPermit,
    Origin.FOUND: Find,
    Origin.CONFISCATED: Confiscation,
    Origin.OLD_STOCK: OldStock,
    Origin.IMPORTED: Importation,
    Origin.UNKNOWN: None,
}
"""What proves each origin opened here. Removed horns come by `open_removal_intake`, seized goods with a case."""


class CertificateKnown(BadInput):
    """A certificate with this number is in the register."""

    code = "certificate-known"
    message = _("This certificate is in the register already.")


@dataclass(frozen=True, slots=True)
class Scan:
    """A scanned paper as it was sent."""

    name: str
    content: bytes | File


@transaction.atomic
def open_intake(
    *,
    actor: User,
    at: datetime,
    origin: Origin,
    term: Term,
    store: CustodyAccount,
    on: date,
    paper: Paper | None = None,
    scan: Scan | None = None,
    certificate: VeterinaryCertificate | None = None,
    explanation: str = "",
) -> Intake:
    """Open the intake of goods of one kind and origin, proved by `paper`: a permit of the register, or a new paper.

    `on` is the day the goods came into the store. Where nothing proves an origin, `explanation` says what is known.
    Meat of a removal or an import names its certificate. Raises NotAllowed, or BadInput with the wrong fields.
    """
    if not actor.can(Can.OPEN_INTAKE):
        raise NotAllowed
    wrong = _wrong(actor, day_of(at), origin, term, store, on, paper, certificate, explanation)
    if scan is None and (needed := paper_needed(origin)):
        wrong.setdefault("scan", needed)
    if wrong or store.region_id is None:
        raise BadInput(fields=wrong)
    proof = _keep_paper(actor, at, origin, paper, scan)
    region_id = paper.region_id if isinstance(paper, RemovalPermit) else store.region_id
    known = explanation.strip() if origin == Origin.UNKNOWN else ""
    return begin_intake(
        actor=actor,
        at=at,
        origin=origin,
        store=store,
        on=on,
        facts={
            "term": term,
            "reference": str(next(iter(proof.values()), "")),
            "day": on.isoformat(),
        },
        term=term,
        region_id=region_id,
        population=paper.population if isinstance(paper, RemovalPermit) else "",
        certificate=certificate,
        explanation=known,
        **proof,
    )


@transaction.atomic
def correct_intake(
    *,
    actor: User,
    at: datetime,
    intake: Intake,
    on: date,
    paper: Paper | None = None,
    scan: Scan | None = None,
    certificate: VeterinaryCertificate | None = None,
    explanation: str = "",
    version: int | None = None,
) -> Intake:
    """Correct what was entered at opening, while the table is open: a new paper takes the old one's place.

    The store, the kind and the origin stay. Without a new `scan` the old one stays with the paper.
    Raises NotAllowed, InvalidTransition, TableChanged, BadInput.
    """
    intake = lock_open_intake(actor=actor, intake=intake)
    if version is not None and version != intake.version:
        raise TableChanged
    origin = Origin(intake.origin)
    if origin not in PAPER_OF or intake.males is not None:
        raise InvalidTransition
    wrong = _wrong(actor, day_of(at), origin, Term(intake.term), intake.store, on, paper, certificate, explanation)
    if wrong:
        raise BadInput(fields=wrong)
    if scan is None and paper is not None and not isinstance(paper, RemovalPermit):
        old = getattr(intake, EVIDENCE[origin][0])
        paper.scan = old.scan
        if paper.scan is None and (needed := paper_needed(origin)):
            raise BadInput(fields={"scan": needed})
    proof = _keep_paper(actor, at, origin, paper, scan)
    for name, value in proof.items():
        setattr(intake, name, value)
    intake.on, intake.certificate = on, certificate
    if origin == Origin.UNKNOWN:
        intake.explanation = explanation.strip()
    if isinstance(paper, RemovalPermit):
        intake.region_id, intake.population = paper.region_id, paper.population
    intake.version += 1
    intake.save()
    record(
        "intake.corrected",
        actor=actor,
        at=at,
        subject=("intake", intake.pk),
        subject_name=intake.number,
        organisation_id=intake.store.custodian_id,
        number=intake.number,
        reference=_reference(intake),
        day=on.isoformat(),
    )
    return intake


def _reference(intake: Intake) -> str:
    """The number of the paper, for the journal: never a name of a person."""
    return str(next((getattr(intake, name) for name in EVIDENCE[intake.origin]), ""))


def _wrong(
    actor: User,
    today: date,
    origin: Origin,
    term: Term,
    store: CustodyAccount,
    on: date,
    paper: Paper | None,
    certificate: VeterinaryCertificate | None,
    explanation: str,
) -> Fields:
    """What does not fit together, by field."""
    wrong: Fields = {}
    if origin not in PAPER_OF or (origin == Origin.REMOVAL and term == Term.HORN):
        wrong["origin"] = _("Horns of a removal come with their brigade, seized goods with their case.")
    elif origin == Origin.REMOVAL and term == Term.HORN_PIECE:
        # A package of pieces has no number of horns, and a removal accounts for every horn that was cut.
        wrong["origin"] = _(
            "A horn that broke is a horn still: enter it with its brigade, in the condition “broken”."
            " Pieces come from processing."
        )
    elif origin == Origin.REMOVAL and term in MADE:
        wrong["origin"] = _("A removal gives no powder, pieces or medicine. They come from processing: open it there.")
    elif not isinstance(paper, PAPER_OF[origin] or type(None)):
        wrong["origin"] = _("This origin is proved by another paper.")
    elif not stores_for_intake(actor, origin).filter(pk=store.pk).exists():
        wrong["store"] = _("You take no goods of this origin in here.")
    if on > today:
        wrong["on"] = _("This day lies in the future.")
    if origin == Origin.UNKNOWN and not is_reason(explanation):
        wrong["explanation"] = UNKNOWN_TOLD
    wrong |= _wrong_certificate(actor, origin, term, on, certificate)
    if paper is not None and not wrong.keys() & {"origin", "on"}:
        wrong |= _wrong_paper(paper, on, store)
    return wrong


def _wrong_certificate(
    actor: User, origin: Origin, term: Term, on: date, certificate: VeterinaryCertificate | None
) -> Fields:
    if certificate is None:
        needed = term == Term.MEAT and origin in (Origin.REMOVAL, Origin.IMPORTED)
        return {"certificate": _("Meat comes with its veterinary certificate.")} if needed else {}
    if term != Term.MEAT:
        return {"certificate": _("A veterinary certificate is for meat.")}
    if not VeterinaryCertificate.objects.visible_to(actor).filter(pk=certificate.pk).exists():
        return {"certificate": _("You know of no certificate with this number.")}
    return {} if certificate.is_valid(on) else {"certificate": _("The certificate is not good on this day.")}


def _wrong_paper(paper: Paper, on: date, store: CustodyAccount) -> Fields:
    """Days and fields of the paper itself."""
    if isinstance(paper, RemovalPermit):
        if not paper.season.starts_on <= on:
            return {"on": _("The season of the permit has not begun on this day.")}
        return {} if paper.region_id == store.region_id else {"permit": _("This permit is for another region.")}
    wrong: Fields = {}
    try:
        paper.full_clean(exclude=["scan"], validate_constraints=False)
    except ValidationError as error:
        return {name: " ".join(texts) for name, texts in error.message_dict.items()}
    match paper:
        case Find():
            wrong = _in_order(("found_on", paper.found_on), ("act_on", paper.act_on), ("on", on))
            if (paper.latitude is None) != (paper.longitude is None):
                wrong["longitude"] = _("Give both coordinates, or none.")
            elif not _is_here(paper.latitude, paper.longitude):
                wrong["latitude"] = _("This place is not in Kazakhstan.")
            if problem := problem_of_name(paper.finder):
                wrong["finder"] = problem
        case Confiscation():
            wrong = _in_order(("decided_on", paper.decided_on), ("effective_on", paper.effective_on), ("on", on))
            wrong |= _unnumbered(paper, "decision_number")
            if not is_reason(paper.court):
                wrong["court"] = _("Write the full name of the court: two words and ten letters at least.")
        case OldStock():
            wrong = (
                {} if paper.sheet_on <= on else {"sheet_on": _("The inventory was made before the goods are taken in.")}
            )
        case Importation():
            wrong = _in_order(("permit_on", paper.permit_on), ("declared_on", paper.declared_on), ("on", on))
            wrong |= _wrong_country(paper.country) | _unnumbered(paper, "permit_number", "declaration_number")
    return wrong


def _wrong_country(code: str) -> Fields:
    if code == "KZ":
        return {"country": _("Goods are imported from another country.")}
    if code in NO_COUNTRY or not Country.objects.filter(pk=code).exists():
        return {"country": _("No country has this code. Take one of the list.")}
    return {}


def _unnumbered(paper: Paper, *names: str) -> Fields:
    """The numbers of a paper that are none."""
    return {name: NO_NUMBER for name in names if not _DIGIT.search(getattr(paper, name))}


def _is_here(latitude: Decimal | None, longitude: Decimal | None) -> bool:
    """A place in the country, or so near its border as the coarse outlines are wrong."""
    if latitude is None or longitude is None:
        return True
    near = (0.0, NEAR, -NEAR)
    return any(region_at(float(longitude) + east, float(latitude) + north) for east in near for north in near)


def _in_order(*days: tuple[str, date]) -> Fields:
    """Days that must follow one another; the first that does not is told."""
    for (_before, earlier), (name, later) in pairwise(days):
        if later < earlier:
            return {name: _("This day is before %(day)s.") % {"day": earlier.strftime("%d.%m.%Y")}}
    return {}


def _keep_paper(actor: User, at: datetime, origin: Origin, paper: Paper | None, scan: Scan | None) -> dict[str, Any]:
    """The paper in the register, under the name by which an intake knows it."""
    if paper is None:
        return {}
    if not isinstance(paper, RemovalPermit):
        if scan is not None:
            paper.scan = keep_paper(actor=actor, at=at, name=scan.name, content=scan.content)
        if isinstance(paper, Importation):
            _refuse_another_importer(paper)
        try:
            with transaction.atomic():
                paper.pk = None
                paper.save(force_insert=True)
        except IntegrityError:
            # One importation is entered once: more goods of it are taken in under the same papers.
            if not isinstance(paper, Importation):
                raise
            _refuse_another_importer(paper)  # entered at the same moment
            paper = _same(paper).get(scan__isnull=False)
    return {EVIDENCE[origin][0]: paper}


def _same(paper: Importation) -> QuerySet[Importation]:
    """What is in the register under the numbers of these papers; of an earlier version also without a scan."""
    return Importation.objects.filter(
        country=paper.country, permit_number=paper.permit_number, declaration_number=paper.declaration_number
    )


def _refuse_another_importer(paper: Importation) -> None:
    if _same(paper).exclude(importer=paper.importer_id).exists():
        raise BadInput(fields={"declaration_number": _("This declaration is in the register with another importer.")})


def _unsigned(number: str, officer: str) -> Fields:
    """What a certificate lacks to be told from others: its number, and who signed it."""
    wrong: Fields = {} if number else {"number": _("Fill this in.")}
    if problem := problem_of_name(officer):
        wrong["officer"] = problem
    return wrong


@transaction.atomic
def enter_certificate(
    *,
    actor: User,
    at: datetime,
    number: str,
    issued_on: date,
    valid_until: date,
    issued_by: Organisation,
    officer: str,
    slaughter_point: SlaughterPoint,
    carcasses: int,
    net_g: int,
    scan: Scan | None = None,
) -> VeterinaryCertificate:
    """Enter a veterinary certificate of a batch of meat; its region is that of the slaughter point.

    Raises NotAllowed, CertificateKnown, BadInput.
    """
    if not actor.can(Can.KEEP_CERTIFICATES):
        raise NotAllowed
    number = " ".join(number.split())
    wrong = _unsigned(number, officer)
    if issued_on > day_of(at):
        wrong["issued_on"] = _("This day lies in the future.")
    elif valid_until < issued_on:
        wrong["valid_until"] = _("It cannot end before it was issued.")
    if carcasses < 1:
        wrong["carcasses"] = _("Say how many carcasses it covers.")
    if net_g < 1:
        wrong["net_g"] = _("Say what mass it covers.")
    if issued_by.kind != Organisation.Kind.VETERINARY:
        wrong["issued_by"] = _("Only a veterinary body issues certificates.")
    if slaughter_point.region_id not in actor.region_codes(Can.KEEP_CERTIFICATES):
        wrong["slaughter_point"] = _("You enter certificates of your own region.")
    elif not slaughter_point.is_active:
        wrong["slaughter_point"] = _("This slaughter point is not attested any more.")
    if wrong:
        raise BadInput(fields=wrong)
    known = CertificateKnown(fields={"number": _("This number is in the register already.")})
    if VeterinaryCertificate.objects.filter(number=number).exists():
        raise known
    paper = keep_paper(actor=actor, at=at, name=scan.name, content=scan.content) if scan else None
    try:
        with transaction.atomic():
            certificate = VeterinaryCertificate.objects.create(
                number=number,
                issued_on=issued_on,
                valid_until=valid_until,
                issued_by=issued_by,
                officer=officer.strip(),
                slaughter_point=slaughter_point.name_kk,
                point=slaughter_point,
                region_id=slaughter_point.region_id,
                carcasses=carcasses,
                net_g=net_g,
                scan=paper,
                entered_by=actor,
                entered_at=at,
            )
    except IntegrityError as race:
        # Two people entered it at the same moment.
        raise known from race
    record(
        "certificate.entered",
        actor=actor,
        at=at,
        subject=("certificate", certificate.pk),
        subject_name=number[:120],
        organisation_id=issued_by.pk,
        number=number,
        pieces=carcasses,
        grams=net_g,
        region=slaughter_point.region_id,
    )
    return certificate

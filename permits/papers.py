"""Papers of a hand-over as PDF: waybill, hand-over act, discrepancy act, in the language asked for.

A paper is drawn once and kept. Its check code is a digest of what the registry says of the hand-over, so that a paper
held against the page shows whether both say the same.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core.accounts.models import Organisation, User
from core.base.clock import day_of
from core.base.errors import NotFound
from core.base.templatetags import fmt
from core.documents.acts import Act, Column, Fact, Language, Party, Rows, Signatory, draw_act, save_act
from core.documents.models import Document
from ledger.models import (
    CustodyAccount,
    Handover,
    HandoverLine,
    HandoverPaper,
    HandoverSeal,
    HandoverSignature,
    Posting,
)
from ledger.services import find_off_masses
from ledger.sscc import show_sscc
from marking.codes import group
from marking.models import Mark
from permits.selectors import count_lines, grams_sent, permit_of

Kind = HandoverPaper.Kind
Outcome = HandoverLine.Outcome
# Missing on arrival: what turned up later was missing when the act was signed.
_MISSED = (Outcome.MISSING, Outcome.LATER)
LANGUAGES: dict[str, Language] = {"kk": "kk", "ru": "ru", "en": "en"}


def kinds_of(handover: Handover) -> list[Kind]:
    """The papers that a hand-over has now."""
    kinds = [Kind.WAYBILL]
    if handover.state in (Handover.State.ACCEPTED, Handover.State.RETURNED):
        kinds.append(Kind.ACT)
        if has_differences(handover):
            kinds.append(Kind.DISCREPANCY)
    return kinds


def has_differences(handover: Handover) -> bool:
    """True when an accepted hand-over differed from its list in anything."""
    return (
        HandoverLine.objects.filter(handover=handover, outcome__in=_MISSED).exists()
        or handover.extra_scans.exists()
        or handover.seal_checks.filter(state__in=[HandoverSeal.State.BROKEN, HandoverSeal.State.GONE]).exists()
        or bool(find_off_masses(handover, _day(handover)))
    )


def paper_of(handover: Handover, kind: Kind, language: Language, *, actor: User, at: datetime) -> Document:
    """The paper in this language, drawn when it is first asked for and kept. Raises NotFound where there is none."""
    if kind not in kinds_of(handover):
        raise NotFound
    known = HandoverPaper.objects.filter(handover=handover, kind=kind, language=language).select_related("document")
    if found := known.first():
        return found.document
    with translation.override(language):
        act = _draw(handover, kind)
    content = draw_act(act, language)
    with transaction.atomic():
        # Of two people who ask at once the second gets what the first has kept.
        Handover.objects.select_for_update(no_key=True).get(pk=handover.pk)
        if found := known.first():
            return found.document
        name = f"{handover.number}-{kind}-{language}.pdf"
        document = save_act(actor=actor, at=at, name=name, content=content)
        HandoverPaper.objects.create(handover=handover, kind=kind, language=language, document=document)
    return document


def check_code(handover: Handover, kind: Kind) -> str:
    """Twelve hex digits of SHA-256 over what the registry says of the hand-over, in groups of four."""
    digest = hashlib.sha256()
    said = [kind, handover.number, handover.source.code, handover.target.code, handover.dispatched_at.isoformat()]
    said += [str(handover.dispatched_by_id), handover.vehicle, handover.driver, handover.escort, handover.seals]
    if kind != Kind.WAYBILL:
        said += [handover.closed_at.isoformat() if handover.closed_at else "", str(handover.closed_by_id)]
        said.append(handover.difference_reason)
    digest.update("\n".join(said).encode())
    sent = Posting.objects.filter(movement=handover.dispatch_movement_id, pieces__gt=0).order_by("item_id")
    for item, grams in sent.values_list("item_id", "grams"):
        digest.update(f"\n{item} {grams}".encode())
    if kind != Kind.WAYBILL:
        lines = HandoverLine.objects.filter(handover=handover).order_by("item_id")
        for item, outcome, reason, weighed in lines.values_list("item_id", "outcome", "reason", "weighed_g"):
            outcome = Outcome.MISSING.value if outcome in _MISSED else outcome
            digest.update(f"\n{item} {outcome} {weighed} {reason}".encode())
    head = digest.hexdigest()[:12].upper()
    return "-".join(head[at : at + 4] for at in (0, 4, 8))


def lines_of(handover: Handover) -> QuerySet[HandoverLine]:
    """Lines with the item, its mark, its box, and the class and mass it had as it was sent."""
    code = Mark.objects.active().filter(derivative=OuterRef("item")).values("code")[:1]
    sent = Posting.objects.filter(movement=handover.dispatch_movement_id, item=OuterRef("item"), pieces__gt=0)
    return (
        HandoverLine.objects.filter(handover=handover)
        .select_related("item__derivative", "box")
        .annotate(
            code=Coalesce(Subquery(code), Value("")),
            grams=Subquery(sent.values("grams")[:1]),
            sent_class=Subquery(sent.values("stock_class")[:1]),
        )
    )


def _draw(handover: Handover, kind: Kind) -> Act:
    """The paper, its words in the language that is active."""
    lines = list(lines_of(handover).order_by("item__derivative__number"))
    title = {
        Kind.WAYBILL: _("Waybill"),
        Kind.ACT: _("Act of hand-over and acceptance"),
        Kind.DISCREPANCY: _("Discrepancy act"),
    }[kind]
    tables = [_goods(handover, lines, kind)] if kind != Kind.DISCREPANCY else _differences(handover, lines)
    return Act(
        title=title,
        number=handover.number,
        dated=fmt.day(handover.dispatched_at if kind == Kind.WAYBILL else handover.closed_at),
        place=_region(handover.source if kind == Kind.WAYBILL else handover.arrives_at),
        issuer=_("Registry of saiga derivatives"),
        parties=[
            _party(_("Sender"), handover.source),
            _party(_("Receiver"), handover.target),
        ],
        facts=_facts(handover, kind),
        tables=tables,
        text=_text(handover, kind),
        signatories=_signatories(handover, kind),
        check=check_code(handover, kind),
        # Boxes and masses side by side are wider than a sheet is.
        landscape=kind == Kind.ACT and any(line.box_id for line in lines) and any(line.weighed_g for line in lines),
        link=f"https://{settings.PUBLIC_HOST}{reverse('permits:handover', args=[handover.pk])}",
    )


def _region(account: CustodyAccount) -> str:
    return account.region.name if account.region else ""


def _party(role: str, account: CustodyAccount) -> Party:
    keeper = account.custodian
    lines = [f"{account.name} ({account.code})"]
    if keeper is not None:
        lines.append(_("BIN %(bin)s") % {"bin": keeper.bin})
    return Party(role, keeper.name if keeper else account.name, lines)


def _facts(handover: Handover, kind: Kind) -> list[Fact]:
    permit = permit_of(handover)
    counts = count_lines(handover)
    facts = [
        (_("Vehicle"), handover.vehicle),
        (_("Driver"), handover.driver),
        (_("Carried by hand by"), handover.carried_by),
        (_("Escort"), handover.escort),
        (_("Route"), handover.route),
        (_("Dispatched"), _moment(handover.dispatched_at)),
        (_("Should arrive"), _moment(handover.expected_at)),
        (_("Under"), _("Permit %(number)s") % {"number": permit.number} if permit else _("No permit needed")),
    ]
    if kind == Kind.WAYBILL:
        facts.append((_("Seals"), handover.seals))
    else:
        seals = [f"{seal.number}: {seal.get_state_display()}" for seal in handover.seal_checks.all()]
        facts += [
            (_("Accepted"), _moment(handover.closed_at)),
            (_("Seals"), "; ".join(seals)),
            (_("Pieces sent"), fmt.count(counts["sent"])),
            (_("Pieces received"), fmt.count(counts["received"])),
        ]
        if handover.is_turned:
            facts.append((_("Turned back"), f"{_moment(handover.turned_at)}. {handover.turn_reason}"))
    if kind == Kind.DISCREPANCY:
        facts += [
            (_("Pieces missing"), fmt.count(counts["missing"] + counts["later"])),
            (_("Not on the list"), fmt.count(counts["extra"])),
        ]
    if handover.sample_size and kind != Kind.WAYBILL:
        drawn = _("%(size)s by seed %(seed)s") % {
            "size": fmt.pieces(handover.sample_size),
            "seed": handover.sample_seed,
        }
        facts.append((_("Sample weighed"), drawn))
    return [Fact(label, text) for label, text in facts if text]


def _goods(handover: Handover, lines: Sequence[HandoverLine], kind: Kind) -> Rows:
    """Every item of the load; in an act also whether it arrived, and what it weighed where it was weighed."""
    arrived, boxed = kind == Kind.ACT, any(line.box_id for line in lines)
    weighed = arrived and any(line.weighed_g for line in lines)
    columns = [
        Column(_("No."), 0.7, flush_right=True),
        Column(_("Number"), 2.2),
        Column(_("Mark"), 2.5),
        Column(_("What it is"), 1.6),
        *([Column(_("Box"), 3.7)] if boxed else []),
        Column(_("Mass"), 1.3, flush_right=True),
        *([Column(_("Weighed"), 1.7, flush_right=True)] if weighed else []),
        *([Column(_("Arrival"), 1.9)] if arrived else []),
    ]
    rows = []
    terms = {line.item.derivative.term: line.item.derivative.get_term_display() for line in lines}
    for number, line in enumerate(lines, 1):
        item = line.item.derivative
        row = [
            str(number),
            item.number,
            group(line.code) if line.code else "—",  # type: ignore[attr-defined]
            str(terms[item.term]),
            *([show_sscc(line.box.sscc) if line.box else "—"] if boxed else []),
            fmt.grams(line.grams),  # type: ignore[attr-defined]
        ]
        if arrived:
            outcome = Outcome.MISSING if line.outcome in _MISSED else Outcome(line.outcome)
            row += [fmt.grams(line.weighed_g) if line.weighed_g else "—"] if weighed else []
            row.append(str(outcome.label))
        rows.append(row)
    total = ["", fmt.pieces(len(lines)), "", "", *([""] if boxed else []), fmt.kg(grams_sent(handover))]
    return Rows(columns, rows, title=_("Goods"), totals=total + [""] * (len(columns) - len(total)))


def _differences(handover: Handover, lines: Sequence[HandoverLine]) -> list[Rows]:
    """One table for each sort of difference: missing, not on the list, another mass, seals that did not hold."""
    tables = []
    number, reason = Column(_("Number"), 2), Column(_("Reason"), 4)
    missing = [line for line in lines if line.outcome in _MISSED]
    if missing:
        rows = [
            [
                line.item.derivative.number,
                group(line.code) if line.code else "—",  # type: ignore[attr-defined]
                show_sscc(line.box.sscc) if line.box else "—",
                fmt.grams(line.grams),  # type: ignore[attr-defined]
                line.reason,
            ]
            for line in missing
        ]
        mass = Column(_("Mass"), 1.2, flush_right=True)
        columns = [number, Column(_("Mark"), 2.2), Column(_("Box"), 3.3), mass, reason]
        tables.append(Rows(columns, rows, title=_("Missing")))
    extras = list(handover.extra_scans.order_by("pk"))
    if extras:
        tables.append(Rows([number, reason], [[one.text, one.reason] for one in extras], title=_("Not on the list")))
    by_item = {line.item_id: line for line in lines}
    if off := find_off_masses(handover, _day(handover)):
        columns = [
            number,
            Column(_("Sent"), 1.4, flush_right=True),
            Column(_("Weighs"), 1.4, flush_right=True),
            Column(_("Difference"), 1.4, flush_right=True),
            reason,
        ]
        rows = [
            [
                by_item[one.item_id].item.derivative.number,
                fmt.grams(one.sent_g),
                fmt.grams(one.weighed_g),
                fmt.grams(one.weighed_g - one.sent_g),
                by_item[one.item_id].reason,
            ]
            for one in off
        ]
        tables.append(Rows(columns, rows, title=_("Another mass")))
    broken = handover.seal_checks.filter(state__in=[HandoverSeal.State.BROKEN, HandoverSeal.State.GONE])
    if rows := [[seal.number, str(seal.get_state_display())] for seal in broken]:
        tables.append(Rows([Column(_("Seal"), 2), Column(_("How it was found"), 4)], rows, title=_("Seals")))
    return tables


def _text(handover: Handover, kind: Kind) -> list[str]:
    if kind == Kind.WAYBILL:
        return [_("The goods are in transit until the receiver has accepted them in the registry.")]
    counts = count_lines(handover)
    facts = {"received": fmt.pieces(counts["received"]), "sent": fmt.pieces(counts["sent"])}
    text = [_("Sent: %(sent)s, accepted into the store: %(received)s") % facts]
    if handover.difference_reason:
        text.append(_("The receiver says: %(reason)s") % {"reason": handover.difference_reason})
    if kind == Kind.DISCREPANCY and counts["missing"] + counts["later"]:
        text.append(_("What is missing stays in transit, in the name of the sender, until the discrepancy is decided."))
    return text


def _signatories(handover: Handover, kind: Kind) -> list[Signatory]:
    signed = {one.side: one for one in handover.signatures.select_related("signed_by", "picture")}
    side = HandoverSignature.Side
    gave = _signatory(pgettext("signature", "Gave"), signed.get(side.SENDER), handover.source.custodian)
    took = _signatory(pgettext("signature", "Accepted"), signed.get(side.RECEIVER), handover.arrives_at.custodian)
    if kind == Kind.WAYBILL:
        # What the driver did on arrival is said of the discrepancy act.
        return [gave, _carrier(handover, ""), took]
    if kind == Kind.ACT:
        return [gave, took]
    # The sender's people explain on paper: nobody signs for them.
    sender = handover.source.custodian
    explains = Signatory(pgettext("signature", "For the sender"), "", sender.name if sender else "")
    return [took, _carrier(handover, handover.carrier_said), explains]


def _carrier(handover: Handover, said: str) -> Signatory:
    """Who carried the goods, with a line for a pen; or that the driver would not sign, or was not there."""
    role, name = pgettext("signature", "Carried"), handover.driver or handover.carried_by
    if said in (Handover.Carrier.REFUSES, Handover.Carrier.ABSENT):
        return Signatory(f"{role}. {Handover.Carrier(said).label}", name, handover.escort)
    return Signatory(role, name, handover.escort)


def _signatory(role: str, signed: HandoverSignature | None, organisation: Organisation | None) -> Signatory:
    post = organisation.name if organisation else ""
    if signed is None:
        return Signatory(role, "", post)
    picture = None
    if signed.picture is not None:
        with signed.picture.file.open("rb") as content:
            picture = content.read()
    return Signatory(role, signed.signed_by.full_name, post, _moment(signed.signed_at), picture)


def _moment(at: datetime | None) -> str:
    return date_format(localtime(at), "SHORT_DATETIME_FORMAT") if at else ""


def _day(handover: Handover) -> date:
    return day_of(handover.closed_at or handover.dispatched_at)

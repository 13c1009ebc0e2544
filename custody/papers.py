"""Acts of this room on paper, in the language of the reader: destruction, write-off, goods found again."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.audit.services import record
from core.base.clock import ALMATY
from core.base.errors import NotFound
from core.base.templatetags import fmt
from core.documents.acts import Act, Column, Fact, Language, Party, Rows, Signatory, draw_act, save_act
from core.documents.models import Attachment, Document
from custody.models import CommissionMember, DestructionLine, DestructionOrder, LossAct
from ledger.models import Holding
from marking.codes import group
from marking.models import Mark
from registry.models import Derivative


def destruction_paper(order: DestructionOrder, language: Language, *, actor: User, at: datetime) -> Document:
    """The act of an executed destruction, drawn when it is first asked for and kept. Raises NotFound before."""
    if order.state != DestructionOrder.State.EXECUTED or order.ended_at is None:
        raise NotFound
    name = f"paper_{language}"
    if kept := getattr(order, name):
        return cast("Document", kept)
    content = draw_destruction_act(order, language, at=order.ended_at)
    with transaction.atomic():
        # Of two people who ask at once the second gets what the first has kept.
        locked = DestructionOrder.objects.select_for_update(no_key=True).get(pk=order.pk)
        return _keep_paper(locked, name, f"{order.number}-{language}.pdf", content, actor, at, "destruction", order.pk)


def loss_paper(act: LossAct, language: Language, *, actor: User, at: datetime) -> Document:
    """The paper of an approved act on lost goods, drawn when it is first asked for and kept. Raises NotFound before."""
    if act.state != LossAct.State.APPROVED or act.decided_at is None or language == "en":
        raise NotFound
    name = f"paper_{language}"
    if kept := getattr(act, name):
        return cast("Document", kept)
    content = draw_loss_act(act, language, at=act.decided_at)
    with transaction.atomic():
        # As above.
        locked = LossAct.objects.select_for_update(no_key=True).get(pk=act.pk)
        return _keep_paper(locked, name, f"{act.number}-{language}.pdf", content, actor, at, "loss", act.report_id)


def _keep_paper(
    locked: DestructionOrder | LossAct, field: str, name: str, content: bytes, actor: User, at: datetime,
    kind: str, key: int,
) -> Document:  # fmt: skip
    if kept := getattr(locked, field):
        return cast("Document", kept)
    paper = save_act(actor=actor, at=at, name=name, content=content)
    setattr(locked, field, paper)
    locked.save(update_fields=[field])
    record("paper.drawn", actor=actor, at=at, subject=(kind, key), note=f"{name}: SHA-256 {paper.sha256}")
    return paper


def draw_destruction_act(order: DestructionOrder, language: Language, *, at: datetime) -> bytes:
    """The act of an order whose list is closed, with every signature given so far."""
    with translation.override(language):
        lines = list(order.lines.filter(scanned_at__isnull=False).order_by("item_id"))
        keys = [line.item_id for line in lines]
        goods = Derivative.objects.in_bulk(keys)
        weighed = any(line.weighed_g is not None for line in lines)
        codes = dict(Mark.objects.active().filter(derivative__in=keys).values_list("derivative_id", "code"))
        rows = [
            (
                str(number),
                goods[line.item_id].number,
                group(codes[line.item_id]) if line.item_id in codes else "",
                str(goods[line.item_id].get_term_display()),
                _grams(line.booked_g),
                *([_grams(line.weighed_g) if line.weighed_g is not None else "—"] if weighed else []),
            )
            for number, line in enumerate(lines, 1)
        ]
        booked = sum(line.booked_g for line in lines)
        files = Attachment.objects.filter(
            subject_kind="destruction", subject_id=str(order.pk), withdrawal=None
        ).select_related("document")
        shown = [(file.document.name, file.caption, file.document.sha256) for file in files.order_by("pk")]
        tables = [
            Rows(
                title=_("Destroyed"),
                columns=(
                    Column("№", 1, flush_right=True),
                    Column(_("Number"), 3),
                    Column(_("Mark"), 3),
                    Column(_("Term"), 2.5),
                    Column(_("Mass in the register, g"), 2, flush_right=True),
                    *([Column(_("Mass at the act, g"), 2, flush_right=True)] if weighed else []),
                ),
                rows=rows,
                totals=(
                    "",
                    _("In all: %(count)d") % {"count": len(rows)},
                    "",
                    "",
                    _grams(booked),
                    *([""] if weighed else []),
                ),
            ),
        ]
        if any(line.mass_reason for line in lines):
            tables.append(_differing(lines, goods))
        if shown:
            tables.append(
                Rows(
                    title=_("Photos and videos"),
                    columns=(Column(_("File"), 3), Column(_("What it shows"), 3), Column("SHA-256", 6)),
                    rows=shown,
                )
            )
        act = Act(
            title=_("Destruction act"),
            number=order.number,
            dated=fmt.day(at),
            place=order.place,
            issuer=order.store.custodian.name if order.store.custodian else "",
            parties=(Party(_("Store"), order.store.name, (order.store.code,)),),
            facts=(
                Fact(_("Basis"), f"{order.get_basis_display()}: {order.basis_paper}"),
                Fact(_("Method"), order.method),
                Fact(_("Items destroyed"), str(len(rows))),
                Fact(_("Mass before, weighed"), _kilograms(order.mass_before_g or 0)),
                Fact(_("Mass of the remains"), _kilograms(order.mass_after_g or 0)),
                *([Fact(_("Why the mass differs from the register"), order.mass_reason)] if order.mass_reason else []),
                Fact(_("What was signed, SHA-256"), order.digest),
            ),
            intro=(_("We, the members of the commission, have destroyed the goods listed below."),),
            tables=tables,
            signatories=[_signatory(member) for member in order.members.select_related("picture").order_by("pk")],
            check=order.digest[:16],
            link=f"https://{settings.PUBLIC_HOST}/destructions/{order.pk}/",
        )
        return draw_act(act, language)


def _differing(lines: Sequence[DestructionLine], goods: Mapping[int, Derivative]) -> Rows:
    """Items that weighed otherwise than the register says, with both masses, and why."""
    return Rows(
        title=_("Masses that differ from the register"),
        columns=(
            Column(_("Number"), 3),
            Column(_("Mass in the register, g"), 2, flush_right=True),
            Column(_("Mass at the act, g"), 2, flush_right=True),
            Column(_("Why"), 5),
        ),
        rows=[
            (goods[line.item_id].number, _grams(line.booked_g), _grams(line.weighed_g or 0), line.mass_reason)
            for line in lines
            if line.mass_reason
        ],
    )


def _signatory(member: CommissionMember) -> Signatory:
    picture = None
    if member.picture is not None:
        with member.picture.file.open("rb") as file:
            picture = file.read()
    return Signatory(
        role=_("Member of the commission") if member.user_id else _("Witness"),
        name=member.full_name,
        post=", ".join(part for part in (member.post, member.identity) if part),
        signed=_moment(member.signed_at) if member.signed_at else "",
        picture=picture,
    )


def draw_loss_act(act: LossAct, language: Language, *, at: datetime) -> bytes:
    """The act of a write-off or of goods found again, as it was approved."""
    with translation.override(language):
        keys = list(act.lines.order_by("item_id").values_list("item_id", flat=True))
        goods = Derivative.objects.in_bulk(keys)
        grams = dict(Holding.objects.filter(item__in=keys, pieces__gt=0).values_list("item_id", "grams"))
        rows = [
            (str(number), goods[key].number, str(goods[key].get_term_display()), _grams(grams.get(key, 0)))
            for number, key in enumerate(keys, 1)
        ]
        report = act.report
        police = report.police_number or act.no_police_reason
        paper = Act(
            title=_("Write-off act") if act.kind == LossAct.Kind.WRITE_OFF else _("Act of goods found again"),
            number=act.number,
            dated=fmt.day(at),
            place=report.place,
            issuer=report.account.custodian.name if report.account.custodian else "",
            facts=(
                Fact(_("Report of loss"), f"{report.number}, {_day(report.reported_at)}"),
                *([Fact(_("Last seen on"), f"{report.last_seen_on:%d.%m.%Y}")] if report.last_seen_on else []),
                Fact(_("What happened"), report.circumstances),
                *([Fact(_("How it was noticed"), report.how_found)] if report.how_found else []),
                *([Fact(_("Who was told"), report.told)] if report.told else []),
                *([Fact(_("Report to the police"), police)] if police else []),
                *([Fact(_("Why the search ended early"), act.early_reason)] if act.early_reason else []),
                Fact(_("Reason"), act.reason),
            ),
            tables=(
                Rows(
                    columns=(
                        Column("№", 1, flush_right=True),
                        Column(_("Number"), 3),
                        Column(_("Term"), 3),
                        Column(_("Mass in the register, g"), 2, flush_right=True),
                    ),
                    rows=rows,
                    totals=("", _("In all: %(count)d") % {"count": len(rows)}, "", _grams(sum(grams.values()))),
                ),
            ),
            signatories=(
                _person(_("Proposed by"), act.proposed_by, act.proposed_at),
                _person(_("Approved by"), act.decided_by, act.decided_at),
            ),
            link=f"https://{settings.PUBLIC_HOST}/losses/{report.pk}/",
        )
        return draw_act(paper, language)


def _person(role: str, user: User | None, at: datetime | None) -> Signatory:
    return Signatory(role=role, name=user.full_name if user else "", signed=_moment(at) if at else "")


def _day(at: datetime) -> str:
    return at.astimezone(ALMATY).strftime("%d.%m.%Y")


def _moment(at: datetime) -> str:
    return at.astimezone(ALMATY).strftime("%d.%m.%Y %H:%M")


def _grams(grams: int) -> str:
    return f"{grams:,}".replace(",", "\u00a0")


def _kilograms(grams: int) -> str:
    whole, rest = divmod(grams, 1000)
    return _("%(mass)s kg") % {"mass": f"{_grams(whole)},{rest:03d}"}

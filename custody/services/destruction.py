"""Destruction: an order, a scanned list, a commission that signs, and goods that are no more.

Lock order: the order, then what the ledger locks.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.core.files.base import File
from django.db import connection, transaction
from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Abs, Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from django_stubs_ext import StrOrPromise

from core.accounts.identity import problem_of_identity, problem_of_name
from core.accounts.independence import problem_of_commission, require_independent
from core.accounts.models import Appointment, Organisation, User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed
from core.base.reasons import is_reason, require_reason
from core.documents.models import Attachment, Document
from core.documents.services import keep_document, keep_paper, take_numbers
from core.documents.signatures import require_drawn
from core.notices.models import Notice
from core.notices.services import raise_notice
from core.rules.models import RuleCode
from core.rules.selectors import discrepancy_due_on, in_force
from custody.keeping import KEPT
from custody.models import CommissionMember, DestructionLine, DestructionOrder
from ledger.models import AccountKind, CustodyAccount, Hold, Holding, Movement, MovementKind, Reservation
from ledger.selectors import stores_of
from ledger.services import (
    CommissionTooSmall,
    ItemsNotThere,
    ItemsReserved,
    lift_hold,
    move_items,
    place_hold,
)
from ledger.services.locking import lock_items, on_hold
from registry.models import DecidedItem, Outcome

Fields = dict[str, StrOrPromise]
State = DestructionOrder.State
PICTURES = (Document.Kind.PHOTO, Document.Kind.VIDEO)
MOST_GRAMS = 2_000_000_000


class NotOnTheList(DomainError):
    """The item is not on the list of this destruction."""

    code = "not-on-the-list"
    message = _("This item is not on the list. It must not be destroyed.")


class MassNotConfirmed(BadInput):
    """The mass is far from the one in the register, and nobody has said that it was read right, and why it differs."""

    code = "mass-not-confirmed"


class NotSignedByAll(DomainError):
    """Some members of the commission have not signed."""

    code = "not-signed-by-all"
    message = _("Every member of the commission must sign first.")


class OutsiderNeeded(DomainError):
    """All persons of the commission work for the keeper of the goods."""

    code = "outsider-needed"
    message = _("At least one person of the commission must be of another body of the State, or of the authority.")


class PicturesNeeded(DomainError):
    """No photo or video of the destruction was added."""

    code = "pictures-needed"
    message = _("Add at least one photo or video of the destruction first.")


class CourtDecidesOtherwise(DomainError):
    """The basis of the order and what the court decided do not fit together."""

    code = "court-decides-otherwise"
    message = _("A court decision is the basis for items that a court ordered to be destroyed, and only for them.")


def can_order(user: User, store: CustodyAccount) -> bool:
    """Whether the person may have goods of this store destroyed: the authority everywhere, others where they work."""
    return places_to_destroy_in(user).filter(pk=store.pk).exists()


def places_to_destroy_in(user: User) -> QuerySet[CustodyAccount]:
    """Stores and evidence rooms in use whose goods the person may have destroyed."""
    if user.organisation_ids(Can.ORDER_DESTRUCTION) & user.organisation_ids(Can.SEE_EVERYTHING):
        return CustodyAccount.objects.filter(kind__in=KEPT, is_active=True)
    return stores_of(user, Can.ORDER_DESTRUCTION, kinds=KEPT)


def works_on(user: User, order: DestructionOrder) -> bool:
    """Whether the person may scan for this order: who may order it, and members of its commission."""
    return can_order(user, order.store) or order.members.filter(user=user).exists()


@transaction.atomic
def order_destruction(
    *,
    actor: User,
    at: datetime,
    store: CustodyAccount,
    basis: DestructionOrder.Basis,
    basis_paper: str,
    planned_on: date,
    item_ids: Sequence[int] = (),
    basis_file: File | None = None,
    place: str = "",
    method: str = "",
) -> DestructionOrder:
    """Open the list of goods to destroy; they are held from this moment.

    What no court gave up to destruction is destroyed on a document, which is kept with the order. Raises NotAllowed,
    BadInput, UnusableFile, and what add_goods raises.
    """
    if not can_order(actor, store):
        raise NotAllowed
    wrong: Fields = {}
    if not basis_paper.strip():
        wrong["basis_paper"] = _("Name the paper: number and date.")
    if basis_file is None and basis != DestructionOrder.Basis.COURT:
        wrong["basis_file"] = _("Add the document that says why these goods are destroyed, as PDF or photo.")
    if wrong:
        raise BadInput(fields=wrong)
    document = None
    if basis_file is not None:
        name = str(basis_file.name or "")
        document = keep_paper(actor=actor, at=at, name=name, content=basis_file)
    year = day_of(at).year
    (serial,) = take_numbers(series="DE", year=year)
    order = DestructionOrder.objects.create(
        number=f"DE{year % 100:02d}-{serial:06d}",
        store=store,
        basis=basis,
        basis_paper=basis_paper.strip(),
        basis_document=document,
        planned_on=planned_on,
        place=place.strip(),
        method=method.strip(),
        quorum=in_force(RuleCode.DESTRUCTION_COMMISSION, day_of(at)).value["persons"],
        ordered_by=actor,
        ordered_at=at,
    )
    _record("destruction.ordered", order, actor=actor, at=at, source=store.code, reason=order.basis_paper)
    if item_ids:
        add_goods(actor=actor, at=at, order=order, item_ids=item_ids)
    return order


@transaction.atomic
def add_goods(*, actor: User, at: datetime, order: DestructionOrder, item_ids: Sequence[int]) -> int:
    """Put items of the store on the list; how many are new. They are held until the order ends.

    Raises NotAllowed, InvalidTransition, ItemsNotThere, ItemsOnHold, ItemsReserved, CourtDecidesOtherwise.
    """
    order = _lock(order, State.PLANNED)
    if not can_order(actor, order.store):
        raise NotAllowed
    known = set(order.lines.filter(item__in=item_ids).values_list("item_id", flat=True))
    wanted = sorted(set(item_ids) - known)
    if not wanted:
        return 0
    # The lock closes the race against a dispatch: whoever comes second finds the items held, or gone.
    lock_items(wanted)
    if Holding.objects.filter(account=order.store, item__in=wanted, pieces__gt=0).count() != len(wanted):
        raise ItemsNotThere
    by_court = set(
        DecidedItem.objects.filter(item__in=wanted, is_confirmed=True, outcome=Outcome.DESTROY).values_list(
            "item_id", flat=True
        )
    )
    holds = Hold.objects.active().filter(item__in=wanted).values_list("item_id", "kind")
    if held := [item for item, kind in holds if not (kind == Hold.Kind.COURT and item in by_court)]:
        raise on_hold(held)
    if Reservation.objects.active().filter(item__in=wanted).exists():
        raise ItemsReserved
    if by_court != (set(wanted) if order.basis == DestructionOrder.Basis.COURT else set()):
        raise CourtDecidesOtherwise
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO custody_destructionline (order_id, item_id, booked_g, outcome)"
            " SELECT %s, h.item_id, h.grams, 'planned' FROM unnest(%s::bigint[]) AS item"
            " JOIN ledger_holding h ON h.item_id = item AND h.account_id = %s AND h.pieces > 0"
            " ON CONFLICT (order_id, item_id) DO NOTHING",
            [order.pk, wanted, order.store_id],
        )
    place_hold(actor=actor, at=at, item_ids=wanted, kind=Hold.Kind.TO_DESTROY, reference=order.number)
    _record("destruction.goods_listed", order, actor=actor, at=at, pieces=len(wanted))
    return len(wanted)


@transaction.atomic
def seat_member(
    *,
    actor: User,
    at: datetime,
    order: DestructionOrder,
    user: User | None,
    full_name: str = "",
    identity: str = "",
    post: str,
) -> CommissionMember:
    """Take a person into the commission: one of the register, or a witness by name and IIN or identity document.

    Raises NotAllowed, InvalidTransition, BadInput.
    """
    order = _lock(order, State.PLANNED)
    if not can_order(actor, order.store):
        raise NotAllowed
    name = (user.full_name if user else full_name).strip()
    known_by = "" if user else identity.strip()
    wrong: Fields = {}
    if not name:
        wrong["full_name"] = _("Choose a person, or give the name of a witness.")
    elif user is None and (no_name := problem_of_name(name)):
        wrong["full_name"] = no_name
    if not post.strip():
        wrong["post"] = _("Fill this in.")
    if user is None and (problem := problem_of_identity(known_by)):
        wrong["identity"] = problem
    if user is not None and not user.appointments_in_force:
        wrong["username"] = _("This person has no role in any organisation.")
    elif user is not None and (
        in_one_hand := problem_of_commission([user], User.objects.filter(commissions__order=order), at=at)
    ):
        wrong["username"] = in_one_hand
    if order.members.filter(full_name=name).exists():
        wrong["full_name"] = _("This person is in the commission already.")
    if wrong:
        raise BadInput(fields=wrong)
    member = CommissionMember.objects.create(
        order=order, user=user, full_name=name, identity=known_by, post=post.strip()
    )
    _record("destruction.member_seated", order, actor=actor, at=at, note=f"{name}, {member.post}")
    return member


@transaction.atomic
def unseat_member(*, actor: User, at: datetime, member: CommissionMember) -> None:
    """Let a person leave the commission before the list is closed. Raises NotAllowed, InvalidTransition."""
    order = _lock(member.order, State.PLANNED)
    if not can_order(actor, order.store):
        raise NotAllowed
    member.delete()
    _record("destruction.member_left", order, actor=actor, at=at, note=member.full_name)


@transaction.atomic
def scan_goods(
    *,
    actor: User,
    at: datetime,
    order: DestructionOrder,
    item_id: int,
    weighed_g: int | None = None,
    is_confirmed: bool = False,
    mass_reason: str = "",
) -> tuple[DestructionLine, bool]:
    """Note that an item of the list is in hand, perhaps with its mass now; the line, and whether it is new.

    A mass far from the one in the register is taken when it is confirmed and a reason is given for this item; both
    masses and the reason stand in the act. Raises NotAllowed, InvalidTransition,
    NotOnTheList, MassNotConfirmed, BadInput.
    """
    order = _lock(order, State.PLANNED)
    if not works_on(actor, order):
        raise NotAllowed
    line = order.lines.filter(item=item_id).first()
    if line is None:
        raise NotOnTheList
    if weighed_g is not None:
        if not 1 <= weighed_g <= MOST_GRAMS:
            raise BadInput(fields={"weighed_g": _("This is no mass of goods.")})
        is_off = _is_off(line.booked_g, weighed_g, tolerated_percent(order))
        if is_off and not (is_confirmed and is_reason(mass_reason)):
            text = _(
                "The register has %(booked)d g. Weigh again, or confirm the mass and say why it differs: two words and"
                " ten letters at least."
            ) % {"booked": line.booked_g}
            raise MassNotConfirmed(text, fields={"mass_reason" if is_confirmed else "weighed_g": text})
        line.weighed_g, line.mass_reason = weighed_g, mass_reason.strip()[:300] if is_off else ""
    is_new = line.scanned_at is None
    if is_new:
        line.scanned_by, line.scanned_at = actor, at
    line.save(update_fields=["scanned_by", "scanned_at", "weighed_g", "mass_reason"])
    return line, is_new


def tolerated_percent(order: DestructionOrder) -> int:
    """By how much of a mass a weighing of this destruction may differ from the register, by the rule of its day."""
    percent: int = in_force(RuleCode.DESTRUCTION_MASS, day_of(order.ordered_at)).value["percent"]
    return percent


def _is_off(booked: int, weighed: int, percent: int) -> bool:
    return abs(weighed - booked) * 100 > booked * percent


@transaction.atomic
def undo_scan(*, actor: User, order: DestructionOrder) -> DestructionLine | None:
    """Take back the person's own latest scan; the line, or None when there is none."""
    order = _lock(order, State.PLANNED)
    line = order.lines.filter(scanned_by=actor).order_by("-scanned_at", "-pk").first()
    if line is not None:
        line.scanned_by, line.scanned_at, line.weighed_g, line.mass_reason = None, None, None, ""
        line.save(update_fields=["scanned_by", "scanned_at", "weighed_g", "mass_reason"])
    return line


@transaction.atomic
def close_list(
    *,
    actor: User,
    at: datetime,
    order: DestructionOrder,
    place: str,
    method: str,
    mass_before_g: int,
    mass_after_g: int,
    mass_reason: str = "",
) -> DestructionOrder:
    """Fix the list as scanned, with its photos and the masses before and after, so that the commission can sign it.

    The mass before is weighed together, or is the sum where every item was weighed. A mass that is far from the
    register, in all or of one item, is explained, and the authority is told. What was not scanned is not destroyed.
    Raises NotAllowed, InvalidTransition, BadInput, CommissionTooSmall, OutsiderNeeded, PicturesNeeded.
    """
    order = _lock(order, State.PLANNED)
    if not works_on(actor, order):
        raise NotAllowed
    if not order.lines.filter(scanned_at__isnull=False).exists():
        raise InvalidTransition(_("Nothing has been scanned yet."))
    _require_commission(order, at)
    if not shown_files(order).filter(document__kind__in=PICTURES).exists():
        raise PicturesNeeded
    far = far_from_register(order, mass_before_g)
    _refuse_odd_without_reason(order)
    wrong: Fields = {}
    if not place.strip():
        wrong["place"] = _("Fill this in.")
    if not method.strip():
        wrong["method"] = _("Fill this in.")
    if not 1 <= mass_before_g <= MOST_GRAMS:
        wrong["mass_before_g"] = _("Give the mass before the destruction.")
    elif mass_before_g != (each := _weighed_each(order)) and each is not None:
        text = _("Every item was weighed: together they have %(grams)d g.")
        wrong["mass_before_g"] = text % {"grams": each}
    if not 0 <= mass_after_g <= mass_before_g:
        wrong["mass_after_g"] = _("The remains cannot weigh more than the goods.")
    if far and not is_reason(mass_reason):
        text = _("The mass differs from the register (%(grams)d g in hand). Say why, in two words and ten letters.")
        wrong["mass_reason"] = text % {"grams": masses(order)["scanned_grams"]}
    if wrong:
        raise BadInput(fields=wrong)
    order.place, order.method = place.strip(), method.strip()
    order.mass_before_g, order.mass_after_g = mass_before_g, mass_after_g
    order.mass_reason = mass_reason.strip()[:500] if far else ""
    order.digest = digest_of(order)
    order.state = State.SIGNING
    order.save(update_fields=["place", "method", "mass_before_g", "mass_after_g", "mass_reason", "digest", "state"])
    _record("destruction.list_closed", order, actor=actor, at=at, grams=mass_before_g, note=f"SHA-256 {order.digest}")
    if far:
        _tell_of_mass(actor, at, order)
    return order


def far_from_register(order: DestructionOrder, mass_before_g: int) -> bool:
    """Whether what is in hand, together or one item of it, weighs otherwise than the register says."""
    percent = tolerated_percent(order)
    if _is_off(masses(order)["scanned_grams"], mass_before_g, percent):
        return True
    return _odd_lines(order, percent).exists()


def _odd_lines(order: DestructionOrder, percent: int) -> QuerySet[DestructionLine]:
    """Items in hand that weigh otherwise than the register says, beyond these percent."""
    weighed = order.lines.filter(scanned_at__isnull=False, weighed_g__isnull=False)
    gap = Abs(F("weighed_g") - F("booked_g")) * 100
    return weighed.annotate(gap=gap).filter(gap__gt=F("booked_g") * percent).order_by("item_id")


def _refuse_odd_without_reason(order: DestructionOrder) -> None:
    """Items that earlier versions took without one. Raises MassNotConfirmed that names them."""
    unsaid = _odd_lines(order, tolerated_percent(order)).filter(mass_reason="")
    numbers = list(unsaid.values_list("item__derivative__number", flat=True)[:20])
    if numbers:
        text = _("Weigh these items again and say why their masses differ from the register: %(items)s")
        raise MassNotConfirmed(text % {"items": ", ".join(numbers)})


def _weighed_each(order: DestructionOrder) -> int | None:
    """The sum of the masses at the act; None unless every item in hand was weighed."""
    in_hand = order.lines.filter(scanned_at__isnull=False)
    if in_hand.filter(weighed_g=None).exists():
        return None
    grams: int | None = in_hand.aggregate(grams=Sum("weighed_g"))["grams"]
    return grams


def _tell_of_mass(actor: User, at: datetime, order: DestructionOrder) -> None:
    """The authority is told once of each mass that is far from the register."""
    booked = masses(order)["scanned_grams"]
    authority = Organisation.objects.active().filter(kind=Organisation.Kind.MINISTRY).order_by("pk").first()
    told = authority or order.store.custodian
    waiting = Notice.objects.open().filter(code="destruction.mass_differs", subject_kind="destruction")
    if told is None or waiting.filter(subject_id=str(order.pk)).exists():
        return
    raise_notice(
        at=at,
        kind=Notice.Kind.DISCREPANCY,
        code="destruction.mass_differs",
        organisation=told,
        subject=("destruction", order.pk),
        due_on=discrepancy_due_on(at),
        actor=actor,
        number=order.number,
        booked=booked,
        weighed=order.mass_before_g,
        reason=order.mass_reason,
    )


def shown_files(order: DestructionOrder) -> QuerySet[Attachment]:
    """Photos, videos and papers of the act that nobody has withdrawn."""
    return Attachment.objects.of("destruction", order.pk).standing()


def _require_commission(order: DestructionOrder, at: datetime) -> None:
    """Enough persons of the register, one of them from outside; witnesses do not count."""
    people = list(User.objects.filter(commissions__order=order).order_by("pk"))
    if len(people) < order.quorum:
        text = ngettext_lazy(
            "The commission needs %(quorum)d persons of the register; it has %(count)d. Witnesses do not count.",
            "The commission needs %(quorum)d persons of the register; it has %(count)d. Witnesses do not count.",
            "count",
        ) % {"quorum": order.quorum, "count": len(people)}
        raise CommissionTooSmall(text, fields={"commission": text})
    in_force_now = Appointment.objects.in_force(day_of(at)).filter(user__in=people)
    own = set(in_force_now.filter(organisation=order.store.custodian).values_list("user_id", flat=True))
    authority = set(
        in_force_now.filter(organisation__kind=Organisation.Kind.MINISTRY).values_list("user_id", flat=True)
    )
    of_state = in_force_now.filter(organisation__kind__in=Organisation.STATE_BODIES)
    if not (set(of_state.values_list("user_id", flat=True)) - own) | authority:
        raise OutsiderNeeded


def digest_of(order: DestructionOrder) -> str:
    """SHA-256 of all that the commission signs: the items in hand with their masses, place, method, the masses in all,
    the document of the basis, and the photos, videos and papers by their own SHA-256."""
    in_hand = order.lines.filter(scanned_at__isnull=False).order_by("item_id")
    lines = in_hand.values_list("item_id", "booked_g", "weighed_g", "mass_reason")
    files = shown_files(order).values_list("document__sha256", "caption")
    said = {
        "order": order.number,
        "basis": [order.basis, order.basis_paper, order.basis_document.sha256 if order.basis_document else ""],
        "place": order.place,
        "method": order.method,
        "before": order.mass_before_g,
        "after": order.mass_after_g,
        "why": order.mass_reason,
        # Without a reason as it was hashed before there were any: lists that were closed then stay as signed.
        "items": [[*line, reason] if reason else line for *line, reason in lines],
        "files": sorted(list(file) for file in files),
    }
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


@transaction.atomic
def open_list_again(*, actor: User, at: datetime, order: DestructionOrder, reason: str) -> DestructionOrder:
    """Go back to scanning; signatures given so far end. The reason is required."""
    reason = require_reason(reason)
    order = _lock(order, State.SIGNING)
    if not can_order(actor, order.store):
        raise NotAllowed
    order.state = State.PLANNED
    order.save(update_fields=["state"])
    order.members.update(signed_at=None, signed_digest="", picture=None, taken_by=None)
    _record("destruction.list_opened", order, actor=actor, at=at, reason=reason.strip())
    return order


@transaction.atomic
def sign_destruction(
    *, actor: User, at: datetime, member: CommissionMember, digest: str, picture: bytes | None = None
) -> CommissionMember:
    """Sign the closed list: a person of the register for oneself, a witness by a drawing that a member takes.

    `digest` is what the signer saw. Raises NotAllowed, InvalidTransition, BadInput.
    """
    order = _lock(member.order, State.SIGNING)
    member = CommissionMember.objects.get(pk=member.pk)
    if member.signed_at is not None or digest != order.digest:
        raise InvalidTransition
    if member.user_id is None:
        if not works_on(actor, order):
            raise NotAllowed
        if picture is None:
            raise BadInput(fields={"signature": _("The witness signs on the screen.")})
        require_drawn(picture)
    elif member.user_id != actor.pk:
        raise NotAllowed(_("Each member signs under the own name."))
    else:
        require_independent(actor, *order.members.values_list("user_id", flat=True), at=at)
    if picture is not None:
        member.picture = keep_document(
            actor=actor, at=at, kind=Document.Kind.PHOTO, name=f"{order.number}-{member.pk}.png", content=picture
        )
    member.signed_at, member.signed_digest, member.taken_by = at, order.digest, actor
    member.save(update_fields=["picture", "signed_at", "signed_digest", "taken_by"])
    _record("destruction.signed", order, actor=actor, at=at, note=member.full_name)
    return member


@transaction.atomic
def execute_destruction(*, actor: User, at: datetime, order: DestructionOrder) -> DestructionOrder:
    """Take what the commission destroyed out of the register; the act is drawn when it is first asked for.

    From this moment the marks answer "destroyed". What was not in hand stays where it is and is free again.
    Raises NotAllowed, InvalidTransition, NotSignedByAll, CommissionTooSmall, OutsiderNeeded, what the ledger raises.
    """
    order = _lock(order, State.SIGNING)
    if not works_on(actor, order):
        raise NotAllowed
    _require_commission(order, at)
    if order.members.exclude(signed_digest=order.digest).exists():
        raise NotSignedByAll
    if digest_of(order) != order.digest:
        raise InvalidTransition(_("What was signed is not what stands here now. Open the list again and sign anew."))
    destroyed = list(order.lines.filter(scanned_at__isnull=False).order_by("item_id").values_list("item_id", flat=True))
    left = list(order.lines.filter(scanned_at=None).order_by("item_id").values_list("item_id", flat=True))
    order.state, order.ended_by, order.ended_at = State.EXECUTED, actor, at
    order.save(update_fields=["state", "ended_by", "ended_at"])
    movement = _destroy(actor, at, order, destroyed, left)
    _record(
        "destruction.executed",
        order,
        actor=actor,
        at=at,
        pieces=len(destroyed),
        grams=order.mass_before_g,
        movement=movement.pk,
        note=f"SHA-256 {order.digest}",
    )
    return order


def _destroy(actor: User, at: datetime, order: DestructionOrder, destroyed: list[int], left: list[int]) -> Movement:
    """Lines, holds and the movement, in the order that the guards of the database ask for."""
    order.lines.filter(item__in=destroyed).update(outcome=DestructionLine.Outcome.DESTROYED)
    order.lines.filter(item__in=left).update(outcome=DestructionLine.Outcome.LEFT)
    lift_hold(actor=actor, at=at, item_ids=[*destroyed, *left], kind=Hold.Kind.TO_DESTROY, reason=order.number)
    lift_hold(actor=actor, at=at, item_ids=destroyed, kind=Hold.Kind.COURT, reason=order.number)
    return move_items(
        actor=actor,
        at=at,
        key=f"destruction:{order.pk}",
        kind=MovementKind.DESTRUCTION,
        item_ids=destroyed,
        source=order.store,
        target=CustodyAccount.objects.boundary(AccountKind.DESTRUCTION),
        effective_on=day_of(at),
        reference=order.number,
    )


@transaction.atomic
def cancel_destruction(*, actor: User, at: datetime, order: DestructionOrder, reason: str) -> DestructionOrder:
    """Give the order up; all its goods are free again, unless a court holds them. The reason is required."""
    reason = require_reason(reason)
    order = _lock(order, State.PLANNED, State.SIGNING)
    if not can_order(actor, order.store):
        raise NotAllowed
    order.state, order.ended_by, order.ended_at = State.CANCELLED, actor, at
    order.cancel_reason = reason.strip()[:500]
    order.save(update_fields=["state", "ended_by", "ended_at", "cancel_reason"])
    items = list(order.lines.values_list("item_id", flat=True))
    order.lines.update(outcome=DestructionLine.Outcome.LEFT)
    if items:
        lift_hold(actor=actor, at=at, item_ids=items, kind=Hold.Kind.TO_DESTROY, reason=order.cancel_reason[:200])
    _record("destruction.cancelled", order, actor=actor, at=at, reason=order.cancel_reason)
    return order


def masses(order: DestructionOrder) -> dict[str, int]:
    """Pieces and grams of the list: all, in hand, and weighed now where somebody did."""
    scanned = order.lines.filter(scanned_at__isnull=False)
    total = order.lines.aggregate(grams=Coalesce(Sum("booked_g"), 0))
    in_hand = scanned.aggregate(
        grams=Coalesce(Sum("booked_g"), 0), now=Coalesce(Sum(Coalesce("weighed_g", F("booked_g"))), 0)
    )
    return {
        "pieces": order.lines.count(),
        "grams": total["grams"],
        "scanned": scanned.count(),
        "scanned_grams": in_hand["grams"],
        "weighed_grams": in_hand["now"],
    }


def _lock(order: DestructionOrder, *states: DestructionOrder.State) -> DestructionOrder:
    """The order, locked while it is in one of these states. Raises InvalidTransition."""
    DestructionOrder.objects.select_for_update(no_key=True).get(pk=order.pk)
    locked = DestructionOrder.objects.select_related("store__custodian", "ordered_by").get(pk=order.pk)
    if locked.state not in states:
        raise InvalidTransition
    return locked


def _record(verb: str, order: DestructionOrder, *, actor: User, at: datetime, **facts: Any) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=("destruction", order.pk),
        subject_name=order.number,
        organisation_id=order.store.custodian_id,
        **facts,
    )

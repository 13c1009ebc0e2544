"""Destruction: an order, a scanned list, a commission that signs, and goods that are no more.

Lock order: the order, then what the ledger locks.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError, InvalidTransition, NotAllowed
from core.documents.acts import Language, save_act
from core.documents.models import Attachment, Document
from core.documents.services import keep_document, take_numbers
from core.rules.models import RuleCode
from core.rules.selectors import in_force
from custody.models import CommissionMember, DestructionLine, DestructionOrder
from custody.papers import draw_destruction_act
from ledger.models import AccountKind, CustodyAccount, Hold, Holding, Movement, MovementKind, Reservation
from ledger.services import ItemsNotThere, ItemsOnHold, ItemsReserved, lift_hold, move_items, place_hold
from ledger.services.locking import lock_items
from registry.models import DecidedItem, Outcome

Fields = dict[str, StrOrPromise]
State = DestructionOrder.State
LANGUAGES: tuple[Language, ...] = ("kk", "ru", "en")


class CommissionTooSmall(DomainError):
    """The commission has fewer members than the rule asks."""

    code = "commission-too-small"


class NotSignedByAll(DomainError):
    """Some members of the commission have not signed."""

    code = "not-signed-by-all"
    message = _("Every member of the commission must sign first.")


class OnlyOwnSignatures(DomainError):
    """Nobody of the register but the one who opened the order is in the commission."""

    code = "only-own-signatures"
    message = _("Another person of the register must sign too, not only the one who opened the order.")


class PicturesNeeded(DomainError):
    """No photo or video of the destruction was added."""

    code = "pictures-needed"
    message = _("Add at least one photo or video of the destruction first.")


class CourtDecidesOtherwise(DomainError):
    """The basis of the order and what the court decided do not fit together."""

    code = "court-decides-otherwise"
    message = _("A court decision is the basis for items that a court ordered to be destroyed, and only for them.")


def can_order(user: User, store: CustodyAccount) -> bool:
    """Whether the person may have goods of this store destroyed."""
    if not user.can(Can.ORDER_DESTRUCTION):
        return False
    return user.can(Can.SEE_EVERYTHING) or CustodyAccount.objects.worked_in_by(user).filter(pk=store.pk).exists()


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
    place: str = "",
    method: str = "",
) -> DestructionOrder:
    """Open the list of goods to destroy; they are held from this moment.

    Raises NotAllowed, BadInput, and what add_goods raises.
    """
    if not can_order(actor, store) or store.kind not in (AccountKind.STORE, AccountKind.EVIDENCE):
        raise NotAllowed
    if not basis_paper.strip():
        raise BadInput(fields={"basis_paper": _("Name the paper: number and date.")})
    year = day_of(at).year
    (serial,) = take_numbers(series="DE", year=year)
    order = DestructionOrder.objects.create(
        number=f"DE{year % 100:02d}-{serial:06d}",
        store=store,
        basis=basis,
        basis_paper=basis_paper.strip(),
        planned_on=planned_on,
        place=place.strip(),
        method=method.strip(),
        quorum=max(3, in_force(RuleCode.DESTRUCTION_COMMISSION, day_of(at)).value["persons"]),
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
    if any(not (kind == Hold.Kind.COURT and item in by_court) for item, kind in holds):
        raise ItemsOnHold
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
    *, actor: User, at: datetime, order: DestructionOrder, user: User | None, full_name: str = "", post: str
) -> CommissionMember:
    """Take a person into the commission: one of the register, or an invited witness by name.

    Raises NotAllowed, InvalidTransition, BadInput.
    """
    order = _lock(order, State.PLANNED)
    if not can_order(actor, order.store):
        raise NotAllowed
    name = (user.full_name if user else full_name).strip()
    wrong: Fields = {}
    if not name:
        wrong["full_name"] = _("Choose a person, or give the name of a witness.")
    if not post.strip():
        wrong["post"] = _("Fill this in.")
    if order.members.filter(full_name=name).exists():
        wrong["full_name"] = _("This person is in the commission already.")
    if wrong:
        raise BadInput(fields=wrong)
    member = CommissionMember.objects.create(order=order, user=user, full_name=name, post=post.strip())
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
    *, actor: User, at: datetime, order: DestructionOrder, item_id: int, weighed_g: int | None = None
) -> tuple[DestructionLine | None, bool]:
    """Note that an item of the list is in hand, perhaps with its mass now.

    The line (None when the item is not on the list), and whether it was not scanned before.
    Raises NotAllowed, InvalidTransition.
    """
    order = _lock(order, State.PLANNED)
    if not works_on(actor, order):
        raise NotAllowed
    line = order.lines.filter(item=item_id).first()
    if line is None:
        return None, False
    is_new = line.scanned_at is None
    if is_new:
        line.scanned_by, line.scanned_at = actor, at
    if weighed_g is not None:
        line.weighed_g = weighed_g
    line.save(update_fields=["scanned_by", "scanned_at", "weighed_g"])
    return line, is_new


@transaction.atomic
def undo_scan(*, actor: User, order: DestructionOrder) -> DestructionLine | None:
    """Take back the person's own latest scan; the line, or None when there is none."""
    order = _lock(order, State.PLANNED)
    line = order.lines.filter(scanned_by=actor).order_by("-scanned_at", "-pk").first()
    if line is not None:
        line.scanned_by, line.scanned_at, line.weighed_g = None, None, None
        line.save(update_fields=["scanned_by", "scanned_at", "weighed_g"])
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
) -> DestructionOrder:
    """Fix the list as scanned, with the masses before and after, so that the commission can sign it.

    What was not scanned is not destroyed. Raises NotAllowed, InvalidTransition, BadInput, CommissionTooSmall.
    """
    order = _lock(order, State.PLANNED)
    if not works_on(actor, order):
        raise NotAllowed
    wrong: Fields = {}
    if not place.strip():
        wrong["place"] = _("Fill this in.")
    if not method.strip():
        wrong["method"] = _("Fill this in.")
    if mass_before_g < 1:
        wrong["mass_before_g"] = _("Give the mass before the destruction.")
    if mass_after_g > mass_before_g:
        wrong["mass_after_g"] = _("The remains cannot weigh more than the goods.")
    if not order.lines.filter(scanned_at__isnull=False).exists():
        raise InvalidTransition(_("Nothing has been scanned yet."))
    if wrong:
        raise BadInput(fields=wrong)
    _require_commission(order)
    order.place, order.method = place.strip(), method.strip()
    order.mass_before_g, order.mass_after_g = mass_before_g, mass_after_g
    order.digest = digest_of(order)
    order.state = State.SIGNING
    order.save(update_fields=["place", "method", "mass_before_g", "mass_after_g", "digest", "state"])
    _record("destruction.list_closed", order, actor=actor, at=at, grams=mass_before_g, note=f"SHA-256 {order.digest}")
    return order


def _require_commission(order: DestructionOrder) -> None:
    members = list(order.members.values_list("user_id", flat=True))
    if len(members) < order.quorum:
        raise CommissionTooSmall(
            ngettext_lazy(
                "The commission needs %(quorum)d members; it has %(count)d.",
                "The commission needs %(quorum)d members; it has %(count)d.",
                "count",
            )
            % {"quorum": order.quorum, "count": len(members)}
        )
    if not any(user not in (None, order.ordered_by_id) for user in members):
        raise OnlyOwnSignatures


def digest_of(order: DestructionOrder) -> str:
    """SHA-256 of all that the commission signs: the items in hand with their masses, place, method, masses in all."""
    in_hand = order.lines.filter(scanned_at__isnull=False).order_by("item_id")
    lines = in_hand.values_list("item_id", "booked_g", "weighed_g")
    said = {
        "order": order.number,
        "basis": [order.basis, order.basis_paper],
        "place": order.place,
        "method": order.method,
        "before": order.mass_before_g,
        "after": order.mass_after_g,
        "items": [list(line) for line in lines],
    }
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


@transaction.atomic
def open_list_again(*, actor: User, at: datetime, order: DestructionOrder, reason: str) -> DestructionOrder:
    """Go back to scanning; signatures given so far end. The reason is required."""
    if not reason.strip():
        raise BadInput(fields={"reason": _("Say why.")})
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
    elif member.user_id != actor.pk:
        raise NotAllowed(_("Each member signs under the own name."))
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
    """Take what the commission destroyed out of the register, and keep the signed act in three languages.

    From this moment the marks answer "destroyed". What was not in hand stays where it is and is free again.
    Raises NotAllowed, InvalidTransition, NotSignedByAll, CommissionTooSmall, PicturesNeeded, what the ledger raises.
    """
    order = _lock(order, State.SIGNING)
    if not works_on(actor, order):
        raise NotAllowed
    _require_commission(order)
    if order.members.exclude(signed_digest=order.digest).exists():
        raise NotSignedByAll
    shown = Attachment.objects.filter(
        subject_kind="destruction",
        subject_id=str(order.pk),
        withdrawal=None,
        document__kind__in=(Document.Kind.PHOTO, Document.Kind.VIDEO),
    )
    if not shown.exists():
        raise PicturesNeeded
    destroyed = list(order.lines.filter(scanned_at__isnull=False).order_by("item_id").values_list("item_id", flat=True))
    left = list(order.lines.filter(scanned_at=None).order_by("item_id").values_list("item_id", flat=True))
    papers = {
        f"paper_{language}": save_act(
            actor=actor,
            at=at,
            name=f"{order.number}-{language}.pdf",
            content=draw_destruction_act(order, language, at=at),
        )
        for language in LANGUAGES
    }
    for name, paper in papers.items():
        setattr(order, name, paper)
    order.state, order.ended_by, order.ended_at = State.EXECUTED, actor, at
    order.save(update_fields=["state", "ended_by", "ended_at", *papers])
    movement = _destroy(actor, at, order, destroyed, left, papers["paper_kk"])
    _record(
        "destruction.executed",
        order,
        actor=actor,
        at=at,
        pieces=len(destroyed),
        grams=order.mass_before_g,
        movement=movement.pk,
        note=[f"SHA-256 {paper.sha256}" for paper in papers.values()],
    )
    return order


def _destroy(
    actor: User, at: datetime, order: DestructionOrder, destroyed: list[int], left: list[int], paper: Document
) -> Movement:
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
        document=paper,
    )


@transaction.atomic
def cancel_destruction(*, actor: User, at: datetime, order: DestructionOrder, reason: str) -> DestructionOrder:
    """Give the order up; all its goods are free again, unless a court holds them. The reason is required."""
    if not reason.strip():
        raise BadInput(fields={"reason": _("Say why.")})
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

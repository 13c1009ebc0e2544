"""Selling batches under their veterinary certificate."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.bin import is_valid_bin, is_valid_iin
from core.accounts.models import User
from core.accounts.roles import Can
from core.audit.services import record
from core.base.clock import day_of
from core.base.errors import BadInput, DomainError, NotAllowed
from core.documents.services import take_numbers
from core.rules.models import Rule, RuleCode
from core.rules.selectors import refusal_of_sale
from ledger.models import AccountKind, CustodyAccount, Holding, Movement, MovementKind
from ledger.services import lock_items, move_items
from registry.models import Derivative, Sale
from registry.models.terms import untitled_classes


class NotUnderCertificate(DomainError):
    """Goods of this kind, or without a good certificate, are not sold by this door."""

    code = "not-under-certificate"
    message = _("Only batches under a veterinary certificate that is good on this day are sold here.")


class NoTitle(DomainError):
    """Goods that nobody has a title to are kept or destroyed, not sold."""

    code = "no-title"
    message = _("Nobody has a title to some of these: their origin is unknown, or a court has not decided yet.")


class SaleForbidden(DomainError):
    """The rules of the day let nothing be sold inside the country."""

    code = "sale-forbidden"


@transaction.atomic
def sell_batches(
    *,
    actor: User,
    at: datetime,
    key: str,
    store: CustodyAccount,
    items: Sequence[int],
    on: date,
    buyer_name: str,
    buyer_bin: str,
    price_tenge: int | None = None,
) -> Sale:
    """Hand whole batches to a buyer in Kazakhstan; they leave the registry by a movement into domestic sale.

    What goes in part is divided by processing first. A repeated `key` with the same items returns the first sale.
    Raises NotAllowed, BadInput, NotUnderCertificate, NoTitle, SaleForbidden, and what the ledger raises; then nothing
    has changed.
    """
    if not actor.can(Can.DISPATCH) or not CustodyAccount.objects.worked_in_by(actor).filter(pk=store.pk).exists():
        raise NotAllowed
    wrong: dict[str, StrOrPromise] = {}
    if not buyer_name.strip():
        wrong["buyer_name"] = _("Fill this in.")
    if not (is_valid_bin(buyer_bin) or is_valid_iin(buyer_bin)):
        wrong["buyer_bin"] = _("This is neither a BIN nor an IIN.")
    if on > day_of(at):
        wrong["on"] = _("This day lies in the future.")
    if not items:
        wrong["items"] = _("Choose at least one batch.")
    if wrong:
        raise BadInput(fields=wrong)
    # The lock closes the race of two sales of one batch; who waited here with the same key finds the first sale.
    lock_items(items)
    known = Movement.objects.filter(key=key).first()
    if known is None:
        _refuse_untitled(items)
        _refuse_uncertified(items, on)
        if refusal := refusal_of_sale(on):
            raise SaleForbidden(refusal)
    (serial,) = take_numbers(series="SA", year=on.year) if known is None else (0,)
    number = f"SA{on:%y}-{serial:06d}"
    movement = move_items(
        actor=actor,
        at=at,
        key=key,
        kind=MovementKind.SALE,
        item_ids=items,
        source=store,
        target=CustodyAccount.objects.boundary(AccountKind.DOMESTIC_SALE),
        effective_on=on,
        reference=number if known is None else known.reference,
        gave=actor,
    )
    if first := Sale.objects.filter(movement=movement).first():
        return first
    grams = movement.postings.filter(account=store).aggregate(grams=Sum("grams"))["grams"]
    sale = Sale.objects.create(
        number=number,
        store=store,
        on=on,
        buyer_name=buyer_name.strip(),
        buyer_bin=buyer_bin,
        price_tenge=price_tenge,
        pieces=len(set(items)),
        grams=-grams,
        movement=movement,
        sold_by=actor,
        sold_at=at,
    )
    record(
        "sale.made",
        actor=actor,
        at=at,
        subject=("sale", sale.pk),
        subject_name=sale.number,
        organisation_id=store.custodian_id,
        number=sale.number,
        pieces=sale.pieces,
        grams=sale.grams,
        source=store.code,
        movement=movement.pk,
    )
    return sale


def _refuse_untitled(items: Sequence[int]) -> None:
    """By what the goods are now: the class at registration may have been another."""
    held = Holding.objects.filter(item__in=items, pieces__gt=0, stock_class__in=untitled_classes())
    if held.exists():
        raise NoTitle


def _refuse_uncertified(items: Sequence[int], on: date) -> None:
    rule = Rule.objects.on(on).filter(code=RuleCode.UNDER_CERTIFICATE).first()
    terms = rule.value["terms"] if rule is not None else []
    good = Derivative.objects.filter(
        item__in=items, term__in=terms, certificate__issued_on__lte=on, certificate__valid_until__gte=on
    ).count()
    if good != len(set(items)):
        raise NotUnderCertificate

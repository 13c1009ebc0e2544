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
from ledger.models import AccountKind, CustodyAccount, Holding, Movement, MovementKind
from ledger.services import move_items
from registry.models import Derivative, Sale


class NotUnderCertificate(DomainError):
    """Goods of this kind, or without a good certificate, are not sold by this door."""

    code = "not-under-certificate"
    message = _("Only batches under a veterinary certificate that is good on this day are sold here.")


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
    Raises NotAllowed, BadInput, NotUnderCertificate, and what the ledger raises; then nothing has changed.
    """
    if not actor.can(Can.DISPATCH) or not CustodyAccount.objects.worked_in_by(actor).filter(pk=store.pk).exists():
        raise NotAllowed
    wrong: dict[str, StrOrPromise] = {}
    if not buyer_name.strip():
        wrong["buyer_name"] = _("Fill this in.")
    if not (is_valid_bin(buyer_bin) or is_valid_iin(buyer_bin)):
        wrong["buyer_bin"] = _("This is not a BIN.")
    if on > day_of(at):
        wrong["on"] = _("This day lies in the future.")
    if not items:
        wrong["items"] = _("Choose at least one batch.")
    if wrong:
        raise BadInput(fields=wrong)
    known = Movement.objects.filter(key=key, kind=MovementKind.SALE).first()
    if known is None:
        _refuse_uncertified(items, on)
    there = Holding.objects.filter(account=store, item__in=items).aggregate(grams=Sum("grams", default=0))
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
    if known is not None:
        return Sale.objects.get(movement=movement)
    sale = Sale.objects.create(
        number=number,
        store=store,
        on=on,
        buyer_name=buyer_name.strip(),
        buyer_bin=buyer_bin,
        price_tenge=price_tenge,
        pieces=len(set(items)),
        grams=there["grams"],
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


def _refuse_uncertified(items: Sequence[int], on: date) -> None:
    rule = Rule.objects.on(on).filter(code=RuleCode.UNDER_CERTIFICATE).first()
    terms = rule.value["terms"] if rule is not None else []
    good = Derivative.objects.filter(
        item__in=items, term__in=terms, certificate__issued_on__lte=on, certificate__valid_until__gte=on
    ).count()
    if good != len(set(items)):
        raise NotUnderCertificate

"""Opening and closing stores and evidence rooms."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import Organisation, Region, User
from core.audit.services import record
from core.base.duplicates import refuse_known
from core.base.errors import BadInput, InvalidTransition
from ledger.models import (
    AccountKind,
    CustodyAccount,
    Handover,
)
from ledger.services.refusals import (
    StoreKnown,
    StoreNotEmpty,
)


@transaction.atomic
def open_store(
    *,
    actor: User | None,
    at: datetime,
    code: str,
    kind: AccountKind,
    custodian: Organisation,
    region: Region | None,
    name_kk: str,
    name_ru: str,
    name_en: str,
    is_reception_point: bool = False,
) -> CustodyAccount:
    """Open a store or an evidence room; with a keeper's first place the account of its goods in transit opens too.

    `actor` None is the system itself, when the registry is set up. Raises BadInput, StoreKnown.
    """
    if kind not in (AccountKind.STORE, AccountKind.EVIDENCE):
        raise BadInput(fields={"kind": _("Choose a store or an evidence room.")})
    if kind == AccountKind.EVIDENCE and is_reception_point:
        raise BadInput(fields={"is_reception_point": _("An evidence room is not a reception point.")})
    if region is None and (kind == AccountKind.EVIDENCE or is_reception_point):
        raise BadInput(fields={"region": _("Say in which region it lies.")})
    # The lock closes the race of two first places of one keeper.
    Organisation.objects.select_for_update(no_key=True).get(pk=custodian.pk)
    CustodyAccount.objects.get_or_create(
        kind=AccountKind.TRANSIT,
        custodian=custodian,
        defaults={
            "code": f"TR-{custodian.bin}",
            "name_kk": f"Жолда: {custodian.name_kk}"[:200],
            "name_ru": f"В пути: {custodian.name_ru}"[:200],
            "name_en": f"In transit: {custodian.name_en}"[:200],
        },
    )
    with refuse_known({"_code_": StoreKnown(fields={"code": _("This code is taken.")})}):
        store = CustodyAccount.objects.create(
            code=code,
            kind=kind,
            custodian=custodian,
            region=region,
            name_kk=name_kk,
            name_ru=name_ru,
            name_en=name_en,
            is_reception_point=is_reception_point,
        )
    record(
        "store.opened",
        actor=actor,
        at=at,
        subject=("store", store.pk),
        subject_name=code,
        organisation_id=custodian.pk,
        kind=store.kind,
        code=code,
    )
    return store


@transaction.atomic
def close_store(*, actor: User, at: datetime, store: CustodyAccount) -> CustodyAccount:
    """Take an empty place out of use. Raises StoreNotEmpty, InvalidTransition."""
    # The lock waits for goods that are being sent here, and those that come later find the store closed.
    locked = CustodyAccount.objects.select_for_update(no_key=True).get(pk=store.pk)
    if not locked.is_active:
        raise InvalidTransition
    if (
        Handover.objects.under_way().filter(Q(source=locked) | Q(target=locked)).exists()
        or locked.totals.exclude(pieces=0, grams=0).exists()
    ):
        raise StoreNotEmpty
    return _set_active(actor, at, locked, is_active=False)


@transaction.atomic
def reopen_store(*, actor: User, at: datetime, store: CustodyAccount) -> CustodyAccount:
    """Take a closed place into use again. Raises InvalidTransition."""
    locked = CustodyAccount.objects.select_for_update(no_key=True).get(pk=store.pk)
    if locked.is_active:
        raise InvalidTransition
    return _set_active(actor, at, locked, is_active=True)


def _set_active(actor: User, at: datetime, store: CustodyAccount, *, is_active: bool) -> CustodyAccount:
    store.is_active = is_active
    store.save(update_fields=["is_active"])
    record(
        "store.reopened" if is_active else "store.closed",
        actor=actor,
        at=at,
        subject=("store", store.pk),
        subject_name=store.code,
        organisation_id=store.custodian_id,
    )
    return store

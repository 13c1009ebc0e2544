from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core.accounts.models import Organisation, Region, User
from core.audit.models import Event
from core.base.errors import BadInput, InvalidTransition
from ledger.models import AccountKind, CustodyAccount
from ledger.services import (
    StoreClosed,
    StoreKnown,
    StoreNotEmpty,
    close_store,
    dispatch_items,
    open_store,
    reopen_store,
)
from tests.goods import Enter

pytestmark = pytest.mark.django_db


@pytest.fixture
def facts(okhotzooprom: Organisation, region: Region) -> dict[str, Any]:
    return {
        "code": "RP-27-9",
        "kind": AccountKind.STORE,
        "custodian": okhotzooprom,
        "region": region,
        "name_kk": "Қабылдау пункті",
        "name_ru": "Пункт приема",
        "name_en": "Reception point",
        "is_reception_point": True,
    }


def test_a_first_store_opens_the_keepers_account_of_goods_in_transit(
    administrator: User, now: datetime, facts: dict[str, Any]
) -> None:
    open_store(actor=administrator, at=now, **facts)
    open_store(actor=administrator, at=now, **(facts | {"code": "RP-27-8"}))

    assert CustodyAccount.objects.filter(kind=AccountKind.TRANSIT, custodian=facts["custodian"]).count() == 1
    assert Event.objects.filter(verb="store.opened").count() == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": AccountKind.EXPORT}, "kind"),
        ({"kind": AccountKind.EVIDENCE}, "is_reception_point"),
        ({"region": None}, "region"),
    ],
)
def test_it_refuses_what_cannot_be_a_store(
    change: dict[str, Any], field: str, administrator: User, now: datetime, facts: dict[str, Any]
) -> None:
    with pytest.raises(BadInput) as refusal:
        open_store(actor=administrator, at=now, **(facts | change))

    assert list(refusal.value.fields) == [field]
    assert not CustodyAccount.objects.physical().exists()


def test_a_code_is_taken_once(administrator: User, now: datetime, facts: dict[str, Any]) -> None:
    open_store(actor=administrator, at=now, **facts)

    with pytest.raises(StoreKnown):
        open_store(actor=administrator, at=now, **facts)


def test_only_an_empty_store_closes(
    administrator: User, now: datetime, enter: Enter, reception: CustodyAccount, central: CustodyAccount
) -> None:
    enter(reception, 210)

    with pytest.raises(StoreNotEmpty):
        close_store(actor=administrator, at=now, store=reception)
    close_store(actor=administrator, at=now, store=central)
    with pytest.raises(InvalidTransition):
        close_store(actor=administrator, at=now, store=central)
    reopen_store(actor=administrator, at=now, store=central)

    central.refresh_from_db()
    assert central.is_active


def test_an_administrator_opens_and_closes_a_store_by_page(
    client: Client, administrator: User, facts: dict[str, Any]
) -> None:
    client.force_login(administrator)
    form = facts | {"custodian": facts["custodian"].pk, "region": facts["region"].pk, "is_reception_point": "on"}

    client.post(reverse("ledger:add-store"), form)
    store = CustodyAccount.objects.get(code="RP-27-9")
    client.post(reverse("ledger:switch-store", args=[store.pk]), {"act": "close"})

    store.refresh_from_db()
    assert not store.is_active
    assert client.get(reverse("ledger:stores")).status_code == 200
    assert client.get(reverse("ledger:store", args=[store.pk])).status_code == 200


@pytest.mark.parametrize("who", ["inspector", "storekeeper", "trader", "authority_officer", "auditor", "stranger"])
def test_nobody_else_opens_stores(who: str, request: pytest.FixtureRequest, client: Client) -> None:
    client.force_login(request.getfixturevalue(who))

    assert client.get(reverse("ledger:stores")).status_code == 403
    assert client.post(reverse("ledger:add-store")).status_code == 403


def test_a_store_that_goods_are_on_their_way_to_stays_open(
    administrator: User,
    inspector: User,
    now: datetime,
    enter: Enter,
    reception: CustodyAccount,
    central: CustodyAccount,
) -> None:
    items = enter(reception, 210)
    dispatch_items(
        carried_by="A courier", actor=inspector, at=now, key="d", source=reception, target=central, item_ids=items
    )

    with pytest.raises(StoreNotEmpty):
        close_store(actor=administrator, at=now, store=central)


def test_a_closed_store_takes_nothing_in(
    administrator: User,
    inspector: User,
    now: datetime,
    enter: Enter,
    reception: CustodyAccount,
    central: CustodyAccount,
) -> None:
    items = enter(reception, 210)
    close_store(actor=administrator, at=now, store=central)

    with pytest.raises(StoreClosed):
        dispatch_items(
            carried_by="A courier", actor=inspector, at=now, key="d", source=reception, target=central, item_ids=items
        )
    with pytest.raises(StoreClosed):
        enter(central, 200)

"""The page of an item that was processed, and of what was made of it."""

from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from core.accounts.models import User
from ledger.models import CustodyAccount
from registry.models import Derivative
from tests.registry.test_processing import chain

pytestmark = pytest.mark.django_db


def page(client: Client, item: Derivative) -> str:
    answer = client.get(reverse("reports:item", args=[item.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_tree_leads_from_a_pack_to_the_permit_and_from_a_horn_to_the_packs(
    client: Client, storekeeper: User, now: datetime, reception_store: CustodyAccount, horns: list[Derivative]
) -> None:
    steps = chain(storekeeper, now, reception_store, horns)
    client.force_login(storekeeper)

    up, down = page(client, steps[-1][0]), page(client, horns[0])

    for item in (*horns, steps[1][0], steps[2][0]):
        assert item.number in up
        assert reverse("reports:item", args=[item.pk]) in up
    assert horns[0].intake.permit is not None
    assert horns[0].intake.permit.number in up
    for item in (steps[1][0], steps[2][0], *steps[3]):
        assert item.number in down


def test_what_was_consumed_elsewhere_stays_unknown(
    client: Client,
    storekeeper: User,
    trader: User,
    now: datetime,
    reception_store: CustodyAccount,
    horns: list[Derivative],
) -> None:
    chain(storekeeper, now, reception_store, horns)
    client.force_login(trader)

    assert client.get(reverse("reports:item", args=[horns[0].pk])).status_code == 404


def test_an_item_without_a_family_shows_no_tree(
    client: Client, storekeeper: User, reception_store: CustodyAccount, horns: list[Derivative]
) -> None:
    client.force_login(storekeeper)

    text = page(client, horns[0])

    assert "tree" not in text.split("<main")[1].split("story")[0].replace("street", "")
    assert reverse("custody:processing-open") in text

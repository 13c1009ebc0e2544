"""Blank labels: marks that are on nothing yet, and what the database refuses of them."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from core.accounts.models import User
from custody.scanning import read_scan
from marking.codes import new_code
from marking.models import Mark, SigningKey
from marking.payload import Statement, sign, to_text
from marking.selectors import Reason, Verdict, check_text
from marking.services.keys import signing_key_in_use
from registry.models import Derivative

pytestmark = pytest.mark.django_db


@pytest.fixture
def blank(signing_key: SigningKey, now: datetime) -> Mark:
    with transaction.atomic():
        key, private_key = signing_key_in_use()
    signed = sign(Statement(bytes.fromhex(key.pk), new_code()), private_key)
    return Mark.objects.create(
        code=signed.statement.code,
        state=Mark.State.BLANK,
        key=key,
        payload=signed.body,
        signature=signed.signature,
        issued_at=now,
    )


def refused(act: Callable[[], object]) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        act()


def test_it_is_genuine_and_on_nothing(blank: Mark) -> None:
    for text in (blank.code, to_text(bytes(blank.payload), bytes(blank.signature))):
        answer = check_text(text, own_hosts=())

        assert (answer.verdict, answer.reasons) == (Verdict.GENUINE_BUT, (Reason.BLANK,))
        assert (answer.term, answer.origin, answer.year, answer.mass_g) == ("", "", 0, None)


def test_no_goods_move_by_it(blank: Mark) -> None:
    scan = read_scan(blank.code, own_hosts=())

    assert scan.item is None
    assert scan.refused is not None
    assert scan.refused.tone == "stop"


def test_its_page_says_so(blank: Mark, client: Client) -> None:
    page = client.get(f"/m/{blank.code}", {"lang": "en"}).content.decode()

    assert "Genuine, but a blank label" in page
    assert "Year of registration" not in page


def test_the_database_binds_it_once_and_for_good(blank: Mark, horns: list[Derivative]) -> None:
    rows = Mark.objects.filter(pk=blank.pk)

    refused(lambda: rows.update(state="active"))
    refused(lambda: rows.update(derivative=horns[0]))
    refused(lambda: rows.update(state="void", derivative=horns[0]))
    rows.update(state="active", derivative=horns[0])

    refused(lambda: rows.update(derivative=horns[1]))
    refused(lambda: rows.update(state="blank", derivative=None))


def test_the_database_never_uses_a_spoiled_or_destroyed_label(blank: Mark, horns: list[Derivative]) -> None:
    rows = Mark.objects.filter(pk=blank.pk)
    rows.update(state="spoiled")

    refused(lambda: rows.update(state="blank"))
    refused(lambda: rows.update(state="active", derivative=horns[0]))
    rows.update(state="destroyed")
    refused(lambda: rows.update(state="spoiled"))

    assert check_text(blank.code, own_hosts=()).reasons == (Reason.SPOILED,)


def test_nobody_lists_it_among_own_marks(blank: Mark, inspector: User, auditor: User) -> None:
    assert not Mark.objects.visible_to(inspector).exists()
    assert Mark.objects.visible_to(auditor).get() == blank

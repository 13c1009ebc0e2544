"""Blank labels: marks that are on nothing yet, and what the database refuses of them."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from core.accounts.models import User
from custody.scanning import read_scan
from marking.models import Mark
from marking.payload import to_text
from marking.selectors import Reason, Verdict, check_text

pytestmark = pytest.mark.django_db


def refused(act: Callable[[], object]) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        act()


def test_it_is_genuine_and_on_nothing(blank: Mark) -> None:
    for text in (blank.code, to_text(bytes(blank.payload), bytes(blank.signature))):
        answer = check_text(text, own_hosts=())

        assert (answer.verdict, answer.reasons) == (Verdict.GENUINE_BUT, (Reason.BLANK,))
        assert (answer.term, answer.origin, answer.year, answer.mass_g) == ("", "", 0, None)


def test_no_goods_move_by_it(blank: Mark, inspector: User) -> None:
    scan = read_scan(blank.code, person=inspector, own_hosts=())

    assert scan.item is None
    assert scan.refused is not None
    assert scan.refused.tone == "stop"


def test_its_page_says_so(blank: Mark, client: Client) -> None:
    page = client.get(f"/m/{blank.code}", {"lang": "en"}).content.decode()

    assert "Genuine, but a blank label" in page
    assert "Year of registration" not in page


def test_nobody_lists_it_among_own_marks(blank: Mark, inspector: User, auditor: User) -> None:
    assert not Mark.objects.visible_to(inspector).exists()
    assert blank in Mark.objects.visible_to(auditor)

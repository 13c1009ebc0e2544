"""What a scanner gun, a person, or a keyboard in Cyrillic may type, and what is understood."""

import pytest
from django.conf import settings

from core.accounts.models import User
from core.base.errors import BadInput
from custody.scanning import find_items, read_scan
from marking.codes import group
from marking.limits import TooManyChecks
from marking.models import Mark
from marking.payload import to_address
from marking.services.labels import symbol_prefix
from registry.models import Derivative
from tests.marks import unused_code
from tests.rights import code_of

HOSTS = (settings.PUBLIC_HOST, "testserver")


def test_every_form_of_a_mark_is_the_same_item(marked: list[Derivative], storekeeper: User) -> None:
    item, code = marked[0], code_of(marked[0])
    mark = Mark.objects.get(pk=code)
    typed = [
        code,
        group(code).lower(),
        f"  {code} ",
        f"HTTPS://{settings.PUBLIC_HOST.upper()}/M/{code}",
        to_address(symbol_prefix(), bytes(mark.payload), bytes(mark.signature)),
        item.number,
        item.number.replace("-", "").lower(),
        item.number.replace("KZ", "КZ"),
    ]

    assert [read_scan(text, person=storekeeper, own_hosts=HOSTS).item for text in typed] == [item] * len(typed)


def test_a_batch_is_known_by_its_number(marked: list[Derivative], storekeeper: User) -> None:
    scan = read_scan(marked[0].intake.number.lower(), person=storekeeper, own_hosts=HOSTS)

    assert scan.batch == marked[0].intake
    assert read_scan("IN25-999999", person=storekeeper, own_hosts=HOSTS).refused is not None


@pytest.mark.parametrize(
    ("text", "tone", "is_foreign"),
    [
        ("", "attention", False),
        ("hello", "attention", False),
        ("7H4Q9TX2MW8A", "attention", False),
        ("7H4Q9TX2MW8H", "stop", True),
        ("KZ25-7777777", "stop", True),
        ("https://copy.example/M/7H4Q9TX2MW8H", "stop", False),
    ],
)
@pytest.mark.django_db
def test_what_is_no_item_of_ours_is_said(storekeeper: User, text: str, tone: str, is_foreign: bool) -> None:
    scan = read_scan(text, person=storekeeper, own_hosts=HOSTS)

    assert scan.item is None
    assert scan.refused is not None
    assert (scan.refused.tone, scan.is_foreign) == (tone, is_foreign)


def test_items_are_found_together(
    marked: list[Derivative], storekeeper: User, django_assert_num_queries: object
) -> None:
    texts = [marked[0].number, group(code_of(marked[1])), marked[2].number.lower()]

    with django_assert_num_queries(2):  # type: ignore[operator]
        found = find_items(texts, person=storekeeper)

    assert found == [derivative.pk for derivative in marked[:3]]
    with pytest.raises(BadInput) as refusal:
        find_items([marked[0].number, "KZ25-7777777", "nonsense"], person=storekeeper)
    assert "KZ25-7777777, nonsense" in str(refusal.value.fields["items"])


@pytest.mark.usefixtures("one_window")
def test_whoever_searches_for_codes_in_a_store_learns_nothing_more(
    marked: list[Derivative], storekeeper: User, inspector: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hundred for each code that does not exist: five of them are a thousand."""
    monkeypatch.setattr("marking.limits.CHECKS_SIGNED_IN", 1_000)
    code = code_of(marked[0])
    for _ in range(4):
        read_scan(unused_code(), person=storekeeper, own_hosts=HOSTS)
    assert read_scan(code, person=storekeeper, own_hosts=HOSTS).item == marked[0]
    with pytest.raises(TooManyChecks):
        find_items([unused_code()], person=storekeeper)

    refused = [read_scan(text, person=storekeeper, own_hosts=HOSTS) for text in (code, unused_code())]
    assert [scan.item for scan in refused] == [None, None]
    assert refused[0] == refused[1]
    with pytest.raises(TooManyChecks):
        find_items([code], person=storekeeper)
    assert read_scan(marked[0].number, person=storekeeper, own_hosts=HOSTS).item == marked[0]
    assert read_scan(code, person=inspector, own_hosts=HOSTS).item == marked[0]

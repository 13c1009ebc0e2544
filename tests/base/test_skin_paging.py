"""Pages by key: forwards and back again over every row once, whatever the address says."""

import pytest
from django.test import RequestFactory
from pytest_django import DjangoAssertNumQueries

from core.accounts.models import Region
from core.base.paging import Page, keyset_page

pytestmark = pytest.mark.django_db

BY_NAME = ("-name_en",)


def page_at(url: str, order: tuple[str, ...] = BY_NAME) -> Page[Region]:
    return keyset_page(Region.objects.all(), RequestFactory().get(f"/regions/{url}"), order=order, size=6)


def test_walking_on_and_back_meets_every_row_once() -> None:
    everything = list(Region.objects.order_by("-name_en", "pk"))

    pages = [page_at("")]
    while url := pages[-1].next_url:
        pages.append(page_at(url))
    assert [row for page in pages for row in page] == everything
    assert pages[0].previous_url is None

    back = [pages[-1]]
    while url := back[-1].previous_url:
        back.append(page_at(url))
    assert [page.rows for page in reversed(back)] == [page.rows for page in pages]


def test_rows_that_are_equal_in_the_order_are_told_apart_by_key() -> None:
    Region.objects.update(name_en="Same")

    first = page_at("")
    second = page_at(str(first.next_url))

    assert not set(first) & set(second)


def test_other_parameters_of_the_address_stay() -> None:
    url = page_at("?kind=store&kind=transit&after=junk").next_url

    assert url
    assert "kind=store&kind=transit" in url
    assert url.count("after=") == 1


@pytest.mark.parametrize("cursor", ["x", "%00", "W10", "WzFd", "WyJcdTAwMDAiLCJhIl0", "e30", "W251bGwsbnVsbF0", "ф"])
def test_a_cursor_that_is_not_ours_shows_the_first_page(cursor: str) -> None:
    assert page_at(f"?after={cursor}").rows == page_at("").rows
    assert page_at(f"?before={cursor}").rows == page_at("").rows


def test_a_page_costs_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        page_at("")

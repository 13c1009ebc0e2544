"""Checks: kept without persons, once each, for a while; and what they tell of copies."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import redis
from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client, override_settings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from core.accounts.models import Organisation
from core.base.heartbeat import open_redis
from marking import checklog
from marking.checklog import STREAM, Place, note_check, read_place, send_waiting
from marking.models import Check, Mark
from marking.payload import to_text
from marking.selectors import Reason, Verdict, check_text
from marking.services.checks import forget_old_checks, keep_checks, regions_about
from marking.services.copies import find_copies

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_stream() -> Iterator[None]:
    def empty() -> None:
        checklog._waiting.clear()
        checklog._unsent.clear()
        with open_redis(settings.REDIS_URL) as client:
            client.delete(STREAM)

    empty()
    yield
    empty()


def keep() -> int:
    send_waiting()
    return keep_checks()


def test_a_check_of_the_public_is_kept_without_a_person(client: Client, marks: list[Mark]) -> None:
    before = timezone.now()
    client.get(f"/m/{marks[0].code}", REMOTE_ADDR="10.1.2.3", headers={"User-Agent": "Phone"})

    assert keep() == 1
    check = Check.objects.get()
    assert (check.code, check.verdict, check.reasons) == (marks[0].code, "genuine", [])
    assert (check.who, check.organisation, check.channel) == ("public", None, "web")
    assert (check.lat, check.lon, check.regions, check.is_repeat) == (None, None, [], False)
    assert before - timedelta(milliseconds=1) <= check.at <= timezone.now()
    everything = json.dumps([str(value) for value in Check.objects.values_list().get()])
    assert "10.1.2" not in everything
    assert "Phone" not in everything


def test_two_visitors_of_a_mark_are_told_apart_and_followed_nowhere(client: Client, marks: list[Mark]) -> None:
    addresses = ["10.1.2.3", "10.1.2.77", "10.1.3.3", "2001:db8:1:2::1", "2001:db8:1:3::1"]
    tags = {}
    for mark in marks[:6]:
        for address in addresses:
            client.get(f"/m/{mark.code}", REMOTE_ADDR=address)
        keep()
        seen = list(Check.objects.filter(code=mark.code).order_by("at").values_list("visitor", flat=True))
        assert (seen[0], seen[3]) == (seen[1], seen[4])  # neighbours are one
        tags[mark.code] = (seen[0], seen[2], seen[3])

    assert any(len(set(three)) == 3 for three in tags.values())
    assert len({three[0] for three in tags.values()}) > 1  # one visitor is another for another mark


def test_a_place_is_rounded_and_its_regions_are_known(client: Client, marks: list[Mark]) -> None:
    client.get(f"/m/{marks[0].code}", {"place": "51.2334,51.3667"})
    client.get(f"/m/{marks[0].code}", {"place": "75", "again": "1"})
    client.get(f"/m/{marks[0].code}", {"place": "39.9,116.4"})

    assert keep() == 3
    kept = {(check.lat and float(check.lat), tuple(check.regions), check.is_repeat) for check in Check.objects.all()}
    assert kept == {(51.2, ("27",), False), (None, ("75",), True), (39.9, (), False)}


def test_the_scanner_may_say_roughly_where(client: Client, marks: list[Mark]) -> None:
    for place in ("", "51.2,51.4", "51.2334,51.3667", "75"):
        client.get("/scan/check.json", {"text": marks[0].code, "place": place})

    assert keep() == 4
    kept = [(check.channel, check.lat and float(check.lat), check.regions) for check in Check.objects.order_by("at")]
    assert kept == [("app", None, []), ("app", 51.2, ["27"]), ("app", 51.2, ["27"]), ("app", None, ["75"])]


PICTURE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
CLICKED = {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-user": "?1",
}
FRAME = CLICKED | {"sec-fetch-dest": "iframe"}
REDIRECTED = {key: said for key, said in CLICKED.items() if key != "sec-fetch-user"}
OWN_LINK = {"referer": f"https://{settings.PUBLIC_HOST}/about/"}
CAMERA = {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.mark.parametrize(
    "asked",
    [
        PICTURE,
        FRAME,
        REDIRECTED,
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
        CAMERA | {"sec-purpose": "prefetch;prerender"},
        {"referer": "https://evil.example/page"},
    ],
)
def test_what_another_site_has_a_browser_ask_is_no_check(
    client: Client, marks: list[Mark], asked: dict[str, str]
) -> None:
    """A page with a thousand visitors would bring any label into question, and end the questions of a market hall."""
    symbol = to_text(bytes(marks[0].payload), bytes(marks[0].signature))
    for text in (marks[0].code, symbol, "7H4Q9TX2MW8H"):
        for _ in range(25):
            answer = client.get(f"/m/{text}?lang=en&place=43.2,76.9", headers=asked, REMOTE_ADDR="198.51.100.44")
            said = answer.content.decode()
            assert (answer.status_code, text in said, "Genuine" in said) == (200, True, False)
        assert client.get("/scan/check.json", {"text": text}, headers=asked).status_code == 403

    assert keep() == 0
    assert find_copies(at=timezone.now()) == []
    assert client.get(f"/m/{marks[0].code}", REMOTE_ADDR="198.51.100.44").status_code == 200


@pytest.mark.parametrize(
    "asked", [{}, CAMERA, CLICKED, {"sec-fetch-site": "same-origin"}, {"referer": "http://testserver/m/"}, OWN_LINK]
)
def test_what_a_person_looks_at_is_one(client: Client, marks: list[Mark], asked: dict[str, str]) -> None:
    assert (
        "Genuine"
        in client.get(
            f"/m/{to_text(bytes(marks[0].payload), bytes(marks[0].signature))}?lang=en", headers=asked
        ).content.decode()
    )
    assert client.get("/scan/check.json", {"text": marks[0].code}, headers=asked).status_code == 200

    assert keep() == 2


@pytest.mark.parametrize("text", ["", "7", "abc", "51.2", "91,0", "0,181", "nan,1", "51.2,", "٧٥", "1e400,2"])
def test_a_place_that_is_none_is_nowhere(text: str) -> None:
    assert read_place(text) == checklog.NOWHERE


def test_at_a_border_the_place_may_be_on_either_side() -> None:
    assert len(regions_about(43.3, 76.9)) > 1
    assert regions_about(48.0, 67.0) == ("62",)
    assert regions_about(0.0, 0.0) == ()


def test_what_is_no_code_is_kept_as_a_hash_that_tells_nothing(client: Client, marks: list[Mark]) -> None:
    for text in ("my secret words", "my secret words ", "others"):
        client.get("/m/", {"text": text})

    keep()
    kept = list(Check.objects.values_list("code", "read_hash"))
    assert {code for code, _hash in kept} == {""}
    assert len({read_hash for _code, read_hash in kept}) == 2


def test_a_code_never_issued_is_kept_as_such(client: Client) -> None:
    client.get("/m/7H4Q-9TX2-MW8H")

    keep()
    assert Check.objects.values_list("code", "verdict").get() == ("7H4Q9TX2MW8H", "unknown")


def test_nothing_is_kept_twice_whatever_is_sent_twice(marks: list[Mark], monkeypatch: pytest.MonkeyPatch) -> None:
    answer = check_text(marks[0].code, own_hosts=())
    note_check(answer, "", at=timezone.now(), channel="web")
    send_waiting()
    with open_redis(settings.REDIS_URL) as client:
        (entry,) = client.xrange(STREAM)
        for _ in range(3):
            client.xadd(STREAM, entry[1])
        assert keep_checks() == 1
        assert client.xlen(STREAM) == 0
        # The transaction was done, the answer of the database lost: it is all there again.
        client.xadd(STREAM, entry[1])
        assert keep_checks() == 0

    assert Check.objects.count() == 1


def test_what_is_no_check_is_passed_over(marks: list[Mark]) -> None:
    with open_redis(settings.REDIS_URL) as client:
        for fields in ({"checks": b"\xff"}, {"checks": "[1]"}, {"checks": "7"}, {"other": "1"}):
            client.xadd(STREAM, fields)
        note_check(check_text(marks[0].code, own_hosts=()), "", at=timezone.now(), channel="web")
        assert keep() == 1
        assert client.xlen(STREAM) == 0


def test_the_page_answers_while_redis_is_away_and_the_check_waits(
    client: Client, marks: list[Mark], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checklog, "_start", lambda _process: None)
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        assert client.get(f"/m/{marks[0].code}").status_code == 200
        with pytest.raises(redis.RedisError):
            send_waiting()

    assert keep() == 1


def test_what_waits_for_redis_has_a_bound(marks: list[Mark], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checklog, "WAITING", 5)
    answer = check_text(marks[0].code, own_hosts=())
    # The thread that sends, which an earlier page may have started, waits meanwhile.
    with checklog._sending:
        for _ in range(9):
            note_check(answer, "", at=timezone.now(), channel="web")

    assert keep() == 5


def test_checks_are_kept_in_few_statements(
    marks: list[Mark], django_assert_max_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = check_text(marks[0].code, own_hosts=())
    counts = []
    for many in (1, 400):
        for _ in range(many):
            note_check(answer, "", at=timezone.now(), channel="web", place=Place(51.2, 51.4))
        send_waiting()
        with django_assert_max_num_queries(12) as captured:
            assert keep_checks() == many
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_old_checks_are_forgotten(marks: list[Mark], now: datetime) -> None:
    answer = check_text(marks[0].code, own_hosts=())
    for days in (1, 20, 40):
        note_check(answer, "", at=now - timedelta(days=days), channel="web")
    keep()

    with override_settings(CHECKS_KEPT_DAYS=30):
        assert forget_old_checks(at=now) == 1
    assert Check.objects.count() == 2


def test_the_database_keeps_a_check_as_it_was(marks: list[Mark], now: datetime, inspectorate: Organisation) -> None:
    made = {"at": now, "verdict": "genuine", "channel": "web", "who": "public"}
    check = Check.objects.create(code=marks[0].code, **made)

    with pytest.raises(DatabaseError), transaction.atomic():
        Check.objects.filter(pk=check.pk).update(who="police")
    for wrong in (
        {"code": "", "read_hash": ""},
        {"code": marks[0].code, "read_hash": "0" * 16},
        {"code": marks[0].code, "organisation": inspectorate},
        {"code": marks[0].code, "lat": 91, "lon": 0},
        {"code": marks[0].code, "lat": 51, "lon": None},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Check.objects.create(**(made | wrong))
    with pytest.raises(IntegrityError), transaction.atomic():
        Check.objects.create(pk=check.pk, code=marks[0].code, **made)
    assert Check.objects.count() == 1


def test_the_page_asks_where_and_says_thanks(client: Client, marks: list[Mark]) -> None:
    asks = client.get(f"/m/{marks[0].code}", {"lang": "en"}).content.decode()
    told = client.get("/m/", {"text": marks[0].code, "lang": "en", "again": "1", "place": "27"}).content.decode()

    assert "Where did you see it?" in asks
    assert f'name="text" value="{marks[0].code}"' in asks
    assert "has been noted" in told
    assert "Where did you see it?" not in told
    assert "Where did you see it?" not in client.get("/m/", {"lang": "en"}).content.decode()
    assert Reason.COPIED not in check_text(marks[0].code, own_hosts=()).reasons
    assert check_text(marks[0].code, own_hosts=()).verdict == Verdict.GENUINE

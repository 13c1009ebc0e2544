"""Hidden codes: kept as a hash, used once, by the first."""

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.test import Client, override_settings
from pytest_django import DjangoAssertNumQueries

from core.accounts.models import User
from core.audit.models import Event
from core.base.errors import BadInput
from marking.codes import group
from marking.models import LabelReel, LabelSeries, Mark, OnceCode
from marking.services.once import Redeemed, make_once_codes, once_texts, redeem_once
from marking.views import once as views
from tests.marks import end_mark, print_again

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "allow", lambda *_args, **_kwargs: True)
    monkeypatch.setattr("marking.api_checks.allow", lambda *_args, **_kwargs: True)


@pytest.fixture
def texts(marks: list[Mark], inspector: User, now: datetime) -> dict[str, str]:
    """The hidden codes of all marks but the last."""
    codes = [mark.code for mark in marks[:-1]]
    assert make_once_codes(actor=inspector, at=now, codes=codes, subject=("label_run", 1)) == 5
    return once_texts(mark.code for mark in marks)


def test_the_first_is_told_so_and_all_others_when_it_was(
    texts: dict[str, str], marks: list[Mark], now: datetime
) -> None:
    code = marks[0].code

    first = redeem_once(at=now, code=group(code).lower(), text=texts[code].lower().replace("-", " "))
    second = redeem_once(at=now + timedelta(days=1), code=code, text=texts[code])

    assert (first.outcome, second.outcome, second.used_at) == (Redeemed.FIRST, Redeemed.USED, now)
    assert Event.objects.filter(verb="once_code.used").count() == 1


def test_anything_else_is_wrong_and_uses_nothing(texts: dict[str, str], marks: list[Mark], now: datetime) -> None:
    code, other, without = marks[0].code, marks[1].code, marks[-1].code
    for given, text in (
        (code, texts[other]),
        (other, texts[code]),
        (without, texts[code]),
        (code, ""),
        (code, "0000-0000"),
        (code, texts[code][:-1]),
        ("nonsense", texts[code]),
        ("7H4Q9TX2MW8H", texts[code]),
    ):
        assert redeem_once(at=now, code=given, text=text).outcome == Redeemed.WRONG

    assert not OnceCode.objects.exclude(used_at=None).exists()


def test_only_a_keyed_hash_is_kept(texts: dict[str, str], marks: list[Mark]) -> None:
    kept = b"".join(bytes(digest) for digest in OnceCode.objects.values_list("digest", flat=True))

    for text in texts.values():
        assert text.encode() not in kept
        assert text.replace("-", "").encode() not in kept
    assert len(texts) == len(set(texts.values())) == 5
    assert marks[-1].code not in texts
    with override_settings(ONCE_CODE_KEY="another"):
        assert not set(once_texts(texts).values()) & set(texts.values())


def test_made_again_it_stays_the_same(texts: dict[str, str], marks: list[Mark], inspector: User, now: datetime) -> None:
    redeem_once(at=now, code=marks[0].code, text=texts[marks[0].code])
    made = make_once_codes(actor=inspector, at=now, codes=[mark.code for mark in marks], subject=("label_run", 1))

    assert made == 1
    assert texts.items() <= once_texts(mark.code for mark in marks).items()
    assert redeem_once(at=now, code=marks[0].code, text=texts[marks[0].code]).outcome == Redeemed.USED


def test_it_costs_the_same_for_many(
    marks: list[Mark], inspector: User, now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    counts = []
    for some in (marks[:1], marks):
        with django_assert_max_num_queries(10) as captured:
            make_once_codes(actor=inspector, at=now, codes=[one.code for one in some], subject=("label_run", 1))
            once_texts(one.code for one in some)
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_what_is_no_mark_gets_none(marks: list[Mark], inspector: User, now: datetime) -> None:
    with pytest.raises(BadInput):
        make_once_codes(actor=inspector, at=now, codes=[marks[0].code, "7H4Q9TX2MW8H"], subject=("label_run", 1))

    assert not OnceCode.objects.exists()


def test_the_database_lets_it_be_used_once(texts: dict[str, str], marks: list[Mark], now: datetime) -> None:
    redeem_once(at=now, code=marks[0].code, text=texts[marks[0].code])
    used, fresh = OnceCode.objects.filter(pk=marks[0].code), OnceCode.objects.filter(pk=marks[1].code)

    for act in (
        lambda: used.update(used_at=None),
        lambda: used.update(used_at=now + timedelta(days=1)),
        lambda: fresh.update(digest=b"x"),
        lambda: fresh._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


def test_the_page_says_first_used_and_wrong(client: Client, texts: dict[str, str], marks: list[Mark]) -> None:
    given = {"code": group(marks[0].code), "hidden": texts[marks[0].code]}
    first, second, wrong, empty = (
        client.post("/m/once/?lang=en", fields)
        for fields in (given, given, given | {"hidden": "AAAA-AAAA"}, {"code": "", "hidden": ""})
    )

    assert "First time" in first.content.decode()
    assert "Already used" in second.content.decode()
    assert "Not the hidden code" in wrong.content.decode()
    assert [page.status_code for page in (first, second, wrong, empty)] == [200, 200, 200, 422]
    assert first["Cache-Control"] == "no-store"


def test_one_address_cannot_try_out_codes(
    client: Client, texts: dict[str, str], marks: list[Mark], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "allow", lambda *_args, **_kwargs: False)

    assert client.post("/m/once/", {"code": marks[0].code, "hidden": texts[marks[0].code]}).status_code == 429
    assert not OnceCode.objects.exclude(used_at=None).exists()


def test_labels_of_a_reel_get_hidden_codes_by_choice(
    client: Client, reel: LabelReel, storekeeper: User, trader: User
) -> None:
    client.force_login(trader)
    assert client.post(f"/api/v1/label-reels/{reel.pk}/hidden-codes/").status_code == 403
    client.force_login(storekeeper)
    answer = client.post(f"/api/v1/label-reels/{reel.pk}/hidden-codes/")

    assert answer.json() == {"made": 10}
    assert client.post(f"/api/v1/label-reels/{reel.pk}/hidden-codes/").json() == {"made": 0}
    assert len(once_texts(reel.marks.values_list("pk", flat=True))) == 10


def test_a_program_redeems_and_a_repeat_gets_the_first_answer(
    client: Client, texts: dict[str, str], marks: list[Mark], stranger: User
) -> None:
    client.force_login(stranger)
    body = {"code": marks[0].code, "hidden": texts[marks[0].code]}

    def send(key: str) -> str:
        answer = client.post("/api/v1/marks/redeem/", body, "application/json", headers={"Idempotency-Key": key})
        return str(answer.json()["outcome"])

    assert [send("a"), send("a"), send("b")] == ["first", "first", "used"]


def test_the_office_that_prints_a_reel_reads_its_hidden_codes_until_it_is_printed(
    client: Client, reel: LabelReel, series: LabelSeries, storekeeper: User, inspector: User
) -> None:
    waiting = series.reels.get(reel=2)
    address = f"/api/v1/label-reels/{waiting.pk}/hidden-codes/"
    client.force_login(storekeeper)
    client.post(address)
    rows = client.get(address).json()

    assert [row["place"] for row in rows] == list(range(1, 11))
    assert {row["code"]: row["hidden"] for row in rows} == once_texts(row["code"] for row in rows)
    assert Event.objects.filter(verb="once_codes.read", actor_id=storekeeper.pk).count() == 1
    assert client.get(f"/api/v1/label-reels/{reel.pk}/hidden-codes/").status_code == 404
    client.force_login(inspector)
    assert client.get(address).status_code == 404


def test_a_reprint_has_a_hidden_code_of_its_own(
    texts: dict[str, str], marks: list[Mark], inspector: User, storekeeper: User, now: datetime
) -> None:
    reprinted, opened = marks[0], marks[1]
    redeem_once(at=now, code=opened.code, text=texts[opened.code])
    for mark in (reprinted, opened):
        print_again(mark, b"new", b"sign", asker=inspector, approver=storekeeper, at=now)

    assert redeem_once(at=now, code=reprinted.code, text=texts[reprinted.code]).outcome == Redeemed.WRONG

    make_once_codes(actor=inspector, at=now, codes=[reprinted.code, opened.code], subject=("label_run", 1))
    fresh = once_texts([reprinted.code, opened.code])
    assert fresh[reprinted.code] != texts[reprinted.code]
    assert redeem_once(at=now, code=reprinted.code, text=texts[reprinted.code]).outcome == Redeemed.WRONG
    assert redeem_once(at=now, code=reprinted.code, text=fresh[reprinted.code]).outcome == Redeemed.FIRST
    # Who opened the former label was the first owner, and stays it.
    assert redeem_once(at=now, code=opened.code, text=texts[opened.code]).outcome == Redeemed.USED
    assert fresh[opened.code] == texts[opened.code]


def test_the_right_code_of_a_mark_that_must_not_be_accepted_is_refused_and_not_used(
    texts: dict[str, str], marks: list[Mark], inspector: User, storekeeper: User, client: Client, now: datetime
) -> None:
    mark = marks[0]
    end_mark(mark, "void", asker=inspector, approver=storekeeper, at=now)

    answer = redeem_once(at=now, code=mark.code, text=texts[mark.code])
    page = client.post("/m/once/?lang=en", {"code": mark.code, "hidden": texts[mark.code]}).content.decode()

    assert answer.outcome == Redeemed.REFUSED
    assert OnceCode.objects.get(pk=mark.code).used_at is None
    assert "verdict-ok" not in page
    assert "Do not accept this label" in page


def test_the_database_changes_a_hidden_code_only_with_its_print(
    texts: dict[str, str], marks: list[Mark], inspector: User, storekeeper: User, now: datetime
) -> None:
    kept = OnceCode.objects.filter(pk=marks[0].code)

    for change in ({"digest": b"other"}, {"generation": 2, "digest": b"other"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            kept.update(**change)
    print_again(marks[0], b"new", b"sign", asker=inspector, approver=storekeeper, at=now)
    assert kept.update(generation=2, digest=b"other") == 1
    kept.update(used_at=now)
    with pytest.raises(DatabaseError), transaction.atomic():
        kept.update(digest=b"another")

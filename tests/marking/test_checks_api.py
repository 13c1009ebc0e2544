"""The API of customs and partner systems: one mark, a thousand, the keys, the snapshot, alerts of copies."""

from datetime import datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.accounts.models import Organisation, User
from core.accounts.services import create_token
from marking import limits
from marking.checklog import send_waiting
from marking.codes import from_number
from marking.models import Check, Mark, SigningKey
from marking.payload import to_text
from marking.selectors import check_text, check_texts
from marking.services.checks import keep_checks
from marking.services.copies import find_copies
from marking.services.snapshots import make_edition
from tests.marking.test_checks import _empty_stream  # noqa: F401  every test begins with an empty stream

pytestmark = pytest.mark.django_db
CHECK = "/api/v1/marks/check/"


@pytest.fixture(autouse=True)
def _uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "allow", lambda *_args, **_kwargs: True)


@pytest.fixture
def customs_program(customs_officer: User, client: Client) -> Client:
    """A program of the customs, by its key."""
    _token, secret = create_token(actor=customs_officer, at=timezone.now(), name="Gate 4")
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    return client


def test_many_are_answered_as_one_by_one(marks: list[Mark], signing_key: SigningKey) -> None:
    signed = [to_text(bytes(mark.payload), bytes(mark.signature)) for mark in marks]
    strange = "A" + signed[0][1:]
    forged = signed[0][:-8] + "AAAAAAAA"
    texts = [
        *[mark.code for mark in marks],
        *signed,
        strange,
        forged,
        "7H4Q9TX2MW8H",
        "",
        "https://example.com/m/1",
        "Ж",
        signed[0],
    ]

    assert repr(check_texts(texts, own_hosts=())) == repr([check_text(text, own_hosts=()) for text in texts])


def test_a_thousand_cost_as_many_queries_as_one(customs_program: Client, marks: list[Mark]) -> None:
    signed = to_text(bytes(marks[0].payload), bytes(marks[0].signature))
    customs_program.get(CHECK, {"text": signed})  # notes that the key was used today, and meets the signing key
    counts = []
    for texts in ([marks[0].code], [signed] * 300 + [from_number(number) for number in range(700)]):
        with CaptureQueriesContext(connection) as captured:
            answer = customs_program.post(CHECK, {"texts": texts}, "application/json")
        assert answer.status_code == 200
        assert len(answer.json()["results"]) == len(texts)
        counts.append(len(captured))

    assert counts[0] == counts[1]
    assert answer.json()["results"][0]["verdict"] == "genuine"
    assert answer.json()["results"][999]["verdict"] == "unknown"


@pytest.mark.parametrize("texts", [[], ["A"] * 1001, ["A" * 501], "A", [1, None]])
def test_what_is_too_much_or_nothing_is_refused(customs_program: Client, texts: object) -> None:
    assert customs_program.post(CHECK, {"texts": texts}, "application/json").status_code == 422


def test_a_check_of_an_official_names_the_organisation_and_no_person(
    customs_program: Client, marks: list[Mark], customs: Organisation, customs_officer: User
) -> None:
    body = {"texts": [mark.code for mark in marks], "place": "43.238,76.945", "via": "app"}
    assert customs_program.post(CHECK, body, "application/json").status_code == 200
    customs_program.get(CHECK, {"text": marks[0].code})
    send_waiting()

    assert keep_checks() == 7
    kept = Check.objects.filter(channel="app").first()
    assert kept is not None
    assert (kept.who, kept.organisation, float(kept.lat or 0)) == ("customs", customs, 43.2)
    assert Check.objects.filter(channel="api").count() == 1
    assert customs_officer.username not in str(list(Check.objects.values_list()))


def test_of_a_trader_only_the_kind_is_kept(client: Client, trader: User, marks: list[Mark]) -> None:
    client.force_login(trader)
    client.get(CHECK, {"text": marks[0].code})
    send_waiting()
    keep_checks()

    check = Check.objects.get()
    assert check.who == "trader"
    assert check.organisation is None


def test_whoever_asks_too_often_waits(
    customs_program: Client, marks: list[Mark], monkeypatch: pytest.MonkeyPatch
) -> None:
    costs: list[int] = []

    def counted(_key: str, *, limit: int, seconds: int, cost: int = 1) -> bool:
        costs.append(cost)
        return sum(costs) <= limit

    monkeypatch.setattr(limits, "allow", counted)
    unknown = [from_number(number) for number in range(1000)]

    refused = customs_program.post(CHECK, {"texts": unknown}, "application/json")

    assert refused.status_code == 429
    assert refused["Retry-After"]
    assert costs == [1000, 200_000]


def test_the_keys_and_the_snapshot(customs_program: Client, marks: list[Mark], signing_key: SigningKey) -> None:
    assert customs_program.get("/api/v1/marks/snapshot/").status_code == 404
    made = make_edition(at=timezone.now())

    keys = customs_program.get("/api/v1/marks/keys/").json()
    index = customs_program.get("/api/v1/marks/snapshot/").json()

    assert keys == customs_program.get("/m/keys.json").json()
    assert [key["id"] for key in keys["keys"]] == [signing_key.pk]
    assert (index["edition"], index["full"]) == (made.edition, "/m/snapshot.bin")


@pytest.mark.parametrize("place", ["99,400", "nan,nan", "XX", "00", "<script>", "51.2;71.4"])
def test_a_place_that_is_none_is_told(customs_program: Client, marks: list[Mark], place: str) -> None:
    body = {"texts": [marks[0].code], "place": place}
    one = customs_program.get(CHECK, {"text": marks[0].code, "place": place})
    many = customs_program.post(CHECK, body, content_type="application/json")

    assert (one.status_code, many.status_code) == (422, 422)
    assert list(one.json()["fields"]) == list(many.json()["fields"]) == ["place"]
    for right in ("", "51.2,51.4", "75"):
        assert customs_program.get(CHECK, {"text": marks[0].code, "place": right}).status_code == 200


@pytest.mark.parametrize("path", [CHECK, "/api/v1/marks/keys/", "/api/v1/marks/snapshot/", "/api/v1/copies/"])
def test_nobody_asks_without_a_key(client: Client, path: str) -> None:
    assert client.get(path).status_code == 401


def test_alerts_of_copies_are_for_those_who_see_everything(
    client: Client, marks: list[Mark], auditor: User, inspector: User, committee: Organisation, now: datetime
) -> None:
    seen = Check.objects.create(
        at=now,
        code=marks[0].code,
        verdict="genuine_but",
        reasons=["blank"],
        channel="web",
        who="public",
        is_signed=True,
    )
    (alert,) = find_copies(at=now)

    client.force_login(inspector)
    assert client.get("/api/v1/copies/").status_code == 403
    client.force_login(auditor)
    (listed,) = client.get("/api/v1/copies/?open=yes").json()["results"]
    one = client.get(f"/api/v1/copies/{alert.pk}/").json()
    assert (listed["code"], listed["rule"], listed["is_open"]) == (marks[0].code, "copy.blank", True)
    assert [check["who"] for check in one["checks"]] == ["public"]
    assert seen.evidence.count() == 1

"""The public check: what anybody is told, and what nobody is told."""

import itertools
import re
import secrets
from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse
from django.utils import translation
from django.utils.html import conditional_escape
from pytest_django import DjangoAssertNumQueries

from core.accounts.models import User
from core.base.errors import BadInput
from core.base.visitors import Visitor, visitor_of
from ledger.models import AccountKind, CustodyAccount, Hold
from ledger.services import lift_hold, place_hold
from marking.codes import check_character, from_number, group
from marking.limits import CHECKS, UNKNOWN_CODES, check_counted, check_many_counted
from marking.models import Mark, SigningKey
from marking.payload import Defect, Statement, encode, key_id_of, read, sign, to_text
from marking.selectors import Answer, Reason, Verdict, check_text, check_texts
from marking.services.applying import read_label
from marking.services.keys import create_key, signing_key_in_use
from marking.services.snapshots import make_edition
from marking.verdicts import CODE_ALONE, SLOW_DOWN
from marking.views.check import regions_in
from marking.words import REGIONS_IN_CHINESE
from registry.models import Intake, Outcome
from registry.services import DecisionFacts, confirm_decision, record_decision
from tests.files import scanned
from tests.goods import put_into
from tests.marks import decide_key, end_mark, print_again, unused_code

pytestmark = pytest.mark.django_db
HOSTS = ("saiga.gov.kz",)


def ask(text: str) -> Answer:
    return check_text(text, own_hosts=HOSTS)


def printed(mark: Mark) -> str:
    return to_text(bytes(mark.payload), bytes(mark.signature))


@pytest.fixture
def leave() -> Callable[[Mark, AccountKind], None]:
    """Let the item of a mark leave its store to a boundary of this kind."""

    def move(mark: Mark, kind: AccountKind) -> None:
        put_into(mark.item.pk, CustodyAccount.objects.boundary(kind))

    return move


def test_a_code_in_order_is_genuine(marks: list[Mark]) -> None:
    mark = marks[0]
    for text in (mark.code, group(mark.code).lower(), f" {group(mark.code)} ", f"HTTPS://SAIGA.GOV.KZ/M/{mark.code}"):
        answer = ask(text)

        assert (answer.verdict, answer.code, answer.reasons) == (Verdict.GENUINE, mark.code, ())
        assert (answer.term, answer.origin, answer.year) == ("HOR", "removal", 2025)
        assert (answer.signed, answer.mass_g) == (False, None)


def test_a_signed_text_is_genuine_and_tells_the_mass(marks: list[Mark]) -> None:
    mark = marks[0]
    text = printed(mark)
    for given in (
        text,
        text.lower(),
        f"HTTPS://SAIGA.GOV.KZ/M/{text}",
        f"https:/saiga.gov.kz/m/{text}",
        f"saiga.gov.kz/M/{text}",
    ):
        answer = ask(given)

        assert (answer.verdict, answer.code, answer.signed) == (Verdict.GENUINE, mark.code, True)
        assert answer.mass_g == mark.item.mass_g


def test_a_signed_text_of_a_retired_key_is_genuine(
    marks: list[Mark], authority_head: User, administrator: User, now: datetime
) -> None:
    fresh = create_key(actor=authority_head, at=now)
    decide_key(fresh, "use", asker=administrator, second=authority_head, at=now)

    assert ask(printed(marks[0])).verdict == Verdict.GENUINE


def test_a_signed_text_of_a_compromised_key_is_no_more_than_its_code(
    marks: list[Mark],
    signing_key: SigningKey,
    authority_head: User,
    administrator: User,
    now: datetime,
    client: Client,
) -> None:
    decide_key(signing_key, "compromise", asker=administrator, second=authority_head, at=now)

    answer = ask(printed(marks[0]))
    page = client.get(f"/m/{printed(marks[0])}", {"lang": "en"}).content.decode()
    assert "it proves nothing, for its key is known to others" in page
    assert "scan the symbol of the label to check it" not in page

    assert (answer.verdict, answer.reasons, answer.signed) == (
        Verdict.GENUINE_BUT,
        (Reason.KEY_COMPROMISED,),
        False,
    )
    assert ask(marks[0].code).verdict == Verdict.GENUINE


def test_a_mistyped_code_is_told_apart_without_looking_it_up(
    marks: list[Mark], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    code = marks[0].code
    wrong = code[:-1] + next(c for c in "0123" if c != code[-1])

    with django_assert_num_queries(0):
        for text in (wrong, code[:-1], code + "0", code[:-1] + "U", "", "Ж"):
            assert ask(text).verdict == Verdict.MISTYPED


def test_it_costs_one_query(marks: list[Mark], django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(2):
        ask(printed(marks[0]))  # this process meets the key
    for text in (marks[0].code, printed(marks[0]), unused_code()):
        with django_assert_num_queries(1):
            ask(text)


def test_a_forged_symbol_does_not_tell_whether_the_code_it_names_exists(
    marks: list[Mark], signing_key: SigningKey, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ask(printed(marks[0]))
    key_id = bytes.fromhex(signing_key.pk)
    for code in (marks[0].code, unused_code()):
        forged = to_text(encode(Statement(key_id, code)), b"\1" * 64)
        with django_assert_num_queries(0):
            assert ask(forged).verdict == Verdict.FORGED
        foreign = to_text(encode(Statement(b"\0\0\0\0", code)), b"\1" * 64)
        with django_assert_num_queries(1) as asked:
            assert ask(foreign).defect == Defect.UNKNOWN_KEY
        assert "marking_mark" not in asked.captured_queries[0]["sql"]
    strangers = [to_text(encode(Statement(bytes([number] * 4), code)), b"\1" * 64) for number in range(30)]
    with django_assert_num_queries(2):
        answers = check_texts([*strangers, forged, marks[0].code, "7"], own_hosts=HOSTS)[29:]
    assert [one.verdict for one in answers] == [
        Verdict.FORGED, Verdict.FORGED, Verdict.GENUINE, Verdict.MISTYPED,
    ]  # fmt: skip


def test_a_code_never_issued_is_unknown(marks: list[Mark]) -> None:
    answer = ask(unused_code())

    assert (answer.verdict, answer.term, answer.year) == (Verdict.UNKNOWN, "", 0)


@pytest.mark.parametrize(
    "text",
    [
        "https://saiga-gov.kz/M/7H4Q9TX2MW8H",
        "http://example.com/m/7H4Q9TX2MW8H",
        "https://saiga.gov.kz.example.com/M/7H4Q9TX2MW8H",
        "https://saiga.gov.kz@example.com/M/7H4Q9TX2MW8H",
        "HTTPS://SAIGA.GOV.KZ/login/7H4Q9TX2MW8H",
        "example.com/m/7H4Q9TX2MW8H",
        "7H4Q/9TX2",
    ],
)
def test_an_address_of_another_is_not_ours(text: str) -> None:
    assert ask(text).verdict == Verdict.FOREIGN


def test_forgeries_are_never_genuine(marks: list[Mark], signing_key: SigningKey, now: datetime) -> None:
    mark, other = marks[0], marks[1]
    body, signature = bytes(mark.payload), bytes(mark.signature)
    stranger = Ed25519PrivateKey.generate()
    stranger_id = key_id_of(stranger.public_key().public_bytes_raw())
    unused = create_key(actor=None, at=now)
    statement = read(printed(mark)).statement

    def signed_by_stranger(key_id: bytes) -> str:
        fake = sign(Statement(key_id, mark.code, 1, "HOR", "removal", 999), stranger)
        return to_text(fake.body, fake.signature)

    forged = [
        to_text(body, bytes(other.signature)),
        to_text(bytes(other.payload), signature),
        signed_by_stranger(stranger_id),
        signed_by_stranger(statement.key_id),
        signed_by_stranger(bytes.fromhex(unused.pk)),
    ]
    for text in forged:
        answer = ask(text)
        assert (answer.verdict, answer.term, answer.mass_g) == (Verdict.FORGED, "", None)


def test_no_flipped_bit_is_genuine_and_none_breaks_the_check(marks: list[Mark]) -> None:
    raw = bytes(marks[0].payload) + bytes(marks[0].signature)
    for bit in range(8 * len(raw)):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        answer = ask(to_text(bytes(flipped[:-64]), bytes(flipped[-64:])))
        assert answer.verdict in (Verdict.FORGED, Verdict.UNREADABLE)


def test_a_former_print_is_told_from_the_present_one(
    marks: list[Mark], signing_key: SigningKey, inspector: User, storekeeper: User, now: datetime
) -> None:
    mark = marks[0]
    former = printed(mark)
    _key, private_key = signing_key_in_use()
    second = sign(Statement(bytes.fromhex(signing_key.pk), mark.code, 2, "HOR", "removal", 200), private_key)
    present = to_text(second.body, second.signature)
    assert ask(present).verdict == Verdict.FORGED  # signed, but not what the register has

    print_again(mark, second.body, second.signature, asker=inspector, approver=storekeeper, at=now)

    assert ask(former).reasons == (Reason.OLD_COPY,)
    assert ask(present).verdict == Verdict.GENUINE
    assert ask(mark.code).verdict == Verdict.GENUINE


def test_seized_horns_are_held_as_evidence(seized_marks: list[Mark], inspector: User, now: datetime) -> None:
    answer = ask(seized_marks[0].code)

    assert (answer.verdict, answer.reasons, answer.origin) == (
        Verdict.GENUINE_BUT,
        (Reason.EVIDENCE,),
        "seizure",
    )


@pytest.mark.parametrize(
    ("outcome", "reason", "origin"),
    [
        (Outcome.DESTROY, Reason.TO_DESTROY, "confiscated"),
        (Outcome.RETURNED, Reason.TO_RETURN, "decided"),
        (Outcome.CONFISCATED, None, "confiscated"),
    ],
)
def test_what_a_court_decided_is_said_until_it_is_carried_out(
    outcome: Outcome, reason: Reason | None, origin: str, seized_marks: list[Mark], inspector: User,
    authority_officer: User, client: Client, now: datetime,
) -> None:  # fmt: skip
    horn = seized_marks[0].item
    case = horn.intake.case
    assert case is not None
    decision = record_decision(
        actor=inspector,
        at=now,
        case=case,
        facts=DecisionFacts("Court", "7", now.date(), now.date()),
        outcomes={outcome: [horn.pk]},
        content=scanned(1),
        name="decision.jpg",
    )
    confirm_decision(actor=authority_officer, at=now, decision=decision)

    answer = ask(seized_marks[0].code)

    assert (answer.reasons, answer.origin) == ((reason,) if reason else (), origin)
    page = words(client.get(f"/m/{seized_marks[0].code}", {"lang": "en"}).content.decode())
    assert "has not decided" not in page
    assert "stays where it is" not in page


def test_holds_are_told_and_lifted(marks: list[Mark], inspector: User, now: datetime) -> None:
    items = [marks[0].item.pk]
    place_hold(actor=inspector, at=now, item_ids=items, kind=Hold.Kind.DISPUTE, reference="12-2026")
    place_hold(actor=inspector, at=now, item_ids=items, kind=Hold.Kind.COURT, reference="12-2026")
    assert ask(marks[0].code).reasons == (Reason.COURT, Reason.DISPUTE)

    for kind in (Hold.Kind.DISPUTE, Hold.Kind.COURT):
        lift_hold(actor=inspector, at=now, item_ids=items, kind=kind, reason="Decided")

    assert ask(marks[0].code).verdict == Verdict.GENUINE


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (AccountKind.EXPORT, Reason.EXPORTED),
        (AccountKind.DOMESTIC_SALE, Reason.SOLD),
        (AccountKind.PROCESSING, Reason.CONSUMED),
        (AccountKind.DESTRUCTION, Reason.DESTROYED),
        (AccountKind.LOSS, Reason.LOST),
    ],
)
def test_where_the_item_went_is_its_status(
    marks: list[Mark], leave: Callable[[Mark, AccountKind], None], kind: AccountKind, reason: Reason
) -> None:
    leave(marks[0], kind)

    assert ask(marks[0].code).reasons == (reason,)
    assert ask(printed(marks[0])).reasons == (reason,)
    assert ask(marks[1].code).verdict == Verdict.GENUINE


def test_an_ended_mark_is_refused_from_that_moment(
    marks: list[Mark], inspector: User, authority_officer: User, now: datetime
) -> None:
    end_mark(marks[0], "void", asker=inspector, approver=authority_officer, at=now)
    end_mark(marks[1], "replaced", asker=inspector, approver=authority_officer, at=now)

    assert ask(printed(marks[0])).reasons == (Reason.VOID,)
    assert ask(marks[1].code).reasons == (Reason.REPLACED,)


# The page.


def words(response_html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<(script|svg).*?</\1>|<[^>]+>", " ", response_html, flags=re.DOTALL))


def test_the_page_needs_no_sign_in_no_cookie_and_one_query(
    marks: list[Mark], client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get(f"/M/{printed(marks[0])}", {"lang": "en"})
    for path, title in (
        (f"/m/{group(marks[0].code)}", "Code known, label not checked"),
        (f"/M/{printed(marks[0])}", "Genuine and in order"),
    ):
        with django_assert_num_queries(1):
            response = client.get(path, {"lang": "en"})

        assert response.status_code == 200
        assert not response.cookies
        assert response["Cache-Control"] == "no-store"
        assert response["Referrer-Policy"] == "no-referrer"
        assert response["X-Robots-Tag"] == "noindex"
        text = words(response.content.decode())
        assert title in text
        assert "Saiga horn" in text
        assert "2025" in text
        assert group(marks[0].code) in text


def test_the_page_never_tells_holder_place_or_number(
    seized_marks: list[Mark], marks: list[Mark], client: Client
) -> None:
    for mark, language in itertools.product([marks[0], seized_marks[0]], ["kk", "ru", "en"]):
        for text in (mark.code, printed(mark)):
            html = client.get(f"/m/{text}", {"lang": language}).content.decode()
            # The page asks in which of all regions it is read.
            html = re.sub("<select.*?</select>", "", html, flags=re.DOTALL)
            intake: Intake = mark.item.intake
            custodian = intake.store.custodian
            assert custodian is not None
            secrets_of_it = [
                mark.item.number, intake.number, intake.store.code, intake.store.name_kk,
                intake.store.name_ru, custodian.name_kk, custodian.name_ru, custodian.bin,
                intake.region.name_kk, intake.region.name_ru, intake.opened_by.last_name,
            ]  # fmt: skip
            if intake.case:
                secrets_of_it += [intake.case.erdr_number, intake.case.place]
            for secret in secrets_of_it:
                assert secret not in html


def test_the_form_answers_what_is_typed_or_pasted(marks: list[Mark], client: Client) -> None:
    for text, title in (
        (group(marks[0].code).lower(), "Code known, label not checked"),
        (f"https://{settings.PUBLIC_HOST}/M/{printed(marks[0])}", "Genuine and in order"),
    ):
        response = client.get("/m/", {"text": text, "lang": "en"})
        assert title in words(response.content.decode())
    assert "Check a mark" in words(client.get("/m/", {"lang": "en"}).content.decode())
    assert "Check a mark" in words(client.get("/m/", {"lang": "en", "text": "  "}).content.decode())


def test_the_page_has_one_heading_with_or_without_an_answer(marks: list[Mark], client: Client) -> None:
    headings = [
        re.findall(r"<h1[^>]*>\s*[^<\s]", client.get(url).content.decode()) for url in ("/m/", f"/m/{marks[0].code}")
    ]

    assert [len(found) for found in headings] == [1, 1]


@pytest.mark.parametrize("language", ["kk", "ru", "en", "zh-hans"])
def test_a_code_without_its_symbol_is_never_green(marks: list[Mark], client: Client, language: str) -> None:
    typed = client.get(f"/m/{marks[0].code}", {"lang": language}).content.decode()
    scanned = client.get(f"/m/{printed(marks[0])}", {"lang": language}).content.decode()

    assert "verdict-attention" in typed
    assert "verdict-ok" not in typed
    assert "verdict-ok" in scanned
    with translation.override(language):
        assert conditional_escape(CODE_ALONE.title) in typed
        assert language == "en" or str(CODE_ALONE.text) != "There is such a mark, and nothing against it."
    told = [client.get("/scan/check.json", {"text": text}).json() for text in (marks[0].code, printed(marks[0]))]
    assert [one["said"]["tone"] for one in told] == ["attention", "ok"]
    assert [one["is_genuine"] for one in told] == [True, True]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_only_reads(client: Client, method: str) -> None:
    assert getattr(client, method)("/m/").status_code == 405
    assert getattr(client, method)("/m/7H4Q9TX2MW8H").status_code == 405


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "%00",
        "../../etc/passwd",
        "a" * 5000,
        "😀",
        "'; DROP TABLE marking_mark; --",
        "%",
        "?",
        "\\",
    ],
)
def test_nothing_breaks_the_page(client: Client, text: str) -> None:
    for response in (client.get("/m/", {"text": text}), client.get("/m/" + quote(text, safe=""))):
        assert response.status_code in (200, 404)
        assert "<script>alert" not in response.content.decode()


def test_each_language_has_its_own_page(marks: list[Mark], client: Client) -> None:
    pages = {}
    for language in ("kk", "ru", "en"):
        response = client.get(f"/m/{marks[0].code}", {"lang": language})
        assert response["Content-Language"] == language
        assert f'<html lang="{language}"' in response.content.decode()
        pages[language] = words(response.content.decode())
    assert len(set(pages.values())) == 3
    assert client.get("/m/")["Content-Language"] == "kk"
    assert client.get("/m/", {"lang": "xx"})["Content-Language"] == "kk"
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ru"
    assert client.get("/m/")["Content-Language"] == "ru"
    assert client.get("/m/", {"lang": "en"})["Content-Language"] == "en"


@pytest.mark.usefixtures("one_window")
def test_it_refuses_an_address_that_searches(marks: list[Mark], client: Client) -> None:
    numbers = itertools.count(secrets.randbits(50))
    statuses = [client.get(f"/m/{from_number(next(numbers))}").status_code for _ in range(UNKNOWN_CODES + 1)]

    assert statuses[: UNKNOWN_CODES - 1] == [200] * (UNKNOWN_CODES - 1)
    assert statuses[-1] == 429
    refused = client.get(f"/m/{marks[0].code}")
    assert refused.status_code == 429
    assert refused["Retry-After"] == "600"
    assert marks[0].code not in words(refused.content.decode())
    # Whoever scans genuine labels is not stopped by it, nor is another address.
    assert client.get(f"/m/{printed(marks[0])}").status_code == 200
    assert client.get(f"/m/{marks[0].code}", REMOTE_ADDR="198.51.100.7").status_code == 200


@pytest.mark.usefixtures("one_window")
def test_it_counts_a_whole_network_of_the_new_protocol_as_one(marks: list[Mark], client: Client) -> None:
    numbers = itertools.count(secrets.randbits(50))
    for host in range(UNKNOWN_CODES + 1):
        client.get(f"/m/{from_number(next(numbers))}", REMOTE_ADDR=f"2001:db8:1:2::{host:x}")

    assert client.get(f"/m/{marks[0].code}", REMOTE_ADDR="2001:db8:1:2:ffff::1").status_code == 429
    assert client.get(f"/m/{marks[0].code}", REMOTE_ADDR="2001:db8:1:3::1").status_code == 200


@pytest.mark.usefixtures("one_window")
def test_whoever_has_a_whole_block_of_networks_is_stopped_as_one(marks: list[Mark], client: Client) -> None:
    """Thirty codes from each network of 64 bits would be two million from a block that any tunnel gives away."""
    numbers = itertools.count(secrets.randbits(50))
    for network in range(8 * UNKNOWN_CODES + 10):
        client.get(f"/m/{from_number(next(numbers))}", REMOTE_ADDR=f"2001:db8:1:{network // 20:x}::1")

    fresh = {"REMOTE_ADDR": "2001:db8:1:ffff::1"}
    assert client.get(f"/m/{marks[0].code}", **fresh).status_code == 429  # type: ignore[arg-type]
    assert client.get(f"/m/{printed(marks[0])}", **fresh).status_code == 200  # type: ignore[arg-type]
    assert client.get(f"/m/{marks[0].code}", REMOTE_ADDR="2001:db8:2::1").status_code == 200


@pytest.mark.usefixtures("one_window")
def test_visitors_of_a_socket_for_both_protocols_are_told_apart(marks: list[Mark], client: Client) -> None:
    numbers = itertools.count(secrets.randbits(50))
    for _ in range(UNKNOWN_CODES + 1):
        client.get(f"/m/{from_number(next(numbers))}", REMOTE_ADDR="::ffff:198.51.100.7")

    assert client.get(f"/m/{marks[0].code}", REMOTE_ADDR="198.51.100.7").status_code == 429
    assert client.get(f"/m/{marks[0].code}", REMOTE_ADDR="::ffff:203.0.113.9").status_code == 200


@pytest.mark.parametrize(
    ("given", "name", "about"),
    [
        ("198.51.100.7", "198.51.100.7", ["198.51.100.0/24"]),
        ("198.51.100.7:40123", "198.51.100.7", ["198.51.100.0/24"]),
        ("::ffff:198.51.100.7", "198.51.100.7", ["198.51.100.0/24"]),
        ("64:ff9b::c633:6407", "198.51.100.7", ["198.51.100.0/24"]),
        ("2002:c633:6407::1", "198.51.100.7", ["198.51.100.0/24"]),
        ("[2001:db8:1:2::7]:443", "2001:db8:1:2::/64", ["2001:db8:1::/48", "2001:db8::/32"]),
        ("fe80::1%eth0", "fe80::/64", ["fe80::/48", "fe80::/32"]),
        ("", "unknown", []),
        ("proxy", "unknown", []),
    ],
)
def test_a_visitor_is_an_address_or_a_network(given: str, name: str, about: list[str]) -> None:
    visitor = visitor_of(RequestFactory().get("/", REMOTE_ADDR=given))

    assert (visitor.name, list(visitor.about)) == (name, about)


@pytest.mark.usefixtures("one_window")
def test_whoever_binds_labels_cannot_search_there_for_codes(
    marks: list[Mark], inspector: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marking.limits.CHECKS_SIGNED_IN", 1_000)
    for _ in range(5):
        with pytest.raises(BadInput):
            read_label(unused_code(), actor=inspector, own_hosts=())
    with pytest.raises(BadInput) as refused:
        read_label(marks[0].code, actor=inspector, own_hosts=())

    assert refused.value.fields == {"label": SLOW_DOWN.text}


@pytest.mark.usefixtures("one_window")
def test_one_who_checks_whole_loads_may_still_use_the_scanner(marks: list[Mark]) -> None:
    for _ in range(CHECKS // 1_000 + 1):
        assert check_many_counted([marks[0].code] * 1_000, visitor="person-7", own_hosts=()) is not None

    assert check_counted(marks[0].code, visitor=Visitor("person-7", {}), own_hosts=()) is not None


@pytest.mark.usefixtures("one_window")
def test_one_address_gets_all_marks_so_often_only(
    marks: list[Mark], client: Client, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_edition(at=now)
    monkeypatch.setattr("marking.views.snapshots.SNAPSHOTS", 2)
    statuses = [client.get("/m/snapshot.bin", REMOTE_ADDR="198.51.100.77").status_code for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert client.get("/m/snapshot.bin", REMOTE_ADDR="198.51.100.78").status_code == 200


@pytest.mark.usefixtures("one_window")
def test_one_address_greets_so_often_only(client: Client, monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setattr("marking.api_field.GREETINGS", 1)
    hello = [
        client.post("/api/v1/field/hello/", {"key": "x"}, "application/json", REMOTE_ADDR="198.51.100.79").status_code
        for _ in range(2)
    ]

    assert hello[0] != 429
    assert hello[1] == 429


def test_it_lets_a_market_hall_check(marks: list[Mark], client: Client) -> None:
    assert CHECKS >= 5_000
    mistyped = "7H4Q9TX2MW8" + next(c for c in "0123" if c != check_character("7H4Q9TX2MW8"))

    assert {client.get(f"/m/{text}").status_code for text in [marks[0].code, mistyped] * 60} == {200}


def test_it_works_while_redis_is_away(marks: list[Mark], client: Client) -> None:
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        assert client.get(f"/m/{marks[0].code}").status_code == 200


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ("", "", "kk"),
        ("", "ru", "ru"),
        ("", "en-GB,en;q=0.9", "en"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh-hans"),
        ("", "de,fr;q=0.8,ru;q=0.5", "ru"),
        ("", "de", "kk"),
        ("", "ru;q=0, en;q=0.1", "en"),
        ("", ";;;=,q", "kk"),
        ("zh", "ru", "zh-hans"),
        ("zh-hans", "ru", "zh-hans"),
        ("zh-CN", "", "zh-hans"),
        ("xx", "ru", "ru"),
    ],
)
@pytest.mark.parametrize("path", ["/m/", "/m/7H4Q9TX2MW8H", "/once/", "/tip/", "/scan/"])
def test_the_public_pages_speak_the_language_of_the_phone(
    client: Client, path: str, asked: str, accepted: str, language: str
) -> None:
    path = {"/once/": reverse("marking:once"), "/tip/": reverse("marking:tip")}.get(path, path)
    response = client.get(path, {"lang": asked} if asked else {}, headers={"accept-language": accepted})

    assert response["Content-Language"] == language
    assert "Accept-Language" in response["Vary"]


def test_the_language_somebody_chose_goes_before_that_of_the_phone(client: Client) -> None:
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "kk"

    assert client.get("/m/", headers={"accept-language": "ru"})["Content-Language"] == "kk"
    assert client.get("/accounts/login/", headers={"accept-language": "ru"})["Content-Language"] == "kk"


def test_regions_have_their_chinese_name_and_the_latin_one() -> None:
    regions = dict(regions_in("zh-hans"))

    assert set(regions) == set(dict(regions_in("kk"))) == set(REGIONS_IN_CHINESE)
    assert regions["71"] == "阿斯塔纳 Astana"

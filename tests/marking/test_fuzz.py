"""Whatever is scanned, typed or sent: never "genuine" unless we signed it, never an error page."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.accounts.models import User
from custody.scanning import read_scan
from marking.models import Mark, OnceCode, SigningKey
from marking.payload import SIGNATURE_BYTES, Statement, encode, key_id_of, sign, to_text
from marking.selectors import check_text
from marking.services.once import make_once_codes

pytestmark = pytest.mark.django_db

HOSTS = ("saiga.gov.kz", "testserver")
WORDS = (b"Genuine and in order", b"Code known, label not checked")
often = settings(
    max_examples=60,
    deadline=timedelta(seconds=5),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Doors:
    """Everything that takes a scanned text: the public page, its form, the API, the scanner of a store, the search."""

    def __init__(self, client: Client, person: User) -> None:
        self.public, self.inside = Client(), client
        self.person = person
        self.inside.force_login(person)

    def refuse(self, text: str) -> None:
        cache.clear()
        assert not check_text(text, own_hosts=HOSTS).is_genuine, text
        assert read_scan(text, person=self.person, own_hosts=HOSTS).item is None, text
        answers = [
            self.public.get("/m/", {"text": text, "lang": "en"}),
            self.public.get(f"/m/{quote(text, safe='')}?lang=en"),
            self.public.get("/m/tip/", {"text": text}),
            self.inside.get("/api/v1/marks/check/", {"text": text}),
        ]
        for answer in answers:
            assert answer.status_code in (200, 301, 302, 404), (answer.status_code, text)
            assert not any(word in answer.content for word in WORDS), text
        if answers[3].status_code == 200:
            assert answers[3].json()["verdict"] not in ("genuine", "genuine_but"), text


@pytest.fixture
def doors(marks: list[Mark], client: Client, inspector: User) -> Doors:
    return Doors(client, inspector)


@pytest.mark.parametrize("door", ["check_text", "read_scan"])
def test_a_bit_flipped_anywhere_is_never_genuine(door: str, marks: list[Mark], inspector: User) -> None:
    signed = bytes(marks[0].payload) + bytes(marks[0].signature)
    assert check_text(to_text(signed[:-SIGNATURE_BYTES], signed[-SIGNATURE_BYTES:]), own_hosts=HOSTS).is_genuine

    for bit in range(8 * len(signed)):
        wrong = bytearray(signed)
        wrong[bit // 8] ^= 1 << bit % 8
        text = "HTTPS://SAIGA.GOV.KZ/M/" + to_text(bytes(wrong[:-SIGNATURE_BYTES]), bytes(wrong[-SIGNATURE_BYTES:]))
        if door == "check_text":
            assert not check_text(text, own_hosts=HOSTS).is_genuine, bit
        else:
            assert read_scan(text, person=inspector, own_hosts=HOSTS).item is None, bit


def test_a_bit_flipped_anywhere_draws_a_page_that_says_so(marks: list[Mark], one_window: None) -> None:
    client = Client()
    signed = bytes(marks[0].payload) + bytes(marks[0].signature)
    for bit in range(8 * len(signed)):
        wrong = bytearray(signed)
        wrong[bit // 8] ^= 1 << bit % 8
        answer = client.get(f"/m/{to_text(bytes(wrong[:-SIGNATURE_BYTES]), bytes(wrong[-SIGNATURE_BYTES:]))}?lang=en")
        assert answer.status_code == 200
        assert WORDS[0] not in answer.content


@often
@given(raw=st.binary(max_size=200))
def test_random_bytes_are_never_genuine(doors: Doors, raw: bytes) -> None:
    doors.refuse(to_text(raw[:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]))
    doors.refuse(raw.decode("latin-1"))


@often
@given(text=st.text(max_size=300))
@example("\x00")
@example("\ud800".encode("utf-8", "surrogatepass").decode("latin-1"))
@example("%00%ff")
@example("HTTPS://SAIGA.GOV.KZ/M/" * 20)
@example("‮7H4Q")
def test_random_text_is_never_genuine(doors: Doors, text: str) -> None:
    doors.refuse(text)


@pytest.mark.parametrize(
    "text",
    [
        "WIFI:T:WPA;S:market;P:secret;;",
        "BEGIN:VCARD\nVERSION:3.0\nN:Horn;Saiga\nEND:VCARD",
        "bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "https://saiga.gov.kz.example.com/m/7H4Q9TX2MW8H",
        "https://example.com/m/{code}",
        "HTTPS://SAIGA.GOV.KZ@EVIL.EXAMPLE/M/{code}",
        "javascript:alert(1)//{code}",
        "(00)348700000000000018",
        "010487000000001221SERIAL\x1d91EE06\x1d92dGVzdA==",
        "]d2010487000000001221SERIAL",
        "4006381333931",
        "E2801160600002A0B1C2D3E4",
        "data:text/html,<script>alert(1)</script>",
    ],
)
def test_foreign_symbols_are_never_genuine(doors: Doors, marks: list[Mark], text: str) -> None:
    doors.refuse(text.replace("{code}", marks[0].pk))


@pytest.mark.parametrize("version", [0, *range(2, 256)])
def test_other_versions_are_never_genuine(marks: list[Mark], version: int) -> None:
    body = bytes([version]) + bytes(marks[0].payload)[1:]
    for signature in (bytes(marks[0].signature), Ed25519PrivateKey.generate().sign(body)):
        assert not check_text(to_text(body, signature), own_hosts=HOSTS).is_genuine


def test_what_others_sign_is_never_genuine(doors: Doors, marks: list[Mark], signing_key: SigningKey) -> None:
    thief = Ed25519PrivateKey.generate()
    own_id = key_id_of(thief.public_key().public_bytes_raw())
    for key_id in (own_id, bytes.fromhex(signing_key.pk)):
        one = sign(Statement(key_id=key_id, code=marks[0].pk, term="HOR", origin="removal", mass_g=1), thief)
        doors.refuse(to_text(one.body, one.signature))
    body = encode(Statement(key_id=bytes.fromhex(signing_key.pk), code=marks[0].pk))
    for signature in (bytes(64), b"\xff" * 64, bytes(marks[1].signature)):
        doors.refuse(to_text(body, signature))
    # The words of one label with the signature of another.
    doors.refuse(to_text(bytes(marks[0].payload), bytes(marks[1].signature)))


def test_a_cut_or_lengthened_symbol_is_never_genuine(marks: list[Mark]) -> None:
    text = to_text(bytes(marks[0].payload), bytes(marks[0].signature))
    for length in range(len(text)):
        if length != 12:
            assert not check_text(text[:length], own_hosts=HOSTS).is_genuine, length
    for more in ("A", "=", "AAAAAAAA", "%41", "\n2"):
        assert not check_text(text + more, own_hosts=HOSTS).is_genuine


@often
@given(text=st.text(max_size=120))
def test_random_text_in_the_scanner_of_pairs_is_answered(doors: Doors, text: str) -> None:
    answer = doors.inside.post("/carriers/scan/", {"code": text, "page": "fuzz"}, headers={"X-Scan": "part"})

    assert answer.status_code == 200


# The doors of hidden codes and of tips; those of the field notebook are in test_field_queue.py


# Text that PostgreSQL does not hold: NUL and halves of pairs.
words = st.text(st.characters(), max_size=40) | st.sampled_from(["\x00", "a\x00b", "\ud800", "\udfff x", "‮", "9" * 400])


@often
@given(code=words, hidden=words)
def test_random_hidden_codes_are_never_the_first(doors: Doors, marks: list[Mark], code: str, hidden: str) -> None:
    make_once_codes(actor=doors.person, at=timezone.now(), codes=[marks[0].pk], subject=("mark", marks[0].pk))
    for typed in (code, marks[0].pk):
        cache.clear()
        fields = {"code": typed, "hidden": hidden}
        page = doors.public.post("/m/once/?lang=en", {name: quote_surrogates(text) for name, text in fields.items()})
        assert page.status_code in (200, 422)
        assert b"First time" not in page.content
    assert not OnceCode.objects.exclude(used_at=None).exists()


@often
@given(
    head=st.sampled_from([b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\x10\x00\x00\x00WEBP", b"GIF89a"]),
    rest=st.binary(max_size=400),
    read=words,
    told=words,
)
def test_whatever_is_told_of_a_label_is_answered(doors: Doors, head: bytes, rest: bytes, read: str, told: str) -> None:
    fields = {"about": "copy", "read": read, "words": told, "place": told, "contact": told}
    said = {name: quote_surrogates(text) for name, text in fields.items()}
    for more in ({}, {"photo": SimpleUploadedFile("a.jpg", head + rest)}, {"photo": SimpleUploadedFile("a.jpg", head)}):
        cache.clear()
        answer = doors.public.post("/m/tip/?lang=en", said | more)
        assert answer.status_code in (302, 422)


def quote_surrogates(text: str) -> str:
    """What a form can carry: a browser sends U+FFFD for half a pair."""
    return text.encode("utf-8", "replace").decode()

"""The signed statement: one spelling, nothing but its own error on foreign bytes, no flipped bit verifies."""

import contextlib
import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from marking import codes
from marking.payload import (
    LONGEST_TEXT,
    ORIGINS,
    SHORTEST_TEXT,
    Defect,
    PayloadError,
    Statement,
    decode,
    encode,
    key_id_of,
    looks_signed,
    read,
    sign,
    to_address,
    to_text,
    verify,
)

# The secret of the test vectors in docs/marks.md; it signs nothing else.
PRIVATE = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"saiga test vector").digest())
PUBLIC = PRIVATE.public_key().public_bytes_raw()
KEY_ID = key_id_of(PUBLIC)
KEYS = {KEY_ID: PUBLIC}
HORN = Statement(KEY_ID, "7H4Q9TX2MW8H", 1, "HOR", "removal", 214, date(2025, 11, 12))
BLANK = Statement(KEY_ID, "7H4Q9TX2MW8H")

statements = st.builds(
    Statement,
    key_id=st.just(KEY_ID),
    code=st.integers(0, 2**55 - 1).map(codes.from_number),
    generation=st.integers(1, 255),
    term=st.none() | st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3),
    origin=st.none() | st.sampled_from(ORIGINS),
    mass_g=st.none() | st.integers(0, 2**24 - 1),
    dated_on=st.none() | st.dates(date(2000, 1, 1), date(2179, 6, 6)),
)


@given(statements)
def test_it_says_the_same_after_signing_and_reading(statement: Statement) -> None:
    signed = sign(statement, PRIVATE)

    text = to_text(signed.body, signed.signature)

    assert decode(encode(statement)) == statement
    assert verify(read(text), KEYS) == statement
    assert read(text.lower()) == signed
    assert SHORTEST_TEXT <= len(text) <= LONGEST_TEXT
    assert looks_signed(text)


def test_it_fits_a_symbol_of_version_7() -> None:
    signed = sign(HORN, PRIVATE)

    address = to_address("HTTPS://SAIGA.GOV.KZ/M/", signed.body, signed.signature)

    assert len(address) == 159  # QR version 7 at ECC M holds 178 alphanumeric characters
    assert not set(address) - set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


def test_it_refuses_a_statement_with_any_bit_flipped() -> None:
    for statement in (HORN, BLANK):
        signed = sign(statement, PRIVATE)
        raw = signed.body + signed.signature
        for bit in range(8 * len(raw)):
            flipped = bytearray(raw)
            flipped[bit // 8] ^= 1 << bit % 8
            with pytest.raises(PayloadError):
                verify(read(to_text(bytes(flipped[:-64]), bytes(flipped[-64:]))), KEYS)


def test_it_refuses_a_text_with_any_character_changed_or_lost() -> None:
    signed = sign(HORN, PRIVATE)
    text = to_text(signed.body, signed.signature)
    for position, character in enumerate(text):
        for other in "A7" if character not in "A7" else "BZ":
            with pytest.raises(PayloadError):
                verify(read(text[:position] + other + text[position + 1 :]), KEYS)
        with pytest.raises(PayloadError):
            verify(read(text[:position] + text[position + 1 :]), KEYS)


def test_it_has_one_spelling_only() -> None:
    signed = sign(HORN, PRIVATE)  # 85 bytes: the last character has no spare bits
    other = sign(BLANK, PRIVATE)  # 78 bytes: the last character has one
    text = to_text(other.body, other.signature)
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".index(text[-1])

    with pytest.raises(PayloadError) as caught:
        read(text[:-1] + "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[last ^ 1])

    assert caught.value.defect is Defect.TEXT
    for padded in (text + "=", text + "A", to_text(signed.body, signed.signature) + "AAAAAAAA"):
        with pytest.raises(PayloadError):
            read(padded)


def test_it_says_why() -> None:
    signed = sign(HORN, PRIVATE)
    text = to_text(signed.body, signed.signature)
    other_version = bytes([2]) + signed.body[1:]
    foreign = Ed25519PrivateKey.generate()

    def defect_of(text: str, keys: dict[bytes, bytes] = KEYS) -> Defect:
        with pytest.raises(PayloadError) as caught:
            verify(read(text), keys)
        return caught.value.defect

    assert defect_of("https://example.com") is Defect.TEXT
    assert defect_of("") is Defect.TEXT
    assert defect_of("AE") is Defect.LENGTH
    assert defect_of("A" * 500) is Defect.LENGTH
    assert defect_of(to_text(other_version, PRIVATE.sign(other_version))) is Defect.VERSION
    assert defect_of(text, {}) is Defect.UNKNOWN_KEY
    assert defect_of(to_text(signed.body, foreign.sign(signed.body))) is Defect.SIGNATURE
    for position, value in ((5, 0x80), (12, 0), (13, 0x18 | 0xE0), (13, 0xE8), (14, 0x7F)):
        body = bytearray(signed.body)
        body[position] = value
        assert defect_of(to_text(bytes(body), PRIVATE.sign(bytes(body)))) is Defect.FIELDS


@given(st.binary(max_size=200))
def test_it_raises_only_its_own_error_on_bytes(raw: bytes) -> None:
    for body in (raw, b"\x01" + raw):
        with contextlib.suppress(PayloadError):
            # Bytes alone may spell a statement, in one way only; unsigned it is never verified.
            assert encode(decode(body)) == body
    for text in (to_text(raw, b""), to_text(b"\x01" + KEY_ID + raw, b"")):
        with pytest.raises(PayloadError):
            verify(read(text), KEYS)


@given(st.text() | st.from_regex(r"[A-Z2-7]{70,140}", fullmatch=True))
def test_it_raises_only_its_own_error_on_text(text: str) -> None:
    with pytest.raises(PayloadError):
        verify(read(text), KEYS)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(HORN, key_id=b"abc"),
        replace(HORN, code="7H4Q9TX2MW8J"),
        replace(HORN, generation=0),
        replace(HORN, generation=256),
        replace(HORN, term="HORN"),
        replace(HORN, term="HO1"),
        replace(HORN, origin="bought"),
        replace(HORN, mass_g=-1),
        replace(HORN, mass_g=2**24),
        replace(HORN, dated_on=date(1999, 12, 31)),
        replace(HORN, dated_on=date(2179, 6, 7)),
    ],
)
def test_it_refuses_to_encode_what_does_not_fit(wrong: Statement) -> None:
    with pytest.raises(ValueError):
        encode(wrong)


def test_it_signs_what_the_published_vectors_say() -> None:
    vectors = (Path(__file__).resolve().parents[2] / "docs/marks.md").read_text("utf-8")

    assert PUBLIC.hex() in vectors
    for statement in (HORN, BLANK):
        signed = sign(statement, PRIVATE)
        assert signed.body.hex() in vectors
        assert signed.signature.hex() in vectors
        assert to_text(signed.body, signed.signature) in vectors


def test_what_is_published_is_what_the_documents_say(client: Client) -> None:
    documents = (Path(__file__).resolve().parents[2] / "docs/marks.md").read_text("utf-8")

    published = client.get("/m/vectors.json").json()

    assert published["public_key"] in documents
    assert published["key_id"] in documents
    for vector in published["genuine"]:
        for part in ("code", "body", "signature", "text"):
            assert vector[part] in documents
        assert verify(read(vector["text"]), {key_id_of(PUBLIC): PUBLIC}).code == vector["code"]
    assert {vector["text"] for vector in published["genuine"]} == {
        line.removeprefix("text").strip() for line in documents.splitlines() if line.startswith("text ")
    }
    for refused in published["refused"]:
        with pytest.raises(PayloadError):
            verify(read(refused["text"]), {key_id_of(PUBLIC): PUBLIC})

"""What the printed symbol says: a compact signed statement about one mark.

Layout, version 1, big-endian, no padding; docs/marks.md has test vectors:

    1 byte   version (1)
    4 bytes  key id: the first four bytes of SHA-256 of the 32-byte public key
    7 bytes  the code's 55 random bits, top bit 0 (the check character follows from them)
    1 byte   generation of the print, from 1
    1 byte   what is stated: 0x80 term, 0x40 mass, 0x20 date; 0x10 is always 0; the low four bits are the
             origin class, 0 = not stated
    2 bytes  if stated: term, three letters A-Z of five bits each (A = 0), top bit 0
    3 bytes  if stated: mass in grams
    2 bytes  if stated: date, days since 2000-01-01
    64 bytes Ed25519 signature (RFC 8032) over all bytes before it

As text it is base 32 (RFC 4648, upper case, without "=") behind the address of the public check in upper
case: such a text fits QR's alphanumeric mode. Every statement has exactly one spelling: a text that decodes
to the same bytes but is written otherwise is refused.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

from marking import codes
from marking.keyring import Signer

VERSION = 1
KEY_ID_BYTES = 4
SIGNATURE_BYTES = 64
LARGEST_MASS_G = 2**24 - 1
LARGEST_GENERATION = 255
ORIGINS = ("removal", "found", "seizure", "confiscated", "old_stock", "imported", "unknown")

_FIRST_DAY = date(2000, 1, 1)
_LAST_DAY = _FIRST_DAY + timedelta(days=2**16 - 1)
_HEAD_BYTES = 1 + KEY_ID_BYTES + 7 + 1 + 1
_TERM, _MASS, _DATE, _RESERVED, _ORIGIN = 0x80, 0x40, 0x20, 0x10, 0x0F
# From a statement with nothing stated to one with everything, in base-32 characters.
SHORTEST_TEXT = -(-8 * (_HEAD_BYTES + SIGNATURE_BYTES) // 5)
LONGEST_TEXT = -(-8 * (_HEAD_BYTES + 7 + SIGNATURE_BYTES) // 5)
_TERM_LETTERS = re.compile(r"[A-Z]{3}\Z")


class Defect(StrEnum):
    """Why a text or some bytes are not a genuine statement of ours."""

    TEXT = "text"
    LENGTH = "length"
    VERSION = "version"
    FIELDS = "fields"
    UNKNOWN_KEY = "unknown_key"
    SIGNATURE = "signature"


class PayloadError(ValueError):
    """Not a statement that can be trusted; `defect` says why."""

    def __init__(self, defect: Defect) -> None:
        super().__init__(defect.value)
        self.defect = defect


@dataclass(frozen=True, slots=True)
class Statement:
    """What a mark says of itself: the full code, mass in grams; None is not known at print time."""

    key_id: bytes
    code: str
    generation: int = 1
    term: str | None = None
    origin: str | None = None
    mass_g: int | None = None
    dated_on: date | None = None


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A statement with the bytes that were signed; not verified yet."""

    statement: Statement
    body: bytes
    signature: bytes


def key_id_of(public_key: bytes) -> bytes:
    """The four bytes by which payloads name this 32-byte public key."""
    return hashlib.sha256(public_key).digest()[:KEY_ID_BYTES]


def encode(statement: Statement) -> bytes:
    """The bytes to sign. ValueError when a value does not fit the layout."""
    if len(statement.key_id) != KEY_ID_BYTES or not codes.is_code(statement.code):
        raise ValueError("a statement names a key of four bytes and a valid code")
    if not 1 <= statement.generation <= LARGEST_GENERATION:
        raise ValueError("the generation is a number from 1 to 255")
    stated = 0 if statement.origin is None else ORIGINS.index(statement.origin) + 1
    fields = b""
    if statement.term is not None:
        stated |= _TERM
        fields += _packed_term(statement.term)
    if statement.mass_g is not None:
        if not 0 <= statement.mass_g <= LARGEST_MASS_G:
            raise ValueError("a mass is given in grams, at most 16,777,215")
        stated |= _MASS
        fields += statement.mass_g.to_bytes(3, "big")
    if statement.dated_on is not None:
        if not _FIRST_DAY <= statement.dated_on <= _LAST_DAY:
            raise ValueError("a date lies between 2000-01-01 and 2179-06-06")
        stated |= _DATE
        fields += (statement.dated_on - _FIRST_DAY).days.to_bytes(2, "big")
    code = codes.to_number(statement.code).to_bytes(7, "big")
    return bytes([VERSION]) + statement.key_id + code + bytes([statement.generation, stated]) + fields


@lru_cache(maxsize=64)
def _packed_term(term: str) -> bytes:
    """Three letters of five bits. ValueError."""
    if not _TERM_LETTERS.match(term):
        raise ValueError("a term is three letters")
    first, second, third = (ord(letter) - 65 for letter in term)
    return (first << 10 | second << 5 | third).to_bytes(2, "big")


def decode(body: bytes) -> Statement:
    """The statement of these bytes. Raises PayloadError for anything `encode` would not have written."""
    if not body:
        raise PayloadError(Defect.LENGTH)
    if body[0] != VERSION:
        raise PayloadError(Defect.VERSION)
    if len(body) < _HEAD_BYTES:
        raise PayloadError(Defect.LENGTH)
    number = int.from_bytes(body[5:12], "big")
    generation, stated = body[12], body[13]
    origin = stated & _ORIGIN
    if number >> codes.RANDOM_BITS or generation == 0 or stated & _RESERVED or origin > len(ORIGINS):
        raise PayloadError(Defect.FIELDS)
    expected = _HEAD_BYTES + 2 * bool(stated & _TERM) + 3 * bool(stated & _MASS) + 2 * bool(stated & _DATE)
    if len(body) != expected:
        raise PayloadError(Defect.LENGTH)
    at = _HEAD_BYTES
    term = mass_g = dated_on = None
    if stated & _TERM:
        packed = int.from_bytes(body[at : at + 2], "big")
        letters = (packed >> 10, packed >> 5 & 31, packed & 31)
        if max(letters) > 25:
            raise PayloadError(Defect.FIELDS)
        term = "".join(chr(65 + letter) for letter in letters)
        at += 2
    if stated & _MASS:
        mass_g = int.from_bytes(body[at : at + 3], "big")
        at += 3
    if stated & _DATE:
        dated_on = _FIRST_DAY + timedelta(days=int.from_bytes(body[at : at + 2], "big"))
    return Statement(
        key_id=body[1:5],
        code=codes.from_number(number),
        generation=generation,
        term=term,
        origin=ORIGINS[origin - 1] if origin else None,
        mass_g=mass_g,
        dated_on=dated_on,
    )


def sign(statement: Statement, signer: Signer) -> SignedStatement:
    """The statement with its signature."""
    body = encode(statement)
    return SignedStatement(statement, body, signer.sign(body))


def to_text(body: bytes, signature: bytes) -> str:
    """Body and signature as printed: base 32 without padding."""
    return base64.b32encode(body + signature).decode("ascii").rstrip("=")


def to_address(prefix: str, body: bytes, signature: bytes) -> str:
    """The full printed text. `prefix` is the upper-case address of the public check, with its last slash."""
    return prefix + to_text(body, signature)


def looks_signed(text: str) -> bool:
    """Whether the text is long enough to be meant as a signed statement and not as a code alone."""
    return len(text) > 4 * codes.CODE_LENGTH


def read(text: str) -> SignedStatement:
    """The signed statement in this text, upper or lower case; not verified. Raises PayloadError."""
    text = text.strip()
    if not text.isascii() or not text.isalnum():
        raise PayloadError(Defect.TEXT)
    if len(text) > LONGEST_TEXT:
        raise PayloadError(Defect.LENGTH)
    upper = text.upper()
    try:
        raw = base64.b32decode(upper + "=" * (-len(upper) % 8))
    except binascii.Error:
        raise PayloadError(Defect.TEXT) from None
    body, signature = raw[:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]
    statement = decode(body)
    if to_text(body, signature) != upper:
        raise PayloadError(Defect.TEXT)
    return SignedStatement(statement, body, signature)


def verify(signed: SignedStatement, public_keys: Mapping[bytes, bytes]) -> Statement:
    """The statement, which the holder of one of these keys (by key id) did sign. Raises PayloadError."""
    public_key = public_keys.get(signed.statement.key_id)
    if public_key is None:
        raise PayloadError(Defect.UNKNOWN_KEY)
    try:
        # By libsodium: every check of a symbol waits for it, and it takes half the time.
        crypto_sign_open(signed.signature + signed.body, public_key)
    except BadSignatureError:
        raise PayloadError(Defect.SIGNATURE) from None
    return signed.statement

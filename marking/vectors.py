"""Test vectors: what anybody who writes a reader of our marks tries it on. Made by the code that signs. No Django."""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from marking import codes
from marking.payload import Statement, key_id_of, sign, to_text

SEED_TEXT = b"saiga test vector"
CODE = "7H4Q9TX2MW8H"


@dataclass(frozen=True, slots=True)
class Vector:
    """A signed statement: its name, what it states, body and signature in hexadecimal, and the text of the symbol."""

    name: str
    statement: Statement
    body: bytes
    signature: bytes

    @property
    def text(self) -> str:
        return to_text(self.body, self.signature)


def _key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(SEED_TEXT).digest())


def public_key() -> bytes:
    """The public half of the key that signs test vectors and no mark."""
    return _key().public_key().public_bytes_raw()


def vectors() -> list[Vector]:
    """A horn with everything stated, and a blank mark."""
    key_id = key_id_of(public_key())
    horn = Statement(key_id=key_id, code=CODE, term="HOR", origin="removal", mass_g=214, dated_on=date(2025, 11, 12))
    made = [("horn", sign(horn, _key())), ("blank", sign(Statement(key_id=key_id, code=CODE), _key()))]
    return [Vector(name, one.statement, one.body, one.signature) for name, one in made]


def as_json() -> dict[str, Any]:
    """The vectors as they are published; with them, texts that every reader must refuse, and why."""
    found = vectors()
    horn = found[0]
    flipped = bytes([*horn.body[:16], horn.body[16] ^ 1, *horn.body[17:]])
    later = bytes([2, *horn.body[1:]])
    return {
        "algorithm": "Ed25519",
        "seed": f"SHA-256 of the ASCII text `{SEED_TEXT.decode()}`",
        "public_key": public_key().hex(),
        "key_id": key_id_of(public_key()).hex(),
        "codes": [
            {"typed": "7h4q 9tx2-mw8h", "code": CODE},
            {"typed": "7H4Q9TX2MW8J", "code": None},
            {"typed": "7H4Q9XT2MW8H", "code": None},
        ],
        "genuine": [
            {
                "name": one.name,
                "code": one.statement.code,
                "generation": one.statement.generation,
                "term": one.statement.term,
                "origin": one.statement.origin,
                "mass_g": one.statement.mass_g,
                "dated_on": one.statement.dated_on.isoformat() if one.statement.dated_on else None,
                "body": one.body.hex(),
                "signature": one.signature.hex(),
                "text": one.text,
            }
            for one in found
        ],
        "refused": [
            {"why": "one bit of the mass is another", "text": to_text(flipped, horn.signature)},
            {"why": "a version that does not exist", "text": to_text(later, horn.signature)},
            {"why": "cut off", "text": horn.text[:-8]},
            {"why": "spelled another way", "text": horn.text + "======"},
            {"why": "the signature of another statement", "text": to_text(horn.body, found[1].signature)},
        ],
        "check_alphabet": codes.ALPHABET,
    }

"""Quick signing gives the very signatures of the plain one: Ed25519 signs without chance."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from marking.keyring import KeyInMemory, sign_bodies
from marking.quick import MANY


@given(seed=st.binary(min_size=32, max_size=32), body=st.binary(max_size=200))
def test_it_signs_as_the_plain_key_does(seed: bytes, body: bytes) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)

    assert KeyInMemory(key).sign_all([body]) == [key.sign(body)]


def test_many_are_signed_in_their_order() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    bodies = [number.to_bytes(4, "big") for number in range(2 * MANY + 1)]

    assert sign_bodies(bodies, KeyInMemory(key)) == [key.sign(body) for body in bodies]
    assert sign_bodies([], KeyInMemory(key)) == []


def test_a_key_elsewhere_signs_one_by_one() -> None:
    class Elsewhere:
        def sign(self, data: bytes, /) -> bytes:
            return data * 2

    assert sign_bodies([b"a", b"b"], Elsewhere()) == [b"aa", b"bb"]

"""Signing keys in a PKCS#11 token (OASIS PKCS#11 3.0, mechanism CKM_EDDSA): made there, and never leaving it.

Needs the package python-pkcs11 and the module (.so) of the token. No Django in here.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from marking.keyring import KeyUnavailableError

# Ed25519 as a curve of PKCS#11: the object identifier 1.3.101.112 (RFC 8410).
_CURVE = "1.3.101.112"
_PUBLIC_BYTES = 32


@dataclass(frozen=True, slots=True)
class Token:
    """Where a token is and what opens it."""

    module: str
    label: str
    pin: str = field(repr=False)


class KeyInToken:
    """Has the token sign; the private half cannot be asked of it."""

    __slots__ = ("_name", "_token")

    def __init__(self, token: Token, name: str) -> None:
        self._token = token
        self._name = name

    def sign(self, data: bytes, /) -> bytes:
        import pkcs11

        with _session(self._token) as session:
            key = _find(session, pkcs11.ObjectClass.PRIVATE_KEY, self._name)
            return bytes(key.sign(data, mechanism=pkcs11.Mechanism.EDDSA))


def make_key(token: Token, name: str) -> bytes:
    """Have the token make a key pair under this name; its public half. Raises KeyUnavailableError."""
    import pkcs11
    from pkcs11.util.ec import encode_named_curve_parameters

    with _session(token) as session:
        curve = session.create_domain_parameters(
            pkcs11.KeyType.EC_EDWARDS,
            {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(_CURVE)},
            local=True,
        )
        curve.generate_keypair(
            mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
            store=True,
            label=name,
            private_template={pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False},
        )
    return public_key_of(token, name)


def public_key_of(token: Token, name: str) -> bytes:
    """The public half of the key of this name. Raises KeyUnavailableError."""
    import pkcs11

    with _session(token) as session:
        key = _find(session, pkcs11.ObjectClass.PUBLIC_KEY, name)
        # An octet string around the 32 bytes in most tokens, the bytes alone in some.
        return bytes(key[pkcs11.Attribute.EC_POINT])[-_PUBLIC_BYTES:]


def _find(session: Any, kind: Any, name: str) -> Any:
    import pkcs11

    found = list(session.get_objects({pkcs11.Attribute.CLASS: kind, pkcs11.Attribute.LABEL: name}))
    if len(found) != 1:
        raise KeyUnavailableError(f"the token has {len(found)} keys named {name}")
    return found[0]


# One session for each process and token: opening one takes as long as a hundred signatures. A forked process opens its
# own. PKCS#11 lets one thread at a time use a session.
_OPEN: dict[tuple[int, Token], Any] = {}
_LOCK = threading.RLock()


@contextmanager
def _session(token: Token) -> Iterator[Any]:
    try:
        import pkcs11
        from pkcs11.exceptions import PKCS11Error
    except ImportError:
        raise KeyUnavailableError("the package python-pkcs11 is not installed") from None
    with _LOCK:
        place = (os.getpid(), token)
        try:
            if place not in _OPEN:
                library = pkcs11.lib(token.module)
                _OPEN[place] = library.get_token(token_label=token.label).open(rw=True, user_pin=token.pin)
            yield _OPEN[place]
        except PKCS11Error as error:
            # A token that was taken out is opened anew the next time.
            _OPEN.pop(place, None)
            raise KeyUnavailableError(f"the token refused: {type(error).__name__}") from None
        except RuntimeError as error:
            raise KeyUnavailableError(f"the token's module cannot be loaded: {error}") from None

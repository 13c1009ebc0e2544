"""What can sign: a private key of this process, or one that never leaves its token. No Django in here.

A signer signs; nothing asks it for its private half. Where that is kept: sealed in the database (`marking.keys`), in a
file that nobody else may read, or in a PKCS#11 token (`marking.tokens`).
"""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from marking.quick import quick_signer

_RAW_BYTES = 32


class Signer(Protocol):
    """Holds an Ed25519 private key, or can ask for its signatures."""

    def sign(self, data: bytes, /) -> bytes:
        """The signature of 64 bytes over these bytes (RFC 8032)."""
        ...


class KeyUnavailableError(ValueError):
    """The private key is not where it should be, may be read by others, or belongs to another public key."""


class KeyInMemory:
    """Signs with a key of this process and gives nothing but signatures away."""

    __slots__ = ("__sign", "__sign_all")

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self.__sign = private_key.sign
        self.__sign_all = quick_signer(private_key)

    def sign(self, data: bytes, /) -> bytes:
        return self.__sign(data)

    def sign_all(self, bodies: Sequence[bytes]) -> list[bytes]:
        """The signatures of many, in their order: quicker than one by one."""
        return self.__sign_all(bodies)

    def __repr__(self) -> str:
        return "<a key that signs>"

    def __reduce__(self) -> str:
        raise TypeError("a key is not copied")


def sign_bodies(bodies: Sequence[bytes], signer: Signer) -> list[bytes]:
    """The signatures in the order of the bodies: quickly with a key of this process, one by one with any other."""
    if isinstance(signer, KeyInMemory):
        return signer.sign_all(bodies)
    return [signer.sign(body) for body in bodies]


def read_key_file(path: Path, *, of: bytes | None = None) -> Ed25519PrivateKey:
    """The key in a file: PEM (PKCS#8, RFC 8410) or its 32 bytes; of this public key, if one is given.

    Raises KeyUnavailableError, also unless it is a plain file that belongs to this account or to root and that nobody
    else may open.
    """
    content = _read_private(path)
    if len(content) == _RAW_BYTES:
        key: object = Ed25519PrivateKey.from_private_bytes(content)
    else:
        try:
            key = load_pem_private_key(content, password=None)
        except (ValueError, TypeError):
            raise KeyUnavailableError(f"{path.name} holds no key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnavailableError(f"{path.name} holds a key of another kind")
    if of is not None and key.public_key().public_bytes_raw() != of:
        raise KeyUnavailableError(f"{path.name} holds another key")
    return key


def _read_private(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise KeyUnavailableError(f"{path.name}: {error.strerror}") from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise KeyUnavailableError(f"{path.name} is not a file")
        if found.st_uid not in (0, os.geteuid()) or found.st_mode & 0o077:
            raise KeyUnavailableError(f"{path.name}: others may open it; its mode must be 0600")
        return os.read(handle, 10_000)
    finally:
        os.close(handle)


def write_key_file(path: Path, private_key: Ed25519PrivateKey) -> None:
    """A new file that only this account may open. Raises KeyUnavailableError, also when there is one already."""
    pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise KeyUnavailableError(f"{path.name}: {error.strerror}") from None
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())

"""Keeps private keys unreadable at rest: AES-256-GCM, bound to the public key they belong to. No Django in here."""

import base64
import binascii
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12


class UnreadableKeyError(ValueError):
    """The sealed key was made under another encryption key, or was changed."""


def encryption_key(configured: str, fallback: str) -> bytes:
    """The 32 bytes that seal private keys: as configured in URL-safe base 64, else derived from `fallback`.

    ValueError when what is configured is not 32 bytes.
    """
    if not configured:
        return HKDF(SHA256(), length=32, salt=None, info=b"marking: signing keys").derive(fallback.encode())
    try:
        key = base64.urlsafe_b64decode(configured + "=" * (-len(configured) % 4))
    except binascii.Error:
        key = b""
    if len(key) != 32:
        raise ValueError("KEY_ENCRYPTION_KEY must be 32 bytes in URL-safe base 64")
    return key


def seal(private_key: Ed25519PrivateKey, key: bytes) -> bytes:
    """The private key encrypted: nonce, then ciphertext with its tag."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    owner = private_key.public_key().public_bytes_raw()
    return nonce + AESGCM(key).encrypt(nonce, private_key.private_bytes_raw(), owner)


def unseal(sealed: bytes, public_key: bytes, key: bytes) -> Ed25519PrivateKey:
    """The private key that `seal` encrypted for this public key. Raises UnreadableKeyError."""
    try:
        raw = AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], public_key)
    except (InvalidTag, ValueError):
        raise UnreadableKeyError from None
    return Ed25519PrivateKey.from_private_bytes(raw)

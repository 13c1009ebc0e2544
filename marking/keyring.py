"""What can sign: a private key of this process, or one that never leaves its token. No Django in here."""

from typing import Protocol


class Signer(Protocol):
    """Holds an Ed25519 private key, or can ask for its signatures."""

    def sign(self, data: bytes, /) -> bytes:
        """The signature of 64 bytes over these bytes (RFC 8032)."""
        ...

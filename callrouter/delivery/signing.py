"""Signatures of what is posted, after Standard Webhooks: a receiver sees who sent it, and that it is whole and new."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

PREFIX: Final = "whsec_"
_SHORTEST: Final = 24
_LONGEST: Final = 64
"""Bytes of a key, by the specification."""


def key_of(secret: str) -> bytes:
    """The key that a secret stands for: `whsec_` and base64.

    Raises:
        ValueError: it is none; says what one looks like, and repeats nothing of it.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise ValueError(f"it is no signing secret: it must be {PREFIX} and {_SHORTEST} to {_LONGEST} bytes as base64")
    return key


def headers(key: bytes, *, webhook_id: str, timestamp: int, body: str) -> dict[str, str]:
    """The three that go with a body; `timestamp` is when it is sent, in seconds of Unix."""
    signed = f"{webhook_id}.{timestamp}.{body}".encode()
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }

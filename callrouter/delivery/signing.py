"""Signatures of what is posted, after Standard Webhooks: a receiver sees who sent it, and that it is whole and new."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final

PREFIX: Final = "whsec_"
_SHORTEST: Final = 24
_LONGEST: Final = 64
"""Bytes of a key, by the specification."""
TOLERANCE_SECONDS: Final = 300
"""How far the other side's clock may be from ours: what is older may have been sent before."""
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
_MOST_SIGNATURES: Final = 10


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


def is_signed(key: bytes, given: Mapping[str, str], body: bytes, *, now_seconds: float) -> bool:
    """Whether a body that came in was signed with the key, lately: `given` are its headers, by names in small letters.

    Several signatures may be given, as while a secret is renewed: one that fits is enough.
    """
    webhook_id, timestamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not webhook_id or not _TIMESTAMP.fullmatch(timestamp) or abs(now_seconds - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    signed = f"{webhook_id}.{timestamp}.".encode(errors="replace") + body
    fitting = base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    signatures = given.get("webhook-signature", "").split(" ", _MOST_SIGNATURES)
    return any(
        hmac.compare_digest(fitting, signature.removeprefix("v1,").encode(errors="replace"))
        for signature in signatures
        if signature.startswith("v1,")
    )

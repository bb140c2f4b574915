"""Lists in pages, by keyset: a page begins after the last row of the one before, however many rows came meanwhile."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime

from callrouter.errors import CallrouterError


class CursorError(CallrouterError):
    """What was sent as a cursor is none of ours."""


def encode_cursor(at: datetime, *key: str | int) -> str:
    """An opaque name for the place after a row: its instant, then what tells it from others of that instant."""
    text = json.dumps([at.astimezone(UTC).isoformat(), *key])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: type[str] | type[int]) -> tuple[datetime, tuple[str | int, ...]]:
    """The instant and the key of a cursor.

    Raises:
        CursorError: it is not one that we gave.
    """
    try:
        instant, *key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        at = datetime.fromisoformat(instant)
    except (binascii.Error, ValueError, TypeError) as error:
        raise CursorError("the cursor is none of ours: ask without one for the first page") from error
    if at.tzinfo is None or [type(part) for part in key] != list(kinds) or not "".join(map(str, key)).isprintable():
        raise CursorError("the cursor is of another list: ask without one for the first page")
    if at.utcoffset():  # ours are UTC; near the ends of the calendar another one has no UTC
        raise CursorError("the cursor is none of ours: ask without one for the first page")
    if any(isinstance(part, int) and not 0 <= part < 2**15 for part in key):
        raise CursorError("the cursor is none of ours: ask without one for the first page")
    return at, tuple(key)

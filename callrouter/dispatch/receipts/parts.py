"""What a mail is made of, as far as reports need it: headers, the text, the report itself, and the mail it returns.

Mail comes from anywhere. Only its beginning is looked at: who reports says so first, and what is returned begins with
its headers. Nothing of it is trusted to be well-formed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from html import unescape
from typing import Final

from callrouter.errors import MailUnreadable

LOOKED_AT_BYTES: Final = 262_144
MOST_PARTS: Final = 40
"""Parts that are announced, one inside the other or not: a reader of mail becomes slow with their depth."""
MOST_BLOCKS: Final = 200
"""Blocks of fields of one report: one is of the report, each other one of a recipient."""
_LONGEST: Final = 2_000
"""Characters of a header."""
_CHARSET: Final = re.compile(r"us-ascii|iso-8859-(1|2|5|7|9|15)|windows-125[0-8]|koi8-r|gb18030|big5|shift_jis")
_TAG: Final = re.compile(r"<[^<>]{0,1000}>")
_CONTROLS: Final = re.compile(r"[^\x20-\x7e\xa0-\U0010ffff]+|\s+")


class Mail:
    """One that was taken apart.

    Raises:
        MailUnreadable: it is no mail that anybody reports with.
    """

    def __init__(self, content: bytes) -> None:
        looked_at = content[:LOOKED_AT_BYTES]
        lowered = looked_at.lower()
        if lowered.count(b"boundary") > MOST_PARTS or lowered.count(b"message/rfc822") > MOST_PARTS:
            raise MailUnreadable("it has more parts than any report")
        try:
            self._top = message_from_bytes(looked_at)
            self._parts = list(_walk(self._top))
        except (ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
            raise MailUnreadable(f"its parts cannot be told apart: {type(error).__name__}") from error

    @property
    def is_report(self) -> bool:
        """Whether it says itself that it reports on a delivery (RFC 3464)."""
        return any(_kind(part) == "message/delivery-status" for part in self._parts)

    def header(self, name: str) -> str:
        """Of the mail itself, in one line; empty: it has none."""
        return header_of(self._top, name)

    def blocks(self) -> list[Message]:
        """Fields of the report: first those of the whole, then those of each recipient."""
        for part in self._parts:
            if _kind(part) == "message/delivery-status":
                payload = part.get_payload()
                found = [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []
                return [one for one in found if one.keys()][:MOST_BLOCKS]
        return []

    def returned(self) -> Iterator[Message]:
        """Mails that it returns, with their headers at least."""
        for part in self._parts:
            kind = _kind(part)
            payload = part.get_payload()
            if kind in ("message/rfc822", "message/global") and isinstance(payload, list):
                yield from (one for one in payload if isinstance(one, Message))
            elif kind in ("text/rfc822-headers", "message/rfc822-headers", "message/global-headers"):
                yield message_from_bytes(_bytes_of(part))

    def text(self) -> str:
        """What it says to a person: its first text; of HTML without its tags."""
        for wanted in ("text/plain", "text/html"):
            for part in self._parts:
                if _kind(part) == wanted:
                    said = _bytes_of(part).decode(_charset(part), "replace")
                    return unescape(_TAG.sub("\n", said)) if wanted == "text/html" else said
        return ""

    def texts(self) -> tuple[str, str]:
        """What it says to a person, as its first plain text and its first HTML; what is attached is neither."""
        found = {"text/plain": "", "text/html": ""}
        for part in self._parts:
            kind = _kind(part)
            if found.get(kind) == "" and not header_of(part, "Content-Disposition").lower().startswith("attachment"):
                found[kind] = _bytes_of(part).decode(_charset(part), "replace").replace("\x00", "\ufffd")
        return found["text/plain"], found["text/html"]


def header_of(part: Message, name: str) -> str:
    """One header's value, decoded, in one line; empty: there is none."""
    try:
        raw = str(part.get(name, ""))[:_LONGEST]
        decoded = str(make_header(decode_header(raw))) if "=?" in raw else raw
    except (HeaderParseError, ValueError, LookupError, AttributeError, TypeError):
        decoded = ""
    return one_line(decoded)


def one_line(text: str) -> str:
    """It, without what would end a line or is no sign at all."""
    return _CONTROLS.sub(" ", text).strip()


def _walk(top: Message) -> Iterator[Message]:
    """All parts, but for those of a mail that is returned: what that holds is no report on itself."""
    waiting = [top]
    while waiting:
        part = waiting.pop(0)
        yield part
        payload = part.get_payload()
        if isinstance(payload, list) and not _kind(part).startswith("message/"):
            waiting[:0] = [one for one in payload if isinstance(one, Message)]


def _kind(part: Message) -> str:
    return part.get_content_type()


def _bytes_of(part: Message) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, AttributeError, TypeError):
        payload = None
    return payload if isinstance(payload, bytes) else b""


def _charset(part: Message) -> str:
    """One of text: Python knows others, which are slow, or give no text."""
    try:
        charset = str(part.get_content_charset("utf-8"))
    except (ValueError, LookupError, AttributeError, TypeError):
        return "utf-8"
    return charset if _CHARSET.fullmatch(charset) else "utf-8"

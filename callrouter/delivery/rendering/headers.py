"""Headers of a mail as they travel: lines of ASCII, whatever stands in them (RFC 5322, RFC 2047).

Python's own writer of headers loses a space between two words that both need to be encoded, so a name would arrive as
another one (findings/email-header-spaces.sh). Here a text is encoded as a whole, its spaces too.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Final

_PLAIN_TEXT: Final = re.compile(r"(?!.*=\?)[!-~]+( [!-~]+)*")
_PLAIN_NAME: Final = re.compile(r"(?!.*=\?)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+( [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LONGEST_PLAIN: Final = 60
_IN_A_WORD: Final = 45
"""Bytes of UTF-8: an encoded word has 75 signs at most."""


def text(foreign: str) -> str:
    """What a header without a syntax of its own says (Subject)."""
    return foreign if _is_plain(foreign, _PLAIN_TEXT) else _encoded(foreign)


def address(name: str, mailbox: str) -> str:
    """A person's, or a house's, with its name; without one where the name is empty."""
    if not name:
        return mailbox
    return f"{name if _is_plain(name, _PLAIN_NAME) else _encoded(name)}\r\n <{mailbox}>"


def _is_plain(foreign: str, plain: re.Pattern[str]) -> bool:
    return len(foreign) <= _LONGEST_PLAIN and plain.fullmatch(foreign) is not None


def _encoded(foreign: str) -> str:
    """Encoded words, one a line; what separates them is not part of the text."""
    words = (base64.b64encode(part).decode() for part in _cut(foreign))
    return "\r\n ".join(f"=?utf-8?B?{word}?=" for word in words)


def _cut(foreign: str) -> Iterator[bytes]:
    """In parts that fit, none of which ends inside a character."""
    part = b""
    for char in foreign:
        one = char.encode()
        if len(part) + len(one) > _IN_A_WORD:
            yield part
            part = b""
        part += one
    yield part

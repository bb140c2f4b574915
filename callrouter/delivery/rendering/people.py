"""Foreign texts made harmless, and numbers, instants and durations as people read them."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import PhoneNumberFormat

from callrouter.delivery.rendering.words import Words

_BIDI: Final = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""They turn the direction of what follows: a name that holds one has the rest of a line read backwards."""
_CONTROLS: Final = (*range(0x20), *range(0x7F, 0xA0), 0xFEFF, *_BIDI)
_GONE: Final = {
    **dict.fromkeys(_CONTROLS),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),  # halves of characters, which no encoding takes
}
_ON_LINES: Final = {**_GONE, ord("\n"): "\n", ord("\t"): " "}
_BREAKS: Final = ("\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029")


def on_lines(text: str) -> str:
    """A foreign text without anything that governs a screen or a protocol; its lines are kept."""
    for one in _BREAKS:
        text = text.replace(one, "\n")
    return text.translate(_ON_LINES).strip()


def on_one_line(text: str) -> str:
    """The same, of one line."""
    return " ".join(on_lines(text).split())


def number(e164: str, timezone: str) -> str:
    """A telephone number as it is written in the client's country; one of elsewhere with its country's code."""
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:  # a short number, or what a PBX calls its telephones
        return on_one_line(e164)
    home = phonenumbers.country_code_for_region(_country(timezone))
    form = PhoneNumberFormat.NATIONAL if parsed.country_code == home else PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(parsed, form)


def clock(at: datetime, timezone: str) -> str:
    """The time of day: `14:05`."""
    return f"{local(at, timezone):%H:%M}"


def day_and_clock(at: datetime, timezone: str) -> str:
    """`30/11 14:05`."""
    return f"{local(at, timezone):%d/%m %H:%M}"


def instant(at: datetime, timezone: str, words: Words) -> str:
    """`Monday 30 November 2026, 14:05`."""
    then = local(at, timezone)
    return words.instant.format(
        weekday=words.weekdays[then.weekday()],
        day=then.day,
        month=words.months[then.month - 1],
        year=then.year,
        time=f"{then:%H:%M}",
    )


def duration(seconds: float) -> str:
    """`1:05`."""
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    return f"{minutes}:{rest:02}"


def local(at: datetime, timezone: str) -> datetime:
    """By the client's clock, to the second."""
    return at.astimezone(ZoneInfo(timezone)).replace(microsecond=0)


@cache
def _country(timezone: str) -> str:
    """The ISO code of a zone's country, by IANA's own table; empty: of no country (`UTC`)."""
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines():
        code, *rest = line.split("\t")
        if rest[1:2] == [timezone]:
            return code
    return ""

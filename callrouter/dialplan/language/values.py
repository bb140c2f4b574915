"""Texts of a document into typed values. Each function raises ValueError with a sentence that says the mend."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from datetime import date, time, timedelta
from functools import lru_cache, wraps
from typing import TypeVar

from callrouter.core.schedule import DAYS, TimeRange
from callrouter.dialplan.issues import shown

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)", re.ASCII)
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)", re.ASCII)
_NUMBER_LIKE = re.compile(r"[+(]?[0-9][0-9 .()/-]{5,24}", re.ASCII)
"""A telephone number, as people write it."""
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,47}")
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})
MINUTES_A_DAY = 24 * 60

MOST_RETRIES = 10
"""Whoever has not understood a question by then never will, and holds a line."""

LONGEST_SECONDS = 24 * 3600.0
"""No wait of a call is longer than a day."""


def text(value: object) -> str:
    """A single value that is there."""
    if isinstance(value, str):
        if not value.strip():
            raise ValueError("is empty")
        return value
    if value is None:
        raise ValueError("is empty")
    raise ValueError(f"must be a single value, not a {'list' if isinstance(value, list) else 'mapping'}")


T = TypeVar("T")


def _known(most: int) -> Callable[[Callable[[str], T]], Callable[[object], T]]:
    """Keeps what so many different texts have been read as: the same ones stand in many places of many documents."""

    def known(read: Callable[[str], T]) -> Callable[[object], T]:
        kept = lru_cache(maxsize=most)(read)

        @wraps(read)
        def of(value: object) -> T:
            return kept(value if type(value) is str else text(value))

        return of

    return known


@_known(65_536)
def name(value: str) -> str:
    """A name of ours: lower-case letters, digits, `_` and `-`, beginning with a letter."""
    word = text(value)
    if not _NAME.fullmatch(word):
        raise ValueError(f"{shown(word)} is no name: {_instead_of_a_name(word)}")
    return word


def _instead_of_a_name(word: str) -> str:
    """What to write where something else than a name stands: several of them, an address, a number."""
    if "," in word:
        several = ", ".join(part.strip() for part in word.split(",") if part.strip())
        return f"where several may stand, write a list, [{shown(several)[1:-1]}]"
    if "@" in word or _NUMBER_LIKE.fullmatch(word):
        return "addresses and numbers stand in contacts, and the contact's name stands here"
    return 'use lower-case letters, digits, "_" and "-", a letter first'


@_known(4_096)
def duration(value: str) -> float:
    """Seconds of `20s`, `3m`, `1m30s`, `500ms`, `1h`."""
    word = text(value).strip().replace(" ", "")
    if word.replace(".", "", 1).isdecimal():
        raise ValueError(f'{shown(word)} has no unit: write "{word}s" for seconds, "{word}m" for minutes')
    if not word or _DURATION.sub("", word):
        meant = _as_duration(word)
        mend = f'"{meant}"' if meant else '"20s", "3m" or "500ms"'
        raise ValueError(f"{shown(value)} is no duration: write {mend}")
    seconds = sum(float(amount) * _UNIT_SECONDS[unit] for amount, unit in _DURATION.findall(word))
    if seconds > LONGEST_SECONDS:
        raise ValueError(f"{shown(word)} is longer than a day")
    return seconds


_WRITTEN_UNITS = re.compile(
    r"(\d+(?:[.,]\d+)?)(h|heures?|hours?|m|mn|mins?|minutes?|s|secs?|secondes?|seconds?)(?![a-z])", re.ASCII
)


def _as_duration(word: str) -> str:
    """`20sec`, `2 minutes`, `1m30` and `1,5m` as a duration is written; empty when it cannot be told."""
    found = "".join(f"{amount.replace(',', '.')}{unit[0]}" for amount, unit in _WRITTEN_UNITS.findall(word.lower()))
    rest = _WRITTEN_UNITS.sub("", word.lower())
    if rest.isdecimal() and len(rest) <= 2 and found.endswith(("h", "m")) and word.endswith(rest):
        return f"{found}{rest}{'m' if found.endswith('h') else 's'}"
    return "" if rest else found


def positive_duration(value: object) -> float:
    """A duration that is not zero."""
    seconds = duration(value)
    if seconds <= 0:
        raise ValueError(f"{shown(value)} is no time at all: it must be more than zero")
    return seconds


@_known(4_096)
def count(value: str) -> int:
    """A whole number from 0 to 1000."""
    word = text(value).strip()
    if not (word.isascii() and word.isdecimal()) or len(word) > 4 or int(word) > 1000:
        raise ValueError(f"{shown(word)} is not a whole number from 0 to 1000")
    return int(word)


def retries(value: object) -> int:
    """How often a caller is asked again, 0 to `MOST_RETRIES`."""
    found = count(value)
    if found > MOST_RETRIES:
        raise ValueError(f"{found} times are too many: a caller is asked again {MOST_RETRIES} times at most")
    return found


def flag(value: object) -> bool:
    """`true` or `false`."""
    word = text(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(f"{shown(word)} is neither true nor false")


def share(value: object) -> float:
    """A share, 0 to 1, of `90%`."""
    word = text(value).strip()
    number = word.removesuffix("%").strip()
    if not re.fullmatch(r"[0-9]{0,3}(\.[0-9]{1,4})?", number) or not number or float(number) > 100 or word == "0":
        raise ValueError(f'{shown(word)} is no percentage, such as "90%"')
    if not word.endswith("%"):
        # 0.85 is how others write 85 %: nobody promises less than one percent.
        percent = f"{float(number) * 100:g}" if float(number) <= 1 else number
        raise ValueError(f'{shown(word)} has no percent sign: write "{percent}%"')
    return float(number) / 100


def percentage(value: object) -> float:
    """Percent, 0 to 100, of `10` or `10%`."""
    word = text(value).strip().removesuffix("%").strip()
    return share(f"{word}%") * 100


def day(value: object) -> date:
    """A day written 2026-12-24."""
    word = text(value).strip()
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", word):
        raise ValueError(f"{shown(word)} is no day: write {_as_day(word)}")
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise ValueError(f"{shown(word)} does not exist in the calendar") from None


def _as_day(word: str) -> str:
    """The day as it is to be written, where it can be told: no language of ours puts the month first."""
    if found := re.fullmatch(r"([0-9]{1,2})[/. -]([0-9]{1,2})[/. -]([0-9]{4})", word):
        number, month, year = map(int, found.groups())
        with contextlib.suppress(ValueError):
            return f'"{date(year, month, number)}"'
    return 'year, month and day, as in "2026-12-24"'


@_known(4_096)
def days(value: str) -> tuple[date, date]:
    """First and last day of `2026-12-24..2027-01-03` or of a single day."""
    begin, dots, end = text(value).partition("..")
    first = day(begin)
    last = day(end) if dots else first
    if last < first:
        raise ValueError(f"{shown(value)} ends before it begins")
    if last - first > timedelta(days=366 * 3):
        raise ValueError(f"{shown(value)} is longer than three years")
    return first, last


def iso_week(value: object) -> date:
    """The Monday of a week written 2026-W52."""
    word = text(value).strip()
    found = re.fullmatch(r"([0-9]{4})-W([0-9]{2})", word)
    if not found:
        raise ValueError(f'{shown(word)} is no week: write "2026-W52"')
    try:
        return date.fromisocalendar(int(found[1]), int(found[2]), 1)
    except ValueError:
        raise ValueError(f"{shown(word)} does not exist in the calendar") from None


def weekly_instant(value: object) -> tuple[int, time]:
    """Day of the week, Monday 0, and time of day of `mon 08:00`."""
    day_name, _, clock = text(value).strip().lower().partition(" ")
    clock = clock.strip()
    if day_name not in DAYS or not _CLOCK.fullmatch(clock) or _minutes(clock) >= MINUTES_A_DAY:
        raise ValueError(f'{shown(value)} is no instant of a week: write "mon 08:00"')
    return DAYS.index(day_name), time(_minutes(clock) // 60, _minutes(clock) % 60)


@_known(4_096)
def week_parts(value: str) -> tuple[tuple[int, int], ...]:
    """Parts of a week of `mon-fri 08:00-18:00` or `fri 18:00..mon 08:00`: minutes since Monday 00:00, without the ends.

    A part that ends before it begins goes on over midnight, or over the end of the week.
    """
    word = text(value).strip().lower()
    begin, dots, end = word.partition("..")
    if dots:
        (from_day, from_clock), (to_day, to_clock) = (weekly_instant(" ".join(part.split())) for part in (begin, end))
        start = from_day * MINUTES_A_DAY + from_clock.hour * 60 + from_clock.minute
        stop = to_day * MINUTES_A_DAY + to_clock.hour * 60 + to_clock.minute
        return ((start, stop if start < stop else stop + 7 * MINUTES_A_DAY),)
    found = re.fullmatch(r"([a-z, -]+?) *([0-9].*)", word)
    if not found:
        raise ValueError(f'{shown(value)} is no part of a week: write "mon-fri 08:00-18:00" or "fri 18:00..mon 08:00"')
    start, stop = clock_range(found[2])
    stop += 0 if start < stop else MINUTES_A_DAY
    return tuple((day * MINUTES_A_DAY + start, day * MINUTES_A_DAY + stop) for day in weekdays(found[1]))


@_known(4_096)
def weekdays(value: str) -> tuple[int, ...]:
    """Days of the week, Monday 0, of `mon-fri`, `sat`, `sat,sun`, `daily`."""
    found: list[int] = []
    for part in text(value).lower().replace(" ", "").split(","):
        if part == "daily":
            found.extend(range(7))
            continue
        begin, dash, end = part.partition("-")
        first = _weekday(begin, value)
        last = _weekday(end, value) if dash else first
        found.extend((first + step) % 7 for step in range((last - first) % 7 + 1))
    return tuple(dict.fromkeys(found))


def _weekday(word: str, whole: object) -> int:
    if word in DAYS:
        return DAYS.index(word)
    meant = _as_days(str(whole))
    mend = f'"{meant}"' if meant else 'mon, tue, wed, thu, fri, sat, sun, as in "mon-fri"'
    raise ValueError(f"{shown(whole)} names no days: write {mend}")


_DAYS_BY_NAME = {
    **dict(zip(("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"), DAYS, strict=True)),
    **dict(zip(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), DAYS, strict=True)),
}
_NAMED_SPANS = {"weekdays": "mon-fri", "weekend": "sat-sun", "week-end": "sat-sun", "everyday": "daily"}


def _as_days(written: str) -> str:
    """`lun-ven` and `monday to friday` as days are written; empty when it cannot be told."""
    word = written.lower().strip()
    if word in _NAMED_SPANS:
        return _NAMED_SPANS[word]
    parts = [part for part in re.split(r"(\s*(?:-|,|;|/|\s(?:to|au|à|et|and)\s)\s*)", word) if part]
    found: list[str] = []
    for index, part in enumerate(parts):
        if index % 2:
            found.append("-" if part.strip() in ("-", "to", "au", "à") else ",")
            continue
        name = part.strip().rstrip(".")
        days = {day for full, day in _DAYS_BY_NAME.items() if len(name) > 1 and full.startswith(name)}
        if len(days) != 1:
            return ""
        found += days
    return "".join(found)


@_known(4_096)
def clock_range(value: str) -> tuple[int, int]:
    """Minutes since midnight of `08:00-12:30`; an end before the start lies on the next day."""
    word = text(value).replace(" ", "").replace("–", "-")
    parts = _RANGES.findall(text(value).lower().replace("–", "-"))
    if len(parts) > 1:
        listed = ", ".join(f'"{_as_clock(begin)}-{_as_clock(end)}"' for begin, end in parts)
        raise ValueError(f"{shown(value)} holds several ranges: write a list, [{listed}]")
    begin, dash, end = word.partition("-")
    if not dash or not (_CLOCK.fullmatch(begin) and _CLOCK.fullmatch(end)):
        meant = "-".join(_as_clock(part) for part in re.split("[-à]", word.lower()))
        example = (
            meant if _CLOCK.fullmatch(meant.partition("-")[0]) and _CLOCK.fullmatch(meant.partition("-")[2]) else ""
        )
        mend = f': write "{example}"' if example else ', such as "08:00-12:30"'
        raise ValueError(f"{shown(value)} is no time range{mend}")
    start, stop = _minutes(begin), _minutes(end)
    if start == MINUTES_A_DAY and stop < MINUTES_A_DAY:
        raise ValueError(f'{shown(value)} begins at the end of a day: write "00:00-{_clock_of(stop)}"')
    if start >= MINUTES_A_DAY or stop > MINUTES_A_DAY:
        raise ValueError(f'{shown(value)} goes beyond the day: midnight at the end is "24:00"')
    if start == stop:
        raise ValueError(f'{shown(value)} is empty: write "00:00-24:00" for the whole day')
    return start, stop


_RANGES = re.compile(r"([0-9]{1,2}(?:[h:.][0-9]{0,2})?)\s*(?:-|à|to)\s*([0-9]{1,2}(?:[h:.][0-9]{0,2})?)", re.ASCII)
"""Ranges of the clock as people write them."""


def _clock_of(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _as_clock(word: str) -> str:
    """`8h30`, `8.30` and `8` as a clock shows it."""
    found = re.fullmatch(r"([0-9]{1,2})(?:[h:.]([0-9]{2})?)?", word, re.ASCII)
    return f"{int(found[1]):02}:{found[2] or '00'}" if found else word


def clock(value: str) -> int:
    """Minutes since midnight of `08:00`; `24:00` is the midnight at the end."""
    word = value.strip()
    if not _CLOCK.fullmatch(word) or _minutes(word) > MINUTES_A_DAY:
        raise ValueError(f'{shown(value)} is no time of day: write "{_as_clock(word)}"')
    return _minutes(word)


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


@lru_cache(maxsize=4_096)
def part_of_day(start: int, stop: int) -> TimeRange:
    """A range on the wall clock from minutes since midnight; 1440 is the end of the day."""
    end = None if stop >= MINUTES_A_DAY else time(stop // 60, stop % 60)
    return TimeRange(start=time(start // 60, start % 60), end=end)

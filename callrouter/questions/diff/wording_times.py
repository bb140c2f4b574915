"""Stretches of the calendar as people name them: opening hours, days of the week, holidays, single days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

from callrouter.dialplan.issues import how_many
from callrouter.questions.diff.compare import Compared
from callrouter.questions.diff.wording_conditions import listed
from callrouter.questions.occasions import MINUTES_A_DAY

MOST_DAYS = 5
"""Single days that are named; more are counted."""

FEWEST_TURNS = 4
"""Turns from which it is seen that they come back regularly."""

_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_ORDINALS = {2: "second", 3: "third"}
_OF_HOURS = {"open", "closed", "holiday"}

Ranges = tuple[tuple[int, int], ...]
Said = tuple[str, ...]
"""What the calendar says at a stretch."""


def times_of(said: Collection[Said], compared: Compared) -> str:
    """The stretches of the calendar that are concerned, as short as they can be named."""
    return _by_what_is_said(set(said), compared) or _by_turns(said, compared) or _by_the_clock(said, compared)


def _by_what_is_said(said: set[Said], compared: Compared) -> str:
    """`in opening hours while doctor is on call`; empty where that does not name just these stretches."""
    places = range(len(compared.hours))
    possible, wanted = ([{one[place] for one in some} for place in places] for some in (compared.stretches, said))
    if not said or said != _saying(wanted, compared):
        return ""
    for place in reversed(places):
        # What follows from the others need not be said: while the desk is open, the laboratory is.
        without = [*wanted[:place], possible[place], *wanted[place + 1 :]]
        if said == _saying(without, compared):
            wanted = without
    several = sum(parts <= _OF_HOURS for parts in possible) > 1
    words = [
        _one_part(name, wanted[place], possible[place], several=several) if compared.hours.count(name) == 1 else ""
        for place, name in enumerate(compared.hours)
        if wanted[place] != possible[place]
    ]
    return (", ".join(words) or "at any time") if all(words) else ""


def _saying(wanted: Sequence[set[str]], compared: Compared) -> set[Said]:
    """All that the calendar says of which each part is one of those wanted."""
    return {one for one in compared.stretches if all(part in some for part, some in zip(one, wanted, strict=True))}


def _one_part(name: str, wanted: set[str], possible: set[str], *, several: bool) -> str:
    if possible <= _OF_HOURS:
        hours = f"hours of {name}" if several else "opening hours"
        closed = possible - {"open"}
        if wanted == {"open"}:
            return f"in {hours}"
        if wanted == closed:
            return f"outside {hours}"
        if wanted == {"holiday"}:
            return "on holidays"
        return f"outside {hours} (not on holidays)" if wanted == {"closed"} else ""
    if not name:
        return ""
    people = sorted(wanted)
    return f"while {' or '.join(people)} {'is' if len(people) == 1 else 'are'} on call"


def _by_turns(said: Collection[Said], compared: Compared) -> str:
    """`in every second week, from Monday 08:00 to Monday 08:00`, or single turns; empty where there are none."""
    stretches = (one for what in said for one in compared.stretches[what])
    spans = _merged((_instant(one.day, one.start), _instant(one.day, one.stop)) for one in stretches)
    first, last = _instant(compared.days[0], 0), _instant(compared.days[-1], MINUTES_A_DAY)
    whole = [span for span in spans if span[0] != first and span[1] != last]
    lengths = [stop - start for start, stop in whole]
    if len(whole) >= FEWEST_TURNS and len(set(lengths)) == 1:
        steps = {other[0] - one[0] for one, other in pairwise(whole)}
        weeks, rest = divmod(min(steps), 7 * MINUTES_A_DAY)
        if len(steps) == 1 and not rest and weeks > 1:
            return _regular(weeks, *whole[0], begun=spans[0] != whole[0])
    over_midnight = any(edge % MINUTES_A_DAY for span in whole for edge in span)
    if whole and min(lengths) >= MINUTES_A_DAY and over_midnight:
        edges = ([f"{_day(edge)} {_time(edge)}" for edge in span] for span in spans[:MOST_DAYS])
        words = [f"from {start} to {stop}" for start, stop in edges]
        more = len(spans) - MOST_DAYS
        return ", ".join(words) + (f" and {how_many(more, 'more time')}" if more > 0 else "")
    return ""


def _instant(day: date, minute: int) -> int:
    """Minutes of the wall clock since the year 1: those of two days that follow one another do, too."""
    return day.toordinal() * MINUTES_A_DAY + minute


def _day(instant: int) -> date:
    return date.fromordinal(instant // MINUTES_A_DAY)


def _time(instant: int) -> str:
    """Its time of day; also of minutes since midnight."""
    hour, minute = divmod(instant % MINUTES_A_DAY, 60)
    return f"{hour:02}:{minute:02}"


def _regular(weeks: int, start: int, stop: int, *, begun: bool) -> str:
    every = f"every {_ORDINALS.get(weeks, f'{weeks}th')}"
    known = f"{'now, then from' if begun else 'first'} {_day(start)}"
    weekdays = [_DAYS[_day(edge).weekday()][:-1] for edge in (start, stop)]
    if _day(start) == _day(stop):
        return f"on {every} {weekdays[0]} {_time(start)}–{_time(stop)} ({known})"
    return f"in {every} week, from {weekdays[0]} {_time(start)} to {weekdays[1]} {_time(stop)} ({known})"


def _by_the_clock(said: Collection[Said], compared: Compared) -> str:
    """Days of the week, and single days that are otherwise."""
    by_day: dict[date, list[tuple[int, int]]] = {day: [] for day in compared.days}
    because: dict[date, str] = {}
    for what, stretches in compared.stretches.items():
        for stretch in stretches:
            because.setdefault(stretch.day, stretch.because)
            if what in said:
                by_day[stretch.day].append((stretch.start, stretch.stop))
    ranges = {day: _merged(parts) for day, parts in by_day.items()}
    usual = [
        Counter(parts for day, parts in ranges.items() if day.weekday() == weekday).most_common(1)[0][0]
        for weekday in range(7)
    ]
    weekly = _weekly(usual)
    single = {day: parts for day, parts in ranges.items() if parts != usual[day.weekday()]}
    left_out = _named({day: parts for day, parts in single.items() if not parts}, because, ranges)
    otherwise = _named({day: parts for day, parts in single.items() if parts}, because, ranges)
    if not weekly:
        return f"on {otherwise}"
    return weekly + (f" and on {otherwise}" if otherwise else "") + (f" (not on {left_out})" if left_out else "")


def _merged(parts: Iterable[tuple[int, int]]) -> Ranges:
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(parts):
        if merged and merged[-1][1] == start:
            merged[-1] = merged[-1][0], stop
        else:
            merged.append((start, stop))
    return tuple(merged)


def _weekly(usual: list[Ranges]) -> str:
    if all(parts == ((0, MINUTES_A_DAY),) for parts in usual):
        return "at any time"
    days_of: dict[Ranges, list[int]] = {}
    for weekday, parts in enumerate(usual):
        if parts:
            days_of.setdefault(parts, []).append(weekday)
    return ", ".join(f"on {_weekdays(days)}{_clock(parts)}" for parts, days in days_of.items())


def _weekdays(days: list[int]) -> str:
    if len(days) == 7:
        return "all days"
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        return f"{_DAYS[days[0]]} to {_DAYS[days[-1]]}"
    return listed([_DAYS[day] for day in days], "and")


def _clock(parts: Ranges) -> str:
    if parts == ((0, MINUTES_A_DAY),) or not parts:
        return ""
    written = [f"{start // 60:02}:{start % 60:02}–{stop // 60:02}:{stop % 60:02}" for start, stop in parts]
    return " " + " and ".join(written)


def _named(days: Mapping[date, Ranges], because: Mapping[date, str], everything: Mapping[date, Ranges]) -> str:
    """Single days: holidays by that word when they are all that is meant, else dates, following ones as one."""
    if not days:
        return ""
    holidays = {day for day in everything if because.get(day) and not because[day].startswith("exception")}
    if len(set(days.values())) == 1 and len(days) > 1 and set(days) <= holidays:
        return f"holidays{_clock(next(iter(days.values())))}"
    spans: list[tuple[date, date]] = []
    for day in sorted(days):
        if spans and day - spans[-1][1] == timedelta(days=1) and days[day] == days[spans[-1][0]]:
            spans[-1] = spans[-1][0], day
        else:
            spans.append((day, day))
    words = []
    for first, last in spans[:MOST_DAYS]:
        name = because.get(first, "") if first == last else ""
        named = f" ({name})" if name and not name.startswith("exception") else ""
        words.append(f"{first}{f'..{last}' if last != first else ''}{named}{_clock(days[first])}")
    more = len(spans) - MOST_DAYS
    return ", ".join(words) + (f" and {more} more" if more > 0 else "")

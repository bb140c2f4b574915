"""Differences between two trees as sentences: what comes to the same is told once, times as people name them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta

from msgspec import Struct

from callrouter.dialplan.differences import OTHER, WRONG, Change, Compared, Keys, is_end
from callrouter.dialplan.situations import ANY_CALLER, ANY_OTHER_CALLER, MINUTES_A_DAY, WITHHELD

MOST_DAYS = 5
"""Single days that are named; more are counted."""

_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")

Ranges = tuple[tuple[int, int], ...]


class Sentence(Struct, frozen=True, kw_only=True):
    """One change as it is told, and its parts."""

    times: str
    callers: str
    circumstance: str
    now: str
    before: str

    def __str__(self) -> str:
        verb = "reach " if is_end((self.before, self.now)) else ""
        change = _change(self.before, self.now, verb)
        who = " ".join(part for part in (self.callers, self.circumstance) if part)
        return f"{self.times[:1].upper()}{self.times[1:]}, {who} now {change}."

    def as_json(self) -> dict[str, str]:
        """For machines: every part by name."""
        return {
            "times": self.times,
            "callers": self.callers,
            "circumstance": self.circumstance,
            "before": self.before,
            "now": self.now,
        }


def _change(before: str, now: str, verb: str) -> str:
    if not now:
        return f"no longer {before}"
    if not before:
        return f"also {now}"
    return f"{verb}{now} instead of {before if verb else _gerund(before)}"


def _gerund(met: str) -> str:
    """`hear «…», then wait …` behind `instead of`."""
    forms = {"hear": "hearing", "wait": "waiting", "ring": "ringing", "speak": "speaking"}
    parts = (part.partition(" ") for part in met.split(", then "))
    return ", then ".join(f"{forms.get(verb, verb)} {rest}" for verb, _, rest in parts)


def sentences(compared: Compared) -> tuple[Sentence, ...]:
    """Every change: first where calls end, then what is met on the way."""
    return (*_of_ends(compared), *_on_the_way(compared))


def _of_ends(compared: Compared) -> Iterator[Sentence]:
    told: dict[tuple[str, str, str, str], dict[Keys, list[str]]] = {}
    tried: dict[tuple[str, str, str, str], set[Keys]] = {}
    for change, by_caller in compared.changes.items():
        if not is_end((change.before, change.now)):
            continue
        for caller, said in by_caller.items():
            key = (_times(said, compared), change.circumstance, change.before, change.now)
            told.setdefault(key, {}).setdefault(change.keys, []).append(caller)
            tried.setdefault(key, set()).update(*(compared.ways[caller, one, change.circumstance] for one in said))
    for key, by_keys in told.items():
        times, circumstance, before, now = key
        for who in _who(by_keys, tried[key], compared.callers):
            yield Sentence(times=times, callers=who, circumstance=circumstance, before=before, now=now)


def _on_the_way(compared: Compared) -> Iterator[Sentence]:
    """The same words may be met by many ways: they are told once, for all who come to them."""
    told: dict[tuple[str, str], list[Change]] = {}
    for change in compared.changes:
        if not is_end((change.before, change.now)):
            told.setdefault((change.before, change.now), []).append(change)
    for (before, now), changes in told.items():
        said: set[tuple[str, ...]] = set()
        meeting: dict[str, None] = {}
        for change in changes:
            said.update(*compared.changes[change].values())
            meeting.update(dict.fromkeys(compared.changes[change]))
        who = _callers(tuple(meeting), compared.callers)
        circumstances = {change.circumstance for change in changes}
        keys = {change.keys for change in changes}
        tried = (compared.ways.get((one, what, ""), set()) for one in meeting for what in said)
        if {change.keys for change in changes if not change.circumstance} != set().union(*tried):
            who += f" who {_pressing(keys)}" if len(changes) == 1 else " who come to it"
        circumstance = circumstances.pop() if len(circumstances) == 1 else ""
        yield Sentence(times=_times(said, compared), callers=who, circumstance=circumstance, before=before, now=now)


def _who(by_keys: Mapping[Keys, list[str]], tried: Collection[Keys], everybody: tuple[str, ...]) -> Iterator[str]:
    """Callers, and what they press: those who press the same are named together."""
    groups: dict[tuple[str, ...], list[Keys]] = {}
    for keys, pressing in by_keys.items():
        groups.setdefault(tuple(dict.fromkeys(pressing)), []).append(keys)
    for callers, pressed in groups.items():
        who = _callers(callers, everybody)
        everything = set(pressed) == set(tried)
        yield who if everything else f"{who} who {_pressing(pressed)}"


def _callers(callers: tuple[str, ...], everybody: tuple[str, ...]) -> str:
    if set(callers) == set(everybody):
        return "callers"
    plural = {
        ANY_CALLER: "callers",
        ANY_OTHER_CALLER: "ordinary callers",
        WITHHELD: "callers who withhold their number",
    }
    return " and ".join(plural.get(one, f"callers of {one}") for one in callers)


def _pressing(ways: Iterable[Keys]) -> str:
    """`press 2, or press nothing`; a longer way is left out where a shorter one says it."""
    shortest: list[Keys] = []
    for keys in sorted(ways, key=len):
        if not any(keys[: len(one)] == one for one in shortest if one):
            shortest.append(keys)
    words = [_keyed(keys) for keys in sorted(shortest, key=lambda keys: (not keys, keys))]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _keyed(keys: Keys) -> str:
    if not keys:
        return "press nothing"
    words = {WRONG: "press a wrong key", OTHER: "key another number"}
    return ", then ".join(words.get(one, f"press {one}") for one in keys)


def _times(said: Collection[tuple[str, ...]], compared: Compared) -> str:
    """The stretches concerned: days of the week, and single days that are otherwise."""
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
    names = [_DAYS[day] for day in days]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


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


__all__ = ["Change", "Sentence", "sentences"]

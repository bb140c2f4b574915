"""Differences between two trees as sentences: what means the same is told once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache, partial

from msgspec import Struct

from callrouter.core.call import replace
from callrouter.dialplan.issues import how_many
from callrouter.questions.decisions import OTHER, WRONG
from callrouter.questions.diff.compare import Compared, Difference
from callrouter.questions.diff.diagram import Path, Taken
from callrouter.questions.diff.experience import Change
from callrouter.questions.diff.wording_conditions import circumstances, listed
from callrouter.questions.diff.wording_times import Said, times_of
from callrouter.questions.occasions import CallerKind

MOST_WAYS = 6
MOST_CHOICES = 3
"""Ways through the questions that are told, and choices at one that are named rather than what is left out."""

_Times = Callable[[frozenset[Said]], str]
"""Names stretches of the calendar by what it says there."""


class Sentence(Struct, frozen=True, kw_only=True):
    """One change as it is told, and its parts."""

    times: str
    callers: str
    circumstance: str
    change: Change

    def __str__(self) -> str:
        said = ", ".join(part for part in (self.times, self.circumstance, self.callers) if part)
        return f"{said[:1].upper()}{said[1:]} {'now ' if self.change.now else ''}{_change(self.change)}."

    def as_json(self) -> dict[str, str]:
        """For machines: every part by name."""
        return {
            "times": self.times,
            "callers": self.callers,
            "circumstance": self.circumstance,
            "before": self.change.before,
            "now": self.change.now,
        }


def _change(change: Change) -> str:
    before, now = change.before, change.now
    if not now:
        return f"no longer {before}"
    if not before:
        return f"also {now}"
    return f"reach {now} instead of {before}" if change.ends else f"{now} instead of {_gerund(before)}"


def _gerund(met: str) -> str:
    """`hear «…», then wait …` after `instead of`."""
    forms = {"hear": "hearing", "wait": "waiting", "ring": "ringing", "speak": "speaking"}
    parts = (part.partition(" ") for part in met.split(", then "))
    return ", then ".join(f"{forms.get(verb, verb)} {rest}" for verb, _, rest in parts)


def sentences(compared: Compared) -> tuple[Sentence, ...]:
    """Every change: first where calls end, then what is met on the way; the ordinary before the unusual."""
    times = cache(partial(times_of, compared=compared))
    return (*_of_ends(compared, times), *_on_the_way(compared, times))


def _of_ends(compared: Compared, times_of: _Times) -> Iterator[Sentence]:
    told: dict[tuple[str, str, Change], dict[Path, list[str]]] = {}
    for one, by_caller in _in_order(compared, ends=True):
        circumstance = circumstances(one.others, compared)
        for caller, said in by_caller.items():
            key = (times_of(frozenset(said)), circumstance, one.change)
            told.setdefault(key, {}).setdefault(one.keys, []).append(caller)
    for (times, circumstance, change), by_keys in told.items():
        for who in _who(by_keys, compared.kinds):
            yield Sentence(times=times, callers=who, circumstance=circumstance, change=change)


def _on_the_way(compared: Compared, times_of: _Times) -> Iterator[Sentence]:
    """The same words may be met by many ways: they are told once, for all who meet them."""
    told: dict[Change, list[Difference]] = {}
    for one, _ in _in_order(compared, ends=False):
        told.setdefault(one.change, []).append(one)
    for change, ways in told.items():
        said: set[tuple[str, ...]] = set()
        meeting: dict[str, None] = {}
        for one in ways:
            said.update(*compared.differences[one].values())
            meeting.update(dict.fromkeys(compared.differences[one]))
        who = callers_named(meeting, compared.kinds)
        others = {one.others for one in ways}
        keys = tuple(dict.fromkeys(one.keys for one in ways))
        if keys != ((),) or len(others) > 1:
            who += f" who {_pressing(keys)}" if len(keys) == len(others) == 1 else " who come to it"
        always = tuple(taken for taken in ways[0].others if all(taken in each for each in others))
        times, circumstance = times_of(frozenset(said)), circumstances(always, compared)
        yield Sentence(times=times, callers=who, circumstance=circumstance, change=change)


def _in_order(compared: Compared, *, ends: bool) -> list[tuple[Difference, Mapping[str, set[tuple[str, ...]]]]]:
    found = [(one, by_caller) for one, by_caller in compared.differences.items() if one.change.ends == ends]
    return sorted(found, key=lambda one: len(one[0].others))


def _who(by_keys: Mapping[Path, list[str]], everybody: Mapping[str, CallerKind]) -> Iterator[str]:
    """Callers, and what they press: those who press the same are named together."""
    groups: dict[tuple[str, ...], list[Path]] = {}
    for keys, pressing in by_keys.items():
        groups.setdefault(tuple(dict.fromkeys(pressing)), []).append(keys)
    for callers, pressed in groups.items():
        who = callers_named(callers, everybody)
        yield who if () in pressed else f"{who} who {_pressing(pressed)}"


def callers_named(callers: Collection[str], everybody: Mapping[str, CallerKind]) -> str:
    """Kinds of callers, as more than one of each: `ordinary callers and callers of list vip (+33612340007)`."""
    if set(callers) == everybody.keys():
        return "callers"
    named, possible = (_by_did(everybody[one] for one in words) for words in (callers, everybody))
    if named.keys() == possible.keys() and len({frozenset(kinds) for kinds in named.values()}) == 1:
        return " and ".join(next(iter(named.values())))  # whichever number they dial
    parts = []
    for did, kinds in named.items():
        who = "callers" if did and set(kinds) == set(possible[did]) else " and ".join(kinds)
        parts.append(f"{who} who dial {did}" if did else who)
    return " and ".join(parts)


def _by_did(kinds: Iterable[CallerKind]) -> dict[str, list[str]]:
    """Callers in words, by the number they dial."""
    found: dict[str, list[str]] = {}
    for kind in kinds:
        found.setdefault(kind.did, []).append(kind.several)
    return found


def _pressing(ways: Iterable[Path]) -> str:
    """`press 2 or press nothing`, `press 1, then key 75011`."""
    ordered = sorted(_joined(ways), key=lambda way: (len(way), [taken.options for taken in way]))
    words = [", then ".join(listed(_choices(taken), "or") for taken in way) for way in ordered[:MOST_WAYS]]
    more = len(ordered) - MOST_WAYS
    if more > 0:
        words.append(f"go {how_many(more, 'more way')}")
    return "; or ".join(words) if len(words) > 1 else words[0]


def _joined(ways: Iterable[Path]) -> list[Path]:
    """Ways that part at their last question only are told as one."""
    found: dict[object, Path] = {}
    for way in ways:
        last = way[-1]
        key = tuple(taken.options for taken in way[:-1]), frozenset(last.everything)
        if key in found:
            last = replace(last, options=tuple(dict.fromkeys((*found[key][-1].options, *last.options))))
        found[key] = (*way[:-1], last)
    return [*found.values()]


def _choices(taken: Taken) -> list[str]:
    if not taken.others:
        return ["press anything"]
    if len(taken.others) == 1 and len(taken.options) > MOST_CHOICES:
        return [f"do anything but {_keyed(taken.others[0])}"]
    ordered = sorted(taken.options, key=lambda one: (one == "", one == WRONG, one == OTHER, one))
    return [_keyed(one) for one in ordered]


def _keyed(answer: str) -> str:
    words = {WRONG: "press a wrong key", OTHER: "key another number", "": "press nothing"}
    return words.get(answer, f"{'press' if len(answer) == 1 else 'key'} {answer}")

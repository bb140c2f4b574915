"""What a person reads of the values in a plan: lengths of time, prompts, conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from callrouter.core.conditions import (
    Bounds,
    Condition,
    DateWithin,
    DidIs,
    Measure,
    QueueStands,
    ShareOfCalls,
    VariableIs,
    VariableNumber,
    VariableStartsWith,
    VariableUnset,
)
from callrouter.core.dispatch import Means
from callrouter.core.effects import Announced
from callrouter.core.read_aloud import PromptPart

CALLED: Final[Mapping[Means, str]] = {
    Means.EMAIL: "e-mail",
    Means.SMS: "SMS",
    Means.WEBHOOK: "webhook",
    Means.PHONE: "telephone",
}
"""Means by which somebody is told of a message."""


def address_in_words(address: str) -> str:
    """Where somebody is reached, without the kind of the address."""
    return address.removeprefix("mailto:").removeprefix("sms:").removeprefix("tel:")


def length(seconds: float) -> str:
    """Seconds as a person says them: `20 s`, `3 min`."""
    minutes, rest = divmod(seconds, 60)
    if seconds < 60:
        return f"{seconds:g} s"
    return f"{minutes:g} min" if rest == 0 else f"{minutes:g} min {rest:g} s"


def listed(words: Sequence[str], last: str = "and") -> str:
    """Several things as a person lists them: `a, b and c`."""
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def said(sounds: Sequence[PromptPart]) -> str:
    """A prompt: its texts in quotes, files without one in brackets."""
    return " ".join(f"“{sound.text}”" if sound.text else f"[{sound.file.rpartition('/')[2]}]" for sound in sounds)


def describe_condition(condition: Condition) -> str:
    """What a branch asks."""
    match condition:
        case VariableIs(variable=variable, values=values):
            return f"{variable} = {' or '.join(values)}" if values else f"{variable} is set"
        case VariableUnset(variable=variable):
            return f"{variable} is not set"
        case VariableStartsWith(variable=variable, prefixes=prefixes):
            return f"{variable} starts with {' or '.join(prefixes)}"
        case VariableNumber(variable=variable, bounds=bounds):
            return f"{variable} {_bounds(bounds)}"
        case DateWithin():
            return condition.called
        case DidIs(numbers=numbers):
            return f"dialled {' or '.join(numbers)}"
        case ShareOfCalls(percent=percent):
            return f"{percent:g} % of calls"
        case QueueStands(queue=queue, measure=measure, bounds=bounds):
            unit = " s" if measure is Measure.EXPECTED_WAIT else ""
            return f"{queue}: {measure.replace('_', ' ')} {_bounds(bounds, unit)}"


def _bounds(bounds: Bounds, unit: str = "") -> str:
    named = {"below": bounds.below, "above": bounds.above, "at least": bounds.at_least, "at most": bounds.at_most}
    return " and ".join(f"{word} {value:g}{unit}" for word, value in named.items() if value is not None)


def told_in_words(announced: Announced) -> str:
    """What callers who wait are told, and how often: `told position and expected wait every 30 s`."""
    what = " and ".join(
        word for word, sounds in (("position", announced.places), ("expected wait", announced.minutes)) if sounds
    )
    return f"told {what or 'nothing'} every {length(announced.every_seconds)}"

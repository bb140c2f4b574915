"""What a branch can ask: a variable, the day, the number dialled, a share of the calls, or how a team's queue stands.

Each condition is a plain question with a plain answer, so that what a branch does can be proved; there is no
language of expressions.
"""

from __future__ import annotations

import re
import zlib
from datetime import date, datetime
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct

from callrouter.core.call import Call
from callrouter.core.inputs import QueueLook
from callrouter.core.schedule import Span
from callrouter.core.waiting.estimate import expected_seconds

if TYPE_CHECKING:
    from callrouter.core.plan import Plan

UNKNOWN_TALK_SECONDS = 120.0
"""Taken for the mean conversation of a queue that has had none since its switch started."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:[.,][0-9]{1,6})?", re.ASCII)


class Bounds(Struct, frozen=True, kw_only=True):
    """Where a number has to lie; all that are given must hold."""

    below: float | None = None
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def edges(self) -> tuple[float, ...]:
        """The numbers at which it is decided, in order."""
        return tuple(
            sorted({edge for edge in (self.below, self.above, self.at_least, self.at_most) if edge is not None})
        )

    def hold(self, value: float) -> bool:
        """Whether the number lies there."""
        return (
            (self.below is None or value < self.below)
            and (self.above is None or value > self.above)
            and (self.at_least is None or value >= self.at_least)
            and (self.at_most is None or value <= self.at_most)
        )


class VariableIs(Struct, frozen=True, kw_only=True):
    """The variable has one of these values; with none given: it is set at all."""

    variable: str
    values: tuple[str, ...] = ()

    def holds(self, plan: Plan, call: Call, at: datetime) -> str:
        """Why the condition holds, or an empty string."""
        value = call.variables.get(self.variable)
        return f"{self.variable} = {value}" if value is not None and self.fits(value) else ""

    def fits(self, value: str) -> bool:
        """Whether it holds for a variable that has this value."""
        return not self.values or value in self.values


class VariableUnset(Struct, frozen=True, kw_only=True):
    """The variable has not been set."""

    variable: str

    def holds(self, plan: Plan, call: Call, at: datetime) -> str:
        """Why the condition holds, or an empty string."""
        return "" if self.variable in call.variables else f"{self.variable} is not set"


class VariableStartsWith(Struct, frozen=True, kw_only=True):
    """The variable's value begins with one of these."""

    variable: str
    prefixes: tuple[str, ...]

    def holds(self, plan: Plan, call: Call, at: datetime) -> str:
        """Why the condition holds, or an empty string."""
        value = call.variables.get(self.variable)
        return f"{self.variable} = {value}" if value is not None and self.fits(value) else ""

    def fits(self, value: str) -> bool:
        """Whether it holds for a variable that has this value."""
        return value.startswith(self.prefixes)


class VariableNumber(Struct, frozen=True, kw_only=True):
    """The variable's value is a number, and lies within bounds; what is no number never does."""

    variable: str
    bounds: Bounds

    def holds(self, plan: Plan, call: Call, at: datetime) -> str:
        """Why the condition holds, or an empty string."""
        value = call.variables.get(self.variable, "").strip()
        return f"{self.variable} = {value}" if self.fits(value) else ""

    def fits(self, value: str) -> bool:
        """Whether a value of the variable is a number within the bounds."""
        value = value.strip()
        return bool(_NUMBER.fullmatch(value)) and self.bounds.hold(float(value.replace(",", ".")))


class DateWithin(Struct, frozen=True, kw_only=True):
    """The day, in the client's zone, is one of these."""

    spans: tuple[Span, ...]
    """In order."""
    timezone: str = ""
    """IANA name; empty: the plan's own."""
    written: str = ""
    """As the document writes it, where that holds for other years too; empty: first and last day say it."""

    @property
    def called(self) -> str:
        """What a person calls the days."""
        return self.written or ", ".join(
            f"{first} to {last}" if first != last else f"{first}" for first, last in self.spans
        )

    def holds_on(self, day: date) -> bool:
        """Whether a day is one of them."""
        return any(first <= day <= last for first, last in self.spans)

    def within(self, other: DateWithin) -> bool:
        """Whether all of them are among another's."""
        return all(any(first <= begun and ended <= last for first, last in other.spans) for begun, ended in self.spans)

    def first_shared(self, other: DateWithin) -> date | None:
        """The first day that is among another's too."""
        shared = (
            max(first, begun)
            for first, last in self.spans
            for begun, ended in other.spans
            if first <= ended and begun <= last
        )
        return min(shared, default=None)

    def holds(self, plan: Plan, call: Call, at: datetime) -> str:
        """Why the condition holds, or an empty string."""
        today = at.astimezone(ZoneInfo(self.timezone or plan.timezone)).date()
        named = f" ({self.written})" if self.written else ""
        return f"{today.isoformat()}{named}" if self.holds_on(today) else ""


class DidIs(Struct, frozen=True, kw_only=True):
    """The caller has dialled one of these numbers of the client's."""

    numbers: tuple[str, ...]
    """E.164."""

    def holds(self, plan: Plan, call: Call, at: datetime) -> str:
        """Why the condition holds, or an empty string."""
        return f"dialled {call.did}" if call.did in self.numbers else ""


def drawn(call_id: str) -> float:
    """Where a call stands among all calls, in percent: from 0 to 99.99."""
    return zlib.crc32(call_id.encode()) % 10_000 / 100


class ShareOfCalls(Struct, frozen=True, kw_only=True):
    """This share of the calls, in percent."""

    percent: float

    def holds(self, plan: Plan, call: Call, at: datetime) -> str:
        """Why the condition holds, or an empty string."""
        place = drawn(call.call_id)
        return f"drawn {place:.2f} of {self.percent:g} %" if place < self.percent else ""


class Measure(StrEnum):
    """What can be asked about a queue."""

    AGENTS = "agents"
    FREE = "free"
    WAITING = "waiting"
    EXPECTED_WAIT = "expected_wait"


class QueueStands(Struct, frozen=True, kw_only=True):
    """How a team's queue stands, measured when the call comes by."""

    queue: str
    measure: Measure
    bounds: Bounds

    def holds_for(self, look: QueueLook) -> str:
        """Why the condition holds, or an empty string."""
        match self.measure:
            case Measure.AGENTS:
                value, words = float(look.agents), f"{look.agents} agents logged in"
            case Measure.FREE:
                value, words = float(look.free), f"{look.free} agents free"
            case Measure.WAITING:
                value, words = float(look.waiting), f"{look.waiting} callers waiting"
            case Measure.EXPECTED_WAIT:
                value = expected_wait_seconds(look)
                words = "nobody logged in" if value == inf else f"some {value:.0f} s of waiting"
        return f"{self.queue}: {words}" if self.bounds.hold(value) else ""


ValueCondition = VariableIs | VariableStartsWith | VariableNumber
"""Those that compare a variable's value."""
OfTheOffer = DateWithin | DidIs | ShareOfCalls
"""Those that are decided when a call comes, and stay so."""
Condition = VariableIs | VariableUnset | VariableStartsWith | VariableNumber | OfTheOffer | QueueStands


def expected_wait_seconds(look: QueueLook) -> float:
    """How long a caller who joined the line now would wait, by rule of thumb.

    Seconds. 0 when more agents are free than callers wait; otherwise as for a caller at the end of the line, with all
    who are logged in (`waiting.estimate`). Without agents it is infinite. The mean is the switch's own running one (a
    quarter of it is the last conversation), or `UNKNOWN_TALK_SECONDS` before the first.
    """
    if look.free > look.waiting:
        return 0.0
    expected = expected_seconds(look.waiting + 1, look.agents, look.talk_seconds or UNKNOWN_TALK_SECONDS)
    return inf if expected is None else expected

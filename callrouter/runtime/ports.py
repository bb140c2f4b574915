"""What the driver needs from outside, as protocols: a switch to command, recorders and observers of facts,
a clock, and the plans of the clients.

Objects are made from the outside in (the link, the switch, the web services, the driver), and each is given what it
commands. What comes back has one way, a subscription: the one that is made later says by `tells`, in its constructor,
that it wants to hear. Nothing else is set on an object once it is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from callrouter.core.call import Call
from callrouter.core.effects import Effect, Lookup
from callrouter.core.facts import Fact
from callrouter.core.inputs import CallOffered, Input
from callrouter.core.plan import Plan


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """An aware UTC datetime."""
        ...


class Plans(Protocol):
    """The clients' plans now in service."""

    def for_did(self, did: str) -> Plan:
        """The plan of a dialled number as the switch sent it; the plan for unknown numbers when no client has it."""
        ...


class Switch(Protocol):
    """Asterisk, seen from the engine."""

    def tells(self, inbox: Inbox) -> None:
        """Subscribe, before the first call: everything heard goes there."""
        ...

    def perform(self, call: Call, state: bytes, effects: Sequence[Effect]) -> None:
        """Do this for the call, as one batch; never blocks, and never raises for what happens on the line.

        `state` is the call's serialised form, to be kept by the switch with the call before the effects run.
        The result comes back through `Inbox.tell` and names `call.step`.
        """
        ...

    def keep(self, call: Call, state: bytes) -> None:
        """Keep this state with the call, without disturbing what it is doing."""
        ...

    def release(self, call_id: str) -> None:
        """The call has ended: forget it."""
        ...


class CallKeeper(Protocol):
    """Keeps calls in progress where they outlive this process and the switch; must be quick."""

    def note(self, call_id: str, state: bytes) -> None:
        """The call has reached this state."""
        ...


class _NotKept:
    """For those whose calls nobody keeps."""

    def note(self, call_id: str, state: bytes) -> None:
        """Lost."""


NOT_KEPT: Final[CallKeeper] = _NotKept()


class Directory(Protocol):
    """Who is where, for those who are to be given a caller."""

    def is_known(self) -> bool:
        """Whether that is known: an engine that has just begun has still to read it."""
        ...

    def colleague(self, name: str) -> str:
        """The agent of this name, number or telephone; "" when nobody is."""
        ...

    def at(self, phone: str) -> str:
        """The agent who is rung at a telephone; "" when nobody is."""
        ...

    def phone(self, agent: str) -> str:
        """The telephone of an agent, where they are logged in; "" when they are nowhere."""
        ...

    def queue_of(self, agent: str) -> str:
        """A queue whose member the agent is; "" when they are of none."""
        ...

    def team(self, name: str) -> str:
        """The queue of the team of this name; "" when there is none."""
        ...


class _Nobody:
    """The directory of a place without agents."""

    def is_known(self) -> bool:
        """Nobody is anywhere."""
        return True

    def colleague(self, name: str) -> str:
        """Nobody."""
        return ""

    def at(self, phone: str) -> str:
        """Nobody."""
        return ""

    def phone(self, agent: str) -> str:
        """Nowhere."""
        return ""

    def queue_of(self, agent: str) -> str:
        """None."""
        return ""

    def team(self, name: str) -> str:
        """None."""
        return ""


NOBODY: Final[Directory] = _Nobody()


class WebServices(Protocol):
    """Those who can be asked while a caller waits."""

    def tells(self, inbox: Inbox) -> None:
        """Subscribe, before the first call: every answer goes there."""
        ...

    def start(self, call_id: str, step: int, lookup: Lookup) -> None:
        """Ask; never blocks. The answer comes back through `Inbox.tell` and names the step."""
        ...

    def cancel(self, call_id: str) -> None:
        """The call does not wait for an answer any more."""
        ...


class Inbox(Protocol):
    """Where a switch puts what it hears."""

    def offer(self, offered: CallOffered) -> None:
        """A new call rings."""
        ...

    def tell(self, call_id: str, told: Input) -> None:
        """Something happened to a call; unknown and ended calls are ignored."""
        ...


class _Unheard:
    """The inbox of those to whom nobody listens yet."""

    def offer(self, offered: CallOffered) -> None:
        """Lost."""

    def tell(self, call_id: str, told: Input) -> None:
        """Lost."""


UNHEARD: Final[Inbox] = _Unheard()


class Observer(Protocol):
    """Receives facts, synchronously; must be quick: metrics, the log, the recorder's queue."""

    @property
    def interests(self) -> frozenset[type[Fact]]:
        """The kinds of facts that it receives; no others."""
        ...

    def observe(self, facts: Sequence[Fact]) -> None:
        """Facts of one turn, in order. Must not block or raise."""
        ...


class LookupMeter(Protocol):
    """Where it is counted what web services answer."""

    def observe_lookup(self, service: str, outcome: str, seconds: float) -> None:
        """A lookup ended so (`answered` or `failed`) after this time; `service` is which of the operator's list."""
        ...


class Meter(Protocol):
    """Where durations are measured to; both must cost next to nothing."""

    def observe_decision(self, seconds: float) -> None:
        """The core took this long for one input."""
        ...

    def observe_round_trip(self, seconds: float) -> None:
        """A command was written, carried out by the switch, and its result read, within this time."""
        ...

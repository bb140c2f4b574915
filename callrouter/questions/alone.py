"""What Asterisk alone does with a call to one of a client's numbers, and when: by the client's own tree.

Nobody reads keys then, looks at queues, or asks a web service. So it is what the tree does with a caller of no list who
presses nothing; but while no hours or dates of the tree say that the client is closed, who calls has the `fallback`
that the client has declared for when something cannot be done.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from callrouter.core.call import Call, CallerId
from callrouter.core.effects import Hangup, Sound
from callrouter.core.fallback import CLOSED, Alone, Ready, out_of_hours, ready_by, ready_of, said_by
from callrouter.core.inputs import CallOffered
from callrouter.core.plan import Plan
from callrouter.dialplan.documents.expected_file import ANYBODY, FAILED
from callrouter.questions.decisions import Decision, Decisions
from callrouter.questions.occasions import calendar, ordinary_caller
from callrouter.questions.rehearsal import Cast, Script, begin, decided_by, follow

_CALL_ID = "alone"
_SILENT = Script(decided={Decision("lookup", ANYBODY): FAILED})
"""Nothing is keyed, and no web service answers."""


class Change(Struct, frozen=True, kw_only=True):
    """From an instant on Asterisk does this."""

    at: datetime
    ready: Ready


def declared(plan: Plan) -> Ready | None:
    """What the client's `fallback` is to Asterisk alone."""
    node = plan.nodes.get(plan.fallback)
    return ready_of(node) if node else None


class AloneBy:
    """What Asterisk does by one plan with callers of one of its numbers."""

    def __init__(self, plan: Plan, did: str, caller: CallerId | None = None) -> None:
        """`caller`: by default one of no list."""
        self._plan = plan
        self._did = did
        self._caller = caller or ordinary_caller(plan)
        self._decisions = Decisions(plan)
        self._calendar = calendar(plan)
        self._declared = declared(plan)
        self._known: dict[tuple[str, ...], Ready] = {}
        """By what the calendar says: the tree reads nothing else of an instant."""

    def at(self, instant: datetime) -> Ready:
        """At one instant."""
        said = self._calendar.said_at(instant)
        if said not in self._known:
            self._known[said] = self._walked(instant)
        return self._known[said]

    def timeline(self, since: datetime, until: datetime) -> list[Change]:
        """From one instant to before another: what holds at the first, and each change."""
        found = [Change(at=since, ready=self.at(since))]
        for at in self._calendar.changes(since, until):
            ready = self.at(at)
            if ready != found[-1].ready:
                found.append(Change(at=at, ready=ready))
        return found

    def _walked(self, instant: datetime) -> Ready:
        ready, call = self.silent(instant)
        if self._declared is None or self._is_closed(call):
            return ready
        return self._declared

    def silent(self, instant: datetime) -> tuple[Ready, Call]:
        """Where the tree leads a caller who presses nothing, and the call as far as there."""
        offered = CallOffered(call_id=_CALL_ID, did=self._did, caller=self._caller, at=instant.astimezone(UTC))
        step, cast = begin(self._plan, offered), Cast(_SILENT)
        sounds: tuple[Sound, ...] = ()
        while not step.call.ended:
            sounds += said_by(step.effects)
            if (found := ready_by(step.call.node, step.wait, sounds)) is not None:
                return found, step.call
            if isinstance(step.wait, Hangup):
                break
            step = follow(self._decisions, step, decided_by(self._decisions, step, cast))
        return Ready(does=Alone.CLOSED, sounds=sounds) if sounds else CLOSED, step.call

    def _is_closed(self, call: Call) -> bool:
        return any(
            out_of_hours(self._plan.about[visit.node], visit.exit)
            for visit in call.visits
            if visit.node in self._plan.about
        )


def in_words(ready: Ready) -> str:
    """What a caller gets, for a person."""
    said = " ".join(sound.text or sound.file for sound in ready.sounds)
    match ready.does:
        case Alone.QUEUE:
            return f"queue {ready.whom}" + (f", priority {ready.priority}" if ready.priority else "")
        case Alone.NUMBER:
            return f"number {ready.whom}"
        case Alone.MESSAGE:
            return f"a message, as at {ready.whom}" + (f", after “{said}”" if said else "")
        case Alone.CLOSED:
            return f"“{said}”, and the end" if said else "Asterisk's own sentence that nobody can answer, and the end"


def told(plan: Plan, since: datetime, days: int = 14) -> Iterator[str]:
    """What each of the client's numbers gets from an instant on, as lines for a person."""
    zone = ZoneInfo(plan.timezone)
    until = since + timedelta(days=days)
    yield f"{plan.name} ({plan.source}), without the engine, {plan.timezone}:"
    for did in plan.numbers:
        yield f"  {did}"
        for one in AloneBy(plan, did).timeline(since, until):
            yield f"    {one.at.astimezone(zone):%a %Y-%m-%d %H:%M}  {in_words(one.ready)}"

"""What Asterisk alone does with a call to one of a client's numbers, and when: by the client's own tree.

Nobody reads keys then, looks at queues, or asks a web service. So it is what the tree does with a caller of no list who
presses nothing; but while no hours or dates of the tree say that the client is closed, who calls has the `fallback`
that the client has declared for when something cannot be done. Callers of lists whom the tree refuses, or sends to
another queue or number than others, or earlier, have that.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from callrouter.core.call import Call, CallerId, Disposition
from callrouter.core.effects import Hangup, Sound
from callrouter.core.fallback import CLOSED, Alone, Ready, out_of_hours, ready_by, ready_of, said_by
from callrouter.core.inputs import CallOffered
from callrouter.core.plan import Plan
from callrouter.dialplan.documents.expected_file import ANYBODY, FAILED
from callrouter.dialplan.issues import Issue, Severity
from callrouter.questions.decisions import Decision, Decisions
from callrouter.questions.occasions import calendar, entries, held_by, ordinary_caller
from callrouter.questions.once import found_once
from callrouter.questions.rehearsal import Cast, Script, begin, decided_by, follow

_CALL_ID = "alone"
_SILENT = Script(decided={Decision("lookup", ANYBODY): FAILED})
"""Nothing is keyed, and no web service answers."""


_THEIR_OWN = frozenset({Alone.QUEUE, Alone.NUMBER, Alone.REFUSED})
"""What callers of a list have of their own, also where a fallback is declared."""


DAYS_AHEAD: Final = 15
"""Known to Asterisk from a midnight on: two weeks from any instant of that day. Then the declared fallback has them."""
MOST_LISTED: Final = 300
"""Of a client's callers of lists: Asterisk's database is no telephone book."""


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

    def __init__(self, plan: Plan, did: str) -> None:
        self._plan = plan
        self._did = did
        self._ordinary = ordinary_caller(plan)
        self._decisions = Decisions(plan)
        self._calendar = calendar(plan)
        self._declared = declared(plan)
        self._known: dict[tuple[Hashable, ...], Ready] = {}
        """By what the calendar says, and the lists that hold the caller: the tree reads nothing else."""
        self._ordinary_ready: dict[tuple[str, ...], Ready] = {}
        """By what the calendar says: where the tree leads a caller of no list."""
        self._held: dict[CallerId, tuple[str, ...]] = {}

    def at(self, instant: datetime, caller: CallerId | None = None) -> Ready:
        """At one instant; `caller`: by default one of no list."""
        caller = caller or self._ordinary
        if caller not in self._held:
            self._held[caller] = held_by(self._plan, caller)
        key = self._said(instant), self._held[caller]
        if key not in self._known:
            self._known[key] = self._walked(instant, caller)
        return self._known[key]

    def timeline(self, since: datetime, until: datetime, caller: CallerId | None = None) -> tuple[Change, ...]:
        """From one instant to before another: what holds at the first, and each change."""
        return self._timeline(since, until, caller or self._ordinary)

    @found_once
    def _timeline(self, since: datetime, until: datetime, caller: CallerId) -> tuple[Change, ...]:
        found: list[Change] = []
        for at in self._changes(since, until):
            ready = self.at(at, caller)
            # The same object where it is known already: comparing two takes as long as finding one.
            if not found or (ready is not found[-1].ready and ready != found[-1].ready):
                found.append(Change(at=at, ready=ready))
        return tuple(found)

    @found_once
    def _changes(self, since: datetime, until: datetime) -> list[datetime]:
        """When the calendar begins to say something else, and the first instant."""
        found, last = [since], self._said(since)
        for at in self._calendar.changes(since, until):
            said = self._said(at)
            if said != last:
                found.append(at)
            last = said
        return found

    @found_once
    def _said(self, instant: datetime) -> tuple[str, ...]:
        return self._calendar.said_at(instant)

    def _walked(self, instant: datetime, caller: CallerId) -> Ready:
        ready, call = self.silent(instant, caller)
        if self._declared is None or self._is_closed(call):
            return ready
        differs = caller != self._ordinary and ready != self._ordinarily(self._said(instant), instant)
        return ready if differs and ready.does in _THEIR_OWN else self._declared

    def _ordinarily(self, said: tuple[str, ...], instant: datetime) -> Ready:
        if said not in self._ordinary_ready:
            self._ordinary_ready[said] = self.silent(instant, self._ordinary)[0]
        return self._ordinary_ready[said]

    def silent(self, instant: datetime, caller: CallerId) -> tuple[Ready, Call]:
        """Where the tree leads a caller who presses nothing, and the call as far as there."""
        offered = CallOffered(call_id=_CALL_ID, did=self._did, caller=caller, at=instant.astimezone(UTC))
        step, cast = begin(self._plan, offered), Cast(_SILENT)
        sounds: tuple[Sound, ...] = ()
        while not step.call.ended:
            sounds += said_by(step.effects)
            if (found := ready_by(step.call.node, step.wait, sounds)) is not None:
                return found, step.call
            if isinstance(step.wait, Hangup):
                if step.call.verdict is Disposition.REJECTED:
                    return Ready(does=Alone.REFUSED, cause=step.wait.cause, sounds=sounds), step.call
                break
            step = follow(self._decisions, step, decided_by(self._decisions, step, cast))
        return Ready(does=Alone.CLOSED, sounds=sounds) if sounds else CLOSED, step.call

    def _is_closed(self, call: Call) -> bool:
        return any(
            out_of_hours(self._plan.about[visit.node], visit.exit)
            for visit in call.visits
            if visit.node in self._plan.about
        )


class Listed(Struct, frozen=True, kw_only=True):
    """Callers of lists whom Asterisk alone serves otherwise than all others."""

    entry: str
    """A whole number, a beginning (`+338*`), or why there is none (`withheld`): the longest that fits counts."""
    changes: tuple[Change, ...]


def callers_told_apart(plan: Plan, alone: AloneBy, since: datetime, until: datetime) -> Iterator[Listed]:
    """Each entry of the tree's lists by which somebody is served otherwise, or would be but for this one."""
    usual = alone.timeline(since, until)
    known: dict[tuple[str, ...], tuple[Change, ...]] = {}
    begun: list[str] = []
    for entry, caller in sorted(entries(plan), key=lambda one: (len(one[0].rstrip("*")), one[0])):
        held = held_by(plan, caller)
        if held not in known:
            known[held] = alone.timeline(since, until, caller)
        changes = known[held]
        if changes != usual or any(entry.startswith(one) for one in begun):
            yield Listed(entry=entry, changes=changes)
            if entry.endswith("*"):
                begun.append(entry.removesuffix("*"))


def known_callers(plan: Plan, alone: AloneBy, since: datetime, until: datetime) -> tuple[list[Listed], int]:
    """Those of them whom Asterisk is told of, and how many it is not: they are served as all others are.

    Beginnings come first, with what is more exact. Nobody gets what is meant for others: a beginning of which a more
    exact entry is left out is left out, too.
    """
    found = list(callers_told_apart(plan, alone, since, until))
    begun = tuple(one.entry.removesuffix("*") for one in found if not one.entry[1:].isdigit())
    kept = sorted(found, key=lambda one: not one.entry.startswith(begun))
    count = len(kept)
    kept, lost = kept[:MOST_LISTED], kept[MOST_LISTED:]
    while lost:
        lost = [one for one in kept if one.entry.endswith("*") and _has_exceptions(one, lost)]
        kept = [one for one in kept if one not in lost]
    return kept, count - len(kept)


def _has_exceptions(beginning: Listed, others: Iterable[Listed]) -> bool:
    begun = beginning.entry.removesuffix("*")
    return any(one.entry.startswith(begun) and one.changes != beginning.changes for one in others)


def left_out(plans: Iterable[Plan], since: datetime) -> Iterator[Issue]:
    """Warnings of lists that are too long for Asterisk alone."""
    until = since + timedelta(days=DAYS_AHEAD)
    for plan in plans:
        if sum(1 for _ in entries(plan)) <= MOST_LISTED:
            continue
        most = max((known_callers(plan, AloneBy(plan, did), since, until)[1] for did in plan.numbers), default=0)
        if most:
            lists = {name: about.reads.lists for name, about in plan.about.items() if about.reads.lists}
            asks = plan.nodes[max(lists, key=lambda name: sum(len(one.numbers) for one in lists[name]))]
            yield Issue(
                file=asks.source or plan.source,
                line=asks.line,
                node=asks.name,
                message=_left_out(most),
                severity=Severity.WARNING,
            )


def _left_out(count: int) -> str:
    return (
        f"{count} of the numbers and beginnings in lists are served as all others when no engine is there:"
        f" Asterisk alone is told of {MOST_LISTED} at most"
    )


def in_words(ready: Ready) -> str:
    """What a caller gets, for a person."""
    said = " ".join(sound.text or sound.file for sound in ready.sounds)
    match ready.does:
        case Alone.QUEUE:
            return f"queue {ready.whom}" + (f", priority {ready.priority}" if ready.priority else "")
        case Alone.NUMBER:
            return f"number {ready.whom}"
        case Alone.REFUSED:
            return f"refused, cause {ready.cause}" + (f", after “{said}”" if said else "")
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
        alone = AloneBy(plan, did)
        for one in alone.timeline(since, until):
            yield f"    {one.at.astimezone(zone):%a %Y-%m-%d %H:%M}  {in_words(one.ready)}"
        callers, cut = known_callers(plan, alone, since, until)
        for listed in callers:
            for one in listed.changes:
                yield f"    {listed.entry}: {one.at.astimezone(zone):%a %Y-%m-%d %H:%M}  {in_words(one.ready)}"
        if cut:
            yield f"    {_left_out(cut)}"

"""The calls of one day, as rows for COPY: what the recorder would have written, without an engine.

What is drawn is drawn for the whole day at once (numpy); the rows are then written one by one, in the order in which
the calls ended. Rows and traces say the same: `tests/bench` reads calls back and has the recorder's own code
(`store.writing.rows`) write them again.

Instants are integers, microseconds after PostgreSQL's epoch (`expect_rows`); those of a trace count from when it rang.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from bench.history.clients import EVERYBODY, Client, agents, client, shares
from callrouter.core.call import DEFAULT_PBX
from callrouter.store.tables import PATH_ARROW
from callrouter.store.writing.rows import POSTGRES_EPOCH, Row

US: Final = 1_000_000
"""Microseconds in a second."""
COLUMNS: Final = {
    "calls": (
        *("call_id", "client", "plan_version", "did", "caller_number", "caller_name", "presentation", "diverted_from"),
        *("disposition", "hangup_cause", "ringing_at", "answered_at", "entered_service_at", "offered_at", "bridged_at"),
        *("ended_at", "waiting_seconds", "talk_seconds", "agent", "node_path", "variables", "trace"),
        *("pbx", "epoch", "revision"),
    ),
    "queue_visits": (
        *("call_id", "position", "queue", "entered_at", "offered_at", "offers", "agent", "answered_at", "left_at"),
        *("outcome", "waiting_seconds", "pbx"),
    ),
    "messages": (
        *("message_id", "call_id", "position", "client", "recording", "seconds", "deliver", "started_at", "node"),
        *("state", "taken_at", "caller_number", "caller_name", "plan_version"),
    ),
    "callbacks": ("call_id", "position", "client", "number", "node", "asked_at", "state"),
    "offers": (
        *("call_id", "number", "queue", "agent", "began_at", "ended_at", "outcome", "cause", "epoch", "revision"),
    ),
    "legs": (
        *("leg_id", "call_id", "number", "pbx", "purpose", "direction", "party", "began_at", "answered_at", "ended_at"),
        *("talk_seconds", "hold_seconds", "ended_by", "cause", "epoch", "revision"),
    ),
    "holds": ("leg_id", "number", "call_id", "began_at", "ended_at", "epoch", "revision"),
    "agent_sessions": (
        *("session_id", "agent", "pbx", "kind", "phone", "reason", "call_id", "started_at", "ended_at", "ended_by"),
    ),
}
"""Columns that rows are given for, by table; others keep their defaults."""
PEOPLE: Final = ("offers", "legs", "holds", "agent_sessions")
"""Tables of what only agents' figures need."""

WEEKDAYS: Final = (1.18, 1.05, 1.0, 0.98, 0.95, 0.22, 0.07)
"""What a day of the week has of a usual one, from Monday."""
HOURS: Final = (
    *(0.15, 0.1, 0.08, 0.08, 0.1, 0.3, 0.8, 2.5, 8.0, 11.0, 11.5, 9.0),
    *(4.5, 6.0, 10.0, 10.0, 9.0, 7.5, 4.5, 2.0, 1.2, 0.8, 0.5, 0.3),
)
"""How a working day's calls are spread over the hours of the client's clock."""
_SATURDAY, _SUNDAY = 5, 6

OPEN: Final = {
    "answered": 0.565,
    "answered_later": 0.03,
    "transferred": 0.02,
    "redirected": 0.045,
    "abandoned": 0.125,
    "overflowed": 0.085,
    "rang_out": 0.015,
    "called_back": 0.01,
    "self_served": 0.03,
    "left_early": 0.05,
    "rejected": 0.019,
    "failed": 0.006,
}
"""What becomes of callers in opening hours, as shares."""
CLOSED: Final = {"closed": 0.44, "redirected": 0.08, "left_early": 0.25, "self_served": 0.204, "rejected": 0.02} | {
    "failed": 0.006
}
_KINDS: Final = tuple({**OPEN, **CLOSED})
_NAMES: Final = ("", "", "", "", "", "Dupont Marie", "Hélène Martin", "SARL Petit", "Lefèvre J.", "Cabinet Roux")

Table = list[Row]


@dataclass(slots=True)
class DayRows:
    """The rows of a day by table, in the order in which they would have been written."""

    calls: int = 0
    tables: dict[str, Table] = field(default_factory=lambda: {name: [] for name in COLUMNS})


@cache
def _chances(clients: int) -> NDArray[np.float64]:
    return shares(clients)


@cache
def _spread(weekday: int) -> NDArray[np.float64]:
    weights = np.array(HOURS)
    if weekday >= _SATURDAY:
        weights[13:] *= 0.4
    return np.asarray(weights / weights.sum())


def _midnights(day: date, zone: str) -> list[int]:
    """For each hour of the zone's clock on a day: the microseconds by which its instant is after the clock's time."""
    where = ZoneInfo(zone)
    naive = (datetime(day.year, day.month, day.day, tzinfo=UTC) - POSTGRES_EPOCH) // timedelta(microseconds=1)
    offsets = [datetime(day.year, day.month, day.day, hour, 30, tzinfo=where).utcoffset() for hour in range(24)]
    return [naive - (offset or timedelta()) // timedelta(microseconds=1) for offset in offsets]


def rows_of(day: date, calls: int, *, clients: int, seed: int, people: bool = True) -> DayRows:
    """The rows of so many calls on a day, of clients by their share; offers, legs and the like only with `people`."""
    rng = np.random.default_rng((seed, day.toordinal()))
    writer = _Writer(day, rng, calls, people)
    writer.write(rng.choice(clients, calls, p=_chances(clients)) + 1)
    return writer.done()


class _Writer:
    """Writes the rows of a day; each method is one way in which a call may go."""

    def __init__(self, day: date, rng: Generator, calls: int, people: bool) -> None:
        self._day = day
        self._calls = calls
        self._people = people
        self._found: list[tuple[int, dict[str, Any]]] = []
        # Drawn at once, and taken one after the other: a generator that is asked for each costs more than the row.
        self._uniform = rng.random(calls * 14 + 64).tolist()
        self._patience = rng.exponential(1.0, calls * 4 + 64).tolist()
        self._talk = np.exp(rng.normal(4.35, 0.75, calls * 3 + 64)).tolist()
        self._rng = rng
        self._epoch = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
        self._rows = DayRows(calls=calls)
        self._last: dict[str, tuple[int, int]] = {}
        """By agent: when their first conversation of the day began, and when the last one ended."""

    def write(self, numbers: NDArray[np.int64]) -> None:
        """Write a call of each of these clients."""
        weekday = self._day.weekday()
        hours = self._rng.choice(24, self._calls, p=_spread(weekday))
        within = self._rng.integers(0, 3600 * US, self._calls)
        closed = (weekday == _SUNDAY) | (hours < 8) | (hours >= (12 if weekday == _SATURDAY else 19))
        opened = self._rng.choice(len(OPEN), self._calls, p=_shares(tuple(OPEN.items())))
        shut = self._rng.choice(len(CLOSED), self._calls, p=_shares(tuple(CLOSED.items())))
        of_closed = np.array([_KINDS.index(name) for name in CLOSED])
        kinds = np.where(closed, of_closed[shut], opened)
        midnights: dict[str, list[int]] = {}
        known: dict[int, tuple[Client, tuple[str, str, str]]] = {}
        ways: list[Callable[[_Journey], str]] = [getattr(self, f"_{name}") for name in _KINDS]
        drawn = zip(numbers.tolist(), hours.tolist(), within.tolist(), kinds.tolist(), closed.tolist(), strict=True)
        for place, (number, hour, after, kind, shut_now) in enumerate(drawn):
            if number not in known:
                one = client(number)
                known[number] = one, one.as_of(self._day)
            whose, names = known[number]
            if names[2] not in midnights:
                midnights[names[2]] = _midnights(self._day, names[2])
            rang = midnights[names[2]][hour] + hour * 3600 * US + after
            journey = self._begin(place, whose, names, rang, f"{hour:02}:{after // (60 * US):02}", shut_now)
            journey.disposition = ways[kind](journey)
            self._end(journey)

    def done(self) -> DayRows:
        """The rows, in the order in which the calls ended."""
        tables = self._rows.tables
        self._found.sort(key=lambda one: one[0])
        for _, rows in self._found:
            for table, added in rows.items():
                tables[table] += added
        if self._people:
            tables["agent_sessions"] += [
                _session(agent, "login", first - 600 * US, last + 300 * US, "")
                for agent, (first, last) in self._last.items()
            ]
            tables["agent_sessions"] += [
                _session(agent, "pause", (first + last) // 2, (first + last) // 2 + 1500 * US, "lunch")
                for agent, (first, last) in self._last.items()
            ]
        return self._rows

    def _begin(
        self, place: int, whose: Client, names: tuple[str, str, str], rang: int, clock: str, closed: bool
    ) -> _Journey:
        draw = self._uniform.pop
        number: str | None = f"+336{whose.number:03}{int(draw() ** 2 * (90_000 / whose.number + 60)):05}"
        if draw() < 0.04:
            number = None
        weekday = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[self._day.weekday()]
        second = rang // US + int(POSTGRES_EPOCH.timestamp())
        journey = _Journey(
            call_id=f"{second}-7-{place:06}",
            whose=whose,
            client=names[0],
            version=names[1],
            rang=rang,
            did=whose.dids[int(draw() ** 2 * len(whose.dids))],
            number=number,
            name=_NAMES[int(draw() * len(_NAMES))] if number else "",
            now=10_000 + int(draw() * 40_000),
        )
        journey.answered = journey.now
        journey.passes("filter", "otherwise", number or "withheld")
        journey.passes("hours", "closed" if closed else "open", f"{weekday} {clock}")
        return journey

    def _menu(self, journey: _Journey) -> int:
        """The caller hears the welcome and presses a key, 1 or 2."""
        journey.now += 4 * US + int(self._uniform.pop() * 9 * US)
        key = 1 if self._uniform.pop() < 0.7 else 2
        journey.passes("welcome", f"key:{key}", f"key {key}")
        return key

    def _seconds(self, mean: float, least: float = 0.3) -> int:
        """A time of that mean and at least so long, in microseconds."""
        return int((least + self._patience.pop() * mean) * US)

    def _agent(self, queue: str) -> str:
        who = agents(queue)
        return who[int(self._uniform.pop() ** 1.3 * len(who))]

    def _wait(self, journey: _Journey, queue: str, wait: int, outcome: str) -> None:
        """A visit to a queue that lasts so long, and ends with an answer and a conversation, or otherwise."""
        entered = journey.now
        journey.enter()
        left = entered + wait
        agent, offered, answered, offers = None, None, None, 0
        if outcome == "answered" or (outcome in ("abandoned", "timeout") and self._uniform.pop() < 0.6):
            agent, offers = self._agent(queue), 1
            offered = max(entered, left - 2 * US - int(self._uniform.pop() * 8 * US))
            if self._uniform.pop() < 0.12 and offered > entered:  # somebody else did not take it before
                offers = 2
                first, offered = entered + (offered - entered) // 4, offered
                self._offer(journey, queue, self._agent(queue), first, offered, "rang_out", None)
                begun = first
            else:
                begun = offered
            if outcome == "answered":
                answered = left
                left = answered + int(self._talk.pop() * US)
                journey.bridge(answered, agent)
            journey.offered = begun if journey.offered is None else journey.offered
            leaving = {"answered": "answered", "abandoned": "caller_left", "timeout": "rang_out"}[outcome]
            self._offer(journey, queue, agent, offered, left if answered is None else answered, leaving, answered)
            if answered is not None:
                self._talks(journey, agent, offered, answered, left)
            offered = begun
        journey.now = left
        journey.waits += (left if answered is None else answered) - entered
        journey.waiting += max(0, (left if answered is None else answered) - entered) / US
        if answered is not None:
            journey.talk += max(0, left - answered) / US
        journey.visits.append((queue, entered, offers, offered, agent, answered, left, outcome))

    def _offer(
        self, journey: _Journey, queue: str, agent: str, began: int, ended: int, outcome: str, answered: int | None
    ) -> None:
        journey.offers_made += 1
        journey.legs_made += 1
        if not self._people:
            return
        journey.offers.append((queue, agent, began, ended, outcome))
        if answered is None:
            journey.legs.append(("agent", agent, began, None, ended, 0.0, None, 16))

    def _talks(self, journey: _Journey, agent: str, began: int, answered: int, left: int) -> None:
        """An agent's leg, now and then with a time on hold, and their wrap-up."""
        held = 0.0
        if self._uniform.pop() < 0.05 and left - answered > 40 * US:
            since = answered + (left - answered) // 3
            until = since + (left - answered) // 4
            held = (until - since) / US
            journey.held += held
            if self._people:
                journey.holds.append((journey.legs_made, since, until))
        if not self._people:
            return
        by = "caller" if self._uniform.pop() < 0.6 else "agent"
        journey.legs.append(("agent", agent, began, answered, left, held, by, 16))
        since, until = journey.rang + answered, journey.rang + left
        first, last = self._last.get(agent, (since, until))
        self._last[agent] = min(first, since), max(last, until)
        if self._uniform.pop() < 0.5:
            wrap = _session(agent, "wrap_up", until, until + self._seconds(20, 3), "", journey.call_id)
            self._rows.tables["agent_sessions"].append(wrap)

    # Ways that a call may go, each with the disposition it ends with.

    def _answered(self, journey: _Journey) -> str:
        key = self._menu(journey)
        queue = journey.whose.teams[key - 1]
        self._wait(journey, queue, self._seconds(13, 1.5), "answered")
        journey.node = "secretaries"
        journey.passes("secretaries", "answered", f"{journey.agent}, {journey.waits // US} s")
        return "answered"

    def _answered_later(self, journey: _Journey) -> str:
        key = self._menu(journey)
        self._wait(journey, journey.whose.teams[key - 1], 60 * US, "timeout")
        journey.passes("secretaries", "timeout", "60 s")
        self._wait(journey, EVERYBODY, self._seconds(20, 1.5), "answered")
        journey.passes("anybody", "answered", f"{journey.agent}, {journey.waits // US} s")
        return "answered"

    def _transferred(self, journey: _Journey) -> str:
        disposition = self._answered(journey)
        colleague = self._agent(EVERYBODY)
        started = journey.now
        answered = started + self._seconds(4, 1)
        ended = answered + int(self._talk.pop() * US)
        journey.dials.append(f'["{colleague}",{started},{answered},{ended},"answered",0,"",[],"{colleague}"]')
        journey.waiting += (answered - started) / US
        journey.talk += (ended - answered) / US
        journey.agent, journey.now = colleague, ended
        self._offer(journey, journey.visits[-1][0], colleague, started, answered, "answered", answered)
        self._talks(journey, colleague, started, answered, ended)
        return disposition

    def _redirected(self, journey: _Journey) -> str:
        started = journey.now = journey.now + self._seconds(6, 3)
        journey.enter()
        answered = started + self._seconds(7, 2)
        ended = answered + int(self._talk.pop() * US)
        journey.bridge(answered, None)
        journey.dials.append(f'["on_call",{started},{answered},{ended},"answered"]')
        journey.waiting += (answered - started) / US
        journey.talk += (ended - answered) / US
        journey.now = ended
        journey.legs_made += 1
        if self._people:
            journey.legs.append(("contact", "on_call", started, answered, ended, 0.0, "caller", 16))
        journey.passes("on_call", "answered", "on_call")
        return "redirected"

    def _abandoned(self, journey: _Journey) -> str:
        key = self._menu(journey)
        self._wait(journey, journey.whose.teams[key - 1], self._seconds(38), "abandoned")
        journey.node = "secretaries"
        return "abandoned"

    def _overflowed(self, journey: _Journey) -> str:
        key = self._menu(journey)
        why = ("timeout", "full", "empty")[int(self._uniform.pop() ** 2 * 3)]
        wait = 90 * US + int(self._uniform.pop() * US) if why == "timeout" else 2_000 + int(self._uniform.pop() * 1000)
        self._wait(journey, journey.whose.teams[key - 1], wait, why)
        journey.passes("secretaries", why, f"{journey.waits // US} s")
        return self._leaves_message(journey)

    def _rang_out(self, journey: _Journey) -> str:
        started = journey.now = journey.now + self._seconds(6, 3)
        journey.enter()
        journey.now = started + 25 * US
        journey.dials.append(f'["on_call",{started},null,{journey.now},"no_answer"]')
        journey.waiting += (journey.now - started) / US
        journey.legs_made += 1
        if self._people:
            journey.legs.append(("contact", "on_call", started, None, journey.now, 0.0, None, 19))
        journey.passes("on_call", "no_answer", "25 s")
        return self._leaves_message(journey)

    def _called_back(self, journey: _Journey) -> str:
        if journey.number is None:
            return self._overflowed(journey)
        key = self._menu(journey)
        self._wait(journey, journey.whose.teams[key - 1], self._seconds(30, 20), "exited")
        journey.passes("secretaries", "key:1", "key 1")
        asked = journey.now = journey.now + 5 * US
        journey.callbacks.append((journey.number, asked))
        journey.node = "callback"
        journey.passes("callback", "done", journey.number)
        return "message_left"

    def _closed(self, journey: _Journey) -> str:
        journey.now += self._seconds(4, 4)
        journey.passes("closed", "next", "")
        return self._leaves_message(journey)

    def _leaves_message(self, journey: _Journey) -> str:
        began = journey.now = journey.now + 6 * US
        seconds = round(4 + self._patience.pop() * 18, 2)
        journey.messages.append((began, seconds))
        journey.now = began + int(seconds * US)
        journey.passes("take", "done", f"{seconds:g} s")
        journey.node = "take"
        return "message_left"

    def _self_served(self, journey: _Journey) -> str:
        journey.now += self._seconds(12, 8)
        journey.passes("prices", "next", "")
        journey.node = "goodbye"
        return "self_served"

    def _left_early(self, journey: _Journey) -> str:
        journey.now += self._seconds(5)
        journey.node = "welcome"
        return "left_early"

    def _rejected(self, journey: _Journey) -> str:
        journey.now += self._seconds(0.2, 0.05)
        journey.passes("not_wanted", "rejected", journey.number or "withheld")
        return "rejected"

    def _failed(self, journey: _Journey) -> str:
        journey.now += self._seconds(3)
        journey.node = "welcome"
        journey.cause = 38
        return "failed"

    def _end(self, journey: _Journey) -> None:
        journey.now += 20_000 + int(self._uniform.pop() * 30_000)
        self._found.append((journey.rang + journey.now, journey.rows(self._epoch)))


@dataclass(slots=True, kw_only=True)
class _Journey:
    """A call while it is made; instants are microseconds after it rang."""

    call_id: str
    whose: Client
    client: str
    version: str
    rang: int
    did: str
    number: str | None
    name: str
    now: int
    answered: int = 0
    entered: int | None = None
    offered: int | None = None
    bridged: int | None = None
    waits: int = 0
    waiting: float = 0.0
    talk: float = 0.0
    held: float = 0.0
    agent: str | None = None
    disposition: str = ""
    cause: int = 16
    node: str = ""
    path: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    visits: list[Any] = field(default_factory=list)
    dials: list[str] = field(default_factory=list)
    messages: list[tuple[int, float]] = field(default_factory=list)
    callbacks: list[tuple[str, int]] = field(default_factory=list)
    offers: list[Any] = field(default_factory=list)
    legs: list[Any] = field(default_factory=list)
    holds: list[tuple[int, int, int]] = field(default_factory=list)
    offers_made: int = 0
    legs_made: int = 0

    def passes(self, node: str, exit_name: str, because: str) -> None:
        """Through a node, now."""
        self.path.append(node)
        self.passed.append(f'["{node}","{exit_name}","{because}",{self.now}]')

    def enter(self) -> None:
        """Into service, unless they are in it."""
        if self.entered is None:
            self.entered = self.now

    def bridge(self, at: int, agent: str | None) -> None:
        """To a human."""
        if self.bridged is None:
            self.bridged = at
        self.agent = agent

    def rows(self, epoch: int) -> dict[str, Table]:
        """Its rows by table."""
        call_id, rang, revision = self.call_id, self.rang, (epoch, 9)
        found: dict[str, Table] = {"calls": [self._row(revision)]}
        if self.visits:
            found["queue_visits"] = [
                (
                    *(call_id, position, queue, rang + entered, _at(rang, offered), offers, agent),
                    *(_at(rang, answered), rang + left, outcome),
                    max(0, (left if answered is None else answered) - entered) / US,
                    DEFAULT_PBX,
                )
                for position, (queue, entered, offers, offered, agent, answered, left, outcome) in enumerate(
                    self.visits, start=1
                )
            ]
        if self.messages:
            found["messages"] = [
                (
                    *(f"{call_id}.m{position}", call_id, position, self.client, f"{call_id}.m{position}", seconds),
                    *("office", rang + began, "take", "open", rang + began + round(seconds * US)),
                    *(self.number, self.name, self.version),
                )
                for position, (began, seconds) in enumerate(self.messages, start=1)
            ]
        if self.callbacks:
            found["callbacks"] = [
                (call_id, position, self.client, number, "callback", rang + asked, "open")
                for position, (number, asked) in enumerate(self.callbacks, start=1)
            ]
        if self.legs:
            self._people_of(found, revision)
        return found

    def _row(self, revision: tuple[int, int]) -> Row:
        rang = self.rang
        nodes = self.path if not self.node or self.path[-1] == self.node else [*self.path, self.node]
        return (
            *(self.call_id, self.client, self.version, self.did, self.number, self.name),
            "allowed" if self.number else "withheld",
            *(None, self.disposition, self.cause, rang, rang + self.answered),
            *(_at(rang, self.entered), _at(rang, self.offered), _at(rang, self.bridged), rang + self.now),
            *(self.waiting, max(0.0, self.talk - self.held), self.agent, PATH_ARROW.join(nodes)),
            *("{}", self._trace(), DEFAULT_PBX, *revision),
        )

    def _trace(self) -> str:
        queues = ",".join(map(_visit_text, self.visits))
        messages = ",".join(
            f'["{self.call_id}.m{position}","take","office",{began},{seconds!r}]'
            for position, (began, seconds) in enumerate(self.messages, start=1)
        )
        callbacks = ",".join(f'["{number}","callback",{asked}]' for number, asked in self.callbacks)
        rest = [
            f'"{name}":{value!r}'
            for name, value in (
                ("offers_made", self.offers_made),
                ("legs_made", self.legs_made + 1 if self.legs_made else 0),
                ("held_seconds", self.held),
            )
            if value
        ]
        parts = [f'"visits":[{",".join(self.passed)}]']
        for name, text in (("queues", queues), ("dials", ",".join(self.dials)), ("messages", messages)):
            if text:
                parts.append(f'"{name}":[{text}]')
        if callbacks:
            parts.append(f'"callbacks":[{callbacks}]')
        parts.append(f'"step":{len(self.passed)},"node":"{self.node or self.path[-1]}"')
        if rest:
            parts.append(f'"rest":{{{",".join(rest)}}}')
        return f"{{{','.join(parts)}}}"

    def _people_of(self, found: dict[str, Table], revision: tuple[int, int]) -> None:
        call_id, rang = self.call_id, self.rang
        found["offers"] = [
            (call_id, number, queue, agent, rang + began, rang + ended, outcome, 0, *revision)
            for number, (queue, agent, began, ended, outcome) in enumerate(self.offers, start=1)
        ]
        legs = [*self.legs, ("caller", "", 0, self.answered, self.now, 0.0, "caller", 16)]
        found["legs"] = [
            (
                *(f"{call_id}/{number}", call_id, number, DEFAULT_PBX, purpose),
                *("incoming" if purpose == "caller" else "outgoing", party),
                *(rang + began, _at(rang, answered), rang + ended),
                0.0 if answered is None or purpose == "caller" else max(0.0, (ended - answered) / US - held),
                *(held, by, cause, *revision),
            )
            for number, (purpose, party, began, answered, ended, held, by, cause) in enumerate(legs, start=1)
        ]
        if self.holds:
            found["holds"] = [
                (f"{call_id}/{leg}", number, call_id, rang + since, rang + until, *revision)
                for number, (leg, since, until) in enumerate(self.holds, start=1)
            ]


def _at(rang: int, after: int | None) -> int | None:
    return None if after is None else rang + after


def _visit_text(visit: Sequence[Any]) -> str:
    queue, entered, offers, offered, agent, answered, left, outcome = visit
    agent_text = "null" if agent is None else f'"{agent}"'
    return (
        f'["{queue}",{entered},{offers},{"null" if offered is None else offered},{agent_text},'
        f'{"null" if answered is None else answered},{left},"{outcome}"]'
    )


def _session(agent: str, kind: str, since: int, until: int, reason: str, call_id: str | None = None) -> Row:
    second = since // US + int(POSTGRES_EPOCH.timestamp())
    return (
        *(f"{second}-{kind}-{agent}-{since % US:06}", agent, DEFAULT_PBX, kind, f"SIP/{agent}", reason, call_id),
        *(since, until, agent),
    )


@cache
def _shares(table_of: tuple[tuple[str, float], ...]) -> NDArray[np.float64]:
    weights = np.array([share for _, share in table_of])
    return np.asarray(weights / weights.sum())

"""The parts of a call as arrays, for all who write calls down: `core.state` on the channel, the record in its rows.

An array's places have fixed meanings, given below in this order. A new place is a new `FORMAT` of the state, unless it
is seldom written, and has to be read from rows that lack it. Instants are whole microseconds after the call rang.

    visit         node, exit, because, at
    queue visit   queue, entered, offers, first offer, agent, answered, left, outcome
    dial          target, started, answered, ended, outcome, and, unless all of these are empty: leg, the number that
                  is shown, failures (leg, SIP status, Q.850 cause of each), agent; the last is left out when it is
                  empty, and rows of before end with a leg
    message       recording, node, deliver, started, seconds, and, of a form: its name, values (name, value, label,
                  type of each)
    callback      number, node, asked
    offer         number, queue, agent, leg, began, ended, heard, cause, outcome (the last four left out while nothing
                  was heard but its beginning)
    leg           number, purpose, party, leg, began, answered, ended, held since, seconds on hold, hung up, ended by,
                  cause, open, identity, SIP status, trunk, holds (the last four left out when there is none of them)
    hold          leg, number, began, ended
    recording     number, key, days it is kept, leg, began, ended, paused since, pauses, seconds paused, objected

Nodes are written as a `Naming` makes them: by their positions in the plan in the state, by their names in rows. Read
back, a wrong type raises TypeError, an unknown position or value ValueError: others may have written there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, Final

from callrouter.core.call import (
    Callback,
    DialAttempt,
    DialOutcome,
    EndedBy,
    FormValue,
    Hold,
    Leg,
    LegFailure,
    LegPurpose,
    Message,
    Offer,
    OfferOutcome,
    QueueOutcome,
    QueueVisit,
    Recording,
    Visit,
)

MICROSECOND: Final = timedelta(microseconds=1)

Naming = Callable[[str, str], int | str]
"""What is written for a node: `dict.get` of positions by name, asked as `naming(node, node)`."""

BY_NAME: Final[Naming] = dict[str, int | str]().get
"""Nodes are written by their names."""

Offset = Callable[[datetime | None], int | None]
"""Microseconds after the call rang."""


def write_visits(visits: Iterable[Visit], base: datetime, naming: Naming) -> list[Any]:
    """The visits of a call that rang at `base`."""
    written = []
    at, after = base, 0
    for visit in visits:
        if visit.at is not at:  # the nodes of one walk share their instant
            at = visit.at
            after = (at - base) // MICROSECOND
        written.append([naming(visit.node, visit.node), visit.exit, visit.because, after])
    return written


def write_queue_visits(visits: Iterable[QueueVisit], offset: Offset) -> list[Any]:
    """The queue visits of a call."""
    return [
        [
            v.queue,
            offset(v.entered_at),
            v.offers,
            offset(v.offered_at),
            v.agent,
            offset(v.answered_at),
            offset(v.left_at),
            v.outcome,
        ]
        for v in visits
    ]


def write_dials(dials: Iterable[DialAttempt], offset: Offset) -> list[Any]:
    """The dials of a call."""
    return [
        [
            *(d.target, offset(d.started_at), offset(d.answered_at), offset(d.ended_at), d.outcome),
            *(
                (d.leg, d.shown, [[one.leg, one.sip, one.cause] for one in d.failures])
                if d.leg or d.shown or d.failures or d.agent
                else ()
            ),
            *((d.agent,) if d.agent else ()),
        ]
        for d in dials
    ]


def write_messages(messages: Iterable[Message], offset: Offset, naming: Naming) -> list[Any]:
    """The messages of a call."""
    return [
        [
            *(m.recording, naming(m.node, m.node), m.deliver, offset(m.started_at), m.seconds),
            *((m.form, [[v.name, v.value, v.label, v.type] for v in m.values]) if m.form else ()),
        ]
        for m in messages
    ]


def write_callbacks(callbacks: Iterable[Callback], offset: Offset, naming: Naming) -> list[Any]:
    """The callbacks of a call."""
    return [[c.number, naming(c.node, c.node), offset(c.asked_at)] for c in callbacks]


def write_offers(offers: Iterable[Offer], offset: Offset) -> list[Any]:
    """Offers of a call."""
    return [
        [
            *(o.number, o.queue, o.agent, o.leg, offset(o.began_at)),
            *((offset(o.ended_at), o.heard, o.cause, o.outcome) if o.heard or o.cause or o.outcome else ()),
        ]
        for o in offers
    ]


def write_legs(legs: Iterable[Leg], offset: Offset) -> list[Any]:
    """Legs of a call."""
    return [
        [
            *(leg.number, leg.purpose, leg.party, leg.leg),
            *(offset(leg.began_at), offset(leg.answered_at), offset(leg.ended_at), offset(leg.held_at)),
            *(leg.hold_seconds, leg.hung_up, leg.ended_by, leg.cause, leg.open),
            *(
                (leg.identity, leg.sip, leg.trunk, leg.holds)
                if leg.identity or leg.sip or leg.trunk or leg.holds
                else ()
            ),
        ]
        for leg in legs
    ]


def write_holds(holds: Iterable[Hold], offset: Offset) -> list[Any]:
    """Holds of a call."""
    return [[one.leg, one.number, offset(one.began_at), offset(one.ended_at)] for one in holds]


def write_recordings(recordings: Iterable[Recording], offset: Offset) -> list[Any]:
    """Recordings of a call's conversations."""
    return [
        [
            *(one.number, one.key, one.keep_days, one.leg, offset(one.began_at), offset(one.ended_at)),
            *(offset(one.paused_at), one.pauses, one.paused_seconds, offset(one.objected_at)),
        ]
        for one in recordings
    ]


def text(value: object) -> str:
    """A text, and nothing else."""
    if type(value) is not str:
        raise TypeError(f"{value!r} is no text")
    return value


def text_or_none(value: object) -> str | None:
    """A text, or None."""
    return None if value is None else text(value)


def whole(value: object) -> int:
    """A whole number, and nothing else."""
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value


def counted(value: object) -> int:
    """How many, or which in a row: a whole number from 0 on that PostgreSQL's `bigint` holds."""
    if not 0 <= (number := whole(value)) < 2**63:
        raise ValueError(f"{number} is no count")
    return number


def seconds(value: object) -> float:
    """A number of seconds that is one."""
    if type(value) not in (int, float) or not isfinite(value):  # type: ignore[arg-type]  # type() has narrowed it
        raise TypeError(f"{value!r} is no number of seconds")
    return float(value)  # type: ignore[arg-type]


_REST_OF_DIAL: Final[list[Any]] = [0, "", [], ""]
"""What is not written of a dial where all of it is so."""
_REST_OF_LEG: Final[list[Any]] = ["", 0, "", 0]
"""The same of a leg."""


def _form_value(written: Any) -> FormValue:
    name, value, label, type_ = written
    return FormValue(name=text(name), value=text(value), label=text(label), type=text(type_))


def _failure(written: Any) -> LegFailure:
    leg, sip, cause = written
    return LegFailure(leg=counted(leg), sip=counted(sip), cause=counted(cause))


class PartsReader:
    """Reads the parts of one call."""

    def __init__(self, base: datetime, names: Sequence[str] = ()) -> None:
        """`base`: when the call rang; `names`: of the plan's nodes, by their positions."""
        self._base = base
        self._names = names

    def at(self, offset: object) -> datetime:
        """The instant so long after the call rang."""
        return self._base + whole(offset) * MICROSECOND

    def at_or_none(self, offset: object) -> datetime | None:
        """The same, or None."""
        return None if offset is None else self.at(offset)

    def node(self, written: object) -> str:
        """The name of a node that was written by its name or its position."""
        if type(written) is str:
            return written
        index = whole(written)
        if not 0 <= index < len(self._names):
            raise ValueError(f"the plan has no node {index}")
        return self._names[index]

    def visit(self, written: Any) -> Visit:
        """A passage through a node."""
        node, exit_name, because, at = written
        return Visit(node=self.node(node), exit=text(exit_name), because=text(because), at=self.at(at))

    def queue_visit(self, written: Any) -> QueueVisit:
        """A stay in a queue."""
        queue, entered_at, offers, offered_at, agent, answered_at, left_at, outcome = written
        return QueueVisit(
            queue=text(queue),
            entered_at=self.at(entered_at),
            offers=whole(offers),
            offered_at=self.at_or_none(offered_at),
            agent=text_or_none(agent),
            answered_at=self.at_or_none(answered_at),
            left_at=self.at_or_none(left_at),
            outcome=None if outcome is None else QueueOutcome(outcome),
        )

    def dial(self, written: Any) -> DialAttempt:
        """An attempt to reach somebody."""
        target, started_at, answered_at, ended_at, outcome, *rest = written
        whole_rest: list[Any] = rest
        leg, shown, failures, agent = whole_rest + _REST_OF_DIAL[len(whole_rest) :]
        return DialAttempt(
            target=text(target),
            started_at=self.at(started_at),
            answered_at=self.at_or_none(answered_at),
            ended_at=self.at_or_none(ended_at),
            outcome=None if outcome is None else DialOutcome(outcome),
            leg=counted(leg),
            shown=text(shown),
            failures=tuple([_failure(one) for one in failures]),
            agent=text(agent),
        )

    def message(self, written: Any) -> Message:
        """A message that was left."""
        recording, node, deliver, started_at, length, *filled = written
        form, values = filled or ("", ())
        return Message(
            recording=text(recording),
            node=self.node(node),
            deliver=text(deliver),
            started_at=self.at(started_at),
            seconds=seconds(length),
            form=text(form),
            values=tuple(map(_form_value, values)),
        )

    def offer(self, written: Any) -> Offer:
        """The ring of an agent."""
        number, queue, agent, leg, began_at, *heard = written
        ended_at, signs, cause, outcome = heard or (None, 0, 0, None)
        return Offer(
            number=whole(number),
            queue=text(queue),
            agent=text(agent),
            leg=text(leg),
            began_at=self.at(began_at),
            ended_at=self.at_or_none(ended_at),
            heard=whole(signs),
            cause=whole(cause),
            outcome=None if outcome is None else OfferOutcome(outcome),
        )

    def leg(self, written: Any) -> Leg:
        """A party's side of the call."""
        number, purpose, party, leg, began_at, answered_at, ended_at, held_at, *rest = written
        hold_seconds, hung_up, ended_by, cause, still_open, *shown = rest
        whole_rest: list[Any] = shown
        identity, sip, trunk, holds = whole_rest + _REST_OF_LEG[len(whole_rest) :]
        return Leg(
            number=whole(number),
            purpose=LegPurpose(purpose),
            party=text(party),
            leg=text(leg),
            began_at=self.at(began_at),
            answered_at=self.at_or_none(answered_at),
            ended_at=self.at_or_none(ended_at),
            held_at=self.at_or_none(held_at),
            hold_seconds=seconds(hold_seconds),
            hung_up=hung_up is True,
            ended_by=None if ended_by is None else EndedBy(ended_by),
            cause=whole(cause),
            open=still_open is True,
            identity=text(identity),
            sip=whole(sip),
            trunk=text(trunk),
            holds=whole(holds),
        )

    def hold(self, written: Any) -> Hold:
        """A time on hold."""
        leg, number, began_at, ended_at = written
        return Hold(
            leg=whole(leg), number=whole(number), began_at=self.at(began_at), ended_at=self.at_or_none(ended_at)
        )

    def recording(self, written: Any) -> Recording:
        """The recording of a conversation."""
        number, key, keep_days, leg, began_at, ended_at, paused_at, pauses, paused_seconds, objected_at = written
        return Recording(
            number=whole(number),
            key=text(key),
            keep_days=whole(keep_days),
            leg=whole(leg),
            began_at=self.at_or_none(began_at),
            ended_at=self.at_or_none(ended_at),
            paused_at=self.at_or_none(paused_at),
            pauses=whole(pauses),
            paused_seconds=seconds(paused_seconds),
            objected_at=self.at_or_none(objected_at),
        )

    def callback(self, written: Any) -> Callback:
        """A wish to be called back."""
        number, node, asked_at = written
        return Callback(number=text(number), node=self.node(node), asked_at=self.at(asked_at))

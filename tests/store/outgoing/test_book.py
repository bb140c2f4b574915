"""The book of callbacks on PostgreSQL: what is open, who has a call, what settles a wish."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from callrouter.core.call import Call, Callback, CallerId, CallState, Clocks, Disposition, QueueOutcome, QueueVisit
from callrouter.outgoing.order import NOTHING_YET, Order, Outcome, Progress, Purpose, Settlement
from callrouter.outgoing.ports import OpenCallback, Ruled
from callrouter.store.callbacks import list_callbacks
from callrouter.store.database import Database
from callrouter.store.outgoing import book
from callrouter.store.outgoing.book import CallbackRows
from callrouter.store.plans import StoredPlan, WentLive, remember_live
from callrouter.store.tables import callbacks, legs
from callrouter.store.writing.writer import Writer
from tests.store.conftest import MONDAY

NUMBER = "+33612340001"
ELSE = (Callback(number="+33612340002", node="offer", asked_at=MONDAY + timedelta(seconds=30)),)
_orders = itertools.count(1)


def after(seconds: float) -> datetime:
    """On Monday."""
    return MONDAY + timedelta(seconds=seconds)


def asked(call_id: str, *, at: float = 0.0, client: str = "acme", node: str = "offer", **other: Any) -> Call:
    """Somebody has asked to be called back; their call is over."""
    values: dict[str, Any] = {
        "call_id": call_id,
        "client": client,
        "plan_version": "0123456789ab",
        "did": "+33199000010",
        "caller": CallerId(number=NUMBER),
        "state": CallState.ENDED,
        "clocks": Clocks(ringing_at=after(at - 60), entered_service_at=after(at - 50), ended_at=after(at + 1)),
        "callbacks": (Callback(number=NUMBER, node=node, asked_at=after(at)),),
        "disposition": Disposition.MESSAGE_LEFT,
    }
    return Call(**(values | other))


async def record(database: Database, *calls: Call) -> None:
    """As the engine does."""
    writer = Writer(database)
    assert await writer.write(list(calls)) == []
    writer.close()


def order(**other: Any) -> Order:
    """One that no other test has."""
    values: dict[str, Any] = {
        "outgoing_id": f"1795400000-{next(_orders)}",
        "purpose": Purpose.CALLBACK,
        "client": "acme",
        "number": NUMBER,
        "shown": "+33199000010",
        "did": "+33199000010",
        "queue": "medical",
        "priority": 0,
        "position": 1,
        "wait_seconds": 60.0,
        "ring_seconds": 5.0,
    }
    return Order(**(values | other))


async def found(rows: CallbackRows, *ruled: Ruled) -> list[OpenCallback]:
    """What is open at these nodes."""
    return await rows.open(after(-86_400), ruled or [Ruled("acme", "offer", is_open=True)])


async def states(database: Database) -> dict[str, str]:
    """Where each wish stands, by its call."""
    async with database.connection() as connection:
        return {row.call_id: row.state for row in await connection.execute(select(callbacks))}


def calls_of(open_callbacks: Sequence[OpenCallback]) -> list[str]:
    """In which calls they were asked for."""
    return [one.wish[0] for one in open_callbacks]


async def test_those_that_are_only_listed_are_not_read(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, and however old: they take no place."""
    monkeypatch.setattr(book, "MOST_OPEN", 2)
    listed = [asked(f"listed-{number}", node="listed", at=number) for number in range(5)]
    elsewhere = [asked(f"elsewhere-{number}", client="other", at=number) for number in range(5)]
    await record(database, *listed, *elsewhere, asked("rings", at=100))

    assert calls_of(await found(CallbackRows(database, epoch=1))) == ["rings"]
    assert await CallbackRows(database, epoch=2).open(after(-86_400), []) == []


async def test_those_whose_hours_are_open_are_read_first(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then by turn: nobody waits for a client that rings tomorrow."""
    monkeypatch.setattr(book, "MOST_OPEN", 2)
    closed = [asked(f"closed-{number}", client="other", at=number) for number in range(3)]
    await record(database, *closed, asked("late", at=200), asked("early", at=100))
    ruled = (Ruled("other", "offer", is_open=False), Ruled("acme", "offer", is_open=True))

    assert calls_of(await found(CallbackRows(database, epoch=3), *ruled)) == ["early", "late"]


async def test_who_takes_over_knows_what_was_to_be_shown(database: Database) -> None:
    """And what had been dialled: a tree that shows another number now takes it back."""
    await record(database, asked("a"))
    first = CallbackRows(database, epoch=4)
    await first.take_over()
    (wish,) = await found(first)
    assert await first.claim(wish, order(shown="+33199000000"), after(10))

    (one,) = await CallbackRows(database, epoch=5).take_over()

    assert (one.shown, one.did, one.wish) == ("+33199000000", "+33199000010", ("a", 1))


async def test_how_often_in_a_row_the_switch_lost_it(database: Database) -> None:
    """Whatever was before that does not count."""
    await record(database, asked("a"))
    rows = CallbackRows(database, epoch=6)
    await rows.take_over()
    counted = []
    for number, outcome in enumerate([Outcome.LOST, Outcome.BUSY, Outcome.LOST, Outcome.LOST]):
        (wish,) = await found(rows)
        counted.append(wish.lost)
        one = order()
        assert await rows.claim(wish, one, after(10 + number))
        await rows.conclude(one.outgoing_id, NOTHING_YET, outcome, after(10.5 + number), None)
    counted += [wish.lost for wish in await found(rows)]

    assert counted == [0, 1, 0, 1, 2]


async def test_who_was_called_back_may_ask_again(database: Database) -> None:
    """Only what they had asked for before they were reached is settled by it."""
    await record(database, asked("first"), asked("second", at=30), asked("somebody", at=30, callbacks=ELSE))
    rows = CallbackRows(database, epoch=7)
    await rows.take_over()
    one = order()
    assert await rows.claim((await found(rows))[0], one, after(60))
    await record(database, asked("since", at=200))

    progress = Progress(rung_at=after(90), answered_at=after(100), over_at=after(300))
    await rows.conclude(one.outgoing_id, progress, Outcome.ANSWERED, after(301), Settlement.CALLED_BACK)

    assert await states(database) == {"first": "done", "second": "done", "since": "open", "somebody": "open"}


async def test_a_clock_that_is_behind_leaves_no_callback_open(database: Database) -> None:
    """The callback that was placed is settled by its call, whenever the PBX says that it was answered."""
    await record(database, asked("a"))
    rows = CallbackRows(database, epoch=8)
    await rows.take_over()
    one = order()
    assert await rows.claim((await found(rows))[0], one, after(60))

    await rows.conclude(
        one.outgoing_id, Progress(answered_at=after(-5)), Outcome.ANSWERED, after(61), Settlement.CALLED_BACK
    )

    assert await states(database) == {"a": "done"}


async def test_a_pbx_that_is_called_otherwise_now(database: Database) -> None:
    """What was under way there is taken over under both names, and stands under the present one; no other PBX's is."""
    await record(database, asked("here"), asked("elsewhere", client="other"))
    for name, client in (("pbx-1", "acme"), ("lyon", "other")):
        rows = CallbackRows(database, name, epoch=9)
        await rows.take_over()
        (wish,) = await found(rows, Ruled(client, "offer", is_open=True))
        assert await rows.claim(wish, order(client=client), after(10))

    renamed = CallbackRows(database, "paris", formerly=["pbx-1"], epoch=10)
    (taken,) = await renamed.take_over()
    (again,) = await CallbackRows(database, "paris", epoch=11).take_over()

    assert taken.wish == again.wish == ("here", 1)


@pytest.fixture
async def renamed(database: Database) -> Database:
    """`acme` was called `acme-and-sons` before."""
    for client, formerly in (("acme-and-sons", ()), ("acme", ("acme-and-sons",))):
        plan = StoredPlan(client=client, version=f"of-{client}", document="", first_live_at=MONDAY, formerly=formerly)
        await remember_live(
            database, [plan], [WentLive(client=client, version=plan.version, live_at=MONDAY, why="saved")]
        )
    return database


async def test_a_client_that_was_renamed_calls_back_under_its_present_tree(renamed: Database) -> None:
    """Whatever was asked for before, and whatever was under way then."""
    await record(renamed, asked("waits", client="acme-and-sons"), asked("under-way", client="acme-and-sons", at=1))
    rows = CallbackRows(renamed, epoch=12)
    await rows.take_over()
    waits, under_way = await found(rows)
    assert {waits.client, under_way.client} == {"acme"}
    assert await rows.claim(under_way, order(client="acme-and-sons"), after(10))

    (taken,) = await CallbackRows(renamed, epoch=13).take_over()

    assert (taken.client, taken.wish) == ("acme", under_way.wish)


@pytest.mark.parametrize("how", ["told", "recorded", "claimed"])
async def test_who_rings_again_after_the_client_was_renamed(renamed: Database, how: str) -> None:
    """Is not called back: told at once, found in the record, or looked up before a call is placed."""
    await record(renamed, asked("before", client="acme-and-sons"))
    rows = CallbackRows(renamed, epoch=14)
    await rows.take_over()
    (wish,) = await found(rows)
    clocks = Clocks(ringing_at=after(60), entered_service_at=after(60), bridged_at=after(70), ended_at=after(90))
    again = asked("again", callbacks=(), clocks=clocks, disposition=Disposition.ANSWERED)
    if how == "told":
        await rows.settle_answered([("acme", NUMBER, after(70))])
    else:
        await record(renamed, again)
    if how == "recorded":
        await rows.settle_recorded(after(-86_400))
    assert not await rows.claim(wish, order(), after(100))

    assert (await states(renamed)) == {"before": "done"}


async def test_a_callback_settles_what_was_asked_under_another_name(renamed: Database) -> None:
    """It is the same caller, and the same client."""
    await record(renamed, asked("before", client="acme-and-sons"), asked("after", at=30))
    rows = CallbackRows(renamed, epoch=15)
    await rows.take_over()
    wish = next(one for one in await found(rows) if one.wish[0] == "after")
    one = order()
    assert await rows.claim(wish, one, after(60))

    await rows.conclude(
        one.outgoing_id, Progress(answered_at=after(90)), Outcome.ANSWERED, after(99), Settlement.CALLED_BACK
    )

    assert await states(renamed) == {"before": "done", "after": "done"}


async def test_who_asked_between_two_answers_of_one_call(database: Database) -> None:
    """The second one settles it; the first, before they asked, does not."""

    def visit(at: float) -> QueueVisit:
        answered_at, left_at = after(at + 10), after(at + 20)
        outcome = QueueOutcome.ANSWERED
        return QueueVisit(
            queue="q", entered_at=after(at), answered_at=answered_at, left_at=left_at, outcome=outcome, agent="agent-1"
        )

    clocks = Clocks(ringing_at=after(-60), entered_service_at=after(-50), bridged_at=after(-40), ended_at=after(200))
    once: dict[str, Any] = {"clocks": clocks, "disposition": Disposition.ANSWERED, "queue_visits": (visit(-50),)}
    await record(database, asked("once", **once), asked("twice", **once | {"queue_visits": (visit(-50), visit(100))}))

    await CallbackRows(database, epoch=16).settle_recorded(after(-86_400))

    assert await states(database) == {"once": "open", "twice": "done"}


@pytest.mark.parametrize(
    ("visits", "turn"),
    [
        ((), 0),
        ((("q", -40, QueueOutcome.TIMEOUT),), -40),
        ((("q", -40, QueueOutcome.EXITED), ("q", -10, QueueOutcome.EXITED)), -40),
        ((("p", -40, QueueOutcome.TIMEOUT), ("q", -10, QueueOutcome.EXITED)), -10),
        ((("q", -40, QueueOutcome.ANSWERED), ("q", -10, QueueOutcome.EXITED)), -10),
        ((("q", -10, QueueOutcome.EMPTY),), -10),
    ],
)
async def test_a_callback_keeps_the_turn_that_its_caller_had_in_line(
    database: Database, visits: tuple[tuple[str, int, QueueOutcome], ...], turn: int
) -> None:
    """Since they first waited where they gave up, through every menu; not from before somebody answered."""

    def visit(queue: str, at: float, outcome: QueueOutcome) -> QueueVisit:
        answered_at = after(at + 1) if outcome is QueueOutcome.ANSWERED else None
        return QueueVisit(
            queue=queue, entered_at=after(at), answered_at=answered_at, left_at=after(at + 5), outcome=outcome
        )

    await record(database, asked("waited", queue_visits=tuple(visit(*one) for one in visits)))

    (one,) = await found(CallbackRows(database, epoch=17))
    assert one.turn_at == after(turn)


async def test_whoever_was_rung_has_a_leg(database: Database) -> None:
    """With carrier, the number they saw, and what the network said; it is of no caller's call."""
    await record(database, asked("a"))
    rows = CallbackRows(database, epoch=17)
    await rows.take_over()
    busy, talked, unrung = order(), order(), order()
    said: dict[str, Any] = {"rung_at": after(90), "over_at": after(300), "trunk": "trunk-acme-out"}
    for one, progress, outcome in (
        (unrung, NOTHING_YET, Outcome.NOBODY_FREE),
        (busy, Progress(**said, hangup_cause=17, sip=486), Outcome.BUSY),
        (talked, Progress(**said, answered_at=after(100), hangup_cause=16), Outcome.ANSWERED),
    ):
        assert await rows.claim((await found(rows))[0], one, after(60))
        await rows.conclude(one.outgoing_id, progress, outcome, after(301), None)
    async with database.connection() as connection:
        kept = {row.leg_id: row for row in await connection.execute(select(legs))}
    (listed,) = (await list_callbacks(database)).callbacks

    assert sorted(kept) == sorted(f"{one.outgoing_id}.far" for one in (busy, talked))
    reached, refused = kept[f"{talked.outgoing_id}.far"], kept[f"{busy.outgoing_id}.far"]
    assert {(leg.call_id, leg.purpose, leg.direction, leg.party) for leg in kept.values()} == {
        (None, "callback", "outgoing", "")
    }
    assert {(leg.identity, leg.trunk, leg.pbx) for leg in kept.values()} == {
        ("+33199000010", "trunk-acme-out", "pbx-1")
    }
    assert (reached.began_at, reached.answered_at, reached.ended_at) == (after(90), after(100), after(300))
    assert (reached.talk_seconds, reached.cause, reached.tech_cause) == (200.0, 16, None)
    assert (refused.talk_seconds, refused.cause, refused.tech_cause) == (0.0, 17, "486")
    assert [(one.trunk, one.tech_cause) for one in listed.calls] == [
        (None, None),
        ("trunk-acme-out", "486"),
        ("trunk-acme-out", None),
    ]

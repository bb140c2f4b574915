"""Whose history stands under which name, as the record of what went live says it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from callrouter.core.call import Call, Callback, Disposition, replace
from callrouter.core.service_level import Promise
from callrouter.periods import Moment, Period
from callrouter.store import schema
from callrouter.store.callbacks import list_callbacks
from callrouter.store.calls import list_calls
from callrouter.store.database import Database
from callrouter.store.messages import list_messages
from callrouter.store.plans import (
    StoredPlan,
    WentLive,
    find_plan,
    names_of,
    present_names,
    read_history,
    remember_live,
)
from callrouter.store.stats import read_stats
from callrouter.store.writing.writer import Writer

from .conftest import MONDAY

MakeCall = Callable[..., Call]
PARIS = Promise(timezone="Europe/Paris")
REUNION = Promise(timezone="Indian/Reunion", within_seconds=5)

Live = Callable[..., Awaitable[None]]


@pytest.fixture
def live(database: Database) -> Live:
    """A version goes live: `live("b", formerly=("a",))`; `gone` are withdrawn with it, as by one save."""

    async def goes(client: str, *gone: str, formerly: tuple[str, ...] = (), promise: Promise = PARIS) -> None:
        version = f"of-{client}-{'-'.join(formerly)}"
        plan = StoredPlan(
            client=client, version=version, document="", first_live_at=MONDAY, promise=promise, formerly=formerly
        )
        went = [WentLive(client=client, version=version, live_at=MONDAY, why="saved")]
        went += [WentLive(client=one, version=None, live_at=MONDAY, why="saved") for one in gone]
        await remember_live(database, [plan], went)

    return goes


async def present(database: Database) -> dict[str, str]:
    async with database.connection() as connection:
        return await present_names(connection)


async def names(database: Database, client: str) -> tuple[str, ...]:
    async with database.connection() as connection:
        return await names_of(connection, client)


async def test_nobody_was_renamed(database: Database, live: Live) -> None:
    await live("a")

    assert await present(database) == {}
    assert await names(database, "a") == ("a",)
    assert await names(database, "stranger") == ("stranger",)


async def test_names_are_kept_with_the_version(database: Database, live: Live) -> None:
    await live("b", formerly=("a", "older"))

    kept = await find_plan(database, "b", "of-b-a-older")
    assert kept is not None
    assert kept.formerly == ("a", "older")


async def test_a_chain_of_renames(database: Database, live: Live) -> None:
    """Each file says the name before; the record knows those before that."""
    await live("a")
    await live("b", "a", formerly=("a",))
    await live("c", "b", formerly=("b",))

    assert await present(database) == {"a": "c", "b": "c"}
    assert await names(database, "c") == ("c", "a", "b")
    assert await names(database, "a") == ("a",)


async def test_back_to_the_first_name(database: Database, live: Live) -> None:
    await live("a")
    await live("b", "a", formerly=("a",))
    await live("a", "b", formerly=("b",))

    assert await present(database) == {"b": "a"}
    assert await names(database, "a") == ("a", "b")


async def test_a_name_that_was_taken_again_is_a_client_of_its_own(database: Database, live: Live) -> None:
    """After who had it last is gone, too: a check of the folder does not know of them."""
    await live("a")
    await live("b", "a", formerly=("a",))
    await live("c", "b")
    assert await names(database, "b") == ("b", "a")
    await live("a")

    assert await present(database) == {}
    assert await names(database, "b") == ("b",)


async def test_formerly_that_is_taken_back_counts_no_longer(database: Database, live: Live) -> None:
    await live("a")
    await live("b", "a", formerly=("a",))
    await live("b")
    assert await present(database) == {}

    await live("d", formerly=("a",))
    assert await present(database) == {"a": "d"}


async def test_a_withdrawn_client_keeps_its_names(database: Database, live: Live) -> None:
    await live("a")
    await live("b", "a", formerly=("a",))
    await live("x", "b")

    assert await names(database, "b") == ("b", "a")


async def put(database: Database, *calls: Call) -> None:
    writer = Writer(database)
    assert await writer.write(list(calls)) == []
    writer.close()


def before_and_after(make_call: MakeCall) -> list[Call]:
    """Two calls of a, one of b, one of c; each left a message and asked to be called back."""
    calls = [make_call(number, client=client, plan_version="") for number, client in enumerate("aabc", start=1)]
    versions = {"a": "of-a-", "b": "of-b-a", "c": "of-c-"}
    return [
        replace(
            call,
            plan_version=versions[call.client],
            callbacks=(Callback(number="+33612340001", node="call_me", asked_at=call.clocks.ringing_at),),
        )
        for call in calls
    ]


async def test_lists_and_history_cover_all_names(database: Database, live: Live, make_call: MakeCall) -> None:
    """Page by page, the newest first whatever the name; each row says the name of then."""
    await live("a")
    await live("b", "a", formerly=("a",))
    await live("c")
    await put(database, *before_and_after(make_call))

    first = await list_calls(database, client="b", limit=2)
    second = await list_calls(database, client="b", limit=2, cursor=first.next_cursor)
    assert [(call.call_id[-1], call.client) for call in (*first.calls, *second.calls)] == [
        ("3", "b"),
        ("2", "a"),
        ("1", "a"),
    ]
    assert second.next_cursor is None
    assert [one.client for one in (await list_messages(database, client="b")).messages] == ["b", "a", "a"]
    assert [one.client for one in (await list_callbacks(database, client="b", state="open")).callbacks] == [
        "b",
        "a",
        "a",
    ]
    assert [(one.client, one.version) for one in await read_history(database, "b")] == [
        ("a", None),
        ("b", "of-b-a"),
        ("a", "of-a-"),
    ]
    assert len((await list_calls(database, client="a")).calls) == 2
    assert len((await list_calls(database)).calls) == 4


async def test_figures_are_the_present_clients(database: Database, live: Live, make_call: MakeCall) -> None:
    """One line for all names, each call by the promise of its version, and days by the present zone."""
    await live("a", promise=REUNION)
    await live("b", "a", formerly=("a",))
    await live("c")
    await put(database, *before_and_after(make_call))
    day = Period(Moment.parse("2026-11-23"), Moment.parse("2026-11-24"))
    now = MONDAY + timedelta(days=1)

    everybody = await read_stats(database, day, now=now)
    alone = await read_stats(database, day, now=now, client="b")
    formerly = await read_stats(database, day, now=now, client="a")

    assert [(one.client, one.figures.received) for one in everybody.clients] == [("b", 3), ("c", 1)]
    assert [(one.client, one.figures.received) for one in formerly.clients] == [("a", 2)]
    for found in (everybody.clients[0], alone.clients[0]):
        assert found.figures.by_disposition[Disposition.ANSWERED] == 3
        assert [(part.promise, part.figures.received) for part in found.promises] == [(REUNION, 2), (PARIS, 1)]
        assert found.figures.counts.answered_within == 1  # they waited 13 s each: 5 s and 20 s were promised
        assert found.figures.waiting.p50_seconds == pytest.approx(12.75)
        assert found.from_at.isoformat() == "2026-11-23T00:00:00+01:00"
    assert formerly.clients[0].from_at.isoformat() == "2026-11-23T00:00:00+04:00"


async def test_days_of_a_former_name_in_another_zone(database: Database, live: Live, make_call: MakeCall) -> None:
    """The client's zone is one, and that of its present file, also where most clients have another."""
    await live("a")
    await live("b", "a", formerly=("a",), promise=REUNION)
    await live("c")
    await live("d")
    # 23:30 of the Sunday in Paris is Monday in Reunion.
    await put(database, make_call(1, client="a", plan_version="of-a-", ringing_at=MONDAY - timedelta(hours=10.5)))
    day = Period(Moment.parse("2026-11-23"), Moment.parse("2026-11-24"))

    (found,) = (await read_stats(database, day, now=MONDAY)).clients

    assert (found.client, found.figures.received) == ("b", 1)
    assert found.from_at.isoformat() == "2026-11-23T00:00:00+04:00"


async def test_a_release_that_runs_beside_goes_on(database: Database, live: Live) -> None:
    """It knows no column for names: a migration under its feet changes nothing for what it writes."""
    await live("a")
    async with database.connection() as connection:
        await connection.run_sync(schema.downgrade, "0005")
    await database.upgrade()
    async with database.connection() as connection:
        await connection.execute(
            text(
                "INSERT INTO plans (client, version, document, first_live_at, source, documents)"
                " VALUES ('a', 'next', '', now(), 'a.yaml', '{}')"
            )
        )

    for version in ("of-a-", "next"):
        kept = await find_plan(database, "a", version)
        assert kept is not None
        assert kept.formerly == ()

"""Callers who are to be called back, and those who gave up: over HTTP, by command, and in the figures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select, update

from callrouter.core.call import Call, Callback, CallerId, Disposition, replace
from callrouter.core.service_level import Promise
from callrouter.periods import Period
from callrouter.store.database import Database
from callrouter.store.plans import StoredPlan, WentLive, remember_live
from callrouter.store.stats import read_stats
from callrouter.store.tables import audit, callbacks, follow_ups, outgoing_calls
from callrouter.store.writing.writer import Writer
from deploy.demo.plain_http import plain_client
from tests.cli.test_main import run

from .serving import serving
from .stories import TUESDAY, abandoned, after, answered, message_left
from .test_web_app import AUTHORISED, web

DAY = {"from": "2026-11-24T00:00:00Z", "to": "2026-11-25T00:00:00Z"}
OTHER = CallerId(number="+33612340002")


@pytest.fixture
async def api(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """Web, asked by the operator."""
    async with serving(web(database)) as base, plain_client(base_url=base, headers=AUTHORISED) as client:
        yield client


async def record(database: Database, *calls: Call) -> None:
    """As the engine does."""
    writer = Writer(database)
    assert await writer.write(list(calls)) == []
    writer.close()


def wish(call_id: str) -> Call:
    """A caller who wants to be called back."""
    asked = Callback(number="+33612340001", node="offer", asked_at=after(40))
    return replace(message_left(call_id), messages=(), callbacks=(asked,))


async def placed(database: Database, call_id: str, **values: Any) -> None:
    """A call was placed for it."""
    row = {
        "outgoing_id": f"out-{call_id}",
        "purpose": "callback",
        "call_id": call_id,
        "position": 1,
        "client": "cabinet-moreau",
        "number": "+33612340001",
        "shown": "+33199000010",
        "queue": "medical",
        "turn_at": after(12),
        "epoch": 1,
        "placed_at": after(60),
    }
    async with database.connection() as connection:
        await connection.execute(insert(outgoing_calls).values(**(row | values)))


async def worklist(api: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    """The callers on it."""
    answer = await api.get("/api/worklist", params={**DAY, **query})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["callers"])


async def test_who_gave_up_and_how_long_they_had_waited(api: httpx.AsyncClient, database: Database) -> None:
    """Nobody else is on it."""
    await record(database, abandoned("a", wait=9), answered("b", start=TUESDAY - timedelta(hours=1)), message_left("c"))

    (one,) = await worklist(api)

    assert (one["call_id"], one["number"], one["waiting_seconds"], one["queue"]) == (
        "a",
        "+33612340001",
        9.0,
        "medical",
    )
    assert (one["settled_by"], one["delay_seconds"], one["follow_ups"]) == (None, None, [])


async def test_who_rang_again_and_was_answered_is_settled(api: httpx.AsyncClient, database: Database) -> None:
    """By the same client, from the same number, soon; by whom, and how long it took."""
    again = answered("again", wait=5, start=after(600))
    elsewhere = replace(answered("elsewhere", start=after(300)), client="etude-lenoir")
    somebody = replace(answered("somebody", start=after(300)), caller=OTHER)
    too_late = answered("late", start=after(8 * 86_400))
    await record(database, abandoned("a", wait=9), elsewhere, somebody, too_late)

    assert [one["settled_by"] for one in await worklist(api)] == [None]
    await record(database, again)
    (one,) = await worklist(api)

    assert (one["settled_by"], one["reached_by"]) == ("rang_again", "agent-1")
    assert one["delay_seconds"] == (after(600 + 17) - after(21)).total_seconds()
    assert await worklist(api, settled="false") == []
    assert len(await worklist(api, settled="true")) == 1


async def test_who_was_reached_by_a_callback_is_settled(api: httpx.AsyncClient, database: Database) -> None:
    """One that they had asked for in another call."""
    await record(database, abandoned("a", wait=9), wish("w"))
    await placed(database, "w", answered_at=after(90), ended_at=after(100), outcome="answered", agent="agent-2")

    (one,) = await worklist(api)

    assert (one["settled_by"], one["reached_by"], one["delay_seconds"]) == ("called_back", "agent-2", 69.0)


async def test_somebody_calls_and_says_what_came_of_it(api: httpx.AsyncClient, database: Database) -> None:
    """Each try stands there with who made it; the one that reached them settles it; all are in the audit trail."""
    await record(database, abandoned("a", wait=9), answered("b"))
    for result in ("not_reached", "reached"):
        answer = await api.post("/api/worklist/a/called", json={"result": result})
        assert answer.status_code == 204, answer.text

    (one,) = await worklist(api)
    wrong = [
        (await api.post("/api/worklist/b/called", json={"result": "reached"})).status_code,
        (await api.post("/api/worklist/no/called", json={"result": "reached"})).status_code,
        (await api.post("/api/worklist/a/called", json={"result": "perhaps"})).status_code,
        (await api.post("/api/worklist/a/called", json={"result": "reached", "by": "x"})).status_code,
    ]

    assert [(try_["result"], try_["principal"]) for try_ in one["follow_ups"]] == [
        ("not_reached", "operator"),
        ("reached", "operator"),
    ]
    assert (one["settled_by"], one["reached_by"]) == ("called_back", "operator")
    assert wrong == [409, 404, 422, 422]


async def test_a_callback_says_what_was_placed_for_it(api: httpx.AsyncClient, database: Database) -> None:
    """In the list."""
    await record(database, wish("w"))
    await placed(database, "w", rung_at=after(70), ended_at=after(90), outcome="busy", agent="agent-2", hangup_cause=17)

    (one,) = (await api.get("/api/callbacks", params=DAY)).json()["callbacks"]

    assert (one["state"], one["settled_by"]) == ("open", None)
    (call,) = one["calls"]
    assert (call["outcome"], call["agent"], call["hangup_cause"], call["answered_at"]) == ("busy", "agent-2", 17, None)


async def test_a_callback_says_what_the_caller_said(api: httpx.AsyncClient, database: Database) -> None:
    """The messages of the same call, and of no other; not what the tree, or somebody, wrote down: nothing is heard."""
    spoke = message_left("spoke")
    form = replace(spoke.messages[0], recording="", form="order")
    spoke = replace(spoke, messages=(form, *spoke.messages), callbacks=wish("spoke").callbacks)
    await record(database, spoke, message_left("else"), wish("silent"))

    found = {one["call_id"]: one for one in (await api.get("/api/callbacks", params=DAY)).json()["callbacks"]}

    (said,) = found["spoke"]["said"]
    assert (said["recording"], said["node"], said["seconds"]) == ("spoke-1", "take_message", 4.2)
    assert found["silent"]["said"] == []


async def test_a_callback_is_settled_by_hand(api: httpx.AsyncClient, database: Database) -> None:
    """Once."""
    await record(database, wish("w"), wish("v"))

    answers = [
        (await api.post(f"/api/callbacks/{path}/settle", json={"reached": reached})).status_code
        for path, reached in (("w/1", True), ("w/1", True), ("w/2", True), ("no/1", True), ("v/1", False))
    ]

    assert answers == [204, 409, 404, 404, 204]
    found = (await api.get("/api/callbacks", params=DAY)).json()["callbacks"]
    assert {one["call_id"]: (one["state"], one["settled_by"]) for one in found} == {
        "w": ("done", "by_hand"),
        "v": ("given_up", "by_hand"),
    }


async def test_the_figure_called_back(database: Database) -> None:
    """Each journey once, by the soonest; it stays what it was."""
    gave_up = [
        replace(abandoned(f"a{number}", wait=9), caller=CallerId(number=f"+3361234100{number}")) for number in range(3)
    ]
    again = replace(answered("again", start=after(300)), caller=gave_up[0].caller)
    twice = replace(answered("twice", start=after(900)), caller=gave_up[0].caller)
    await record(database, *gave_up, again, twice, wish("w"), wish("v"))
    async with database.connection() as connection:
        await connection.execute(
            update(callbacks)
            .where(callbacks.c.call_id == "w")
            .values(state="done", settled_by="called_back", settled_at=after(140))
        )
        row = {"call_id": "a1", "client": "cabinet-moreau", "principal": "x", "result": "reached", "at": after(221)}
        await connection.execute(insert(follow_ups).values(**row))

    (found,) = (
        await read_stats(database, Period.between(TUESDAY, after(86_400)), now=after(86_400), client="cabinet-moreau")
    ).clients

    assert found.called_back == 3
    delays = found.called_back_after
    assert (delays.p50_seconds, delays.max_seconds) == (200.0, (after(300 + 20) - after(21)).total_seconds())
    assert found.figures.by_disposition[Disposition.ABANDONED] == 3
    assert found.figures.by_disposition[Disposition.MESSAGE_LEFT] == 2


async def test_who_was_answered_after_all_was_not_called_back(database: Database) -> None:
    """They asked, went on waiting, and somebody answered: that is an answered journey, not one reached later."""
    asked = Callback(number="+33612340001", node="offer", asked_at=after(14))
    await record(database, replace(answered("a", wait=8), callbacks=(asked,)))
    async with database.connection() as connection:
        await connection.execute(update(callbacks).values(state="done", settled_by="rang_again", settled_at=after(20)))

    period = Period.between(TUESDAY, after(86_400))
    (found,) = (await read_stats(database, period, now=after(86_400), client="cabinet-moreau")).clients

    assert found.figures.by_disposition[Disposition.ANSWERED] == 1
    assert found.called_back == 0


@pytest.mark.parametrize("how", ["rang_again", "called_back"])
async def test_a_client_that_was_renamed(api: httpx.AsyncClient, database: Database, how: str) -> None:
    """Who gave up under its name of then, and was reached under the present one, is settled; and is in the figure."""
    promise = Promise(timezone="Europe/Paris")
    for client, formerly in (("moreau", ()), ("cabinet-moreau", ("moreau",))):
        plan = StoredPlan(
            client=client, version=client, document="", first_live_at=TUESDAY, promise=promise, formerly=formerly
        )
        await remember_live(database, [plan], [WentLive(client=client, version=client, live_at=TUESDAY, why="saved")])
    await record(database, replace(abandoned("a", wait=9), client="moreau"), wish("w"))
    if how == "rang_again":
        await record(database, answered("again", start=after(600)))
    else:
        await placed(database, "w", answered_at=after(90), ended_at=after(100), outcome="answered", agent="agent-2")

    (one,) = await worklist(api)
    period = Period.between(TUESDAY, after(86_400))
    (stats,) = (await read_stats(database, period, now=after(86_400), client="cabinet-moreau")).clients

    assert (one["client"], one["settled_by"]) == ("moreau", how)
    assert await worklist(api, settled="false") == []
    assert len(await worklist(api, settled="true")) == 1
    assert stats.called_back == 1


async def test_by_command(database: Database, database_url: str, tmp_path: Path) -> None:
    """List, settle, list again; and the audit trail names whoever did."""
    await record(database, abandoned("a", wait=9), wish("w"))

    async def command(*arguments: str) -> Any:
        env = {"CALLROUTER_DATABASE_URL": database_url}
        return await asyncio.to_thread(run, "callbacks", *arguments, cwd=tmp_path, env=env)

    open_, gave_up = await command("list"), await command("abandoned")
    assert "cabinet-moreau  +33612340001  w/1: open" in open_.stdout, open_.stderr
    assert "cabinet-moreau  +33612340001  a  waited 9 s in medical" in gave_up.stdout, gave_up.stderr
    assert (await command("settle", "w")).returncode == 0
    assert (await command("settle", "w")).returncode == 2
    assert (await command("follow-up", "a", "reached")).returncode == 0
    assert (await command("follow-up", "w", "reached")).returncode == 2
    assert (await command("list")).stdout == "Nobody is to be called back.\n"
    assert (await command("abandoned")).stdout == "Nobody.\n"
    assert "called_back by command:" in (await command("abandoned", "--all")).stdout

    async with database.connection() as connection:
        deeds = (await connection.execute(select(audit.c.action, audit.c.object).order_by(audit.c.at))).all()
    assert ("callback.settle", "w/1") in {tuple(deed) for deed in deeds}
    assert ("callback.settle", "a") in {tuple(deed) for deed in deeds}

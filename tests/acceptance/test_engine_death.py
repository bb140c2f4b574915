"""The engine is killed: the next one goes on with callers where they are, and without one the PBX serves them alone."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.demo import stories
from deploy.demo.caller import HangUp, Outcome, Press, UntilSound, UntilTone, Wait
from deploy.demo.stack import CHECKOUT
from deploy.demo.verdict import caller_complaints, row_complaints

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from deploy.demo.sipp import CallerIdentity
    from tests.acceptance.conftest import Town

LEASE_SECONDS = 20.0
"""The longest lease: a prompt, the wait for a key, and what is on top."""


def test_killed_engine_leaves_no_caller_alone(own_town: Town, tmp_path: Path) -> None:
    town = own_town
    in_menu, in_conversation = town.somebody(), town.somebody()

    async def kill_soon() -> float:
        await asyncio.sleep(7.0)
        await town.stack.engine.kill()
        return time.monotonic()

    talker, waiter, killed = town.run(_together(town, in_conversation, in_menu, kill_soon()))
    # Who talks to an agent does not even notice.
    assert caller_complaints(talker) == []
    assert talker.ended is not None
    assert talker.ended - killed > 4.0
    # Who was in a menu is taken to the client's declared fallback: its queue.
    assert caller_complaints(waiter) == []

    # The client's tree is another one when the next engine starts: what the state of both calls says is still known.
    _serve_another_tree(town, tmp_path / "dialplans")
    town.run(town.stack.engine.start())
    story = next(story for story in stories.STORIES if story.name == "vip")
    outcome = town.call(story.did, *story.script, caller=story.caller)
    assert caller_complaints(outcome) == []
    [row] = town.rows_of(story.caller)
    assert row_complaints(story, row) == []
    # Both calls ended while no engine lived: Asterisk's journal has them, and each has its one right row.
    [talked] = town.rows_of(in_conversation)
    assert talked["disposition"] == "answered"
    assert talked["agent"] in ("agent-1", "agent-2")
    assert talked["talk_seconds"] > 4
    # Whom they were offered to is in none of Asterisk's notes: the engine's own journal on disk had it.
    detail = town.detail(talked["call_id"])
    assert (detail["offers"][-1]["agent"], detail["offers"][-1]["outcome"]) == (talked["agent"], "answered")
    assert [(leg["purpose"], leg["party"]) for leg in detail["legs"]] == [("agent", talked["agent"]), ("caller", "")]
    assert {leg["ended_by"] for leg in detail["legs"]} == {None}
    [waited] = town.rows_of(in_menu)
    assert waited["disposition"] == "answered"
    assert waited["agent"] in ("agent-1", "agent-2")
    # They talked for some two seconds; what is beyond that they waited, or heard the menu.
    assert 1 <= waited["talk_seconds"] <= 6
    for found in (talked, waited):
        assert "welcome" in {visit["node"] for visit in town.detail(found["call_id"])["visits"]}
        assert found["plan_version"] != row["plan_version"]
    # Nobody watched meanwhile, and the figures say so.
    [gap] = town.get("/api/stats")["gaps"]
    assert gap["reason"] == "the engine ended without a farewell"
    assert gap["until_at"] is not None
    assert town.nobody_is_left()


def test_callers_go_on_where_they_are_when_the_engine_is_started_again(own_town: Town, tmp_path: Path) -> None:
    """Two are in the menu: one keys while nobody is there, one once somebody is again. Nobody is sent elsewhere."""
    town = own_town
    talker, hasty, patient = town.somebody(), town.somebody(), town.somebody()

    async def restart() -> float:
        await asyncio.sleep(7.0)
        await town.stack.engine.kill()
        killed = time.monotonic()
        _serve_another_tree(town, tmp_path / "dialplans")
        await town.stack.engine.start()
        return killed

    async def later(seconds: float, caller: CallerIdentity, wait_seconds: float) -> Outcome:
        await asyncio.sleep(seconds)
        agent = UntilTone(stories.reached(1, 2).hertz, LEASE_SECONDS + 15)
        script = (UntilSound(), Wait(wait_seconds), Press("2"), agent, Wait(2), HangUp())
        return await town.calling(stories.MOREAU, *script, caller=caller)

    async def all_of_them() -> tuple[Outcome, Outcome, Outcome, float]:
        talking = (UntilSound(), Wait(0.5), Press("2"), stories.reached(1, 2), Wait(20), HangUp())
        return await asyncio.gather(
            town.calling(stories.MOREAU, *talking, caller=talker),
            later(5.0, hasty, 3.0),
            later(5.5, patient, 9.0),
            restart(),
        )

    talked, keyed, waited, killed = town.run(all_of_them())
    assert caller_complaints(talked) == caller_complaints(keyed) == caller_complaints(waited) == []
    assert talked.ended is not None
    assert talked.ended > killed + 10
    for caller in (hasty, patient):
        row = town.row_of(caller)
        ways = [(visit["node"], visit["exit"]) for visit in row["visits"]]
        assert ("welcome", "taken over") in ways
        assert ("welcome", "key:2") in ways
        assert "control lost" not in {way for _, way in ways}
        assert row["disposition"] == "answered"
        assert 1 <= row["talk_seconds"] <= 6
    row = town.row_of(talker)
    assert row["disposition"] == "answered"
    assert 18 <= row["talk_seconds"] <= 22
    assert [(leg["purpose"], leg["ended_by"]) for leg in row["legs"]] == [("agent", "caller"), ("caller", "caller")]
    assert [offer["outcome"] for offer in row["offers"]] == ["answered"]
    assert town.nobody_is_left()


def test_an_engine_whose_place_is_taken_concludes_nothing(own_town: Town) -> None:
    """Somebody else holds its log-in when it is stopped: its callers are served on, and Asterisk has their records."""
    town, engine = own_town, own_town.stack.engine
    caller = town.somebody()

    async def usurp_and_stop() -> asyncio.StreamWriter:
        await asyncio.sleep(3.0)
        itself = engine.part()
        itself.suspend()
        usurper = await _take_the_place(town)
        itself.resume()
        await asyncio.sleep(2.5)
        await engine.stop()
        return usurper

    async def both() -> tuple[Outcome, asyncio.StreamWriter]:
        tone = UntilTone(stories.reached(1, 2).hertz, LEASE_SECONDS + 15)
        served = town.calling(stories.MOREAU, UntilSound(), tone, Wait(2), HangUp(), caller=caller)
        return await asyncio.gather(served, usurp_and_stop())

    outcome, usurper = town.run(both())
    assert caller_complaints(outcome) == []

    async def leave() -> None:
        usurper.close()
        await engine.start()

    town.run(leave())
    [row] = town.rows_of(caller)
    assert row["disposition"] == "answered"
    assert row["talk_seconds"] >= 1


async def _take_the_place(town: Town) -> asyncio.StreamWriter:
    """Its session is ended, and another one logs in before it is back."""
    pbx = town.stack.pbx
    shown = [line.split() for line in pbx.cli("manager show connected").splitlines()]
    [descriptor] = [fields[4] for fields in shown if fields[:1] == [pbx.ami_user]]  # name, address, start, elapsed, fd
    pbx.cli(f"manager kick session {descriptor}")
    login = f"Action: Login\r\nUsername: {pbx.ami_user}\r\nSecret: {pbx.ami_secret}\r\nEvents: off\r\n\r\n"
    for _ in range(50):
        reader, writer = await asyncio.open_connection(pbx.ami_host, pbx.ami_port)
        writer.write(login.encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        if b"Success" in answer:
            return writer
        writer.close()
        await asyncio.sleep(0.1)
    raise AssertionError("the place was not free")


def _serve_another_tree(town: Town, folder: Path) -> None:
    shutil.copytree(CHECKOUT / "dialplans", folder)
    file = folder / "cabinet-moreau.yaml"
    file.write_text(file.read_text() + "\n# edited while no engine was there\n")
    town.stack.engine.environment["CALLROUTER_DIALPLANS_DIR"] = str(folder)


async def _together(
    town: Town, talker: CallerIdentity, waiter: CallerIdentity, killing: Awaitable[float]
) -> tuple[Outcome, Outcome, float]:
    talking = town.calling(
        stories.MOREAU, UntilSound(), Wait(0.5), Press("2"), stories.reached(1, 2), Wait(8), HangUp(), caller=talker
    )

    # Called a little later: in the menu's prompt at the moment of the kill.
    async def later() -> Outcome:
        await asyncio.sleep(5.0)
        return await town.calling(
            stories.MOREAU,
            UntilSound(),
            UntilTone(stories.reached(1, 2).hertz, LEASE_SECONDS + 15),
            Wait(2),
            HangUp(),
            caller=waiter,
        )

    return await asyncio.gather(talking, later(), killing)

"""Ends that vanish without a word, on a real Asterisk: their legs end, and those who are merely silent stay."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from callrouter.asterisk.pbx.media_watch import MediaWatch
from callrouter.core.call import Disposition
from callrouter.core.nodes import AnswerNode, HangupNode, QueueNode
from deploy.demo import g711
from deploy.demo.carrier import Carrier, Habit
from deploy.demo.sipp import CallerIdentity, OutgoingCall, Progress
from deploy.demo.telephone import Telephone
from tests.asterisk.callers import Callers, Pbx
from tests.asterisk.engine_room import DID, EngineRoom, engine_room, plan_of, until
from tests.patience import START_SECONDS

TIMEOUT_SECONDS = 2.0
"""Of the tests; an operator's is 120 s or more (test_settings)."""
AT_LATEST_SECONDS = TIMEOUT_SECONDS * 1.25 + 2.5
PLAN = plan_of(
    AnswerNode(name="answer", exits={"next": "team"}),
    QueueNode(name="team", queue="team", max_wait_seconds=60, exits={"overflow": "bye"}),
    HangupNode(name="bye"),
)


class Caller:
    """Somebody at a telephone who speaks all the time, until it has no power any more."""

    def __init__(self, call: OutgoingCall, telephone: Telephone) -> None:
        self._call = call
        self._telephone = telephone
        self._listening = asyncio.get_running_loop().create_task(self._listen())

    @classmethod
    async def dial(cls, pbx: Pbx) -> Caller:
        telephone = await Telephone.open(background=g711.tone(900.0, 1.0))
        who, token = CallerIdentity(number="+33639980009"), secrets.token_hex(8)
        call = await OutgoingCall.dial(
            (pbx.sip_host, pbx.sip_port), DID, who, media_port=telephone.port, seconds=120, token=token
        )
        return cls(call, telephone)

    async def vanish(self) -> None:
        """Neither SIP nor sound comes any more."""
        self._telephone.close()
        self._listening.cancel()
        await self._call.stop()

    async def _listen(self) -> None:
        async for said in self._call.progress():
            if said.progress is Progress.ANSWERED:
                self._telephone.connect("127.0.0.1", int(said.detail))


class Watched:
    """The engine with its watch over media, the agent's phone, and how many legs were ended."""

    def __init__(self, room: EngineRoom, phones: Carrier) -> None:
        self.room = room
        self.phones = phones
        self.ended = 0
        self.watch = MediaWatch(room.link, TIMEOUT_SECONDS, link_up=lambda: True, on_ended=self._count)

    def _count(self) -> None:
        self.ended += 1


@asynccontextmanager
async def watched(folder: Path, agent: Habit) -> AsyncIterator[Watched]:
    """A team of one agent with this habit."""
    phones = await Carrier.open({"agent-1": agent})
    team = "[team](team)\nmember => PJSIP/agent-1,0,agent-1,PJSIP/agent-1\n"
    contacts = {"agent-1": phones.contact}
    with Pbx.start(folder / "pbx", agents=1, agent_contacts=contacts, extra_conf={"queues": team}) as pbx:
        await until(lambda: " Avail " in pbx.cli("pjsip show aor agent-1"), START_SECONDS)
        async with engine_room(pbx, PLAN) as room:
            found = Watched(room, phones)
            watch = asyncio.get_running_loop().create_task(found.watch.run())
            try:
                yield found
            finally:
                watch.cancel()
                with suppress(asyncio.CancelledError):
                    await watch
                await phones.close()


async def test_a_caller_who_vanishes_while_waiting_is_ended(tmp_path: Path) -> None:
    """They had spoken; their telephone loses its power in the queue: the call ends, and the agent's phone is quiet."""
    async with watched(tmp_path, Habit.RINGS) as found:
        caller = await Caller.dial(found.room.pbx)
        await until(lambda: bool(found.phones.dialled), 10)
        await asyncio.sleep(2 * TIMEOUT_SECONDS)
        assert (len(found.room.live), found.ended) == (1, 0)
        await caller.vanish()
        call = await found.room.the_end(AT_LATEST_SECONDS)
        await until(lambda: "0 active channels" in found.room.pbx.cli("core show channels count"), 5)

    assert (call.disposition, found.ended) == (Disposition.ABANDONED, 1)


async def test_an_agent_who_vanishes_in_a_conversation_is_free_again(tmp_path: Path) -> None:
    """Their leg ends; the caller, who still speaks, is not left in silence, and the call was answered."""
    async with watched(tmp_path, Habit.ANSWERS) as found:
        caller = await Caller.dial(found.room.pbx)
        await found.room.reached(lambda call: call.agent == "agent-1")
        await asyncio.sleep(2 * TIMEOUT_SECONDS)
        assert (len(found.room.live), found.ended) == (1, 0)
        found.phones.vanish()
        call = await found.room.the_end(AT_LATEST_SECONDS)
        shown = found.room.pbx.cli("queue show team")
        await caller.vanish()

    assert (call.disposition, found.ended) == (Disposition.ANSWERED, 1)
    assert "In use" not in shown


async def test_a_caller_who_never_sent_any_media_stays(tmp_path: Path) -> None:
    """SIPp sends no RTP at all: whoever only listens waits as long as they like."""
    async with watched(tmp_path, Habit.RINGS) as found:
        with Callers(found.room.pbx, tmp_path) as callers:
            callers.call("talk", DID, hold_ms=60_000)
            await until(lambda: bool(found.phones.dialled), 10)
            await asyncio.sleep(4 * TIMEOUT_SECONDS)
            live = list(found.room.live)

    assert (len(live), found.ended) == (1, 0)


async def test_session_timers_find_who_has_vanished(tmp_path: Path) -> None:
    """Asterisk alone, at the shortest interval there is: after half of it all ends are asked, and those that do not
    answer are gone; a call whose ends answer goes on, though they know nothing of session timers.
    """
    vanishing, staying = [await Carrier.open({name: Habit.ANSWERS}) for name in ("agent-1", "agent-2")]
    queues = "".join(f"[team-{n}](team)\nmember => PJSIP/agent-{n},0,agent-{n},PJSIP/agent-{n}\n" for n in (1, 2))
    with Pbx.start(
        tmp_path / "pbx",
        agents=2,
        agent_contacts={"agent-1": vanishing.contact, "agent-2": staying.contact},
        admission_seconds=0.2,
        session_seconds=90,
        # A fifth of RFC 3261's times, which are 32 s for the refresh and 32 s for the BYE that follows.
        extra_conf={"queues": queues, "pjsip": "[system](+)\ntimer_t1 = 100\ntimer_b = 6400\n"},
    ) as pbx:
        for number in (1, 2):
            pbx.cli(f"database put callrouter/fallback 014000000{number} queue:team-{number}")
        await until(lambda: pbx.cli("pjsip show contacts").count(" Avail ") == 2, START_SECONDS)
        with Callers(pbx, tmp_path) as callers:
            gone, stays = callers.call("talk", "0140000001", hold_ms=300_000), callers.refreshed("0140000002")
            await until(lambda: _talking(pbx) == 4, 10)
            gone.kill()
            vanishing.vanish()
            status = await asyncio.to_thread(stays.wait, 60)
            await until(lambda: _talking(pbx) == 0, 15)
        await staying.close()

    assert status == 0


def _talking(pbx: Pbx) -> int:
    """How many legs are in a conversation or beyond."""
    return pbx.cli("core show channels concise").count("!Up!")

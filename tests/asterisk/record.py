"""Records the stories in recordings/ anew, from a real Asterisk: `python -m tests.asterisk.record [STORY …]`.

Each file is what one manager session received, byte for byte, with no event filtered, while an engine of a few lines
handled one call. It holds no secret: those travel the other way.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from callrouter.asterisk import commands
from callrouter.asterisk.actions import ChannelActions
from callrouter.asterisk.asyncagi import AgiResult, parse_env
from callrouter.asterisk.batch import Batch
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.log_in import AmiAddress
from callrouter.asterisk.session import AmiSession
from callrouter.errors import AmiError
from deploy.demo.carrier import Carrier, Habit
from tests.asterisk.callers import Callers, Pbx, free_port

RECORDINGS = Path(__file__).parent / "recordings"
DID = "0140000001"
LONG_SECONDS = 14400.0


class Recorder(AmiLink):
    """A link that asks for every event and keeps what it received."""

    def __init__(self, pbx: Pbx) -> None:
        address = AmiAddress(host=pbx.ami_host, port=pbx.ami_port, username=pbx.ami_user, secret=pbx.ami_secret)
        self.stream = bytearray()
        self.starts: asyncio.Queue[AmiMessage] = asyncio.Queue()
        self.ends: asyncio.Queue[AmiMessage] = asyncio.Queue()
        super().__init__(address)
        self.tells(events={"AsyncAGIStart": self._note, "Hangup": self._note})

    def _note(self, message: AmiMessage) -> None:
        (self.starts if message.event == "AsyncAGIStart" else self.ends).put_nowait(message)

    def _idle_session(self) -> AmiSession:
        stream = self.stream

        class Tapped(AmiSession):
            def data_received(self, data: bytes) -> None:
                stream.extend(data)
                super().data_received(data)

        return Tapped(self._handlers, self.counters)

    async def _choose_events(self, session: AmiSession) -> None:
        batch = Batch(session)
        answer = batch.request("Events", {"EventMask": "on"})
        batch.write()
        await answer


class OneCall:
    """The call of a story, and the engine's few verbs."""

    def __init__(self, link: AmiLink, channel: str) -> None:
        self._link = link
        self._channel = ChannelActions(channel)

    def order(self, one: commands.AgiCommand, *, lease_seconds: float) -> None:
        """Send a command, and do not wait for its result."""
        batch = self._link.batch()
        batch.agi(self._channel, one, lambda _: None)
        batch.raw(self._channel.wake(lease_seconds))
        batch.write()

    async def do(self, *orders: commands.AgiCommand, lease_seconds: float = 30.0) -> AgiResult | AmiError:
        """Send commands in one write, with one wake-up; the result of the last."""
        done: asyncio.Future[AgiResult | AmiError] = asyncio.get_running_loop().create_future()
        batch = self._link.batch()
        for order in orders[:-1]:
            batch.agi(self._channel, order, lambda _: None)
        batch.agi(self._channel, orders[-1], done.set_result)
        batch.raw(self._channel.wake(lease_seconds))
        batch.write()
        return await asyncio.wait_for(done, 20)


Story = Callable[[Recorder, Callers, int], Awaitable[None]]


async def _arrival(recorder: Recorder) -> OneCall:
    start = await asyncio.wait_for(recorder.starts.get(), 10)
    return OneCall(recorder, parse_env(start["Env"]).channel)


async def caller_served_by_ivr(recorder: Recorder, callers: Callers, phone: int) -> None:
    """Answered, greeted, asked for a digit they do not key, hung up on. Their name is Zoë Müller-Łukasz 🙂."""
    callers.call("listen", DID, name="Zoë Müller-Łukasz 🙂")
    call = await _arrival(recorder)
    await call.do(commands.answer())
    await call.do(commands.set_variable("CR_STATE", "bm9kZT1tZW51"), commands.playback(("beep",)))
    await call.do(commands.read("CR_DIGITS", ("beep",), max_digits=1, timeout_seconds=0.3))
    await call.do(commands.get_variable("CR_DIGITS"))
    await call.do(commands.hangup())
    await asyncio.wait_for(recorder.ends.get(), 5)


async def caller_hangs_up_in_prompt(recorder: Recorder, callers: Callers, phone: int) -> None:
    callers.call("talk", DID, hold_ms=800)
    call = await _arrival(recorder)
    await call.do(commands.answer())
    await call.do(commands.playback(("demo-congrats",)))
    await asyncio.wait_for(recorder.ends.get(), 5)


async def caller_answered_by_agent(recorder: Recorder, callers: Callers, phone: int) -> None:
    """Waits in a queue, agent-1 answers, the caller hangs up."""
    callers.phone(phone, ring_ms=300)
    callers.call("talk", DID, hold_ms=2500)
    call = await _arrival(recorder)
    await call.do(
        commands.answer(),
        commands.set_variable("CR_QUEUE", "medical"),
        commands.set_variable("CR_QUEUE_OPTIONS", "c"),
        commands.set_variable("CR_QUEUE_WAIT", "10"),
    )
    await call.do(commands.gosub("callrouter-queue"), lease_seconds=LONG_SECONDS)
    await asyncio.wait_for(recorder.ends.get(), 5)


async def caller_abandons_queue(recorder: Recorder, callers: Callers, phone: int) -> None:
    """Waits in a queue whose agent does not answer, and hangs up."""
    callers.phone(phone, ring_ms=20000)
    callers.call("talk", DID, hold_ms=1500)
    call = await _arrival(recorder)
    await call.do(commands.answer(), commands.set_variable("CR_QUEUE", "medical"))
    await call.do(commands.gosub("callrouter-queue"), lease_seconds=LONG_SECONDS)
    await asyncio.wait_for(recorder.ends.get(), 5)


async def caller_connected_by_dial(recorder: Recorder, callers: Callers, phone: int) -> None:
    """Connected to a phone through callrouter-leg, then hangs up."""
    callers.phone(phone, ring_ms=300)
    callers.call("talk", DID, hold_ms=2500)
    call = await _arrival(recorder)
    await call.do(
        commands.answer(),
        commands.set_variable("__CR_LEG_0", "PJSIP/agent-1"),
        commands.set_variable("CR_DIAL", "Local/0@callrouter-leg/n"),
        commands.set_variable("CR_RING", "10"),
        commands.set_variable("__CR_RING", "10"),
    )
    await call.do(commands.gosub("callrouter-dial"), lease_seconds=LONG_SECONDS)
    await asyncio.wait_for(recorder.ends.get(), 5)


async def caller_refused_then_answered(recorder: Recorder, callers: Callers, phone: int) -> None:
    """The first agent is busy, the second one answers, and has the caller on hold for a while."""
    async with _telephones({"agent-2": Habit.BUSY, "agent-3": Habit.ANSWERS}, phone) as phones:
        callers.call("talk", DID, hold_ms=6000)
        await _to_team(await _arrival(recorder))
        await _answered(phones, "agent-3")
        phones.hold("agent-3", on=True)
        await asyncio.sleep(0.6)
        phones.hold("agent-3", on=False)
        await asyncio.wait_for(recorder.ends.get(), 10)
        await asyncio.wait_for(recorder.ends.get(), 10)


async def caller_given_to_colleague(recorder: Recorder, callers: Callers, phone: int) -> None:
    """The agent gives the caller to a colleague, without a word; the caller hangs up."""
    async with _telephones({"agent-2": Habit.ANSWERS, "agent-3": Habit.ANSWERS}, phone) as phones:
        callers.call("talk", DID, hold_ms=6000)
        await _to_team(await _arrival(recorder))
        await _answered(phones, "agent-2")
        channels = await recorder.collect("Status", {})
        agent = next(one["Channel"] for one in channels if one["Channel"].startswith("PJSIP/agent-2"))
        to = {"Channel": agent, "Context": "callrouter-phones", "Exten": "agent-3"}
        await recorder.send("BlindTransfer", to)
        await _answered(phones, "agent-3")
        await asyncio.wait_for(recorder.ends.get(), 10)
        await asyncio.wait_for(recorder.ends.get(), 10)
        await asyncio.sleep(1)


@asynccontextmanager
async def _telephones(habits: dict[str, Habit], port: int) -> AsyncIterator[Carrier]:
    """Of the agents of `sales`, at a port."""
    loop = asyncio.get_running_loop()
    _, phones = await loop.create_datagram_endpoint(lambda: Carrier(habits), local_addr=("127.0.0.1", port))
    try:
        yield phones
    finally:
        await phones.close()


async def _to_team(call: OneCall) -> None:
    orders = [
        commands.set_variable(name, value)
        for name, value in (("CR_QUEUE", "sales"), ("CR_QUEUE_OPTIONS", "c"), ("CR_QUEUE_WAIT", "20"))
    ]
    await call.do(commands.answer(), *orders)
    call.order(commands.gosub("callrouter-queue"), lease_seconds=LONG_SECONDS)


async def _answered(phones: Carrier, name: str) -> None:
    async with asyncio.timeout(10):
        while not any(f"sip:{name}@" in one and one.startswith("ACK ") for one in phones.heard):
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)


STORIES: tuple[Story, ...] = (
    caller_served_by_ivr,
    caller_hangs_up_in_prompt,
    caller_answered_by_agent,
    caller_abandons_queue,
    caller_connected_by_dial,
    caller_refused_then_answered,
    caller_given_to_colleague,
)
OF_TEAMS = frozenset({caller_refused_then_answered, caller_given_to_colleague})
"""Their telephones are agent-2 and agent-3, at a port of their own."""


async def record(folder: Path, wanted: Sequence[str]) -> None:
    """Every story, or those that are named, in its own session, one after the other."""
    phone, others = free_port(), free_port(socket.SOCK_DGRAM)
    contacts = {"agent-1": f"127.0.0.1:{phone}", **dict.fromkeys(("agent-2", "agent-3"), f"127.0.0.1:{others}")}
    members = {"medical": ["agent-1"], "sales": ["agent-2", "agent-3"]}
    with Pbx.start(folder / "pbx", agent_contacts=contacts, queue_members=members, qualify_seconds=0) as pbx:
        for story in STORIES:
            name = getattr(story, "__name__", "story")
            if wanted and name not in wanted:
                continue
            recorder = Recorder(pbx)
            await recorder.connect()
            with Callers(pbx, folder) as callers:
                await story(recorder, callers, others if story in OF_TEAMS else phone)
                await asyncio.sleep(0.7)  # the events that come after the caller's hang-up
            await recorder.close()
            (RECORDINGS / f"{name}.ami").write_bytes(recorder.stream)
            sys.stdout.write(f"{name}: {len(recorder.stream)} bytes\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(record(Path(temporary), sys.argv[1:]))

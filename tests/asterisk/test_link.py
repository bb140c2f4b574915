"""The AMI link on a real Asterisk; a scripted peer only for what no Asterisk does on demand.

Each fault of panoramisk is shown first with panoramisk alone, then that the link does not have it.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from panoramisk import Manager
from panoramisk.ami_protocol import AMIProtocol
from structlog.testing import capture_logs

from callrouter.asterisk import commands, link, log_in
from callrouter.asterisk.actions import ChannelActions
from callrouter.asterisk.asyncagi import AgiResult, parse_env
from callrouter.asterisk.batch import Batch
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.link import PING_SECONDS, AmiLink, LinkState, pause_seconds
from callrouter.asterisk.log_in import AmiAddress
from callrouter.asterisk.session import AmiSession, Handlers, LinkCounters
from callrouter.asterisk.switch import EVENTS
from callrouter.errors import AmiError, AmiRefused, AmiUnreachable, ChannelGone
from tests.asterisk.callers import Callers, Pbx, free_port

DID = "0140000001"


# What the tests are made of


def address_of(pbx: Pbx) -> AmiAddress:
    return AmiAddress(host=pbx.ami_host, port=pbx.ami_port, username=pbx.ami_user, secret=pbx.ami_secret)


class Listener:
    """What a link told: events, states, failed posts."""

    def __init__(self, address: AmiAddress) -> None:
        self.events: asyncio.Queue[AmiMessage] = asyncio.Queue()
        self.states: list[tuple[LinkState, str]] = []
        self.post_errors: list[tuple[str, str]] = []
        self.link = AmiLink(
            address, on_post_error=lambda about, message: self.post_errors.append((about, message["Message"]))
        )
        self.link.tells(
            events=dict.fromkeys(EVENTS, self.events.put_nowait),
            on_state=lambda state, reason: self.states.append((state, reason)),
        )

    async def event(self, name: str, seconds: float = 5) -> AmiMessage:
        async with asyncio.timeout(seconds):
            while True:
                message = await self.events.get()
                if message.event == name:
                    return message

    async def state(self, state: LinkState, seconds: float = 5) -> None:
        await until(lambda: self.link.state is state, seconds)


async def until(true: Callable[[], bool], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # what is awaited is not ours to signal
            await asyncio.sleep(0.005)


@asynccontextmanager
async def connected(pbx: Pbx) -> AsyncIterator[Listener]:
    listener = Listener(address_of(pbx))
    await listener.link.connect()
    try:
        yield listener
    finally:
        await listener.link.close()


@asynccontextmanager
async def running(listener: Listener) -> AsyncIterator[Listener]:
    task = asyncio.get_running_loop().create_task(listener.link.run())
    try:
        yield listener
    finally:
        await listener.link.close()
        await asyncio.wait_for(task, 6)


@asynccontextmanager
async def plain_panoramisk(pbx: Pbx) -> AsyncIterator[Any]:
    manager = Manager(
        loop=asyncio.get_running_loop(),
        host=pbx.ami_host,
        port=pbx.ami_port,
        username=pbx.ami_user,
        secret=pbx.ami_secret,
    )
    await manager.connect()
    await until(lambda: manager.authenticated)
    try:
        yield manager
    finally:
        manager.close()
        await asyncio.sleep(0.05)


async def arrival(listener: Listener) -> ChannelActions:
    return ChannelActions(parse_env((await listener.event("AsyncAGIStart"))["Env"]).channel)


async def agi(ami: AmiLink, channel: ChannelActions, command: commands.AgiCommand) -> AgiResult:
    done: asyncio.Future[AgiResult | AmiError] = asyncio.get_running_loop().create_future()
    ami.agi(channel, command, done.set_result, lease_seconds=30)
    outcome = await asyncio.wait_for(done, 5)
    assert isinstance(outcome, AgiResult)
    return outcome


async def agi_without_wake(ami: AmiLink, channel: ChannelActions, command: commands.AgiCommand) -> None:
    """As everybody else sends it: picked up when the channel wakes by itself."""
    done: asyncio.Future[AgiResult | AmiError] = asyncio.get_running_loop().create_future()
    batch = ami.batch()
    batch.agi(channel, command, done.set_result)
    batch.write()
    await asyncio.wait_for(done, 5)


Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def scripted(peer: Peer) -> AsyncIterator[AmiAddress]:
    """A TCP peer that does what a test says."""

    serving: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving[task] = writer
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await peer(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield AmiAddress(host="127.0.0.1", port=port, username="callrouter", secret="secret")
    finally:
        server.close()
        for writer in serving.values():
            writer.transport.abort()
        if serving:
            await asyncio.wait(serving, timeout=2)


async def read_action(reader: asyncio.StreamReader) -> dict[str, str]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    return dict(line.split(": ", 1) for line in lines)


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, filters: list[str] | None = None) -> None:
    """Log anybody in as Asterisk does, and accept the filters, which are noted."""
    writer.write(b"Asterisk Call Manager/11.0.0\r\n")
    while True:
        action = await read_action(reader)
        if filters is not None and "Filter" in action:
            filters.append(action["Filter"])
        # Of sessions, as of anything that is asked, there is one.
        writer.write(f"Response: Success\r\nActionID: {action['ActionID']}\r\nMessage: ok\r\nValue: 1\r\n\r\n".encode())
        if action["Action"] == "Login" and action["Events"] == "on":  # panoramisk
            writer.write(b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n")
            return
        if action["Action"] == "Events":
            return


# The faults of panoramisk


async def test_panoramisk_never_completes_an_agi_command(pbx: Pbx, callers: Callers) -> None:
    async with plain_panoramisk(pbx) as manager:
        starts: asyncio.Queue[Any] = asyncio.Queue()
        manager.register_event("AsyncAGIStart", lambda _, event: starts.put_nowait(event))
        results: asyncio.Queue[Any] = asyncio.Queue()
        manager.register_event("AsyncAGIExec", lambda _, event: results.put_nowait(event))
        callers.call("listen", DID)
        channel = (await asyncio.wait_for(starts.get(), 5))["Channel"]
        future = manager.send_agi_command(channel, "NOOP")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(future, 1.0)
        with suppress(TimeoutError):
            await asyncio.wait_for(manager.send_action({"Action": "Hangup", "Channel": channel}), 1)


async def test_the_link_completes_an_agi_command_at_once(pbx: Pbx, callers: Callers) -> None:
    """With its wake-up it takes a fraction of the 100 ms that Asterisk sleeps otherwise."""
    async with connected(pbx) as listener:
        callers.call("listen", DID, name=r"Eve \"${SHELL(id)}\" 🙂")
        channel = await arrival(listener)
        await agi(listener.link, channel, commands.answer())
        await agi(listener.link, channel, commands.set_variable("CR_NAME", 'a "b" \\ ${EXTEN} 🙂 (c)'))
        value = await agi(listener.link, channel, commands.get_variable("CR_NAME"))
        seconds = []
        for _ in range(50):
            started = time.perf_counter()
            await agi(listener.link, channel, commands.noop())
            seconds.append(time.perf_counter() - started)
        asleep = []
        for _ in range(5):
            started = time.perf_counter()
            await agi_without_wake(listener.link, channel, commands.noop())
            asleep.append(time.perf_counter() - started)
        await agi(listener.link, channel, commands.hangup())
        await listener.event("Hangup")

    assert value.value == 'a "b" \\ ${EXTEN} 🙂 (c)'
    assert 3 * statistics.median(seconds) < statistics.median(asleep)


def test_panoramisk_loses_a_split_character() -> None:
    message = "Event: AsyncAGIStart\r\nCallerIDName: Zoë\r\n\r\n".encode()
    seen: list[Any] = []
    protocol = AMIProtocol()
    protocol.connection_made(None)
    protocol.encoding = "utf8"
    protocol.handle_message = seen.append

    cut = message.index("ë".encode()) + 1
    protocol.data_received(message[:cut])
    protocol.data_received(message[cut:])

    assert seen[0]["CallerIDName"] == "Zo"


async def test_the_link_keeps_a_split_character() -> None:
    event = "Event: AsyncAGIStart\r\nCallerIDName: Zoë\r\n\r\n".encode()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        for at in range(len(event)):
            writer.write(event[at : at + 1])
            await writer.drain()
            await asyncio.sleep(0.001)
        await reader.read()

    async with scripted(peer) as address:
        listener = Listener(address)
        await listener.link.connect()
        message = await listener.event("AsyncAGIStart")
        await listener.link.close()

    assert message["CallerIDName"] == "Zoë"


async def test_no_value_begins_a_line(pbx: Pbx) -> None:
    """Panoramisk writes values as they are; the link's encoder makes one line of them."""
    async with connected(pbx) as listener:
        await listener.link.send("UserEvent", {"UserEvent": "T", "Text": "one\r\ntwo\r\n\r\nthree"})
        event = await listener.event("UserEvent")

    assert event["Text"] == "one two three"


class Forgetful:
    """A peer that takes a DBPut without answering, drops the connection, and notes what comes on the next one."""

    def __init__(self) -> None:
        self.at_seconds: list[float] = []
        self.second: list[str] = []
        self.lost_at_seconds = 0.0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.at_seconds.append(time.monotonic())
        await greet(reader, writer)
        if len(self.at_seconds) == 1:
            while (await read_action(reader))["Action"] != "DBPut":
                pass
            self.lost_at_seconds = time.monotonic()
            return
        while True:
            self.second.append((await read_action(reader))["Action"])


async def test_panoramisk_sends_again_after_2_seconds() -> None:
    peer = Forgetful()
    async with scripted(peer) as address:
        manager = Manager(
            loop=asyncio.get_running_loop(), host=address.host, port=address.port, username="u", secret="s"
        )
        await manager.connect()
        await until(lambda: manager.authenticated)
        manager.send_action({"Action": "DBPut", "Family": "a", "Key": "b", "Val": "c"})
        await until(lambda: "DBPut" in peer.second, 6)
        manager.close()

    assert peer.at_seconds[1] - peer.lost_at_seconds >= 1.9


async def test_the_link_fails_what_was_unanswered_and_comes_back_soon() -> None:
    peer = Forgetful()
    async with scripted(peer) as address, running(Listener(address)) as listener:
        await listener.state(LinkState.UP)
        future = listener.link.send("DBPut", {"Family": "a", "Key": "b", "Val": "c"})
        outcomes: list[AgiResult | AmiError] = []
        listener.link.agi(ChannelActions("PJSIP/a"), commands.noop(), outcomes.append, lease_seconds=1)
        with pytest.raises(AmiUnreachable, match="closed the connection"):
            await future
        await until(lambda: len(peer.at_seconds) == 2 and listener.link.state is LinkState.UP)
        await asyncio.sleep(0.3)

    assert peer.at_seconds[1] - peer.lost_at_seconds < 0.5
    assert "DBPut" not in peer.second
    assert "AGI" not in peer.second
    assert [AmiUnreachable] == [type(outcome) for outcome in outcomes]
    assert listener.link.counters.connections == 2


# Woken for what matters


CONFIRMED = tuple(
    b"Response: Success\r\nActionID: %b\r\nMessage: %b\r\n\r\n" % confirmation
    for confirmation in (
        (b"p/Setvar", b"Variable Set"),
        (b"afffffe", b"Added AGI command to queue"),
        (b"affffff", b"Added AGI command to queue"),
        (b"p/Timeout", b"Timeout Set"),
    )
)
"""What Asterisk answers to a call's first batch, which is the longest of most calls: state, answer, prompt, lease."""
STARTED = b"Event: AsyncAGIStart\r\nChannel: PJSIP/trunk-00000001\r\nEnv: " + b"x" * 1400 + b"\r\n\r\n"


async def answer_pings(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            action = await read_action(reader)
            writer.write(f"Response: Success\r\nActionID: {action['ActionID']}\r\nPing: Pong\r\n\r\n".encode())


async def test_confirmations_are_read_with_what_comes_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a batch wake nobody; an event, or the answer to a ping, brings them along."""
    read: list[int] = []
    then: list[int] = []
    data_received = AmiSession.data_received

    def counted(session: AmiSession, data: bytes) -> None:
        read.append(len(data))
        data_received(session, data)

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        async with asyncio.TaskGroup() as group:
            answering = group.create_task(answer_pings(reader, writer))
            await asyncio.sleep(0.3)
            read.clear()
            for confirmation in CONFIRMED:
                writer.write(confirmation)
                await writer.drain()
                await asyncio.sleep(0.05)
            then.append(sum(read))
            writer.write(STARTED)
            await asyncio.sleep(0.2)
            then.append(sum(read))
            writer.write(CONFIRMED[0])
            await asyncio.sleep(PING_SECONDS + 0.5)
            then.append(sum(read))
            answering.cancel()

    monkeypatch.setattr(AmiSession, "data_received", counted)
    async with scripted(peer) as address:
        listener = Listener(address)
        await listener.link.connect()
        await listener.event("AsyncAGIStart")
        await until(lambda: len(then) == 3)
        await listener.link.close()

    assert then[:2] == [0, sum(map(len, CONFIRMED)) + len(STARTED)]
    assert then[2] > then[1] + len(CONFIRMED[0])


@pytest.mark.parametrize("tail", [1, 20, 155, 299])
async def test_the_rest_of_an_event_is_read_however_short(tail: int) -> None:
    """Beyond the loopback an event may come in two segments."""

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        async with asyncio.TaskGroup() as group:
            answering = group.create_task(answer_pings(reader, writer))
            await asyncio.sleep(0.3)
            for part in (STARTED[:-tail], STARTED[-tail:]):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.05)
            await asyncio.sleep(1.0)
            answering.cancel()

    async with scripted(peer) as address:
        listener = Listener(address)
        await listener.link.connect()
        began = time.monotonic()
        await listener.event("AsyncAGIStart")
        assert time.monotonic() - began < 0.3 + 0.05 + 0.5
        await listener.link.close()


# Refused, unreachable, dead


async def test_a_wrong_secret_is_told_and_tried_again(pbx: Pbx) -> None:
    listener = Listener(replace(address_of(pbx), secret="wrong"))
    async with running(listener):
        await until(lambda: listener.link.counters.failures >= 2, 8)

    reasons = {reason for state, reason in listener.states if state is LinkState.REFUSED}
    assert len(reasons) == 1
    reason = reasons.pop()
    assert "Authentication failed" in reason
    assert "CALLROUTER_AMI_SECRET" in reason
    assert "wrong" not in reason


async def test_a_second_engine_is_refused_until_the_first_leaves(pbx: Pbx) -> None:
    second = Listener(address_of(pbx))
    async with connected(pbx):
        with pytest.raises(AmiRefused, match="Another engine"):
            await second.link.connect()
        assert second.link.state.value == "refused"
    await second.link.connect()
    assert second.link.state.value == "up"
    await second.link.close()


async def test_nobody_there_is_told() -> None:
    listener = Listener(AmiAddress(host="127.0.0.1", port=free_port(), username="u", secret="s"))

    with pytest.raises(AmiUnreachable, match=r"nobody answers at the AMI address 127\.0\.0\.1:\d+ .*AMI_PORT"):
        await listener.link.connect()

    assert LinkState.DOWN is listener.link.state
    with pytest.raises(AmiUnreachable):
        await listener.link.send("Ping")


async def test_an_asterisk_that_stays_away_is_one_line() -> None:
    """However often the link tries."""
    listener = Listener(AmiAddress(host="127.0.0.1", port=free_port(), username="u", secret="s"))
    with capture_logs() as logs:
        running = asyncio.ensure_future(listener.link.run())  # noqa: TID251
        async with asyncio.timeout(20):
            while listener.link.counters.failures < 5:
                await asyncio.sleep(0.05)
        await listener.link.close()
        await running

    assert len([one for one in logs if "nobody answers at the AMI address" in one["event"]]) == 1


async def test_another_service_is_named() -> None:
    async def ssh(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await reader.read()

    async with scripted(ssh) as address:
        with pytest.raises(AmiError, match="does not speak AMI"):
            await Listener(address).link.connect()


async def test_a_peer_that_does_not_answer_the_log_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "CONNECT_TIMEOUT_SECONDS", 0.2)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with scripted(silent) as address:
        with pytest.raises(AmiUnreachable, match="does not answer the log-in within"):
            await Listener(address).link.connect()


async def test_a_frozen_asterisk_is_noticed_within_5_seconds(pbx: Pbx) -> None:
    """Its kernel still acknowledges what we send, as with a half-open connection: only silence tells."""
    async with running(Listener(address_of(pbx))) as listener:
        await listener.state(LinkState.UP)
        os.kill(pbx.pid, signal.SIGSTOP)
        await asyncio.sleep(0.1)
        try:
            started = time.monotonic()
            future = listener.link.send("Ping")
            with pytest.raises(AmiUnreachable, match="nothing was heard"):
                await future
            seconds = time.monotonic() - started
        finally:
            os.kill(pbx.pid, signal.SIGCONT)
        await listener.state(LinkState.UP, 10)

    assert seconds <= 5.0


async def test_a_quiet_link_is_not_taken_for_dead(pbx: Pbx) -> None:
    """Nor when this process was held up itself for longer than the limit."""
    async with connected(pbx) as listener:
        time.sleep(link.SILENCE_SECONDS + 0.3)  # noqa: ASYNC251  # that is the point
        await asyncio.sleep(0.7)

        assert LinkState.UP is listener.link.state


async def test_an_asterisk_that_dies_and_returns(pbx: Pbx) -> None:
    async with running(Listener(address_of(pbx))) as listener:
        await listener.state(LinkState.UP)
        await asyncio.to_thread(pbx.kill)
        await listener.state(LinkState.DOWN)
        with pytest.raises(AmiUnreachable):
            await listener.link.send("Ping")
        # In this thread: Asterisk dies with the thread that started it.
        pbx.restart()
        await listener.state(LinkState.UP, 12)

    assert listener.link.counters.connections == 2


def test_pauses_grow_are_capped_and_jittered() -> None:
    longest = [pause_seconds(attempt, lambda _, high: high) for attempt in range(10)]
    uniform = random.Random(7).uniform

    assert pytest.approx(longest) == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    assert len({pause_seconds(9, uniform) for _ in range(100)}) == 100
    assert all(0 <= pause_seconds(9, uniform) <= 5 for _ in range(100))


async def test_the_secret_stays_hidden_on_an_open_network(pbx: Pbx, monkeypatch: pytest.MonkeyPatch) -> None:
    """Log-in by challenge, on a real Asterisk."""
    monkeypatch.setattr(AmiAddress, "exposes_secrets", True)
    sent: list[bytes] = []
    submit = AmiSession.submit

    def spy(self: AmiSession, data: bytes, *rest: Any) -> None:
        sent.append(data)
        submit(self, data, *rest)

    monkeypatch.setattr(AmiSession, "submit", spy)
    async with connected(pbx) as listener:
        assert LinkState.UP is listener.link.state

    assert any(b"AuthType: MD5" in data for data in sent)
    assert not any(pbx.ami_secret.encode() in data for data in sent)


@pytest.mark.parametrize(
    ("host", "exposes"), [("127.0.0.1", False), ("::1", False), ("localhost", False), ("pbx.example", True)]
)
def test_who_could_read_a_secret(host: str, exposes: bool) -> None:
    address = AmiAddress(host=host, port=5038, username="u", secret="hidden")

    assert exposes is address.exposes_secrets
    assert "hidden" not in repr(address)


# Events and actions


async def test_asterisk_sends_only_what_is_wanted(pbx: Pbx, callers: Callers) -> None:
    async with connected(pbx) as listener:
        callers.call("listen", DID)
        channel = await arrival(listener)
        await agi(listener.link, channel, commands.answer())
        await agi(listener.link, channel, commands.playback(("beep",)))
        await agi(listener.link, channel, commands.hangup())
        await listener.event("Hangup")
        counters = listener.link.counters

    assert counters.events_dropped == 0
    assert 5 <= counters.events_received <= 9


async def test_only_plain_characters_of_numbers_arrive(pbx: Pbx, callers: Callers) -> None:
    """The Asterisk dialplan takes out what is none of them, of the caller's number and of the one dialled."""
    async with connected(pbx) as listener:
        callers.call("listen", f"{DID}%7E", number="+3369999%7E9999")
        env = parse_env((await listener.event("AsyncAGIStart"))["Env"])
        await agi(listener.link, ChannelActions(env.channel), commands.hangup())
        await listener.event("Hangup")

    assert (env.caller_number, env.extension) == ("+33699999999", DID)


def test_an_event_with_an_empty_line_is_held_back() -> None:
    """The filter's pattern, as Asterisk tries it on a whole event; genuine ones pass."""
    pattern = re.search(rb"Filter: !(.*)\r\n\r\n$", log_in.FORGED_EVENTS, re.DOTALL)
    assert pattern is not None
    held = re.compile(pattern[1], re.DOTALL)
    genuine = b"Event: Hangup\r\nUniqueid: 1.2\r\nCallerIDName: a\rbc\r\n\r\n"

    assert held.search(genuine) is None
    assert held.search(b"Event: A\r\nText: x\r\n\r\nmore\r\n\r\n") is not None


async def test_an_event_with_a_key_twice_is_dropped() -> None:
    """And counted; the next one is heard, and the filter is set at the log-in."""
    actions: list[str] = []

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer, actions)
        writer.write(b"Event: Hangup\r\nUniqueid: 1.1\r\nUniqueid: 1.2\r\n\r\n")
        writer.write(b"Event: Hangup\r\nUniqueid: 1.3\r\n\r\n")
        await writer.drain()
        await reader.read()

    async with scripted(peer) as address:
        listener = Listener(address)
        await listener.link.connect()
        event = await listener.event("Hangup")
        counters = listener.link.counters
        await listener.link.close()

    assert (event["Uniqueid"], counters.events_forged) == ("1.3", 1)
    assert log_in.FORGED_EVENTS.split(b"\r\n")[3].split(b": ")[1].decode(errors="replace") in actions


async def test_an_ended_channel_is_told(pbx: Pbx) -> None:
    gone = ChannelActions("PJSIP/trunk-ffffffff")
    outcomes: list[AgiResult | AmiError] = []
    async with connected(pbx) as listener:
        listener.link.agi(gone, commands.noop(), outcomes.append, lease_seconds=1)
        with pytest.raises(ChannelGone, match="No such channel"):
            await listener.link.send("Hangup", {"Channel": gone.channel})
        await until(lambda: len(outcomes) == 1 and len(listener.post_errors) == 1)

    assert [ChannelGone] == [type(outcome) for outcome in outcomes]
    assert listener.post_errors == [("Timeout", "No such channel")]


async def test_a_list_is_collected(pbx: Pbx, callers: Callers) -> None:
    """Also when the events of its answer are not wanted otherwise."""
    async with connected(pbx) as listener:
        callers.call("listen", DID)
        channel = await arrival(listener)
        batch = listener.link.batch()
        batch.raw(channel.set_variable("CR_STATE", "bm9kZT1tZW51"))
        status = batch.collect("Status", {"Variables": "CR_STATE,CR_CALL"})
        empty = batch.collect("QueueStatus", {"Queue": "none"})
        batch.write()
        answer, *items, end = await status
        ours = [item for item in items if item["Channel"] == channel.channel]
        await empty
        await agi(listener.link, channel, commands.hangup())
        await listener.event("Hangup")

    assert answer["Response"] == "Success"
    assert [v for item in ours for v in item.all("Variable") if "STATE" in v] == ["CR_STATE=bm9kZT1tZW51"]
    assert end.event == "StatusComplete"


async def test_an_error_to_a_list_is_an_error(pbx: Pbx) -> None:
    async with connected(pbx) as listener:
        with pytest.raises(ChannelGone):
            await listener.link.collect("Status", {"Channel": "PJSIP/none"})


async def test_what_was_abandoned_is_not_awaited(pbx: Pbx, callers: Callers) -> None:
    """A command of a channel that ended: Asterisk says nothing about it."""
    outcomes: list[AgiResult | AmiError] = []
    async with connected(pbx) as listener:
        callers.call("listen", DID)
        channel = await arrival(listener)
        batch = listener.link.batch()
        batch.agi(channel, commands.hangup(), outcomes.append)
        late = batch.agi(channel, commands.noop(), outcomes.append)
        batch.raw(channel.wake(30))
        batch.write()
        await listener.event("Hangup")
        listener.link.abandon(late)

        assert listener.link.awaited_results == 0
    assert len(outcomes) == 1


class Outbox(asyncio.Transport):
    """Keeps each write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))


async def test_a_batch_leaves_in_one_write() -> None:
    """Wake and lease rest on that: 1 ms between the two lets a lease land inside the routine."""
    handlers = Handlers(events={}, on_post_error=print)
    session, outbox, channel = AmiSession(handlers, LinkCounters()), Outbox(), ChannelActions("PJSIP/a")
    session.connection_made(outbox)
    outcomes: list[AgiResult | AmiError] = []

    batch = Batch(session)
    batch.agi(channel, commands.set_variable("CR_STATE", "x"), outcomes.append)
    batch.agi(channel, commands.gosub("callrouter-queue"), outcomes.append)
    batch.raw(channel.wake(14400))
    assert outbox.writes == []
    batch.write()

    assert len(outbox.writes) == 1
    names = [line for line in outbox.writes[0].split(b"\r\n") if line.startswith(b"Action: ")]
    assert names == [b"Action: AGI", b"Action: AGI", b"Action: AbsoluteTimeout"]
    session.connection_lost(None)
    assert len(outcomes) == 2


async def test_what_may_wait_goes_along_one_by_one_and_last() -> None:
    """It does not stand in front of a caller's commands, nor do its confirmations wake us with theirs."""
    session, outbox = AmiSession(Handlers(events={}, on_post_error=print), LinkCounters()), Outbox()
    waiting = [b"second", b"first"]
    session.submit(b"without a connection", {}, {})
    session.connection_made(outbox)
    session.submit(b"before the log-in;", {}, {})
    session.carry(lambda: waiting.pop() if waiting else b"")
    session.submit(b"own;", {}, {})
    session.submit(b"own;", {}, {b"5ba1": print})
    session.submit(b"own;", {}, {})
    session.submit(b"own;", {}, {})

    assert outbox.writes == [b"before the log-in;", b"own;first", b"own;", b"own;second", b"own;"]


async def test_a_failing_handler_deafens_nobody(pbx: Pbx) -> None:
    seen: list[str] = []

    def fail(message: AmiMessage) -> None:
        seen.append(message["Text"])
        raise ValueError("a bug in a handler")

    ami = AmiLink(address_of(pbx))
    ami.tells(events={"UserEvent": fail})
    await ami.connect()
    await ami.send_batch([("UserEvent", {"UserEvent": "T", "Text": text}) for text in ("one", "two")])[1]
    await until(lambda: len(seen) == 2)
    await ami.close()

    assert seen == ["one", "two"]


async def test_leaving_frees_the_place_at_once(pbx: Pbx) -> None:
    for _ in range(3):
        async with connected(pbx) as listener:
            await listener.link.send("Ping")
    assert LinkState.DOWN is listener.link.state

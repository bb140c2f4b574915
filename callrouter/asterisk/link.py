"""The link to Asterisk: keeps a connection (`log_in`), and comes back.

Manager's own log-in, ping, repetition of unanswered actions and fixed pause of 2 s are not used: `run` says who is
refused and why, notices a dead peer within 5 s, and comes back after an exponential pause with full jitter, so that
many engines do not return in step.

States and counters are observable; every change of state is told and logged as a sentence. Who hears what
is said once, by `tells`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from math import inf
from typing import Final

import structlog

from callrouter.asterisk import codec
from callrouter.asterisk.actions import ChannelActions
from callrouter.asterisk.batch import Batch, Headers, OnResult
from callrouter.asterisk.commands import AgiCommand
from callrouter.asterisk.event_time import EventTime, stamp_of
from callrouter.asterisk.leading.claim import take_place
from callrouter.asterisk.log_in import AmiAddress, choose_events, log_in, open_session, wanted
from callrouter.asterisk.session import RESULT_EVENT, Along, AmiSession, Handlers, LinkCounters, OnEvent, OnPostError
from callrouter.errors import AmiError, AmiRefused, AmiUnreachable
from callrouter.logs import Outage
from callrouter.runtime.pauses import pause

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT_SECONDS: Final = 5.0
PING_SECONDS: Final = 1.5
WATCH_SECONDS: Final = 0.5
SILENCE_SECONDS: Final = 4.2
"""A link on which nothing was heard for so long is dead: three pings went unanswered."""
STABLE_SECONDS: Final = 10.0
"""A link that was up for so long starts again with the shortest pause."""
FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 5.0
UNREACHABLE_PAUSE_SECONDS: Final = 1.0
"""The longest pause while nobody answers, which costs nobody anything: Asterisk is noticed when it is back."""

OnState = Callable[["LinkState", str], None]
OnClaim = Callable[[AmiSession], None]


class LinkState(StrEnum):
    DOWN = "down"
    CONNECTING = "connecting"
    UP = "up"
    REFUSED = "refused"


def pause_seconds(
    attempt: int,
    uniform: Callable[[float, float], float] = random.uniform,
    *,
    longest_seconds: float = LONGEST_PAUSE_SECONDS,
) -> float:
    """How long to wait before the attempt of that number (from 0): exponential, capped, fully jittered."""
    return uniform(0, min(longest_seconds, FIRST_PAUSE_SECONDS * 2 ** min(attempt, 16)))


class AmiLink:
    """One manager session at a time; create it inside a running loop, run `run` in one task.

    `on_post_error` is told each posted action that failed.
    """

    def __init__(self, address: AmiAddress, *, on_post_error: OnPostError | None = None) -> None:
        self.address = address
        self.state = LinkState.DOWN
        self.reason = "not connected yet"
        self.counters = LinkCounters()
        self._event_time = EventTime()
        self._events: dict[bytes, OnEvent] = {}
        self._handlers = Handlers(events=self._events, on_post_error=on_post_error or _log_post_error)
        self._filtered: set[str] = set()
        """Events that this session lets through."""
        self._on_state: list[OnState] = []
        self._on_claim: OnClaim | None = None
        self._held: AmiSession | None = None
        """A session that has the place already, for the next `connect`."""
        self._along: Along = bytes  # nothing
        self._loop = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        self.failure: AmiError | None = None
        """Why the last attempt to connect failed; None when it did not."""
        self._away = Outage(log, "", f"logged in to Asterisk at {address}", level="warning")
        self._session = self._idle_session()
        self._watch: asyncio.TimerHandle | None = None
        self._watch_due_seconds, self._ping_due_seconds = inf, 0.0

    def tells(
        self,
        *,
        events: Mapping[str, OnEvent] | None = None,
        on_state: OnState | None = None,
        along: Along | None = None,
        on_claim: OnClaim | None = None,
    ) -> None:
        """Subscribe, before `run`: what is not subscribed to is never sent by Asterisk.

        Args:
            events: who is told an event, by its name, the most frequent first; called in the reader, so it must not
                wait. Several may be told the same, in the order in which they said so. Not AsyncAGIExec: a result goes
                to whom sent the command.
            on_state: who is told each change of state; several may be.
            along: who is asked at each write without an AGI command for a posted action to go along; one may be.
            on_claim: who is told each session that has the place, before anything else is done by it; one may be.
        """
        for name, on_event in (events or {}).items():
            earlier = self._events.get(name.encode())
            self._events[name.encode()] = on_event if earlier is None else partial(_tell_both, earlier, on_event)
        if on_state is not None:
            self._on_state.append(on_state)
        if along is not None:
            self._along = along
        if on_claim is not None:
            self._on_claim = on_claim

    def follow(self, events: Mapping[str, OnEvent]) -> None:
        """Subscribe while the link runs, until `unfollow`: to what is frequent, and wanted only now and then.

        Nobody else may be told these: it is all or nothing.
        """
        assert not any(name.encode() in self._events for name in events), "these are told already"
        self.tells(events=events)
        for name in events.keys() - self._filtered:
            self._filtered.add(name)
            self.post_batch(codec.encode_action("Filter", wanted(name), f"p/Filter/{name}"))

    def unfollow(self, names: Iterable[str]) -> None:
        """What Asterisk still sends of it, until the next log-in, is dropped before it is decoded."""
        for name in names:
            self._events.pop(name.encode(), None)

    @property
    def wanted_events(self) -> tuple[str, ...]:
        """What Asterisk is asked to send: Asterisk tries the filters in this order."""
        return (RESULT_EVENT, *(name.decode() for name in self._events))

    # Sending. Without a connection everything fails with AmiUnreachable, at once; nothing is kept for later.

    def batch(self) -> Batch:
        """Begin a batch: what is added to it leaves in one write."""
        return Batch(self._session)

    def send(self, name: str, headers: Headers = ()) -> asyncio.Future[codec.AmiMessage]:
        """One action; its response, or ActionFailed, ChannelGone, AmiUnreachable."""
        return self.send_batch([(name, headers)])[0]

    def send_batch(self, requests: Sequence[tuple[str, Headers]]) -> list[asyncio.Future[codec.AmiMessage]]:
        """Several actions in one write."""
        batch = self.batch()
        futures = [batch.request(name, headers) for name, headers in requests]
        batch.write()
        return futures

    def collect(self, name: str, headers: Headers = ()) -> asyncio.Future[list[codec.AmiMessage]]:
        """An action answered by a list: its response, its events, the closing event."""
        batch = self.batch()
        future = batch.collect(name, headers)
        batch.write()
        return future

    def post_batch(self, data: bytes) -> None:
        """Posted actions made by `actions`, in one write; dropped without a connection."""
        self._session.submit(data, {}, {})

    def agi(self, channel: ChannelActions, command: AgiCommand, on_result: OnResult, *, lease_seconds: float) -> bytes:
        """One AGI command and its wake-up, in one write; returns the command's id."""
        batch = self.batch()
        command_id = batch.agi(channel, command, on_result)
        batch.raw(channel.wake(lease_seconds))
        batch.write()
        return command_id

    def abandon(self, command_id: bytes) -> None:
        """Forget an AGI command of a channel that ended: Asterisk says nothing about it any more."""
        self._session.abandon(command_id)

    @property
    def connected(self) -> bool:
        """Whether what is written now leaves; `state` is told of a loss an instant later."""
        return self._session.connected

    @property
    def late_seconds(self) -> float:
        """How long ago what is being told happened, by Asterisk's own time; 0 when nothing is being told."""
        return self._session.late_seconds

    @property
    def silent_seconds(self) -> float:
        """For how long nothing has been heard."""
        return self._loop.time() - self._session.last_heard_seconds

    @property
    def behind_seconds(self) -> float:
        """For how long this very process was held up, when it is on its way to catch up; negative when it is not."""
        return self._loop.time() - self._watch_due_seconds

    @property
    def awaited_results(self) -> int:
        """AGI commands whose result has not come yet."""
        return self._session.awaited_results

    # Living

    async def run(self) -> None:
        """Connect, and come back whenever the link is lost or refused, until `close`."""
        attempt = 0
        while not self._closing.is_set():
            try:
                session = await self.connect()
            except AmiError as error:
                self.failure = error
                self.counters.failures += 1
            else:
                self.failure = None
                if await self._stay(session) >= STABLE_SECONDS:
                    attempt = 0
            unreachable = isinstance(self.failure, AmiUnreachable)
            longest = UNREACHABLE_PAUSE_SECONDS if unreachable else LONGEST_PAUSE_SECONDS
            await pause(pause_seconds(attempt, longest_seconds=longest), self._closing)
            attempt += 1

    async def _stay(self, session: AmiSession) -> float:
        """Wait until the session is lost; return for how many seconds it was up."""
        up_at = self._loop.time()
        try:
            if self._closing.is_set():
                await session.log_off("callrouter is stopping")
            await asyncio.wait([session.lost])
        finally:  # also when the task is cancelled
            session.abort("callrouter is stopping")
        return self._loop.time() - up_at

    async def hold(self) -> None:
        """Take the place, and hear and do nothing yet: the next `connect` goes on with it. Raises as that one."""
        self._held = await self._attempt(self._claim)

    async def connect(self) -> AmiSession:
        """One attempt. Raises AmiUnreachable, AmiRefused or ProtocolError, whose text is the reason to
        show.
        """
        return await self._attempt(self._begin)

    async def _attempt(self, work: Callable[[list[AmiSession]], Awaitable[AmiSession]]) -> AmiSession:
        """`work` notes the session that it has opened: it is ended when `work` fails."""
        self._change(LinkState.CONNECTING, f"connecting to Asterisk at {self.address}")
        opened: list[AmiSession] = []
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                return await work(opened)
        except (AmiError, TimeoutError) as error:
            failure = error if isinstance(error, AmiError) else self._too_slow(opened)
            for session in opened:
                session.abort(str(failure))
            state = LinkState.REFUSED if isinstance(failure, AmiRefused) else LinkState.DOWN
            self._change(state, str(failure))
            raise failure from error
        except BaseException:  # also when the task is cancelled: no socket is left behind; nothing is swallowed
            for session in opened:
                session.abort("connecting was cancelled")
            raise

    async def _claim(self, opened: list[AmiSession]) -> AmiSession:
        """Log in, and have the place."""
        session = await open_session(self.address, self._idle_session)
        opened.append(session)
        await log_in(session, self.address)
        await take_place(session, self.address)
        if self._on_claim is not None:
            self._on_claim(session)
        return session

    async def _begin(self, opened: list[AmiSession]) -> AmiSession:
        """Have the place, and hear from now on."""
        held, self._held = self._held, None
        if held is not None and not held.lost.done():
            session = held
            opened.append(session)
        else:
            session = await self._claim(opened)
        self._filtered = set(self.wanted_events)
        await choose_events(session, self.wanted_events)
        self._go_up(session)
        return session

    async def close(self) -> None:
        """Log off and end the connection; `run` returns. What is still awaited fails."""
        self._closing.set()
        if self.state is LinkState.UP:
            await self._session.log_off("callrouter logged off")
        elif self._held is not None:
            await self._held.log_off("callrouter logged off")

    def _idle_session(self) -> AmiSession:
        return AmiSession(self._handlers, self.counters, self._event_time)

    def _too_slow(self, opened: Sequence[AmiSession]) -> AmiUnreachable:
        what = "does not answer" if not opened else "accepts connections but does not answer the log-in"
        return AmiUnreachable(f"Asterisk at {self.address} {what} within {CONNECT_TIMEOUT_SECONDS:g} s")

    def _go_up(self, session: AmiSession) -> None:
        self.counters.connections += 1
        self._session = session
        session.lost.add_done_callback(self._went_down)
        session.spare_confirmations()
        self._event_time.connected()
        session.carry(self._along)
        self._watch_due_seconds = self._ping_due_seconds = self._loop.time()
        self._keep_alive()
        self._change(LinkState.UP, f"logged in to Asterisk at {self.address}")

    def _went_down(self, lost: asyncio.Future[str]) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._watch_due_seconds = inf
        self._change(LinkState.DOWN, f"the link to Asterisk at {self.address} is down: {lost.result()}")

    def _keep_alive(self) -> None:
        """Ping, and drop a link on which nothing was heard for too long.

        When this very process was held up, bytes may wait to be read: the peer gets another second.
        """
        now = self._loop.time()
        session = self._session
        if now - self._watch_due_seconds > WATCH_SECONDS:
            session.excuse(now - SILENCE_SECONDS + 1.0)
        if now - session.heard_at_seconds > SILENCE_SECONDS:
            session.abort(f"nothing was heard for {SILENCE_SECONDS:g} s")
            return
        if now >= self._ping_due_seconds:
            # Awaited like any response, so that it is read however little comes.
            self.send("Ping").add_done_callback(partial(_settle, self._event_time.ping()))
            self._ping_due_seconds = now + PING_SECONDS
        self._watch_due_seconds = now + WATCH_SECONDS
        self._watch = self._loop.call_later(WATCH_SECONDS, self._keep_alive)

    def _change(self, state: LinkState, reason: str) -> None:
        self.state, self.reason = state, reason
        if state is LinkState.UP and self._away.since is not None:
            self._away.ended(state=state.value)
        elif state is LinkState.UP or self._closing.is_set():
            log.info(reason, state=state.value)
        elif state is not LinkState.CONNECTING:
            self._away.failed(reason, state=state.value)
        for on_state in self._on_state:
            on_state(state, reason)


def _tell_both(first: OnEvent, second: OnEvent, message: codec.AmiMessage) -> None:
    try:
        first(message)
    finally:  # a fault of one's is not the other's
        second(message)


def _settle(answered: Callable[[str], None], ping: asyncio.Future[codec.AmiMessage]) -> None:
    """A ping that fails needs no word: whoever watches the link has one."""
    if not ping.cancelled() and ping.exception() is None:
        answered(stamp_of(ping.result()))


def _log_post_error(about: str, message: codec.AmiMessage) -> None:
    log.debug("an AMI action failed", action=about, reason=message["Message"])

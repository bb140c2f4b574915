"""Supervisors in conversations: their telephone is rung, and listens, whispers, barges in or takes over.

What is spied on is the agent's own channel: a whisper into it is heard by the agent alone, and what is heard there is
both voices (ChanSpy, option w, and B for both; Bridge to take over). Success of Originate and Redirect says that
Asterisk has been asked; that a supervisor is there, and what they do, its dialplan says (`CallrouterSupervised`), and
the end of their channel is heard as that of any leg.

An agent's telephone may begin another RTP stream when it takes the caller back from a hold, and whom it consults
meanwhile has one of their own, of which Debian's Asterisk would let a supervisor hear nothing (`renewal`): they begin
anew then, by a redirection to where they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Final, Protocol

import structlog

from callrouter.asterisk.batch import Headers
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.commands import opaque_id
from callrouter.asterisk.session import OnEvent
from callrouter.core.call import Call, CallState, Leg, LegPurpose
from callrouter.core.facts import Fact, HoldNoted
from callrouter.core.inputs import SupervisionMode, SupervisorTold
from callrouter.errors import AmiError, ConversationRefused, EncodingError
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.ports import NOBODY, Directory

log = structlog.get_logger(__name__)

CONTEXT: Final = "callrouter-supervise"
EVENT: Final = "CallrouterSupervised"
RING_SECONDS: Final = 30
_GIVES_AWAY: Final = ("__TRANSFER_CONTEXT", "callrouter-transfer")
"""Who takes over may give the caller away as the agent might."""
SPARE_SECONDS: Final = 5
"""After so much more nobody is being rung any more."""


class Link(Protocol):
    """What the link can do for us (`AmiLink`)."""

    def tells(self, *, events: Mapping[str, OnEvent]) -> None: ...

    def send(self, name: str, headers: Headers = ()) -> asyncio.Future[AmiMessage]: ...


class Supervision:
    """Supervisors in the conversations of one PBX; an observer of holds."""

    interests: Final[frozenset[type[Fact]]] = frozenset({HoldNoted})

    def __init__(
        self,
        link: Link,
        calls: LiveCalls,
        *,
        channel_of: Callable[[str], str],
        follow: Callable[[str, str], None],
        tell: Callable[[str, SupervisorTold], None],
        now: Callable[[], datetime],
        directory: Directory = NOBODY,
    ) -> None:
        """`channel_of` names a caller's channel, `follow` has the end of a call's channel heard, `tell` is
        `Inbox.tell`; `directory` knows whose telephone it is that takes over.
        """
        self._link = link
        self._calls = calls
        self._channel_of = channel_of
        self._follow = follow
        self._tell = tell
        self._now = now
        self._directory = directory
        self._rung: dict[str, tuple[str, str]] = {}
        """Call and telephone, by the id of a channel that we asked for and that has not ended."""
        self._modes: dict[str, SupervisionMode] = {}
        """What is done there, by the same."""
        self._numbers = count(1)
        link.tells(events={"UserEvent": self._on_user_event, "Hangup": self._on_hangup})

    def observe(self, told: Sequence[Fact]) -> None:
        """Have supervisors begin anew whose agent has put the caller on hold, or takes them back; whoever takes the
        caller over is on their way to them, which ends the hold.
        """
        for fact in told:
            if isinstance(fact, HoldNoted):
                for one in fact.call.legs:
                    mode = self._modes.get(one.leg)
                    if _supervises(one) and mode not in (None, SupervisionMode.TAKE_OVER):
                        self._begin_anew(one.leg)

    def _begin_anew(self, channel: str) -> None:
        asked = self._link.send("Redirect", {"Channel": channel, **_where(self._modes[channel])})
        asked.add_done_callback(lambda answer: answer.cancelled() or answer.exception())  # they have left

    async def set(self, call_id: str, mode: SupervisionMode, phone: str) -> None:
        """Have whoever is at a telephone do this in a call: it is rung, unless it is in the conversation already.

        Raises:
            ConversationRefused: nobody talks there, the telephone is the agent's own, or it is being rung.
            AmiError: Asterisk does not do it.
        """
        call, agent = self._conversation(call_id)
        if agent.party == phone:
            raise ConversationRefused(f"telephone {phone} has the caller: name another one")
        try:
            headers = self._headers(call, agent, opaque_id(phone))
        except EncodingError as error:
            raise ConversationRefused(f"{phone!r} is no telephone") from error
        own = _supervisor(call, phone)
        if own is None:
            await self._ring(call_id, mode, phone, headers)
            return
        for name, value in headers.items():
            await self._link.send("Setvar", {"Channel": own.leg, "Variable": name, "Value": value})
        await self._link.send("Redirect", {"Channel": own.leg, **_where(mode)})

    async def leave(self, call_id: str, phone: str) -> None:
        """End what a telephone does in a call, also while it is rung; the conversation goes on.

        Raises:
            ConversationRefused: it does nothing there.
            AmiError: Asterisk does not do it.
        """
        for channel, place in self._rung.items():
            if place == (call_id, phone):
                live = self._calls.get(call_id)
                if live is not None and any(_has_caller(one, channel) for one in live.call.legs):
                    raise ConversationRefused(f"telephone {phone} has taken over call {call_id}: hang up there")
                await self._link.send("Hangup", {"Channel": channel, "Cause": "16"})
                return
        raise ConversationRefused(f"telephone {phone} does not supervise call {call_id}")

    def _conversation(self, call_id: str) -> tuple[Call, Leg]:
        """The call, and the leg of the agent who talks."""
        live = self._calls.get(call_id)
        if live is None or live.call.state is not CallState.CONNECTED:
            raise ConversationRefused(f"nobody talks in call {call_id}")
        talking = [one for one in live.call.legs if one.open and one.purpose is LegPurpose.AGENT and one.leg]
        if not talking:
            raise ConversationRefused(f"no agent talks in call {call_id}")
        return live.call, talking[-1]

    async def _ring(self, call_id: str, mode: SupervisionMode, phone: str, headers: Mapping[str, str]) -> None:
        if (call_id, phone) in self._rung.values():
            raise ConversationRefused(f"telephone {phone} is being rung for call {call_id}")
        channel = f"{call_id}.s{int(self._now().timestamp())}-{next(self._numbers)}"
        self._rung[channel] = (call_id, phone)
        self._follow(channel, call_id)
        variables = [("Variable", f"{name}={value}") for name, value in (*headers.items(), _GIVES_AWAY)]
        asked = {
            "Channel": f"PJSIP/{phone}",
            **_where(mode),
            "Timeout": str(RING_SECONDS * 1000),
            "CallerID": f"supervision <{call_id.partition('-')[0]}>",
            "Async": "true",
            "ChannelId": channel,
        }
        try:
            await self._link.send("Originate", [*asked.items(), *variables])
        except AmiError:
            self._rung.pop(channel, None)
            raise
        # A telephone that is not registered has no channel, whose end would be heard.
        asyncio.get_running_loop().call_later(RING_SECONDS + SPARE_SECONDS, self._forget_unanswered, channel, call_id)

    def _forget_unanswered(self, channel: str, call_id: str) -> None:
        live = self._calls.get(call_id)
        if live is None or not any(one.open and one.leg == channel for one in live.call.legs):
            self._rung.pop(channel, None)

    def _headers(self, call: Call, agent: Leg, phone: str) -> dict[str, str]:
        line = self._directory.queue_of(self._directory.at(phone))
        return {
            "CR_SUPERVISES": call.call_id,
            "CR_SUPERVISOR": phone,
            "CR_SUPERVISOR_LINE": opaque_id(line) if line else "",
            "CR_SPIED": agent.leg,
            "CR_SPIED_CALLER": self._channel_of(call.call_id),
        }

    def _on_user_event(self, message: AmiMessage) -> None:
        if message["UserEvent"] != EVENT:
            return
        channel = message["Uniqueid"]
        if self._rung.get(channel) != (message["Call"], message["Phone"]):
            return
        mode = next((one for one in SupervisionMode if one.value == message["Mode"]), None)
        if mode is None or self._modes.get(channel) is mode:
            return  # begun anew
        self._modes[channel] = mode
        phone = message["Phone"]
        agent = self._directory.at(phone)
        self._tell(message["Call"], SupervisorTold(mode=mode, party=phone, leg=channel, at=self._now(), agent=agent))

    def _on_hangup(self, message: AmiMessage) -> None:
        self._rung.pop(message["Uniqueid"], None)
        self._modes.pop(message["Uniqueid"], None)


def _supervisor(call: Call, phone: str) -> Leg | None:
    """The leg of a telephone that is in the conversation."""
    return next((one for one in call.legs if _supervises(one) and one.party == phone), None)


def _supervises(one: Leg) -> bool:
    return one.open and one.purpose is LegPurpose.SUPERVISION


def _has_caller(one: Leg, channel: str) -> bool:
    return one.open and one.leg == channel and one.purpose is LegPurpose.AGENT


def _where(mode: SupervisionMode) -> dict[str, str]:
    return {"Context": CONTEXT, "Exten": mode.value, "Priority": "1"}

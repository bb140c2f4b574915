"""Agents who speak to somebody while their caller is on hold, and give them the caller: announced transfers.

Whatever an agent's telephone calls enters an AsyncAGI of its own (callrouter-consult of extensions.conf), and so does a
consultation by feature code, whose Local channel has the call's id. Here is decided whom they reach, by the list of the
caller's client; an agent without a caller reaches colleagues only. Then the channel goes on in Asterisk's dialplan, and
what becomes of it is heard of the channel of whoever was called, in any order:

    CallrouterConsulted     they have answered; AgentConnect, where they are a team's
    AttendedTransfer        the agent has given them the caller (REFER with Replaces, feature code, hang-up)
    CallrouterUnreached     the caller was given to them before they answered, and nobody has: the fallback's now
    Hangup                  of them: it is over; of the agent's second channel: only if nobody had answered, because
                            that channel also ends when the transfer is complete, before or after the event of it
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

import structlog

from callrouter.asterisk import briefing, commands
from callrouter.asterisk.actions import ChannelActions, post
from callrouter.asterisk.adoption.snapshot import Snapshot
from callrouter.asterisk.arrivals import CONSULTATION
from callrouter.asterisk.asyncagi import AgiEnv, parse_env
from callrouter.asterisk.codec import AmiMessage, encode_header
from callrouter.asterisk.line.commanded import NORMAL_CLEARING, give_back
from callrouter.asterisk.line.given import resolved
from callrouter.asterisk.line.translate import Places, presented_variables
from callrouter.asterisk.link import AmiLink
from callrouter.core.call import Call, CallState, LegPurpose
from callrouter.core.inputs import (
    AgentAnswered,
    ConsultationHeard,
    ConsultationSign,
    ControlLost,
    Input,
    LegAnswered,
    LegHeard,
    LegSign,
    Transferred,
)
from callrouter.core.transfers.targets import Destination, TransferRules, destination
from callrouter.errors import EncodingError, ProtocolError
from callrouter.runtime.calls import LiveCall, LiveCalls
from callrouter.runtime.ports import Directory

log = structlog.get_logger(__name__)

NONE: Final = "-"
"""In place of a telephone or a call that there is not."""
HOLD: Final = "*hold"
"""The target of nobody: the caller is on hold, and the agent hears silence. No telephone's keys can spell it."""
NO_CLIENT: Final = TransferRules()
"""Of an agent without a caller: nobody outside is dialled."""
CONSULTED, UNREACHED = "CallrouterConsulted", "CallrouterUnreached"
_OF_CONSULTATIONS: Final = frozenset({CONSULTED, UNREACHED})
REMEMBERED_SECONDS: Final = 10.0
"""After its end a consultation is still known to an event that comes late."""
LEFT_ALONE_SECONDS: Final = 0.5
"""From when both are gone until the caller is looked for: Asterisk has carried out by then what it does of itself."""


class Lines(Protocol):
    """The callers' channels (`switch.AsteriskSwitch`)."""

    def follow(self, uniqueid: str, call_id: str) -> None: ...

    def uniqueid_of(self, call_id: str) -> str: ...


@dataclass(slots=True, kw_only=True)
class Consultation:
    """One of them."""

    uniqueid: str
    """The channel that entered AsyncAGI: by it the core knows the consultation."""
    call_id: str
    leg: str
    """The agent's channel with the caller."""
    party: str
    agent: str
    by_code: bool
    """It was begun by a feature code: Asterisk has the caller on hold, and not the telephone."""
    channel: str = ""
    """Uniqueid of whoever has answered."""
    channel_name: str = ""
    over: bool = False
    queue: str = ""
    """Of a team that is waited for."""
    given: bool = False
    """The caller was given to whoever is rung, who had not answered."""
    caller: str = ""
    """Uniqueid of the caller's channel when it began."""
    gone: set[str] = field(default_factory=set)
    """Uniqueids of the agent and of whoever had answered, once they have hung up."""
    taken_up: bool = False
    """An engine that is gone knew it; whether who was asked for is an agent is looked up when it matters."""
    heard_early: list[LegSign] = field(default_factory=list)
    """Of whoever had answered, before they were given the caller: they hung up in the same instant."""

    def answer(self, uniqueid: str, channel: str, agent: str) -> None:
        """Somebody has."""
        self.channel, self.channel_name, self.agent = uniqueid, channel, agent or self.agent

    def end(self, *, given: bool = False) -> None:
        """It is over; `given`: by what gave the caller to whoever is rung."""
        self.over, self.given = True, given


class Consultations:
    """Subscribes to the link, before it runs, after the switch."""

    def __init__(
        self,
        link: AmiLink,
        lines: Lines,
        calls: LiveCalls,
        *,
        places: Places,
        tell: Callable[[str, Input], None],
        now: Callable[[], datetime],
    ) -> None:
        """`tell` takes what is heard, by call; `places` has the directory, and how a number is dialled."""
        self._link = link
        self._lines = lines
        self._calls = calls
        self._places = places
        self._tell = tell
        self._now = now
        self._known: dict[str, Consultation] = {}
        link.tells(
            events={
                "AsyncAGIStart": self._on_start,
                "UserEvent": self._on_user_event,
                "AgentConnect": self._on_agent_connect,
                "AttendedTransfer": self._on_transfer,
                "HangupRequest": self._on_hangup_request,
                "Hangup": self._on_hangup,
            }
        )

    def of_call(self, call_id: str) -> Consultation | None:
        """The one that is on for a call; None without one."""
        return next((one for one in self._known.values() if one.call_id == call_id and not one.over), None)

    def caller_of(self, call_id: str) -> str:
        """The caller's channel; "" when the call is over."""
        return self._lines.uniqueid_of(call_id)

    def take_up(self, call: Call, snapshot: Snapshot) -> None:
        """Go on with what an engine that is gone knew: the call has its leg, and Asterisk who is on its channel."""
        agent = next((one.leg for one in call.legs if one.open and one.purpose is LegPurpose.AGENT), "")
        for leg in call.legs:
            channel = snapshot.channels.get(leg.leg)
            if not leg.open or leg.purpose is not LegPurpose.CONSULTATION or channel is None:
                continue
            one = Consultation(
                uniqueid=leg.leg,
                call_id=call.call_id,
                leg=agent,
                party=leg.party,
                agent="",
                by_code=channel["Channel"].startswith("Local/"),  # else it is the telephone's second call
                queue=leg.party if channel["Application"] == "Queue" and leg.answered_at is None else "",
                caller=self.caller_of(call.call_id),
                taken_up=True,
            )
            peer = snapshot.peer(channel)
            if leg.answered_at is not None and peer:
                one.answer(peer, snapshot.channels[peer]["Channel"], "")
            self._known[leg.leg] = one

    # ------------------------------------------------------------------------------------------------ they are begun

    def _on_start(self, message: AmiMessage) -> None:
        if CONSULTATION not in message["Env"]:
            return  # a call: nearly all are
        try:
            env = parse_env(message["Env"])
        except ProtocolError:
            return  # the switch says so
        if env.arguments[:1] == (CONSULTATION,) and len(env.arguments) == 4:  # telephone, target, call
            self._begin(env)

    def _begin(self, env: AgiEnv) -> None:
        _, phone, target, call_id = env.arguments
        live = self._calls.get(call_id) if call_id != NONE else self._caller_of(phone)
        channel = ChannelActions(env.channel)
        if target == HOLD and live is not None and phone == NONE:
            self._link.post_batch(channel.set_variable("CR_CONSULT", "hold"))
            give_back(self._link, channel)
            self._note(env, live.call, Destination(name=HOLD), by_code=True)
            return
        found = decide(live, target, self._places.directory)
        try:
            variables = list(self._variables(found, live))
        except EncodingError as error:
            found, variables = Destination(refusal=str(error)), [("CR_CONSULT", "refused")]
        self._link.post_batch(b"".join([channel.set_variable(name, value) for name, value in variables]))
        give_back(self._link, channel)
        if found.refusal:
            log.info("a consultation is refused", phone=phone, target=target, reason=found.refusal)
        if live is not None and not (found.refusal or found.node):
            self._note(env, live.call, found, by_code=phone == NONE)

    def _caller_of(self, phone: str) -> LiveCall | None:
        """Whose caller the agent at a telephone has."""
        agent = self._places.directory.at(phone)
        return next((live for live in self._calls if agent and leg_of(live.call, agent)), None)

    def _variables(self, found: Destination, live: LiveCall | None) -> Iterator[tuple[str, str]]:
        """What the dialplan needs to reach them.

        Raises:
            EncodingError: they are not there, or may not be dialled for nobody.
        """
        directory = self._places.directory
        if found.refusal or found.node or (live is None and not found.colleague):
            yield "CR_CONSULT", "refused"
            return
        if live is not None:
            yield "__CR_CALL", live.call.call_id
            queue = found.team or (directory.queue_of(found.colleague) if found.colleague else "")
            yield briefing.VARIABLE, briefing.offer(live.plan.briefing(queue))
            yield "__CR_PAUSABLE", "1" if any(one.runs for one in live.call.recordings) else ""
        if found.colleague:
            phone = directory.phone(found.colleague)
            if not phone:
                raise EncodingError(f"agent {found.colleague} is not logged in")
            yield "__CR_COLLEAGUE", commands.opaque_id(phone)
            yield "__CR_LINE", directory.queue_of(found.colleague)
            yield "CR_CONSULT", "colleague"
        elif found.team:
            yield "CR_QUEUE", commands.opaque_id(found.team)
            yield "CR_CONSULT", "team"
        elif live is not None:
            identity = live.plan.identity
            yield from presented_variables(identity.presented(live.call.caller, live.call.did) if identity else None)
            yield "CR_DIAL", self._places.dial_pattern.format(number=found.number)
            yield "CR_CONSULT", "outside"

    def _note(self, env: AgiEnv, call: Call, found: Destination, *, by_code: bool) -> None:
        leg = next((one for one in call.legs if one.open and one.purpose is LegPurpose.AGENT), None)
        if leg is None or call.state is not CallState.CONNECTED:
            return
        one = Consultation(
            uniqueid=env.uniqueid,
            call_id=call.call_id,
            leg=leg.leg,
            party=party_of(found),
            agent=found.colleague,
            by_code=by_code,
            queue=found.team,
            caller=self.caller_of(call.call_id),
        )
        for other in [other for other in self._known.values() if other.call_id not in self._calls]:
            del self._known[other.uniqueid]  # its end was missed while the link was down
        self._known[env.uniqueid] = one
        if by_code:
            self._tell(call.call_id, LegHeard(leg=one.leg, sign=LegSign.HELD, at=self._now()))
            self._mark(one, "1")
        self._hear(one, ConsultationSign.BEGAN)

    def _mark(self, one: Consultation, on: str) -> None:
        """Have the agent's channel know that its end is a transfer (callrouter-wrap-up), or, with "", that it is not.

        Asterisk says so on the channel of who transfers by REFER, and not of who does by feature code.
        """
        if one.by_code and one.party != HOLD:
            self._link.post_batch(ChannelActions(one.leg).set_variable("CR_CONSULTS", on))

    def _hear(self, one: Consultation, sign: ConsultationSign) -> None:
        if one.party == HOLD:
            return  # nobody is consulted
        heard = ConsultationHeard(
            consultation=one.uniqueid,
            sign=sign,
            at=self._now(),
            party=one.party,
            agent=one.agent or (self._places.directory.colleague(one.party) if one.taken_up else ""),
            channel=one.channel,
            queue=one.queue,
        )
        self._tell(one.call_id, heard)

    # -------------------------------------------------------------------------------------- what becomes of them

    def _on_user_event(self, message: AmiMessage) -> None:
        one = self._known.get(message["Consultation"]) if message["UserEvent"] in _OF_CONSULTATIONS else None
        if one is None:
            return
        if message["UserEvent"] == UNREACHED:
            self._tell(one.call_id, ControlLost(reason=f"{one.party} did not answer", at=self._now(), wait_over=True))
            self._forget_later(one)
            return
        one.answer(message["Uniqueid"], message["Channel"], "")
        self._answered(one)

    def _on_agent_connect(self, message: AmiMessage) -> None:
        one = self._known.get(message["Uniqueid"])
        if one is not None:
            agent = message["MemberName"] or message["Interface"]
            one.answer(message["DestUniqueid"], message["DestChannel"], agent)
            self._answered(one)
            return
        for given in [one for one in self._known.values() if one.given and one.caller == message["Uniqueid"]]:
            self._has_the_caller(message["DestChannel"])  # the switch tells it
            self._forget_later(given)

    def _answered(self, one: Consultation) -> None:
        if one.given:
            self._lines.follow(one.channel, one.call_id)
            self._has_the_caller(one.channel_name)
            if one.queue:
                self._tell(one.call_id, AgentAnswered(agent=one.agent, at=self._now(), leg=one.channel))
            else:
                self._tell(one.call_id, LegAnswered(leg=0, at=self._now(), channel=one.channel))
            self._forget_later(one)
        elif not one.over:
            self._hear(one, ConsultationSign.ANSWERED)

    def _has_the_caller(self, channel: str) -> None:
        """What was a consultation is a conversation: a wrap-up follows it."""
        self._link.post_batch(ChannelActions(channel).set_variable("CR_CONSULTING", ""))

    def _on_transfer(self, message: AmiMessage) -> None:
        if message["Result"] != "Success":
            return
        second, first = message["SecondTransfererUniqueid"], message["OrigTransfererUniqueid"]
        one = self._known.get(second) or next((one for one in self._known.values() if one.leg in (second, first)), None)
        if one is None:
            return
        if one.party == HOLD:  # by code or hang-up the agent gave the caller to nobody
            self._end_hold(one)
            return
        one.end(given=not one.channel)
        # The caller waits in its place: of a team the switch hears, if they took its channel's place; else `_answered`.
        if not one.channel:
            self._hear(one, ConsultationSign.GIVEN)
            return
        self._lines.follow(one.channel, one.call_id)
        if one.channel_name:
            self._has_the_caller(one.channel_name)
        self._hear(one, ConsultationSign.COMPLETED)
        for sign in one.heard_early:
            self._tell(one.call_id, LegHeard(leg=one.channel, sign=sign, at=self._now(), cause=NORMAL_CLEARING))
        self._forget_later(one)

    def _end_hold(self, one: Consultation) -> None:
        """Whoever is left there with nobody goes on: the caller in the tree, or the agent to the next call."""
        one.end()
        self._link.post_batch(ChannelActions(one.uniqueid).hang_up(NORMAL_CLEARING))  # AMI takes a uniqueid for a name
        self._forget_later(one)

    def _on_hangup_request(self, message: AmiMessage) -> None:
        for one in self._known.values():
            if one.channel == message["Uniqueid"]:
                one.heard_early.append(LegSign.HUNG_UP)

    def _on_hangup(self, message: AmiMessage) -> None:
        uniqueid = message["Uniqueid"]
        for held in [one for one in self._known.values() if one.party == HOLD and one.caller == uniqueid]:
            if not held.over:
                self._end_hold(held)
        for left in [one for one in self._known.values() if one.caller == uniqueid and not one.over]:
            self._mark(left, "")  # there is nobody whom they could give away
        for left in [one for one in self._known.values() if uniqueid in (one.leg, one.channel)]:
            left.gone.add(uniqueid)
            if uniqueid == left.channel:
                left.heard_early.append(LegSign.ENDED)
            if left.gone == {left.leg, left.channel}:
                asyncio.get_running_loop().call_later(LEFT_ALONE_SECONDS, self._look_for_caller, left.call_id)
        one = next((one for one in self._known.values() if uniqueid in (one.uniqueid, one.channel)), None)
        if one is None or one.over or (uniqueid == one.uniqueid and one.channel):
            return
        one.end()
        self._hear(one, ConsultationSign.ENDED)
        self._mark(one, "")
        if one.by_code:
            self._tell(one.call_id, LegHeard(leg=one.leg, sign=LegSign.RESUMED, at=self._now()))
        self._forget_later(one)

    def _look_for_caller(self, call_id: str) -> None:
        """Whether they talk to anybody, now that neither the agent nor the colleague is there.

        Where both hang up in one instant, Asterisk completes the transfer with a channel that is gone, or goes back to
        it: the caller stays in a bridge of one, and hears the hold music (bridge_basic.c, rebridge_enter).
        """
        live, caller = self._calls.get(call_id), self.caller_of(call_id)
        if live is None or not caller or live.call.state is not CallState.CONNECTED:
            return
        asked = self._link.collect("CoreShowChannels")
        asked.add_done_callback(lambda answer: self._release(call_id, caller, answer))

    def _release(self, call_id: str, caller: str, answer: asyncio.Future[list[AmiMessage]]) -> None:
        """Have a caller who is with nobody go on, as after any conversation. (BRIDGEPEER still names the agent.)"""
        if answer.cancelled() or answer.exception() is not None:
            return
        bridges = {message["Uniqueid"]: message["BridgeId"] for message in answer.result()}
        bridge = bridges.pop(caller, "")
        if not bridge or bridge in bridges.values():
            return
        log.warning("a caller was left alone by who transferred them, and goes on", call_id=call_id)
        self._link.post_batch(post("BridgeKick", call_id, encode_header("Channel", caller)))

    def _forget_later(self, one: Consultation) -> None:
        asyncio.get_running_loop().call_later(REMEMBERED_SECONDS, self._known.pop, one.uniqueid, None)


def decide(live: LiveCall | None, target: str, directory: Directory) -> Destination:
    """What a target means for the caller of a call; without one, among colleagues."""
    told = resolved(Transferred(step=0, target=target, at=datetime.min.replace(tzinfo=UTC)), directory)
    if live is None:
        return destination(NO_CLIENT, (), told)
    return destination(live.plan.transfers, live.plan.nodes, told)


def party_of(found: Destination) -> str:
    """By which name the record has whom the agent consults."""
    return found.colleague or found.team or found.name or found.number


def leg_of(call: Call, agent: str) -> bool:
    """Whether an agent talks to this caller now."""
    return call.state is CallState.CONNECTED and any(
        one.open and one.purpose is LegPurpose.AGENT and one.party == agent for one in call.legs
    )

"""The Switch port on Asterisk: the directory of lines, and one table of what is done with which event.

Every caller's channel in AsyncAGI is a line (`line.line`), from its AsyncAGIStart to the end of its call;
`line.state` says what may be commanded there and what is to be made of what is heard. Here is decided which line an
event belongs to, and which new calls are taken. An event is wanted from Asterisk because it stands in `EVENTS`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import structlog

from callrouter.asterisk import causes, rings
from callrouter.asterisk.actions import ChannelActions, is_channel
from callrouter.asterisk.arrivals import NO_CALLERS, offered
from callrouter.asterisk.asyncagi import AgiEnv, parse_env
from callrouter.asterisk.catch_up import Absence, CallOf
from callrouter.asterisk.codec import AmiMessage, whole_number
from callrouter.asterisk.ended_row import EndedRow
from callrouter.asterisk.event_time import LATE_SECONDS
from callrouter.asterisk.line.commanded import LinePorts, give_back
from callrouter.asterisk.line.line import Line
from callrouter.asterisk.line.round_trips import RoundTrips
from callrouter.asterisk.line.translate import Places
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.asterisk.notes import read_voiced
from callrouter.asterisk.rings import Rings
from callrouter.asterisk.waiting.looks import Derived, none_derived
from callrouter.asterisk.waiting.waits import Waits
from callrouter.core import inputs
from callrouter.core.call import Call, LegFailure
from callrouter.core.effects import Effect
from callrouter.errors import ProtocolError
from callrouter.pbx_names import trunk_of
from callrouter.runtime.ports import UNHEARD, Clock, Inbox, Meter

log = structlog.get_logger(__name__)

MAX_ASKED_EARLY: Final = 1024
MAX_OVER: Final = 4096
"""Calls that are remembered when they are over, so that a word of theirs that comes late begins none anew."""
HELD_UP_SECONDS: Final = 1.0
"""A process that was held up for longer may read of a call that Asterisk's fallback has by now."""
CATCH_UP_SECONDS: Final = 0.2
START_TOLD_SECONDS: Final = 1.0
"""So long after a call was found in AsyncAGI its start may be told."""
READ_AT_ONCE: Final = timedelta(seconds=LATE_SECONDS)


class AsteriskSwitch:
    """See the module; it hears of Asterisk by the link, and tells whom `tells` says."""

    def __init__(
        self,
        link: AmiLink,
        *,
        clock: Clock,
        meter: Meter,
        places: Places,
        region: str,
        shift: timedelta = timedelta(),
        derived: Derived = none_derived,
    ) -> None:
        """`shift` is what the engine's clock is ahead of the PBX's; `region` is that of numbers without a country;
        `derived` gives the queues derived from a team's.
        """
        self.lines: dict[str, Line] = {}
        """By call."""
        self.lost_at: datetime | None = None
        """When the link last went away."""
        self._by_uniqueid: dict[str, Line] = {}
        self._link = link
        self._clock = clock
        self.places = places
        self._region = region
        self._shift = shift
        self._derived = derived
        self._round_trips = RoundTrips(meter)
        self._waits = Waits(link)
        self._heard_last = datetime.min.replace(tzinfo=UTC)
        self._link_up = False
        self._draining = False
        self._late: dict[str, tuple[AgiEnv, datetime]] = {}
        """New calls that are not taken before all is read that came while this process was held up."""
        self._rings = Rings()
        self._over: dict[str, None] = {}
        self._held: list[tuple[Callable[[AsteriskSwitch, AmiMessage], None], AmiMessage, datetime]] | None = None
        """What is heard while live calls are being found; None: it is taken as it comes."""
        self._found_waiting: set[str] = set()
        """Channels of new calls that were found, and not told."""
        self._held_at: datetime | None = None
        """When what is taken now was heard."""
        self._asked_early: dict[str, int | None] = {}
        """Cause of the hang-up by channel, when it was asked for before AsyncAGI had the channel (a CANCEL)."""
        self.tells(UNHEARD)
        handlers = {name: partial(self._on_event, handler) for name, handler in EVENTS.items()}
        link.tells(events=handlers, on_state=self._on_link_state)

    def tells(self, inbox: Inbox) -> None:
        """Subscribe, before the link runs: whom all of this is told."""
        self._inbox = inbox
        self._ports = LinePorts(
            link=self._link,
            tell=inbox.tell,
            now=self._heard_at,
            places=self.places,
            round_trips=self._round_trips,
            waits=self._waits,
            derived=self._derived,
        )

    # ------------------------------------------------------------------------------------------- towards Asterisk

    def perform(self, call: Call, state: bytes, effects: Sequence[Effect]) -> None:
        """Write the effects as one batch; the result comes back as an input that names the step."""
        line = self.lines.get(call.call_id)
        if line is not None:
            line.perform(call, state, effects)

    def keep(self, call: Call, state: bytes) -> None:
        """Write the call's state to its channel, without disturbing a conversation."""
        line = self.lines.get(call.call_id)
        if line is not None:
            line.keep(state)

    def redate(self, by: timedelta) -> None:
        """The clock was set: so are the turns of those who wait."""
        self._waits.redate(by)

    def release(self, call_id: str) -> None:
        """The call has ended: forget it, and the results that will not come."""
        line = self.lines.pop(call_id, None)
        if line is not None:
            self._by_uniqueid.pop(line.uniqueid, None)
            self._rings.call_ended(call_id)
            line.call_ended()
            if len(self._over) >= MAX_OVER:
                del self._over[next(iter(self._over))]
            self._over[call_id] = None

    def channel_of(self, call_id: str) -> str:
        """The name of the caller's channel; empty when it is no line of ours."""
        line = self.lines.get(call_id)
        return line.channel.channel if line is not None else ""

    def uniqueid_of(self, call_id: str) -> str:
        """The id of the caller's channel; empty when it is no line of ours."""
        line = self.lines.get(call_id)
        return line.uniqueid if line is not None else ""

    def follow(self, uniqueid: str, call_id: str) -> None:
        """Hear what becomes of a channel that belongs to a call, as of those that are rung for it."""
        self._rings.note(uniqueid, call_id)

    def drain(self) -> None:
        """No new call is taken any more: Asterisk's fallback serves them."""
        self._draining = True

    def hold(self) -> None:
        """From now on, until `let_go`, what is heard waits: live calls are being found, to which it may belong."""
        if self._held is None:
            self._held = []

    def let_go(self) -> None:
        """Take what has waited, as of when it was heard."""
        held, self._held = self._held or [], None
        for handler, message, at in held:
            self._held_at = at
            try:
                handler(self, message)
            except Exception:  # as in the session: a fault of one call's
                log.exception("the handler of an AMI event failed", ami_event=message.event)
        self._held_at = None

    def knows(self, call_id: str, uniqueid: str) -> bool:
        """Whether the call is, or was, ours, or its channel is."""
        return call_id in self.lines or call_id in self._over or uniqueid in self._by_uniqueid

    def adopt(self, call_id: str, uniqueid: str, channel: str) -> Line:
        """The line of a live call that another engine had."""
        line = Line(call_id, uniqueid, channel, self._ports)
        self._by_uniqueid[uniqueid] = self.lines[call_id] = line
        return line

    def take_waiting(self, env: AgiEnv, at: datetime) -> None:
        """A call that rang while nobody listened, and waits for an engine since then."""
        if self._takes(env):
            # Its start may still be told: it waits here, or is on its way.
            self._found_waiting.add(env.uniqueid)
            asyncio.get_running_loop().call_later(START_TOLD_SECONDS, self._found_waiting.discard, env.uniqueid)
            self._take(env, at)

    async def resync(self, call_of: CallOf) -> None:
        """After the link was away: end what ended meanwhile, and ask again for the results that were missed.

        Raises:
            AmiError: it went away again.
        """
        await self._absence(self.lost_at).close(list(self.lines.values()), call_of)

    async def end_overlooked(self, rows: Sequence[EndedRow]) -> None:
        """End the calls whose end was not told, as Asterisk's journal has it.

        Raises:
            AmiError: the link went away.
        """
        await self._absence(None).end_overlooked(self.lines, rows)

    def _absence(self, lost_at: datetime | None) -> Absence:
        return Absence(link=self._link, clock=self._clock, shift=self._shift, lost_at=lost_at, follow=self.follow)

    def _on_link_state(self, state: LinkState, _reason: str) -> None:
        if self._link_up and state is not LinkState.UP:
            # What came since then has not come to us; the loss itself shows seconds later.
            self.lost_at = self._clock.now() - timedelta(seconds=self._link.silent_seconds)
        self._link_up = state is LinkState.UP
        if not self._link_up:
            self._held = None  # it is found anew

    def _on_event(self, handler: Callable[[AsteriskSwitch, AmiMessage], None], message: AmiMessage) -> None:
        if self._held is None:
            handler(self, message)
        else:
            self._held.append((handler, message, self._heard_at()))

    def _heard_at(self) -> datetime:
        """When what is being told happened, as Asterisk dates it; now, when nothing is being told."""
        if self._held_at is not None:
            return self._held_at
        at = self._clock.now()
        if late := self._link.late_seconds:
            at -= timedelta(seconds=late)
        # Events come in order, also where one was read at once and the next one only just late.
        if at < self._heard_last <= at + READ_AT_ONCE:
            return self._heard_last
        self._heard_last = at
        return at

    # ----------------------------------------------------------------------------------------------- calls begin

    def _on_start(self, message: AmiMessage) -> None:
        try:
            env = parse_env(message["Env"])
        except ProtocolError as error:
            channel = message["Channel"]
            log.warning("a call could not be taken; Asterisk's fallback serves it", channel=channel, reason=str(error))
            if is_channel(channel):  # else there is none to give back
                give_back(self._link, ChannelActions(channel))
            return
        if env.arguments and env.arguments[0] in NO_CALLERS:
            return  # an agent's telephone (`agents.feature_codes`, `transfers.consultations`)
        if not env.arguments and env.complete:
            log.info("a channel is in AsyncAGI without a call's id: it is somebody else's", channel=env.channel)
            return
        line = self._by_uniqueid.get(env.uniqueid)
        if env.uniqueid in self._found_waiting:
            self._found_waiting.discard(env.uniqueid)  # it has begun
        elif line is not None:
            line.agi_entered_again()
            give_back(self._link, line.channel)
        elif self._takes(env):
            if self._link.behind_seconds > HELD_UP_SECONDS:
                # The call's end may be among what is still to be read, and then Asterisk's fallback has the caller.
                self._late[env.uniqueid] = env, self._heard_at()
                asyncio.get_running_loop().call_later(CATCH_UP_SECONDS, self._take_late, env.uniqueid)
            else:
                self._take(env, self._heard_at())
        else:
            give_back(self._link, ChannelActions(env.channel))

    def _takes(self, env: AgiEnv) -> bool:
        """Whether a call of this environment is for us; others are Asterisk's fallback's."""
        if not env.complete:  # and the call's id, which stands at its end, may be missing
            log.warning("a call's environment was cut short; Asterisk's fallback serves it", channel=env.channel)
            return False
        call_id = env.arguments[0]
        if self._draining:
            log.info("stopping: a new call is left to Asterisk's fallback", call_id=call_id)
        elif call_id in self._over:
            log.warning("a call that is over is told as new; Asterisk's fallback serves it", call_id=call_id)
        elif call_id in self.lines:
            log.warning("a second channel claims a live call; Asterisk's fallback serves it", call_id=call_id)
        else:
            return True
        return False

    def _take_late(self, uniqueid: str) -> None:
        waiting = self._late.pop(uniqueid, None)
        if waiting is None:
            return
        env, at = waiting
        if self._takes(env):
            self._take(env, at)
        else:
            give_back(self._link, ChannelActions(env.channel))

    def _take(self, env: AgiEnv, at: datetime) -> None:
        call_id = env.arguments[0]
        line = Line(call_id, env.uniqueid, env.channel, self._ports)
        self._by_uniqueid[env.uniqueid] = self.lines[call_id] = line
        self._inbox.offer(offered(env, self._region, at))
        if (
            env.uniqueid in self._asked_early
        ):  # or the end of AsyncAGI, which follows at once, would look like lost control
            line.hangup_requested(self._asked_early.pop(env.uniqueid))

    # ------------------------------------------------------------------------------------------------ calls go on

    def _on_dtmf(self, message: AmiMessage) -> None:
        line = self._by_uniqueid.get(message["Uniqueid"])
        if line is not None and message["Direction"] == "Received":
            line.key_pressed(message["Digit"], (whole_number(message["DurationMs"]) or 0) / 1000)

    def _on_agent_called(self, message: AmiMessage) -> None:
        line = self._by_uniqueid.get(message["Uniqueid"])
        if line is not None:
            self._rings.note(message["DestUniqueid"], line.call_id)
            line.hear(rings.called(message, self._heard_at()))

    def _on_agent_connect(self, message: AmiMessage) -> None:
        line = self._by_uniqueid.get(message["Uniqueid"])
        if line is not None:
            self._rings.note(message["DestUniqueid"], line.call_id)
            line.stop_waiting()
            line.hear(rings.connected(message, self._heard_at(), forwarded=line.take_phone_forwards()))

    # --------------------------------------------------------------------------------- what becomes of agents' rings

    def _on_ring_no_answer(self, message: AmiMessage) -> None:
        line = self._by_uniqueid.get(message["Uniqueid"])
        if line is not None:
            self._inbox.tell(line.call_id, rings.unanswered(message, self._heard_at()))

    def _on_dial_state(self, message: AmiMessage) -> None:
        self._leg_heard(message["DestUniqueid"], inputs.LegSign.RANG)

    def _on_hold(self, message: AmiMessage) -> None:
        self._leg_heard(message["Uniqueid"], inputs.LegSign.HELD)

    def _on_unhold(self, message: AmiMessage) -> None:
        self._leg_heard(message["Uniqueid"], inputs.LegSign.RESUMED)

    def _on_dial_end(self, message: AmiMessage) -> None:
        call_id, told = self._rings.call_of(message["DestUniqueid"]), rings.dial_ended(message, self._heard_at())
        if call_id is not None and told is not None:
            self._inbox.tell(call_id, told)

    def _leg_heard(self, uniqueid: str, sign: inputs.LegSign, cause: int | None = None) -> bool:
        """Tell what was heard of an agent's channel; False when it is none that was rung for a call of ours."""
        call_id = self._rings.call_of(uniqueid)
        if call_id is None:
            return False
        self._inbox.tell(call_id, inputs.LegHeard(leg=uniqueid, sign=sign, at=self._heard_at(), cause=cause or 0))
        return True

    def _on_user_event(self, message: AmiMessage) -> None:
        line = self.lines.get(message["Call"])
        if line is None:
            return
        match message["UserEvent"]:
            case "CallrouterColleague":
                self._rings.note(message["Uniqueid"], line.call_id)
                line.hear(inputs.LegAnswered(leg=0, at=self._heard_at(), channel=message["Uniqueid"]))
            case "CallrouterBridged":
                # The event is of the channel of whoever answered, which says who carried the call.
                trunk = trunk_of(message["Channel"])
                line.hear(inputs.LegAnswered(leg=whole_number(message["Leg"]) or 0, at=self._heard_at(), trunk=trunk))
            case "CallrouterLegFailed":
                failure = LegFailure(
                    leg=whole_number(message["Leg"]) or 0,
                    sip=whole_number(message["Sip"]) or 0,
                    cause=whole_number(message["Cause"]) or 0,
                    trunk=trunk_of(message["Rung"]),
                )
                line.hear(inputs.LegFailed(failure=failure, at=self._heard_at()))
            case "CallrouterVoiced":
                if (voiced := read_voiced(message["Voiced"], self._shift)) is not None:
                    line.voiced(voiced)
            case "CallrouterForwarded":
                line.phone_forwards()
            case "CallrouterRecording" if message["What"] == "objected":
                line.hear(inputs.RecordingTold(sign=inputs.RecordingSign.OBJECTED, at=self._heard_at()))

    def _on_rename(self, message: AmiMessage) -> None:
        line = self._by_uniqueid.get(message["Uniqueid"])
        if line is not None and is_channel(message["Newname"]):
            line.renamed(message["Newname"])

    # -------------------------------------------------------------------------------------------------- calls end

    def _on_end(self, message: AmiMessage) -> None:
        line = self._by_uniqueid.get(message["Uniqueid"])
        if line is not None:
            line.agi_ended()
        elif (waiting := self._late.pop(message["Uniqueid"], None)) is not None:
            log.warning(
                "a call was not taken: it was over, or Asterisk's fallback had it, when the engine, which was held "
                "up, could look at it",
                call_id=waiting[0].arguments[0],
            )

    def _on_hangup_request(self, message: AmiMessage) -> None:
        uniqueid, cause = message["Uniqueid"], causes.hang_up_cause(message["Cause"], message["TechCause"])
        line = self._by_uniqueid.get(uniqueid)
        if line is not None:
            line.hangup_requested(cause)
            return
        if self._leg_heard(uniqueid, inputs.LegSign.HUNG_UP, cause):
            return
        # Of a channel that is not ours, or not yet; forgotten when the channel is gone.
        if len(self._asked_early) >= MAX_ASKED_EARLY:  # their ends were missed while the link was down
            del self._asked_early[next(iter(self._asked_early))]
        self._asked_early[uniqueid] = cause

    def _on_hangup(self, message: AmiMessage) -> None:
        line = self._by_uniqueid.get(message["Uniqueid"])
        if line is not None:
            line.channel_ended(whole_number(message["Cause"]))
        elif self._leg_heard(message["Uniqueid"], inputs.LegSign.ENDED, whole_number(message["Cause"])):
            self._rings.ended(message["Uniqueid"])
        else:
            self._asked_early.pop(message["Uniqueid"], None)


EVENTS: Final[Mapping[str, Callable[[AsteriskSwitch, AmiMessage], None]]] = {
    # the most frequent first: Asterisk tries the filters in this order
    "AsyncAGIStart": AsteriskSwitch._on_start,
    "AsyncAGIEnd": AsteriskSwitch._on_end,
    "DTMFEnd": AsteriskSwitch._on_dtmf,
    "Hangup": AsteriskSwitch._on_hangup,
    "HangupRequest": AsteriskSwitch._on_hangup_request,
    "UserEvent": AsteriskSwitch._on_user_event,
    "AgentCalled": AsteriskSwitch._on_agent_called,
    "AgentConnect": AsteriskSwitch._on_agent_connect,
    "AgentRingNoAnswer": AsteriskSwitch._on_ring_no_answer,
    "DialState": AsteriskSwitch._on_dial_state,
    "DialEnd": AsteriskSwitch._on_dial_end,
    "Hold": AsteriskSwitch._on_hold,
    "Unhold": AsteriskSwitch._on_unhold,
    "Rename": AsteriskSwitch._on_rename,
}
"""What is done with an event. Asterisk is asked for these and no others (`link.wanted_events`)."""

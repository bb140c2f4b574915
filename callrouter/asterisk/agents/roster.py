"""Where every agent stands: logged in at which telephone, ready, paused or in wrap-up, since when, and why.

The one place that changes it, whoever asks: an agent at their telephone, the API, a command, the end of a wrap-up, the
files. Each change leaves at once as one write to Asterisk: members, pauses, and a note in AstDB (`callrouter/agent`),
by which the next engine knows where everybody stood. What Asterisk lost, or did alone meanwhile, is seen by
`comparison`. Sessions are told to whoever keeps them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from callrouter.asterisk.agents.members import AGENTS, WRAP_UPS, Change, Members
from callrouter.asterisk.agents.moves import move, phones_of, set_pause
from callrouter.asterisk.codec import whole_number
from callrouter.core.agents.sessions import Session, ended, sessions_of
from callrouter.core.agents.standing import MISSED, Agent, AgentState, Crew, Refused, Standing
from callrouter.core.call import replace
from callrouter.errors import AgentRefused


class Clock(Protocol):
    """Tells the time of calls (`runtime.clock.SystemClock`)."""

    def now(self) -> datetime: ...


class Roster:
    """See the module. Its methods change Asterisk by what they post, and wait for nothing."""

    def __init__(
        self,
        members: Members,
        crew: Callable[[], Crew],
        *,
        clock: Clock,
        tell: Callable[[Session], None],
        link_up: Callable[[], bool],
        shift: timedelta = timedelta(),
    ) -> None:
        """`crew` gives the same object as long as the files say the same; `shift`: our clock is ahead of the PBX's."""
        self._members = members
        self._crew = crew
        self._clock = clock
        self._tell = tell
        self._link_up = link_up
        self._shift = shift
        self._standings: dict[str, Standing] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._held: dict[str, asyncio.TimerHandle] = {}
        self.gone_since: Mapping[str, datetime] = {}
        """Since when telephones have not been there (`comparison`)."""
        self.changes = 0
        """How often anybody has moved."""
        self._began_at = clock.now()

    # ------------------------------------------------------------------------------------------------- who is where

    @property
    def crew(self) -> Crew:
        """Who there is, as the files say it."""
        return self._crew()

    def phones_gone(self, phones: Iterable[str], *, at: datetime) -> None:
        """These telephones are not there; since when is kept of those that were not before either."""
        self.gone_since = {phone: self.gone_since.get(phone, at) for phone in phones}

    def agent(self, name: str) -> Agent:
        """Somebody by name.

        Raises:
            AgentRefused: nobody is called so.
        """
        found = self.crew.agents.get(name)
        if found is None:
            raise AgentRefused(f"there is no agent {name!r} in shared/agents.yaml", Refused.UNKNOWN)
        return found

    def standing(self, agent: Agent) -> Standing:
        """Where an agent stands."""
        return self._standings.get(agent.name) or self._unmoved(agent)

    def at(self, phone: str) -> Agent | None:
        """Who is rung at a telephone: whoever is logged in there, or its owner, who never logs out."""
        for agent in self.crew.agents.values():
            if self.standing(agent).phone == phone:
                return agent
        return None

    def keys_at(self, phone: str) -> Agent | None:
        """Whose feature codes are keyed at a telephone: theirs who is rung there, or, to hear that they are not logged
        in, its owner's; not those of an owner who is logged in elsewhere.
        """
        agent = self.at(phone) or self.crew.owner(phone)
        return agent if agent is not None and self.standing(agent).phone in ("", phone) else None

    def has_moved_since(self, agent: Agent, at: datetime) -> bool:
        """Whether where they stand is of after an instant, which is one of whole seconds."""
        standing = self._standings.get(agent.name)
        return standing is not None and standing.since_at >= at + timedelta(seconds=1)

    def reason(self, number: str) -> str:
        """The nth of the files' reasons; without a number, none in particular.

        Raises:
            AgentRefused: there are fewer.
        """
        if not number:
            return ""
        pauses = self.crew.pauses
        if not 0 < (place := whole_number(number) or 0) <= len(pauses):
            raise AgentRefused(f"there is no reason {number} of a pause in shared/agents.yaml", Refused.NO_REASON)
        return pauses[place - 1]

    def known_reason(self, reason: str) -> str:
        """One of the files' reasons, or none.

        Raises:
            AgentRefused: it is neither.
        """
        if reason and reason not in self.crew.pauses:
            known = ", ".join(self.crew.pauses) or "there are none"
            wrong = f"{reason!r} is no reason of a pause in shared/agents.yaml: {known}"
            raise AgentRefused(wrong, Refused.NO_REASON)
        return reason

    def lasting(self) -> list[str]:
        """Ids of the sessions that everybody is in."""
        return [one.session_id for name, standing in self._standings.items() for one in sessions_of(name, standing)]

    def others_ready(self, agent: str, queue: str) -> bool:
        """Whether somebody else who is rung in a queue of the PBX takes calls now."""
        return any(
            other.name != agent
            and self.standing(other).state is AgentState.READY
            and any(queue in place.queues for place in other.places)
            for other in self.crew.agents.values()
        )

    def _unmoved(self, agent: Agent) -> Standing:
        """Of whom nothing is known yet."""
        if agent.always_in:
            return Standing(state=AgentState.READY, since_at=self._began_at, phone=agent.phone)
        return Standing(state=AgentState.LOGGED_OUT, since_at=self._began_at)

    # ------------------------------------------------------------------------------------------------- what they do

    def log_in(self, name: str, phone: str, *, at: datetime | None = None) -> Standing:
        """Log an agent in at a telephone; from another one they move, and whoever was logged in here is logged out.

        Raises:
            AgentRefused: there is no such agent or telephone, none of their teams asks for log-ins, or the telephone
                is that of somebody who never logs out.
        """
        agent = self._present(name)
        if agent.always_in or not agent.places:
            raise AgentRefused(f"agent {name} has no team that asks for log-ins", Refused.ALWAYS_IN)
        if not self.crew.has_telephone(phone):
            raise AgentRefused(f"there is no telephone {phone!r} of an agent's", Refused.UNKNOWN)
        if self.crew.is_taken(phone):
            raise AgentRefused(f"telephone {phone} is that of an agent who never logs out", Refused.ALWAYS_IN)
        before = self.standing(agent)
        if before.phone == phone and before.state is AgentState.READY:
            return before
        other = self.at(phone)
        if other is not None and other.name != name:
            self._leave(other, "moved", at or self._clock.now())
        if before.phone == phone:
            return self._stand(agent, self._ready(before, at), "agent")
        at = at or self._clock.now()
        if before.phone:
            self._leave(agent, "moved", at)
        return self._stand(agent, Standing(state=AgentState.READY, since_at=at, phone=phone, logged_in_at=at), "agent")

    def log_out(self, name: str, by: str = "agent", *, at: datetime | None = None) -> Standing:
        """Log an agent out; who talks goes on talking. `by` stands in the record.

        Raises:
            AgentRefused: there is no such agent, or they are not logged in.
        """
        agent = self._logged_in(name)
        if agent.always_in:
            raise AgentRefused(f"agent {name} has no team that asks for log-ins", Refused.ALWAYS_IN)
        return self._leave(agent, by, at or self._clock.now())

    def pause(self, name: str, reason: str, by: str = "agent", *, at: datetime | None = None) -> Standing:
        """Offer them no call until they are ready; a wrap-up ends with it. The same pause again changes nothing.

        Raises:
            AgentRefused: there is no such agent, or they are not logged in.
        """
        agent = self._logged_in(name)
        before = self.standing(agent)
        if before.state is AgentState.PAUSED and before.reason == reason:
            return before
        at = at or self._clock.now()
        now = replace(before, state=AgentState.PAUSED, since_at=at, reason=reason, until_at=None, call_id="")
        return self._stand(agent, now, by)

    def ready(self, name: str, by: str = "agent", *, at: datetime | None = None) -> Standing:
        """End a pause or a wrap-up; of who takes calls already nothing changes.

        Raises:
            AgentRefused: there is no such agent, or they are not logged in.
        """
        agent = self._logged_in(name)
        before = self.standing(agent)
        if before.state is AgentState.READY:
            return before
        return self._stand(agent, self._ready(before, at), by)

    def wrap_up_began(self, phone: str, seconds: float, call_id: str, *, at: datetime | None = None) -> None:
        """Asterisk's dialplan has paused whoever talked there; who is paused for a reason of theirs stays so."""
        agent = self.at(phone)
        at = at or self._clock.now()
        if agent is None or self.standing(agent).state is not AgentState.READY:
            self._refuse_wrap_up(agent, phone)
            return
        now = replace(
            self.standing(agent),
            state=AgentState.WRAP_UP,
            since_at=at,
            until_at=at + timedelta(seconds=seconds),
            call_id=call_id,
        )
        self._stand(agent, now, "", paused_there=True)

    def _refuse_wrap_up(self, agent: Agent | None, phone: str) -> None:
        """Whoever pauses just then, or has left, is in no wrap-up, and nobody is to end one."""
        standing = self.standing(agent) if agent else None
        if standing is not None and standing.state is AgentState.WRAP_UP:
            return
        change = self._members.change()
        change.drop(WRAP_UPS, phone)
        if standing is not None and standing.state is AgentState.PAUSED:
            change.pause(phone, standing.reason)
        change.write()

    def hold(self, agent: Agent, seconds: float) -> None:
        """Offer them nothing for a few seconds. It is no pause of theirs, and none that is kept."""
        standing = self.standing(agent)
        if standing.state is not AgentState.READY or agent.name in self._held:
            return
        change = self._members.change()
        for phone in phones_of(agent, standing):
            change.pause(phone, MISSED)
            change.put(WRAP_UPS, phone, f"{self._pbx_epoch(seconds)}:{self._pbx_epoch()}:")
        change.write()
        loop = asyncio.get_running_loop()
        self._held[agent.name] = loop.call_later(seconds, self._held_enough, agent)

    def _held_enough(self, agent: Agent) -> None:
        self._held.pop(agent.name, None)
        standing = self.standing(agent)
        change = self._members.change()
        for phone in phones_of(agent, standing):
            change.drop(WRAP_UPS, phone)
            if standing.state is AgentState.READY:
                change.resume(phone)
        change.write()

    def is_held(self, name: str) -> bool:
        """Whether they are offered nothing for a few seconds."""
        return name in self._held

    def _no_longer_held(self, agent: Agent) -> bool:
        timer = self._held.pop(agent.name, None)
        if timer is not None:
            timer.cancel()
        return timer is not None

    def _ready(self, before: Standing, at: datetime | None) -> Standing:
        at = at or self._clock.now()
        return replace(before, state=AgentState.READY, since_at=at, reason="", until_at=None, call_id="")

    def _present(self, name: str) -> Agent:
        agent = self.agent(name)
        if not self._link_up():
            raise AgentRefused("Asterisk is away: nobody's state can be changed now", Refused.AWAY)
        return agent

    def _logged_in(self, name: str) -> Agent:
        agent = self._present(name)
        if self.standing(agent).state is AgentState.LOGGED_OUT:
            raise AgentRefused(f"agent {name} is not logged in", Refused.NOT_LOGGED_IN)
        return agent

    def recall(self, agent: Agent, noted: Standing) -> None:
        """Where somebody stood when the engine before ended, or Asterisk did; the later of two stands."""
        if agent.name not in self._standings or self._standings[agent.name].since_at < noted.since_at:
            self._standings[agent.name] = noted
            for session in sessions_of(agent.name, noted):
                self._tell(session)
            self._time(agent, noted)

    def end_overdue(self) -> None:
        """End the wrap-ups that ran out while Asterisk was away, and nothing could be changed there."""
        now = self._clock.now()
        for name, standing in list(self._standings.items()):
            if standing.until_at is not None and standing.until_at <= now:
                self._time_is_over(name)

    def note_all(self) -> None:
        """Have AstDB know where everybody stands: it may have lost it, or be another one."""
        change = self._members.change()
        for name, standing in self._standings.items():
            if name in self.crew.agents:
                self._note(change, self.crew.agents[name], standing)
                self._note_wrap_up(change, self.crew.agents[name], standing)
        change.write()

    def redate(self, by: timedelta) -> None:
        """The clock was set: everybody has stood where they stand as long as they have.

        A session is known by when it began. The one that was dated by the old clock ends with no length, and one that
        is dated by the new clock, and is as long, goes on.
        """
        self._began_at += by
        self.gone_since = {phone: at + by for phone, at in self.gone_since.items()}
        change = self._members.change()
        for name, before in list(self._standings.items()):
            now = self._standings[name] = before.moved(by)
            for session in sessions_of(name, before):
                self._tell(replace(session, ended_at=session.started_at, ended_by="clock"))
            for session in sessions_of(name, now):
                self._tell(session)
            if name in self.crew.agents:
                self._note(change, self.crew.agents[name], now)
                self._note_wrap_up(change, self.crew.agents[name], now)
        if self._link_up():  # or all of it is noted after the next log-in
            change.write()

    def _note_wrap_up(self, change: Change, agent: Agent, standing: Standing) -> None:
        """By which Asterisk ends a wrap-up that no engine ends, and no pause of another kind."""
        for phone in () if agent.name in self._held else phones_of(agent, standing):
            if standing.state is AgentState.WRAP_UP and standing.until_at is not None:
                began, ends = (self._at_pbx(at) for at in (standing.since_at, standing.until_at))
                change.put(WRAP_UPS, phone, f"{ends}:{began}:{standing.call_id}")
            else:
                change.drop(WRAP_UPS, phone)

    def forget_strangers(self) -> None:
        """Log out who is no agent any more, or in no team, or at a telephone that became somebody's who never logs
        out.
        """
        now, agents = self._clock.now(), self.crew.agents
        for name, standing in list(self._standings.items()):
            agent = agents.get(name) or Agent(name=name, title=name, phone=standing.phone)
            taken = agent.logs_in and self.crew.is_taken(standing.phone)
            if taken or not agent.places or (agent.always_in and standing.phone != agent.phone):
                if standing.state is not AgentState.LOGGED_OUT:
                    self._stand(agent, Standing(state=AgentState.LOGGED_OUT, since_at=now), "files")
                del self._standings[name]

    # ---------------------------------------------------------------------------------------------- what is changed

    def _leave(self, agent: Agent, by: str, at: datetime) -> Standing:
        return self._stand(agent, Standing(state=AgentState.LOGGED_OUT, since_at=at), by)

    def _stand(self, agent: Agent, now: Standing, by: str, *, paused_there: bool = False) -> Standing:
        """Move an agent from where they stand: in the record, at Asterisk, and in AstDB."""
        before = self.standing(agent)
        self._standings[agent.name] = now
        self.changes += 1
        for session in ended(agent.name, before, now, by):
            self._tell(session)
        for session in sessions_of(agent.name, now):
            if session.session_id not in {one.session_id for one in sessions_of(agent.name, before)}:
                self._tell(session)
        self._time(agent, now)
        change = self._members.change()
        if self._no_longer_held(agent) or before.state is AgentState.WRAP_UP:
            for phone in phones_of(agent, before):
                change.drop(WRAP_UPS, phone)
        if before.phone != now.phone:
            move(change, agent, before, now)
        if not paused_there:
            set_pause(change, agent, before, now)
        self._note(change, agent, now)
        change.write()
        return now

    def _time(self, agent: Agent, now: Standing) -> None:
        """Have a wrap-up end by itself, and nothing else."""
        if (timer := self._timers.pop(agent.name, None)) is not None:
            timer.cancel()
        if now.until_at is not None:
            left = max(0.0, (now.until_at - self._clock.now()).total_seconds())
            self._timers[agent.name] = asyncio.get_running_loop().call_later(left, self._time_is_over, agent.name)

    def _time_is_over(self, name: str) -> None:
        with suppress(AgentRefused):  # Asterisk is away, and the next look sees to it
            self.ready(name, "time")

    def _note(self, change: Change, agent: Agent, now: Standing) -> None:
        if now.state is AgentState.LOGGED_OUT or (agent.always_in and now.state is AgentState.READY):
            change.drop(AGENTS, agent.name)
        else:
            change.put(AGENTS, agent.name, msgspec.json.encode(now).decode())

    def _pbx_epoch(self, seconds: float = 0.0) -> int:
        """So many seconds from now, by the PBX's clock."""
        return self._at_pbx(self._clock.now() + timedelta(seconds=seconds))

    def _at_pbx(self, at: datetime) -> int:
        return round(at.timestamp() - self._shift.total_seconds())

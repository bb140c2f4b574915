"""How agents stand, as app_queue tells it; for those who follow it live.

Asterisk raises an event for each of an agent's queues whenever their telephone or pause changes: what comes together is
looked at once. Those of telephones are many (three times a call, for each queue), and asked for only while somebody
follows. After each log-in, when somebody begins to, and every half minute from then on all members are asked for: a
member that a reload removes while they talk is told by no event. Of a queue that is derived from a team's the team is
told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Final, Protocol

from msgspec import Struct

from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.core.agents.preference import team_of
from callrouter.errors import AmiError
from callrouter.runtime.pauses import pause
from callrouter.stream.events import AgentCard, PhoneState, agent_state

LOOK_AGAIN_SECONDS: Final = 30.0
TOGETHER_SECONDS: Final = 0.01
TELEPHONES: Final = "QueueMemberStatus"

_STATES: Final[Mapping[str, PhoneState]] = {
    "1": PhoneState.IDLE,
    "2": PhoneState.IN_USE,
    "3": PhoneState.IN_USE,
    "4": PhoneState.UNREACHABLE,
    "5": PhoneState.UNREACHABLE,
    "6": PhoneState.RINGING,
    "7": PhoneState.IN_USE,
    "8": PhoneState.ON_HOLD,
}
"""`include/asterisk/devicestate.h`: not in use, in use, busy, invalid, unavailable, ringing, ringing while in use, on
hold; 0 is unknown."""


class Follower(Protocol):
    """Who is told (`stream.feed.Feed`)."""

    @property
    def listening(self) -> bool: ...
    def tells(self, on_listening: Callable[[bool], None]) -> None: ...
    def agent_changed(self, card: AgentCard) -> None: ...
    def observes(self, observing: bool, reason: str = "") -> None: ...  # noqa: FBT001, RUF100


class _Membership(Struct, frozen=True, gc=False):
    """An agent's place in a queue."""

    phone: PhoneState
    paused: bool
    reason: str


class AgentWatch:
    """Make it before the link runs.

    Args:
        link: the link to Asterisk.
        follower: who is told.
        now: the engine's clock.
    """

    def __init__(self, link: AmiLink, follower: Follower, now: Callable[[], datetime]) -> None:
        self._link = link
        self._follower = follower
        self._now = now
        self._members: dict[str, dict[str, _Membership]] = {}
        """By agent and queue of the PBX, the one that changed last the last: what it says of the telephone is the
        newest.
        """
        self._told: dict[str, AgentCard] = {}
        self._changed: set[str] = set()
        self._newer: set[tuple[str, str]] = set()
        """Agents and queues of which an event has told since all members were last asked for."""
        self._due = asyncio.Event()
        link.tells(
            events={
                "QueueMemberPause": self._on_member,
                "QueueMemberAdded": self._on_member,
                "QueueMemberRemoved": self._on_removed,
            },
            on_state=self._on_link_state,
        )
        follower.tells(self._on_listening)

    async def run(self) -> None:
        """Ask for all members when it is due, until cancelled."""
        while True:
            await pause(LOOK_AGAIN_SECONDS if self._follower.listening else None, self._due)
            self._due.clear()
            if self._link.state is LinkState.UP:
                with suppress(AmiError):  # the next log-in does it again
                    await self.look()

    async def look(self) -> None:
        """Ask for all members now.

        Raises:
            AmiError: the link went away meanwhile.
        """
        self._newer.clear()
        answer = await self._link.collect("QueueStatus")
        found = {
            (event["Name"] or event["Location"], event["Queue"]): _membership(event)
            for event in answer
            if event["Event"] == "QueueMember"
        }
        known = {(agent, queue): place for agent, queues in self._members.items() for queue, place in queues.items()}
        # An event that came meanwhile may be newer than the answer.
        older = {place: seen for place, seen in found.items() if place not in self._newer}
        newer = {place: seen for place, seen in known.items() if place in self._newer}
        members: dict[str, dict[str, _Membership]] = {agent: {} for agent in self._members}
        for (agent, queue), seen in (older | newer).items():
            members.setdefault(agent, {})[queue] = seen
        self._members = members
        self._tell_changes(list(members))

    def _on_listening(self, listening: bool) -> None:  # noqa: FBT001, RUF100
        if listening:
            self._link.follow({TELEPHONES: self._on_member})
            self._due.set()
        else:
            self._link.unfollow([TELEPHONES])

    def _on_link_state(self, state: LinkState, reason: str) -> None:
        if state is LinkState.UP:
            self._follower.observes(True)
            self._due.set()
        elif state is not LinkState.CONNECTING:
            self._follower.observes(False, reason)

    # ----------------------------------------------------------------------------------------------------- members

    def _on_member(self, message: AmiMessage) -> None:
        agent, queue, seen = _agent(message), message["Queue"], _membership(message)
        self._newer.add((agent, queue))
        queues = self._members.setdefault(agent, {})
        if queues.get(queue) != seen:
            queues.pop(queue, None)
            queues[queue] = seen  # the last one
            self._look_soon(agent)

    def _on_removed(self, message: AmiMessage) -> None:
        agent, queue = _agent(message), message["Queue"]
        self._newer.add((agent, queue))
        if self._members.get(agent, {}).pop(queue, None) is not None:
            self._look_soon(agent)

    def _look_soon(self, agent: str) -> None:
        if not self._changed:
            asyncio.get_running_loop().call_later(TOGETHER_SECONDS, self._look_at_changed)
        self._changed.add(agent)

    def _look_at_changed(self) -> None:
        changed, self._changed = self._changed, set()
        self._tell_changes(changed)

    def _tell_changes(self, agents: Iterable[str]) -> None:
        for agent in sorted(agents):
            queues = self._members.get(agent, {})
            told = self._told.get(agent)
            card = _card(agent, queues, told.since if told else self._now())
            if card == told or (told is None and not queues):
                continue
            if told is not None:
                card = _card(agent, queues, self._now())
            self._follower.agent_changed(card)
            if queues:
                self._told[agent] = card
            else:
                self._told.pop(agent, None)
                self._members.pop(agent, None)


def _card(agent: str, queues: dict[str, _Membership], since: datetime) -> AgentCard:
    newest = next(reversed(queues.values()), None)
    teams: dict[str, list[_Membership]] = {}
    for queue, place in sorted(queues.items()):
        teams.setdefault(team_of(queue), []).append(place)
    paused = [team for team, places in teams.items() if all(place.paused for place in places)]
    reason = next((place.reason for team in paused for place in teams[team] if place.reason), "")
    return AgentCard(
        agent=agent,
        state=agent_state(teams, paused, reason),
        phone=newest.phone if newest else PhoneState.UNKNOWN,
        queues=[*teams],
        paused_in=paused,
        reason=reason,
        since=since,
    )


def _membership(event: AmiMessage) -> _Membership:
    return _Membership(
        phone=_STATES.get(event["Status"], PhoneState.UNKNOWN),
        paused=event["Paused"] == "1",
        reason=event["PausedReason"] if event["Paused"] == "1" else "",
    )


def _agent(message: AmiMessage) -> str:
    return message["MemberName"] or message["Interface"]

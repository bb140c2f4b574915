"""How Asterisk's members differ from where an agent stands, and what mends it. Pure but for what it is handed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from callrouter.asterisk.agents.members import Change, Seen
from callrouter.core.agents.standing import LOGGED_OUT, OWN_REASONS, Agent, AgentState, Standing


def remove_strangers(change: Change, agents: Collection[str], seen: Sequence[Seen]) -> list[str]:
    """Take out who is a member, and no agent any more: the telephone is free for the next one. Says what it did."""
    strangers = [one for one in seen if one.dynamic and one.agent not in agents]
    for one in strangers:
        change.remove(one.queue, one.phone)
    return [f"{one.agent} removed from {one.queue} at {one.phone}" for one in strangers]


class Mending:
    """One agent's places."""

    def __init__(self, agent: Agent, standing: Standing, seen: Sequence[Seen], *, held: bool) -> None:
        """`seen`: the members of all teams; `held`: a pause of a few seconds, which ends by itself."""
        self._agent = agent
        self._standing = standing
        self._held = held
        self._mine = [one for one in seen if one.agent == agent.name]
        self._places = {queue: place for place in agent.places for queue in place.queues}

    @property
    def logged_out_there(self) -> bool:
        """Whether they logged out while no engine was there, and nothing else tells of it."""
        return self._standing.phone != "" and any(one.paused and one.reason == LOGGED_OUT for one in self._mine)

    @property
    def paused_by_hand(self) -> str:
        """Why somebody at the PBX's console has paused an agent who takes calls; empty: nobody has."""
        if self._standing.state is not AgentState.READY or not self._mine:
            return ""
        by_hand = [one.reason or "paused at the PBX" for one in self._mine if one.paused]
        return by_hand[0] if len(by_hand) == len(self._mine) and not OWN_REASONS & set(by_hand) else ""

    def mend(self, change: Change) -> list[str]:
        """Put what is needed into a change, and say it."""
        return [*self._missing(change), *self._wrong(change)]

    def _missing(self, change: Change) -> Iterator[str]:
        there = {(one.queue, one.phone) for one in self._mine}
        phone = self._standing.phone
        for queue, place in self._places.items() if phone else ():
            if place.log_in and (queue, phone) not in there:
                penalty = place.queues[queue]
                change.add(queue, phone, self._agent.name, penalty=penalty, paused=self._is_paused)
                if self._is_paused:
                    change.pause(phone, self._reason, queue)
                yield f"added to {queue}"

    def _wrong(self, change: Change) -> Iterator[str]:
        for one in self._mine:
            place = self._places.get(one.queue)
            if one.dynamic and (place is None or place.log_in) and (one.phone != self._standing.phone or place is None):
                change.remove(one.queue, one.phone)
                yield f"removed from {one.queue} at {one.phone}"
                continue
            wrong_penalty = one.dynamic and place is not None and one.penalty != place.queues[one.queue]
            if wrong_penalty and place is not None:
                change.set_penalty(one.queue, one.phone, place.queues[one.queue])
                yield f"penalty {place.queues[one.queue]} in {one.queue}"
            other_reason = one.paused and self._is_paused and one.reason != self._reason
            if self._held or (one.paused == self._is_paused and not wrong_penalty and not other_reason):
                continue
            if self._is_paused:
                change.pause(one.phone, self._reason, one.queue)
            else:
                change.resume(one.phone, one.queue)
            if one.paused != self._is_paused or other_reason:
                yield f"{'paused' if self._is_paused else 'not paused'} in {one.queue}"

    @property
    def _is_paused(self) -> bool:
        return self._standing.state in (AgentState.PAUSED, AgentState.WRAP_UP)

    @property
    def _reason(self) -> str:
        return "wrap_up" if self._standing.state is AgentState.WRAP_UP else self._standing.reason

"""What becomes of offers: who lets a call ring, or refuses it, is not offered it again while another is free.

Asterisk's autopause would take such an agent out of the team, and nothing would end that. Here they are left out for a
few seconds, in which the call goes to the next one, and paused only after so many misses in a row as their team's file
says. A refusal counts as one, like a call that rang out; an answer counts them anew.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import structlog

from callrouter.asterisk.agents.roster import Roster
from callrouter.asterisk.codec import AmiMessage, whole_number
from callrouter.asterisk.link import AmiLink
from callrouter.core.agents.standing import TOO_MANY_MISSED
from callrouter.errors import AgentRefused

log = structlog.get_logger(__name__)

HOLD_SECONDS: Final = 2.0
"""Beyond the team's pause between two rings: app_queue looks once a second whom it may ring (RECHECK, app_queue.c)."""


class Offers:
    """Subscribes to the link, before it runs."""

    def __init__(self, link: AmiLink, roster: Roster) -> None:
        self._roster = roster
        self._misses: dict[str, int] = {}
        link.tells(
            events={
                "AgentRingNoAnswer": self._on_missed,
                "AgentConnect": self._on_answered,
                "UserEvent": self._on_user_event,
            }
        )

    def _on_answered(self, message: AmiMessage) -> None:
        self._misses.pop(message["MemberName"], None)

    def _on_missed(self, message: AmiMessage) -> None:
        name, queue = message["MemberName"], message["Queue"]
        agent = self._roster.crew.agents.get(name)
        place = next((one for one in agent.places if queue in one.queues), None) if agent else None
        if agent is None or place is None:
            return
        misses = self._misses[name] = self._misses.get(name, 0) + 1
        with suppress(AgentRefused):
            if place.misses and misses >= place.misses:
                log.warning("an agent is paused: they missed too many calls", agent=name, queue=queue, misses=misses)
                del self._misses[name]
                self._roster.pause(name, TOO_MANY_MISSED, by="callrouter")
            elif place.in_turn and self._roster.others_ready(name, queue):
                self._roster.hold(agent, place.retry_seconds + HOLD_SECONDS)

    def _on_user_event(self, message: AmiMessage) -> None:
        seconds = whole_number(message["Seconds"])
        if message["UserEvent"] == "CallrouterWrapUp" and seconds is not None:
            self._roster.wrap_up_began(message["Phone"], seconds, message["Call"])

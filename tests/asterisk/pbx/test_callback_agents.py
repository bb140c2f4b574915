"""Who has a callback, by what the queue says of the half that waits. On a real one: test_callbacks_ring.py."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from callrouter.asterisk.batch import Batch, Headers
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.pbx.callback_agents import CallbackAgents
from callrouter.asterisk.session import OnEvent


class PaperLink:
    """A link that says what the test says."""

    def __init__(self) -> None:
        self.events: Mapping[str, OnEvent] = {}

    def tells(self, *, events: Mapping[str, OnEvent]) -> None:
        """As Link."""
        self.events = events

    def says(self, event: str, channel: str, agent: str) -> None:
        """An event of the queue."""
        self.events[event](AmiMessage({"Event": event, "Uniqueid": channel, "MemberName": agent}))

    def batch(self) -> Batch:
        """Nothing is written."""
        raise AssertionError

    def send(self, name: str, headers: Headers = ()) -> asyncio.Future[AmiMessage]:
        """Nothing is asked."""
        raise AssertionError

    def collect(self, name: str, headers: Headers = ()) -> Any:
        """Nothing is asked."""
        raise AssertionError


def test_they_are_rung_and_talk_as_long_as_it_is_under_way() -> None:
    link = PaperLink()
    agents = CallbackAgents(link)
    link.says("AgentCalled", "o1.near", "anne")
    link.says("AgentCalled", "o2.near", "bruno")
    link.says("AgentCalled", "1700000000.12", "chloe")  # a caller's
    rung = agents.at_work({"o1", "o2"})
    link.says("AgentRingNoAnswer", "o2.near", "bruno")
    link.says("AgentConnect", "o1.near", "anne")
    taken = agents.at_work({"o1", "o2"})
    over = agents.at_work({"o2"})

    assert rung == ({"anne", "bruno"}, set())
    assert taken == (set(), {"anne"})
    assert over == agents.at_work({"o1", "o2"}) == (set(), set())

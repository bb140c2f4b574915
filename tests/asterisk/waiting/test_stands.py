"""How a queue stands is asked once for all who want to know, and never waited for."""

from __future__ import annotations

import asyncio
from typing import cast

from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.waiting.stands import STAND_SECONDS, Stands, read_stand
from callrouter.asterisk.waiting.waits import Waits
from callrouter.core.effects import EnterQueue
from callrouter.errors import AmiUnreachable
from callrouter.outgoing.ports import QueueStand
from callrouter.testing import TUESDAY_10

ANSWER = [
    AmiMessage({"Event": "QueueParams", "TalkTime": "90"}),
    AmiMessage({"Event": "QueueMember", "Paused": "0", "Status": "2"}),
    AmiMessage({"Event": "QueueMember", "Paused": "1", "Status": "1"}),
    AmiMessage({"Event": "QueueMember", "Paused": "0", "Status": "5"}),
    AmiMessage({"Event": "QueueEntry", "Uniqueid": "1.1", "Priority": "3", "Wait": "40"}),
]


class Asked:
    """As a link: every question stays open until the test answers it."""

    def __init__(self, *, up: bool = True) -> None:
        self.up = up
        self.answers: list[asyncio.Future[list[AmiMessage]]] = []

    def collect(self, _name: str, _headers: object) -> asyncio.Future[list[AmiMessage]]:
        """As AmiLink."""
        if not self.up:
            raise AmiUnreachable("down")
        self.answers.append(asyncio.get_running_loop().create_future())
        return self.answers[-1]


def stands_on(link: Asked) -> Stands:
    """Who asks there."""
    return Stands(cast("AmiLink", link))


def test_what_the_answer_says() -> None:
    """Who is there and not paused, who waits, and how long conversations are."""
    stand = read_stand(ANSWER)

    assert (stand.agents, stand.talk_seconds) == (1, 90.0)
    assert [(one.channel_id, one.priority, one.waited_seconds) for one in stand.waiting] == [("1.1", 3, 40.0)]


async def test_one_question_answers_all_who_ask_meanwhile() -> None:
    """And whoever may have what is a moment old asks nothing."""
    link, told = Asked(), list[QueueStand | None]()
    stands = stands_on(link)
    for _ in range(3):
        stands.ask("q", told.append)
    link.answers[0].set_result(ANSWER)
    await asyncio.sleep(0.01)
    stands.ask("q", told.append, fresh_seconds=1.0)
    assert len(told) == 4
    assert len(link.answers) == 1
    stands.ask("q", told.append)

    assert len(link.answers) == 2


async def test_no_answer_is_one_too() -> None:
    """In time, once, and so is a link that is down; what comes too late is not told."""
    link, told = Asked(), list[QueueStand | None]()
    stands_on(link).ask("q", told.append)
    await asyncio.sleep(STAND_SECONDS + 0.05)
    link.answers[0].set_result(ANSWER)
    await asyncio.sleep(0.01)
    stands_on(Asked(up=False)).ask("q", told.append)

    assert told == [None, None]


async def test_a_place_that_cannot_be_known_is_the_last_one() -> None:
    """The caller joins all the same."""
    told: list[int] = []
    wanted = EnterQueue(queue="q", priority=0, max_wait_seconds=60.0)
    Waits(cast("AmiLink", Asked(up=False))).find_place(wanted, TUESDAY_10, TUESDAY_10, told.append)

    assert told == [0]

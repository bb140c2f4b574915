"""An engine that was stopped knows it before it acts, and one that was not is not confused by a silent PBX."""

from __future__ import annotations

import asyncio
from typing import Any

from callrouter.asterisk.leading.heartbeat import STANDBY_SECONDS, Heartbeat
from callrouter.asterisk.log_in import AmiAddress
from callrouter.asterisk.session import AmiSession, Handlers, LinkCounters
from callrouter.runtime.fence import FENCE_SECONDS, Fence


class Outbox(asyncio.Transport):
    """Takes what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""

    def write(self, data: Any) -> None:
        self.sent += bytes(data)


class Beating:
    """A heartbeat on a session whose other end the test is, by the test's clock."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.fence = Fence(needs_proof=True, now=lambda: self.seconds)
        address = AmiAddress(host="127.0.0.1", port=5038, username="callrouter", secret="s")
        self.heart = Heartbeat(address, self.fence, now=lambda: self.seconds)
        self.session = AmiSession(Handlers(events={}, on_post_error=print), LinkCounters())
        self.outbox = Outbox()
        self.session.connection_made(self.outbox)
        self.session.data_received(b"Asterisk Call Manager/11.0.0\r\n")
        self._answered = 0

    def beat(self) -> None:
        self.heart.claimed(self.session)

    async def answer(self, sessions: int = 1, standby: str = "") -> None:
        """To the two questions of the oldest beat that was not answered."""
        for value in (str(sessions), standby):
            self._answered += 1
            answer = f"Response: Success\r\nActionID: r{self._answered:x}\r\nValue: {value}\r\n\r\n"
            self.session.data_received(answer.encode())
        await asyncio.sleep(0)


async def test_a_beat_says_and_asks_in_one_write() -> None:
    beating = Beating()
    beating.beat()

    assert b"Variable: CR_BEAT\r\nValue: 100.000" in beating.outbox.sent
    assert b"Variable: AMI_CLIENT(callrouter,sessions)" in beating.outbox.sent


async def test_the_place_is_proved_from_when_it_was_asked_for() -> None:
    beating = Beating()
    beating.beat()
    beating.seconds += 1.0
    await beating.answer()
    beating.seconds = 100.0 + FENCE_SECONDS - 0.1
    holds = beating.fence.holds
    beating.seconds = 100.0 + FENCE_SECONDS

    assert (holds, beating.fence.holds) == (True, False)


async def test_one_that_was_stopped_knows_it_whatever_it_reads_first() -> None:
    """An answer from before says nothing of now; one to a question of now does."""
    beating = Beating()
    beating.beat()
    beating.seconds += 10.0
    at_once = beating.heart.was_held_up
    beating.beat()  # its timer may come first
    await beating.answer()  # what was asked before
    still = beating.heart.was_held_up
    await beating.answer()
    proved = beating.heart.was_held_up

    assert (at_once, still, proved) == (True, True, False)
    assert beating.fence.holds


async def test_a_pbx_that_does_not_answer_holds_nobody_up() -> None:
    beating = Beating()
    for _ in range(8):
        beating.beat()
        beating.seconds += 1.0

    assert not beating.heart.was_held_up
    assert not beating.fence.holds


async def test_a_standby_is_one_that_goes_on_saying_so() -> None:
    """What it said once may be of one that is dead."""
    beating = Beating()
    found = []
    for said in ("7.0", "7.0", "8.0", "8.0"):
        beating.beat()
        await beating.answer(standby=said)
        found.append(beating.heart.has_standby)
        beating.seconds += 1.0
    beating.seconds += STANDBY_SECONDS

    assert found == [False, False, True, True]
    assert not beating.heart.has_standby

"""How queues stand and who waits in them, by AMI `QueueStatus`, which needs no privilege.

One question costs Asterisk some microseconds for each member and caller, so those who ask for the same queue at the
same time share an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from callrouter.asterisk.codec import AmiMessage, whole_number
from callrouter.asterisk.link import AmiLink
from callrouter.errors import AmiError
from callrouter.outgoing.ports import QueueStand, Waiting

STAND_SECONDS: Final = 0.5
"""A queue that has not been seen by then cannot be: a caller may hear nothing meanwhile."""

OnStand = Callable[[QueueStand | None], None]


def read_stand(answer: Sequence[AmiMessage]) -> QueueStand:
    """The answer to QueueStatus for one queue; one that is not there has no agents."""
    talked = next((event["TalkTime"] for event in answer if event["Event"] == "QueueParams"), "")
    return QueueStand(
        agents=sum(event["Event"] == "QueueMember" and _is_there(event) for event in answer),
        waiting=[_waiting(event) for event in answer if event["Event"] == "QueueEntry"],
        talk_seconds=float(whole_number(talked) or 0),
    )


def _is_there(member: AmiMessage) -> bool:
    """Whether a member is rung, now or when they are free (device_state.h: 4 invalid, 5 unavailable)."""
    return member["Paused"] != "1" and member["Status"] not in ("4", "5")


def _waiting(entry: AmiMessage) -> Waiting:
    return Waiting(
        channel_id=entry["Uniqueid"],
        priority=whole_number(entry["Priority"]) or 0,
        waited_seconds=float(whole_number(entry["Wait"]) or 0),
    )


class Stands:
    """Asks one PBX."""

    def __init__(self, link: AmiLink) -> None:
        self._link = link
        self._asked: dict[str, list[OnStand]] = {}
        """By queue, who waits for the answer to a question that is on its way."""
        self._known: dict[str, tuple[float, QueueStand]] = {}
        """By queue, the last answer and when it came (the loop's clock)."""

    def ask(self, queue: str, on_stand: OnStand, *, fresh_seconds: float = 0.0) -> None:
        """`on_stand` is told once, within `STAND_SECONDS`; None: it cannot be known. An answer may be so old."""
        known = self._known.get(queue)
        if known is not None and asyncio.get_running_loop().time() - known[0] < fresh_seconds:
            on_stand(known[1])
            return
        if (others := self._asked.get(queue)) is not None:
            others.append(on_stand)
            return
        waiting = self._asked[queue] = [on_stand]
        timer = asyncio.get_running_loop().call_later(STAND_SECONDS, self._tell, queue, waiting, None)
        try:
            answer = self._link.collect("QueueStatus", {"Queue": queue})
        except AmiError:
            timer.cancel()
            self._tell(queue, waiting, None)
            return
        answer.add_done_callback(partial(self._answered, queue, waiting, timer))

    def _answered(
        self,
        queue: str,
        waiting: list[OnStand],
        timer: asyncio.TimerHandle,
        answer: asyncio.Future[list[AmiMessage]],
    ) -> None:
        # Asked for even when it comes too late, so that no error stays unheard.
        failed = answer.cancelled() or answer.exception() is not None
        timer.cancel()
        stand = None if failed else read_stand(answer.result())
        if stand is not None:
            self._known[queue] = asyncio.get_running_loop().time(), stand
        self._tell(queue, waiting, stand)

    def _tell(self, queue: str, waiting: list[OnStand], stand: QueueStand | None) -> None:
        if self._asked.get(queue) is waiting:
            del self._asked[queue]
        told, waiting[:] = [*waiting], []
        for on_stand in told:
            on_stand(stand)

"""Ends legs whose media stopped: who vanished without a word must not keep an agent busy for ever.

A leg that has sent RTP, and then none for the time-out, has vanished. A leg that never sent any stays: there are
callers who only listen, and gateways that send nothing until somebody speaks. Asterisk's own `rtp_timeout` cannot tell
the two apart and would end both: it counts from the answer (`res_pjsip_sdp_rtp.c`, rtp_check_timeout sets the last
reception to "now" as long as the channel is not up). Hence this count, from outside: how many packets each leg has
sent, `CHANNEL(rtcp,rxcount)`, looked at in rounds. A leg on hold (`CHANNEL(rtp,hold)`: its telephone said so in SDP)
is not expected to send.

Asked by `Getvar`, never by `Status` with variables: `Status` holds the channel's lock while it waits for the channel's
own SIP thread (`manager.c`, action_status; `dialplan_functions.c`, pjsip_acf_channel_read).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from callrouter.asterisk.codec import AmiMessage, whole_number
from callrouter.asterisk.pbx.rounds import in_rounds
from callrouter.errors import ActionFailed

log = structlog.get_logger(__name__)

ROUNDS: Final = 4
"""Rounds in one time-out: a leg is ended at most a quarter of it too late."""
SLICE: Final = 10
"""Legs asked about in one write. Asterisk answers each in some 0.1 ms, and calls' commands wait meanwhile."""
PAUSE_SECONDS: Final = 0.05
TIMER_EXPIRED: Final = 102
"""Q.850: recovery on timer expiry."""
MOST_PACKET_DIGITS: Final = 10
"""Of a count of packets, which Asterisk keeps in 32 bits."""
_UP: Final = "6"
_PACKETS: Final = "CHANNEL(rtcp,rxcount)"
_ON_HOLD: Final = "CHANNEL(rtp,hold)"


class Asked(Protocol):
    """What the link can do for us (`AmiLink`)."""

    def send(self, name: str, headers: dict[str, str]) -> asyncio.Future[AmiMessage]: ...

    def send_batch(self, requests: list[tuple[str, dict[str, str]]]) -> list[asyncio.Future[AmiMessage]]: ...

    def collect(self, name: str) -> asyncio.Future[list[AmiMessage]]: ...


@dataclass(slots=True)
class _Leg:
    """What a leg had sent when that last changed."""

    packets: int
    since_seconds: float


class MediaWatch:
    """Looks at every answered SIP leg of the PBX, and ends those whose media stopped.

    Args:
        link: the link to Asterisk.
        timeout_seconds: without a packet for so long, a leg that has sent some is ended; 0 switches the watch off.
        link_up: whether it makes sense to ask.
        on_ended: told of each leg that was ended.
        now_seconds: a clock that only goes forward.
    """

    def __init__(
        self,
        link: Asked,
        timeout_seconds: float,
        *,
        link_up: Callable[[], bool],
        on_ended: Callable[[], None] = lambda: None,
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = link
        self._timeout_seconds = timeout_seconds
        self._link_up = link_up
        self._on_ended = on_ended
        self._now_seconds = now_seconds
        self._legs: dict[str, _Leg] = {}
        """By the channel's uniqueid."""

    async def run(self) -> None:
        """Look in rounds until cancelled; returns at once when switched off."""
        if not self._timeout_seconds:
            return
        await in_rounds(
            self.look,
            every_seconds=self._timeout_seconds / ROUNDS,
            link_up=self._link_up,
            when_blind=self._legs.clear,  # what was sent while nobody looked is not known
            at_once=False,
        )

    async def look(self) -> None:
        """One round.

        Raises:
            AmiError: the link went away meanwhile.
        """
        channels = await self._channels()
        for gone in self._legs.keys() - channels.keys():
            del self._legs[gone]
        for some in _slices(channels.items()):
            packets = await self._ask([channel for _, channel in some], _PACKETS)
            for (uniqueid, channel), count in zip(some, packets, strict=True):
                if (heard := whole_number(count, MOST_PACKET_DIGITS)) is not None and self._is_silent(uniqueid, heard):
                    await self._judge(self._legs[uniqueid], channel)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _channels(self) -> dict[str, str]:
        """Names of the answered SIP channels, by uniqueid, those that have just begun left out."""
        answer = await self._link.collect("CoreShowChannels")
        return {
            event["Uniqueid"]: event["Channel"]
            for event in answer
            if event["Event"] == "CoreShowChannel"
            and event["Channel"].startswith("PJSIP/")
            and event["ChannelState"] == _UP
            and _seconds(event["Duration"]) >= self._timeout_seconds / ROUNDS
        }

    async def _ask(self, channels: Collection[str], variable: str) -> list[str]:
        """The variable of each channel; empty for one that has gone."""
        asked = [("Getvar", {"Channel": channel, "Variable": variable}) for channel in channels]
        answers = await asyncio.gather(*self._link.send_batch(asked), return_exceptions=True)
        return [_value(answer) for answer in answers]

    def _is_silent(self, uniqueid: str, packets: int) -> bool:
        """Whether the leg has sent something, and nothing since the last round."""
        leg = self._legs.get(uniqueid)
        if leg is None or leg.packets != packets:
            self._legs[uniqueid] = _Leg(packets, self._now_seconds())
            return False
        return packets > 0

    async def _judge(self, leg: _Leg, channel: str) -> None:
        """End a silent leg whose time is over; one on hold has all of it again when it comes back."""
        (on_hold,) = await self._ask([channel], _ON_HOLD)
        if on_hold != "0":  # "1", or nothing: it has just gone
            leg.since_seconds = self._now_seconds()
        elif self._now_seconds() - leg.since_seconds >= self._timeout_seconds:
            leg.since_seconds = self._now_seconds()  # should its channel still be there after another time-out
            await self._end(channel)

    async def _end(self, channel: str) -> None:
        log.warning("a leg whose media stopped was ended", channel=channel, seconds=self._timeout_seconds)
        self._on_ended()
        try:
            await self._link.send("Hangup", {"Channel": channel, "Cause": str(TIMER_EXPIRED)})
        except ActionFailed as error:  # it ended by itself a moment ago
            log.debug("the leg had ended already", channel=channel, reason=str(error))


def _value(answer: AmiMessage | BaseException) -> str:
    """Raises AmiError when the link went away, and nothing when only the channel has."""
    if isinstance(answer, ActionFailed):
        return ""
    if isinstance(answer, BaseException):
        raise answer
    return answer["Value"]


def _seconds(duration: str) -> float:
    """Of `hh:mm:ss`; 0 for what is none."""
    parts = duration.split(":")
    known = [number for part in parts if (number := whole_number(part)) is not None]
    if len(parts) != 3 or len(known) != 3:
        return 0.0
    hours, minutes, seconds = known
    return hours * 3600.0 + minutes * 60.0 + seconds


def _slices(channels: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    left = list(channels)
    for start in range(0, len(left), SLICE):
        yield left[start : start + SLICE]

"""The rule of the watch over media, with a clock of our own: who is ended, when, and who never is."""

from __future__ import annotations

import asyncio
from typing import TypeVar

import pytest

from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.pbx import media_watch
from callrouter.asterisk.pbx.media_watch import MediaWatch
from callrouter.errors import AmiUnreachable, ChannelGone

T = TypeVar("T")
CHANNEL = "PJSIP/trunk-00000001"
TIMEOUT_SECONDS = 120.0
ROUND_SECONDS = TIMEOUT_SECONDS / media_watch.ROUNDS


class Pbx:
    """One leg, as AMI tells of it, and what was done to it."""

    def __init__(self) -> None:
        self.now_seconds = 1000.0
        self.packets = "0"
        self.hold = "0"
        self.name = CHANNEL
        self.state = "6"
        self.duration = "00:10:00"
        self.is_away = False
        self.hung_up: list[dict[str, str]] = []

    def send(self, name: str, headers: dict[str, str]) -> asyncio.Future[AmiMessage]:
        assert name == "Hangup"
        self.hung_up.append(headers)
        return _done(AmiMessage([("Response", "Success")]))

    def send_batch(self, requests: list[tuple[str, dict[str, str]]]) -> list[asyncio.Future[AmiMessage]]:
        if self.is_away:
            raise AmiUnreachable("away")
        return [self._getvar(headers) for _, headers in requests]

    def collect(self, name: str) -> asyncio.Future[list[AmiMessage]]:
        assert name == "CoreShowChannels"
        channel = [
            ("Event", "CoreShowChannel"),
            ("Channel", self.name),
            ("ChannelState", self.state),
            ("Uniqueid", "1.1"),
            ("Duration", self.duration),
        ]
        return _done([AmiMessage([("Response", "Success")]), AmiMessage(channel), AmiMessage([("Event", "Complete")])])

    def _getvar(self, headers: dict[str, str]) -> asyncio.Future[AmiMessage]:
        assert headers["Channel"] == self.name
        value = {"CHANNEL(rtcp,rxcount)": self.packets, "CHANNEL(rtp,hold)": self.hold}[headers["Variable"]]
        answer: asyncio.Future[AmiMessage] = asyncio.get_running_loop().create_future()
        if value == "gone":
            answer.set_exception(ChannelGone("No such channel"))
        else:
            answer.set_result(AmiMessage([("Response", "Success"), ("Value", value)]))
        return answer


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_watch, "PAUSE_SECONDS", 0.0)


async def after(pbx: Pbx, watch: MediaWatch, seconds: float, *, packets_each_round: int = 0) -> None:
    """The rounds of so long a time."""
    until = pbx.now_seconds + seconds
    while pbx.now_seconds < until:
        pbx.now_seconds += ROUND_SECONDS
        pbx.packets = str(int(pbx.packets) + packets_each_round)
        await watch.look()


def watch_of(pbx: Pbx) -> MediaWatch:
    return MediaWatch(pbx, TIMEOUT_SECONDS, link_up=lambda: True, now_seconds=lambda: pbx.now_seconds)


async def test_a_leg_that_stops_is_ended_after_the_time_out() -> None:
    """As long as packets come it stays; two minutes after the last one it is ended, once, as by a timer."""
    pbx = Pbx()
    watch = watch_of(pbx)
    await after(pbx, watch, 600, packets_each_round=1500)
    assert pbx.hung_up == []

    await after(pbx, watch, TIMEOUT_SECONDS - ROUND_SECONDS)
    assert pbx.hung_up == []
    await after(pbx, watch, ROUND_SECONDS)

    assert pbx.hung_up == [{"Channel": CHANNEL, "Cause": "102"}]


async def test_a_leg_without_a_packet_stays_for_ever() -> None:
    """A caller who sends no RTP for five minutes, or an hour, is a caller still."""
    pbx = Pbx()

    await after(pbx, watch_of(pbx), 3600)

    assert pbx.hung_up == []


async def test_a_leg_on_hold_has_time_again_when_it_comes_back() -> None:
    """Its telephone said that it sends nothing; the count begins anew with the last round on hold."""
    pbx = Pbx()
    pbx.packets, pbx.hold = "900", "1"
    watch = watch_of(pbx)
    await after(pbx, watch, 1800)
    pbx.hold = "0"
    await after(pbx, watch, ROUND_SECONDS)
    assert pbx.hung_up == []

    await after(pbx, watch, TIMEOUT_SECONDS - 2 * ROUND_SECONDS)
    assert pbx.hung_up == []
    await after(pbx, watch, 2 * ROUND_SECONDS)

    assert len(pbx.hung_up) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("packets", "gone"),
        ("packets", ""),
        ("state", "5"),
        ("name", "Local/0@callrouter-leg-1;2"),
        ("duration", "00:00:29"),
    ],
)
async def test_what_cannot_be_judged_is_left_alone(field: str, value: str) -> None:
    """A leg that has just gone, that has no sound, that still rings, that is no telephone's, or that has just begun."""
    pbx = Pbx()
    pbx.packets = "900"
    setattr(pbx, field, value)
    watch = watch_of(pbx)
    for _ in range(20):
        pbx.now_seconds += ROUND_SECONDS
        await watch.look()

    assert pbx.hung_up == []


async def test_a_link_that_is_away_is_told() -> None:
    """`run` forgets what it knew then: what was sent meanwhile is not known."""
    pbx = Pbx()
    pbx.is_away = True

    with pytest.raises(AmiUnreachable):
        await watch_of(pbx).look()


async def test_without_a_time_out_nothing_runs() -> None:
    """0 switches the watch off."""
    await MediaWatch(Pbx(), 0, link_up=lambda: True).run()


def _done(result: T) -> asyncio.Future[T]:
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    future.set_result(result)
    return future

"""When Asterisk saw what it tells, by clocks that may be apart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from callrouter.asterisk.event_time import LATE_SECONDS, EventTime
from callrouter.asterisk.link import LinkState
from callrouter.core.call import CallState, Disposition
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import EXTENSIONS, engine_room, plan_of, until
from tests.asterisk.test_switch import MENU_ENDS, menu


class Clocks:
    """Ours, and the PBX's, which is an hour behind."""

    def __init__(self) -> None:
        self.ours = 1_000_000.0
        self.set_back_seconds = 3600.0
        self.event_time = EventTime(lambda: self.ours)

    @property
    def stamp(self) -> str:
        return f"{self.ours - self.set_back_seconds:.6f}"

    def ping(self, there: float, back: float) -> None:
        """A ping that takes so long on its ways."""
        answered = self.event_time.ping()
        self.ours += there
        stamp = self.stamp
        self.ours += back
        answered(stamp)

    def event(self) -> bytes:
        """One that Asterisk writes now."""
        return f"Event: Hangup\r\nPrivilege: call,all\r\nTimestamp: {self.stamp}\r\nChannel: x\r\n".encode()


def test_an_event_that_is_read_late_is_dated_to_when_it_happened() -> None:
    """However far the clocks are apart; a slow ping does not mislead, nor one that waited for this very process."""
    clocks = Clocks()
    clocks.ping(0.001, 0.001)
    clocks.ping(0.3, 0.1)
    clocks.ping(0.1, 9.0)
    event = clocks.event()
    clocks.ours += 8

    assert clocks.event_time.late_seconds(event) == pytest.approx(8, abs=0.002)
    assert clocks.event_time.late_seconds(clocks.event()) == 0


@pytest.mark.parametrize("hours", [1, -1])
def test_a_pbx_whose_clock_is_set_misdates_nothing(hours: int) -> None:
    """Not before the next ping, which knows it again, and not after; a late event is dated right by then."""
    clocks = Clocks()
    clocks.ping(0.001, 0.001)
    clocks.ours += 5
    clocks.set_back_seconds -= 3600 * hours
    at_once = clocks.event_time.late_seconds(clocks.event())
    clocks.ours += 5
    clocks.ping(0.01, 0.01)
    event = clocks.event()
    clocks.ours += 8

    assert at_once == 0
    assert clocks.event_time.late_seconds(event) == pytest.approx(8, abs=0.02)


def test_what_is_read_at_once_needs_no_clock() -> None:
    """Nor what carries no stamp, nor what comes before the first ping was answered."""
    clocks = Clocks()
    early = clocks.event()
    clocks.ours += 5
    assert clocks.event_time.late_seconds(early) == 0

    clocks.ping(0.001, 0.001)
    event = clocks.event()
    clocks.ours += LATE_SECONDS / 2
    assert clocks.event_time.late_seconds(event) == 0
    assert clocks.event_time.late_seconds(b"Event: Hangup\r\nChannel: x\r\n") == 0
    assert clocks.event_time.late_seconds(b"Event: Hangup\r\nTimestamp: soon\r\n") == 0


def test_a_clock_that_was_set_is_followed() -> None:
    """After one ping; and of another connection's nothing is known before its first one."""
    clocks = Clocks()
    clocks.ping(0.001, 0.001)
    clocks.set_back_seconds -= 5
    clocks.ping(0.001, 0.001)
    event = clocks.event()
    clocks.ours += 7
    assert clocks.event_time.late_seconds(event) == pytest.approx(7, abs=0.01)

    clocks.event_time.connected()
    assert clocks.event_time.late_seconds(event) == 0


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    folder = tmp_path_factory.mktemp("event-time")
    with Pbx.start(folder / "pbx", admission_seconds=10, extra_conf={"extensions": EXTENSIONS}) as running:
        running.cli("module load res_clioriginate.so")
        yield running


async def test_a_held_up_engine_dates_a_hang_up_to_when_it_was(pbx: Pbx) -> None:
    """The caller left after two seconds; the engine, held up for five, heard of it afterwards."""
    asks = menu(timeout_seconds=30.0, no_input_retries=0)
    async with engine_room(pbx, plan_of(asks, *MENU_ENDS)) as room:
        await room.call("leave-2")
        await room.reached(lambda call: call.state is CallState.COLLECTING)
        time.sleep(5)  # noqa: ASYNC251  # the whole process
        call = await room.the_end(5)

    assert call.disposition is Disposition.LEFT_EARLY
    assert call.clocks.answered_at is not None
    assert call.clocks.ended_at is not None
    # ANSWER waits for the first frame of sound, which a silent caller does not send: half a second of theirs.
    assert 1.2 < (call.clocks.ended_at - call.clocks.answered_at).total_seconds() < 2.4


async def test_a_link_is_lost_when_it_was_last_heard(pbx: Pbx) -> None:
    """Not when the silence was noticed, seconds later: what happened in between was not heard."""
    async with engine_room(pbx, plan_of(menu(), *MENU_ENDS)) as room:
        await asyncio.sleep(0.3)
        room.link._session.last_heard_seconds -= 4
        room.link._session.abort("nothing was heard")
        began = room.driver._clock.now()
        await until(lambda: room.switch.lost_at is not None, 5)
        lost_at = room.switch.lost_at
        await until(lambda: room.link.state is LinkState.UP, 10)

    assert lost_at is not None
    assert timedelta(seconds=3.9) < began - lost_at < timedelta(seconds=6)

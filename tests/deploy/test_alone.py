"""What a caller meets while no engine is there, on a real Asterisk: it rings at once, and soon somebody answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.asterisk.pbx import Pbx
from tests.acceptance.raw_sip import heard
from tests.asterisk.wire import wire_caller
from tests.deploy.test_pbx import RawAmi

ROUNDS = 20
RINGING_SECONDS, FALLBACK_SECONDS = 0.5, 3.0
SPEAKS_AFTER_SECONDS = 0.5
"""After the answer: until the way to the caller is through, what is said to them is lost."""
BUSY_LATER = """
[test-caller]
exten => busy,1,Wait(3)
 same => n,Hangup(17)
"""
CALLER = b"<sip:+33612340099@127.0.0.1>"


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """As it is delivered, with no engine."""
    queues = "[slow](team)\njoinempty = yes\nleavewhenempty = no"
    extra = {"extensions": BUSY_LATER, "queues": queues}
    with Pbx.start(tmp_path_factory.mktemp("alone") / "pbx", extra_conf=extra) as running:
        running.cli("database put callrouter/fallback 0140000002 queue:nobody")
        yield running


def call(pbx: Pbx, did: str) -> dict[int, float]:
    return heard((pbx.sip_host, pbx.sip_port), did, CALLER)


@pytest.mark.parametrize("did", ["0140000001", "0140000002"], ids=["closed", "queue"])
def test_a_caller_hears_it_ring_and_is_soon_with_the_fallback(pbx: Pbx, did: str) -> None:
    """Each of twenty: it rings within half a second, and the fallback has answered within three."""
    with ThreadPoolExecutor(ROUNDS) as telephones:
        calls = []
        for _ in range(ROUNDS):
            calls.append(telephones.submit(call, pbx, did))
            time.sleep(0.1)
        met = [one.result() for one in calls]

    assert all(sorted(one) == [100, 180, 200] for one in met), met
    assert max(one[180] for one in met) <= RINGING_SECONDS
    assert max(one[200] for one in met) <= FALLBACK_SECONDS - SPEAKS_AFTER_SECONDS


@pytest.mark.parametrize("reads", [True, False], ids=["stands still", "is killed a moment later"])
def test_it_rings_at_once_while_an_engine_is_logged_in_that_does_nothing(pbx: Pbx, reads: bool) -> None:
    """Nothing tells Asterisk in time that it was killed, has stopped or is not ready; the fallback comes as soon."""
    engine = RawAmi(pbx)
    assert engine.login(pbx.ami_user, pbx.ami_secret)["Response"] == "Success"
    with ThreadPoolExecutor(1) as telephone:
        calling = telephone.submit(call, pbx, "0140000001")
        if not reads:
            engine.event("AsyncAGIStart")
            engine.close()
        met = calling.result()
    engine.close()

    assert sorted(met) == [100, 180, 200]
    assert met[180] <= RINGING_SECONDS
    assert met[200] <= FALLBACK_SECONDS - SPEAKS_AFTER_SECONDS


ROUTINES = {
    "record": ("GOSUB callrouter-record s 1 3", {"CR_SILENCE": "0", "CR_MAX": "3"}),
    "queue": ("GOSUB callrouter-queue s 1 3", {"CR_QUEUE": "slow", "CR_QUEUE_WAIT": "3"}),
    "dial": ("GOSUB callrouter-dial s 1 3", {"CR_DIAL": "Local/busy@test-caller/n", "CR_RING": "5"}),
}
ROUTINES_LAST_SECONDS = 3.0
"""Long enough for Asterisk to know by then that the engine which began them has gone."""
LISTENS_SECONDS = 5.5
"""Longer than a tone of ringing comes again, which no routine may leave behind."""


@pytest.mark.parametrize("routine", ROUTINES)
@pytest.mark.parametrize("stays", [False, True], ids=["no engine", "an engine"])
async def test_after_a_routine_who_waits_for_an_engine_hears_music(
    pbx: Pbx, tmp_path: Path, routine: str, stays: bool
) -> None:
    """As long as its lease lasts; while one is there, who goes on within a millisecond, there is no note of it."""
    text, variables = ROUTINES[routine]
    engine = RawAmi(pbx)
    assert engine.login(pbx.ami_user, pbx.ami_secret)["Response"] == "Success"
    async with wire_caller(pbx) as caller:
        caller.invite("0140000001", CALLER.decode())
        channel = (await asyncio.to_thread(engine.event, "AsyncAGIStart"))["Channel"]
        for name, value in (variables | {"CR_FILE": str(tmp_path / "message.wav"), "CR_STATE": "x"}).items():
            engine.action("Setvar", Channel=channel, Variable=name, Value=value)
        for command in ("ANSWER", text):
            engine.action("AGI", Channel=channel, Command=command, CommandID="1")
        engine.action("AbsoluteTimeout", Channel=channel, Timeout="14400")
        if not stays:
            engine.close()
        await asyncio.sleep(ROUTINES_LAST_SECONDS + 1.0)
        since = asyncio.get_running_loop().time()
        await asyncio.sleep(LISTENS_SECONDS)
        found = bool(caller.ear.loud(since, since + LISTENS_SECONDS))
    engine.close()

    assert found is not stays

"""What a caller meets while no engine is there, on a real Asterisk: it rings at once, and soon somebody answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from deploy.asterisk.pbx import Pbx
from tests.acceptance.raw_sip import heard
from tests.deploy.test_pbx import RawAmi

ROUNDS = 20
RINGING_SECONDS, FALLBACK_SECONDS = 0.5, 3.0
CALLER = b"<sip:+33612340099@127.0.0.1>"


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """As it is delivered, with no engine."""
    with Pbx.start(tmp_path_factory.mktemp("alone") / "pbx") as running:
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
    assert max(one[200] for one in met) <= FALLBACK_SECONDS


def test_while_an_engine_is_there_the_ring_is_its_to_order(pbx: Pbx) -> None:
    """A tree may refuse a caller who has heard nothing; who is not taken is with the fallback in the same time."""
    engine = RawAmi(pbx)
    assert engine.login(pbx.ami_user, pbx.ami_secret)["Response"] == "Success"
    met = call(pbx, "0140000001")
    engine.close()

    assert sorted(met) == [100, 200]
    assert met[200] <= FALLBACK_SECONDS

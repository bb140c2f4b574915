"""A key of a caller who waits while the engine is dead, on a real Asterisk: the client's fallback serves them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from callrouter.asterisk.line.translate import AFTER_ROUTINE_LEASE_SECONDS
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.asterisk.log_in import AmiAddress
from callrouter.core.nodes import HangupNode, QueueNode
from callrouter.runtime.tasks import Tasks
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import DID, engine_room, killed, plan_of, until
from tests.asterisk.waiting.room import callers, waiting_pbx

PLAN = plan_of(
    QueueNode(
        name="line", queue="patient", max_wait_seconds=60, keys=("1",), exits={"key:1": "bye", "overflow": "bye"}
    ),
    HangupNode(name="bye"),
)


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk with queues."""
    with waiting_pbx(tmp_path_factory.mktemp("alone")) as running:
        yield running


async def test_it_leads_to_the_fallback(pbx: Pbx) -> None:
    """After the lease; no key leaves the fallback's queue."""
    pbx.cli(f"database put callrouter/fallback {DID} queue:moody")
    async with engine_room(pbx, PLAN) as room:
        (caller,) = await callers(room, 1)
        channel = room.switch.channel_of(caller)
        await killed(room.link)
        address = AmiAddress(host=pbx.ami_host, port=pbx.ami_port, username=pbx.ami_user, secret=pbx.ami_secret)
        keys, tasks = AmiLink(address), Tasks()  # a telephone's, and no engine
        tasks.start(keys.run(), "keys")
        await until(lambda: keys.state is LinkState.UP, 10)
        pressed = {"Channel": channel, "Digit": "1", "Duration": "100", "Receive": "yes"}
        await keys.send("PlayDTMF", pressed)
        await until(lambda: "patient has 0 calls" in pbx.cli("queue show patient"), 3)
        await until(lambda: "moody has 1 calls" in pbx.cli("queue show moody"), AFTER_ROUTINE_LEASE_SECONDS + 4)
        await keys.send("PlayDTMF", pressed)
        await asyncio.sleep(0.5)
        stays = pbx.cli("queue show moody")
        await keys.close()
        await tasks.stop()

    assert "moody has 1 calls" in stays

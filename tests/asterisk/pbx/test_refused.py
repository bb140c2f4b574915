"""Calls that the PBX refused: counted by the engine, said once a minute, and shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from callrouter.asterisk.batch import Headers
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.pbx.refused import MACHINE, RECENT_SECONDS, SAY_SECONDS, RefusedCalls
from callrouter.core.nodes import HangupNode
from callrouter.errors import ActionFailed, AmiUnreachable
from callrouter.metrics.sources import SourceCollector, Sources
from callrouter.runtime.tasks import Tasks
from tests.acceptance import raw_sip
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import engine_room, plan_of

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
CALLER = b"<sip:+33639980001@127.0.0.1>"


class PaperLink:
    """A PBX whose database says what the test says."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}
        self.error: Exception | None = None

    def collect(self, name: str, headers: Headers = ()) -> asyncio.Future[list[AmiMessage]]:
        """As Collects."""
        found: asyncio.Future[list[AmiMessage]] = asyncio.get_running_loop().create_future()
        if self.error is not None:
            found.set_exception(self.error)
        else:
            events = [
                AmiMessage({"Event": "DBGetTreeResponse", "Key": f"/callrouter/refused/{key}", "Val": value})
                for key, value in self.rows.items()
            ]
            found.set_result([AmiMessage({"Response": "Success"}), *events, AmiMessage({"Event": "DBGetTreeComplete"})])
        return found


class Watch:
    """A clock that goes forward when told."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def refused_calls(link: PaperLink, watch: Callable[[], float]) -> RefusedCalls:
    return RefusedCalls(link, link_up=lambda: True, now=lambda: AT, now_seconds=watch)


async def test_a_storm_is_one_line_a_minute() -> None:
    """With the count since the last one, and by whose limit it was."""
    link, watch = PaperLink(), Watch()
    refused = refused_calls(link, watch)
    await refused.look()
    with capture_logs() as logged:
        for count in range(1, 25):
            link.rows = {"acme": str(2 * count), MACHINE: str(count)}
            await refused.look()
            watch.seconds += SAY_SECONDS / 12

    assert [(line["calls"], line["of_clients"], line["beyond_the_machines"]) for line in logged] == [
        (3, {"acme": 2}, 1),
        (36, {"acme": 24}, 12),
    ]
    assert (refused.total, refused.by_client, refused.last_at) == (72, {"acme": 48, "": 24}, AT)


async def test_a_storm_that_is_over_is_said_to_its_end() -> None:
    """What was not said yet is, when the minute is over; and after five it is no trouble any more."""
    link, watch = PaperLink(), Watch()
    refused = refused_calls(link, watch)
    await refused.look()
    with capture_logs() as logged:
        for count in ("1", "4", "4", "4"):
            link.rows = {"acme": count}
            await refused.look()
            watch.seconds += SAY_SECONDS / 2

    assert [line["calls"] for line in logged] == [1, 3]
    assert refused.trouble == "the PBX refused in the last 5 minutes: 4 calls of acme"
    watch.seconds += RECENT_SECONDS
    assert refused.trouble is None


async def test_what_was_refused_before_is_counted_and_not_news() -> None:
    """An engine that has just started does not know when that was."""
    link = PaperLink()
    link.rows = {"acme": "7"}
    refused = refused_calls(link, Watch())
    with capture_logs() as logged:
        await refused.look()

    assert (refused.total, refused.last_at, refused.trouble, logged) == (7, None, None, [])


async def test_another_pbxs_count_is_all_new() -> None:
    """Its database began later: less than before is not less than nothing."""
    link = PaperLink()
    refused = refused_calls(link, Watch())
    link.rows = {"acme": "7"}
    await refused.look()
    link.rows = {"acme": "2"}
    await refused.look()

    assert (refused.total, refused.trouble) == (2, "the PBX refused in the last 5 minutes: 2 calls of acme")


async def test_what_is_no_count_is_passed_over() -> None:
    """An operator may have written anything there by hand."""
    link = PaperLink()
    link.rows = {"acme": "many", "other": "", "third": "3"}
    refused = refused_calls(link, Watch())
    await refused.look()

    assert refused.by_client == {"third": 3}


async def test_an_empty_family_is_no_refusal() -> None:
    """Asterisk answers it with an error."""
    link = PaperLink()
    link.error = ActionFailed("Database entry not found")
    refused = refused_calls(link, Watch())
    await refused.look()

    assert refused.total == 0


async def test_a_link_that_goes_away_is_asked_again() -> None:
    """The watch outlives it."""
    link = PaperLink()
    link.error = AmiUnreachable("gone")
    refused = refused_calls(link, Watch())
    tasks = Tasks()
    task = tasks.start(refused.run(), "count of refused calls")
    await asyncio.sleep(0.05)

    assert not task.done()
    await tasks.stop()


def test_the_sum_is_there_before_anything_was_refused() -> None:
    """Or its first refusals would be no increase."""
    registry = CollectorRegistry()
    registry.register(SourceCollector(Sources(refused=dict)))

    assert registry.get_sample_value("callrouter_refused_calls_total") == 0


async def test_a_pbxs_refusals_are_heard_of(tmp_path: Path) -> None:
    """On a real one, from its dialplan to the figures."""
    with Pbx.start(tmp_path / "pbx", agents=1, max_calls=100) as pbx:
        pbx.cli("database put callrouter/limit 0199000010 acme:0")
        async with engine_room(pbx, plan_of(HangupNode(name="bye"))) as room:
            refused = RefusedCalls(room.link, link_up=lambda: True, now=lambda: AT)
            await refused.look()
            address = (pbx.sip_host, pbx.sip_port)
            with capture_logs() as logged:
                statuses = [await asyncio.to_thread(raw_sip.call, address, "0199000010", CALLER) for _ in range(3)]
                await refused.look()
        registry = CollectorRegistry()
        registry.register(SourceCollector(Sources(refused=lambda: refused.by_client)))

    assert statuses == [503] * 3
    assert [line["calls"] for line in logged] == [3]
    figure = registry.get_sample_value
    assert figure("callrouter_refused_calls_total") == 3
    assert figure("callrouter_client_refused_calls_total", {"client": "acme"}) == 3

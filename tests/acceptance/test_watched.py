"""A real Prometheus watches the whole of callrouter while real callers call: every panel of every board has an answer,
every rule can be evaluated, and what they say is what happened.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from deploy.demo import stories
from deploy.demo.caller import HangUp, Press, UntilSound, Wait
from tests.patience import ANSWER_SECONDS
from tests.scraping import ask, board_queries, by_label, prometheus, until, variable_queries

if TYPE_CHECKING:
    from tests.acceptance.conftest import Town

MOREAU: Final = "cabinet-moreau"
VARIABLES: Final = {"client": ".+", "queue": ".+", "__rate_interval": "1m", "__range": "5m"}
ONE_CLIENT: Final = VARIABLES | {"client": MOREAU}

NOTHING_THERE: Final = {
    "callrouter_lookups_total": "no client of the demonstration asks a web service",
    "callrouter_astdb_entries": "AstDB is looked at once a minute",
    'ALERTS{alertstate="firing"}': "nothing is wrong, as far as the rules know",
    "callrouter_notification_attempts_total": "no client of the demonstration has a subscription",
    "callrouter_figures_wait_seconds": "seen only while days wait",
}
"""Queries that real calls leave without an answer, by what stands in them, and why."""


@dataclass(frozen=True)
class Watched:
    """What Prometheus and the API said after the calls."""

    answers: Mapping[tuple[str, str, str], list[dict[str, Any]]]
    """By board, panel and query."""
    offered: Mapping[tuple[str, str], set[str]]
    """What each variable of a board lets one choose."""
    rules: list[dict[str, Any]]
    most: Mapping[str, float]
    """The highest that was seen of some figures while the calls went on."""
    promises: Mapping[str, tuple[float, float]]
    """By client: calls that count, and those that missed, as Prometheus has them."""
    today: Mapping[str, float]
    """Service level so far, by client, as Prometheus has it."""
    since_start: Mapping[str, dict[str, Any]]
    stats_today: Mapping[str, dict[str, Any]]
    moved: Mapping[str, float]
    """By how much some counters rose with the calls."""
    rows: list[dict[str, Any]]
    """Of the calls, with their details."""


MOST: Final = {
    "waiting": "max_over_time(callrouter_callers_waiting[5m])",
    "waiting of the client": f'max_over_time(callrouter_client_callers_waiting{{client="{MOREAU}"}}[5m])',
    "oldest of the queue": 'max_over_time(callrouter_queue_callers_waiting_oldest_seconds{queue="medical"}[5m])',
    **{state: f'max_over_time(callrouter_agents{{state="{state}"}}[5m])' for state in ("ringing", "talking", "hold")},
    "of the team": 'max_over_time(callrouter_queue_agents{queue="medical",state="talking"}[5m])',
}
MOVED: Final = {
    "transfers": 'callrouter_transfers_total{way="blind",target="team",outcome="done"}',
    "offers": 'sum(callrouter_offers_total{queue=~"medical|shop",outcome="answered"})',
    "abandoned": f'callrouter_calls_abandoned_total{{client="{MOREAU}"}}',
    "unknown": "callrouter_unknown_did_calls_total",
}


@pytest.fixture(scope="module")
def watched(town: Town, tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]) -> Watched:
    """Calls are placed once for all tests."""
    return town.run(_watch(town, tmp_path_factory.mktemp("prometheus"), free_port()))


async def _watch(town: Town, folder: Path, port: int) -> Watched:
    target = town.stack.engine.engine_url.removeprefix("http://")
    async with prometheus(folder, port, target, every="500ms") as client:
        await until(client, "callrouter_today_gap_seconds and on () callrouter_callbacks_open")
        before = await _values(client, MOVED)
        earlier = len(await town.stack.engine.calls())
        rows = await _recorded(town, earlier, await _callers(town))
        since_start = await _stats(town, await _started_at(town))
        await _until_counted(client, since_start)
        return Watched(
            answers={
                (board, panel, query): await ask(client, query)
                for variables, boards in ((VARIABLES, ("wall", "operations")), (ONE_CLIENT, ("client",)))
                for (board, panel), queries in board_queries(variables).items()
                if board in boards
                for query in queries
            },
            offered={key: await _choices(client, *query) for key, query in variable_queries().items()},
            rules=[
                rule
                for group in (await client.get("/api/v1/rules")).json()["data"]["groups"]
                for rule in group["rules"]
            ],
            most=await _values(client, MOST),
            promises=await _promises(client),
            today=await by_label(client, "callrouter_today_service_level_ratio"),
            since_start=since_start,
            stats_today=await _stats(town, "today"),
            moved={name: value - before.get(name, 0.0) for name, value in (await _values(client, MOVED)).items()},
            rows=rows,
        )


async def _callers(town: Town) -> int:
    """Some give up, one is put on hold and given to another team; how many calls that were."""
    greeted = (UntilSound(), Wait(1.5))
    told = {story.name: story for story in stories.STORIES}
    given = town.somebody()
    caller = (*greeted, Press("2"), stories.reached(1, 2), stories.reached(5, 6), Wait(1), HangUp())
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(town.calling(stories.MOREAU, *greeted, Press("2"), Wait(3), HangUp()))
        for name in ("urgent", "returns", "unknown", "vip_law"):
            group.create_task(town.calling(told[name].did, *told[name].script, caller=told[name].caller, seconds=60.0))
        await asyncio.sleep(4)
        group.create_task(town.calling(stories.MOREAU, *caller, caller=given, seconds=60.0))
        await _hold_and_give_away(town, given.number)
    return 10


async def _hold_and_give_away(town: Town, number: str) -> None:
    """As the operator, by the API, once an agent talks to them."""
    engine = town.stack.engine
    async with asyncio.timeout(ANSWER_SECONDS):
        while not (talks := [one for one in await _live(town) if one["caller"]["number"] == number and one["agent"]]):
            await asyncio.sleep(0.1)
    call = f"{engine.web_url}/api/calls/{talks[0]['call_id']}"
    headers = {"Authorization": f"Bearer {engine.token}"}
    async with httpx.AsyncClient(headers=headers, timeout=ANSWER_SECONDS) as client:
        for deed, lasts_seconds in (("hold", 1.5), ("resume", 0.0), ("transfer?to=team.shop", 0.0)):
            (await client.post(f"{call}/{deed}")).raise_for_status()
            await asyncio.sleep(lasts_seconds)


async def _live(town: Town) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await town.stack.engine.get("/live"))["calls"]
    return found


async def _recorded(town: Town, earlier: int, placed: int) -> list[dict[str, Any]]:
    engine = town.stack.engine
    async with asyncio.timeout(ANSWER_SECONDS):
        while len(rows := (await engine.calls())[earlier:]) < placed:
            await asyncio.sleep(0.2)
    return [await engine.get(f"/api/calls/{row['call_id']}") for row in rows]


async def _started_at(town: Town) -> str:
    engine = town.stack.engine
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {engine.token}"}) as client:
        return str((await client.get(f"{engine.engine_url}/status", timeout=ANSWER_SECONDS)).json()["started_at"])


async def _stats(town: Town, since: str) -> dict[str, dict[str, Any]]:
    found = await town.stack.engine.get("/api/stats", **{"from": since})
    return {one["client"]: one for one in found["clients"]}


async def _values(client: httpx.AsyncClient, queries: Mapping[str, str]) -> dict[str, float]:
    found = {name: await ask(client, query) for name, query in queries.items()}
    return {name: float(result[0]["value"][1]) for name, result in found.items() if result}


async def _promises(client: httpx.AsyncClient) -> dict[str, tuple[float, float]]:
    calls = await by_label(client, "callrouter_promise_calls_total")
    missed = await by_label(client, "callrouter_promise_missed_total")
    return {name: (count, missed[name]) for name, count in calls.items()}


async def _until_counted(client: httpx.AsyncClient, stats: Mapping[str, dict[str, Any]]) -> None:
    """Until the engine has looked at today after the last call, and Prometheus has what it saw."""
    expected = {name: one["received"] for name, one in stats.items()}
    async with asyncio.timeout(ANSWER_SECONDS + 15):
        while True:
            seen = await by_label(client, "callrouter_today_calls")
            if all(seen.get(name, 0) >= count for name, count in expected.items()):
                return
            await asyncio.sleep(0.2)


async def _choices(client: httpx.AsyncClient, metric: str, label: str) -> set[str]:
    answer = await client.get(f"/api/v1/label/{label}/values", params={"match[]": metric})
    return set(answer.json()["data"])


def test_every_panel_has_an_answer(watched: Watched) -> None:
    """But for those of which the demonstration has nothing, each for its reason."""
    silent = [place for place, answer in watched.answers.items() if not answer]

    assert [place for place in silent if not any(part in place[-1] for part in NOTHING_THERE)] == []


def test_every_rule_can_be_evaluated(watched: Watched) -> None:
    assert {rule["name"]: rule.get("lastError") for rule in watched.rules if rule["health"] != "ok"} == {}
    recorded = {rule["name"] for rule in watched.rules if rule["type"] == "recording"}
    asked = " ".join(query for *_, query in watched.answers)
    assert {name for name in recorded if name not in asked} == {
        "callrouter:client_promise_calls:1h",  # for alerts only
        "callrouter:client_promise_calls:6h",
    }


def test_what_can_be_chosen_is_there(watched: Watched) -> None:
    assert {MOREAU, "etude-lenoir", "brighton-books"} <= watched.offered["client", "client"]
    assert watched.offered["client", "client"] == watched.offered["operations", "client"]
    assert {"medical", "shop", "returns"} <= watched.offered["operations", "queue"]


def test_who_waited_and_what_agents_did_was_seen(watched: Watched) -> None:
    """While it was so, and not afterwards by the record."""
    assert watched.most["waiting"] >= watched.most["waiting of the client"] >= 2
    assert watched.most["oldest of the queue"] > 1
    assert all(watched.most[state] >= 1 for state in ("ringing", "talking", "hold", "of the team"))


def test_counters_rise_with_what_happened(watched: Watched) -> None:
    """As the rows have it."""
    offers = [offer for row in watched.rows for offer in row["offers"] if offer["queue"] in ("medical", "shop")]
    ends = Counter((row["client"], row["disposition"]) for row in watched.rows)

    assert watched.moved["transfers"] == 1
    assert watched.moved["offers"] == sum(offer["outcome"] == "answered" for offer in offers) >= 2
    assert watched.moved["abandoned"] == ends[MOREAU, "abandoned"] >= 2
    assert watched.moved["unknown"] == 1


def test_promises_are_those_of_the_statistics(watched: Watched) -> None:
    """The share that met them since the start, and today so far: what `callrouter stats` says of the same calls."""
    judged = {name: one for name, one in watched.since_start.items() if one["service_level"] is not None}
    assert MOREAU in judged
    for name, one in judged.items():
        if name == "unknown-did":
            continue
        calls, missed = watched.promises[name]
        assert 1 - missed / calls == pytest.approx(one["service_level"])
    today = {
        name: one["service_level"] for name, one in watched.stats_today.items() if one["service_level"] is not None
    }
    assert watched.today == pytest.approx(today)

"""A real Prometheus scrapes a real engine application, and its queries give the figures."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

import callrouter.metrics as metrics_package
from callrouter.api.engine_app import create_engine_app
from callrouter.core.facts import CallEnded, QueueEnded
from callrouter.core.service_level import ServiceLevelTarget
from callrouter.metrics import DialplanMetrics, EngineMetrics, Sources
from deploy.demo.plain_http import plain_client

from .serving import make_gate, serving
from .stories import abandoned, answered

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "callrouter.json"


@asynccontextmanager
async def prometheus(folder: Path, port: int, target: str) -> AsyncIterator[httpx.AsyncClient]:
    """A Prometheus with our alert rules that scrapes `target` every 200 ms."""
    config = {
        "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "callrouter-engine", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: ASYNC220  # started once, and does not block
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            async with plain_client(base_url=f"http://127.0.0.1:{port}") as client:
                yield client
        finally:
            process.terminate()
            process.wait(10)


async def ask(client: httpx.AsyncClient, query: str) -> list[dict[str, Any]]:
    """The result vector of an instant query."""
    answer = await client.get("/api/v1/query", params={"query": query})
    body = answer.json()
    assert body["status"] == "success", body
    return list(body["data"]["result"])


async def until(client: httpx.AsyncClient, query: str) -> list[dict[str, Any]]:
    """The result as soon as there is one."""
    async with asyncio.timeout(30):
        while True:
            try:
                if result := await ask(client, query):
                    return result
            except (httpx.TransportError, ValueError):
                pass  # it is still starting: nobody listens, or it says so in plain text
            await asyncio.sleep(0.1)


async def test_prometheus_scrapes_and_answers(tmp_path: Path, free_port: Callable[[], int]) -> None:
    registry = CollectorRegistry()
    metrics = EngineMetrics(registry, version="0.1.0", target_of=lambda _call: ServiceLevelTarget())
    metrics.watch(Sources(live_calls=lambda: 3, link_up=lambda: True))
    metrics.observe_round_trip(0.00012)
    for call in (answered("1"), answered("2", wait=30), abandoned("3", wait=9), abandoned("4", wait=2)):
        metrics.observe([QueueEnded(call=call, visit=call.queue_visits[0]), CallEnded(call=call)])
    app = create_engine_app([], registry, {}, gate=make_gate())

    async with (
        serving(app) as base,
        prometheus(tmp_path, free_port(), base.removeprefix("http://")) as client,
    ):
        (up,) = await until(client, 'up{job="callrouter-engine"} == 1')
        (live,) = await until(client, "callrouter_live_calls")
        (level,) = await ask(
            client,
            "sum by (client) (callrouter_calls_answered_within_total)"
            " / (sum by (client) (callrouter_calls_answered_total)"
            " + sum by (client) (callrouter_calls_abandoned_total)"
            " - sum by (client) (callrouter_calls_short_abandoned_total))",
        )
        (p50,) = await ask(client, "histogram_quantile(0.5, callrouter_control_round_trip_seconds_bucket)")
        rules = (await client.get("/api/v1/rules")).json()["data"]["groups"]
        broken = {query: error for query in dashboard_queries() if (error := await refused(client, query))}

    assert up["value"][1] == "1"
    assert live["value"][1] == "3"
    assert level["metric"] == {"client": "cabinet-moreau"}
    assert float(level["value"][1]) == pytest.approx(1 / 3)
    assert 0.0001 < float(p50["value"][1]) <= 0.0002
    assert all(rule["health"] in ("ok", "unknown") for group in rules for rule in group["rules"])
    assert broken == {}


async def test_a_renamed_client_goes_on_in_prometheus(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """By the query that `callrouter.metrics` gives, here of counts since the start instead of increases."""
    registry = CollectorRegistry()
    metrics = EngineMetrics(registry, version="0.1.0", target_of=lambda _call: ServiceLevelTarget())
    dialplans = DialplanMetrics(registry)
    for renamed in ([("cabinet-moreau", "other")], [("cabinet-moreau", "cabinet-martin")]):  # the last load counts
        dialplans.loaded(complete=True, plans=1, issues=0, at_seconds=0.0, renamed=renamed)
    for call in (answered("1"), answered("2", client="cabinet-martin"), answered("3", client="cabinet-martin")):
        metrics.observe([CallEnded(call=call)])
    app = create_engine_app([], registry, {}, gate=make_gate())
    documented = (metrics_package.__doc__ or "").split("    sum by (client) (\n")[1].split("\n\n")[0]
    query = re.sub(r"increase\((\w+)\[30d\]\)", r"\1", f"sum by (client) (\n{documented}")

    async with (
        serving(app) as base,
        prometheus(tmp_path, free_port(), base.removeprefix("http://")) as client,
    ):
        await until(client, 'up{job="callrouter-engine"} == 1')
        found = await ask(client, query)

    assert {one["metric"]["client"]: one["value"][1] for one in found} == {"cabinet-moreau": "3", "cabinet-martin": "2"}


async def refused(client: httpx.AsyncClient, query: str) -> str:
    """Why Prometheus refuses the query; empty: it does not."""
    answer = await client.get("/api/v1/query", params={"query": query})
    return "" if answer.status_code == 200 else answer.text


def dashboard_queries() -> list[str]:
    """Every query of the dashboard, as Grafana would send it."""
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert queries
    variables = {"$client": ".+", "$queue": ".+", "$__rate_interval": "1m", "$__range": "1h"}
    for name, value in variables.items():
        queries = [query.replace(name, value) for query in queries]
    assert not [query for query in queries if "$" in query]
    return queries


def test_promtool_accepts_the_alert_rules() -> None:
    checked = subprocess.run(["promtool", "check", "rules", str(RULES)], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_alerts_and_dashboard_speak_of_metrics_that_exist() -> None:
    registry = CollectorRegistry()
    metrics = EngineMetrics(registry, version="0.1.0", target_of=lambda _call: None)
    metrics.watch(Sources())
    DialplanMetrics(registry)
    exist = {name.removesuffix("_created") for one in registry.collect() for name in _names(one)}
    source = (ROOT / "callrouter" / "metrics" / "sources.py").read_text(encoding="utf-8")
    text = RULES.read_text(encoding="utf-8") + "\n".join(dashboard_queries())

    used = set(re.findall(r"\bcallrouter_[a-z_]+", text)) - {"callrouter_engine"}

    unknown = {name for name in used if name not in exist and not _in_sources(name, source)}
    assert unknown == set()


def _names(metric: Any) -> list[str]:
    suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "info": ["_info"]}
    return [metric.name + suffix for suffix in suffixes.get(metric.type, [""])]


def _in_sources(name: str, source: str) -> bool:
    """Metrics of sources exist only at a scrape; their names stand in that module."""
    short = name.removeprefix("callrouter_").removesuffix("_total")
    return f'"{short.removeprefix("ami_")}"' in source or f'"callrouter_{short}"' in source

"""A real Prometheus with our rules, and what the boards would ask it."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from deploy.demo.plain_http import plain_client
from tests.patience import START_SECONDS

DEPLOY: Final = Path(__file__).parents[1] / "deploy"
RULE_FILES: Final = ("recording.yml", "rules.yml")
BOARDS: Final = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))


@asynccontextmanager
async def prometheus(folder: Path, port: int, target: str, every: str = "200ms") -> AsyncIterator[httpx.AsyncClient]:
    """A Prometheus with our rules that scrapes `target`, and evaluates them, several times a second."""
    for name in RULE_FILES:
        rules = yaml.safe_load((DEPLOY / "prometheus" / name).read_text(encoding="utf-8"))
        for group in rules["groups"]:
            group.pop("interval", None)  # a group begins at any time of its interval
        (folder / name).write_text(json.dumps(rules))  # JSON is YAML
    config = {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [str(folder / name) for name in RULE_FILES],
        "scrape_configs": [{"job_name": "callrouter-engine", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))
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
    assert body["status"] == "success", f"{query}: {body}"
    return list(body["data"]["result"])


async def until(client: httpx.AsyncClient, query: str, *, seconds: float = START_SECONDS) -> list[dict[str, Any]]:
    """The result as soon as there is one."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                if result := await ask(client, query):
                    return result
            except (httpx.TransportError, ValueError):
                pass  # it is still starting: nobody listens, or it says so in plain text
            await asyncio.sleep(0.1)


async def by_label(client: httpx.AsyncClient, query: str, label: str = "client") -> dict[str, float]:
    """The values of an instant query, by a label."""
    return {one["metric"].get(label, ""): float(one["value"][1]) for one in await ask(client, query)}


def board_queries(variables: Mapping[str, str]) -> dict[tuple[str, str], list[str]]:
    """Every query of every board by board and panel, as Grafana would send it."""
    found: dict[tuple[str, str], list[str]] = {}
    for path in BOARDS:
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for target in panel.get("targets", []):
                found.setdefault((path.stem, panel["title"]), []).append(as_sent(target["expr"], variables))
    assert found
    return found


def as_sent(query: str, variables: Mapping[str, str]) -> str:
    """With the values that Grafana puts in."""
    for name, value in variables.items():
        query = query.replace(f"${name}", value)
    assert "$" not in query, query
    return query


def variable_queries() -> dict[tuple[str, str], tuple[str, str]]:
    """By board and variable: the metric and the label whose values are offered."""
    return {
        (path.stem, one["name"]): tuple(one["query"].removeprefix("label_values(").removesuffix(")").split(", "))
        for path in BOARDS
        for one in json.loads(path.read_text(encoding="utf-8"))["templating"]["list"]
    }

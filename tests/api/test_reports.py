"""/api/reports over HTTP, from a real record."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped]
import pytest

from callrouter.api.schemas.reports import schema
from callrouter.permissions import Permission
from callrouter.store.database import Database
from deploy.demo.plain_http import plain_client

from .serving import serving
from .stories import abandoned, after, answered
from .test_auth import of, token_for
from .test_web_app import api as api
from .test_web_app import got, keep, web
from .test_web_app import write as write

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "report.schema.json"
DAY = {"from": "2026-11-24", "to": "2026-11-25"}


@pytest.fixture
async def calls(database: Database, write: Callable[..., Any]) -> None:
    """Of two clients, one of which is promised something."""
    await keep(database, live=True)
    await write(answered("1"), abandoned("2", start=after(60)), answered("3", client="etude-lenoir", start=after(120)))


@pytest.mark.usefixtures("calls")
async def test_each_client_with_the_calls_behind_its_figures(api: httpx.AsyncClient) -> None:
    report = await got(api, "/api/reports", **DAY)

    assert [(row["client"], row["figures"]["received"]) for row in report["rows"]] == [
        ("cabinet-moreau", 2),
        ("etude-lenoir", 1),
    ]
    assert report["total"]["figures"]["offered"] == 3
    assert report["bases"][0]["says"].startswith("Service level = answered in time ÷ (offered − short abandons)")
    (page,) = report["rows"][0]["calls"]
    assert [call["call_id"] for call in (await api.get(page)).json()["calls"]] == ["2", "1"]


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize("by", ["did", "version", "node", "day", "weekday", "hour", "month"])
async def test_by_whatever_is_asked(api: httpx.AsyncClient, by: str) -> None:
    report = await got(api, "/api/reports", by=by, client="cabinet-moreau", compare="before", **DAY)

    assert sum(row["figures"]["received"] for row in report["rows"]) == 2
    assert report["total"]["before"]["received"] == 0
    jsonschema.Draft202012Validator(schema()).validate(report)


@pytest.mark.usefixtures("calls")
async def test_files(api: httpx.AsyncClient) -> None:
    for form, begins, media in (
        ("csv", b"Client,", "text/csv; charset=utf-8; header=present"),
        ("xlsx", b"PK", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("svg", b"<svg ", "image/svg+xml"),
        ("pdf", b"%PDF-", "application/pdf"),
    ):
        answer = await api.get("/api/reports", params={"client": "cabinet-moreau", "format": form, **DAY})
        assert (answer.status_code, answer.headers["content-type"]) == (200, media)
        assert answer.content.startswith(begins)
        assert answer.headers["content-disposition"] == (
            f'attachment; filename="report-cabinet-moreau-by-client.{form}"'
        )


@pytest.mark.usefixtures("calls")
async def test_in_french(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/reports", params={"format": "csv", "language": "fr", **DAY})

    head, first, *_ = csv.reader(io.StringIO(answer.text, newline=""))
    assert dict(zip(head, first, strict=True))["Appels présentés"] == "2"


@pytest.mark.usefixtures("calls")
async def test_a_client_that_there_is_not(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/reports", params={"client": "cabinet-morau", **DAY})

    assert answer.status_code == 404
    assert answer.json()["detail"].endswith("no call names it (did you mean cabinet-moreau?)")


@pytest.mark.usefixtures("calls")
async def test_a_client_sees_its_own(database: Database) -> None:
    """By whatever it asks, in whatever form, and compared with whatever."""
    headers = await token_for(database, Permission.STATS_READ, scope=of("cabinet-moreau"), name="moreau")
    async with serving(web(database)) as base, plain_client(base_url=base, headers=headers) as client:
        for by in ("client", "did", "version", "node", "day"):
            report = await got(client, "/api/reports", by=by, compare="weekdays", **DAY)
            assert report["total"]["figures"]["received"] == 2
            assert "lenoir" not in json.dumps(report)
        refused = await client.get("/api/reports", params={"client": "etude-lenoir", **DAY})
        assert refused.status_code == 403
        of_agents = await client.get("/api/reports", params={"by": "agent", **DAY})
        assert (of_agents.status_code, of_agents.json()["detail"]) == (
            403,
            "token:moreau does not hold agent.read on everything",
        )


def test_the_schema_is_published() -> None:
    """Renew it with `callrouter schema --report > docs/report.schema.json`."""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == schema()

"""/api/consumption over HTTP, from a real record."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped]
import pytest

from callrouter.api.schemas.consumption import schema
from callrouter.permissions import Permission
from callrouter.store.access.audit import list_audit
from callrouter.store.apart import Apart
from callrouter.store.database import Database
from deploy.demo.plain_http import plain_client
from tests.consumption.made import HEAD, NOT_BILLED
from tests.store.consumption.made import has_tariff

from .serving import serving
from .stories import abandoned, after, answered
from .test_auth import of, token_for
from .test_web_app import AUTHORISED, got, keep, web
from .test_web_app import api as api
from .test_web_app import write as write

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "consumption.schema.json"
NOVEMBER = {"client": "cabinet-moreau", "month": "2026-11"}


@pytest.fixture(autouse=True)
async def _calls(database: Database, write: Callable[..., Any]) -> None:
    """Of two clients; the one pays 1.00 a call from November on."""
    await keep(database, live=True)
    await write(answered("1"), abandoned("2", start=after(60)), answered("3", client="etude-lenoir", start=after(120)))
    await has_tariff(database, client="cabinet-moreau", since=date(2026, 11, 1))


async def test_a_month_is_issued_once(api: httpx.AsyncClient, database: Database) -> None:
    draft = await got(api, "/api/consumption", **NOVEMBER)
    first = await api.post("/api/consumption/invoices", json=NOVEMBER)
    again = await api.post("/api/consumption/invoices", json=NOVEMBER)

    jsonschema.validate(draft, schema())
    assert (draft["number"], draft["net"], draft["gross"], draft["not_billed"]) == (
        None,
        "1.00",
        "1.20",
        {"abandoned": 1},
    )
    assert (first.status_code, again.status_code) == (201, 200), first.text
    assert first.json() == again.json() == await got(api, "/api/consumption", **NOVEMBER)
    (deed,) = (await list_audit(database, action=Permission.CONSUMPTION_ISSUE)).rows
    assert (deed.deed.principal, deed.deed.address) == ("operator", "127.0.0.1")


async def test_a_line_leads_to_its_calls(api: httpx.AsyncClient) -> None:
    number = (await api.post("/api/consumption/invoices", json=NOVEMBER)).json()["number"]
    (listed,) = (await got(api, "/api/consumption/invoices"))["invoices"]
    items = await got(api, f"/api/consumption/invoices/{number}/items", limit=1)
    rest = await got(api, f"/api/consumption/invoices/{number}/items", limit=1, cursor=items["next_cursor"])
    of_line = await got(api, f"/api/consumption/invoices/{number}/items", line=1)

    assert (listed["number"], listed["gross"]) == (number, "1.20")
    assert [(one["id"], one["why_not"]) for one in [*items["items"], *rest["items"]]] == [("2", "abandoned"), ("1", "")]
    assert [one["id"] for one in of_line["items"]] == ["1"]
    assert (await api.get(f"/api/calls/{of_line['items'][0]['id']}")).status_code == 200


async def test_files(api: httpx.AsyncClient) -> None:
    pdf = await api.get("/api/consumption", params={**NOVEMBER, "format": "pdf", "language": "fr"})
    table = await api.get("/api/consumption", params={**NOVEMBER, "format": "csv"})

    assert (pdf.status_code, pdf.content[:5], pdf.headers["content-type"]) == (200, b"%PDF-", "application/pdf")
    assert 'filename="consumption-cabinet-moreau-2026-11.pdf"' in pdf.headers["content-disposition"]
    assert table.text.splitlines()[1].startswith(",cabinet-moreau,")
    assert (await api.get("/api/consumption", params={**NOVEMBER, "format": "table"})).status_code == 422


async def test_what_if(api: httpx.AsyncClient) -> None:
    other = {**NOVEMBER, "tariff": HEAD + "calls: { price: 3 }\n" + NOT_BILLED}
    wrong = {**NOVEMBER, "tariff": HEAD + "calls: { prise: 3 }\n" + NOT_BILLED}
    found = await api.post("/api/consumption/what-if", json=other)
    refused = await api.post("/api/consumption/what-if", json=wrong)

    assert (found.status_code, found.json()["difference"]) == (200, "2.00"), found.text
    assert refused.status_code == 422
    assert 'unknown key "prise" (did you mean "price"?)' in refused.json()["detail"]
    assert (await got(api, "/api/consumption/tariffs", client="cabinet-moreau"))["tariffs"][0]["tariff"] == "essai"


async def test_what_cannot_be(api: httpx.AsyncClient) -> None:
    without = await api.get("/api/consumption", params={"client": "etude-lenoir", "month": "2026-11"})
    early = await api.post("/api/consumption/invoices", json={**NOVEMBER, "month": "2099-01"})

    assert (without.status_code, early.status_code) == (409, 409)
    assert "etude-lenoir has no tariff in 2026-11" in without.json()["detail"]
    assert "2099-01 goes on until" in early.json()["detail"]
    nobody = await api.get("/api/consumption", params={"client": "nobody", "month": "2026-11"})
    assert nobody.status_code == 404
    assert (await api.get("/api/consumption/invoices/2026-99999")).status_code == 404
    assert (await api.get("/api/consumption", params={**NOVEMBER, "month": "november"})).status_code == 422


async def test_a_client_sees_its_own_and_issues_nothing(database: Database, api: httpx.AsyncClient) -> None:
    """Another's invoice looks as if it did not exist."""
    number = (await api.post("/api/consumption/invoices", json=NOVEMBER)).json()["number"]
    theirs = await token_for(database, Permission.CONSUMPTION_READ, scope=of("cabinet-moreau"))
    others = await token_for(database, Permission.CONSUMPTION_READ, name="o", scope=of("etude-lenoir"))
    async with serving(web(database)) as url, plain_client() as client:

        async def status(token: dict[str, str], path: str, **params: str) -> int:
            found = await client.get(f"{url}/api/consumption{path}", params=params, headers=token)
            return found.status_code

        assert await status(theirs, "", **NOVEMBER) == 200
        assert await status(theirs, f"/invoices/{number}") == 200
        assert await status(others, "", **NOVEMBER) == 403
        assert await status(others, f"/invoices/{number}") == 404
        assert await status(others, f"/invoices/{number}/items") == 404
        found = await client.post(f"{url}/api/consumption/invoices", json=NOVEMBER, headers=theirs)
        assert found.status_code == 403


async def test_it_is_made_by_a_process_of_its_own(database: Database) -> None:
    """As web does: what goes there and comes back can be sent, refusals too."""
    apart = Apart(database, processes=1)
    other = {**NOVEMBER, "tariff": HEAD + "calls: { price: 3 }\n" + NOT_BILLED}
    async with serving(web(database, workshop=apart)) as url, plain_client(base_url=url, headers=AUTHORISED) as client:
        issued = await client.post("/api/consumption/invoices", json=NOVEMBER)
        pdf = await client.get("/api/consumption", params={**NOVEMBER, "format": "pdf"})
        compared = await client.post("/api/consumption/what-if", json=other)
        early = await client.post("/api/consumption/invoices", json={**NOVEMBER, "month": "2099-01"})
    await apart.close()

    assert [one.status_code for one in (issued, pdf, compared, early)] == [201, 200, 200, 409]
    assert (issued.json()["net"], pdf.content[:5], compared.json()["difference"]) == ("1.00", b"%PDF-", "2.00")


async def test_the_schema_is_published(api: httpx.AsyncClient) -> None:
    """Made again by `callrouter.api.schemas.consumption.schema`."""
    jsonschema.Draft202012Validator(schema()).validate(await got(api, "/api/consumption", **NOVEMBER))
    assert json.loads(SCHEMA.read_text()) == schema()

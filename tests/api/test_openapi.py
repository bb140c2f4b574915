"""The published description: valid, complete, and its examples are what the API takes and gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.openapi.models import OpenAPI

from callrouter.api.agents import schemas as agent_schemas
from callrouter.api.agents.wishes import Wish
from callrouter.api.control import schemas as control_schemas
from callrouter.api.deliveries import schemas as told_schemas
from callrouter.api.messages import delivery_schemas
from callrouter.api.messages import schemas as message_schemas
from callrouter.api.person import schemas as person_schemas
from callrouter.api.retention import schemas as retention_schemas
from callrouter.api.schemas import (
    audit,
    called_back,
    calls,
    consumption,
    live,
    parts,
    recorded,
    reports,
    service,
    stats,
)
from callrouter.api.supervision import schemas as supervision_schemas
from callrouter.api.supervision.schemas import Act
from callrouter.asterisk.transfers.control import Control
from callrouter.core.call import Callback, replace
from callrouter.store.database import Database
from callrouter.store.writing.writer import Writer
from deploy.demo.plain_http import plain_client
from tests.store.dispatch.rows import ask

from .serving import TOKEN, serving
from .stories import after, answered, message_left
from .test_web_app import AUTHORISED, NOWHERE, web

CALL_ID = "1795427775-42-518203"
MESSAGE_ID = message_schemas.MESSAGE_ID
DELIVERY_ID = told_schemas.DELIVERY_ID


ANSWERS = (
    *(audit, called_back, calls, consumption, live, parts, recorded, reports, service, stats),
    *(agent_schemas, supervision_schemas, control_schemas, message_schemas, delivery_schemas, told_schemas),
    *(person_schemas, retention_schemas),
)


@pytest.fixture
async def document(database: Database) -> dict[str, Any]:
    async with serving(web(database)) as base, plain_client(base_url=base) as client:
        return dict((await client.get("/api/openapi.json")).json())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            yield path, operation


def test_it_is_an_openapi_document_whose_references_lead_somewhere(document: dict[str, Any]) -> None:
    OpenAPI.model_validate(document)

    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    for reference in references(document):
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_every_route_says_what_it_does_and_how_it_refuses(document: dict[str, Any]) -> None:
    paths = {path for path, _ in operations(document)}
    assert paths == {
        "/health",
        "/ready",
        "/api/calls",
        "/api/calls/{call_id}",
        "/api/calls/{call_id}/superseded",
        "/api/deliveries",
        "/api/deliveries/{delivery_id}/again",
        "/api/callbacks",
        "/api/callbacks/{call_id}/{position}/settle",
        "/api/worklist",
        "/api/worklist/{call_id}/called",
        "/api/messages",
        "/api/messages/{message_id}",
        *("/m/{token}", *(f"/m/{{token}}/{what}" for what in ("code", "show", "acknowledge", "recording"))),
        "/api/messages/attention",
        *(f"/api/messages/{{message_id}}/{what}" for what in ("correct", "done", "reopen", "reassign")),
        *(f"/api/messages/{{message_id}}/{what}" for what in ("delivery", "acknowledge", "redeliver")),
        "/api/clients/{client}/forms",
        "/api/stats",
        "/api/stats/messages",
        "/api/reports",
        *("/api/consumption", "/api/consumption/tariffs", "/api/consumption/what-if"),
        "/api/consumption/invoices",
        *("/api/consumption/invoices/{number}", "/api/consumption/invoices/{number}/items"),
        "/api/live",
        "/api/stream",
        "/api/stream/schema",
        "/api/recordings",
        "/api/recordings/{recording_id}",
        "/api/recordings/{recording_id}/audio",
        "/api/audit",
        "/api/retention",
        *(f"/api/person/{what}" for what in ("find", "export", "erase", "erasures/{erasure_id}")),
        "/api/agents",
        "/api/agents/sessions",
        "/api/agents/figures",
        *(f"/api/agents/{{agent}}/{wish}" for wish in Wish),
        *(f"/api/calls/{{call_id}}/{act}" for act in Act),
        *(f"/api/calls/{{call_id}}/{control}" for control in Control),
    }
    for path, operation in operations(document):
        assert operation["description"], path
        for parameter in operation.get("parameters", []):
            assert "description" in parameter or "$ref" in str(parameter["schema"]), (path, parameter["name"])
        if path.startswith("/api/"):
            assert operation["security"], path
            for status in ("401", "403", "422", "429", "503"):
                assert "application/problem+json" in operation["responses"][status]["content"], (path, status)
                assert "application/json" not in operation["responses"][status]["content"], (path, status)


def test_the_examples_of_answers_are_answers(document: dict[str, Any]) -> None:
    for _, operation in operations(document):
        content = operation["responses"].get("200", {}).get("content", {}).get("application/json")
        if content is None:  # a sound, or no content
            continue
        name = content["schema"]["$ref"].rsplit("/", 1)[1]
        example = example_of(document, content["schema"])

        model = next(found for one in ANSWERS if (found := getattr(one, name, None)))
        model.model_validate(example)


def example_of(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """What a reader of the document would put together from its examples."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return example_of(document, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    if "anyOf" in schema:
        return example_of(document, schema["anyOf"][0])
    match schema:
        case {"const": value} | {"enum": [value, *_]}:
            return value
        case {"type": "object", "properties": properties}:
            return {name: example_of(document, inner) for name, inner in properties.items()}
        case {"type": "array", "items": items}:
            return [example_of(document, items)]
        case {"type": "string"}:
            return "text"
        case {"type": "integer" | "number"}:
            return 1
        case {"type": "boolean"}:
            return True
        case {"type": "object"}:
            return {}
    raise AssertionError(schema)


async def test_the_examples_of_parameters_are_taken(
    database: Database, document: dict[str, Any], tmp_path: Path
) -> None:
    message = replace(message_left("2").messages[0], recording=f"{CALL_ID}-0")
    (tmp_path / f"{message.recording}.wav").write_bytes(bytes(1000))
    writer = Writer(database)
    wish = Callback(number="+33612340001", node="offer", asked_at=after(50))
    await writer.write([replace(answered(CALL_ID), messages=(message,), callbacks=(wish,)), message_left("2")])
    writer.close()
    await ask(database, DELIVERY_ID, "failed", call_id=CALL_ID)

    async with (
        serving(web(database, folder=tmp_path)) as base,
        plain_client(base_url=base, headers=AUTHORISED) as client,
    ):
        # A recording is listened to before it is deleted.
        pages = [(path, *one) for path, methods in document["paths"].items() for one in methods.items()]
        for path, method, operation in sorted(pages, key=lambda one: one[1] == "delete"):
            examples = {
                parameter["name"]: (parameter.get("examples") or parameter["schema"].get("examples") or [None])[0]
                for parameter in operation.get("parameters", [])
            }
            query = {name: value for name, value in examples.items() if value and f"{{{name}}}" not in path}
            for name in ("call_id", "recording_id", "position", "message_id", "delivery_id", "client", "number"):
                path = path.replace(f"{{{name}}}", str(examples.get(name)))
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            sent = example_of(document, body) if body else None
            async with client.stream(method, path, params=query, json=sent) as answer:
                if path != "/api/stream":  # which does not end by itself
                    await answer.aread()

            others = {"/api/live": 502, "/api/agents": 502, f"/api/recordings/{CALL_ID}-0": 204}
            # A callback is settled; nobody gave up in the call of the examples.
            others |= {f"/api/callbacks/{CALL_ID}/1/settle": 204, f"/api/worklist/{CALL_ID}/called": 409}
            others |= {f"/api/deliveries/{DELIVERY_ID}/again": 204}
            others |= {f"/api/messages/{MESSAGE_ID}/redeliver": 409}  # somebody took it on
            others |= {f"/api/agents/{{agent}}/{wish}": 502 for wish in Wish}
            others |= {f"/api/calls/{CALL_ID}/{act}": 502 for act in Act}
            others |= {f"/api/calls/{CALL_ID}/{control}": 502 for control in Control}
            others |= {"/api/person/erasures/{erasure_id}": 404}
            others |= {path: 404 for path in (path,) if path.startswith("/m/")}  # nobody was sent a link
            others |= {path: 404 for path in (path,) if "/consumption/invoices/" in path}  # none was issued
            others |= {"/api/consumption": 409}  # there is no tariff
            if (method, path) == ("post", "/api/consumption/invoices"):
                others[path] = 409
            expected = 201 if (method, path) == ("post", "/api/messages") else others.get(path, 200)
            assert answer.status_code == expected, (path, answer.reason_phrase)
    assert TOKEN not in str(document)
    assert NOWHERE not in str(document)

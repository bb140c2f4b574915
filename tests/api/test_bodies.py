"""What somebody sends with a request: bounded, and looked at after who they are."""

from __future__ import annotations

from typing import Any

import pytest

from callrouter.api.bodies import MAX_BODY_BYTES
from callrouter.store.database import Database
from deploy.demo.plain_http import plain_client

from .serving import serving
from .test_web_app import AUTHORISED, web

PAGE = "/api/worklist/a/called"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nobody"}], ids=["nobody", "stranger"])
@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"result": 1}', b"x" * (MAX_BODY_BYTES + 1)])
async def test_who_is_not_let_in_is_told_that(database: Database, headers: dict[str, str], body: bytes) -> None:
    """Whatever they send; what is too long is not even read."""
    async with serving(web(database)) as base, plain_client(base_url=base) as client:
        answer = await client.post(PAGE, content=body, headers={"Content-Type": "application/json", **headers})

    assert answer.status_code == (413 if len(body) > MAX_BODY_BYTES else 401)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("body", [b"{", b"\xff", b"\x80\x81", b"", b"[]"])
async def test_what_is_no_json_is_422(database: Database, body: bytes) -> None:
    """Bytes that are no text, too."""
    async with serving(web(database)) as base, plain_client(base_url=base, headers=AUTHORISED) as client:
        answer = await client.post(PAGE, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
    assert answer.json()["status"] == 422


async def test_a_body_is_bounded_however_it_comes(database: Database) -> None:
    """Also one that does not say how long it is."""

    async def in_pieces() -> Any:
        for _ in range(66):
            yield b" " * 1_000

    async with serving(web(database)) as base, plain_client(base_url=base, headers=AUTHORISED) as client:
        fits = await client.post(PAGE, content=b" " * (MAX_BODY_BYTES - 2) + b"{}")
        answer = await client.post(PAGE, content=in_pieces())

    assert fits.status_code == 422
    assert answer.status_code == 413


async def test_each_page_that_takes_a_body_says_so(database: Database) -> None:
    paths = web(database).openapi()["paths"]
    taking = [operation for methods in paths.values() for operation in methods.values() if "requestBody" in operation]

    assert taking
    assert all("413" in operation["responses"] for operation in taking)

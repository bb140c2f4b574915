"""Recordings over HTTP: listed, played in whole and in parts, deleted; every access in the trail, and no other file."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callrouter.api.sound import range_of
from callrouter.store.access.audit import list_audit
from callrouter.store.database import Database
from callrouter.store.writing.writer import Writer
from deploy.demo.plain_http import plain_client

from .serving import serving
from .stories import message_left
from .test_web_app import AUTHORISED, web

ID = "7-1"
SOUND = bytes(range(256)) * 25
DAYS = {"from": "2026-11-24T00:00:00Z", "to": "2026-11-25T00:00:00Z"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording as Asterisk writes it, and a file beside the folder that nobody may read."""
    made = tmp_path / "recordings"
    made.mkdir()
    with wave.open(str(made / f"{ID}.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(SOUND)
    (tmp_path / "secret.wav").write_bytes(b"not for you")
    (tmp_path / "secret").write_bytes(b"not for you")
    return made


@pytest.fixture
async def api(database: Database, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    writer = Writer(database)
    assert await writer.write([message_left("7"), message_left("8")]) == []
    writer.close()
    async with (
        serving(web(database, folder=folder)) as base,
        plain_client(base_url=base, headers=AUTHORISED) as client,
    ):
        yield client


def audio(api: httpx.AsyncClient, name: str = ID, **headers: str) -> Any:
    return api.get(f"/api/recordings/{name}/audio", headers=headers)


async def deeds(database: Database) -> list[tuple[str, str, str, int]]:
    rows = (await list_audit(database)).rows
    return [(row.deed.action, row.deed.object, row.deed.outcome.value, row.times) for row in rows]


async def test_they_are_listed_and_what_is_missing_is_said(api: httpx.AsyncClient) -> None:
    listed = (await api.get("/api/recordings", params=DAYS)).json()["recordings"]

    assert {(one["recording_id"], one["call_id"], one["kind"], one["on_disk"]) for one in listed} == {
        ("7-1", "7", "message", True),
        ("8-1", "8", "message", False),
    }
    assert {one["recording"] for one in (await api.get("/api/messages")).json()["messages"]} == {"7-1", "8-1"}
    one_call = (await api.get("/api/recordings", params={"call_id": "8"})).json()["recordings"]
    assert [one["recording_id"] for one in one_call] == ["8-1"]
    assert (await api.get("/api/recordings", params={"client": "nobody"})).status_code == 404


async def test_the_sound_is_what_asterisk_wrote(api: httpx.AsyncClient, folder: Path, database: Database) -> None:
    answer = await audio(api)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    assert answer.content == (folder / f"{ID}.wav").read_bytes()
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "private, no-store"
    assert await deeds(database) == [("recording.play", ID, "done", 1)]


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-0", 206, slice(0, 1)),
        ("bytes=0-", 206, slice(0, None)),
        ("bytes=100-199", 206, slice(100, 200)),
        ("bytes=6000-999999", 206, slice(6000, None)),
        ("bytes=-10", 206, slice(-10, None)),
        ("bytes=-999999", 206, slice(0, None)),
        ("bytes=5-4", 200, slice(None)),
        ("bytes=-", 200, slice(None)),
        ("bytes=0-1,5-9", 200, slice(None)),
        ("bytes=x-y", 200, slice(None)),
        ("seconds=0-1", 200, slice(None)),
        ("", 200, slice(None)),
        ("bytes=999999-", 416, None),
        ("bytes=-0", 416, None),
    ],
)
async def test_parts_of_it(api: httpx.AsyncClient, folder: Path, asked: str, status: int, part: slice | None) -> None:
    whole = (folder / f"{ID}.wav").read_bytes()
    answer = await audio(api, Range=asked)

    assert answer.status_code == status, answer.text
    if part is None:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["content-range"] == f"bytes */{len(whole)}"
    else:
        assert answer.content == whole[part]
        assert answer.headers["content-length"] == str(len(answer.content))


async def test_a_player_that_asks_for_parts_is_one_row_a_minute(api: httpx.AsyncClient, database: Database) -> None:
    for first in range(5):
        await audio(api, Range=f"bytes={first * 100}-{first * 100 + 99}")

    found = await deeds(database)
    assert sum(times for *_, times in found) == 5
    assert len(found) <= 2  # the minute may have changed


_RANGE = st.one_of(
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60),
    st.from_regex(r"bytes=[0-9]{0,25}-[0-9]{0,25}(,[0-9]{0,3}-[0-9]{0,3}){0,3}", fullmatch=True),
)


@given(asked=_RANGE)
def test_any_range_is_one_or_none(asked: str) -> None:
    first, last = range_of([asked.encode()])

    assert all(one is None or 0 <= one < 10**15 for one in (first, last))


@given(asked=_RANGE)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_range_is_answered(api: httpx.AsyncClient, folder: Path, asked: str) -> None:
    whole = (folder / f"{ID}.wav").read_bytes()
    answer = await audio(api, Range=asked.strip())

    assert answer.status_code in (200, 206, 416)
    if answer.status_code == 206:
        assert answer.content in whole
    if answer.status_code == 200:
        assert answer.content == whole


@pytest.mark.parametrize(
    "name",
    [
        "secret", "..%2fsecret", "%2e%2e%2fsecret", "..%5csecret", "%2fetc%2fhostname", "7-1.wav", "7-1%00", ".", "..",
        "%2e%2e", "9" * 200, "9" * 201, "é", "7-1%0a", "-", "0", "1" * 40, "' OR 1=1 --",
    ],
)  # fmt: skip
async def test_no_other_file_is_reached(api: httpx.AsyncClient, database: Database, name: str) -> None:
    for method, path in (("GET", f"/api/recordings/{name}/audio"), ("DELETE", f"/api/recordings/{name}")):
        answer = await api.request(method, path)

        assert answer.status_code in (404, 405, 422), (path, answer.text)
        assert "not for you" not in answer.text
    assert await deeds(database) == []


async def test_a_row_whose_name_is_no_name_reaches_no_file(
    api: httpx.AsyncClient, database: Database, folder: Path
) -> None:
    """Whoever could write rows would still not read files with them."""
    async with database.connection() as connection:
        await connection.exec_driver_sql("UPDATE recordings SET recording_id = '../secret' WHERE recording_id = '8-1'")

    assert (await audio(api, "..%2fsecret")).status_code == 404
    assert [
        one["on_disk"] for one in (await api.get("/api/recordings", params={"call_id": "8"})).json()["recordings"]
    ] == [False]
    assert (folder.parent / "secret.wav").exists()


async def test_a_missing_file_is_said(api: httpx.AsyncClient, database: Database) -> None:
    answer = await audio(api, "8-1")

    assert answer.status_code == 404
    assert "is missing on disk" in answer.json()["detail"]
    assert await deeds(database) == []


async def test_deleted_for_good(api: httpx.AsyncClient, database: Database, folder: Path) -> None:
    gone = await api.delete(f"/api/recordings/{ID}")
    again = await api.delete(f"/api/recordings/{ID}")
    played = await audio(api)
    (listed,) = (await api.get("/api/recordings", params={"call_id": "7"})).json()["recordings"]

    assert (gone.status_code, again.status_code, played.status_code) == (204, 410, 410)
    assert "was deleted at" in played.json()["detail"]
    assert not (folder / f"{ID}.wav").exists()
    assert listed["deleted_at"] is not None
    assert listed["on_disk"] is False
    assert await deeds(database) == [("recording.delete", ID, "done", 1)]


async def test_a_file_that_cannot_be_removed_is_a_problem(api: httpx.AsyncClient, folder: Path) -> None:
    (folder / "8-1.wav").mkdir()

    answer = await api.delete("/api/recordings/8-1")

    assert answer.status_code == 500
    assert "cannot be removed" in answer.json()["detail"]
    assert str(folder) not in answer.text

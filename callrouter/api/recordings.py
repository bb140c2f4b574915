"""/api/recordings: what callers have spoken, to be listed, listened to, and deleted."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, HTTPException, Path, Query, Response
from fastapi.responses import FileResponse
from starlette.types import Receive, Scope, Send

from callrouter.api.auth import CurrentVisitor, Gate, Visitor
from callrouter.api.filters import TEXT, AskedPeriod, Client, Cursor, Limit, instants_of, refuse_strangers
from callrouter.api.problems import documented, problem
from callrouter.api.schemas.recorded import RecordingOut, RecordingsOut
from callrouter.permissions import By, Permission, ScopeKind
from callrouter.store.access.recordings import Recordings, StoredRecording
from callrouter.store.access.sound_file import MEDIA_TYPE
from callrouter.store.calls import queues_of
from callrouter.store.database import Database

log = structlog.get_logger(__name__)

RecordingId = Annotated[
    str, Path(max_length=200, description="`recording` of a message", examples=["1795427775-42-518203-0"])
]
CallId = Annotated[
    str | None,
    Query(max_length=200, pattern=TEXT, description="Only those of this call", examples=["1795427775-42-518203"]),
]
_ONE_RANGE: Final = re.compile(rb"bytes=([0-9]{0,15})-([0-9]{0,15})")
_PRIVATE: Final = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
"""No copy stays anywhere: who listens again asks again, and is in the trail again."""


class Sound(FileResponse):
    """A file of which one range may be asked for; any other `Range` counts as none (RFC 9110, 14.2)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = scope["headers"]
        asked = [value for name, value in headers if name == b"range"]
        if not asked:
            return await super().__call__(scope, receive, send)
        first, last = _range_of(asked)
        size = (await asyncio.to_thread(os.stat, self.path)).st_size
        if (first is not None and first >= size) or (first is None and last == 0):
            sentence = f"the recording has {size} bytes, and none of those that are asked for"
            refusal = problem(
                HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, sentence, headers={"Content-Range": f"bytes */{size}"}
            )
            return await refusal(scope, receive, send)
        if (first is None and last is None) or (first is not None and last is not None and last < first):
            scope = {**scope, "headers": [(name, value) for name, value in headers if name != b"range"]}
        return await super().__call__(scope, receive, send)


def _range_of(asked: list[bytes]) -> tuple[int | None, int | None]:
    """First and last byte that are asked for; both None for what is no single range."""
    found = _ONE_RANGE.fullmatch(asked[0]) if len(asked) == 1 else None
    if found is None or not (found[1] or found[2]):
        return None, None
    return int(found[1]) if found[1] else None, int(found[2]) if found[2] else None


def router(database: Database, recordings: Recordings, gate: Gate, now: Callable[[], datetime]) -> APIRouter:
    """The routes. `now` is the clock calls are stamped by."""
    routes = APIRouter(tags=["recordings"])

    @routes.get("/recordings", responses=documented(403, 404), **gate.needs(Permission.RECORDING_READ))
    async def listed(  # noqa: PLR0913, RUF100  # each is a query parameter
        period: AskedPeriod,
        visitor: CurrentVisitor,
        client: Client = None,
        call_id: CallId = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> RecordingsOut:
        """Recordings, the newest first, by when they began: `from` included, `to` not. One that was deleted stays in
        the list; one whose file is missing on disk says so."""
        client = visitor.asked_client(Permission.RECORDING_READ, client)
        from_at, to_at = await instants_of(database, period, client, now())
        page = await recordings.page(
            client=client,
            call_id=call_id,
            scope=visitor.principal.scope,
            from_at=from_at,
            to_at=to_at,
            limit=limit,
            cursor=cursor,
        )
        if not page.recordings and call_id is None:
            await refuse_strangers(database, client, visitor)
        return RecordingsOut(recordings=[RecordingOut.of(one) for one in page.recordings], next_cursor=page.next_cursor)

    @routes.get(
        "/recordings/{recording_id}/audio",
        response_class=Sound,
        responses={
            **documented(403, 404, 410),
            200: {"description": "The sound", "content": {MEDIA_TYPE: {}}},
            206: {"description": "A part of it, as `Range` asks", "content": {MEDIA_TYPE: {}}},
        },
        **gate.needs(Permission.RECORDING_PLAY),
    )
    async def audio(recording_id: RecordingId, visitor: CurrentVisitor) -> Response:
        """The sound: WAV, PCM 16 bit, 8 kHz, mono, which browsers play; in parts where `Range` asks for one. 410 after
        it was deleted, or when the caller objected to it; 404 also where its file is missing on disk, which is said."""
        found = await _found(recording_id, Permission.RECORDING_PLAY, visitor)
        path = await recordings.open(found, By(principal=visitor.principal.name, address=visitor.address))
        if found.deleted_at is not None:
            raise HTTPException(
                HTTPStatus.GONE, f"recording {recording_id} was deleted at {found.deleted_at:%Y-%m-%d %H:%M} UTC"
            )
        if found.objected_at is not None:
            raise HTTPException(
                HTTPStatus.GONE, f"the caller objected to recording {recording_id} at {found.objected_at:%H:%M} UTC"
            )
        if path is None:
            log.warning("the file of a recording is missing", recording=recording_id)
            raise HTTPException(
                HTTPStatus.NOT_FOUND,
                f"the file of recording {recording_id} is missing on disk, in the folder of CALLROUTER_RECORDINGS_DIR",
            )
        return Sound(path, media_type=MEDIA_TYPE, headers=_PRIVATE)

    @routes.delete(
        "/recordings/{recording_id}",
        status_code=HTTPStatus.NO_CONTENT,
        responses=documented(403, 404, 410, 500),
        **gate.needs(Permission.RECORDING_DELETE),
    )
    async def delete(recording_id: RecordingId, visitor: CurrentVisitor) -> None:
        """Delete the sound, for good; its row stays, with when. 410 when it was deleted before."""
        found = await _found(recording_id, Permission.RECORDING_DELETE, visitor)
        by = By(principal=visitor.principal.name, address=visitor.address)
        try:
            deleted = await recordings.delete(found, by)
        except OSError as error:
            log.error("a recording cannot be deleted", recording=recording_id, error=str(error))  # noqa: TRY400
            raise HTTPException(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                f"the file of recording {recording_id} cannot be removed ({error.strerror}): its folder must be "
                "writable for the user callrouter runs as",
            ) from error
        if not deleted:
            raise HTTPException(HTTPStatus.GONE, f"recording {recording_id} was deleted before")

    async def _found(recording_id: str, permission: Permission, visitor: Visitor) -> StoredRecording:
        found = await recordings.find(recording_id)
        teams = await queues_of(database, found.call_id) if found and _needs_teams(visitor) else set[str]()
        if found is None or visitor.hides(permission, recording_id, found.client, teams):
            raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no recording {recording_id}")
        return found

    return routes


def _needs_teams(visitor: Visitor) -> bool:
    return visitor.principal.scope.kind is ScopeKind.TEAMS

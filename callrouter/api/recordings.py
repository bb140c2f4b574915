"""/api/recordings: what callers have spoken, to be listed, listened to, and deleted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, HTTPException, Path, Query, Response

from callrouter.api.auth import CurrentVisitor, Gate, Visitor
from callrouter.api.filters import TEXT, AskedPeriod, Client, Cursor, Limit, instants_of, refuse_strangers
from callrouter.api.problems import documented
from callrouter.api.schemas.recorded import RecordingOut, RecordingsOut
from callrouter.api.sound import Sound
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
_PRIVATE: Final = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
"""No copy stays anywhere: who listens again asks again, and is in the trail again."""


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
        path = await recordings.open(found, _by(visitor))
        _refuse_silenced(found)
        if path is None:
            raise _missing(recording_id)
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
        try:
            deleted = await recordings.delete(found, _by(visitor))
        except OSError as error:
            raise _not_removed(recording_id, error) from error
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


def _by(visitor: Visitor) -> By:
    return By(principal=visitor.principal.name, address=visitor.address)


def _refuse_silenced(found: StoredRecording) -> None:
    """Raises HTTPException: nobody may hear it any more (410)."""
    recording_id = found.recording_id
    if found.deleted_at is not None:
        raise HTTPException(
            HTTPStatus.GONE, f"recording {recording_id} was deleted at {found.deleted_at:%Y-%m-%d %H:%M} UTC"
        )
    if found.objected_at is not None:
        raise HTTPException(
            HTTPStatus.GONE, f"the caller objected to recording {recording_id} at {found.objected_at:%H:%M} UTC"
        )


def _missing(recording_id: str) -> HTTPException:
    log.warning("the file of a recording is missing", recording=recording_id)
    return HTTPException(
        HTTPStatus.NOT_FOUND,
        f"the file of recording {recording_id} is missing on disk, in the folder of CALLROUTER_RECORDINGS_DIR",
    )


def _not_removed(recording_id: str, error: OSError) -> HTTPException:
    log.error("a recording cannot be deleted", recording=recording_id, error=str(error))
    return HTTPException(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        f"the file of recording {recording_id} cannot be removed ({error.strerror}): its folder must be "
        "writable for the user callrouter runs as",
    )

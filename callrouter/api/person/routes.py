"""/api/person: where a number stands, its erasure, and the receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Annotated

from fastapi import APIRouter, HTTPException
from fastapi import Path as PathParameter
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from callrouter.api.auth import CurrentVisitor, Gate
from callrouter.api.filters import TEXT
from callrouter.api.person.schemas import ErasureIn, FoundOut, PersonIn, ReceiptOut
from callrouter.api.problems import documented
from callrouter.errors import UsageError
from callrouter.permissions import Permission
from callrouter.store.access.recordings import Recordings
from callrouter.store.apart import Workshop
from callrouter.store.database import Database
from callrouter.store.person.erasing import Asked, Eraser
from callrouter.store.person.exporting import export as write_export
from callrouter.store.person.finding import count_all
from callrouter.store.person.naming import Sought, sought
from callrouter.store.person.receipts import read_receipt
from callrouter.store.tables import AuditOutcome

ErasureId = Annotated[
    str, PathParameter(max_length=40, pattern=TEXT, description="As the receipt has it", examples=["9f0c2b7a61de"])
]


def router(
    database: Database,
    workshop: Workshop,
    recordings: Recordings,
    gate: Gate,
    now: Callable[[], datetime],
    region: str,
) -> APIRouter:
    """The routes. What reads all texts of the record does it in the workshop."""
    routes = APIRouter(tags=["person"])

    @routes.post("/person/find", responses=documented(403, 413, 415), **gate.needs(Permission.PERSON_READ))
    async def find(asked: PersonIn, visitor: CurrentVisitor) -> FoundOut:
        """Where a number stands, in any spelling, and in how many rows; that somebody looked is in the audit trail."""
        wanted = _wanted(asked.number, region)
        visitor.note(Permission.PERSON_READ, AuditOutcome.DONE, object_=f"find …{wanted.number[-2:]}")
        return FoundOut(found=await workshop.run(count_all, wanted))

    @routes.post(
        "/person/export",
        response_class=FileResponse,
        responses={**documented(403, 413, 415), 200: {"content": {"application/zip": {}}, "description": "A zip"}},
        **gate.needs(Permission.PERSON_READ),
    )
    async def export(asked: PersonIn, visitor: CurrentVisitor) -> FileResponse:
        """All that is known of a number: rows as JSON (`person.json`), and recordings, in a zip."""
        wanted = _wanted(asked.number, region)
        visitor.note(Permission.PERSON_READ, AuditOutcome.DONE, object_=f"export …{wanted.number[-2:]}")
        folder = await asyncio.to_thread(mkdtemp, prefix="callrouter-person-")
        made = Path(folder, "person.zip")
        try:
            await write_export(database, recordings, wanted, visitor.by, made)
        except BaseException:  # also where whoever asked has gone: nothing of a person is left behind
            await asyncio.to_thread(rmtree, folder, ignore_errors=True)
            raise
        return FileResponse(
            made,
            media_type="application/zip",
            filename="person.zip",
            headers={"Cache-Control": "no-store"},
            background=BackgroundTask(rmtree, folder, ignore_errors=True),
        )

    @routes.post("/person/erase", responses=documented(403, 409, 413, 415), **gate.needs(Permission.PERSON_ERASE))
    async def erase(asked: ErasureIn, visitor: CurrentVisitor) -> ReceiptOut:
        """Blank a person in all rows that hold them, delete their recordings; the receipt. Asked for again, it goes on
        where it was interrupted, and finds what came since.
        """
        wanted = _wanted(asked.number, region)
        if not asked.confirm:
            raise HTTPException(HTTPStatus.CONFLICT, "body.confirm: say true; nothing brings the person back")
        if wanted.compiled.search(asked.reason):
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "body.reason holds the number: leave it out")
        order = Asked(sought=wanted, reason=asked.reason, by=visitor.by, now=now())
        return ReceiptOut.of(await Eraser(database, recordings).erase(order))

    @routes.get("/person/erasures/{erasure_id}", responses=documented(403, 404), **gate.needs(Permission.PERSON_READ))
    async def receipt(erasure_id: ErasureId) -> ReceiptOut:
        """A receipt, which holds no number."""
        found = None if "\x00" in erasure_id else await read_receipt(database, erasure_id)
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such erasure")
        return ReceiptOut.of(found)

    return routes


def _wanted(number: str, region: str) -> Sought:
    try:
        return sought(number, region)
    except UsageError as error:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"body.number: {error}") from error

"""/pbx/drain of the engine: have the PBX take no new call before a planned restart, and see how far it is."""

from __future__ import annotations

from collections.abc import Awaitable
from http import HTTPStatus
from typing import Protocol

from fastapi import APIRouter, Depends, HTTPException
from pydantic import Field

from callrouter.api.auth import CurrentVisitor, Gate
from callrouter.api.filters import refuse_unknown
from callrouter.api.problems import documented
from callrouter.api.schemas.base import Out
from callrouter.asterisk.pbx.maintenance import Drained
from callrouter.errors import ActionFailed, AmiError
from callrouter.permissions import Permission
from callrouter.store.tables import AuditOutcome


class DrainOut(Out):
    """How far a PBX is drained."""

    trunks: list[str] = Field(description="Endpoints by which carriers' calls come in", examples=[["trunk"]])
    in_maintenance: list[str] = Field(description="Those of them that take no new call", examples=[["trunk"]])
    calls: int = Field(description="Calls that came in and go on")
    channels: int = Field(description="Channels of all kinds; at 0 Asterisk can be stopped")


class Drains(Protocol):
    """Who does it (`asterisk.pbx.maintenance.Maintenance`)."""

    async def set(self, *, draining: bool) -> Drained: ...

    async def look(self) -> Drained: ...


def draining_router(maintenance: Drains, gate: Gate) -> APIRouter:
    """GET, POST and DELETE of /pbx/drain."""
    guarded = [*gate.guards, Depends(refuse_unknown)]
    router = APIRouter(tags=["pbx"], dependencies=guarded, responses=documented(401, 403, 409, 422, 429, 503))
    needs = gate.needs(Permission.PBX_DRAIN)

    @router.get("/pbx/drain", **needs)
    async def look(visitor: CurrentVisitor) -> DrainOut:
        """How far it is now."""
        return await _done(maintenance.look())

    @router.post("/pbx/drain", **needs)
    async def drain(visitor: CurrentVisitor) -> DrainOut:
        """Refuse new calls of all carriers, with 503, from now on; calls in progress go on."""
        found = await _done(maintenance.set(draining=True))
        visitor.note(Permission.PBX_DRAIN, AuditOutcome.DONE, object_="on")
        return found

    @router.delete("/pbx/drain", **needs)
    async def undrain(visitor: CurrentVisitor) -> DrainOut:
        """Take new calls again."""
        found = await _done(maintenance.set(draining=False))
        visitor.note(Permission.PBX_DRAIN, AuditOutcome.DONE, object_="off")
        return found

    return router


async def _done(asked: Awaitable[Drained]) -> DrainOut:
    try:
        return DrainOut.model_validate(await asked)
    except ActionFailed as error:
        raise HTTPException(HTTPStatus.CONFLICT, str(error)) from error
    except AmiError as error:
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, f"Asterisk is away: {error}") from error

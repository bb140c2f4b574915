"""/api/live: the calls in progress, as the engine sees them."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, HTTPException

from callrouter.api.auth import CurrentVisitor, Gate
from callrouter.api.engine_client import EngineAway, EngineClient
from callrouter.api.problems import documented
from callrouter.api.schemas.live import LiveOut
from callrouter.permissions import Permission


def router(engine: EngineClient, gate: Gate) -> APIRouter:
    """The route, asking that engine."""
    routes = APIRouter(tags=["live"])

    @routes.get("/live", responses=documented(403, 502), **gate.needs(Permission.LIVE_READ))
    async def live_calls(visitor: CurrentVisitor) -> LiveOut:
        """The calls in progress, the longest first. 502 when the engine does not answer."""
        try:
            return (await engine.live()).within(visitor.principal.scope)
        except EngineAway as error:
            raise HTTPException(HTTPStatus.BAD_GATEWAY, str(error)) from error

    return routes

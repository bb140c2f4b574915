"""/api/live: the calls in progress, as the engine sees them."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, HTTPException

from callrouter.api.engine_client import EngineAway, EngineClient
from callrouter.api.problems import documented
from callrouter.api.schemas import LiveOut


def router(engine: EngineClient) -> APIRouter:
    """The route, asking that engine."""
    routes = APIRouter(tags=["live"])

    @routes.get("/live", responses=documented(502))
    async def live_calls() -> LiveOut:
        """The calls in progress, the longest first. 502 when the engine does not answer."""
        try:
            return await engine.live()
        except EngineAway as error:
            raise HTTPException(HTTPStatus.BAD_GATEWAY, str(error)) from error

    return routes

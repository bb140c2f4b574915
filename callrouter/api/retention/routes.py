"""/api/retention: the last deletions."""

from __future__ import annotations

from fastapi import APIRouter

from callrouter.api.auth import Gate
from callrouter.api.filters import Limit
from callrouter.api.problems import documented
from callrouter.api.retention.schemas import RunOut, RunsOut
from callrouter.permissions import Permission
from callrouter.store.database import Database
from callrouter.store.retention.history import read_runs


def router(database: Database, gate: Gate) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["retention"])

    @routes.get("/retention", responses=documented(403), **gate.needs(Permission.RETENTION_READ))
    async def retention(limit: Limit = 30) -> RunsOut:
        """What was deleted because it was older than it is kept: when, how many, how long, the newest run first."""
        return RunsOut(runs=[RunOut.of(one) for one in await read_runs(database, limit)])

    return routes

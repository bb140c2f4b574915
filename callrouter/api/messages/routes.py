"""All routes of messages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter

from callrouter.api.auth import Gate
from callrouter.api.engine_client import EngineClient
from callrouter.api.messages import changed, delivery, forms, listed, taken
from callrouter.api.messages.desk import Desk, Taking
from callrouter.store.database import Database


def router(
    database: Database,
    taking: Taking,
    engine: EngineClient,
    gate: Gate,
    now: Callable[[], datetime],
    region: str,
) -> APIRouter:
    """The routes. `now` is the clock calls are stamped by; `region` the operator's country."""
    desk = Desk(database, taking.plans, taking.journal, engine, now, region)
    routes = APIRouter(tags=["messages"])
    delivery.add_board(routes, database, gate, now)  # before the one of any message: `attention` is no id
    listed.add(routes, database, gate, now)
    taken.add(routes, desk, gate)
    changed.add(routes, desk, gate)
    delivery.add(routes, desk, gate)
    forms.add(routes, desk, gate)
    return routes

"""The pool of connections that pages, reports and the engine's small statements share.

A connection that is taken from it is asked for a sign of life first, and thrown away with all that are as old when it
gives none: after a failover each of them leads to the server that was. So it is when a statement was not answered in
time, and when the server says that it takes no writes: a pool would stay with it for ever.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from callrouter.store.connecting import CONNECT_SECONDS, Connector, drop
from callrouter.store.refusals import GONE, READ_ONLY, code_of

PING_SECONDS: Final = 3.0
"""Whoever does not answer nothing at all by then has vanished, or serves nobody."""


def pool_of(connector: Connector, statement_seconds: float | None) -> AsyncEngine:
    """A pool of connections made by `connector`, on which a statement takes so long at most; None: as it needs."""
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=partial(connector.connect, "callrouter", statement_seconds),
        pool_size=4,
        max_overflow=4,
        pool_timeout=CONNECT_SECONDS,
    )
    event.listen(engine.sync_engine, "checkout", _is_there)
    event.listen(engine.sync_engine, "handle_error", _note_error)
    return engine


def _is_there(adapted: Any, record: Any, _proxy: Any) -> None:
    """Ask for a sign of life; a connection that was just made has given it."""
    if not record.info.setdefault("used", False):
        record.info["used"] = True
        return
    try:
        adapted.run_async(lambda raw: raw.fetchrow(";", timeout=PING_SECONDS))
    except (asyncpg.PostgresError, *GONE) as error:
        drop(adapted.driver_connection)
        raise InvalidatePoolError from error


def _note_error(context: ExceptionContext) -> None:
    """A server that is silent, or takes no writes, is asked no more: not on this connection, nor on older ones."""
    error = context.original_exception
    silent = isinstance(error, TimeoutError)
    if not silent and code_of(error) != READ_ONLY:
        return
    if silent and context.connection is not None and not context.connection.invalidated:
        drop(context.connection.connection.driver_connection)
    context.is_disconnect = context.invalidate_pool_on_disconnect = True

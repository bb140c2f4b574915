"""The engine's look at the board, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from callrouter.runtime.watch import Watch
from callrouter.store.database import Database
from callrouter.store.dispatch.board import BoardFigures, count_board


class BoardWatch(Watch[BoardFigures]):
    """Counts what stands on it."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        """`now` is the clock calls are stamped by, which is the worker's."""
        super().__init__(lambda: count_board(database, now()), "messages that need attention are")

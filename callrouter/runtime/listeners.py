"""Who receives what was concluded: the one way of facts, from the driver and from Asterisk's journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import structlog

from callrouter.core.facts import Fact
from callrouter.runtime.ports import Observer

log = structlog.get_logger(__name__)


class Listeners:
    """All observers; each receives the kinds of facts it asks for, in the order in which they are given."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        # Most facts are nodes visited, which nobody but the record of the whole call cares for.
        self._by_kind: dict[type, tuple[Observer, ...]] = {
            kind: tuple(one for one in observers if kind in one.interests) for kind in get_args(Fact)
        }

    def tell(self, told: Sequence[Fact]) -> None:
        """Pass the facts to each observer, in order; one that fails does not keep the others from receiving them."""
        for fact in told:
            for observer in self._by_kind[type(fact)]:
                try:
                    observer.observe((fact,))
                except Exception:
                    log.exception("an observer failed", observer=type(observer).__name__)

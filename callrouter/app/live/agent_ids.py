"""Says when an agent's identifier was once somebody else's: the figures and calls of two people would be one person's.

Nobody can be asked whether a name was mistyped or another person has come. So it is said, and not refused; whoever is
the same person under another name is written down as such (`formerly` of shared/agents.yaml). What the record can tell
is what shared/agents.yaml said in every version that was ever live.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import structlog

from callrouter.dialplan.issues import how_many
from callrouter.dialplan.language.reader import read
from callrouter.errors import StoreError
from callrouter.store.database import Database
from callrouter.store.plans import contents_of

log = structlog.get_logger(__name__)

FILE: Final = "shared/agents.yaml"
RETRY_SECONDS: Final = 60.0


class AgentIds:
    """Compares the agents of the folder with those of all times.

    Args:
        document: what shared/agents.yaml says now; empty without one.
        due: set by whoever puts plans into service.
    """

    def __init__(self, database: Database, document: Callable[[], bytes], *, due: asyncio.Event) -> None:
        self._database = database
        self._document = document
        self._due = due
        self._seen: bytes | None = None
        self.reused: Mapping[str, str] = {}
        """By identifier: who has it now, and who had it before, a sentence each."""

    @property
    def trouble(self) -> str | None:
        """What is wrong, without anybody's name; None when nothing is."""
        if not self.reused:
            return None
        return (
            f"{how_many(len(self.reused), 'identifier')} of agents were somebody else's: "
            "the engine's log and `callrouter status` say whose"
        )

    @property
    def details(self) -> str | None:
        """The same with the names."""
        return "; ".join([*self.reused.values(), _MEND]) if self.reused else None

    async def run(self) -> None:
        """Compare when due, until cancelled."""
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self.look()
            except StoreError:  # said elsewhere
                await asyncio.sleep(RETRY_SECONDS)
                self._due.set()

    async def look(self) -> None:
        """Compare now, if the file says something else than the last time.

        Raises:
            StoreError: the record cannot be read.
        """
        document = self._document()
        if document == self._seen:
            return
        before = await contents_of(self._database, FILE)
        reused = await asyncio.to_thread(reused_ids, document, before)
        self._seen, self.reused = document, reused
        for sentence in reused.values():
            log.warning("an agent's identifier was somebody else's", reason=sentence)


def reused_ids(document: bytes, before: list[str]) -> dict[str, str]:
    """By identifier that somebody else had in one of the documents of before: a sentence."""
    had: dict[str, set[str]] = {}
    for one in before:
        for agent, block in _agents(one.encode()):
            had.setdefault(agent, set()).update(_names(block, "name"))
    found = {}
    for agent, block in _agents(document):
        now = _names(block, "name")
        others = had.get(agent, set()) - now - _names(block, "formerly")
        if now and others:
            found[agent] = f"agent {agent} is {', '.join(now)} now, and was {', '.join(sorted(others))}"
    return found


def _agents(document: bytes) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Those of a document that may be of an older release, or wrong."""
    value = read(document, FILE).value
    agents = value.get("agents") if isinstance(value, dict) else None
    for name, block in agents.items() if isinstance(agents, dict) else ():
        yield str(name), block if isinstance(block, dict) else {}


def _names(block: Mapping[str, Any], key: str) -> set[str]:
    value = block.get(key)
    return {str(one).strip() for one in (value if isinstance(value, list) else [value]) if one is not None}


_MEND: Final = "give a new person a new identifier, or write the same person's earlier name into `formerly`"

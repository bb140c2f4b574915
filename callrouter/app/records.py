"""All that the engine keeps of what happened: calls, versions of plans, times in which nobody watched, deeds, lines of
the log; and what is only asked of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from callrouter.app.history import PlanHistory
from callrouter.app.live.agent_ids import AgentIds
from callrouter.app.live.keeper import LiveKeeper
from callrouter.app.observation import Observation
from callrouter.runtime.fact_log import FactLog
from callrouter.runtime.tasks import Tasks
from callrouter.store.access.trail import AuditTrail
from callrouter.store.dispatch.watch import BoardWatch
from callrouter.store.figures.today import TodayWatch
from callrouter.store.figures.watch import MarksWatch
from callrouter.store.outgoing.watch import WishesWatch
from callrouter.store.recorder import Recorder
from callrouter.store.retention.watch import RetentionWatch
from callrouter.store.writing.fact_journal import FactJournal
from callrouter.store.writing.live_journal import LiveJournal
from callrouter.store.writing.message_rows import MessageRows

RECORDER_SECONDS: Final = 10.0
"""How long a stop waits for PostgreSQL; what it has not taken by then waits on disk for the next start."""

SETTLE_SECONDS: Final = 0.02


@dataclass(frozen=True, kw_only=True)
class Records:
    """Started first and stopped last."""

    recorder: Recorder
    fact_journal: FactJournal
    live_journal: LiveJournal
    message_rows: MessageRows
    history: PlanHistory
    keeper: LiveKeeper
    observation: Observation
    trail: AuditTrail
    fact_log: FactLog
    agent_ids: AgentIds
    board: BoardWatch
    marks: MarksWatch
    wishes: WishesWatch
    today: TodayWatch
    retention: RetentionWatch
    tasks: Tasks
    """Of its own: they outlive all others."""

    def start(self) -> None:
        """Begin to write."""
        self.tasks.start(self.recorder.run(), "recorder")
        self.tasks.keep(self.fact_journal.run, "journal of facts")
        self.tasks.keep(self.live_journal.run, "journal of calls in progress")
        self.tasks.keep(self.message_rows.run, "messages")
        self.tasks.keep(self.history.run, "history of plans")
        self.tasks.keep(self.keeper.run, "what is live, on disk")
        self.tasks.keep(self.observation.run, "observation")
        self.tasks.keep(self.trail.run, "audit trail")
        self.tasks.keep(self.agent_ids.run, "identifiers of agents")
        self.tasks.keep(self.board.run, "messages that need attention")
        self.tasks.keep(self.marks.run, "days to be made again")
        self.tasks.keep(self.wishes.run, "callbacks that are open")
        self.tasks.keep(self.today.run, "today's figures")
        self.tasks.keep(self.retention.run, "runs of retention")

    async def settle(self, seconds: float) -> None:
        """Wait so long for PostgreSQL to have the calls that have ended: another engine is about to look for them."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while self.recorder.backlog and loop.time() < deadline:
            await asyncio.sleep(SETTLE_SECONDS)

    async def close(self) -> None:
        """Write the calls that have ended; what ends later is found in Asterisk's journal.

        Raises:
            OSError: neither PostgreSQL nor the disk takes them; the log holds every call.
        """
        await self.recorder.close(RECORDER_SECONDS)
        self.fact_journal.close()
        self.live_journal.close()

    async def stop(self) -> None:
        """Write all else."""
        await self.tasks.stop()
        await self.observation.flush()
        await self.history.flush()
        await self.keeper.flush()
        await self.trail.close()
        await self.message_rows.close()
        self.fact_log.flush()

"""What an operator asks of the engine: is it ready, how does it stand, load the files again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from callrouter import __version__
from callrouter.api.agents.here import AgentsHere
from callrouter.api.auth import Gate
from callrouter.api.control.here import ControlledHere
from callrouter.api.engine_app import Operations, create_engine_app
from callrouter.api.readiness import Check, failed_checks
from callrouter.api.status import DialplansOut, RefusedCallsOut, StatusOut, WithoutNumberOut
from callrouter.api.supervision.here import OverseenHere
from callrouter.app.live.agent_ids import AgentIds
from callrouter.app.outgoing_check import OutgoingCheck
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.asterisk.pbx.frozen import FrozenWatch
from callrouter.asterisk.pbx.maintenance import Maintenance
from callrouter.asterisk.pbx.queue_check import QueueCheck
from callrouter.asterisk.pbx.refused import RefusedCalls
from callrouter.asterisk.pbx.trunk_check import TrunkCheck
from callrouter.asterisk.teams.handover import Handover
from callrouter.dialplan.issues import how_many
from callrouter.errors import AmiError
from callrouter.metrics.shown_numbers import ShownNumbers
from callrouter.outgoing.callbacks import Callbacks
from callrouter.outgoing.telling import TelephoneTellings
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.reload import ServedPlans, Why
from callrouter.runtime.tasks import Tasks
from callrouter.store.database import Database
from callrouter.store.recorder import Recorder
from callrouter.stream.feed import Feed


@dataclass(frozen=True, kw_only=True)
class EngineOperations:
    """The engine's own HTTP side, and SIGHUP; it reads what others hold, and changes nothing but by a reload."""

    link: AmiLink
    plans: ServedPlans
    database: Database
    recorder: Recorder
    queue_check: QueueCheck
    frozen: FrozenWatch
    trunk_check: TrunkCheck
    handover: Handover
    maintenance: Maintenance
    agent_ids: AgentIds
    refused: RefusedCalls
    outgoing: OutgoingCheck
    overseen: OverseenHere
    agents: AgentsHere
    controlled: ControlledHere
    shown_numbers: ShownNumbers
    callbacks: Callbacks
    tellings: TelephoneTellings
    calls: LiveCalls
    feed: Feed
    registry: CollectorRegistry
    clock: SystemClock
    tasks: Tasks
    """What may fail once without ending the engine."""
    watching: bool
    """Whether the clients' files are watched."""
    started_at: datetime

    @property
    def checks(self) -> dict[str, Check]:
        """What must be well for /ready, by name."""
        return {"asterisk": self._check_link, "dialplans": self._check_dialplans}

    @property
    def notes(self) -> dict[str, Check]:
        """What /ready mentions though calls are served, by name."""
        return {
            "dialplans": self._note_dialplans,
            "queues": self._note_queues,
            "pbx": self._note_pbx,
            "trunk": self._note_trunk,
            "agents": self._note_agents,
            "web services": self._note_outgoing,
            "callbacks": self._note_callbacks,
            "calls for messages": self._note_tellings,
            "database": self._note_database,
        }

    def http_app(self, gate: Gate) -> FastAPI:
        """The engine's own pages."""
        return create_engine_app(
            self.calls,
            self.registry,
            self.checks,
            gate=gate,
            now=self.clock.now,
            operations=Operations(status=self.status, reload=self.reload),
            feed=self.feed,
            handover=self.handover,
            maintenance=self.maintenance,
            notes=self.notes,
            agents=self.agents,
            overseen=self.overseen,
            controlled=self.controlled,
        )

    async def status(self) -> StatusOut:
        """How everything stands."""
        details = {
            "dialplan files": self._note_dialplans,
            "queues": self._detail_queues,
            "pbx": self._note_pbx,
            "trunk": self._note_trunk,
            "agents": self._detail_agents,
            "limits": self._detail_limits,
            "drained": self._detail_drained,
            "web services": self._detail_outgoing,
            "callbacks": self._note_callbacks,
            "calls for messages": self._note_tellings,
            "database": self._detail_database,
        }
        failed = await failed_checks(self.checks | details)
        walked = Counter((live.plan.client, live.plan.version) for live in self.calls)
        return StatusOut(
            version=__version__,
            at=self.clock.now(),
            started_at=self.started_at,
            problems=[f"{name}: {reason}" for name, reason in failed.items()],
            asterisk=failed.get("asterisk", "up"),
            database=failed.get("database", "up"),
            live_calls=len(self.calls),
            refused_calls=RefusedCallsOut(
                total=self.refused.total, by_client=self.refused.by_client, last_at=self.refused.last_at
            ),
            without_number=WithoutNumberOut.of(self.shown_numbers),
            backlog=self.recorder.backlog,
            backlog_seconds=self.recorder.oldest_seconds,
            dialplans=DialplansOut.of(self.plans, walked, watching=self.watching),
        )

    async def reload(self) -> None:
        """Load the clients' files again."""
        await self.plans.reload(Why.ASKED)
        self.queue_check.look_soon()  # also when no file has changed: whoever asks may have mended Asterisk's

    def end_stream(self) -> None:
        """Whoever listens hears no more of us."""
        self.feed.end("the engine stops")

    def reload_soon(self) -> None:
        """The same, for a signal."""
        self.tasks.start(self.reload(), "reload")

    async def _check_link(self) -> str | None:
        return self.frozen.trouble if self.link.state is LinkState.UP else self.link.reason

    async def _check_dialplans(self) -> str | None:
        if not self.plans.loaded.is_set():
            return "the clients' files are being loaded; calls have what was live last"
        return None if self.plans.catalogue.plans else "no client's file can be served: run `callrouter check`"

    async def _note_dialplans(self) -> str | None:
        return self.plans.trouble or None

    async def _note_database(self) -> str | None:
        """To whoever asks: neither host nor user."""
        away = await self._detail_database() is not None
        return "PostgreSQL is away: calls are served, and their rows wait on disk" if away else None

    async def _detail_database(self) -> str | None:
        return self.recorder.away_because or self.database.away_because

    async def _note_outgoing(self) -> str | None:
        """To whoever asks: neither host nor secret."""
        refused = len(self.outgoing.issues)
        return (
            f"the settings refuse {how_many(refused, 'request')} of trees: see `callrouter status`" if refused else None
        )

    async def _detail_outgoing(self) -> str | None:
        return self.outgoing.trouble or None

    async def _note_callbacks(self) -> str | None:
        return self.callbacks.trouble

    async def _note_tellings(self) -> str | None:
        return self.tellings.trouble

    async def _detail_limits(self) -> str | None:
        return self.refused.trouble

    async def _detail_drained(self) -> str | None:
        """Whoever has drained the PBX may forget it."""
        if self.link.state is not LinkState.UP:
            return None
        try:
            found = await self.maintenance.look()
        except AmiError:  # it has no carrier, or cannot be drained
            return None
        names = ", ".join(found.in_maintenance)
        return f"the PBX takes no new call by {names}: end it with `callrouter pbx undrain`" if names else None

    async def _note_queues(self) -> str | None:
        return self.queue_check.trouble

    async def _note_trunk(self) -> str | None:
        return self.trunk_check.trouble

    async def _note_pbx(self) -> str | None:
        return self.handover.trouble

    async def _note_agents(self) -> str | None:
        return self.agent_ids.trouble

    async def _detail_agents(self) -> str | None:
        return self.agent_ids.details

    async def _detail_queues(self) -> str | None:
        return self.queue_check.details

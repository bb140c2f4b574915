"""The engine's side towards those who ask over HTTP: operators, agents, supervisors, the PBX's unit.

Calls need none of it. What it stands on (FastAPI, the schemas of all answers) takes as long to import as a third of the
rest, so that this module is imported when the calls that live have been taken over.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass

from callrouter.api.agents.here import AgentsHere
from callrouter.api.auth import Gate
from callrouter.api.control.here import ControlledHere
from callrouter.api.supervision.here import OverseenHere
from callrouter.app.dialplans import Dialplans
from callrouter.app.http import HttpServer
from callrouter.app.operations import EngineOperations
from callrouter.app.outgoing_check import OutgoingCheck
from callrouter.app.pbx.watches import Watches
from callrouter.app.records import Records
from callrouter.app.wiring.calls import Overseen, Placed
from callrouter.app.wiring.ground import Ground
from callrouter.asterisk.agents.roster import Roster
from callrouter.asterisk.pbx.maintenance import Maintenance
from callrouter.asterisk.transfers.control import CallControl
from callrouter.metrics import EngineMetrics
from callrouter.store.access.tokens import TokenBook
from callrouter.stream.feed import Feed


@dataclass(frozen=True, kw_only=True)
class Front:
    """What answers, and on what."""

    operations: EngineOperations
    server: HttpServer


def front_of(
    ground: Ground,
    dialplans: Dialplans,
    outgoing: OutgoingCheck,
    records: Records,
    watches: Watches,
    placed: Placed,
    feed: Feed,
    metrics: EngineMetrics,
    *,
    roster: Roster,
    overseen: Overseen,
    control: CallControl,
    token: str,
    listening: socket.socket,
) -> Front:
    """It does not listen yet. `token`: the operator's; `listening`: where it will."""
    note = records.trail.note
    operations = EngineOperations(
        link=ground.link,
        plans=dialplans.served,
        database=ground.database,
        recorder=records.recorder,
        queue_check=watches.queues,
        frozen=watches.frozen,
        trunk_check=watches.trunk,
        handover=ground.handover,
        maintenance=Maintenance(ground.link),
        agent_ids=records.agent_ids,
        refused=watches.refused,
        outgoing=outgoing,
        agents=AgentsHere(roster=roster, note=note),
        overseen=OverseenHere(
            calls=ground.calls,
            supervision=overseen.supervision,
            conversations=overseen.conversations,
            clock=ground.clock,
            note=note,
        ),
        controlled=ControlledHere(calls=ground.calls, controls=control, clock=ground.clock, note=note),
        callbacks=placed.callbacks,
        tellings=placed.tellings,
        shown_numbers=metrics.shown_numbers,
        calls=ground.calls,
        feed=feed,
        registry=ground.registry,
        clock=ground.clock,
        tasks=ground.aside,
        watching=ground.settings.watch,
        started_at=ground.started_at,
    )
    app = operations.http_app(Gate(token, TokenBook(ground.database), records.trail))
    return Front(operations=operations, server=HttpServer(app, listening, ground.settings.trusted_proxies))

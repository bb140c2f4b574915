"""What is in service, and what is kept of what happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from callrouter.app.dialplans import Dialplans, PlanChanges, prepare_dialplans
from callrouter.app.folders import SPOOL
from callrouter.app.history import PlanHistory
from callrouter.app.live.agent_ids import FILE as AGENTS_FILE
from callrouter.app.live.agent_ids import AgentIds
from callrouter.app.live.keeper import LiveKeeper
from callrouter.app.live.live_plans import FOLDER as LIVE
from callrouter.app.live.live_plans import LivePlans
from callrouter.app.observation import Observation
from callrouter.app.outgoing_check import OutgoingCheck
from callrouter.app.pbx.queues_ready import QueuesReady
from callrouter.app.records import Records
from callrouter.app.wiring.ground import Ground
from callrouter.asterisk.journal import EndedJournal, PlanLookup
from callrouter.asterisk.line.recordings import recorded_in
from callrouter.asterisk.unseen.unfinished import UnfinishedCalls
from callrouter.metrics import DialplanMetrics
from callrouter.runtime.fact_log import FactLog
from callrouter.runtime.tasks import Tasks
from callrouter.store.access.trail import AuditTrail
from callrouter.store.calls import recorded_calls
from callrouter.store.dispatch.watch import BoardWatch
from callrouter.store.figures.today import TodayWatch
from callrouter.store.figures.watch import MarksWatch
from callrouter.store.incarnation import is_last, renamed
from callrouter.store.outgoing.watch import WishesWatch
from callrouter.store.recorder import Recorder
from callrouter.store.retention.watch import RetentionWatch
from callrouter.store.writing.fact_journal import FactJournal
from callrouter.store.writing.live_journal import LiveJournal
from callrouter.store.writing.message_rows import MessageRows
from callrouter.store.writing.writer import Writer


def dialplans_of(ground: Ground) -> tuple[Dialplans, PlanHistory, LiveKeeper, OutgoingCheck]:
    """The clients' plans, not loaded yet, and who is told when they are in service, or others are."""
    settings, database = ground.settings, ground.database
    history = PlanHistory(database, settings.dialplans_dir)
    outgoing = OutgoingCheck(settings.outgoing_hosts, ground.secrets)
    is_ours = partial(is_last, settings.data_dir, ground.incarnation)
    keeper = LiveKeeper(LivePlans(settings.data_dir / LIVE, is_ours), ground.walked)
    changes = PlanChanges(
        metrics=DialplanMetrics(ground.registry),
        history=history,
        keeper=keeper,
        outgoing=outgoing,
        fallbacks=ground.fallbacks,
        link=ground.link,
        queues_due=ground.queues_due,
        names_due=ground.names_due,
        agents_due=ground.agents_due,
        handover=ground.handover,
        queues_ready=QueuesReady(ground.handover, members_due=ground.members_due, members_seen=ground.members_seen),
        tasks=ground.aside,
    )
    dialplans = prepare_dialplans(
        settings,
        database,
        ground.clock,
        ground.calls,
        changes,
        took_over=ground.place.has_waited,
        ahead=ground.made_ahead,
    )
    return dialplans, history, keeper, outgoing


def records_of(
    ground: Ground, dialplans: Dialplans, history: PlanHistory, keeper: LiveKeeper
) -> tuple[Records, EndedJournal]:
    """What is kept of what happens; and what Asterisk keeps of it until we have."""
    settings, database = ground.settings, ground.database
    journal = EndedJournal(
        ground.link,
        _plans_of(dialplans),
        settings.region,
        live=ground.calls.__contains__,
        known=partial(recorded_calls, database),
        listen=partial(recorded_in, settings.recordings_dir),
        shift=ground.shift,
        pbx=settings.pbx,
    )
    fact_journal = FactJournal(Writer(database), settings.data_dir / SPOOL)
    live_journal = LiveJournal(settings.data_dir / SPOOL, shift=ground.shift)
    records = Records(
        recorder=Recorder(
            database,
            settings.data_dir / SPOOL,
            on_durable=partial(_tell_safe, [journal.safe, fact_journal.safe, live_journal.safe]),
        ),
        fact_journal=fact_journal,
        live_journal=live_journal,
        message_rows=MessageRows(Writer(database)),
        history=history,
        keeper=keeper,
        observation=Observation(
            database,
            ground.clock.now,
            pbx=settings.pbx,
            formerly=ground.incarnation.formerly,
            on_taken_up=partial(renamed, settings.data_dir, ground.incarnation),
        ),
        trail=AuditTrail(database),
        agent_ids=AgentIds(database, partial(_agents_file, dialplans), due=ground.agents_due),
        board=BoardWatch(database, ground.clock.now),
        marks=MarksWatch(database),
        wishes=WishesWatch(database, ground.clock.now),
        today=TodayWatch(database, ground.clock.now),
        retention=RetentionWatch(database),
        fact_log=FactLog(),
        tasks=Tasks(ground.lifetime.died),
    )
    return records, journal


def unfinished_of(ground: Ground, dialplans: Dialplans, records: Records, journal: EndedJournal) -> UnfinishedCalls:
    """What is collected of calls that no engine saw to their end."""
    return UnfinishedCalls(
        ground.link,
        journal,
        records.live_journal,
        _plans_of(dialplans),
        live=ground.calls.__contains__,
        known=partial(recorded_calls, ground.database),
        listen=partial(recorded_in, ground.settings.recordings_dir),
        pbx=ground.settings.pbx,
    )


def _plans_of(dialplans: Dialplans) -> PlanLookup:
    return PlanLookup(by_version=dialplans.versions.find, by_did=dialplans.served.for_did)


def _agents_file(dialplans: Dialplans) -> bytes:
    """What the clients' folder says of agents, as it stands there."""
    return dialplans.served.catalogue.documents.get(AGENTS_FILE, b"")


def _tell_safe(journals: Sequence[Callable[[Sequence[str]], None]], call_ids: Sequence[str]) -> None:
    """These calls need no journal any more, Asterisk's or ours."""
    for safe in journals:
        safe(call_ids)

"""What keeps the engine at work, and what is measured of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from callrouter.app.collecting import Collecting
from callrouter.app.dialplans import Dialplans
from callrouter.app.pbx.named_queues import NamedQueues
from callrouter.app.pbx.watches import Watches
from callrouter.app.records import Records
from callrouter.app.telephony import Telephony
from callrouter.app.web_services import WebServices
from callrouter.app.wiring.calls import Placed
from callrouter.app.wiring.ground import Ground
from callrouter.app.wiring.kept import unfinished_of
from callrouter.asterisk.adoption.adopting import Adoption
from callrouter.asterisk.agents.roster import Roster
from callrouter.asterisk.journal import EndedJournal
from callrouter.asterisk.pbx.agent_watch import AgentWatch
from callrouter.asterisk.pbx.database_size import DatabaseSize
from callrouter.asterisk.pbx.frozen import FrozenWatch
from callrouter.asterisk.pbx.media_watch import MediaWatch
from callrouter.asterisk.pbx.queue_check import QueueCheck
from callrouter.asterisk.pbx.refused import RefusedCalls
from callrouter.asterisk.pbx.trunk_check import TrunkCheck
from callrouter.asterisk.switch import AsteriskSwitch
from callrouter.asterisk.teams.document import Teams
from callrouter.asterisk.transfers.control import CallControl
from callrouter.core.agents.preference import team_of
from callrouter.dispatch.listening import listen
from callrouter.metrics import EngineMetrics, Sources
from callrouter.metrics.staff import StaffNow, staff_now
from callrouter.metrics.waiting import WaitingNow, waiting_now
from callrouter.runtime.driver import Driver
from callrouter.runtime.listeners import Listeners
from callrouter.stream.feed import Feed


def watches_of(ground: Ground, dialplans: Dialplans, metrics: EngineMetrics, feed: Feed) -> Watches:
    """All of them."""
    link, link_up, handover = ground.link, ground.link_up, ground.handover
    return Watches(
        agents=AgentWatch(link, feed, ground.clock.now),
        queues=QueueCheck(
            link,
            lambda: dialplans.served.catalogue.plans,
            lambda: handover.teams or Teams(),
            due=ground.queues_due,
            link_up=link_up,
            pending=lambda: handover.is_pending,
            on_checked=metrics.queues_checked,
            on_different=handover.again,
        ),
        trunk=TrunkCheck(link, link_up=link_up, on_checked=metrics.trunk_checked),
        media=MediaWatch(
            link,
            ground.settings.media_timeout_seconds,
            link_up=link_up,
            on_ended=metrics.leg_vanished,
        ),
        database=DatabaseSize(link, link_up=link_up),
        refused=RefusedCalls(link, link_up=link_up, now=ground.clock.now),
        names=NamedQueues(handover, lambda: dialplans.served.plans, ground.calls, due=ground.names_due),
        frozen=FrozenWatch(link, link_up=link_up),
    )


def telephony_of(
    ground: Ground,
    dialplans: Dialplans,
    records: Records,
    journal: EndedJournal,
    listeners: Listeners,
    placed: Placed,
    watches: Watches,
    *,
    switch: AsteriskSwitch,
    driver: Driver,
    control: CallControl,
) -> Telephony:
    """What lives by the link."""
    return Telephony(
        ground.link,
        switch,
        driver,
        Adoption(
            ground.link,
            switch,
            driver,
            find=dialplans.versions.find,
            clock=ground.clock,
            tasks=ground.aside,
            shift=ground.shift,
            also=control.take_up,
        ),
        journal=journal,
        collecting=Collecting(
            unfinished_of(ground, dialplans, records, journal),
            tell=lambda ended: listeners.tell([ended]),
            link_up=ground.link_up,
            adopted=records.recorder.adopted,
        ),
        watches=watches,
        fallbacks=ground.fallbacks,
        callbacks=placed.callbacks,
        tellings=placed.tellings,
        listen=partial(listen, ground.database),
        plans=dialplans.served,
        observation=records.observation,
        clock=ground.clock,
        taken_over=ground.taken_over,
        tasks=ground.tasks,
        aside=ground.aside,
    )


def sources_of(
    ground: Ground,
    dialplans: Dialplans,
    records: Records,
    web_services: WebServices,
    watches: Watches,
    placed: Placed,
    *,
    roster: Roster,
    knows_agents: Callable[[], bool],
) -> Sources:
    """What metrics read when Prometheus asks."""

    def promised() -> dict[str, float]:
        return {client: plan.service_level.target for client, plan in dialplans.served.catalogue.plans.items()}

    def hears() -> bool:
        """Whether it is known which calls there are."""
        return ground.link_up() and ground.taken_over.is_set() and not watches.frozen.frozen

    def waiting() -> WaitingNow | None:
        if not hears():
            return None
        teams = {team_of(queue) for queue in roster.crew.queues}  # those in which nobody is rung, too
        live = [one.call for one in ground.calls]
        return waiting_now(live, ground.clock.now(), clients=dialplans.served.catalogue.plans, queues=sorted(teams))

    def staff() -> StaffNow | None:
        if not (hears() and knows_agents()):
            return None
        rung, calling_back = placed.callback_agents.at_work(placed.callbacks.outgoing_ids)
        return staff_now(
            [(agent, roster.standing(agent)) for agent in roster.crew.agents.values()],
            [one.call for one in ground.calls],
            rung=rung,
            calling_back=calling_back,
            phones_gone=roster.gone_since,
            reasons=roster.crew.pauses,
        )

    return Sources(
        leader=ground.link_up,
        live_calls=lambda: len(ground.calls),
        link_up=ground.link_up,
        frozen=lambda: watches.frozen.frozen,
        link=ground.link.counters,
        writer=records.recorder,
        notifications=lambda: web_services.asked.backlog,
        refused=lambda: watches.refused.by_client,
        callbacks=lambda: placed.callbacks.outcomes,
        callbacks_under_way=lambda: placed.callbacks.under_way,
        message_calls=lambda: placed.tellings.outcomes,
        message_calls_under_way=lambda: placed.tellings.under_way,
        tasks=lambda: len(asyncio.all_tasks()),
        database=lambda: watches.database.by_family,
        kept_calls=lambda: len(records.live_journal),
        journal_refused=lambda: records.live_journal.disk_refuses,
        board=lambda: records.board.seen,
        marks_wait_seconds=lambda: records.marks.seen,
        promised=promised,
        waiting=waiting,
        staff=staff,
        wishes=lambda: records.wishes.seen,
        today=lambda: records.today.seen,
        retention=lambda: records.retention.seen,
    )

"""How many series 800 clients are: all that one engine shows, each client with everything that can be."""

from __future__ import annotations

import subprocess
from collections import Counter

import pytest
from prometheus_client import CollectorRegistry

from callrouter.core.agents.standing import Agent, AgentState, Member, Standing
from callrouter.core.call import Call, Callback, DialAttempt, DialOutcome, Offer, OfferOutcome, QueueOutcome, replace
from callrouter.core.facts import CallEnded, CallTransferred, DialFinished, QueueEnded
from callrouter.core.service_level import Formula, ServiceCounts, ServiceLevelTarget
from callrouter.core.transfers.targets import KINDS, NUMBER
from callrouter.metrics import DialplanMetrics, EngineMetrics, Sources, exposition
from callrouter.metrics.staff import StaffNow, staff_now
from callrouter.metrics.waiting import WaitingNow, waiting_now
from callrouter.store.dispatch.board import BoardFigures
from callrouter.store.figures.today import ClientToday, Today
from callrouter.store.outgoing.watch import OUTCOMES, Wishes
from tests.api.stories import TUESDAY, after, answered, live

CLIENTS = [f"client-{number}" for number in range(800)]
TEAMS = [f"team-{number}" for number in range(20)]
DIAL = DialAttempt(target="on_call", started_at=after(12))
MOST_A_CLIENT = 37
"""Series of one client; those of its number (one for each presentation) included."""
MOST_OF_ALL = 2_500
"""Series that name no client: of 20 teams (84 each are the histogram of waits), of outcomes, of the process."""


def ended(client: str, number: int) -> Call:
    """A call with everything that is counted."""
    call = answered("1", client=client)
    offer = Offer(number=1, queue=TEAMS[number % 20], agent="anne", began_at=after(20), outcome=OfferOutcome.ANSWERED)
    wish = Callback(number="+33612340001", node="offer", asked_at=after(40))
    return replace(call, did=f"+3319900{number:04d}", offers=(offer,), callbacks=(wish,))


def waiting() -> WaitingNow:
    """A caller of every client."""
    calls = [replace(live(), client=client) for client in CLIENTS]
    return waiting_now(calls, after(60), clients=CLIENTS, queues=TEAMS)


def staff() -> StaffNow:
    """Each in every team."""
    places = tuple(Member(queue=team, log_in=True) for team in TEAMS)
    standing = Standing(state=AgentState.READY, since_at=TUESDAY, phone="101")
    agents = [(Agent(name=f"agent-{n}", title="", phone=f"1{n}", places=places), standing) for n in range(30)]
    return staff_now(agents, [], reasons=[f"reason {n}" for n in range(20)])


def today() -> Today:
    """Calls of every client."""
    counts = ServiceCounts(answered=3, abandoned=1, answered_within=2, abandoned_within=0, short_abandoned=0)
    own = ClientToday(received=5, counts=counts, promises={1: (Formula.STRICT, counts)})
    return Today(clients=dict.fromkeys(CLIENTS, own), gap_seconds=0.0)


@pytest.fixture
def registry() -> CollectorRegistry:
    """Of an engine that has seen everything."""
    registry = CollectorRegistry()
    metrics = EngineMetrics(registry, version="", target_of=lambda _: ServiceLevelTarget())
    files = DialplanMetrics(registry)
    files.loaded(complete=True, plans=800, issues=0, at_seconds=0.0, renamed=[(one, f"{one}-old") for one in CLIENTS])
    board = BoardFigures(attention=dict.fromkeys(CLIENTS, 1), overdue=0, waiting={"notification": 1})
    metrics.watch(
        Sources(
            live_calls=lambda: 800,
            promised=lambda: dict.fromkeys(CLIENTS, 0.8),
            waiting=waiting,
            staff=staff,
            today=today,
            wishes=lambda: Wishes(
                open=dict.fromkeys(CLIENTS, 1),
                oldest_seconds=dict.fromkeys(CLIENTS, 1.0),
                recent=dict.fromkeys(OUTCOMES, 1),
            ),
            board=lambda: board,
            refused=lambda: dict.fromkeys(CLIENTS, 1),
        )
    )
    for number, client in enumerate(CLIENTS):
        call = ended(client, number)
        metrics.observe([CallEnded(call=call)])
    for outcome in QueueOutcome:
        for team in TEAMS:
            visit = replace(call.queue_visits[0], queue=f"{team}.x1", outcome=outcome)
            metrics.observe([QueueEnded(call=call, visit=visit)])
    for kind in (*KINDS, NUMBER, ""):
        for announced in (False, True):
            metrics.observe([CallTransferred(call=call, by="anne", target="x", kind=kind, announced=announced)])
    for ended_as in DialOutcome:
        metrics.observe([DialFinished(call=call, dial=replace(DIAL, outcome=ended_as))])
    return registry


async def test_800_clients_are_so_many_series(registry: CollectorRegistry) -> None:
    page = (await exposition(registry)).decode()
    series = [line for line in page.splitlines() if not line.startswith("#")]
    of_clients = Counter('client="' in line or 'did="' in line for line in series)

    assert of_clients[True] <= MOST_A_CLIENT * len(CLIENTS)
    assert of_clients[False] <= MOST_OF_ALL
    assert len(set(series)) == len(series)
    assert "team-1.x1" not in page  # a derived queue is its team's


async def test_promtool_has_nothing_to_say_of_it(registry: CollectorRegistry) -> None:
    page = await exposition(registry)
    checked = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, check=False)  # noqa: ASYNC221

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")

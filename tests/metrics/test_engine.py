"""Figures: each journey counted once, with the right formula, and names that Prometheus accepts."""

from __future__ import annotations

import asyncio
import re
import subprocess
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from callrouter.api.status import WithoutNumberOut
from callrouter.core.call import (
    GIVEN_BACK,
    WITHOUT_NUMBER,
    Call,
    CallerId,
    Disposition,
    Offer,
    OfferOutcome,
    Visit,
    replace,
)
from callrouter.core.facts import (
    CallEnded,
    CallStarted,
    CallTransferred,
    DialFinished,
    Fact,
    InputRefused,
    MessageLeft,
    QueueEnded,
    TroubleMet,
)
from callrouter.core.service_level import ServiceCounts, ServiceLevelTarget, service_level
from callrouter.dialplan import UNKNOWN_CLIENT
from callrouter.metrics import DialplanMetrics, EngineMetrics, Sources, exposition
from tests.api.stories import abandoned, after, answered, live, message_left

VOLATILE = re.compile(rb"(process|python)_")
"""What differs between two looks."""
TARGET = ServiceLevelTarget(within_seconds=20, short_abandon_seconds=5)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> EngineMetrics:
    return EngineMetrics(registry, version="0.1.0", target_of=lambda _call: TARGET)


def facts(call: Call) -> list[Fact]:
    """What the engine concludes when that call ends."""
    return [
        *(QueueEnded(call=call, visit=visit) for visit in call.queue_visits),
        *(DialFinished(call=call, dial=dial) for dial in call.dials),
        *(MessageLeft(call=call, message=message) for message in call.messages),
        CallEnded(call=call),
    ]


def of(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"callrouter_{name}", {"client": "cabinet-moreau"} | labels)


def test_an_answered_call_moves_its_counters_by_one(metrics: EngineMetrics, registry: CollectorRegistry) -> None:
    metrics.observe([CallStarted(call=live())])
    metrics.observe(facts(answered("1", wait=8)))

    assert of(registry, "calls_total", disposition="answered") == 1
    assert of(registry, "calls_total", disposition="abandoned") == 0
    assert of(registry, "calls_offered_total") == 1
    assert of(registry, "calls_answered_total") == 1
    assert of(registry, "calls_answered_within_total") == 1
    assert of(registry, "calls_abandoned_total") == 0
    assert of(registry, "waiting_seconds_total") == 8
    assert of(registry, "talk_seconds_total") == 60
    queue = {"queue": "medical", "outcome": "answered"}
    assert registry.get_sample_value("callrouter_queue_waiting_seconds_sum", queue) == 8
    assert registry.get_sample_value("callrouter_queue_waiting_seconds_bucket", queue | {"le": "5.0"}) == 0
    assert registry.get_sample_value("callrouter_queue_waiting_seconds_bucket", queue | {"le": "10.0"}) == 1


@pytest.mark.parametrize(("wait", "short", "within"), [(4.9, 1, 1), (5, 0, 1), (20, 0, 1), (20.1, 0, 0)])
def test_an_abandoned_call_is_short_below_the_limit(
    metrics: EngineMetrics, registry: CollectorRegistry, wait: float, short: int, within: int
) -> None:
    metrics.observe(facts(abandoned("1", wait=wait)))

    assert of(registry, "calls_abandoned_total") == 1
    assert of(registry, "calls_short_abandoned_total") == short
    assert of(registry, "calls_abandoned_within_total") == within
    assert of(registry, "calls_answered_total") == 0


def test_the_counters_give_the_golden_service_level(metrics: EngineMetrics, registry: CollectorRegistry) -> None:
    """1,000 answered (860 within 20 s), 60 abandoned (20 within 20 s, 10 of them within 5 s): 81.90 %."""
    calls = [answered(f"a{n}", wait=10 if n < 860 else 30) for n in range(1000)]
    calls += [abandoned(f"b{n}", wait=3 if n < 10 else 15 if n < 20 else 40) for n in range(60)]
    metrics.observe([fact for call in calls for fact in facts(call)])

    def count(name: str) -> int:
        return int(of(registry, f"calls_{name}_total") or 0)

    counts = ServiceCounts(
        answered=count("answered"),
        abandoned=count("abandoned"),
        answered_within=count("answered_within"),
        abandoned_within=count("abandoned_within"),
        short_abandoned=count("short_abandoned"),
    )
    assert counts == ServiceCounts(
        answered=1000, abandoned=60, answered_within=860, abandoned_within=20, short_abandoned=10
    )
    assert f"{service_level(counts, TARGET.formula):.2%}" == "81.90%"
    assert count("answered") / count("offered") == 1000 / 1060


def test_received_is_the_sum_of_the_dispositions(metrics: EngineMetrics, registry: CollectorRegistry) -> None:
    for disposition in Disposition:
        metrics.observe([CallEnded(call=replace(live(), disposition=disposition))])

    assert [of(registry, "calls_total", disposition=one.value) for one in Disposition] == [1] * len(Disposition)


def test_a_message_after_a_dial_is_counted_as_such(metrics: EngineMetrics, registry: CollectorRegistry) -> None:
    metrics.observe(facts(message_left("1")))

    assert of(registry, "messages_total") == 1
    assert of(registry, "calls_offered_total") == 1
    assert of(registry, "calls_abandoned_total") == 0
    assert registry.get_sample_value("callrouter_dials_total", {"outcome": "no_answer"}) == 1


def test_offers_and_transfers_are_counted(metrics: EngineMetrics, registry: CollectorRegistry) -> None:
    """Offers and callers who came back with the call, by the team whose queue it was; transfers as they are made."""
    offer = Offer(number=1, queue="medical.x3f", agent="anne", began_at=after(20), outcome=OfferOutcome.RANG_OUT)
    offers = (offer, replace(offer, number=2, queue="medical", outcome=OfferOutcome.ANSWERED))
    back = Visit(node="secretaries", exit=GIVEN_BACK, because="bea is not there", at=after(60))
    call = replace(answered("1"), offers=offers, visits=(*live().visits, back))
    metrics.observe(
        [
            CallTransferred(call=live(), by="anne", target="102", kind="colleague"),
            CallTransferred(call=live(), by="anne", target="legal", kind="team", announced=True),
            CallTransferred(call=live(), by="anne", target="112", refusal="it is an emergency number"),
        ]
    )
    before = registry.get_sample_value("callrouter_offers_total", {"queue": "medical", "outcome": "rang_out"})
    metrics.observe([CallEnded(call=call)])

    def transfers(way: str, target: str, outcome: str) -> float | None:
        labels = {"way": way, "target": target, "outcome": outcome}
        return registry.get_sample_value("callrouter_transfers_total", labels)

    assert before is None
    for outcome in ("rang_out", "answered"):
        assert registry.get_sample_value("callrouter_offers_total", {"queue": "medical", "outcome": outcome}) == 1
    assert transfers("blind", "colleague", "done") == 1
    assert transfers("announced", "team", "done") == 1
    assert transfers("blind", "(other)", "refused") == 1
    assert registry.get_sample_value("callrouter_transfers_returned_total") == 1


def test_unknown_numbers_troubles_and_refusals_are_counted(metrics: EngineMetrics, registry: CollectorRegistry) -> None:
    unknown = replace(live(), client="unknown-did", disposition=Disposition.REJECTED)
    metrics.observe([InputRefused(call=live(), reason="late"), TroubleMet(call=live(), reason="sound")])
    metrics.observe([CallEnded(call=unknown)])

    assert registry.get_sample_value("callrouter_unknown_did_calls_total") == 1
    assert registry.get_sample_value("callrouter_inputs_refused_total") == 1
    assert registry.get_sample_value("callrouter_troubles_total") == 1


def test_clients_that_no_dialplan_has_share_one_label(registry: CollectorRegistry) -> None:
    metrics = EngineMetrics(registry, version="0.1.0", target_of=lambda _call: None)
    for n in range(50):
        metrics.observe([CallEnded(call=replace(live(), client=f"forged-{n}", disposition=Disposition.FAILED))])

    assert of(registry, "calls_total", client="(other)", disposition="failed") == 50
    assert b"forged" not in generate_latest(registry)


def test_dialplan_loads(registry: CollectorRegistry) -> None:
    metrics = DialplanMetrics(registry)
    metrics.loaded(complete=True, plans=4, issues=1, at_seconds=1000)
    metrics.loaded(complete=False, plans=4, issues=3, at_seconds=2000, refused=2, swapped=1, seconds=0.07)

    name = "callrouter_dialplan_"
    assert registry.get_sample_value(f"{name}last_reload_successful") == 0
    assert registry.get_sample_value(f"{name}last_reload_success_timestamp_seconds") == 1000
    assert registry.get_sample_value(f"{name}plans") == 4
    assert registry.get_sample_value(f"{name}issues") == 3
    assert registry.get_sample_value(f"{name}files_refused") == 2
    assert registry.get_sample_value(f"{name}plans_swapped_total") == 1
    assert registry.get_sample_value(f"{name}reload_seconds_bucket", {"le": "0.1"}) == 2

    metrics.loaded(complete=True, plans=4, issues=0, at_seconds=3000)
    metrics.failed()
    assert registry.get_sample_value(f"{name}last_reload_successful") == 0
    assert registry.get_sample_value(f"{name}last_reload_success_timestamp_seconds") == 3000


def watched(metrics: EngineMetrics) -> None:
    """With sources as the link and the recorder are."""
    link = SimpleNamespace(
        connections=3, failures=7, events_received=1000, events_dropped=900, actions_failed=2, results=50
    )
    writer = SimpleNamespace(
        backlog=5,
        memory_calls=2,
        memory_limit=50,
        disk_refuses=True,
        oldest_seconds=0.2,
        written_total=40,
        failed_total=1,
    )
    metrics.watch(
        Sources(live_calls=lambda: 12, link_up=lambda: True, link=link, writer=writer, journal_refused=lambda: False)
    )


def test_what_others_count_is_read_at_the_scrape(metrics: EngineMetrics, registry: CollectorRegistry) -> None:
    watched(metrics)

    expected = {
        "live_calls": 12,
        "ami_up": 1,
        "ami_reconnects_total": 2,
        "ami_connect_failures_total": 7,
        "ami_events_received_total": 1000,
        "ami_events_dropped_total": 900,
        "ami_command_results_total": 50,
        "ami_actions_failed_total": 2,
        "writer_backlog_calls": 5,
        "writer_oldest_seconds": 0.2,
        "writer_memory_calls": 2,
        "writer_memory_limit_calls": 50,
        "writer_disk_refuses": 1,
        "journal_disk_refuses": 0,
        "writer_written_calls_total": 40,
        "writer_failed_calls_total": 1,
    }
    assert {name: registry.get_sample_value(f"callrouter_{name}") for name in expected} == expected


def test_the_fast_histogram_says_what_prometheus_expects(metrics: EngineMetrics, registry: CollectorRegistry) -> None:
    for seconds in (0.0001, 0.00015, 0.3, 7.0):
        metrics.observe_round_trip(seconds)
    metrics.observe_decision(0.000012)

    name = "callrouter_control_round_trip_seconds"
    assert registry.get_sample_value(f"{name}_bucket", {"le": "0.0001"}) == 1
    assert registry.get_sample_value(f"{name}_bucket", {"le": "0.0002"}) == 2
    assert registry.get_sample_value(f"{name}_bucket", {"le": "1.0"}) == 3
    assert registry.get_sample_value(f"{name}_bucket", {"le": "+Inf"}) == 4
    assert registry.get_sample_value(f"{name}_count") == 4
    assert registry.get_sample_value(f"{name}_sum") == pytest.approx(7.30025)
    assert registry.get_sample_value("callrouter_decision_seconds_bucket", {"le": "2e-05"}) == 1


def test_promtool_has_nothing_to_say(metrics: EngineMetrics, registry: CollectorRegistry) -> None:
    watched(metrics)
    metrics.observe([*facts(answered("1")), *facts(abandoned("2")), *facts(message_left("3"))])
    metrics.observe_lookup("1", "answered", 0.2)

    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=generate_latest(registry), capture_output=True, check=False
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
    assert b"_created" not in generate_latest(registry)


async def test_the_page_is_what_prometheus_client_would_write(
    metrics: EngineMetrics, registry: CollectorRegistry
) -> None:
    watched(metrics)
    metrics.observe([*facts(answered("1")), *facts(replace(abandoned("2"), client='a"b\\c\nd'))])
    metrics.observe_decision(0.000012)

    page, expected = await exposition(registry), generate_latest(registry)

    assert [line for line in page.splitlines() if not VOLATILE.match(line)] == [
        line for line in expected.splitlines() if not VOLATILE.match(line)
    ]


async def test_a_scrape_of_800_clients_does_not_hold_up_live_calls(
    metrics: EngineMetrics, registry: CollectorRegistry
) -> None:
    for n in range(800):
        metrics.observe(facts(answered("1", client=f"client-{n}")))
    turns = 0
    scrape = asyncio.get_running_loop().create_task(exposition(registry))
    while not scrape.done():
        await asyncio.sleep(0)
        turns += 1

    # Each turn is a chance for live calls between two slices of the page; in one piece there would be one.
    assert scrape.result().count(b"\n") > 13_000
    assert turns > 50


def test_what_web_services_answer_is_counted(metrics: EngineMetrics, registry: CollectorRegistry) -> None:
    """By the operator's entry and by outcome; and how long it took."""
    metrics.observe_lookup("2", "answered", 0.15)
    metrics.observe_lookup("2", "failed", 3.0)
    metrics.watch(Sources(notifications=lambda: 7))

    value = registry.get_sample_value
    assert value("callrouter_lookups_total", {"service": "2", "outcome": "failed"}) == 1
    assert value("callrouter_lookup_seconds_bucket", {"le": "0.2"}) == 1
    assert value("callrouter_lookup_seconds_count") == 2
    assert value("callrouter_notifications_backlog") == 7


def test_calls_without_a_number_are_counted_by_the_number_dialled(
    metrics: EngineMetrics, registry: CollectorRegistry
) -> None:
    """By why there is none; a number that is shown counts too, for the share."""
    hidden = [replace(answered(f"n{why}"), caller=CallerId(presentation=why)) for why in WITHOUT_NUMBER]
    for call in (answered("1"), *hidden, replace(answered("2"), caller=CallerId(number=None))):
        metrics.observe([CallEnded(call=call)])
    metrics.observe([CallEnded(call=replace(answered("3"), client=UNKNOWN_CLIENT, did="+33100000000"))])

    def counted(did: str, presentation: str) -> float | None:
        labels = {"did": did, "presentation": presentation}
        return registry.get_sample_value("callrouter_did_calls_total", labels)

    did = hidden[0].did
    assert [counted(did, one) for one in ("allowed", "withheld", "unauthenticated", "unavailable")] == [1, 1, 1, 2]
    assert counted("(other)", "allowed") == 1
    assert counted("+33100000000", "allowed") is None
    (told,) = WithoutNumberOut.of(metrics.shown_numbers)
    assert (told.did, told.client, told.calls, told.without_number) == (did, "cabinet-moreau", 5, 4)

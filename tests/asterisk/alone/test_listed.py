"""Callers of a client's lists, whom Asterisk alone refuses, puts first, or sends elsewhere, as the tree does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from callrouter.asterisk.alone.ready_made import LISTED, lengths_of, ready_made, spelt
from callrouter.asterisk.journal import EndedJournal
from callrouter.asterisk.provision import Fallbacks
from callrouter.core.call import CallerId, Disposition, Presentation, replace
from callrouter.core.effects import Sound
from callrouter.core.facts import CallCorrected, CallEnded
from callrouter.core.nodes import CallerNode, QueueNode, RedirectNode, RejectNode
from callrouter.core.numbers import CallerList
from callrouter.core.plan import Plan
from callrouter.questions.alone import MOST_LISTED, AloneBy, callers_told_apart, known_callers, left_out, told
from tests.acceptance.raw_sip import heard
from tests.asterisk.alone.practice import PRACTICE, at
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import DID, EXTENSIONS, engine_room, until
from tests.asterisk.test_journal import lookup

VIP = CallerList(name="vip", numbers=frozenset({"+33612340009"}))
KNOWN = CallerList(name="known", numbers=frozenset({"+33899000077"}), prefixes=("+3361",))
UNWANTED = CallerList(name="unwanted", prefixes=("+338",), without_number=frozenset({Presentation.WITHHELD}))
FILTERS = CallerNode(
    name="filter",
    lists=(VIP, KNOWN, UNWANTED),
    exits={"list:vip": "first", "list:known": "line", "list:unwanted": "refuse", "otherwise": "days"},
)
PLAN = replace(
    PRACTICE,
    start="filter",
    nodes={
        **PRACTICE.nodes,
        "filter": FILTERS,
        "first": QueueNode(name="first", queue="medical", priority=9, max_wait_seconds=60, exits={"overflow": "bye"}),
        "line": RedirectNode(name="line", number="+33199000098", exits={"failed": "bye"}),
        "refuse": RejectNode(name="refuse", cause=17),
    },
)
MONDAY = at("2026-06-01 10:00")


@pytest.mark.parametrize(
    ("caller", "gets"),
    [
        (CallerId(number="+33712340009"), "queue:reception"),
        (CallerId(number="+33612340009"), "queue:medical"),
        (CallerId(number="+33612340008"), "number:+33199000098"),
        (CallerId(number="+33899000077"), "number:+33199000098"),
        (CallerId(number="+33899000078"), "refused"),
        (CallerId(presentation=Presentation.WITHHELD), "refused"),
        (CallerId(presentation=Presentation.UNAVAILABLE), "queue:reception"),
    ],
)
def test_callers_of_lists_get_what_the_tree_gives_them(caller: CallerId, gets: str) -> None:
    """Though a fallback is declared for all others."""
    assert str(AloneBy(PLAN, DID).at(MONDAY, caller)) == gets


def test_each_entry_that_makes_a_difference_is_published() -> None:
    """The more exact ones of a beginning, too, or it would have them."""
    told_apart = callers_told_apart(PLAN, AloneBy(PLAN, DID), MONDAY, MONDAY + timedelta(days=2))

    assert [one.entry for one in told_apart] == ["+338*", "+3361*", "withheld", "+33612340009", "+33899000077"]


def test_numbers_are_looked_up_by_the_digits_that_a_trunk_may_send() -> None:
    """Beginnings by their length, the longest first."""
    found = spelt({"+33612340009": "a", "+338*": "b", "withheld": "c", "+44*": "d"}, "FR")

    assert found == {
        "33612340009": "a",
        "0612340009": "a",
        "338*": "b",
        "08*": "b",
        "withheld": "c",
        "44*": "d",
    }
    assert lengths_of(found) == "3.2"


def with_list(entries: CallerList) -> Plan:
    """Whose first list is this one."""
    filters = replace(FILTERS, lists=(entries, KNOWN, UNWANTED), line=12)
    return replace(PLAN, source="practice.yaml", nodes={**PLAN.nodes, "filter": filters})


def test_lists_of_thousands_are_cut_and_that_is_said() -> None:
    """Asterisk's database is no telephone book: `check` warns, at the node that asks, and `show --alone` tells."""
    plan = with_list(replace(VIP, numbers=frozenset(f"+336{number:08}" for number in range(MOST_LISTED + 50))))
    said = "54 of the numbers and beginnings in lists are served as all others when no engine is there"

    assert len(ready_made(plan, MONDAY).lists["test"]) == MOST_LISTED
    assert [str(one) for one in left_out([plan, PLAN], MONDAY)] == [
        f'practice.yaml:12: warning: node "filter": {said}: Asterisk alone is told of {MOST_LISTED} at most'
    ]
    assert [*told(plan, MONDAY, days=0)][-1].strip().startswith(said)
    assert not any(said in line for line in told(PLAN, MONDAY, days=0))


def test_a_beginning_without_room_for_its_exceptions_is_left_out() -> None:
    """Those of them that are not told of would be refused, whom the tree does not refuse."""
    plan = with_list(replace(VIP, numbers=frozenset(f"+338{number:08}" for number in range(MOST_LISTED))))
    kept, _ = known_callers(plan, AloneBy(plan, DID), MONDAY, MONDAY + timedelta(days=2))

    assert "+338*" not in [one.entry for one in kept]
    assert "+3361*" in [one.entry for one in kept]


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk with callers of its own, and lines that wait for agents."""
    queues = "\n".join(f"[{name}](team)\njoinempty = yes\nleavewhenempty = no" for name in ("medical", "reception"))
    extra = {"extensions": EXTENSIONS, "queues": queues}
    with Pbx.start(tmp_path_factory.mktemp("listed") / "pbx", admission_seconds=0.2, extra_conf=extra) as running:
        running.cli("module load res_clioriginate.so")
        yield running
        running.cli("channel request hangup all")


async def publish(pbx: Pbx, plan: Plan) -> None:
    async with engine_room(pbx, plan) as room:
        shift = MONDAY - datetime.now(UTC)
        fallbacks = Fallbacks(room.link, "FR", now=lambda: MONDAY, shift=shift)
        await fallbacks.publish([plan], complete=True, afresh=True)
        await room.link.send("Ping")


async def final(pbx: Pbx, sender: str) -> int:
    """The final answer to a call."""
    where = (pbx.sip_host, pbx.sip_port)
    return max(await asyncio.to_thread(heard, where, DID, sender.encode()))


async def test_asterisk_alone_does_by_its_callers_as_the_tree(pbx: Pbx) -> None:
    """Whom the tree refuses is refused however the trunk sends the number; others wait; who goes first does."""
    await publish(pbx, PLAN)
    refused = [
        await final(pbx, f"<sip:{number}@127.0.0.1>")
        for number in ("+33899000001", "33899000001", "0033899000001", "0899000001")
    ]
    hidden = await final(pbx, '"Anonymous" <sip:anonymous@anonymous.invalid>')
    others = [await final(pbx, f"<sip:{number}@127.0.0.1>") for number in ("+33712340009", "0712340009")]
    pbx.cli(f"channel originate Local/visible{DID}@test-caller/n extension listen@test-caller")
    await until(lambda: "prio: 9" in pbx.cli("queue show medical"), 5)

    assert (refused, hidden, others) == ([486] * 4, 486, [200] * 2)


async def test_who_was_refused_is_recorded_as_refused(pbx: Pbx) -> None:
    """By the next engine."""
    pbx.cli("database deltree callrouter/ended")
    await publish(pbx, PLAN)
    await final(pbx, "<sip:+33899000001@127.0.0.1>")
    facts: list[CallEnded | CallCorrected] = []
    async with engine_room(pbx, PLAN) as room:
        journal = EndedJournal(room.link, lookup(PLAN), "FR", live=lambda _: False)
        journal.safe(await journal.collect(facts.append))

    found = [fact.call for fact in facts if fact.call.caller.number == "+33899000001"]
    assert [call.disposition for call in found] == [Disposition.REJECTED]


async def test_who_is_refused_with_a_sentence_hears_it(pbx: Pbx) -> None:
    """And is recorded as refused."""
    pbx.cli("database deltree callrouter/ended")
    rude = RejectNode(name="refuse", cause=17, sounds=(Sound(file="vm-goodbye", seconds=1.0),))
    await publish(pbx, replace(PLAN, nodes={**PLAN.nodes, "refuse": rude}))
    answered = await final(pbx, "<sip:+33899000001@127.0.0.1>")
    await until(lambda: "|+33899000001|refused|" in pbx.cli("database show callrouter/ended"), 5)

    assert answered == 200
    assert ": refused:17:vm-goodbye" in pbx.cli(f"database show {LISTED}test")


async def test_who_is_taken_off_a_list_is_refused_no_more(pbx: Pbx) -> None:
    """Also by an engine that did not see the list before."""
    await publish(pbx, PLAN)
    before = await final(pbx, "<sip:+33899000001@127.0.0.1>")
    nobody = replace(UNWANTED, prefixes=())
    await publish(pbx, replace(PLAN, nodes={**PLAN.nodes, "filter": replace(FILTERS, lists=(VIP, KNOWN, nobody))}))
    after = await final(pbx, "<sip:+33899000001@127.0.0.1>")
    rows = pbx.cli(f"database show {LISTED}test")
    await publish(pbx, PRACTICE)
    without = await final(pbx, "<sip:+33612340009@127.0.0.1>")

    assert (before, after, without) == (486, 200, 200)
    assert "/338*" not in rows
    assert "/33612340009" in rows


def test_show_names_them() -> None:
    """As its telephones do."""
    said = [line.strip() for line in told(PLAN, MONDAY, days=0)]

    assert "+338*: Mon 2026-06-01 12:00  refused, cause 17" in said
    assert "+33612340009: Mon 2026-06-01 12:00  queue medical, priority 9" in said

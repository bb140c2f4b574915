"""Events that are lost, doubled or out of order, in recorded calls: the laws of the record hold, and every call ends.

AMI itself loses none within a session, and keeps the order of one of Asterisk's threads; several threads tell of one
call, and a link may be cut. What an event told that was lost nobody can say: who answered unheard has not answered, by
the record. But one call is one journey with one disposition, what was entered was left, nothing counts twice, and
nothing stays open.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callrouter.asterisk import codec
from callrouter.asterisk.journal import EndedJournal
from callrouter.asterisk.switch import EVENTS
from callrouter.core import facts
from callrouter.core.call import Call, CallState, Disposition, QueueOutcome
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import DID, EXTENSIONS, engine_room, until
from tests.asterisk.replaying import PLANS, QUEUE, RECORDINGS, blocks_of, replayed
from tests.asterisk.test_journal import MENU_PLAN, lookup

HEARD = frozenset(name.encode() for name in EVENTS) | {b"AsyncAGIExec"}


@cache
def stream(recording: Path) -> tuple[bytes, ...]:
    """The events of a recording that anybody listens to: of the others nothing depends on what becomes of them."""
    return tuple(block for block in blocks_of(recording) if name_of(block) in HEARD)


def name_of(block: bytes) -> bytes:
    return codec.field(b"\r\n" + block, b"\r\nEvent: ")


def mutilated(blocks: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Each event removed, each doubled, each two that follow each other swapped."""
    for at in range(len(blocks)):
        yield [*blocks[:at], *blocks[at + 1 :]]
        yield [*blocks[: at + 1], *blocks[at:]]
    for at in range(len(blocks) - 1):
        yield [*blocks[:at], blocks[at + 1], blocks[at], *blocks[at + 2 :]]


def holds(blocks: Sequence[bytes], recording: Path) -> None:
    """All laws, of one stream."""
    heard, _ = replayed(blocks, PLANS.get(recording.stem, QUEUE), conclude=True)
    begun = {fact.call.call_id for fact in heard.facts if isinstance(fact, facts.CallStarted)}

    assert Counter(call.call_id for call in heard.ended) == Counter(begun)
    for call in heard.ended:
        assert call.disposition is not None
        is_balanced(call)
        counts_once(call, [fact for fact in heard.facts if fact.call.call_id == call.call_id])
        rang_at_most(call, blocks)


def is_balanced(call: Call) -> None:
    """What was entered was left, as it says."""
    for visit in call.queue_visits:
        assert visit.left_at is not None
        assert visit.left_at >= visit.entered_at
        assert (visit.outcome is QueueOutcome.ANSWERED) == (visit.answered_at is not None)
    assert all(dial.ended_at is not None and dial.outcome is not None for dial in call.dials)
    assert all(offer.outcome is not None and offer.ended_at is not None for offer in call.offers)
    assert all(not leg.open and leg.ended_at is not None for leg in call.legs)


def counts_once(call: Call, told: Sequence[facts.Fact]) -> None:
    """No offer, leg, queue or conversation is told twice as new."""
    made = [fact.offer.number for fact in told if isinstance(fact, facts.OfferMade)]
    over = [fact.leg.number for fact in told if isinstance(fact, facts.LegEnded)]
    kinds = Counter(type(fact) for fact in told)

    assert made == [offer.number for offer in call.offers] == [*range(1, len(call.offers) + 1)]
    assert len(over) == len(set(over))
    assert [leg.number for leg in call.legs] == [*range(1, len(call.legs) + 1)]
    assert kinds[facts.QueueEntered] == kinds[facts.QueueEnded] == len(call.queue_visits)
    assert kinds[facts.Bridged] <= sum(1 for leg in call.legs if leg.answered_at)
    assert kinds[facts.CallEnded] == 1


def rang_at_most(call: Call, blocks: Sequence[bytes]) -> None:
    """No more offers than telephones that rang, and no more legs."""
    rung = {codec.field(block, b"\r\nDestUniqueid: ") for block in blocks if name_of(block).startswith(b"Agent")}
    assert len(call.offers) <= len(rung)
    assert len({offer.leg for offer in call.offers}) == len(call.offers)
    # Of a queue that was not ours (the fallback's) there may be offers without a visit.
    assert sum(visit.offers for visit in call.queue_visits) <= len(call.offers)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
async def test_one_event_lost_doubled_or_late(recording: Path) -> None:
    """Whichever it is."""
    for blocks in mutilated(stream(recording)):
        holds(blocks, recording)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
@settings(max_examples=30)
@given(data=st.data())
def test_any_of_them_at_once(recording: Path, data: st.DataObject) -> None:
    """Several at a time: some lost, some doubled, some far too late."""
    blocks = list(stream(recording))
    for _ in range(data.draw(st.integers(1, 8))):
        if not blocks:
            break
        at = data.draw(st.integers(0, len(blocks) - 1))
        to = data.draw(st.integers(0, len(blocks)))
        match data.draw(st.sampled_from(("lost", "doubled", "late"))):
            case "lost":
                del blocks[at]
            case "doubled":
                blocks.insert(to, blocks[at])
            case _:
                blocks.insert(to, blocks.pop(at))

    async def run() -> None:
        holds(blocks, recording)

    asyncio.run(run())


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk that callers can be made on."""
    with Pbx.start(tmp_path_factory.mktemp("lost") / "pbx", extra_conf={"extensions": EXTENSIONS}) as running:
        running.cli("module load res_clioriginate.so")
        yield running


DEAF_TO = (b"Hangup", b"HangupRequest", b"AsyncAGIEnd")


async def test_a_call_whose_end_was_lost_ends_by_asterisks_journal(pbx: Pbx) -> None:
    """No call stays open for ever: its row is found twice, and its channel is no more."""
    async with engine_room(pbx, MENU_PLAN) as room:
        journal = EndedJournal(room.link, lookup(MENU_PLAN), "FR", live=room.calls.__contains__)
        journal.tells(room.switch.end_overlooked)
        await room.call()
        await room.reached(lambda call: call.state is CallState.COLLECTING)
        heard = dict(room.link._events)
        room.link._events.update(dict.fromkeys(DEAF_TO, lambda _: None))
        ended_at = room.driver._clock.now()
        pbx.cli("channel request hangup all")
        await until(lambda: "0 active channels" in pbx.cli("core show channels count"), 5)
        await asyncio.sleep(0.2)
        room.link._events.update(heard)
        found = [await journal.collect(lambda _: None) for _ in range(2)]
        call = await room.the_end(1)
        journal.safe([call.call_id])

    assert found == [[], []]
    assert len(room.ended) == 1
    assert call.disposition is Disposition.LEFT_EARLY
    assert call.clocks.ended_at is not None
    assert abs((call.clocks.ended_at - ended_at).total_seconds()) < 1.5


async def test_a_row_of_a_call_that_lives_ends_nobody(pbx: Pbx) -> None:
    """After an attended transfer another channel of the call may have written it."""
    async with engine_room(pbx, MENU_PLAN) as room:
        journal = EndedJournal(room.link, lookup(MENU_PLAN), "FR", live=room.calls.__contains__)
        journal.tells(room.switch.end_overlooked)
        await room.call()
        call = await room.reached(lambda call: call.state is CallState.COLLECTING)
        row = f"v2|{int(time.time())}|16|{DID}|a||taken|||////|"
        await room.link.send("DBPut", {"Family": "callrouter/ended", "Key": call.call_id, "Val": row})
        for _ in range(3):
            await journal.collect(lambda _: None)
        lives = len(room.live)
        pbx.cli("channel request hangup all")
        await room.the_end()
        journal.safe([call.call_id])

    assert lives == 1

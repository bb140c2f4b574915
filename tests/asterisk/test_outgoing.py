"""Outgoing calls on a real Asterisk: each half, how it ends, and what is left of it without an engine."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from callrouter.asterisk.batch import Batch, Headers
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.asterisk.log_in import AmiAddress
from callrouter.asterisk.pbx.outgoing import OutgoingCalls
from callrouter.asterisk.pbx.placed_calls import channel_ids
from callrouter.asterisk.session import OnEvent
from callrouter.core.call import DialOutcome
from callrouter.errors import ActionFailed
from callrouter.outgoing.order import Order, Outcome, Progress, Purpose, outcome_of
from callrouter.runtime.tasks import Tasks
from deploy.demo.carrier import Carrier, Habit
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import EXTENSIONS, QUEUES, until
from tests.patience import START_SECONDS

ANSWERS, BUSY, RINGS, NOBODY = "+33639980001", "+33639980003", "+33639980004", "+33639980099"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk with telephones of its own."""
    extra = {"extensions": EXTENSIONS, "queues": QUEUES}
    with Pbx.start(tmp_path_factory.mktemp("outgoing") / "pbx", extra_conf=extra) as running:
        yield running


@asynccontextmanager
async def linked(pbx: Pbx, dial: str = "Local/{number}@test-phone/n") -> AsyncIterator[OutgoingCalls]:
    """An engine's link, and nothing else of it."""
    tasks = Tasks()
    link = AmiLink(AmiAddress(host=pbx.ami_host, port=pbx.ami_port, username=pbx.ami_user, secret=pbx.ami_secret))
    tasks.start(link.run(), "link")
    try:
        await until(lambda: link.state is LinkState.UP, START_SECONDS)
        yield OutgoingCalls(link, dial_pattern=dial)
    finally:
        await link.close()
        await tasks.stop()


def order(number: str = ANSWERS, queue: str = "slow", **other: object) -> Order:
    """A callback."""
    values: dict[str, object] = {
        "outgoing_id": f"{int(time.time())}-{next(_numbers):04d}",
        "purpose": Purpose.CALLBACK,
        "client": "cabinet-moreau",
        "number": number,
        "shown": "+33199000010",
        "did": "+33199000010",
        "queue": queue,
        "priority": 0,
        "position": 1,
        "wait_seconds": 20.0,
        "ring_seconds": 2.0,
    }
    return Order(**(values | other))  # type: ignore[arg-type]


async def seen(outgoing: OutgoingCalls, outgoing_id: str, what: Callable[[Progress], bool], seconds: float) -> Progress:
    """How far a call is, once it is so far."""
    deadline = time.monotonic() + seconds
    while True:
        found = (await outgoing.progress()).get(outgoing_id)
        if found is not None and what(found):
            return found
        assert time.monotonic() < deadline, f"in {seconds} s it came only as far as {found}"


async def test_the_agent_takes_it_and_then_the_caller_is_rung(pbx: Pbx) -> None:
    """Not before; and all of it is written down."""
    pbx.cli("dialplan set global TALK 3")
    async with linked(pbx) as outgoing:
        one = order()
        await outgoing.place(one)
        waiting = await seen(outgoing, one.outgoing_id, lambda it: it.waits_since is not None, 5)
        assert waiting.rung_at is None
        assert f"Local/{ANSWERS}" not in pbx.cli("core show channels concise")
        talking = await seen(outgoing, one.outgoing_id, lambda it: it.answered_at is not None, 9)
        assert not talking.complete
        over = await seen(outgoing, one.outgoing_id, lambda it: it.complete, 9)

        assert outcome_of(over, withdrawn=False) is Outcome.ANSWERED
        assert over.agent == "agent-slow"
        assert over.dialled is DialOutcome.ANSWERED
        await outgoing.forget([one.outgoing_id])
        assert one.outgoing_id not in await outgoing.progress()


@pytest.mark.parametrize(
    ("number", "outcome"), [(BUSY, Outcome.BUSY), (RINGS, Outcome.NO_ANSWER), (NOBODY, Outcome.UNAVAILABLE)]
)
async def test_whom_it_is_for_does_not_answer(pbx: Pbx, number: str, outcome: Outcome) -> None:
    """Busy, no answer within the time, and no such number."""
    pbx.cli("dialplan set global TALK 30")
    async with linked(pbx) as outgoing:
        one = order(number)
        await outgoing.place(one)
        over = await seen(outgoing, one.outgoing_id, lambda it: it.complete, 15)

    assert outcome_of(over, withdrawn=False) is outcome
    assert over.answered_at is None
    assert over.agent == "agent-slow"


async def test_by_which_carrier_they_were_rung_is_known(tmp_path: Path) -> None:
    """Of who answered, and, with the network's answer, of who was busy."""
    carrier = await Carrier.open({ANSWERS: Habit.ANSWERS, BUSY: Habit.BUSY})
    extra = {"extensions": EXTENSIONS, "queues": QUEUES}
    with Pbx.start(tmp_path / "pbx", carrier=carrier.contact, extra_conf=extra) as pbx:
        pbx.cli("dialplan set global TALK 30")
        try:
            async with linked(pbx, "PJSIP/{number}@trunk-out") as outgoing:
                answered, busy = order(ANSWERS), order(BUSY)
                await outgoing.place(answered)
                talking = await seen(outgoing, answered.outgoing_id, lambda it: it.answered_at is not None, 9)
                carrier.hang_up()
                talked = await seen(outgoing, answered.outgoing_id, lambda it: it.complete, 9)
                await outgoing.place(busy)
                refused = await seen(outgoing, busy.outgoing_id, lambda it: it.complete, 15)
        finally:
            await carrier.close()

    assert (talking.trunk, talked.trunk, talked.sip, talked.hangup_cause) == ("trunk-out", "trunk-out", 0, 16)
    assert (refused.trunk, refused.sip, refused.hangup_cause) == ("trunk-out", 486, 17)


async def test_nobody_takes_it(pbx: Pbx) -> None:
    """The queue gives up: whom it is for was never rung."""
    async with linked(pbx) as outgoing:
        one = order(queue="quiet", wait_seconds=1.0)
        await outgoing.place(one)
        over = await seen(outgoing, one.outgoing_id, lambda it: it.complete, 9)

    assert outcome_of(over, withdrawn=False) is Outcome.NOBODY_FREE
    assert over.rung_at is None


async def test_it_goes_on_without_an_engine(pbx: Pbx) -> None:
    """Taken, rung and answered while none is there; the next one reads what became of it."""
    pbx.cli("dialplan set global TALK 2")
    async with linked(pbx) as outgoing:
        one = order()
        await outgoing.place(one)
    await until(lambda: f"{one.outgoing_id}/far" in pbx.cli("database show callrouter/outgoing"), 9)
    await until(lambda: "0 active channels" in pbx.cli("core show channels count"), 12)
    async with linked(pbx) as outgoing:
        assert not await outgoing.lives(one.outgoing_id)
        found = (await outgoing.progress())[one.outgoing_id]

    assert outcome_of(found, withdrawn=False) is Outcome.ANSWERED


async def test_nothing_is_originated_twice(pbx: Pbx) -> None:
    """Neither while it waits, nor when it is over."""
    async with linked(pbx) as outgoing:
        one = order(queue="quiet", wait_seconds=3.0)
        await outgoing.place(one)
        began = await seen(outgoing, one.outgoing_id, lambda it: it.waits_since is not None, 5)
        await outgoing.place(one)
        assert await outgoing.lives(one.outgoing_id)
        assert (await outgoing.progress())[one.outgoing_id].waits_since == began.waits_since
        entries = pbx.cli("queue show quiet")
        assert entries.count("Local/") == 1, entries
        over = await seen(outgoing, one.outgoing_id, lambda it: it.complete, 9)
        await outgoing.place(one)
        await until(lambda: "0 active channels" in pbx.cli("core show channels count"), 5)

        assert (await outgoing.progress())[one.outgoing_id] == over
        assert not await outgoing.lives(one.outgoing_id)


async def test_it_is_hung_up_by_its_id(pbx: Pbx) -> None:
    """While it waits, and while whom it is for is rung."""
    pbx.cli("dialplan set global TALK 30")
    async with linked(pbx) as outgoing:
        waits, rings = order(queue="quiet"), order(RINGS, ring_seconds=30.0)
        await outgoing.place(waits)
        await outgoing.place(rings)
        await seen(outgoing, waits.outgoing_id, lambda it: it.waits_since is not None, 5)
        await seen(outgoing, rings.outgoing_id, lambda it: it.rung_at is not None, 9)
        for one in (waits, rings):
            await outgoing.hang_up(one.outgoing_id)
            over = await seen(outgoing, one.outgoing_id, lambda it: it.complete, 5)
            assert outcome_of(over, withdrawn=True) is Outcome.WITHDRAWN
        await until(lambda: "0 active channels" in pbx.cli("core show channels count"), 5)


async def test_it_has_the_place_that_was_asked_for(pbx: Pbx) -> None:
    """Before those who came later, after those who were there."""
    async with linked(pbx) as outgoing:
        placed = [order(queue="quiet", wait_seconds=6.0) for _ in range(3)]
        for one, position in zip(placed, (1, 2, 2), strict=True):
            one = Order(**{name: getattr(one, name) for name in one.__struct_fields__} | {"position": position})
            await outgoing.place(one)
            await seen(outgoing, one.outgoing_id, lambda it: it.waits_since is not None, 5)
        shown = pbx.cli("queue show quiet")
        where = [shown.index(f"Local/{one.outgoing_id}@") for one in placed]
        for one in placed:
            await outgoing.hang_up(one.outgoing_id)

    assert where[0] < where[2] < where[1], shown


async def test_a_queue_that_is_not_there(pbx: Pbx) -> None:
    """Nobody takes it, and nobody is rung."""
    async with linked(pbx) as outgoing:
        one = order(queue="no-such-queue")
        await outgoing.place(one)
        over = await seen(outgoing, one.outgoing_id, lambda it: it.complete, 5)

    assert outcome_of(over, withdrawn=False) is Outcome.NOBODY_FREE


async def test_only_an_order_is_carried_out(pbx: Pbx) -> None:
    """An id without an order does nothing; no other way in is there."""
    async with linked(pbx) as outgoing:
        link = outgoing._link
        near, _ = channel_ids("17-1")
        headers = {"Channel": "Local/17-1@callrouter-outgoing/n", "Context": "callrouter-outgoing-far", "Exten": "17-1"}
        await link.send("Originate", {**headers, "Priority": "1", "Async": "true", "OtherChannelId": near})
        await until(lambda: "0 active channels" in pbx.cli("core show channels count"), 5)
        assert "17-1" not in pbx.cli("database show callrouter/outgoing")
        with pytest.raises(ActionFailed):
            await link.send("Originate", {**headers, "Exten": "s", "Priority": "1", "Async": "true"})


class Refusing:
    """A link at whose other end every action fails."""

    def __init__(self, text: str) -> None:
        self.text = text

    def tells(self, *, events: Mapping[str, OnEvent]) -> None:
        """Nothing happens."""

    def batch(self) -> Batch:
        """Nobody asks for one here."""
        raise NotImplementedError

    def send(self, name: str, headers: Headers = ()) -> asyncio.Future[AmiMessage]:
        """Refuse."""
        return self._failed()

    def collect(self, name: str, headers: Headers = ()) -> asyncio.Future[list[AmiMessage]]:
        """Refuse."""
        return self._failed()

    def _failed(self) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        answer.set_exception(ActionFailed(self.text))
        return answer


async def test_an_empty_database_is_no_failure() -> None:
    """Asterisk may answer it with an error, of one text only."""
    outgoing = OutgoingCalls(Refusing("Database entry not found"), dial_pattern="PJSIP/{number}")

    assert await outgoing.progress() == {}
    await outgoing.forget(["1795400000-1"])


@pytest.mark.parametrize("text", ["Permission denied", "Invalid/unknown command: DBGetTree."])
async def test_what_asterisk_does_not_say_is_not_nothing(text: str) -> None:
    """Whoever took it for nothing would place every call anew."""
    outgoing = OutgoingCalls(Refusing(text), dial_pattern="PJSIP/{number}")

    with pytest.raises(ActionFailed, match=text[:10]):
        await outgoing.progress()
    with pytest.raises(ActionFailed, match=text[:10]):
        await outgoing.forget(["1795400000-1"])

"""What is read back: pages of calls and messages, the figures, plans and gaps."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace as replace_plan
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from callrouter.core.call import Call, Clocks, Disposition, replace
from callrouter.core.service_level import Formula, ServiceLevelTarget
from callrouter.store.calls import find_call, list_calls
from callrouter.store.database import Database
from callrouter.store.gaps import close_gap, gaps_between, open_gap
from callrouter.store.messages import list_messages
from callrouter.store.paging import CursorError, encode_cursor
from callrouter.store.plans import StoredPlan, find_plan, remember_plan
from callrouter.store.stats import read_stats
from callrouter.store.writer import Writer

MakeCall = Callable[..., Call]
Write = Callable[[list[Call]], Awaitable[None]]
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture
def write(database: Database) -> Write:
    """Puts calls into the database."""

    async def put(calls: list[Call]) -> None:
        writer = Writer(database)
        assert await writer.write(calls) == []
        writer.close()

    return put


async def test_pages_hold_every_call_once_though_calls_come_meanwhile(
    database: Database, make_call: MakeCall, write: Write
) -> None:
    """Newest first; many in one instant; new ones do not shift what follows."""
    calls = [make_call(number, ringing_at=MONDAY + timedelta(seconds=number // 4)) for number in range(25)]
    await write(calls)
    seen: list[Call] = []
    cursor = None
    for page_number in range(10):
        page = await list_calls(database, limit=7, cursor=cursor)
        seen += page.calls
        await write([make_call(1000 + page_number, ringing_at=TUESDAY)])
        if (cursor := page.next_cursor) is None:
            break

    assert sorted(calls, key=lambda call: (call.clocks.ringing_at, call.call_id), reverse=True) == seen


async def test_calls_are_filtered(database: Database, make_call: MakeCall, write: Write) -> None:
    """By client, disposition and time: from included, to not."""
    await write(
        [
            make_call(1),
            make_call(2, client="etude-lenoir"),
            make_call(3, disposition=Disposition.ABANDONED),
            make_call(4, ringing_at=TUESDAY),
        ]
    )

    async def ids(**filters: object) -> list[str]:
        return [call.call_id[-1] for call in (await list_calls(database, **filters)).calls]  # type: ignore[arg-type]

    assert await ids() == ["4", "3", "2", "1"]
    assert await ids(client="etude-lenoir") == ["2"]
    assert await ids(disposition=Disposition.ABANDONED) == ["3"]
    assert await ids(from_at=MONDAY + timedelta(seconds=2), to_at=TUESDAY) == ["3", "2"]
    assert await ids(from_at=TUESDAY) == ["4"]
    assert await ids(client="nobody") == []


async def test_a_call_nobody_made(database: Database) -> None:
    """None, for odd names too."""
    assert await find_call(database, "nothing") is None
    assert await find_call(database, "\x00") is None


async def test_messages_are_paged(database: Database, make_call: MakeCall, write: Write) -> None:
    """Newest first, several of one call too."""
    first = make_call(1)
    await write([replace(first, messages=first.messages * 2), make_call(2), make_call(3, client="etude-lenoir")])

    page = await list_messages(database, limit=2)
    rest = await list_messages(database, limit=2, cursor=page.next_cursor)

    places = [(message.call_id[-1], message.position) for message in page.messages + rest.messages]
    assert places == [("3", 1), ("2", 1), ("1", 2), ("1", 1)]
    assert rest.next_cursor is None
    assert [m.recording for m in (await list_messages(database, client="etude-lenoir")).messages] == ["rec-3"]
    assert (await list_messages(database, from_at=TUESDAY)).messages == []


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nonsense",
        "é",
        "W10",
        "aaaaa",
        "bnVsbA",
        "WyIyMDI2LTAxLTAxIiwgImEiXQ",
        encode_cursor(MONDAY),
        encode_cursor(MONDAY, 5),
        encode_cursor(MONDAY, "a\x00"),
    ],
)
async def test_a_foreign_cursor_is_refused(database: Database, cursor: str) -> None:
    """With a sentence, before the database sees it."""
    with pytest.raises(CursorError, match="ask without one"):
        await list_calls(database, cursor=cursor)


async def test_a_cursor_of_another_list_is_refused(database: Database) -> None:
    """That of calls names no message."""
    with pytest.raises(CursorError):
        await list_messages(database, cursor=encode_cursor(MONDAY, "call-1"))
    with pytest.raises(CursorError):
        await list_messages(database, cursor=encode_cursor(MONDAY, "call-1", 2**40))


def _random_calls(make_call: MakeCall, random: Random, size: int) -> list[Call]:
    calls = []
    for number in range(size):
        disposition = random.choice(list(Disposition))
        ringing_at = MONDAY + timedelta(seconds=number)
        entered_at = ringing_at + timedelta(seconds=random.choice([3, 8]))
        reached = disposition in (Disposition.ANSWERED, Disposition.REDIRECTED)
        entered = reached or disposition is Disposition.ABANDONED or random.random() < 0.3
        waited = timedelta(seconds=random.choice([0, 4.999999, 5, 19.9, 20, 20.000001, 60, 200]))
        ended_at = entered_at + waited + timedelta(seconds=random.randrange(90))
        visit = replace(
            make_call(1).queue_visits[0],
            entered_at=entered_at,
            answered_at=entered_at + waited if reached else None,
            left_at=ended_at if reached else entered_at + waited,
        )
        calls.append(
            make_call(
                number,
                client=random.choice(["a", "b", "c"]),
                disposition=disposition,
                queue_visits=(visit,) if entered else (),
                dials=(),
                messages=(),
                clocks=Clocks(
                    ringing_at=ringing_at, entered_service_at=entered_at if entered else None, ended_at=ended_at
                ),
            )
        )
    return calls


async def test_the_figures_are_those_of_the_calls(database: Database, make_call: MakeCall, write: Write) -> None:
    """Recomputed from the journeys read back: every count, share, mean and percentile, each client by its own T."""
    await write(_random_calls(make_call, Random(7), 600))
    targets = {
        "a": ServiceLevelTarget(),
        "b": ServiceLevelTarget(within_seconds=60, short_abandon_seconds=20, formula=Formula.STRICT),
    }

    found = await read_stats(database, from_at=MONDAY, to_at=TUESDAY, targets=targets)

    assert [one.client for one in found.clients] == ["a", "b", "c"]
    for one in found.clients:
        target = targets.get(one.client, ServiceLevelTarget())
        calls = (await list_calls(database, client=one.client, limit=1000)).calls
        waits = {call.call_id: call.waiting_seconds(call.clocks.ended_at or MONDAY) for call in calls}
        answered = [c for c in calls if c.disposition in (Disposition.ANSWERED, Disposition.REDIRECTED)]
        abandoned = [c for c in calls if c.disposition is Disposition.ABANDONED]
        within = [c for c in answered if waits[c.call_id] <= target.within_seconds]
        short = [c for c in abandoned if waits[c.call_id] < target.short_abandon_seconds]
        offered = [c for c in calls if c.offered]
        assert len(calls) == one.received == sum(one.by_disposition.values())
        assert Counter(c.disposition for c in calls) == Counter(dict(one.by_disposition))
        assert (len(offered), len(answered), len(abandoned)) == (
            one.offered,
            one.counts.answered,
            one.counts.abandoned,
        )
        assert (len(within), len(short)) == (one.counts.answered_within, one.counts.short_abandoned)
        assert one.pickup_rate == pytest.approx(len(answered) / (len(offered) - len(short)))
        assert one.abandon_rate == pytest.approx((len(abandoned) - len(short)) / (len(offered) - len(short)))
        assert one.asa_seconds == pytest.approx(statistics.fmean(waits[c.call_id] for c in answered))
        assert one.waiting_max_seconds == max(waits[c.call_id] for c in answered)
        assert one.waiting_p50_seconds == pytest.approx(statistics.median(waits[c.call_id] for c in answered))
        assert one.aht_seconds == pytest.approx(statistics.fmean(c.talk_seconds() for c in answered))
        assert one.service_levels[Formula.STRICT] == len(within) / (len(answered) + len(abandoned))
        assert one.service_level == one.service_levels[target.formula]
        assert f"T = {target.within_seconds:g} s" in one.basis


async def test_no_calls_are_no_zero(database: Database, make_call: MakeCall, write: Write) -> None:
    """Without calls there is no share; a client asked for is there all the same, and periods do not overlap."""
    await write([make_call(1), make_call(2, ringing_at=TUESDAY)])

    assert [one.received for one in (await read_stats(database, from_at=MONDAY, to_at=TUESDAY)).clients] == [1]
    assert (await read_stats(database, from_at=MONDAY - timedelta(days=1), to_at=MONDAY)).clients == []
    asked = await read_stats(database, from_at=MONDAY, to_at=TUESDAY, client="etude-lenoir")
    (one,) = asked.clients
    assert (
        one.received,
        one.offered,
        one.service_level,
        one.pickup_rate,
        one.asa_seconds,
        one.waiting_p90_seconds,
    ) == (0, 0, None, None, None, None)


async def test_gaps_are_declared(database: Database) -> None:
    """One that lasts touches every later period; one that is over, only its own."""
    gap = await open_gap(database, MONDAY, "the link to Asterisk was down\x00")

    assert [gap] == [one.gap_id for one in await gaps_between(database, TUESDAY, TUESDAY + timedelta(days=1))]
    await close_gap(database, gap, MONDAY + timedelta(minutes=3))
    assert await gaps_between(database, TUESDAY, TUESDAY + timedelta(days=1)) == []
    (one,) = (await read_stats(database, from_at=MONDAY, to_at=TUESDAY)).gaps
    assert MONDAY + timedelta(minutes=3) == one.until_at


async def test_a_plan_keeps_its_first_time(database: Database) -> None:
    """Told again at every start, it is known since the first."""
    plan = StoredPlan(client="a", version="1", document="client: a\n", first_live_at=MONDAY)

    await remember_plan(database, plan)
    await remember_plan(database, replace_plan(plan, first_live_at=TUESDAY))

    assert plan == await find_plan(database, "a", "1")
    assert await find_plan(database, "a", "2") is None

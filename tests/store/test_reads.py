"""What is read back: pages of calls and messages, the figures, plans and gaps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace as replace_plan
from datetime import UTC, datetime, timedelta

import pytest

from callrouter.core.call import Call, Disposition, replace
from callrouter.periods import Period
from callrouter.store.calls import find_call, list_calls
from callrouter.store.database import Database
from callrouter.store.gaps import close_gaps, gaps_between, open_gap
from callrouter.store.messages import list_messages
from callrouter.store.paging import CursorError, encode_cursor
from callrouter.store.plans import StoredPlan, find_plan, remember_live
from callrouter.store.stats import read_stats
from callrouter.store.writing.writer import Writer

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

    assert [message.message_id for message in page.messages + rest.messages] == [
        *("call-000003.m1", "call-000002.m1", "call-000001.m2", "call-000001.m1")
    ]
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
    """That of the release before names a message by its call and its number."""
    with pytest.raises(CursorError):
        await list_messages(database, cursor=encode_cursor(MONDAY, "call-1", 1))
    with pytest.raises(CursorError):
        await list_messages(database, cursor=encode_cursor(MONDAY, "call-1", 2**40))


async def test_gaps_are_declared(database: Database) -> None:
    """One that lasts touches every later period; one that is over, only its own."""
    gap = await open_gap(database, MONDAY, "the link to Asterisk was down\x00")

    assert [gap] == [one.gap_id for one in await gaps_between(database, TUESDAY, TUESDAY + timedelta(days=1))]
    assert await close_gaps(database, MONDAY + timedelta(minutes=3)) == 1
    assert await gaps_between(database, TUESDAY, TUESDAY + timedelta(days=1)) == []
    (one,) = (await read_stats(database, Period.between(MONDAY, TUESDAY), now=TUESDAY)).gaps
    assert MONDAY + timedelta(minutes=3) == one.until_at


async def test_a_plan_keeps_its_first_time(database: Database) -> None:
    """Told again at every start, it is known since the first."""
    plan = StoredPlan(client="a", version="1", document="client: a\n", first_live_at=MONDAY)

    await remember_live(database, [plan], [])
    await remember_live(database, [replace_plan(plan, first_live_at=TUESDAY)], [])

    assert plan == await find_plan(database, "a", "1")
    assert await find_plan(database, "a", "2") is None

"""Puts batches of calls into PostgreSQL, each call exactly once.

The usual batch goes by COPY straight into the tables, in one transaction. When a call of it is there already (told
twice: after a lost commit, from a journal, by another engine), the batch goes through staging tables, and of two
records of a call the higher revision stands (`merge`). When PostgreSQL refuses a row for what it holds, the batch is
halved until the row stands alone, and that call alone is given back as refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg

from callrouter.core.call import Call, CallerId, Hold, Leg, Message, Offer, Recording, Revision
from callrouter.errors import StoreError
from callrouter.store.database import Database
from callrouter.store.refusals import GONE, is_outage
from callrouter.store.writing.merge import MERGE, MERGE_FACTS, STAGING
from callrouter.store.writing.rows import (
    CALL_COLUMNS,
    CALLBACK_COLUMNS,
    GROWN,
    HOLD_COLUMNS,
    LEG_COLUMNS,
    MESSAGE_COLUMNS,
    OFFER_COLUMNS,
    QUEUE_VISIT_COLUMNS,
    RECORDING_COLUMNS,
    Row,
    Rows,
    expect_rows,
    hold_row,
    leg_row,
    offer_row,
    recording_row,
)

SILENT_SECONDS = 8.0
"""A server that has not taken the next statement of a batch for so long has vanished: the batch is given up, and tried
again on a new connection. A batch as a whole may take longer: some have thirty statements, and each may be slow."""

NOBODY = CallerId()
"""Of what has no caller of its own."""
_SLICE = 8
"""Rows made without a pause: 0.1 to 0.3 ms, after which the loop may serve its callers."""
_CATCHING_UP_CALLS = 1_000
"""A batch of so many has waited for PostgreSQL, and more wait behind it: longer slices, fewer pauses."""
_LONG_SLICE = 32


def _adding(table: str, columns: Sequence[str]) -> str:
    places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places}) ON CONFLICT DO NOTHING"  # noqa: S608 - ours


_ADD_MESSAGE = _adding("messages", MESSAGE_COLUMNS)
_ADD_RECORDING = _adding("recordings", RECORDING_COLUMNS)

T = TypeVar("T")


class WriterAway(StoreError):
    """PostgreSQL cannot take anything now; the text says why. Try again later with the same batch."""


class RowsRefused(StoreError):
    """PostgreSQL does not take one of these rows, whatever one does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A call that PostgreSQL does not take, whatever one does."""

    call: Call
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedFact:
    """What grows with a call, as it was known when the call had this revision."""

    call_id: str
    pbx: str
    revision: Revision
    fact: Offer | Leg | Hold | Recording | Message
    client: str = ""
    """Whose; of a recording or a message only."""
    caller: CallerId = NOBODY
    """Of a message only."""
    plan_version: str = ""
    """Of a message only; empty: not known."""
    position: int = 0
    """Of a message only: 1 for the first of the call."""


class Writer:
    """One connection for writing, opened when it is needed and after every outage."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Any = None
        self._scope: asyncio.Timeout | None = None
        self._watchdog: asyncio.TimerHandle | None = None

    async def be_there(self) -> None:
        """Connect, if that is still to be done: nobody should wait in our hands for a server that is not there.

        Raises:
            WriterAway: it is not.
        """
        if self._connection is None or self._connection.is_closed():
            await self._watched(_nothing)

    async def write(self, calls: Sequence[Call], *, maybe_known: bool = False) -> list[Refused]:
        """Commit a batch and say what was refused of it; `maybe_known` spares a try when calls may be there already.

        Raises:
            WriterAway: nothing is known to be committed.
        """
        return await self._watched(lambda: self._write(list(calls), maybe_known))

    async def write_facts(self, facts: Sequence[NumberedFact]) -> None:
        """Commit what grows with calls by itself, of each of which the higher revision stands; none is in it twice.

        Raises:
            WriterAway: nothing is known to be committed.
            RowsRefused: PostgreSQL cannot hold one of them.
        """
        rows = Rows()
        for one in facts:
            match one.fact:
                case Offer() as offer:
                    rows.offers.append(offer_row(one.call_id, one.revision, offer))
                case Leg() as leg:
                    rows.legs.append(leg_row(one.call_id, one.pbx, one.revision, leg))
                case Hold() as hold:
                    rows.holds.append(hold_row(one.call_id, one.revision, hold))
                case Recording() as recording:
                    rows.recordings.append(recording_row(one.call_id, one.client, one.revision, recording))
                case Message() as message:
                    rows.take_message(one.call_id, one.client, one.plan_version, one.caller, one.position, message)
        await self._watched(lambda: self._merge_facts(rows))

    async def _merge_facts(self, rows: Rows) -> None:
        try:
            await self._merge(rows, MERGE_FACTS)
        except (asyncpg.PostgresError, *_ENCODING) as error:
            if _is_outage(error):
                raise
            raise RowsRefused(f"{type(error).__name__}: {error}") from error

    async def _watched(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it, connected, and give it up when nothing of it advances for `SILENT_SECONDS`."""
        self._advances()
        try:
            async with asyncio.timeout(None) as self._scope:
                await self._connect()
                return await work()
        except RowsRefused:
            raise
        except StoreError as error:
            raise WriterAway(str(error)) from error
        except (asyncpg.PostgresError, *GONE) as error:
            self.close()
            reason = "it did not answer in time" if isinstance(error, TimeoutError) else str(error)
            raise WriterAway(f"{type(error).__name__}: {reason}") from error
        except BaseException:
            self.close()
            raise
        finally:
            if self._watchdog is not None:
                self._watchdog.cancel()
            self._scope = None

    def _advances(self) -> None:
        """The server has taken what was asked before."""
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._watchdog = asyncio.get_running_loop().call_later(SILENT_SECONDS, self.abort)

    def abort(self) -> None:
        """End the present write, if any, with WriterAway.

        The connection goes first: asyncpg answers a cancellation by waiting for the server, and the server may be
        what has stopped.
        """
        self.close()
        if self._scope is not None:
            self._scope.reschedule(0)

    def close(self) -> None:
        """Drop the connection, whatever state it is in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _connect(self) -> None:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._database.connect_raw()
            self._advances()
            await expect_rows(self._connection)

    async def _write(self, calls: list[Call], maybe_known: bool) -> list[Refused]:
        if not maybe_known:
            try:
                return await self._copy(calls)
            except asyncpg.DeadlockDetectedError:  # another engine tells some of the same calls at this instant
                pass
            except (asyncpg.PostgresError, *_ENCODING) as error:
                if _is_outage(error):
                    raise
        return await self._merge_or_halve(calls)

    async def _copy(self, calls: list[Call]) -> list[Refused]:
        """The usual way. The rows of a table are made while its COPY runs, so that both sides work at the same time."""
        rows, grown = Rows(), dict[str, list[Call]]()
        async with self._connection.transaction():
            await self._copy_table("calls", CALL_COLUMNS, _rows_in_slices(calls, rows, grown))
            for table, having in grown.items():
                columns, rows_of = GROWN[table]
                await self._copy_table(table, columns, _grown_in_slices(having, rows_of))
            await self._copy_parts(rows)
        return []

    async def _copy_parts(self, rows: Rows, prefix: str = "") -> None:
        if rows.queue_visits:
            await self._copy_table(f"{prefix}queue_visits", QUEUE_VISIT_COLUMNS, _in_slices(rows.queue_visits))
        if rows.offers:
            await self._copy_table(f"{prefix}offers", OFFER_COLUMNS, _in_slices(rows.offers))
        if rows.legs:
            await self._copy_table(f"{prefix}legs", LEG_COLUMNS, _in_slices(rows.legs))
        if rows.holds:
            await self._copy_table(f"{prefix}holds", HOLD_COLUMNS, _in_slices(rows.holds))
        if rows.messages and prefix:
            await self._copy_table(f"{prefix}messages", MESSAGE_COLUMNS, _in_slices(rows.messages))
            await self._copy_table(f"{prefix}recordings", RECORDING_COLUMNS, _in_slices(rows.message_recordings))
        elif rows.messages:
            await self._add_messages(rows)
        if rows.recordings:
            await self._copy_table(f"{prefix}recordings", RECORDING_COLUMNS, _in_slices(rows.recordings))
        if rows.callbacks:
            await self._copy_table(f"{prefix}callbacks", CALLBACK_COLUMNS, _in_slices(rows.callbacks))

    async def _add_messages(self, rows: Rows) -> None:
        """Most are there already, since they were complete: a COPY would not let them be."""
        self._advances()
        await self._connection.executemany(_ADD_MESSAGE, rows.messages)
        self._advances()
        await self._connection.executemany(_ADD_RECORDING, rows.message_recordings)
        self._advances()

    async def _copy_table(self, table: str, columns: Sequence[str], records: AsyncIterator[Row]) -> None:
        self._advances()
        await self._connection.copy_records_to_table(table, records=records, columns=columns)
        self._advances()  # the commit, perhaps, is next

    async def _merge_or_halve(self, calls: list[Call]) -> list[Refused]:
        if not calls:
            return []
        calls, again = _each_once(calls)
        if again:
            return await self._merge_or_halve(calls) + await self._merge_or_halve(again)
        rows, refused = await _rows(calls)
        try:
            await self._merge(rows, MERGE)
        except (asyncpg.PostgresError, *_ENCODING) as error:
            if _is_outage(error):
                raise
            if len(calls) == 1:
                return [Refused(call=calls[0], reason=f"{type(error).__name__}: {error}")]
            middle = len(calls) // 2
            return await self._merge_or_halve(calls[:middle]) + await self._merge_or_halve(calls[middle:])
        return refused

    async def _merge(self, rows: Rows, statements: Sequence[str]) -> None:
        async with self._connection.transaction():
            for statement in STAGING:
                await self._execute(statement)
            if rows.calls:
                await self._copy_table("staged_calls", CALL_COLUMNS, _in_slices(rows.calls))
            await self._copy_parts(rows, "staged_")
            for statement in statements:
                await self._execute(statement)

    async def _execute(self, statement: str) -> None:
        self._advances()
        await self._connection.execute(statement)
        self._advances()


async def _nothing() -> None:
    """To connect is all."""


_ENCODING = (ValueError, TypeError, OverflowError)
"""What asyncpg raises for a value it cannot put on the wire; its InterfaceError for one is a ValueError too."""


def _is_outage(error: BaseException) -> bool:
    if isinstance(error, asyncpg.PostgresError):
        return is_outage(error)
    return isinstance(error, asyncpg.InterfaceError) and not isinstance(error, _ENCODING)


def _each_once(calls: list[Call]) -> tuple[list[Call], list[Call]]:
    """The first record of each call, and those that are in the batch again."""
    first: dict[str, Call] = {}
    again = [call for call in calls if first.setdefault(call.call_id, call) is not call]
    return list(first.values()), again


async def _rows(calls: Sequence[Call]) -> tuple[Rows, list[Refused]]:
    rows, refused = Rows(), list[Refused]()
    for index, call in enumerate(calls):
        try:
            rows.add(call)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            refused.append(Refused(call=call, reason=f"{type(error).__name__}: {error}"))
        if index % _SLICE == _SLICE - 1:
            await asyncio.sleep(0)
    return rows, refused


async def _rows_in_slices(calls: list[Call], rows: Rows, grown: dict[str, list[Call]]) -> AsyncIterator[Row]:
    """The rows of calls, one by one; those of their visits and messages gather in `rows`, and in `grown` those calls
    that have rows of a table of `GROWN`.
    """
    size = _LONG_SLICE if len(calls) >= _CATCHING_UP_CALLS else _SLICE
    for index, call in enumerate(calls):
        if index % size == size - 1:
            await asyncio.sleep(0)
        if call.offers:
            grown.setdefault("offers", []).append(call)
        if call.legs:
            grown.setdefault("legs", []).append(call)
        if call.holds:
            grown.setdefault("holds", []).append(call)
        yield rows.take(call)


async def _grown_in_slices(calls: list[Call], rows_of: Callable[[Call], list[Row]]) -> AsyncIterator[Row]:
    """The rows of a table of `GROWN`, which has some of each of these calls."""
    size, made = _LONG_SLICE if len(calls) >= _CATCHING_UP_CALLS else _SLICE, 0
    for call in calls:
        for row in rows_of(call):
            made += 1
            if made % size == 0:
                await asyncio.sleep(0)
            yield row


async def _in_slices(records: list[Row]) -> AsyncIterator[Row]:
    size = _LONG_SLICE if len(records) >= _CATCHING_UP_CALLS else _SLICE
    for index, record in enumerate(records):
        if index % size == size - 1:
            await asyncio.sleep(0)
        yield record

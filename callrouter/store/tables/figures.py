"""Figures by day, made from the rows of calls, and what says of which days they must be made again.

A row of `figure_days` has the journeys of one client that rang on one day of its time zone, walked one version of its
plan and had dialled one number; a row of `figure_queue_days` the visits to one queue of such journeys. They are counted
on the day on which the journey rang, also where they began after midnight, so that a day's visits are those of its
journeys. Both keep each journey's time by itself, as bytes: any percentile, threshold and hour is asked of them.

There is one such row at most: who makes days makes all of a day, and nobody else does meanwhile. An index that says so
would be as large as half of the rows.

Some days after a month is over, the rows of a client's days of it become rows of the month, in `figure_months` and
`figure_queue_months`: they hold the same, and of each journey its day. All of a client's days of a month are in one
place or in the other.

A row of `figure_marks` says that a call of a client rang in a quarter of an hour, and that what is kept of that day is
no longer right. PostgreSQL appends it in the transaction that writes the call (the triggers `calls_mark` and
`corrections_mark`). It is never changed: one that is there already may be taken away by whoever makes the day again,
who did not see the call.

Other triggers mark a day whose figures change by what comes later: a caller who gave up is reached.

`figure_zones` says in which zone the days of a client are cut, and which other names it had; whoever has no row, or
another zone now, is counted from the calls themselves (`store/figures`).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Date, Double, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text, text

from callrouter.core.call import Disposition, QueueOutcome
from callrouter.store.tables.columns import Id, Instant, metadata


def _count(name: str, comment: str | None = None) -> Column[int]:
    return Column(name, Integer, nullable=False, comment=comment)


def _each(name: str, comment: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False, comment=comment)


def _counted(of: str, key: str, *columns: Column[Any]) -> tuple[Column[Any], ...]:
    """What a row has beside its client and its day, or month."""
    return (
        Column("plan_version", Id, nullable=False),
        Column(key, Id, nullable=False),
        Column("first_at", Instant, nullable=False, comment=f"when the first of {of} rang"),
        Column("last_at", Instant, nullable=False, comment=f"when the last of {of} rang"),
        *columns,
    )


def _journeys() -> tuple[Column[Any], ...]:
    reached = "each answered or redirected one, seconds, by quarter of an hour"
    return _counted(
        "them",
        "did",
        _count("received"),
        _count("offered", "entered human service"),
        *(_count(disposition.value) for disposition in Disposition),
        Column("talk_seconds", Double, nullable=False, comment="of answered and redirected ones together"),
        _each("waits", f"float8 of {reached}"),
        _each("lost", "float8 of each abandoned one, seconds, by quarter of an hour"),
        _each("talks", f"float8 of {reached}"),
        _each("quarters", "a byte for each: quarters of an hour since its day began"),
        _each(
            "kinds",
            "a byte for each: number of its disposition, 8 if it was offered, 16 if it was reached later",
        ),
        _each("reached_after", "float8 of each that was reached later, seconds until then"),
    )


def _visits() -> tuple[Column[Any], ...]:
    return _counted(
        "their journeys",
        "queue",
        _count("entered"),
        *(_count(f"was_{outcome.value}") for outcome in QueueOutcome),
        _count("offers", "to agents"),
        _each("waits", "float8 of each answered one, seconds, by quarter of an hour"),
        _each("lost", "float8 of each abandoned one, seconds, by quarter of an hour"),
        _each("quarters", "a byte for each: quarters of an hour since the day began, of its entry"),
        _each("kinds", "a byte for each, by quarter of an hour: number of its outcome, 15 if nobody saw it"),
        Column(
            "rings",
            LargeBinary,
            nullable=False,
            server_default=text("''::bytea"),
            comment="int2 of each: how often it was offered to agents",
        ),
    )


def _days(name: str, of: str, columns: tuple[Column[Any], ...]) -> Table:
    return Table(
        name,
        metadata,
        Column("client", Id, nullable=False, comment="as the calls name it"),
        Column("day", Date, nullable=False, comment=of),
        *columns,
        Index(None, "client", "day"),
        Index(None, "day"),
    )


def _months(name: str, columns: tuple[Column[Any], ...]) -> Table:
    return Table(
        name,
        metadata,
        Column("client", Id, nullable=False, comment="as the calls name it"),
        Column("month", Date, nullable=False, comment="its first day, of the client's zone (figure_zones)"),
        *columns,
        _each("days", "a byte for each: the day of the month, from 1 on; they are in its order"),
        Index(None, "client", "month"),
        Index(None, "month"),
    )


figure_days = _days("figure_days", "of the client's zone (figure_zones)", _journeys())
figure_queue_days = _days(
    "figure_queue_days", "on which the journey rang, of the client's zone (figure_zones)", _visits()
)
figure_months = _months("figure_months", _journeys())
figure_queue_months = _months("figure_queue_months", _visits())

figure_marks = Table(
    "figure_marks",
    metadata,
    Column("client", Id, nullable=False, comment="as the calls name it"),
    Column("quarter_at", Instant, nullable=False, comment="a quarter of an hour in which a call rang"),
    Column("noted_at", Instant, nullable=False, server_default=text("now()")),
    Index(None, "quarter_at", "client"),
)

figure_zones = Table(
    "figure_zones",
    metadata,
    Column("client", Id, nullable=False, comment="as the calls name it"),
    Column(
        "basis",
        Text,
        nullable=False,
        comment="form, zone in which its days are cut (IANA), other names of the client; empty: they are not made",
    ),
    PrimaryKeyConstraint("client"),
)

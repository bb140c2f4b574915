"""PostgreSQL servers that a test of the store may stop, and calls to store."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from callrouter.core.call import (
    Call,
    CallerId,
    CallState,
    Clocks,
    DialAttempt,
    DialOutcome,
    Disposition,
    Message,
    QueueOutcome,
    QueueVisit,
    Revision,
    Visit,
    replace,
)
from tests.postgres import Server, started
from tests.store.small_disk import small_disk

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def own_server(data_dir: Path) -> Iterator[Server]:
    """A PostgreSQL for this test alone, which may be stopped."""
    with started(data_dir) as running:
        yield running


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder for an embedded PostgreSQL.

    Not pytest's own: under root the server runs as another user, and every pytest that starts closes its folder to
    others again.
    """
    with tempfile.TemporaryDirectory(prefix="callrouter-pg-") as folder:
        yield Path(folder)


@pytest.fixture
def tiny_disk(data_dir: Path) -> Iterator[Path]:
    """A folder with room for 64 kB, which PostgreSQL's user reaches too."""
    with small_disk(data_dir / "disk", "64k") as folder:
        yield folder


@pytest.fixture
def make_call() -> Callable[..., Call]:
    """Makes ended calls that differ by their number: `make_call(7)`, and by any field of `Call`."""
    return _call


def _call(number: int = 1, **fields: Any) -> Call:
    ringing_at: datetime = fields.pop("ringing_at", MONDAY + timedelta(seconds=number))

    def after(seconds: float) -> datetime:
        return ringing_at + timedelta(seconds=seconds)

    call = Call(
        call_id=f"call-{number:06}",
        revision=Revision(1795427775000, 9),
        client="cabinet-moreau",
        plan_version="5f2d3c9a10be",
        did="+33140000001",
        caller=CallerId(number="+33612340001", name="Hélène Dupont"),
        state=CallState.ENDED,
        step=4,
        node="secretaries",
        variables={"vip": "no"},
        clocks=Clocks(
            ringing_at=ringing_at,
            answered_at=after(0.01),
            entered_service_at=after(10.5),
            offered_at=after(10.6),
            bridged_at=after(18.25),
            ended_at=after(78.25),
        ),
        visits=(
            Visit(node="hours", exit="open", because="Mon 10:00", at=after(0.02)),
            Visit(node="welcome", exit="key:2", because="key 2", at=after(10.5)),
            Visit(node="secretaries", exit="answered", because="anne, 8 s", at=after(78)),
        ),
        queue_visits=(
            QueueVisit(
                queue="medical",
                entered_at=after(10.5),
                offers=1,
                offered_at=after(10.6),
                agent="anne",
                answered_at=after(18.25),
                left_at=after(78.25),
                outcome=QueueOutcome.ANSWERED,
            ),
        ),
        dials=(DialAttempt(target="on_call", started_at=after(5), ended_at=after(10), outcome=DialOutcome.NO_ANSWER),),
        messages=(
            Message(
                recording=f"rec-{number}", node="note", deliver="email_doctor", started_at=after(70.5), seconds=7.5
            ),
        ),
        disposition=Disposition.ANSWERED,
        hangup_cause=16,
    )
    return replace(call, **fields)

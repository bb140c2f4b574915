"""Clients with a tariff, and their calls, in a real record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from callrouter.consumption.document import read_tariff
from callrouter.consumption.statement import Statement
from callrouter.core.call import Call, CallerId, CallState, Clocks, Disposition, QueueOutcome, QueueVisit, Revision
from callrouter.core.service_level import Promise
from callrouter.permissions import By
from callrouter.store.consumption.issuing import issue
from callrouter.store.consumption.tariffs import set_tariff
from callrouter.store.database import Database
from callrouter.store.plans import StoredPlan, WentLive, remember_live
from callrouter.store.writing.writer import Writer
from tests.consumption.made import HEAD, NOT_BILLED

OCTOBER, NOVEMBER, DECEMBER = (date(2026, month, 1) for month in (10, 11, 12))
NOW = datetime(2027, 1, 10, 9, 0, tzinfo=UTC)
ANNE = By(principal="command:anne")
PER_CALL = "calls: { price: 1 }\n"


async def goes_live(database: Database, client: str = "acme", *formerly: str, zone: str = "Europe/Paris") -> None:
    """A version of a client's plan; former names are withdrawn with it."""
    plan = StoredPlan(
        client=client,
        version=f"v-{zone}",
        document="",
        first_live_at=NOW,
        promise=Promise(timezone=zone),
        formerly=formerly,
    )
    went = [WentLive(client=name, version=None, live_at=NOW, why="saved") for name in formerly]
    await remember_live(
        database, [plan], [*went, WentLive(client=client, version=plan.version, live_at=NOW, why="saved")]
    )


async def has_tariff(
    database: Database, says: str = PER_CALL, client: str = "acme", since: date = OCTOBER, **rest: str
) -> None:
    """From a day on, what it says beyond its head."""
    read = read_tariff((HEAD + says + rest.get("not_billed", NOT_BILLED)).encode(), "t.yaml")
    assert read.tariff is not None, [str(one) for one in read.issues]
    await set_tariff(database, client, since, read, by=ANNE, now=NOW)


def a_call(number: int, at: datetime, talk: float = 60.0, **fields: Any) -> Call:
    """One that an agent answered after 10 s."""
    begins = at + timedelta(seconds=10)
    ends = begins + timedelta(seconds=talk)
    disposition = fields.pop("disposition", Disposition.ANSWERED)
    reached = disposition in (Disposition.ANSWERED, Disposition.REDIRECTED)
    visit = QueueVisit(
        queue="medical",
        entered_at=at,
        offers=1,
        agent="anne" if reached else None,
        answered_at=begins if reached else None,
        left_at=ends if reached else begins,
        outcome=QueueOutcome.ANSWERED if reached else QueueOutcome.ABANDONED,
    )
    values: dict[str, Any] = {
        "call_id": f"call-{number:06}",
        "revision": Revision(1795427775000, 9),
        "client": "acme",
        "plan_version": "v1",
        "did": "+33140000001",
        "caller": CallerId(number="+33612340001"),
        "state": CallState.ENDED,
        "step": 4,
        "node": "secretaries",
        "clocks": Clocks(
            ringing_at=at,
            entered_service_at=at,
            bridged_at=begins if reached else None,
            ended_at=ends if reached else begins,
        ),
        "queue_visits": (visit,),
        "disposition": disposition,
        "hangup_cause": 16,
    }
    return Call(**{**values, **fields})


def on(month: int, day: int, hour: int = 10, minute: int = 0) -> datetime:
    """A time of 2026, UTC."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


async def write(database: Database, *calls: Call) -> None:
    """Puts them into the record."""
    writer = Writer(database)
    assert await writer.write(list(calls)) == []
    writer.close()


async def issued(database: Database, month: date, client: str = "acme") -> Statement:
    """The invoice of a month."""
    return (await issue(database, client, month, name=client, by=ANNE, now=NOW))[0]


def told(statement: Statement) -> list[tuple[str, str, int, str]]:
    """Month, charge, quantity and amount of each line."""
    return [(f"{one.month:%m}", one.charge.value, one.quantity, str(one.amount)) for one in statement.lines]


def sum_of(statements: Sequence[Statement]) -> str:
    """Without VAT."""
    return str(sum(one.net for one in statements))

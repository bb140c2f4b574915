"""Reports of a real record: each figure is that of the calls that its own queries list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import pytest

from callrouter.core.call import Call, Clocks, Disposition, replace
from callrouter.core.service_level import Formula, Promise
from callrouter.errors import UsageError
from callrouter.periods import Comparison, Moment, Period
from callrouter.reports.making import Order
from callrouter.reports.model import By, Report, Row, Sort
from callrouter.reports.reading import Asked, find_client, read_report
from callrouter.reports.rendering import Format, needed, written
from callrouter.reports.words import Language
from callrouter.store.calls import list_calls
from callrouter.store.database import Database
from callrouter.store.plans import StoredPlan, WentLive, remember_live
from callrouter.store.writing.writer import Writer

MakeCall = Callable[..., Call]
Write = Callable[[list[Call]], Awaitable[None]]
PARIS = Promise(timezone="Europe/Paris")
KOLKATA = Promise(timezone="Asia/Kolkata", within_seconds=30, formula=Formula.STRICT, target=0.95)
NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
OCTOBER = Period.month("2026-10")
CLIENTS = {"cabinet-moreau": PARIS, "plumber": PARIS, "kolkata-taxis": KOLKATA}


@pytest.fixture
async def record(database: Database, make_call: MakeCall) -> Database:
    """Three clients, of two zones, and some weeks of calls, those of the night on which clocks went back among them."""
    plans, live = [], []
    for client, promise in CLIENTS.items():
        plans.append(StoredPlan(client=client, version="v1", document="", first_live_at=NOW, promise=promise))
        live.append(WentLive(client=client, version="v1", live_at=NOW, why="saved"))
    await remember_live(database, plans, live)
    writer = Writer(database)
    assert await writer.write(_calls(make_call, Random(13), 600)) == []
    writer.close()
    return database


def _calls(make_call: MakeCall, random: Random, size: int) -> list[Call]:
    first = datetime(2026, 8, 25, tzinfo=UTC)
    night = datetime(2026, 10, 24, 21, tzinfo=UTC)
    calls = []
    for number in range(size):
        spread = timedelta(days=70) if number % 4 else timedelta(hours=6)
        ringing_at = (first if number % 4 else night) + random.random() * spread
        disposition = random.choice([Disposition.ANSWERED, Disposition.ABANDONED, Disposition.LEFT_EARLY])
        entered = disposition is not Disposition.LEFT_EARLY
        entered_at = ringing_at + timedelta(seconds=3)
        waited = timedelta(seconds=random.choice([1, 4, 12, 25, 50]))
        visit = replace(
            make_call(1).queue_visits[0],
            entered_at=entered_at,
            answered_at=entered_at + waited if disposition is Disposition.ANSWERED else None,
            left_at=entered_at + waited,
        )
        calls.append(
            make_call(
                number,
                client=random.choice(list(CLIENTS)),
                plan_version="v1",
                did=random.choice(["+33140000001", "+33140000002"]),
                disposition=disposition,
                queue_visits=(visit,) if entered else (),
                dials=(),
                messages=(),
                clocks=Clocks(
                    ringing_at=ringing_at,
                    entered_service_at=entered_at if entered else None,
                    ended_at=entered_at + waited + timedelta(seconds=40),
                ),
            )
        )
    return calls


async def _listed(database: Database, row: Row) -> int:
    """How many calls the queries of a row list, each once."""
    ids: list[str] = []
    for query in row.calls:
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        from_at, to_at = (datetime.fromisoformat(asked.pop(name)) for name in ("from", "to"))
        page = await list_calls(database, from_at=from_at, to_at=to_at, limit=10_000, **asked)  # type: ignore[arg-type]
        ids += [call.call_id for call in page.calls]
    assert len(ids) == len(set(ids))
    return len(ids)


def received(report: Report) -> dict[object, object]:
    return {row.key: report.cell(row, "received") for row in report.rows}


@pytest.mark.parametrize("by", [By.CLIENT, By.DID, By.VERSION, By.NODE, By.DAY, By.WEEKDAY, By.HOUR, By.MONTH])
@pytest.mark.parametrize("clients", [None, ["cabinet-moreau"], ["kolkata-taxis", "plumber"]])
async def test_every_row_lists_its_calls(record: Database, by: By, clients: list[str] | None) -> None:
    report = await read_report(record, Asked(by=by, period=OCTOBER, clients=clients), NOW)

    assert sum(int(report.cell(row, "received") or 0) for row in report.rows) > 50
    for row in report.rows:
        if clients is not None or not by.is_time:
            assert await _listed(record, row) == report.cell(row, "received"), row
        else:
            assert row.calls == ()  # days begin at two instants for these clients
    assert report.total is not None
    assert report.cell(report.total, "received") == sum(int(report.cell(row, "received") or 0) for row in report.rows)


async def test_days_of_everybody_are_listed_where_one_clock_says_when_they_begin(record: Database) -> None:
    asked = Asked(by=By.DAY, period=OCTOBER, zone=ZoneInfo("Europe/Paris"))
    report = await read_report(record, asked, NOW)

    assert [span.zone for span in report.spans] == ["Europe/Paris"]
    for row in report.rows:
        assert await _listed(record, row) == report.cell(row, "received")


async def test_the_period_is_on_every_zones_clocks(record: Database) -> None:
    report = await read_report(record, Asked(period=OCTOBER), NOW)

    assert [(span.zone, span.from_at.isoformat(), span.to_at.isoformat()) for span in report.spans] == [
        ("Europe/Paris", "2026-10-01T00:00:00+02:00", "2026-11-01T00:00:00+01:00"),
        ("Asia/Kolkata", "2026-10-01T00:00:00+05:30", "2026-11-01T00:00:00+05:30"),
    ]
    assert report.total is not None
    assert report.cell(report.total, "service_level") is None
    assert len(report.bases) == 2


async def test_days_without_calls_are_there_and_those_to_come_are_not(record: Database) -> None:
    asked = Asked(by=By.DAY, period=Period(Moment.parse("2026-10-25"), Moment.parse("2026-11-10")), clients=["plumber"])
    found = received(await read_report(record, asked, NOW))

    assert list(found) == [date(2026, 10, 25) + timedelta(days=number) for number in range(10)]
    assert 0 in found.values()


async def test_it_is_compared_with_the_month_before(record: Database) -> None:
    asked = Asked(period=OCTOBER, clients=["plumber"], comparison=Comparison.BEFORE)
    report = await read_report(record, asked, NOW)
    september = await read_report(record, Asked(period=Period.month("2026-09"), clients=["plumber"]), NOW)

    assert report.rows[0].before == september.rows[0].cells
    assert [span.from_at.isoformat() for span in report.compared] == ["2026-09-01T00:00:00+02:00"]


async def test_the_worst_first(record: Database) -> None:
    order = Order(sort=Sort.parse("service_level:asc"), top=1)
    report = await read_report(record, Asked(period=OCTOBER, order=order), NOW)

    assert report.others is not None
    assert (len(report.rows), report.others.folded) == (1, 2)


async def test_a_client_without_calls_is_a_row(record: Database) -> None:
    asked = Asked(period=Period.month("2025-01"), clients=["plumber"])
    report = await read_report(record, asked, NOW)

    assert received(report) == {"plumber": 0}
    assert report.is_empty


async def test_an_unknown_client_is_told_near_names(record: Database) -> None:
    assert await find_client(record, "plumber") == "plumber"
    with pytest.raises(UsageError, match=r"there is no client cabinet-morau: .* \(did you mean cabinet-moreau\?\)"):
        await find_client(record, "cabinet-morau")
    with pytest.raises(UsageError, match="callrouter status"):
        await find_client(record, "zzzzzz")


@pytest.mark.parametrize("form", [Format.CSV, Format.XLSX, Format.SVG, Format.PDF])
async def test_every_form_is_made(record: Database, form: Format) -> None:
    asked = Asked(period=OCTOBER, clients=["cabinet-moreau"], comparison=Comparison.BEFORE)
    reports = [await read_report(record, one, NOW) for one in needed(asked, form)]

    assert len(reports) == (4 if form is Format.PDF else 1)
    for language in Language:
        assert len(written(reports, form, language)) > 500


async def test_a_period_that_ends_before_it_begins(record: Database) -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        await read_report(record, Asked(period=Period(Moment.parse("today"), Moment.parse("yesterday"))), NOW)


async def test_what_stands_beside_the_calls(record: Database) -> None:
    """Of a client without messages and callbacks it is 0, and who gave up is told."""
    asked = Asked(period=OCTOBER, clients=["plumber"])
    report = await read_report(record, asked, NOW)

    (row,) = report.rows
    assert [report.cell(row, name) for name in ("messages", "callbacks", "conversations")] == [0, 0, 0]
    assert report.cell(row, "accepted_p50_seconds") is None
    assert 0 <= (report.cell(row, "gave_up_reached") or 0) <= 1
    of_a_year = Asked(period=Period.last("12mo"), comparison=Comparison.BEFORE)
    everybody = await read_report(record, of_a_year, NOW)
    assert everybody.total is not None
    assert everybody.cell(everybody.total, "messages") is None


async def test_agents(record: Database) -> None:
    report = await read_report(record, Asked(by=By.AGENT, period=OCTOBER), NOW)

    assert [span.zone for span in report.spans] == ["Europe/Paris"]
    assert len(written([report], Format.PDF, Language.FRENCH)) > 500
    with pytest.raises(ValueError, match="without a client"):
        await read_report(record, Asked(by=By.AGENT, period=OCTOBER, clients=["plumber"]), NOW)


async def test_queues(record: Database) -> None:
    """Visits, and the calls that made them: found within one client, a month at a time."""
    asked = Asked(by=By.QUEUE, period=OCTOBER, clients=["plumber", "kolkata-taxis"], comparison=Comparison.BEFORE)
    report = await read_report(record, asked, NOW)

    (row,) = report.rows
    visits = report.cell(row, "entered")
    assert visits is not None
    assert visits > 50
    assert await _listed(record, row) == visits
    assert report.total is not None
    assert report.total.cells == row.cells
    share = report.cell(row, "visits_answered_share")
    assert share == (report.cell(row, "visits_answered") or 0) / visits
    assert (await read_report(record, Asked(by=By.QUEUE, period=OCTOBER), NOW)).rows[0].calls == ()

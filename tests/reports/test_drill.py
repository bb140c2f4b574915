"""The queries by which the calls of a row are found: their times are all of the row's, and nobody else's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.periods import Period
from callrouter.reports.drill import queries
from callrouter.reports.model import By, Key, Span

NOW = datetime(2026, 11, 15, tzinfo=UTC)
ZONES = ["Europe/Paris", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "UTC"]


def span(month: str, zone: str = "Europe/Paris") -> Span:
    from_at, to_at = Period.month(month).within(ZoneInfo(zone), NOW)
    return Span(zone=zone, from_at=from_at, to_at=to_at)


def times(by: By, key: Key, of: Span) -> list[tuple[datetime, datetime]]:
    found = (parse_qs(query) for query in queries(by, key, {"a": of}))
    return [(datetime.fromisoformat(one["from"][0]), datetime.fromisoformat(one["to"][0])) for one in found]


def test_the_calls_of_a_client_and_of_a_number() -> None:
    assert queries(By.CLIENT, "cabinet-moreau", {"cabinet-moreau": span("2026-10")}) == (
        "client=cabinet-moreau&from=2026-09-30T22%3A00%3A00Z&to=2026-10-31T23%3A00%3A00Z",
    )
    assert queries(By.DID, "+33140000001", {"cabinet-moreau": span("2026-11")}) == (
        "client=cabinet-moreau&did=%2B33140000001&from=2026-10-31T23%3A00%3A00Z&to=2026-11-30T23%3A00%3A00Z",
    )
    assert queries(By.DAY, date(2026, 10, 25), {None: span("2026-10")}) == (
        "from=2026-10-24T22%3A00%3A00Z&to=2026-10-25T23%3A00%3A00Z",
    )


def test_the_calls_of_an_hour_that_clocks_show_twice() -> None:
    """Once a day, and for two hours on the day on which clocks go back; on the one on which they go forward, never."""
    october = times(By.HOUR, 2, span("2026-10"))
    assert len(october) == 31
    assert max(end - start for start, end in october) == timedelta(hours=2)
    assert len(times(By.HOUR, 2, span("2026-03"))) == 30


def test_those_who_left_at_a_node() -> None:
    assert queries(By.NODE, "menu", {"a": span("2026-11")}) == (
        "client=a&left=menu&from=2026-10-31T23%3A00%3A00Z&to=2026-11-30T23%3A00%3A00Z",
    )
    assert queries(By.NODE, "", {"a": span("2026-11")}) == ()


@given(
    zone=st.sampled_from(ZONES),
    month=st.sampled_from(["2026-03", "2026-04", "2026-10", "2026-11", "2026-02"]),
    by=st.sampled_from([By.DAY, By.WEEKDAY, By.HOUR, By.MONTH]),
    minutes=st.integers(min_value=0, max_value=31 * 24 * 60),
)
def test_every_instant_is_in_the_queries_of_its_row_alone(zone: str, month: str, by: By, minutes: int) -> None:
    of = span(month, zone)
    at = of.from_at.astimezone(UTC) + timedelta(minutes=minutes)
    local = at.astimezone(ZoneInfo(zone))
    keys: dict[By, tuple[list[Key], Key]] = {
        By.DAY: ([local.date() + timedelta(days=n) for n in (-1, 0, 1)], local.date()),
        By.WEEKDAY: (list(range(1, 8)), local.isoweekday()),
        By.HOUR: (list(range(24)), local.hour),
        By.MONTH: ([of.from_at.date()], of.from_at.date()),
    }
    every, own = keys[by]

    found = [key for key in every if any(start <= at < end for start, end in times(by, key, of))]

    assert found == ([own] if at < of.to_at else [])


@pytest.mark.parametrize("zone", ZONES)
def test_hours_are_all_of_the_period(zone: str) -> None:
    of = span("2026-10", zone)
    long = sum((end - start for key in range(24) for start, end in times(By.HOUR, key, of)), timedelta())

    assert long == of.to_at.astimezone(UTC) - of.from_at.astimezone(UTC)

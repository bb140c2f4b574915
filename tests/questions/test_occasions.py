"""Stretches of the calendar: between two edges, hours, days and rotas say the same at every minute."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from callrouter.core.conditions import DateWithin
from callrouter.dialplan.documents.calendar import HoursBlock
from callrouter.dialplan.shared import hours
from callrouter.questions.occasions import MINUTES_A_DAY, Calendar
from tests.dialplan.shared.test_rotas_as_written import rota

TODAY = date(2026, 11, 24)


def test_nothing_changes_within_a_stretch() -> None:
    """Nights that run into holidays, a season, and shifts of another zone's wall clock; days of both changes too."""
    written = HoursBlock.model_validate(
        {
            "open": {"mon-fri": ["08:00-12:00", "22:30-05:15"], "sat": "20:00-02:30"},
            "holidays": "FR",
            "exceptions": {"12-24..01-02": ["09:00-12:00", "23:00-01:00"], "2026-12-27": "10:00-18:00"},
            "closed": ["eve of christmas"],
        }
    )
    schedule = hours.schedule("open", written, "Europe/Paris", "fr", TODAY, country="FR", wrong=[])
    duty = rota(
        "Europe/London",
        change="mon 08:00",
        cycle=["anna", "bob"],
        shifts={"night": {"when": "mon-thu 18:45-06:20", "cycle": [["carla", "dora"], "emil"]}},
        exceptions={"2026-12-28 10:10..11:20": "finn", "christmas": "gina"},
    )
    season = DateWithin(spans=((date(2026, 12, 20), date(2027, 1, 5)),), timezone="Europe/Paris")
    calendar = Calendar(timezone="Europe/Paris", schedules=(schedule,), dates=(season,), rotas=(duty,))
    days = [date(2026, 12, 19) + timedelta(days=step) for step in range(16)]

    for day in (*days, date(2026, 10, 25), date(2027, 3, 28), date(2027, 3, 29)):
        stretches = list(calendar.stretches(day))
        assert [one.stop for one in stretches] == [*(one.start for one in stretches[1:]), MINUTES_A_DAY]
        for stretch in stretches:
            for minute in range(stretch.start, stretch.stop, 5):
                instant = calendar.instant(day, minute)
                open_now, today, names = stretch.said
                found = schedule.at(instant)
                assert open_now == ("open" if found.open else "holiday" if found.holiday else "closed"), instant
                assert today == (
                    "yes" if season.holds_on(instant.astimezone(ZoneInfo("Europe/Paris")).date()) else "no"
                )
                assert names == " + ".join(one.name for one in duty.at(instant)), instant

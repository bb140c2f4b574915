"""Mistakes with days: over, of another year, closings too long; rotas that end or have holes."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.dialplan.mistakes.firms import Firm, day, right
from tests.dialplan.mistakes.folders import NOW
from tests.dialplan.mistakes.kind import Kind, Mistake, at, at_shared


def _own_hours(firm: Firm) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A set of hours of the client, and its path."""
    hours = firm.client["hours"]
    return (hours["desk"], ("hours", "desk")) if "desk" in hours else (hours, ("hours",))


def over(random: Random) -> Mistake | None:
    """Closings and exceptions of last summer, last Christmas, last year."""
    firm = right(random)
    hours, path = _own_hours(firm)
    first = -random.randint(60, 700)
    last = first + random.choice([0, 1, 6, 13, 20])
    written = day(first) if first == last else f"{day(first)}..{day(last)}"
    if firm.chance(0.5):
        hours.setdefault("closed", []).append(written)
        return Mistake(firm.folder, (at(firm.folder, *path, "closed", len(hours["closed"]) - 1),))
    hours.setdefault("exceptions", {})[written] = "10:00-12:00"
    return Mistake(firm.folder, (at(firm.folder, *path, "exceptions", written),))


def season_over(random: Random) -> Mistake | None:
    """A season of a branch that no call meets any more."""
    firm = right(random)
    nodes = firm.client["nodes"]
    last = -random.randint(1, 400)
    first = last - random.choice([0, 1, 14, 60, 180])
    when = {"from": day(first), "to": day(last), "then": "bye"}
    if "season" in nodes:
        nodes["season"]["branch"]["when"].insert(0, when)
        node = "season"
    else:
        nodes["passing"] = {"branch": {"when": [when], "otherwise": firm.client["start"]}}
        firm.client["start"] = node = "passing"
    return Mistake(firm.folder, (at(firm.folder, "nodes", node, "branch", "when", 0),))


CLOSINGS = (
    ("12-24", "01-03", 1),
    ("12-31", "01-02", 1),
    ("12-26", "12-31", 0),
    ("05-07", "05-08", 0),
    ("08-02", "08-22", 0),
    ("07-19", "08-15", 0),
)
"""First and last day, and the years between them."""


def year_slip(random: Random) -> Mistake | None:
    """The year of one end, or of both, one too many or too few; as in January, or when a line is copied."""
    firm = right(random)
    hours, path = _own_hours(firm)
    hours.pop("closed", None)
    first, last, more = random.choice(CLOSINGS)
    year = NOW.year if first > "11-24" else NOW.year + 1
    slip = random.choice(["last late", "first early", "both early", "both late", "last early"])
    begins = year + {"first early": -1, "both early": -1, "both late": 1}.get(slip, 0)
    ends = year + more + {"last late": 1, "last early": -1, "both early": -1, "both late": 1}.get(slip, 0)
    written = f"{begins}-{first}..{ends}-{last}"
    if f"{ends}-{last}" >= NOW.date().isoformat() and slip == "both early":
        return None
    if firm.chance(0.3):
        nodes = firm.client["nodes"]
        start = firm.client["start"]
        nodes["passing"] = {
            "branch": {
                "when": [{"from": f"{begins}-{first}", "to": f"{ends}-{last}", "then": "word"}],
                "otherwise": start,
            }
        }
        firm.client["start"] = "passing"
        return Mistake(firm.folder, (at(firm.folder, "nodes", "passing", "branch", "when", 0),))
    hours["closed"] = [written]
    return Mistake(firm.folder, (at(firm.folder, *path, "closed", 0), at(firm.folder, *path, "closed")))


def digits_of_a_year(random: Random) -> Mistake | None:
    """`2062` for `2026`, `20026`, `2062-12-24..2027-01-03`."""
    firm = right(random)
    hours, path = _own_hours(firm)
    wrong = random.choice(["2062", "2206", "2072", "2002", "2207"])
    written = random.choice([f"{wrong}-12-24", f"{wrong}-12-24..{wrong}-12-31", f"2026-12-24..{wrong}-12-31"])
    hours["closed"] = [written]
    return Mistake(firm.folder, (at(firm.folder, *path, "closed", 0), at(firm.folder, *path, "closed")))


def _ringing(firm: Firm, rota: str) -> tuple[str, tuple[str | int, ...]]:
    """The client rings by a rota; where it does."""
    nodes = firm.client["nodes"]
    if "duty" in nodes:
        nodes["duty"]["dial"]["contacts"] = [rota]
        nodes["duty"]["dial"].pop("mode", None)
    else:
        nodes["duty"] = {"dial": {"contacts": [rota], "screen": "true", "no_answer": firm.client["start"]}}
        firm.client["start"] = "duty"
    firm.client["dialling"] = {"countries": ["FR"]}
    return at(firm.folder, "nodes", "duty", "dial", "contacts", 0)


def _week(step: int) -> str:
    year, week, _ = (NOW.date() + timedelta(weeks=step)).isocalendar()
    return f"{year}-W{week:02}"


def rota_ends(random: Random) -> Mistake | None:
    """A rota by weeks that is not written on: over, or about to be."""
    firm = right(random)
    last = random.randint(-20, 40)
    weeks = {_week(step): random.choice(["duty-0", "duty-1"]) for step in range(last - random.randint(2, 12), last + 1)}
    rotas = firm.folder.shared["calendars"]["rotas"]
    rotas["on-duty"] = {"timezone": "Europe/Paris", "change": "mon 08:00", "weeks": weeks}
    return Mistake(firm.folder, (_ringing(firm, "on-duty"), at_shared("calendars", "rotas", "on-duty")))


def rota_gap(random: Random) -> Mistake | None:
    """A week left out, of another year, or a cycle that has not begun."""
    firm = right(random)
    rotas = firm.folder.shared["calendars"]["rotas"]
    weeks = {_week(step): "duty-0" if step % 2 else "duty-1" for step in range(120)}
    if firm.chance(0.5):
        missing = random.randint(1, 60)
        gone = weeks.pop(_week(missing))
        if firm.chance(0.5):  # the year slipped
            year, _, week = _week(missing).partition("-")
            weeks[f"{int(year) - 1}-{week}"] = gone
        rotas["on-duty"] = {"timezone": "Europe/Paris", "weeks": weeks}
    else:
        rotas["on-duty"]["starting"] = (date(2027, 1, 4) + timedelta(weeks=random.randint(0, 51))).isoformat()
    return Mistake(firm.folder, (_ringing(firm, "on-duty"), at_shared("calendars", "rotas", "on-duty")))


def rota_swap_over(random: Random) -> Mistake | None:
    """Somebody's turn on a day of a year that is over: who was to have it has not."""
    firm = right(random)
    rota = firm.folder.shared["calendars"]["rotas"]["on-duty"]
    written = random.choice(["2025-12-25", "2025-12-31..2026-01-02", "2026-01-01", "2025-12-24..2025-12-26"])
    rota["exceptions"] = {written: "duty-1"}
    return Mistake(
        firm.folder, (_ringing(firm, "on-duty"), at_shared("calendars", "rotas", "on-duty", "exceptions", written))
    )


def idle_exception(random: Random) -> Mistake | None:
    """Other hours for days that are closed anyway, which stay closed."""
    firm = right(random)
    hours, path = _own_hours(firm)
    if "open" not in hours or "holidays" not in hours:
        return None
    hours["open"] = {"mon-fri": "09:00-17:00"}
    hours.pop("closed", None)
    written = random.choice(["2026-12-19..2026-12-20", "2027-02-06..2027-02-07", "2026-12-05..2026-12-06"])
    hours["exceptions"] = {written: random.choice(["09:00-12:00", "08:00-16:00"])}
    return Mistake(firm.folder, (at(firm.folder, *path, "exceptions", written),))


KINDS = (
    Kind(name="closing or exception that is over", line=19, make=over),
    Kind(name="season that is over", line=19, make=season_over),
    Kind(name="slip of the year", line=19, make=year_slip),
    Kind(name="digits of a year", line=19, make=digits_of_a_year),
    Kind(name="rota that ends", line=19, make=rota_ends),
    Kind(name="rota with a gap", line=19, make=rota_gap),
    Kind(name="swap of a rota of a year that is over", line=19, make=rota_swap_over),
    Kind(name="exception for days that are closed", line=20, make=idle_exception),
)

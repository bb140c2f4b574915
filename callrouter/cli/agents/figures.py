"""Agents' figures as a table: a line for each agent, or for each part of a period, and below it what work is told apart
by.
"""

from __future__ import annotations

from datetime import UTC

from rich.console import Console
from rich.table import Table

from callrouter.core.call import OfferOutcome
from callrouter.logs import safe_text
from callrouter.periods import Step
from callrouter.store.agents.figures import AgentFigures, AgentsFigures
from callrouter.store.agents.work import Work

WORK = ("Conversations", "Talk", "Hold", "Wrap-up", "AHT", "Offered", "Missed", "(refused)")
TIME = ("Logged in", "Available", "Paused", "Other", "Occupancy")


def show_figures(found: AgentsFigures, step: Step | None) -> None:
    """For a person; with a step, the total of who was there in several parts too."""
    console = Console(width=None if Console().is_terminal else 160, highlight=False)
    console.print(f"{found.from_at:%Y-%m-%d %H:%M %Z} to {found.to_at:%Y-%m-%d %H:%M %Z}, {found.zone.key}")
    if not found.agents:
        console.print("No agent did anything, or was there.")
    else:
        console.print(_table(found, step))
    for reason, seconds in _pauses(found).items():
        console.print(safe_text(f"Paused for {reason or 'no reason in particular'}: {_time(seconds)}"))
    for gap in found.gaps:
        until = f"{gap.until_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if gap.until_at else "now"
        since = f"{gap.from_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        console.print(f"Gap {since} to {until} UTC, something may be missing: {gap.reason}")


def _table(found: AgentsFigures, step: Step | None) -> Table:
    table = Table("Agent", *(("When",) if step else ()), *WORK, *TIME, box=None, pad_edge=False)
    for column in table.columns[2 if step else 1 :]:
        column.justify = "right"
    for total in found.totals:
        theirs = [one for one in found.agents if one.agent == total.agent] if step else []
        for one in theirs:
            _add(table, safe_text(one.agent), one, [f"{one.from_at:{'%Y-%m-%d' if step is Step.DAY else '%Y-%m'}}"])
        if len(theirs) != 1:
            _add(table, safe_text(total.agent), total, ["in all"] if step else [])
    return table


def _add(table: Table, name: str, one: AgentFigures, when: list[str]) -> None:
    time = one.time
    spent = (time.logged_in_seconds, time.available_seconds, sum(time.paused_seconds.values()), time.other_seconds)
    busy = "–" if one.occupancy is None else f"{one.occupancy:.1%}"
    table.add_row(name, *when, *_work(one.work), *map(_time, spent), busy)
    for key, work in one.by.items():
        table.add_row(f"  {safe_text(key or 'not known')}", *([""] if when else []), *_work(work))


def _work(work: Work) -> list[str]:
    aht = "–" if work.aht_seconds is None else f"{work.aht_seconds:.0f} s"
    refused = work.offers.get(OfferOutcome.REFUSED, 0)
    times = map(_time, (work.talk_seconds, work.hold_seconds, work.wrap_up_seconds))
    return [str(work.conversations), *times, aht, *map(str, (work.offered, work.missed, refused))]


def _time(seconds: float) -> str:
    """Hours, minutes and seconds."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def _pauses(found: AgentsFigures) -> dict[str, float]:
    """By reason, of everybody together."""
    reasons: dict[str, float] = {}
    for one in found.totals:
        for reason, seconds in one.time.paused_seconds.items():
            reasons[reason] = reasons.get(reason, 0.0) + seconds
    return reasons

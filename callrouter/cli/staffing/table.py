"""What a line needs, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rich.console import Console
from rich.table import Table

from callrouter.staffing.line import Plan, Row, clock
from callrouter.staffing.model import Target
from callrouter.staffing.simulation import Estimate

COLUMNS = (
    *("Half hour", "Calls", "AHT", "Erlang C", "Erlang A", "Played"),
    *("Level with those", "Were there", "Level with those", "Measured"),
)


def show(plan: Plan, target: Target, days: Sequence[date]) -> None:
    """For a person."""
    console = Console(width=None if Console().is_terminal else 160, highlight=False)
    span = f"{days[0]:%a %Y-%m-%d}" if len(days) == 1 else f"{len(days)} days, {days[0]} to {days[-1]}"
    console.print(
        f"By {span}. Agents at work for {target.share:.1%} within {target.within_seconds:g} s ({target.formula})"
    )
    if not plan.rows:
        console.print("Nobody was answered on these days: what a conversation takes is not known.")
        return
    table = Table(*COLUMNS, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in plan.rows:
        table.add_row(*_cells(row))
    console.print(table)
    console.print(
        f"Patience {_seconds(plan.patience_seconds)} on average, half of callers would be gone after "
        f"{_seconds(plan.half_gone_seconds)}; {plan.missed:.1%} of offers are missed; the line gives up after "
        f"{_seconds(plan.max_wait_seconds)}. Intervals are of 95 %."
    )


def _cells(row: Row) -> tuple[str, ...]:
    needs = row.needs
    calls = row.calls
    spread = "" if calls.low is None or calls.high is None else f" ({calls.low:.1f}–{calls.high:.1f})"
    return (
        clock(row.slot),
        f"{calls.value or 0:.1f}{spread}",
        f"{row.handle_seconds:.0f} s",
        str(needs.by_erlang_c),
        "–" if needs.by_erlang_a is None else str(needs.by_erlang_a),
        "–" if needs.by_play is None else str(needs.by_play),
        _level(needs.played.level),
        f"{row.there:.1f}",
        "–" if row.level_there is None else _level(row.level_there),
        "–" if row.measured is None else f"{row.measured:.1%}",
    )


def _level(level: Estimate) -> str:
    if level.value is None:
        return "–"
    if level.low is None or level.high is None:
        return f"{level.value:.0%}"
    return f"{level.value:.0%} ({level.low:.0%}–{level.high:.0%})"


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.0f} s"

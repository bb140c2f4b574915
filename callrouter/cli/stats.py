"""`callrouter stats`: each client's service figures for a period, and what they were made with."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from callrouter.cli.record import instant, opened_record, plans_on_disk
from callrouter.errors import SettingsError
from callrouter.settings import Settings, load_settings
from callrouter.store.stats import ClientStats, Stats, read_stats

COLUMNS = ("Client", "Received", "Offered", "Answered", "Abandoned", "(short)", "Messages", "Pickup", "Service level")
TIMES = ("ASA", "p90", "Longest", "AHT")


def stats(
    client: Annotated[str | None, typer.Option(help="Only this client.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="Day or instant; today by default.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Day or instant, not included; now by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: as /api/stats.")] = False,
) -> None:
    """Show each client's figures for a period, with the formula, threshold and limit they were made with."""
    settings = load_settings()
    now = (datetime.now(UTC) + timedelta(seconds=settings.clock_shift_seconds)).astimezone()
    to_at = instant(to) if to else now
    from_at = instant(from_) if from_ else datetime.combine(to_at.date(), time(), to_at.tzinfo)
    if from_at >= to_at:
        raise SettingsError("the period ends before it begins: --from must be before --to")
    found = asyncio.run(_read(settings, client, from_at, to_at))
    if as_json:
        from callrouter.api.stats_schemas import StatsOut

        typer.echo(StatsOut.of(found).model_dump_json(indent=2))
        return
    _show(found)


async def _read(settings: Settings, client: str | None, from_at: datetime, to_at: datetime) -> Stats:
    catalogue = plans_on_disk(settings)
    plans = catalogue.plans.values() if catalogue else ()
    targets = {plan.client: plan.service_level for plan in plans}
    async with opened_record(settings) as database:
        return await read_stats(database, from_at=from_at, to_at=to_at, client=client, targets=targets)


def _show(found: Stats) -> None:
    # Wide enough for the whole table, also where the output is a file.
    console = Console(width=None if Console().is_terminal else 160, highlight=False)
    console.print(f"{found.from_at:%Y-%m-%d %H:%M %Z} to {found.to_at:%Y-%m-%d %H:%M %Z}")
    if not found.clients:
        console.print("No calls.")
    else:
        console.print(_table(found.clients))
        for basis in sorted({f"{one.basis} ({_clients(found, one.basis)})" for one in found.clients}):
            console.print(f"Service level by {basis}")
    for gap in found.gaps:
        until = f"{gap.until_at:%Y-%m-%d %H:%M:%S}" if gap.until_at else "now"
        console.print(f"Gap {gap.from_at:%Y-%m-%d %H:%M:%S} to {until} UTC, calls may be missing: {gap.reason}")


def _table(clients: list[ClientStats]) -> Table:
    table = Table(*COLUMNS, *TIMES, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for one in clients:
        counts = one.counts
        numbers = (one.received, one.offered, counts.answered, counts.abandoned, counts.short_abandoned)
        shares = (one.pickup_rate, one.service_level)
        times = (one.asa_seconds, one.waiting_p90_seconds, one.waiting_max_seconds, one.aht_seconds)
        messages = sum(count for name, count in one.by_disposition.items() if name == "message_left")
        table.add_row(
            one.client, *map(str, numbers), str(messages), *(_share(share) for share in shares), *map(_time, times)
        )
    return table


def _clients(found: Stats, basis: str) -> str:
    return ", ".join(one.client for one in found.clients if one.basis == basis)


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _time(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.1f} s"

"""Each line leads to its calls, and each call to what was billed of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from callrouter.cli.callbacks.listed import AsJson
from callrouter.cli.consumption.asked import Number, Output, give_file
from callrouter.cli.messages.work import with_record
from callrouter.errors import UsageError
from callrouter.logs import safe_text
from callrouter.reports.consumption.words import WHY
from callrouter.reports.words import Language
from callrouter.settings import Settings
from callrouter.store.consumption.invoices import BilledItem, Invoice, ItemPage, find_invoice, invoices_with, list_items
from callrouter.store.database import Database


def items(
    number: Number,
    line: Annotated[
        int | None, typer.Option(min=1, help="Only what counts in this line, as `show` numbers them.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many, the last ones first.")] = 100,
    as_csv: Annotated[bool, typer.Option("--csv", help="For a spreadsheet.")] = False,
    as_json: AsJson = False,
    output: Output = None,
) -> None:
    """Show what an invoice bills, call by call: as it was measured, and what it counted for.

    Without a line, also what cost nothing, and why. `callrouter explain` says the rest of a call.
    """

    async def work(database: Database, _settings: Settings, _now: datetime) -> ItemPage:
        if "\x00" in number or await find_invoice(database, number) is None:
            raise UsageError(f"there is no invoice {safe_text(number, 40)}: `callrouter consumption list` shows them")
        return await list_items(database, number, line=line, limit=limit)

    found = with_record(work)
    if as_json:
        from callrouter.api.schemas.consumption import ItemPageOut

        give_file((ItemPageOut.of(found).model_dump_json(indent=2) + "\n").encode(), output)
    elif as_csv or _is_csv(output):
        from callrouter.reports.consumption import comma_separated

        give_file(comma_separated.items(found.items).encode(), output)
    else:
        for one in found.items:
            typer.echo(safe_text(_line(one), 400))
        if not found.items:
            typer.echo("It has no such items.")
    if found.next_cursor and not as_json:
        typer.echo(f"There are more: --limit {min(10 * limit, 1_000_000)}", err=True)


def explain(
    item: Annotated[str, typer.Argument(metavar="ID", help="Of a call, a message, a callback's call or an SMS.")],
) -> None:
    """Show in which invoices a call, a message, a callback or an SMS was billed, and what it counted for."""

    async def work(database: Database, _settings: Settings, _now: datetime) -> list[tuple[Invoice, BilledItem]]:
        return [] if "\x00" in item else await invoices_with(database, item)

    found = with_record(work)
    for invoice, one in found:
        typer.echo(safe_text(f"{invoice.number}  {invoice.client}  {invoice.month:%Y-%m}: {_line(one)}", 400))
    if not found:
        typer.echo(f"No invoice has {safe_text(item, 80)}.")


def _is_csv(output: Path | None) -> bool:
    return output is not None and output.suffix.lower() == ".csv"


def _line(one: BilledItem) -> str:
    item, rated = one.rated.item, one.rated
    parts = [f"{item.at:%Y-%m-%d %H:%M:%S} UTC", item.kind.value, item.item_id, str(item.outcome)]
    measured = [("talk", item.talk_seconds), ("put through", item.put_through_seconds)]
    measured += [("hold", item.hold_seconds), ("wrap-up", item.wrap_up_seconds)]
    parts += [f"{name} {seconds:.0f} s" for name, seconds in measured if seconds]
    if rated.why:
        parts.append(f"not billed: {WHY[Language.ENGLISH].get(rated.why, rated.why)}")
    elif rated.seconds:
        parts.append(f"billed {rated.seconds} s")
    if rated.surcharge:
        parts.append(f"surcharge {rated.surcharge}")
    if one.lines:
        parts.append(f"line {', '.join(map(str, one.lines))}")
    return "  ".join(parts)

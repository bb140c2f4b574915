"""What a month costs: shown, compared with another tariff, issued, and shown again as it was issued."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from callrouter.cli.audit import at_command_line
from callrouter.cli.callbacks.listed import AsJson, Limit
from callrouter.cli.consumption.asked import (
    InForm,
    InLanguage,
    Number,
    OfMonth,
    Output,
    as_table,
    form_of,
    give,
    give_file,
    month_of,
    name_of,
    tariff_of,
)
from callrouter.cli.messages.work import with_record
from callrouter.cli.progress import working
from callrouter.consumption.statement import Statement
from callrouter.errors import ConsumptionRefused, UsageError
from callrouter.logs import safe_text
from callrouter.permissions import By
from callrouter.reports.consumption.rendering import Format
from callrouter.reports.consumption.words import money
from callrouter.reports.words import Language
from callrouter.settings import Settings
from callrouter.store.consumption import comparing, invoices, issuing
from callrouter.store.consumption.tariffs import clients_with_tariff
from callrouter.store.database import Database

OfClient = Annotated[str, typer.Argument(metavar="CLIENT", help="Whose.")]


def preview(
    client: OfClient,
    month: OfMonth = None,
    form: InForm = None,
    language: InLanguage = Language.ENGLISH,
    output: Output = None,
) -> None:
    """Show what a client is to pay for a month, as the record is now.

    Nothing is issued. Of a month that goes on it is what it comes to so far; of one that was issued, the invoice.
    """
    chosen = form_of(form, output)

    async def work(database: Database, settings: Settings, now: datetime) -> tuple[Statement, datetime]:
        name = await name_of(database, settings, client)
        return await issuing.preview(database, client, month_of(month, now), name=name, now=now), now

    with working() as say:
        say("rating the calls")
        found, now = with_record(work)
    give(found, chosen, language, output, now)


def what_if(
    client: OfClient,
    tariff: Annotated[Path, typer.Option("--tariff", help="The other one, as YAML.")],
    month: OfMonth = None,
    language: InLanguage = Language.ENGLISH,
    as_json: AsJson = False,
) -> None:
    """Show what a month would have cost by another tariff, beside what it costs. Nothing is kept of it."""
    other = tariff_of(tariff)

    async def work(database: Database, settings: Settings, now: datetime) -> tuple[comparing.Comparison, datetime]:
        name = await name_of(database, settings, client)
        return await comparing.what_if(database, client, month_of(month, now), other, name=name, now=now), now

    with working() as say:
        say("rating the calls")
        found, now = with_record(work)
    if as_json:
        from callrouter.api.schemas.consumption import ComparisonOut

        typer.echo(ComparisonOut.of(found, language).model_dump_json(indent=2))
        return
    if found.now is not None:
        typer.echo(as_table(found.now, language, now))
    typer.echo(as_table(found.by_other, language, now))
    if found.now is None:
        typer.echo(f"{client} has no tariff in that month.")
        return
    more = found.by_other.net - found.now.net
    currency = found.by_other.currency
    if found.now.currency != currency:
        typer.echo("The two are in different currencies: they cannot be compared.")
    else:
        shown = money(abs(more), currency, language)
        typer.echo(f"By the other tariff it costs {shown} {'more' if more >= 0 else 'less'}, without VAT.")


def issue(
    clients: Annotated[list[str] | None, typer.Argument(metavar="CLIENT", help="Whose.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="All who have a tariff in that month.")] = False,
    month: OfMonth = None,
) -> None:
    """Issue the invoices of a month that is over.

    One that was issued stays as it is, and is named again. Exit 1 where one cannot be issued.
    """
    if bool(clients) is everybody:
        raise UsageError("name clients, or --all of them")

    async def work(database: Database, settings: Settings, now: datetime) -> int:
        first = month_of(month, now)
        failed = 0
        for client in clients or await clients_with_tariff(database, first):
            say(f"issuing {first:%Y-%m} for {client}")
            name = await name_of(database, settings, client)
            try:
                by = By(principal=at_command_line())
                made, is_new = await issuing.issue(database, client, first, name=name, by=by, now=now)
            except ConsumptionRefused as error:
                failed += 1
                typer.echo(f"{client}: {error}", err=True)
                continue
            gross = money(made.gross, made.currency, Language.ENGLISH)
            typer.echo(f"{made.number}  {client}  {first:%Y-%m}  {gross}{'' if is_new else '  (issued before)'}")
        return failed

    with working() as say:
        failed = with_record(work)
    raise typer.Exit(1 if failed else 0)


def list_all(
    client: Annotated[str | None, typer.Option(help="Only of this client.")] = None,
    month: Annotated[str | None, typer.Option(help="Only of this month: 2026-10.")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    form: InForm = None,
    output: Output = None,
    language: InLanguage = Language.ENGLISH,
) -> None:
    """Show invoices, the last ones first; as CSV, all lines of each, for the accounts."""
    chosen = form_of(form, output)
    if chosen in (Format.PDF, Format.JSON):
        raise typer.BadParameter("several invoices are a table, --format csv, or --json; `show NUMBER` has more forms")

    async def work(
        database: Database, settings: Settings, now: datetime
    ) -> tuple[invoices.InvoicePage, list[Statement]]:
        if client is not None:
            await name_of(database, settings, client)
        wanted = None if month is None else month_of(month, now)
        found = await _pages(database, client, wanted, limit)
        whole = [await _found(database, one.number) for one in found.invoices] if chosen is Format.CSV else []
        return found, whole

    found, whole = with_record(work)
    if chosen is Format.CSV:
        from callrouter.reports.consumption import comma_separated

        give_file(comma_separated.lines(whole, language).encode(), output)
    elif as_json:
        from callrouter.api.schemas.consumption import InvoicePageOut

        typer.echo(InvoicePageOut.of(found).model_dump_json(indent=2))
    else:
        _table(found)


async def _pages(database: Database, client: str | None, month: date | None, limit: int) -> invoices.InvoicePage:
    """So many of a month: those of others are passed over."""
    kept: list[invoices.Invoice] = []
    cursor = None
    while True:
        page = await invoices.list_invoices(database, client=client, limit=500 if month else limit, cursor=cursor)
        kept += [one for one in page.invoices if month in (None, one.month)]
        cursor = page.next_cursor
        if cursor is None or len(kept) >= limit:
            more = cursor if len(kept) <= limit else None
            return invoices.InvoicePage(invoices=kept[:limit], next_cursor=more)


def _table(found: invoices.InvoicePage) -> None:
    for one in found.invoices:
        net, gross = (money(amount, one.currency, Language.ENGLISH) for amount in (one.net, one.gross))
        line = f"{one.number}  {one.month:%Y-%m}  {one.client}  {net} net  {gross}  issued {one.issued_at:%Y-%m-%d}"
        typer.echo(safe_text(line, 400))
    if not found.invoices:
        typer.echo("No invoice was issued.")
    if found.next_cursor:
        typer.echo("There are more: --limit 10000")


def show(
    number: Number,
    form: InForm = None,
    language: InLanguage = Language.ENGLISH,
    output: Output = None,
) -> None:
    """Show an invoice as it was issued: on the screen, or as PDF, CSV or JSON."""
    chosen = form_of(form, output)

    async def work(database: Database, _settings: Settings, now: datetime) -> tuple[Statement, datetime]:
        return await _found(database, number), now

    found, now = with_record(work)
    give(found, chosen, language, output, now)


async def _found(database: Database, number: str) -> Statement:
    found = None if "\x00" in number else await invoices.find_invoice(database, number)
    if found is None:
        raise UsageError(f"there is no invoice {safe_text(number, 40)}: `callrouter consumption list` shows them")
    return found

"""The words that commands on consumption share, and how a statement leaves them."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from callrouter.cli.messages.work import found_plan
from callrouter.cli.usage import argument
from callrouter.consumption.document import ReadTariff, read_tariff
from callrouter.consumption.statement import Statement
from callrouter.dialplan.issues import Severity
from callrouter.errors import UsageError
from callrouter.logs import safe_text
from callrouter.periods import Period
from callrouter.reports.consumption.rendering import Format, written
from callrouter.reports.consumption.screen import shown
from callrouter.reports.reading import find_client
from callrouter.reports.words import Language
from callrouter.settings import Settings
from callrouter.store.database import Database

OfMonth = Annotated[
    str | None, typer.Option("--month", help="A calendar month, 2026-10; by default the last one that is over.")
]
InForm = Annotated[Format | None, typer.Option("--format", help="As --output's name says, else a table on the screen.")]
InLanguage = Annotated[Language, typer.Option("--language", help="Of what each line says.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write it into this file.")]
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="Of the invoice, as `list` shows it.")]


def month_of(text: str | None, now: datetime) -> date:
    """The first day of the month that is asked for."""
    if text is None:
        return (now.date().replace(day=1) - timedelta(days=1)).replace(day=1)
    argument(Period.month, text)
    return date.fromisoformat(f"{text}-01")


def tariff_of(file: Path) -> ReadTariff:
    """A tariff of a file; what is wrong with it is told.

    Raises:
        UsageError: it is none.
    """
    found = read_file(file)
    for one in found.issues:
        typer.echo(str(one), err=True)
    if found.tariff is None:
        raise UsageError(f"{file} is no tariff: see above")
    return found


def read_file(file: Path) -> ReadTariff:
    """The same, without a word.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return read_tariff(file.read_bytes(), str(file))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None


def is_wrong(found: ReadTariff) -> bool:
    """Whether it cannot be set."""
    return any(one.severity is Severity.ERROR for one in found.issues)


async def name_of(database: Database, settings: Settings, client: str) -> str:
    """How people call a client.

    Raises:
        UsageError: there is none of that name.
    """
    if "\x00" in client:
        raise UsageError("a client's name has no such characters")
    await find_client(database, client)
    plan = await found_plan(database, settings, client)
    return plan.name if plan is not None and plan.name else client


def form_of(form: Format | None, output: Path | None) -> Format:
    """As it is wanted, or as the file is called."""
    if form is None and output is not None:
        suffix = output.suffix.removeprefix(".").lower()
        if suffix not in set(Format) - {Format.TABLE}:
            raise typer.BadParameter(f"{output} says no form: call it .pdf, .csv or .json, or name it by --format")
        form = Format(suffix)
    form = form or Format.TABLE
    if form is Format.PDF and output is None and sys.stdout.isatty():
        raise typer.BadParameter("pdf is no text for a terminal: write it into a file with --output statement.pdf")
    if output is not None and output.is_dir():
        raise typer.BadParameter(f"{output} is a folder: name a file in it")
    return form


def give(statement: Statement, form: Format, language: Language, output: Path | None, now: datetime) -> None:
    """Print a statement, or write it into a file."""
    if form is Format.JSON:
        from callrouter.api.schemas.consumption import StatementOut

        file = (StatementOut.of(statement, language).model_dump_json(indent=2) + "\n").encode()
    elif form is Format.TABLE:
        file = as_table(statement, language, now, wide=output is not None).encode()
    else:
        file = written([statement], form, language, now)
    give_file(file, output)


def give_file(file: bytes, output: Path | None) -> None:
    """Print it, or write it into a file."""
    if output is None:
        sys.stdout.buffer.write(file)
        return
    try:
        output.write_bytes(file)
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}") from None
    typer.echo(f"{output} written")


def as_table(statement: Statement, language: Language, now: datetime, *, wide: bool = False) -> str:
    """On a screen as broad as it is; else broad enough for the whole table."""
    is_terminal = not wide and Console().is_terminal
    console = Console(width=None if is_terminal else 200, highlight=False, force_terminal=is_terminal, markup=False)
    with console.capture() as captured:
        for part in shown(statement, language, now):
            console.print(safe_text(part, 2_000) if isinstance(part, str) else part)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"

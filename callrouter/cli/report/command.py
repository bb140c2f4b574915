"""`callrouter report`: the figures of a period, by whatever they are asked for, in the form they are wanted in."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from callrouter.app.storage import open_database
from callrouter.app.versions import KeptPlans
from callrouter.app.web_services import sender_of
from callrouter.cli.progress import Say, working
from callrouter.cli.usage import Asked as Words
from callrouter.cli.usage import argument, period_asked
from callrouter.dialplan import PaperSpeech
from callrouter.errors import UsageError
from callrouter.periods import Comparison, Period, zone_named
from callrouter.reports.making import Order, check_order
from callrouter.reports.model import By, Report, Sort
from callrouter.reports.reading import Asked, find_client, read_report
from callrouter.reports.rendering import Format, needed, written
from callrouter.reports.screen import LONG, shown
from callrouter.reports.words import Language
from callrouter.settings import Settings, load_settings
from callrouter.store.database import Database
from callrouter.store.plans import live_version
from callrouter.store.subscribed.monthly import queue_monthly

_BINARY: Final = (Format.XLSX, Format.PDF)


def report(  # noqa: PLR0913, RUF100  # each is an option
    by: Annotated[By, typer.Argument(help="What it has a row for.")] = By.CLIENT,
    client: Annotated[str | None, typer.Option(help="Only this client.")] = None,
    month: Annotated[str | None, typer.Option(help="A calendar month: 2026-10.")] = None,
    yesterday: Annotated[bool, typer.Option("--yesterday", help="The day that is over; so it is by default.")] = False,
    last: Annotated[
        str | None, typer.Option(help="The last whole days, weeks or months, without the present one: 7d, 4w, 12mo.")
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", help="Day (2026-11-24, today, yesterday) or time.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Day or time, not included.")] = None,
    timezone: Annotated[str | None, typer.Option(help="On whose clocks; else each client's own.")] = None,
    compare: Annotated[
        Comparison | None, typer.Option(help="With the period before, or the same weekdays before.")
    ] = None,
    sort: Annotated[
        str | None, typer.Option(help="A column, the largest first (offered), or the smallest (service_level:asc).")
    ] = None,
    top: Annotated[int | None, typer.Option(min=1, help="Only so many rows; the others are one row together.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help=f"All rows, also more than {LONG} of them on a screen.")
    ] = False,
    form: Annotated[
        Format | None, typer.Option("--format", help="As --output's name says, else a table on the screen.")
    ] = None,
    language: Annotated[Language, typer.Option(help="Of names and of what the figures mean.")] = Language.ENGLISH,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it into this file.")] = None,
    send: Annotated[
        bool, typer.Option("--send", help="Instead: mail the month's report to whom the client's file names, again.")
    ] = False,
) -> None:
    """Print the figures of a period: who called, who was answered, how fast, and whether what was promised was kept.

    Each report says with which formula, threshold, limit and clock its service levels were made, and when calls may be
    missing. Days and hours are each client's own. Of one client, by client, a PDF has its days, hours and weekdays too.
    """
    settings = load_settings()
    now = datetime.now(UTC) + timedelta(seconds=settings.clock_shift_seconds)
    if send:
        mailed = asyncio.run(_send(settings, client, month, now))
        typer.echo(f"queued, for {', '.join(mailed)}: `callrouter deliveries list` says what could not be sent")
        return
    chosen = _form(form, output)
    order = Order(sort=argument(Sort.parse, sort) if sort else None, top=top)
    if chosen is Format.TABLE and top is None and not everything and not by.is_time:
        order = Order(sort=order.sort, top=LONG)
    asked = Asked(
        by=by,
        period=period_asked(Words(from_, to, month, last, yesterday)) or Period.yesterday(),
        clients=[client] if client else None,
        zone=_zone(timezone),
        comparison=compare,
        order=order,
    )
    try:
        check_order(by, order)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    with working() as say:
        found = asyncio.run(_read(settings, asked, chosen, now, say))
        say("writing it")
        if chosen is Format.JSON:
            from callrouter.api.schemas.reports import ReportOut

            file = (ReportOut.of(found[0], language).model_dump_json(indent=2) + "\n").encode()
        elif chosen is Format.TABLE:
            file = _as_table(found[0], language, output).encode()
        else:
            file = written(found, chosen, language)
    if output is not None:
        output.write_bytes(file)
        typer.echo(f"{output} written")
        return
    sys.stdout.buffer.write(file)


def _form(form: Format | None, output: Path | None) -> Format:
    """As it is wanted, or as the file is called."""
    if form is None and output is not None:
        suffix = output.suffix.removeprefix(".").lower()
        if suffix not in set(Format):
            named = ", ".join(f".{one}" for one in Format if one is not Format.TABLE)
            raise typer.BadParameter(f"{output} says no form: call it one of {named}, or name it by --format")
        form = Format(suffix)
    form = form or Format.TABLE
    if form in _BINARY and output is None and sys.stdout.isatty():
        raise typer.BadParameter(f"{form} is no text for a terminal: write it into a file with --output report.{form}")
    if output is not None and output.is_dir():
        raise typer.BadParameter(f"{output} is a folder: name a file in it")
    return form


def _zone(name: str | None) -> ZoneInfo | None:
    return argument(zone_named, name) if name else None


async def _read(settings: Settings, asked: Asked, form: Format, now: datetime, say: Say) -> list[Report]:
    async with open_database(settings, create=False) as database:
        if asked.clients:
            client = await find_client(database, asked.clients[0])
            asked = replace(asked, names=[await _name(database, settings, client)])
        wanted = needed(asked, form)
        found = []
        for number, one in enumerate(wanted, start=1):
            say(f"reading the figures by {one.by}" + (f" ({number} of {len(wanted)})" if len(wanted) > 1 else ""))
            try:
                found.append(await read_report(database, one, now))
            except ValueError as error:
                raise UsageError(str(error)) from None
        return found


async def _send(settings: Settings, client: str | None, month: str | None, now: datetime) -> list[str]:
    """Queue the reports of a client's month, whether they were sent before or not; whom they go to."""
    from callrouter.dispatch.reporting import Sender, mail_of

    if client is None or month is None:
        raise typer.BadParameter("--send sends one client's month: name --client and --month")
    argument(Period.month, month)
    address, domain = sender_of(settings)
    async with open_database(settings, create=False) as database:
        version = await live_version(database, await find_client(database, client))
        kept = KeptPlans(database, PaperSpeech(), settings.region)
        plan = (await kept.find(client, version)).plan if version is not None else None
        if plan is None or not plan.reports:
            raise UsageError(f"the file of {client} names nobody who is sent reports: write `reports` in it")
        for one in plan.reports:
            sender = Sender(address=address, domain=domain)
            mail = await mail_of(database, plan, one, date.fromisoformat(f"{month}-01"), sender, now)
            await queue_monthly(database, mail, now, None)
        return [one.to for one in plan.reports]


async def _name(database: Database, settings: Settings, client: str) -> str:
    """How a client is called in its file; its identifier where it is not live."""
    version = await live_version(database, client)
    if version is None:
        return client
    plan = (await KeptPlans(database, PaperSpeech(), settings.region).find(client, version)).plan
    return plan.name if plan is not None and plan.name else client


def _as_table(report: Report, language: Language, output: Path | None) -> str:
    """On a screen as broad as it is; else broad enough for the whole table."""
    is_terminal = output is None and Console().is_terminal
    console = Console(width=None if is_terminal else 240, highlight=False, force_terminal=is_terminal)
    with console.capture() as captured:
        for part in shown(report, language):
            console.print(part)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"

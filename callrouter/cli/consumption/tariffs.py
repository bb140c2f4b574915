"""Tariffs: checked, set from a day on, and shown."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from callrouter.cli.audit import at_command_line
from callrouter.cli.consumption.asked import is_wrong, name_of, read_file, tariff_of
from callrouter.cli.messages.work import found_plan, with_record
from callrouter.cli.usage import argument
from callrouter.consumption.document import ReadTariff
from callrouter.core.plan import Plan
from callrouter.dialplan.issues import how_many
from callrouter.errors import ConsumptionRefused, UsageError
from callrouter.permissions import By
from callrouter.settings import Settings
from callrouter.store.consumption.tariffs import TariffSince, find_tariff, set_tariff, tariffs_since
from callrouter.store.database import Database

Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="Tariffs, as YAML.")]
Since = Annotated[str, typer.Option("--from", help="The first day, by the client's clock: 2026-10-01.")]


def check(files: Files) -> None:
    """Check tariffs: every finding with its file, line and mend.

    Exit 1 when there are errors.
    """
    found = [read_file(file) for file in files]
    for one in found:
        for issue in one.issues:
            typer.echo(str(issue))
    wrong = sum(is_wrong(one) for one in found)
    typer.echo(f"{how_many(len(found) - wrong, 'tariff')} can be set; {wrong} cannot.")
    raise typer.Exit(1 if wrong else 0)


def set_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The tariff, as YAML.")],
    clients: Annotated[list[str], typer.Argument(metavar="CLIENT", help="Who has it.")],
    since: Since,
) -> None:
    """Give clients a tariff from a day on.

    It is kept as it is written now: a later change of the file changes nothing until it is set again, and never what
    was issued. Exit 1 where a client cannot have it.
    """
    read, day = tariff_of(file), argument(_day, since)
    assert read.tariff is not None
    named = f"tariff {read.tariff.name}, version {read.version}, from {day} on"

    async def work(database: Database, settings: Settings, now: datetime) -> int:
        for client in clients:
            await name_of(database, settings, client)
        failed = 0
        for client in clients:
            plan = await found_plan(database, settings, client)
            for one in _unknown(read, plan, client) if plan is not None else ():
                typer.echo(one, err=True)
            try:
                await set_tariff(database, client, day, read, by=By(principal=at_command_line()), now=now)
            except ConsumptionRefused as error:
                failed += 1
                typer.echo(f"{client}: {error}", err=True)
            else:
                typer.echo(f"{client}: {named}")
        return failed

    raise typer.Exit(1 if with_record(work) else 0)


def end(client: Annotated[str, typer.Argument(help="Who leaves.")], since: Since) -> None:
    """From a day on, a client has no tariff: nothing of these days is billed."""
    day = argument(_day, since)

    async def work(database: Database, settings: Settings, now: datetime) -> None:
        await name_of(database, settings, client)
        await set_tariff(database, client, day, None, by=By(principal=at_command_line()), now=now)

    with_record(work)
    typer.echo(f"{client}: no tariff from {day} on")


def tariff(
    client: Annotated[str | None, typer.Argument(help="Whose.")] = None,
    version: Annotated[str | None, typer.Option(help="Instead: a tariff as it was written, by its version.")] = None,
) -> None:
    """Show which tariff a client has from which day on, or a tariff as it was written."""
    if (client is None) is (version is None):
        raise UsageError("name a client, or a tariff by --version")

    async def work(database: Database, settings: Settings, _now: datetime) -> str | list[TariffSince]:
        if version is not None:
            found = None if "\x00" in version else await find_tariff(database, version)
            if found is None:
                raise UsageError(f"there is no tariff of version {version!r}: `callrouter consumption tariff CLIENT`")
            return found
        assert client is not None
        await name_of(database, settings, client)
        return await tariffs_since(database, client)

    found = with_record(work)
    if isinstance(found, str):
        typer.echo(found, nl=not found.endswith("\n"))
        return
    for one in found:
        what = f"{one.tariff}  {one.version}" if one.version else "none"
        typer.echo(f"from {one.since}  {what}  (set {one.set_at:%Y-%m-%d %H:%M} UTC by {one.set_by})")
    if not found:
        typer.echo(f"{client} has no tariff: `callrouter consumption set FILE {client} --from DAY` gives it one")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no day: write 2026-10-01") from None


def _unknown(read: ReadTariff, plan: Plan, client: str) -> list[str]:
    """What a tariff goes by and a client's file does not have: calls would be billed that should not."""
    assert read.tariff is not None
    not_billed = read.tariff.not_billed
    fields = {field.name for form in plan.forms for field in form.fields}
    found = [("node", name) for name in sorted(not_billed.nodes - plan.nodes.keys())]
    found += [("field", name) for name in sorted(not_billed.fields.keys() - fields)]
    return [
        f"{client}: warning: calls are not billed by {kind} {name}, says the tariff, and the client's file has none"
        for kind, name in found
    ]

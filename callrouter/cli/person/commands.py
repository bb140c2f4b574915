"""A person's data: how much there is of it, as a file, and no more."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from callrouter.app.folders import SPOOL
from callrouter.cli.audit import at_command_line, done_here, keep
from callrouter.cli.callbacks.listed import AsJson
from callrouter.cli.messages.work import with_record
from callrouter.cli.progress import Say, working
from callrouter.errors import UsageError
from callrouter.logs import safe_text
from callrouter.permissions import By, Permission
from callrouter.settings import Settings
from callrouter.store.access.recordings import Recordings
from callrouter.store.access.trail import AuditTrail
from callrouter.store.database import Database
from callrouter.store.person.erasing import Asked, Eraser
from callrouter.store.person.exporting import export as write_export
from callrouter.store.person.finding import count_all
from callrouter.store.person.naming import Sought, sought
from callrouter.store.person.receipts import Receipt, printed, read_receipt

Number = Annotated[str, typer.Argument(help="In any spelling: +33612345678, 06 12 34 56 78.")]
Language = Annotated[Literal["fr", "en"], typer.Option(help="Of what is printed.")]

LONGEST_REASON: Final = 500


def find(number: Number, as_json: AsJson = False) -> None:
    """Say where a number stands, and in how many rows. Who looks is in the audit trail."""

    async def work(database: Database, settings: Settings, _now: datetime) -> dict[str, int]:
        wanted = _sought(number, settings)
        await keep(database, done_here(Permission.PERSON_READ, f"find …{wanted.number[-2:]}"))
        with working() as say:
            return await count_all(database, wanted, say, (settings.data_dir / SPOOL,))

    found = with_record(work)
    if as_json:
        from callrouter.api.person.schemas import FoundOut

        typer.echo(FoundOut(found=found).model_dump_json(indent=2))
        return
    for store, many in found.items():
        if many:
            typer.echo(f"{store}: {many}")
    if not any(found.values()):
        typer.echo("The number stands nowhere. Backups, logs and Asterisk's own database were not looked at.")


def export(
    number: Number,
    to: Annotated[Path, typer.Option("--to", help="A zip that does not exist yet.")],
) -> None:
    """Write all that is known of a number into a zip: rows as JSON, and recordings."""

    async def work(database: Database, settings: Settings, _now: datetime) -> dict[str, int]:
        wanted = _sought(number, settings)
        await keep(database, done_here(Permission.PERSON_READ, f"export …{wanted.number[-2:]}"))
        recordings = Recordings(database, settings.recordings_dir, AuditTrail(database))
        with working() as say:
            try:
                return await write_export(database, recordings, wanted, By(principal=at_command_line()), to, say)
            except FileExistsError:
                raise UsageError(f"{to} is there already: name a file that is not") from None
            except OSError as error:
                raise UsageError(f"{to} cannot be written: {error.strerror or error}") from error

    found = with_record(work)
    typer.echo(f"{to}: {', '.join(f'{many} {table}' for table, many in found.items() if many) or 'nothing is known'}")


def erase(
    number: Number,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the receipt and the audit trail; no number in it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    language: Language = "en",
    as_json: AsJson = False,
) -> None:
    """Blank a person in all rows that hold them, delete their recordings, and print the receipt.

    Rows stay, and figures are what they were. What cannot be erased is named, with what to do.
    """
    if not reason.strip() or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise UsageError(f"--reason: say why in one line, of {LONGEST_REASON} signs at most")
    if not yes:
        typer.confirm("Erase this person? Nothing brings them back", abort=True)

    async def work(database: Database, settings: Settings, now: datetime) -> Receipt:
        wanted = _sought(number, settings)
        if wanted.compiled.search(reason):
            raise UsageError("--reason holds the number: it would stay in the receipt")
        with working() as say:
            asked = Asked(sought=wanted, reason=reason, by=By(principal=at_command_line()), now=now)
            return await _eraser(database, settings, say).erase(asked)

    _show(with_record(work), language, as_json=as_json)


def receipt(
    erasure: Annotated[str, typer.Argument(help="As `erase` printed it.")],
    language: Language = "en",
    as_json: AsJson = False,
) -> None:
    """Print a receipt again."""

    async def work(database: Database, _settings: Settings, _now: datetime) -> Receipt | None:
        return None if "\x00" in erasure else await read_receipt(database, erasure)

    found = with_record(work)
    if found is None:
        raise UsageError(f"there is no erasure {safe_text(erasure, 40)}")
    _show(found, language, as_json=as_json)


def _show(found: Receipt, language: str, *, as_json: bool) -> None:
    if as_json:
        from callrouter.api.person.schemas import ReceiptOut

        typer.echo(ReceiptOut.of(found).model_dump_json(indent=2))
    else:
        typer.echo("\n".join(safe_text(line, 1000) for line in printed(found, language).splitlines()))


def _sought(number: str, settings: Settings) -> Sought:
    return sought(number, settings.region)


def _eraser(database: Database, settings: Settings, say: Say) -> Eraser:
    recordings = Recordings(database, settings.recordings_dir, AuditTrail(database))
    return Eraser(database, recordings, (settings.data_dir / SPOOL,), say=say)

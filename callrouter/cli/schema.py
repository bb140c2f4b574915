"""`callrouter schema`: the language of the clients' files, for editors (JSON Schema) and for people (the reference).

And what other systems are posted that a client's file subscribes, what a report and a statement of consumption are as
JSON, and what a tariff may say.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from callrouter.dialplan.reference.schema import DOCUMENTS, json_schema
from callrouter.dialplan.reference.text import reference
from callrouter.errors import DialplanError


def schema(  # noqa: PLR0913, RUF100  # each is an option
    document: Annotated[
        str, typer.Argument(metavar="DOCUMENT", help=f"The kind of document: {', '.join(DOCUMENTS)}.")
    ] = "client",
    events: Annotated[
        bool, typer.Option("--events", help="Instead: of what subscriptions of clients' files are posted.")
    ] = False,
    of_report: Annotated[
        bool, typer.Option("--report", help="Instead: of what `callrouter report` prints as JSON.")
    ] = False,
    of_consumption: Annotated[
        bool, typer.Option("--consumption", help="Instead: of a statement of `callrouter consumption` as JSON.")
    ] = False,
    of_tariff: Annotated[bool, typer.Option("--tariff", help="Instead: of a tariff's file.")] = False,
    as_reference: Annotated[bool, typer.Option("--reference", help="For people: every key, as Markdown.")] = False,
    write: Annotated[
        Path | None,
        typer.Option(help="Write schema/*.json and REFERENCE.md into this folder of clients' files instead."),
    ] = None,
) -> None:
    """Show the JSON Schema of a kind of document, or the reference of the whole language."""
    if events:
        from callrouter.api.schemas.happened import schema as of_events

        typer.echo(json.dumps(of_events(), indent=2, ensure_ascii=False))
    elif of_report:
        from callrouter.api.schemas.reports import schema as of_reports

        typer.echo(json.dumps(of_reports(), indent=2, ensure_ascii=False))
    elif of_consumption:
        from callrouter.api.schemas.consumption import schema as of_statements

        typer.echo(json.dumps(of_statements(), indent=2, ensure_ascii=False))
    elif of_tariff:
        from callrouter.consumption.document import schema as of_tariffs

        typer.echo(json.dumps(of_tariffs(), indent=2, ensure_ascii=False))
    elif write is not None:
        if not write.is_dir():
            raise DialplanError(f"{write} is no folder: name the one that holds the clients' files")
        for path, text in published(write).items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            typer.echo(f"{path} written")
    elif as_reference:
        typer.echo(reference(), nl=False)
    elif document in DOCUMENTS:
        typer.echo(as_text(document), nl=False)
    else:
        raise typer.BadParameter(f"the documents are {', '.join(DOCUMENTS)}", param_hint="DOCUMENT")


def as_text(document: str) -> str:
    """A schema as its file holds it."""
    return json.dumps(json_schema(document), indent=2, ensure_ascii=False) + "\n"


def published(folder: Path) -> dict[Path, str]:
    """Every file that describes the language, by its path in a folder of clients' files."""
    files = {folder / "schema" / f"{name}.json": as_text(name) for name in DOCUMENTS}
    return {**files, folder / "REFERENCE.md": reference()}

"""`callrouter teams`: the folder's teams and telephones, as `pbx.py render` reads them.

Asterisk's configuration is rendered on the PBX, perhaps without callrouter's own packages: so it reads plain JSON, and
the language of the clients' files is understood in one place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from callrouter.asterisk.teams.document import as_json, folder_teams
from callrouter.core.agents.preference import Preference
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.dialplan.folder.catalogue import refuse_other_documents
from callrouter.dialplan.folder.derived_bound import derived_of
from callrouter.dialplan.folder.files import load_shared
from callrouter.dialplan.folder.look import is_client_file
from callrouter.dialplan.shared.derived import derived_queues
from callrouter.dialplan.shared.reading import Shared
from callrouter.errors import DialplanError
from callrouter.settings import load_settings


def teams(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Folder of the clients' files (default: CALLROUTER_DIALPLANS_DIR)."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write them to this file instead of standard output.")] = None,
) -> None:
    """Show the teams, the queues derived from them, and the telephones of a folder, as JSON for `pbx.py render`."""
    folder = folder or load_settings().dialplans_dir
    shared = read_shared(folder)
    queues = {**shared.queues, **derived_queues(shared.queues, _derived(folder))}
    document = as_json(folder_teams(queues, shared.phones, shared.telephones))
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


def _derived(folder: Path) -> Mapping[str, Preference]:
    """What the clients' files derive from teams' queues; of files that are wrong nothing."""
    if not any(is_client_file(path.name) for path in folder.iterdir()):
        return {}
    return derived_of(load_directory(folder, PaperSpeech()).plans)


def read_shared(folder: Path) -> Shared:
    """The folder's shared files.

    Raises:
        DialplanError: there is no such folder, or what it says about teams and agents cannot be used.
    """
    if not folder.is_dir():
        raise DialplanError(f"{folder} is no folder: name the one that holds the clients' files")
    refuse_other_documents(folder)  # it would be a folder without teams, and the PBX would have none
    shared = load_shared(folder)
    if refused := shared.wrong_teams:
        raise DialplanError("\n".join(str(issue) for issue in shared.issues if issue.file in refused))
    return shared

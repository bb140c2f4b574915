"""Where the teams of a PBX come from when its configuration is rendered: a folder of clients' files, or a file.

The YAML is understood by callrouter alone: `callrouter teams` says it as JSON, here or on another machine.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from callrouter.asterisk.teams.document import Teams, teams_from
from callrouter.errors import TeamsError
from deploy.asterisk.pbx_install import CHECKOUT, PbxError

_CALLROUTER_SECONDS = 60


def teams_of_folder(folder: Path) -> Teams:
    """The teams of a folder of clients' files.

    Raises PbxError when callrouter is not installed here, or refuses what the folder says.
    """
    program = _callrouter()
    if program is None:
        raise PbxError(
            f"callrouter, which reads {folder}, is not installed here: run `callrouter teams {folder} --out FILE` "
            "where it is, and give that file with --teams"
        )
    done = subprocess.run(
        [program, "teams", str(folder)], capture_output=True, text=True, check=False, timeout=_CALLROUTER_SECONDS
    )
    if done.returncode != 0:
        raise PbxError(f"the teams of {folder} cannot be used:\n{done.stderr.strip()}")
    return _teams(done.stdout, str(folder))


def teams_of_file(path: Path) -> Teams:
    """What `callrouter teams` has written. Raises PbxError when it is something else."""
    try:
        return _teams(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise PbxError(
            f"{path} cannot be read ({error.strerror}): `callrouter teams --out {path}` writes it"
        ) from error


def _callrouter() -> str | None:
    """Beside this interpreter, in the checkout's own environment, or installed."""
    for place in (Path(sys.executable).with_name("callrouter"), CHECKOUT / ".venv" / "bin" / "callrouter"):
        if place.is_file():
            return str(place)
    return shutil.which("callrouter")


def _teams(text: str, source: str) -> Teams:
    try:
        return teams_from(text, source)
    except TeamsError as error:
        raise PbxError(str(error)) from error

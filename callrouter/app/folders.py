"""The folders callrouter writes to: made and tried before anything else starts, so that no call finds out."""

from __future__ import annotations

import tempfile
from pathlib import Path

from callrouter.dialplan.folder.sound_files import playable
from callrouter.errors import SettingsError, SpeechError
from callrouter.settings import Settings

SPOOL = "spool"
"""Below the data folder: calls and notifications that wait for PostgreSQL."""


def prepare_folders(settings: Settings) -> None:
    """Make the folders of data, prompts and recordings where they are missing, and see that they can be used.

    Raises:
        SettingsError: one cannot be made or written, or Asterisk could not use its path; names the variable.
    """
    # Asterisk plays from the one and is told the name of each file of the other.
    for variable, folder in (
        ("CALLROUTER_PROMPTS_DIR", settings.prompts_dir),
        ("CALLROUTER_RECORDINGS_DIR", settings.recordings_dir),
    ):
        try:
            playable(folder)
        except SpeechError as error:
            raise SettingsError(f"{variable}: {error}, or name another one") from error
    for variable, folder in (
        ("CALLROUTER_DATA_DIR", settings.data_dir),
        ("CALLROUTER_DATA_DIR", settings.data_dir / SPOOL),
        ("CALLROUTER_PROMPTS_DIR", settings.prompts_dir),
        ("CALLROUTER_RECORDINGS_DIR", settings.recordings_dir),
    ):
        _prepare(variable, folder)


def _prepare(variable: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"{variable}: the folder {folder.absolute()} cannot be made ({error.strerror or error}): "
            "make it yourself and give it to the user callrouter runs as, or name another one"
        ) from error
    try:
        # Permissions alone do not decide: root has them all, and a file system may be mounted read-only.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SettingsError(
            f"{variable}: the folder {folder.absolute()} cannot be written ({error.strerror or error}): "
            "give it to the user callrouter runs as, or name another one"
        ) from error

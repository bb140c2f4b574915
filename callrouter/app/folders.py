"""The folders callrouter writes to: made and tried before anything else starts, so that no call finds out."""

from __future__ import annotations

import contextlib
import stat
import tempfile
from pathlib import Path

from callrouter.errors import SettingsError, SpeechError
from callrouter.settings import Settings

SPOOL = "spool"
"""Below the data folder: calls and notifications that wait for PostgreSQL."""


def prepare_folders(settings: Settings) -> None:
    """Make the folders of data, prompts and recordings where they are missing, and see that they can be used.

    Raises:
        SettingsError: one cannot be made or written, or Asterisk could not use its path; names the variable.
    """
    from callrouter.dialplan.folder.sound_files import playable  # commands that read the record need no language

    # Asterisk plays from the one and is told the name of each file of the other.
    for variable, folder in (
        ("CALLROUTER_PROMPTS_DIR", settings.prompts_dir),
        ("CALLROUTER_RECORDINGS_DIR", settings.recordings_dir),
    ):
        try:
            playable(folder)
        except SpeechError as error:
            raise SettingsError(f"{variable}: {error}, or name another one") from error
    for variable, folder, mode in (
        ("CALLROUTER_DATA_DIR", settings.data_dir, 0o711),
        ("CALLROUTER_DATA_DIR", settings.data_dir / SPOOL, 0o700),
        ("CALLROUTER_PROMPTS_DIR", settings.prompts_dir, 0o755),
        ("CALLROUTER_RECORDINGS_DIR", settings.recordings_dir, 0o700),
    ):
        _prepare(variable, folder, mode)
    # A folder of before, or of a machine with another umask, is closed too.
    keep_private(settings.data_dir)
    for folder in (settings.data_dir / SPOOL, settings.recordings_dir):
        _take_from_others(folder, stat.S_IRWXO)


def keep_private(data_dir: Path) -> None:
    """Nobody else lists the data folder; others may pass through it where they could.

    Asterisk's user may have to, on its way to the prompts, and the embedded PostgreSQL, which opens the folder when it
    is started by root.
    """
    _take_from_others(data_dir, stat.S_IROTH | stat.S_IWOTH)


def _take_from_others(folder: Path, rights: int) -> None:
    """The group keeps what it was given: it may be Asterisk's."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & rights:
        with contextlib.suppress(PermissionError):  # somebody else's folder, which they gave us: theirs to keep
            folder.chmod(mode & ~rights)


def _prepare(variable: str, folder: Path, mode: int) -> None:
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
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

"""The API's token where the operator has set none: made once, and kept where only they can read it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from callrouter.errors import SettingsError
from callrouter.settings.model import Settings

FILE: Final = "api-token"
"""Below the data folder."""
_SHORTEST: Final = 16


def kept_token(data_dir: Path) -> tuple[str, Path]:
    """The token, and the file that holds it; it is never written anywhere else, a log least of all.

    Raises:
        SettingsError: the file cannot be read or made.
    """
    path = data_dir / FILE
    try:
        return _read(path) or _make(path), path
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"the API's token cannot be kept in {path} ({error}): set CALLROUTER_API_TOKEN, or mend CALLROUTER_DATA_DIR"
        ) from error


def token_to_ask_with(settings: Settings) -> str:
    """The token by which a command on this machine asks the engine: the settings', else the one that `up` has kept.

    Raises:
        SettingsError: there is neither, or the file cannot be read.
    """
    path = settings.data_dir / FILE
    if settings.api_token is not None or not path.exists():
        return settings.required_api_token()
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"the API's token in {path} cannot be read ({error}): be the user that `callrouter up` runs as, "
            "or set CALLROUTER_API_TOKEN"
        ) from error


def _read(path: Path) -> str:
    """Empty when there is none that could be one."""
    try:
        token = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
    path.chmod(0o600)
    return token if len(token) >= _SHORTEST else ""


def _make(path: Path) -> str:
    token = secrets.token_urlsafe(24)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{token}\n")
    return token

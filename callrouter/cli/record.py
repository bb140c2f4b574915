"""What the commands that read the record share: opening it, and reading a period."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, time

import typer

from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.errors import DialplanError, SettingsError, SpeechError
from callrouter.settings import Settings
from callrouter.store.database import Database
from callrouter.store.embedded import FOLDER


@asynccontextmanager
async def opened_record(settings: Settings) -> AsyncIterator[Database]:
    """The database of these settings, its schema checked.

    Raises:
        SettingsError: none is named, and there is no embedded one yet: looking must not make one.
        StoreError: it does not answer, or belongs to another release.
    """
    url = settings.database_url.get_secret_value() if settings.database_url else None
    if url is None and not (settings.data_dir / FOLDER).exists():
        raise SettingsError(
            f"there is no record in {settings.data_dir} yet: start `callrouter up` here first, "
            "or name its place by CALLROUTER_DATABASE_URL or CALLROUTER_DATA_DIR"
        )
    database = await Database.open(url, settings.data_dir)
    try:
        await database.check_schema()
        yield database
    finally:
        await database.close()


def plans_on_disk(settings: Settings) -> Catalogue | None:
    """The clients' plans as their files stand; None without any. Sounds are not rendered for it."""
    folder = settings.dialplans_dir
    places = ((folder if folder.is_dir() else folder.parent) / "sounds", *settings.sounds_dirs)
    try:
        return load_directory(folder, PaperSpeech(places), region=settings.region)
    except (DialplanError, SpeechError):
        return None


def instant(text: str) -> datetime:
    """A day or an instant of the command line, in this machine's zone unless it names its own.

    Raises:
        typer.BadParameter: it is neither.
    """
    try:
        if len(text) == len("2026-11-24"):
            return datetime.combine(date.fromisoformat(text), time()).astimezone()
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time: write 2026-11-24 or 2026-11-24T10:00") from None

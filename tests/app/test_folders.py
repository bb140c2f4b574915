"""A folder that cannot be used is named with its variable before anything starts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from callrouter.app.engine import run_engine
from callrouter.app.folders import prepare_folders
from callrouter.errors import SettingsError
from callrouter.settings import Settings

PROC = Path("/proc/sys")
"""Nobody, root neither, makes a file there."""


def settings_of(tmp_path: Path, **changed: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", ami_secret="secret").model_copy(update=changed)


def test_missing_folders_are_made_and_left_empty(tmp_path: Path) -> None:
    prepare_folders(settings_of(tmp_path))

    made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert made == {"data", "data/spool", "data/prompts", "data/recordings"}


@pytest.mark.parametrize("name", ["data_dir", "prompts_dir", "recordings_dir"])
@pytest.mark.parametrize("cause", ["a file stands there", "below a file", "not writable"])
def test_a_folder_that_cannot_be_used(tmp_path: Path, name: str, cause: str) -> None:
    file = tmp_path / "file"
    file.touch()
    folder = {"a file stands there": file, "below a file": file / "below", "not writable": PROC}[cause]

    with pytest.raises(SettingsError) as caught:
        prepare_folders(settings_of(tmp_path, **{name: folder}))

    assert str(caught.value).startswith(f"CALLROUTER_{name.upper()}: the folder {folder}")
    assert "give it to the user callrouter runs as, or name another one" in str(caught.value)


def test_the_spool_belongs_to_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "spool").touch()

    with pytest.raises(SettingsError, match=r"CALLROUTER_DATA_DIR: the folder .*/spool cannot be made"):
        prepare_folders(settings_of(tmp_path))


@pytest.mark.parametrize("name", ["prompts_dir", "recordings_dir"])
@pytest.mark.parametrize("odd", ["voice mail", "a,b", "a&b", "été"])
def test_a_name_that_asterisk_would_misread(tmp_path: Path, name: str, odd: str) -> None:
    with pytest.raises(SettingsError, match=f"CALLROUTER_{name.upper()}: .*letters, digits"):
        prepare_folders(settings_of(tmp_path, **{name: tmp_path / odd}))

    assert not (tmp_path / odd).exists()


def test_the_engine_does_not_start_without_them(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="CALLROUTER_RECORDINGS_DIR"):
        asyncio.run(run_engine(settings_of(tmp_path, recordings_dir=tmp_path / "a b"), "token"))

    assert not (tmp_path / "data").exists()

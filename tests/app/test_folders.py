"""A folder that cannot be used is named with its variable before anything starts."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from callrouter.app.engine import run_engine
from callrouter.app.folders import prepare_folders
from callrouter.errors import SettingsError
from callrouter.settings import Settings
from callrouter.settings.token import kept_token, token_to_ask_with

PROC = Path("/proc/sys")
"""Nobody, root neither, makes a file there."""


def settings_of(tmp_path: Path, **changed: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", ami_secret="secret").model_copy(update=changed)


def test_missing_folders_are_made_and_left_empty(tmp_path: Path) -> None:
    prepare_folders(settings_of(tmp_path))

    made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert made == {"data", "data/spool", "data/prompts", "data/recordings"}


PRIVATE = {"data": 0o711, "data/spool": 0o700, "data/recordings": 0o700, "data/prompts": 0o755}


def modes(tmp_path: Path) -> dict[str, int]:
    return {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in PRIVATE}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_what_callers_said_is_private_by_mode(tmp_path: Path, umask: int) -> None:
    """Whatever the umask: others may pass through to the prompts, and list nothing."""
    before = os.umask(umask)
    try:
        prepare_folders(settings_of(tmp_path))
    finally:
        os.umask(before)

    assert modes(tmp_path) == {name: mode & ~umask for name, mode in PRIVATE.items()}


def test_folders_of_before_are_closed_and_a_groups_are_left(tmp_path: Path) -> None:
    """A release before made them for everybody; a group that shares recordings with Asterisk keeps them."""
    for name, mode in (("data", 0o755), ("data/spool", 0o755), ("data/prompts", 0o755), ("data/recordings", 0o2775)):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(mode)
    prepare_folders(settings_of(tmp_path))

    assert modes(tmp_path) == {
        "data": 0o751,
        "data/spool": 0o750,
        "data/prompts": 0o755,
        "data/recordings": 0o2770,
    }


def test_the_token_is_kept_where_only_we_read_it(tmp_path: Path) -> None:
    """Made once; one that is none is made anew, and a file that others could read is closed."""
    token, path = kept_token(tmp_path)
    path.chmod(0o644)

    assert (len(token) >= 32, kept_token(tmp_path)) == (True, (token, path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("short\n")
    anew, _ = kept_token(tmp_path)
    assert anew not in (token, "short")
    with pytest.raises(SettingsError, match="the API's token cannot be kept in"):
        kept_token(tmp_path / "nowhere")


def test_commands_ask_with_the_token_that_up_keeps(tmp_path: Path) -> None:
    """The settings' own comes first; without either it is said what to set."""
    with pytest.raises(SettingsError, match="CALLROUTER_API_TOKEN is not set"):
        token_to_ask_with(Settings(data_dir=tmp_path))
    token, path = kept_token(tmp_path)

    assert token_to_ask_with(Settings(data_dir=tmp_path)) == token
    assert token_to_ask_with(Settings(data_dir=tmp_path, api_token=SecretStr("x" * 16))) == "x" * 16
    path.write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="cannot be read"):
        token_to_ask_with(Settings(data_dir=tmp_path))


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

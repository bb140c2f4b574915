"""faster-whisper as a program of ours: what is said where it, or its model, is not there. No package holds a model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from callrouter.app.worker.parts import transcriber_of
from callrouter.errors import SettingsError, TranscriptFailed
from callrouter.settings import Settings
from callrouter.transcripts import whisper
from callrouter.transcripts.program import ProgramTranscriber
from tests.patience import START_SECONDS


def made(**values: object) -> Settings:
    return Settings(_env_file=None, **values)  # type: ignore[arg-type]


def test_by_default_nothing_is_transcribed() -> None:
    assert transcriber_of(made()) is None


def test_without_the_extra_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(whisper, "is_installed", lambda: False)
    with pytest.raises(SettingsError, match=r"pip install 'callrouter\[whisper\]'"):
        transcriber_of(made(transcriber="faster-whisper", whisper_model=tmp_path))


def test_a_model_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(whisper, "is_installed", lambda: True)

    with pytest.raises(SettingsError, match=r"there is no folder .*/none: bring the model"):
        transcriber_of(made(transcriber="faster-whisper", whisper_model=tmp_path / "none"))
    found = transcriber_of(made(transcriber="faster-whisper", whisper_model=tmp_path))
    assert found is not None
    assert found.name == f"faster-whisper {tmp_path.name}"


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(SettingsError, match="there is no program /nowhere/stt"):
        transcriber_of(made(transcriber="command", transcribe_command="/nowhere/stt --fr"))


@pytest.mark.parametrize(
    ("values", "missing"),
    [({"transcriber": "command"}, "TRANSCRIBE_COMMAND"), ({"transcriber": "faster-whisper"}, "WHISPER_MODEL")],
)
def test_what_it_needs(values: dict[str, object], missing: str) -> None:
    with pytest.raises(ValueError, match=f"needs CALLROUTER_{missing}"):
        made(**values)


async def test_a_model_that_cannot_be_loaded_is_a_failure_of_that_recording(tmp_path: Path) -> None:
    """With the extra or without: the program ends, and says why."""
    command = [sys.executable, "-m", whisper.__name__, str(tmp_path), "fr"]
    program = ProgramTranscriber(command, name="faster-whisper", seconds=10 * START_SECONDS)

    with pytest.raises(TranscriptFailed, match="faster-whisper ended with status 1: "):
        await program.transcribe(tmp_path / "a.wav", "fr")

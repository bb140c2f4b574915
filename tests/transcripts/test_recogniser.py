"""Speech to text, end to end: espeak speaks, a real recogniser writes it down, and people are told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from callrouter.transcripts.port import Transcriber
from callrouter.transcripts.program import ProgramTranscriber
from tests.patience import START_SECONDS

from .recogniser import SENTENCES

RECOGNISER = Path(__file__).with_name("recogniser.py")


def speak(folder: Path, text: str) -> Path:
    """As Asterisk records a caller: 8 kHz, mono, 16 bits."""
    spoken, recorded = folder / "spoken.wav", folder / "recorded.wav"
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "120", "-w", str(spoken), text], check=True)
    subprocess.run(["sox", str(spoken), "-r", "8000", "-c", "1", "-b", "16", str(recorded)], check=True)
    return recorded


def be_silent(folder: Path) -> Path:
    """For two seconds."""
    path = folder / "silent.wav"
    subprocess.run(["sox", "-n", "-r", "8000", "-c", "1", "-b", "16", str(path), "trim", "0", "2"], check=True)
    return path


def recogniser() -> Transcriber:
    return ProgramTranscriber([sys.executable, str(RECOGNISER)], name="recogniser", seconds=10 * START_SECONDS)


@pytest.mark.parametrize("sentence", SENTENCES)
async def test_what_is_spoken_is_written_down(tmp_path: Path, sentence: str) -> None:
    assert await recogniser().transcribe(speak(tmp_path, sentence), "en") == sentence


async def test_of_silence_nothing_is_written(tmp_path: Path) -> None:
    assert await recogniser().transcribe(be_silent(tmp_path), "en") == ""

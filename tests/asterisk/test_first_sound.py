"""The pause before the first sound, as a file that Asterisk can play."""

from __future__ import annotations

from pathlib import Path

import pytest

from callrouter.asterisk.line.first_sound import pause_before_first_sound
from callrouter.errors import SettingsError
from deploy.demo import g711


@pytest.mark.parametrize("seconds", [0.02, 0.3, 2.0])
def test_it_is_as_long_as_asked_and_silent(tmp_path: Path, seconds: float) -> None:
    """And anybody may read it: Asterisk is another user."""
    pause = pause_before_first_sound(tmp_path, seconds)
    assert pause is not None
    path = Path(f"{pause.file}.wav")
    sound = g711.read_wav(path)

    assert pause.seconds == seconds
    assert len(sound) / g711.RATE == pytest.approx(seconds)
    assert not sound.any()
    assert path.stat().st_mode & 0o444 == 0o444


def test_no_pause_is_no_file(tmp_path: Path) -> None:
    assert pause_before_first_sound(tmp_path, 0.0) is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_ours_any_more_is_written_again(tmp_path: Path) -> None:
    """Cut short, say, by a disk that was full."""
    (tmp_path / "pause-300ms.wav").write_bytes(b"RIFF")
    pause = pause_before_first_sound(tmp_path, 0.3)

    assert pause is not None
    assert len(g711.read_wav(Path(f"{pause.file}.wav"))) == 2400


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"CALLROUTER_PROMPTS_DIR: .*pause-300ms.wav cannot be written"):
        pause_before_first_sound(tmp_path / "missing", 0.3)

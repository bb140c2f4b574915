"""Sounds that are files, found by name, and a source that makes no others.

The sound files of a folder stand as `<folder>/<language>/<name>.<suffix>` or `<folder>/<name>.<suffix>`, in a form
Asterisk plays without conversion of the rate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from callrouter.core.effects import Sound
from callrouter.dialplan.folder.look import SOUNDS
from callrouter.dialplan.issues import closest, shown
from callrouter.errors import SpeechError

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(?:/[A-Za-z0-9_][A-Za-z0-9_-]*)*")
_PLAYABLE_PATH = re.compile(r"/[A-Za-z0-9_./+-]*")

_BYTES_A_SECOND = {"sln": 16_000.0, "ulaw": 8_000.0, "alaw": 8_000.0, "gsm": 1_650.0}
"""By suffix: 16-bit samples, one byte a sample, and 33 bytes for 20 ms."""

SUFFIXES = ("wav", *_BYTES_A_SECOND)

WORDS_A_SECOND = 2.6
"""How fast a voice reads, for sounds that exist on paper only."""


def sound_folders(clients: Path, others: Iterable[Path]) -> tuple[Path, ...]:
    """Where sounds are looked for, in order: `sounds` in the clients' folder, then the operator's own folders."""
    return (clients / SOUNDS, *others)


class PaperSpeech:
    """No audio: durations are estimated. For `check` and `route` where nothing is played."""

    def __init__(self, sounds_dirs: Sequence[Path] = ()) -> None:
        self._sounds_dirs = tuple(sounds_dirs)
        """Empty: every sound name is taken to exist."""

    def prepare(self, texts: Iterable[tuple[str, str]]) -> None:
        """Nothing to do."""

    def say(self, text: str, language: str) -> Sound:
        """The text, with the time it takes to read it."""
        return _on_paper(text, language)

    def sound(self, name: str, language: str) -> Sound:
        """The file, where folders are known; otherwise a sound of five seconds."""
        if self._sounds_dirs:
            return find_sound(self._sounds_dirs, name, language)
        _refuse_odd_name(name)
        return Sound(file=name, seconds=5.0)


@lru_cache(maxsize=16_384)
def _on_paper(text: str, language: str) -> Sound:
    """The same sentences stand in many trees."""
    seconds = 0.3 + len(text.split()) / WORDS_A_SECOND
    return Sound(file=f"say/{language}", seconds=round(seconds, 3), text=text)


def find_sound(folders: Sequence[Path], name: str, language: str) -> Sound:
    """A sound file by name, in the first folder that holds it.

    Raises:
        SpeechError: no folder holds it, or Asterisk could not play it.
    """
    _refuse_odd_name(name)
    for folder in folders:
        for stem in (folder / language / name, folder / name):
            for suffix in SUFFIXES:
                path = stem.parent / f"{stem.name}.{suffix}"
                if path.is_file():
                    return Sound(file=playable(stem), seconds=_seconds(path, suffix))
    hint = closest(name, _names(folders, language))
    meant = f' (did you mean "{hint}"?)' if hint else ""
    where = " nor in ".join(str(folder / language) for folder in folders) or "any folder: none is configured"
    raise SpeechError(f"sound {shown(name)} is not in {where}{meant}")


def playable(stem: Path) -> str:
    """A path without suffix as Asterisk's applications take it.

    Raises:
        SpeechError: it holds characters that mean something else to them.
    """
    path = str(stem.absolute())
    if not _PLAYABLE_PATH.fullmatch(path):
        raise SpeechError(
            f"{shown(path, 200)} cannot be played: Asterisk wants a path of letters, digits, and _ . / + - only;"
            " move the folder"
        )
    return path


def _refuse_odd_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise SpeechError(
            f'{shown(name)} is no name of a sound: use letters, digits, "_" and "-", without suffix,'
            ' "/" between folder and name'
        )


def _names(folders: Sequence[Path], language: str) -> set[str]:
    """The names there are, for a suggestion."""
    return {
        path.stem
        for folder in folders
        for place in (folder / language, folder)
        if place.is_dir()
        for path in place.iterdir()
        if path.suffix[1:] in SUFFIXES
    }


def _seconds(path: Path, suffix: str) -> float:
    if suffix != "wav":
        return path.stat().st_size / _BYTES_A_SECOND[suffix]
    import wave  # only here: few folders hold any, and `route` begins sooner without it

    try:
        with wave.open(str(path), "rb") as audio:
            form = (audio.getnchannels(), audio.getsampwidth(), audio.getframerate())
            frames = audio.getnframes()
    except (OSError, EOFError, wave.Error) as error:
        raise SpeechError(f"{path} is no WAV file that can be read ({error}): make it anew") from error
    if form != (1, 2, 8000):
        raise SpeechError(
            f"{path} has {form[0]} channels of {form[1] * 8} bits at {form[2]} Hz; Asterisk plays 1 of 16 bits at"
            f" 8000 Hz: sox {path.name} -r 8000 -c 1 -b 16 out.wav"
        )
    return frames / 8000

"""Music on hold as loud as callrouter's prompts: Debian's pieces differ by 10 dB, and what a caller hears after one of
them is too loud or too quiet.

The level is that of `callrouter/dialplan/folder/loudness.py`, where it is said how it was measured; this file needs
nothing but Python. A piece is brought to it as a whole: it has no pauses to leave out.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import wave
from array import array
from math import log10
from operator import mul
from pathlib import Path

from deploy.asterisk.pbx_install import PbxError

LEVEL_DB = -22.0
PEAK_DB = -3.0
NEAR_DB = 0.5
"""What is nearer is left as it is, so that nothing changes the second time."""
SOFT_DB = -32.0
"""Of the music under what callers hear who wait: 10 dB below it, so that every word is understood."""
LEVELLED = ".levelled"
"""A folder that holds it has been levelled; Asterisk passes over names that begin with a dot (res_musiconhold.c)."""
_FULL = 32768


def level_once(folder: Path) -> None:
    """Level a folder that nobody else changes, unless that was done."""
    if folder.is_dir() and not (folder / LEVELLED).exists():
        level_folder(folder)
        (folder / LEVELLED).touch()


def level_folder(folder: Path) -> dict[str, float]:
    """Level every WAV file of a folder, in place; by name, by how many dB each was changed.

    Raises PbxError when a file cannot be read or written; those before it are levelled.
    """
    try:
        return {path.name: level_file(path) for path in sorted(folder.glob("*.wav"))}
    except (OSError, EOFError, wave.Error) as error:
        raise PbxError(f"the music in {folder} cannot be levelled: {error}") from error


def soft_of(folder: Path) -> Path:
    """The folder of a folder's music for callers who are spoken to (musiconhold.conf, callrouter-soft)."""
    return folder.with_name(f"{folder.name}-soft")


def soften_once(folder: Path) -> None:
    """Make the soft music of a folder, unless it is there."""
    if folder.is_dir() and not soft_of(folder).exists():
        soften_folder(folder)


def soften_folder(folder: Path) -> None:
    """Copy every WAV file of a folder as soft music, which appears all at once.

    Raises PbxError when a file cannot be read or written; the soft music is then what it was.
    """
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        for path in sorted(folder.glob("*.wav")):
            level_file(Path(shutil.copy2(path, made / path.name)), SOFT_DB)
        made.chmod(folder.stat().st_mode & 0o777)
        shutil.rmtree(soft_of(folder), ignore_errors=True)
        made.replace(soft_of(folder))
    except (OSError, EOFError, wave.Error) as error:
        shutil.rmtree(made, ignore_errors=True)
        if not soft_of(folder).exists():  # else somebody else was quicker
            raise PbxError(f"the music in {folder} cannot be copied: {error}") from error


def level_file(path: Path, level_db: float = LEVEL_DB) -> float:
    """Level one file of 16-bit samples; by how many dB it was changed, 0 when it was loud enough, or is silent."""
    with wave.open(str(path), "rb") as audio:
        form, samples = audio.getparams(), array("h", audio.readframes(audio.getnframes()))
    if sys.byteorder == "big":
        samples.byteswap()
    power = sum(map(mul, samples, samples)) / max(1, len(samples))
    if form.sampwidth != 2 or power == 0:
        return 0.0
    peak = max(max(samples), -min(samples))
    gain = min(level_db - 10 * log10(power / _FULL**2), PEAK_DB - 20 * log10(peak / _FULL))
    if abs(gain) < NEAR_DB:
        return 0.0
    factor = 10 ** (gain / 20)
    louder = [int(value * factor) for value in range(-_FULL, _FULL)]  # looked up: there are millions of samples
    changed = array("h", [max(-_FULL, min(_FULL - 1, louder[sample + _FULL])) for sample in samples])
    if sys.byteorder == "big":
        changed.byteswap()
    _replace(path, form, changed.tobytes())
    return gain


def _replace(path: Path, form: wave._wave_params, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".wav")
    try:
        with os.fdopen(handle, "wb") as stream, wave.open(stream, "wb") as audio:
            audio.setparams(form)
            audio.writeframes(content)
        Path(name).chmod(path.stat().st_mode & 0o777)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

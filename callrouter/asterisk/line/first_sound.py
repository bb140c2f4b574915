"""The pause before the first sound, as a file that Asterisk plays before it.

Asterisk's own Answer(delay) waits half a second at least (findings/asterisk-answer-delay.sh), and sends nothing
meanwhile; its sounds of silence last whole seconds. A file has any length, a key ends it as it ends a prompt, and its
packets open the way there.
"""

from __future__ import annotations

import io
import wave
from contextlib import suppress
from pathlib import Path
from typing import Final

from callrouter.core.effects import Sound
from callrouter.errors import SettingsError

_RATE: Final = 8000
_SAMPLE_BYTES: Final = 2


def pause_before_first_sound(prompts_dir: Path, seconds: float) -> Sound | None:
    """The pause, written where Asterisk reads; None for one of no length.

    Raises:
        SettingsError: the file cannot be written.
    """
    if not seconds:
        return None
    milliseconds = round(1000 * seconds)
    path = prompts_dir.absolute() / f"pause-{milliseconds}ms.wav"
    sound = _silence(milliseconds)
    with suppress(OSError):
        if path.read_bytes() == sound:
            return Sound(file=str(path.with_suffix("")), seconds=seconds)
    try:
        path.write_bytes(sound)
        path.chmod(0o644)
    except OSError as error:
        raise SettingsError(f"CALLROUTER_PROMPTS_DIR: {path} cannot be written ({error.strerror or error})") from error
    return Sound(file=str(path.with_suffix("")), seconds=seconds)


def _silence(milliseconds: int) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(_SAMPLE_BYTES)
        sound.setframerate(_RATE)
        sound.writeframes(bytes(_SAMPLE_BYTES * _RATE * milliseconds // 1000))
    return made.getvalue()

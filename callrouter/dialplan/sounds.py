"""What a compiler asks for sounds: a protocol, so that nothing here touches a file or a voice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from callrouter.core.effects import Sound


class SoundSource(Protocol):
    """What a compiler asks for sounds. Each raises SpeechError with a sentence that says the mend."""

    def prepare(self, texts: Iterable[tuple[str, str]]) -> None:
        """Make the sounds of these texts (text, language), several at once; what fails shows when it is asked for."""
        ...

    def say(self, text: str, language: str) -> Sound:
        """A text, spoken."""
        ...

    def sound(self, name: str, language: str) -> Sound:
        """A sound file by name, without suffix."""
        ...

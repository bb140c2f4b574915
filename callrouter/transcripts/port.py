"""What a machine must be able to do that writes recordings down."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Transcriber(Protocol):
    """One of them."""

    @property
    def name(self) -> str:
        """What stands beside its texts: whoever reads them is to know that a machine wrote them, and which."""
        ...

    async def transcribe(self, path: Path, language: str) -> str:
        """What a recording says; empty: nothing was understood. `language` is its code; empty: it is not known.

        Raises:
            TranscriptFailed: it cannot; says why.
        """
        ...

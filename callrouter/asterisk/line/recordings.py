"""How long a recording is."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from callrouter.asterisk.causes import record_outcome
from callrouter.core.call import RecordOutcome

WAV_HEADER_BYTES: Final = 44
WAV_BYTES_PER_SECOND: Final = 16_000
"""8 kHz, 16 bit, mono: what Record writes for .wav."""


class Recording:
    """One that was asked for at `began_at`; `folder` is that of the recordings as Asterisk sees it."""

    __slots__ = ("_began_at", "_path")

    def __init__(self, folder: str, name: str, began_at: datetime) -> None:
        self._path = Path(folder) / f"{name}.wav"
        self._began_at = began_at

    def seconds(self, status: str, now: datetime) -> float:
        """From the file if it can be seen from here, else by the clock, unless Record failed (RECORD_STATUS)."""
        try:
            size = self._path.stat().st_size
        except OSError:
            failed = record_outcome(status) is RecordOutcome.FAILED
            return 0.0 if failed else (now - self._began_at).total_seconds()
        return max(0.0, (size - WAV_HEADER_BYTES) / WAV_BYTES_PER_SECOND)

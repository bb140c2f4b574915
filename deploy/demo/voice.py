"""What callers say: espeak-ng's voice, as a telephone hears it."""

from __future__ import annotations

import functools
import subprocess
import tempfile
from pathlib import Path

from deploy.demo import g711


@functools.cache
def speech(text: str, voice: str = "fr") -> g711.Pcm:
    """The text spoken by an espeak-ng voice, 8 kHz. Raises FileNotFoundError without espeak-ng or sox."""
    with tempfile.TemporaryDirectory(prefix="voice-") as folder:
        wide, narrow = Path(folder) / "wide.wav", Path(folder) / "narrow.wav"
        subprocess.run(["espeak-ng", "-v", voice, "-w", str(wide), "--stdin"], input=text.encode(), check=True)
        subprocess.run(
            ["sox", str(wide), "-r", str(g711.RATE), "-c", "1", "-b", "16", str(narrow), "gain", "-n", "-6"],
            check=True,
        )
        return g711.read_wav(narrow)

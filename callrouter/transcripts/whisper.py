"""Writes one recording down with faster-whisper: `python -m callrouter.transcripts.whisper MODEL LANGUAGE PATH`.

A program of its own: what it loads goes with it, it can be killed, and it never takes the worker's interpreter. The
model is a folder that the operator brings; nothing is fetched from anywhere. Needs the extra `whisper`.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import Final

LIBRARY: Final = "faster_whisper"


def is_installed() -> bool:
    """Whether the extra is."""
    return find_spec(LIBRARY) is not None


def main(model: str, language: str, path: str) -> None:
    """Write what it says to standard output, segment by segment."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    from faster_whisper import WhisperModel  # an extra, and a second to load

    loaded = WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
    segments, _ = loaded.transcribe(path, language=language or None, vad_filter=True)
    for segment in segments:
        sys.stdout.write(segment.text.strip() + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:4])

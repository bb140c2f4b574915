"""Small documents for the tests of the language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from tests.small_client import small_client

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a small client's file: `write("a.yaml", client="a", number="01 99 00 00 10", words="Bonjour.")`."""

    def put(name: str, client: str, number: str, words: str = "Au revoir.") -> Path:
        path = tmp_path / name
        path.write_text(small_client(words, client, number))
        return path

    return put


@pytest.fixture
def load(tmp_path: Path) -> Callable[[], Catalogue]:
    """Loads what was written, on paper."""
    return lambda: load_directory(tmp_path, PaperSpeech(), now=NOW)

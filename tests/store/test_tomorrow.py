"""This release runs on the schema of the next one: rows are written, read, claimed and settled beside what it adds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.postgres import TOMORROW

HERE = Path(__file__).parent
MODULES = ("test_reads.py", "test_callback_rows.py")
"""Those that write and read most of the tables."""


def test_rows_are_written_and_read_beside_what_the_next_release_adds() -> None:
    """The tests of the store, once more, on databases with more in them than this release knows."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *(str(HERE / name) for name in MODULES)],
        env={**os.environ, TOMORROW: "1"},
        capture_output=True,
        text=True,
        check=False,
        cwd=HERE.parents[1],
    )

    assert done.returncode == 0, done.stdout[-3000:]

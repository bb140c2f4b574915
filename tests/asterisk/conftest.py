"""One real Asterisk for the tests of the edge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asterisk.callers import Callers, Pbx


@pytest.fixture(scope="session")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """Shared by the tests of this folder; each leaves it without calls and without sessions."""
    with Pbx.start(tmp_path_factory.mktemp("edge") / "pbx", admission_seconds=10) as running:
        yield running


@pytest.fixture
def callers(pbx: Pbx, tmp_path: Path) -> Iterator[Callers]:
    with Callers(pbx, tmp_path) as running:
        yield running

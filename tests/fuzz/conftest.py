"""One whole stack for all that need it; and what was tried is printed: the seed, and the cases of each entrance."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from callrouter.asterisk.line import commanded, line, round_trips
from tests.acceptance.conftest import LoopThread, Town, open_town
from tests.fuzz.tally import CASES, counted

_began = time.monotonic()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """In the long form only: the short one is one of many tests."""
    if not CASES or not counted:
        return
    terminalreporter.section("hostile input")
    terminalreporter.write_line(f"seed {config.getoption('--hypothesis-seed', None) or 'not given'}")
    for entrance, cases in counted.items():
        terminalreporter.write_line(f"{cases:>10,}  {entrance}")
    seconds = time.monotonic() - _began
    terminalreporter.write_line(f"{sum(counted.values()):>10,}  cases in all, {seconds:.0f} s")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker has those that share the stack."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and "town" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("fuzz"))


@pytest.fixture(scope="package", autouse=True)
def _time_goes_with_what_is_done() -> Iterator[None]:
    """By a machine's own clock a case would not be the same again: one command in 20 ms is measured, by one more.

    No multiple of these steps is 20 ms: nothing may hang on how floats are rounded.
    """
    ticks = itertools.count()
    with pytest.MonkeyPatch.context() as patch:
        for module in (commanded, line, round_trips):
            patch.setattr(module, "perf_counter", lambda: next(ticks) * 0.007)
        yield


@pytest.fixture(scope="session")
def town() -> Iterator[Town]:
    """A stack of our own: what is tried here changes it."""
    with LoopThread() as thread:
        yield from open_town(thread)

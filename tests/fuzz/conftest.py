"""Prints what was tried: the seed, and the cases of each entrance."""

from __future__ import annotations

import time

import pytest

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

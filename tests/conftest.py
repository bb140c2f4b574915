"""Fixtures every test may use: free ports."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """A loopback port nobody listens on now."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have CALLROUTER_* set for a real engine: no test may use it."""
    for name in list(os.environ):
        if name.upper().startswith("CALLROUTER_"):
            monkeypatch.delenv(name)

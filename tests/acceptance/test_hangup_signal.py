"""SIGHUP to `callrouter up` reads the dialplans again, and ends neither it nor its parts."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.acceptance.conftest import Town

VERBS = ("engine", "web", "pbx")
RELOADS = "callrouter_dialplan_reload_seconds_count"


def test_sighup_reloads_and_ends_nothing(town: Town) -> None:
    engine = town.stack.engine
    before = town.figures()[RELOADS]
    parts = {engine.part(verb).pid for verb in VERBS}
    assert len(parts) == 3

    os.kill(engine.pid, signal.SIGHUP)

    assert town.until(lambda: town.figures()[RELOADS], lambda count: count > before) > before
    assert engine.is_running
    assert {engine.part(verb).pid for verb in VERBS} == parts
    assert town.get("/api/calls") is not None

"""How long tests wait for what is no promise."""

from __future__ import annotations

from typing import Final

START_SECONDS: Final = 60.0
"""For a program, a log-in, or a telephone's first answer: on a busy machine each takes many times as long as alone, and
when all is well nobody waits. What callrouter promises is measured by bounds of its own.
"""
COMMAND_SECONDS: Final = 180.0
"""For a command from its start to its end; `callrouter up` gives its parts 120 s to start."""
ANSWER_SECONDS: Final = 30.0
"""For one server of a test to answer another, where what happens when it does not is not what is tested."""

"""`callrouter engine`, the whole of it, that also keeps the times it measures: `python -m bench.engine_process FILE`.

The engine's own histogram has too few buckets for a percentile. So classes through which times pass are replaced by
subclasses of themselves. When the engine is asked to end, FILE is written: for each kind of time a list of when (the
monotonic clock) and how long, in seconds.

    command   from writing a command that Asterisk answers at once to reading its result, as the engine measures it

With the option `closely` these as well, at the price of some 3 % of the engine's CPU:

    play      from the decision to play an empty sound to its end, everything included; but for the first sound, which
              waits until the call is answered (Asterisk waits half a second for media, and here is none)
    turn      from the arrival of an input to the end of what follows: decide, encode, write

With the option `sizes` SIGUSR2 has it write how large it is (`bench.sizes`), to FILE with `.sizes` at its end.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from bench import sizes
from callrouter.app import engine as app
from callrouter.app.lifetime import run
from callrouter.asterisk.switch import AsteriskSwitch
from callrouter.core.call import Call
from callrouter.core.effects import Effect, Play
from callrouter.core.inputs import Input, PromptEnded
from callrouter.metrics import EngineMetrics
from callrouter.runtime.driver import Driver
from callrouter.settings import load_settings


class Times:
    """When, and how long, one after the other."""

    def __init__(self) -> None:
        self.values = array("d")

    def add(self, now: float, seconds: float) -> None:
        """One more."""
        self.values.append(now)
        self.values.append(seconds)


_times = {"command": Times(), "play": Times(), "turn": Times()}
_playing: dict[str, float] = {}


class KeepingMetrics(EngineMetrics):
    """Keeps the round trips."""

    def observe_round_trip(self, seconds: float) -> None:
        """As a Meter."""
        super().observe_round_trip(seconds)
        _times["command"].add(perf_counter(), seconds)


class KeepingSwitch(AsteriskSwitch):
    """Notes when a prompt is asked for."""

    def perform(self, call: Call, state: bytes, effects: Sequence[Effect]) -> None:
        """As a Switch."""
        if len(effects) == 1 and isinstance(effects[-1], Play):  # an answer before it waits for media: not ours to time
            _playing[call.call_id] = perf_counter()
        super().perform(call, state, effects)


class KeepingDriver(Driver):
    """Notes when a prompt ended, and how long a turn takes."""

    def tell(self, call_id: str, told: Input) -> None:
        """As an Inbox."""
        began = perf_counter()
        if type(told) is PromptEnded and (asked := _playing.pop(call_id, 0.0)):
            _times["play"].add(began, began - asked)
        super().tell(call_id, told)
        now = perf_counter()
        _times["turn"].add(now, now - began)


def main() -> None:
    """As `callrouter engine`."""
    *options, path = sys.argv[1:]
    for kept in (KeepingMetrics, KeepingSwitch, KeepingDriver) if "closely" in options else (KeepingMetrics,):
        setattr(app, kept.__mro__[1].__name__, kept)
    if "sizes" in options:
        sizes.install(Path(path).with_suffix(".sizes"))
    settings = load_settings()
    try:
        run(app.run_engine(settings, settings.required_api_token()))
    finally:
        found = {kind: list(times.values) for kind, times in _times.items()}
        Path(path).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()

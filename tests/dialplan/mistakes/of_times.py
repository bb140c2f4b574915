"""Mistakes with durations: minutes for seconds, hours for minutes, milliseconds; what no caller would endure."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from tests.dialplan.mistakes.firms import Firm, right
from tests.dialplan.mistakes.folders import Path
from tests.dialplan.mistakes.kind import Kind, Mistake, at, at_shared

TOO_LONG = {
    "ring": ("20m", "25m", "3m", "2h", "15 m"),
    "max_wait": ("2h", "3h", "90m", "1h30m"),
    "timeout": ("5m", "4m", "1h", "50s"),
    "silence": ("5m", "1h"),
    "max": ("2h", "20m", "1h"),
}
TOO_SHORT = {
    "ring": ("20ms", "2s", "1s", "300ms"),
    "max_wait": ("3s", "180ms", "2s", "500ms"),
    "timeout": ("4ms", "5ms", "500ms", "10ms"),
    "silence": ("5ms", "300ms"),
    "max": ("2s", "120ms", "5s", "3s"),
}


def _durations(firm: Firm) -> Iterator[tuple[Path, dict[str, Any], str]]:
    """Each duration of the nodes: the path of its verb, the verb's mapping, and the key, written or by default."""
    for name, node in firm.client["nodes"].items():
        for verb, block in node.items():
            kept = {
                "dial": ("ring",),
                "redirect": ("ring",) if "number" in block else (),
                "queue": ("max_wait",),
                "menu": ("timeout",),
                "collect_digits": ("timeout",),
                "callback": ("timeout",),
                "message": ("max", "silence"),
            }
            for key in kept.get(verb, ()):
                yield ("nodes", name, verb), block, key


def _wrong(random: Random, values: dict[str, tuple[str, ...]]) -> Mistake | None:
    firm = right(random)
    path, block, key = random.choice([*_durations(firm)])
    block[key] = random.choice(values[key])
    # A longest message that is shorter than the shortest is said of both.
    return Mistake(firm.folder, (at(firm.folder, *path, key), *([at(firm.folder, *path)] if key == "max" else [])))


def too_long(random: Random) -> Mistake | None:
    """`ring: 20m`, `max_wait: 3h`."""
    return _wrong(random, TOO_LONG)


def too_short(random: Random) -> Mistake | None:
    """`timeout: 4ms`."""
    return _wrong(random, TOO_SHORT)


def of_a_promise(random: Random) -> Mistake | None:
    """`within: 20m`, `short_abandon: 5m`: a promise that nobody makes."""
    firm = right(random)
    key, value = random.choice(
        [("within", "20m"), ("within", "2h"), ("within", "20ms"), ("short_abandon", "5m"), ("short_abandon", "1h")]
    )
    firm.client.setdefault("service_level", {"target": "80%"})[key] = value
    return Mistake(firm.folder, (at(firm.folder, "service_level", key),))


def of_a_team(random: Random) -> Mistake | None:
    """`ring: 15m` and `wrap_up: 30m` of a team's line."""
    firm = right(random)
    key, value = random.choice(
        [("ring", "15m"), ("ring", "150ms"), ("ring", "20m"), ("wrap_up", "2h"), ("retry", "5m"), ("ring", "1s")]
    )
    queues = firm.folder.shared["queues"]["queues"]
    queues[firm.trade.queue][key] = value
    return Mistake(firm.folder, (at_shared("queues", "queues", firm.trade.queue, key),))


KINDS = (
    Kind(name="duration that no caller endures", line=19, make=too_long),
    Kind(name="duration that no caller notices", line=19, make=too_short),
    Kind(name="time of a promise", line=19, make=of_a_promise),
    Kind(name="time of a team's line", line=19, make=of_a_team),
)

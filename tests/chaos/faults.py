"""The faults, by name: what is done, to what, how often, and what must hold then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.chaos import striking
from tests.chaos.callers import KINDS, Pace
from tests.chaos.striking import Strike
from tests.chaos.town import Needs
from tests.chaos.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How large a round is."""

    callers: int
    """Before the fault."""
    newcomers: int
    """Callers who dial while it lasts."""
    seconds: float
    """For which it lasts, where it lasts as long as one likes."""
    pace: Pace


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of fault."""

    name: str
    strike: Strike
    promised: Mapping[str, float]
    """By figure of the verdict, what it may be at most."""
    rounds: int
    long: Scale
    short: Scale
    needs: Needs = field(default_factory=Needs)
    not_yet: frozenset[str] = frozenset()
    """What of that today's callrouter does not keep: the short form of the tests lets it be, the long one tells."""
    probed_when_healed: bool = False
    """Whether control is looked for only when the fault is over."""


def broken(kind: Kind, found: Verdict) -> set[str]:
    """What of that was promised a round did not keep: names of the verdict's figures."""
    figures = {name: getattr(found, name) for name in kind.promised}
    return {name for name, figure in figures.items() if figure is None or figure > kind.promised[name]}


_LONG_PACE: Final = Pace(
    ramp_seconds=18.0, acts=(-1.0, 18.0), leaves=(6.0, 30.0), talks_seconds=14.0, gives_up_seconds=25.0
)
_SHORT_PACE: Final = Pace(
    ramp_seconds=2.5, acts=(0.0, 4.0), leaves=(3.0, 8.0), talks_seconds=5.0, gives_up_seconds=12.0
)
CALLERS: Final = sum(KINDS.values())


def _long(callers: int, *, newcomers: int = 0, seconds: float = 0.0) -> Scale:
    return Scale(callers=callers, newcomers=newcomers, seconds=seconds, pace=_LONG_PACE)


def _short(callers: int = 14, *, newcomers: int = 0, seconds: float = 0.0) -> Scale:
    return Scale(callers=callers, newcomers=newcomers, seconds=seconds, pace=_SHORT_PACE)


NOTHING_LOST: Final = {"dropped": 0.0, "missing": 0.0, "doubled": 0.0, "wrong": 0.0, "lost_keys": 0.0, "twice": 0.0}
_LINE: Final = Needs(line=True)
_TWO: Final = Needs(database=True, standby=True)
_ALL: Final = (
    Kind(
        name="engine-killed",
        strike=striking.kill_engine,
        promised=NOTHING_LOST | {"silence_seconds": 3.0},
        rounds=10,
        long=_long(260),
        short=_short(),
    ),
    Kind(
        name="no-engine",
        strike=striking.no_engine,
        promised=NOTHING_LOST | {"ringing_seconds": 0.5, "fallback_seconds": 3.0},
        rounds=20,
        long=_long(0, newcomers=60, seconds=16.0),
        short=_short(0, newcomers=8, seconds=8.0),
        probed_when_healed=True,
    ),
    Kind(
        name="asterisk-killed",
        strike=striking.kill_asterisk,
        promised={
            "missing": 0.0,
            "doubled": 0.0,
            "wrong": 0.0,
            "lost_keys": 0.0,
            "twice": 0.0,
            "service_seconds": 10.0,
        },
        rounds=10,
        long=_long(130),
        short=_short(),
        probed_when_healed=True,
    ),
    Kind(
        name="ami-cut",
        strike=striking.cut_line,
        promised=NOTHING_LOST,
        rounds=10,
        long=_long(130, newcomers=20, seconds=8.0),
        short=_short(seconds=2.0),
        needs=_LINE,
    ),
    Kind(
        name="ami-stalled",
        strike=striking.stall_line,
        promised=NOTHING_LOST,
        rounds=10,
        long=_long(130, newcomers=20, seconds=8.0),
        short=_short(seconds=2.0),
        needs=_LINE,
    ),
    Kind(
        name="ami-slow",
        strike=striking.slow_line,
        promised=NOTHING_LOST,
        rounds=10,
        long=_long(130, newcomers=20, seconds=8.0),
        short=_short(seconds=3.0),
        needs=_LINE,
    ),
    Kind(
        name="ami-flooded",
        strike=striking.flood_line,
        promised=NOTHING_LOST,
        rounds=10,
        long=_long(130, newcomers=20, seconds=8.0),
        short=_short(seconds=3.0),
        needs=_LINE,
    ),
    Kind(
        name="database-away",
        strike=striking.database_away,
        promised={"missing": 0.0, "doubled": 0.0, "twice": 0.0, "drained_seconds": 5.0},
        rounds=3,
        long=_long(20, newcomers=2400, seconds=120.0),
        short=_short(6, newcomers=10, seconds=5.0),
        needs=Needs(database=True),
    ),
    Kind(
        name="overload",
        strike=striking.overload,
        promised=NOTHING_LOST | {"service_seconds": 5.0},
        rounds=3,
        long=_long(30, seconds=60.0),
        short=_short(seconds=4.0),
        needs=Needs(max_calls=40),
        probed_when_healed=True,
    ),
    Kind(
        name="standby-killed",
        strike=striking.kill_engine,
        promised=NOTHING_LOST | {"silence_seconds": 1.5, "control_seconds": 1.0},
        rounds=10,
        long=_long(260),
        short=_short(),
        needs=_TWO,
    ),
    Kind(
        name="leader-stopped",
        strike=striking.stop_leader,
        promised=NOTHING_LOST | {"control_seconds": 5.0},
        rounds=10,
        long=_long(130, newcomers=20, seconds=10.0),
        short=_short(seconds=6.0),
        needs=_TWO,
    ),
    Kind(
        name="upgrade",
        strike=striking.hand_over,
        promised=NOTHING_LOST | {"silence_seconds": 1.5, "control_seconds": 1.0},
        rounds=20,
        long=_long(130),
        short=_short(),
        needs=_TWO,
    ),
)
ALL: Final = {one.name: one for one in _ALL}

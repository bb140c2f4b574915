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


_LONG_PACE: Final = Pace(
    ramp_seconds=18.0, acts=(-1.0, 18.0), leaves=(6.0, 30.0), talks_seconds=14.0, gives_up_seconds=25.0
)
_SHORT_PACE: Final = Pace(
    ramp_seconds=2.5, acts=(0.0, 4.0), leaves=(3.0, 8.0), talks_seconds=5.0, gives_up_seconds=12.0
)
CALLERS: Final = sum(KINDS.values())
NOTHING_LOST: Final = {"dropped": 0.0, "missing": 0.0, "doubled": 0.0, "wrong": 0.0, "lost_keys": 0.0, "twice": 0.0}


def _long(callers: int = 130, *, newcomers: int = 0, seconds: float = 0.0) -> Scale:
    return Scale(callers=callers, newcomers=newcomers, seconds=seconds, pace=_LONG_PACE)


def _short(callers: int = 14, *, newcomers: int = 0, seconds: float = 0.0) -> Scale:
    return Scale(callers=callers, newcomers=newcomers, seconds=seconds, pace=_SHORT_PACE)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of fault."""

    name: str
    strike: Strike
    promised: Mapping[str, float] = field(default_factory=lambda: NOTHING_LOST)
    """By figure of the verdict, what it may be at most."""
    rounds: int = 10
    long: Scale = field(default_factory=_long)
    short: Scale = field(default_factory=_short)
    needs: Needs = field(default_factory=Needs)
    not_yet: frozenset[str] = frozenset()
    """What of that today's callrouter does not keep: the short form of the tests lets it be, the long one tells."""
    probed_when_healed: bool = False
    """Whether control is looked for only when the fault is over."""


def broken(kind: Kind, found: Verdict) -> set[str]:
    """What of that was promised a round did not keep: names of the verdict's figures."""
    figures = {name: getattr(found, name) for name in kind.promised}
    return {name for name, figure in figures.items() if figure is None or figure > kind.promised[name]}


def _on_line(name: str, strike: Strike, seconds: float) -> Kind:
    """The line between engine and PBX is not as it should be; `seconds` of the short form."""
    long = _long(newcomers=20, seconds=8.0)
    return Kind(name=name, strike=strike, long=long, short=_short(seconds=seconds), needs=Needs(line=True))


_TWO: Final = Needs(database=True, standby=True)
_TWO_RELEASES: Final = Needs(database=True, standby=True, two_releases=True)
_QUICK: Final = NOTHING_LOST | {"silence_seconds": 1.5, "control_seconds": 1.0}
_ALL: Final = (
    Kind(
        name="engine-killed",
        strike=striking.kill_engine,
        promised=NOTHING_LOST | {"silence_seconds": 3.0},
        long=_long(260),
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
        probed_when_healed=True,
    ),
    _on_line("ami-cut", striking.cut_line, 2.0),
    _on_line("ami-stalled", striking.stall_line, 2.0),
    _on_line("ami-slow", striking.slow_line, 3.0),
    _on_line("ami-flooded", striking.flood_line, 3.0),
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
    Kind(name="standby-killed", strike=striking.kill_engine, promised=_QUICK, long=_long(260), needs=_TWO),
    Kind(
        name="leader-stopped",
        strike=striking.stop_leader,
        promised=NOTHING_LOST | {"control_seconds": 5.0},
        long=_long(newcomers=20, seconds=10.0),
        short=_short(seconds=6.0),
        needs=_TWO,
    ),
    Kind(
        name="upgrade",
        strike=striking.hand_over,
        promised=_QUICK,
        rounds=20,
        needs=_TWO_RELEASES,
    ),
)
ALL: Final = {one.name: one for one in _ALL}

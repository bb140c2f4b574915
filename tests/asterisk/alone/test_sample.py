"""A sample of random trees, instants and callers, whom a real Asterisk serves alone: as `route` says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from random import Random
from typing import Final

import pytest

from callrouter.core.call import CallerId, Presentation, replace
from callrouter.core.numbers import spellings
from callrouter.core.plan import Plan
from callrouter.core.schedule import Schedule, TimeRange
from callrouter.questions.occasions import calendar
from tests.asterisk.alone.as_asterisk import said_by_route
from tests.asterisk.alone.practice import PRACTICE, at
from tests.asterisk.alone.test_as_route import WITHOUT, at_midnight, tree
from tests.asterisk.alone.test_callers import publish
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import DID, EXTENSIONS, until
from tests.dialplan.random_trees import CALLERS

SAMPLES: Final = 16
CALLER: Final = """
[test-who]
exten => _call-.,1,Set(CALLERID(num)=${WHO})
 same => n,Set(CALLERID(num-pres)=${PRES})
 same => n,Set(CALLERID(num-valid)=${IF($["${PRES}" = "unavailable"]?0:1)})
 same => n,Goto(callrouter-entry,${EXTEN:5},1)
"""
"""Whoever the globals say calls the number behind `call-`."""
PRES: Final = {
    Presentation.ALLOWED: "allowed",
    Presentation.WITHHELD: "prohib",
    Presentation.UNAUTHENTICATED: "prohib_failed_screen",
    Presentation.UNAVAILABLE: "unavailable",
}
PLANNED: Final = re.compile(r'Set\("[^"]+", "CR_PLAN=([^\n]*)"\) in new stack')


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk that writes down each step of its dialplan."""
    extra = {"extensions": EXTENSIONS + CALLER}
    with Pbx.start(
        tmp_path_factory.mktemp("sample") / "pbx", admission_seconds=0.1, extra_conf=extra, verbose=True
    ) as running:
        running.cli("module load res_clioriginate.so")
        yield running
        running.cli("channel request hangup all")


def drawn(random: Random) -> tuple[Plan, datetime, str, CallerId, str]:
    """A tree, an instant of two weeks, a number of the client's, who calls, and what `route` says."""
    while True:
        plan, since = tree(random), at_midnight(random.choice(("2026-03-23", "2026-10-19", "2026-01-01")))
        when = random.choice(calendar(plan).changes(since, since + timedelta(days=14)))
        when += timedelta(seconds=random.choice((-60, 1, 600)))
        did, number = random.choice(plan.numbers), random.choice(CALLERS)
        caller = CallerId(number=number, presentation=Presentation.ALLOWED if number else random.choice(WITHOUT))
        if (said := said_by_route(plan, did, caller, when)) is not None:
            return plan, when, did, caller, said


@pytest.mark.parametrize("seed", range(SAMPLES))
async def test_a_caller_gets_what_route_says(pbx: Pbx, seed: int) -> None:
    """However the trunk writes the numbers."""
    random = Random(f"sample {seed}")
    plan, when, did, caller, said = drawn(random)
    number = random.choice(list(spellings(caller.number, "FR"))) if caller.number else "+33612340009"
    dialled = random.choice(list(spellings(did, "FR")))

    assert await planned(pbx, plan, when, dialled, number, PRES[caller.presentation]) == said


@pytest.mark.parametrize("hours", [0.25, 0.75, 24 * 7 + 0.25, 24 * 13 + 12.25, 24 * 13 + 12.75])
async def test_of_many_changes_a_late_one_is_found(pbx: Pbx, hours: float) -> None:
    """Open for the first half of each hour: more than one value holds."""
    ranges = tuple(TimeRange(start=time(hour), end=time(hour, 30)) for hour in range(24))
    busy = replace(PRACTICE, schedules={"open": Schedule(name="open", timezone="Europe/Paris", week=(ranges,) * 7)})
    when = at("2026-06-06 00:00") + timedelta(hours=hours)
    found = await planned(pbx, busy, when, DID, "+33612340009", "allowed", published_at=at("2026-06-06 00:00"))

    assert found == ("queue:reception" if hours % 1 < 0.5 else "message:120:0:night:silence/1")
    assert pbx.cli("database show callrouter/times").count("/times/") > 3


async def planned(
    pbx: Pbx,
    plan: Plan,
    when: datetime,
    dialled: str,
    number: str,
    shown: str,
    published_at: datetime | None = None,
) -> str:
    """What the fallback looks up for a caller while the engine's clock would show `when`."""
    pbx.cli("database deltree callrouter")
    await publish(pbx, plan, when, published_at)
    before = len(pbx.log())
    pbx.cli(f"dialplan set global WHO {number}")
    pbx.cli(f"dialplan set global PRES {shown}")
    pbx.cli(f"channel originate Local/call-{dialled}@test-who/n extension listen@test-caller")
    await until(lambda: "/ended/" in pbx.log()[before:] or "CR_SAID=" in pbx.log()[before:], 10)
    found = PLANNED.findall(pbx.log()[before:])
    pbx.cli("channel request hangup all")
    return str(found[-1])

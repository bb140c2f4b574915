"""An engine that waits makes the plans of what is live, and calls that it takes over find theirs made."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

import pytest

from callrouter.app.live import disk_plans, made_ahead
from callrouter.app.live.disk_plans import DiskPlans
from callrouter.app.live.live_plans import LivePlans
from callrouter.app.live.made_ahead import MadeAhead
from callrouter.core.plan import Plan
from callrouter.dialplan import PaperSpeech
from tests.app.live.test_keeper import AT, Engine, version
from tests.app.live.test_last_live import text


@pytest.fixture
async def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The one that leads."""
    monkeypatch.setattr(made_ahead, "PAUSE_SECONDS", 0.0)
    made = Engine(tmp_path)
    await made.keeper.flush()
    return made


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """Every plan that is made of the disk."""
    plans: list[Plan] = []
    make = DiskPlans._make

    def noting(self: DiskPlans, wanted: Collection[tuple[str, str]]) -> list[Plan]:
        found = make(self, wanted)
        plans.extend(found)
        return found

    monkeypatch.setattr(disk_plans.DiskPlans, "_make", noting)
    return plans


async def test_a_call_that_is_taken_over_finds_its_plan_made(engine: Engine, made: list[Plan]) -> None:
    """Of what is live, and of what calls walk that was live before; what follows is made when the leader writes it."""
    old = engine.plans.plans["m"]
    engine.walked = {version(old)}
    ahead = MadeAhead(engine.data, PaperSpeech, region="FR", now=lambda: AT)
    await ahead.look()
    first = list(ahead.plans)
    (engine.folder / "m.yaml").write_text(text(more="# another\n"))
    await engine.plans.reload()
    await engine.keeper.flush()
    await ahead.look()
    await ahead.look()
    new = engine.plans.plans["m"]
    count = len(made)
    disk = DiskPlans(LivePlans(engine.data), PaperSpeech(), region="FR", now=lambda: AT, ahead=ahead.plans)

    assert version(old) in first
    assert set(ahead.plans) >= {version(old), version(new)}
    assert [version(plan) for plan in made].count(version(old)) == 1, "it was made anew though nothing had changed"
    assert await disk.find(*version(old)) is ahead.plans[version(old)]
    assert await disk.for_did("+33199000010") is ahead.plans[version(new)]
    assert len(made) == count


async def test_another_day_makes_them_anew(engine: Engine, made: list[Plan]) -> None:
    """Holidays are looked up around the day."""
    days = [AT]
    ahead = MadeAhead(engine.data, PaperSpeech, region="FR", now=lambda: days[-1])
    await ahead.look()
    count = len(made)
    days.append(AT + timedelta(days=1))
    await ahead.look()

    assert (count, len(made)) == (len(ahead.plans), 2 * len(ahead.plans))


async def test_where_nothing_was_ever_live_nothing_is_made(tmp_path: Path) -> None:
    ahead = MadeAhead(tmp_path / "live", PaperSpeech, region="FR", now=lambda: AT)
    await ahead.look()

    assert ahead.plans == {}

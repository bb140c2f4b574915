"""What time brings about refuses a change, and takes no plan out of service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callrouter.app.history import PlanHistory
from callrouter.app.live.last_live import last_live, revive
from callrouter.app.live.live_plans import LivePlans
from callrouter.app.watch import Watcher
from callrouter.dialplan import Loader, PaperSpeech
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.reload import ServedPlans, Swap
from callrouter.store.database import Database

BEFORE = datetime(2027, 3, 30, 9, 0, tzinfo=UTC)
AFTER = datetime(2027, 4, 2, 9, 0, tzinfo=UTC)

WINTER = """\
client: ski
numbers: ["01 99 00 00 92"]
timezone: Europe/Paris
language: fr
fallback: { node: bye }
start: season
nodes:
  season:
    branch:
      when: [{ from: 2026-12-01, to: 2027-03-31, then: winter }]
      otherwise: bye
  winter: { play: { prompt: "WORDS", next: bye } }
  bye: { hangup: {} }
"""


class Served:
    """A folder that is served while days pass."""

    def __init__(self, folder: Path, on_swap: Callable[[Swap], None] = lambda _: None) -> None:
        self.file = folder / "ski.yaml"
        self.now = BEFORE
        self.save("La neige est bonne.")
        self.loader = Loader(folder, PaperSpeech())
        self.plans = ServedPlans(
            self.loader.load(self.now), self.loader, LiveCalls(), now=lambda: self.now, on_swap=on_swap
        )

    def save(self, words: str) -> None:
        """Other words are another version."""
        self.file.write_text(WINTER.replace("WORDS", words))


async def test_a_day_that_passes_withdraws_nothing_and_is_said(tmp_path: Path) -> None:
    """The plan stays; status, trouble and the issues say that its season is over."""
    served = Served(tmp_path)
    version = served.plans.plans["ski"].version
    watcher = Watcher(served.loader, served.plans)
    assert served.plans.trouble == ""

    served.now = AFTER
    await watcher.look()

    assert served.plans.plans["ski"].version == version
    (refused,) = served.plans.refused
    assert refused.overdue
    assert refused.keeps is served.plans.plans["ski"]
    assert served.plans.trouble == (
        'overdue, and served all the same: ski.yaml:10: node "season": condition 1 is over: its last day was'
        " 2027-03-31; take it out, or is the year right?"
    )


async def test_a_day_is_over_where_the_client_is(tmp_path: Path) -> None:
    """An hour after their midnight it is said, while it is still yesterday in Greenwich."""
    served = Served(tmp_path)
    watcher = Watcher(served.loader, served.plans)

    served.now = datetime(2027, 3, 31, 21, 0, tzinfo=UTC)
    await watcher.look()
    assert served.plans.trouble == ""

    served.now = datetime(2027, 3, 31, 23, 0, tzinfo=UTC)
    await watcher.look()
    assert "condition 1 is over" in served.plans.trouble


async def test_a_save_is_refused_until_the_date_is_mended(tmp_path: Path) -> None:
    """And the version before stays in service meanwhile."""
    served = Served(tmp_path)
    version = served.plans.plans["ski"].version
    served.now = AFTER
    served.save("La neige est encore bonne.")
    await served.plans.reload()

    assert served.plans.plans["ski"].version == version
    assert [one.overdue for one in served.plans.refused] == [False]

    served.file.write_text(served.file.read_text().replace("2027-03-31", "2028-03-31"))
    await served.plans.reload()

    assert served.plans.plans["ski"].version != version
    assert served.plans.refused == ()


@pytest.mark.parametrize("kept", [True, False])
async def test_a_restart_withdraws_nothing(tmp_path: Path, database: Database, kept: bool) -> None:
    """With what was live from the record; without one, with what the folder says."""
    history = PlanHistory(database, tmp_path)
    served = Served(tmp_path, history.note)
    version = served.plans.plans["ski"].version
    if kept:
        await history.flush()
        served.save("La neige est encore bonne.")

    last = await last_live(database, LivePlans(tmp_path / "live"))
    started = await revive(last, Loader(tmp_path, PaperSpeech()).load(AFTER), PaperSpeech())

    assert started.plans["ski"].version == version
    assert started.refused == {"ski.yaml"}

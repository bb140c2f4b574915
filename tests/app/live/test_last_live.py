"""After a restart what was live stays live, whatever lies in the folder, and whether or not PostgreSQL is there."""

from __future__ import annotations

import asyncio
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from callrouter.app.dialplans import Dialplans, PlanChanges, prepare_dialplans
from callrouter.app.history import PlanHistory
from callrouter.app.live.keeper import LiveKeeper
from callrouter.app.live.live_plans import LivePlans
from callrouter.app.outgoing_check import OutgoingCheck
from callrouter.app.pbx.queues_ready import QueuesReady
from callrouter.asterisk.teams.handover import Handover
from callrouter.errors import DialplanError
from callrouter.metrics import DialplanMetrics
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings
from callrouter.store.database import Database

TREE = """\
client: {client}
numbers: ["{number}"]
timezone: Europe/Paris
language: fr
fallback: {{ node: bye }}
start: bye
nodes:
  bye:
    hangup: {{ prompt: {{ sound: au-revoir }} }}
"""


def text(client: str = "m", number: str = "01 99 00 00 10", more: str = "") -> str:
    return TREE.format(client=client, number=number) + more


class Site:
    """A folder, a data folder and PostgreSQL; engines come and go."""

    def __init__(self, place: Path, database: Database) -> None:
        self.folder = place / "dialplans"
        self.data = place / "data"
        self.database = database
        self.sounds = place / "sounds"
        (self.folder / "sounds").mkdir(parents=True)
        (self.folder / "sounds/au-revoir.sln").write_bytes(bytes(16_000))

    def put(self, file: str, content: str) -> None:
        (self.folder / file).write_text(content)

    async def start(self, database: Database | None = None, *, took_over: bool = False) -> Dialplans:
        """What an engine serves that starts now, having kept it; `took_over`: after another one, in its place."""
        database = database or self.database
        keeper = LiveKeeper(LivePlans(self.data / "live"))
        history = PlanHistory(database, self.folder)
        handover = Handover("", on_applied=lambda: None)
        changes = PlanChanges(
            metrics=DialplanMetrics(CollectorRegistry()),
            history=history,
            keeper=keeper,
            outgoing=OutgoingCheck((), {}),
            fallbacks=None,  # type: ignore[arg-type]
            link=_Down(),  # type: ignore[arg-type]
            queues_due=asyncio.Event(),
            names_due=asyncio.Event(),
            agents_due=asyncio.Event(),
            handover=handover,
            queues_ready=QueuesReady(handover, members_due=asyncio.Event(), members_seen=asyncio.Event()),
            tasks=Tasks(),
        )
        settings = Settings(_env_file=None, dialplans_dir=self.folder, data_dir=self.data)
        served = prepare_dialplans(settings, database, SystemClock(), LiveCalls(), changes, took_over=took_over)
        await served.load()
        await history.flush()
        await keeper.flush()
        return served


class _Down:
    state = None


@pytest.fixture
def site(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    from callrouter.dialplan import PaperSpeech

    def paper(_prompts: Path, sounds_dirs: tuple[Path, ...], **_: Any) -> PaperSpeech:
        return PaperSpeech(sounds_dirs)

    monkeypatch.setattr("callrouter.app.dialplans.Speech", paper)
    return Site(tmp_path, database)


@pytest.mark.parametrize("stray", ["a copy.yaml", "z copy.yaml"])
@pytest.mark.parametrize("postgresql", ["there", "away"])
@pytest.mark.parametrize("claims", ["client", "number"])
async def test_a_stray_copy_never_takes_the_calls(
    site: Site, away: Database, stray: str, postgresql: str, claims: str
) -> None:
    """By whatever name it comes first: the one that was live is, and the copy is refused."""
    site.put("m.yaml", text())
    version = (await site.start()).served.plans["m"].version
    site.put(stray, text("m" if claims == "client" else "other", more="# a copy\n"))
    plans = (await site.start(away if postgresql == "away" else None)).served

    assert (plans.plans["m"].version, plans.plans["m"].source) == (version, "m.yaml")
    assert plans.for_did("+33199000010").source == "m.yaml"
    assert [refused.file for refused in plans.refused] == [stray]


async def test_a_file_that_was_renamed_is_no_copy(site: Site) -> None:
    site.put("m.yaml", text())
    await site.start()
    (site.folder / "m.yaml").rename(site.folder / "n.yaml")

    plans = (await site.start()).served
    assert plans.plans["m"].source == "n.yaml"
    assert plans.trouble == ""


@pytest.mark.parametrize("stray", ["a copy.yaml", "z copy.yaml"])
async def test_a_file_that_was_renamed_keeps_its_calls_beside_a_copy(site: Site, stray: str) -> None:
    """What was live stands under another name now, word for word: the copy that was changed is the stray one."""
    site.put("m.yaml", text())
    await site.start()
    (site.folder / "m.yaml").rename(site.folder / "n.yaml")
    site.put(stray, text(more="# a copy\n"))

    plans = (await site.start()).served
    assert plans.plans["m"].source == "n.yaml"
    assert [refused.file for refused in plans.refused] == [stray]


async def test_without_postgresql_a_wrong_file_keeps_its_last_good_plan(site: Site, away: Database) -> None:
    """It comes from the engine's own disk, with the instant from which it was live."""
    site.put("m.yaml", text())
    first = (await site.start()).served
    site.put("m.yaml", "client: m\nnumbers: [")
    plans = (await site.start(away)).served

    assert plans.plans["m"].version == first.plans["m"].version
    assert plans.since["m"] == first.since["m"]
    assert [refused.keeps for refused in plans.refused] == [plans.plans["m"]]


@pytest.mark.parametrize("postgresql", ["there", "away"])
@pytest.mark.parametrize("folder", ["missing", "empty"])
async def test_without_its_folder_an_engine_serves_what_it_kept(
    site: Site, away: Database, postgresql: str, folder: str
) -> None:
    """It says from when that is, again and again; when the folder is back, that is live."""
    site.put("m.yaml", text())
    site.put("n.yaml", text("n", "01 99 00 00 11"))
    began = datetime.now(UTC)
    await site.start()
    site.folder.rename(site.folder.with_name("elsewhere"))
    if folder == "empty":
        site.folder.mkdir()
    for _ in range(2):
        served = (await site.start(away if postgresql == "away" else None)).served
        assert served.plans.keys() == {"m", "n"}
        assert served.for_did("+33199000011").client == "n"
        assert served.kept_at is not None
        assert began <= served.kept_at <= datetime.now(UTC)
        assert f"the plans in service are those of {served.kept_at:%Y-%m-%d %H:%M:%S} UTC" in served.trouble
        assert served.refused == ()
    if folder == "empty":
        site.folder.rmdir()
    site.folder.with_name("elsewhere").rename(site.folder)
    await served.reload()

    assert served.plans.keys() == {"m", "n"}
    assert (served.trouble, served.kept_at) == ("", None)


async def test_what_went_live_while_postgresql_was_away_is_the_last(site: Site, away: Database) -> None:
    """The record does not know it yet, and the disk does."""
    site.put("m.yaml", text())
    await site.start()
    site.put("m.yaml", text(more="# second\n"))
    second = (await site.start(away)).served.plans["m"].version
    site.put("m.yaml", "client: m\nnumbers: [")

    assert (await site.start()).served.plans["m"].version == second


async def test_nothing_kept_and_no_folder_is_no_start(site: Site) -> None:
    with pytest.raises(DialplanError, match="holds no client's file"):
        await site.start()


async def test_what_the_disk_did_not_keep_whole_is_not_served(site: Site) -> None:
    """Half a document may be a tree all the same; PostgreSQL has the whole."""
    site.put("m.yaml", text(more="# kept\n"))
    version = (await site.start()).served.plans["m"].version
    (kept,) = (site.data / "live/documents").iterdir()
    kept.write_text(text())
    site.put("m.yaml", "client: m\nnumbers: [")

    assert LivePlans(site.data / "live").stored("m") is None
    assert (await site.start()).served.plans["m"].version == version


async def test_what_the_disk_did_not_take_is_written_with_the_next_load(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though nothing has changed since."""
    site.put("m.yaml", text())
    await site.start()
    disk = LivePlans(site.data / "live")
    stored = disk.stored("m")
    assert stored is not None
    with monkeypatch.context() as full:
        full.setattr("os.fsync", _full)
        with pytest.raises(OSError, match="No space"):
            disk.keep({}, datetime.now(UTC), numbers={}, walked=())
    disk.keep({}, datetime.now(UTC), numbers={}, walked=())

    assert LivePlans(site.data / "live").plans == {}


def _full(_handle: int) -> None:
    raise OSError(28, "No space left on device")


async def test_what_is_gone_is_not_kept(site: Site) -> None:
    """A client that is withdrawn leaves nothing on disk."""
    site.put("m.yaml", text())
    site.put("n.yaml", text("n", "01 99 00 00 11"))
    await site.start()
    (site.folder / "n.yaml").unlink()
    await site.start()

    assert LivePlans(site.data / "live").plans.keys() == {"m"}
    assert len(list((site.data / "live/documents").iterdir())) == 1


async def test_what_is_kept_is_closed_to_others(site: Site) -> None:
    """The folder too, which is made on the way to the one for documents."""
    site.put("m.yaml", text())
    await site.start()

    modes = {place.name: stat.S_IMODE(place.stat().st_mode) for place in (site.data / "live").rglob("*")}
    assert (stat.S_IMODE((site.data / "live").stat().st_mode), modes["documents"]) == (0o700, 0o700)

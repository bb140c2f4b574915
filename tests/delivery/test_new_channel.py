"""A new channel is one file, one line in the list and one case file: shown with a channel of the tests' own."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from callrouter.delivery.channel import Channel, Channels, Tools
from callrouter.delivery.channels import CHANNELS
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.store.database import Database
from tests.delivery.channels.walking import CASES, PARTS, check_channel, missing
from tests.delivery.file_channel import FileChannel
from tests.dispatch.rooms import Office
from tests.runtime.web_service import web_service

ADDED: tuple[type[Channel], ...] = (*CHANNELS, FileChannel)
FILE_CASES = Path(__file__).parent / "file_cases"


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """A copy of the case files, with that of the new channel."""
    folder = tmp_path / "cases"
    shutil.copytree(CASES, folder)
    shutil.copy(FILE_CASES / "file.py", folder)
    return folder


async def test_it_is_checked_like_any_other(cases: Path) -> None:
    """By its own cases."""
    assert list(missing(ADDED, cases)) == []
    for kind in ADDED:
        await check_channel(kind, cases)


def test_without_cases_a_test_fails(cases: Path) -> None:
    """Without the file, without one of the outcomes, without an address that is wrong; and without its line."""
    assert list(missing(ADDED)) == ["write cases/file.py"]
    assert list(missing(CHANNELS, cases)) == ["cases/file.py has no channel"]

    text = (cases / "file.py").read_text()
    (cases / "file.py").write_text(text.replace("(FailedForNow,", "(Delivered,"))
    assert list(missing(ADDED, cases)) == ["cases/file.py: no case is FailedForNow"]
    (cases / "file.py").write_text(text.replace('"from the root on"', "None"))
    assert list(missing(ADDED, cases)) == ["cases/file.py: ADDRESSES needs right ones and wrong ones"]


def test_without_one_of_its_parts_a_test_fails(cases: Path) -> None:
    """What it says of itself, and what it must do."""
    for part in PARTS:
        others = {other: getattr(FileChannel, other) for other in PARTS if other != part}
        bare = type("Bare", (Channel,), others)
        assert f"Bare does not say its {part}" in list(missing((*CHANNELS, bare), cases))
    tools = Tools(http=GuardedHttp([], {}))
    for part in ("check", "destination", "send"):
        unable = type("Unable", (FileChannel,), {part: getattr(Channel, part)})
        with pytest.raises(TypeError, match=part):
            Channels((unable,), tools)


async def test_the_queue_treats_it_rightly(database: Database, tmp_path: Path) -> None:
    """Delivered, failed for now, failed for good, too slow, at fault: each as with any channel, beside a webhook."""
    async with web_service() as service:
        office = Office(database=database, http=GuardedHttp([service.host], {}), folder=tmp_path, kinds=ADDED)
        places = {
            "web": service.url("good"),
            "told": f"file:{tmp_path}/told",
            "missing": f"file:{tmp_path}/away/told",
            "folder": f"file:{tmp_path}/",
            "wrong": "file:told",
            "slow": f"file:{tmp_path}/slow/never",
            "fault": f"file:{tmp_path}/fault/fault",
        }
        for id_, address in places.items():
            await office.telling(id_, address)
        async with office.works() as due:
            await office.attempted(1, "accepted", "web", "told")
            await office.attempted(1, "failed", "folder", "wrong")
            await office.attempted(1, "queued", "slow", "fault", "missing")
            counts = await office.rows("SELECT outcome, attempts FROM delivery_counts ORDER BY outcome")
            pauses = await office.rows(
                "SELECT next_attempt_at - changed_at FROM deliveries WHERE delivery_id = 'missing'"
            )
            (tmp_path / "away").mkdir()
            office.clock.passes(timedelta(seconds=61))
            due.set()
            await office.attempted(2, "accepted", "missing")
        await office.http.close()

    answers = dict(await office.rows("SELECT delivery_id, answer FROM deliveries"))
    assert counts == [("delivered", 2), ("failed", 3), ("given_up", 2)]
    assert pauses[0][0] == pytest.approx(timedelta(seconds=60), abs=timedelta(seconds=5))
    assert (tmp_path / "told").read_text().startswith("told {")
    assert answers["folder"] == f"{tmp_path} is a folder"
    assert answers["wrong"] == "a file is named from the root on: file:/srv/told"
    assert answers["slow"] == "file had not ended after 0.5 s"
    assert answers["fault"] == "it failed in an unforeseen way: the worker's log says how"

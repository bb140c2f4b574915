"""A new channel is one file, one line in the list and one case file: shown with a channel of the tests' own."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from callrouter.delivery.channel import Channel, Channels, Tools
from callrouter.delivery.channels import CHANNELS
from callrouter.metrics import EngineMetrics
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.store.database import Database
from tests.delivery.channels.walking import CASES, PARTS, check_channel, missing
from tests.delivery.file_channel import FileChannel
from tests.delivery.rooms import MONDAY, Clock, Rows, asked_for, queue_of, running
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


async def test_the_queue_the_book_and_the_figures_treat_it_rightly(database: Database, tmp_path: Path) -> None:
    """Delivered, failed for now, failed for good, too slow, at fault: each as with any channel, beside a webhook."""
    clock, rows = Clock(), Rows(database)
    metrics = EngineMetrics(registry := CollectorRegistry(), version="0", target_of=lambda _call: None)
    async with web_service() as service:
        http = GuardedHttp([service.host], {})
        queue = queue_of(database, http, tmp_path, clock, meter=metrics, kinds=ADDED)
        places = {
            "web": service.url("good"),
            "told": f"file:{tmp_path}/told",
            "missing": f"file:{tmp_path}/away/told",
            "folder": f"file:{tmp_path}/",
            "wrong": "file:told",
            "slow": f"file:{tmp_path}/slow/never",
            "fault": f"file:{tmp_path}/fault/fault",
        }
        for call, address in places.items():
            queue.observe(asked_for(address, call))
        async with running(queue):
            await rows.until("delivered", "web", "told")
            await rows.until("failed", "folder", "wrong")
            first = await rows.until("waiting", "slow", "fault", "missing")
            for outcome, many in (("delivered", 2), ("given_up", 2), ("failed", 3)):
                assert _attempts(registry, outcome) == many
            (tmp_path / "away").mkdir()
            clock.at += timedelta(seconds=61)
            await rows.until("delivered", "missing")
        await http.close()

    found = await rows.by_call()
    assert first["next_attempt_at"] == MONDAY + timedelta(seconds=60)
    assert (tmp_path / "told").read_text().startswith("told-n0 {")
    assert found["folder"]["last_error"] == f"{tmp_path} is a folder"
    assert found["wrong"]["last_error"] == "a file is named from the root on: file:/srv/told"
    assert found["slow"]["last_error"] == "file had not ended after 0.5 s"
    assert found["fault"]["last_error"] == "it failed in an unforeseen way"
    assert found["missing"]["attempts"] == 2


def _attempts(registry: CollectorRegistry, outcome: str) -> float | None:
    return registry.get_sample_value("callrouter_notification_attempts_total", {"outcome": outcome})

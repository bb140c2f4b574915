"""Saving a file makes it live, however it is saved; what does not pass, or is not finished, changes nothing."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callrouter.app.watch import PATIENCE_SECONDS, QUIET_SECONDS, SWEEP_SECONDS, WRITING_SECONDS, Watcher
from callrouter.dialplan import Loader, PaperSpeech
from callrouter.dialplan.folder.look import Look
from callrouter.dialplan.folder.publish import put_in_place
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.reload import ServedPlans, Swap
from callrouter.runtime.tasks import Tasks
from callrouter.speech import Speech
from tests.small_client import small_client


def text(client: str = "a", number: str = "01 99 00 00 10", words: str = "Au revoir.") -> str:
    return small_client(words, client, number)


@dataclass
class Served:
    """What is served of a folder that is watched."""

    folder: Path
    plans: ServedPlans
    swaps: list[Swap] = field(default_factory=list)

    def says(self, client: str = "a") -> str:
        """What callers of a client hear; empty when it has no plan."""
        plan = self.plans.plans.get(client)
        return plan.nodes["bye"].sounds[0].text if plan else ""  # type: ignore[attr-defined]

    async def until(self, true: Callable[[], bool], seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.sleep(0.002)

    async def nothing_happens(self, seconds: float) -> None:
        """No swap for so long."""
        before = len(self.swaps)
        await asyncio.sleep(seconds)
        assert len(self.swaps) == before, self.swaps[before:]


@asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[Served]:
    loader = Loader(folder, PaperSpeech())
    swaps: list[Swap] = []
    plans = ServedPlans(loader.load(), loader, LiveCalls(), now=lambda: datetime.now(UTC), on_swap=swaps.append)
    tasks = Tasks()
    tasks.start(Watcher(loader, plans).run(), "watch")
    await asyncio.sleep(0.1)
    try:
        yield Served(folder, plans, swaps)
    finally:
        await tasks.stop()


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """One client, `a`, that says "Au revoir."."""
    (tmp_path / "a.yaml").write_text(text())
    async with watching(tmp_path) as found:
        yield found


def write(path: Path, content: str) -> None:
    path.write_text(content)


def rename(path: Path, content: str) -> None:
    beside = path.with_name(f".{path.name}.tmp")
    beside.write_text(content)
    beside.replace(path)


def vim(path: Path, content: str) -> None:
    """The old file goes out of the way first: for a moment there is none."""
    (path.with_name("4913")).touch()
    path.with_name("4913").unlink()
    path.rename(path.with_name(f"{path.name}~"))
    path.write_text(content)
    path.with_name(f"{path.name}~").unlink()


def unlink_first(path: Path, content: str) -> None:
    path.unlink()
    path.write_text(content)


@pytest.mark.parametrize("save", [write, rename, vim, unlink_first])
async def test_a_save_is_live_however_an_editor_does_it(served: Served, save: Callable[[Path, str], None]) -> None:
    """One swap, and the client is never without a plan."""
    save(served.folder / "a.yaml", text(words="Bonne journée."))
    await served.until(lambda: served.says() == "Bonne journée.")

    assert [plan.client for plan in served.swaps[-1].live] == ["a"]
    assert not any(swap.withdrawn for swap in served.swaps)
    await served.nothing_happens(0.2)
    assert len(served.swaps) == 2


async def test_a_wrong_file_keeps_the_last_good_plan_and_says_so(served: Served) -> None:
    """After some patience; a later good save ends the trouble."""
    good = served.plans.plans["a"]
    write(served.folder / "a.yaml", text().replace("start: bye", "start: by"))
    await served.until(lambda: bool(served.plans.trouble))

    assert served.plans.plans["a"] is good
    assert served.plans.trouble == (
        'not served as it stands: a.yaml:6: start: "by" does not exist (did you mean "bye"?)'
    )
    [refused] = served.plans.refused
    assert (refused.file, refused.keeps) == ("a.yaml", good)
    assert served.swaps[-1].live == ()

    write(served.folder / "a.yaml", text(words="Mieux."))
    await served.until(lambda: served.says() == "Mieux.")
    assert served.plans.trouble == ""


async def test_half_a_file_is_not_complained_about(served: Served) -> None:
    """Its rest comes within a moment: what was there meanwhile is never mentioned."""
    whole = text(words="Tout est là.")
    write(served.folder / "a.yaml", whole[:150])
    await asyncio.sleep(PATIENCE_SECONDS / 2)
    write(served.folder / "a.yaml", whole)
    await served.until(lambda: served.says() == "Tout est là.")

    assert [swap.catalogue.issues for swap in served.swaps] == [(), ()]


async def test_a_file_that_is_open_for_writing_waits(served: Served) -> None:
    """Even though what is there passes."""
    with (served.folder / "a.yaml").open("w") as stream:
        stream.write(text(words="À moitié."))
        stream.flush()
        await served.nothing_happens(QUIET_SECONDS + 0.5)
        stream.seek(0)
        stream.write(text(words="En entier."))
    await served.until(lambda: served.says() == "En entier.")

    assert len(served.swaps) == 2


async def test_an_empty_file_is_being_written(served: Served) -> None:
    """For longer than other mistakes; then it is one."""
    write(served.folder / "a.yaml", "")
    await served.nothing_happens(PATIENCE_SECONDS + 0.5)
    await served.until(lambda: bool(served.plans.trouble), WRITING_SECONDS + 2)

    assert served.says() == "Au revoir."
    assert "a.yaml: is empty" in served.plans.trouble


async def test_a_file_that_goes_is_withdrawn(served: Served) -> None:
    """And one that comes is served."""
    write(served.folder / "b.yaml", text("b", "01 99 00 00 11"))
    await served.until(lambda: "b" in served.plans.plans)
    (served.folder / "a.yaml").unlink()
    await served.until(lambda: "a" not in served.plans.plans)

    assert [plan.client for plan in served.swaps[-1].withdrawn] == ["a"]
    assert served.plans.for_did("+33199000010").client == "unknown-did"
    assert list(served.plans.since) == ["b"]


async def test_an_empty_folder_changes_nothing(served: Served) -> None:
    """A folder that went away (an unmounted disk) is no reason to serve nobody."""
    (served.folder / "a.yaml").rename(served.folder / "gone")
    await served.until(lambda: "holds no client's file" in served.plans.trouble)
    assert served.says() == "Au revoir."

    (served.folder / "gone").rename(served.folder / "a.yaml")
    await served.until(lambda: served.plans.trouble == "")


async def test_a_shared_file_concerns_all_who_stand_on_it(served: Served) -> None:
    """Also where the folder of shared files did not exist before."""
    (served.folder / "shared").mkdir()
    version = served.plans.plans["a"].version
    write(served.folder / "shared/queues.yaml", "queues: { sales: { members: [agent-1] } }\n")
    await served.until(lambda: served.plans.plans["a"].version != version)
    version = served.plans.plans["a"].version
    write(served.folder / "shared/queues.yaml", "queues: { sales: { members: [agent-2] } }\n")
    await served.until(lambda: served.plans.plans["a"].version != version)


async def test_only_what_changed_is_compiled_again(served: Served) -> None:
    """The plan of a client whose file is as it was stays the very same object."""
    write(served.folder / "b.yaml", text("b", "01 99 00 00 11"))
    await served.until(lambda: "b" in served.plans.plans)
    kept = served.plans.plans["b"]
    write(served.folder / "a.yaml", text(words="Nouveau."))
    await served.until(lambda: served.says() == "Nouveau.")

    assert served.plans.plans["b"] is kept
    os.utime(served.folder / "b.yaml")
    await served.until(lambda: len(served.swaps) == 4)
    assert served.swaps[-1].live == ()
    assert served.plans.plans["b"] is kept


async def test_links_that_are_switched(tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap: files link to ..data, which links to a dated folder."""
    served_folder = tmp_path / "served"
    served_folder.mkdir()
    for name, words in (("..one", "Un."), ("..two", "Deux.")):
        (served_folder / name).mkdir()
        (served_folder / name / "a.yaml").write_text(text(words=words))
    (served_folder / "..data").symlink_to("..one")
    (served_folder / "a.yaml").symlink_to("..data/a.yaml")
    async with watching(served_folder) as served:
        assert served.says() == "Un."
        (served_folder / "..tmp").symlink_to("..two")
        (served_folder / "..tmp").replace(served_folder / "..data")
        await served.until(lambda: served.says() == "Deux.", 1.5)
        (served_folder / "..two/a.yaml").write_text(text(words="Trois."))
        await served.until(lambda: served.says() == "Trois.", 1.5)
        assert len(served.swaps) == 3


async def test_a_sound_is_found_by_the_sweep(tmp_path: Path) -> None:
    """A prompt that was missing or is another one: soon enough, and callers who hear prompts wake nobody."""
    (tmp_path / "sounds").mkdir()
    write(tmp_path / "a.yaml", text())
    async with watching(tmp_path) as served:
        (tmp_path / "sounds" / "welcome.wav").write_bytes(b"RIFF")
        await served.until(lambda: len(served.swaps) == 2, SWEEP_SECONDS * 2)
        await served.nothing_happens(SWEEP_SECONDS * 1.5)


async def test_a_log_that_grows_beside_the_folder_is_no_concern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder's own parent is watched, and people put logs there: nothing is looked at for them."""
    folder = tmp_path / "served"
    folder.mkdir()
    write(folder / "a.yaml", text())
    looks: list[float] = []
    async with watching(folder) as served:
        look = Loader.look

        def counted(loader: Loader) -> Look:
            looks.append(time.monotonic())
            return look(loader)

        monkeypatch.setattr(Loader, "look", counted)
        for number in range(40):
            (tmp_path / "engine.log").write_text(f"line {number}")
            await asyncio.sleep(0.01)
        assert len(looks) <= 1  # a sweep may have come in between
        write(folder / "a.yaml", text(words="Neu."))
        await served.until(lambda: served.says() == "Neu.", 1.5)


async def test_what_changes_right_after_the_first_look_does_not_wait_for_a_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch is set up anew when links are switched: a save in that instant goes live as soon as any other."""
    write(tmp_path / "a.yaml", text())
    look, looks = Watcher.look, 0

    async def look_then_save(watcher: Watcher) -> None:
        nonlocal looks
        await look(watcher)
        looks += 1
        if looks == 1:
            write(tmp_path / "a.yaml", text(words="Neu."))

    monkeypatch.setattr(Watcher, "look", look_then_save)
    async with watching(tmp_path) as served:
        await served.until(lambda: served.says() == "Neu.", SWEEP_SECONDS * 0.75)


async def test_a_folder_that_is_a_link(tmp_path: Path) -> None:
    """As git-sync does: the whole folder is switched to another one."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text(text(words=name))
    (tmp_path / "current").symlink_to("one")
    async with watching(tmp_path / "current") as served:
        (tmp_path / "next").symlink_to("two")
        (tmp_path / "next").replace(tmp_path / "current")
        await served.until(lambda: served.says() == "two", 1.5)
        assert len(served.swaps) == 2


def checkout(folder: Path, revision: str) -> None:
    subprocess.run(["git", "-C", str(folder), "checkout", "-q", revision], check=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A checkout at its first of two commits: 300 files are changed by the second, 20 are new, 20 are gone."""
    git = ["git", "-c", "user.name=Anne", "-c", "user.email=anne@operator.example", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    for words, numbers in (("Un.", range(320)), ("Deux.", range(20, 340))):
        for path in tmp_path.glob("*.yaml"):
            path.unlink()
        for number in numbers:
            content = text(f"c{number}", f"01 99 00 {number // 100:02} {number % 100:02}", words)
            (tmp_path / f"c{number}.yaml").write_text(content)
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", words], check=True)
    checkout(tmp_path, "HEAD~1")
    return tmp_path


async def test_a_pull_of_many_files_is_one_swap(repository: Path) -> None:
    """Real git: the catalogue goes from one commit to the other at once."""
    async with watching(repository) as served:
        assert served.says("c0") == "Un."
        await asyncio.to_thread(checkout, repository, "-")
        await served.until(lambda: served.says("c339") == "Deux.", 20)

        assert len(served.swaps) == 2
        assert {served.says(client) for client in served.plans.plans} == {"Deux."}
        assert (len(served.swaps[1].live), len(served.swaps[1].withdrawn)) == (320, 20)


async def test_a_new_text_is_spoken_before_it_is_served(tmp_path: Path) -> None:
    """Whoever calls in the instant of the swap hears it."""
    folder = tmp_path / "clients"
    folder.mkdir()
    (folder / "a.yaml").write_text(text())
    loader = Loader(folder, Speech(tmp_path / "cache"))
    there: list[bool] = []

    def swapped(swap: Swap) -> None:
        sounds = swap.catalogue.plans["a"].nodes["bye"].sounds  # type: ignore[attr-defined]
        there.append(all(Path(f"{sound.file}.wav").stat().st_size > 44 for sound in sounds))

    plans = ServedPlans(
        await asyncio.to_thread(loader.load), loader, LiveCalls(), now=lambda: datetime.now(UTC), on_swap=swapped
    )
    tasks = Tasks()
    tasks.start(Watcher(loader, plans).run(), "watch")
    served = Served(folder, plans)
    write(folder / "a.yaml", text(words="Une phrase que personne n'a encore dite."))
    await served.until(lambda: served.says().startswith("Une phrase"), 20)
    await tasks.stop()

    assert there == [True, True]


async def test_a_published_set_is_one_swap(served: Served) -> None:
    """Nothing is loaded while the set is put in place, however long that takes."""
    files = {f"c{n}.yaml": text(f"c{n}", f"01 99 00 01 {n:02}").encode() for n in range(50)}
    await asyncio.to_thread(put_in_place, served.folder, files, how="publish", by="ci")
    await served.until(lambda: "c49" in served.plans.plans)

    assert len(served.swaps) == 2
    assert len(served.swaps[1].live) == 50


@pytest.mark.parametrize("place", ["b.yaml", "shared/b.yaml", "shared/below"])
async def test_a_link_to_itself_does_not_end_the_watch(tmp_path: Path, place: str) -> None:
    """It is refused like any file that cannot be read, and the next save is live."""
    (tmp_path / "a.yaml").write_text(text())
    link = tmp_path / place
    link.parent.mkdir(exist_ok=True)
    link.symlink_to("." if place.endswith("below") else link.name)
    async with watching(tmp_path) as served:
        write(tmp_path / "a.yaml", text(words="Bonne journée."))
        await served.until(lambda: served.says() == "Bonne journée.", 1.0)
        link.unlink()
        link.symlink_to("." if place.endswith("below") else link.name)
        write(tmp_path / "a.yaml", text(words="Encore."))
        await served.until(lambda: served.says() == "Encore.", 2.0)

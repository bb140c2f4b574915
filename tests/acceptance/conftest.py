"""One real stack for all acceptance tests: Asterisk, PostgreSQL, callrouter, agents' phones, a carrier, SIPp callers.

The telephones live in an event loop of their own thread; tests stay plain functions.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from callrouter.core.plan import Plan
from callrouter.dialplan import load_directory
from callrouter.speech import Speech
from deploy.demo import g711, stories
from deploy.demo.caller import Outcome, Step, place_call
from deploy.demo.sipp import CallerIdentity
from deploy.demo.stack import Stack, running

CHECKOUT = Path(__file__).resolve().parents[2]

Row = dict[str, Any]
T = TypeVar("T")
_ROW_SECONDS = 10.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker has those that share the stack; a module whose tests start their own is anybody's."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and "town" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("acceptance"))


class LoopThread:
    """An event loop in a thread, as long as a `with`."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="telephones")

    def __enter__(self) -> LoopThread:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it there and wait for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()


@dataclass(kw_only=True)
class Town:
    """The stack, for plain functions: place calls, read rows and figures."""

    stack: Stack
    thread: LoopThread
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def somebody(self, name: str = "") -> CallerIdentity:
        """A caller whose number nobody else has."""
        return CallerIdentity(number=f"+3363998{next(self._numbers) + 1000:04d}", name=name)

    def call(self, did: str, *script: Step, caller: CallerIdentity | None = None, **options: Any) -> Outcome:
        """One call, from beginning to end."""
        return self.run(self.calling(did, *script, caller=caller, **options))

    async def calling(self, did: str, *script: Step, caller: CallerIdentity | None = None, **options: Any) -> Outcome:
        """The same, to be run beside others."""
        return await place_call(self.stack.sip_address, did, caller or self.somebody(), script, **options)

    def together(self, calls: list[Coroutine[Any, Any, T]], *, apart_seconds: float = 0.0) -> list[T]:
        """Calls at once, or one after the other has begun; their results in order."""

        async def all_of_them() -> list[T]:
            async with asyncio.TaskGroup() as group:
                tasks = []
                for call in calls:
                    tasks.append(group.create_task(call))
                    await asyncio.sleep(apart_seconds)
            return [task.result() for task in tasks]

        return self.run(all_of_them())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.thread.run(coroutine)

    def rows(self) -> list[Row]:
        return self.run(self.stack.engine.calls())

    def rows_of(self, caller: CallerIdentity, *, count: int = 1) -> list[Row]:
        """This caller's rows, once there are `count` of them (or ten seconds have passed)."""
        return self.until(
            lambda: [row for row in self.rows() if row["caller"]["number"] == caller.number],
            lambda rows: len(rows) >= count,
        )

    def row_of(self, caller: CallerIdentity) -> Row:
        """This caller's only row, with all its details."""
        rows = self.rows_of(caller)
        assert len(rows) == 1, f"{len(rows)} rows for one call"
        return self.detail(rows[0]["call_id"])

    def detail(self, call_id: str) -> Row:
        row: Row = self.get(f"/api/calls/{call_id}")
        return row

    def get(self, path: str, **query: str | int) -> Any:
        return self.run(self.stack.engine.get(path, **query))

    def figures(self) -> Mapping[str, float]:
        return self.run(self.stack.engine.figures())

    def nobody_is_left(self) -> bool:
        """Neither the engine nor Asterisk has a call.

        Whoever is being asked to accept a call hears the question to its end, though the caller has gone: app_dial
        waits for the routine.
        """
        left = self.until(
            lambda: (len(self.get("/live")["calls"]), self.stack.pbx.cli("core show channels count").split("\n")[0]),
            lambda now: now == (0, "0 active channels"),
            25.0,
        )
        return left == (0, "0 active channels")

    @staticmethod
    def until(look: Callable[[], T], enough: Callable[[T], bool], seconds: float = _ROW_SECONDS) -> T:
        """Look again until it is enough; what was seen last."""
        deadline = time.monotonic() + seconds
        while True:
            seen = look()
            if enough(seen) or time.monotonic() > deadline:
                return seen
            time.sleep(0.1)


Opening = Callable[..., Awaitable[Town]]


@pytest.fixture(scope="session")
def thread() -> Iterator[LoopThread]:
    with LoopThread() as thread:
        yield thread


@pytest.fixture(scope="session")
def town(thread: LoopThread) -> Iterator[Town]:
    """The stack all tests share."""
    yield from open_town(thread)


@pytest.fixture
def own_town(thread: LoopThread) -> Iterator[Town]:
    """A stack that a test may break."""
    yield from open_town(thread)


def open_town(thread: LoopThread, environment: Mapping[str, str] | None = None) -> Iterator[Town]:
    """Started, and ended, in the loop's thread: Asterisk lives as long as the thread that started it."""
    context = running(environment=environment)
    stack = thread.run(context.__aenter__())
    try:
        yield Town(stack=stack, thread=thread)
    finally:
        thread.run(context.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def plans() -> Mapping[str, Plan]:
    """The demonstration clients as callrouter compiles them, with the sound files it plays."""
    sounds = Speech(CHECKOUT / ".run" / "prompts", (CHECKOUT / "dialplans" / "sounds",))
    catalogue = load_directory(CHECKOUT / "dialplans", sounds)
    assert catalogue.ok, catalogue.issues
    return catalogue.plans


@pytest.fixture(scope="session")
def prompt(plans: Mapping[str, Plan]) -> Callable[[str, str], g711.Pcm]:
    """What a client's node says: `prompt("cabinet-moreau", "welcome")`."""

    def find(client: str, node: str) -> g711.Pcm:
        sounds = plans[client].nodes[node].sounds  # type: ignore[attr-defined]
        return g711.read_wav(Path(f"{sounds[0].file}.wav"))

    return find


@pytest.fixture(scope="session")
def told(town: Town) -> dict[str, Told]:
    """Every story, lived once, at the same time; and the figures before and after."""
    before, earlier = town.figures(), len(town.rows())
    logged = len(town.stack.pbx.log())
    calls = [town.calling(story.did, *story.script, caller=story.caller, seconds=120.0) for story in stories.STORIES]
    outcomes = town.together(calls, apart_seconds=0.4)
    rows = town.until(town.rows, lambda rows: len(rows) >= earlier + len(calls))
    after = town.figures()
    log = town.stack.pbx.log()[logged:]
    return {
        story.name: Told(story=story, outcome=outcome, rows=rows, before=before, after=after, log=log)
        for story, outcome in zip(stories.STORIES, outcomes, strict=True)
    }


@dataclass(kw_only=True)
class Told:
    """A story that was lived, every row and figure right after all of them, and what Asterisk logged meanwhile."""

    story: stories.Story
    outcome: Outcome
    rows: list[Row]
    before: Mapping[str, float]
    after: Mapping[str, float]
    log: str

    @property
    def row(self) -> Row:
        """The one row of this story."""
        number = None if self.story.caller.withheld else self.story.caller.number
        own = [row for row in self.rows if (row["caller"]["number"], row["did"]) == (number, self.story.did)]
        assert len(own) == 1, f"{len(own)} rows for one call"
        return own[0]

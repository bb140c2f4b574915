"""An engine that starts works out, reads and writes nothing of clients of whom all is there already."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from callrouter.asterisk.alone.ready_made import made_of
from callrouter.asterisk.batch import Batch, Headers
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.provision import PUBLISHED, Fallbacks
from callrouter.core.call import replace
from callrouter.core.effects import Sound
from callrouter.core.plan import Plan
from tests.asterisk.alone.practice import PRACTICE
from tests.asterisk.paper import Paper

OTHER = replace(PRACTICE, client="other", numbers=("+33199000011",))


class Base(Paper):
    """Asterisk's database: what is written goes in, in order, until `dies_after` so many writes."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, str] = {}
        self.done: list[str] = []
        self.asked: list[str] = []
        self.dies_after = 1_000_000

    def batch(self) -> Batch:
        """As AmiLink; what was written before is there."""
        self.carry_out()
        return super().batch()

    def carry_out(self) -> None:
        """Do what was written."""
        for one in self.written:
            said = dict(line.split(": ", 1) for line in one.splitlines())
            key = f"/{said['Family']}/{said['Key']}"
            if len(self.done) == self.dies_after:
                raise KeyboardInterrupt  # the engine is killed here
            self.done.append(key)
            if said["Action"] == "DBPut":
                self.held[key] = said["Val"]
            else:
                del self.held[key]
        self.written = []

    def collect(self, name: str, headers: Headers = ()) -> asyncio.Future[list[AmiMessage]]:
        """DBGetTree."""
        self.carry_out()
        family = dict(headers)["Family"]
        self.asked.append(family)
        rows = [(key, value) for key, value in self.held.items() if key.startswith(f"/{family}/")]
        answer: asyncio.Future[list[AmiMessage]] = asyncio.get_running_loop().create_future()
        answer.set_result([AmiMessage([("Event", "DBGetTreeResponse"), ("Key", k), ("Val", v)]) for k, v in rows])
        return answer


async def engine(base: Base, plans: Iterable[Plan], *, complete: bool = True) -> None:
    """One that starts, publishes and goes."""
    base.done, base.asked = [], []
    await Fallbacks(base, "FR").publish([*plans], complete=complete, afresh=True)  # type: ignore[arg-type]
    base.carry_out()


async def test_the_next_engine_asks_one_question_and_writes_nothing() -> None:
    """As long as no file has changed, and the day is the same."""
    base = Base()
    await engine(base, [PRACTICE, OTHER])
    held = dict(base.held)
    await engine(base, [PRACTICE, OTHER])

    assert (base.asked, base.done, base.held) == ([PUBLISHED], [], held)


async def test_whoever_changes_or_goes_has_only_that_written() -> None:
    """By an engine that did not write the rest."""
    base = Base()
    await engine(base, [PRACTICE, OTHER])
    spoken = replace(PRACTICE, version="2", fallback="night")
    await engine(base, [spoken])

    assert f"/{PUBLISHED}/other" not in base.held
    assert not [key for key in base.held if "99000011" in key]
    fresh = Base()
    await engine(fresh, [spoken])
    assert base.held == fresh.held


async def test_an_engine_that_is_killed_while_it_writes_leaves_no_client_for_done() -> None:
    """After any number of writes the next one brings all to where it should be; of a change, too."""
    changed = replace(PRACTICE, version="2", fallback="night")
    whole = Base()
    await engine(whole, [changed, OTHER])
    base = Base()
    await engine(base, [PRACTICE, OTHER])
    await engine(base, [changed, OTHER])
    writes = len(base.done)
    for count in range(writes):
        base = Base()
        await engine(base, [PRACTICE, OTHER])
        base.dies_after = count
        with pytest.raises(KeyboardInterrupt):
            await engine(base, [changed, OTHER])
        base.written, base.dies_after = [], 1_000_000
        await engine(base, [changed, OTHER])
        assert base.held == whole.held, count


async def test_what_stands_of_a_client_whose_file_cannot_be_read_stays() -> None:
    """And is not written again when it can."""
    base = Base()
    await engine(base, [PRACTICE, OTHER])
    held = dict(base.held)
    await engine(base, [PRACTICE], complete=False)
    assert base.held == held
    await engine(base, [PRACTICE, OTHER])
    assert base.done == []


def test_a_plan_has_one_digest_and_another_with_anything_else() -> None:
    """Sounds that are spoken anew have another name, though no document has changed."""
    spoken = replace(PRACTICE, phrase_sounds=(Sound(file="callrouter/spoken/new", seconds=1.0),))

    assert made_of(PRACTICE, "2026-06-01") == made_of(replace(PRACTICE), "2026-06-01")
    assert len({made_of(PRACTICE, "2026-06-01"), made_of(PRACTICE, "2026-06-02"), made_of(spoken, "2026-06-01")}) == 3

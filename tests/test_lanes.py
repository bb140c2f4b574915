"""Tests that wait and tests that compute are mixed, and each is given out once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from xdist.scheduler import loadscope

from tests.lanes import ALONE, COMPUTING, LONGEST, STARTERS, STARTING, WAITING, Kind, Lanes, kind_of, waits

ROOT = Path(__file__).resolve().parents[1]
WORKERS = 6
TESTS = [
    *(f"tests/api/test_a.py::test_{number}" for number in range(40)),
    *(f"tests/asterisk/test_{module}.py::test_{number}" for module in "defghijk" for number in range(5)),
    *(f"tests/acceptance/test_b.py::test_{number}@acceptance" for number in range(9)),
    *(f"tests/chaos/test_{module}.py::test_{number}" for module in "lmnop" for number in range(7)),
]


class Worker:
    """Does what it is given, one test after the other."""

    shutting_down = False
    gateway = SimpleNamespace(id="worker")

    def __init__(self) -> None:
        self.given: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        """As WorkerController."""
        self.given += indices

    def shutdown(self) -> None:
        """As WorkerController."""
        self.shutting_down = True


class Silent:
    """A log that nobody reads, and an xdist configuration in one."""

    def __getattr__(self, name: str) -> Any:
        return self

    def __call__(self, *_: object) -> None:
        return None


def test_one_computes_while_others_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until either kind is used up, and two at most start whole stacks; a module that waits, and a group, is one
    worker's.
    """
    monkeypatch.setattr(loadscope, "parse_tx_spec_config", lambda _: range(WORKERS))
    workers = [Worker() for _ in range(WORKERS)]
    lanes = Lanes(Silent(), Silent())
    for worker in workers:
        lanes.add_node(worker)
        lanes.add_node_collection(worker, TESTS)
    lanes.schedule()
    done: list[tuple[int, str]] = []
    at_once: list[Counter[Kind]] = []
    while any(worker.given for worker in workers):
        now = [(number, TESTS[worker.given.pop(0)]) for number, worker in enumerate(workers) if worker.given]
        at_once.append(Counter(kind_of(nodeid) for _, nodeid in now))
        for number, nodeid in now:
            lanes.mark_test_complete(workers[number], TESTS.index(nodeid))
        done += now

    assert sorted(nodeid for _, nodeid in done) == sorted(TESTS)
    assert [kinds[Kind.COMPUTES] for kinds in at_once[:8]] == [1] * 8
    assert [kinds[Kind.WAITS] for kinds in at_once[:8]] == [WORKERS - 1 - STARTERS] * 8
    assert max(kinds[Kind.STARTS] for kinds in at_once) == STARTERS
    assert all(worker.shutting_down for worker in workers)
    of_module: dict[str, set[int]] = {}
    for number, nodeid in done:
        if waits(nodeid):
            of_module.setdefault(nodeid.partition("::")[0], set()).add(number)
    assert {len(numbers) for numbers in of_module.values()} == {1}


@pytest.mark.parametrize("steps", range(1, 12))
def test_a_worker_that_dies_leaves_its_work_to_the_others(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """What it had finished is done once, and nothing is given out that holds no test; xdist tries the one at which it
    died once more.
    """
    monkeypatch.setattr(loadscope, "parse_tx_spec_config", lambda _: range(WORKERS))
    workers = [Worker() for _ in range(WORKERS)]
    lanes = Lanes(Silent(), Silent())
    for worker in workers:
        lanes.add_node(worker)
        lanes.add_node_collection(worker, TESTS)
    lanes.schedule()
    done: list[str] = []
    step = 0
    while any(worker.given for worker in workers):
        for worker in [one for one in workers if one.given]:
            done.append(TESTS[worker.given.pop(0)])
            lanes.mark_test_complete(worker, TESTS.index(done[-1]))
        step += 1
        if step == steps:
            assert lanes.remove_node(workers.pop(0)) is not None
            assert not any(all(unit.values()) for unit in lanes.workqueue.values())

    assert sorted(done) == sorted(TESTS)


@pytest.mark.parametrize("name", [*LONGEST, *WAITING, *STARTING, *COMPUTING, *ALONE])
def test_what_is_named_is_there(name: str) -> None:
    """A module that was moved would be given out late, and computing ones beside each other."""
    assert name in ("acceptance", "fuzz", "laws") or (ROOT / name).exists()

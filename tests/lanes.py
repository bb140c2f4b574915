"""Which worker gets which tests: those that wait for telephones are mixed with those that compute.

Most tests on a real Asterisk wait: for rings, prompts, time-outs. Most others compute. Given out in alphabetical order
the workers first wait all together, while the processors do nothing, and then all compute, on fewer processors than
workers, beside what is measured in real time. So one worker computes and the others wait, until either kind is used up;
and what computes alone, asking no server of its own, gives way, by its priority, to whatever waits.

Of those that wait, two at most start whole stacks (PostgreSQL, an engine, a web process, a dozen telephones): a start
is seconds of a processor's time, and beside four others neither that nor what is measured in it is what an operator
meets.

A module that waits is given to one worker as a whole: its tests share an Asterisk, and each worker would start one. The
longest go first, so that no worker is still in one when the others are done.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final

from xdist.scheduler import LoadGroupScheduling

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

WAITING: Final = (
    "tests/acceptance/",
    "tests/app/pbx/",
    "tests/asterisk/",
    "tests/bench/",
    "tests/chaos/",
    "tests/deploy/",
    "tests/fuzz/test_http_api.py",
    "tests/fuzz/test_sip.py",
    "tests/laws/",
)
"""Folders of tests that mostly wait."""
STARTING: Final = (
    "tests/acceptance/",
    "tests/bench/",
    "tests/chaos/",
    "tests/fuzz/test_http_api.py",
    "tests/fuzz/test_sip.py",
    "tests/laws/",
)
"""Those of them that start whole stacks."""
STARTERS: Final = 2
"""Workers that may have such tests at once."""
ALONE: Final = ("tests/core/", "tests/dialplan/", "tests/normalisation/", "tests/questions/")
"""Folders of tests that compute and wait for nobody: no limit in seconds runs out while others have the processor."""
ALONE_NICENESS: Final = 10
"""Of those, beyond that of the others."""
NICENESS: Final = os.getpriority(os.PRIO_PROCESS, 0)
COMPUTING: Final = (
    "tests/asterisk/test_asyncagi.py",
    "tests/asterisk/test_codec.py",
    "tests/asterisk/test_replay.py",
    "tests/chaos/test_faults.py",
    "tests/chaos/test_results.py",
    "tests/chaos/test_soak.py",
    "tests/chaos/test_verdict.py",
    "tests/deploy/test_alerts.py",
    "tests/deploy/test_boards.py",
    "tests/deploy/test_carriers_file.py",
    "tests/deploy/test_containers.py",
    "tests/deploy/test_make.py",
)
"""Modules in them that do not."""
LONGEST: Final = (
    "acceptance",
    "tests/acceptance/test_live_editing.py",
    "tests/acceptance/test_asterisk_death.py",
    "tests/acceptance/test_engine_death.py",
    "tests/bench/test_soak.py",
    "tests/chaos/test_engine.py",
    "tests/acceptance/test_start_without.py",
    "tests/chaos/test_line.py",
    "tests/chaos/test_two.py",
    "tests/acceptance/test_masked_log.py",
    "laws",
    "tests/acceptance/test_messages_alone.py",
    "fuzz",
    "tests/asterisk/supervision/test_renewal.py",
    "tests/asterisk/test_switch.py",
    "tests/asterisk/transfers/test_control.py",
    "tests/asterisk/transfers/test_codes.py",
    "tests/asterisk/leading/test_standby.py",
    "tests/asterisk/test_messages.py",
    "tests/asterisk/test_vanished.py",
    "tests/asterisk/test_teams_phones.py",
    "tests/asterisk/test_journal.py",
    "tests/asterisk/adoption/test_asked.py",
    "tests/asterisk/transfers/test_announced.py",
    "tests/asterisk/test_callbacks.py",
    "tests/asterisk/transfers/test_blind.py",
    "tests/asterisk/adoption/test_people.py",
    "tests/asterisk/agents/test_wrap_up.py",
    "tests/deploy/test_alone.py",
    "tests/asterisk/adoption/test_legs.py",
    "tests/asterisk/supervision/test_recordings.py",
    "tests/asterisk/test_switch_language.py",
    "tests/deploy/test_pbx.py",
    "tests/asterisk/test_rings.py",
    "tests/asterisk/waiting/test_wait.py",
    "tests/asterisk/test_keys_in_band.py",
    "tests/asterisk/test_heard.py",
    "tests/asterisk/supervision/test_listening.py",
    "tests/asterisk/agents/test_offers.py",
    "tests/asterisk/test_who_hung_up.py",
    "tests/asterisk/transfers/test_recorded.py",
    "tests/asterisk/teams/test_derived.py",
    "tests/asterisk/adoption/test_conversations.py",
    "tests/asterisk/transfers/test_unanswered.py",
    "tests/asterisk/alone/test_callers.py",
    "tests/asterisk/test_outgoing.py",
    "tests/asterisk/test_pbx_reloaded.py",
)
"""Groups and modules that take more than some 30 s, the longest first, by kind."""


class Kind(Enum):
    """What a test does most of the time."""

    COMPUTES = auto()
    STARTS = auto()
    WAITS = auto()


class Lanes(LoadGroupScheduling):  # type: ignore[misc]  # xdist says nothing of its types
    """xdist's `loadgroup`, which gives out the next unit of work by its kind."""

    def __init__(self, config: Any, log: Any = None) -> None:
        super().__init__(config, log)
        self._in_order = False
        self._left: Counter[Kind] = Counter()
        """Units of each kind that are still to be given out."""

    def _split_scope(self, nodeid: str) -> str:
        """A group by its mark; a module that waits as a whole; any other test by itself."""
        scope: str = super()._split_scope(nodeid)
        return nodeid.partition("::")[0] if scope == nodeid and waits(nodeid) else scope

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Give it the first unit of the kind that it shall have; nothing more while others start all that is left."""
        if not self._in_order:
            self._put_in_order()
        first: dict[Kind, str] = {}
        for scope, unit in self.workqueue.items():
            first.setdefault(kind_of_unit(unit), scope)
            if len(first) == len(+self._left):
                break
        kind = self._kind_for(node)
        if kind is None:
            node.shutdown()
            return
        self._left[kind] -= 1
        self.workqueue.move_to_end(first[kind], last=False)
        super()._assign_work_unit(node)

    def _kind_for(self, node: WorkerController) -> Kind | None:
        others = [self._at_work(other) for other in self.assigned_work if other is not node]
        if self._left[Kind.COMPUTES] and not any(Kind.COMPUTES in kinds for kinds in others):
            return Kind.COMPUTES
        if self._left[Kind.STARTS] and sum(Kind.STARTS in kinds for kinds in others) < STARTERS:
            return Kind.STARTS
        return next((kind for kind in (Kind.WAITS, Kind.COMPUTES) if self._left[kind]), None)

    def _at_work(self, node: WorkerController) -> set[Kind]:
        """The kinds of what it has and has not finished."""
        units = self.assigned_work[node].values()
        return {kind_of(nodeid) for unit in units for nodeid, is_over in unit.items() if not is_over}

    def remove_node(self, node: WorkerController) -> str | None:
        """As loadgroup does, when a worker has died: but what it has finished is not given out again as empty units,
        with which other workers would wait for ever, and what it has not takes its place in the order.
        """
        work = self.assigned_work[node]
        for scope in [scope for scope, unit in work.items() if all(unit.values())]:
            del work[scope]
        self._in_order = False
        crashed: str | None = super().remove_node(node)
        return crashed

    def _put_in_order(self) -> None:
        """What waits first, and of that the longest."""
        waiting = [scope for scope, unit in self.workqueue.items() if kind_of_unit(unit) is not Kind.COMPUTES]
        waiting.sort(key=lambda scope: LONGEST.index(scope) if scope in LONGEST else len(LONGEST))
        for scope in reversed(waiting):
            self.workqueue.move_to_end(scope, last=False)
        self._left = Counter(map(kind_of_unit, self.workqueue.values()))
        self._in_order = True


def kind_of(nodeid: str) -> Kind:
    """What this test does most of the time."""
    if not waits(nodeid):
        return Kind.COMPUTES
    return Kind.STARTS if nodeid.startswith(STARTING) else Kind.WAITS


def give_way(nodeid: str) -> None:
    """The thread that runs it: beside tests that wait, one that computes alone uses what they leave.

    So does whatever it starts. Only as root, who alone can become impatient again.
    """
    alone = nodeid.startswith(ALONE) and not waits(nodeid)
    _be(NICENESS + ALONE_NICENESS if alone else NICENESS)


@contextmanager
def impatient() -> Iterator[None]:
    """What is started here is no test's own, and does not give way."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    _be(NICENESS)
    try:
        yield
    finally:
        _be(before)


def _be(nice: int) -> None:
    if os.geteuid() == 0:
        os.setpriority(os.PRIO_PROCESS, 0, nice)


def waits(nodeid: str) -> bool:
    """Whether this test mostly waits."""
    return nodeid.startswith(WAITING) and not nodeid.startswith(COMPUTING)


def kind_of_unit(unit: dict[str, bool]) -> Kind:
    """What its tests do."""
    return kind_of(next(iter(unit)))

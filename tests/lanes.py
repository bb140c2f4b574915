"""Which worker gets which tests: those that wait for telephones are mixed with those that compute.

Most tests on a real Asterisk wait: for rings, prompts, time-outs. Most others compute. Given out in alphabetical order
the workers first wait all together, while the processors do nothing, and then all compute, on fewer processors than
workers, beside what is measured in real time. So one worker computes and the others wait, until either kind is used up.

A module that waits is given to one worker as a whole: its tests share an Asterisk, and each worker would start one. The
longest go first, so that no worker is still in one when the others are done.
"""

from __future__ import annotations

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
COMPUTING: Final = (
    "tests/asterisk/test_asyncagi.py",
    "tests/asterisk/test_codec.py",
    "tests/asterisk/test_replay.py",
    "tests/chaos/test_faults.py",
    "tests/chaos/test_results.py",
    "tests/chaos/test_soak.py",
    "tests/chaos/test_verdict.py",
    "tests/deploy/test_carriers_file.py",
    "tests/deploy/test_containers.py",
    "tests/deploy/test_make.py",
)
"""Modules in them that do not."""
LONGEST: Final = (
    "acceptance",
    "tests/acceptance/test_asterisk_death.py",
    "tests/asterisk/test_switch.py",
    "tests/acceptance/test_start_without.py",
    "tests/acceptance/test_live_editing.py",
    "tests/bench/test_soak.py",
    "tests/acceptance/test_masked_log.py",
    "tests/acceptance/test_messages_alone.py",
    "tests/asterisk/transfers/test_control.py",
    "tests/asterisk/transfers/test_announced.py",
    "tests/asterisk/test_callbacks.py",
    "tests/chaos/test_engine.py",
    "tests/chaos/test_line.py",
    "tests/chaos/test_two.py",
    "tests/acceptance/test_engine_death.py",
    "tests/asterisk/supervision/test_renewal.py",
    "tests/asterisk/leading/test_releases.py",
    "tests/asterisk/leading/test_standby.py",
    "tests/asterisk/test_messages.py",
    "tests/asterisk/test_journal.py",
    "tests/acceptance/test_numbers_dialled.py",
    "tests/asterisk/supervision/test_recordings.py",
    "tests/asterisk/transfers/test_blind.py",
    "tests/deploy/test_pbx.py",
    "tests/asterisk/test_teams_phones.py",
    "tests/asterisk/test_vanished.py",
    "tests/asterisk/transfers/test_codes.py",
    "laws",
    "fuzz",
    "tests/acceptance/test_callbacks_ring.py",
    "tests/asterisk/test_rings.py",
    "tests/asterisk/waiting/test_wait.py",
    "tests/asterisk/agents/test_wrap_up.py",
    "tests/asterisk/test_switch_language.py",
    "tests/asterisk/teams/test_applier.py",
    "tests/asterisk/supervision/test_listening.py",
    "tests/asterisk/test_heard.py",
    "tests/asterisk/test_keys_in_band.py",
    "tests/deploy/test_carriers.py",
    "tests/deploy/test_limits.py",
    "tests/asterisk/test_outgoing.py",
    "tests/asterisk/teams/test_derived.py",
    "tests/asterisk/test_journal.py",
    "tests/deploy/test_teams.py",
    "tests/acceptance/test_event_stream.py",
)
"""Groups and modules that take more than some 40 s, the longest first."""


class Lanes(LoadGroupScheduling):  # type: ignore[misc]  # xdist says nothing of its types
    """xdist's `loadgroup`, which gives out the next unit of work by its kind."""

    def __init__(self, config: Any, log: Any = None) -> None:
        super().__init__(config, log)
        self._in_order = False

    def _split_scope(self, nodeid: str) -> str:
        """A group by its mark; a module that waits as a whole; any other test by itself."""
        scope: str = super()._split_scope(nodeid)
        return nodeid.partition("::")[0] if scope == nodeid and waits(nodeid) else scope

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Give it the first unit of the kind that it shall have; of the other when there is none left."""
        if not self._in_order:
            self._put_in_order()
        last = next(reversed(self.workqueue))
        if not unit_waits(self.workqueue[last]) and not self._somebody_else_computes(node):
            self.workqueue.move_to_end(last, last=False)
        super()._assign_work_unit(node)

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
        """What waits from the front, the longest first; what computes from the end."""
        waiting = [scope for scope, unit in self.workqueue.items() if unit_waits(unit)]
        waiting.sort(key=lambda scope: LONGEST.index(scope) if scope in LONGEST else len(LONGEST))
        for scope in reversed(waiting):
            self.workqueue.move_to_end(scope, last=False)
        self._in_order = True

    def _somebody_else_computes(self, node: WorkerController) -> bool:
        return any(
            not waits(nodeid)
            for other, units in self.assigned_work.items()
            if other is not node
            for unit in units.values()
            for nodeid, is_over in unit.items()
            if not is_over
        )


def waits(nodeid: str) -> bool:
    """Whether this test mostly waits."""
    return nodeid.startswith(WAITING) and not nodeid.startswith(COMPUTING)


def unit_waits(unit: dict[str, bool]) -> bool:
    """Whether its tests do."""
    return waits(next(iter(unit)))

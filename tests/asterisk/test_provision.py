"""What is published for a PBX alone; on a real Asterisk it is in test_journal.py."""

from __future__ import annotations

from structlog.testing import capture_logs

from callrouter.asterisk.provision import Fallbacks
from callrouter.core.call import replace
from callrouter.core.effects import Sound
from callrouter.core.nodes import HangupNode, QueueNode
from tests.asterisk.engine_room import plan_of
from tests.asterisk.paper import Paper

PLAN = plan_of(
    QueueNode(name="queue", queue="medical", max_wait_seconds=60, exits={"overflow": "bye"}),
    HangupNode(name="bye"),
    fallback="queue",
)


async def test_a_tree_that_cannot_be_walked_costs_nobody_else_theirs() -> None:
    """It begins at a node that is not there: its own declared fallback is published, and all that is the others'."""
    paper = Paper()
    fallbacks = Fallbacks(paper, "FR")  # type: ignore[arg-type]
    plans = [replace(PLAN, start="nowhere"), replace(PLAN, numbers=("+33199000011",))]
    with capture_logs() as logged:
        await fallbacks.publish(plans, complete=True, afresh=False)

    written = {tuple(line.partition(": ")[2] for line in one.splitlines()[2:5]) for one in paper.written}
    assert {("callrouter/fallback", did, "queue:medical") for did in ("0199000010", "0199000011")} <= written
    assert [line["event"] for line in logged] == ["what callers get without an engine is not known"]


async def test_what_cannot_be_written_costs_nobody_else_theirs() -> None:
    """A phrase of more sounds than a line of AMI holds: its number has a fallback all the same, and so has the next."""
    many = tuple(Sound(file=f"callrouter/spoken/{number:040}", seconds=1.0) for number in range(30))
    paper = Paper()
    fallbacks = Fallbacks(paper, "FR")  # type: ignore[arg-type]
    plans = [replace(PLAN, phrase_sounds=many), replace(PLAN, numbers=("+33199000011",))]
    await fallbacks.publish(plans, complete=True, afresh=False)

    written = {tuple(line.partition(": ")[2] for line in one.splitlines()[2:4]) for one in paper.written}
    assert {("callrouter/fallback", did) for did in ("0199000010", "0199000011")} <= written
    assert not [one for one in written if one[0] == "callrouter/brief"]

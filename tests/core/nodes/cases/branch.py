"""Transcripts of `branch`."""

from datetime import UTC, date, datetime

from callrouter.core.call import Disposition
from callrouter.core.conditions import (
    Bounds,
    Condition,
    DateWithin,
    DidIs,
    Measure,
    QueueStands,
    ShareOfCalls,
    VariableIs,
    VariableNumber,
    VariableStartsWith,
    VariableUnset,
)
from callrouter.core.effects import LookAtQueues
from callrouter.core.inputs import QueueLook
from callrouter.core.nodes import BranchNode, HangupNode, SetNode
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Needed, Reads, Uses, Variables
from callrouter.testing import TUESDAY_10, Playbook, plan_of

BRANCH = BranchNode(
    name="area",
    when=(
        VariableIs(variable="postcode", values=("75011", "75012")),
        DateWithin(spans=((date(2026, 12, 24), date(2027, 1, 3)),)),
        ShareOfCalls(percent=10),
        VariableIs(variable="vip"),
    ),
    exits={"when:0": "bye", "when:1": "bye", "when:2": "bye", "when:3": "bye", "otherwise": "bye"},
)
DRAWN_LAST = "call-3"  # crc32 draws 98.04 of 100 for it
DRAWN_FIRST = "call-10"  # … and 5.79


def _call(variables: dict[str, str], call_id: str, *visits: str, at: datetime = TUESDAY_10) -> Playbook:
    plan = plan_of(SetNode(name="given", variables=variables, exits={"next": "area"}), BRANCH, HangupNode(name="bye"))
    call = Playbook(plan, at=at).offer(call_id=call_id).expects("hang up 16").passes("given:next", *visits, "bye:end")
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_by_value() -> Playbook:
    """One of several values, and why."""
    call = _call({"postcode": "75012"}, DRAWN_LAST, "area:when:0")
    assert call.call.visits[1].because == "postcode = 75012"
    return call


def case_by_the_number_dialled() -> Playbook:
    """The first that holds the number decides, and says which it was."""
    other, dialled = DidIs(numbers=("+33199000011",)), DidIs(numbers=("+33199000012", "+33199000010"))
    exits = {"when:0": "bye", "when:1": "bye", "otherwise": "bye"}
    plan = plan_of(BranchNode(name="line", when=(other, dialled), exits=exits), HangupNode(name="bye"))
    call = Playbook(plan).offer().expects("hang up 16").passes("line:when:1", "bye:end")
    assert call.call.visits[0].because == "dialled +33199000010"
    return call.hangs_up().ends(Disposition.SELF_SERVED)


def case_by_date_in_the_clients_zone() -> Playbook:
    """23:30 UTC on the 23rd is Christmas Eve in Paris."""
    return _call({}, DRAWN_LAST, "area:when:1", at=datetime(2026, 12, 23, 23, 30, tzinfo=UTC))


def case_a_day_too_early() -> Playbook:
    """22:30 UTC on the 23rd is not."""
    return _call({}, DRAWN_LAST, "area:otherwise", at=datetime(2026, 12, 23, 22, 30, tzinfo=UTC))


def case_by_share() -> Playbook:
    """Drawn from the call's id: the same each time."""
    return _call({}, DRAWN_FIRST, "area:when:2")


def case_set_at_all() -> Playbook:
    """Any value will do."""
    return _call({"vip": "", "postcode": "92100"}, DRAWN_LAST, "area:when:3")


def case_otherwise() -> Playbook:
    """No condition holds."""
    return _call({"postcode": "92100"}, DRAWN_LAST, "area:otherwise")


def _on(*conditions: Condition, **variables: str) -> Playbook:
    exits = {f"when:{place}": "bye" for place in range(len(conditions))} | {"otherwise": "bye"}
    branch = BranchNode(name="area", when=conditions, exits=exits)
    given = SetNode(name="given", variables=variables, exits={"next": "area"})
    return Playbook(plan_of(given, branch, HangupNode(name="bye"))).offer()


def _decided(call: Playbook, exit_name: str, because: str) -> Playbook:
    call.expects("hang up 16").passes("given:next", f"area:{exit_name}", "bye:end")
    assert call.call.visits[1].because == because
    return call.hangs_up().ends(Disposition.SELF_SERVED)


NOBODY = QueueStands(queue="medical", measure=Measure.AGENTS, bounds=Bounds(below=1))
LONG = QueueStands(queue="legal", measure=Measure.EXPECTED_WAIT, bounds=Bounds(above=120))
FULL = QueueStands(queue="medical", measure=Measure.WAITING, bounds=Bounds(at_least=5))
BUSY = QueueLook(agents=2, free=0, waiting=1, talk_seconds=180)


def case_nobody_logged_in() -> Playbook:
    """All queues are looked at once, before the call is answered."""
    call = _on(FULL, NOBODY, LONG).expects("look at medical + legal")
    call.queues_seen(medical=QueueLook(agents=0, free=0, waiting=2, talk_seconds=0), legal=BUSY)
    return _decided(call, "when:1", "medical: 0 agents logged in")


def case_expected_wait() -> Playbook:
    """(1 + 1) callers × 180 s ÷ 2 agents."""
    call = _on(LONG).expects("look at legal").queues_seen(legal=BUSY)
    return _decided(call, "when:0", "legal: some 180 s of waiting")


def case_no_wait_while_agents_are_free() -> Playbook:
    """More free agents than callers: nobody waits."""
    call = _on(LONG).expects("look at legal")
    call.queues_seen(legal=QueueLook(agents=2, free=2, waiting=1, talk_seconds=9999))
    return _decided(call, "otherwise", "no condition holds")


def case_a_queue_that_cannot_be_seen() -> Playbook:
    """The safe way: otherwise."""
    call = _on(FULL, VariableIs(variable="vip"), vip="yes").expects("look at medical").queues_seen()
    return _decided(call, "otherwise", "queue medical could not be looked at")


def case_no_look_when_an_earlier_condition_holds() -> Playbook:
    """Conditions are asked in order."""
    return _decided(_on(VariableIs(variable="vip"), FULL, vip="yes"), "when:0", "vip = yes")


def case_comparisons() -> Playbook:
    """A number within bounds, a beginning, and a variable that is not set."""
    young = VariableNumber(variable="age", bounds=Bounds(below=18))
    _decided(_on(young, age="17"), "when:0", "age = 17")
    _decided(_on(young, age="18,5"), "otherwise", "no condition holds")
    _decided(_on(young, age="soon"), "otherwise", "no condition holds")
    paris = VariableStartsWith(variable="postcode", prefixes=("75", "92"))
    _decided(_on(paris, postcode="92100"), "when:0", "postcode = 92100")
    _decided(_on(paris, postcode="13001"), "otherwise", "no condition holds")
    return _decided(_on(VariableUnset(variable="dossier")), "when:0", "dossier is not set")


ABOUT = (
    (
        BRANCH,
        About(
            family=Family.DECIDES,
            left_by={
                "when:0": LeftBy.NOTHING,
                "when:1": LeftBy.NOTHING,
                "when:2": LeftBy.NOTHING,
                "when:3": LeftBy.NOTHING,
                "otherwise": LeftBy.NOTHING,
            },
            does=(),
            reads=Reads(conditions=BRANCH.when),
            variables=Variables(
                needed=(Needed(variable="postcode", path=("when", 0)),),
                compared=frozenset({"postcode", "vip"}),
                known_after={
                    "when:0": frozenset({"postcode"}),
                    "when:1": frozenset(),
                    "when:2": frozenset(),
                    "when:3": frozenset({"vip"}),
                    "otherwise": frozenset(),
                },
            ),
            uses=Uses(),
            effort=Effort(),
            unheard={},
        ),
    ),
    (
        BranchNode(
            name="asks",
            when=(VariableUnset(variable="age"), NOBODY, VariableNumber(variable="age", bounds=Bounds(below=18))),
            exits={"when:0": "bye", "when:1": "bye", "when:2": "bye", "otherwise": "bye"},
        ),
        About(
            family=Family.DECIDES,
            left_by={
                "when:0": LeftBy.NOTHING,
                "when:1": LeftBy.NOTHING,
                "when:2": LeftBy.NOTHING,
                "otherwise": LeftBy.NOTHING,
            },
            does=(LookAtQueues(queues=("medical",)),),
            reads=Reads(
                conditions=(
                    VariableUnset(variable="age"),
                    NOBODY,
                    VariableNumber(variable="age", bounds=Bounds(below=18)),
                )
            ),
            variables=Variables(
                compared=frozenset({"age"}),
                known_after={
                    "when:0": frozenset(),
                    "when:1": frozenset({"age"}),
                    "when:2": frozenset({"age"}),
                    "otherwise": frozenset({"age"}),
                },
            ),
            uses=Uses(),
            effort=Effort(),
            unheard={},
        ),
    ),
)
"""Nodes, and what each says of itself."""

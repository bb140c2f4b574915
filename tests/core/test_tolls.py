"""Whatever a stranger says of themselves, or has a web service say, only what the tree names is dialled."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.core import engine, inputs
from callrouter.core.call import Call, CallerId, Presentation, replace
from callrouter.core.effects import Dial
from callrouter.core.nodes import ALL, CallbackNode, DialNode, HangupNode, Node, RedirectNode
from callrouter.core.plan import Plan
from callrouter.core.steps.turn import Turn
from callrouter.testing import TUESDAY_10, plan_of
from tests.core.strategies import HOURS, KINDS, VARIABLES, exits_of, happenings, made

EXPENSIVE = "+33899123456"
KEYED = "0899123456"


@dataclass
class Bill:
    """Every number that a call had dialled, or noted to be dialled."""

    plan: Plan
    dialled: set[str] = field(default_factory=set)

    def see(self, turn: Turn) -> Call:
        """Note what is asked for; what is booked must be allowed by the node that booked it."""
        for effect in turn.effects:
            if isinstance(effect, Dial):
                self.dialled.update(effect.numbers)
        for booked in turn.call.callbacks:
            node = self.plan.nodes[booked.node]
            assert isinstance(node, CallbackNode)
            assert node.dialling.refusal(booked.number) == ""
        return turn.call


def named_by(plan: Plan) -> set[str]:
    """The numbers that stand in the tree, which the list was held against when it was compiled."""
    found: set[str] = set()
    for node in plan.nodes.values():
        if isinstance(node, DialNode):
            found.update(person.number for person in node.people())
        elif isinstance(node, RedirectNode):
            found.add(node.number)
    return found


def offered(at: datetime) -> inputs.CallOffered:
    """A caller with an expensive number, on behalf of one."""
    caller = CallerId(number=EXPENSIVE, name=EXPENSIVE, presentation=Presentation.ALLOWED)
    return inputs.CallOffered(call_id="c1", did="+33199000010", caller=caller, diverted_from=EXPENSIVE, at=at)


def told(draw: st.DrawFn, call: Call, at: datetime) -> inputs.Input:
    """What could happen, and everywhere a stranger has a say: the expensive number."""
    match draw(st.integers(0, 3)):
        case 0:
            return inputs.DigitPressed(digit=draw(st.sampled_from([*KEYED, "#", "1", "2"])), at=at)
        case 1:
            values = dict.fromkeys(VARIABLES, EXPENSIVE[:10])
            return inputs.LookupDone(step=call.step, values=values, at=at)
        case 2:
            return made(draw, "CollectEnded", call.step, at)
        case _:
            found: inputs.Input = draw(happenings(call, at))
            return found


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.kind)
@given(data=st.data())
def test_nothing_else_is_dialled_or_booked(kind: type[Node], data: st.DataObject) -> None:
    """Each verb, in a tree that also dials, redirects and offers to call back."""
    kinds: list[type[Node]] = [kind, DialNode, RedirectNode, CallbackNode]
    names = [f"node_{place}" for place in range(len(kinds))]
    nodes = []
    for name, one in zip(names, kinds, strict=True):
        node = data.draw(KINDS[one])
        exits = {way: data.draw(st.sampled_from([*names, "bye"])) for way in exits_of(node)}
        nodes.append(replace(node, name=name, exits=exits))
    plan = plan_of(*nodes, HangupNode(name="bye"), schedules={"open": HOURS})
    bill, at = Bill(plan), TUESDAY_10
    call = bill.see(engine.start(plan, offered(at)))
    for _ in range(data.draw(st.integers(0, 25))):
        at += timedelta(seconds=1)
        call = bill.see(engine.step(plan, call, data.draw(st.composite(told)(call, at))))

    assert bill.dialled <= named_by(plan)
    assert EXPENSIVE not in bill.dialled

"""Go by a variable, a date, the number dialled, a share of the calls, or how a team's queue stands.

```yaml
branch:
  when:
    - { queue: medical, agents: { below: 1 }, then: nobody_there }
    - { queue: medical, waiting: { at_least: 5 }, then: offer_callback }
    - { queue: medical, expected_wait: { above: 2m }, then: offer_callback }
    - { variable: dossier, equals: "1234", then: known }
    - { variable: postcode, starts_with: ["75", "92"], then: paris }
    - { variable: age, number: { below: 18 }, then: minors }
    - { variable: dossier, is_set: false, then: ask }
    - { from: 2026-12-24, to: 2027-01-03, then: christmas }
    - { did: "01 99 00 00 11", then: second_practice }
    - { percentage: 10, then: survey }
  otherwise: secretaries
```

The first condition that holds decides. Of a queue one can ask its `agents` (logged in), those `free`, the callers
`waiting`, and the `expected_wait`: (callers waiting + 1) × mean conversation ÷ agents, and none while more agents are
free than callers wait. When the queue cannot be looked at, the call goes to `otherwise`. `did` is the number dialled,
one of the client's own or several of them; a call that comes out of another client's tree has dialled none. A share is
drawn from the call's own id: the same call always goes the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.call import Call, CallState
from callrouter.core.conditions import Condition, QueueStands, ValueCondition, VariableIs, VariableUnset
from callrouter.core.effects import LookAtQueues
from callrouter.core.inputs import QueueLook, QueuesSeen, Result
from callrouter.core.nodes._base import Leave, Node, Stay, Step
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Needed, Reads, Uses, Variables

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


class BranchNode(Node, frozen=True, kw_only=True, dict=True):
    """Branch on conditions; exits are `when:0`, `when:1` … in the order written, and `otherwise`."""

    kind: ClassVar[str] = "branch"
    exit_names: ClassVar[frozenset[str]] = frozenset({"otherwise"})

    when: tuple[Condition, ...]

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """The first condition that holds decides; queues are looked at only when one of those conditions is reached."""
        return self._decide(plan, call, at, None)

    def resume(self, plan: Plan, call: Call, result: Result, at: datetime) -> Step:
        """The queues were looked at, or could not be."""
        return self._decide(plan, call, at, result.looks if isinstance(result, QueuesSeen) else {})

    def wait_again(self, plan: Plan, call: Call, at: datetime) -> Stay:
        """Look at the queues."""
        return Stay(call=call, state=CallState.CONSULTING, effects=(LookAtQueues(queues=self.queues),))

    @cached_property
    def queues(self) -> tuple[str, ...]:
        """The queues it has to look at."""
        return tuple(dict.fromkeys(one.queue for one in self.when if isinstance(one, QueueStands)))

    def about(self) -> About:
        """It is left as soon as it is entered, but for a look at queues."""
        return About(
            family=Family.DECIDES,
            left_by=dict.fromkeys(self.exits, LeftBy.NOTHING),
            does=(LookAtQueues(queues=self.queues),) if self.queues else (),
            reads=Reads(conditions=self.when),
            variables=self._variables(),
            uses=Uses(),
            effort=Effort(),
            unheard={},
        )

    def _variables(self) -> Variables:
        """A condition on a value needs one, and holds only where there is one.

        To ask whether there is one needs none, and settles it for the rest: after "is not set" did not hold there is.
        """
        needed: list[Needed] = []
        compared: set[str] = set()
        known_after: dict[str, frozenset[str]] = {}
        settled: frozenset[str] = frozenset()
        unseen: frozenset[str] | None = None
        for index, one in enumerate(self.when):
            known_after[f"when:{index}"] = settled
            if isinstance(one, ValueCondition):
                compared.add(one.variable)
                known_after[f"when:{index}"] = settled | {one.variable}
                whether = isinstance(one, VariableIs) and not one.values
                if not whether and one.variable not in settled:
                    needed.append(Needed(variable=one.variable, path=("when", index)))
            elif isinstance(one, VariableUnset):
                compared.add(one.variable)
                settled |= {one.variable}
            elif isinstance(one, QueueStands) and unseen is None:
                unseen = settled
        # A queue that cannot be looked at leads to `otherwise` at once: what stands after it was not asked.
        known_after["otherwise"] = settled if unseen is None else unseen
        return Variables(needed=tuple(needed), compared=frozenset(compared), known_after=known_after)

    def _decide(self, plan: Plan, call: Call, at: datetime, looks: Mapping[str, QueueLook] | None) -> Step:
        for index, condition in enumerate(self.when):
            if not isinstance(condition, QueueStands):
                because = condition.holds(plan, call, at)
            elif looks is None:
                return self.wait_again(plan, call, at)
            elif (look := looks.get(condition.queue)) is None:
                unseen = f"queue {condition.queue} could not be looked at"
                return Leave(call=call, exit="otherwise", because=unseen, troubles=(unseen,))
            else:
                because = condition.holds_for(look)
            if because:
                return Leave(call=call, exit=f"when:{index}", because=because)
        return Leave(call=call, exit="otherwise", because="no condition holds")

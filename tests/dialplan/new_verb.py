"""Ask for a yes while the office is open.

```yaml
confirm: { prompt: "Pour parler, tapez 1.", variable: wish, hours: office, yes: people, no: bye, shut: night }
```

Key 1 leads to `yes` and is kept in `variable`; silence, and any other key, lead to `no`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.call import Call, CallState, replace
from callrouter.core.effects import CollectDigits
from callrouter.core.inputs import Result
from callrouter.core.nodes import Leave, Node, Stay, Step, read_in, sounds_in, spoken, usual_seconds
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Question, Reads, Uses, Variables
from callrouter.core.read_aloud import PromptPart
from callrouter.dialplan.language.fields import Block, Name, Positive, Target
from callrouter.dialplan.language.prompts import Prompts
from callrouter.dialplan.language.words import said
from callrouter.dialplan.verbs import Names, Verb

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


class ConfirmNode(Node, frozen=True, kw_only=True):
    """Ask for a yes; exits are `yes`, `no` and `shut`."""

    kind: ClassVar[str] = "confirm"
    exit_names: ClassVar[frozenset[str]] = frozenset({"yes", "no", "shut"})

    sounds: tuple[PromptPart, ...]
    variable: str
    hours: str
    timeout_seconds: float = 5.0

    def about(self) -> About:
        """It looks at the clock before it asks."""
        return About(
            family=Family.ASKS,
            left_by={"yes": LeftBy.KEY, "no": LeftBy.SILENCE | LeftBy.WRONG_KEYS, "shut": LeftBy.NOTHING},
            does=(CollectDigits(sounds=sounds_in(self.sounds), max_digits=1, timeout_seconds=self.timeout_seconds),),
            reads=Reads(hours=self.hours),
            variables=Variables(
                needed=read_in(self.sounds),
                longest={self.variable: 1},
                known_after={"yes": frozenset({self.variable})},
            ),
            uses=Uses(),
            effort=Effort(keys=1, seconds=usual_seconds(self.sounds)),
            unheard={"timeout_seconds": "the longest wait for a yes"},
        )

    def question(self, asked: CollectDigits) -> Question:
        """Only a 1 means something."""
        return Question(keys=("1",), wrong="9")

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Ask, unless nobody is there."""
        if not plan.schedules[self.hours].at(at).open:
            return Leave(call=call, exit="shut", because="nobody is there")
        return self._ask(plan, replace(call, digits=""))

    def _ask(self, plan: Plan, call: Call) -> Stay:
        parts, troubles = spoken(plan, call, self.sounds)
        asks = CollectDigits(sounds=parts, max_digits=1, timeout_seconds=self.timeout_seconds)
        return Stay(call=call, state=CallState.COLLECTING, effects=(asks,), troubles=troubles)

    def wait_again(self, plan: Plan, call: Call, at: datetime) -> Stay:
        """The same question."""
        return self._ask(plan, call)

    def resume(self, plan: Plan, call: Call, result: Result, at: datetime) -> Step:
        """A 1, or anything else."""
        keyed, call = call.digits[:1], replace(call, digits="")
        if keyed != "1":
            return Leave(call=call, exit="no", because=keyed or "silent")
        return Leave(call=replace(call, variables={**call.variables, self.variable: "1"}), exit="yes", because="key 1")


class ConfirmBlock(Block):
    """Ask for a yes."""

    missing: ClassVar[Mapping[str, str]] = {"shut": "say where callers go while nobody is there"}

    prompt: Prompts
    """The question."""
    variable: Name
    """The variable that keeps the yes."""
    hours: Name
    """When somebody is there to ask for."""
    timeout: Positive = 5.0
    """The longest silence."""
    yes: Target
    """Where a 1 leads."""
    no: Target
    """Where silence and other keys lead."""
    shut: Target
    """Where the call goes while nobody is there."""


def build(names: Names, name: str, block: ConfirmBlock) -> Node:
    """Its hours must be the client's."""
    if block.hours not in names.schedules:
        names.fail(f"the client has no hours called {block.hours}", "nodes", name, "confirm", "hours")
    exits = (("yes", block.yes, ("yes",)), ("no", block.no, ("no",)), ("shut", block.shut, ("shut",)))
    return ConfirmNode(
        name=name,
        line=names.line("nodes", name),
        exits=names.leads(name, "confirm", *exits),
        sounds=names.voices(block.prompt, "nodes", name, "confirm", "prompt"),
        variable=block.variable,
        hours=names.hours_prefix + block.hours,
        timeout_seconds=block.timeout,
    )


def describe(node: ConfirmNode) -> str:
    """The question, and when it is asked."""
    return f"{said(node.sounds)} in {node.hours}"


CONFIRM = Verb(name="confirm", node=ConfirmNode, block=ConfirmBlock, build=build, describe=describe)

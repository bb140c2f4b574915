"""What a node is.

A node is entered, and either waits (`Stay`: a state, and the effects to perform) or is left by one of its named
exits (`Leave`), or finishes the call (`Finish`). While it waits, the result of its effects is handed to
`resume`, which answers in the same three words. A node keeps nothing: what it must remember between two
waits stands in `Call.memory`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.call import Call, CallState, Disposition, replace
from callrouter.core.effects import Effect
from callrouter.core.inputs import Result

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """The node waits, in `state`, for the result of the last of its effects."""

    call: Call
    state: CallState
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """The node is left by an exit, because of a value a person can read."""

    call: Call
    exit: str
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The tree ends here."""

    call: Call
    verdict: Disposition | None = None
    cause: int = 16
    because: str = ""


Step = Stay | Leave | Finish


@dataclass(frozen=True, kw_only=True)
class Node:
    """A step of the tree. Subclasses add typed fields and say how they are entered and resumed."""

    kind: ClassVar[str]
    """The verb, as the document writes it."""
    exit_names: ClassVar[frozenset[str]] = frozenset({"next"})
    """Exits every node of this kind must have."""
    optional_exits: ClassVar[frozenset[str]] = frozenset()
    """Exits it may have: without them the call ends there."""

    name: str
    line: int = 0
    """Where it stands in the client's file, from 1."""
    exits: Mapping[str, str] = field(default_factory=dict)
    """Exit name to node name."""

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """The call arrives at this node."""
        raise NotImplementedError

    def resume(self, plan: Plan, call: Call, result: Result, at: datetime) -> Step:
        """The result of what the node waited for; by default the wait was all there was to do."""
        return Leave(call=call, exit="next")

    def on_hangup(self, call: Call, at: datetime) -> Call:
        """The call is over while this node waits: what is worth keeping is kept."""
        return call

    def variable_lengths(self) -> Mapping[str, int]:
        """Variables this node may set, and the longest value of each in characters."""
        return {}

    def leave_or_finish(self, call: Call, exit: str, because: str) -> Step:  # noqa: A002
        """Leave by an optional exit, or finish where the document does not use it."""
        if exit in self.exits:
            return Leave(call=call, exit=exit, because=because)
        return Finish(call=call, because=because)


def keyed(call: Call) -> Call:
    """The call without a `#` in front of what was keyed ahead: it ended a number that had ended by its length."""
    return replace(call, digits=call.digits.lstrip("#")) if call.digits.startswith("#") else call


def remember(call: Call, **values: int) -> Call:
    """The call with `values` put into the waiting node's memory."""
    return replace(call, memory={**call.memory, **values})

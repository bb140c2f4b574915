"""The verbs of the language, one module each: what it may hold, the node it becomes, and what drawings say of it.

What the nodes do stands in `core.nodes`, in a module of the same name. The imports below are the list, in the order in
which the reference tells of them; `_base` says what a verb is.
"""

# ruff: isort: skip_file

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from msgspec import Struct
from pydantic import ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, create_model, model_validator

from callrouter.core.nodes import Node
from callrouter.dialplan.language.bounds import unusual
from callrouter.dialplan.language.fields import Block, WhenUsed
from callrouter.dialplan.verbs._base import Names as Names
from callrouter.dialplan.verbs._base import Verb as Verb

from callrouter.dialplan.verbs.answer import ANSWER as ANSWER
from callrouter.dialplan.verbs.play import PLAY as PLAY
from callrouter.dialplan.verbs.menu import MENU as MENU
from callrouter.dialplan.verbs.collect_digits import COLLECT_DIGITS as COLLECT_DIGITS
from callrouter.dialplan.verbs.opening_hours import OPENING_HOURS as OPENING_HOURS
from callrouter.dialplan.verbs.caller import CALLER as CALLER
from callrouter.dialplan.verbs.branch import BRANCH as BRANCH
from callrouter.dialplan.verbs.set_variables import SET as SET
from callrouter.dialplan.verbs.queue import QUEUE as QUEUE
from callrouter.dialplan.verbs.dial import DIAL as DIAL
from callrouter.dialplan.verbs.redirect import REDIRECT as REDIRECT
from callrouter.dialplan.verbs.callback import CALLBACK as CALLBACK
from callrouter.dialplan.verbs.lookup import LOOKUP as LOOKUP
from callrouter.dialplan.verbs.notify import NOTIFY as NOTIFY
from callrouter.dialplan.verbs.include import INCLUDE as INCLUDE
from callrouter.dialplan.verbs.message import MESSAGE as MESSAGE
from callrouter.dialplan.verbs.form import FORM as FORM
from callrouter.dialplan.verbs.reject import REJECT as REJECT
from callrouter.dialplan.verbs.hangup import HANGUP as HANGUP

VERBS: Final[Mapping[str, Verb]] = {one.name: one for one in [*globals().values()] if isinstance(one, Verb)}
"""All of them, as the documents call them."""


class Written(Struct, frozen=True):
    """A node that was read: its verb, and what that holds."""

    verb: Verb
    block: Any
    odd: tuple[tuple[str, str, str], ...] = ()
    """Durations that are seldom meant, as `bounds.unusual` finds them: looked at once for all nodes written alike."""


class AnyNode(Block):
    """A step of the tree: its verb, and what the verb needs."""

    # Its fields, one for each verb, are the form that editors are told of and that mistakes are found with. A node that
    # is right, as nearly all are, becomes a `Written`: to fill in the form takes half as long as to read the block.

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    verbs: ClassVar[Mapping[str, Verb]]

    @model_validator(mode="wrap")
    @classmethod
    def _one_verb(cls, value: object, find_mistakes: ModelWrapValidatorHandler[Any]) -> Any:
        """One verb; one that needs nothing may stand alone (`hangup:`)."""
        if not isinstance(value, dict) or not value:
            raise ValueError(f"holds no verb: write one of {', '.join(cls.verbs)} below it")
        name, *others = value
        if not others and (verb := cls.verbs.get(name)):
            inner = value[name]
            try:
                block = verb.block.model_validate({} if inner is None else inner)
                return Written(verb, block, tuple(unusual(block)))
            except ValidationError:
                pass  # The form finds it again, and its place.
        known = [key for key in value if key in cls.verbs]
        if len(known) > 1:
            raise ValueError(f"holds {len(known)} verbs ({', '.join(known)}): a node has exactly one")
        find_mistakes({key: {} if inner is None else inner for key, inner in value.items()})
        raise AssertionError("a form without a mistake has one verb, with a right block")


def node_block(verbs: Mapping[str, Verb]) -> type[AnyNode]:
    """The model of a node that has one of these verbs."""
    fields: dict[str, Any] = {
        name: (Annotated[verb.block | None, WhenUsed()], Field(default=None)) for name, verb in verbs.items()
    }
    made = create_model("NodeBlock", __base__=AnyNode, __doc__=AnyNode.__doc__, __module__=__name__, **fields)
    made.verbs = verbs
    return made


if TYPE_CHECKING:

    class NodeBlock(AnyNode):
        """What reading gives."""

        verb: Verb
        block: Any
        odd: tuple[tuple[str, str, str], ...]
else:
    NodeBlock = node_block(VERBS)


def describe(node: Node, verbs: Mapping[str, Verb] = VERBS) -> str:
    """What a node does, in a few words."""
    told = verbs[node.kind].describe
    return told(node) if told else ""

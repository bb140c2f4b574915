"""`branch`, as the documents write it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from callrouter.core import numbers
from callrouter.core.conditions import Condition
from callrouter.core.nodes import BranchNode, Node
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language.conditions import ConditionBlock, condition
from callrouter.dialplan.language.fields import Before, Block, OneOrMany, Target, as_list
from callrouter.dialplan.verbs._base import Names, Verb


class BranchBlock(Block):
    """Branch on conditions."""

    missing: ClassVar[Mapping[str, str]] = {
        "when": "write conditions, as in [{ queue: medical, free: { below: 1 }, then: message }]",
        "otherwise": "say where the call goes when nothing else fits",
    }

    when: Annotated[tuple[ConditionBlock, ...], Before(as_list), Field(min_length=1, max_length=200), OneOrMany()]
    """Conditions, asked in the order written; the first that holds decides."""
    otherwise: Target
    """Where the call goes when none holds."""


def build(names: Names, name: str, block: BranchBlock) -> Node:
    """Its conditions; queues that are asked about must be known."""
    exits = names.leads(
        name,
        "branch",
        *((f"when:{i}", part.then, ("when", i, "then")) for i, part in enumerate(block.when)),
        ("otherwise", block.otherwise, ("otherwise",)),
    )
    when = tuple(_condition(names, name, index, part) for index, part in enumerate(block.when))
    return BranchNode(name=name, line=names.line("nodes", name), exits=exits, when=when)


def _condition(names: Names, name: str, index: int, block: ConditionBlock) -> Condition:
    if block.queue is not None:
        names.queue(block.queue, "nodes", name, "branch", "when", index, "queue")
    here = ("nodes", name, "branch", "when", index)
    spans = sorted(span for text, path in block.days.items() for span in names.days(text, *here, *path))
    dids = tuple(_dialled(names, block.did, *here, "did")) if block.did else ()
    return condition(block, names.timezone if names.hours_prefix else "", tuple(spans), dids)


def _dialled(names: Names, written: Sequence[str], *path: str | int) -> Iterator[str]:
    """Numbers of the client's own, each once."""
    known: set[str] = set()
    for index, text in enumerate(written):
        number = numbers.written(text, names.country)
        if number is None:
            names.fail(f"did: {shown(text)} {numbers.wrong_number(text, names.country)}", *path, index)
        elif number not in names.numbers:
            own = ", ".join(names.numbers) or "none"
            names.fail(f"did: {number} is no number of the client, whose numbers are {own}", *path, index)
        elif number in known:
            names.fail(f"did: {shown(text)} stands here twice", *path, index)
        else:
            known.add(number)
            yield number


def describe(node: BranchNode) -> str:
    """Its exits say it."""
    return ""


BRANCH = Verb(name="branch", node=BranchNode, block=BranchBlock, build=build, describe=describe)

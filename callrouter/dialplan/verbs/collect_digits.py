"""`collect_digits`, as the documents write it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import model_validator

from callrouter.core.nodes import CollectDigitsNode, Node
from callrouter.dialplan.language import bounds
from callrouter.dialplan.language.fields import Block, Count, Name, Positive, Target
from callrouter.dialplan.language.prompts import Prompts, Retry
from callrouter.dialplan.language.words import said
from callrouter.dialplan.verbs._base import Names, Verb, own_name


class CollectDigitsBlock(Block):
    """Collect digits into a variable."""

    missing: ClassVar[Mapping[str, str]] = {
        "prompt": 'write what is said, as in { say: "…" }',
        "variable": "name the variable that takes the digits",
        "min": "write the fewest digits that count, as in 4",
        "max": "write the most digits, the last of which ends the wait, as in 8",
        "next": "say which node follows",
        "no_input": "say where a caller who presses nothing goes",
        "no_match": "say where a caller who presses an unknown key goes",
    }

    prompt: Prompts
    """The question."""
    variable: Name
    """The variable that takes the digits."""
    min: Count
    """Fewest digits, 1 or more."""
    max: Count
    """Most digits, 30 or fewer; the last one ends the wait."""
    timeout: Annotated[Positive, bounds.TIMEOUT] = 5.0
    """Silence after the question and between two keys before it counts as the end."""
    next: Target
    """Where the call goes with enough digits."""
    no_input: Retry
    """Where silence leads, and after how many tries."""
    no_match: Retry
    """Where too few digits lead, and after how many tries."""

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if not 1 <= self.min <= self.max <= 30:
            raise ValueError(f"min {self.min} and max {self.max} do not fit: 1 ≤ min ≤ max ≤ 30 digits")
        return self


def build(names: Names, name: str, block: CollectDigitsBlock) -> Node:
    """Its variable must be its own."""
    here = ("nodes", name, "collect_digits")
    own_name(names, block.variable, *here, "variable")
    silent, unknown = block.no_input, block.no_match
    sounds = names.voices(block.prompt, *here, "prompt")
    return CollectDigitsNode(
        name=name,
        line=names.line("nodes", name),
        exits=names.leads(
            name,
            "collect_digits",
            ("next", block.next, ("next",)),
            ("no_input", silent.then, ("no_input", "then")),
            ("no_match", unknown.then, ("no_match", "then")),
        ),
        sounds=sounds,
        variable=block.variable,
        min_digits=block.min,
        max_digits=block.max,
        timeout_seconds=block.timeout,
        no_input_retries=silent.retry,
        no_match_retries=unknown.retry,
        no_input_sounds=names.voices(silent.prompt, *here, "no_input", "prompt", before=sounds),
        no_match_sounds=names.voices(unknown.prompt, *here, "no_match", "prompt", before=sounds),
    )


def describe(node: CollectDigitsNode) -> str:
    """The variable, how long it is, and the question."""
    return f"{node.variable}, {node.min_digits} to {node.max_digits} digits, {said(node.sounds)}"


COLLECT_DIGITS = Verb(
    name="collect_digits", node=CollectDigitsNode, block=CollectDigitsBlock, build=build, describe=describe
)

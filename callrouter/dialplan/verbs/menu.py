"""`menu`, as the documents write it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from callrouter.core.nodes import MenuNode, Node
from callrouter.dialplan.language import bounds
from callrouter.dialplan.language.fields import Block, Positive
from callrouter.dialplan.language.keys import KEYS, KeyTargets
from callrouter.dialplan.language.prompts import Prompts, Retry
from callrouter.dialplan.language.words import said
from callrouter.dialplan.verbs._base import Names, Verb, refuse_odd_keys, refuse_unknown_keys


class MenuBlock(Block):
    """Ask for one key."""

    missing: ClassVar[Mapping[str, str]] = {
        "prompt": 'write what is said, as in { say: "…" }',
        "keys": 'write which key leads where, as in { "1": urgent }',
        "no_input": "say where a caller who presses nothing goes",
        "no_match": "say where a caller who presses an unknown key goes",
    }

    prompt: Prompts
    """The question."""
    timeout: Annotated[Positive, bounds.TIMEOUT] = 5.0
    """Silence after the question before it counts as none."""
    keys: KeyTargets
    """Which key leads to which node; keys in quotes."""
    no_input: Retry
    """Where silence leads, and after how many tries."""
    no_match: Retry
    """Where a key that means nothing leads, and after how many tries."""


def build(names: Names, name: str, block: MenuBlock) -> Node:
    """Its keys must be ones a telephone has."""
    here = ("nodes", name, "menu")
    refuse_odd_keys(names, block.keys, *here, "keys")
    silent, unknown = block.no_input, block.no_match
    sounds = names.voices(block.prompt, *here, "prompt")
    silent_sounds = names.voices(silent.prompt, *here, "no_input", "prompt", before=sounds)
    unknown_sounds = names.voices(unknown.prompt, *here, "no_match", "prompt", before=sounds)
    if block.keys.keys() <= KEYS:
        refuse_unknown_keys(names, sounds, block.keys, *here, "prompt")
        if silent_sounds or unknown_sounds:
            refuse_unknown_keys(names, silent_sounds, block.keys, *here, "no_input", "prompt")
            refuse_unknown_keys(names, unknown_sounds, block.keys, *here, "no_match", "prompt")
    return MenuNode(
        name=name,
        line=names.line("nodes", name),
        exits=names.leads(
            name,
            "menu",
            *((f"key:{key}", target, ("keys", key)) for key, target in block.keys.items()),
            ("no_input", silent.then, ("no_input", "then")),
            ("no_match", unknown.then, ("no_match", "then")),
        ),
        sounds=sounds,
        keys=tuple(block.keys),
        timeout_seconds=block.timeout,
        no_input_retries=silent.retry,
        no_match_retries=unknown.retry,
        no_input_sounds=silent_sounds,
        no_match_sounds=unknown_sounds,
    )


def describe(node: MenuNode) -> str:
    """What is said."""
    return said(node.sounds)


MENU = Verb(name="menu", node=MenuNode, block=MenuBlock, build=build, describe=describe)

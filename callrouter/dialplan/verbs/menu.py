"""`menu`, as the documents write it."""

from collections.abc import Container, Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from callrouter.core.nodes import MenuNode, Node
from callrouter.core.read_aloud import PromptPart
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language import bounds
from callrouter.dialplan.language.fields import Before, Block, Positive, Target, as_mapping
from callrouter.dialplan.language.prompts import Prompts, Retry
from callrouter.dialplan.language.spoken_keys import spoken_keys
from callrouter.dialplan.language.words import said
from callrouter.dialplan.verbs._base import Names, Verb

KEYS = frozenset("0123456789*#")


class _NotEmpty:
    """Lets editors know that a mapping holds something."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """At least one entry."""
        return {**handler(core_schema), "minProperties": 1}


class _Keys:
    """Lets editors know which keys a telephone has."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """One of them each."""
        return {**handler(core_schema), "propertyNames": {"pattern": "^[0-9*#]$"}}


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
    keys: Annotated[dict[str, Target], Before(as_mapping), Field(min_length=1), _NotEmpty(), _Keys()]
    """Which key leads to which node; keys in quotes."""
    no_input: Retry
    """Where silence leads, and after how many tries."""
    no_match: Retry
    """Where a key that means nothing leads, and after how many tries."""


def build(names: Names, name: str, block: MenuBlock) -> Node:
    """Its keys must be ones a telephone has."""
    here = ("nodes", name, "menu")
    for key in block.keys:
        if key not in KEYS:
            names.fail(f"{shown(key)} is no key: a telephone has 0 to 9, * and #", *here, "keys", key)
    silent, unknown = block.no_input, block.no_match
    sounds = names.voices(block.prompt, *here, "prompt")
    silent_sounds = names.voices(silent.prompt, *here, "no_input", "prompt", before=sounds)
    unknown_sounds = names.voices(unknown.prompt, *here, "no_match", "prompt", before=sounds)
    if block.keys.keys() <= KEYS:
        _check_asked(names, sounds, block.keys, *here, "prompt")
        if silent_sounds or unknown_sounds:
            _check_asked(names, silent_sounds, block.keys, *here, "no_input", "prompt")
            _check_asked(names, unknown_sounds, block.keys, *here, "no_match", "prompt")
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


def _check_asked(names: Names, sounds: Sequence[PromptPart], keys: Container[str], *path: str) -> None:
    """A sentence must not ask for a key that leads nowhere."""
    asked = [key for sound in sounds for key in spoken_keys(sound.text) if key not in keys]
    for key in dict.fromkeys(asked):
        names.fail(f"the question asks for key {shown(key)}, which leads nowhere: the keys lack it", *path)


def describe(node: MenuNode) -> str:
    """What is said."""
    return said(node.sounds)


MENU = Verb(name="menu", node=MenuNode, block=MenuBlock, build=build, describe=describe)

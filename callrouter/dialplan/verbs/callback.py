"""`callback`, as the documents write it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from callrouter.core.effects import ReadAs
from callrouter.core.nodes import CallbackNode, Node
from callrouter.core.read_aloud import PromptPart, SpokenVariable
from callrouter.dialplan.language import bounds
from callrouter.dialplan.language.fields import Block, Positive, Target
from callrouter.dialplan.language.own_texts import CALLBACK_ASK, CALLBACK_CHOICES, CALLBACK_NUMBER
from callrouter.dialplan.language.prompts import Prompts, Retry
from callrouter.dialplan.language.words import said
from callrouter.dialplan.verbs._base import Names, Verb


class CallbackBlock(Block):
    """Offer to call back."""

    missing: ClassVar[Mapping[str, str]] = {
        "done": "say where the call goes once the call-back is booked",
        "no_input": "say where a caller who presses nothing goes",
        "no_match": "say where a caller who presses an unknown key goes",
    }

    prompt: Prompts | None = None
    """Said first; the number and what 1, 2 and 3 do follow by themselves."""
    timeout: Annotated[Positive, bounds.TIMEOUT] = 5.0
    """The longest silence after the question, and between two keys."""
    done: Target
    """The callback is booked."""
    declined: Target
    """The caller does not want one."""
    no_input: Retry
    """Where silence leads, and after how many tries."""
    no_match: Retry
    """Where wrong keys lead, and after how many tries."""


def build(names: Names, name: str, block: CallbackBlock) -> Node:
    """Its own sentences, in the client's language, besides what is written."""
    here = ("nodes", name, "callback")
    silent, unknown = block.no_input, block.no_match
    number, choices, ask = (names.own_voice(text, *here) for text in (CALLBACK_NUMBER, CALLBACK_CHOICES, CALLBACK_ASK))
    figures = names.figures(ReadAs.TELEPHONE, *here)
    offer: tuple[PromptPart, ...] = (
        *number,
        SpokenVariable(variable="number", read_as=ReadAs.TELEPHONE, language=names.language, figures=figures),
        *choices,
    )
    return CallbackNode(
        name=name,
        line=names.line("nodes", name),
        exits=names.leads(
            name,
            "callback",
            ("done", block.done, ("done",)),
            ("declined", block.declined, ("declined",)),
            ("no_input", silent.then, ("no_input", "then")),
            ("no_match", unknown.then, ("no_match", "then")),
        ),
        sounds=names.voices(block.prompt, *here, "prompt", before=offer),
        number_sounds=number,
        choice_sounds=choices,
        ask_sounds=ask,
        region=names.country,
        dialling=names.dialling,
        language=names.language,
        figures=figures,
        timeout_seconds=block.timeout,
        no_input_retries=silent.retry,
        no_match_retries=unknown.retry,
        no_input_sounds=names.voices(silent.prompt, *here, "no_input", "prompt", before=offer),
        no_match_sounds=names.voices(unknown.prompt, *here, "no_match", "prompt", before=offer),
    )


def describe(node: CallbackNode) -> str:
    """What is said."""
    return said(node.sounds)


CALLBACK = Verb(name="callback", node=CallbackNode, block=CallbackBlock, build=build, describe=describe)

"""The verbs that reach beyond the call, from their blocks to nodes of the core."""

from __future__ import annotations

from callrouter.core.effects import LookupField
from callrouter.core.nodes import CallbackNode, LookupNode, Node, NotifyNode
from callrouter.core.templates import BUILT_IN, parse
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language.own_texts import CALLBACK_ASK, CALLBACK_CHOICES, CALLBACK_NUMBER
from callrouter.dialplan.language.prompts import PromptBlock
from callrouter.dialplan.scope import Scope
from callrouter.dialplan.verbs.lookup import CallbackBlock, LookupBlock, NotifyBlock


def own_name(scope: Scope, variable: str, *path: str) -> None:
    """A variable must not have the name of a value every call has: `{caller}` would say either."""
    if variable in BUILT_IN:
        scope.fail(f"variable {shown(variable)} is a value every call has already: give yours another name", *path)


def lookup(scope: Scope, name: str, block: LookupBlock) -> Node:
    """`lookup`."""
    for variable in block.fields:
        own_name(scope, variable, "nodes", name, "lookup", "fields", variable)
    return LookupNode(
        name=name,
        line=scope.line("nodes", name),
        exits=scope.leads(name, "lookup", ("next", block.next, ("next",)), ("failed", block.failed, ("failed",))),
        method=block.method,
        url=parse(block.url),
        headers=tuple(block.headers.items()),
        body=tuple((key, parse(value)) for key, value in block.body.items()),
        fields=tuple(
            LookupField(variable=variable, path=tuple(field.path.split(".")), longest=field.max)
            for variable, field in block.fields.items()
        ),
        timeout_seconds=block.timeout,
        music=block.music,
    )


def notify(scope: Scope, name: str, block: NotifyBlock) -> Node | None:
    """`notify`."""
    here = ("nodes", name, "notify")
    exits = scope.leads(name, "notify", ("next", block.next, ("next",)))
    contact = scope.contact(block.contact, *here, "contact")
    if contact is None:
        return None
    if contact.url is None:
        scope.fail(f'contact {shown(block.contact)} has no "url" to be told at', *here, "contact")
        return None
    return NotifyNode(
        name=name,
        line=scope.line("nodes", name),
        exits=exits,
        contact=block.contact,
        url=contact.url,
        data=tuple((key, parse(value)) for key, value in block.data.items()),
    )


def callback(scope: Scope, name: str, block: CallbackBlock) -> Node:
    """`callback`."""
    here = ("nodes", name, "callback")
    silent, unknown = block.no_input, block.no_match
    number, choices, ask = (
        scope.voices((PromptBlock(say=words),), *here) for words in (CALLBACK_NUMBER, CALLBACK_CHOICES, CALLBACK_ASK)
    )
    return CallbackNode(
        name=name,
        line=scope.line("nodes", name),
        exits=scope.leads(
            name,
            "callback",
            ("done", block.done, ("done",)),
            ("declined", block.declined, ("declined",)),
            ("no_input", silent.then, ("no_input", "then")),
            ("no_match", unknown.then, ("no_match", "then")),
        ),
        sounds=scope.voices(block.prompt, *here, "prompt"),
        number_sounds=number,
        choice_sounds=choices,
        ask_sounds=ask,
        region=scope.country,
        language=scope.language,
        timeout_seconds=block.timeout,
        no_input_retries=silent.retry,
        no_match_retries=unknown.retry,
        no_input_sounds=scope.voices(silent.prompt, *here, "no_input", "prompt"),
        no_match_sounds=scope.voices(unknown.prompt, *here, "no_match", "prompt"),
    )

"""`dial`, as the documents write it."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import WrapValidator

from callrouter.core.nodes import DialNode, Node
from callrouter.core.rota import Contact, Rota
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language import bounds, values
from callrouter.dialplan.language.fields import Before, Block, OneOf, OneOrMany, Positive, Target, as_list
from callrouter.dialplan.language.fields import Names as SomeNames
from callrouter.dialplan.language.identities import IdentityBlock
from callrouter.dialplan.language.prompts import STANDARD_ACCEPT, PromptBlock, Spoken
from callrouter.dialplan.language.words import length
from callrouter.dialplan.verbs._base import Names, Verb, as_whom

Mode = Annotated[str, OneOf("in_turn", "at_once")]


def _screen(value: object, handler: Any) -> Any:
    """`true` for the standard sentence, `false` for none, or prompts of one's own."""
    if isinstance(value, str) and value.strip().lower() in ("true", "yes", "on", "false", "no", "off"):
        return (PromptBlock(sound=STANDARD_ACCEPT),) if values.flag(value) else ()
    if isinstance(value, str) and len(value.split()) == 1:  # "oui", "non"
        raise ValueError(
            f"{shown(value)} would be said to whoever answers: write true or false, or a sentence that asks for a 1"
        )
    return handler(value)


class _OrFlag:
    """Lets editors accept `true` and `false`."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """Prompts, or a flag."""
        return {"anyOf": [{"type": "boolean"}, handler(core_schema)]}


class DialBlock(Block):
    """Ring contacts."""

    missing: ClassVar[Mapping[str, str]] = {
        "contacts": "say whom to ring: contacts, or a rota of shared/calendars.yaml",
        "no_answer": "say where the call goes when nobody answers or accepts",
    }

    contacts: SomeNames
    """Whom to ring: contacts, or rotas that say who is on call; all numbers must be ones that may be dialled."""
    mode: Mode = "in_turn"
    """`in_turn`: one after the other; `at_once`: all, and the first to accept is connected."""
    ring: Annotated[Positive, bounds.RING] = 20.0
    """How long each is rung."""
    screen: Annotated[tuple[Spoken, ...], Before(as_list), OneOrMany(), WrapValidator(_screen), _OrFlag()] = ()
    """`true`: whoever answers must press 1 to accept, so that no voicemail takes the call; or a prompt of your own
    that asks so."""
    identity: IdentityBlock | None = None
    """Whose number they see; by default what the client's `identity` says."""
    no_answer: Target
    """Where the call goes when nobody answers or accepts."""
    done: Target | None = None
    """Where it goes after the conversation; by default it ends."""


def build(names: Names, name: str, block: DialBlock) -> Node:
    """Everybody it may ever ring must have a number that may be dialled."""
    here = ("nodes", name, "dial")
    contacts: list[Contact | Rota] = []
    for index, wanted in enumerate(block.contacts):
        person = names.on_call(wanted, *here, "contacts", index)
        if person is None:
            continue
        if isinstance(person, Rota):
            for one in person.people():
                names.may_dial(one.number, *here, "contacts", index, who=f"rota {shown(wanted)}, {shown(one.name)}")
            contacts.append(person)
            continue
        if person.number is None:
            names.fail(f"contact {shown(wanted)} has no number to ring", *here, "contacts", index)
            continue
        names.may_dial(person.number, *here, "contacts", index, who=f"contact {shown(wanted)} ({person.source})")
        contacts.append(Contact(name=wanted, number=person.number))
    return DialNode(
        name=name,
        line=names.line("nodes", name),
        exits=names.leads(
            name, "dial", ("no_answer", block.no_answer, ("no_answer",)), ("done", block.done, ("done",))
        ),
        contacts=tuple(contacts),
        at_once=block.mode == "at_once",
        ring_seconds=block.ring,
        screen=names.voices(block.screen, *here, "screen"),
        identity=names.identity(block.identity, *here, "identity") if block.identity else None,
    )


def describe(node: DialNode) -> str:
    """Who is rung, and how."""
    how = "at once" if node.at_once else "in turn"
    people = ", ".join(
        f"rota {one.name}" if isinstance(one, Rota) else f"{one.name} {one.number}" for one in node.contacts
    )
    screened = ", must press 1" if node.screen else ""
    return f"{people}, {how}, {length(node.ring_seconds)} each{screened}{as_whom(node.identity)}"


DIAL = Verb(name="dial", node=DialNode, block=DialBlock, build=build, describe=describe)

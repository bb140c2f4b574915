"""What a target of a transfer means. Pure.

A target is a text: what a telephone keyed or sent, or what a program asked for. It means, and the first that fits is
it: a colleague (by name, by number, or by their telephone), a team (by its queue), one of the client's contacts, a node
of the client's tree, or a number outside that the client may have dialled. `colleague.anne`, `team.medical`,
`contact.on_call` and `node.hours` say which one is meant, where two are called the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from msgspec import Struct, field

from callrouter.core.dialling import Dialling
from callrouter.core.inputs import Transferred
from callrouter.core.numbers import normalise

MAX_TARGET: Final = 64
"""Characters of a target."""
COLLEAGUE, TEAM, CONTACT, NODE, NUMBER = "colleague", "team", "contact", "node", "number"
KINDS: Final = (COLLEAGUE, TEAM, CONTACT, NODE)
"""What may be said before a name, and a full stop."""


class TransferRules(Struct, frozen=True, kw_only=True):
    """Whom of a client's, and of the world's, its callers may be given to."""

    contacts: Mapping[str, str] = field(default_factory=dict)
    """Numbers in E.164, by the contact's name."""
    dialling: Dialling = Dialling()
    own: tuple[str, ...] = ()
    """The client's own numbers: a call to one would come in again, and cost a line for each round."""
    region: str = "FR"
    """Of numbers that name no country."""


class Destination(Struct, frozen=True, kw_only=True):
    """What a target means: one of the first four, or why there is none."""

    colleague: str = ""
    team: str = ""
    number: str = ""
    """E.164."""
    node: str = ""
    name: str = ""
    """What the document calls whoever has the number."""
    refusal: str = ""
    """For a person."""

    @property
    def kind(self) -> str:
        """Which of the kinds it is; empty: it is refused."""
        kinds = ((COLLEAGUE, self.colleague), (TEAM, self.team), (NODE, self.node), (CONTACT, self.name))
        return next((kind for kind, name in kinds if name), NUMBER if self.number else "")

    def __str__(self) -> str:
        """For a person."""
        name = self.colleague or self.team or self.node or self.name
        return f"{self.kind} {name}" if name else self.number


def named_kind(target: str) -> tuple[str, str]:
    """Which kind a target says that it is, and the name; "" for one that does not say."""
    kind, stop, name = target.partition(".")
    return (kind, name) if stop and kind in KINDS else ("", target)


def destination(rules: TransferRules, nodes: Collection[str], told: Transferred) -> Destination:
    """What the target means for a caller of a client whose tree has these nodes."""
    kind, name = named_kind(told.target[:MAX_TARGET])
    if told.foreign:
        return Destination(refusal="it is at another PBX")
    if told.colleague and told.away and kind in ("", COLLEAGUE):
        return Destination(refusal=f"agent {told.colleague} is not logged in")
    if told.colleague and kind in ("", COLLEAGUE):
        return Destination(colleague=told.colleague)
    if told.team and kind in ("", TEAM):
        return Destination(team=told.team)
    number = rules.contacts.get(name) if kind in ("", CONTACT) else None
    if number is not None:
        return _outside(rules, number, name)
    if kind in ("", NODE) and name in nodes:
        return Destination(node=name)
    if kind:
        return Destination(refusal=f"there is no {kind} of this name")
    number = normalise(name, rules.region)
    if number is None:
        return Destination(refusal="nobody is called so, and it is no telephone number")
    return _outside(rules, number, "")


def _outside(rules: TransferRules, number: str, name: str) -> Destination:
    refusal = "it is one of the client's own numbers" if number in rules.own else rules.dialling.refusal(number)
    return Destination(refusal=refusal) if refusal else Destination(number=number, name=name)

"""Subscriptions as the documents write them: which systems of a client's are told what happens, and of what."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from callrouter.core.dispatch import VERSION, Kind
from callrouter.dialplan.documents.people import Secret, looks_like_url
from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.language import values
from callrouter.dialplan.language.fields import Before, Block, Line, OneOrMany, Read, as_list

MOST_SUBSCRIPTIONS = 20
"""What one client may have: each is sent what happens by itself."""

_WORDS = [word for kind in Kind for word in (kind.value, kind.versioned)]


def _kind(value: object) -> Kind:
    """The kind that a word names, with its version or without."""
    word = values.text(value)
    name = word.removesuffix(VERSION)
    if name in list(Kind):
        return Kind(name)
    base, dot, number = word.rpartition(".v")
    if dot and number.isdecimal() and base in list(Kind):
        raise ValueError(f'there is no {shown(word)}: write "{base}", which is "{base}{VERSION}"')
    hint = closest(word, Kind)
    meant = f' (did you mean "{hint}"?)' if hint else ""
    raise ValueError(f"{shown(word)} is none of {', '.join(Kind)}{meant}")


def _listed(value: object) -> object:
    listed = as_list(value)
    assert isinstance(listed, list | tuple)
    if not listed:
        raise ValueError(f"holds nothing, and nothing would be told: write some of {', '.join(Kind)}")
    return listed


Event = Annotated[Kind, Read(_kind, {"enum": _WORDS})]


class SubscriptionBlock(Block):
    """Another system that is told what happens to this client's calls and messages: a webhook for each thing, signed,
    in order for each call, and tried again for some nine hours.

    It is told of what happens from when it goes live. Of a message whose policy is `confidential` it gets the ids, and
    nothing of what was said.
    """

    missing: ClassVar[Mapping[str, str]] = {
        "url": "write where what happens is posted, such as https://crm.example/hooks",
        "events": f"write what it wants to know: some of {', '.join(Kind)}",
    }

    url: Line
    """Where it takes a POST, `https://…`; its host must stand in CALLROUTER_OUTGOING_HOSTS."""
    secret: Secret | None = None
    """`env:NAME`: what is posted is signed with the secret in CALLROUTER_SECRET_NAME (Standard Webhooks)."""
    events: Annotated[tuple[Event, ...], Before(_listed), Field(min_length=1), OneOrMany()]
    """What it wants to know: `call.ended`, `call.abandoned` (both are told of a caller who gave up), `message.taken`,
    `message.acknowledged`, `message.overdue` (it stands on the agents' list), `callback.asked`, `callback.settled`,
    `day.figures` (at 00:15 of the client's time zone, and again when they change). `message.taken.v1` is the same as
    `message.taken`: a release that knows a second version sends it to those who write `.v2`."""

    @model_validator(mode="after")
    def _can_be_told(self) -> Self:
        if not looks_like_url(self.url):
            raise ValueError(f"url {shown(self.url)} is no address of a web server: write https://…")
        for place, one in enumerate(self.events):
            if one in self.events[:place]:
                raise ValueError(f"events: {shown(one)} stands there twice")
        return self

"""Contacts, agents and the agents' queues as the documents write them."""

import re
from typing import Annotated, Self

from pydantic import Field, WithJsonSchema, model_validator

from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.language import bounds, values
from callrouter.dialplan.language.fields import (
    Before,
    Block,
    Count,
    Duration,
    Flag,
    Line,
    Name,
    OneOrMany,
    Positive,
    Read,
    Texts,
    as_list,
    as_mapping,
)
from callrouter.dialplan.language.languages import LANGUAGES

_SECRET = re.compile(r"env:[A-Z][A-Z0-9_]{0,63}")


def _secret(value: object) -> str:
    """The name of a secret: the secret itself does not stand in a document."""
    words = values.text(value).strip()
    if not words.startswith("env:"):
        raise ValueError("a secret does not stand in a document: write env:NAME, and set CALLROUTER_SECRET_NAME")
    if not _SECRET.fullmatch(words):
        raise ValueError(f'{shown(words, 40)} names no variable: write "env:CRM" for CALLROUTER_SECRET_CRM')
    return words


Secret = Annotated[str, Read(_secret, {"type": "string", "pattern": "^env:[A-Z][A-Z0-9_]{0,63}$"})]


def _pin(value: object) -> str:
    """The name of a secret that is a PIN: its digits do not stand in a document."""
    words = values.text(value).strip()
    if re.fullmatch(r"[0-9]+", words):  # it is not repeated: whoever reads the sentence would have it
        raise ValueError("a PIN does not stand in a document: write env:NAME, and its digits in CALLROUTER_SECRET_NAME")
    if not _SECRET.fullmatch(words):
        raise ValueError(
            f'{shown(words, 40)} names no variable: write "env:DR_MARTIN_PIN" for CALLROUTER_SECRET_DR_MARTIN_PIN'
        )
    return words


class ContactBlock(Block):
    """Somebody of the client's: to be rung (`number`), written to (`email`), or told by machine (`url`)."""

    name: Line = ""
    """What a person calls it."""
    number: Line | None = None
    """Telephone number, national or international."""
    email: Line | None = None
    """E-mail address."""
    url: Line | None = None
    """A webhook, `https://…`, that takes a POST."""
    secret: Secret | None = None
    """`env:NAME`: what is posted to `url` of a message is signed with the secret in CALLROUTER_SECRET_NAME."""
    pin: Annotated[str, Read(_pin, {"type": "string", "pattern": "^env:[A-Z][A-Z0-9_]{0,63}$"})] | None = None
    """`env:NAME`: their own PIN, 4 to 12 digits, is in CALLROUTER_SECRET_NAME. It opens confidential messages behind
    their links, and in calls; without it a code is sent to them, by another way than the link."""
    language: Annotated[Line | None, WithJsonSchema({"enum": list(LANGUAGES)})] = None
    """In which they are written to, by its code; by default the client's first."""

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.number is None and self.email is None and self.url is None:
            raise ValueError('has neither "number" nor "email" nor "url": nobody could reach it')
        if self.url is not None and not looks_like_url(self.url):
            raise ValueError(f"url {shown(self.url)} is no address of a web server: write https://…")
        if self.email is not None and not _looks_like_email(self.email):
            raise ValueError(f"email {shown(self.email)} is no e-mail address")
        if self.secret is not None and self.url is None:
            raise ValueError('secret signs what is posted to "url", which is missing: write it, or leave secret out')
        if self.language is not None and self.language not in LANGUAGES:
            raise ValueError(f"language {shown(self.language)} is unknown: write one of {', '.join(LANGUAGES)}")
        return self


def _looks_like_email(address: str) -> bool:
    local, at, domain = address.rpartition("@")
    return bool(local and at and "." in domain.strip(".") and not any(char.isspace() for char in address))


def looks_like_url(address: str) -> bool:
    """Whether it may be the address of a web server."""
    scheme, colon, rest = address.partition("://")
    host = rest.partition("/")[0]
    return scheme in ("http", "https") and bool(colon and host) and not any(char.isspace() for char in address)


class AgentBlock(Block):
    """Somebody of ours who answers callers."""

    name: Line = ""
    """What people call them."""
    phone: Line | None = None
    """Their telephone at the PBX, where it does not have the agent's own name."""
    formerly: Texts = ()
    """Names that this same person had before: an agent's identifier is never given to somebody else."""
    number: Annotated[Line | None, WithJsonSchema({"type": "string", "pattern": "^[0-9]{2,6}$"})] = None
    """Two to six digits, in quotes, with which they log in at any telephone: `*10` and the number."""
    language: Annotated[Line | None, WithJsonSchema({"enum": list(LANGUAGES)})] = None
    """What their telephone answers them in, by its code; by default the operator's country's."""

    @model_validator(mode="after")
    def _can_be_keyed(self) -> Self:
        if self.number is not None and not _NUMBER.fullmatch(self.number):
            raise ValueError(f'number {shown(self.number)} cannot be keyed in: write two to six digits, such as "101"')
        if self.language is not None and self.language not in LANGUAGES:
            raise ValueError(f"language {shown(self.language)} is unknown: write one of {', '.join(LANGUAGES)}")
        return self


_NUMBER = re.compile(r"[0-9]{2,6}")


Level = Annotated[Count, Field(ge=1, le=9)]
"""How far back an agent stands in a team."""


class TeamQueueBlock(Block):
    """A team's line: who answers it, and how it rings them."""

    title: Line = ""
    """What a person calls it."""
    members: Annotated[tuple[Name, ...], Before(as_list), OneOrMany()] = ()
    """The agents who answer it: all of them must stand in `shared/agents.yaml`, where there is one."""
    strategy: Line = "rrmemory"
    """Whom it rings first, in Asterisk's words: ringall, leastrecent, fewestcalls, random, rrmemory or linear.
    leastrecent and fewestcalls ring an agent who does not pick up again and again, whoever else is free; rrmemory rings
    one after the other. A queue that becomes linear rings in the order of `members` from Asterisk's next restart on."""
    ring: Annotated[Positive, bounds.RING] = 15.0
    """How long one agent is rung."""
    retry: Annotated[Positive, bounds.RETRY] = 1.0
    """Pause before the next one is rung."""
    wrap_up: Annotated[Duration, bounds.WRAP_UP] = 0.0
    """How long an agent is not rung after a call of a client who says nothing else (`wrap_up` of the client's file)."""
    log_in: Flag = False
    """Whether its members are rung only while they are logged in; otherwise they always are logged in. All teams of an
    agent must say the same."""
    misses: Count = 0
    """After how many calls in a row that an agent lets ring, or refuses, they are paused; 0: never."""
    max_callers: Count = 0
    """Callers who may wait in the team's queue, and in each that is derived from it; 0 is no bound."""
    weight: Count = 0
    """Of several teams with callers waiting, an agent of all of them is offered those of the greatest weight first. It
    counts only while a team has no more free agents than callers waiting, and orders teams, not callers within one:
    neither priority nor waiting time is compared from one queue to another, and between queues of one weight, such as
    those that clients' `agents` derive from a team's, whichever looks first gets the agent."""
    levels: Annotated[dict[Name, Level], Before(as_mapping)] = Field(default_factory=dict)
    """Whom it rings first: 1, which is the default, before 2, and so on, to 9. Within a level `strategy` decides."""
    next_level: Positive | None = None
    """After how long a caller is offered to the next level too, and after as long again to the one after. Without it
    the next level is rung as soon as nobody of the level before is free."""
    accepted: Annotated[dict[bounds.Accepted, Line], Before(as_mapping)] = Field(default_factory=dict)
    """Warnings that are right for this line, by the name `check` says them with, and the reason why."""

    @model_validator(mode="after")
    def _levels_act(self) -> Self:
        for name in self.levels:
            if self.members and name not in self.members:
                hint = closest(name, self.members)
                raise ValueError(f"levels: {shown(name)} is no member" + (f' (did you mean "{hint}"?)' if hint else ""))
        if self.next_level is not None and len({self.levels.get(name, 1) for name in self.members}) < 2:
            raise ValueError("next_level does nothing: all members are of one level")
        return self

    @model_validator(mode="after")
    def _known_strategy(self) -> Self:
        known = ("ringall", "leastrecent", "fewestcalls", "random", "rrmemory", "linear")
        if self.strategy not in known:
            hint = closest(self.strategy, known)
            raise ValueError(
                f"strategy {shown(self.strategy)} is unknown"
                + (f' (did you mean "{hint}"?)' if hint else f": the strategies are {', '.join(known)}")
            )
        return self

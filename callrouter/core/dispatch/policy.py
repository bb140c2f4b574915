"""What a client's file says of its messages: steps, each with people and ways to tell them, and what comes after."""

from __future__ import annotations

import re
from datetime import time
from enum import StrEnum
from typing import Final

from msgspec import Struct

from callrouter.core.numbers import is_fixed_line

_PIN: Final = re.compile(r"[0-9]{4,12}")


def is_pin(text: str) -> bool:
    """Whether somebody's PIN may be this: 4 to 12 digits, as a code that is sent has, too."""
    return _PIN.fullmatch(text) is not None


class Means(StrEnum):
    """By what somebody is told."""

    EMAIL = "email"
    SMS = "sms"
    WEBHOOK = "webhook"
    PHONE = "phone"
    """A call that asks for a key, then reads or plays the message, and asks again."""


class Reach(Struct, frozen=True, kw_only=True):
    """A contact: what a person calls them, and where they are reached."""

    name: str
    title: str
    number: str = ""
    """E.164; empty: none is known."""
    email: str = ""
    url: str = ""
    secret: str = ""
    """Name of the secret (`env:CRM` is CRM) that what is posted to `url` is signed with; empty: it is not signed."""
    language: str = ""
    """In which they are written to; empty: the client's."""
    pin: str = ""
    """Name of the secret (`env:DR_MARTIN_PIN` is DR_MARTIN_PIN) that is their PIN; empty: they have none."""

    def address(self, means: Means) -> str:
        """As a URL: `mailto:` (RFC 6068), `sms:` (RFC 5724), `tel:` (RFC 3966), or the web service's own; empty: not by
        these means.
        """
        match means:
            case Means.EMAIL:
                return f"mailto:{self.email}" if self.email else ""
            case Means.SMS:
                return f"sms:{self.number}" if self.number else ""
            case Means.WEBHOOK:
                return self.url
            case Means.PHONE:
                return f"tel:{self.number}" if self.number else ""

    def second_means(self, first: Means) -> Means | None:
        """By what a code comes to them that opens what came by the first means; None: they have nothing else."""
        if first is not Means.SMS and self.number and not is_fixed_line(self.number):
            return Means.SMS
        return Means.EMAIL if first is not Means.EMAIL and self.email else None

    @property
    def means(self) -> tuple[Means, ...]:
        """All those by which a message reaches them of itself: SMS and calls cost money, and are asked for."""
        return tuple(one for one in (Means.EMAIL, Means.WEBHOOK) if self.address(one))


class Step(Struct, frozen=True, kw_only=True):
    """People who are told at once, each by all of these means."""

    to: tuple[str, ...]
    """Names of contacts, and of rotas: whoever is on call when the step begins."""
    by: tuple[Means, ...]
    wait_seconds: float = 0.0
    """How long an acknowledgement is waited for before the next step begins; 0: none is waited for."""
    at: tuple[time, ...] = ()
    """Times of day, by the client's clock, at the next of which the step begins; empty: at once."""
    hours: str = ""
    """Name of hours that must be open for it to begin; empty: at any time."""


class Course(Struct, frozen=True, kw_only=True):
    """Steps, one after the other, until somebody acknowledges."""

    steps: tuple[Step, ...]
    repeat: int = 0
    """How often they begin again after the last one. After that the message stands on the agents' list."""


class Policy(Struct, frozen=True, kw_only=True):
    """What becomes of a message."""

    name: str
    """The rule's; of a contact who is named by itself, the contact's."""
    urgent: Course
    ordinary: Course
    ages_seconds: float = 0.0
    """After how long without an acknowledgement an ordinary message goes the urgent course; 0: it never does."""
    last: str = ""
    """Contact who is told where nobody is on call by a rota, as when it has ended; empty: nobody is."""
    confidential: bool = False
    """Whether what leaves the house holds nothing of the message but a link to it."""

    def course(self, *, urgent: bool) -> Course:
        """The one that a message goes."""
        return self.urgent if urgent else self.ordinary


def of_contact(reach: Reach) -> Policy:
    """What is done for a contact who is named by itself: they are told at once, by all that reaches them."""
    course = Course(steps=(Step(to=(reach.name,), by=reach.means),))
    return Policy(name=reach.name, urgent=course, ordinary=course)

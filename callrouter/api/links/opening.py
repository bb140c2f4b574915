"""What opens a confidential message for its reader: their own PIN, or a code that comes by another way than it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

import structlog
from fastapi import Request

from callrouter.api.links.words import Words
from callrouter.core.dispatch import Means, Reach, is_pin
from callrouter.store.dispatch.links import Link

log = structlog.get_logger(__name__)

MOST_FIELDS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """By what one link is opened."""

    pin: str = ""
    """Empty: by a code."""
    means: Means | None = None
    """By which a code comes, to an address; None: there is no code either."""
    address: str = ""

    @property
    def is_possible(self) -> bool:
        """Whether anything opens it."""
        return bool(self.pin) or self.means is not None

    def comes(self, words: Words) -> str:
        """By what a code does, for a person."""
        return words.by_sms if self.means is Means.SMS else words.by_mail

    @property
    def end(self) -> str:
        """So much of where it goes that whoever it is knows it again, and nobody else learns it."""
        _, _, whole = self.address.partition(":")
        local, at, domain = whole.rpartition("@")
        return f"{local[:1]}…@{domain}" if at else f"…{whole[-2:]}"


def opening_of(link: Link, reach: Reach | None, secrets: Mapping[str, str]) -> Opening:
    """Of a link to whoever is reached so; `secrets` are those that documents name, by name.

    A PIN that is not set, or is none, does not close the message: a code opens it then, if there is a second way.
    """
    if reach is None:
        return Opening()
    if reach.pin:
        pin = secrets.get(reach.pin, "")
        if is_pin(pin):
            return Opening(pin=pin)
        log.error(
            "a PIN is not set, or is not 4 to 12 digits",
            setting=f"CALLROUTER_SECRET_{reach.pin}",
            client=link.client,
            contact=link.contact,
        )
    means = reach.second_means(link.means)
    return Opening(means=means, address=reach.address(means)) if means is not None else Opening()


async def fields_of(request: Request) -> Mapping[str, str]:
    """What a form posted; what is no form is none."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        found = parse_qs(body, max_num_fields=MOST_FIELDS)
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}


def digits_of(given: str) -> str:
    """Its digits, without what people write between them; empty: it is neither PIN nor code, and no try at one."""
    bare = re.sub(r"[\s.\-]", "", given[:100])
    return bare if is_pin(bare) else ""

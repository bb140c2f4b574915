"""Makes what a telling holds that nobody may learn from the record: links, codes that open them, codes to answer."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from callrouter.core.dispatch import Means
from callrouter.store.dispatch.enclosed import Enclosed, Link, OpeningCode, ReplyCode
from callrouter.store.dispatch.links import TOKEN_BYTES, hash_of
from callrouter.store.dispatch.opening import CODE_DIGITS, CODE_SECONDS, hash_of_code
from callrouter.store.dispatch.outbox import Queued
from callrouter.store.dispatch.replies import hash_of_reply, new_reply_code
from callrouter.store.tables import DeliveryKind

_CODES: Final = 10**CODE_DIGITS


@dataclass(frozen=True, kw_only=True)
class Links:
    """Where people read and acknowledge a message, and how else they may do so."""

    public_url: str
    """Without a slash at the end; empty: there is none, and no link is sent."""
    hours: float
    """How long one leads there."""
    answerable: Collection[Means] = ()
    """Means whose answers come to us: tellings by them hold a code to answer with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """By delivery, and what is kept of them: whoever reads the record can neither follow nor give them."""

    links: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    """That open a link."""
    replies: dict[str, str] = field(default_factory=dict)
    """To answer with."""
    kept: list[Enclosed] = field(default_factory=list)


def enclosed_in(told: Sequence[Sequence[Queued]], links: Links, now: datetime) -> Made:
    """What tellings are to hold, of which each group goes together: one code to answer with takes all of it on."""
    made = Made()
    for together in told:
        reply = new_reply_code()
        for one in together:
            if one.kind is DeliveryKind.CODE:
                _code(made, one, now)
            elif one.kind is DeliveryKind.MESSAGE:
                _link(made, one, links, now)
                if one.means in links.answerable:
                    made.replies[one.delivery_id] = reply
                    made.kept.append(
                        ReplyCode(code_hash=hash_of_reply(one.delivery_id, reply), delivery_id=one.delivery_id)
                    )
    return made


def _link(made: Made, one: Queued, links: Links, now: datetime) -> None:
    if not links.public_url:
        return
    token = secrets.token_urlsafe(TOKEN_BYTES)
    made.links[one.delivery_id] = f"{links.public_url}/m/{token}"
    expires_at = now + timedelta(hours=links.hours)
    made.kept.append(Link(token_hash=hash_of(token), delivery_id=one.delivery_id, expires_at=expires_at))


def _code(made: Made, one: Queued, now: datetime) -> None:
    """A new one at each attempt: one that was not taken opens nothing."""
    code = f"{secrets.randbelow(_CODES):0{CODE_DIGITS}}"
    made.codes[one.delivery_id] = code
    made.kept.append(
        OpeningCode(
            code_hash=hash_of_code(one.delivery_id, code),
            delivery_id=one.delivery_id,
            expires_at=now + timedelta(seconds=CODE_SECONDS),
        )
    )

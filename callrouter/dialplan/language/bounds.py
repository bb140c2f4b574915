"""Warnings that a file may accept by name, each with its reason; and how long the times of a node usually are.

All of them are advice about what is allowed: one client means it, and another never would. What is certain to be wrong
is an error, and has no name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Final

from msgspec import Struct

from callrouter.dialplan.language.fields import Block, OneOf

ACCEPTABLE: Final[Mapping[str, str]] = {
    "short-timeout": "A question waits for a key, or a message goes on in silence, for less than 1 s.",
    "long-timeout": "A question waits for a key, or a message goes on in silence, for more than 30 s.",
    "short-ring": "A telephone rings for less than 5 s.",
    "long-ring": "A telephone rings for more than 90 s.",
    "short-wait": "A caller may wait in a queue for less than 5 s.",
    "long-wait": "A caller may wait in a queue for more than 30 minutes.",
    "short-message": "A message may be less than 10 s long.",
    "long-message": "A message may be more than 10 minutes long.",
    "short-promise": "Callers are promised an answer within less than 3 s.",
    "long-promise": "A service level forgives more than 10 minutes of waiting, or 1 minute before a caller gives up.",
    "long-pause": "A team's line rings nobody for more than 1 minute between two agents, or 10 minutes after a call.",
    "long-greeting": "A caller listens for more than 20 s before they can do anything.",
    "many-keys": "A caller presses more than 8 keys before somebody is called.",
    "long-closing": "Hours are closed for more than 92 days in a row.",
    "past-date": "Hours, or exceptions of a rota, name days that are over.",
    "far-date": "Hours or a branch name days more than a year ahead, and not the same days of the coming year.",
    "long-season": "A condition of a branch holds for more than 330 days in a row.",
    "decided-before": "An exit is never taken, or always, because of what an earlier node has decided.",
    "unlikely-number": "A number is one that no operator could have given out.",
    "opens-closed-day": "A day of every year opens a weekday or a public holiday that is closed else.",
    "idle-exception": "An exception for several days changes none, for all of them are closed.",
    "no-shift": "A rota has no shift at some times of the week, and nobody is on call then.",
    "same-person": "Somebody is rung twice in a row.",
    "empty-queue": "Callers wait in a queue that has no members.",
    "objection-unsaid": "An announcement that a call is recorded names no key by which the caller objects.",
    "idle-preference": "A client prefers agents of a team, or never wants some, and its tree has nobody wait for it.",
    "nobody-told": "Messages are for a contact who has neither an e-mail address nor a webhook.",
    "idle-policy": "No form and no node names a policy of delivery.",
    "fixed-line-sms": "A text message goes to the number of a fixed line.",
    "no-number-refused": "Callers without a number are turned away, though they may not have hidden it.",
    "long-recordings": "Recordings are kept for longer than six months, which the CNIL allows nobody in France.",
    "short-messages": "Messages are kept for less than the two months that a report of each month compares.",
    "other-territory": "Time zone or holidays are those of another territory than the numbers.",
}
"""By name: what it is said of."""

Accepted = Annotated[str, OneOf(*ACCEPTABLE)]
"""The name of one of them."""


class Usual(Struct, frozen=True):
    """Marks a duration of a node with the bounds within which nobody is asked about it, in seconds."""

    kind: str
    """What the names of its warnings end with: `ring`, `wait`."""
    least: float
    most: float
    written: tuple[str, str]
    """Both bounds as a document writes them."""

    def name_of(self, seconds: float) -> str:
        """The warning that a duration deserves, or an empty string."""
        if seconds < self.least:
            return f"short-{self.kind}"
        return f"long-{self.kind}" if seconds > self.most else ""


TIMEOUT: Final = Usual("timeout", 1.0, 30.0, ("1s", "30s"))
RING: Final = Usual("ring", 5.0, 90.0, ("5s", "90s"))
WAIT: Final = Usual("wait", 5.0, 1800.0, ("5s", "30m"))
MESSAGE: Final = Usual("message", 10.0, 600.0, ("10s", "10m"))
PROMISE: Final = Usual("promise", 3.0, 600.0, ("3s", "10m"))
SHORT_ABANDON: Final = Usual("promise", 0.0, 60.0, ("0s", "1m"))
RETRY: Final = Usual("pause", 0.0, 60.0, ("0s", "1m"))
WRAP_UP: Final = Usual("pause", 0.0, 600.0, ("0s", "10m"))


def unusual(block: Block) -> Iterable[tuple[str, str, str]]:
    """Durations of a node that no caller would endure or could use: the key, the sentence, and the warning's name."""
    bounds = _usual(type(block))
    for key, usual in bounds:
        if not usual.least <= getattr(block, key) <= usual.most:
            return _outside(block, bounds)
    return ()


def _outside(block: Block, bounds: Iterable[tuple[str, Usual]]) -> Iterator[tuple[str, str, str]]:
    for key, usual in bounds:
        if name := usual.name_of(getattr(block, key)):
            short = name.startswith("short")
            bound = usual.written[0 if short else 1]
            wrong = f"{key} is {'shorter' if short else 'longer'} than {bound}, which callers hardly"
            yield key, f"{wrong} {'notice' if short else 'endure'}: is the unit right?", name


@cache
def _usual(model: type[Any]) -> tuple[tuple[str, Usual], ...]:
    found = ((key, one) for key, field in model.model_fields.items() for one in field.metadata)
    return tuple((key, one) for key, one in found if isinstance(one, Usual))

"""Whether the switch does what callbacks need of it; what is wrong is logged once, and told as a sentence."""

from __future__ import annotations

from typing import Final

import structlog

from callrouter.logs import Outage
from callrouter.outgoing.order import Order, Outcome

log = structlog.get_logger(__name__)

MOST_LOST: Final = 3
"""So many calls lost in a row are no restart of the PBX."""


class Trouble:
    """What goes wrong at the switch, by what is told of each try."""

    def __init__(self) -> None:
        self._refusal = ""
        """What Asterisk said when it refused the last time."""
        self._refused = Outage(log, "Asterisk refuses to place callbacks", "Asterisk places callbacks again")
        self._failure = ""
        """What Asterisk said when it did not do what it was asked."""
        self._fails = Outage(log, "Asterisk refuses what callbacks need", "Asterisk does what callbacks need again")
        self._lost = 0
        """Calls in a row, of whomever."""
        self._loses = Outage(log, "Asterisk loses callbacks", "Asterisk carries callbacks out again")

    @property
    def sentence(self) -> str | None:
        """Why none is placed, or carried out, though some could be; None when nothing is wrong."""
        if self._refused.since is not None:
            return f"Asterisk refuses to place callbacks ({self._refusal}): callers who asked for one wait"
        if self._fails.since is not None:
            return f"Asterisk does not say how callbacks stand ({self._failure}): callers who asked for one wait"
        if self._loses.since is not None:
            return f"Asterisk has lost the last {self._lost} callbacks in a row: callers who asked for one wait"
        return None

    def refused(self, order: Order, reason: str) -> None:
        """Asterisk did not place a call."""
        self._refusal = reason
        self._refused.failed(reason, client=order.client, queue=order.queue)

    def placed(self) -> None:
        """Asterisk placed a call."""
        self._refused.ended()

    def failed(self, reason: str) -> None:
        """Asterisk did not do what a round needs."""
        self._failure = reason
        self._fails.failed(reason)

    def answered(self) -> None:
        """Asterisk did all that a round needed."""
        self._fails.ended()

    def judge(self, outcome: Outcome) -> None:
        """What became of a call: whether Asterisk carries out what it is asked for."""
        self._lost = self._lost + 1 if outcome is Outcome.LOST else 0
        if self._lost >= MOST_LOST:
            self._loses.failed("nothing is left of them, nor written down", in_a_row=self._lost)
        elif not self._lost and self._loses.since is not None:
            self._loses.ended()

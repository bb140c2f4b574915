"""What a message's trail says, in words that are the same wherever it is written and read."""

from __future__ import annotations

from enum import StrEnum


class What(StrEnum):
    """What happened, as a message's trail has it."""

    RULE = "rule"
    """The client's rule was looked up."""
    STEP = "step"
    """A step began; the detail names whom it tells."""
    NOBODY_ON_CALL = "nobody_on_call"
    NO_CHANNEL = "no_channel"
    HELD = "held"
    """The next step was put off, to its hours or its time of day."""
    RANG = "rang"
    """Their telephone is rung."""
    ANSWERED = "answered"
    """Somebody, or something, picked up: that tells nobody."""
    SENT = "sent"
    """The other side took it; the detail is its answer."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Nobody knows whether the other side took it."""
    AGAIN = "again"
    RELAYED = "relayed"
    """It has left our mail server for one that does not report; the detail is that one's answer."""
    DELAYED = "delayed"
    """A server on the way could not pass it on yet, and goes on trying."""
    DELIVERED = "delivered"
    VIEWED = "viewed"
    ACKNOWLEDGED = "acknowledged"
    WITHDRAWN = "withdrawn"
    AGED = "aged"
    """It goes the urgent course from here on."""
    ATTENTION = "attention"
    """It stands on the agents' list."""
    TOLD = "told"
    ENDED = "ended"
    """Somebody says that the message is done."""
    RESTARTED = "restarted"

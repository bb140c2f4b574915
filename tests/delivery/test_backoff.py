"""Pauses between attempts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from callrouter.delivery.backoff import MAX_RETRY_AFTER_SECONDS, PAUSES_SECONDS, next_attempt

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def test_each_pause_and_then_no_more() -> None:
    """A tenth shorter or longer."""
    for attempts, pause in enumerate(PAUSES_SECONDS, start=1):
        at = next_attempt(NOW, attempts)
        assert at is not None
        assert 0.9 * pause <= (at - NOW).total_seconds() <= 1.1 * pause
    assert next_attempt(NOW, len(PAUSES_SECONDS) + 1) is None
    assert next_attempt(NOW, len(PAUSES_SECONDS) + 1, 60.0) is None


def test_what_the_receiver_says_makes_it_longer_never_shorter() -> None:
    """And only so much longer."""
    asked, shorter, endless = (next_attempt(NOW, 1, seconds) for seconds in (600.0, 1.0, 1e9))

    assert asked == NOW + timedelta(seconds=600)
    assert shorter is not None
    assert shorter >= NOW + timedelta(seconds=0.9 * PAUSES_SECONDS[0])
    assert endless == NOW + timedelta(seconds=MAX_RETRY_AFTER_SECONDS)

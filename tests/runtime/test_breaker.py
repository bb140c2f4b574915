"""Circuit breakers, with a clock set by hand."""

from __future__ import annotations

from callrouter.runtime.breaker import FAILURES_TO_OPEN, OPEN_SECONDS, Breaker


def opened() -> Breaker:
    """One that has just opened, at 0 s."""
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        assert breaker.claim(0.0)
        breaker.note(ok=False, now=0.0)
    return breaker


def test_after_the_rest_one_tries() -> None:
    """Only one at a time; if the service is back, all may ask."""
    breaker = opened()

    assert not breaker.claim(OPEN_SECONDS - 1)
    assert breaker.claim(OPEN_SECONDS)
    assert breaker.rests(OPEN_SECONDS)
    assert not breaker.claim(OPEN_SECONDS)
    breaker.note(ok=True, now=OPEN_SECONDS + 1)
    assert breaker.claim(OPEN_SECONDS + 1)
    assert breaker.claim(OPEN_SECONDS + 1)


def test_a_failed_try_begins_the_rest_anew() -> None:
    """One failure is enough."""
    breaker = opened()
    assert breaker.claim(OPEN_SECONDS)
    breaker.note(ok=False, now=OPEN_SECONDS + 10)

    assert breaker.rests(2 * OPEN_SECONDS)
    assert not breaker.rests(2 * OPEN_SECONDS + 10)


def test_a_request_given_up_leaves_the_try_to_the_next() -> None:
    """It says nothing about the service."""
    breaker = opened()
    assert breaker.claim(OPEN_SECONDS)
    breaker.release()

    assert breaker.claim(OPEN_SECONDS)


def test_asking_whether_it_rests_changes_nothing() -> None:
    """A query is no claim."""
    breaker = opened()

    assert not breaker.rests(OPEN_SECONDS)
    assert not breaker.rests(OPEN_SECONDS)
    assert breaker.claim(OPEN_SECONDS)

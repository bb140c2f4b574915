"""Whose call is gone on with first, of all that live."""

from __future__ import annotations

from callrouter.asterisk.adoption.adopting import _in_order
from callrouter.asterisk.adoption.snapshot import Found
from callrouter.asterisk.codec import AmiMessage


def _found(number: int, application: str) -> Found:
    return Found(AmiMessage({"Application": application}), {"CR_CALL": f"{number}"})


def test_who_hears_silence_until_then_goes_first() -> None:
    """In a menu, a lookup, or ringing; others stay in their order, which is the one of their queue."""
    applications = ("Queue", "AGI", "Dial", "Read", "Queue", "Playback", "Record")
    callers = [_found(number, application) for number, application in enumerate(applications)]

    assert [found.call_id for found in _in_order(callers)] == ["1", "3", "5", "0", "2", "4", "6"]

"""The playbook itself: a script that is wrong or stops early fails, and shows where."""

from __future__ import annotations

import pytest

from callrouter.core.call import Disposition
from callrouter.core.effects import Hangup
from callrouter.core.nodes import HangupNode, PlayNode
from callrouter.testing import Playbook, finish_all, plan_of, sound

PLAN = plan_of(PlayNode(name="hello", sounds=(sound("hello"),), exits={"next": "bye"}), HangupNode(name="bye"))


def test_another_effect_than_expected_is_shown_with_an_arrow() -> None:
    """Beside what was expected, under what went well."""
    call = Playbook(PLAN).offer()
    with pytest.raises(AssertionError) as failure:
        call.expects("answer", "play good-bye", Hangup)

    assert str(failure.value).splitlines() == [
        "the call did something else:",
        ">> offer +33199000010 from +33612340001",
        "<< answer",
        "=> play hello    expected: play good-bye",
        "=> nothing    expected: any Hangup",
    ]


def test_an_effect_nobody_expects() -> None:
    """Fails at the next input."""
    call = Playbook(PLAN).offer()
    with pytest.raises(AssertionError, match="does not expect") as failure:
        call.prompt_ended()

    assert "=> play hello  (not expected yet)" in str(failure.value)


def test_another_way() -> None:
    """Of the nodes passed."""
    call = Playbook(PLAN).offer().expects("answer", "play hello").prompt_ended().expects("hang up 16")
    with pytest.raises(AssertionError, match="went another way"):
        call.passes("hello:next", "menu:key:1")


def test_another_end_and_no_end() -> None:
    """The disposition is part of the script."""
    call = Playbook(PLAN).offer().expects("answer", "play hello")
    with pytest.raises(AssertionError, match="is not over, it is playing"):
        call.ends(Disposition.LEFT_EARLY)
    call.hangs_up()
    with pytest.raises(AssertionError, match="ended left_early, expected answered"):
        call.ends(Disposition.ANSWERED)


def test_a_script_that_stops_early() -> None:
    """Is found when the test is over."""
    Playbook(PLAN).offer().expects("answer", "play hello")
    with pytest.raises(AssertionError, match="stops before the end"):
        finish_all()

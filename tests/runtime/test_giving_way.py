"""While plans are made in a thread, the loop gets the interpreter soon; afterwards all is as it was."""

from __future__ import annotations

import sys

from callrouter.runtime.giving_way import SWITCH_SECONDS, giving_way


def test_the_last_of_several_takes_it_back() -> None:
    """In whatever order they end."""
    usual = sys.getswitchinterval()
    first, second = giving_way(), giving_way()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert sys.getswitchinterval() == SWITCH_SECONDS
    second.__exit__(None, None, None)

    assert sys.getswitchinterval() == usual

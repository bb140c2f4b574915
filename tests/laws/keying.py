"""Callers who use their keys, and say something after the tone."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from typing import Final

from deploy.demo import g711
from deploy.demo.telephone import Telephone
from tests.laws.notes import Caller, Ring
from tests.laws.sip import Dialog

BEEP_HERTZ: Final = 700.0
"""Asterisk's tone before a message; music sounds like other tones now and then."""
KEY_SECONDS: Final = 0.12
"""How long a key is held down (`Telephone.press`)."""
QUESTION_SECONDS: Final = 1.5
"""How long they listen to what is asked before a callback."""
IN_LINE_SECONDS: Final = {"alpha": (4.6, 10.0), "beta": (3.2, 6.0)}
"""After the PBX answered, they are in the queue for sure, and would be still if nobody answers."""
SPEECH: Final = g711.tone(900.0, 4.0)


async def leave_the_line(
    caller: Caller, dialog: Dialog, telephone: Telephone, rings: Sequence[Ring], longest: float, chance: random.Random
) -> None:
    """Wait, and then key out of the queue: for a message, or to be called back. Whom an agent has answered stays."""

    def answered() -> bool:
        return any(ring.number == caller.number and ring.accepted_at for ring in rings)

    earliest, latest = IN_LINE_SECONDS[caller.client]
    for_message = caller.intention == "leave_for_message"
    if not await _until(answered, dialog, chance.uniform(earliest, latest)) and not dialog.over.is_set():
        caller.left_line_at = time.time()
        _press(caller, telephone, "8" if for_message else "9")
        if for_message:
            await _leave_message(caller, dialog, telephone, longest, chance)
        elif not await _until(answered, dialog, QUESTION_SECONDS) and not dialog.over.is_set():
            _ask_back(caller, telephone)
            await dialog.is_over(3.0)
    else:
        await dialog.is_over(longest)


async def with_keys(
    caller: Caller, dialog: Dialog, telephone: Telephone, longest: float, chance: random.Random
) -> None:
    """What they want they key, and then wait for it."""
    keys = {"press_for_team": "1", "contact": "2", "message": "3", "callback": "4"}
    if caller.client == "alpha":
        await dialog.is_over(chance.uniform(0.2, 1.2))  # during the greeting too: keys wait
        _press(caller, telephone, keys[caller.intention])
    if caller.intention == "callback":
        await dialog.is_over(QUESTION_SECONDS)
        _ask_back(caller, telephone)
        await dialog.is_over(3.0)
    elif caller.intention == "message":
        await _leave_message(caller, dialog, telephone, longest, chance)
    else:
        await dialog.is_over(chance.choice((chance.uniform(1, 14), longest)))


def _press(caller: Caller, telephone: Telephone, key: str) -> None:
    telephone.press(key)
    caller.keyed.append((time.time(), key))


def _ask_back(caller: Caller, telephone: Telephone) -> None:
    _press(caller, telephone, "1")
    caller.asked_back_at = time.time()


async def _leave_message(
    caller: Caller, dialog: Dialog, telephone: Telephone, longest: float, chance: random.Random
) -> None:
    since = telephone.packets_heard
    if not await _until(lambda: telephone.heard_tone_since(since, BEEP_HERTZ), dialog, longest):
        return
    await _until(lambda: not telephone.hears_tone(), dialog, 5)
    await dialog.is_over(0.2)
    began = time.time()
    telephone.say(SPEECH)
    await _until(lambda: not telephone.is_busy, dialog, 10)
    caller.spoke = began, time.time()
    await dialog.is_over(chance.choice((0.5, 12.0)))  # hangs up, or is silent until the tree goes on


async def _until(true: Callable[[], bool], dialog: Dialog, seconds: float) -> bool:
    """Whether it was so before the call was over."""
    deadline = time.monotonic() + seconds
    while not true():
        if dialog.over.is_set() or time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.04)
    return True

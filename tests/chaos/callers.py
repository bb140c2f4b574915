"""Callers of every kind: each has drawn when they call, what they do and how long they stay, and does it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

from deploy.demo.sipp import CallerIdentity
from tests.chaos.clients import DIDS, KEYS, SHORTEST_MESSAGE_SECONDS
from tests.chaos.ear import Ear
from tests.chaos.notes import Caller, Notes, Press
from tests.chaos.sounds import tone
from tests.chaos.town import Town
from tests.laws.sip import HOST, Dialog

KINDS: Final = {"menu": 26, "line": 42, "dial": 10, "message": 8, "lookup": 6, "digits": 6, "callback": 2}
"""Of a hundred callers."""
FIRST_CALLER: Final = 33612000000
NO_ANSWER_SECONDS: Final = 4.0
"""After so long without any word of the PBX they give up."""
SETTLED_SECONDS: Final = 30.0
"""After so long without an answer, likewise."""
PATIENCE_SECONDS: Final = 2.5
"""For what a key stands for; whoever hears the question again keys again."""
MISSED_SECONDS: Final = 35.0
"""Whoever is not hung up on by then hangs up."""


@dataclass(frozen=True, kw_only=True)
class Script:
    """What one caller is to do. Seconds are from the round's beginning."""

    kind: str
    number: str
    dials_after: float
    acts_after: float
    """When they key, or begin to: before, at or after the fault."""
    leaves_after: float
    key: str
    digits: str
    speaks_seconds: float
    gives_up_seconds: float
    """Who hears nothing for so long hangs up: the line is dead."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """When callers do what they do, in seconds from the last one's call on, or where they come one after the other for
    long (`streaming`) from their own.
    """

    ramp_seconds: float
    """From the first call to the last."""
    acts: tuple[float, float]
    leaves: tuple[float, float]
    talks_seconds: float
    """The longest message."""
    gives_up_seconds: float
    streaming: bool = False


def draw(seed: str, count: int, first: int, pace: Pace, kinds: Mapping[str, int] = KINDS) -> list[Script]:
    """The callers of a round, the same for the same seed, with numbers from the `first` on."""
    ramp = pace.ramp_seconds
    found = []
    for place in range(count):
        chance = random.Random(f"{seed}:caller:{place}")
        # Every kind is there in a short round too; by chance only when.
        kind = _kind(place, count, kinds)
        dials = chance.uniform(0, ramp)
        since = dials if pace.streaming else ramp
        found.append(
            Script(
                kind=kind,
                number=f"+{FIRST_CALLER + first + place}",
                dials_after=dials,
                acts_after=max(dials + 1.0, since + chance.uniform(*pace.acts)),
                leaves_after=since + chance.uniform(*pace.leaves),
                key=chance.choice("12"),
                digits=f"{chance.randrange(10000):04d}",
                speaks_seconds=chance.uniform(1.0, pace.talks_seconds),
                gives_up_seconds=pace.gives_up_seconds,
            )
        )
    return found


def _kind(place: int, count: int, kinds: Mapping[str, int]) -> str:
    shares = [kind for kind, share in kinds.items() for _ in range(max(1, round(share * count / 100)))]
    return shares[place % len(shares)]


async def live(script: Script, town: Town, notes: Notes, began_at: float) -> None:
    """Call, do what the script says, and write down what happened."""
    await asyncio.sleep(began_at + script.dials_after - time.time())
    caller = Caller(kind=script.kind, number=script.number, did=DIDS[script.kind])
    notes.callers.append(caller)
    async with _Calling(caller, town) as (dialog, ear):
        if dialog.answered_at:
            await _while_alive(_do(script, caller, dialog, ear, began_at), ear, script.gives_up_seconds)


async def probe(number: int, town: Town, notes: Notes, seconds: float) -> float:
    """Call the client that says at once that an engine is there; when it was heard, 0 if it was not in time."""
    caller = Caller(kind="probe", number=f"+{FIRST_CALLER + number}", did=DIDS["probe"])
    notes.callers.append(caller)
    async with _Calling(caller, town) as (dialog, ear):
        if await _until(ear, lambda: ear.heard_since("probe", 0.0), dialog, seconds):
            return next(one.since for one in ear.stretches if one.name == "probe")
    return 0.0


class _Calling:
    """A call, from the INVITE to the last note of it."""

    def __init__(self, caller: Caller, town: Town) -> None:
        self._caller = caller
        self._town = town

    async def __aenter__(self) -> tuple[Dialog, Ear]:
        caller, town = self._caller, self._town
        self._ear = Ear.listening(town.media, says="caller")
        sender, extra = CallerIdentity(number=caller.number).headers(HOST)
        caller.dialled_at = time.time()
        self._dialog = await town.port.call(
            town.address, caller.did, sender, f"{extra}\r\n", user="caller", media_port=self._ear.port
        )
        await self._settle()
        return self._dialog, self._ear

    async def _settle(self) -> None:
        dialog = self._dialog
        if not await _is_set(dialog.progress, NO_ANSWER_SECONDS) or not await _is_set(dialog.settled, SETTLED_SECONDS):
            dialog.lose_power()
        if dialog.answered_at:
            self._ear.connect(HOST, dialog.their_media)

    async def __aexit__(self, *_: object) -> None:
        caller, dialog = self._caller, self._dialog
        self._ear.close()
        await dialog.hang_up()
        caller.reached, caller.status = dialog.progress.is_set(), dialog.status
        caller.rang_at, caller.answered_at = dialog.rang_at, dialog.answered_at
        caller.ended_at, caller.hung_up = dialog.ended_at, dialog.hung_up
        caller.heard = self._ear.stretches


async def _while_alive(doing: Coroutine[Any, Any, None], ear: Ear, seconds: float) -> None:
    """Until it is done, or nothing was heard for so long."""
    since, task = time.time(), asyncio.get_running_loop().create_task(doing)
    try:
        left = seconds
        while not (await asyncio.wait({task}, timeout=left))[0]:
            heard_at = ear.stretches[-1].until if ear.stretches else since
            left = max(since, heard_at) + seconds - time.time()
            if left <= 0:
                return
        await task
    finally:
        task.cancel()


async def _do(script: Script, caller: Caller, dialog: Dialog, ear: Ear, began_at: float) -> None:
    leaves_at = began_at + script.leaves_after
    match script.kind:
        case "line" | "dial":
            await dialog.is_over(leaves_at - time.time())
            return
        case "message":
            await _leave_message(script, caller, dialog, ear)
            return
        case "menu":
            await dialog.is_over(began_at + script.acts_after - time.time())
            await _choose(script.key, KEYS[script.key], caller, dialog, ear)
        case "digits":
            await dialog.is_over(began_at + script.acts_after - time.time())
            await _key_number(script, caller, dialog, ear)
        case "callback":
            await dialog.is_over(1.5)
            await _choose("1", "bye", caller, dialog, ear)
        case _:
            pass
    await dialog.is_over(MISSED_SECONDS)


async def _choose(key: str, answer: str, caller: Caller, dialog: Dialog, ear: Ear) -> None:
    """Key until it is heard that it was taken, as people do: again whenever they are asked again."""
    while not dialog.over.is_set():
        press = Press(key=key, at=time.time())
        caller.pressed.append(press)
        ear.press(key)
        press.taken = await _until(ear, lambda at=press.at: ear.heard_since(answer, at), dialog, PATIENCE_SECONDS)  # type: ignore[misc]
        if press.taken or not await _asked_again(dialog, ear):
            return


async def _key_number(script: Script, caller: Caller, dialog: Dialog, ear: Ear) -> None:
    while not dialog.over.is_set():
        began_at = time.time()
        for digit in script.digits:
            caller.pressed.append(Press(key=digit, at=time.time()))
            ear.press(digit)
            await dialog.is_over(0.4)
        taken = await _until(ear, lambda at=began_at: _is_answered(ear, at), dialog, 9.0)  # type: ignore[misc]
        for press in caller.pressed[-len(script.digits) :]:
            press.taken = taken
        if taken:
            caller.keyed.append(script.digits)
        if taken or not await _asked_again(dialog, ear):
            return


def _is_answered(ear: Ear, since: float) -> bool:
    return ear.heard_since("found", since) or ear.heard_since("failed", since)


async def _asked_again(dialog: Dialog, ear: Ear) -> bool:
    """Whether the question comes again before the call is over."""
    return await _until(ear, lambda: ear.hears("ask"), dialog, MISSED_SECONDS) and not await dialog.is_over(0.7)


async def _leave_message(script: Script, caller: Caller, dialog: Dialog, ear: Ear) -> None:
    """Speak after the tone; who speaks for an even number of seconds hangs up, others wait until the call goes on."""
    if not await _until(ear, lambda: ear.heard_since("beep", 0.0), dialog, MISSED_SECONDS):
        return
    await _until(ear, lambda: not ear.hears("beep"), dialog, 5.0)
    caller.spoke_at, ear.steady = time.time(), True
    ear.say(tone("caller", script.speaks_seconds))
    await _until(ear, lambda: not ear.is_busy, dialog, script.speaks_seconds + 5.0)
    caller.spoke_until = time.time()
    ear.speak(_NOTHING)
    stays = int(script.speaks_seconds) % 2 or script.speaks_seconds < SHORTEST_MESSAGE_SECONDS
    await dialog.is_over(MISSED_SECONDS if stays else 0.5)


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    """Whether it was in time."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def _until(ear: Ear, true: Callable[[], bool], dialog: Dialog, seconds: float) -> bool:
    """Whether it was so before the call was over, and in time."""
    await ear.media.until(lambda: dialog.over.is_set() or true(), seconds)
    return true()


_NOTHING: Final = tone("caller", 1.0) * 0
"""Silence, said."""

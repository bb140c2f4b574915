"""A caller who follows a script: waits, keys, speaks, listens for an agent or a beep, hangs up."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from deploy.demo import g711
from deploy.demo.sipp import CallerIdentity, OutgoingCall, Progress, Said
from deploy.demo.telephone import Telephone
from deploy.demo.voice import speech

if TYPE_CHECKING:
    from collections.abc import Callable


class CallerError(Exception):
    """The caller waited in vain for something their script says."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing; counted from the answer, or from the step before."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Press:
    """Key digits."""

    digits: str


@dataclass(frozen=True, slots=True)
class Speak:
    """Say something; goes on when it is said."""

    text: str
    voice: str = "fr"


@dataclass(frozen=True, slots=True)
class UntilTone:
    """Listen until one pure tone is heard: one of these frequencies (Hz; agents' voices), or any, such as the beep."""

    hertz: tuple[float, ...] = ()
    seconds: float = 75.0


@dataclass(frozen=True, slots=True)
class UntilToneEnds:
    """Listen until no tone is heard any more."""

    seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class UntilSound:
    """Listen until anything is heard."""

    seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class HangUp:
    """Hang up."""


Step = Wait | Press | Speak | UntilTone | UntilToneEnds | UntilSound | HangUp


_HANG_UP_AGAIN_SECONDS: Final = 5.0


@dataclass(kw_only=True)
class Outcome:
    """What a caller met. Instants are seconds of the monotonic clock; `heard` is PCM from the first packet on."""

    dialled: float
    answered: float | None = None
    ended: float | None = None
    end: Progress | None = None
    status: str = ""
    exit_code: int | None = None
    heard: g711.Pcm = field(default_factory=lambda: g711.expand(b""))
    trouble: str = ""
    complaints: str = ""
    """What SIPp found unexpected."""

    @property
    def went_well(self) -> bool:
        """The call ended in a way SIP knows, and the script was followed to its end."""
        return self.exit_code == 0 and self.end is not None and not self.trouble


async def place_call(
    pbx: tuple[str, int],
    did: str,
    identity: CallerIdentity,
    script: tuple[Step, ...],
    *,
    from_answer: bool = True,
    seconds: float = 90.0,
) -> Outcome:
    """Call, follow the script once answered, listen until the end.

    Without `from_answer` the script starts as soon as the PBX has the call. Nothing the other side does is
    an exception: see the outcome's `trouble`. Raises SippError without SIPp.
    """
    telephone = await Telephone.open()
    outcome = Outcome(dialled=time.monotonic())
    try:
        call = await OutgoingCall.dial(
            pbx, did, identity, media_port=telephone.port, seconds=seconds, token=f"caller-{secrets.token_hex(8)}"
        )
        try:
            await _live(call, telephone, script, outcome, from_answer)
            outcome.exit_code = await call.finish()
            outcome.complaints = call.errors()
        finally:
            await call.stop()
        outcome.heard = telephone.heard
    finally:
        telephone.close()
    if outcome.end is None and not outcome.trouble:
        outcome.trouble = "the call did not end in time"
    return outcome


async def _live(
    call: OutgoingCall, telephone: Telephone, script: tuple[Step, ...], outcome: Outcome, from_answer: bool
) -> None:
    follow = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        follower = group.create_task(_follow(call, telephone, script, outcome, follow), name="follow the script")
        async for said in call.progress():
            _note(said, outcome, telephone)
            if outcome.answered is not None or not from_answer:
                follow.set()
        if not follower.done():
            follower.cancel()


def _note(said: Said, outcome: Outcome, telephone: Telephone) -> None:
    if said.progress is Progress.ANSWERED:
        outcome.answered = time.monotonic()
        telephone.connect("127.0.0.1", int(said.detail))
    elif said.progress not in (Progress.TRYING, Progress.RINGING):
        outcome.ended, outcome.end, outcome.status = time.monotonic(), said.progress, said.detail


async def _follow(
    call: OutgoingCall, telephone: Telephone, script: tuple[Step, ...], outcome: Outcome, follow: asyncio.Event
) -> None:
    await follow.wait()
    try:
        for step in script:
            await _take(step, call, telephone)
    except CallerError as error:
        outcome.trouble = str(error)
        call.hang_up()


async def _take(step: Step, call: OutgoingCall, telephone: Telephone) -> None:
    match step:
        case Wait(seconds):
            await asyncio.sleep(seconds)
        case Press(digits):
            telephone.press(digits)
            await _said(telephone)
        case Speak(text, voice):
            telephone.say(speech(text, voice))
            await _said(telephone)
        case UntilTone(hertz, seconds):
            since = telephone.packets_heard
            wanted = " or ".join(f"{one:.0f} Hz" for one in hertz)
            await _until(
                lambda: telephone.heard_tone_since(since, *hertz),
                seconds,
                f"did not hear a tone of {wanted or 'any kind'}",
            )
        case UntilToneEnds(seconds):
            await _until(lambda: not telephone.hears_tone(), seconds, "the tone did not end")
        case UntilSound(seconds):
            await _until(lambda: telephone.heard_seconds > 0, seconds, "heard nothing")
        case HangUp():
            # Until the call ends, and this with it: SIPp takes no request between an answer and its own ACK.
            while True:
                call.hang_up()
                await asyncio.sleep(_HANG_UP_AGAIN_SECONDS)


async def _said(telephone: Telephone) -> None:
    while telephone.is_busy:
        await asyncio.sleep(0.02)


async def _until(true: Callable[[], bool], seconds: float, complaint: str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise CallerError(f"{complaint} within {seconds:.0f} s")
        await asyncio.sleep(0.04)

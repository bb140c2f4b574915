"""What we conclude about calls and keep; recorders and metrics live on these.

A fact holds the call as it stood right after it, so that no listener has to remember anything.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from callrouter.core.call import (
    Call,
    Callback,
    DialAttempt,
    Hold,
    Leg,
    Message,
    Notification,
    Offer,
    QueueVisit,
    Recording,
    Visit,
)
from callrouter.core.inputs import ConsultationSign


class CallStarted(Struct, frozen=True, kw_only=True, gc=False):
    """A call was taken on."""

    call: Call


class CallTakenOver(Struct, frozen=True, kw_only=True, gc=False):
    """Another engine had the call, and this one goes on with it."""

    call: Call
    at: datetime


class NodeVisited(Struct, frozen=True, kw_only=True, gc=False):
    """A node was passed: the exit taken and the value that decided it."""

    call: Call
    visit: Visit


class QueueEntered(Struct, frozen=True, kw_only=True, gc=False):
    """The caller waits in a queue."""

    call: Call
    visit: QueueVisit


class QueueEnded(Struct, frozen=True, kw_only=True, gc=False):
    """A queue visit is complete, its outcome set."""

    call: Call
    visit: QueueVisit


class DialFinished(Struct, frozen=True, kw_only=True, gc=False):
    """An attempt to reach somebody by telephone is complete."""

    call: Call
    dial: DialAttempt


class OfferMade(Struct, frozen=True, kw_only=True, gc=False):
    """An agent is rung for the caller."""

    call: Call
    offer: Offer


class OfferEnded(Struct, frozen=True, kw_only=True, gc=False):
    """An offer has its outcome, or another one than was thought: what came later says more."""

    call: Call
    offer: Offer


class LegEnded(Struct, frozen=True, kw_only=True, gc=False):
    """A party's side of a call is over."""

    call: Call
    leg: Leg


class HoldNoted(Struct, frozen=True, kw_only=True, gc=False):
    """Somebody has put the caller on hold, or taken them back: the hold as it is known now."""

    call: Call
    hold: Hold


class RecordingNoted(Struct, frozen=True, kw_only=True, gc=False):
    """The recording of a conversation began, was paused or resumed, was objected to, or is over: as it is known now."""

    call: Call
    recording: Recording


class SupervisionNoted(Struct, frozen=True, kw_only=True, gc=False):
    """A supervisor listens, whispers, has barged in or has taken over; `mode` is empty when they have left."""

    call: Call
    party: str
    mode: str
    at: datetime


class Bridged(Struct, frozen=True, kw_only=True, gc=False):
    """The caller speaks to a human (an agent, or somebody of the client's)."""

    call: Call


class CallTransferred(Struct, frozen=True, kw_only=True, gc=False):
    """An agent has given the caller to somebody else, or wanted to."""

    call: Call
    by: str
    """The agent; empty when it is not known."""
    target: str
    """To whom, as it was keyed or sent."""
    refusal: str = ""
    """Why not, for a person; empty when it was done."""
    kind: str = ""
    """Which kind of target it is (`core.transfers.targets`); empty where it was refused."""
    announced: bool = False
    """Whether the agent spoke to them first, or put the caller back into a queue."""


class ConsultationChanged(Struct, frozen=True, kw_only=True, gc=False):
    """An agent began to consult somebody, spoke to them, or has parted from them."""

    call: Call
    by: str
    """The agent; empty when it is not known."""
    party: str
    sign: ConsultationSign


class MessageLeft(Struct, frozen=True, kw_only=True, gc=False):
    """A message was recorded, or a form filled in."""

    call: Call
    message: Message


class CallbackAsked(Struct, frozen=True, kw_only=True, gc=False):
    """The caller is to be called back."""

    call: Call
    callback: Callback


class NotificationAsked(Struct, frozen=True, kw_only=True, gc=False):
    """A client's system is to be told something; whoever delivers it does so in their own time."""

    call: Call
    notification: Notification


class InputRefused(Struct, frozen=True, kw_only=True, gc=False):
    """An input did not fit the state of the call, and changed nothing."""

    call: Call
    reason: str


class TroubleMet(Struct, frozen=True, kw_only=True, gc=False):
    """Something went wrong that the call survived, or did not: for the log and the trace."""

    call: Call
    reason: str


class CallEnded(Struct, frozen=True, kw_only=True, gc=False):
    """The call is over; its disposition and clocks are final."""

    call: Call


class CallCorrected(Struct, frozen=True, kw_only=True, gc=False):
    """More is known of a call that has ended: its record is corrected, and whoever counts has counted it."""

    call: Call


Fact = (
    CallStarted
    | CallTakenOver
    | NodeVisited
    | QueueEntered
    | QueueEnded
    | DialFinished
    | OfferMade
    | OfferEnded
    | LegEnded
    | HoldNoted
    | RecordingNoted
    | SupervisionNoted
    | Bridged
    | CallTransferred
    | ConsultationChanged
    | MessageLeft
    | CallbackAsked
    | NotificationAsked
    | InputRefused
    | TroubleMet
    | CallEnded
    | CallCorrected
)

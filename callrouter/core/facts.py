"""What we conclude about calls and keep; recorders and metrics live on these.

A fact holds the call as it stood right after it, so that no listener has to remember anything.
"""

from __future__ import annotations

from callrouter.core.call import Call, Callback, DialAttempt, Message, Notification, QueueVisit, Visit
from callrouter.core.frozen import frozen


@frozen(slots=True)
class CallStarted:
    """A call was taken on."""

    call: Call


@frozen(slots=True)
class NodeVisited:
    """A node was passed: the exit taken and the value that decided it."""

    call: Call
    visit: Visit


@frozen(slots=True)
class QueueEntered:
    """The caller waits in a queue."""

    call: Call
    visit: QueueVisit


@frozen(slots=True)
class QueueEnded:
    """A queue visit is complete, its outcome set."""

    call: Call
    visit: QueueVisit


@frozen(slots=True)
class DialFinished:
    """An attempt to reach somebody by telephone is complete."""

    call: Call
    dial: DialAttempt


@frozen(slots=True)
class Bridged:
    """The caller speaks to a human (an agent, or somebody of the client's)."""

    call: Call


@frozen(slots=True)
class MessageLeft:
    """A message was recorded."""

    call: Call
    message: Message


@frozen(slots=True)
class CallbackAsked:
    """The caller is to be called back."""

    call: Call
    callback: Callback


@frozen(slots=True)
class NotificationAsked:
    """A client's system is to be told something; whoever delivers it does so on his own time."""

    call: Call
    notification: Notification


@frozen(slots=True)
class InputRefused:
    """An input did not fit the state of the call, and changed nothing."""

    call: Call
    reason: str


@frozen(slots=True)
class TroubleMet:
    """Something went wrong that the call survived, or did not: for the log and the trace."""

    call: Call
    reason: str


@frozen(slots=True)
class CallEnded:
    """The call is over; its disposition and clocks are final."""

    call: Call


Fact = (
    CallStarted
    | NodeVisited
    | QueueEntered
    | QueueEnded
    | DialFinished
    | Bridged
    | MessageLeft
    | CallbackAsked
    | NotificationAsked
    | InputRefused
    | TroubleMet
    | CallEnded
)

"""The states of a caller's channel at the edge, what may be sent in each, and what Asterisk's events mean there. Pure.

Whoever changes one of the rules below changes a table of this file; `line` obeys them, and has no others.

Theory
------

A *line* is one caller's channel from its AsyncAGIStart on. Two programs want to decide about it: we, through AsyncAGI's
queue of commands, and Asterisk's own dialplan. At any time one of them has it, and no event says so by itself:

- Asterisk reads our commands only inside AsyncAGI. What is sent after its end is answered `Success`, and runs when the
  channel enters AsyncAGI the next time (`res_agi.c`, launch_asyncagi). So nothing is sent after the end.
- AsyncAGI ends when the caller hangs up, when the lease runs out, when a command fails, when somebody transfers the
  caller. The results of commands look alike in all of these, and so does `AsyncAGIEnd`. A caller's BYE raises
  `HangupRequest` before (`channel.c`, ast_queue_hangup). Any other hang-up (the console, another manager, ourselves)
  is known by the end of the channel, which follows that of AsyncAGI at once: its SoftHangupRequest would be one event
  more of every call. So an end of AsyncAGI alone decides nothing: for a moment the line has LEFT. If the channel ends,
  it was hung up; if it shows any sign of life, Asterisk's dialplan has the caller. If neither comes within a moment,
  Asterisk is asked whether the channel is being hung up, which takes it seconds when a thousand are.
- A routine (a queue, a dial, a recording) is Asterisk's dialplan too, but by our order: it switches the lease off,
  and comes back. A wake-up would switch the lease on again, and cut the conversation when it runs out. So a channel
  IN_ROUTINE is left alone until the routine's own result; only what acts past the channel's loop may be sent (its
  state, the end).
- A transfer can put the caller back to our entry while the first AsyncAGI is still below: what was queued there runs in
  the new one, and answers nothing that was asked. The line is lost; the new entry is given back at once, as any is that
  we do not take.
- What we lost we do not take again: the fallback serves the caller. From then on we watch, so that the record is right.
- Our own hang-up is over when the channel is. Until then a HangupRequest is the echo of it, or the caller's and too
  late.

    COMMANDED    AsyncAGI reads what we send. Every line begins so.
    IN_ROUTINE   a routine of Asterisk's dialplan runs by our order.
    LEFT         AsyncAGI has ended; it will show whether the channel has, too.
    LOST         Asterisk's own dialplan has the caller, or is about to.
    ENDING       we have asked for the end of the channel.
    GONE         the channel has ended, or the call: nothing is sent, and nothing means anything.

                      a routine
        COMMANDED ───────────────► IN_ROUTINE
         │ │ │ ◄─────────────────── │ │ │
         │ │ │      its result      │ │ │
         │ │ └──────────┬───────────┘ │ │
         │ │            │ AsyncAGI ended
         │ │            ▼             │ │
         │ │          LEFT            │ │
         │ │            │ a sign of life
         │ │            ▼             │ │
         │ └────────► LOST ◄──────────┘ │        too late, out of step, transferred back, found in the fallback
         │              ▲               │
         │              │ transferred back, found in the fallback
         └─────────► ENDING ◄───────────┘        we hang up

    From each of them to GONE: the channel has ended, or the call has.

What a table does not hold is refused: nothing is sent, nothing is told, the state stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class LineState(StrEnum):
    """Who has the channel; see the module."""

    COMMANDED = "commanded"
    IN_ROUTINE = "in_routine"
    LEFT = "left"
    LOST = "lost"
    ENDING = "ending"
    GONE = "gone"


class Sent(StrEnum):
    """What we send."""

    COMMANDS = "commands"
    """AGI commands, with the wake-up and its lease; a key of our own that ends one of them."""
    ROUTINE = "routine"
    """The same, the last of them a routine: the channel is woken before it begins, and not again."""
    QUESTION = "question"
    """An AGI command that only asks how what runs has ended; without a wake-up where a routine runs."""
    STATE = "state"
    """The call's own state, past the channel's loop."""
    BREAK = "break"
    """Give the channel back to Asterisk's dialplan."""
    HANGUP = "hangup"


class Heard(StrEnum):
    """What we hear."""

    RESULT = "result"
    """Of an AGI command."""
    ROUTINE_ENDED = "routine_ended"
    """The result of the routine that was ordered last."""
    LIFE = "life"
    """What a living channel does: a key, an agent rung or there; it is not being hung up."""
    AGI_ENDED = "agi_ended"
    AGI_ENTERED_AGAIN = "agi_entered_again"
    TAKEN_BACK = "taken_back"
    """Asterisk's dialplan has the channel: it was seen there, or no lease can be left."""
    HANGUP_REQUESTED = "hangup_requested"
    CHANNEL_ENDED = "channel_ended"
    CALL_ENDED = "call_ended"
    """The call is over, whatever becomes of the channel: of a caller who hangs up during a whisper, it lives on."""


_COMMANDED, _IN_ROUTINE, _LEFT, _LOST, _ENDING, _GONE = LineState

MAY_SEND: Final[Mapping[LineState, Mapping[Sent, LineState]]] = {
    _COMMANDED: {
        Sent.COMMANDS: _COMMANDED,
        Sent.ROUTINE: _IN_ROUTINE,
        Sent.QUESTION: _COMMANDED,
        Sent.STATE: _COMMANDED,
        Sent.BREAK: _LOST,
        Sent.HANGUP: _ENDING,
    },
    _IN_ROUTINE: {
        Sent.QUESTION: _IN_ROUTINE,
        Sent.STATE: _IN_ROUTINE,
        Sent.BREAK: _LOST,
        Sent.HANGUP: _ENDING,
    },
    _LEFT: {Sent.STATE: _LEFT},
    _LOST: {Sent.STATE: _LOST},
    _ENDING: {
        Sent.STATE: _ENDING,
        Sent.HANGUP: _ENDING,  # again, when the first may have been lost with the link
    },
    _GONE: {},
}
"""By state: what may be sent, and the state afterwards."""

MEANS: Final[Mapping[LineState, Mapping[Heard, LineState]]] = {
    _COMMANDED: {
        Heard.RESULT: _COMMANDED,
        Heard.LIFE: _COMMANDED,
        Heard.AGI_ENDED: _LEFT,
        Heard.AGI_ENTERED_AGAIN: _LOST,
        Heard.TAKEN_BACK: _LOST,
        Heard.HANGUP_REQUESTED: _COMMANDED,
        Heard.CHANNEL_ENDED: _GONE,
        Heard.CALL_ENDED: _GONE,
    },
    _IN_ROUTINE: {
        Heard.RESULT: _IN_ROUTINE,
        Heard.ROUTINE_ENDED: _COMMANDED,
        Heard.LIFE: _IN_ROUTINE,
        Heard.AGI_ENDED: _LEFT,
        Heard.AGI_ENTERED_AGAIN: _LOST,
        Heard.TAKEN_BACK: _LOST,
        Heard.HANGUP_REQUESTED: _IN_ROUTINE,
        Heard.CHANNEL_ENDED: _GONE,
        Heard.CALL_ENDED: _GONE,
    },
    _LEFT: {
        Heard.LIFE: _LOST,
        Heard.AGI_ENTERED_AGAIN: _LOST,
        Heard.TAKEN_BACK: _LOST,
        Heard.HANGUP_REQUESTED: _LEFT,
        Heard.CHANNEL_ENDED: _GONE,
        Heard.CALL_ENDED: _GONE,
    },
    _LOST: {
        Heard.LIFE: _LOST,
        Heard.HANGUP_REQUESTED: _LOST,
        Heard.CHANNEL_ENDED: _GONE,
        Heard.CALL_ENDED: _GONE,
    },
    _ENDING: {
        Heard.LIFE: _ENDING,
        Heard.AGI_ENTERED_AGAIN: _LOST,
        Heard.TAKEN_BACK: _LOST,
        Heard.CHANNEL_ENDED: _GONE,
        Heard.CALL_ENDED: _GONE,
    },
    _GONE: {},
}
"""By state: what means something when it is heard, and the state afterwards."""


class Standing:
    """The state of one line, moved by the tables alone."""

    __slots__ = ("_may_send", "_means", "call_id", "state")

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        self._enter(LineState.COMMANDED)

    def _sends(self, what: Sent) -> bool:
        """Move as the table says; False, and nothing may be sent, when it does not."""
        after = self._may_send.get(what)
        if after is None:
            return False
        if after is not self.state:
            self._enter(after)
        return True

    def _hears(self, what: Heard) -> bool:
        """Move as the table says; False, and it means nothing, when it does not."""
        after = self._means.get(what)
        if after is None:
            return False
        if after is not self.state:
            self._enter(after)
        return True

    def _enter(self, state: LineState) -> None:
        self.state: LineState = state
        self._may_send, self._means = MAY_SEND[state], MEANS[state]

"""The states of a call and the inputs each of them admits, as a table.

A call is `OFFERED` for the instant between the switch's offer and the first wait. From then on its state says
what it waits for. A wait ends by its own result (`PLAYING` by `PromptEnded`, …), which must name the wait's
step. People come in between: an agent or a called party answers (`QUEUED` or `DIALLING` → `CONNECTED`), and the
result that follows is then that of the conversation. `CONSULTING` waits for somebody else's answer (how a queue stands,
what a web service knows) while nothing is asked of the caller. `HANGING_UP` waits for the switch to say that the
channel is gone. `ADRIFT` is reached when Asterisk takes a call back: we go on watching, so that its record is
right, but we ask for nothing. `ENDED` admits nothing.

A hang-up is legal in every state but the first and the last, and is handled once. What is heard of those who are rung
comes in any order, also late: it changes what the books say of them, never what the call does. While we command the
call, it may also key digits, report that it was answered or that a command failed, or be lost to us. Whatever the table
does not admit is refused: it changes nothing and harms nobody.
"""

from __future__ import annotations

from collections.abc import Mapping

from callrouter.core import inputs
from callrouter.core.call import CallState

ALWAYS: frozenset[type] = frozenset(
    {
        *(inputs.CallerHungUp, inputs.ControlLost, inputs.DigitPressed, inputs.CommandFailed, inputs.CallAnswered),
        *(inputs.AgentOffered, inputs.LegHeard, inputs.RecordingTold),
    }
)

ADMITS: Mapping[CallState, frozenset[type]] = {
    CallState.OFFERED: frozenset(),
    CallState.ANSWERING: ALWAYS,
    CallState.PLAYING: ALWAYS | {inputs.PromptEnded},
    CallState.COLLECTING: ALWAYS | {inputs.CollectEnded},
    # Of a caller who was given away before anybody answered, what they talked in ends when nobody does.
    CallState.QUEUED: ALWAYS | {inputs.AgentAnswered, inputs.QueueLeft, inputs.DialEnded},
    CallState.DIALLING: ALWAYS | {inputs.LegAnswered, inputs.LegFailed, inputs.DialEnded, inputs.QueueLeft},
    CallState.CONNECTED: ALWAYS
    | {
        inputs.QueueLeft,
        inputs.LegFailed,
        inputs.DialEnded,
        inputs.Transferred,
        inputs.ConsultationHeard,
        inputs.SupervisorTold,
    },
    CallState.RECORDING: ALWAYS | {inputs.RecordingEnded, inputs.RecordingFound},
    CallState.CONSULTING: ALWAYS | {inputs.QueuesSeen, inputs.LookupDone, inputs.LookupFailed},
    CallState.HANGING_UP: frozenset({inputs.CallerHungUp, inputs.ControlLost, inputs.LegHeard}),
    CallState.ADRIFT: frozenset(
        {
            inputs.CallerHungUp,
            inputs.AgentOffered,
            inputs.AgentAnswered,
            inputs.LegHeard,
            inputs.LegAnswered,
            inputs.RecordingFound,
            inputs.RecordingTold,
            inputs.MessageTaken,
        }
    ),
    CallState.ENDED: frozenset(),
}


def admits(state: CallState, kind: type) -> bool:
    """Whether a call in `state` can take this input."""
    return kind in ADMITS[state]

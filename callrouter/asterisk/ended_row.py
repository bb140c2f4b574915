"""A row of Asterisk's own journal of ended calls, and the call that it describes.

The hangup handler of extensions.conf leaves it in AstDB, `callrouter/ended/<call>` =
`v2|<epoch>|<cause>|<did>|<shown>|<caller>|<how>|<lost at>|<before>|<answers>|<CR_STATE>`, where `how` is `new` (no
engine took it, unless it left a state), `taken` (one did, and hung up at once), 1 (Asterisk's fallback served it) or
`refused` (it refused the caller, as the tree would have).
`/<epoch>/<node>` follows it where the fallback took a message, as that node would have. The answers are as `notes`
reads them. Rows of the format before,
`<epoch>|<cause>|<did>|<caller>|<how>|<agent>|<seconds waited>|<CR_STATE>`, are read as well: a PBX whose
configuration is older writes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from callrouter.asterisk.codec import whole_number
from callrouter.asterisk.line.recordings import Recorded, found_in, message_taken
from callrouter.asterisk.notes import MIDDLE, Noted, instant, missed, noted_in, read_answers
from callrouter.core import engine, inputs, state
from callrouter.core.call import (
    Call,
    CallerId,
    CallState,
    Clocks,
    DialOutcome,
    Disposition,
    LegPurpose,
    Presentation,
    QueueOutcome,
    Visit,
    replace,
)
from callrouter.core.fallback import recording_alone
from callrouter.core.nodes.message import recording_of
from callrouter.core.numbers import ANONYMOUS, normalise
from callrouter.core.plan import Plan
from callrouter.errors import StateDecodeError

log = structlog.get_logger(__name__)

_FORMAT = "v2"
"""No number, so that an engine of the release before passes such a row over and leaves it to the next."""
_FIELDS = 11
_OLD_FIELDS = 8
_CAUSE_DIGITS = 3
_CALL_ID = re.compile(r"[A-Za-z0-9_.-]+")
_SHOWN = {"a": Presentation.ALLOWED, "p": Presentation.WITHHELD, "f": Presentation.UNAUTHENTICATED}
_FALLBACK = "the engine was away; Asterisk's fallback served the caller"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRow:
    """What the hangup handler wrote, by the engine's clock."""

    call_id: str
    rang_at: datetime
    ended_at: datetime
    cause: int
    did: str
    caller: CallerId
    """The caller's number as Asterisk had it, not normalised."""
    untaken: bool
    """It ended before any engine took it."""
    fallback: bool
    """Asterisk's fallback served it."""
    refused: bool = False
    """It refused the caller, as the client's tree would have."""
    noted: Noted
    state: str


def read_row(key: str, value: str, shift: timedelta = timedelta()) -> EndedRow | None:
    """A row of AstDB, or None when it is none of ours.

    `shift` is what the engine's clock is ahead of the PBX's (rehearsals of another day's hours).
    """
    call_id = key.rsplit("/", 1)[-1]
    if not _CALL_ID.fullmatch(call_id):
        return None
    if value.startswith(f"{_FORMAT}|"):
        parts = value.split("|", _FIELDS - 1)
        if len(parts) != _FIELDS:
            return None
        _, epoch, cause, did, shown, caller, how, lost, before, answers, encoded = parts
    else:
        parts = value.split("|", _OLD_FIELDS - 1)
        if len(parts) != _OLD_FIELDS:
            return None
        epoch, cause, did, caller, how, agent, waited, encoded = parts
        shown, lost, before, answers = "a", "", "", f"{agent}//{waited}/"
    how, slash, voiced = how.partition("/")
    ended_at = instant(epoch, shift)
    if ended_at is None:
        return None
    # Our call ids begin with the second in which the call came (extensions.conf, callrouter-entry).
    rang_at = min(instant(call_id.partition("-")[0], shift) or ended_at, ended_at)
    noted = noted_in(before, lost, answers, shift, voiced=slash + voiced)
    if how == "1" and noted.lost_at is None:  # the older format does not say since when
        noted = Noted(lost_at=ended_at if encoded else rang_at, since=read_answers(answers, shift))
    return EndedRow(
        call_id=call_id,
        rang_at=rang_at,
        ended_at=ended_at,
        cause=whole_number(cause, _CAUSE_DIGITS) or 0,
        did=did,
        caller=_caller(shown, caller),
        untaken=how == "new" and not encoded,
        fallback=how in ("1", "refused"),
        refused=how == "refused",
        noted=noted,
        state=encoded,
    )


def _caller(shown: str, number: str) -> CallerId:
    """Who called; of callers whose number is not to be shown nothing is kept, should it stand there or not."""
    presentation = _SHOWN.get(shown, Presentation.UNAVAILABLE)
    if presentation is not Presentation.ALLOWED:
        return CallerId(presentation=presentation)
    if number.lower() == ANONYMOUS:
        return CallerId(presentation=Presentation.WITHHELD)
    return CallerId(number=number) if number else CallerId(presentation=Presentation.UNAVAILABLE)


def version_of(row: EndedRow) -> tuple[str, str] | None:
    """The client and version of the plan by which its state reads back; None when it has none that does."""
    if not row.state:
        return None
    try:
        return state.peek(row.state.encode())
    except StateDecodeError as error:
        log.warning("a call's state does not read back", call_id=row.call_id, reason=str(error))
        return None


Listen = Callable[[str], Recorded]
"""What a recording holds, by its name."""


def ended_call(row: EndedRow, plan: Plan | None, dialled: Plan, region: str, listen: Listen | None = None) -> Call:
    """The call of a row, concluded: by the plan of its own state where it has one, else by the number dialled.

    `listen`: None where no recording can be seen; then a message that was being recorded is as long as it took.
    """
    if plan is not None:
        try:
            call = state.decode(plan, row.state.encode())
            if listen is not None and call.recording_at is not None:
                call = with_recording(plan, call, listen)
            return _concluded(plan, call, row, listen)
        except StateDecodeError as error:
            log.warning("a call's state does not read back", call_id=row.call_id, reason=str(error))
    return _unknown(row, dialled, region, listen)


def with_recording(plan: Plan, call: Call, listen: Listen) -> Call:
    """However the recording ended, what the caller spoke is in its file."""
    found, at = listen(recording_of(call)), last_known(call)
    return engine.step(plan, call, found_in(found, at)).call


def _unknown(row: EndedRow, plan: Plan, region: str, listen: Listen | None) -> Call:
    """Nothing but the row is known: the caller was gone at once, or Asterisk's fallback served them alone."""
    because = "hung up before an engine took the call" if row.untaken else "no engine took the call"
    if row.state:
        because = "what the engine knew of the call cannot be read"
    # From here on they were in Asterisk's hands alone, and waited, if they were answered.
    began_at = row.noted.lost_at or row.noted.before.queued_at or row.rang_at
    exit_name = "hung up" if row.untaken else "fallback"
    note = Visit(node=plan.start, exit=exit_name, because=because, at=min(max(began_at, row.rang_at), row.ended_at))
    number = row.caller.number
    call = Call(
        call_id=row.call_id,
        client=plan.client,
        plan_version=plan.version,
        did=normalise(row.did, region) or row.did,
        caller=replace(row.caller, number=number and (normalise(number, region) or number)),
        state=CallState.ADRIFT,
        clocks=Clocks(ringing_at=row.rang_at),
        visits=(note,),
        verdict=_verdict(row),
    )
    return _tell_all(plan, call, row, listen, note.at)


def _verdict(row: EndedRow) -> Disposition:
    if row.refused:
        return Disposition.REJECTED
    return Disposition.LEFT_EARLY if row.untaken else Disposition.FAILED


def _concluded(plan: Plan, call: Call, row: EndedRow, listen: Listen | None) -> Call:
    """Let the engine end it: what was answered was answered, what was recorded was recorded."""
    queued_at = call.queue_visits[-1].entered_at if call.state is CallState.QUEUED and call.queue_visits else None
    # As much as the engine that wrote the state knew then: if it saw the end, on its way to the record, it knows more.
    concluded = _tell_all(plan, call, row, listen, last_known(call), queued_at)
    return replace(concluded, call_id=row.call_id, revision=call.revision)


def _tell_all(
    plan: Plan,
    call: Call,
    row: EndedRow,
    listen: Listen | None,
    earliest: datetime,
    queued_at: datetime | None = None,
) -> Call:
    at = _ended_at(call, row, earliest)
    for told in missed(row.noted, reason=_FALLBACK, earliest=earliest, latest=at, queued_at=queued_at):
        if isinstance(told, inputs.ControlLost):
            call = _talked(plan, call, row, told.at)
        call = engine.step(plan, call, told).call
    call = _talked(plan, call, row, at)
    if row.noted.voiced is not None and listen is not None:
        name = recording_alone(row.call_id)
        call = engine.step(plan, call, message_taken(row.noted.voiced, name, listen(name), at)).call
    over = inputs.CallerHungUp(at=at, cause=row.cause, by_caller=None, talked_until=row.noted.over_at)
    return engine.step(plan, call, over).call


def _ended_at(call: Call, row: EndedRow, earliest: datetime) -> datetime:
    """The handler's clock has whole seconds and the PBX's own opinion of them: a call never ends before it began.

    One that was being hung up ended when that was decided, if the second is the same.
    """
    if call.state is CallState.HANGING_UP and earliest >= row.ended_at - MIDDLE:
        return earliest
    return max(row.ended_at, earliest)


def _talked(plan: Plan, call: Call, row: EndedRow, latest: datetime) -> Call:
    """Whose conversation was over before, and who waited then for an engine to go on, has talked until then only."""
    over_at = row.noted.over_at
    began_at = max((leg.answered_at for leg in call.legs if leg.open and leg.answered_at), default=last_known(call))
    if over_at is None or call.state is not CallState.CONNECTED or over_at < began_at - MIDDLE:
        return call  # it was an earlier one
    at = min(max(over_at, began_at), latest)
    for leg in call.legs:
        if leg.open and leg.purpose in (LegPurpose.AGENT, LegPurpose.CONTACT):
            for sign in (inputs.LegSign.HUNG_UP, inputs.LegSign.ENDED):
                call = engine.step(plan, call, inputs.LegHeard(leg=leg.leg, sign=sign, at=at)).call
    # One of the two: the other is refused.
    call = engine.step(plan, call, inputs.QueueLeft(step=call.step, outcome=QueueOutcome.ANSWERED, at=at)).call
    return engine.step(plan, call, inputs.DialEnded(step=call.step, outcome=DialOutcome.ANSWERED, at=at)).call


def last_known(call: Call) -> datetime:
    """The last instant at which something is known to have happened to a call."""
    clocks = call.clocks
    known = (clocks.ringing_at, clocks.answered_at, clocks.entered_service_at, clocks.offered_at, clocks.bridged_at)
    service = [at for visit in call.queue_visits for at in (visit.entered_at, visit.answered_at)]
    dials = [at for dial in call.dials for at in (dial.started_at, dial.answered_at)]
    return max(at for at in (*known, *service, *dials, *(visit.at for visit in call.visits)) if at is not None)

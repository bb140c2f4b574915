"""What is done in conversations, carried out in the engine's process; each deed, and each refusal, is in the trail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from callrouter.api.schemas import LiveCallOut, LiveOut
from callrouter.api.supervision.schemas import Act, OverseenOut
from callrouter.asterisk.supervision.listening import Supervision
from callrouter.asterisk.supervision.recordings import Conversations
from callrouter.core.books.recordings import name_of
from callrouter.core.inputs import RecordingSign, SupervisionMode
from callrouter.errors import AmiError, SupervisionRefused
from callrouter.permissions import By
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.ports import Clock
from callrouter.store.access.audit import Deed
from callrouter.store.tables import AuditOutcome

_MODES: Final = {
    Act.LISTEN: SupervisionMode.LISTEN,
    Act.WHISPER: SupervisionMode.WHISPER,
    Act.BARGE: SupervisionMode.BARGE,
    Act.TAKE_OVER: SupervisionMode.TAKE_OVER,
}
_SIGNS: Final = {Act.PAUSE_RECORDING: RecordingSign.PAUSED, Act.RESUME_RECORDING: RecordingSign.RESUMED}


@dataclass(frozen=True, kw_only=True)
class OverseenHere:
    """As `routes.Overseen`; `note` takes deeds for the audit trail."""

    calls: LiveCalls
    supervision: Supervision
    conversations: Conversations
    clock: Clock
    note: Callable[[Deed], None]

    async def live(self) -> LiveOut:
        """The calls in progress."""
        at = self.clock.now()
        return LiveOut(at=at, calls=[LiveCallOut.of(one.call, at) for one in self.calls])

    async def do(self, act: Act, call_id: str, phone: str, by: By) -> OverseenOut:
        """Do it; it is in the audit trail, and so is that it was refused.

        Raises:
            SupervisionRefused, RecordingRefused: it cannot be done as things stand.
        """
        outcome = AuditOutcome.REFUSED
        live = self.calls.get(call_id)
        try:
            await self._do(act, call_id, phone, by.principal)
            outcome = AuditOutcome.DONE
        except AmiError as error:
            outcome = AuditOutcome.FAILED
            raise SupervisionRefused(f"Asterisk does not do it: {error}") from error
        finally:
            self.note(
                Deed(
                    principal=by.principal,
                    action=act.permission,
                    object=f"{call_id} {act} at {phone}" if phone else f"{call_id} {act}",
                    client=live.call.client if live else None,
                    outcome=outcome,
                    address=by.address,
                )
            )
        return self._out(call_id)

    async def _do(self, act: Act, call_id: str, phone: str, by: str) -> None:
        if act in _SIGNS:
            await self.conversations.set(call_id, _SIGNS[act], by)
        elif act in _MODES:
            await self.supervision.set(call_id, _MODES[act], phone)
        else:
            await self.supervision.leave(call_id, phone)

    def _out(self, call_id: str) -> OverseenOut:
        live = self.calls.get(call_id)
        if live is None:
            raise SupervisionRefused(f"call {call_id} has just ended")
        last = live.call.recordings[-1] if live.call.recordings else None
        name = name_of(call_id, last.number) if last is not None and last.runs else None
        return OverseenOut.of(live.call, name, paused=last is not None and last.paused_at is not None)

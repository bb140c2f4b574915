"""What is done in conversations, carried out in the engine's process; each deed, and each refusal, is in the trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from callrouter.api.conversations.here import ConversationsHere
from callrouter.api.supervision.schemas import Act, OverseenOut
from callrouter.asterisk.supervision.listening import Supervision
from callrouter.asterisk.supervision.recordings import Conversations
from callrouter.core.books.recordings import name_of
from callrouter.core.inputs import RecordingSign, SupervisionMode
from callrouter.errors import ConversationRefused
from callrouter.permissions import By

_MODES: Final = {
    Act.LISTEN: SupervisionMode.LISTEN,
    Act.WHISPER: SupervisionMode.WHISPER,
    Act.BARGE: SupervisionMode.BARGE,
    Act.TAKE_OVER: SupervisionMode.TAKE_OVER,
}
_SIGNS: Final = {Act.PAUSE_RECORDING: RecordingSign.PAUSED, Act.RESUME_RECORDING: RecordingSign.RESUMED}


@dataclass(frozen=True, kw_only=True)
class OverseenHere(ConversationsHere):
    """As `routes.Overseen`."""

    supervision: Supervision
    conversations: Conversations

    async def do(self, act: Act, call_id: str, phone: str, by: By) -> OverseenOut:
        """Do it; it is in the audit trail, and so is that it was refused.

        Raises:
            ConversationRefused: it cannot be done as things stand.
        """
        async with self.deed(call_id, act.permission, f"{act} at {phone}" if phone else str(act), by):
            await self._do(act, call_id, phone, by.principal)
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
            raise ConversationRefused(f"call {call_id} has just ended")
        last = live.call.recordings[-1] if live.call.recordings else None
        name = name_of(call_id, last.number) if last is not None and last.runs else None
        return OverseenOut.of(live.call, name, paused=last is not None and last.paused_at is not None)

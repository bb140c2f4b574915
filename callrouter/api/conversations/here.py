"""Conversations in the engine's process; each deed in them, and each refusal, is in the trail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from callrouter.api.schemas.live import LiveCallOut, LiveOut
from callrouter.errors import AmiError, ConversationRefused
from callrouter.permissions import By, Permission
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.ports import Clock
from callrouter.store.access.audit import Deed
from callrouter.store.tables import AuditOutcome


@dataclass(frozen=True, kw_only=True)
class ConversationsHere:
    """As `routes.Conversations`; `note` takes deeds for the audit trail."""

    calls: LiveCalls
    clock: Clock
    note: Callable[[Deed], None]

    async def live(self) -> LiveOut:
        """The calls in progress."""
        at = self.clock.now()
        return LiveOut(at=at, calls=[LiveCallOut.of(one.call, at) for one in self.calls])

    @asynccontextmanager
    async def deed(self, call_id: str, action: Permission, what: str, by: By) -> AsyncIterator[None]:
        """What is done inside is in the trail, with how it went.

        Raises:
            ConversationRefused: it cannot be done as things stand, or Asterisk does not do it.
        """
        outcome = AuditOutcome.REFUSED
        live = self.calls.get(call_id)
        try:
            yield
            outcome = AuditOutcome.DONE
        except AmiError as error:
            outcome = AuditOutcome.FAILED
            raise ConversationRefused(f"Asterisk does not do it: {error}", away=True) from error
        finally:
            self.note(
                Deed(
                    principal=by.principal,
                    action=action,
                    object=f"{call_id} {what}",
                    client=live.call.client if live else None,
                    outcome=outcome,
                    address=by.address,
                )
            )

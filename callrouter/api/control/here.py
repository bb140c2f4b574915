"""What is done in conversations, carried out in the engine's process; each deed, and each refusal, is in the trail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from callrouter.api.control.schemas import ControlledOut
from callrouter.api.schemas import LiveCallOut, LiveOut
from callrouter.asterisk.transfers.control import Control
from callrouter.errors import AmiError, ControlRefused
from callrouter.permissions import By, Permission
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.ports import Clock
from callrouter.store.access.audit import Deed
from callrouter.store.tables import AuditOutcome


class Controls(Protocol):
    """Who does it (`asterisk.transfers.control.CallControl`)."""

    async def do(self, control: Control, call_id: str, detail: str = "") -> None: ...


@dataclass(frozen=True, kw_only=True)
class ControlledHere:
    """As `routes.Controlled`; `note` takes deeds for the audit trail."""

    calls: LiveCalls
    controls: Controls
    clock: Clock
    note: Callable[[Deed], None]

    async def live(self) -> LiveOut:
        """The calls in progress."""
        at = self.clock.now()
        return LiveOut(at=at, calls=[LiveCallOut.of(one.call, at) for one in self.calls])

    async def do(self, control: Control, call_id: str, detail: str, by: By) -> ControlledOut:
        """Do it; it is in the audit trail, and so is that it was refused.

        Raises:
            ControlRefused: it cannot be done as things stand.
        """
        outcome = AuditOutcome.REFUSED
        live = self.calls.get(call_id)
        try:
            await self.controls.do(control, call_id, detail)
            outcome = AuditOutcome.DONE
        except AmiError as error:
            outcome = AuditOutcome.FAILED
            raise ControlRefused(f"Asterisk does not do it: {error}", away=True) from error
        finally:
            self.note(
                Deed(
                    principal=by.principal,
                    action=Permission.CALL_CONTROL,
                    object=" ".join(part for part in (call_id, control.value, _shown(control, detail)) if part),
                    client=live.call.client if live else None,
                    outcome=outcome,
                    address=by.address,
                )
            )
        after = self.calls.get(call_id) or live
        if after is None:
            raise ControlRefused(f"call {call_id} has just ended")
        return ControlledOut.of(after.call)


def _shown(control: Control, detail: str) -> str:
    """Keys may be somebody's secret: how many is enough."""
    return f"{len(detail)} keys" if control is Control.KEYPAD else detail

"""What the audit trail is told of a callback that may not be dialled any more."""

from __future__ import annotations

from callrouter.permissions import OURSELVES
from callrouter.runtime.callback_ports import OpenCallback
from callrouter.store.access.audit import Deed
from callrouter.store.tables import AuditOutcome


def refused_callback(callback: OpenCallback) -> Deed:
    """Which one it was; its number stands in its row."""
    call_id, position = callback.wish
    return Deed(
        principal=OURSELVES,
        action="callback.dial",
        object=f"{call_id}/{position}",
        client=callback.client,
        outcome=AuditOutcome.REFUSED,
    )

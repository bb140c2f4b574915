"""Tell a client's own system something, without making the caller wait.

```yaml
notify:
  contact: crm
  data: { reason: "urgent call", file: "{dossier}" }
  next: secretaries
```

`contact` has a `url`: this address is sent a JSON document with the call (its id, client, caller, the number
dialled, the time) and `data`. The call goes on at once; what could not be delivered is tried again for some hours.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.call import TAKEN_OVER, Call, Notification
from callrouter.core.nodes._base import Leave, Node, Step
from callrouter.core.nodes.about import SENT, About, Effort, Family, LeftBy, Needed, Reads, Uses, Variables
from callrouter.core.templates import Template, UnsetVariable

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


class NotifyNode(Node, frozen=True, kw_only=True):
    """Send a notification, and go on."""

    kind: ClassVar[str] = "notify"
    exit_names: ClassVar[frozenset[str]] = frozenset({"next"})

    contact: str
    url: str
    data: tuple[tuple[str, Template], ...] = ()

    def about(self) -> About:
        """It hands over, and is passed at once."""
        sent: frozenset[str] = frozenset().union(*(value.variables for _, value in self.data))
        return About(
            family=Family.DOES,
            left_by={"next": LeftBy.NOTHING},
            does=(),
            reads=Reads(),
            variables=Variables(needed=tuple(Needed(variable=name) for name in sorted(sent))),
            uses=Uses(tells=(self.url,)),
            effort=Effort(),
            unheard=dict.fromkeys(("url", "data", "contact"), SENT),
        )

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Hand it over; delivering it is somebody else's work."""
        troubles: list[str] = []
        data: dict[str, str] = {}
        for key, value in self.data:
            try:
                data[key] = value.fill(call)
            except UnsetVariable as error:
                troubles.append(f"{key} was not sent to {self.contact}: {error} is not set")
        # The number of the visit in the call's life: unique, and the same should this step be taken twice, also by two
        # engines.
        number = sum(visit.exit != TAKEN_OVER for visit in call.visits) + call.visits_dropped
        notification = Notification(
            notification_id=f"{call.call_id}-n{number}",
            contact=self.contact,
            url=self.url,
            body=json.dumps(self._document(call, data, at), ensure_ascii=True),
            asked_at=at,
        )
        return Leave(call=call, exit="next", because=self.contact, troubles=tuple(troubles), notification=notification)

    def _document(self, call: Call, data: dict[str, str], at: datetime) -> dict[str, object]:
        return {
            "event": "call.notify",
            "node": self.name,
            "at": at.isoformat(),
            "call_id": call.call_id,
            "client": call.client,
            "did": call.did,
            "caller": {
                "number": call.caller.number,
                "name": call.caller.name,
                "presentation": call.caller.presentation.value,
            },
            "data": data,
        }

"""Ask a web service, and keep parts of its answer.

```yaml
lookup:
  url: "https://crm.example/callers/{caller}"
  method: GET
  headers: { Authorization: "env:CRM_TOKEN" }
  timeout: 3s
  fields:
    name: customer.name
    position: { path: queue.position, max: 4 }
  next: known
  failed: secretaries
```

Values in the address are encoded; the host stands in the document, and must be one the operator allows
(CALLROUTER_OUTGOING_HOSTS). With `method: POST`, `body` is a mapping that is sent as JSON. `env:NAME` stands for the
secret in CALLROUTER_SECRET_NAME. The answer is JSON; each field is a variable and the way to its value (`phones.0` is
the first of a list), at most `max` bytes long (64). Anything else than an answer within `timeout` (at most 10 s) with
every field in it leads to `failed`. After a short silence the caller hears hold music, unless `music: false`.
An engine that takes the call over asks again, with the same `Idempotency-Key`.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from callrouter.core.call import Call, CallState, replace
from callrouter.core.effects import HttpRequest, Lookup, LookupField
from callrouter.core.inputs import LookupDone, LookupFailed, Result
from callrouter.core.nodes._base import Leave, Node, Stay, Step
from callrouter.core.nodes.about import SENT, About, Address, Effort, Family, LeftBy, Needed, Reads, Uses, Variables
from callrouter.core.templates import Template, UnsetVariable

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


class LookupNode(Node, frozen=True, kw_only=True):
    """Ask a web service; exits are `next` and `failed`."""

    kind: ClassVar[str] = "lookup"
    exit_names: ClassVar[frozenset[str]] = frozenset({"next", "failed"})

    method: str = "GET"
    url: Template
    headers: tuple[tuple[str, str], ...] = ()
    body: tuple[tuple[str, Template], ...] = ()
    fields: tuple[LookupField, ...] = ()
    timeout_seconds: float = 3.0
    music: bool = True

    def about(self) -> About:
        """The web service decides; only where it answers are its fields known."""
        sent = self.url.variables.union(*(value.variables for _, value in self.body))
        request = HttpRequest(method=self.method, url=self.url.written, headers=self.headers)
        secrets = tuple(value.removeprefix("env:") for _, value in self.headers if value.startswith("env:"))
        return About(
            family=Family.DOES,
            left_by={"next": LeftBy.OTHERS, "failed": LeftBy.OTHERS},
            does=(self._lookup(request),),
            reads=Reads(),
            variables=Variables(
                needed=tuple(Needed(variable=name) for name in sorted(sent)),
                longest={field.variable: field.longest for field in self.fields},
                known_after={"next": frozenset(field.variable for field in self.fields)},
            ),
            uses=Uses(asks=(Address(url=self.url.example, secrets=secrets),)),
            effort=Effort(),
            unheard={
                "timeout_seconds": "the longest wait for a key or an answer",
                "music": "whether music is heard meanwhile",
                **dict.fromkeys(("method", "url", "headers", "body"), SENT),
            },
        )

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Ask."""
        try:
            request = self._request(call)
        except UnsetVariable as error:
            return Leave(call=call, exit="failed", because=f"{error} is not set", troubles=(f"{error} is not set",))
        return Stay(call=call, state=CallState.CONSULTING, effects=(self._lookup(request),))

    def wait_again(self, plan: Plan, call: Call, at: datetime) -> Stay:
        """The same question: what it asks with has not changed."""
        return Stay(call=call, state=CallState.CONSULTING, effects=(self._lookup(self._request(call)),))

    def resume(self, plan: Plan, call: Call, result: Result, at: datetime) -> Step:
        """Keep what was answered."""
        if not isinstance(result, LookupDone):
            reason = result.reason if isinstance(result, LookupFailed) else "the lookup was given up"
            return Leave(call=call, exit="failed", because=reason, troubles=(reason,))
        known = {field.variable: result.values.get(field.variable, "") for field in self.fields}
        because = ", ".join(f"{name} = {value[:20]}" for name, value in known.items()) or "answered"
        return Leave(call=replace(call, variables={**call.variables, **known}), exit="next", because=because[:80])

    def _lookup(self, request: HttpRequest) -> Lookup:
        return Lookup(request=request, timeout_seconds=self.timeout_seconds, fields=self.fields, music=self.music)

    def _request(self, call: Call) -> HttpRequest:
        body = {key: value.fill(call) for key, value in self.body}
        return HttpRequest(
            method=self.method,
            url=self.url.fill(call, _encoded),
            headers=self.headers,
            body=json.dumps(body) if body else "",
        )


def _encoded(value: str) -> str:
    """A value as part of an address: nothing in it can end a segment or begin a query; dots alone would climb."""
    encoded = quote(value, safe="", errors="replace")
    return encoded.replace(".", "%2E") if encoded.strip(".") == "" else encoded

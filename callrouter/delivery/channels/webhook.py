"""Posts the body, a JSON document, to a web service of the client's, through the one guard of HTTP requests.

`Idempotency-Key` holds the delivery's id. Any answer of 2xx means that it was taken. Any other is tried again, since
whoever maintains the service can mend it. Only what our own guard refuses is refused for good. A delivery that names a
secret is signed by it, anew at each attempt, after Standard Webhooks.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from callrouter.core.effects import HttpRequest
from callrouter.delivery import signing
from callrouter.delivery.channel import Channel, Delivered, FailedForGood, FailedForNow, Outcome
from callrouter.delivery.ports import Delivery
from callrouter.errors import RequestFailed, RequestForbidden, RequestRefused

TIMEOUT_SECONDS: Final = 10.0
KEPT: Final = 200
"""Characters of an answer that are kept: enough for the number of a ticket."""


class Webhook(Channel):
    """HTTP POST."""

    name = "webhook"
    schemes = frozenset({"http", "https"})
    deadline_seconds = TIMEOUT_SECONDS + 2.0  # the request's own time-out comes first, and names the host

    def check(self, address: str) -> str | None:
        """Whether the operator allows the host."""
        return self.tools.http.why_forbidden(address)

    def destination(self, address: str) -> str:
        """The host, with its port if it is an unusual one."""
        return self.tools.http.host_of(address)

    async def send(self, delivery: Delivery) -> Outcome:
        """One request."""
        request = HttpRequest(method="POST", url=delivery.address, body=delivery.body)
        try:
            headers = {"Idempotency-Key": delivery.delivery_id, **self._signature(delivery)}
            answer = await self.tools.http.send(request, TIMEOUT_SECONDS, headers)
        except RequestForbidden as error:
            return FailedForGood(reason=str(error))
        except RequestRefused as error:
            return FailedForNow(
                reason=str(error),
                destination_answers=error.status < 500,
                retry_after_seconds=error.retry_after_seconds,
            )
        except RequestFailed as error:
            return FailedForNow(reason=str(error), destination_answers=False)
        return Delivered(answer=_in_short(answer))

    def _signature(self, delivery: Delivery) -> Mapping[str, str]:
        """Headers; none for what is not signed.

        Raises:
            RequestForbidden: there is nothing to sign it with.
        """
        name = delivery.secret
        if not name:
            return {}
        if name not in self.tools.secrets:
            raise RequestForbidden(f"CALLROUTER_SECRET_{name} is not set: what is sent there would not be signed")
        try:
            key = signing.key_of(self.tools.secrets[name])
        except ValueError as error:
            raise RequestForbidden(f"CALLROUTER_SECRET_{name}: {error}") from None
        # The machine's own clock: a receiver takes a signature that is some minutes old for a stranger's.
        return signing.headers(key, webhook_id=delivery.delivery_id, timestamp=int(time.time()), body=delivery.body)


def _in_short(answer: bytes) -> str:
    """Its first words in one line, without what is no sign at all."""
    text = answer[: 4 * KEPT].decode("utf-8", "replace")
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:KEPT]

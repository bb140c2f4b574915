"""Posts the body, a JSON document, to a web service of the client's, through the one guard of HTTP requests.

`Idempotency-Key` holds the delivery's id. Any answer of 2xx means that it was taken. Any other is tried again, since
whoever maintains the service can mend it. Only what our own guard refuses is refused for good.
"""

from __future__ import annotations

from typing import Final

from callrouter.core.effects import HttpRequest
from callrouter.delivery.channel import Channel, Delivered, FailedForGood, FailedForNow, Outcome
from callrouter.delivery.ports import Delivery
from callrouter.errors import RequestFailed, RequestForbidden, RequestRefused

TIMEOUT_SECONDS: Final = 10.0


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
            await self.tools.http.send(request, TIMEOUT_SECONDS, {"Idempotency-Key": delivery.delivery_id})
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
        return Delivered()

"""Posts SMS to a gateway over HTTP, a provider's or one's own, through the one guard of HTTP requests.

What it is asked, and what it may answer, is in the integrator's guide: JSON with `id`, `to`, `from` and `text`. It
answers 2xx when it has taken the SMS on, with the `id` that its receipts will name. What is wrong with a number or a
text (400, 410, 413, 422) is not tried again. When no answer came, or a proxy before it lost one, it may have taken it.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec
from msgspec import Struct

from callrouter.core.effects import HttpRequest
from callrouter.delivery.channel import Channel, Delivered, FailedForGood, FailedForNow, Outcome
from callrouter.delivery.ports import Delivery
from callrouter.delivery.servers import SmsGateway
from callrouter.errors import RequestFailed, RequestForbidden, RequestRefused

TIMEOUT_SECONDS: Final = 10.0
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{5,14}")
_OF_NO_USE: Final = (400, 410, 413, 422)
"""The gateway understood it, and will never take it."""
_LOST: Final = (502, 504)
"""A proxy's: what the gateway itself did is not known."""
_LONGEST_ID: Final = 200


class Asked(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"sender": "from"}):
    """What the gateway is posted."""

    id: str
    """The delivery's: the same at each repetition."""
    to: str
    sender: str = ""
    text: str


class _Answer(Struct):
    id: str | int | None = None


class Sms(Channel):
    """HTTP POST."""

    name = "sms"
    schemes = frozenset({"sms"})
    deadline_seconds = TIMEOUT_SECONDS + 2.0  # the request's own time-out comes first, and names the host

    def check(self, address: str) -> str | None:
        """Whether it is a number, there is a gateway, and the operator allows its host."""
        if not _NUMBER.fullmatch(_number(address)):
            return "it is not a telephone number with its country's code: sms:+33612345678"
        if self.tools.sms is None:
            return "no SMS gateway is set: CALLROUTER_SMS_URL"
        wrong = self.tools.http.why_forbidden(self.tools.sms.url)
        return f"CALLROUTER_SMS_URL: {wrong}" if wrong else None

    def destination(self, address: str) -> str:
        """The gateway."""
        return self.tools.http.host_of(self._gateway.url)

    async def send(self, delivery: Delivery) -> Outcome:
        """One request."""
        gateway, http = self._gateway, self.tools.http
        asked = Asked(id=delivery.delivery_id, to=_number(delivery.address), text=delivery.body, sender=gateway.sender)
        request = HttpRequest(method="POST", url=gateway.url, body=msgspec.json.encode(asked).decode())
        headers = {"Idempotency-Key": delivery.delivery_id}
        if gateway.secret:
            headers["Authorization"] = f"Bearer {gateway.secret}"
        try:
            answer = await http.send(request, TIMEOUT_SECONDS, headers)
            receipt_id = await http.beside(_receipt_id, answer)
        except RequestForbidden as error:
            return FailedForGood(reason=str(error))
        except RequestRefused as error:
            return _refused(error)
        except RequestFailed as error:
            return FailedForNow(reason=str(error), destination_answers=False, fate_unknown=error.may_have_arrived)
        return Delivered(receipt_id=receipt_id)

    @property
    def _gateway(self) -> SmsGateway:
        assert self.tools.sms is not None, "asked for addresses that pass the check"
        return self.tools.sms


def _refused(error: RequestRefused) -> Outcome:
    if error.status in _OF_NO_USE:
        return FailedForGood(reason=str(error))
    hint = " (CALLROUTER_SMS_SECRET)" if error.status in (401, 403) else ""
    return FailedForNow(
        reason=f"{error}{hint}",
        destination_answers=error.status < 500,
        retry_after_seconds=error.retry_after_seconds,
        fate_unknown=error.status in _LOST,
    )


def _receipt_id(answer: bytes) -> str | None:
    """None: it gave none that could be used."""
    try:
        given = msgspec.json.decode(answer, type=_Answer).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    text = str(given) if given is not None else ""
    return text if text.isprintable() and 0 < len(text) <= _LONGEST_ID else None


def _number(address: str) -> str:
    return address.partition(":")[2]

"""Performs `Lookup`: asks a web service while the caller waits, and gives the call the answer.

Each carries a key (`Idempotency-Key`) that is the same whenever the same question of the same call is asked again, by
whichever engine.

Each lookup is a task of its own: nothing it does can hold up another call. It ends with the call it belongs to.
Each host has a circuit breaker, so that callers do not wait for a service that is known to be away.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any, Final

import structlog

from callrouter.core.effects import Lookup, LookupField
from callrouter.core.inputs import LookupDone, LookupFailed
from callrouter.errors import RequestFailed, RequestForbidden, RequestRefused
from callrouter.runtime.breaker import Breaker
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.runtime.ports import UNHEARD, Clock, Inbox, LookupMeter
from callrouter.runtime.tasks import Tasks

log = structlog.get_logger(__name__)

IDEMPOTENCY: Final = "Idempotency-Key"
MAX_RUNNING = 500
"""Lookups at a time; what comes beyond fails at once, as it would by waiting for the others."""


class Lookups:
    """The lookups of all live calls."""

    def __init__(
        self,
        *,
        http: GuardedHttp,
        clock: Clock,
        tasks: Tasks,
        meter: LookupMeter | None = None,
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        self._inbox: Inbox = UNHEARD
        self._http = http
        self._clock = clock
        self._tasks = tasks
        self._meter = meter
        self._monotonic = monotonic
        self._breakers: dict[str, Breaker] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def tells(self, inbox: Inbox) -> None:
        """Subscribe, before the first call: every answer goes there."""
        self._inbox = inbox

    def start(self, call_id: str, step: int, lookup: Lookup) -> None:
        """Ask; the answer comes back through the inbox and names the step."""
        self.cancel(call_id)
        if len(self._running) >= MAX_RUNNING:
            self._count(lookup, "failed", 0.0)
            self._inbox.tell(
                call_id, LookupFailed(step=step, reason="too many lookups at a time", at=self._clock.now())
            )
            return
        self._running[call_id] = self._tasks.start(self._ask(call_id, step, lookup), f"lookup {call_id}")

    def cancel(self, call_id: str) -> None:
        """The call does not wait for it any more."""
        task = self._running.pop(call_id, None)
        if task is not None:
            task.cancel()

    @property
    def running(self) -> int:
        """How many are out."""
        return len(self._running)

    async def _ask(self, call_id: str, step: int, lookup: Lookup) -> None:
        told: LookupDone | LookupFailed
        began = self._monotonic()
        try:
            body = await self._answer(lookup, f"{call_id}-l{step}")
            values = await self._http.beside(extract, body, lookup.fields)
            told = LookupDone(step=step, values=values, at=self._clock.now())
        except RequestFailed as error:
            told = LookupFailed(step=step, reason=str(error), at=self._clock.now())
        except Exception:
            # A fault of ours must not keep the caller waiting: they go the way of any lookup that failed.
            log.exception("a lookup failed in an unforeseen way", call_id=call_id)
            told = LookupFailed(step=step, reason="the lookup failed", at=self._clock.now())
        self._count(lookup, "answered" if isinstance(told, LookupDone) else "failed", self._monotonic() - began)
        # Before the call gets the answer: what it does next must not cancel this very task.
        if self._running.get(call_id) is asyncio.current_task():
            del self._running[call_id]
        self._inbox.tell(call_id, told)

    async def _answer(self, lookup: Lookup, key: str) -> bytes:
        """The body of a good answer; raises RequestFailed, at once while the host is left alone."""
        host = self._http.host_of(lookup.request.url)
        breaker = self._breakers.setdefault(host, Breaker())
        if not breaker.claim(self._monotonic()):
            raise RequestFailed(breaker.refusal(host))
        try:
            body = await self._http.send(lookup.request, lookup.timeout_seconds, {IDEMPOTENCY: key})
        except RequestFailed as error:
            if isinstance(error, RequestForbidden):
                breaker.release()
            else:  # a refusal (4xx) is an answer: the service is there
                there = isinstance(error, RequestRefused) and error.status < 500
                breaker.note(ok=there, now=self._monotonic())
            raise
        except BaseException:
            breaker.release()
            raise
        breaker.note(ok=True, now=self._monotonic())
        return body

    def _count(self, lookup: Lookup, outcome: str, seconds: float) -> None:
        if self._meter is not None:
            self._meter.observe_lookup(self._http.allowed_as(lookup.request.url), outcome, seconds)


def extract(body: bytes, fields: Sequence[LookupField]) -> Mapping[str, str]:
    """The values of all fields of an answer in JSON.

    Raises:
        RequestFailed: it is no JSON, or a field is missing, is no single value, or is longer than asked for.
    """
    if not fields:
        return {}
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestFailed("the answer is no JSON") from error
    return {field.variable: _value(document, field) for field in fields}


def _value(document: Any, field: LookupField) -> str:
    found, path = document, ".".join(field.path)
    for key in field.path:
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isascii() and key.isdecimal() and len(key) < 6 and int(key) < len(found):
            found = found[int(key)]
        else:
            raise RequestFailed(f"the answer has no {path}")
    text = _text(found)
    if text is None:
        raise RequestFailed(f"{path} of the answer is no single value")
    # As the call will carry it: quotes and backslashes are written with one more.
    if len(json.dumps(text, ensure_ascii=False).encode()) - 2 > field.longest:
        raise RequestFailed(f"{path} of the answer is longer than {field.longest} bytes")
    return text


def _text(value: object) -> str | None:
    """A single value as one line of text; a stranger's control characters and halves of characters become spaces."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value) if abs(value) < 1e18 else None
        case str():
            return " ".join("".join(char if char.isprintable() else " " for char in value).split())
        case _:
            return None

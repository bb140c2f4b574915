"""Requests to web services of clients: whom we may ask, with which secrets, and when we had better not.

Nothing that a document or a caller says can lead a request elsewhere than to a host the operator allows: redirects are
not followed, no cookie is kept, no proxy or password is taken from the environment, and no more than 64 KiB of an
answer are read. A secret of a header is known by name (`env:CRM`) until the request is written.

Each host has a circuit breaker: after some failures in a row it is not asked for a while, so that callers do not wait
for a service that is known to be away; then one request tries whether it is back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from callrouter.core.effects import HttpRequest
from callrouter.errors import CallrouterError

MAX_ANSWER_BYTES = 65_536
FAILURES_TO_OPEN = 5
OPEN_SECONDS = 30.0
MAX_CONNECTIONS = 50
NOT_ALLOWED = "other"
"""Stands in figures for all hosts that may not be asked."""
SECRET_PREFIX = "env:"  # noqa: S105 - how a reference to a secret begins


class RequestFailed(CallrouterError):
    """A request came to nothing; the text says why, and never holds a secret. `forbidden`: it never will."""

    def __init__(self, reason: str, *, forbidden: bool = False) -> None:
        super().__init__(reason)
        self.forbidden = forbidden


@dataclass(slots=True)
class Breaker:
    """One host's circuit breaker. Instants are those of a monotonic clock, in seconds."""

    failures: int = 0
    closed_at: float = 0.0
    """Until then the host is not asked."""
    trying: bool = False
    """One request is out to see whether it is back."""

    def admit(self, now: float) -> bool:
        """Whether it may be asked now."""
        if self.failures < FAILURES_TO_OPEN:
            return True
        if now < self.closed_at or self.trying:
            return False
        self.trying = True
        return True

    def note(self, *, ok: bool, now: float) -> None:
        """How it went."""
        self.trying = False
        if ok:
            self.failures = 0
            return
        self.failures += 1
        self.closed_at = now + OPEN_SECONDS

    def forget(self) -> None:
        """The request was given up by us: it says nothing about the host."""
        self.trying = False


class GuardedHttp:
    """Sends requests; one for the whole engine.

    Args:
        hosts: those that may be asked: `crm.example`, `crm.example:8443`, or `*.example` for all below it.
        secrets: by name, without prefix.
    """

    def __init__(
        self,
        hosts: Iterable[str],
        secrets: Mapping[str, str],
        *,
        user_agent: str = "callrouter",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hosts = frozenset(host.strip().lower() for host in hosts)
        self._secrets = dict(secrets)
        self._user_agent = user_agent
        self._clock = clock
        self._breakers: dict[str, Breaker] = {}
        self._made: httpx.AsyncClient | None = None

    async def send(self, request: HttpRequest, timeout_seconds: float, extra: Mapping[str, str] | None = None) -> bytes:
        """Send it, and return the body of a good answer (2xx).

        Raises:
            RequestFailed: it may not be sent, or there was no good answer in time.
        """
        url = self._allowed(request.url)
        headers = {"User-Agent": self._user_agent, "Accept": "application/json", **(extra or {})}
        headers |= {name: self._revealed(value) for name, value in request.headers}
        if request.body:
            headers["Content-Type"] = "application/json"
        host = _authority(url)
        breaker = self._breakers.setdefault(host, Breaker())
        if not breaker.admit(self._clock()):
            raise RequestFailed(f"{host} has failed {breaker.failures} times in a row: it is not asked for a while")
        try:
            status, body = await self._exchange(request, url, headers, timeout_seconds)
        except RequestFailed:
            breaker.note(ok=False, now=self._clock())
            raise
        except BaseException:
            breaker.forget()
            raise
        # A refusal (4xx) is an answer: the service is there.
        breaker.note(ok=status < 500, now=self._clock())
        if not 200 <= status <= 299:
            raise RequestFailed(f"{host} answered {status}" + (" (not followed)" if 300 <= status <= 399 else ""))
        return body

    async def close(self) -> None:
        """Close what connections are left."""
        made, self._made = self._made, None
        if made is not None:
            await made.aclose()

    @property
    def _client(self) -> httpx.AsyncClient:
        # Made when it is first needed: the certificates of the whole world take a while to read.
        if self._made is None:
            self._made = httpx.AsyncClient(
                follow_redirects=False,
                trust_env=False,
                cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=())),
                limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS // 2),
            )
        return self._made

    async def _exchange(
        self, request: HttpRequest, url: httpx.URL, headers: Mapping[str, str], timeout_seconds: float
    ) -> tuple[int, bytes]:
        content = request.body.encode() if request.body else None
        host = _authority(url)
        try:
            async with (
                asyncio.timeout(timeout_seconds),
                self._client.stream(
                    request.method, url, headers=headers, content=content, timeout=timeout_seconds
                ) as answer,
            ):
                return answer.status_code, await _bounded(answer, host)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise RequestFailed(f"{host} did not answer within {timeout_seconds:g} s") from error
        except (httpx.HTTPError, httpx.StreamError, OSError, ValueError) as error:
            raise RequestFailed(f"{host} cannot be asked: {type(error).__name__}") from error

    def allowed_as(self, written: str) -> str:
        """The entry of the operator's list by which this address may be asked, or `other`: few names, for figures."""
        try:
            names = _names_of(self._allowed(written))
        except RequestFailed:
            return NOT_ALLOWED
        return next(name for name in names if name in self._hosts)

    def _allowed(self, written: str) -> httpx.URL:
        try:
            url = httpx.URL(written)
        except (httpx.InvalidURL, ValueError) as error:
            raise RequestFailed("the address is none", forbidden=True) from error
        host = url.host.lower()
        if url.scheme not in ("http", "https") or not host or url.userinfo:
            raise RequestFailed("the address is none of a web service", forbidden=True)
        if self._hosts.isdisjoint(_names_of(url)):
            raise RequestFailed(
                f"{host} may not be asked: add it to CALLROUTER_OUTGOING_HOSTS if it is meant", forbidden=True
            )
        return url

    def _revealed(self, value: str) -> str:
        if not value.startswith(SECRET_PREFIX):
            return value
        name = value.removeprefix(SECRET_PREFIX)
        if name not in self._secrets:
            raise RequestFailed(f"CALLROUTER_SECRET_{name} is not set in the engine's environment", forbidden=True)
        return self._secrets[name]


def is_among(hosts: Collection[str], host: str, port: int) -> bool:
    """Whether a host is one of those that may be asked, as `CALLROUTER_OUTGOING_HOSTS` writes them."""
    return not set(_names(host, port)).isdisjoint(hosts)


def _names_of(url: httpx.URL) -> tuple[str, ...]:
    """All entries of a list of hosts that would allow this address."""
    return _names(url.host.lower(), url.port or (443 if url.scheme == "https" else 80))


def _names(host: str, port: int) -> tuple[str, ...]:
    below = (f"*.{host.split('.', n)[n]}" for n in range(1, host.count(".") + 1))
    return (host, f"{host}:{port}", f"[{host}]:{port}", *below)


async def _bounded(answer: httpx.Response, host: str) -> bytes:
    """The body, unless it is more than anybody needs."""
    body = bytearray()
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise RequestFailed(f"{host} answered more than {MAX_ANSWER_BYTES // 1024} KiB")
    return bytes(body)


def _authority(url: httpx.URL) -> str:
    return url.netloc.decode("ascii", "replace")

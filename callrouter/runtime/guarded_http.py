"""The one guard of all HTTP requests to clients' web services: whom we may ask, and with which secrets.

Nothing that a document or a caller says can lead a request elsewhere than to a host the operator allows: redirects are
not followed, no cookie is kept, no proxy or password is taken from the environment, and no more than 64 KiB of an
answer are read, as they come: one that is compressed is refused. A secret of a header is known by name (`env:CRM`)
until the request is written.

What a service sends is read in a thread of its own: however it cuts its answer into pieces, calls' own loop goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar
from typing import Any, Final, ParamSpec, TypeVar

import httpx

from callrouter.core.effects import HttpRequest
from callrouter.errors import RequestFailed, RequestForbidden, RequestRefused
from callrouter.runtime.fence import Fence
from callrouter.runtime.own_thread import OwnThread
from callrouter.runtime.pools_by_host import PoolsByHost

P = ParamSpec("P")
T = TypeVar("T")

MAX_ANSWER_BYTES: Final = 65_536
MAX_CONNECTIONS: Final = 54
"""To one host: 50 for lookups, and those of deliveries at a time (`delivery.slots`)."""
MAX_KEPT: Final = 16
"""Of them, those that are kept for the next request."""
NOT_ALLOWED: Final = "other"
"""Stands in figures for all hosts that may not be asked."""
LONGEST_RETRY_AFTER: Final = 64
"""Characters; an instant of HTTP's has 29."""
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""After these the other side has seen nothing of a request."""
SECRET_PREFIX: Final = "env:"  # noqa: S105 - how a reference to a secret begins


class GuardedHttp:
    """Sends requests; one for the whole engine.

    Args:
        hosts: those that may be asked: `crm.example`, `crm.example:8443`, or `*.example` for all below it.
        secrets: by name, without prefix.
        user_agent: who we say we are.
        fence: whether we may ask anybody now: a request waits until it holds.
    """

    def __init__(
        self,
        hosts: Iterable[str],
        secrets: Mapping[str, str],
        *,
        user_agent: str = "callrouter",
        fence: Fence | None = None,
    ) -> None:
        self._fence = fence or Fence(needs_proof=False)
        names = [host.strip().lower() for host in hosts]
        self._hosts = {name: names.index(name) + 1 for name in names}
        """By name, as they are compared: the place in the operator's list, from 1."""
        self._secrets = dict(secrets)
        self._user_agent = user_agent
        self._made: httpx.AsyncClient | None = None
        self._thread = OwnThread("web services")

    async def send(self, request: HttpRequest, timeout_seconds: float, extra: Mapping[str, str] | None = None) -> bytes:
        """Send it, with `extra` headers, and return the body of a good answer (2xx).

        Raises:
            RequestForbidden: it may not be sent.
            RequestRefused: the service gave another answer.
            RequestFailed: there was no whole answer in time.
        """
        url = self._allowed(request.url)
        headers = {
            "User-Agent": self._user_agent,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            **(extra or {}),
        }
        headers |= {name: self._revealed(value) for name, value in request.headers}
        if request.body:
            headers["Content-Type"] = "application/json"
        await self._fence.passed()
        return await self._thread.run(self._exchange(request, url, headers, timeout_seconds))

    async def beside(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Look at an answer in the thread that read it; gives what the function returns, or raises."""
        return await self._thread.call(function, *args, **kwargs)

    async def close(self) -> None:
        """Close what connections are left."""
        made, self._made = self._made, None
        if made is not None:
            await self._thread.run(made.aclose())
        await self._thread.stop()

    def host_of(self, written: str) -> str:
        """The host of an address, with its port if it is an unusual one.

        Raises:
            RequestForbidden: it may not be asked.
        """
        return _authority(self._allowed(written))

    def allowed_as(self, written: str) -> str:
        """Which entry of the operator's list allows this address, counted from 1, or `other`.

        For figures, which anybody may read who reaches /metrics: no name of a host.
        """
        try:
            names = _names_of(self._allowed(written))
        except RequestForbidden:
            return NOT_ALLOWED
        return str(min(self._hosts[name] for name in names if name in self._hosts))

    def why_forbidden(self, written: str) -> str | None:
        """Why this address may never be asked, and what to do about it; None when it may be."""
        try:
            self._allowed(written)
        except RequestForbidden as error:
            return str(error)
        return None

    @property
    def _client(self) -> httpx.AsyncClient:
        # Made when it is first needed: the certificates of the whole world take a while to read.
        if self._made is None:
            self._made = httpx.AsyncClient(
                follow_redirects=False,
                trust_env=False,
                cookies=_NoCookies(),
                transport=PoolsByHost(
                    httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_KEPT)
                ),
            )
        return self._made

    async def _exchange(
        self, request: HttpRequest, url: httpx.URL, headers: Mapping[str, str], timeout_seconds: float
    ) -> bytes:
        content = request.body.encode() if request.body else None
        host = _authority(url)
        if not self._fence.holds:  # this process was stopped on its way here, and another engine may have asked
            raise RequestFailed(f"{host} is not asked: this engine was held up")
        try:
            async with (
                asyncio.timeout(timeout_seconds),
                self._client.stream(
                    request.method, url, headers=headers, content=content, timeout=timeout_seconds
                ) as answer,
            ):
                body = await _bounded(answer, host)
        except (TimeoutError, httpx.TimeoutException) as error:
            sentence = f"{host} did not answer within {timeout_seconds:g} s"
            raise RequestFailed(sentence, may_have_arrived=not isinstance(error, _NEVER_SENT)) from error
        except (httpx.HTTPError, httpx.StreamError, OSError, ValueError) as error:
            sentence = f"{host} cannot be asked: {type(error).__name__}"
            raise RequestFailed(sentence, may_have_arrived=not isinstance(error, _NEVER_SENT)) from error
        if not answer.is_success:
            raise _refused(answer, host)
        return body

    def _allowed(self, written: str) -> httpx.URL:
        try:
            url = httpx.URL(written)
        except (httpx.InvalidURL, ValueError) as error:
            raise RequestForbidden("it is not an address") from error
        host = url.host.lower()
        if url.scheme not in ("http", "https") or not host or url.userinfo:
            raise RequestForbidden("it is not the address of a web service")
        if self._hosts.keys().isdisjoint(_names_of(url)):
            raise RequestForbidden(f'"{host}" is not in CALLROUTER_OUTGOING_HOSTS: it would never be asked')
        return url

    def _revealed(self, value: str) -> str:
        if not value.startswith(SECRET_PREFIX):
            return value
        name = value.removeprefix(SECRET_PREFIX)
        if name not in self._secrets:
            raise RequestForbidden(f"CALLROUTER_SECRET_{name} is not set in the engine's environment")
        return self._secrets[name]


class _NoCookies(CookieJar):
    """Keeps none, and does not even read them."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """None of them is taken."""


def _names_of(url: httpx.URL) -> tuple[str, ...]:
    """All entries of a list of hosts that would allow this address."""
    host, port = url.host.lower(), url.port or (443 if url.scheme == "https" else 80)
    below = (f"*.{host.split('.', n)[n]}" for n in range(1, host.count(".") + 1))
    return (host, f"{host}:{port}", f"[{host}]:{port}", *below)


async def _bounded(answer: httpx.Response, host: str) -> bytes:
    """The body as it came, unless it is more than anybody needs, or would have to be unpacked to be counted.

    We ask for an answer that is not compressed (RFC 9110, 12.5.3); a service that sends one all the same is not read.
    """
    if answer.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise RequestFailed(f"{host} compressed its answer, which was not asked for", may_have_arrived=True)
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise RequestFailed(f"{host} answered more than {MAX_ANSWER_BYTES // 1024} KiB", may_have_arrived=True)
    return bytes(body)


def _refused(answer: httpx.Response, host: str) -> RequestRefused:
    said = f"{host} answered {answer.status_code}" + (" (not followed)" if 300 <= answer.status_code <= 399 else "")
    return RequestRefused(
        said,
        status=answer.status_code,
        retry_after_seconds=_seconds(answer.headers.get("Retry-After", "")[:LONGEST_RETRY_AFTER]),
    )


def _seconds(retry_after: str) -> float:
    """`Retry-After` (RFC 9110, 10.2.3): seconds, or the instant; 0 when it is neither, or past."""
    if retry_after.isascii() and retry_after.isdecimal() and len(retry_after) < 10:
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
        return max(0.0, (until.astimezone(UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return 0.0


def _authority(url: httpx.URL) -> str:
    return url.netloc.decode("ascii", "replace")

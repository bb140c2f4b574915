"""One connection to Asterisk's manager interface: made by panoramisk's Manager, logged in, and its events chosen.

Log-in asks for no events; who has proved then that they are alone (`leading.claim`) sets this session's event filters,
and only then asks for events: nothing unwanted is ever sent, and nothing is heard by who may not act.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from panoramisk import Manager

from callrouter.asterisk import codec
from callrouter.asterisk.batch import Batch, Headers
from callrouter.asterisk.session import AmiSession
from callrouter.errors import ActionFailed, AmiRefused, AmiUnreachable

log = structlog.get_logger(__name__)

# No genuine event holds an empty line, so an event with one is not sent to us: CR, LF, CR, LF, and something more. The
# pattern is tried on every event. `[[:cntrl:]]{4}` would say the same, and take ten times as long (15 µs an event of
# 600 bytes): in a UTF-8 locale glibc decodes the text first, unless the pattern is of plain characters and dots. A lone
# CR may stand in an AMI line (`main/manager.c`, get_input).
FORGED_EVENTS: Final = b"Action: Filter\r\nActionID: p/Filter/\r\nOperation: Add\r\nFilter: !(\r.\r..)\r\n\r\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class AmiAddress:
    """Where Asterisk's manager interface is, and who we are there."""

    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    settings: str = "CALLROUTER_AMI_USER and CALLROUTER_AMI_SECRET"
    """Where user and secret are set."""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def exposes_secrets(self) -> bool:
        """Whether others could read what is sent: then the secret itself must not be."""
        try:
            loopback = ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            loopback = self.host == "localhost"
        return not loopback


class _Connector(Manager):  # type: ignore[misc]  # panoramisk is not typed
    """Manager without its own log-in, ping and reconnection, which `link` replaces."""

    def connection_made(self, f: asyncio.Future[Any]) -> None:
        if not f.cancelled() and f.exception() is None:
            self.protocol = f.result()[1]


async def open_session(address: AmiAddress, new_session: Callable[[], AmiSession]) -> AmiSession:
    """A connection, not logged in yet. Raises AmiUnreachable."""
    connector = _Connector(
        host=address.host,
        port=address.port,
        ssl=False,
        loop=asyncio.get_running_loop(),
        protocol_factory=new_session,
    )
    try:
        session: AmiSession = (await connector.connect())[1]
    except OSError as error:
        raise AmiUnreachable(
            f"nobody answers at the AMI address {address} ({error.strerror or error}): check that Asterisk "
            "runs, and CALLROUTER_AMI_HOST and CALLROUTER_AMI_PORT against manager.conf"
        ) from error
    return session


async def log_in(session: AmiSession, address: AmiAddress) -> None:
    """Say who we are. Raises AmiRefused."""
    headers = {"Username": address.username, "Events": "off"}
    try:
        if address.exposes_secrets:
            challenge = (await ask(session, "Challenge", {"AuthType": "MD5"}))["Challenge"]
            key = hashlib.md5((challenge + address.secret).encode(), usedforsecurity=False).hexdigest()
            headers |= {"AuthType": "MD5", "Key": key}
        else:
            headers |= {"Secret": address.secret}
        await ask(session, "Login", headers)
    except ActionFailed as error:
        raise _refusal(address, str(error)) from error


def _refusal(address: AmiAddress, text: str) -> AmiRefused:
    said = f"Asterisk at {address} refused the log-in of AMI user {address.username!r}: {text}."
    if "in use" in text.lower():
        return AmiRefused(f"{said} Another engine, or a session that is not dead yet, holds it", in_use=True)
    return AmiRefused(f"{said} Check {address.settings} against manager.conf")


async def choose_events(session: AmiSession, names: Sequence[str]) -> None:
    """Filter this session (`manager.c`, `action_filter`; needs the write class `system`), then ask for events.

    Without them the link works too: what is not wanted is dropped here, before it is decoded.
    """
    batch = Batch(session)
    batch.raw(FORGED_EVENTS)
    answers = [batch.request("Filter", wanted(name)) for name in names]
    answers.append(batch.request("Events", {"EventMask": "on"}))
    batch.write()
    results = await asyncio.gather(*answers, return_exceptions=True)
    refusal = next((result for result in results if isinstance(result, ActionFailed)), None)
    if refusal is not None:
        log.warning(
            "Asterisk refused an event filter: unwanted events cost CPU, and callers may forge some; "
            "give the AMI user the write class 'system'",
            reason=str(refusal),
        )
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, ActionFailed):
            raise result


def wanted(event: str) -> dict[str, str]:
    """Headers of a Filter that lets an event through (`manager.c`, action_filter)."""
    return {"Operation": "Add", "MatchCriteria": f"name({event}),method(none)"}


async def ask(session: AmiSession, name: str, headers: Headers) -> codec.AmiMessage:
    """One action; its response, or ActionFailed or AmiUnreachable."""
    batch = Batch(session)
    future = batch.request(name, headers)
    batch.write()
    return await future

"""What is sent together, and who waits for what. No I/O of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from callrouter.asterisk import actions, codec
from callrouter.asterisk.asyncagi import AgiResult
from callrouter.asterisk.commands import AgiCommand
from callrouter.errors import AmiError

Headers = Mapping[str, str] | Iterable[tuple[str, str]]
OnResult = Callable[[AgiResult | AmiError], None]
"""Told the result of an AGI command; ChannelGone or ActionFailed when Asterisk did not queue it, AmiUnreachable when
the connection was lost before the result came (the command may still run)."""


@dataclass(slots=True)
class Request:
    """An action somebody waits for; with `items`, until its list is complete."""

    future: asyncio.Future[codec.AmiMessage] | asyncio.Future[list[codec.AmiMessage]]
    items: list[codec.AmiMessage] | None = None


@dataclass(slots=True)
class Pending:
    """Who waits: for results by command id, for responses by action id."""

    results: dict[bytes, OnResult] = field(default_factory=dict)
    requests: dict[bytes, Request] = field(default_factory=dict)


class Outlet(Protocol):
    """Where a batch goes."""

    command_prefix: bytes
    """How the CommandIDs of this session begin; the ActionID follows."""

    def next_id(self, kind: bytes) -> bytes: ...

    def submit(self, data: bytes, requests: dict[bytes, Request], results: dict[bytes, OnResult]) -> None: ...


class Batch:
    """Actions that leave together, in one write: wake and lease rest on that.

    Nothing is sent, and no future can fail, before `write`. Without a connection `write` fails all of it with
    AmiUnreachable. Every method raises EncodingError for what cannot be written.
    """

    __slots__ = ("_outlet", "_parts", "_requests", "_results", "raw")

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._parts: list[bytes] = []
        self._requests: dict[bytes, Request] = {}
        self._results: dict[bytes, OnResult] = {}
        self.raw: Callable[[bytes], None] = self._parts.append
        """Whole posted actions that `actions` made; their success is dropped, an error goes to `on_post_error`."""

    def post(self, name: str, headers: Headers, *, about: str = "") -> None:
        """An action nobody waits for; `about` is repeated should it fail."""
        self._parts.append(codec.encode_action(name, headers, f"p/{name}/{about}"))

    def agi(self, channel: actions.ChannelActions, command: AgiCommand, on_result: OnResult) -> bytes:
        """Queue an AGI command; returns its id, for `AmiLink.abandon`. The channel needs a wake-up after
        it.
        """
        action_id = self._outlet.next_id(actions.AGI)
        command_id = self._outlet.command_prefix + action_id
        self._parts.append(channel.agi(command, command_id, action_id))
        self._results[command_id] = on_result
        return command_id

    def request(self, name: str, headers: Headers = ()) -> asyncio.Future[codec.AmiMessage]:
        """An action whose response is awaited: ActionFailed or ChannelGone when it is an error."""
        future: asyncio.Future[codec.AmiMessage] = asyncio.get_running_loop().create_future()
        self._add(name, headers, Request(future))
        return future

    def collect(self, name: str, headers: Headers = ()) -> asyncio.Future[list[codec.AmiMessage]]:
        """An action answered by a list (`Status`, `QueueStatus` …): its response, its events, and the
        closing event.
        """
        future: asyncio.Future[list[codec.AmiMessage]] = asyncio.get_running_loop().create_future()
        self._add(name, headers, Request(future, []))
        return future

    def _add(self, name: str, headers: Headers, request: Request) -> None:
        action_id = self._outlet.next_id(actions.REQUEST)
        self._parts.append(codec.encode_action(name, headers, action_id.decode()))
        self._requests[action_id] = request

    def write(self) -> None:
        """Send everything at once. A batch is written once."""
        self._outlet.submit(b"".join(self._parts), self._requests, self._results)

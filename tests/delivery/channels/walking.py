"""What every channel must show, whichever it is: its case file in `cases/` holds the examples.

A case file `NAME.py` has

ADDRESSES  addresses of the channel's schemes, each with a part of what `check` says against it, or None: it is right
SENDS      what a receiver may do, each with the outcome of an attempt and a part of its reason; all outcomes occur
room()     an async context manager: a `Room` with a real receiver
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import get_args

from callrouter.delivery.channel import Channel, Delivered, Outcome, Tools
from callrouter.delivery.ports import Delivery

CASES = Path(__file__).parent / "cases"
PARTS = ("name", "schemes", "deadline_seconds")
"""What a channel must say of itself; what it must do is abstract, so that Python asks for it."""
NASTY = ("", "://", "\x00", "//\r\nX: 1", "[", "@@", "%", "x" * 5000, "\ud800")
"""Ends of addresses that no channel may trip over."""


@dataclass(kw_only=True)
class Room:
    """A channel's tools, and a receiver that behaves as its addresses say."""

    tools: Tools
    address: Callable[[str], str]
    """That of a receiver which does what one of SENDS says."""
    received: Callable[[], Sequence[bytes]]
    """All that has come in, as it came."""
    body: Callable[[str], str] = lambda _id: '{"data": {}}'
    """What is delivered under an id."""

    def delivery(self, behaviour: str, delivery_id: str = "c1-n0") -> Delivery:
        """One to whoever behaves so."""
        return replace(delivery_to(self.address(behaviour), delivery_id), body=self.body(delivery_id))


@dataclass(kw_only=True)
class Cases:
    """A case file."""

    addresses: Mapping[str, str | None]
    sends: Mapping[str, tuple[type[Outcome], str]]
    room: Callable[[], AbstractAsyncContextManager[Room]]


def cases_of(channel: type[Channel], folder: Path = CASES) -> Cases:
    """Its case file."""
    module = _loaded(folder / f"{channel.name}.py")
    return Cases(addresses=module.ADDRESSES, sends=module.SENDS, room=module.room)


def missing(channels: Sequence[type[Channel]], folder: Path = CASES) -> Iterator[str]:
    """What these channels owe: parts, cases, and files nobody reads."""
    names = set()
    for channel in channels:
        parts = [part for part in PARTS if not hasattr(channel, part)]
        yield from (f"{channel.__name__} does not say its {part}" for part in parts)
        if parts:
            continue
        names.add(channel.name)
        if not (folder / f"{channel.name}.py").exists():
            yield f"write cases/{channel.name}.py"
            continue
        yield from _incomplete(channel, cases_of(channel, folder))
    yield from sorted(
        f"cases/{path.stem}.py has no channel" for path in folder.glob("[a-z]*.py") if path.stem not in names
    )


def delivery_to(address: str, delivery_id: str = "c1-n0") -> Delivery:
    """One, with a body of JSON."""
    return Delivery(
        delivery_id=delivery_id,
        call_id="c1",
        client="acme",
        contact="crm",
        address=address,
        body='{"data": {}}',
        asked_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
    )


async def check_channel(kind: type[Channel], folder: Path = CASES) -> None:
    """All of its cases."""
    cases = cases_of(kind, folder)
    async with cases.room() as room:
        channel = kind(room.tools)
        for address, wrong in cases.addresses.items():
            said = channel.check(address)
            assert (said is None) == (wrong is None), (address, said)
            assert wrong is None or wrong in str(said), address
            assert wrong is not None or channel.destination(address), address
        for scheme in channel.schemes:
            for end in NASTY:
                if channel.check(f"{scheme}:{end}") is None:
                    channel.destination(f"{scheme}:{end}")
        for behaviour, (expected, reason) in cases.sends.items():
            outcome = await channel.send(room.delivery(behaviour))
            assert type(outcome) is expected, (behaviour, outcome)
            assert isinstance(outcome, Delivered) or reason in outcome.reason, behaviour
        taken = next(behaviour for behaviour, (outcome, _) in cases.sends.items() if outcome is Delivered)
        await _check_repetition(channel, room, taken)
        await channel.close()


async def _check_repetition(channel: Channel, room: Room, taken: str) -> None:
    """Whatever is sent again holds the same id."""
    before = len(room.received())
    for _ in range(2):
        assert type(await channel.send(room.delivery(taken, "call-1-n7"))) is Delivered
    arrived = room.received()[before:]

    assert len(arrived) == 2
    assert all(b"call-1-n7" in one for one in arrived)


def _incomplete(channel: type[Channel], cases: Cases) -> Iterator[str]:
    occurring = {outcome for outcome, _ in cases.sends.values()}
    for outcome in get_args(Outcome):
        if outcome not in occurring:
            yield f"cases/{channel.name}.py: no case is {outcome.__name__}"
    if not any(cases.addresses.values()) or all(cases.addresses.values()):
        yield f"cases/{channel.name}.py: ADDRESSES needs right ones and wrong ones"
    for address in cases.addresses:
        if address.partition(":")[0] not in channel.schemes:
            yield f"cases/{channel.name}.py: {address} is none of {channel.name}"


def _loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"cases_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

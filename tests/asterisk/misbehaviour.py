"""What the switch never does, done to its calls: commands and leases past its rules, events out of thin air."""

from __future__ import annotations

import asyncio

from callrouter.asterisk import commands
from callrouter.asterisk.actions import ChannelActions
from callrouter.asterisk.asyncagi import AgiResult
from callrouter.asterisk.codec import AmiMessage
from callrouter.errors import AmiError
from tests.asterisk.engine_room import EngineRoom


def message(**headers: str) -> AmiMessage:
    """An event as the codec would hand it over."""
    made = AmiMessage()
    made.update(headers)
    return made


async def wake(room: EngineRoom, call_id: str, lease_seconds: float) -> None:
    """A wake and a lease past the switch's rules."""
    room.link.post_batch(room.switch.lines[call_id].channel.wake(lease_seconds))
    await asyncio.sleep(0.02)


async def raw(room: EngineRoom, call_id: str, command: commands.AgiCommand, *, nudge: bool = False) -> None:
    """An AGI command past the switch's rules."""
    channel = room.switch.lines[call_id].channel
    batch = room.link.batch()
    batch.agi(channel, command, lambda _: None)
    batch.raw(channel.wake(60.0))
    batch.write()
    if nudge:
        await end_of_read(room, channel)


async def end_of_read(room: EngineRoom, channel: ChannelActions) -> None:
    """End the Read that runs, so that what is queued behind it runs."""
    await room.link.send("PlayDTMF", {"Channel": channel.channel, "Digit": "#", "Duration": "80", "Receive": "yes"})


async def ask(room: EngineRoom, call_id: str, *orders: commands.AgiCommand) -> list[AgiResult]:
    """AGI commands past the switch's rules, behind the Read that runs, which is ended; their results."""
    channel, loop = room.switch.lines[call_id].channel, asyncio.get_running_loop()
    futures: list[asyncio.Future[AgiResult | AmiError]] = [loop.create_future() for _ in orders]
    batch = room.link.batch()
    for order, future in zip(orders, futures, strict=True):
        batch.agi(channel, order, future.set_result)
    batch.raw(channel.wake(60.0))
    batch.write()
    await end_of_read(room, channel)
    found = await asyncio.wait_for(asyncio.gather(*futures), 5)
    assert all(isinstance(one, AgiResult) for one in found), found
    return [one for one in found if isinstance(one, AgiResult)]


def where(room: EngineRoom, channel: str) -> tuple[str, str]:
    """Context and application of a channel, as Asterisk says; two empty words for one that is gone."""
    for line in room.pbx.cli("core show channels concise").splitlines():
        name, context, _, _, _, application, *_ = line.split("!")
        if name == channel:
            return context, application
    return "", ""

"""A recording begun anew, into the same file, when somebody else talks, or talks by another RTP stream.

What translates a channel's sound for MixMonitor belongs to one RTP stream: Debian's Asterisk throws away packets whose
sequence numbers are lower than the last stream's, for up to eleven minutes (debian/patches/2016_opus_plc.patch). It is
made new with the first recorder of a channel that has none. A recorder that was stopped is gone with the next frame of
sound that is not thrown away: hold music, or one of the caller's. So: stop, wait until it is gone, begin and append. In
Asterisk's dialplan, where a transfer leads, `callrouter-conversation` does the same without an engine; here it is done
to callers who are in a conversation meanwhile.

Asterisk may begin or end a recording by itself in that moment: each time it does, it counts `CR_TAKE` up first. Who
finds it changed after having begun one stops that one again, by its id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from callrouter.asterisk.batch import Headers
from callrouter.asterisk.codec import AmiMessage
from callrouter.errors import AmiError, ConversationRefused

MOMENT_SECONDS: Final = 0.1
"""So long nothing is recorded, that one packet at least comes or goes: packets of 20 ms are usual, 60 the longest; and
what was heard before is heard no more.
"""
LOOK_SECONDS: Final = 0.02
LONGEST_SECONDS: Final = 1.0
"""A caller whose telephone sends nothing while they are silent may not be heard for longer; it is begun then in any
case, as where a supervisor who has barged in has something of their own on the channel.
"""


class Link(Protocol):
    """What the link can do for us (`AmiLink`)."""

    def send(self, name: str, headers: Headers = ()) -> asyncio.Future[AmiMessage]: ...


async def begin_anew(link: Link, channel: str, recording: str, *, still: Callable[[], bool]) -> None:
    """Begin the recording of that name anew, if it is wanted then (`still`), and Asterisk does not do so by itself.

    Raises:
        ConversationRefused: it does not run any more.
        AmiError: Asterisk does not do it, or the channel has ended.
    """
    file, take = await _variable(link, channel, "CR_RECORDED"), await _variable(link, channel, "CR_TAKE")
    if not file.endswith(f"/{recording}.wav"):
        raise ConversationRefused(f"recording {recording} does not run any more")
    with suppress(AmiError):  # it was paused while Asterisk began it anew: there is none
        await link.send("StopMixMonitor", {"Channel": channel})
    await _until_gone(link, channel)
    if not still():
        return
    begun = await link.send("MixMonitor", {"Channel": channel, "File": file, "Options": "abi(CR_TAPE)"})
    if await _variable(link, channel, "CR_TAKE") != take:
        with suppress(AmiError):  # Asterisk has stopped it itself
            await link.send("StopMixMonitor", {"Channel": channel, "MixMonitorID": begun["MixMonitorID"]})


async def _until_gone(link: Link, channel: str) -> None:
    """Nothing can be muted on a channel that has no recorder, nor a supervisor (`ast_audiohook_set_mute_all`)."""
    asked = {"Channel": channel, "Direction": "both", "State": "0"}
    await asyncio.sleep(MOMENT_SECONDS)
    for _ in range(round((LONGEST_SECONDS - MOMENT_SECONDS) / LOOK_SECONDS)):
        try:
            await link.send("MixMonitorMute", asked)
        except AmiError:
            return
        await asyncio.sleep(LOOK_SECONDS)


async def _variable(link: Link, channel: str, name: str) -> str:
    return (await link.send("Getvar", {"Channel": channel, "Variable": name}))["Value"]

"""Speaks to one caller over the music of a queue, without taking them out of it.

app_queue's own announcements hold the caller's thread as long as they last: nobody is offered meanwhile, and those
behind wait too (app_queue.c, wait_our_turn, say_periodic_announcement). So the sentence is played on a Local channel
whose other half whispers to the caller (ChanSpy()), and what happens in the queue goes on as if nobody spoke. Only one
thing is ever originated: `Local/said@callrouter-whisper/n`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from callrouter.asterisk.link import AmiLink
from callrouter.errors import EncodingError

CONTEXT: Final = "callrouter-whisper"
AGAIN_SECONDS: Final = 0.5
"""Originate is confirmed before its channel exists: who is silenced at that moment is silenced once more."""
MARGIN_SECONDS: Final = 1.0
_UNSAFE: Final = frozenset(",|\"'\\;${}()[]<> \t\r\n\0")


class Whisper:
    """One at a time, for one caller."""

    def __init__(self, link: AmiLink, call_id: str) -> None:
        self._link = link
        self._call_id = call_id
        self._number = 0
        self._until = 0.0

    @property
    def speaks(self) -> bool:
        """Whether something is being said, as far as its length says."""
        return asyncio.get_running_loop().time() < self._until

    def say(self, channel: str, files: Sequence[str], seconds: float) -> None:
        """Play files, which last so long, to whoever has this channel.

        Raises:
            EncodingError: a file's name cannot stand in a channel variable; nothing is said.
        """
        if wrong := next((one for one in files if set(one) & _UNSAFE), None):
            raise EncodingError(f"{wrong[:80]!r} cannot be played to a caller who waits")
        self._number += 1
        self._until = asyncio.get_running_loop().time() + seconds + MARGIN_SECONDS
        batch = self._link.batch()
        batch.post(
            "Originate",
            (
                ("Channel", f"Local/said@{CONTEXT}/n"),
                ("Context", CONTEXT),
                ("Exten", "to"),
                ("Priority", "1"),
                ("Async", "true"),
                ("ChannelId", self._channel_id),
                ("OtherChannelId", f"{self._channel_id}.said"),
                ("Variable", f"__CR_SAID={'&'.join(files)}"),
                ("Variable", f"__CR_TO={channel}"),
            ),
            about=channel,
        )
        batch.write()

    def stop(self) -> None:
        """Say no more, at once."""
        if self.speaks:
            self._until = 0.0
            self._silence()
            asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._silence)

    @property
    def _channel_id(self) -> str:
        return f"{self._call_id}.whisper-{self._number}"

    def _silence(self) -> None:
        if self._link.connected:
            batch = self._link.batch()
            batch.post("Hangup", {"Channel": self._channel_id, "Cause": "16"}, about=self._channel_id)
            batch.write()

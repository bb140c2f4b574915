"""Has recordings of messages written down, one at a time, while this worker works.

Nobody waits for it: a message is told as it is, and whoever is told later, or looks, has the transcript too. Each
recording is tried once; why there is no transcript stands in the message's trail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

from callrouter.core.plan import Plan
from callrouter.errors import StoreError, TranscriptFailed
from callrouter.logs import Outage
from callrouter.runtime.ports import Clock
from callrouter.store.access.sound_file import file_of
from callrouter.store.database import Database
from callrouter.store.messages.transcripts import Spoken, find_spoken, keep_transcript
from callrouter.transcripts.port import Transcriber

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 2.0
PAGE: Final = 50
MOST_SECONDS: Final = 900.0
"""Of a recording: a longer one is no message."""
LEAST_SECONDS: Final = 0.5
FILE_SECONDS: Final = 120.0
"""How long a file is waited for that may come from another machine."""

LivePlan = Callable[[str], Awaitable[Plan | None]]


class Scribe:
    """Of one worker.

    Args:
        database: open.
        transcriber: writes one down.
        recordings: the folder that Asterisk writes to.
        plans: say in which language a client's callers speak.
        clock: of the messages.
        works: whether this worker is the one that works: one of several writes.
    """

    def __init__(
        self,
        database: Database,
        transcriber: Transcriber,
        recordings: Path,
        plans: LivePlan,
        clock: Clock,
        works: Callable[[], bool],
    ) -> None:
        self._database = database
        self._transcriber = transcriber
        self._recordings = recordings
        self._plans = plans
        self._clock = clock
        self._works = works
        self._away = Outage(log, "nothing is transcribed: PostgreSQL is away", "transcripts go on", level="warning")

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            try:
                done = await self.one() if self._works() else False
            except StoreError as error:
                self._away.failed(str(error))
                done = False
            else:
                self._away.ended()
            if not done:
                await asyncio.sleep(LOOK_SECONDS)

    async def one(self) -> bool:
        """Write one down; False: there is none to be written.

        Raises:
            StoreError: PostgreSQL does not answer.
        """
        for spoken in await find_spoken(self._database, self._clock.now(), PAGE):
            path = await asyncio.to_thread(file_of, self._recordings, spoken.recording)
            if path is None and self._may_come(spoken):
                continue
            text, note = await self._written(spoken, path)
            at, by = self._clock.now(), self._transcriber.name
            await keep_transcript(self._database, spoken.message_id, text, by=by, at=at, note=note)
            return True
        return False

    def _may_come(self, spoken: Spoken) -> bool:
        return self._clock.now() - spoken.taken_at < timedelta(seconds=FILE_SECONDS)

    async def _written(self, spoken: Spoken, path: Path | None) -> tuple[str, str]:
        """What it says, or why nobody knows."""
        if path is None:
            return "", "there is no transcript: the recording is gone"
        if spoken.seconds > MOST_SECONDS:
            return "", f"there is no transcript: the recording is longer than {MOST_SECONDS / 60:g} minutes"
        if spoken.seconds < LEAST_SECONDS:
            return "", "there is no transcript: the recording is too short to say anything"
        plan = await self._plans(spoken.client)
        try:
            text = await self._transcriber.transcribe(path, plan.language.partition("-")[0] if plan else "")
        except TranscriptFailed as error:
            log.warning("a recording could not be transcribed", message=spoken.message_id, reason=str(error))
            return "", f"there is no transcript: {error}"
        return text, "" if text else f"there is no transcript: {self._transcriber.name} understood nothing"

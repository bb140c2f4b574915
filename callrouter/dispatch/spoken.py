"""What is said in calls that tell somebody of a message, as files that Asterisk plays, while such a call lasts.

Each call has a folder of its own, under the id of the call, with `greeting`, `pin`, `message`, `choice`, `thanks` and
`taken`. Calls of one PBX are below its name and its database's: several callrouters may share a folder of prompts (a
test beside the service, a demonstration), each with a PBX of the same name, and none deletes what another one says.
What is of one message is spoken beside the cache of prompts: nothing of it stays on disk once its call is over.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import time
import wave
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from callrouter.core.dispatch import Means
from callrouter.core.effects import Sound
from callrouter.core.plan import Plan
from callrouter.delivery.parcel import Parcel
from callrouter.delivery.rendering import telephone
from callrouter.dispatch.enclosing import Made
from callrouter.dispatch.parcels import parcel_of
from callrouter.errors import SpeechError
from callrouter.outgoing.message_ports import DueTelling
from callrouter.store.database import Database
from callrouter.store.dispatch.outbox import OnItsWay, Queued
from callrouter.store.messages import messages_of
from callrouter.store.tables import DeliveryKind

FOLDER: Final = "told"
"""Below that of the prompts, which Asterisk reads."""
RAW: Final = ".spoken"
"""Below a call's: what the speech engine wrote, before it has its name."""
BLOCK_FRAMES: Final = 65_536
LEFT_SECONDS: Final = 86_400.0
"""What is so old is of no call, whoever made it: a call lasts an hour at most (`asterisk.pbx.message_calls`)."""

Say = Callable[[str, str], Sound]
"""Speaks a text in a language; raises SpeechError."""
SpeaksInto = Callable[[Path], Say]
"""What speaks into a folder, and nowhere else."""
_OF_EVERY_CALL: Final = ("pin", "choice", "thanks", "taken")


class SpokenMessages:
    """Those of the engine that leads at a PBX."""

    def __init__(
        self,
        database: Database,
        plan_of: Callable[[str], Plan | None],
        say: Say,
        speaks_into: SpeaksInto,
        *,
        prompts: Path,
        recordings: Path,
        pbx: str,
    ) -> None:
        """`plan_of` is a client's that is in service; `say` speaks what is the same in every call; `prompts` and
        `recordings` are folders that Asterisk reads, `pbx` its name: others may share them.
        """
        self._database = database
        self._plan_of = plan_of
        self._say = say
        self._speaks_into = speaks_into
        self._all = prompts.absolute() / FOLDER
        self._pbx = pbx
        self._folder: Path | None = None
        """Known once PostgreSQL has said which database it is."""
        self._recordings = recordings

    async def make(self, outgoing_id: str, telling: DueTelling, *, opens: bool) -> str:
        """The folder of one call's; what is confidential is said in it where it `opens` by a PIN only.

        Raises:
            SpeechError: it cannot be spoken, or the message is gone.
            StoreError: PostgreSQL does not answer.
        """
        messages = await messages_of(self._database, [telling.message_id])
        if telling.message_id not in messages:
            raise SpeechError("the message is gone")
        confidential = telling.confidential and not opens
        parcel = parcel_of(
            [_told(telling, confidential)], messages, self._plan_of(telling.client), Made(), self._recordings
        )
        return await asyncio.to_thread(self._make, await self._ours() / outgoing_id, parcel)

    async def keep_only(self, outgoing_ids: Collection[str]) -> None:
        """Delete those of all other calls of ours, and what somebody left behind long ago.

        Raises:
            StoreError: PostgreSQL does not answer.
        """
        await asyncio.to_thread(_keep_only, self._all, await self._ours(), frozenset(outgoing_ids))

    async def _ours(self) -> Path:
        if self._folder is None:
            ours = hashlib.sha256((await self._database.identity()).encode()).hexdigest()[:12]
            self._folder = self._all / f"{self._pbx}-{ours}"
        return self._folder

    def _make(self, folder: Path, parcel: Parcel) -> str:
        said = telephone.of(parcel)
        try:
            for one in (folder.parent.parent, folder.parent, folder):
                one.mkdir(parents=True, exist_ok=True)
                one.chmod(0o755)
            for name in _OF_EVERY_CALL:
                _write([_file(self._say(getattr(said, name), said.language))], folder / f"{name}.wav")
            say = self._speaks_into(folder / RAW)
            _write([_file(say(said.greeting, said.language))], folder / "greeting.wav")
            parts = [_file(say(said.message, said.language))]
            if said.plays and (recording := parcel.messages[0].recording) is not None and recording.path.is_file():
                parts.append(recording.path)
            _write(parts, folder / "message.wav")
            shutil.rmtree(folder / RAW, ignore_errors=True)
        except (OSError, wave.Error, EOFError) as error:
            raise SpeechError(f"its sounds cannot be kept in {folder}: {error}") from error
        return str(folder)


def _keep_only(everybodys: Path, ours: Path, outgoing_ids: Collection[str]) -> None:
    oldest = time.time() - LEFT_SECONDS
    for one in everybodys.glob("*/*"):
        is_gone = one.name not in outgoing_ids if one.parent == ours else _changed_at(one) < oldest
        if is_gone:
            shutil.rmtree(one, ignore_errors=True)


def _changed_at(folder: Path) -> float:
    """Epoch seconds; those of a folder that is gone meanwhile are now."""
    try:
        return folder.stat().st_mtime
    except OSError:
        return time.time()


def _file(sound: Sound) -> Path:
    return Path(f"{sound.file}.wav")


def _write(parts: Sequence[Path], path: Path) -> None:
    """One file of several, one after the other; readable by Asterisk's user. Raises OSError, wave.Error."""
    with wave.open(str(path), "wb") as whole:
        for number, part in enumerate(parts):
            with wave.open(str(part), "rb") as read:
                if number == 0:
                    whole.setparams(read.getparams())
                elif read.getparams()[:3] != whole.getparams()[:3]:
                    raise SpeechError(f"the recording {part.name} is not as a telephone plays it")
                while frames := read.readframes(BLOCK_FRAMES):
                    whole.writeframes(frames)
    path.chmod(0o644)


def _told(telling: DueTelling, confidential: bool) -> OnItsWay:
    queued = Queued(
        delivery_id=telling.delivery_id,
        message_id=telling.message_id,
        client=telling.client,
        kind=DeliveryKind.MESSAGE,
        contact=telling.contact,
        means=Means.PHONE,
        address=telling.number,
        batch="",
        last=False,
        attempts=0,
        queued_at=datetime.now(UTC),
    )
    return OnItsWay(queued=queued, confidential=confidential, acknowledged_by="", acknowledged_at=None)

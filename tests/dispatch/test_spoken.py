"""What is said in a call, as files: there before it, readable by Asterisk, gone after it."""

from __future__ import annotations

import os
import wave
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from callrouter.core.call import replace
from callrouter.core.dispatch import Reach
from callrouter.core.effects import Sound
from callrouter.dispatch.spoken import FOLDER, Say, SpokenMessages
from callrouter.errors import SpeechError
from callrouter.outgoing.message_ports import DueTelling
from callrouter.store.database import Database
from tests.dispatch.rooms import a_plan
from tests.postgres import Server
from tests.store.dispatch import rows
from tests.store.dispatch.rows import AT

PLAN = replace(a_plan(Reach(name="doctor", title="Docteur Moreau")), client=rows.MOREAU, name="Cabinet Moreau")


class Voice:
    """Speaks: a frame for each character."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []

    def say(self, text: str, language: str) -> Sound:
        """As `Say`."""
        self.said.append(text)
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{len(self.said)}"
        written(Path(f"{file}.wav"), len(text))
        return Sound(file=str(file), seconds=1.0, text=text)


def written(path: Path, frames: int, rate: int = 8000) -> None:
    """A file of sound."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(b"\1\0" * frames)


def frames_of(path: Path) -> int:
    """How many it has."""
    with wave.open(str(path), "rb") as file:
        return file.getnframes()


def read_by_others(folder: Path) -> list[str]:
    """Names of all files that Asterisk's user may read, if all may be."""
    assert folder.stat().st_mode & 0o005 == 0o005
    return sorted(one.name for one in folder.iterdir() if one.stat().st_mode & 0o004)


class Room:
    """The sounds of one engine."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.prompts, self.recordings = folder / "prompts", folder / "recordings"
        self.recordings.mkdir()
        self.of_every_call = Voice(self.prompts / "en")
        self.of_this_call: list[Voice] = []
        self.sounds = self.of(database)

    def of(self, database: Database) -> SpokenMessages:
        """What a callrouter with another database has there."""
        return SpokenMessages(
            database,
            lambda _: PLAN,
            self.of_every_call.say,
            self._into,
            prompts=self.prompts,
            recordings=self.recordings,
            pbx="pbx-1",
        )

    def _into(self, folder: Path) -> Say:
        self.of_this_call.append(Voice(folder))
        return self.of_this_call[-1].say

    async def telling(self, *, confidential: bool = False, **message: str) -> DueTelling:
        """Of a message."""
        return DueTelling(
            delivery_id="d1",
            message_id=await rows.take(self.database, **message),
            client=rows.MOREAU,
            contact="doctor",
            number="+33639980001",
            did="",
            confidential=confidential,
            due_at=AT,
        )


@pytest.fixture
def room(database: Database, tmp_path: Path) -> Room:
    """With folders of its own."""
    return Room(database, tmp_path)


async def test_all_sounds_are_there_and_the_message_is_in_none_of_the_cache(room: Room) -> None:
    """Asterisk's user may read them; what the speech engine wrote has gone."""
    folder = Path(await room.sounds.make("1-a", await room.telling(), opens=False))

    assert read_by_others(folder) == [
        *("choice.wav", "greeting.wav", "message.wav", "pin.wav", "taken.wav", "thanks.wav")
    ]
    greeting, message = room.of_this_call[0].said
    assert greeting == "Message pour Docteur Moreau, de la part de Cabinet Moreau. Pour l'écouter, tapez 1."
    assert "Veut voir le médecin demain." in message
    assert frames_of(folder / "message.wav") == len(message)
    assert not any("médecin" in one or "Moreau" in one for one in room.of_every_call.said)


async def test_a_confidential_message_is_not_spoken(room: Room) -> None:
    """Only that there is one."""
    await room.sounds.make("1-a", await room.telling(confidential=True), opens=False)

    assert not any("médecin" in one for one in room.of_this_call[0].said)


async def test_a_confidential_message_is_spoken_where_a_pin_opens_it(room: Room) -> None:
    """Asterisk asks for it first."""
    await room.sounds.make("1-a", await room.telling(confidential=True), opens=True)

    assert any("médecin" in one for one in room.of_this_call[0].said)


async def test_sounds_of_calls_that_are_over_are_deleted(room: Room) -> None:
    """Those of a dead engine too."""
    telling = await room.telling()
    kept, gone = [Path(await room.sounds.make(one, telling, opens=False)) for one in ("1-a", "1-b")]
    await room.sounds.keep_only(["1-a"])

    assert kept.exists()
    assert not gone.exists()
    assert kept.parent.parent == room.prompts / FOLDER
    assert kept.parent.name.startswith("pbx-1-")


async def test_another_callrouter_that_shares_the_prompts_keeps_its_sounds(
    room: Room, server: Server, migrated: str
) -> None:
    """Its PBX may have the same name: tests beside a service, a demonstration. What is a day old is nobody's."""
    telling = await room.telling()
    talking, left = [Path(await room.sounds.make(one, telling, opens=False)) for one in ("1-a", "1-b")]
    os.utime(left, (0.0, 0.0))
    async with server.database(migrated) as url:
        database = Database(make_url(url))
        await room.of(database).keep_only([])
        await database.close()

    assert talking.exists()
    assert not left.exists()


async def test_a_message_that_is_gone_cannot_be_said(room: Room) -> None:
    """It was deleted meanwhile."""
    telling = await room.telling()
    gone = DueTelling(**{one: getattr(telling, one) for one in telling.__slots__} | {"message_id": "none"})

    with pytest.raises(SpeechError, match="gone"):
        await room.sounds.make("1-a", gone, opens=False)

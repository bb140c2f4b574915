"""Values read aloud: the words, in the order of Asterisk's own `say.c`."""

from __future__ import annotations

from pathlib import Path

import pytest

from callrouter.asterisk.say import sounds_of
from callrouter.core.effects import ReadAs, Reading
from callrouter.core.read_aloud import SECONDS_A_FILE, NotReadable, SpokenVariable
from tests.asterisk.callers import Pbx

ROWS = [
    ("fr", "number", "0", "0"),
    ("fr", "number", "-1", "minus 1"),
    ("fr", "number", "21", "20 et 1"),
    ("fr", "number", "61", "60 et 1"),
    ("fr", "number", "70", "60 10"),
    ("fr", "number", "71", "60 et 11"),
    ("fr", "number", "77", "60 17"),
    ("fr", "number", "80", "80"),
    ("fr", "number", "81", "80 1"),
    ("fr", "number", "99", "80 19"),
    ("fr", "number", "100", "hundred"),
    ("fr", "number", "201", "2 hundred 1"),
    ("fr", "number", "1000", "thousand"),
    ("fr", "number", "2026", "2 thousand 20 6"),
    ("fr", "number", "1234567", "1 million 2 hundred 30 4 thousand 5 hundred 60 7"),
    ("en", "number", "21", "20 1"),
    ("en", "number", "30", "30"),
    ("en", "number", "115", "1 hundred 15"),
    ("en", "number", "2026", "2 thousand 20 6"),
    ("fr", "digits", "06 12.34", "0 6 1 2 3 4"),
    ("en", "digits", "+44 20", "0 0 4 4 2 0"),
    ("fr", "telephone", "+33140000001", "0 1 40 0 0 0 0 0 1"),
    ("fr", "telephone", "06 71 81 21 99", "0 6 60 et 11 80 1 20 et 1 80 19"),
    ("fr", "telephone", "+442079460041", "0 0 4 4 2 0 7 9 4 6 0 0 4 1"),
    ("fr", "telephone", "3639", "3 6 3 9"),
    ("en", "telephone", "+33140000001", "0 1 4 0 0 0 0 0 0 1"),
    ("fr", "date", "2026-11-24", "day-2 20 4 mon-10 2 thousand 20 6"),
    ("fr", "date", "2027-01-03", "day-0 3 mon-0 2 thousand 20 7"),
    ("en", "date", "2026-11-24", "day-2 mon-10 20 h-4 20 20 6"),
    ("en", "date", "2026-11-30T23:30:00Z", "day-2 mon-11 h-1 20 20 6"),
    ("fr", "time", "14:30", "14 oclock 30"),
    ("fr", "time", "2026-11-24T08:00", "8 oclock"),
    ("fr", "time", "2026-11-24T08:00:00Z", "9 oclock"),
    ("en", "time", "09:05", "9 oh 5 a-m"),
    ("en", "time", "00:00", "12 oclock a-m"),
    ("en", "time", "14:30:59", "2 30 p-m"),
]


@pytest.mark.parametrize(("language", "read_as", "value", "words"), ROWS, ids=lambda value: str(value))
def test_words(language: str, read_as: str, value: str, words: str) -> None:
    """Instants are read on the client's wall clock (Paris)."""
    spoken = SpokenVariable(variable="x", read_as=ReadAs(read_as), language=language, region="FR")

    found = sounds_of(spoken.read(value, "Europe/Paris"))

    assert tuple(f"{language}/digits/{word}" for word in words.split()) == found
    assert len("&".join(found)) <= spoken.longest_bytes


@pytest.mark.parametrize("read_as", ReadAs)
@pytest.mark.parametrize(
    "value",
    [
        "",
        "abc",
        "${SHELL(id)}",
        "1,2&/etc/passwd",
        "12\r\nAction: x",
        "٣",
        "9" * 40,
        "2026-02-30T",
        "25:00",
        '"',
        "1e5",
    ],
)
def test_anything_else_is_refused(read_as: ReadAs, value: str) -> None:
    """A hostile value never becomes a reading."""
    with pytest.raises(NotReadable):
        SpokenVariable(variable="x", read_as=read_as, language="fr").read(value, "Europe/Paris")


@pytest.mark.parametrize("language", ["fr", "en"])
def test_asterisk_has_every_sound(language: str, tmp_path: Path) -> None:
    """And none is longer than the bound the lease is made of."""
    with Pbx.start(tmp_path / "pbx") as pbx:
        folder = pbx.sounds_dir
        for number in [*range(1000), 1_000, 31_000_000, 777_777_777, 999_999_999]:
            _there(folder, Reading(read_as=ReadAs.NUMBER, value=str(number), language=language, seconds=1))
        for month in range(1, 13):
            for day in range(1, 29):
                value = f"2026-{month:02}-{day:02}"
                _there(folder, Reading(read_as=ReadAs.DATE, value=value, language=language, seconds=1))
        for minute in range(0, 1440, 7):
            value = f"{minute // 60:02}:{minute % 60:02}"
            _there(folder, Reading(read_as=ReadAs.TIME, value=value, language=language, seconds=1))


def _there(folder: Path, reading: Reading) -> None:
    sounds = sounds_of(reading)
    spoken = SpokenVariable(variable="x", read_as=reading.read_as, language=reading.language)
    assert len("&".join(sounds)) <= spoken.longest_bytes
    assert len(sounds) * SECONDS_A_FILE <= spoken.seconds
    for sound in sounds:
        path = folder / f"{sound}.wav"
        assert path.is_file(), sound
        assert path.stat().st_size < SECONDS_A_FILE * 16_000, sound

"""What people write is read as people say it: in words first, and by espeak-ng without another language's voice."""

from __future__ import annotations

import re
import subprocess
import time
from itertools import chain

import pytest

from callrouter.dialplan.language.fields import LONGEST_SENTENCE
from callrouter.normalisation import normalise
from tests.normalisation.phrases import ENGLISH, FRENCH

ALL = tuple(chain((("fr", *row) for row in FRENCH), (("en", *row) for row in ENGLISH)))
VOICES = {"fr": "fr", "en": "en-gb"}


@pytest.mark.parametrize(("language", "written", "said"), ALL)
def test_said(language: str, written: str, said: str) -> None:
    """Each phrase in its words; and these are left as they are when they come again."""

    assert normalise(written, language) == said
    assert normalise(said, language) == said


@pytest.mark.parametrize("spaces", ["\u00a0", "\u202f"])
def test_spaces_of_printers(spaces: str) -> None:
    """A space that does not break is a space."""

    assert normalise(f"12,50{spaces}€ à 14{spaces}h{spaces}30", "fr") == "12 euros 50 à 14 heures 30"


def test_other_languages() -> None:
    """What has no rules is left alone."""

    assert normalise("um 14h30, Dr. Müller", "de") == "um 14h30, Dr. Müller"


@pytest.mark.parametrize("piece", ["AB", "Ab ", "a.", "1 ", "12 345 ", "a-", "9h-", "M. ", "'", "/1", "É"])
@pytest.mark.parametrize("language", VOICES)
def test_long_texts(language: str, piece: str) -> None:
    """The longest sentence of whatever is done with in a moment."""
    began = time.process_time()
    normalise(piece * (LONGEST_SENTENCE // len(piece)) + "?", language)

    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("language", VOICES)
def test_one_voice(language: str) -> None:
    """espeak-ng never leaves the voice it was given: `(en)` among its phonemes says that it did."""

    said = [normalise(written, of) for of, written, _ in ALL if of == language]
    phonemes = _phonemes(said, VOICES[language])

    assert [text for text, spoken in zip(said, phonemes, strict=True) if "(" in spoken] == []


def test_no_letters_remain() -> None:
    """No letter's name is heard where a word was meant: `h` among figures, `M.`, capitals that make a word."""

    written = ["14h30", "9h", "M. Martin", "SARL Dupont", "RDV", "2e étage", "n° 12", "100 m²", "12 km", "EHPAD"]
    letters = re.compile(r"[A-Z]{2,}|\d[a-zA-Z]|\b[A-Z]\.|[°²€%#*&/]")
    said = [normalise(text, "fr") for text in written]
    phonemes = _phonemes(said, "fr")

    assert [text for text in said if letters.search(text)] == []
    assert [text for text, spoken in zip(said, phonemes, strict=True) if "'aS" in spoken] == []


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("14h30", "quatorze heures trente"),
        ("01 40 00 00 01", "zéro un, quarante, zéro zéro, zéro zéro, zéro un"),
        ("21h", "vingt et une heures"),
        ("12,50 €", "douze euros cinquante"),
        ("le 24/12", "le vingt-quatre décembre"),
        ("le 01/01", "le premier janvier"),
        ("15 %", "quinze pour cent"),
        ("le 3639", "le trente-six, trente-neuf"),
    ],
)
def test_heard(written: str, same: str) -> None:
    """The voice says of what is written what it says of the words."""
    heard, wanted = _phonemes([normalise(written, "fr"), same], "fr")

    assert _plain(heard) == _plain(wanted)


def _plain(phonemes: str) -> str:
    """Without stress, pauses and the spaces between words."""
    return re.sub(r"[\s',_!|2:-]", "", phonemes)


def _phonemes(texts: list[str], voice: str) -> list[str]:
    """What espeak-ng would say of each."""
    command = ["espeak-ng", "-q", "-x", "-v", voice]
    return [
        subprocess.run([*command, "--", text], capture_output=True, text=True, check=True).stdout.strip()
        for text in texts
    ]

"""Languages beyond French and English."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from callrouter.asterisk.say import sounds_of
from callrouter.core.effects import ReadAs, Reading
from callrouter.core.read_aloud import NotReadable, SpokenVariable
from callrouter.core.waiting.announcing import MOST_MINUTES, MOST_PLACES
from callrouter.dialplan import Catalogue
from callrouter.dialplan.language.languages import FIGURES, VOICES
from callrouter.dialplan.language.own_texts import OWN_TEXTS, counted
from callrouter.dialplan.language.waiting_texts import WAITING_TEXTS, by_minutes, by_place
from callrouter.speech import Speech

CLIENT = """\
client: acme
numbers: ["01 99 00 00 90"]
timezone: Europe/Paris
language: {language}
fallback: {{ number: "01 99 00 00 91" }}
start: it
nodes:
  it: {node}
  bye: {{ hangup: {{}} }}
"""
CALLBACK = "{ callback: { done: bye, declined: bye, no_input: bye, no_match: bye } }"


@pytest.fixture
def client(tmp_path: Path, load: Callable[[], Catalogue]) -> Callable[[str, str], Catalogue]:
    """Loads a client of a language."""

    def put(language: str, node: str) -> Catalogue:
        (tmp_path / "acme.yaml").write_text(CLIENT.format(language=language, node=node))
        return load()

    return put


def _wrong(found: Catalogue) -> list[str]:
    return [str(issue) for issue in found.issues if issue.severity.name == "ERROR"]


def test_every_voice_is_there() -> None:
    """espeak-ng speaks each, with phonemes and without a word of English."""
    for language, voice in VOICES.items():
        command = ["espeak-ng", "-q", "-x", "-v", voice, "--", "0 1 2 3 4 5 6 7 8 9"]
        spoken = subprocess.run(command, capture_output=True, text=True, check=True)

        assert spoken.stdout.strip(), language
        assert language == "en" or "(en)" not in spoken.stdout, language


ANNOUNCES = "{ queue: { name: sales, max_wait: 3m, announce: { every: 30s }, overflow: bye } }"  # all six sentences


@pytest.mark.parametrize("language", sorted({language for text in WAITING_TEXTS for language in text.words}))
def test_what_callers_hear_who_wait(client: Callable[[str, str], Catalogue], language: str) -> None:
    """In each language of our own all of it, with the numbers in their places, and no brace left over."""
    assert [text.name for text in WAITING_TEXTS if language not in text.words] == []
    said = [counted(text.words[language], count) for text, count in (*by_place(), *by_minutes())]
    assert len(set(said)) == MOST_PLACES + 1 + MOST_MINUTES + 1
    assert not [one for one in said if "{" in one]
    numbers = [count for _, count in (*by_place(), *by_minutes())]
    assert [one for one, count in zip(said, numbers, strict=True) if count > 1 and str(count) not in one] == []
    assert [one for one in _wrong(client(language, ANNOUNCES)) if "standard_position" in one] == []


def test_what_nobody_translated_for_those_who_wait(client: Callable[[str, str], Catalogue]) -> None:
    """The first sentence that is missing is named."""
    wrong = _wrong(client("el", ANNOUNCES))

    assert len([one for one in wrong if "write it as prompt standard_position_next of shared/prompts.yaml" in one]) == 1


@pytest.mark.parametrize("language", sorted({language for text in OWN_TEXTS for language in text.words}))
def test_our_own_sentences(client: Callable[[str, str], Catalogue], language: str) -> None:
    """Where we have one sentence in a language we have all of them."""

    assert [text.name for text in OWN_TEXTS if language not in text.words] == []
    assert _wrong(client(language, CALLBACK)) == []


def test_a_sentence_nobody_translated(client: Callable[[str, str], Catalogue], tmp_path: Path) -> None:
    """It is named, with where to write it; written there, it is said."""
    wrong = _wrong(client("el", '{ play: { prompt: "Γεια σας.", next: bye } }'))

    assert len([one for one in wrong if "write it as prompt standard_goodbye of shared/prompts.yaml" in one]) == 1

    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "prompts.yaml").write_text('prompts: { standard_goodbye: { el: "Αντίο σας." } }\n')
    found = client("el", '{ play: { prompt: "Γεια σας.", next: bye } }')

    assert _wrong(found) == []
    assert [sound.text for sound in found.plans["acme"].nodes["(fallback bye)"].sounds] == [  # type: ignore[attr-defined]
        "Αντίο σας."
    ]


def test_braces_in_our_own_sentences(client: Callable[[str, str], Catalogue], tmp_path: Path) -> None:
    """They hold no values: a brace is never spoken."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "prompts.yaml").write_text('prompts: { standard_goodbye: { fr: "Au revoir {caller}." } }\n')

    wrong = _wrong(client("fr", '{ play: { prompt: "Bonjour.", next: bye } }'))

    assert any("prompt standard_goodbye of shared/prompts.yaml holds a value in braces" in one for one in wrong)


def test_values(client: Callable[[str, str], Catalogue]) -> None:
    """A telephone number is read in figures spoken ahead; a day is refused, in words."""
    found = client("es", '{ play: { prompt: "Su número es {caller}.", next: bye } }')

    assert _wrong(found) == []
    (place,) = [
        part
        for part in found.plans["acme"].nodes["it"].sounds  # type: ignore[attr-defined]
        if isinstance(part, SpokenVariable)
    ]
    assert len(place.figures) == len(FIGURES)
    wrong = _wrong(client("es", '{ play: { prompt: "El {did:digits}, {day:date}.", next: bye } }'))
    assert any("a date is read aloud in en and fr only, not in es" in one for one in wrong)


def test_figures(tmp_path: Path) -> None:
    """Two digits a file, an odd one first, each a file that was spoken; more than a command holds is left out."""
    speech = Speech(tmp_path)
    speech.prepare((figure, "es") for figure in FIGURES)
    files = tuple(speech.say(figure, "es").file for figure in FIGURES)
    place = SpokenVariable(variable="x", read_as=ReadAs.TELEPHONE, language="es", region="FR", figures=files)

    reading: Reading = place.read("+34911234567", "Europe/Madrid")

    said = ("0", "0 3", "4 9", "1 1", "2 3", "4 5", "6 7")
    assert sounds_of(reading) == tuple(files[FIGURES.index(one)] for one in said)
    assert all(Path(f"{file}.wav").is_file() for file in files)
    with pytest.raises(NotReadable):
        place.read("1" * 19, "Europe/Madrid")

"""Text to speech with the real espeak-ng and sox, and sound files by name."""

from __future__ import annotations

import array
import math
import stat
import wave
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.dialplan.folder.loudness import LEVEL_DB, active_level_db
from callrouter.errors import SpeechError
from callrouter.speech import Speech, clean

DIALPLANS = Path(__file__).parents[1] / "dialplans"
SENTENCE = "Bonjour, cabinet du docteur Moreau."


@pytest.fixture
def speech(tmp_path: Path) -> Speech:
    """Speaks into a folder of its own."""
    return Speech(tmp_path / "cache")


def samples(file: str) -> array.array[int]:
    """What was spoken."""
    with wave.open(f"{file}.wav", "rb") as audio:
        assert (audio.getnchannels(), audio.getsampwidth(), audio.getframerate()) == (1, 2, 8000)
        return array.array("h", audio.readframes(audio.getnframes()))


def level(of: array.array[int]) -> float:
    """Loudness in dB below full scale."""
    return 20 * math.log10(math.sqrt(sum(value * value for value in of) / len(of)) / 32768)


def test_a_text_becomes_a_file_asterisk_plays(speech: Speech) -> None:
    """8 kHz, mono, 16 bits; its length is known; loud enough, and not too loud."""
    sound = speech.say(SENTENCE, "fr")
    audio = samples(sound.file)

    assert sound.text == SENTENCE
    assert not sound.file.endswith(".wav")
    assert sound.seconds == pytest.approx(len(audio) / 8000)
    assert 1.5 < sound.seconds < 5
    assert -30 < level(audio) < -12
    assert max(audio) <= 32768 * 0.71


@pytest.mark.parametrize("text", ["Oui ?", "Bonjour.", SENTENCE, f"{SENTENCE} " * 6, "Tapez 1, puis tapez dièse."])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_prompt_is_as_loud_as_the_music(speech: Speech, text: str, language: str) -> None:
    """Short ones too, whose peak says little; as near as the peak allows."""
    level = active_level_db(samples(speech.say(text, language).file))

    assert level == pytest.approx(LEVEL_DB, abs=1.0)


def test_a_text_is_spoken_once(speech: Speech) -> None:
    """The second time, the file is only looked at."""
    first = speech.say(SENTENCE, "fr")
    written = Path(f"{first.file}.wav").stat().st_mtime_ns

    assert speech.say(SENTENCE, "fr") == first
    assert Path(f"{first.file}.wav").stat().st_mtime_ns == written


def test_languages_and_texts_do_not_share_files(speech: Speech) -> None:
    """Each voice says it its own way."""
    files = {speech.say("Table", "fr").file, speech.say("Table", "en").file, speech.say("Tables", "fr").file}

    assert len(files) == 3


def test_asterisk_s_user_can_read_it(speech: Speech) -> None:
    """The engine and Asterisk run as different users."""
    path = Path(f"{speech.say(SENTENCE, 'fr').file}.wav")

    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755
    assert [entry.name for entry in path.parent.iterdir()] == [path.name], "and nothing half-written lies beside it"


@pytest.mark.parametrize(
    "text",
    [
        "$(touch pwned) `touch pwned`; touch pwned",
        "-w pwned --stdout",
        "[[h@l'oU]] ]]",
        "<speak><break time='100s'/>hello</speak>",
        "un\x01+50s\x00deux\r\ntrois",
        "Ça coûte 10 € — d'accord ? 😀",
        "\ud800 seul",
    ],
)
def test_hostile_text_is_only_text(speech: Speech, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is run, no option is taken, and it takes no longer than it takes to say it."""
    monkeypatch.chdir(tmp_path)
    sound = speech.say(text, "fr")

    assert 0.3 < sound.seconds < 30
    assert [entry.name for entry in tmp_path.iterdir()] == ["cache"]


@pytest.mark.parametrize("text", ["", "   ", "...", "\x01\x02", "—"])
def test_nothing_to_say_is_an_error(speech: Speech, text: str) -> None:
    """Silence is not a prompt."""
    with pytest.raises(SpeechError, match="nothing that can be said"):
        speech.say(text, "fr")


def test_clean_leaves_no_commands() -> None:
    """espeak-ng's phonemes and embedded commands are taken apart."""
    assert clean("a [[[[b]] \x01c\n d") == "a [ [ [ [b]] c d"


def test_many_texts_at_once(speech: Speech) -> None:
    """They are all there afterwards, also when one of them cannot be said."""
    texts = [(f"Phrase numéro {index}.", "fr") for index in range(12)]
    speech.prepare([*texts, ("...", "fr"), ("Hallo", "de")])

    before = len(list((Path(speech.say(*texts[0]).file).parent).iterdir()))
    assert before == 12


def test_the_demonstration_speaks(tmp_path: Path) -> None:
    """All prompts of the four clients, and the second load renders nothing."""
    now = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    first = load_directory(DIALPLANS, Speech(tmp_path / "cache", [DIALPLANS / "sounds"]), now=now)
    assert first.ok
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.wav")}
    second = load_directory(DIALPLANS, Speech(tmp_path / "cache", [DIALPLANS / "sounds"]), now=now)

    assert second.plans == first.plans
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.wav")} == files


def test_a_missing_program_says_how_to_get_it(speech: Speech, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And a file's prompt is named with its line."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SpeechError, match="espeak-ng is not installed: on Debian, apt-get install espeak-ng"):
        speech.say(SENTENCE, "fr")


def test_a_cache_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """A file stands where the folder should."""
    (tmp_path / "cache").write_text("in the way")

    with pytest.raises(SpeechError, match="cannot be kept in"):
        Speech(tmp_path / "cache").say(SENTENCE, "fr")


def test_an_unknown_voice_says_so(tmp_path: Path) -> None:
    """The program's own words are kept."""
    with pytest.raises(SpeechError, match="espeak-ng"):
        Speech(tmp_path / "cache", voices={"fr": "klingon-zz"}).say(SENTENCE, "fr")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"engine": "festival"}, "unknown: use espeak-ng or piper"),
        ({"voices": {"fr": "-w"}}, "is no voice"),
        ({"voices": {"fr": "fr; rm"}}, "is no voice"),
    ],
)
def test_wrong_settings_are_refused_at_once(arguments: dict[str, object], sentence: str, tmp_path: Path) -> None:
    """Before anything is spoken."""
    with pytest.raises(SpeechError, match=sentence):
        Speech(tmp_path, **arguments)  # type: ignore[arg-type]


def test_a_folder_asterisk_could_not_name_is_refused(tmp_path: Path) -> None:
    """Commas, ampersands and blanks mean something else to its applications."""
    with pytest.raises(SpeechError, match="move the folder"):
        Speech(tmp_path / "a & b, c")


def put_wav(path: Path, rate: int = 8000, channels: int = 1, seconds: float = 2.0) -> None:
    """A silent WAV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as audio:
        audio.setparams((channels, 2, rate, 0, "NONE", "not compressed"))
        audio.writeframes(bytes(int(2 * channels * rate * seconds)))


def test_sound_files_are_found_by_language_and_name(tmp_path: Path) -> None:
    """The client's folder before the switch's, the language's before what all share."""
    own, pbx = tmp_path / "own", tmp_path / "pbx"
    put_wav(own / "fr" / "hello.wav")
    put_wav(pbx / "en" / "digits" / "1.wav", seconds=0.5)
    (pbx / "beep.gsm").write_bytes(bytes(1650))
    speech = Speech(tmp_path / "cache", [own, pbx])

    assert (speech.sound("hello", "fr").file, speech.sound("hello", "fr").seconds) == (str(own / "fr/hello"), 2.0)
    assert speech.sound("digits/1", "en").seconds == 0.5
    assert speech.sound("beep", "fr").seconds == 1.0
    with pytest.raises(SpeechError, match=r'"hallo" is not in .*own/fr nor in .*pbx/fr \(did you mean "hello"\?\)'):
        speech.sound("hallo", "fr")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a b", "a,b", "a&b", "", "a.wav", "a//b", "é"])
def test_odd_names_are_refused(name: str, tmp_path: Path) -> None:
    """A name is no path."""
    with pytest.raises(SpeechError, match="no name of a sound"):
        PaperSpeech([tmp_path]).sound(name, "fr")


def test_a_sound_asterisk_would_garble_is_refused(tmp_path: Path) -> None:
    """With the command that mends it."""
    put_wav(tmp_path / "fr" / "music.wav", rate=44100, channels=2)
    (tmp_path / "fr" / "text.wav").write_text("no sound")

    with pytest.raises(SpeechError, match=r"sox music\.wav -r 8000 -c 1 -b 16 out\.wav"):
        PaperSpeech([tmp_path]).sound("music", "fr")
    with pytest.raises(SpeechError, match="no WAV file"):
        PaperSpeech([tmp_path]).sound("text", "fr")


def test_paper_speech_needs_nothing() -> None:
    """Seconds by the words."""
    paper = PaperSpeech()

    assert paper.say("un deux trois", "fr").seconds == pytest.approx(1.45, abs=0.05)
    assert paper.sound("anything", "fr").file == "anything"

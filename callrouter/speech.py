"""Text to speech: every text is spoken once, into a cache that Asterisk can play from.

    <cache>/<language>/<hash of engine, voice and text>.wav        8 kHz, mono, 16 bits, header of 44 bytes

A text is brought into words first (`normalisation`): `14h30`, `SARL`, telephone numbers, amounts.
An engine (espeak-ng, or piper where a voice is configured) speaks, sox brings it to the telephone's rate and to an
even loudness. Both are run without a shell; the text goes in by standard input and is never more than text.
A file once there is only looked at (one stat): its size gives its length.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import unicodedata
import wave
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from callrouter.core.effects import Sound
from callrouter.dialplan.folder.loudness import PEAK_DB, levelled
from callrouter.dialplan.folder.sound_files import PaperSpeech, find_sound, playable
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language.languages import VOICES
from callrouter.dialplan.sounds import SoundSource
from callrouter.errors import SpeechError
from callrouter.normalisation import normalise

FORMAT = 2
"""Raised by one when the same text is to sound different: part of every file's name."""

RATE_HZ = 8000
SUFFIX = ".wav"
HEADER_BYTES = 44
BYTES_A_SECOND = RATE_HZ * 2

WORDS_A_MINUTE = 155
TIMEOUT_SECONDS = 60.0

_VOICE = re.compile(r"[A-Za-z0-9_+./-]+")


class Engine(StrEnum):
    """Programs that speak."""

    ESPEAK = "espeak-ng"
    PIPER = "piper"


class Speech:
    """A `SoundSource` that renders texts and finds sound files."""

    def __init__(
        self,
        cache_dir: Path,
        sounds_dirs: Sequence[Path] = (),
        *,
        engine: str = Engine.ESPEAK,
        voices: Mapping[str, str] | None = None,
        workers: int | None = None,
    ) -> None:
        """`voices`: by language, a voice of espeak-ng or the path of a piper model; `workers`: programs at a time.

        Raises:
            SpeechError: the engine is unknown, a voice cannot be one, or Asterisk could not play from the folder.
        """
        try:
            self._engine = Engine(engine)
        except ValueError:
            known = " or ".join(Engine)
            raise SpeechError(f"speech engine {shown(engine)} is unknown: use {known}") from None
        playable(cache_dir)
        self._cache = cache_dir.absolute()
        self._sounds_dirs = tuple(sounds_dirs)
        self._voices = {**(VOICES if self._engine is Engine.ESPEAK else {}), **(voices or {})}
        for language, voice in self._voices.items():
            if not _VOICE.fullmatch(voice) or voice.startswith("-"):
                raise SpeechError(f"voice {shown(voice)} of language {language} is no voice of {self._engine}")
        self._workers = workers or max(1, os.cpu_count() or 1)

    def prepare(self, texts: Iterable[tuple[str, str]]) -> None:
        """Render those texts (text, language) that are not in the cache yet, several at once.

        What fails is left for `say` to report, where the text's line is known.
        """
        missing = [
            (text, language)
            for text, language in dict.fromkeys(texts)
            if language in self._voices and _size(self._file(_words(text, language), language)) is None
        ]
        if not missing:
            return
        with ThreadPoolExecutor(max_workers=self._workers, thread_name_prefix="speech") as pool:
            for done in [pool.submit(self.say, *wanted) for wanted in missing]:
                with suppress(SpeechError):
                    done.result()

    def say(self, text: str, language: str) -> Sound:
        """The text, spoken; rendered now unless it is in the cache.

        Raises:
            SpeechError: there is no voice, no program, nothing to say, or no room.
        """
        if language not in self._voices:
            known = ", ".join(sorted(self._voices)) or "none"
            raise SpeechError(f"no voice is configured for language {shown(language)} (there are: {known})")
        words = _words(text, language)
        if not any(char.isalnum() for char in words):
            raise SpeechError(f"{shown(text)} holds nothing that can be said")
        file = self._file(words, language)
        size = _size(file)
        if size is None:
            _write(Path(f"{file}{SUFFIX}"), self._render(words, language))
            size = _size(file) or HEADER_BYTES
        return Sound(file=file, seconds=(size - HEADER_BYTES) / BYTES_A_SECOND, text=text)

    def sound(self, name: str, language: str) -> Sound:
        """A sound file by name, from the first of the folders that holds it.

        Raises:
            SpeechError: none does, or Asterisk could not play it.
        """
        return find_sound(self._sounds_dirs, name, language)

    def _file(self, words: str, language: str) -> str:
        """Of the cache, without its suffix; 800 clients have 20,000 sentences, and a `Path` of each would take a third
        of the time.
        """
        voice = self._voices[language]
        key = f"{FORMAT}\0{self._engine}\0{voice}\0{WORDS_A_MINUTE}\0{words}"
        return f"{self._cache}/{language}/{hashlib.sha256(key.encode()).hexdigest()[:32]}"

    def _render(self, words: str, language: str) -> bytes:
        """Samples: 8 kHz, mono, 16 bits, little-endian."""
        try:
            with tempfile.TemporaryDirectory(prefix="callrouter-speech-") as folder:
                spoken = Path(folder) / "spoken.wav"
                self._speak(words, self._voices[language], spoken)
                samples = _for_the_telephone(spoken)
        except OSError as error:
            wrong = f"no temporary file can be written ({error.strerror or error}): make room, or set TMPDIR"
            raise SpeechError(wrong) from error
        if not samples:
            raise SpeechError(f"{self._engine} said nothing for {shown(words)}")
        return samples

    def _speak(self, words: str, voice: str, spoken: Path) -> None:
        """A WAV file at whatever rate the voice has."""
        if self._engine is Engine.ESPEAK:
            command = ["espeak-ng", "-v", voice, "-s", str(WORDS_A_MINUTE), "-b", "1", "--stdin", "-w", str(spoken)]
        else:
            command = ["piper", "--model", voice, "--output_file", str(spoken)]
        _run(command, words.encode())
        if not spoken.is_file():
            raise SpeechError(f"{self._engine} wrote nothing for {shown(words)}: is voice {shown(voice)} installed?")


def _for_the_telephone(spoken: Path) -> bytes:
    """The samples of a WAV file at the telephone's rate and an even loudness."""
    form = ["-t", "raw", "-c", "1", "-b", "16", "-e", "signed-integer", "-L", "-"]
    return levelled(
        _run(["sox", "-D", "-G", str(spoken), *form, "rate", "-h", str(RATE_HZ), "gain", "-n", str(PEAK_DB)])
    )


@lru_cache(maxsize=16_384)  # many clients' trees say the same, and each text is looked at several times
def _words(text: str, language: str) -> str:
    """What the engine is given for a text: in words, and cleaned last."""
    return clean(normalise(text, language))


def clean(text: str) -> str:
    """Text as an engine may have it: one line, no control characters, nothing that is a command to espeak-ng.

    espeak-ng takes `[[…]]` for phonemes; apart they are brackets. Control characters are its embedded commands.
    """
    kept = "".join(" " if unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn") else char for char in text)
    line = " ".join(kept.split())
    while "[[" in line:
        line = line.replace("[[", "[ [")
    return line


def _run(command: list[str], text: bytes = b"") -> bytes:
    """A program's output; its mistakes as a sentence."""
    program = shutil.which(command[0])
    if program is None:
        raise SpeechError(f"{command[0]} is not installed: on Debian, apt-get install {command[0]}")
    try:
        done = subprocess.run(  # noqa: S603 - no shell, a fixed program, and the text is not among its arguments
            [program, *command[1:]], input=text, capture_output=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SpeechError(f"{command[0]} did not end within {TIMEOUT_SECONDS:g} s") from error
    except OSError as error:
        raise SpeechError(f"{command[0]} cannot be run: {error.strerror or error}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise SpeechError(f"{command[0]} failed ({done.returncode}): {said or 'it does not say why'}")
    return done.stdout


def _size(file: str) -> int | None:
    """Bytes of a file of the cache; None when it is absent or holds no sample."""
    try:
        size = os.stat(f"{file}{SUFFIX}").st_size  # noqa: PTH116 - as fast as it can be
    except OSError:
        return None
    return size if size > HEADER_BYTES else None


def _write(path: Path, samples: bytes) -> None:
    """A WAV file that is there as a whole or not at all, readable by Asterisk's user."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o755)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".wav")
        try:
            with os.fdopen(handle, "wb") as stream:
                with wave.open(stream, "wb") as audio:
                    audio.setparams((1, 2, RATE_HZ, 0, "NONE", "not compressed"))
                    audio.writeframes(samples)
                os.fchmod(stream.fileno(), 0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        wrong = f"the spoken text cannot be kept in {path.parent}: {error.strerror or error}"
        raise SpeechError(wrong) from error


__all__ = ["Engine", "PaperSpeech", "SoundSource", "Speech", "clean"]

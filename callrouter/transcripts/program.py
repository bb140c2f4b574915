"""A program that writes recordings down: it is given the file as its last argument, and writes to standard output.

It runs behind everything else (nice 19), without our secrets, and within bounds of time and of what it writes. One that
is over time is killed, with all that it started: it has a process group of its own.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from callrouter.errors import TranscriptFailed

MOST_BYTES: Final = 65_536
"""Of what it writes: an hour of speech is less."""
_KEPT_COMPLAINT: Final = 300
_LANGUAGE: Final = "{language}"
_END_SECONDS: Final = 5.0
"""How long one that was killed is waited for."""


class ProgramTranscriber:
    """One program.

    Args:
        command: it and its arguments; in each, `{language}` becomes the language's code.
        name: what stands beside its texts.
        seconds: how long it may take for one recording.
        environment: what it sees of ours, without our own settings.
    """

    def __init__(
        self, command: Sequence[str], *, name: str, seconds: float, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self._command = tuple(command)
        self._seconds = seconds
        self._environment = _without_ours(os.environ if environment is None else environment)

    async def transcribe(self, path: Path, language: str) -> str:
        """What the program writes.

        Raises:
            TranscriptFailed: it cannot be started, ends with another status than 0, takes too long or writes too much.
        """
        command = [part.replace(_LANGUAGE, language) for part in self._command]
        try:
            process = await asyncio.create_subprocess_exec(
                *("nice", "-n", "19"),
                *command,
                str(path),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environment,
                start_new_session=True,
            )
        except OSError as error:
            raise TranscriptFailed(f"{self.name} cannot be started: {error.strerror}") from error
        try:
            async with asyncio.timeout(self._seconds):
                written, complaint = await _read(process)
                if written is None:  # it is not waited for: it waits for us
                    raise TranscriptFailed(f"{self.name} writes more than {MOST_BYTES // 1024} KiB")
                status = await process.wait()
        except TimeoutError as error:
            raise TranscriptFailed(f"{self.name} had not ended after {self._seconds:g} s") from error
        finally:
            await _kill(process)
        if status:
            said = f": {complaint}" if complaint else ""
            raise TranscriptFailed(f"{self.name} ended with status {status}{said}")
        return _text(written)


async def _read(process: asyncio.subprocess.Process) -> tuple[bytes | None, str]:
    """What it writes, None: too much; and the end of what it complains of. Both at once, or it would wait for us."""
    assert process.stdout is not None
    assert process.stderr is not None
    complaints = asyncio.get_running_loop().create_task(_last_of(process.stderr), name="a transcriber's complaints")
    try:
        written = b""
        while len(written) <= MOST_BYTES and (more := await process.stdout.read(MOST_BYTES)):
            written += more
        if len(written) > MOST_BYTES:
            return None, ""
        return written, await complaints
    finally:
        complaints.cancel()


async def _last_of(stream: asyncio.StreamReader) -> str:
    kept = b""
    while more := await stream.read(4_096):
        kept = (kept + more)[-4 * _KEPT_COMPLAINT :]
    lines = [line.strip() for line in _text(kept).splitlines() if line.strip()]
    return lines[-1][-_KEPT_COMPLAINT:] if lines else ""


async def _kill(process: asyncio.subprocess.Process) -> None:
    """It, and whatever it started and left behind."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(_END_SECONDS):
            await process.wait()
    process._transport.close()  # type: ignore[attr-defined]  # its pipes, whose end nobody waits for


def _without_ours(environment: Mapping[str, str]) -> dict[str, str]:
    """No program of somebody else's is handed our secrets."""
    return {name: value for name, value in environment.items() if not name.upper().startswith("CALLROUTER_")}


def _text(written: bytes) -> str:
    said = written.decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in said).strip()

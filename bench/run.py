"""Run the benches: `python bench/run.py [NAME …] [--quick] [--no-fail]`, or `make bench`.

All of them take some twelve minutes (`team` alone: ten). Prints a table each, with what was
promised; all of them together also write bench/RESULTS.md. Ends with 1 when a number is missed.

`python -m bench against REV [NAME …]` compares with an earlier build instead: see `against`; `python -m bench history`
makes a database of millions of calls to measure on, and `python -m bench figures` asks it: see `history.asking`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

if __package__ in (None, ""):  # run as a script: the project is one folder up
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench import (
    adoption,
    against,
    ami,
    chaos,
    control,
    files,
    held,
    load,
    others,
    overload,
    restart,
    soak,
    stream,
    team,
)
from bench.history import asking, filling
from bench.report import Section, machine, write_results
from bench.stand import Stand, stand

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
NAMES = (
    *("core", "route", "diff", "load800", "proof", "reload", "teams"),
    *("ami", "writer", "drain", "control", "load", "held", "adoption", "restart", "overload", "team", "stream"),
    "told",
)
BY_NAME = ("soak",)
"""Those that run only when they are asked for."""
_versions: dict[str, str] = {}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is asked for."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["against"]:
        against.main(given[1:])
        return
    if given[:1] == ["history"]:
        filling.main(given[1:])
        return
    if given[:1] == ["figures"]:
        asking.main(given[1:])
        return
    options = _options(given)
    seconds = 4.0 if options.quick else 20.0
    benches: dict[str, Callable[[], Section]] = {
        "core": others.core,
        "route": lambda: files.route(5 if options.quick else 15),
        "diff": lambda: files.diff(1 if options.quick else 5),
        "load800": lambda: files.load800(1 if options.quick else 3),
        "proof": lambda: files.proving(1 if options.quick else 3),
        "reload": lambda: files.reloading(10 if options.quick else 40),
        "teams": lambda: files.teaming(5 if options.quick else 20),
        "ami": ami.bench,
        "writer": others.writer,
        "drain": others.drain,
        "told": lambda: others.told(quick=options.quick),
        "control": lambda: _standing(control.bench, seconds),
        "load": lambda: _standing(load.bench, seconds),
        "stream": lambda: stream.bench(seconds),
        "adoption": lambda: _standing(adoption.bench, seconds),
        "overload": lambda: _standing(overload.bench, 10.0 if options.quick else 60.0, max_calls=overload.LIMIT),
        "held": lambda: _standing(held.bench, 10.0 if options.quick else 60.0),
        "soak": lambda: _standing(
            lambda found, _: soak.bench(found, calls=options.calls or (3_000 if options.quick else soak.CALLS)), seconds
        ),
        "restart": lambda: restart.bench(2 if options.quick else 5),
        "team": lambda: team.bench(20.0 if options.quick else 600.0 if options.names else 120.0),
    }
    sections = []
    for name in options.names or NAMES:
        print(f"… {name}", file=sys.stderr, flush=True)
        section = benches[name]()
        print(section.plain(), flush=True)
        sections.append(section)
    print(machine(_versions))
    if not options.names and not options.quick:
        write_results(RESULTS, [*sections, chaos.section(chaos.rounds(chaos.ROUNDS))], _versions)
    missed = [check.what for section in sections for check in section.checks if not check.ok]
    if missed:
        print(f"missed: {'; '.join(missed)}")
        sys.exit(0 if options.no_fail else 1)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument(
        "names",
        nargs="*",
        choices=[[], *NAMES, *BY_NAME],
        metavar="NAME",
        help=f"which: {', '.join((*NAMES, *BY_NAME))}",
    )
    parser.add_argument("--calls", type=int, default=0, help=f"of soak (default: {soak.CALLS:,})")
    parser.add_argument("--quick", action="store_true", help="some seconds each; writes no RESULTS.md")
    parser.add_argument("--no-fail", action="store_true", help="end with 0 although a number is missed")
    return parser.parse_args(arguments)


def _standing(bench: Callable[[Stand, float], Section], seconds: float, *, max_calls: int = 0) -> Section:
    """A bench with an Asterisk of its own."""
    with stand(max_calls=max_calls) as found:
        section = bench(found, seconds)
        _versions.update(found.versions())
        return section


if __name__ == "__main__":
    main()

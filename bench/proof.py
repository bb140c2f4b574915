"""What the proof costs: seconds for 800 clients from cold, for one changed file, and for the largest tree.

    python -m bench.proof [--clients 800] [--runs 3]

The clients are written anew and loaded by a fresh process each time (their files are in the system's cache, all else is
cold). The proof's share is the time within `prove`, pauses of the garbage collector included; then the same proofs
without them. A changed file is one client's save, loaded by the loader that has the rest. The largest tree has 500
nodes, right and then wrong in every tenth node. Medians of the runs.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.clients import COUNT, write_clients
from bench.report import Check, at_most
from callrouter.dialplan import Loader, PaperSpeech
from callrouter.dialplan.compile import compiler
from callrouter.dialplan.compile.compiler import compile_client
from callrouter.dialplan.documents.drafts import draft
from callrouter.dialplan.folder.files import load_shared
from callrouter.dialplan.language.reader import read
from callrouter.dialplan.proof import Tree, prove
from callrouter.testing import TUESDAY_10

LIMITS = {
    "loaded and proved": 2.0,
    "of which proof": 0.6,
    "the proofs, alone": 0.4,
    "one changed file": 0.1,
    "of which its proof": 0.1,
    "500 nodes, right": 0.5,
    "of which their proof": 0.5,
    "500 nodes, wrong": 0.5,
}
"""Seconds."""

NODES = 500
ROOT = Path(__file__).resolve().parents[1]


class Stopwatch:
    """`prove`, the seconds spent in it, and what was proved."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.proved: list[tuple[Any, ...]] = []

    def __call__(self, *arguments: Any) -> None:
        """Prove, as the compiler asks for."""
        began = perf_counter()
        prove(*arguments)
        self.seconds += perf_counter() - began
        self.proved.append(arguments)

    def again(self) -> float:
        """Seconds of the same proofs from the beginning, with nothing else to do and no garbage to look for."""
        fresh = [
            (scope, file, Tree(nodes=tree.nodes, written=tree.written, start=tree.start, fallback=tree.fallback), *rest)
            for scope, file, tree, *rest in self.proved
        ]
        gc.collect()
        gc.freeze()
        began = perf_counter()
        for arguments in fresh:
            prove(*arguments)
        return perf_counter() - began

    def around(self, work: Callable[[], object]) -> tuple[float, float]:
        """Seconds of some work, and of the proofs in it."""
        self.seconds = 0.0
        began = perf_counter()
        work()
        return perf_counter() - began, self.seconds


def largest(wrong: bool) -> bytes:
    """A client of 500 nodes: choices of nine, ten deep, and what they lead to; or with a mistake in every tenth."""
    nodes = []
    for place in range(NODES - 2):
        following = [f"n{min(place * 3 + step, NODES - 3)}" for step in (1, 2, 3)]
        if place * 3 + 1 > NODES - 3:
            bad = "lost" if wrong and place % 10 == 0 else "take_message"
            nodes.append(f"  n{place}:\n    queue: {{ name: medical, max_wait: 3m, overflow: {bad} }}")
            continue
        back = "n0" if wrong and place % 10 == 0 else following[0]
        keys = ", ".join(f'"{key}": {target}' for key, target in enumerate(following, 1))
        nodes.append(
            f'  n{place}:\n    menu:\n      prompt: "Choix."\n      keys: {{ {keys} }}\n'
            f"      no_input: {back}\n      no_match: {following[0]}"
        )
    return (
        'client: largest\nnumbers: ["01 99 00 00 10"]\ntimezone: Europe/Paris\nlanguage: fr\n'
        "fallback: { queue: medical }\nstart: n0\nnodes:\n" + "\n".join(nodes) + "\n"
        "  take_message:\n    message: { deliver: post_box, done: bye }\n  bye:\n    hangup:\n"
    ).encode()


def measure(folder: Path) -> dict[str, float]:
    """Seconds by what took them; for a process that has done nothing else."""
    watch = Stopwatch()
    compiler.prove = watch  # type: ignore[assignment, attr-defined]
    found: dict[str, float] = {}
    loader = Loader(folder, PaperSpeech())
    catalogues = []
    found["loaded and proved"], found["of which proof"] = watch.around(
        lambda: catalogues.append(loader.load(TUESDAY_10))
    )
    found["the proofs, alone"] = watch.again()
    if catalogues[0].issues:
        raise SystemExit(f"the generated clients do not pass: {catalogues[0].issues[0]}")
    file = next(folder.glob("*.yaml"))
    file.write_bytes(file.read_bytes() + b"# changed\n")
    found["one changed file"], found["of which its proof"] = watch.around(lambda: loader.load(TUESDAY_10))
    shared = load_shared(folder)
    for name, content in (("right", largest(wrong=False)), ("wrong", largest(wrong=True))):
        compiled: list[Any] = []

        def compile_it(content: bytes = content, compiled: list[Any] = compiled) -> None:
            document = draft(read(content, "largest.yaml"))
            compiled.append(compile_client(document, shared, PaperSpeech(), TUESDAY_10.date()))

        took, proof = watch.around(compile_it)
        if (compiled[0].plan is None) != (name == "wrong"):
            raise SystemExit(f"the tree that is {name} is judged otherwise: {compiled[0].issues[:1]}")
        found[f"500 nodes, {name}"] = took
        if name == "right":
            found["of which their proof"] = proof
    return found


def checks(clients: int, runs: int) -> list[Check]:
    """Medians of so many fresh processes, against the limits."""
    with tempfile.TemporaryDirectory(prefix="callrouter-bench-") as temporary:
        write_clients(Path(temporary), clients)
        command = [sys.executable, "-m", "bench.proof", "--in", temporary]
        found = [
            json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
            for _ in range(runs)
        ]
    return [
        at_most(what, statistics.median(one[what] for one in found), limit, "s", 3) for what, limit in LIMITS.items()
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure in fresh processes, and print; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=COUNT)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--in", dest="folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.folder:
        print(json.dumps(measure(options.folder)))
        return 0
    found = checks(options.clients, options.runs)
    print(f"{f'{options.clients} clients':<24}{'median':>12}{'limit':>12}")
    for check in found:
        print(f"{check.what:<24}{check.found:>12}{check.limit:>12}{'' if check.ok else '   missed'}")
    return int(not all(check.ok for check in found))


if __name__ == "__main__":
    sys.exit(main())

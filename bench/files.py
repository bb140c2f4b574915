"""The benches of the clients' files: commands on one file, 800 clients loaded and proved, a saved file, saved teams."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from bench import big_trees, dialplans_load, proof, reload, route_command, teams
from bench.clients import COUNT, write_clients
from bench.others import output_of
from bench.report import Section, Table, at_most


def route(runs: int) -> Section:
    """`callrouter route` as a command, beside an interpreter that does nothing."""
    found = {name: route_command.measured(arguments, runs) for name, arguments in route_command.COMMANDS.items()}
    nothing, _ = found["python -c pass"]
    rows = [
        (name, f"{wall * 1000:.0f}", f"{wall / nothing:.1f}", f"{processor * 1000:.0f}")
        for name, (wall, processor) in found.items()
    ]
    return Section(
        title="Short commands",
        about=f"Start to end of a process of its own, the least of {runs}; the interpreter's own start is part of it.",
        tables=[Table(columns=("command", "ms", "× nothing", "ms of processor"), rows=rows)],
        checks=[at_most("route", found["route, one call"][0] * 1000, route_command.LIMIT_SECONDS * 1000, "ms", 0)],
    )


DIFFERING = ((5, 12), (5, 40), (10, 12), (10, 40), (13, 40))
"""Large trees that are compared: departments of some 23 nodes, and edits."""

DIFF_LIMIT_SECONDS = 1.0


def diff(runs: int) -> Section:
    """`callrouter diff` as a command, on a large tree after many edits."""
    rows, slowest = [], 0.0
    for departments, edits in DIFFERING:
        with tempfile.TemporaryDirectory(prefix="callrouter-bench-") as place:
            old = big_trees.tree(departments, seed=1)
            new = big_trees.edited(old, edits, seed=100 + edits)
            files = [str(big_trees.write_tree(Path(place) / name, one)) for name, one in (("old", old), ("new", new))]
            wall, processor = route_command.measured(("-m", "callrouter", "diff", *files), runs)
        slowest = max(slowest, wall)
        rows.append((f"{len(old['nodes'])} nodes, {edits} edits", f"{wall:.2f}", f"{processor:.2f}"))
    return Section(
        title="What changes in a large tree",
        about=f"`callrouter diff`, start to end of a process of its own, the least of {runs}.",
        tables=[Table(columns=("tree", "s", "s of processor"), rows=rows)],
        checks=[at_most("diff, the slowest", slowest, DIFF_LIMIT_SECONDS, "s")],
    )


def load800(runs: int) -> Section:
    """All clients from cold, in a process that has done nothing else."""
    with tempfile.TemporaryDirectory(prefix="callrouter-bench-") as place:
        folder = Path(place)
        write_clients(folder, COUNT)
        wall, cpu, clients = min(dialplans_load.whole(folder) for _ in range(runs))
        phases = dialplans_load.phases(folder)
    rows = [("all, wall clock", f"{wall:.2f}"), ("all, processor", f"{cpu:.2f}")]
    rows += [(f"{phase}, processor, all clients in turn", f"{seconds:.2f}") for phase, seconds in phases.items()]
    return Section(
        title=f"Loading {clients} clients",
        about=f"Trees of 30 nodes, read, compiled and proved by a fresh process, imports left out; best of {runs}.",
        tables=[Table(columns=("what", "s"), rows=rows)],
        checks=[at_most(f"{COUNT} clients from cold", wall, dialplans_load.LIMIT_SECONDS, "s")],
    )


def proving(runs: int) -> Section:
    """What the proof of the trees costs, by what is proved."""
    return Section(
        title="The proof",
        about=f"{COUNT} clients by a fresh process, one saved file by a loader that has the rest, and trees of "
        f"{proof.NODES} nodes; medians of {runs}.",
        checks=proof.checks(COUNT, runs),
    )


def reloading(saves: int) -> Section:
    """From a saved file to its being live, and what calls feel meanwhile."""
    output = output_of("-m", "bench.reload", str(saves))
    three = r"([\d.]+) / ([\d.]+) / ([\d.]+) ms"
    found = re.search(rf"save to live: {three}; \d+ files at once: (\d+) ms; pauses: {three}", output)
    if found is None:
        raise SystemExit(f"bench/reload.py printed something else: {output}")
    rows = [
        ("a save", *found.group(1, 2, 3)),
        (f"{reload.PULLED} files at once", "", "", found[4]),
        ("pauses of the event loop", *found.group(5, 6, 7)),
    ]
    return Section(
        title="From save to live",
        about=f"{saves} saves, each of another of {COUNT} clients' files, until a new call would walk the new version; "
        "a loop that is asked every millisecond whether it turns tells what calls would feel.",
        tables=[Table(columns=("ms", "median", "95 %", "longest"), rows=rows)],
        checks=[at_most("a save is live, 95th percentile", float(found[2]), reload.LIMIT_SECONDS * 1000, "ms", 1)],
    )


def teaming(saves: int) -> Section:
    """From saved teams to Asterisk's queues."""
    output = output_of("-m", "bench.teams", str(saves))
    three = r"(\d+) / (\d+) / (\d+) ms"
    found = re.search(rf"team to live: {three}; trees: {three}", output)
    if found is None:
        raise SystemExit(f"bench/teams.py printed something else: {output}")
    return Section(
        title="From saved teams to Asterisk",
        about=f"{saves} saves of shared/queues.yaml beside {COUNT} clients' files, each with a team more, until "
        "Asterisk has its queue; all trees stand on that file, and are compiled again meanwhile.",
        tables=[
            Table(
                columns=("ms", "median", "95 %", "longest"),
                rows=[("the queue is there", *found.group(1, 2, 3)), ("all trees are", *found.group(4, 5, 6))],
            )
        ],
        checks=[at_most("a team is live, the longest", float(found[3]), teams.LIMIT_SECONDS * 1000, "ms", 0)],
    )

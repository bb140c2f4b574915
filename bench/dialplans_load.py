"""How long 800 clients take to load and prove from cold, phase by phase. `python -m bench.dialplans_load [COUNT]`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from bench.clients import COUNT, write_clients

LIMIT_SECONDS = 2.0
"""For 800 clients of 30 nodes, proof included."""


def whole(folder: Path) -> tuple[float, float, int]:
    """Wall and CPU seconds of one load in a process of its own, imports left out, and the clients it found."""
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from callrouter.dialplan import PaperSpeech, load_directory\n"
        "wall, cpu = time.perf_counter(), time.process_time()\n"
        "catalogue = load_directory(Path(sys.argv[1]), PaperSpeech())\n"
        "print(time.perf_counter() - wall, time.process_time() - cpu, len(catalogue.plans))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(folder)], check=True, capture_output=True, text=True)
    wall, cpu, found = done.stdout.split()
    return float(wall), float(cpu), int(found)


def phases(folder: Path) -> dict[str, float]:
    """CPU seconds of each step, one after the other for all clients."""
    from callrouter.dialplan.compile.compiler import compile_client
    from callrouter.dialplan.compile.neighbours import Neighbours
    from callrouter.dialplan.documents.drafts import draft
    from callrouter.dialplan.folder.files import load_shared, read_file
    from callrouter.dialplan.folder.sound_files import PaperSpeech

    found: dict[str, float] = {}
    begun = time.process_time()

    def note(name: str) -> None:
        nonlocal begun
        now = time.process_time()
        found[name], begun = now - begun, now

    documents = [read_file(path, path.name) for path in sorted(folder.glob("*.yaml"))]
    note("read")
    drafts = [draft(document) for document in documents]
    note("validate")
    shared, sounds = load_shared(folder), PaperSpeech()
    neighbours = Neighbours(drafts, shared.country)
    for drafted in drafts:
        compile_client(drafted, shared, sounds, date(2026, 11, 23), neighbours)
    note("compile and prove")
    return found


def main(count: int) -> None:
    """Print it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_clients(folder, count)
        runs = sorted(whole(folder) for _ in range(3))
        wall, cpu, found = runs[0]
        print(f"{found} clients loaded and proved from cold: {wall:.2f} s ({cpu:.2f} s CPU), the best of {len(runs)}")
        print(f"limit for {COUNT} clients: {LIMIT_SECONDS:g} s")
        for phase, seconds in phases(folder).items():
            print(f"  {phase}: {seconds:.2f} s CPU")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)

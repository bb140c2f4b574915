"""What `make chaos` found: its rounds, a line each in chaos.jsonl, and the table made of them in RESULTS.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench.report import Section, Table

ROUNDS: Final = Path(__file__).with_name("chaos.jsonl")
RESULTS: Final = Path(__file__).with_name("RESULTS.md")
TITLE: Final = "Chaos"
ABOUT: Final = """\
`make chaos FAULT=…`: real calls at telephones of the harness, a fault at a random instant, and rows compared with the
telephones' own count (docs/chaos.md). A line is one run: counts are sums over its rounds, seconds the longest of them.
`live` are calls in progress when the fault struck, `rows` those missing, doubled or wrong, `keys` such as ended a
question and were not taken. `load` is the machine's own, for its two cores: above some 2, others took part of what
callers were to get. `held up` is the longest time for which the telephones' own process stood still: such a round
proves nothing by its times."""
COLUMNS: Final = (
    *("fault", "when", "build", "rounds", "live", "dropped", "rows", "keys", "twice"),
    *("silence s", "control s", "load", "held up s", "missed", "promised besides"),
)
_COUNTS: Final = ("live", "dropped", "lost_keys", "twice")

Round = Mapping[str, Any]


def append(path: Path, found: Round) -> None:
    """A round more. Its keys are those of `tests.chaos.verdict.Verdict`, and what `tests.chaos.__main__` adds."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(found, sort_keys=True) + "\n")


def rounds(path: Path) -> list[Round]:
    """All of them, in the order in which they were played."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def section(found: Iterable[Round]) -> Section:
    """The table of them, a line for each run."""
    runs: dict[tuple[str, str], list[Round]] = {}
    for one in found:
        runs.setdefault((one["fault"], one["run"]), []).append(one)
    ordered = sorted(runs.items(), key=lambda pair: pair[0])
    return Section(title=TITLE, about=ABOUT, tables=[Table(columns=COLUMNS, rows=[_row(run) for _, run in ordered])])


def _row(run: Sequence[Round]) -> list[str]:
    first = run[0]
    sums = {name: sum(one.get(name, 0) for one in run) for name in (*_COUNTS, "missing", "doubled", "wrong")}
    control = [one.get("control_seconds", 0.0) for one in run]
    broken = sorted({name for one in run for name in one["broken"]})
    return [
        *(first["fault"], first["run"][:16].replace("T", " "), first["build"], f"{len(run)}"),
        *(f"{sums[name]}" for name in _COUNTS[:2]),
        f"{sums['missing']} / {sums['doubled']} / {sums['wrong']}",
        *(f"{sums[name]}" for name in _COUNTS[2:]),
        f"{max(one.get('silence_seconds', 0.0) for one in run):.1f}",
        "never" if None in control else f"{max(control):.1f}",
        f"{max(one['load'] for one in run):.0f}",
        f"{max(one.get('held_up_seconds', 0.0) for one in run):.2f}",
        ", ".join(broken) or "nothing",
        ", ".join(_times(run)) or first.get("said", "–"),
    ]


def _times(run: Sequence[Round]) -> Iterator[str]:
    """Of each time that was promised, the longest, and what it may be."""
    for name, limit in run[-1].get("promised", {}).items():
        if name.endswith("_seconds"):
            found = [one[name] for one in run]
            longest = "never" if None in found else f"{max(found):.1f}"
            yield f"{name.removesuffix('_seconds')} {longest} (≤ {limit:g})"


def renew(results: Path, found: Iterable[Round]) -> None:
    """Put the table of these rounds in place of the one that RESULTS.md has, or at its end."""
    text = results.read_text(encoding="utf-8")
    made = section(found).markdown()
    begins = re.search(rf"^## {TITLE}$", text, re.MULTILINE)
    if begins is None:
        results.write_text(f"{text.rstrip()}\n\n{made}", encoding="utf-8")
        return
    ends = text.find("\n## ", begins.end())
    rest = text[ends + 1 :] if ends > 0 else ""
    results.write_text(text[: begins.start()] + made + (f"\n{rest}" if rest else ""), encoding="utf-8")

"""Tables: on the terminal, and in RESULTS.md."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil


@dataclass(frozen=True, kw_only=True)
class Check:
    """A number that was promised."""

    what: str
    found: str
    limit: str
    ok: bool


def at_most(what: str, found: float, limit: float, unit: str, digits: int = 2) -> Check:
    """A check of an upper limit; nan fails."""
    return Check(what=what, found=f"{found:.{digits}f} {unit}", limit=f"≤ {limit:g} {unit}", ok=found <= limit)


def at_least(what: str, found: float, limit: float, unit: str, digits: int = 1) -> Check:
    """A check of a lower limit; nan fails."""
    return Check(what=what, found=f"{found:,.{digits}f} {unit}", limit=f"≥ {limit:,g} {unit}", ok=found >= limit)


def exactly(what: str, found: int, wanted: int) -> Check:
    """A check of a count."""
    return Check(what=what, found=f"{found:,}", limit=f"= {wanted:,}", ok=found == wanted)


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of text under headings."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def plain(self) -> str:
        """For a terminal."""
        widths = [max(len(row[place]) for row in [self.columns, *self.rows]) for place in range(len(self.columns))]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if place == 0 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in [self.columns, *self.rows]
        )

    def markdown(self) -> str:
        """For RESULTS.md."""
        rule = ["---", *["---:"] * (len(self.columns) - 1)]
        return "\n".join(f"| {' | '.join(row)} |" for row in [self.columns, rule, *self.rows])


@dataclass(frozen=True, kw_only=True)
class Section:
    """What one bench found."""

    title: str
    about: str
    tables: Sequence[Table] = ()
    checks: Sequence[Check] = ()
    notes: Sequence[str] = ()
    output: str = ""
    """What a bench of its own printed, as it is."""

    @property
    def ok(self) -> bool:
        """Whether every promise was kept."""
        return all(check.ok for check in self.checks)

    def _checks(self) -> Table:
        rows = [(check.what, check.found, check.limit, "ok" if check.ok else "MISSED") for check in self.checks]
        return Table(columns=("number", "found", "promised", ""), rows=rows)

    def plain(self) -> str:
        """For a terminal."""
        parts = [f"== {self.title}", self.about, *(table.plain() for table in self.tables)]
        parts += [self.output] if self.output else []
        parts += [*self.notes, *([self._checks().plain()] if self.checks else [])]
        return "\n\n".join(parts) + "\n"

    def markdown(self) -> str:
        """For RESULTS.md."""
        parts = [f"## {self.title}", self.about, *(table.markdown() for table in self.tables)]
        parts += [f"```text\n{self.output}\n```"] if self.output else []
        parts += [*self.notes, *([self._checks().markdown()] if self.checks else [])]
        return "\n\n".join(parts) + "\n"


def machine(versions: Mapping[str, str]) -> str:
    """On what this was measured, with the versions of the programs that took part."""
    cpu = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    parts = [
        f"{psutil.cpu_count()} × {cpu[1] if cpu else platform.machine()}",
        f"{psutil.virtual_memory().total / 2**30:.0f} GB of memory",
        f"Linux {platform.release()}",
        f"Python {platform.python_version()}",
        *(f"{program} {number}" for program, number in versions.items()),
        f"uvloop {version('uvloop')}",
        f"panoramisk {version('panoramisk')}",
    ]
    return ", ".join(parts)


def write_results(path: Path, sections: Sequence[Section], versions: Mapping[str, str]) -> None:
    """Write everything down."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    missed = [check.what for section in sections for check in section.checks if not check.ok]
    kept = sum(len(section.checks) for section in sections) - len(missed)
    verdict = f"{kept} numbers kept, {len(missed)} missed{': ' + '; '.join(missed) if missed else ''}."
    head = (
        "# Results of the bench\n\n"
        f"Written by `make bench`, {now}. {verdict}\n\n"
        f"{machine(versions)}. Asterisk, SIPp, PostgreSQL and whatever is measured share these cores; "
        "peers are measured in the same run.\n"
    )
    path.write_text("\n".join([head, *(section.markdown() for section in sections)]), encoding="utf-8")

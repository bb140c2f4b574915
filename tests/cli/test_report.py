"""`callrouter report` as a command, on a real PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from .test_record import Command
from .test_record import command as command

ROOT = Path(__file__).parents[2]
DAY = ("--from", "2026-11-24", "--to", "2026-11-25")


async def test_a_table_on_a_screen(command: Command) -> None:
    done = await command("report", *DAY, "--compare", "before")

    assert done.returncode == 0, done.stderr
    title, head, row, *rest = done.stdout.splitlines()
    assert title == "Calls by client · All clients · 2026-11-24 (Europe/Paris)"
    assert head.split()[:3] == ["Client", "Received", "Offered"]
    assert row.split()[:3] == ["cabinet-moreau", "4", "4"]
    assert any("Service level = answered in time ÷ (offered − short abandons)" in line for line in rest)
    assert "Compared with the period before, 2026-11-23." in rest
    assert done.stderr == ""  # no terminal: nothing is said meanwhile


async def test_days_in_french(command: Command) -> None:
    done = await command("report", "day", *DAY, "--language", "fr", "--client", "cabinet-moreau")

    assert done.stdout.splitlines()[0].startswith("Appels par jour · Cabinet du docteur Moreau · 24/11/2026")
    assert done.stdout.splitlines()[2].startswith("mar 24/11/2026")


async def test_files_by_their_names(command: Command, tmp_path: Path) -> None:
    for name, begins in (("a.csv", b"Client,"), ("b.xlsx", b"PK"), ("c.svg", b"<svg "), ("d.pdf", b"%PDF-")):
        done = await command("report", *DAY, "--client", "cabinet-moreau", "--output", str(tmp_path / name))
        assert (done.returncode, done.stdout) == (0, f"{tmp_path / name} written\n"), done.stderr
        assert (tmp_path / name).read_bytes().startswith(begins)


async def test_json_is_what_the_api_answers(command: Command) -> None:
    done = await command("report", *DAY, "--format", "json", "--sort", "offered", "--top", "1")

    report = json.loads(done.stdout)
    assert (report["by"], report["rows"][0]["key"]) == ("client", "cabinet-moreau")
    jsonschema.validate(report, json.loads((ROOT / "docs" / "report.schema.json").read_text()))


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (
            ("--client", "cabinet-morau"),
            2,
            "there is no client cabinet-morau: none of that name was ever live, and no call names it",
        ),
        (("--from", "2026-11-25", "--to", "2026-11-24"), 2, "the period ends before it begins"),
        (("--month", "2026-10", "--last", "7d"), 2, "`month` and `last` each say the period"),
        (("--last", "soon"), 2, "write 7d (whole days)"),
        (("--timezone", "Paris"), 2, "is no time zone"),
        (("--sort", "fame"), 2, "there is no column 'fame'"),
        (("--output", "report.doc"), 2, "says no form"),
        (("--output", "."), 2, "says no form"),
        (("agent", "--client", "cabinet-moreau"), 2, "without a client"),
    ],
)
async def test_what_is_wrong_is_said(command: Command, arguments: tuple[str, ...], code: int, says: str) -> None:
    done = await command("report", *arguments)

    assert done.returncode == code
    assert says in " ".join(done.stderr.replace("│", " ").split())
    assert done.stdout == ""


async def test_a_months_report_is_mailed_again_only_where_somebody_is_sent_it(command: Command) -> None:
    nobody = await command("report", "--send", "--client", "cabinet-moreau", "--month", "2026-11")
    no_month = await command("report", "--send", "--client", "cabinet-moreau")

    assert (nobody.returncode, nobody.stdout) == (2, "")
    assert "the file of cabinet-moreau names nobody who is sent reports: write `reports` in it" in nobody.stderr
    assert no_month.returncode == 2
    assert "name --client and --month" in no_month.stderr


HEAVY = {"typst", "xlsxwriter"}


@pytest.mark.parametrize(
    "imported",
    ["callrouter.cli.application", "callrouter.app.engine", "callrouter.api.web_app", "callrouter.cli.report.command"],
)
def test_nothing_heavy_is_loaded_before_it_is_needed(imported: str) -> None:
    """Neither by the engine, nor by `callrouter --help`, nor by the web process before a file is asked for."""
    code = f"import sys, {imported}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)

    assert HEAVY.isdisjoint(done.stdout.split())

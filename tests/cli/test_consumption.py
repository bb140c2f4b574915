"""`callrouter consumption` as a command, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from callrouter.api.schemas.consumption import schema

from .test_record import Command
from .test_record import command as command

ROOT = Path(__file__).parents[2]
TARIFF = """tariff: secretariat-2026
currency: EUR
vat: 20%
monthly: { fee: 30.00, calls: 1 }
calls: { price: 0.90 }
minutes: { price: 0.60, first: 60s, step: 30s }
not_billed: { outcomes: [rejected, left_early, self_served, failed, abandoned], nodes: wrong_number }
"""
SET = ("--from", "2026-11-01")


@pytest.fixture
def tariff(tmp_path: Path) -> Path:
    """Beside whoever types."""
    (tmp_path / "tariff.yaml").write_text(TARIFF)
    return tmp_path / "tariff.yaml"


def rewrite(file: Path, text: str) -> None:
    """As an editor does."""
    file.write_text(text)


def words(text: str) -> str:
    """Without line breaks and frames."""
    return " ".join(text.replace("│", " ").split())


async def test_a_month_from_its_tariff_to_its_calls(command: Command, tariff: Path) -> None:
    """Two answered calls of 60 s and one of a message: 30.00 + 2 x 0.90 + 2 x 0.60 = 33.00, and 6.60 VAT."""
    checked = await command("consumption", "check", "tariff.yaml")
    assert (checked.returncode, checked.stdout) == (0, "1 tariff can be set; 0 cannot.\n")
    done = await command("consumption", "set", "tariff.yaml", "cabinet-moreau", *SET)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cabinet-moreau: tariff secretariat-2026, version ")
    assert "not billed by node wrong_number, says the tariff, and the client's file has none" in done.stderr

    shown = await command("consumption", "preview", "cabinet-moreau", "--month", "2026-11")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("Consumption statement · Cabinet du docteur Moreau · November 2026 (Europe/Paris)")
    assert "Not issued" in shown.stdout
    assert "Total without VAT €33.00 · VAT 20% of €33.00 €6.60 · Total with VAT €39.60" in shown.stdout
    assert "Not billed: 1 given up while waiting." in shown.stdout

    version = done.stdout.split("version ")[1].split(",")[0]
    rewrite(tariff, TARIFF.replace("0.90", "9.00"))  # it changes nothing until it is set
    early = await command("consumption", "issue", "--all", "--month", "2099-01")
    assert early.returncode == 1
    assert "cabinet-moreau: 2099-01 goes on until 2099-02-01 00:00 (Europe/Paris)" in words(early.stderr)
    assert "0.90" in (await command("consumption", "tariff", "--version", version)).stdout


@pytest.fixture
async def later(command: Command, tariff: Path) -> Command:
    """The same command, half a year later; the client has its tariff."""
    await command("consumption", "set", str(tariff), "cabinet-moreau", *SET)
    (tariff.parent / ".env").write_text("CALLROUTER_CLOCK_SHIFT_SECONDS=15552000\n")
    return command


async def test_an_invoice_in_its_forms(later: Command, tmp_path: Path) -> None:
    issued = await later("consumption", "issue", "--all", "--month", "2026-11")
    assert issued.returncode == 0, issued.stderr
    number = issued.stdout.split()[0]
    assert issued.stdout.endswith("cabinet-moreau  2026-11  €39.60\n")
    again = await later("consumption", "issue", "cabinet-moreau", "--month", "2026-11")
    assert again.stdout == issued.stdout.replace("\n", "  (issued before)\n")
    whole = json.loads((await later("consumption", "show", number, "--format", "json")).stdout)
    jsonschema.validate(whole, schema())
    assert (whole["gross"], [line["amount"] for line in whole["lines"]]) == ("39.60", ["30.00", "0.00", "1.80", "1.20"])
    done = await later("consumption", "show", number, "-o", "a.pdf", "--language", "fr")
    assert (done.returncode, (tmp_path / "a.pdf").read_bytes()[:5]) == (0, b"%PDF-"), done.stderr
    rows = list(csv.DictReader(io.StringIO((await later("consumption", "list", "--format", "csv")).stdout)))
    assert [row["what"] for row in rows][:2] == ["Monthly flat rate", "Calls, included in the flat rate"]

    items = await later("consumption", "items", number, "--line", "4")
    assert [line.split("  ")[2] for line in items.stdout.splitlines()] == ["2", "1"]
    assert "talk 60 s  billed 60 s  line 3, 4" in items.stdout
    told = await later("consumption", "explain", "3")
    assert "not billed: given up while waiting" in told.stdout


async def test_what_if(later: Command, tmp_path: Path) -> None:
    """By calls alone: 3 x 2.00 are 6.00, and 27.00 less."""
    plain = TARIFF.replace("monthly: { fee: 30.00, calls: 1 }\ncalls: { price: 0.90 }", "calls: { price: 2 }")
    plain = plain.replace("minutes: { price: 0.60, first: 60s, step: 30s }\n", "")
    (tmp_path / "other.yaml").write_text(plain)
    done = await later("consumption", "what-if", "cabinet-moreau", "--tariff", "other.yaml", "--month", "2026-11")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "By the other tariff it costs €27.00 less, without VAT."


WRONG = [
    (("check", "nowhere.yaml"), 2, "nowhere.yaml cannot be read: No such file"),
    (("set", "tariff.yaml", "cabinet-morau", *SET), 2, "there is no client cabinet-morau"),
    (("set", "tariff.yaml", "cabinet-moreau", "--from", "november"), 2, "'november' is no day: write 2026-10-01"),
    (("preview", "cabinet-moreau", "--month", "2026-11"), 1, "cabinet-moreau has no tariff in 2026-11"),
]


@pytest.mark.usefixtures("tariff")
async def test_what_is_wrong_is_said(command: Command) -> None:
    """Two at a time: each is a process."""
    done = [await asyncio.gather(*(command("consumption", *one[0]) for one in WRONG[n : n + 2])) for n in (0, 2)]

    for (arguments, code, says), found in zip(WRONG, [one for two in done for one in two], strict=True):
        assert (found.returncode, found.stdout) == (code, ""), arguments
        assert says in words(found.stderr)


async def test_a_tariff_that_is_wrong_is_not_set(command: Command, tariff: Path) -> None:
    rewrite(tariff, TARIFF.replace("step: 30s", "step: 0s").replace("rejected", "rejectd"))
    done = await command("consumption", "set", "tariff.yaml", "cabinet-moreau", *SET)
    checked = await command("consumption", "check", "tariff.yaml")

    assert done.returncode == 2
    assert 'tariff.yaml:6: minutes.step: "0s" is no step: write "1s" to bill by the second' in done.stderr
    assert '(did you mean "rejected"?)' in done.stderr
    assert (checked.returncode, checked.stdout.splitlines()[-1]) == (1, "0 tariffs can be set; 1 cannot.")
    assert "has no tariff" in (await command("consumption", "tariff", "cabinet-moreau")).stdout

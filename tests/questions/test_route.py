"""`callrouter route`, as a person uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from callrouter.cli import main

FILE = str(Path(__file__).parents[2] / "dialplans" / "cabinet-moreau.yaml")
TUESDAY = ["--at", "2026-01-06T10:00"]


def _route(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *args: str) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["callrouter", "route", *args])
    code = 0
    try:
        main()
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def test_each_step_with_its_line_and_reason(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what the caller hears."""
    code, out, _ = _route(capsys, monkeypatch, FILE, *TUESDAY, "--keys", "9,2", "--expect", "queue:medical")

    assert code == 0
    assert "hours (cabinet-moreau.yaml:" in out
    assert "→ open (Tue 10:00)" in out
    assert "hears  «Cabinet du docteur Moreau, bonjour." in out
    assert "→ key:2 (key 2)" in out
    assert out.splitlines()[-1] == "ended: answered, queue:medical"


@pytest.mark.parametrize(
    ("args", "ending"),
    [
        (["--from", "0899123456"], "ended: rejected, reject"),
        (["--keys", "1", "--dial", "on_call=refused"], "ended: redirected, dial:doctor"),
        (["--keys", "1", "--dial", "*=busy", "--message", "5"], "ended: message_left, message:urgent_message"),
        (["--queue-state", "medical=full"], "ended: message_left, message:take_message"),
        (["--queue-state", "*=timeout", "--message", "1"], "ended: abandoned, abandoned"),
        (["--to", "01 99 00 00 10", "--hang-up-after", "1"], "ended: left_early, left_early"),
        (["--at", "2026-12-25T10:00"], "ended: message_left, message:night"),
        (["--at", "holiday 10:00"], "ended: message_left, message:night"),
        (["--at", "sat 11:59", "--keys", "2"], "ended: answered, queue:medical"),
    ],
)
def test_ends(
    args: list[str], ending: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Callers, contacts, queues and times as the options say."""
    code, out, _ = _route(capsys, monkeypatch, FILE, *([] if "--at" in args else TUESDAY), *args)

    assert code == 0
    assert out.splitlines()[-1] == ending


def test_another_end_than_expected(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 1, and both are named."""
    code, _, err = _route(capsys, monkeypatch, FILE, *TUESDAY, "--keys", "1", "--expect", "queue:medical")

    assert code == 1
    assert err.strip() == "expected queue:medical, but the call came to dial:on_call"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--to", "+33199000099"], "is no number of cabinet-moreau: it has +33199000010"),
        (["--at", "tomorrow"], "'tomorrow' is no time: write 2026-05-01T09:00"),
        (["--keys", "2x"], "'x' is no key of a telephone"),
        (["--queue-state", "medical=gone"], "--queue-state: medical: 'gone' is none of answered, abandoned"),
        (["--queue-state", "full"], "--queue-state: 'full' has no '=': write NAME=full, or '*=full' for all"),
        (["--lookup", "rank"], "--lookup: 'rank' has no '=': write rank=VALUE"),
        (["--dial", "*=bussy"], 'refused, unavailable, abandoned, failed (did you mean "busy"?)'),
        (["--dial", "nobody=busy"], "'nobody' is neither a contact of the tree nor a number"),
    ],
)
def test_bad_input(
    args: list[str], sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sentence, and exit 2."""
    code, _, err = _route(capsys, monkeypatch, FILE, *args)

    assert code == 2
    assert sentence in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err


def test_every_outcome(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With the shortest way to each, and where it is decided."""
    code, out, _ = _route(capsys, monkeypatch, FILE, *TUESDAY, "--all")

    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith("Cabinet du docteur Moreau (cabinet-moreau.yaml): 10 outcomes, over 3 kinds of callers")
    assert "              any other caller, Wed 2026-01-07 10:15: presses 1, on_call answers" in lines


def test_of_several_expectations_all_must_hold(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that do not are named."""
    wanted = ["--expect", "queue:medical", "--expect", "node:priority"]
    code, _, err = _route(capsys, monkeypatch, FILE, *TUESDAY, "--keys", "2", *wanted)

    assert code == 1
    assert err.strip() == "expected node:priority, but the call came to queue:medical"


def test_a_file_that_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its findings are shown."""
    broken = tmp_path / "broken.yaml"
    broken.write_text("client: broken\nstart: nowhere\n")
    code, _, err = _route(capsys, monkeypatch, str(broken))

    assert code == 2
    assert "broken.yaml:" in err


def test_a_folder_needs_a_number(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Which client is asked about, the number says."""
    folder = str(Path(FILE).parent)
    missing, _, err = _route(capsys, monkeypatch, folder)
    code, out, _ = _route(capsys, monkeypatch, folder, "--to", "+442079460040", *TUESDAY, "--keys", "3")

    assert (missing, code) == (2, 0)
    assert "--to" in err
    assert out.splitlines()[-1] == "ended: redirected, redirect:+442079460041"

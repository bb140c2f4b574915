"""`explain` and `stats`, run as commands on a real PostgreSQL and the demonstration's dialplans."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from callrouter.core.call import Revision, replace
from callrouter.core.plan import Plan
from callrouter.core.service_level import Promise
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.store.access.audit import AuditRow, Deed, new_id, write_rows
from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import acknowledge
from callrouter.store.dispatch.events import What
from callrouter.store.plans import StoredPlan, WentLive, remember_live
from callrouter.store.tables import AuditOutcome
from callrouter.store.writing.writer import Writer
from tests.store.dispatch.rows import MOREAU, after, happened, stand, take

from ..api.stories import HOSTILE_NAME, abandoned, answered, message_left  # noqa: TID252  # tests are no installed package
from .test_main import run

ROOT = Path(__file__).parents[2]
DIALPLANS = ROOT / "dialplans"

Command = Callable[..., "asyncio.Future[subprocess.CompletedProcess[str]]"]


@pytest.fixture
async def command(database: Database, database_url: str, tmp_path: Path) -> Command:
    """`callrouter`, on a record that holds four calls, of one of which the plan is not kept; there is no folder."""
    catalogue = load_directory(DIALPLANS, PaperSpeech((DIALPLANS / "sounds",)))
    plan = catalogue.plans["cabinet-moreau"]
    documents = {name: catalogue.documents[name].decode() for name in catalogue.uses[plan.client]}
    live_at = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    went = WentLive(client=plan.client, version=plan.version, live_at=live_at, why="saved")
    await remember_live(database, [_stored(plan, documents)], [went])
    version = plan.version
    calls = [answered("1", name=HOSTILE_NAME), answered("2", wait=30), abandoned("3"), message_left("4")]
    writer = Writer(database)
    await writer.write([*(replace(call, plan_version=version) for call in calls[:3]), calls[3]])
    writer.close()
    env = {
        "CALLROUTER_DATABASE_URL": database_url,
        "PYTHONPATH": str(ROOT),
        "TZ": "Asia/Tokyo",
    }
    return lambda *arguments: asyncio.to_thread(run, *arguments, cwd=tmp_path, env=env)  # type: ignore[return-value]


def _stored(plan: Plan, documents: dict[str, str]) -> StoredPlan:
    return StoredPlan(
        client=plan.client,
        version=plan.version,
        document=documents[plan.source],
        first_live_at=datetime(2026, 11, 24, 8, 0, tzinfo=UTC),
        source=plan.source,
        documents=documents,
        promise=plan.promise,
    )


async def test_explain_names_the_lines_that_decided(command: Command) -> None:
    done = await command("explain", "1")

    assert done.returncode == 0, done.stderr
    head, path, _, *story = done.stdout.splitlines()
    assert head.startswith('1: +33612340001 "Jean"; DROP TABLE calls; -- ${SHELL(id)}\\x0d\\x0aAction: Logoff')
    assert path == "hours → welcome"
    assert story[0].startswith("10:00:00  hours (cabinet-moreau.yaml:")
    assert story[0].endswith(") → open (Tue 10:00)")
    assert story[-2] == "10:01:20  ended: answered"
    assert story[-1].startswith("(lines of version ")
    assert story[-1].endswith(" of the dialplan, in service since 2026-11-24 08:00 UTC)")


async def test_explain_says_who_is_told_of_a_message(command: Command, database: Database) -> None:
    """By the policy of the version that the call walked, from the instant at which the message was complete."""
    plan = load_directory(DIALPLANS, PaperSpeech((DIALPLANS / "sounds",))).plans["cabinet-moreau"]
    call = replace(message_left("9"), plan_version=plan.version)
    (message,) = call.messages
    writer = Writer(database)
    await writer.write([replace(call, messages=(replace(message, deliver="emergencies"),))])
    writer.close()

    done = await command("explain", "9")

    assert done.stdout.splitlines()[-7:-1] == [
        "delivery by policy emergencies, ordinary, while nobody acknowledges:",
        "  10:00:44  Médecin de garde: SMS to +33639980002",
        "  10:00:44  Docteur Moreau: SMS to +33639980001",
        "  10:10:44  Boîte du cabinet Moreau: e-mail to cabinet@moreau.example",
        "  10:10:44  Médecin de garde: e-mail to garde@moreau.example",
        "  10:25:44  all of it again, 3 times at most; then it stands on the agents' list",
    ]


async def test_explain_says_that_the_record_was_corrected(command: Command, database: Database) -> None:
    """Whoever disputes a call sees that somebody said otherwise, and where that stands."""
    writer = Writer(database)
    await writer.write([replace(answered("8"), revision=Revision(100, 3))])
    await writer.write([replace(answered("8"), revision=Revision(200, 1))])
    writer.close()

    done = await command("explain", "8")

    assert done.stdout.splitlines()[-2] == (
        "(1 other record of this call is kept, by whoever knew less or was corrected: /api/calls/8/superseded)"
    )


async def test_explain_says_when_the_version_is_not_in_the_record(command: Command) -> None:
    done = await command("explain", "4")

    assert "09:00:45  ended: message_left" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("(times in UTC, without lines: version 5f2d3c9a10be")


async def test_explain_by_the_version_that_was_in_service(command: Command, database: Database, tmp_path: Path) -> None:
    """The file has changed since: the lines are those of the version the call was served by."""
    files = ["cabinet-moreau.yaml", *(f"shared/{path.name}" for path in sorted((DIALPLANS / "shared").glob("*.yaml")))]
    documents = {name: (DIALPLANS / name).read_text() for name in files}
    documents["cabinet-moreau.yaml"] = "# one line more\n" + documents["cabinet-moreau.yaml"]
    for name, content in documents.items():
        place = tmp_path / "before" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    plan = load_directory(tmp_path / "before" / "cabinet-moreau.yaml", PaperSpeech()).plans["cabinet-moreau"]
    await remember_live(database, [_stored(plan, documents)], [])
    writer = Writer(database)
    await writer.write([replace(answered("5"), plan_version=plan.version)])
    writer.close()

    done = await command("explain", "5")

    assert done.returncode == 0, done.stderr
    assert f"10:00:00  {plan.where('hours')} → open" in done.stdout
    assert done.stdout.splitlines()[-1] == (
        f"(lines of version {plan.version} of the dialplan, in service since 2026-11-24 08:00 UTC)"
    )


async def test_explain_by_a_version_that_no_longer_passes(command: Command, database: Database) -> None:
    """Its lines are lost; the client's zone is kept with its promise."""
    plan = StoredPlan(
        client="cabinet-moreau",
        version="unread",
        document="client: [",
        first_live_at=datetime(2026, 11, 24, 8, 0, tzinfo=UTC),
        source="cabinet-moreau.yaml",
        documents={"cabinet-moreau.yaml": "client: ["},
        promise=Promise(timezone="Indian/Reunion"),
    )
    await remember_live(database, [plan], [])
    writer = Writer(database)
    await writer.write([replace(answered("6"), plan_version="unread")])
    writer.close()

    done = await command("explain", "6")

    lines = done.stdout.splitlines()
    assert lines[0].endswith("at 2026-11-24 13:00:00 (Indian/Reunion)")
    assert "13:01:20  ended: answered" in lines
    assert lines[-1] == (
        "(without lines: version unread of the dialplan is in the record, but this release cannot compile it)"
    )


async def test_a_call_that_is_not_there(command: Command) -> None:
    done = await command("explain", "none\x1b[2J")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "callrouter: there is no call none\\x1b[2J in the record\n"


async def test_stats_of_a_day_in_the_clients_zone_wherever_the_machine_stands(command: Command) -> None:
    done = await command("stats", "--from", "2026-11-24", "--to", "2026-11-25")

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "2026-11-24 00:00 CET to 2026-11-25 00:00 CET"
    (row,) = (line.split() for line in lines if line.startswith("cabinet-moreau "))
    assert row[:9] == ["cabinet-moreau", "4", "4", "2", "1", "0", "1", "1", "50.0%"]
    assert row[9:11] == ["by", "promise"]
    (of_promise,) = (line.split() for line in lines if line.startswith("  promise 1 "))
    assert of_promise[10:13] == ["33.3%", "✗", "90.0%"]
    assert any("short_abandon_excluded: T = " in line for line in lines)


async def test_stats_for_machines(command: Command) -> None:
    done = await command(
        "stats", "--json", "--client", "cabinet-moreau", "--from", "2026-11-24T10:00", "--to", "2027-01-01"
    )

    (client,) = json.loads(done.stdout)["clients"]
    assert (client["received"], client["answered"]) == (4, 2)


async def test_a_month_and_a_period_that_ends_before_it_begins(command: Command) -> None:
    month, backwards = await asyncio.gather(
        command("stats", "--month", "2026-11"), command("stats", "--from", "2026-02-01", "--to", "2026-01-01")
    )

    assert month.stdout.startswith("2026-11-01 00:00 CET to 2026-12-01 00:00 CET\n"), month.stderr
    assert (backwards.returncode, backwards.stdout) == (2, "")
    assert "the period ends before it begins: --from must be before --to" in backwards.stderr


async def test_a_period_without_calls(command: Command) -> None:
    done = await command("stats", "--from", "2020-01-01", "--to", "2020-02-01")

    assert done.stdout.splitlines()[1] == "No calls."


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "last week"], "write a day (2026-11-24, today, yesterday), or a time (2026-11-24T10:00"),
        (["--to", "1999-12-31"], "the year must be 2000 to 2100"),
        (["--month", "October"], "is no month: write 2026-10"),
        (["--month", "2026-10", "--from", "today"], "`month` and `from` each say the period"),
    ],
)
def test_wrong_periods(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = run("stats", *arguments, cwd=tmp_path)

    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())


def test_looking_makes_no_database(tmp_path: Path) -> None:
    done = run("stats", cwd=tmp_path)

    assert done.returncode == 2
    assert "there is no record in .run/data yet" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_command_is_installed() -> None:
    assert subprocess.run([Path(sys.executable).with_name("callrouter"), "--version"], check=False).returncode == 0


async def test_times_without_a_zone_are_the_clients(command: Command, database: Database) -> None:
    """The call rang at 10:00 in Paris; of all clients, the operator's zone is meant, which is that of most."""
    deed = Deed(
        principal="operator",
        action="recording.play",
        object="1/1",
        client="cabinet-moreau",
        outcome=AuditOutcome.DONE,
    )
    rang_at = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    await write_rows(database, [AuditRow(audit_id=new_id(rang_at), at=rang_at, deed=deed, times=1)])
    for verb, row in ((["callbacks", "abandoned", "--all"], "  3  waited 9 s"), (["audit"], "recording.play 1/1")):
        for whose in ([], ["--client", "cabinet-moreau"]):
            meant = await command(*verb, *whose, "--from", "2026-11-24T10:00", "--to", "2026-11-24T10:01")
            assert meant.returncode == 0, meant.stderr
            assert row in meant.stdout
        in_utc = await command(*verb, "--from", "2026-11-24T09:00", "--to", "2026-11-24T09:01")
        assert row not in in_utc.stdout


async def test_how_long_messages_took(command: Command, database: Database) -> None:
    """Until they were passed on, and taken on; of no client's none."""
    for seconds in (30, 90):
        message = await take(database)
        await stand(database, message, "running", began_at=after(1))
        await happened(database, message, What.SENT, after(seconds))
    await acknowledge(database, message, by="doctor", how="link", at=after(600))
    period = ("--from", "2026-11-30T10:00:00Z", "--to", "2026-11-30T10:10:00Z")

    shown = await command("stats", "--messages", *period)
    told_json = await command("stats", "--messages", "--json", "--client", MOREAU, *period)
    none = await command("stats", "--messages", "--client", "nobody", *period)
    wrong = await command("stats", "--messages", "--from", "2026-12-01", "--to", "2026-11-30")

    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[-1].split() == [
        *("cabinet-moreau", "2", "2", "1", "1"),
        *["60", "/", "84", "/", "90", "s", "600", "/", "600", "/", "600", "s"],
    ]
    assert told_json.returncode == 0, told_json.stderr
    assert [one["acknowledged"]["max_seconds"] for one in json.loads(told_json.stdout)["clients"]] == [600.0]
    assert none.stdout.splitlines()[-1] == "No messages."
    assert wrong.returncode == 2


async def test_days_are_made_again_and_compared(command: Command, database: Database) -> None:
    """What was written into them is found, and gone after it; that it was done is in the audit trail."""
    done = await command("stats", "rebuild")
    assert (done.returncode, done.stdout) == (0, "1 days of clients are made again\n")
    good = await command("stats", "verify")
    assert (good.returncode, good.stdout) == (0, "4 calls compared, 0 differ\n1 days of clients compared, 0 differ\n")

    async with database.connection() as connection:
        await connection.execute(text("UPDATE figure_days SET talk_seconds = 7"))
    bad = await command("stats", "verify", "--client", "cabinet-moreau", "--from", "2026-11-01")
    assert bad.returncode == 1
    assert "2026-11-24 of cabinet-moreau: figure_days is not what the calls say\n" in bad.stdout
    assert bad.stderr == "days that differ are made again by: callrouter stats rebuild\n"

    some = await command("stats", "rebuild", "--from", "2026-11-24", "--to", "2026-11-25", "--client", "cabinet-moreau")
    assert some.stdout == "1 days of clients are made again\n"
    assert (await command("stats", "verify")).returncode == 0
    assert (await command("stats", "rebuild", "--client", "nobody")).returncode == 2
    assert (await command("stats", "--from", "2026-11-24", "--to", "2026-11-25")).returncode == 0

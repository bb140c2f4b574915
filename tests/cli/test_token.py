"""`callrouter token` and `callrouter audit`, run as commands: made, listed, revoked; and all that changes is kept."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callrouter.permissions import Permission
from callrouter.store.access.tokens import TokenBook
from callrouter.store.database import Database
from callrouter.store.writing.writer import Writer

from ..api.stories import answered  # noqa: TID252  # tests are no installed package
from .test_dialplan import TREE
from .test_main import run

Command = Callable[..., "asyncio.Future[subprocess.CompletedProcess[str]]"]


@pytest.fixture
async def command(database: Database, database_url: str, tmp_path: Path) -> Command:
    """`callrouter`, on a record that knows cabinet-moreau."""
    writer = Writer(database)
    await writer.write([answered("1")])
    writer.close()
    env = {
        "CALLROUTER_DATABASE_URL": database_url,
        "CALLROUTER_DIALPLANS_DIR": str(tmp_path / "served"),
        "LOGNAME": "anne",
    }
    return lambda *arguments: asyncio.to_thread(run, *arguments, cwd=tmp_path, env=env)  # type: ignore[return-value]


async def test_made_used_listed_and_revoked(command: Command, database: Database) -> None:
    done = await command(
        "token", "create", "wallboard", "--may", "live.read", "--may", "call.read", "--client", "cabinet-moreau",
        "--days", "30",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (secret,) = done.stdout.split()
    assert "good for clients cabinet-moreau until" in done.stderr
    assert secret not in done.stderr
    book = TokenBook(database)
    found = await book.find(secret)
    assert found is not None
    assert found.principal.permissions == {Permission.LIVE_READ, Permission.CALL_READ}

    listed, as_json = await command("token", "list"), await command("token", "list", "--json")
    assert listed.stdout.startswith("wallboard: call.read, live.read on clients cabinet-moreau; expires ")
    assert "never used; made by command:anne" in listed.stdout
    (one,) = json.loads(as_json.stdout)
    assert (one["may"], one["scope"], one["names"]) == (["call.read", "live.read"], "clients", ["cabinet-moreau"])
    assert secret[17:] not in listed.stdout + as_json.stdout

    revoked = await command("token", "revoke", "wallboard")
    assert (revoked.returncode, revoked.stdout.split(" was revoked at ")[0]) == (0, "Token wallboard")
    assert "was revoked at" in (await command("token", "list")).stdout

    told, moreau = await command("audit"), "cabinet-moreau"
    assert [line.split("  ", 1)[1] for line in told.stdout.splitlines()] == [
        "done     command:anne: token.revoke wallboard (cabinet-moreau)",
        f"done     command:anne: token.create wallboard: call.read, live.read on clients {moreau} ({moreau})",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["a", "--may", "call.read"], "say for whom the token is: --client"),
        (["a", "--may", "call.read", "--client", "x", "--all"], "say for whom the token is"),
        (["a", "--may", "call.read", "--client", "cabinet-morau"], "there is no client cabinet-morau"),
        (["a", "--may", "call.read", "--client", ""], "there is no client"),
        (["a", "--may", "stats.read", "--team", "x"], "cannot be limited to teams: give it with --all or --client"),
        (["a", "--may", "engine.reload", "--client", "x"], "cannot be limited to clients: give it with --all"),
        (["a b", "--may", "call.read", "--all"], "is no name for a token"),
        (["a", "--may", "tea.make", "--all"], "'tea.make' is not one of"),
        (["a", "--all"], "Missing option '--may'"),
        (["a", "--may", "call.read", "--all", "--days", "0"], "--days"),
    ],
)  # fmt: skip
async def test_what_cannot_be_made(command: Command, arguments: list[str], sentence: str) -> None:
    done = await command("token", "create", *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert (await command("token", "list")).stdout == "There is no token but the operator's (CALLROUTER_API_TOKEN).\n"


async def test_a_name_is_given_once(command: Command) -> None:
    make = ("token", "create", "a", "--may", "call.read", "--all")
    first, second, nobody = await command(*make), await command(*make), await command("token", "revoke", "b")

    assert (first.returncode, second.returncode, nobody.returncode) == (0, 2, 2)
    assert "there is, or was, a token a" in second.stderr
    assert "there is no token b" in nobody.stderr.replace("'", "")


async def test_what_changes_is_in_the_trail(command: Command, tmp_path: Path) -> None:
    for name, tree in (("served", TREE), ("ci", TREE + "# new\n"), ("broken", TREE.replace("start: bye", "start: by"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text(tree)

    await command("dialplan", "publish", "ci")
    refused = await command("dialplan", "publish", "broken")
    back = await command("dialplan", "rollback", "a")

    assert (refused.returncode, back.returncode) == (1, 1)
    found = json.loads((await command("audit", "--json")).stdout)["deeds"]
    assert [(one["action"], one["object"].rsplit("/", 1)[-1], one["client"], one["outcome"]) for one in found] == [
        ("dialplan.rollback", "", "a", "refused"),
        ("dialplan.publish", "broken", None, "refused"),
        ("dialplan.publish", "ci", None, "done"),
    ]
    assert {one["principal"] for one in found} == {"command:anne"}


async def test_a_publication_without_a_record_says_that_it_is_not_in_it(tmp_path: Path) -> None:
    for name, tree in (("served", TREE), ("ci", TREE + "# new\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text(tree)
    env = {"CALLROUTER_DIALPLANS_DIR": str(tmp_path / "served")}

    done = await asyncio.to_thread(run, "dialplan", "publish", "ci", cwd=tmp_path, env=env)

    assert done.returncode == 0
    assert "this is not in the audit trail: there is no record in" in done.stderr
    assert (tmp_path / "served" / "a.yaml").read_text() == TREE + "# new\n"


async def test_an_upgrade_is_in_the_trail(fresh_database_url: str, tmp_path: Path) -> None:
    env = {"CALLROUTER_DATABASE_URL": fresh_database_url, "LOGNAME": "anne"}
    await asyncio.to_thread(run, "db", "upgrade", cwd=tmp_path, env=env)
    await asyncio.to_thread(run, "db", "upgrade", cwd=tmp_path, env=env)

    told = await asyncio.to_thread(run, "audit", cwd=tmp_path, env=env)

    (line,) = told.stdout.splitlines()
    assert line.startswith(f"{datetime.now(UTC):%Y-}")
    assert "command:anne: db.upgrade nothing to 00" in line


async def test_the_trail_by_filter_and_page(command: Command) -> None:
    for name in ("a", "b", "c"):
        await command("token", "create", name, "--may", "call.read", "--all")

    first = await command("audit", "--limit", "2", "--action", "token.create")
    none = await command("audit", "--principal", "nobody")
    wrong = [
        await command("audit", *one) for one in (["--from", "nonsense"], ["--outcome", "maybe"], ["--cursor", "x"])
    ]

    assert len(first.stdout.splitlines()) == 3
    cursor = first.stdout.split()[-1]
    rest = await command("audit", "--action", "token.create", "--cursor", cursor)
    assert ["token.create a:" in line for line in rest.stdout.splitlines()] == [True]
    assert none.stdout == "Nothing of that kind is in the audit trail.\n"
    assert [one.returncode for one in wrong] == [2, 2, 1]
    assert not [one for one in wrong if "Traceback" in one.stderr]

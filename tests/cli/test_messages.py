"""`callrouter messages`, run as commands on a real PostgreSQL: taken, corrected, done, and the whole trail shown."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.store.access.audit import list_audit
from callrouter.store.database import Database
from callrouter.store.dispatch.events import What
from callrouter.store.plans import StoredPlan, WentLive, remember_live
from callrouter.store.writing.writer import Writer
from tests.small_client import small_client
from tests.store.dispatch.rows import after, happened, stand, take, tell

from ..api.stories import HOSTILE_NAME, message_left  # noqa: TID252  # tests are no installed package
from .test_main import ROOT, run

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
FORMS = """
contacts:
  doctor: { name: Dr Moreau, number: "01 99 00 00 20" }
  email_doctor: { email: moreau@example.org }
forms:
  patient:
    title: A patient's message
    deliver: email_doctor
    fields:
      name: { type: name, label: Name, required: true }
      number: { type: number, label: Telephone }
      birth: { type: date, label: Date of birth }
"""
Command = Callable[..., "asyncio.Future[subprocess.CompletedProcess[str]]"]


def catalogue_of(folder: Path) -> Catalogue:
    """One client with a form, and one without."""
    folder.mkdir()
    (folder / "a.yaml").write_text(small_client() + FORMS)
    (folder / "b.yaml").write_text(small_client(client="b", number="01 99 00 00 11"))
    return load_directory(folder, PaperSpeech())


@pytest.fixture
async def command(database: Database, database_url: str, tmp_path: Path) -> Command:
    """`callrouter messages`, beside a voice message of a client that is in service no more."""
    catalogue = catalogue_of(tmp_path / "dialplans")
    for plan in catalogue.plans.values():
        documents = {name: catalogue.documents[name].decode() for name in catalogue.uses[plan.client]}
        stored = StoredPlan(
            client=plan.client,
            version=plan.version,
            document=documents[plan.source],
            first_live_at=AT,
            source=plan.source,
            documents=documents,
            promise=plan.promise,
        )
        went = WentLive(client=plan.client, version=plan.version, live_at=AT, why="saved")
        await remember_live(database, [stored], [went])
    writer = Writer(database)
    await writer.write([message_left("4")])
    writer.close()
    env = {"CALLROUTER_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT), "TZ": "Asia/Tokyo"}
    return lambda *arguments: asyncio.to_thread(run, "messages", *arguments, cwd=tmp_path, env=env)  # type: ignore[return-value]


async def test_a_message_from_end_to_end(command: Command, database: Database) -> None:
    fields = ["--field", "name=Jeanne Martin", "--field", "number=06 12 34 00 01", "--field", "birth=5/4/1950"]
    made = await command("take", "a", "--form", "patient", *fields)
    assert (made.returncode, made.stderr) == (0, "")
    id_ = made.stdout.strip()

    again = await command("take", "a", "--form", "patient", *fields, "--id", id_)
    other = await command("take", "a", "--form", "patient", *fields, "--id", id_, "--urgent")
    corrected = await command("correct", id_, "--field", "birth=1950-04-06", "--urgent", "--note", "she rang again")
    reassigned = await command("reassign", id_, "doctor")
    listed = await command("list", "--client", "a")
    done = await command("done", id_, "--note", "called back, done")
    twice = await command("done", id_)
    shown, as_json = await command("show", id_), json.loads((await command("show", id_, "--json")).stdout)
    left = await command("list", "--client", "a")
    all_ = json.loads((await command("list", "--all", "--json")).stdout)

    assert [one.returncode for one in (again, corrected, reassigned, listed, done)] == [0] * 5
    assert again.stdout.strip() == id_
    assert (other.returncode, "is another one" in other.stderr) == (2, True)
    assert (twice.returncode, twice.stderr) == (2, f"callrouter: message {id_} is done: nothing was changed\n")
    (line,) = listed.stdout.splitlines()
    assert "Z  open  a  Jeanne Martin +33612340001  " in line
    assert line.endswith(f"{id_}  URGENT  for doctor: Jeanne Martin, +33612340001, 1950-04-06")
    head, who, taken, *rest = shown.stdout.splitlines()
    assert (head, who) == (f"{id_}: done, urgent", "a, for doctor, from Jeanne Martin +33612340001")
    assert taken.endswith(", form patient")
    assert " by command:" in taken
    assert [line.partition("Z  command:")[2].partition("  ")[2] or line for line in rest] == [
        "    Name           Jeanne Martin",
        "    Telephone      +33612340001",
        "    Date of birth  1950-04-06",
        "corrected: she rang again",
        "    Date of birth: 1950-04-05 → 1950-04-06",
        "    urgent: no → yes",
        "reassigned",
        "    for: email_doctor → doctor",
        "done: called back, done",
    ]
    assert [one["change"] for one in as_json["changes"]] == ["corrected", "reassigned", "done"]
    assert left.stdout == "No message is open.\n"
    assert [one["client"] for one in all_["messages"]] == ["a", "cabinet-moreau"]
    trail = await list_audit(database, client="a")
    assert [row.deed.action for row in trail.rows if row.deed.object.startswith(id_)] != []


async def test_who_could_not_open_what_was_confidential_is_named(command: Command, database: Database) -> None:
    """It is given to them all the same."""
    fields = ["--field", "name=Jeanne Martin", "--field", "number=06 12 34 00 01"]
    made = await command("take", "a", "--form", "patient", *fields, "--deliver", "doctor")
    id_ = made.stdout.strip()
    async with database.connection() as connection:
        await connection.execute(text("UPDATE dispatches SET confidential = true"))
    given = await command("reassign", id_, "email_doctor")
    back = await command("reassign", id_, "doctor")

    assert (given.returncode, back.returncode, back.stderr) == (0, 0, "")
    assert "cannot open the link that comes by e-mail" in given.stderr


async def test_in_plain_words(command: Command) -> None:
    """Hostile text stays on its lines."""
    made = await command(
        "take", "b", "--text", "Ring back.\nBefore \x1b[31mnoon.", "--field", f"name={HOSTILE_NAME[:40]}"
    )
    good = await command("take", "b", "--text", "Ring back.\nBefore noon.", "--field", "name=Zoé", "--urgent")
    shown = await command("show", good.stdout.strip())
    voice = await command("show", "4.m1")
    done = await command("done", "4.m1", "--note", "a\x1b[31mb\nc")
    after = await command("show", "4.m1")

    assert made.returncode == 2
    assert "control character" in made.stderr
    assert len(made.stderr.splitlines()) == 1
    assert shown.stdout.splitlines()[3:] == ["    Ring back.", "    Before noon."]
    assert voice.stdout.splitlines()[1:] == [
        "cabinet-moreau, for email_doctor, from Jeanne Martin +33612340001",
        "taken 2026-11-24 09:00:44Z by the tree (take_message) in call 4",
        "recording 4-1, 4 s",
    ]
    assert done.returncode == 0
    assert after.stdout.splitlines()[-1].endswith("done: a\\x1b[31mb\\x0ac")


async def test_what_cannot_be_done_is_a_sentence(command: Command) -> None:
    """With the status of a wrong use."""
    nothing = str(uuid4())
    for arguments, said in [
        (["take", "nobody", "--text", "x y"], "client nobody is not in service"),
        (["take", "a", "--text", "x y"], "form: name the form that it is by: one of patient"),
        (["take", "a", "--form", "patient", "--field", "name"], "--field name: write NAME=VALUE"),
        (
            ["take", "a", "--form", "patient", "--field", "nmae=J"],
            "--field nmae: form patient has no such field: did you",
        ),
        (["take", "b", "--text", "x y", "--deliver", "doctor"], "deliver: the client has no contacts"),
        (["show", nothing], f"there is no message {nothing}"),
        (["done", nothing], f"there is no message {nothing}"),
        (["correct", "4.m1"], "message 4.m1 says that already: nothing was changed"),
        (["reassign", "4.m1", "doctor"], "deliver: the client is not live"),
    ]:
        done = await command(*arguments)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert done.stderr.startswith("callrouter: "), done.stderr
        assert said in done.stderr


async def test_the_forms(command: Command) -> None:
    of_a, of_b = await command("forms", "a"), await command("forms", "b")

    assert of_a.stdout.splitlines() == [
        "patient: A patient's message, for email_doctor, which is for now",
        "    name: Name, name, required",
        "    number: Telephone, number",
        "    birth: Date of birth, date",
        "Contacts: doctor, email_doctor",
    ]
    assert of_b.stdout.splitlines()[0].startswith("No form: ")


async def test_who_was_told(command: Command, database: Database) -> None:
    """One screen: every step, whom, by what, when, with which answer, and what is still to come."""
    message = await take(database, "a", urgent=True)
    policy = {"name": "doctors"}
    await stand(database, message, "running", urgent=True, policy=policy, step=1, due_at=after(600), began_at=after(0))
    sent = await tell(database, message, client="a", attempts=1)
    await tell(database, message, "queued", client="a", contact="partner", means="sms", address="sms:+33612340009")
    told = {"delivery_id": sent, "contact": "doctor", "means": "email"}
    await happened(database, message, What.STEP, after(0), detail="doctor, partner")
    await happened(database, message, What.SENT, after(2), detail="250 Ok\x1b[31m\nqueued", **told)

    shown = await command("trail", message)
    as_json = json.loads((await command("trail", message, "--json")).stdout)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.splitlines() == [
        f"{message}: running, urgent",
        "a, by rule doctors, since 2026-11-30 10:00:00Z",
        "next at 2026-11-30 10:10:00Z: step 2, round 1",
        "2026-11-30 10:00:00Z  step            doctor, partner",
        "2026-11-30 10:00:02Z  sent            doctor email moreau@example.org  250 Ok\\x1b[31m queued",
        "    doctor email moreau@example.org: accepted since 2026-11-30 10:00:00Z, 1 attempt",
        "    partner sms +33612340009: queued since 2026-11-30 10:00:00Z, next 2026-11-30 10:00:00Z",
    ]
    assert [one["what"] for one in as_json["events"]] == ["step", "sent"]


async def test_what_needs_attention(command: Command, database: Database) -> None:
    """Until somebody takes it on; what failed is sent again, and all of it is in the audit trail."""
    message = await take(database, "a")
    await stand(database, message, "attention", reason="Nobody was reached.", step=1)
    dead = await tell(database, message, "failed", client="a", answer="550 no such user")
    voice = await take(database, "b")
    await stand(database, voice, "attention", reason="Nobody is on call.")

    listed = await command("attention", "--client", "a")
    as_json = json.loads((await command("attention", "--json")).stdout)
    again = await command("again", message, "--delivery", dead)
    twice = await command("again", message)
    anew = await command("again", voice)
    taken_on = [await command("acknowledge", message) for _ in range(2)]
    late = await command("again", message)
    wrong = await command("again", voice, "--delivery", dead)
    trail = await command("trail", message)
    none = await command("attention", "--client", "a")

    line, because = listed.stdout.splitlines()
    assert line.endswith(f"{message}  for doctor: Veut voir le médecin demain.")
    assert because == "    Nobody was reached."
    assert {one["message_id"] for one in as_json["messages"]} >= {message, voice}
    assert (again.stdout, anew.stdout) == (
        "1 sent again.\n",
        "Nothing had failed: it begins anew, by the client's rule.\n",
    )
    assert (twice.returncode, "nothing of it has failed" in twice.stderr) == (2, True)
    assert [one.returncode for one in taken_on] == [0, 2]
    assert "is acknowledged already: nothing was changed" in taken_on[1].stderr
    assert ("is acknowledged: nobody is told" in late.stderr, "no such delivery" in wrong.stderr) == (True, True)
    assert " (by cli)" in trail.stdout.splitlines()[2]
    assert none.stdout == "No message needs attention.\n"
    assert [(await command(one, "nothing")).returncode for one in ("trail", "acknowledge", "again")] == [2] * 3
    deeds = await list_audit(database, client="a")
    assert {row.deed.action for row in deeds.rows} == {"message.change", "message.acknowledge"}

"""A person is found, exported and erased everywhere, by number: nothing of it is left, and no figure changes."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from callrouter.core.call import Call, CallerId, Clocks, Disposition, replace
from callrouter.errors import UsageError
from callrouter.permissions import By
from callrouter.store.access.recordings import Recordings
from callrouter.store.access.trail import AuditTrail
from callrouter.store.database import Database
from callrouter.store.figures.rebuilding import rebuild_clients
from callrouter.store.figures.verifying import compare_days, compare_traces
from callrouter.store.outgoing.worklist import list_abandoned
from callrouter.store.person.erasing import Asked, Eraser
from callrouter.store.person.exporting import export
from callrouter.store.person.finding import count_all
from callrouter.store.person.late import erase_late
from callrouter.store.person.naming import sought
from callrouter.store.person.receipts import WHY, Receipt, printed
from callrouter.store.plans import StoredPlan, WentLive, remember_live
from tests.store.conftest import MONDAY
from tests.store.figures.test_rebuilding import rebuild_all, write
from tests.store.figures.test_verifying import all_of

NUMBER = "+33612345678"
OTHERS = "+33612340001"
PERSON = sought(NUMBER, "FR")
BY = By(principal="command:anna")
NOW = MONDAY + timedelta(days=2)
SPELLINGS = ("06 12 34 56 78", "0612345678", "0033612345678", "+33 6 12 34 56 78", "+33612345678", "33612345678")


def calls_of(make_call: Callable[..., Call]) -> list[Call]:
    """Of the person: one that they gave up, and rang again; of somebody else: one that mentions them."""
    caller = CallerId(number=NUMBER, name="Zoé Martin")
    gave_up = make_call(
        1,
        caller=caller,
        disposition=Disposition.ABANDONED,
        messages=(),
        clocks=Clocks(
            ringing_at=MONDAY, entered_service_at=MONDAY + timedelta(seconds=3), ended_at=MONDAY + timedelta(seconds=40)
        ),
    )
    again = make_call(2, caller=caller, ringing_at=MONDAY + timedelta(minutes=9), variables={"order": "4711"})
    other = make_call(3, variables={"seen": "rappelle le 06 12 34 56 78"})
    return [gave_up, again, other]


@pytest.fixture
async def house(database: Database, tmp_path: Path, make_call: Callable[..., Call]) -> Database:
    """A person in every store."""
    await write(database, calls_of(make_call))
    corrected = replace(calls_of(make_call)[1], revision=replace(calls_of(make_call)[1].revision, count=10))
    await write(database, [corrected])
    document = "lists: { vip: ['06 12 34 56 78'] }\n"
    plan = StoredPlan(
        client="cabinet-moreau",
        version="5f2d3c9a10be",
        document=document,
        first_live_at=MONDAY,
        source="cabinet-moreau.yaml",
        documents={"cabinet-moreau.yaml": document},
    )
    live = WentLive(client="cabinet-moreau", version=plan.version, live_at=MONDAY, why="saved")
    await remember_live(database, [plan], [live])
    delivery = """
        INSERT INTO deliveries (delivery_id, {of}, client, kind, contact, means, address, body, queued_at,
            next_attempt_at, changed_at, state)
        VALUES (:id, :whose, 'cabinet-moreau', :kind, 'crm', 'webhook', 'https://crm.example', :body, :at, :next, :at,
            :state)
    """
    body = json.dumps({"caller": NUMBER, "name": "Zoé Martin"})
    async with database.connection() as connection:
        for row in (
            ("d-1", "call_id", "call-000002", "notification", "queued"),
            ("d-2", "call_id", "call-000002", "notification", "accepted"),
            ("d-3", "call_id", "call-000003", "notification", "failed"),
            ("d-4", "message_id", "call-000002.m1", "message", "queued"),
        ):
            values = {"id": row[0], "whose": row[2], "kind": row[3], "state": row[4], "body": body, "at": MONDAY}
            if row[0].endswith("3"):  # somebody else's: who else is named in it, nobody can know
                values["body"] = json.dumps({"note": NUMBER})
            values["next"] = MONDAY if row[4] == "queued" else None
            await connection.execute(text(delivery.replace("{of}", row[1])), values)
        for statement in (
            f"""INSERT INTO callbacks (call_id, position, client, number, node, asked_at, state)
                VALUES ('call-000001', 1, 'cabinet-moreau', '{NUMBER}', 'offer', now(), 'open')""",
            f"""INSERT INTO outgoing_calls (outgoing_id, purpose, call_id, position, client, number, shown, queue,
                turn_at, epoch, placed_at, answered_at, outcome)
                VALUES ('o-1', 'callback', 'call-000001', 1, 'cabinet-moreau', '{NUMBER}', '', 'medical', now(), 1,
                '2026-11-23 09:20Z', '2026-11-23 09:21Z', 'answered')""",
            f"""INSERT INTO audit (audit_id, at, principal, action, object, outcome, address, times)
                VALUES ('a-1', now(), 'operator', 'call.read', '{NUMBER}', 'done', '', 1)""",
            f"INSERT INTO replies VALUES ('r-1', 'sms:{NUMBER}', now(), 'words')",
            f"""INSERT INTO message_changes VALUES ('call-000002.m1', 1, now(), 'operator', 'corrected', '{NUMBER}',
                '{{"text": "de Zoé Martin"}}')""",
        ):
            await connection.execute(text(statement))
    for name in ("rec-2", "rec-3"):
        (tmp_path / f"{name}.wav").write_bytes(b"RIFF")
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "calls-1.jsonl").write_text(json.dumps({"caller_number": NUMBER}) + "\n")
    await rebuild_all(database)
    return database


def eraser(database: Database, folder: Path, before_step: Callable[[str], None] = lambda _step: None) -> Eraser:
    recordings = Recordings(database, folder, AuditTrail(database))
    return Eraser(database, recordings, [folder / "spool"], before_step=before_step)


def asked() -> Asked:
    return Asked(sought=PERSON, reason="elle le demande", by=BY, now=NOW)


async def left_of(database: Database, pattern: str) -> list[str]:
    """Tables of which a row holds it, whatever the column; but for documents of plans, which are named."""
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
    async with database.connection() as connection:
        found = []
        for table in (await connection.execute(text(tables))).scalars():
            row = text(f'SELECT count(*) FROM "{table}" AS one WHERE one::text ~ :pattern')
            if (await connection.execute(row, {"pattern": pattern})).scalar_one():
                found.append(str(table))
    return found


async def days(database: Database) -> list[object]:
    async with database.connection() as connection:
        rows = await connection.execute(text("SELECT figure_days::text FROM figure_days ORDER BY 1"))
        queues = await connection.execute(text("SELECT figure_queue_days::text FROM figure_queue_days ORDER BY 1"))
        return [*rows.scalars(), *queues.scalars()]


async def is_erased(database: Database, receipt: Receipt) -> None:
    assert await left_of(database, PERSON.pattern) == ["plan_documents", "plans"]
    assert await left_of(database, "Martin|4711|elle dit") == []
    assert receipt.ended_at is not None
    assert NUMBER not in repr(receipt)
    counts = {store: (one["found"], one["erased"]) for store, one in receipt.stores.items()}
    assert counts["calls"] == (2, 2)
    assert counts["plan_documents"] == (1, 0)
    assert receipt.stores["plan_documents"]["where"] == [
        "cabinet-moreau.yaml (cabinet-moreau, version 5f2d3c9a10be): live, change the file"
    ]
    assert receipt.stores["spool"]["where"][0].endswith("spool/calls-1.jsonl: 1 lines")


async def test_nothing_is_left_and_no_figure_changes(house: Database, tmp_path: Path) -> None:
    """Rows stay; days that are made again from them are what they were, and traces say what rows say."""
    before = await days(house)
    assert [one.number for one in (await list_abandoned(house)).callers] == [NUMBER]
    receipt = await eraser(house, tmp_path).erase(asked())
    assert (await list_abandoned(house)).callers == []

    await is_erased(house, receipt)
    await rebuild_clients(house, ["cabinet-moreau"])
    assert await days(house) == before
    assert (await all_of(compare_traces(house, MONDAY - timedelta(days=1), NOW))) == (3, [])
    assert (await all_of(compare_days(house, MONDAY - timedelta(days=1), NOW)))[1] == []
    assert not (tmp_path / "rec-2.wav").exists()
    assert (tmp_path / "rec-3.wav").exists()
    async with house.connection() as connection:
        states = await connection.execute(text("SELECT delivery_id, state FROM deliveries ORDER BY 1"))
        assert [tuple(row) for row in states] == [
            *(("d-1", "withdrawn"), ("d-2", "accepted"), ("d-3", "failed"), ("d-4", "withdrawn")),
        ]
        wishes = await connection.execute(text("SELECT state FROM callbacks"))
        assert list(wishes.scalars()) == ["given_up"]
        assert (await connection.execute(text("SELECT count(*) FROM figure_marks"))).scalar_one() == 0
    for language in ("fr", "en"):
        said = printed(receipt, language)
        assert all(f"\n{store}: " in said for store in WHY)
        assert "elle le demande" in said

    again = await eraser(house, tmp_path).erase(asked())
    assert again.erasure_id == receipt.erasure_id
    assert again.stores == receipt.stores


STEPS = ("begin", "numbers", "calls", "recordings", "messages", "deliveries", "mentions", "outside")


async def test_one_that_is_killed_goes_on(house: Database, tmp_path: Path) -> None:
    """Before each of its steps."""
    before = await days(house)
    seen: list[str] = []
    for step in STEPS:

        def dies(one: str, step: str = step) -> None:
            seen.append(one)
            if one == step:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await eraser(house, tmp_path, dies).erase(asked())
        await rebuild_clients(house, ["cabinet-moreau"])
        assert await days(house) == before
    assert set(seen) == set(STEPS)
    await is_erased(house, await eraser(house, tmp_path).erase(asked()))


async def test_what_comes_afterwards_is_erased(house: Database, tmp_path: Path, make_call: Callable[..., Call]) -> None:
    """A spool after an outage: a call nobody knew, tellings that know better, and less; not who rings anew."""
    receipt = await eraser(house, tmp_path).erase(asked())
    caller = CallerId(number=NUMBER, name="Zoé Martin")
    late = make_call(7, caller=caller, ringing_at=MONDAY + timedelta(hours=1))
    known = calls_of(make_call)[1]
    better, worse = (replace(known, revision=replace(known.revision, count=count)) for count in (11, 1))
    for call in (late, better, worse):
        await write(house, [call])
    assert "calls" in await left_of(house, PERSON.pattern)

    assert await erase_late(house, eraser(house, tmp_path), NOW) > 0

    assert await left_of(house, PERSON.pattern) == ["plan_documents", "plans"]
    assert await left_of(house, "Martin|4711") == []
    assert await erase_late(house, eraser(house, tmp_path), NOW) == 0
    await write(house, [make_call(8, caller=caller, ringing_at=NOW + timedelta(hours=1))])
    await erase_late(house, eraser(house, tmp_path), NOW)
    async with house.connection() as connection:
        named = await connection.execute(text("SELECT call_id FROM calls WHERE caller_number = :it"), {"it": NUMBER})
        assert list(named.scalars()) == ["call-000008"]
        same = await connection.execute(
            text("SELECT count(*) FROM calls WHERE caller_number = :it"), {"it": f"erased-{receipt.erasure_id}"}
        )
        assert same.scalar_one() == 3
        await erase_late(house, eraser(house, tmp_path), NOW + timedelta(days=40))
        hashes = await connection.execute(text("SELECT count(number_hash) FROM erasures"))
        assert hashes.scalar_one() == 0


async def test_a_person_is_found_and_exported(house: Database, tmp_path: Path) -> None:
    """All rows of theirs, their sound, and of others' rows where they are mentioned, without what those hold."""
    found = await count_all(house, PERSON, None, (tmp_path / "spool",))
    assert {store: many for store, many in found.items() if many} == {
        "calls": 2,
        "superseded_calls": 1,
        "messages": 1,
        "recordings": 1,
        "callbacks": 1,
        "outgoing_calls": 1,
        "deliveries": 3,
        "mentions": found["mentions"],
        "plan_documents": 1,
        "spool": 1,
    }
    assert found["mentions"] >= 3
    recordings = Recordings(house, tmp_path, AuditTrail(house))
    await export(house, recordings, PERSON, BY, tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as made:
        assert made.namelist() == ["person.json", "recordings/rec-2.wav"]
        told = json.loads(made.read("person.json"))
    assert [row["call_id"] for row in told["calls"]] == ["call-000001", "call-000002"]
    assert told["calls"][1]["variables"] == {"order": "4711"}
    assert "rappelle" not in json.dumps(told)
    with pytest.raises(FileExistsError):
        await export(house, recordings, PERSON, BY, tmp_path / "all.zip")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_number_is_known_however_it_is_written(spelling: str) -> None:
    assert sought(spelling, "FR") == PERSON
    assert PERSON.compiled.sub("X", f"a {spelling}, b") in ("a X, b", "a +X, b")
    assert PERSON.compiled.search(f"9{spelling.removeprefix('+')}9") is None


@pytest.mark.parametrize("wrong", ["", "15", "112", "anonymous", "06\x0012345678", "abc", "+33", "0" * 500])
def test_what_is_no_persons_number_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError, match="no telephone number"):
        sought(wrong, "FR")

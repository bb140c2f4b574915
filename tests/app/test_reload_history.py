"""What was live is kept, with its documents and who made it; it can be had again, by a person and by the next start."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from callrouter.api.engine_client import EngineClient
from callrouter.api.web_app import create_web_app
from callrouter.app.history import PlanHistory, who_wrote
from callrouter.app.live.last_live import last_live, revive
from callrouter.app.live.live_plans import LivePlans
from callrouter.app.publishing import Refusal, documents_of, publish_documents, rollback_to
from callrouter.app.versions import KeptPlans
from callrouter.core.call import replace
from callrouter.dialplan import Loader, PaperSpeech
from callrouter.dialplan.folder.publish import put_in_place, read_note
from callrouter.errors import DialplanError
from callrouter.permissions import Permission, Scope, ScopeKind
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.reload import ServedPlans
from callrouter.settings import Settings
from callrouter.store.access.recordings import Recordings
from callrouter.store.access.tokens import TokenBook, create_token
from callrouter.store.access.trail import AuditTrail
from callrouter.store.database import Database
from callrouter.store.plans import find_plan, read_history
from callrouter.store.writing.writer import Writer
from tests.api.serving import make_gate
from tests.api.stories import answered
from tests.small_client import small_client


class Engine:
    """As the engine loads and keeps; every save is told to it."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self.history = PlanHistory(database, folder)
        self.loader = Loader(folder, PaperSpeech())
        self.plans = ServedPlans(
            self.loader.load(), self.loader, LiveCalls(), now=lambda: datetime.now(UTC), on_swap=self.history.note
        )

    def version(self, client: str = "a") -> str:
        return self.plans.plans[client].version

    async def save(self, words: str, file: str = "a.yaml") -> str:
        (self.folder / file).write_text(small_client(words))
        return await self.load()

    async def load(self) -> str:
        await self.plans.reload()
        await self.history.flush()
        return self.version()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    served = tmp_path / "served"
    (served / "shared").mkdir(parents=True)
    (served / "a.yaml").write_text(small_client("Un."))
    (served / "shared/queues.yaml").write_text("queues: { sales: { members: [agent-1] } }\n")
    return served


@pytest.fixture
def settings(folder: Path) -> Settings:
    return Settings(_env_file=None, dialplans_dir=folder)


@pytest.fixture
async def engine(folder: Path, database: Database) -> Engine:
    made = Engine(folder, database)
    await made.history.flush()
    return made


async def test_every_version_that_was_live_is_kept(engine: Engine, database: Database) -> None:
    """With all documents it stands on; each time it went live is told, and who wrote the file."""
    first = engine.version()
    second = await engine.save("Deux.")
    assert await engine.save("Un.") == first

    told = await read_history(database, "a")
    assert [(one.version, one.why) for one in told] == [(first, "asked"), (second, "asked"), (first, "start")]
    assert {one.by for one in told} == {(engine.folder / "a.yaml").owner()}
    kept = await find_plan(database, "a", second)
    assert kept is not None
    assert kept.documents == {
        "a.yaml": small_client("Deux."),
        "shared/queues.yaml": "queues: { sales: { members: [agent-1] } }\n",
    }
    assert kept.document == small_client("Deux.")
    assert kept.source == "a.yaml"


async def test_a_start_tells_only_what_is_new(engine: Engine, folder: Path, database: Database) -> None:
    """The same version again is no event; a client that went while no engine ran is withdrawn."""
    (folder / "b.yaml").write_text(small_client("B.", "b", "01 99 00 00 11"))
    (folder / "a.yaml").unlink()
    again = Engine(folder, database)
    await again.history.flush()
    await Engine(folder, database).history.flush()

    told = await read_history(database)
    assert {(one.client, one.version is None, one.why) for one in told} == {
        ("a", False, "start"),
        ("b", False, "start"),
        ("a", True, "start"),
    }
    assert len(told) == 3


async def test_a_start_with_a_wrong_file_serves_the_last_good_version(
    engine: Engine, folder: Path, database: Database
) -> None:
    """Of the record, with the shared files of that time; so a restart takes no client out of service."""
    good = engine.version()
    (folder / "a.yaml").write_text("client: a\nnumbers: [")
    (folder / "b.yaml").write_text(small_client("B.", "b", "01 99 00 00 11"))
    loader = Loader(folder, PaperSpeech())
    last = await last_live(database, LivePlans(folder.parent / "live"))
    catalogue = await revive(last, loader.load(), PaperSpeech())

    assert catalogue.plans["a"].version == good
    assert catalogue.for_did("+33199000010").client == "a"
    plans = ServedPlans(catalogue, loader, LiveCalls(), now=lambda: datetime.now(UTC))
    [refused] = plans.refused
    assert refused.keeps is catalogue.plans["a"]
    history = PlanHistory(database, folder)
    before = await read_history(database, "a")
    await plans.reload()
    await history.flush()
    assert plans.plans["a"].version == good
    assert await read_history(database, "a") == before


async def test_back_to_the_version_before(engine: Engine, settings: Settings, database: Database) -> None:
    """The old file is written back; once more, and one is where one began."""
    first = engine.version()
    second = await engine.save("Deux.")
    done = await rollback_to(settings, database, "a", None, by="anne")

    assert done.version == first
    assert done.sentence.startswith(f"a.yaml is as it was in version {first}, first live ")
    assert (engine.folder / "a.yaml").read_text() == small_client("Un.")
    assert await engine.load() == first
    last = (await read_history(database, "a"))[0]
    assert (last.version, last.why, last.by) == (first, "rollback", "anne")
    assert (await rollback_to(settings, database, "a", None, by="anne")).version == second


async def test_back_to_a_named_version(engine: Engine, settings: Settings, database: Database) -> None:
    """By the beginning of its name; with today's shared files it may have another."""
    first = engine.version()
    await engine.save("Deux.")
    (engine.folder / "shared/queues.yaml").write_text("queues: { sales: { members: [agent-2] } }\n")
    await engine.load()
    done = await rollback_to(settings, database, "a", first[:6], by="anne")

    assert done.version != first
    assert f"with today's shared files it is version {done.version}" in done.sentence
    assert await engine.load() == done.version


@pytest.mark.parametrize(
    ("client", "version", "sentence"),
    [
        ("nobody", None, "nobody was never live here"),
        ("a", None, "a was never live with another file"),
        ("a", "ffff", "a has no version ffff"),
        ("a", "", "already: nothing to do"),
    ],
)
async def test_where_there_is_no_way_back(
    engine: Engine, settings: Settings, database: Database, client: str, version: str | None, sentence: str
) -> None:
    with pytest.raises(Refusal, match=sentence):
        await rollback_to(settings, database, client, version, by="anne")


async def test_a_change_nobody_saw_is_not_lost(engine: Engine, settings: Settings, database: Database) -> None:
    """A file that was changed since it went live is left alone; by force, it is kept beside."""
    (engine.folder / "a.yaml").write_text("half of a new tr")
    with pytest.raises(Refusal, match=r"a.yaml was changed since it went live.* --force"):
        await rollback_to(settings, database, "a", None, by="anne")
    assert (engine.folder / "a.yaml").read_text() == "half of a new tr"

    done = await rollback_to(settings, database, "a", None, by="anne", force=True)
    assert done.version == engine.version()
    assert (engine.folder / "a.yaml").read_text() == small_client("Un.")
    assert (engine.folder / "a.yaml.replaced").read_text() == "half of a new tr"


async def test_what_no_longer_passes_does_not_come_back(engine: Engine, settings: Settings, database: Database) -> None:
    """A queue it needs has gone since: nothing is changed, and the finding is told."""
    queue = small_client("Un.").replace("{ node: bye }", "{ queue: sales }")
    (engine.folder / "a.yaml").write_text(queue)
    first = await engine.load()
    await engine.save("Deux.")
    (engine.folder / "shared/queues.yaml").write_text("queues: { trade: { members: [agent-1] } }\n")
    await engine.load()

    with pytest.raises(Refusal, match="1 error: nothing is changed") as refused:
        await rollback_to(settings, database, "a", first, by="anne")
    assert 'queue "sales" is not in shared/queues.yaml' in str(refused.value.issues[0])
    assert (engine.folder / "a.yaml").read_text() == small_client("Deux.")


def test_publishing_is_all_or_nothing(settings: Settings, folder: Path, tmp_path: Path) -> None:
    """One wrong file of the set, and the served folder stays as it is."""
    ci = tmp_path / "ci"
    ci.mkdir()
    (ci / "a.yaml").write_text(small_client("Neuf."))
    (ci / "b.yaml").write_text(small_client("B.", "b", "01 99 00 00 10"))
    before = documents_of(folder)
    with pytest.raises(Refusal, match="1 error: nothing is published") as refused:
        publish_documents(settings, documents_of(ci), by="ci")
    assert "+33199000010 belongs to" in str(refused.value.issues[0])
    assert documents_of(folder) == before

    (ci / "b.yaml").write_text(small_client("B.", "b", "01 99 00 00 11"))
    said = publish_documents(settings, documents_of(ci), by="ci")
    assert said.startswith("Published 2 changed files of 2 into ")
    assert said.endswith("1 file left that it does not hold (--delete removes): shared/queues.yaml.")
    assert documents_of(folder) == {**before, **documents_of(ci)}
    note = read_note(folder)
    assert note is not None
    assert (note.how, note.by) == ("publish", "ci")

    assert "removed: shared/queues.yaml" in publish_documents(settings, documents_of(ci), by="ci", delete=True)
    assert documents_of(folder) == documents_of(ci)


def test_publishing_undoes_nothing_that_was_saved(settings: Settings, folder: Path, tmp_path: Path) -> None:
    """It names the files; by force, what they held is kept beside. What both have is nobody's loss."""
    ci = tmp_path / "ci"
    ci.mkdir()
    (ci / "a.yaml").write_text(small_client("Neuf."))
    (ci / "b.yaml").write_text(small_client("B.", "b", "01 99 00 00 11"))
    publish_documents(settings, documents_of(ci), by="ci", origin=ci)
    (folder / "a.yaml").write_text(small_client("De nuit."))
    before = documents_of(folder)
    with pytest.raises(Refusal, match=r"saved in the folder .*: a.yaml; a publication would undo that.* --force"):
        publish_documents(settings, documents_of(ci), by="ci", origin=ci)
    assert documents_of(folder) == before

    publish_documents(settings, documents_of(ci), by="ci", force=True, origin=ci)
    assert (folder / "a.yaml").read_text() == small_client("Neuf.")
    assert (folder / "a.yaml.replaced").read_text() == small_client("De nuit.")

    (folder / "a.yaml").write_text(small_client("De nuit."))
    (ci / "a.yaml").write_text(small_client("De nuit."))
    publish_documents(settings, documents_of(ci), by="ci", origin=ci)
    (folder / "c.yaml").write_text(small_client("C.", "c", "01 99 00 00 12"))
    with pytest.raises(Refusal, match=r": c.yaml; a publication would undo that"):
        publish_documents(settings, documents_of(ci), by="ci", delete=True, origin=ci)


def test_publishing_brings_nothing_back_that_was_removed(settings: Settings, folder: Path, tmp_path: Path) -> None:
    """A client whose file somebody has taken out stays without a plan; by force it is there again."""
    ci = tmp_path / "ci"
    ci.mkdir()
    (ci / "a.yaml").write_text(small_client("Neuf."))
    (ci / "b.yaml").write_text(small_client("B.", "b", "01 99 00 00 11"))
    publish_documents(settings, documents_of(ci), by="ci", origin=ci)
    (folder / "b.yaml").unlink()
    with pytest.raises(Refusal, match=r"removed there .*: b.yaml; a publication would undo that.* --force"):
        publish_documents(settings, documents_of(ci), by="ci", origin=ci)
    assert not (folder / "b.yaml").exists()

    publish_documents(settings, documents_of(ci), by="ci", force=True, origin=ci)
    assert (folder / "b.yaml").exists()


async def test_publishing_does_not_undo_a_rollback(
    engine: Engine, settings: Settings, database: Database, tmp_path: Path
) -> None:
    ci = tmp_path / "ci"
    ci.mkdir()
    (ci / "a.yaml").write_text(small_client("Neuf."))
    publish_documents(settings, documents_of(ci), by="ci", origin=ci)
    await engine.load()
    await rollback_to(settings, database, "a", None, by="anne")
    with pytest.raises(Refusal, match=r": a.yaml; a publication would undo that"):
        publish_documents(settings, documents_of(ci), by="ci", origin=ci)


def test_the_first_publication_undoes_nothing_newer(settings: Settings, folder: Path, tmp_path: Path) -> None:
    """No note says what was published: a file that was saved after DIR was read is named."""
    ci = tmp_path / "ci"
    ci.mkdir()
    (ci / "a.yaml").write_text(small_client("Neuf."))
    now = (ci / "a.yaml").stat().st_mtime
    os.utime(folder / "a.yaml", (now + 60, now + 60))
    with pytest.raises(Refusal, match=r": a.yaml; a publication would undo that"):
        publish_documents(settings, documents_of(ci), by="ci", origin=ci)


def test_the_first_publication_from_a_fresh_checkout(settings: Settings, folder: Path, tmp_path: Path) -> None:
    """Git has just written all of it: what its history holds may be replaced, and what nobody committed is named."""
    ci = tmp_path / "ci"
    ci.mkdir()
    git = ["git", "-C", str(ci), "-c", "user.name=Ci", "-c", "user.email=ci@operator.example"]
    subprocess.run([*git, "init", "-q"], check=True)
    for words in ("Un.", "Deux."):
        (ci / "a.yaml").write_text(small_client(words))
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-qm", words], check=True)
    (folder / "a.yaml").write_text(small_client("De nuit."))
    os.utime(folder / "a.yaml", (1, 1))
    with pytest.raises(Refusal, match=r": a.yaml; a publication would undo that"):
        publish_documents(settings, documents_of(ci), by="ci", origin=ci)

    (folder / "a.yaml").write_text(small_client("Un."))
    os.utime(folder / "a.yaml", (1, 1))
    assert "1 changed file" in publish_documents(settings, documents_of(ci), by="ci", origin=ci)


def test_a_save_during_a_publication_is_not_lost(
    settings: Settings, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the documents are tried, somebody saves one of them: nothing is published."""
    ci = tmp_path / "ci"
    ci.mkdir()
    (ci / "a.yaml").write_text(small_client("Neuf."))

    def saved_meanwhile(*_: object, **__: object) -> None:
        (folder / "a.yaml").write_text(small_client("Meanwhile."))

    monkeypatch.setattr("callrouter.app.publishing._must_pass", saved_meanwhile)
    with pytest.raises(Refusal, match=r": a.yaml; a publication would undo that"):
        publish_documents(settings, documents_of(ci), by="ci", force=True)
    assert (folder / "a.yaml").read_text() == small_client("Meanwhile.")


async def test_history_names_who_saved_a_shared_file(engine: Engine, folder: Path, database: Database) -> None:
    """The client's own file is as it was: whoever changed the shared one made the version."""
    shared = b"queues: { sales: { members: [agent-2] } }\n"
    put_in_place(folder, {"shared/queues.yaml": shared}, how="publish", by="anne")
    await engine.load()

    last = (await read_history(database, "a"))[0]
    assert (last.why, last.by) == ("publish", "anne")


def test_two_do_not_publish_at_once(folder: Path) -> None:
    """The second gets an error, and nothing of their set is there."""
    import fcntl

    with (folder / ".publish.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DialplanError, match="somebody else is publishing"):
            put_in_place(folder, {"a.yaml": b""}, how="publish", by="ci")
    assert (folder / "a.yaml").read_text() == small_client("Un.")


def test_a_set_that_cannot_be_written_changes_nothing(folder: Path) -> None:
    """A folder stands where a file should: no other file of the set is put in place, none is left beside."""
    (folder / "b.yaml").mkdir()
    (folder / "b.yaml/x").touch()
    before = sorted(folder.rglob("*"))
    with pytest.raises(DialplanError, match="cannot be written"):
        put_in_place(folder, {"a.yaml": b"new", "b.yaml/x/y.yaml": b"new"}, how="publish", by="ci")

    assert (folder / "a.yaml").read_text() == small_client("Un.")
    assert [path for path in sorted(folder.rglob("*")) if path.name != ".publish.lock"] == before


def test_who_wrote_a_file(folder: Path) -> None:
    """Its last author where git has it as it stands, else its owner; the note of a publication before both."""

    def git(*arguments: str) -> None:
        author = ["-c", "user.name=Anne Roy", "-c", "user.email=anne@operator.example"]
        subprocess.run(["git", *author, "-C", str(folder), *arguments], check=True, capture_output=True)

    def who(name: str) -> tuple[str, str]:
        return who_wrote(folder, {name: (folder / name).read_bytes()})[name]

    owner = (folder / "a.yaml").owner()
    assert who("a.yaml") == ("", owner)
    git("init", "-q")
    git("add", "a.yaml")
    git("commit", "-q", "-m", "A tree")
    assert who("a.yaml") == ("", "Anne Roy <anne@operator.example>")
    assert who("shared/queues.yaml") == ("", owner)
    (folder / "a.yaml").write_text(small_client("Deux."))
    assert who("a.yaml") == ("", owner)
    put_in_place(folder, {"a.yaml": small_client("Trois.").encode()}, how="publish", by="ci")
    assert who("a.yaml") == ("publish", "ci")


async def test_a_renamed_client_keeps_its_history(engine: Engine, database: Database) -> None:
    """From the save of the file to what the API answers, without a folder: calls of before are the client's."""
    await _a_call(database, "1", "a", engine.version())
    (engine.folder / "a.yaml").write_text(small_client("Un.", "b").replace("client: b", "client: b\nformerly: [a]"))
    await engine.plans.reload()
    await engine.history.flush()
    await _a_call(database, "2", "b", engine.version("b"))
    (engine.folder / "a.yaml").unlink()

    plans, nowhere = KeptPlans(database, PaperSpeech(), "FR"), EngineClient("http://127.0.0.1:9", "secret")
    recorded = Recordings(database, engine.folder, AuditTrail(database))
    api = create_web_app(database, plans, nowhere, recorded, gate=make_gate("secret", tokens=TokenBook(database)))
    scope = Scope(ScopeKind.CLIENTS, frozenset({"b"}))
    token = await create_token(database, "of-b", permissions=list(Permission), scope=scope, by="command:anne")
    before = Scope(ScopeKind.CLIENTS, frozenset({"a"}))
    older = await create_token(database, "of-a", permissions=list(Permission), scope=before, by="command:anne")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=api), base_url="http://api", headers={"Authorization": "Bearer secret"}
    ) as client:
        day = {"from": "2026-11-24", "to": "2026-11-25"}
        calls = (await client.get("/api/calls", params={"client": "b", **day})).json()["calls"]
        (figures,) = (await client.get("/api/stats", params=day)).json()["clients"]
        explained = (await client.get("/api/calls/1")).json()
        client.headers["Authorization"] = f"Bearer {token}"
        theirs = [await client.get("/api/calls", params=day), await client.get("/api/calls/1")]
        named = await client.get("/api/calls", params={"client": "a"})
        measured = (await client.get("/api/stats", params=day)).json()["clients"]
        client.headers["Authorization"] = f"Bearer {older}"
        of_before = (await client.get("/api/calls")).json()["calls"]

    assert [(one["call_id"], one["client"]) for one in calls] == [("2", "b"), ("1", "a")]
    assert (figures["client"], figures["received"]) == ("b", 2)
    assert explained["client"] == "a"
    # A token of the client holds what stands under its former name; one of the former name, that alone.
    assert [one["call_id"] for one in theirs[0].json()["calls"]] == ["2", "1"]
    assert (theirs[1].status_code, named.status_code, [one["received"] for one in measured]) == (200, 200, [2])
    assert [one["call_id"] for one in of_before] == ["1"]
    assert [(one.client, one.version is None) for one in await read_history(database, "b")] == [
        ("a", True),
        ("b", False),
        ("a", False),
    ]


async def _a_call(database: Database, call_id: str, client: str, version: str) -> None:
    writer = Writer(database)
    assert await writer.write([replace(answered(call_id), client=client, plan_version=version)]) == []
    writer.close()

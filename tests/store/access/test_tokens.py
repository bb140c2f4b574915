"""Tokens are kept as hashes, found without a query each, and end within seconds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, text

from callrouter.errors import DatabaseUnreachable, StoreError, UsageError
from callrouter.permissions import EVERYTHING, Permission, Scope, ScopeKind
from callrouter.store.access.audit import list_audit
from callrouter.store.access.tokens import (
    FRESH_SECONDS,
    MOST_NAMES,
    REMEMBERED,
    TokenBook,
    create_token,
    list_tokens,
    looks_like_token,
    revoke_token,
    scope_of,
)
from callrouter.store.database import Database

MOREAU = Scope(ScopeKind.CLIENTS, frozenset({"cabinet-moreau"}))
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Clocks:
    """The time of day, and the seconds that a book counts."""

    def __init__(self) -> None:
        self.passed = 0.0

    def pass_(self, seconds: float) -> None:
        self.passed += seconds

    def now(self) -> datetime:
        return MONDAY + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def book(database: Database, clocks: Clocks) -> TokenBook:
    return TokenBook(database, now=clocks.now, monotonic=clocks.monotonic)


async def made(database: Database, name: str = "wallboard", **options: Any) -> str:
    values: dict[str, Any] = {
        "permissions": [Permission.CALL_READ],
        "scope": MOREAU,
        "by": "command:anne",
        "now": MONDAY,
    }
    return await create_token(database, name, **{**values, **options})


def queries(database: Database) -> list[str]:
    """What is asked of PostgreSQL from now on."""
    asked: list[str] = []

    def note(*arguments: Any) -> None:
        asked.append(arguments[2])

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    return asked


async def test_a_token_is_its_holder(database: Database, book: TokenBook) -> None:
    token = await made(database)

    found = await book.find(token)

    assert found is not None
    assert (found.principal.name, found.principal.scope, found.ended) == ("token:wallboard", MOREAU, "")
    assert found.principal.permissions == {Permission.CALL_READ}


async def test_the_secret_stands_nowhere(database: Database) -> None:
    token = await made(database)
    secret = token.rsplit("_", 1)[1] if token.count("_") == 2 else token[17:]

    async with database.connection() as connection:
        rows = (
            await connection.execute(text("SELECT t::text FROM tokens t UNION ALL SELECT a::text FROM audit a"))
        ).all()
    assert len(secret) == 43
    assert len(rows) == 2
    assert not [row for row in rows if secret in str(row)]


async def test_making_and_revoking_are_in_the_trail(database: Database) -> None:
    await made(database)
    await revoke_token(database, "wallboard", by="command:bob")

    rows = (await list_audit(database)).rows
    assert {(row.deed.principal, row.deed.action, row.deed.object, row.deed.client) for row in rows} == {
        ("command:anne", "token.create", "wallboard: call.read on clients cabinet-moreau", "cabinet-moreau"),
        ("command:bob", "token.revoke", "wallboard", "cabinet-moreau"),
    }


async def test_what_is_refused_is_not_made(database: Database) -> None:
    """Nor is it in the trail: it is one transaction."""
    await made(database)
    await revoke_token(database, "wallboard", by="command:anne")
    before = len((await list_audit(database)).rows)

    for name in ("wallboard", "Wall board", "", "a" * 64, "a\x00", "-a"):
        with pytest.raises(UsageError):
            await made(database, name)
    with pytest.raises(UsageError, match="at most"):
        await made(database, "many", scope=Scope(ScopeKind.CLIENTS, frozenset(map(str, range(MOST_NAMES + 1)))))
    for name in ("nobody", "\x00"):
        with pytest.raises(UsageError, match="there is no token"):
            await revoke_token(database, name, by="command:anne")

    assert len((await list_audit(database)).rows) == before
    assert [one.name for one in await list_tokens(database)] == ["wallboard"]


async def test_a_revoked_token_stops_within_seconds(database: Database, book: TokenBook, clocks: Clocks) -> None:
    token = await made(database)
    assert (await book.find(token)) is not None
    await revoke_token(database, "wallboard", by="command:anne", now=MONDAY)
    again = await revoke_token(database, "wallboard", by="command:anne", now=MONDAY + timedelta(days=1))

    clocks.pass_(FRESH_SECONDS)
    found = await book.find(token)

    assert found is not None
    assert found.ended == "was revoked at 2026-11-23 09:00 UTC"
    assert again.revoked_at == MONDAY


async def test_a_token_expires_by_itself(database: Database, book: TokenBook, clocks: Clocks) -> None:
    token = await made(database, expires_at=MONDAY + timedelta(seconds=2))
    first = await book.find(token)
    clocks.pass_(2)
    then = await book.find(token)

    assert first is not None
    assert then is not None
    assert (first.ended, then.ended) == ("", "expired at 2026-11-23 09:00 UTC")


async def test_many_requests_are_few_queries(database: Database, book: TokenBook, clocks: Clocks) -> None:
    """Also of somebody who tries ids: what is not there is looked for once a second at most."""
    token = await made(database)
    await book.find(token)
    asked = queries(database)

    for _ in range(200):
        await book.find(token)
    assert asked == []

    for number in range(200):
        clocks.pass_(0.01)
        assert await book.find(f"crt_{number:012x}_{'a' * 43}") is None
    assert len([one for one in asked if "FROM tokens" in one]) <= 3


async def test_a_new_token_is_known_at_once(database: Database, book: TokenBook, clocks: Clocks) -> None:
    await book.find(await made(database))
    clocks.pass_(1)

    assert await book.find(await made(database, "another")) is not None


async def test_the_last_use_is_kept_to_the_hour(database: Database, book: TokenBook, clocks: Clocks) -> None:
    token = await made(database)
    asked = queries(database)
    for _ in range(100):
        await book.find(token)
        clocks.pass_(FRESH_SECONDS)
    (kept,) = await list_tokens(database)

    assert kept.last_used_at is not None
    assert MONDAY <= kept.last_used_at <= clocks.now()
    assert len([one for one in asked if one.startswith("UPDATE tokens")]) == 1


async def test_without_postgresql_nobody_knows(database: Database, clocks: Clocks) -> None:
    """A token that may have been revoked is not good."""
    from sqlalchemy.engine import make_url

    gone = Database(make_url("postgresql://callrouter:hunter2@127.0.0.1:9/calls"))
    book = TokenBook(gone, now=clocks.now, monotonic=clocks.monotonic)
    token = await made(database)

    with pytest.raises(DatabaseUnreachable):
        await book.find(token)
    with pytest.raises(StoreError):
        await book.find(token)
    assert await book.find("no token of ours") is None
    await gone.close()


async def test_what_was_known_is_remembered_for_a_day(database: Database, book: TokenBook, clocks: Clocks) -> None:
    """As it was read last; whoever was not known then, has another secret, or whose time is over, is not let in."""
    token, revoked = await made(database), await made(database, "revoked")
    limited = await made(database, "limited", expires_at=clocks.now() + timedelta(hours=5))
    await revoke_token(database, "revoked", now=clocks.now(), by="command:anne")
    assert book.remembered(token) is None
    known = await book.find(token)

    clocks.pass_(3600.0)
    assert book.remembered(token) == known
    assert (found := book.remembered(revoked)) is not None
    assert found.ended
    assert book.remembered(token[:-1] + ("a" if token[-1] != "a" else "b")) is None
    assert book.remembered(await made(database, "new")) is None
    assert book.remembered("no token of ours") is None
    clocks.pass_(REMEMBERED.total_seconds() - 3600.0)
    assert (found := book.remembered(limited)) is not None
    assert found.ended
    clocks.pass_(1.0)
    assert book.remembered(token) is None


async def test_a_permission_of_another_release_allows_nothing(database: Database, book: TokenBook) -> None:
    token = await made(database)
    async with database.connection() as connection:
        await connection.execute(text("UPDATE tokens SET permissions = '{tea.make,call.read}'"))

    found = await book.find(token)

    assert found is not None
    assert found.principal.permissions == {Permission.CALL_READ}


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "A", lambda t: t.upper(), lambda t: t[:17] + "A" * 43]
)
async def test_nearly_a_token(database: Database, book: TokenBook, change: Callable[[str], str]) -> None:
    token = await made(database)

    assert await book.find(change(token)) is None


@given(st.text(max_size=200) | st.from_regex(r"crt_[0-9a-f]{12}_[A-Za-z0-9_-]{0,80}", fullmatch=True))
def test_what_looks_like_a_token_is_ascii_of_one_length(presented: str) -> None:
    if looks_like_token(presented):
        assert presented.isascii()
        assert len(presented) == 4 + 12 + 1 + 43


@pytest.mark.parametrize(
    ("clients", "teams", "everything", "scope"),
    [
        (["a", "b"], [], False, Scope(ScopeKind.CLIENTS, frozenset("ab"))),
        ([], ["a"], False, Scope(ScopeKind.TEAMS, frozenset("a"))),
        ([], [], True, EVERYTHING),
    ],
)
def test_one_scope_is_named(clients: list[str], teams: list[str], everything: bool, scope: Scope) -> None:
    assert scope_of(clients, teams, everything=everything) == scope


@pytest.mark.parametrize(
    ("clients", "teams", "everything"), [([], [], False), (["a"], ["b"], False), (["a"], [], True)]
)
def test_no_scope_or_two_are_refused(clients: list[str], teams: list[str], everything: bool) -> None:
    with pytest.raises(UsageError, match="say for whom"):
        scope_of(clients, teams, everything=everything)

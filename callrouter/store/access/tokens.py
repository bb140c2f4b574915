"""Tokens: made once, kept as a hash, and looked up without a query for each request.

A token reads `crt_<id>_<secret>`: the id is public and names its row; the secret has 256 bits, so that its plain
SHA-256 cannot be guessed back. All rows (they are tens) are read at once and kept for `FRESH_SECONDS`: a token that is
revoked, by whatever process, stops within that time. Where they cannot be read no token is good, because nobody
knows whether it was revoked, but for what may not wait until they can (`TokenBook.remembered`).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from callrouter.errors import StoreError, UsageError
from callrouter.permissions import Permission, Principal, Scope, ScopeKind
from callrouter.store.access.audit import Deed, write_deed
from callrouter.store.database import Database
from callrouter.store.plans import present_names
from callrouter.store.tables import AuditOutcome, tokens

log = structlog.get_logger(__name__)

FRESH_SECONDS: Final = 5.0
"""For how long rows that were read are believed: so long a revoked token may go on."""
AGAIN_SECONDS: Final = 1.0
"""For a token that is not among them, or after PostgreSQL did not answer: how soon they may be read again."""
REMEMBERED: Final = timedelta(hours=24)
"""For how long rows are remembered that cannot be read anew, for what may not wait (`TokenBook.remembered`)."""
USED_EVERY: Final = timedelta(hours=1)
"""How coarse `last_used_at` is."""
MOST_NAMES: Final = 100
"""Clients or teams of one token."""

_FORM: Final = re.compile(r"crt_([0-9a-f]{12})_([A-Za-z0-9_-]{43})", re.ASCII)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """A token as it is kept."""

    token_id: str
    name: str
    secret_hash: str
    permissions: tuple[str, ...]
    """A name that this release does not know allows nothing."""
    scope: Scope
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    @property
    def principal(self) -> Principal:
        """Who comes with it."""
        known = {one.value for one in Permission}
        held = frozenset(Permission(one) for one in self.permissions if one in known)
        return Principal(name=f"token:{self.name}", permissions=held, scope=self.scope)

    def ended(self, now: datetime) -> str:
        """Since when it is good for nothing, as the end of a sentence; empty while it is good."""
        if self.revoked_at is not None:
            return f"was revoked at {self.revoked_at:%Y-%m-%d %H:%M} UTC"
        if self.expires_at is not None and self.expires_at <= now:
            return f"expired at {self.expires_at:%Y-%m-%d %H:%M} UTC"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A token whose secret is right."""

    principal: Principal
    ended: str
    """Why it is good for nothing any more (`StoredToken.ended`); empty when it is good."""


def looks_like_token(presented: str) -> bool:
    """Whether it has the form of our tokens: 256 bits that nobody guesses."""
    return _FORM.fullmatch(presented) is not None


async def create_token(
    database: Database,
    name: str,
    *,
    permissions: Collection[Permission],
    scope: Scope,
    by: str,
    expires_at: datetime | None = None,
    now: datetime | None = None,
) -> str:
    """Make a token, and give the text that its holder sends: it stands nowhere else. `by` is a principal.

    Raises:
        UsageError: the name is taken or none, or there are too many clients or teams.
        StoreError: PostgreSQL does not take it.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a token: small letters, digits, '.', '_' and '-', 63 at most")
    if len(scope.names) > MOST_NAMES:
        raise UsageError(f"a token is for {MOST_NAMES} clients or teams at most: make several, or one for all")
    token_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    at = now or datetime.now(UTC)
    row = {
        "token_id": token_id,
        "name": name,
        "secret_hash": _hash(secret),
        "permissions": sorted(permissions),
        "scope": scope.kind.value,
        "scope_names": sorted(scope.names),
        "created_at": at,
        "created_by": by,
        "expires_at": expires_at,
    }
    try:
        async with database.connection() as connection:
            await connection.execute(insert(tokens).values(row))
            what = f"{name}: {', '.join(sorted(permissions))} on {scope}"
            await write_deed(connection, _deed(by, "token.create", what, scope), at)
    except IntegrityError:
        raise UsageError(
            f"there is, or was, a token {name}: names are never given twice, so that the audit trail stays unambiguous"
        ) from None
    return f"crt_{token_id}_{secret}"


async def revoke_token(database: Database, name: str, *, by: str, now: datetime | None = None) -> StoredToken:
    """End a token for good; one that was revoked already stays as it was. `by` is a principal.

    Raises:
        UsageError: there is none of that name.
        StoreError: PostgreSQL does not answer.
    """
    at = now or datetime.now(UTC)
    if not _NAME.fullmatch(name):
        raise UsageError(f"there is no token {name!r}: `callrouter token list` shows them")
    statement = (
        update(tokens)
        .where(tokens.c.name == name)
        .values(revoked_at=func.coalesce(tokens.c.revoked_at, at))
        .returning(*tokens.c)
    )
    async with database.connection() as connection:
        row = (await connection.execute(statement)).mappings().one_or_none()
        if row is None:
            raise UsageError(f"there is no token {name}: `callrouter token list` shows them")
        revoked = _stored(dict(row))
        await write_deed(connection, _deed(by, "token.revoke", name, revoked.scope), at)
    return revoked


async def list_tokens(database: Database) -> list[StoredToken]:
    """All of them, by name, those that are revoked too.

    Raises:
        StoreError: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        rows = (await connection.execute(select(tokens).order_by(tokens.c.name))).mappings()
        return [_stored(dict(row)) for row in rows]


class TokenBook:
    """Looks up what is presented, in rows that are a few seconds old at most."""

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`now` is the true time, whatever clock calls are stamped by."""
        self._database = database
        self._now = now
        self._monotonic = monotonic
        self._rows: dict[str, StoredToken] = {}
        self._read_at = float("-inf")
        self._failed_at = float("-inf")
        self._failure = ""
        self._reading = asyncio.Lock()
        self._used: set[str] = set()

    async def find(self, presented: str) -> Found | None:
        """Whose token it is; None when it is none of ours.

        Raises:
            StoreError: PostgreSQL does not answer, and what is known of tokens is too old.
        """
        parts = _FORM.fullmatch(presented)
        if parts is None:
            return None
        row = await self._row(parts[1])
        if row is None or not hmac.compare_digest(row.secret_hash, _hash(parts[2])):
            return None
        now = self._now()
        ended = row.ended(now)
        if not ended and (row.last_used_at is None or row.last_used_at <= now - USED_EVERY):
            self._used.add(row.token_id)
        return Found(principal=row.principal, ended=ended)

    def remembered(self, presented: str) -> Found | None:
        """The same by what was read last, `REMEMBERED` ago at most; what has run out since has ended.

        For what may not wait until PostgreSQL is back: nobody can revoke a token there meanwhile, unless this process
        alone does not reach it.
        """
        parts = _FORM.fullmatch(presented)
        row = self._rows.get(parts[1]) if parts is not None else None
        if parts is None or row is None or self._monotonic() - self._read_at > REMEMBERED.total_seconds():
            return None
        if not hmac.compare_digest(row.secret_hash, _hash(parts[2])):
            return None
        return Found(principal=row.principal, ended=row.ended(self._now()))

    async def _row(self, token_id: str) -> StoredToken | None:
        if self._is_old(token_id):
            async with self._reading:  # those who come meanwhile wait for the one that reads
                if self._is_old(token_id):
                    await self._read()
        return self._rows.get(token_id)

    def _is_old(self, token_id: str) -> bool:
        age = self._monotonic() - self._read_at
        return age >= (FRESH_SECONDS if token_id in self._rows else AGAIN_SECONDS)

    async def _read(self) -> None:
        began = self._monotonic()
        if began - self._failed_at < AGAIN_SECONDS:
            raise StoreError(self._failure)
        await self._note_used()
        try:
            self._rows = {row.token_id: row for row in await self._known()}
        except StoreError as error:
            self._failed_at, self._failure = self._monotonic(), str(error)
            raise
        self._read_at = began

    async def _known(self) -> list[StoredToken]:
        """All tokens; one for a client holds what stands under the names that the client had before, too."""
        found = await list_tokens(self._database)
        async with self._database.connection() as connection:
            present = await present_names(connection)
        return [replace(one, scope=_with_former(one.scope, present)) for one in found]

    async def _note_used(self) -> None:
        if not self._used:
            return
        at, used = self._now(), sorted(self._used)
        self._used.clear()
        seldom = or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at <= at - USED_EVERY)
        statement = update(tokens).where(tokens.c.token_id.in_(used), seldom).values(last_used_at=at)
        try:
            async with self._database.connection() as connection:
                await connection.execute(statement)
        except StoreError as error:  # a standby, say: the token is good all the same
            log.debug("it is not noted that tokens were used", reason=str(error))


def scope_of(clients: Sequence[str], teams: Sequence[str], *, everything: bool) -> Scope:
    """The one scope that was named.

    Raises:
        UsageError: none was, or several kinds.
    """
    named = {ScopeKind.CLIENTS: clients, ScopeKind.TEAMS: teams, ScopeKind.ALL: ["all"] if everything else []}
    kinds = [kind for kind, names in named.items() if names]
    if len(kinds) != 1:
        raise UsageError("say for whom the token is: --client (several times), --team (several times), or --all")
    return Scope(kinds[0], frozenset() if everything else frozenset(named[kinds[0]]))


def _with_former(scope: Scope, present: Mapping[str, str]) -> Scope:
    """`present`: by former name, the client that has it now."""
    if scope.kind is not ScopeKind.CLIENTS:
        return scope
    return replace(scope, former=frozenset(name for name, now in present.items() if now in scope.names))


def _deed(by: str, action: str, what: str, scope: Scope) -> Deed:
    client = next(iter(scope.names)) if scope.kind is ScopeKind.CLIENTS and len(scope.names) == 1 else None
    return Deed(principal=by, action=action, object=what, client=client, outcome=AuditOutcome.DONE)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _stored(row: dict[str, object]) -> StoredToken:
    kind, names = row.pop("scope"), row.pop("scope_names")
    assert isinstance(names, list)
    permissions = row.pop("permissions")
    assert isinstance(permissions, list)
    scope = Scope(ScopeKind(str(kind)), frozenset(names))
    return StoredToken(**row, permissions=tuple(permissions), scope=scope)  # type: ignore[arg-type]  # the columns'

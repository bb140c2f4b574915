"""Who may ask: authentication, permissions and refusals of both applications.

Each route says which permission it needs (`needs`): it stands in the OpenAPI document as `x-permission`, and a test
walks all routes. Whoever asks is a `Visitor`; each refusal is in the audit trail.

What is known to be right is always served. Wrong tokens from an address are answered, after `GUESSES` of them, by 429;
while that lasts nobody guesses the operator's token from there: it is compared only for an address that has used it
rightly in the last minutes. A token of ours has 256 bits, is not guessed, and so is always looked at: whoever shares an
address with an attacker goes on.
"""

from __future__ import annotations

import hmac
import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final, NoReturn, Protocol

import structlog
from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from callrouter.api.throttle import Throttle
from callrouter.errors import StoreError
from callrouter.logs import Outage
from callrouter.permissions import ABOUT, OPERATOR, By, Permission, Principal, ScopeKind
from callrouter.store.access.audit import Deed
from callrouter.store.access.tokens import Found, looks_like_token
from callrouter.store.tables import AuditOutcome

log = structlog.get_logger(__name__)

GUESSES: Final = (10, 0.2)
"""Wrong tokens of an address: so many at once, and then so many a second."""
WITHOUT: Final = (60, 1.0)
"""The same of requests without any."""
PACE: Final = (100, 20.0)
"""Requests of a token: so many at once, and then so many a second. The operator's own is not limited."""
REMEMBERED_SECONDS: Final = 900.0
"""For how long an address is known as one from which the operator's token came."""
WITHOUT_POSTGRESQL: Final = frozenset({Permission.MESSAGE_TAKE})
"""What whoever was let in before may go on with while PostgreSQL is away: what a caller says now is said once."""
PERMISSION: Final = "x-permission"
NOBODY: Final = "nobody"
UNKNOWN: Final = "unknown token"

_away = Outage(log, "tokens cannot be looked up", "", level="warning", remind_seconds=60.0)
"""Of this process: dashboards ask every few seconds."""

_MOST_ADDRESSES: Final = 1_000
_HOW: Final = (
    "give a token as 'Authorization: Bearer <token>': one of `callrouter token create`, or CALLROUTER_API_TOKEN"
)
_bearer = HTTPBearer(auto_error=False, description="A token of `callrouter token create`, or CALLROUTER_API_TOKEN")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


class Tokens(Protocol):
    """Where tokens are looked up (`store.access.tokens.TokenBook`)."""

    async def find(self, presented: str) -> Found | None:
        """Whose it is; None when it is none of ours."""
        ...

    def remembered(self, presented: str) -> Found | None:
        """The same, by what was known before they could not be looked up any more."""
        ...


class Trail(Protocol):
    """Where deeds are noted (`store.access.trail.AuditTrail`)."""

    def note(self, deed: Deed) -> None:
        """Take note of a deed, which is written soon."""
        ...


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who asks, and from where."""

    principal: Principal
    address: str
    trail: Trail

    @property
    def by(self) -> By:
        """As the audit trail has them."""
        return By(principal=self.principal.name, address=self.address)

    def note(self, action: str, outcome: AuditOutcome, *, object_: str = "", client: str | None = None) -> None:
        """Have what they did, or were not let do, in the audit trail."""
        self.trail.note(
            Deed(
                principal=self.principal.name,
                action=action,
                object=object_,
                client=client,
                outcome=outcome,
                address=self.address,
            )
        )

    def asked_client(self, permission: Permission, client: str | None) -> str | None:
        """The client a page is asked for: the one that is named, or the only one that they may see.

        Raises:
            HTTPException: it is none of theirs (403), whether it exists or not.
        """
        scope = self.principal.scope
        if client is None:
            return next(iter(scope.names)) if scope.kind is ScopeKind.CLIENTS and len(scope.names) == 1 else None
        if not scope.admits(client):
            self.note(permission, AuditOutcome.REFUSED, client=client)
            raise HTTPException(
                HTTPStatus.FORBIDDEN, f"{self.principal.name} does not hold {permission} on client {client}"
            )
        return client

    def hides(self, permission: Permission, object_: str, client: str, teams: frozenset[str] | set[str]) -> bool:
        """Whether something must look to them as if it did not exist; that they asked is in the audit trail."""
        if self.principal.scope.holds(client, teams):
            return False
        self.note(permission, AuditOutcome.REFUSED, object_=object_, client=client)
        return True


class Gate:
    """Lets in those who may come in, for one application."""

    def __init__(
        self, operator_token: str, tokens: Tokens, trail: Trail, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` counts seconds.

        Raises:
            ValueError: the operator's token is empty, which would let everybody in.
        """
        if not operator_token:
            raise ValueError("an empty API token would let everybody in")
        self._operator_token = operator_token.encode()
        self._tokens = tokens
        self._trail = trail
        self._clock = clock
        self._guesses = Throttle(burst=GUESSES[0], per_second=GUESSES[1], clock=clock)
        self._without = Throttle(burst=WITHOUT[0], per_second=WITHOUT[1], clock=clock)
        self._pace = Throttle(burst=PACE[0], per_second=PACE[1], clock=clock)
        self._operators: OrderedDict[str, float] = OrderedDict()

    async def enter(self, request: Request, credentials: Credentials) -> Visitor:
        """A dependency: who asks.

        Raises:
            HTTPException: nobody whom we know (401), too often (429), or PostgreSQL is away and nobody knows whether
                the token is still good (503).
        """
        visitor = getattr(request.state, "visitor", None)
        if not isinstance(visitor, Visitor):
            visitor = request.state.visitor = await self._entered(request, credentials)
        return visitor

    def known_otherwise(self, principal: Principal, request: Request) -> Visitor:
        """Somebody whom a page knows by something else than a token of theirs: by the link that they were sent."""
        return Visitor(principal, address_of(request), self._trail)

    def needs(self, permission: Permission) -> dict[str, Any]:
        """Arguments of a route: it is for those who hold the permission."""

        async def check(request: Request, credentials: Credentials) -> None:
            await self._check(permission, request, credentials)

        return {"dependencies": [Depends(check)], "openapi_extra": {PERMISSION: permission.value}}

    @property
    def guards(self) -> list[Any]:
        """What every router of a page depends on, first of all: who may not is told that, whatever they sent."""
        return [Depends(self.enter), Depends(self._admit)]

    async def screen(self, request: Request) -> None:
        """The same of a request that none of its dependencies has seen.

        Raises:
            HTTPException: they may not ask for this page.
        """
        if _needed(request) is not None:
            await self._admit(request, await _bearer(request))

    async def _admit(self, request: Request, credentials: Credentials) -> None:
        """What the route `needs`, before anything that its router depends on besides."""
        named = _needed(request)
        if named is not None:
            await self._check(named, request, credentials)

    async def _check(self, permission: Permission, request: Request, credentials: Credentials) -> None:
        visitor = await self.enter(request, credentials)
        if not visitor.principal.may(permission):
            visitor.note(permission, AuditOutcome.REFUSED)
            raise HTTPException(HTTPStatus.FORBIDDEN, _not_held(visitor.principal, permission))

    async def knows(self, request: Request, credentials: Credentials) -> bool:
        """A dependency that refuses nobody: whether they may read why something is not well."""
        if credentials is None:
            return False
        address = address_of(request)
        try:
            found = await self._look(credentials.credentials, address)
        except HTTPException:
            return False
        if isinstance(found, Principal):
            return found.may(Permission.STATUS_READ)
        self._guesses.take(network_of(address))
        self._note(found.name, Permission.STATUS_READ, address)
        return False

    async def still_lets_in(
        self, visitor: Visitor, credentials: HTTPAuthorizationCredentials | None, permission: Permission
    ) -> bool:
        """Whether somebody who was let in some time ago would be let in again, to see the same.

        While PostgreSQL is away nobody knows, and whoever was let in stays.
        """
        if visitor.principal is OPERATOR:
            return True
        try:
            found = await self._tokens.find(credentials.credentials) if credentials else None
        except StoreError:
            return True
        if (
            found is not None
            and not found.ended
            and found.principal.may(permission)
            and found.principal.scope == visitor.principal.scope
        ):
            return True
        visitor.note(permission, AuditOutcome.REFUSED)
        return False

    async def _entered(self, request: Request, credentials: HTTPAuthorizationCredentials | None) -> Visitor:
        address, permission = address_of(request), _permission_of(request)
        found = (
            await self._look(credentials.credentials, address, permission) if credentials else _Stranger(NOBODY, _HOW)
        )
        if isinstance(found, _Stranger):
            throttle = self._guesses if credentials else self._without
            self._refuse(found, permission, address, throttle.take(network_of(address)))
        if found is not OPERATOR and (wait := self._pace.take(found.name)):
            self._refuse(_Stranger(found.name, ""), permission, address, wait)
        return Visitor(found, address, self._trail)

    async def _look(self, presented: str, address: str, permission: str = "") -> Principal | _Stranger:
        if looks_like_token(presented):
            try:
                found = await self._tokens.find(presented)
            except StoreError as error:  # whoever asks is still a stranger: why it is away is not for them
                _away.failed(str(error))
                found = self._tokens.remembered(presented) if permission in WITHOUT_POSTGRESQL else None
                if found is None:
                    raise HTTPException(
                        HTTPStatus.SERVICE_UNAVAILABLE, "tokens cannot be looked up now", headers={"Retry-After": "5"}
                    ) from error
            if found is None:
                return _Stranger(UNKNOWN, _HOW)
            if found.ended:
                return _Stranger(found.principal.name, f"this token {found.ended}: ask the operator for another")
            return found.principal
        network = network_of(address)
        if self._guesses.wait(network) and not self._operator_was_at(network):
            return _Stranger(UNKNOWN, _HOW)
        # In constant time: how long a refusal takes says nothing about the token.
        if hmac.compare_digest(presented.encode(errors="replace"), self._operator_token):
            self._operators[network] = self._clock()
            self._operators.move_to_end(network)
            if len(self._operators) > _MOST_ADDRESSES:
                self._operators.popitem(last=False)
            return OPERATOR
        return _Stranger(UNKNOWN, _HOW)

    def _operator_was_at(self, network: str) -> bool:
        return self._clock() - self._operators.get(network, -math.inf) < REMEMBERED_SECONDS

    def _refuse(self, stranger: _Stranger, permission: str, address: str, wait: float) -> NoReturn:
        self._note(stranger.name, permission, address)
        if wait:
            raise HTTPException(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"too many requests: wait {math.ceil(wait)} s",
                headers={"Retry-After": str(math.ceil(wait))},
            )
        raise HTTPException(HTTPStatus.UNAUTHORIZED, stranger.why, headers={"WWW-Authenticate": "Bearer"})

    def _note(self, principal: str, action: str, address: str) -> None:
        self._trail.note(Deed(principal=principal, action=action, outcome=AuditOutcome.REFUSED, address=address))


def _needed(request: Request) -> Permission | None:
    """What the route of a request needs."""
    named = (getattr(request.scope.get("route"), "openapi_extra", None) or {}).get(PERMISSION)
    return None if named is None else Permission(named)


@dataclass(frozen=True, slots=True)
class _Stranger:
    """Somebody who is not let in."""

    name: str
    why: str


def _current(request: Request) -> Visitor:
    visitor = request.state.visitor
    assert isinstance(visitor, Visitor)
    return visitor


CurrentVisitor = Annotated[Visitor, Depends(_current)]
"""Of a route that needs a permission: who asks."""


def address_of(request: Request) -> str:
    """Where a request comes from, as it is written in one way; `unknown` for what is no address."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "unknown"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def network_of(address: str) -> str:
    """What is limited as one: an address, or the /64 that a customer has of IPv6."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))


def _permission_of(request: Request) -> str:
    """Which permission the route needs, for the trail."""
    extra = getattr(request.scope.get("route"), "openapi_extra", None) or {}
    return str(extra.get(PERMISSION, ""))


def _not_held(principal: Principal, permission: Permission) -> str:
    if permission in principal.permissions:
        kinds = ", ".join(sorted(ABOUT[permission].scopes))
        return f"{permission} cannot be limited to {principal.scope}: {principal.name} needs a token for {kinds}"
    return f"{principal.name} does not hold {permission}"

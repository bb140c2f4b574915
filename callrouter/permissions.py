"""Who may do what, on whose behalf: principals, permissions and scopes, as plain values.

A principal is whoever asks for something: the operator (whoever holds CALLROUTER_API_TOKEN), a token that they made,
or somebody at the command line. It holds permissions, all of them within one scope: everything, some clients, or some
teams. What a team's scope shows of each page is what belongs to journeys that waited in that team's queue.

A permission stands here only if something is refused without it. `ABOUT` says for each what it allows and within which
scopes it can be held; what cannot be cut down to a client or a team is for those who may see everything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """What somebody may do."""

    CALL_READ = "call.read"
    CALL_LISTEN = "call.listen"
    CALL_WHISPER = "call.whisper"
    CALL_BARGE = "call.barge"
    CALL_TAKE_OVER = "call.take_over"
    CALL_CONTROL = "call.control"
    MESSAGE_READ = "message.read"
    MESSAGE_TAKE = "message.take"
    MESSAGE_CHANGE = "message.change"
    MESSAGE_ACKNOWLEDGE = "message.acknowledge"
    DELIVERY_READ = "delivery.read"
    DELIVERY_REPEAT = "delivery.repeat"
    CALLBACK_READ = "callback.read"
    CALLBACK_SETTLE = "callback.settle"
    STATS_READ = "stats.read"
    CONSUMPTION_READ = "consumption.read"
    CONSUMPTION_ISSUE = "consumption.issue"
    LIVE_READ = "live.read"
    STREAM_READ = "stream.read"
    RECORDING_READ = "recording.read"
    RECORDING_PLAY = "recording.play"
    RECORDING_DELETE = "recording.delete"
    RECORDING_PAUSE = "recording.pause"
    AGENT_READ = "agent.read"
    AGENT_LOGIN = "agent.login"
    AGENT_PAUSE = "agent.pause"
    AUDIT_READ = "audit.read"
    RETENTION_READ = "retention.read"
    PERSON_READ = "person.read"
    PERSON_ERASE = "person.erase"
    STATUS_READ = "status.read"
    ENGINE_RELOAD = "engine.reload"
    PBX_APPLY = "pbx.apply"
    PBX_DRAIN = "pbx.drain"


class ScopeKind(StrEnum):
    """What a scope is made of."""

    ALL = "all"
    CLIENTS = "clients"
    TEAMS = "teams"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose data: everybody's, that of some clients, or that of journeys that waited in some teams' queues."""

    kind: ScopeKind
    names: frozenset[str] = frozenset()
    """Clients or teams; empty for everything."""
    former: frozenset[str] = frozenset()
    """Names that these clients had before: what was written down under them is theirs."""

    @property
    def clients(self) -> frozenset[str]:
        """The clients under all their names."""
        return self.names | self.former

    def holds(self, client: str, teams: Collection[str]) -> bool:
        """Whether it holds what belongs to a client and to a journey that waited in these teams' queues."""
        match self.kind:
            case ScopeKind.ALL:
                return True
            case ScopeKind.CLIENTS:
                return client in self.clients
            case ScopeKind.TEAMS:
                return not self.names.isdisjoint(teams)

    def admits(self, client: str) -> bool:
        """Whether somebody may name this client at all. A team's scope decides by each journey instead."""
        return self.kind is not ScopeKind.CLIENTS or client in self.clients

    def __str__(self) -> str:
        return f"{self.kind} {', '.join(sorted(self.names))}" if self.names else self.kind.value


EVERYTHING: Final = Scope(ScopeKind.ALL)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a permission allows."""

    allows: str
    scopes: frozenset[ScopeKind]
    """Within which it can be held."""


_ANY: Final = frozenset(ScopeKind)
_CLIENTS: Final = frozenset({ScopeKind.ALL, ScopeKind.CLIENTS})
_TEAMS: Final = frozenset({ScopeKind.ALL, ScopeKind.TEAMS})
_ALL: Final = frozenset({ScopeKind.ALL})

ABOUT: Final[Mapping[Permission, Meaning]] = {
    Permission.CALL_READ: Meaning("list calls, read one with its explanation", _ANY),
    Permission.CALL_LISTEN: Meaning("hear a conversation that goes on, at a telephone", _ANY),
    Permission.CALL_WHISPER: Meaning("speak to the agent alone in a conversation", _ANY),
    Permission.CALL_BARGE: Meaning("speak to both in a conversation", _ANY),
    Permission.CALL_TAKE_OVER: Meaning("take a caller from an agent", _ANY),
    Permission.CALL_CONTROL: Meaning(
        "hold callers, give them away, press keys and hang up in conversations that go on", _ANY
    ),
    Permission.MESSAGE_READ: Meaning("list messages, read one with its trail and its delivery", _ANY),
    Permission.MESSAGE_TAKE: Meaning("take a message by form, and see the client's forms and contacts", _ANY),
    Permission.MESSAGE_CHANGE: Meaning("correct, settle and reassign messages, have them sent again", _ANY),
    # By itself: a client's own system, which was told of a message, says so and changes nothing of it.
    Permission.MESSAGE_ACKNOWLEDGE: Meaning("take messages on, so that nobody else is told of them", _ANY),
    Permission.DELIVERY_READ: Meaning("list what web services should have been told of calls, and were not", _ANY),
    Permission.DELIVERY_REPEAT: Meaning("have it sent again", _ANY),
    Permission.CALLBACK_READ: Meaning("list callbacks and abandoned callers", _ANY),
    Permission.CALLBACK_SETTLE: Meaning("say what came of calling somebody back", _ANY),
    # Figures are made of whole journeys by client; a journey that passed two teams would count for both.
    Permission.STATS_READ: Meaning("read service figures", _CLIENTS),
    Permission.CONSUMPTION_READ: Meaning("see what clients consume and pay, their invoices and tariffs", _CLIENTS),
    Permission.CONSUMPTION_ISSUE: Meaning("issue the invoice of a month that is over", _CLIENTS),
    Permission.LIVE_READ: Meaning("see the calls in progress", _ANY),
    Permission.STREAM_READ: Meaning("follow calls, agents and messages as things happen", _ANY),
    Permission.RECORDING_READ: Meaning("list recordings", _ANY),
    Permission.RECORDING_PLAY: Meaning("listen to a recording", _ANY),
    Permission.RECORDING_DELETE: Meaning("delete a recording", _ANY),
    Permission.RECORDING_PAUSE: Meaning("pause and resume the recording of a conversation that goes on", _ANY),
    # An agent belongs to teams, and to no client.
    Permission.AGENT_READ: Meaning("see where agents are, and what they did", _TEAMS),
    Permission.AGENT_LOGIN: Meaning("log agents in and out", _TEAMS),
    Permission.AGENT_PAUSE: Meaning("pause agents, and end their pauses and wrap-ups", _TEAMS),
    # A row of the trail names a client, and no team.
    Permission.AUDIT_READ: Meaning("read the audit trail", _CLIENTS),
    # Runs and persons are everybody's: a number may have called any client.
    Permission.RETENTION_READ: Meaning("see what was deleted because it was older than it is kept", _ALL),
    Permission.PERSON_READ: Meaning("find and export all that is known of a telephone number", _ALL),
    Permission.PERSON_ERASE: Meaning("erase a telephone number and whose it is, everywhere", _ALL),
    # Problems, files and plans of all clients stand beside each other.
    Permission.STATUS_READ: Meaning("read the engine's status, and why /health and /ready are not well", _ALL),
    Permission.ENGINE_RELOAD: Meaning("have the engine load the clients' files", _ALL),
    # Of `callrouter pbx apply`: all teams, their agents and telephones.
    Permission.PBX_APPLY: Meaning("be the unit that applies queues and telephones to the PBX", _ALL),
    # Calls of all clients come in by it.
    Permission.PBX_DRAIN: Meaning("have the PBX take no new call before it is restarted, and take them again", _ALL),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who asks, and what they may do."""

    name: str
    """As the audit trail has it: `operator`, `token:NAME`, `command:USER`."""
    permissions: frozenset[Permission]
    scope: Scope = EVERYTHING

    def may(self, permission: Permission) -> bool:
        """Whether they hold a permission, within a scope in which it can be held."""
        return permission in self.permissions and self.scope.kind in ABOUT[permission].scopes


@dataclass(frozen=True, kw_only=True)
class By:
    """Who does something, and from where, as the audit trail has it."""

    principal: str
    address: str = ""
    """Empty where there is none: at a command line, and for what we do ourselves."""


OPERATOR: Final = Principal(name="operator", permissions=frozenset(Permission))
"""Whoever holds CALLROUTER_API_TOKEN."""

OURSELVES: Final = "callrouter"
"""The name of what callrouter does by itself, such as deleting recordings whose time is over."""

"""Opens connections to PostgreSQL: host by host, and nobody waits on one that has stopped answering.

With several hosts (`?host=a,b&port=5432,5432`, as libpq has it) each is asked by itself, the one that served last
first, and only one that takes writes will do: after a failover that is the new primary, wherever it stands in the list.
asyncpg's own time limit is for the whole list, so that a host that has vanished would hide the next one for ever.

A server that vanishes without a reset leaves connections on which nothing is heard for minutes. So every statement has
a limit at this end too (`command_timeout`, `PATIENCE_SECONDS` after the server's own `statement_timeout`), and what was
not answered by then ends the connection: asyncpg would ask the same silent server to cancel it, and wait for that.

Of two engines the one that leads says so in the name of each connection (`Leader`), and whoever leads after it ends
those of the one before, at the server: an engine that was stopped in the middle of a transaction holds locks on rows
that its follower has to write, for as long as it is stopped, and the server's own limits do not count while it waits
for the rest of a COPY. When the one before wakes it has no connection, and gets none while its follower has one: none
of its statements is carried out after those of its follower, whatever the statement. So none has to name the epoch.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import structlog
from sqlalchemy.engine import URL

from callrouter.store.refusals import GONE

log = structlog.get_logger(__name__)

CONNECT_SECONDS: Final = 5.0
"""How long a server may take to let us in."""
HOST_SECONDS: Final = 2.0
"""The same, of each of several."""
DEFAULT_PORT: Final = 5432
PATIENCE_SECONDS: Final = 2.0
"""The server cuts off a statement that takes too long, and says so; who has not said so by then has vanished."""

_END_THOSE_BEFORE: Final = """
SELECT coalesce(bool_or(epoch > $1), false) AS is_followed,
       count(*) FILTER (WHERE CASE WHEN epoch < $1 THEN pg_terminate_backend(pid) ELSE false END) AS ended
FROM (
    SELECT pid, substring(application_name FROM '^callrouter(?: [a-z]+)? ([0-9]{1,18}) ')::bigint AS epoch
    FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
      AND right(application_name, length($2) + 1) = ' ' || $2
) others
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """An engine that leads at a PBX, and that another one may follow."""

    pbx: str
    """At most 32 characters, without a space."""
    epoch: int
    """Higher than those of all who led there before."""

    def named(self, application: str) -> str:
        """What its connections are called; PostgreSQL cuts names after 63 bytes."""
        return f"{application} {self.epoch} {self.pbx}"


def hosts_of(url: URL) -> list[URL]:
    """The URL of each host that it names, in order; one with a single host, or a folder of sockets, as it is.

    Raises:
        ValueError: there are more ports than one and not as many as hosts, or one is no number.
    """
    hosts, ports = _listed(url, "host"), _listed(url, "port")
    if len(hosts) < 2:
        return [url]
    if len(ports) not in (0, 1, len(hosts)):
        raise ValueError("it names several hosts, and another number of ports")
    rest = url.difference_update_query(["host", "port"])
    found = []
    for index, host in enumerate(hosts):
        name, _, own = host.partition(":")
        port = own or (ports[index] if len(ports) > 1 else ports[0] if ports else "")
        number = int(port) if port else url.port
        if name.startswith("/"):  # a folder of sockets, which stands nowhere else in a URL
            found.append(rest.set(port=None).update_query_dict({"host": name, "port": str(number or DEFAULT_PORT)}))
        else:
            found.append(rest.set(host=name, port=number))
    return found


def _listed(url: URL, name: str) -> list[str]:
    """What a parameter lists, commas or repetition between."""
    value = url.query.get(name, ())
    texts = [value] if isinstance(value, str) else list(value)
    return [one for text in texts for one in text.split(",") if one]


class Connector:
    """Makes asyncpg connections to one database, wherever it is served now."""

    def __init__(self, url: URL, leader: Leader | None = None) -> None:
        """`leader`: whose connections they are; None: of somebody whom nobody follows."""
        self._hosts = hosts_of(url)
        self._leader = leader

    async def connect(self, application: str, statement_seconds: float | None) -> Any:
        """A connection on which the server cuts off each statement after so many seconds; None: it does not.

        Raises:
            OSError: no host answers, or none of several takes writes, or another engine leads where we did.
            asyncpg.PostgresError: the last one that was asked answers, and does not let us in.
        """
        failure: Exception = ConnectionError("no host is named")
        for index, url in enumerate(self._hosts):
            try:
                connection = await self._connect(url, application, statement_seconds)
            except (asyncpg.PostgresError, *GONE) as error:
                failure = error
            else:
                if index:
                    self._hosts.insert(0, self._hosts.pop(index))
                return connection
        raise failure

    async def _connect(self, url: URL, application: str, statement_seconds: float | None) -> Any:
        several = len(self._hosts) > 1
        seconds = HOST_SECONDS if several else CONNECT_SECONDS
        host = url.host or url.query.get("host", "the server")
        name = self._leader.named(application) if self._leader else application
        settings = {"application_name": name, "timezone": "UTC"}
        if statement_seconds is not None:
            settings["statement_timeout"] = str(int(statement_seconds * 1000))
        try:
            connection = await asyncpg.connect(
                dsn=url.render_as_string(hide_password=False),
                timeout=seconds,
                command_timeout=None if statement_seconds is None else statement_seconds + PATIENCE_SECONDS,
                server_settings=settings,
                **({"target_session_attrs": "read-write"} if several else {}),
            )
        except TimeoutError as error:
            raise TimeoutError(f"{host} does not let us in within {seconds:g} s") from error
        except asyncpg.TargetServerAttributeNotMatched as error:
            raise ConnectionError(f"{host} takes no writes") from error
        if self._leader is not None:
            await _take_the_lead(connection, self._leader, seconds)
        return connection


async def _take_the_lead(connection: asyncpg.Connection, leader: Leader, seconds: float) -> None:
    """End the connections of engines that led before.

    Raises:
        ConnectionError: another engine has followed this one.
    """
    try:
        found = await connection.fetchrow(_END_THOSE_BEFORE, leader.epoch, leader.pbx, timeout=seconds)
    except BaseException:
        drop(connection)
        raise
    if found["is_followed"]:
        drop(connection)
        raise ConnectionError("another engine leads at this PBX by now")
    if found["ended"]:
        log.info("the connections of an engine that led before were ended at PostgreSQL", connections=found["ended"])


def drop(connection: Any) -> None:
    """End a connection, whatever state it is in; whoever waits on it hears so now."""
    with suppress(asyncpg.InterfaceError):  # gone already
        connection.terminate()

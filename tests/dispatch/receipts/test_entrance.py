"""Where the mail server hands us what came back: over LMTP, with a real PostgreSQL, and without it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import update
from sqlalchemy.engine import make_url
from structlog.testing import capture_logs

from callrouter.dispatch.receipts import entrance
from callrouter.dispatch.receipts.entrance import MOST_BYTES, MOST_CONNECTIONS, listen_for_reports
from callrouter.dispatch.receipts.noting import Reports, Taken
from callrouter.runtime.tasks import Tasks
from callrouter.store.database import Database
from callrouter.store.dispatch.replies import hash_of_reply
from callrouter.store.tables import deliveries
from tests.dispatch.rooms import Clock
from tests.patience import ANSWER_SECONDS
from tests.store.dispatch.rows import after, stand, states, take, tell, told
from tests.store.test_database_vanishes import line_to, over

from .answers import CODE, plain
from .bounces import DOMAIN, EXCHANGE, ID, OUT_OF_OFFICE, report

NOT_NOW = "451 4.3.0 not now: bring it again"


@dataclass
class Server:
    """A mail server's side of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def hears(self) -> str:
        """One answer, its last line."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while (line := (await self.reader.readline()).decode().rstrip())[3:4] == "-":
                pass
        return line

    async def says(self, line: str) -> str:
        """A command, and the answer."""
        self.writer.write(f"{line}\r\n".encode())
        return await self.hears()

    async def hands_over(self, content: bytes, sender: str = "") -> str:
        """A mail, and what is said to it."""
        assert (await self.says(f"MAIL FROM:<{sender}>")).startswith("250")
        assert (await self.says(f"RCPT TO:<messages@{DOMAIN}>")).startswith("250")
        assert (await self.says("DATA")).startswith("354")
        self.writer.write(content.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n")
        return await self.hears()


@dataclass
class Door:
    """The worker's entrance."""

    port: int
    servers: list[Server] = field(default_factory=list)

    async def connect(self) -> Server:
        """A connection that nothing was said on."""
        server = Server(*await asyncio.open_connection("127.0.0.1", self.port))
        self.servers.append(server)
        return server

    async def greeted(self) -> Server:
        """One that may be used."""
        server = await self.connect()
        assert (await server.hears()).startswith("220")
        assert (await server.says("LHLO mail.example")).startswith("250")
        return server


@asynccontextmanager
async def door(take_: Callable[[bytes, str], Awaitable[Taken]]) -> AsyncIterator[Door]:
    """It, until the worker stops."""
    listening = socket.create_server(("127.0.0.1", 0))
    tasks = Tasks()
    tasks.start(listen_for_reports(listening, take_), "reports")
    opened = Door(listening.getsockname()[1])
    try:
        yield opened
    finally:
        await tasks.stop()
        for server in opened.servers:
            server.writer.close()


def reports(database: Database, patience_seconds: float = 0.0) -> Callable[[bytes, str], Awaitable[Taken]]:
    return Reports(database, Clock(), DOMAIN, patience_seconds=patience_seconds).take


async def test_a_report_is_taken_as_often_as_it_comes(database: Database) -> None:
    message = await take(database)
    await tell(database, message, delivery_id=ID)
    async with door(reports(database)) as opened:
        server = await opened.greeted()
        said = [await server.hands_over(EXCHANGE) for _ in range(3)]
        said.append(await (await opened.greeted()).hands_over(EXCHANGE))

    assert said == ["250 2.0.0 taken"] * 4
    assert await states(database, message) == ["failed"]


@pytest.mark.parametrize(
    "content",
    [b"", b".", b"\0\xff" * 500, b"Message-ID: <odd@x>\r\n" + b"boundary=" * 1_000, OUT_OF_OFFICE, EXCHANGE],
    ids=["empty", "dot", "bytes", "too-many-parts", "auto-reply", "unknown"],
)
async def test_what_cannot_be_used_is_taken_and_said_once(database: Database, content: bytes) -> None:
    """A mail server that brought it again and again would be of no use to anybody."""
    async with door(reports(database)) as opened:
        server = await opened.greeted()
        with capture_logs() as logged:
            assert await server.hands_over(content) == "250 2.0.0 taken"

    [line] = logged
    assert "exc_info" not in line
    assert line["log_level"] in ("info", "warning")


async def test_postgresql_is_away_and_the_mail_server_comes_again(database: Database) -> None:
    nowhere = Database(make_url("postgresql://nobody@127.0.0.1:1/nothing"))
    async with door(reports(nowhere)) as opened:
        server = await opened.greeted()
        with capture_logs() as logged:
            said = [await server.hands_over(EXCHANGE) for _ in range(3)]
    await nowhere.close()

    assert said == [NOT_NOW] * 3
    assert [line["event"] for line in logged] == ["reports on mail wait: PostgreSQL is away"]


async def test_a_telling_that_is_not_written_down_yet_is_waited_for(database: Database) -> None:
    """Reports come as fast as mail: the worker may not have said yet that it was sent."""
    message = await take(database)
    await tell(database, message, "sending", delivery_id=ID)
    async with door(reports(database)) as opened:
        assert await (await opened.greeted()).hands_over(EXCHANGE) == NOT_NOW
    async with door(reports(database, patience_seconds=ANSWER_SECONDS)) as opened:
        server = await opened.greeted()
        tasks = Tasks()
        tasks.start(_accepted(database), "worker")
        assert await server.hands_over(EXCHANGE) == "250 2.0.0 taken"
        await tasks.stop()

    assert await states(database, message) == ["failed"]


async def _accepted(database: Database) -> None:
    from sqlalchemy import text

    await asyncio.sleep(0.1)
    async with database.connection() as connection:
        await connection.execute(text("UPDATE deliveries SET state = 'accepted', sending_until = NULL"))


async def test_a_connection_that_is_cut_brings_nothing(database: Database) -> None:
    """In the middle of a mail, also where a report would be whole by then."""
    message = await take(database)
    await tell(database, message, delivery_id=ID)
    async with door(reports(database)) as opened:
        for cut in (1, len(EXCHANGE) // 2, len(EXCHANGE)):
            server = await opened.greeted()
            for line in ("MAIL FROM:<>", f"RCPT TO:<messages@{DOMAIN}>", "DATA"):
                await server.says(line)
            server.writer.write(EXCHANGE[:cut])
            await server.writer.drain()
            server.writer.transport.abort()
        assert await states(database, message) == ["accepted"]
        assert await (await opened.greeted()).hands_over(EXCHANGE) == "250 2.0.0 taken"


async def test_a_fault_of_ours_loses_no_report() -> None:
    async def fails(_content: bytes, _sender: str) -> Taken:
        raise RuntimeError("a fault")

    async with door(fails) as opened:
        with capture_logs() as logged:
            assert await (await opened.greeted()).hands_over(EXCHANGE) == NOT_NOW
    assert len(logged) == 1


async def done(_content: bytes, _sender: str) -> Taken:
    return Taken.DONE


async def test_one_recipient_at_a_time() -> None:
    async with door(done) as opened:
        server = await opened.greeted()
        await server.says("MAIL FROM:<>")
        await server.says(f"RCPT TO:<messages@{DOMAIN}>")

        assert (await server.says(f"RCPT TO:<other@{DOMAIN}>")).startswith("452")


async def test_no_more_than_so_many_bytes() -> None:
    async with door(done) as opened:
        server = await opened.greeted()
        assert (await server.says(f"MAIL FROM:<> SIZE={MOST_BYTES + 1}")).startswith("552")
        assert (await server.hands_over((b"x" * 998 + b"\r\n") * (MOST_BYTES // 1_000 + 1))).startswith("552")
        assert (await server.hands_over(b"x" * 200_000)).startswith("500")
        assert await server.hands_over(report("failed", "5.0.0", "smtp; no")) == "250 2.0.0 taken"


async def test_no_more_than_so_many_connections() -> None:
    async with door(done) as opened:
        first, *_ = [await opened.greeted() for _ in range(MOST_CONNECTIONS)]
        refused = await opened.connect()
        assert (await refused.hears()).startswith("421")
        assert await refused.hears() == ""

        assert await first.says("QUIT") == "221 Bye"
        await first.reader.read()
        assert await (await opened.greeted()).hands_over(EXCHANGE) == "250 2.0.0 taken"


async def test_whoever_says_nothing_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrance, "TIMEOUT_SECONDS", 0.2)
    async with door(done) as opened:
        server = await opened.greeted()
        assert await server.hears() == ""


@pytest.mark.parametrize(
    "line", ["\xff\xff", "NOTHING", "RCPT TO:<a@b>", "MAIL FROM:", "EHLO x", "AUTH PLAIN =", "DATA"]
)
async def test_what_is_not_understood_is_refused_without_a_word_in_the_log(line: str) -> None:
    async with door(done) as opened:
        server = await opened.greeted()
        with capture_logs() as logged:
            assert (await server.says(line))[0] == "5"

        assert logged == []
        assert await server.hands_over(EXCHANGE) == "250 2.0.0 taken"


@pytest.mark.parametrize("says", [b"UPDATE 1\x00", b"COMMIT\x00"], ids=["before", "after"])
async def test_postgresql_is_lost_in_the_middle_and_it_is_written_down_once(database: Database, says: bytes) -> None:
    """Just before the commit, and just after, when its answer never comes: the mail server brings it again."""
    message = await take(database)
    await stand(database, message, "running", step=1, begun_at=after(0))
    await tell(database, message, delivery_id=ID)
    cut: list[bytes] = []
    async with line_to(database.url) as line:

        def through(said: bytes) -> bytes:
            if says in said and not cut:
                cut.append(said)
                line.cut()
            return said

        far = Database(make_url(over(line, database.url)))
        async with door(reports(far)) as opened:
            server = await opened.greeted()
            line.through = through
            assert await server.hands_over(EXCHANGE) == NOT_NOW
            line.heal()
            assert await server.hands_over(EXCHANGE) == "250 2.0.0 taken"
        await far.close()

    assert cut
    assert await states(database, message) == ["failed"]
    assert await told(database, message) == ["failed doctor"]


async def test_an_answer_takes_the_message_on_as_often_as_it_comes(database: Database) -> None:
    """Over LMTP, as any mail that comes back; while PostgreSQL is away it is to come again."""
    message = await take(database)
    address = "mailto:moreau@clinic.example"
    await tell(database, message, delivery_id=ID, attempts=1, address=address, queued_at=Clock().now())
    async with database.connection() as connection:
        await connection.execute(update(deliveries).values(reply_hash=hash_of_reply(ID, CODE)))
    answer, automatic = plain(f"{CODE}\nmerci\n"), plain(f"{CODE}\n", more="Auto-Submitted: auto-replied\n")
    nowhere = Database(make_url("postgresql://nobody@127.0.0.1:1/nothing"))

    async with door(reports(nowhere)) as opened:
        away = await (await opened.greeted()).hands_over(answer, "moreau@clinic.example")
    async with door(reports(database)) as opened:
        server = await opened.greeted()
        first = await server.hands_over(automatic, "moreau@clinic.example")
        before = await states(database, message)
        said = [await server.hands_over(answer, "moreau@clinic.example") for _ in range(3)]
    await nowhere.close()

    assert (away, first, said) == (NOT_NOW, "250 2.0.0 taken", ["250 2.0.0 taken"] * 3)
    assert (before, await states(database, message)) == (["accepted"], ["acknowledged"])
    assert await told(database, message) == ["replied doctor", "acknowledged doctor"]

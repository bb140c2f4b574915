"""Mail that comes back, by LMTP: mutated reports, mails of nobody's, and connections that break every rule.

The law: whatever comes, it is read in bounded time, and says nothing or something short of one telling of ours; the
next connection is served, and nothing is logged as a fault.
"""

from __future__ import annotations

import asyncio
import re
import socket
import time
from contextlib import suppress
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from callrouter.dispatch.receipts.entrance import listen_for_reports
from callrouter.dispatch.receipts.noting import Taken
from callrouter.dispatch.receipts.parts import LOOKED_AT_BYTES, Mail
from callrouter.dispatch.receipts.reading import LONGEST, read
from callrouter.errors import MailUnreadable
from callrouter.runtime.tasks import Tasks
from tests.dispatch.receipts import bounces
from tests.dispatch.receipts.bounces import DOMAIN, ID
from tests.fuzz.edge import nothing_fails
from tests.fuzz.tally import Draw, cases, count
from tests.patience import ANSWER_SECONDS

READ_SECONDS: Final = 10.0
"""Of a processor's time, for one mail: some are made to be slow, and a hundred would be no more than a mail server's
patience."""
GENUINE: Final = [
    *(bounces.EXCHANGE, bounces.GMAIL, bounces.QMAIL, bounces.EXIM, bounces.EXIM_DELAYED, bounces.OLD_EXCHANGE),
    *(bounces.FRENCH, bounces.OUT_OF_OFFICE, bounces.VACATION, bounces.PERSON, bounces.FORWARDED),
    *(bounces.READ_RECEIPT, bounces.OF_ANOTHER),
    bounces.report("delivered", "2.0.0", "x-unix; delivered", envelope_id=ID),
    bounces.report("relayed", "2.0.0", "smtp; 250 taken", envelope_id=ID),
]
LINES: Final = sorted({line for mail in GENUINE for line in mail.split(b"\r\n")})
HOSTILE: Final = [
    b"Content-Type: multipart/report; boundary=",
    b'Content-Type: multipart/mixed; boundary="' + b"b" * 5_000 + b'"',
    b"Content-Type: message/delivery-status",
    b"Content-Type: message/rfc822\r\n",
    b"Content-Type: text/plain; charset=\xff\xfe; charset*0*=utf-8''%ff; charset*1=x",
    b"Content-Type: text/plain; charset=rot13",
    b"Content-Type: text/html; charset=utf-7",
    b"Content-Type: ;;;=",
    b"Content-Transfer-Encoding: base64\r\n\r\n=\xff==A",
    b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 666 \xff\r\nM",
    b"Subject: =?utf-8?b?\xff?= =?nothing?q?=ZZ?= =?utf-8?q?=00?=",
    b"Message-ID: <" + b"<" * 3_000 + b"@answering.example>",
    b"Original-Envelope-Id: +00+0A+FFabc",
    b"Original-Envelope-Id: " + b"+41" * 5_000,
    b"Diagnostic-Code: smtp; \x1b[31m\xe2\x80\xae\r\n 550 " + b"5.1.1 " * 500,
    b"Status: " + b"5." * 5_000,
    b"Action: \x00failed",
    b"References: " + b"<a@answering.example> " * 500,
    b"\x00",
    b" folded",
    b":",
    b"--b1",
    b"--b1--",
    b"." * 900,
]
one_line = st.sampled_from(LINES) | st.sampled_from(HOSTILE) | st.binary(max_size=60)


@st.composite
def mails(draw: st.DrawFn) -> bytes:
    """A genuine one with lines dropped, doubled, moved, forged, bits flipped, or cut; or nothing of the kind."""
    lines = draw(st.sampled_from(GENUINE)).split(b"\r\n") if draw(st.integers(0, 9)) else draw(st.lists(one_line))
    for _ in range(draw(st.integers(0, 6))):
        lines = _mutate(draw, lines)
    mail = b"\r\n".join(lines) * draw(st.sampled_from([1, 1, 1, 1, 2, 50]))
    return mail[: draw(st.sampled_from([len(mail)] * 5 + [len(mail) // 2]))]


def _mutate(draw: Draw, lines: list[bytes]) -> list[bytes]:
    if not lines:
        return [draw(one_line)]
    at = draw(st.integers(0, len(lines) - 1))
    match draw(st.sampled_from(["drop", "double", "move", "line", "line", "line", "flip", "swap"])):
        case "drop":
            return [*lines[:at], *lines[at + 1 :]]
        case "double":
            return [*lines[: at + 1], *lines[at:]]
        case "move":
            there = draw(st.integers(0, len(lines) - 1))
            rest = [*lines[:at], *lines[at + 1 :]]
            return [*rest[:there], lines[at], *rest[there:]]
        case "flip" if lines[at]:
            line = bytearray(lines[at])
            line[draw(st.integers(0, len(line) - 1))] = draw(st.integers(0, 255))
            return [*lines[:at], bytes(line), *lines[at + 1 :]]
        case "swap":
            return [*lines[:at], draw(one_line), *lines[at + 1 :]]
        case _:
            return [*lines[:at], draw(one_line), *lines[at:]]


@cases(200, 0.05)
@given(mails(), st.sampled_from(["", "doctor@clinic.example", "MAILER-DAEMON"]))
def test_a_mail_says_nothing_or_something_short(mail: bytes, sender: str) -> None:
    count("reports: mails")
    began = time.thread_time()
    try:
        found = read(Mail(mail), sender, DOMAIN)
    except MailUnreadable:
        found = None
    assert time.thread_time() - began <= READ_SECONDS
    if found is not None:
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", found.delivery_id)
        assert len(found.said) <= LONGEST
        assert not set(found.said) & set("\r\n\0\x1b")
        found.said.encode()


SLOW: Final = [
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * (LOOKED_AT_BYTES // 7),
    b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
    + b"a:\r\n\r\n" * (LOOKED_AT_BYTES // 6),
    b"Subject: failure notice\r\n\r\n" + b"<" * LOOKED_AT_BYTES,
    b"Subject: failure notice\r\n\r\n" + b"Message-ID:    " * (LOOKED_AT_BYTES // 15),
    b"Subject: failure notice\r\n\r\n" + b"1.1.1." * (LOOKED_AT_BYTES // 6),
    b"Subject: failure notice\r\n\r\n" + b" \t" * (LOOKED_AT_BYTES // 2),
    b"Subject: " + b"mail delivery " * (LOOKED_AT_BYTES // 14) + b"\r\n\r\n",
    b"Subject: " + b"=?utf-8?q?a?= " * (LOOKED_AT_BYTES // 14) + b"\r\n\r\n",
    b"Content-Type: text/plain" + b"; a*0*=b" * (LOOKED_AT_BYTES // 8) + b"\r\n\r\n",
    b"Content-Type: text/html\r\nSubject: failure notice\r\n\r\n" + b"<a " * (LOOKED_AT_BYTES // 3),
    b"a: b\r\n" * (LOOKED_AT_BYTES // 6),
]
"""Made to be slow to read, each by another part of a reader."""


def test_no_mail_is_slow_to_read() -> None:
    for mail in SLOW:
        count("reports: slow mails")
        began = time.thread_time()
        with suppress(MailUnreadable):
            read(Mail(mail), "", DOMAIN)
        assert time.thread_time() - began <= READ_SECONDS, mail[:60]


command = (
    st.sampled_from(
        [
            *(b"LHLO x", b"LHLO", b"EHLO x", b"HELO x", b"MAIL FROM:<>", b"MAIL FROM:<a@b> SIZE=9", b"MAIL FROM:<a"),
            *(b"MAIL FROM:<> SIZE=99999999999", b"MAIL FROM:<> BODY=8BITMIME SMTPUTF8", b"RCPT TO:<m@x>", b"RCPT TO:"),
            *(b"RCPT TO:<" + b"x" * 5_000 + b">", b"DATA", b"DATA now", b".", b"..", b"RSET", b"NOOP", b"VRFY x"),
            *(b"HELP", b"EXPN x", b"AUTH PLAIN AAAA", b"AUTH LOGIN", b"STARTTLS", b"XFORWARD NAME=x", b"BDAT 5 LAST"),
            *(b"QUIT", b"", b" ", b"\x00", b"\xff" * 20, b"x" * 70_000, b"MAIL FROM:<\xc3\xa9@x>"),
        ]
    )
    | st.binary(max_size=40)
    | mails()
)
ends = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b""])


@cases(6, 0.001)
@given(st.lists(st.lists(st.tuples(command, ends), max_size=12), min_size=10, max_size=10))
async def test_whatever_is_said_the_next_one_is_served(talks: list[list[tuple[bytes, bytes]]]) -> None:
    taken: list[bytes] = []

    async def take(content: bytes, _sender: str) -> Taken:
        taken.append(content)
        return Taken.DONE

    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    tasks = Tasks()
    with nothing_fails():
        tasks.start(listen_for_reports(listening, take), "reports")
        try:
            for talk in talks:
                count("reports: connections")
                judge(await _said_to(port, b"".join(line + end for line, end in talk)))
            whole = b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<m@x>\r\nDATA\r\n" + bounces.QMAIL + b"\r\n.\r\nQUIT\r\n"
            answers = judge(await _said_to(port, whole))
            assert answers[-2:] == [b"250 2.0.0 taken", b"221 Bye"]
            assert taken[-1].startswith(bounces.QMAIL)
        finally:
            await tasks.stop()


def judge(answered: bytes) -> list[bytes]:
    """Lines, each with a status; of those that do not go on."""
    lines = answered.split(b"\r\n")
    assert all(re.match(rb"[2345][0-9][0-9][ -]", line) for line in lines if line), answered
    return [line for line in lines if line and line[3:4] == b" "]


async def _said_to(port: int, said: bytes) -> bytes:
    """All that is answered, until the other side hangs up or has nothing more to say."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(said)
        async with asyncio.timeout(ANSWER_SECONDS):
            with suppress(ConnectionError):
                await writer.drain()
                if b"QUIT\r\n" in said[-6:]:
                    return await reader.read()
        # Half of what is said leaves the other side waiting for more.
        heard = b""
        with suppress(TimeoutError, ConnectionError):
            while True:
                async with asyncio.timeout(0.05):
                    piece = await reader.read(65_536)
                if not piece:
                    break
                heard += piece
        return heard
    finally:
        writer.transport.abort()

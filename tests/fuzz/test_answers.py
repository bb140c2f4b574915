"""Answers to mail and SMS: mutated, forged, and made to be slow.

The law: whatever comes, it is read in bounded time, and is somebody's few words, or nobody's; what it does to a message
is what its first own word says. Of SMS the same, over HTTP: nothing is a fault of ours, and no sign rules a screen.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from callrouter.api.replies import Answered, reply_of
from callrouter.dispatch.receipts.answers import LONGEST, answer_in
from callrouter.dispatch.receipts.parts import LOOKED_AT_BYTES, Mail
from callrouter.errors import MailUnreadable
from callrouter.store.dispatch.replies import CODE_SIGNS, code_in
from tests.dispatch.receipts import answers
from tests.dispatch.receipts.answers import AUTOMATIC, CODE
from tests.dispatch.receipts.bounces import DOMAIN
from tests.fuzz.tally import Draw, cases, count

READ_SECONDS: Final = 10.0
"""Of a processor's time, for one mail."""
_A_CODE: Final = re.compile(f"[{CODE_SIGNS}]{{5}}")
GENUINE: Final = [
    *answers.answers(CODE).values(),
    *answers.answers("Je ne peux pas").values(),
    *(answers.plain(CODE, more=header) for header in AUTOMATIC.values()),
]
LINES: Final = sorted({line for mail in GENUINE for line in mail.split(b"\r\n") if len(line) < 500})
HOSTILE: Final = [
    b"From: =?utf-8?b?\xff?= <" + b"<" * 3_000,
    b"From: a@b, c@d, e@f" * 200,
    b'From: "a\x00@b" <\x1b[31m@x>',
    b"In-Reply-To: " + b"<a@answering.example> " * 500,
    b"Auto-Submitted: no; x=" + b";" * 5_000,
    b"<!--",
    b"-->",
    b"<style>",
    b"</div></blockquote></body>",
    b"<blockquote><blockquote><div class=gmail_quote>",
    b"<hr><hr/><br/><p",
    b"> > > " + CODE.encode(),
    b"De :",
    b"Le lun. 1 janv. a " + b"\xc3\xa9crit " * 100 + b":",
    b"&#0;&#x110000;&#xd800;&nosuch;",
    b"\xe2\x80\xae" + CODE.encode(),
    b"\x00",
]
one_line = st.sampled_from(LINES) | st.sampled_from(HOSTILE) | st.binary(max_size=60)


@st.composite
def mails(draw: st.DrawFn) -> bytes:
    """A genuine one with lines dropped, doubled, forged, bits flipped, or cut; or nothing of the kind."""
    lines = draw(st.sampled_from(GENUINE)).split(b"\r\n") if draw(st.integers(0, 9)) else draw(st.lists(one_line))
    for _ in range(draw(st.integers(0, 6))):
        lines = _mutated(draw, lines)
    mail = b"\r\n".join(lines)
    return mail[: draw(st.sampled_from([len(mail)] * 5 + [len(mail) // 2]))]


def _mutated(draw: Draw, lines: list[bytes]) -> list[bytes]:
    at = draw(st.integers(0, max(0, len(lines) - 1)))
    match draw(st.sampled_from(["drop", "double", "line", "line", "flip"])):
        case "drop":
            return [*lines[:at], *lines[at + 1 :]]
        case "double":
            return [*lines[: at + 1], *lines[at:]]
        case "flip" if lines and lines[at]:
            line = bytearray(lines[at])
            line[draw(st.integers(0, len(line) - 1))] = draw(st.integers(0, 255))
            return [*lines[:at], bytes(line), *lines[at + 1 :]]
        case _:
            return [*lines[:at], draw(one_line), *lines[at:]]


@cases(200, 0.05)
@given(mails(), st.sampled_from(["", "doctor@clinic.example", "x" * 300]))
def test_an_answer_is_somebodys_few_words_or_nobodys(content: bytes, sender: str) -> None:
    count("answers: mails")
    began = time.thread_time()
    found = None
    with suppress(MailUnreadable):
        found = answer_in(Mail(content), content, sender, DOMAIN)
    assert time.thread_time() - began <= READ_SECONDS
    if found is not None:
        assert len(found.said) <= LONGEST
        assert found.senders
        assert all(one.startswith("mailto:") and len(one) <= 270 and "\x00" not in one for one in found.senders)
        assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", one) for one in found.refers_to)
        assert len(found.refers_to) <= 20
        code = code_in(found.first_line)
        assert not code or _A_CODE.fullmatch(code)
        assert sender or found.automatic


SLOW: Final = [
    b"From: a@b.example\r\nContent-Type: text/html\r\n\r\n" + piece * (LOOKED_AT_BYTES // len(piece))
    for piece in (
        b"<",
        b"<!--",
        b"<style>",
        b"<style",
        b"<div ",
        b"</div>",
        b"&",
        b"<blockquote>",
        b"<a " + b"b" * 1_990,
    )
] + [
    b"From: a@b.example\r\n\r\n" + piece * (LOOKED_AT_BYTES // len(piece))
    for piece in (b">", b"\n", b"Le \n", b"Le a crit \n", b"From:\n", b"--", b"-- original message ", b"_", b"\xc2\xa0")
]
"""Made to be slow to read, each by another part of a reader."""


def test_no_answer_is_slow_to_read() -> None:
    for content in SLOW:
        count("answers: slow mails")
        began = time.thread_time()
        with suppress(MailUnreadable):
            answer_in(Mail(content), content, "a@b.example", DOMAIN)
        assert time.thread_time() - began <= READ_SECONDS, content[:80]


@cases(200, 0.05)
@given(
    st.text(max_size=60) | st.sampled_from(["+33639980001", "CRM", "+" * 5_000, "0" * 5_000, "tel:+33;x=1"]),
    st.text(max_size=200) | st.sampled_from([CODE, "\n" * 900, "x" * 60_000, "\x00\x1b[31m\u202e"]),
    st.integers() | st.text(max_size=50),
)
def test_an_sms_is_some_words_of_a_number(sender: str, text: str, id_: int | str) -> None:
    count("answers: SMS")
    found = reply_of(Answered(id=id_, sender=sender, text=text), "FR")

    assert re.fullmatch(r"sms:(\+[0-9]{5,15}|unknown|[0-9*#]{2,15})", found.senders[0])
    assert len(found.said) <= 2_000
    assert all(sign.isprintable() or sign == "\n" for sign in found.said)
    code = code_in(found.first_line)
    assert not code or _A_CODE.fullmatch(code)

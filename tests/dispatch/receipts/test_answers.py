"""What somebody wrote who answered a mail, whichever program they wrote it with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.core.dispatch import Means
from callrouter.dispatch.receipts.answers import answer_in, is_automatic, own_words
from callrouter.dispatch.receipts.parts import Mail
from callrouter.store.dispatch.replies import Reply, code_in

from . import answers
from .answers import AUTOMATIC, CODE, OURS, html, plain
from .bounces import DOMAIN, ID

SENDER = "moreau@clinic.example"


def said(content: bytes) -> str:
    return own_words(Mail(content))


def reply(content: bytes, sender: str = SENDER) -> Reply:
    found = answer_in(Mail(content), content, sender, DOMAIN)
    assert found is not None
    return found


@pytest.mark.parametrize("program", answers.answers(CODE))
def test_the_code_is_found_whichever_program_wrote_it(program: str) -> None:
    found = reply(answers.answers(CODE)[program])

    assert code_in(found.first_line) == CODE
    assert found.refers_to == (ID,)
    assert found.means is Means.EMAIL
    assert found.senders == (f"mailto:{SENDER}",)
    assert not found.automatic


@pytest.mark.parametrize("program", answers.answers(CODE))
@pytest.mark.parametrize("words", ["Je ne peux pas, voyez le Dr Noir", ""])
def test_what_is_quoted_is_no_code(program: str, words: str) -> None:
    """Though it stands there, in each of them, and at the beginning of a line."""
    found = reply(answers.answers(words)[program])

    assert code_in(found.first_line) == ""
    assert CODE not in found.said
    assert found.said.startswith(words)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (CODE, CODE),
        (f"  {CODE.lower()} ", CODE),
        (f"« {CODE} »", ""),
        (f'"{CODE}".', CODE),
        (f"{CODE}, merci", CODE),
        ("\u200bK7\u00adM3P", CODE),
        ("Ｋ７Ｍ３Ｐ", CODE),
        (f"*{CODE}*", CODE),
        ("merci", ""),
        ("ok K7M3P", ""),
        ("K7M3P2", ""),
        ("K7M3", ""),
        ("K7M3O", ""),
        ("", ""),
        ("\ud800", ""),
    ],
)
def test_the_first_word_of_a_line(line: str, code: str) -> None:
    """Nothing else, however it is written and whatever a program puts around it; no word of a language is one."""
    assert code_in(line) == code


@pytest.mark.parametrize("header", AUTOMATIC.values(), ids=AUTOMATIC)
def test_what_a_machine_wrote(header: str) -> None:
    """It acknowledges nothing, though it begins with the code."""
    content = plain(f"{CODE}\n", more=header)
    if header.startswith("Subject"):
        content = content.replace(b"Subject: =?utf-8?Q?Re=3A_Cabinet?=\r\n", b"")

    assert reply(content).automatic


def test_what_no_person_sends() -> None:
    """Without an envelope's sender, as reports go; or from an address that says so itself."""
    assert reply(plain(CODE), "").automatic
    assert reply(plain(CODE, sender="no-reply@clinic.example"), "no-reply@clinic.example").automatic
    assert not is_automatic(Mail(plain(CODE, more="Auto-Submitted: no\n")), SENDER)


def test_an_attachment_is_no_text_of_theirs() -> None:
    content = (
        b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n"
        b"Content-Disposition: attachment; filename=x.txt\r\n\r\nK7M3P\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nnon\r\n--b--"
    )

    assert said(content) == "non"


def test_answers_without_a_sender_are_nobodys() -> None:
    assert answer_in(Mail(b"Subject: x\r\n\r\nK7M3P"), b"", "", DOMAIN) is None


def test_it_is_known_again_by_its_id() -> None:
    one, two = plain(CODE), plain(CODE).replace(b"In-Reply-To", b"X-Other")

    assert reply(one).id == reply(two).id
    assert reply(b"From: a@b.example\r\n\r\n1").id != reply(b"From: a@b.example\r\n\r\n2").id


def test_our_own_mail_never_begins_a_line_with_its_code() -> None:
    """A program that breaks lines where it quotes them makes new ones: the code stands before any such place."""
    place = next(line for line in OURS.splitlines() if CODE in line).index(CODE)

    assert 0 < place < 45


@given(st.text(alphabet="<>/a! -\n&;:blockquotedivhr=\"'", max_size=400), st.booleans())
def test_whatever_html(page: str, closed: bool) -> None:
    """It is text, bounded, and never a fault."""
    text = said(html(page + ("</blockquote></div>" if closed else "")))

    assert "<div" not in text or len(text) <= 2_000


def test_html_that_never_ends_is_read_in_no_time() -> None:
    """A quarter of a megabyte of what readers of HTML are slow at."""
    for part in ("<!--", "<style", "<style>", "<blockquote>", "<", "<div class=", "&#", "<hr>", "De :\n"):
        assert len(said(html(part * (250_000 // len(part))))) <= 2_000
        assert len(said(plain(part * (250_000 // len(part))))) <= 2_000

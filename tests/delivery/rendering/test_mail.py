"""Mail as whoever receives it reads it."""

from __future__ import annotations

import os
import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from hypothesis import given

from callrouter.core.dispatch import Means
from callrouter.delivery.parcel import Parcel
from callrouter.delivery.rendering import people, recordings, telephone
from callrouter.delivery.rendering.letter import subject_of
from callrouter.delivery.rendering.words import WORDS, Words, words_in
from tests.delivery.rendering.parcels import (
    LINK,
    NOTICE,
    PARCEL,
    PARCELS,
    SECRETS,
    SENDER,
    parcel,
    spoken,
    told,
    written,
)

HEADERS = {"from", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type"}


def read(one: Parcel) -> EmailMessage:
    """As a mail program has it."""
    made = message_from_bytes(written(Means.EMAIL, one).encode("ascii"), policy=policy.default)
    assert isinstance(made, EmailMessage)
    return made


def plain(one: Parcel) -> str:
    body = read(one).get_body(("plain",))
    assert isinstance(body, EmailMessage)
    return str(body.get_content()).replace("\r\n", "\n")


def html(one: Parcel) -> str:
    body = read(one).get_body(("html",))
    assert isinstance(body, EmailMessage)
    return str(body.get_content())


def sender_of(raw: str) -> tuple[str, str]:
    """Name and address; the newer reader of Python puts a space between two encoded words of a name."""
    name, address = parseaddr(message_from_bytes(raw.encode())["From"])
    return str(make_header(decode_header(name))), address


def words_of(text: str) -> list[str]:
    """Without lines below headings."""
    return [word for word in text.split() if set(word) != {"-"}]


class Page(HTMLParser):
    """What a browser makes of it: text, and what is more than text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: set[str] = set()
        self.leads_to: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {"href", "lang", "charset"}
        self.leads_to += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_example() -> None:
    made = read(parcel(told(urgent=True)))

    assert made["From"] == f"Cabinet du Dr Moreau <{SENDER}>"
    assert made["Subject"] == "URGENT – Cabinet du Dr Moreau: message from Jeanne Martin, 14:05"
    assert made["Message-ID"] == f"<{PARCEL.delivery_id}@answering.example>"
    assert made["Date"] == "Mon, 30 Nov 2026 14:05:09 +0100"
    assert made["Auto-Submitted"] == "auto-generated"
    assert made["Importance"] == "high"
    assert plain(parcel(told(urgent=True))).split("\n\n") == [
        "URGENT – Cabinet du Dr Moreau: message from Jeanne Martin, 14:05\n" + "-" * 64,
        "For Dr Moreau",
        "Monday 30 November 2026, 14:05 – URGENT\n" + "-" * 39,
        "Caller: Jeanne Martin, 06 12 34 00 01\nDate of birth: 1950-04-05",
        "Forte fièvre <38,5>.\nRappelez vite.",
        f"Read it and take it on:\n{LINK}",
        f"{words_in('en').link_opens}\n",
    ]
    page = Page(html(PARCEL))
    assert page.leads_to == ["tel:+33612340001", LINK]
    assert "Forte fièvre <38,5>." in page.text


def test_in_french_and_in_a_language_that_nobody_has_translated() -> None:
    french = read(parcel(told(urgent=True), language="fr-FR"))

    assert french["Subject"] == "URGENT – Cabinet du Dr Moreau\u00a0: message de Jeanne Martin, 14:05"
    assert "lundi 30 novembre 2026, 14:05" in plain(parcel(language="fr"))
    assert read(parcel(language="tlh"))["Subject"] == read(PARCEL)["Subject"]
    assert [re.findall('lang="(.*)"', html(parcel(language=one))) for one in ("fr-CA", "tlh")] == [["fr"], ["en"]]


@pytest.mark.parametrize("language", WORDS)
def test_each_language_is_whole(language: str) -> None:
    """All days and months, and the same places to fill in as in English."""
    words, english = (msgspec.structs.asdict(words_in(one)) for one in (language, "en"))

    assert (len(words["weekdays"]), len(words["months"])) == (7, 12)
    for name in Words.__struct_fields__:
        assert words[name], name
        if isinstance(words[name], str):
            assert set(re.findall(r"{\w*}", words[name])) == set(re.findall(r"{\w*}", english[name])), name


def test_who_called_as_people_say_it() -> None:
    """By name, else by number, else not at all; numbers as they are written in the client's country."""
    for name, number, timezone, subject, line in (
        ("", "+33612340001", "Europe/Paris", "message from 06 12 34 00 01, 14:05", "Caller: 06 12 34 00 01"),
        ("", "", "Europe/Paris", "message of 14:05", "Caller: number withheld"),
        ("A", "+12025550123", "Europe/Paris", "message from A, 14:05", "Caller: A, +1 202-555-0123"),
        ("A", "+33612340001", "Europe/Brussels", "message from A, 14:05", "Caller: A, +33 6 12 34 00 01"),
        ("A", "+590690001234", "America/Guadeloupe", "message from A, 09:05", "Caller: A, 0690 00 12 34"),
        ("A", "3639", "UTC", "message from A, 13:05", "Caller: A, 3639"),
    ):
        one = parcel(told(caller_name=name, caller_number=number), timezone=timezone)
        assert str(read(one)["Subject"]).endswith(subject)
        assert line in plain(one).splitlines()


def test_several_messages_in_one() -> None:
    one = parcel(told(), told(urgent=True, caller_name="Paul", link=LINK[:-1] + "d"), told(caller_name="Zoé"))

    assert read(one)["Subject"] == "URGENT – Cabinet du Dr Moreau: 3 messages"
    assert [line for line in plain(one).splitlines() if line.startswith("https:")] == [LINK, LINK[:-1] + "d", LINK]
    assert plain(one).count("The link opens a page") == 1
    assert all(name in plain(one) for name in ("Jeanne Martin", "Paul", "Zoé"))


def test_what_is_confidential_stays_in_the_house(tmp_path: Path) -> None:
    """Of the message nothing but the link goes out, by no way and in no part of it."""
    (tmp_path / "m1.wav").write_bytes(b"RIFF")
    message = told(recording=spoken(tmp_path / "m1.wav"), urgent=True)
    for one in (parcel(message, confidential=True), parcel(message, message, confidential=True)):
        whole = (
            str(read(one)["Subject"]) + plain(one) + html(one) + written(Means.SMS, one) + written(Means.WEBHOOK, one)
        )
        assert [secret for secret in SECRETS if secret in whole] == []
        assert list(read(one).iter_attachments()) == []
        assert LINK in plain(one)
    assert read(parcel(confidential=True))["Subject"] == "Cabinet du Dr Moreau: a confidential message"


@given(PARCELS)
def test_whatever_is_confidential_stays_in_the_house(one: Parcel) -> None:
    """Each word of it is marked, and none of them goes out."""
    said = {
        "caller_name": "MARKED",
        "text": "MARKED",
        "fields": (("MARKED", "MARKED"),),
        "caller_number": "+33698765432",
        "transcript": "MARKED",
        "transcript_by": "MARKED",
    }
    messages = tuple(msgspec.structs.replace(message, **said) for message in one.messages)
    one = msgspec.structs.replace(one, confidential=True, messages=messages)
    spoken_ = telephone.of(one)
    sent = (written(means, one) for means in Means if means is not Means.PHONE)
    whole = "".join((read(one)["Subject"], plain(one), html(one), spoken_.greeting, spoken_.message, *sent))

    assert [secret for secret in ("MARKED", "698765432", "98 76 54 32") if secret in whole] == []


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("many", [1, 2])
def test_it_says_how_to_answer(language: str, many: int) -> None:
    """In the middle of a line that no program breaks before it, so that what is quoted never begins with the code."""
    one = parcel(*[told()] * many, reply_code="K7M3P", language=language)
    (line,) = (line for line in plain(one).splitlines() if "K7M3P" in line)

    assert 0 < line.index("K7M3P") < 45
    assert html(one).count("K7M3P") == 1
    assert "K7M3P" not in str(read(one)["Subject"])
    assert "K7M3P" not in plain(parcel(language=language))


def test_a_code_that_opens_a_message_says_nothing_of_it(tmp_path: Path) -> None:
    """Not even in its subject, which telephones show to whoever looks at them."""
    (tmp_path / "m1.wav").write_bytes(b"RIFF")
    message = told(recording=spoken(tmp_path / "m1.wav"), urgent=True, transcript="rappelez")
    one = parcel(message, kind="code", code="012345", confidential=True)
    whole = str(read(one)["Subject"]) + plain(one) + html(one)

    assert read(one)["Subject"] == "Cabinet du Dr Moreau: your code for the message of 14:05"
    assert ("Code: 012345" in plain(one), "for 10 minutes" in plain(one), "012345" in html(one)) == (True,) * 3
    assert [secret for secret in (*SECRETS, LINK, "URGENT", "rappelez") if secret in whole] == []
    assert list(read(one).iter_attachments()) == []


def test_what_a_machine_wrote_says_so() -> None:
    one = parcel(told(text="", transcript="rappelez <moi>", transcript_by="stt"))

    assert "As a machine understood it: rappelez <moi>\n\nWritten by a machine (stt), which may be wrong" in plain(one)
    assert "rappelez &lt;moi&gt;" in html(one)


def test_without_a_link_it_says_whom_to_ask() -> None:
    assert "Ask the answering service for it." in plain(parcel(told(link=""), confidential=True))
    assert "link" not in plain(parcel(told(link="")))


def test_a_notice_says_who_has_taken_it_on_and_nothing_of_the_message() -> None:
    assert read(NOTICE)["Subject"] == "Cabinet du Dr Moreau: Dr Petit has taken on the message of 14:05"
    assert f"Read it:\n{LINK}" in plain(NOTICE)
    assert "button" not in plain(NOTICE)
    assert [secret for secret in SECRETS if secret in plain(NOTICE) + html(NOTICE)] == []


def test_the_recording_goes_with_it(tmp_path: Path) -> None:
    (tmp_path / "m1.wav").write_bytes(b"RIFF" + os.urandom(1000))
    one = parcel(told(recording=spoken(tmp_path / "m1.wav"), seconds=65.4))
    [attached] = read(one).iter_attachments()

    assert isinstance(attached, EmailMessage)
    assert (attached.get_filename(), attached.get_content_type()) == ("m1.wav", "audio/wav")
    assert attached.get_content() == (tmp_path / "m1.wav").read_bytes()
    assert "Recording: 1:05, attached" in plain(one)


def test_a_recording_that_is_gone_or_too_large_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a folder, a pipe that nobody writes to, and a second one that has no room beside the first."""
    monkeypatch.setattr(recordings, "MOST_BYTES", 1000)
    for name, size in (("a", 600), ("b", 600), ("c", 1001)):
        (tmp_path / name).write_bytes(b"x" * size)
    os.mkfifo(tmp_path / "pipe")
    one = parcel(
        *(told(recording=spoken(tmp_path / name), seconds=5) for name in ("a", "b", "c", "pipe", "gone", "\0"))
    )

    assert [line for line in plain(one).splitlines() if line.startswith("Recording")] == [
        "Recording: 0:05, attached",
        "Recording: 0:05, too large to be attached",
        "Recording: 0:05, too large to be attached",
        *["Recording: 0:05, no longer there"] * 3,
    ]
    assert len(list(read(one).iter_attachments())) == 1


def test_a_foreign_kind_of_attachment_is_no_header(tmp_path: Path) -> None:
    (tmp_path / "m1.wav").write_bytes(b"RIFF")
    for name, kind in (("a\r\nX: 1.wav", "audio/wav\r\nX: 1"), ("é" * 300, "multipart/mixed"), ("", "")):
        recording = msgspec.structs.replace(spoken(tmp_path / "m1.wav"), name=name, content_type=kind)
        [attached] = read(parcel(told(recording=recording))).iter_attachments()
        assert isinstance(attached, EmailMessage)
        assert attached.get_content() == b"RIFF"
        assert attached["X"] is None


def test_the_largest_that_is_attached_passes_postfix() -> None:
    """As base64, with lines of 76."""
    assert recordings.MOST_BYTES * 4 / 3 * 78 / 76 + 100_000 < 10_240_000


@given(PARCELS)
def test_no_name_can_write_a_header_or_a_tag(one: Parcel) -> None:
    """Headers are those we made, each reads as what was meant; pages hold our tags only, and say what the text says."""
    raw = written(Means.EMAIL, one)
    made = read(one)
    page = Page(html(one))

    assert max(map(len, raw.split("\r\n"))) <= 998
    assert "\n" not in raw.replace("\r\n", "")
    assert "\r" not in raw.replace("\r\n", "")
    assert {name.lower() for name in made} - {"importance"} == HEADERS
    assert len(made.keys()) == len(set(made.keys()))
    assert not made.defects
    assert made["Subject"] == subject_of(one)[:400].strip()
    assert sender_of(raw) == (people.on_one_line(one.client_name)[:200].strip(), SENDER)
    assert re.fullmatch(r"<[!-;=?-~]+@answering\.example>", str(made["Message-ID"]))
    assert parsedate_to_datetime(str(made["Date"])) == one.messages[0].taken_at.replace(microsecond=0)
    assert page.tags <= {"html", "meta", "body", "h3", "p", "b", "br", "a"}
    links = [message.link for message in one.messages if message.link]
    assert [link for link in page.leads_to if not link.startswith("tel:")] == links
    assert [line for line in plain(one).splitlines() if line in links] == links or not links
    assert words_of(page.text) == words_of(plain(one))

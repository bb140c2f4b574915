"""Mail by a real Postfix: what arrives is what was meant, and reports come back under the delivery's id."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from callrouter.core.dispatch import Means
from callrouter.delivery.channel import Delivered, FailedForGood, Outcome, Tools
from callrouter.delivery.channels.mail import Mail
from callrouter.delivery.parcel import Parcel
from callrouter.delivery.rendering.recordings import MOST_BYTES
from callrouter.runtime.guarded_http import GuardedHttp
from tests.delivery.channels.mail_server import mail_server
from tests.delivery.channels.postfix import Postfix, postfix
from tests.delivery.channels.walking import delivery_to
from tests.delivery.rendering.parcels import LINK, parcel, spoken, told, written


@pytest.fixture(scope="module")
def server() -> Iterator[Postfix]:
    with postfix() as running:
        yield running


@asynccontextmanager
async def channel(server: Postfix) -> AsyncIterator[Mail]:
    made = Mail(Tools(http=GuardedHttp([], {}), mail=server.server))
    yield made
    await made.close()


async def send(mail: Mail, mailbox: str, one: Parcel) -> Outcome:
    body = await asyncio.to_thread(written, Means.EMAIL, one)
    return await mail.send(replace(delivery_to(f"mailto:{mailbox}", one.delivery_id), body=body))


async def test_what_arrives_is_what_was_meant_and_success_is_reported(server: Postfix, tmp_path: Path) -> None:
    """In a mailbox: `delivered`."""
    (tmp_path / "m1.wav").write_bytes(b"RIFF" * 1000)
    message = told(caller_name="Élodie Ça-Va, née \u202eX", text=".\n.hidden?\n" + "long " * 400, urgent=True,
                   recording=spoken(tmp_path / "m1.wav"), seconds=5)  # fmt: skip
    one = parcel(message, delivery_id="whole-1", client_name='Cabinet "Ô" & Fils')
    async with channel(server) as mail:
        outcome = await send(mail, "doctor@clinic.example", one)
    report = await asyncio.to_thread(server.report, "whole-1")
    [arrived] = [one for one in server.mails("doctor") if one["Message-ID"] == "<whole-1@answering.example>"]
    text = arrived.get_body(("plain",))
    [recording] = arrived.iter_attachments()

    assert isinstance(outcome, Delivered)
    assert outcome.answer.startswith("250 2.0.0 Ok: queued as ")
    assert outcome.receipt_id == "whole-1"
    assert (report["Action"], report["Status"]) == ("delivered", "2.0.0")
    assert report["Final-Recipient"] == "rfc822; doctor@clinic.example"
    assert arrived["To"] == "doctor@clinic.example"
    assert arrived["From"].addresses[0].display_name == 'Cabinet "Ô" & Fils'
    assert arrived["Subject"] == 'URGENT – Cabinet "Ô" & Fils: message from Élodie Ça-Va, née X, 14:05'
    assert isinstance(text, EmailMessage)
    assert "\n.\n.hidden?\nlong long" in text.get_content().replace("\r\n", "\n")
    assert LINK in text.get_content()
    assert isinstance(recording, EmailMessage)
    assert recording.get_content() == b"RIFF" * 1000


async def test_a_server_without_reports_behind_it_took_it(server: Postfix) -> None:
    """`relayed`: it has left our server, and nobody says more."""
    async with mail_server(port=server.elsewhere) as box, channel(server) as mail:
        outcome = await send(mail, "nurse@elsewhere.example", parcel(delivery_id="relayed-1"))
        report = await asyncio.to_thread(server.report, "relayed-1")

    assert isinstance(outcome, Delivered)
    assert (report["Action"], report["Status"]) == ("relayed", "2.0.0")
    assert len(box.received) == 1


async def test_what_is_refused_later_is_reported_as_failed(server: Postfix) -> None:
    """Our server had taken it."""
    async with mail_server(port=server.elsewhere), channel(server) as mail:
        outcome = await send(mail, "unknown@elsewhere.example", parcel(delivery_id="failed-1"))
        report = await asyncio.to_thread(server.report, "failed-1")

    assert isinstance(outcome, Delivered)
    assert (report["Action"], report["Status"]) == ("failed", "5.1.1")
    assert "no such user here" in report["Diagnostic-Code"]


async def test_whoever_has_no_mailbox_is_refused_at_once_and_the_next_one_told(server: Postfix) -> None:
    async with channel(server) as mail:
        refused = await send(mail, "nobody@clinic.example", parcel(delivery_id="refused-1"))
        told_on = await send(mail, "doctor@clinic.example", parcel(delivery_id="refused-2"))
    report = await asyncio.to_thread(server.report, "refused-2")

    assert isinstance(refused, FailedForGood)
    assert "refused it: 550 5.1.1" in refused.reason
    assert isinstance(told_on, Delivered)
    assert report["Action"] == "delivered"


async def test_the_longest_recording_passes_as_postfix_is_set_up_by_default(server: Postfix, tmp_path: Path) -> None:
    (tmp_path / "m1.wav").write_bytes(b"\xff" * MOST_BYTES)
    one = parcel(told(recording=spoken(tmp_path / "m1.wav"), seconds=437), delivery_id="long-1")
    async with channel(server) as mail:
        outcome = await send(mail, "doctor@clinic.example", one)
    report = await asyncio.to_thread(server.report, "long-1")

    assert isinstance(outcome, Delivered)
    assert report["Action"] == "delivered"


async def test_sent_twice_it_is_the_same_mail(server: Postfix) -> None:
    """By its Message-ID, so that mail programs and people can tell."""
    async with channel(server) as mail:
        for _ in range(2):
            assert isinstance(await send(mail, "doctor@clinic.example", parcel(delivery_id="twice-1")), Delivered)
    await asyncio.to_thread(server.report, "twice-1")

    assert {one["Message-ID"] for one in server.mails("doctor") if "twice" in one["Message-ID"]} == {
        "<twice-1@answering.example>"
    }

"""Mail by a real server: one connection for many, what it means when one breaks, and who may be trusted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import pytest

from callrouter.delivery.channel import Delivered, FailedForGood, FailedForNow, Outcome, Tools
from callrouter.delivery.channels import mail as under_test
from callrouter.delivery.channels.mail import Mail
from callrouter.delivery.mailing import connections
from callrouter.delivery.servers import MailServer, Security
from callrouter.runtime.guarded_http import GuardedHttp
from tests.delivery.channels.certificates import Authority
from tests.delivery.channels.mail_server import PASSWORD, MailBox, mail_server
from tests.delivery.channels.walking import delivery_to
from tests.patience import ANSWER_SECONDS

HTTP = GuardedHttp([], {})


def channel_to(server: MailServer | None, answer_seconds: float = under_test.ANSWER_SECONDS) -> Mail:
    return Mail(Tools(http=HTTP, mail=server), answer_seconds=answer_seconds)


@asynccontextmanager
async def channel(box: MailBox) -> AsyncIterator[Mail]:
    made = channel_to(box.server)
    yield made
    await made.close()


async def send(mail: Mail, name: str, delivery_id: str = "d1") -> Outcome:
    one = delivery_to(f"mailto:{name}@clinic.example", delivery_id)
    return await mail.send(replace(one, body=f"Message-ID: <{delivery_id}@answering.example>\r\n\r\n.hello\r\n"))


def test_without_a_server_it_says_which_setting_is_missing() -> None:
    assert channel_to(None).check("mailto:doctor@clinic.example") == "no mail server is set: CALLROUTER_SMTP_URL"


async def test_it_arrives_whole_with_whom_it_is_for() -> None:
    """Also a line that begins with a dot."""
    async with mail_server() as box, channel(box) as mail:
        outcome = await send(mail, "doctor")

    [arrived] = map(message_from_bytes, box.received)
    assert outcome == Delivered(answer="250 2.0.0 taken as 4711", receipt_id="d1")
    assert arrived["To"] == "doctor@clinic.example"
    assert arrived["Message-ID"] == "<d1@answering.example>"
    assert str(arrived.get_payload()).strip() == ".hello"


async def test_a_batch_needs_one_connection_whoever_of_it_is_refused() -> None:
    """Of two recipients one is refused, and the other is told; what was half said is taken back."""
    async with mail_server() as box, channel(box) as mail:
        outcomes = [type(await send(mail, name)) for name in ("doctor", "unknown", "nurse", "spam", "greylisted", "bo")]

    assert outcomes == [Delivered, FailedForGood, Delivered, FailedForGood, FailedForNow, Delivered]
    assert box.connections == 1
    assert [message_from_bytes(one)["To"].partition("@")[0] for one in box.received] == ["doctor", "nurse", "bo"]


async def test_many_at_once_take_turns_on_some_connections() -> None:
    async with mail_server() as box, channel(box) as mail:
        outcomes = await asyncio.gather(*(send(mail, f"d{number}") for number in range(20)))

    assert {type(one) for one in outcomes} == {Delivered}
    assert len(box.received) == 20
    assert box.connections <= connections.CONNECTIONS


async def test_a_connection_that_the_server_ended_meanwhile_is_made_again() -> None:
    """Whether that was heard before the next mail, or when it began: nothing was said yet, and nothing is unknown."""
    async with mail_server() as box, channel(box) as mail:
        assert type(await send(mail, "doctor")) is Delivered
        box.hang_up()
        assert type(await send(mail, "doctor")) is Delivered
        box.hang_up()
        await asyncio.sleep(0.1)
        assert type(await send(mail, "doctor")) is Delivered

    assert box.connections == 3
    assert len(box.received) == 3


async def test_a_server_that_says_that_it_leaves_is_asked_once_more_on_another_connection() -> None:
    async with mail_server() as box, channel(box) as mail:
        assert type(await send(mail, "doctor")) is Delivered
        outcome = await send(mail, "leaving")

    assert isinstance(outcome, FailedForNow)
    assert not outcome.fate_unknown
    assert (box.connections, box.commands.count("RCPT leaving")) == (2, 2)


async def test_when_it_breaks_after_the_mail_nobody_knows_and_the_second_has_the_same_id() -> None:
    async with mail_server() as box, channel(box) as mail:
        box.once.add("doctor")
        first = await send(mail, "doctor")
        second = await send(mail, "doctor")

    assert isinstance(first, FailedForNow)
    assert first.fate_unknown
    assert first.destination_answers is False
    assert type(second) is Delivered
    assert [message_from_bytes(one)["Message-ID"] for one in box.received] == ["<d1@answering.example>"] * 2


async def test_before_the_mail_it_is_known_that_nothing_was_taken() -> None:
    async with mail_server() as box, channel(box) as mail:
        outcome = await send(mail, "dropped-before")

    assert isinstance(outcome, FailedForNow)
    assert not outcome.fate_unknown
    assert box.received == []


@pytest.mark.parametrize(("name", "unknown"), [("hanging", False), ("hanging-after", True)])
async def test_a_server_that_hangs_is_left(name: str, unknown: bool) -> None:
    async with mail_server() as box:
        mail = channel_to(box.server, answer_seconds=3)
        outcome = await send(mail, name)
        await mail.close()

    assert isinstance(outcome, FailedForNow)
    assert outcome.fate_unknown is unknown
    assert outcome.destination_answers is False


async def test_an_attempt_that_drags_on_ends_and_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection is of no use to the next one."""
    async with mail_server() as box, channel(box) as mail:
        await send(mail, "doctor")
        with monkeypatch.context() as patience:
            patience.setattr(under_test, "ATTEMPT_SECONDS", 3.0)
            outcome = await send(mail, "hanging-after")
        assert type(await send(mail, "doctor")) is Delivered

    assert isinstance(outcome, FailedForNow)
    assert "it had not ended after 3 s after the mail was begun" in outcome.reason
    assert outcome.fate_unknown
    assert box.connections == 2


async def test_nobody_there() -> None:
    async with mail_server() as box:
        server = box.server
    mail = channel_to(server)
    outcome = await send(mail, "doctor")

    assert isinstance(outcome, FailedForNow)
    assert outcome.reason.startswith(f"127.0.0.1:{server.port} took nothing: Error connecting")
    assert (outcome.destination_answers, outcome.fate_unknown) == (False, False)


async def test_it_takes_leave_of_a_server_that_it_needs_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "KEPT_SECONDS", 0.1)
    async with mail_server() as box, channel(box) as mail:
        await send(mail, "doctor")
        async with asyncio.timeout(ANSWER_SECONDS):
            while not all(one.transport is None or one.transport.is_closing() for one in box.servers):
                await asyncio.sleep(0.05)
        assert type(await send(mail, "doctor")) is Delivered

    assert box.connections == 2


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """One that this machine trusts."""
    made = Authority(tmp_path / "authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(made.certificate))
    return made


async def test_starttls_with_an_authority_of_ones_own_and_a_log_in(authority: Authority) -> None:
    async with mail_server(starttls=authority.server()) as box:
        mail = channel_to(box.secured(Security.STARTTLS, PASSWORD))
        outcome = await send(mail, "doctor")
        await mail.close()

    assert type(outcome) is Delivered


async def test_tls_from_the_first_byte_on(authority: Authority) -> None:
    async with mail_server(tls=authority.server()) as box:
        mail = channel_to(box.secured(Security.TLS))
        outcome = await send(mail, "doctor")
        await mail.close()

    assert type(outcome) is Delivered


async def test_a_password_that_is_wrong_can_be_mended(authority: Authority) -> None:
    async with mail_server(starttls=authority.server()) as box:
        mail = channel_to(box.secured(Security.STARTTLS, "hunter2"))
        outcome = await send(mail, "doctor")
        await mail.close()

    assert isinstance(outcome, FailedForNow)
    assert "does not take the user or the password of CALLROUTER_SMTP_URL: 535" in outcome.reason
    assert "hunter2" not in outcome.reason


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_an_expired_certificate_is_named(authority: Authority, security: Security) -> None:
    expired = authority.server(days=-1)
    starttls, tls = (expired, None) if security is Security.STARTTLS else (None, expired)
    async with mail_server(starttls=starttls, tls=tls) as box:
        mail = channel_to(box.secured(security))
        outcome = await send(mail, "doctor")
        await mail.close()

    assert isinstance(outcome, FailedForNow)
    assert outcome.reason == (
        f"the certificate of 127.0.0.1:{box.port} is not valid (certificate has expired), and nothing is sent: "
        "renew it there, or have this machine trust who issued it"
    )
    assert box.received == []


async def test_a_certificate_of_another_name_or_of_a_stranger(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "stranger")
    for certificate, fault in (
        (authority.server("other.example"), "IP address mismatch"),
        (stranger.server(), "unable to get local issuer certificate"),
    ):
        async with mail_server(starttls=certificate) as box:
            mail = channel_to(box.secured(Security.STARTTLS))
            outcome = await send(mail, "doctor")
            await mail.close()
        assert isinstance(outcome, FailedForNow)
        assert fault in outcome.reason


async def test_a_server_that_does_not_encrypt_gets_nothing() -> None:
    async with mail_server() as box:
        mail = channel_to(box.secured(Security.STARTTLS))
        outcome = await send(mail, "doctor")
        await mail.close()

    assert isinstance(outcome, FailedForNow)
    assert "does not offer what CALLROUTER_SMTP_URL wants of it: " in outcome.reason
    assert "STARTTLS" in outcome.reason
    assert box.received == []

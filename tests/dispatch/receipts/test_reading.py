"""Of which telling a mail is that came back, and what it says."""

from __future__ import annotations

import pytest

from callrouter.dispatch.receipts.parts import LOOKED_AT_BYTES, Mail
from callrouter.dispatch.receipts.reading import LONGEST, Read, read
from callrouter.errors import MailUnreadable
from callrouter.store.dispatch.receipts import Fate

from . import bounces
from .bounces import DOMAIN, ID, report


def said_of(content: bytes, sender: str = "") -> Read | None:
    return read(Mail(content), sender, DOMAIN)


@pytest.mark.parametrize(
    ("action", "fate"),
    [
        ("delivered", Fate.DELIVERED),
        ("relayed", Fate.RELAYED),
        ("expanded", Fate.RELAYED),
        ("failed", Fate.FAILED),
        ("Failed (bounced)", Fate.FAILED),
        ("delayed", Fate.DELAYED),
    ],
)
def test_a_report_is_known_by_the_envelopes_id(action: str, fate: Fate) -> None:
    found = said_of(report(action, "2.0.0", "smtp; 250 2.0.0 taken", envelope_id=ID))

    assert found == Read(delivery_id=ID, fate=fate, said="250 2.0.0 taken")


def test_the_envelopes_id_is_in_xtext() -> None:
    found = said_of(report("failed", "5.0.0", "smtp; no", envelope_id="a+2Db+5Fc"))

    assert found == Read(delivery_id="a-b_c", fate=Fate.FAILED, said="5.0.0 no")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bounces.EXCHANGE, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient doctor@clinic.example not found"),
        (bounces.GMAIL, "550-5.1.1 The email account that you tried to reach does not exist. 550 5.1.1 Learn more"),
        (bounces.QMAIL, "Sorry, no mailbox here by that name. (#5.1.1)"),
        (bounces.EXIM, "550 5.7.1 refused by policy"),
        (bounces.OLD_EXCHANGE, "The e-mail account does not exist at the organization. #5.1.1"),
        (bounces.FRENCH, "Boîte pleine : 552 5.2.2 quota dépassé"),
    ],
    ids=["exchange", "gmail", "qmail", "exim", "old-exchange", "french"],
)
def test_bounces_of_other_servers(content: bytes, said: str) -> None:
    found = said_of(content)

    assert found is not None
    assert (found.delivery_id, found.fate) == (ID, Fate.FAILED)
    assert found.said.startswith(said)


def test_a_delay_is_no_failure() -> None:
    found = said_of(bounces.EXIM_DELAYED)

    assert found is not None
    assert (found.delivery_id, found.fate) == (ID, Fate.DELAYED)


@pytest.mark.parametrize("sender", ["", "doctor@clinic.example"])
@pytest.mark.parametrize(
    "content",
    [bounces.OUT_OF_OFFICE, bounces.VACATION, bounces.FORWARDED, bounces.READ_RECEIPT, bounces.OF_ANOTHER, b"", b"\0"],
    ids=["out-of-office", "vacation", "forwarded", "read-receipt", "of-another", "empty", "nothing"],
)
def test_what_says_nothing_of_a_telling(content: bytes, sender: str) -> None:
    assert said_of(content, sender) is None


def test_what_people_write_says_nothing_of_a_telling() -> None:
    assert said_of(bounces.PERSON, "doctor@clinic.example") is None


def test_an_id_of_another_house_is_none_of_ours() -> None:
    assert read(Mail(bounces.EXCHANGE), "", "other.example") is None


def test_of_several_recipients_behind_one_address_one_is_enough() -> None:
    """As of a list: somebody has it."""
    other = "Final-Recipient: rfc822; b@clinic.example\nAction: delivered\nStatus: 2.0.0\n"
    found = said_of(report("failed", "5.1.1", "smtp; 550 no", envelope_id=ID, recipients=other))

    assert found == Read(delivery_id=ID, fate=Fate.DELIVERED, said="2.0.0")


def test_what_is_said_is_one_line_and_not_too_long() -> None:
    found = said_of(report("failed", "5.1.1", "smtp; 550 \x1b[31m" + "x" * 1_000, envelope_id=ID))

    assert found is not None
    assert found.said.isprintable()
    assert len(found.said) == LONGEST


def test_only_the_beginning_is_looked_at() -> None:
    """Whoever reports says so first; the mail that is returned may be as long as any."""
    long = report("failed", "5.1.1", "smtp; 550 no", envelope_id=ID, returned=bounces.HEADERS + "\n" + "x" * 900_000)

    assert len(long) > LOOKED_AT_BYTES
    assert said_of(long) == Read(delivery_id=ID, fate=Fate.FAILED, said="5.1.1 550 no")


@pytest.mark.parametrize(
    "content",
    [
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(60)),
        b"Content-Type: message/rfc822\r\n\r\n" * 5_000,
    ],
    ids=["multipart", "rfc822"],
)
def test_mails_in_mails_without_end_are_not_read(content: bytes) -> None:
    with pytest.raises(MailUnreadable):
        Mail(content)

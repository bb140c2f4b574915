"""Says of which telling a mail that came back is, and what it says became of it. Pure.

A report (RFC 3464) is known by its form; a bounce of the older kind, by who sends it and what it returns. Whatever a
person writes, or a machine that answers for them, is neither: it says nothing of a delivery.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email.message import Message
from typing import Final
from urllib.parse import unquote

from msgspec import Struct

from callrouter.dispatch.receipts.parts import Mail, header_of, one_line
from callrouter.store.dispatch.receipts import Fate

LONGEST: Final = 300
"""Characters of what the other side says."""
_DELIVERY_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FATES: Final = {
    "delivered": Fate.DELIVERED,
    "relayed": Fate.RELAYED,
    "expanded": Fate.RELAYED,
    "failed": Fate.FAILED,
    "delayed": Fate.DELAYED,
}
_OF_SEVERAL: Final = (Fate.DELIVERED, Fate.FAILED, Fate.RELAYED, Fate.DELAYED)
"""What a report comes to that names several recipients, as of a list behind one address: somebody has it, or nobody."""
_DAEMON: Final = re.compile(r"\b(mailer-daemon|postmaster|mail delivery (sub)?system)\b", re.IGNORECASE)
_FAILURE: Final = re.compile(
    r"undeliver|failure notice|(delivery|mail|message|mailing).{0,40}\b(fail|return|could ?n.t|rejected)|returned mail"
    r"|non remis|\bnon distribu|chec de (la )?(remise|distribution|livraison)|unzustellbar|nicht zugestellt",
    re.IGNORECASE,
)
_DELAY: Final = re.compile(r"\bdelay|\bwarning\b|\bretard|still (being )?(re)?tr", re.IGNORECASE)
_EXIM: Final = re.compile(r"^warning: message \S+ delayed", re.IGNORECASE)
"""Marks what it sends as a reply of a machine, as nobody else does who reports."""
_STATUS: Final = re.compile(r"(?<![0-9.])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.])|(?<![0-9.])([45][0-5][0-9])(?=[ -])")
_RETURNED_ID: Final = re.compile(r"^[ \t]*Message-ID:\s{0,4}(<[^<>\s]{1,300}>)", re.IGNORECASE | re.MULTILINE)
_ID: Final = re.compile(r"<[^<>\s]{1,300}>")
_MOST_IDS: Final = 50


class Read(Struct, frozen=True, kw_only=True):
    """What a mail says of a telling."""

    delivery_id: str
    """As our mail was called; of a digest, that of the first telling in it."""
    fate: Fate
    said: str
    """In the other side's words, on one line."""


def read(mail: Mail, sender: str, domain: str) -> Read | None:
    """What it says became of a mail of ours; None: nothing.

    Args:
        mail: that came back.
        sender: whom its envelope names; empty, as of whatever reports: nobody.
        domain: that the Message-IDs of ours end with.
    """
    if mail.is_report:
        return _report(mail, domain)
    if not _is_bounce(mail, sender):
        return None
    delivery_id = _returned_id(mail, domain) or _answered_id(mail, domain)
    if delivery_id is None:
        return None
    failed = bool(mail.header("X-Failed-Recipients")) or not _DELAY.search(mail.header("Subject"))
    return Read(delivery_id=delivery_id, fate=Fate.FAILED if failed else Fate.DELAYED, said=_reason(mail))


def is_of_a_server(mail: Mail, sender: str) -> bool:
    """Whether a mail server says something of a delivery, of ours or not: it is nobody's answer."""
    return mail.is_report or _is_bounce(mail, sender)


def ids_of_ours(mail: Mail, domain: str) -> Iterator[str]:
    """Of mails of ours that it refers to, each once, as it says."""
    named = _ids(mail.header(name) for name in ("In-Reply-To", "References"))
    yield from dict.fromkeys(found for id_ in named if (found := _of_domain(id_, domain)) is not None)


def _report(mail: Mail, domain: str) -> Read | None:
    blocks = mail.blocks()
    envelope_id = next((id_ for one in blocks if (id_ := header_of(one, "Original-Envelope-Id"))), "")
    delivery_id = _ours(_from_xtext(envelope_id)) or _returned_id(mail, domain) or _answered_id(mail, domain)
    fates = [(fate, one) for one in blocks if (fate := _FATES.get(_action(one))) is not None]
    if delivery_id is None or not fates:
        return None
    fate, block = min(fates, key=lambda one: _OF_SEVERAL.index(one[0]))
    return Read(delivery_id=delivery_id, fate=fate, said=_diagnosis(block))


def _action(block: Message) -> str:
    """Without what stands after it: `failed (bounced)`."""
    return header_of(block, "Action").lower().partition(" ")[0].partition(";")[0]


def _diagnosis(block: Message) -> str:
    """Status and what the server before the mailbox said."""
    status = _STATUS.search(header_of(block, "Status"))
    code = status[1] or "" if status else ""
    _, _, said = header_of(block, "Diagnostic-Code").partition(";")  # the kind stands before it: smtp, x-unix
    return _short(said.strip() if code and code in said else f"{code} {said.strip()}")


def _is_bounce(mail: Mail, sender: str) -> bool:
    """Whether a mail server says that it could not deliver: none but servers write without a sender, or as a daemon."""
    if mail.header("X-Failed-Recipients"):
        return True
    by_server = not sender or bool(_DAEMON.search(f"{sender} {mail.header('From')}"))
    subject = mail.header("Subject")
    return by_server and not _is_auto_reply(mail) and bool(_FAILURE.search(subject) or _DELAY.search(subject))


def _is_auto_reply(mail: Mail) -> bool:
    """Whether somebody's mailbox answers for them: out of office, and its kind."""
    return bool(
        (mail.header("Auto-Submitted").lower().startswith("auto-replied") and not _EXIM.search(mail.header("Subject")))
        or mail.header("X-Autoreply")
        or mail.header("X-Autorespond")
        or mail.header("Precedence").lower() == "auto_reply"
    )


def _returned_id(mail: Mail, domain: str) -> str | None:
    """Of the mail that it returns, as a part of its own or in its text."""
    for one in mail.returned():
        if (found := _first_of_ours([header_of(one, "Message-ID")], domain)) is not None:
            return found
    return _first_of_ours((match[1] for match in _RETURNED_ID.finditer(mail.text())), domain)


def _answered_id(mail: Mail, domain: str) -> str | None:
    return _first_of_ours((mail.header(name) for name in ("In-Reply-To", "References")), domain)


def _first_of_ours(texts: Iterable[str], domain: str) -> str | None:
    return next((found for id_ in _ids(texts) if (found := _of_domain(id_, domain)) is not None), None)


def _ids(texts: Iterable[str]) -> Iterator[str]:
    many = 0
    for text in texts:
        for match in _ID.finditer(text):
            if many == _MOST_IDS:
                return
            many += 1
            yield match[0]


def _of_domain(message_id: str, domain: str) -> str | None:
    """The delivery's id in `<DELIVERY_ID@DOMAIN>`."""
    left, _, right = message_id.strip("<>").rpartition("@")
    return _ours(unquote(left)) if right.lower() == domain.lower() else None


def _ours(id_: str) -> str | None:
    return id_ if _DELIVERY_ID.fullmatch(id_) else None


def _from_xtext(text: str) -> str:
    """What an envelope's id was before it was written as RFC 3461 wants it."""
    return re.sub(r"\+([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), text[:300])


def _reason(mail: Mail) -> str:
    """The line that holds a status, or else the subject."""
    for line in mail.text()[:20_000].splitlines():
        if _STATUS.search(line):
            return _short(line)
    return _short(mail.header("Subject"))


def _short(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"

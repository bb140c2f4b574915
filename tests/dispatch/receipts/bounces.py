"""Mails that come back, in the shapes of several servers; all written by hand, none of anybody's."""

from __future__ import annotations

DOMAIN = "answering.example"
ID = "0b6f1d6e-6f0e-4f5e-9a53-3c1c0b9b7a11"
OURS = f"<{ID}@{DOMAIN}>"


def _crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def report(
    action: str,
    status: str,
    diagnostic: str,
    *,
    envelope_id: str = "",
    returned: str = "",
    returned_as: str = "text/rfc822-headers",
    more: str = "",
    recipients: str = "",
) -> bytes:
    """As RFC 3464 wants it."""
    envelope = f"Original-Envelope-Id: {envelope_id}\n" if envelope_id else ""
    back = f"--b1\nContent-Type: {returned_as}\n\n{returned}\n" if returned else ""
    return _crlf(
        f"""From: MAILER-DAEMON@mail.example (Mail Delivery System)
To: messages@{DOMAIN}
Subject: Undelivered Mail Returned to Sender
Message-ID: <report-1@mail.example>
Auto-Submitted: auto-replied
{more}MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mail.example.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example
{envelope}
Final-Recipient: rfc822; doctor@clinic.example
Action: {action}
Status: {status}
Diagnostic-Code: {diagnostic}

{recipients}
{back}--b1--
"""
    )


HEADERS = f"""From: "Cabinet" <messages@{DOMAIN}>
Subject: URGENT
Message-ID: {OURS}
To: doctor@clinic.example
"""

EXCHANGE = report(
    "failed",
    "5.1.10",
    "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient doctor@clinic.example not found by SMTP address lookup",
    returned=HEADERS + "\nVeut rappeler.\n",
    returned_as="message/rfc822",
    more=f"In-Reply-To: {OURS}\nReferences: {OURS}\nX-MS-Exchange-Message-Is-Ndr:\n",
)


GMAIL = _crlf(
    f"""From: Mail Delivery Subsystem <mailer-daemon@googlemail.example>
To: messages@{DOMAIN}
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
References: {OURS}
In-Reply-To: {OURS}
X-Failed-Recipients: doctor@clinic.example
Message-ID: <5f1.1a.3@mx.google.example>
Content-Type: multipart/report; boundary="000000000000a1"; report-type=delivery-status

--000000000000a1
Content-Type: multipart/related; boundary="000000000000b2"

--000000000000b2
Content-Type: multipart/alternative; boundary="000000000000c3"

--000000000000c3
Content-Type: text/plain; charset="UTF-8"

** Address not found **

Your message wasn't delivered to doctor@clinic.example because the address couldn't be found.

--000000000000c3
Content-Type: text/html; charset="UTF-8"

<html><body><h2>Address not found</h2></body></html>

--000000000000c3--
--000000000000b2--
--000000000000a1
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.example
Received-From-MTA: dns; messages@{DOMAIN}
X-Original-Message-ID: {OURS}

Final-Recipient: rfc822; doctor@clinic.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.
 550 5.1.1 Learn more at https://support.example/NoSuchUser
Last-Attempt-Date: Mon, 30 Nov 2026 02:11:12 -0800 (PST)

--000000000000a1
Content-Type: message/rfc822

{HEADERS}
Veut rappeler.
--000000000000a1--
"""
)
QMAIL = _crlf(
    f"""From: MAILER-DAEMON@qmail.example
To: messages@{DOMAIN}
Subject: failure notice
Date: 30 Nov 2026 10:11:12 -0000

Hi. This is the qmail-send program at qmail.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<doctor@clinic.example>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Return-Path: <messages@{DOMAIN}>
Received: (qmail 4711 invoked from network); 30 Nov 2026 10:11:11 -0000
{HEADERS}
Veut rappeler.
"""
)
EXIM = _crlf(
    f"""From: Mail Delivery System <Mailer-Daemon@exim.example>
To: messages@{DOMAIN}
Subject: Mail delivery failed: returning message to sender
X-Failed-Recipients: doctor@clinic.example
Auto-Submitted: auto-replied
Message-ID: <E1abc@exim.example>

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its recipients.

  doctor@clinic.example
    host mx.clinic.example [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<doctor@clinic.example>:
    550 5.7.1 refused by policy

------ This is a copy of the message's headers. ------

Return-path: <messages@{DOMAIN}>
{HEADERS}"""
)
EXIM_DELAYED = _crlf(
    f"""From: Mail Delivery System <Mailer-Daemon@exim.example>
To: messages@{DOMAIN}
Subject: Warning: message 1vPabc-000 delayed 24 hours
Auto-Submitted: auto-replied

This message was created automatically by mail delivery software.
No action is required on your part. Delivery attempts will continue for some time.

  Message identifier: 1vPabc-000
  Subject:            URGENT
{HEADERS}"""
)
OLD_EXCHANGE = _crlf(
    f"""From: "System Administrator" <postmaster@clinic.example>
To: messages@{DOMAIN}
Subject: Undeliverable: URGENT
In-Reply-To: {OURS}
Content-Type: multipart/mixed; boundary="x"

--x
Content-Type: text/plain; charset="iso-8859-1"

Your message did not reach some or all of the intended recipients.

  The following recipient(s) could not be reached:
      doctor@clinic.example on 30/11/2026 10:11
        The e-mail account does not exist at the organization. #5.1.1

--x--
"""
)
FRENCH = _crlf(
    f"""From: postmaster@clinic.example
To: messages@{DOMAIN}
Subject: =?utf-8?q?=C3=89chec_de_la_remise_du_courrier?=
Content-Type: text/html; charset=utf-8

<html><body><p>Boîte pleine : 552 5.2.2 quota dépassé</p><pre>
Message-ID: {OURS.replace("<", "&lt;").replace(">", "&gt;")}
</pre></body></html>
"""
)
OUT_OF_OFFICE = _crlf(
    f"""From: doctor@clinic.example
To: messages@{DOMAIN}
Subject: Automatic reply: URGENT
In-Reply-To: {OURS}
References: {OURS}
Auto-Submitted: auto-replied
X-Auto-Response-Suppress: All

I am away until Monday. Undeliverable urgent mail goes to 550 5.1.1.
"""
)
VACATION = _crlf(
    f"""From: postmaster@clinic.example
To: messages@{DOMAIN}
Subject: Delivery will be delayed: I am away
In-Reply-To: {OURS}
Auto-Submitted: auto-replied (vacation)

I am away.
"""
)
PERSON = _crlf(
    f"""From: doctor@clinic.example
To: messages@{DOMAIN}
Subject: Re: URGENT, undeliverable?
In-Reply-To: {OURS}

550 5.1.1 is my number.
Message-ID: {OURS}
"""
)
FORWARDED = (
    _crlf(
        f"""From: doctor@clinic.example
To: messages@{DOMAIN}
Subject: Fwd: what is this?
Content-Type: multipart/mixed; boundary="f"

--f
Content-Type: text/plain

See below.
--f
Content-Type: message/rfc822

"""
    )
    + EXCHANGE
    + b"\r\n--f--\r\n"
)
READ_RECEIPT = _crlf(
    f"""From: doctor@clinic.example
To: messages@{DOMAIN}
Subject: Read: URGENT
In-Reply-To: {OURS}
Content-Type: multipart/report; report-type=disposition-notification; boundary="r"

--r
Content-Type: text/plain

Your message was read.
--r
Content-Type: message/disposition-notification

Final-Recipient: rfc822; doctor@clinic.example
Original-Message-ID: {OURS}
Disposition: manual-action/MDN-sent-automatically; displayed

--r--
"""
)
OF_ANOTHER = report("failed", "5.1.1", "smtp; 550 no", returned="Message-ID: <abc@elsewhere.example>\n")

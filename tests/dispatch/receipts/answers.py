"""Answers to mail in the shapes of several programs; all written by hand, none of anybody's."""

from __future__ import annotations

import base64
import quopri
from collections.abc import Mapping
from typing import Final

from .bounces import DOMAIN, ID

CODE: Final = "K7M3P"
FROM: Final = "Dr Moreau <moreau@clinic.example>"
OURS: Final = f"""Cabinet Moreau : message de Jean, 10:00
---------------------------------------

Ou répondez à ce courriel avec {CODE} seul sur la première ligne : c'est prendre le message en charge."""
"""What was sent to them, as they quote it."""
_QUOTED: Final = "\n".join(f"> {line}" for line in OURS.splitlines())


def mail(body: bytes, content_type: str, *, more: str = "", encoding: str = "8bit", sender: str = FROM) -> bytes:
    """An answer to a mail of ours."""
    head = f"""From: {sender}
To: messages@{DOMAIN}
Subject: =?utf-8?Q?Re=3A_Cabinet?=
Message-ID: <{abs(hash((body, more)))}@clinic.example>
In-Reply-To: <{ID}@{DOMAIN}>
References: <{ID}@{DOMAIN}>
MIME-Version: 1.0
{more}Content-Type: {content_type}
Content-Transfer-Encoding: {encoding}

"""
    return head.replace("\n", "\r\n").encode() + body


def plain(text: str, **more: str) -> bytes:
    """In UTF-8."""
    return mail(text.replace("\n", "\r\n").encode(), "text/plain; charset=utf-8", **more)


def html(text: str, **more: str) -> bytes:
    """Alone, as Outlook and telephones send it."""
    return mail(text.encode(), "text/html; charset=utf-8", **more)


def both(text: str, page: str) -> bytes:
    """Two alternatives."""
    body = f"""--b1\r\nContent-Type: text/plain; charset="UTF-8"\r\n\r\n{text}\r\n--b1\r
Content-Type: text/html; charset="UTF-8"\r\n\r\n{page}\r\n--b1--\r\n"""
    return mail(body.encode(), 'multipart/alternative; boundary="b1"')


_OUTLOOK: Final = f"""<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta charset="utf-8">
<!--[if !mso]><style>v\\:* {{behavior:url(#default#VML);}}</style><![endif]-->
<style><!-- p.MsoNormal {{margin:0cm; content:"{CODE}"}} --></style></head>
<body lang="FR" link="blue"><div class="WordSection1"><p class="MsoNormal"><span>SAID<o:p></o:p></span></p>
<p class="MsoNormal">&nbsp;</p><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">
<p class="MsoNormal"><b><span>De&nbsp;:</span></b><span> Cabinet &lt;a@b&gt; <br><b>Envoyé&nbsp;:</b> lundi 30
novembre 2026 10:00<br><b>À&nbsp;:</b> moreau@b.example<br><b>Objet&nbsp;:</b> Cabinet<o:p></o:p></span></p></div>
<p>{CODE}</p><p>{OURS}</p></div></body></html>"""
_OUTLOOK_WEB: Final = f"""<html><head><style type="text/css">P {{margin:0}}</style></head><body dir="ltr">
<div class="elementToProof">SAID</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%">
<div id="divRplyFwdMsg" dir="ltr"><font><b>From:</b> Cabinet</font></div><div>{CODE} {OURS}</div></body></html>"""
_GMAIL: Final = f"""<div dir="ltr">SA<b>ID</b></div><br><div class="gmail_quote">
<div class="gmail_attr">Le lun. 30 nov. 2026 à 10:00, Cabinet &lt;a@b&gt; a écrit :<br></div><blockquote>
<div>{CODE}</div><div>{OURS}</div></blockquote></div>"""
_APPLE: Final = f"""<html><body dir="auto">SAID<div><br></div><div dir="ltr">Envoyé de mon iPhone</div><div dir="ltr">
<br><blockquote type="cite">Le 30 nov. 2026 à 10:00, Cabinet &lt;a@b&gt; a écrit :<br><br></blockquote></div>
<blockquote type="cite"><div dir="ltr"><h3>{CODE}</h3>{OURS}</div></blockquote></body></html>"""
_THUNDERBIRD: Final = f"""<!DOCTYPE html><html><head><title>{CODE}</title></head><body>
<div class="moz-cite-prefix">Le 30/11/2026 à 10:00, Cabinet a écrit :<br></div>
<blockquote type="cite" cite="mid:{ID}@{DOMAIN}"><blockquote>{CODE}</blockquote>{OURS}</blockquote><p>SAID</p>
<pre class="moz-signature">-- \nDr Moreau</pre></body></html>"""
_TOP: Final = f"SAID\n\nLe lun. 30 nov. 2026 à 10:00, Cabinet <a@b.example> a écrit :\n\n{_QUOTED}\n"


def answers(said: str) -> Mapping[str, bytes]:
    """The same words of somebody's, written by each program."""
    texts = {
        "nothing quoted": "SAID\n",
        "above": _TOP,
        "above, in several lines": "SAID\n\nOn Mon, Nov 30, 2026 at 10:00 AM Cabinet\n<a@b.example>\nwrote:\n\n"
        + _QUOTED,
        "below": f"Le lun. 30 nov. 2026 à 10:00,\nCabinet <a@b.example> a écrit :\n{_QUOTED}\n\nSAID\n-- \nDr Moreau\n",
        "below, without a sentence before": f"{_QUOTED}\nSAID\n",
        "above what is not marked": f"SAID\n\nOn Mon, 30 Nov 2026 at 10:00, Cabinet wrote:\n\n{CODE}\n{OURS}\n",
        "above an original": f"\n\nSAID\n\n-----Message d'origine-----\nDe : Cabinet\n{CODE}\n{OURS}\n",
        "above Outlook's line": f"SAID\n\n________________________________\nFrom: Cabinet\nSent: Monday\n{CODE}\n",
        "above headers": f"SAID\n\nDe : Cabinet <a@b.example>\nEnvoyé : lundi\nÀ : M\nObjet : x\n\n{CODE}\n{OURS}\n",
    }
    pages = {
        "Outlook": _OUTLOOK,
        "Outlook on the web": _OUTLOOK_WEB,
        "Gmail": _GMAIL,
        "a telephone": _APPLE,
        "Thunderbird": _THUNDERBIRD,
    }
    made = {name: plain(text.replace("SAID", said)) for name, text in texts.items()}
    for name, page in pages.items():
        half = len(said) // 2
        written = page.replace("SA<b>ID</b>", f"{said[:half]}<b>{said[half:]}</b>").replace("SAID", said)
        made[name] = html(written)
    text = _TOP.replace("SAID", said)
    made["both alternatives"] = both(text, _GMAIL)
    made["a blank alternative"] = both("  \n\n", _OUTLOOK.replace("SAID", said))
    made["quoted-printable"] = mail(
        quopri.encodestring(text.encode("iso-8859-15")),
        "text/plain; charset=iso-8859-15",
        encoding="quoted-printable",
    )
    made["base64"] = mail(
        base64.encodebytes(text.encode("windows-1252", "replace")),
        'text/plain; charset="windows-1252"',
        encoding="base64",
    )
    made["base64 of HTML"] = mail(
        base64.encodebytes(_OUTLOOK.replace("SAID", said).encode()), "text/html; charset=utf-8", encoding="base64"
    )
    return made


AUTOMATIC: Final = {
    "RFC 3834": "Auto-Submitted: auto-replied (vacation)\n",
    "generated": "Auto-Submitted: auto-generated\n",
    "precedence": "Precedence: bulk\n",
    "another precedence": "Precedence: auto_reply\n",
    "older": "X-Autoreply: yes\n",
    "older still": "X-Autorespond: away\n",
    "a list": "List-Id: <all.clinic.example>\n",
    "by its subject": "Subject: Automatic reply: Cabinet\n",
    "in French": "Subject: =?utf-8?Q?R=C3=A9ponse_automatique_=3A_Cabinet?=\n",
}
"""Headers of what machines write, by what shows it."""

"""Agents' telephones that call out, too: with them an agent consults somebody, by a second call of their own."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from urllib.parse import quote

from deploy.demo import g711
from deploy.demo.carrier import VOICE_HERTZ, Carrier, _Dialog, _sdp
from deploy.demo.telephone import Telephone


class DeskPhones(Carrier):
    """As Carrier; calls out are proved by digest (RFC 8760's predecessor, RFC 2617, as PJSIP asks for it)."""

    _calling: dict[str, _Calling]

    async def call(self, phone: str, secret: str, target: str, pbx: tuple[str, int]) -> str:
        """Call somebody, and go on at once; the name by which `talks`, `refer` and `bye` know the call."""
        telephone = await Telephone.open(background=g711.tone(VOICE_HERTZ, 1.0))
        telephone.codec = self.codec
        calling = _Calling(self, phone, secret, target, pbx, telephone)
        self.calling[calling.call_id] = calling
        calling.invite()
        return calling.name

    @property
    def calling(self) -> dict[str, _Calling]:
        """Calls out, by Call-ID."""
        if not hasattr(self, "_calling"):
            self._calling = {}
        return self._calling

    async def close(self) -> None:
        """Also those that nobody answered."""
        for calling in self.calling.values():
            calling.telephone.close()
        await super().close()

    def status(self, name: str) -> int:
        """Of the final response to a call out; 0 while there is none."""
        return next(one.status for one in self.calling.values() if one.name == name)

    def ringing(self, name: str) -> str:
        """A call out that rings, as a Refer-To names it (RFC 3891 knows early dialogs, too); "" while it does not."""
        calling = next(one for one in self.calling.values() if one.name == name)
        named = f"{calling.call_id};to-tag={calling.their_tag};from-tag={calling.tag}"
        return quote(named, safe="") if calling.their_tag else ""

    def decline(self, number: str) -> None:
        """Whoever is rung at a number says no."""
        for call_id, dialog in list(self._dialogs.items()):
            if dialog.invite["number"] == number and not dialog.answered:
                self._reply(dialog.invite, dialog.address, "486 Busy Here", dialog)
                self._drop(call_id)

    def ring_for(self, seconds: float) -> None:
        """They are picked up after so long, from now on."""
        self._ring_seconds = seconds

    def keys(self, number: str) -> list[str]:
        """What the other side keyed to whoever has answered there."""
        return self._dialogs[self._answered(number)].telephone.keys

    def send(self, message: str, address: tuple[str, int]) -> None:
        """One message."""
        if self._transport is not None:
            self._transport.sendto(message.encode(), address)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode(errors="replace")
        call_id = re.search(r"(?im)^Call-ID:\s*(\S+)", text)
        calling = self.calling.get(call_id[1]) if call_id else None
        if calling is not None and text.startswith("SIP/2.0 ") and re.search(r"(?im)^CSeq:\s*\d+ INVITE", text):
            self.heard.append(text)
            calling.answered(text)
            return
        super().datagram_received(data, addr)

    def begin(self, calling: _Calling, theirs: str, contact: str, media: int) -> None:
        """A call out was answered: from now on it is a conversation like any other."""
        calling.telephone.connect("127.0.0.1", media)
        invite = {
            "call-id": calling.call_id,
            "number": calling.name,
            "to": calling.ours,
            "from": theirs,
            "contact-uri": contact,
        }
        self._dialogs[calling.call_id] = _Dialog(
            invite=invite, address=calling.pbx, tag=calling.tag, telephone=calling.telephone, answered=True, requests=10
        )


class _Calling:
    """A call out that is not answered yet."""

    def __init__(
        self, phones: DeskPhones, phone: str, secret: str, target: str, pbx: tuple[str, int], telephone: Telephone
    ) -> None:
        self.phones, self.phone, self.secret, self.pbx, self.telephone = phones, phone, secret, pbx, telephone
        self.call_id, self.tag = secrets_token(), secrets_token()
        self.name = f"{phone} to {target}"
        self.uri = f"sip:{target}@{pbx[0]}:{pbx[1]}"
        self.ours = f"<sip:{phone}@{phones.contact}>"
        self.numbered = 0
        self.status = 0
        self.their_tag = ""
        """Of the other side, while it rings."""

    def invite(self, authorization: str = "") -> None:
        self.numbered += 1
        body = _sdp(self.telephone.port, self.telephone.codec)
        self._send("INVITE", f"<{self.uri}>", authorization, body)

    def cancel(self) -> None:
        """Give it up while it rings."""
        self._send("CANCEL", f"<{self.uri}>")

    def _send(self, method: str, to: str, authorization: str = "", body: str = "") -> None:
        branch = f"z9hG4bK-{self.tag}-{self.numbered}" + ("-ack" if method == "ACK" and self.status == 200 else "")
        lines = (
            f"{method} {self.uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.phones.contact};branch={branch}",
            f"From: {self.ours};tag={self.tag}",
            f"To: {to}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.numbered} {method}",
            f"Contact: <sip:{self.phone}@{self.phones.contact}>",
            "Max-Forwards: 70",
            *((f"Authorization: {authorization}",) if authorization else ()),
            *(("Content-Type: application/sdp",) if body else ()),
            f"Content-Length: {len(body)}",
        )
        self.phones.send("\r\n".join(lines) + "\r\n\r\n" + body, self.pbx)

    def answered(self, text: str) -> None:
        """A response to the INVITE."""
        status = int(text[8:11])
        if status < 200:
            self.their_tag = _header(text, "To").partition(";tag=")[2]
            return
        to = _header(text, "To")
        if status == 401:
            self._send("ACK", to)
            self.invite(self._proof(_header(text, "WWW-Authenticate")))
            return
        again, self.status = self.status == 200, status
        self._send("ACK", to)
        if status == 200 and not again:
            media = re.search(r"(?m)^m=audio (\d+)", text)
            contact = re.search(r"<([^>]+)>", _header(text, "Contact"))
            assert media
            assert contact
            self.phones.begin(self, to, contact[1], int(media[1]))

    def _proof(self, challenge: str) -> str:
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
        one, cnonce = _md5(f"{self.phone}:{given['realm']}:{self.secret}"), secrets_token()
        two = _md5(f"INVITE:{self.uri}")
        response = _md5(f"{one}:{given['nonce']}:00000001:{cnonce}:auth:{two}")
        fields = f'username="{self.phone}", realm="{given["realm"]}", nonce="{given["nonce"]}", uri="{self.uri}"'
        opaque = f', opaque="{given["opaque"]}"' if "opaque" in given else ""
        return f'Digest {fields}, response="{response}", cnonce="{cnonce}", nc=00000001, qop=auth{opaque}'


def _header(text: str, name: str) -> str:
    found = re.search(rf"(?im)^{name}:\s*(.+?)\s*$", text)
    assert found, f"no {name} in {text}"
    return found[1]


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def secrets_token() -> str:
    """Nobody else's."""
    return secrets.token_hex(8)


async def settle(seconds: float = 0.3) -> None:
    """What is on its way arrives."""
    await asyncio.sleep(seconds)

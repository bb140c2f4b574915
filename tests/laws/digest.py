"""How a telephone proves whose it is when it calls out (RFC 7616, with MD5, as PJSIP asks for it)."""

from __future__ import annotations

import hashlib
import re
import secrets


def proof(challenge: str, user: str, secret: str, uri: str) -> str:
    """The Authorization of an INVITE, by a WWW-Authenticate."""
    given = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
    cnonce = secrets.token_hex(8)
    who, what = _md5(f"{user}:{given['realm']}:{secret}"), _md5(f"INVITE:{uri}")
    response = _md5(f"{who}:{given['nonce']}:00000001:{cnonce}:auth:{what}")
    fields = f'username="{user}", realm="{given["realm"]}", nonce="{given["nonce"]}", uri="{uri}"'
    opaque = f', opaque="{given["opaque"]}"' if "opaque" in given else ""
    return f'Digest {fields}, response="{response}", cnonce="{cnonce}", nc=00000001, qop=auth{opaque}'


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

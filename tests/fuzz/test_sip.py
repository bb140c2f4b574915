"""What callers' telephones and carriers may write into an INVITE: well-formed, and as odd as they come.

Only what RFC 3261's grammar allows is sent, because bytes are Asterisk's to read: here it is what becomes of them.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from deploy.demo import stories
from tests.acceptance import raw_sip
from tests.acceptance.conftest import Row, Town
from tests.fuzz.tally import cases, count

AT_ONCE: Final = 8
HOLD_SECONDS: Final = 0.3
PROOF: Final = Path(tempfile.gettempdir()) / f"callrouter-fuzz-was-here-{secrets.token_hex(4)}"
NUMBER: Final = re.compile(r"\+?[0-9A-Za-z*#_.+]{1,40}")
"""What callrouter-identity lets through of a number, as the record has it."""

WORDS: Final = [
    *(
        "",
        "Jean",
        "Zoë Müller",
        "日本語",
        "فارسی",
        "😀",
        "anonymous",
        "Anonymous",
        "Unknown",
        "O'Neil",
        "a,b&c|d;e=f^g",
        "100 %",
    ),
    *(
        "a percent sign and two digits: %41",
        "${SHELL(id)}",
        "$[1+1]",
        "${CR_CALL}",
        "Event: Hangup",
        "Action: Originate",
        "<b>x</b>",
    ),
    *(
        "'; DROP TABLE calls;--",
        '{"a": 1}',
        "\\",
        '"',
        "\\r\\nX: y",
        "  ",
        "\u202etxt",
        "\u2028",
        "x" * 200,
        f"${{SHELL(touch {PROOF})}}",
    ),
]
names = st.sampled_from(WORDS) | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=60)
USERS: Final = [
    *(
        "+33612345678",
        "0612345678",
        "0033612345678",
        "33612345678",
        "+33 612",
        "*31#",
        "#",
        "0",
        "+",
        "anonymous",
        "restricted",
    ),
    *(
        "unavailable",
        "Jean.Dupont",
        "a_b-c",
        "~x",
        "1" * 60,
        "+33612345678;verstat=TN-Validation-Failed",
        "x;verstat=No-TN-Validation",
    ),
    *(
        "+33612345678;verstat=TN-Validation-Passed",
        "0612345678;phone-context=+33",
        "12;npdi;rn=+33600",
        "%2B33612345678",
        "%22",
    ),
    *("+33612345678;isub=99;ext=1", "a;b;c=d"),
]
HOSTS: Final = ["127.0.0.1", "carrier.example", "anonymous.invalid", "[::1]", "127.0.0.1:5099"]
PARAMETERS: Final = ["", ";user=phone", ";user=dialstring", ";cpc=ordinary", ";otg=x", ";verstat=No-TN-Validation"]


def quoted(name: str) -> bytes:
    """A quoted-string of RFC 3261, section 25.1."""
    return b'"' + name.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'


@st.composite
def addresses(draw: st.DrawFn) -> bytes:
    """A name-addr: a display name, and a URI between angle brackets."""
    user = draw(st.sampled_from(USERS) | st.from_regex(r"[0-9A-Za-z_.!~*'()+&=$,;?/-]{1,20}", fullmatch=True))
    host, parameters = draw(st.sampled_from(HOSTS)), draw(st.sampled_from(PARAMETERS))
    uri = f"sip:{user.replace(' ', '%20').replace('#', '%23')}@{host}{parameters}"
    name = draw(names)
    return (quoted(name) + b" " if name or draw(st.booleans()) else b"") + b"<" + uri.encode() + b">"


def _header(name: str, parameters: list[str]) -> st.SearchStrategy[bytes]:
    return st.builds(
        lambda address, ending: name.encode() + b": " + address + ending.encode(),
        addresses(),
        st.sampled_from(parameters),
    )


headers = st.lists(
    st.one_of(
        _header("P-Asserted-Identity", [""]),
        _header("P-Preferred-Identity", [""]),
        _header("Remote-Party-ID", ["", ";privacy=full;screen=no", ";party=calling;privacy=off", ";privacy=x"]),
        _header(
            "Diversion",
            ["", ";reason=no-answer;counter=1", ";privacy=full", ';reason="${SHELL(id)}"', ";counter=99999999"],
        ),
        _header("History-Info", [";index=1", ";index=1.1;rc=1", ";index=x"]),
        st.sampled_from(["none", "id", "user", "header;session", "id;critical", "x", "history"]).map(
            lambda one: b"Privacy: " + one.encode()
        ),
        st.sampled_from(WORDS).map(lambda one: b"User-Agent: x " + one.encode()),
        st.sampled_from(WORDS).map(lambda one: b"Subject: x " + one.encode()),
        st.sampled_from(
            [b"Accept-Language: xx, yy;q=0.1", b"X-CR_CALL: 1", b"Alert-Info: <http://127.0.0.1/>", b"Supported: a,b"]
        ),
    ),
    max_size=5,
)


@dataclass(frozen=True)
class Invite:
    """Who calls, as the wire says."""

    did: str
    sender: bytes
    headers: list[bytes]


invites = st.builds(
    Invite, did=st.sampled_from([stories.MOREAU, stories.LENOIR, stories.GARNIER]), sender=addresses(), headers=headers
)


@cases(3, 0.0012)
@given(st.lists(invites, min_size=AT_ONCE, max_size=AT_ONCE))
def test_every_caller_is_served_and_recorded_as_text(town: Town, some: list[Invite]) -> None:
    """A row each, whose name and number are text; nobody is left; nothing of it is a command or a line of a log."""
    count("SIP: calls", len(some))
    before = {row["call_id"] for row in town.rows()}
    statuses = town.together([_placed(town, one) for one in some])

    rows = town.until(lambda: _new(town, before), lambda rows: len(rows) >= sum(status > 0 for status in statuses))
    assert 0 not in statuses, [one for one, status in zip(some, statuses, strict=True) if not status]
    assert {status // 100 for status in statuses} <= {2, 4, 6}, statuses
    assert len(rows) == len(some)
    for row in rows:
        _judge(row, [one for one in some if one.did == row["did"]])
    assert not PROOF.exists()


async def _placed(town: Town, one: Invite) -> int:
    pbx = town.stack.sip_address
    return await asyncio.to_thread(
        raw_sip.call, pbx, one.did, one.sender, hold_seconds=HOLD_SECONDS, headers=one.headers
    )


def _new(town: Town, before: set[str]) -> list[Row]:
    return [row for row in town.rows() if row["call_id"] not in before]


def _judge(row: Row, of_its_did: list[Invite]) -> None:
    assert of_its_did, row
    caller: dict[str, Any] = row["caller"]
    number, name = caller["number"], caller["name"]
    assert number is None or NUMBER.fullmatch(number), row
    assert row["diverted_from"] is None or NUMBER.fullmatch(row["diverted_from"]), row
    assert row["disposition"] in ("left_early", "rejected", "abandoned"), row
    # What is shown is the caller's own text, cut where PJSIP cuts it, with the backslashes that it leaves.
    sent = b"".join(b"".join((one.sender, *one.headers)) for one in of_its_did).decode()
    assert not name or name.rstrip("\ufffd") in sent, (name, of_its_did)


def test_each_line_of_the_log_is_ours(town: Town) -> None:
    lines = town.stack.engine.log_path.read_text(encoding="utf-8").splitlines()

    assert all("event" in json.loads(line) for line in lines)
    assert [line for line in lines if '"exception"' in line] == []
    assert town.nobody_is_left()

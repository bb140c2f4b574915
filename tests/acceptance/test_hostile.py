"""What a caller writes is text, wherever it goes."""

from __future__ import annotations

import json
import re
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.demo import stories
from deploy.demo.caller import HangUp, UntilSound, Wait
from tests.acceptance import raw_sip

if TYPE_CHECKING:
    from tests.acceptance.conftest import Row, Town

PROOF = Path(tempfile.gettempdir()) / f"callrouter-was-here-{secrets.token_hex(4)}"
NAMES = {
    "function": f"${{SHELL(touch {PROOF})}}",
    "expression": "$[1+1] ${CR_CALL} ${CALLERID(num)}",
    "quotes": '"O\'Neil" \\\\ "; DROP TABLE calls;--',
    "comma": "a,b&c|d;e=f^g",
    "backslash": "\\r\\nAction: Hangup\\r\\nChannel: all",
    "emoji": "Zoë 😀 日本語 فارسی",
    "markup": "<script>alert(1)</script> [red]x[/red]",
    "percent": "%41%20 100 % %s",
    "json": '{"disposition": "answered"}',
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_name_arrives_as_text(town: Town, name: str) -> None:
    caller = town.somebody(name)
    outcome = town.call(stories.MOREAU, UntilSound(), Wait(0.5), HangUp(), caller=caller)
    assert outcome.went_well, outcome.trouble or outcome.complaints
    row = town.row_of(caller)
    assert (row["client"], row["disposition"]) == ("cabinet-moreau", "left_early")
    # PJSIP cuts names (pj_str to a buffer of 80 in res_pjsip.c); what is left is the caller's own text.
    shown = row["caller"]["name"]
    assert shown
    # … with the backslashes of SIP's quoted strings, which PJSIP does not take away.
    assert name.replace("\\", "\\\\").replace('"', '\\"').startswith(shown)
    assert not PROOF.exists()


ON_THE_WIRE: dict[str, tuple[bytes, str | None]] = {
    # RFC 3261, 7.3.1: a line that begins with a blank goes on with the header before.
    "folded": (b'"Jean\r\n Event: Hangup\r\n\tUniqueid: 1" <sip:NUMBER@127.0.0.1>', None),
    "line feed": (b'"Jean\nEvent: Hangup" <sip:NUMBER@127.0.0.1>', None),
    "escaped": (b'"Jean\\\r\\\nEvent: Hangup" <sip:NUMBER@127.0.0.1>', None),
    "header": (b'"Jean"\r\nEvent: Hangup\r\nX: <sip:NUMBER@127.0.0.1>', None),
    "carriage return": (b'"Jean\rEvent: Hangup" <sip:NUMBER@127.0.0.1>', "Jean\rEvent: Hangup"),
    "percent": (b'"%41%20Jean %" <sip:NUMBER@127.0.0.1>', "%41%20Jean %"),
    "percent in number": (b'"Jean" <sip:NUMBER%7Ex@127.0.0.1>', "Jean"),
    "nul": (b'"Jean\0Event: Hangup" <sip:NUMBER@127.0.0.1>', "Jean"),
    "latin-1": (b'"Ren\xe9 \xff" <sip:NUMBER@127.0.0.1>', "Ren\ufffd \ufffd"),
}
"""From headers that no telephone writes, and the name they give; None: PJSIP reads no message there, nor answers it."""


@pytest.mark.parametrize("form", ON_THE_WIRE)
def test_line_breaks_on_the_wire_are_text_or_refused(town: Town, form: str) -> None:
    """Whatever bytes SIP carries, a caller's name and number begin no line of their own, anywhere."""
    caller, (sender, name) = town.somebody(), ON_THE_WIRE[form]

    status = raw_sip.call(town.stack.sip_address, stories.MOREAU, sender.replace(b"NUMBER", caller.number.encode()))

    wanted = 0 if name is None else 1
    rows = town.until(lambda: _rows_from(town, caller.number), lambda rows: len(rows) >= wanted)
    assert status == (200 if wanted else 0)
    assert [row["caller"]["name"] for row in rows] == [name] * wanted
    assert all(re.fullmatch(r"\+[0-9A-Za-z]+", row["caller"]["number"]) for row in rows)
    assert [(row["client"], row["disposition"]) for row in rows] == [("cabinet-moreau", "left_early")] * wanted
    assert town.nobody_is_left()


def _rows_from(town: Town, number: str) -> list[Row]:
    return [row for row in town.rows() if (row["caller"]["number"] or "").startswith(number)]


def test_long_name_is_cut_not_refused(town: Town) -> None:
    caller = town.somebody("N" * 500)
    town.call(stories.MOREAU, UntilSound(), Wait(0.5), HangUp(), caller=caller)
    shown = town.row_of(caller)["caller"]["name"]
    assert shown
    assert set(shown) == {"N"}


def test_log_has_one_line_a_thing(town: Town) -> None:
    """Every line of the log is JSON of ours: no caller has written one."""
    lines = town.stack.engine.log_path.read_text(encoding="utf-8").splitlines()
    assert lines
    for line in lines:
        assert "event" in json.loads(line)


@pytest.mark.parametrize("number", ["0", "+", "*31#0612345678", "sip-user_name", "0" * 60])
def test_odd_number_is_served(town: Town, number: str) -> None:
    caller = town.somebody(f"odd {len(number)} {number[:6]}")
    odd = type(caller)(number=number, name=caller.name)
    outcome = town.call(stories.LENOIR, UntilSound(), Wait(0.5), HangUp(), caller=odd)
    assert outcome.went_well, outcome.trouble or outcome.complaints
    rows = town.until(
        lambda: [row for row in town.rows() if row["caller"]["name"] == odd.name], lambda rows: len(rows) >= 1
    )
    assert len(rows) == 1
    assert rows[0]["disposition"] in {"left_early", "rejected"}

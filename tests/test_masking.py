"""Masked numbers: what is left of them in log lines, and what stays as it is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.delivery.ports import Delivery
from callrouter.masking import masked_fields, masked_text

NUMBER = "+33612345678"


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        "0612345678",
        "0033612345678",
        "33612345678",
        "06 12 34 56 78",
        "+33 6 12 34 56 78",
        "06.12.34.56.78",
        "06-12-34-56-78",
        "+33 (0)6 12 34 56 78",
        "%2B33612345678",
        "%2b33612345678",
        "sip:+33612345678@127.0.0.1",
        "Local/0612345678@callrouter-leg",
        "GET /api/calls?caller=%2B33612345678&limit=5",
        f'"{NUMBER}"',
        f"dialled{NUMBER}then",
        "+445678",
    ],
)
def test_a_number_keeps_its_last_digits(text: str) -> None:
    masked = masked_text(text)

    assert "…678" in masked
    assert not any(part in masked for part in ("345", "34 56", "34.56", "34-56", "45678"))


@pytest.mark.parametrize(
    "text",
    [
        "1795427490-1-211208 ended",
        "channel 1795427490.12",
        "PJSIP/trunk-0000001a",
        "PJSIP/trunk-00000012",
        "cabinet-moreau@5f2d3c9a10be",
        "2026-11-29T23:56:50.123456Z",
        "2026-11-29 23:56:50",
        "127.0.0.1:5038",
        "10.0.0.0/8",
        "away for 12.5 s, 3000 waiting",
        "cabinet-moreau.yaml:57: exit 2",
        "1.2.3",
    ],
)
def test_ids_instants_and_addresses_stay(text: str) -> None:
    assert masked_text(text) == text


def test_fields_are_masked_by_their_names() -> None:
    fields = {
        "event": f"call from {NUMBER}",
        "timestamp": "2026-11-29T23:56:50.123456Z",
        "call_id": "1795427490-1-211208",
        "did": "+33199000010",
        "caller": "sip-user_name",
        "name": "Jean",
        "target": "0612345678",
        "many": [NUMBER, 12345678901],
        "by": {NUMBER: {"name": "Jean", "reason": NUMBER}},
        "seconds": 12.5,
    }

    assert masked_fields(fields) == {
        "event": "call from …678",
        "timestamp": "2026-11-29T23:56:50.123456Z",
        "call_id": "1795427490-1-211208",
        "did": "+33199000010",
        "caller": "…ame",
        "name": "…",
        "target": "…678",
        "many": ["…678", 12345678901],
        "by": {"…678": {"name": "…", "reason": "…678"}},
        "seconds": 12.5,
    }


def test_a_traceback_keeps_its_places_and_loses_its_values() -> None:
    trace = (
        "Traceback (most recent call last):\n"
        '  File "/srv/callrouter/core/engine.py", line 5, in step\n'
        "    raise ValueError(name)\n"
        f"ValueError: invalid literal for int(): 'Jean \\'le\\' Roux' of {NUMBER} and \"x\""
    )

    masked = masked_fields({"exception": trace})["exception"]

    assert masked.split("\n")[:3] == trace.split("\n")[:3]
    assert masked.split("\n")[3] == "ValueError: invalid literal for int(): … of …678 and …"


def test_the_last_resort_is_masked_too() -> None:
    """A call that neither PostgreSQL nor the disk takes is logged, and so is a message."""
    record = {"caller_number": NUMBER, "caller_name": "Jean", "did": "+33199000010", "dials": [[NUMBER, 5]]}
    delivery = Delivery(
        delivery_id="5f1c6a0e9b7d4c21",
        call_id="1795427490-1-211208",
        client="acme",
        contact="crm",
        address="https://crm.example/hook?key=1",
        body='{"from": "Jean"}',
        asked_at=None,  # type: ignore[arg-type]  # as good as any
    )

    masked = masked_fields({"record": json.dumps(record), "notification": delivery})

    assert json.loads(masked["record"]) == {
        "caller_number": "…678",
        "caller_name": "…",
        "did": "+33199000010",
        "dials": [["…678", 5]],
    }
    assert {"address", "body"} <= {name for name, value in masked["notification"].items() if value == "…"}
    assert masked["notification"]["call_id"] == "1795427490-1-211208"


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_words_around_it_save_a_number(before: str, after: str) -> None:
    assert NUMBER[3:-3] not in masked_text(f"{before} {NUMBER} {after}")

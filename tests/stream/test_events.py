"""The kinds of events, their schema, and the page that describes them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest

from callrouter.core.agents.standing import AgentState
from callrouter.core.call import Disposition, OfferOutcome, QueueOutcome
from callrouter.core.inputs import ConsultationSign
from callrouter.stream import events
from callrouter.stream.events import KINDS, Event, decode, encode, schema

from .cards import AT, agent, arrived, card, offered, waiting

ROOT = Path(__file__).resolve().parents[2]

OF_MESSAGE: dict[str, Any] = {
    "at": AT,
    "client": "cabinet-moreau",
    "message_id": "1.m1",
    "call_id": None,
    "deliver": "doctor",
    "urgent": True,
}

ONE_OF_EACH: list[Event] = [
    arrived(),
    waiting(),
    offered(),
    events.OfferEnded(at=AT, call=card(), queue="medical", agent="agent-1", outcome=OfferOutcome.ELSEWHERE),
    events.CallAnswered(at=AT, call=card(agent="agent-1"), agent="agent-1", contact=None),
    events.CallSupervised(at=AT, call=card(agent="agent-1"), phone="agent-2", mode="whisper"),
    events.RecordingChanged(at=AT, call=card(agent="agent-1"), recording="1-c1", state="paused"),
    events.CallTransferred(at=AT, call=card(agent="agent-1"), by="agent-1", target="102", refusal=""),
    events.CallHeld(at=AT, call=card(agent="agent-1"), agent="agent-1", on_hold=True),
    events.ConsultationChanged(
        at=AT, call=card(agent="agent-1"), agent="agent-1", party="legal", sign=ConsultationSign.BEGAN
    ),
    events.QueueLeft(
        at=AT,
        call=card(),
        queue="medical",
        outcome=QueueOutcome.ABANDONED,
        agent=None,
        offers=2,
        waited_seconds=9.5,
        talked_seconds=0.0,
    ),
    events.MessageTaken(at=AT, call=card(), recording="1-0", deliver="email_doctor", seconds=4.2),
    events.CallbackAsked(at=AT, call=card(), number="+33612340001", node="ask"),
    events.CallAbandoned(at=AT, call=card()),
    events.CallEnded(at=AT, call=card(), disposition=Disposition.ABANDONED, talked_seconds=0.0, hangup_cause=16),
    events.MessageWritten(**OF_MESSAGE, taken_by="token:desk", form="ring_back"),
    events.MessageAcknowledged(**OF_MESSAGE, acknowledged_by="doctor"),
    events.MessageOverdue(**OF_MESSAGE, reason="nobody has acknowledged it"),
    events.CallbackSettled(
        at=AT, client="cabinet-moreau", call_id="1", position=1, number="+33612340001", settled_by="called_back"
    ),
    events.DayFigures(
        at=AT, client="cabinet-moreau", day="2026-11-23", timezone="Europe/Paris", revision=1, figures={"received": 2}
    ),
    events.AgentChanged(at=AT, agent=agent()),
    events.ObservationLost(at=AT, reason="nothing was heard for 4.2 s"),
    events.ObservationResumed(at=AT),
    events.Snapshot(at=AT, observing=True, calls=[card()], agents=[agent()]),
    events.EngineAway(at=AT, reason="it does not answer"),
    events.CallNotified(
        at=AT,
        node="tell",
        call_id="1",
        client="cabinet-moreau",
        did="+33199000010",
        caller=card().caller,
        data={"a": "b"},
    ),
]


def test_there_is_one_of_each() -> None:
    assert [type(one) for one in ONE_OF_EACH] == list(KINDS.values())


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda one: type(one).__name__)
def test_an_event_reads_as_it_was_written_and_fits_the_schema(event: Event) -> None:
    written = encode(event)
    found: Any = json.loads(written)

    assert msgspec.json.decode(written, type=KINDS[found["event"]]) == event
    if not isinstance(event, events.CallNotified):
        assert decode(written) == event
    assert KINDS[found["event"]] is type(event)
    jsonschema.validate(found, schema())


def test_what_a_later_release_adds_is_passed_over() -> None:
    written = encode(events.ObservationResumed(at=AT))

    assert decode(written[:-1] + b',"more":[1]}') == events.ObservationResumed(at=AT)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"event":"nothing"}', b'{"event":"call.arrived"}', b"\xff"])
def test_what_is_no_event_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(data)


def test_the_integrator_finds_every_kind_and_field() -> None:
    """In the handbook's table of kinds, and in that of a call's card and an agent's."""
    text = (ROOT / "docs" / "integrator.md").read_text(encoding="utf-8")
    section = text.partition("## The event stream\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z.]+)` \|", section, re.MULTILINE)

    assert {row for row in rows if row in KINDS} == set(KINDS)
    named = set(re.findall(r"`([a-z_]+)`", section))
    described: list[type[msgspec.Struct]] = [*KINDS.values(), events.CallCard, events.AgentCard]
    fields = {field for kind in described for field in kind.__struct_fields__}
    assert fields - named == set()


def test_the_integrator_finds_every_outcome_and_state() -> None:
    """Of offers, of agents, and of their telephones."""
    text = (ROOT / "docs" / "integrator.md").read_text(encoding="utf-8")
    section = text.partition("## The event stream\n")[2].partition("\n## ")[0]

    assert {*OfferOutcome, *AgentState, *events.PhoneState} - set(re.findall(r"`([a-z_]+)`", section)) == set()

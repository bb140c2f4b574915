"""Events as bytes, and bytes as events, however they are split."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.stream import frames
from callrouter.stream.events import EngineAway, Event, decode
from callrouter.stream.frames import HEARTBEAT, Frame, FrameReader, frame, retry
from callrouter.stream.ring import EventId

from ..api.stories import HOSTILE_NAME  # noqa: TID252  # tests are no installed package
from .cards import AT, arrived, card, waiting

EVENTS: list[Event] = [arrived("1"), waiting("2"), EngineAway(at=AT, reason="it stops\nnow")]


def read(*parts: bytes) -> list[Frame]:
    reader = FrameReader()
    return [one for part in parts for one in reader.feed(part)]


def test_a_frame_is_what_browsers_read() -> None:
    [head, name, data, *rest] = frame(EngineAway(at=AT, reason="gone"), EventId(7, 42)).split(b"\n")

    assert (head, name, rest) == (b"id: 7-42", b"event: engine.away", [b"", b""])
    assert data == b'data: {"event":"engine.away","at":"2026-11-24T09:00:00Z","reason":"gone"}'


def test_an_event_without_an_id_leaves_the_readers_own() -> None:
    assert not frame(EngineAway(at=AT, reason="gone")).startswith(b"id")


@given(st.lists(st.integers(0, 2000)))
def test_frames_are_read_however_they_are_split(cuts: list[int]) -> None:
    written = [frame(one, EventId(7, 1 + at)) for at, one in enumerate(EVENTS)]
    sent = b"".join([retry(1500), HEARTBEAT, *written, HEARTBEAT])
    places = sorted({0, len(sent), *(cut % len(sent) for cut in cuts)})
    found = read(*(sent[a:b] for a, b in pairwise(places)))

    assert [decode(one.data) for one in found] == EVENTS
    assert [one.id for one in found] == [EventId(7, 1), EventId(7, 2), EventId(7, 3)]
    assert [one.raw for one in found] == written


@given(st.lists(st.binary()))
def test_whatever_comes_is_frames_or_nothing(parts: list[bytes]) -> None:
    for one in read(*parts):
        assert b"\n" not in one.data


def test_what_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_BYTES", 1000)
    with pytest.raises(ValueError, match="longer than 1000 bytes"):
        read(*[b"data: x" * 20] * 20)


FORGED = "a\nid: 9-9\nevent: snapshot\n\ndata: {}"


@pytest.mark.parametrize("name", [HOSTILE_NAME, FORGED, "\r\r\n", "\ud800", "\x00\x85\u2028"])
def test_a_callers_name_stays_within_its_event(name: str) -> None:
    """One line of JSON, whatever they are called."""
    [found] = read(frame(arrived("1", caller=card().caller.__class__(number=None, name=name)), EventId(7, 1)))

    event = decode(found.data)
    assert found.id == EventId(7, 1)
    assert found.raw.count(b"\n") == 4
    assert b"\r" not in found.raw
    assert event.call.caller.name == name.encode("utf-8", "replace").decode()  # type: ignore[union-attr]

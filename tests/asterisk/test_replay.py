"""Recorded reality through the whole edge: from every event on, as an engine that connects in the middle sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from callrouter.asterisk import codec
from callrouter.asterisk.session import AmiSession, Handlers, LinkCounters
from tests.asterisk.replaying import ENDS, PLANS, QUEUE, RECORDINGS, Socket, blocks_of, replay, starts


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
async def test_a_call_goes_on_as_far_as_the_recorded_one(recording: Path) -> None:
    """Past its first waits, on the results of the recording, to its end."""
    ended, live = replay(blocks_of(recording), PLANS.get(recording.stem, QUEUE))

    (call,) = ended
    assert live == []
    assert call.clocks.answered_at is not None
    assert call.disposition is ENDS[recording.stem]
    assert bool(call.queue_visits or call.dials) == (recording.stem != "caller_hangs_up_in_prompt")


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
async def test_every_suffix_is_tolerated(recording: Path) -> None:
    """Unknown channels are passed over; a call is known only if its beginning was seen, and then ends once."""
    blocks, plan = blocks_of(recording), PLANS.get(recording.stem, QUEUE)
    for start in range(len(blocks)):
        ended, live = replay(blocks[start:], plan)

        assert len(ended) + len(live) == starts(blocks[start:])
        assert len({call.call_id for call in ended}) == len(ended)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
async def test_every_prefix_is_tolerated(recording: Path) -> None:
    """The link may be cut after any event: what has not ended is still live."""
    blocks, plan = blocks_of(recording), PLANS.get(recording.stem, QUEUE)
    for end in range(0, len(blocks), 3):
        ended, live = replay(blocks[:end], plan)

        assert len(ended) + len(live) == starts(blocks[:end])


@pytest.mark.parametrize("size", [1, 2, 7, 1460])
async def test_bytes_may_be_cut_anywhere(size: int) -> None:
    """Whatever the sizes they are read in, the same events are told."""
    data = RECORDINGS[0].read_bytes()

    assert told_in_pieces(data, size) == told_in_pieces(data, len(data)) != []


def told_in_pieces(data: bytes, size: int) -> list[tuple[str, str]]:
    """What a session tells of a stream that is read in pieces of a size."""
    told: list[tuple[str, str]] = []

    def on_event(message: codec.AmiMessage) -> None:
        told.append((message["Event"], message["Uniqueid"]))

    events = dict.fromkeys((b"AsyncAGIStart", b"AsyncAGIEnd", b"Hangup"), on_event)
    handlers = Handlers(events=events, on_post_error=lambda *_: None)
    session = AmiSession(handlers, LinkCounters())
    session.connection_made(Socket())
    for start in range(0, len(data), size):
        session.data_received(data[start : start + size])
    return told

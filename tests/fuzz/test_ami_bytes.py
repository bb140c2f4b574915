"""AMI bytes: genuine streams however they are split, mutated ones, and garbage."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from callrouter.asterisk.codec import GREETING as GREETS
from callrouter.asterisk.codec import MAX_BLOCK_BYTES, Framer, parse
from callrouter.asterisk.switch import EVENTS
from callrouter.errors import ProtocolError
from tests.asterisk.replaying import END, PLANS, QUEUE, RECORDINGS, blocks_of
from tests.fuzz.edge import Edge, nothing_fails
from tests.fuzz.tally import cases, count

WANTED = tuple(b"Event: %b\r\n" % name.encode() for name in ("AsyncAGIExec", *EVENTS))
STREAMS = {path.stem: [block for block in blocks_of(path) if block.startswith(WANTED)] for path in RECORDINGS}
"""Of the recordings, the events that are not dropped by their name alone."""
READ = (
    *(b"Uniqueid", b"DestUniqueid", b"Channel", b"Env", b"CommandId", b"Result", b"Cause", b"TechCause", b"Digit"),
    *(b"DurationMs", b"Call", b"UserEvent", b"Leg", b"Sip", b"Rung", b"What", b"RingTime", b"DialStatus"),
    *(b"MemberName", b"Interface", b"Queue", b"Newname", b"Direction"),
)
"""Keys whose values something is made of."""
LINES = sorted({line for blocks in STREAMS.values() for block in blocks for line in block.split(b"\r\n")})
KEYS = sorted({line.partition(b":")[0] for line in LINES})
VALUES = sorted({line.partition(b": ")[2] for line in LINES if len(line) < 60})
EDITS = ("drop", "double", "move", *["line"] * 4, "foreign", "flip", "cut", "begin")
HOSTILE = [
    b"",
    b" ",
    b"-1",
    b"0",
    b"9" * 5_000,
    b"\xd9\xa3",
    b"\xff\xfe",
    b"\0",
    b"a\nEvent: Hangup",
    b"a\rAction: Originate",
    b"PJSIP/x\nAction: Hangup",
    b"${SHELL(id)}",
    b"text%20that%20is%20encoded",
    b"agi_request%3A%20async%0A",
    b"100%20result%3D0",
    b"200%20result%3D1%20%28TRANSFER%3A%21x%29%0A",
    b"x" * 70_000,
]
"""Values that no Asterisk writes, or that a caller would like it to write."""

one_line = st.binary(max_size=40).map(lambda one: one.replace(b"\r\n", b""))
value = st.sampled_from(HOSTILE) | st.sampled_from(VALUES) | one_line
names = st.sampled_from([name.encode() for name in EVENTS]) | st.sampled_from([b"AsyncAGIExec", b"VarSet", b""])
cuts = st.lists(st.integers(0, 40_000), max_size=12)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    """A recording with some of its blocks and lines dropped, doubled, swapped, renamed, forged."""
    name = draw(st.sampled_from(sorted(STREAMS)))
    blocks = list(STREAMS[name])
    for _ in range(draw(st.integers(1, 5))):
        if not blocks:
            break
        blocks = _mutate(draw, blocks)
    return name, blocks


def _mutate(draw: st.DrawFn, blocks: list[bytes]) -> list[bytes]:
    at = draw(st.integers(0, len(blocks) - 1))
    match draw(st.sampled_from(EDITS)):
        case "drop":
            return [*blocks[:at], *blocks[at + 1 :]]
        case "double":
            return [*blocks[: at + 1], *blocks[at:]]
        case "move":
            there = draw(st.integers(0, len(blocks) - 1))
            rest = [*blocks[:at], *blocks[at + 1 :]]
            return [*rest[:there], blocks[at], *rest[there:]]
        case "flip" if blocks[at]:
            block = bytearray(blocks[at])
            block[draw(st.integers(0, len(block) - 1))] = draw(st.integers(0, 255))
            return [*blocks[:at], bytes(block), *blocks[at + 1 :]]
        case "foreign" | "flip":
            other = STREAMS[draw(st.sampled_from(sorted(STREAMS)))]
            return [*blocks[:at], draw(st.sampled_from(other)), *blocks[at:]]
        case "cut":
            return [*blocks[:at], blocks[at][: draw(st.integers(0, len(blocks[at])))], *blocks[at + 1 :]]
        case "begin":  # as an engine that connects in the middle
            return blocks[at:]
        case _:
            return [*blocks[:at], _line_mutated(draw, blocks[at]), *blocks[at + 1 :]]


def _line_mutated(draw: st.DrawFn, block: bytes) -> bytes:
    lines = block.split(b"\r\n")
    read = [number for number, line in enumerate(lines) if line.startswith(READ)] or [0]
    at = draw(st.sampled_from(read) | st.integers(0, len(lines) - 1))
    key = lines[at].partition(b":")[0]
    match draw(st.sampled_from(("value", "value", "value", "value", "forge", "rename", "drop", "double", "swap"))):
        case "value":
            lines[at] = key + b": " + draw(value)
        case "forge":
            lines.insert(at + 1, draw(st.sampled_from(READ) | st.sampled_from(KEYS)) + b": " + draw(value))
        case "rename":
            lines[0] = b"Event: " + draw(names)
        case "drop":
            del lines[at]
        case "double":
            lines.insert(at, lines[at])
        case _:
            there = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[there] = lines[there], lines[at]
    return b"\r\n".join(lines)


def framed(pieces: list[bytes]) -> tuple[list[dict[str, str]], str]:
    """What is read of a stream in pieces: its messages, and why it was given up, if it was."""
    framer, found = Framer(), []
    for piece in pieces:
        try:
            found += [dict(parse(block)) for block in framer.feed(piece)]
        except ProtocolError as error:
            return found, str(error)
        assert len(framer._held) <= MAX_BLOCK_BYTES
    return found, ""


def pieces_of(stream: bytes, where: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(stream)) for cut in where), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


@cases(60, 0.12)
@given(mutated(), cuts, st.booleans())
def test_any_split_gives_the_same_messages(found: tuple[str, list[bytes]], where: list[int], greeted: bool) -> None:
    """Of genuine and of mutated streams."""
    count("AMI bytes: splits")
    greeting = b"Asterisk Call Manager/11.0.0\r\n" if greeted else b""
    stream = greeting + b"".join(block + END for block in found[1])

    assert framed([stream])[0] == framed(pieces_of(stream, where))[0] or not greeted
    assert bool(framed([stream])[1]) == bool(framed(pieces_of(stream, where))[1])


@cases(120, 0.2)
@given(mutated())
async def test_a_mutated_stream_does_nothing_that_is_not_ours(found: tuple[str, list[bytes]]) -> None:
    """Whatever has become of the recording, calls go on or are given back, and each is concluded once."""
    count("AMI bytes: mutated streams")
    name, blocks = found
    with nothing_fails():
        edge = Edge(PLANS.get(name, QUEUE))
        edge.hear(blocks)
        edge.is_bounded()
        edge.end()


garbage = st.lists(
    st.binary(max_size=200)
    | st.sampled_from([END, b"\r\n", GREETS, b"Response: Success\r\n", b"Event: "])
    | st.builds(b"Event: %b\r\n%b: %b\r\n\r\n".__mod__, st.tuples(names, st.sampled_from(KEYS), value)),
    max_size=12,
)


@cases(100, 0.12)
@given(garbage, st.booleans())
async def test_garbage_is_skipped_or_ends_the_session(pieces: list[bytes], greeted: bool) -> None:
    """With a reason; and nothing is written but that a channel which was named, and has no call, is given back."""
    count("AMI bytes: garbage")
    with nothing_fails():
        edge = Edge(QUEUE)
        if greeted:
            edge.read(b"Asterisk Call Manager/11.0.0\r\n")
        for piece in pieces:
            edge.read(piece)
        edge.is_bounded()

        written = edge.socket.written
        assert {one["Action"] for one in written} <= {"AGI", "AbsoluteTimeout"}
        assert {one["Command"] for one in written if one["Action"] == "AGI"} <= {"ASYNCAGI BREAK"}
        assert not written or b"Event: AsyncAGIStart" in b"".join(pieces)
        assert not edge.socket.aborted or (not greeted and "does not speak AMI" in edge.session._broken)
        edge.end()


async def test_a_peer_that_never_ends_a_message_is_left() -> None:
    """After a megabyte, with a reason."""
    edge = Edge(QUEUE)
    edge.read(b"Asterisk Call Manager/11.0.0\r\n")
    for _ in range(MAX_BLOCK_BYTES // 65_536 + 1):
        edge.read(b"x" * 65_536)

    assert edge.socket.aborted
    assert "longer than" in edge.session._broken


STRANGE = b"Uniqueid: 1.%d\r\nDestUniqueid: 2.%d\r\nCall: 3-%d\r\nCause: 16"


async def test_what_strangers_leave_behind_is_bounded() -> None:
    """Ten thousand events of channels that nobody knows."""
    edge = Edge(QUEUE)
    edge.read(b"Asterisk Call Manager/11.0.0\r\n")
    with nothing_fails():
        for number in range(2_000):
            for name in EVENTS:
                if name != "AsyncAGIStart":
                    edge.read(b"Event: %b\r\n%b" % (name.encode(), STRANGE % (number, number, number)) + END)
    edge.is_bounded()

    assert {name: len(held) for name, held in held_by(edge) if len(held) > 5_000} == {}
    assert edge.socket.written == []


def held_by(edge: Edge) -> list[tuple[str, Any]]:
    """The collections of switch, driver and session, and those one object further."""
    found: list[tuple[str, Any]] = []
    for owner in (edge.switch, edge.driver, edge.session, edge.link):
        for name, thing in _attributes(owner):
            found += [(name, thing)] if isinstance(thing, Collection) else []
            found += [(f"{name}.{inner}", one) for inner, one in _attributes(thing) if isinstance(one, Collection)]
    return found


def _attributes(owner: object) -> list[tuple[str, Any]]:
    if not type(owner).__module__.startswith("callrouter"):
        return []
    slots = [name for kind in type(owner).__mro__ for name in getattr(kind, "__slots__", ())]
    return [(name, getattr(owner, name)) for name in {*slots, *getattr(owner, "__dict__", {})} if hasattr(owner, name)]

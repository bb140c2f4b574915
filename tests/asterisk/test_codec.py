"""AMI bytes: framing however they are split, parsing what Asterisk really sent, encoding what must not be believed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callrouter.asterisk.codec import (
    MAX_BLOCK_BYTES,
    MAX_HEADERS,
    MAX_LINE_BYTES,
    Framer,
    decode_stream,
    encode_action,
    event_name,
    field,
    parse,
    whole_number,
)
from callrouter.asterisk.session import RESULT_EVENT
from callrouter.asterisk.switch import EVENTS
from callrouter.errors import EncodingError, ProtocolError

RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*.ami"))
EVERY_CUT_BYTES = 20_000
WANTED = frozenset(name.encode() for name in (RESULT_EVENT, *EVENTS))

each_recording = pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)


def framed(*pieces: bytes) -> list[bytes]:
    framer = Framer()
    return [block for piece in pieces for block in framer.feed(piece)]


def test_there_are_recordings() -> None:
    """The parametrised tests below are not empty."""
    assert len(RECORDINGS) >= 5


@each_recording
def test_a_recording_cut_anywhere_gives_the_same_blocks(recording: Path) -> None:
    """Two reads, cut at every byte of the first 20 kB."""
    data = recording.read_bytes()[:EVERY_CUT_BYTES]
    whole = framed(data)

    for cut in range(len(data)):
        assert whole == framed(data[:cut], data[cut:]), f"cut at {cut}"


@each_recording
def test_a_recording_read_byte_by_byte_gives_the_same_messages(recording: Path) -> None:
    data = recording.read_bytes()

    messages = [parse(block) for block in framed(*(data[at : at + 1] for at in range(len(data))))]

    assert list(decode_stream(data)) == messages


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_recording_cut_in_many_places_gives_the_same_blocks(data: st.DataObject) -> None:
    stream = data.draw(st.sampled_from(RECORDINGS)).read_bytes()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    edges = [0, *cuts, len(stream)]

    pieces = [stream[start:end] for start, end in pairwise(edges)]

    assert framed(stream) == framed(*pieces)


@each_recording
def test_every_suffix_of_a_recording_is_tolerated(recording: Path) -> None:
    """We may begin to listen in the middle of anything: what follows the first whole message is read as ever."""
    data = recording.read_bytes()
    whole = list(decode_stream(data))

    for start in range(1, min(len(data), EVERY_CUT_BYTES)):
        messages = list(decode_stream(data[start:]))
        assert whole[len(whole) - len(messages) + 1 :] == messages[1:], f"from {start}"


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_no_bytes_make_the_parser_raise(data: bytes) -> None:
    for block in Framer(greeting=False).feed(data + b"\r\n\r\n"):
        parse(block)
        event_name(block)
        field(block, b"\r\nActionID: ")


@each_recording
def test_unwanted_events_are_dropped_and_nothing_else(recording: Path) -> None:
    data = recording.read_bytes()

    expected = [m for m in decode_stream(data) if "Response" in m or m.event.encode() in WANTED]

    assert expected == list(decode_stream(data, WANTED))
    assert len(expected) < sum(1 for _ in decode_stream(data))


@each_recording
def test_asterisk_repeats_no_key_of_an_event(recording: Path) -> None:
    """So that a repeated key can be taken for forged."""
    assert [m for m in decode_stream(recording.read_bytes()) if m.event and m.repeated] == []


def test_a_recorded_name_arrives_as_it_was_sent() -> None:
    stream = next(path for path in RECORDINGS if path.stem == "caller_served_by_ivr").read_bytes()

    names = {m["CallerIDName"] for m in decode_stream(stream) if m.event == "AsyncAGIStart"}

    assert {"Zoë Müller-Łukasz 🙂"} == names


def test_framing_is_linear() -> None:
    """A block of nearly a megabyte in small pieces; joining and searching again at each of them would take minutes."""
    block = b"Response: Success\r\n" + b"Output: x\r\n" * 90_000
    framer = Framer(greeting=False)

    for at in range(0, len(block), 64):
        assert framer.feed(block[at : at + 64]) == []
    blocks = framer.feed(b"\r\n")

    assert [block[:-2]] == blocks


def test_a_block_without_end_is_refused() -> None:
    framer = Framer(greeting=False)

    framer.feed(b"x" * MAX_BLOCK_BYTES)

    with pytest.raises(ProtocolError, match="longer than"):
        framer.feed(b"x")


@pytest.mark.parametrize("peer", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 400 Bad Request\r\n", b"\x16\x03\x01\x02"])
def test_another_protocol_is_named(peer: bytes) -> None:
    with pytest.raises(ProtocolError, match="does not speak AMI"):
        Framer().feed(peer)


def test_the_greeting_tells_the_version() -> None:
    framer = Framer()

    blocks = [*framer.feed(b"Asterisk Call Man"), *framer.feed(b"ager/11.0.0\r"), *framer.feed(b"\nEvent: A\r\n\r\n")]

    assert framer.version == "11.0.0"
    assert blocks == [b"Event: A"]


def test_a_message_keeps_first_values_and_all_repeated_ones() -> None:
    message = parse("Response: Success\r\nOutput: é: 1\r\nOutput: \r\nEmpty: \r\nBare:\r\nnonsense".encode())

    assert dict(message) == {"Response": "Success", "Output": "é: 1", "Empty": "", "Bare": ""}
    assert message.all("Output") == ["é: 1", ""]
    assert message.all("Empty") == [""]
    assert message["Absent"] == ""
    assert message.all("Absent") == []


def test_invalid_utf8_is_replaced() -> None:
    assert parse(b"Event: A\r\nName: caf\xe9")["Name"] == "caf\ufffd"


def test_the_last_field_counts() -> None:
    """A number that forges a CommandId stands before the real one."""
    block = b"Event: AsyncAGIExec\r\nCallerIDNum: 1\r\nCommandId: forged\r\nCommandId: real"

    assert field(block, b"\r\nCommandId: ") == b"real"
    assert field(block, b"\r\nResult: ") == b""


def test_an_action_is_written_as_asterisk_reads_it() -> None:
    written = encode_action("Setvar", {"Variable": "CR_NAME", "Value": "Zoë"}, "r1")

    assert "Action: Setvar\r\nActionID: r1\r\nVariable: CR_NAME\r\nValue: Zoë\r\n\r\n".encode() == written


def test_a_hostile_value_arrives_as_text() -> None:
    written = encode_action("Setvar", [("Value", "a\r\n\r\nAction: Originate\0b\nc")])

    assert written == b"Action: Setvar\r\nValue: a Action: Originate b c\r\n\r\n"


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_no_value_breaks_out_of_its_line(value: str) -> None:
    written = encode_action("UserEvent", {"Text": value})

    assert 3 == written.count(b"\r\n") == written.count(b"\r") == written.count(b"\n")
    assert b"\0" not in written


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Channel": "PJSIP/a\r\nAction: x"}, "CR, LF or NUL"),
        ({"Variable": "A\nB"}, "CR, LF or NUL"),
        ({"Val ue": "x"}, "cannot be the key"),
        ({"Value: x\r\nAction": "x"}, "cannot be the key"),
        ({"Value": "é" * MAX_LINE_BYTES}, "at most 1024"),
        ([("Variable", "A=1")] * MAX_HEADERS, "at most 128"),
    ],
)
def test_our_own_mistakes_are_loud(headers: dict[str, str], reason: str) -> None:
    with pytest.raises(EncodingError, match=reason):
        encode_action("Setvar", headers)


def test_a_secret_is_not_shown() -> None:
    with pytest.raises(EncodingError) as caught:
        encode_action("Login", {"Secret": "hunter2\n"})

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1_0", "1.0", "٣", "²", "1234567890", "9" * 5_000, "nan"])
def test_what_is_no_number_of_ours_is_none(text: str) -> None:
    """Digits of other scripts, and those of so many places that Python refuses to read them."""
    assert whole_number(text) is None
    assert whole_number("0012") == 12
    assert whole_number("4294967295", 10) == 4294967295

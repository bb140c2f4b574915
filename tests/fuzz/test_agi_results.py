"""Results of AGI commands on two callers' channels: each is for one command of one call, whatever stands in it."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from callrouter.asterisk import codec
from callrouter.asterisk.asyncagi import ResultKind, parse_encoded_result
from callrouter.core.effects import Sound
from callrouter.core.nodes import CollectDigitsNode, DialNode, HangupNode, MenuNode, MessageNode, QueueNode
from callrouter.core.plan import Plan
from callrouter.core.rota import Contact
from tests.asterisk.engine_room import plan_of
from tests.fuzz.edge import Edge, nothing_fails
from tests.fuzz.tally import Draw, cases, count

SOUND = (Sound(file="beep", seconds=0.5),)
DOCTOR = (Contact(name="doctor", number="+33639980001"),)
PLAN: Plan = plan_of(
    MenuNode(
        name="menu",
        sounds=SOUND,
        keys=("1", "2"),
        no_input_retries=1,
        no_match_retries=1,
        exits={"key:1": "team", "key:2": "doctor", "no_input": "digits", "no_match": "message"},
    ),
    QueueNode(name="team", queue="medical", max_wait_seconds=60.0, exits={"overflow": "message", "done": "digits"}),
    DialNode(name="doctor", contacts=DOCTOR, ring_seconds=9.0, exits={"no_answer": "message"}),
    CollectDigitsNode(
        name="digits",
        sounds=SOUND,
        variable="dossier",
        min_digits=1,
        max_digits=6,
        exits={"next": "doctor", "no_input": "message", "no_match": "message"},
    ),
    MessageNode(name="message", sounds=SOUND, exits={"done": "bye", "empty": "menu"}),
    HangupNode(name="bye"),
)
CALLS = {
    b"PJSIP/trunk-00000001": ("1795427490.1", "1795427490-1-211208"),
    b"PJSIP/trunk-00000002": ("1795427490.2", "1795427490-2-311208"),
}

GENUINE = [
    "200 result=0\n",
    "200 result=1\n",
    "200 result=-1\n",
    "200 result=1 (timeout)\n",
    "200 result=1 (12)\n",
    "200 result=1 (CONTINUE)\n",
    "200 result=1 (KEY:5)\n",
    "200 result=1 (ANSWER)\n",
    "200 result=1 (NOANSWER)\n",
    "200 result=1 (DTMF:4.2:yes)\n",
    "200 result=1 (TRANSFER:team.medical)\n",
    "200 result=1 (TRANSFER:!+33639980002)\n",
    "100 result=0 Trying...\n200 result=0 Gosub complete\n",
    "100 result=0 Trying...\n200 result=0 Gosub complete (abnormal exit)\n",
    "510 Invalid or unknown command\n",
    "511 Command Not Permitted on a dead channel\n",
    "520-Invalid command syntax.\nUsage\n520 End of proper usage.\n",
    "503 result=-2 Memory allocation failure\n",
]
ODD = [
    *("(", ")", "\n", "200 ", "result=", "-", "9" * 5000, "٣", "\0", "TRANSFER:", "KEY:", "!", "é" * 400, "endpos="),
    *("${SHELL(id)}", "\r\nEvent: Hangup"),
]

pieces = st.sampled_from([*GENUINE, *ODD]) | st.text(max_size=12)
texts = st.sampled_from(GENUINE) | st.lists(pieces, max_size=4).map("".join)


@st.composite
def results(draw: st.DrawFn) -> bytes:
    """URL-encoded, mostly; sometimes cut or spoilt."""
    text = draw(texts)
    at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 4))
    if not draw(st.integers(0, 3)):
        text = text[:at] + draw(st.text(max_size=3)) + text[at + length :]
    encoded = quote(text, safe="-_.!~*'()").encode() if draw(st.integers(0, 5)) else text.encode("utf-8", "replace")
    return encoded.replace(b"\r\n", b"")[: draw(st.sampled_from([4096, 4096, 2048, 20]))]


def start_of(channel: bytes) -> bytes:
    uniqueid, call_id = CALLS[channel]
    env = (
        f"agi_request: async\nagi_channel: {channel.decode()}\nagi_language: fr\nagi_type: PJSIP\n"
        f"agi_uniqueid: {uniqueid}\nagi_version: 22.10.1\nagi_callerid: +33612345678\nagi_calleridname: Jean\n"
        "agi_callingpres: 0\nagi_callingani2: 0\nagi_callington: 0\nagi_callingtns: 0\nagi_dnid: 0140000001\n"
        "agi_rdnis: unknown\nagi_context: callrouter-entry\n"
        "agi_extension: 0140000001\nagi_priority: 3\nagi_enhanced: 0.0\nagi_accountcode: \nagi_threadid: 1\n"
        f"agi_arg_1: {call_id}\n\n"
    )
    return b"Event: AsyncAGIStart\r\nChannel: %b\r\nUniqueid: %b\r\nEnv: %b" % (
        channel,
        uniqueid.encode(),
        quote(env, safe="-_.!~*'()").encode(),
    )


def exec_event(channel: bytes, command_id: bytes, result: bytes) -> bytes:
    return b"Event: AsyncAGIExec\r\nChannel: %b\r\nUniqueid: %b\r\nCommandId: %b\r\nResult: %b\r\n\r\n" % (
        channel,
        CALLS[channel][0].encode(),
        command_id,
        result,
    )


def key_of(channel: bytes, digit: str) -> bytes:
    return b"Event: DTMFEnd\r\nUniqueid: %b\r\nDirection: Received\r\nDigit: %b\r\nDurationMs: 80\r\n\r\n" % (
        CALLS[channel][0].encode(),
        digit.encode(),
    )


@cases(120, 0.1)
@given(st.data())
async def test_a_result_is_for_one_call(data: st.DataObject) -> None:
    """Its call goes on, or its channel is given back; nothing is written for another, nor for a result of nobody's."""
    count("AGI results: two calls")
    with nothing_fails():
        edge = Edge(PLAN)
        edge.hear([start_of(channel) for channel in CALLS], answers=False)
        for _ in range(data.draw(st.integers(1, 14))):
            _step(edge, data.draw)
        edge.end()


def _step(edge: Edge, draw: Draw) -> None:
    channel, other = draw(st.permutations(sorted(CALLS)))
    waiting = edge.socket.commands[channel]
    if draw(st.integers(0, 3)):
        digit = draw(st.sampled_from("0123456789*#A"))
        edge.read(key_of(channel, digit))
    if not waiting or not draw(st.integers(0, 5)):
        _result_of_nobodys(edge, draw, channel)
        return
    command_id = waiting.popleft()[1]
    result = draw(results())
    before, calm = len(edge.socket.written), _call(edge, other)
    # A channel's name in an event decides nothing: the id of the command does.
    edge.read(exec_event(draw(st.sampled_from([channel, channel, other])), command_id, result))
    written = edge.socket.written[before:]

    assert {one["Channel"].encode() for one in written} <= {channel}
    assert _call(edge, other) is calm
    if parse_encoded_result(result).kind is ResultKind.LOST_SYNC:
        assert {one["Command"] for one in written if one["Action"] == "AGI"} <= {"ASYNCAGI BREAK"}


def _result_of_nobodys(edge: Edge, draw: Draw, channel: bytes) -> None:
    before, calls = len(edge.socket.written), [_call(edge, one) for one in CALLS]
    foreign = draw(st.sampled_from([b"", b"a1", b"00000000a1"]) | st.binary(max_size=9).map(_one_line))
    edge.read(exec_event(channel, foreign, draw(results())))

    assert edge.socket.written[before:] == []
    assert all(now is then for now, then in zip([_call(edge, one) for one in CALLS], calls, strict=True))


def _one_line(data: bytes) -> bytes:
    return data.replace(b"\r", b"").replace(b"\n", b"")


def _call(edge: Edge, channel: bytes) -> object:
    live = edge.calls.get(CALLS[channel][1])
    return live and live.call


@cases(200, 0.08)
@given(results())
def test_any_result_is_read(result: bytes) -> None:
    """As one of the kinds there are; what is no result is lost sync, and never a success."""
    count("AGI results: parsed")
    found = parse_encoded_result(result)

    assert found.kind in ResultKind
    assert found.ok <= (found.code in (100, 200))
    assert codec.parse(b"Event: AsyncAGIExec\r\nResult: " + result)["Event"] == "AsyncAGIExec"

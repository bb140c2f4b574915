"""AsyncAGI: hostile environments, the quoting of commands, the results Asterisk gives."""

from __future__ import annotations

from urllib.parse import quote as url_encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callrouter.asterisk import commands
from callrouter.asterisk.actions import ChannelActions, post
from callrouter.asterisk.asyncagi import ResultKind, parse_encoded_result, parse_env, parse_result
from callrouter.asterisk.codec import MAX_LINE_BYTES, encode_header
from callrouter.errors import EncodingError, ProtocolError

HEAD = (
    "agi_request: async\nagi_channel: PJSIP/trunk-00000001\nagi_language: fr\nagi_type: PJSIP\n"
    "agi_uniqueid: 1795427490.1\nagi_version: 22.10.1\n"
)
TAIL = (
    "agi_callingpres: 0\nagi_callingani2: 0\nagi_callington: 0\nagi_callingtns: 0\nagi_dnid: 0140000001\n"
    "agi_rdnis: unknown\nagi_context: callrouter-entry\nagi_extension: 0140000001\nagi_priority: 3\n"
    "agi_enhanced: 0.0\nagi_accountcode: \nagi_threadid: 140059156281024\nagi_arg_1: 1795427490-1-211208\n\n"
)


def environment(number: str = "+33612345678", name: str = "Jean", tail: str = TAIL) -> str:
    """As Asterisk sends it (`res_agi.c`, `setup_env`, and `ast_uri_encode`)."""
    return url_encode(f"{HEAD}agi_callerid: {number}\nagi_calleridname: {name}\n{tail}", safe="-_.!~*'()")


def parse_args(line: str) -> list[str]:
    """What `res_agi.c`, `parse_args` makes of a command, step by step."""
    words: list[str] = []
    quoted = escaped = False
    between = True
    for character in line:
        if character == '"' and not escaped:
            quoted = not quoted
            if quoted and between:
                words.append("")
                between = False
        elif character in " \t" and not quoted and not escaped:
            between = True
        elif character == "\\" and not escaped:
            escaped = True
        else:
            if between:
                words.append("")
                between = False
            words[-1] += character
            escaped = False
    return words


# The environment


def test_an_environment_is_read() -> None:
    env = parse_env(environment(name="Zoë 🙂"))

    assert env.channel == "PJSIP/trunk-00000001"
    assert env.uniqueid == "1795427490.1"
    assert env.language == "fr"
    assert (env.caller_number, env.caller_name, env.presentation) == ("+33612345678", "Zoë 🙂", 0)
    assert (env.dnid, env.rdnis) == ("0140000001", None)
    assert (env.context, env.extension) == ("callrouter-entry", "0140000001")
    assert env.arguments == ("1795427490-1-211208",)
    assert env.complete


def test_a_withheld_caller_has_no_number() -> None:
    env = parse_env(environment(number="unknown", name="unknown", tail=TAIL.replace("pres: 0", "pres: 67")))

    assert (env.caller_number, env.caller_name, env.presentation) == (None, None, 67)


FORGED = "Eve\nagi_channel: PJSIP/x\nagi_uniqueid: 1.1\nagi_context: shell\nagi_extension: 666\nagi_arg_1: other"


@pytest.mark.parametrize(
    "env",
    [parse_env(environment(name=FORGED)), parse_env(environment(number=FORGED))],
    ids=["name", "number"],
)
def test_a_caller_forges_nothing(env: object) -> None:
    """Line breaks in what a caller sends stay text inside it."""
    honest = parse_env(environment())

    for name in ("channel", "uniqueid", "context", "extension", "dnid", "arguments", "complete"):
        assert getattr(honest, name) == getattr(env, name)


@pytest.mark.parametrize("words", [FORGED, "a\r\nb", "\n\n", '${SHELL(id)}"\\', "é" * 60])
def test_a_callers_words_arrive_whole(words: str) -> None:
    assert words == parse_env(environment(name=words)).caller_name
    assert words == parse_env(environment(number=words)).caller_number


@settings(max_examples=300)
@given(number=st.text(max_size=79), name=st.text(max_size=79))
def test_no_words_forge_what_is_ours(number: str, name: str) -> None:
    env = parse_env(environment(number, name))

    assert (env.channel, env.uniqueid) == ("PJSIP/trunk-00000001", "1795427490.1")
    assert (env.extension, env.arguments) == ("0140000001", ("1795427490-1-211208",))


def test_a_cut_environment_says_so() -> None:
    """Asterisk sends at most 1,024 bytes of it."""
    env = parse_env(url_encode((HEAD + "agi_callerid: 1\nagi_calleridname: x\n" + TAIL)[:400]))

    assert not env.complete
    assert env.channel == "PJSIP/trunk-00000001"


@pytest.mark.parametrize("text", ["", "nonsense", "agi_request%3A%20async%0A", environment()[:-900]])
def test_what_is_no_environment_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        parse_env(text)


@pytest.mark.parametrize("name", ["", " ", "PJSIP/a\rb", "PJSIP/a\0", "PJSIP/\ufffd", "x" * 300])
def test_a_channel_that_cannot_be_written_is_none(name: str) -> None:
    """Nothing is commanded there."""
    with pytest.raises(ProtocolError, match="names no channel"):
        parse_env(environment().replace(url_encode("PJSIP/trunk-00000001", safe=""), url_encode(name, safe="")))


# Commands


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (commands.answer(), "ANSWER"),
        (commands.noop(), "NOOP"),
        (commands.leave(), "ASYNCAGI BREAK"),
        (commands.hangup(), "HANGUP"),
        (commands.playback(("fr/welcome", "beep")), 'EXEC Playback "fr/welcome&beep"'),
        (commands.exec_app("Wait", "0.5"), 'EXEC Wait "0.5"'),
        (commands.exec_app("StopMusicOnHold"), "EXEC StopMusicOnHold"),
        (
            commands.read("CR_DIGITS", ("menu",), max_digits=4, timeout_seconds=5),
            'EXEC Read "CR_DIGITS,menu,4,,1,5"',
        ),
        (
            commands.read("CR_DIGITS", (), max_digits=1, timeout_seconds=0.25, options="n", attempts=2),
            'EXEC Read "CR_DIGITS,,1,n,2,0.25"',
        ),
        (commands.set_variable("__CR_LEG_0", 'a "b" \\c'), 'SET VARIABLE __CR_LEG_0 "a \\"b\\" \\\\c"'),
        (commands.set_variable("CR_EMPTY", ""), 'SET VARIABLE CR_EMPTY ""'),
        (commands.get_variable("CR_STATE"), "GET VARIABLE CR_STATE"),
        (commands.gosub("callrouter-queue"), "GOSUB callrouter-queue s 1"),
    ],
)
def test_commands_are_written(command: commands.AgiCommand, expected: str) -> None:
    assert expected.encode() == command


@settings(max_examples=300)
@given(st.text(max_size=300))
def test_any_value_survives_the_quoting(value: str) -> None:
    """What a stranger wrote, once it is text that fits, is one argument and the same argument."""
    text = commands.as_text(value)

    words = parse_args(commands.set_variable("CR_NAME", text).decode())

    assert ["SET", "VARIABLE", "CR_NAME", text] == words


@pytest.mark.parametrize(
    ("value", "text"),
    [("a\r\nb\nc\0d", "a b c d"), ("x" * 2000, "x" * 900), ("🙂" * 500, "🙂" * 225), ('"' * 800, '"' * 450)],
)
def test_a_strangers_words_become_text_that_fits(value: str, text: str) -> None:
    assert text == commands.as_text(value)
    assert len(commands.set_variable("CR_NAME", commands.as_text(value))) <= commands.MAX_COMMAND_BYTES


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda: commands.set_variable("CR_A", "x\r\nAction: Originate"), "CR, LF or NUL"),
        (lambda: commands.set_variable("CR_A", "x" * 901), "at most 900 bytes"),
        (lambda: commands.set_variable("CR_A", "é" * 451), "at most 900 bytes"),
        (lambda: commands.set_variable("SHELL(id)", "x"), "cannot be a channel variable"),
        (lambda: commands.get_variable("SHELL(id)"), "cannot be a channel variable"),
        (lambda: commands.get_variable("__CR_A"), "cannot be a channel variable"),
        (lambda: commands.get_variable("CR_A\n"), "cannot be a channel variable"),
        (lambda: commands.gosub("callrouter-queue,s,1"), "cannot be written there"),
        (lambda: commands.gosub("a b"), "cannot be written there"),
        (lambda: commands.playback(("a&b",)), "cannot be a sound"),
        (lambda: commands.playback(("../${X}",)), "cannot be a sound"),
        (lambda: commands.exec_app("System", "a,b"), "put such a value into a channel variable"),
        (lambda: commands.exec_app("Wait", "${EVIL}"), "put such a value into a channel variable"),
        (lambda: commands.exec_app("Wait x"), "cannot be the name"),
        (lambda: commands.read("CR_D", (), max_digits=0, timeout_seconds=1), "1–255 digits"),
        (lambda: commands.command("EXEC", *["x"] * 100), "at most 100 arguments"),
        (lambda: commands.command("EXEC", *["x" * 600] * 2), "at most 1013 bytes"),
    ],
)
def test_what_cannot_be_written_is_refused(build: object, reason: str) -> None:
    assert callable(build)
    with pytest.raises(EncodingError, match=reason):
        build()


def test_the_longest_command_fits_an_ami_line() -> None:
    line = encode_header("Command", commands.set_variable("CR_STATE", "x" * 900).decode())

    assert len(line) <= MAX_LINE_BYTES


# Actions of a channel


def test_actions_of_a_channel_are_written() -> None:
    channel = ChannelActions("PJSIP/trunk-1")
    line = b"Channel: PJSIP/trunk-1\r\n"

    assert b"Action: AGI\r\n" + line + b"Command: NOOP\r\nCommandID: 5ba1\r\nActionID: a1\r\n\r\n" == channel.agi(
        commands.noop(), b"5ba1", b"a1"
    )
    assert b"Action: AbsoluteTimeout\r\nActionID: p/Timeout\r\n" + line + b"Timeout: 2.500\r\n\r\n" == channel.wake(2.5)
    assert (
        b"Action: Setvar\r\nActionID: p/Setvar\r\n" + line + b"Variable: CR_NAME\r\nValue: a b\r\n\r\n"
        == channel.set_variable("CR_NAME", "a\r\nb")
    )
    assert post("Ping", "x", b"") == b"Action: Ping\r\nActionID: p/Ping/x\r\n\r\n"


@pytest.mark.parametrize("seconds", [0, -1, 1e9, float("nan")])
def test_a_lease_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="a lease lasts"):
        ChannelActions("PJSIP/a").wake(seconds)


def test_a_channel_name_cannot_break_out() -> None:
    with pytest.raises(EncodingError):
        ChannelActions("PJSIP/a\r\nAction: Originate")


# Results


@pytest.mark.parametrize(
    ("text", "kind", "code", "result", "value", "endpos"),
    [
        ("200 result=0\n", ResultKind.OK, 200, "0", None, None),
        ("200 result=1\n", ResultKind.OK, 200, "1", None, None),
        ("200 result=1 (a (b) c)\n", ResultKind.OK, 200, "1", "a (b) c", None),
        ("200 result=1 ()\n", ResultKind.OK, 200, "1", "", None),
        ("200 result=1 (two\nlines) endpos=5)\n", ResultKind.OK, 200, "1", "two\nlines) endpos=5", None),
        ("200 result=1 (hangup)\n", ResultKind.OK, 200, "1", "hangup", None),
        ("200 result= (timeout)\n", ResultKind.OK, 200, "", "timeout", None),
        ("200 result=49 endpos=8160\n", ResultKind.OK, 200, "49", None, 8160),
        ("200 result=35 (dtmf) endpos=800\n", ResultKind.OK, 200, "35", "dtmf", 800),
        ("200 result=-1 (hangup) endpos=160\n", ResultKind.FAILED, 200, "-1", "hangup", 160),
        ("200 result=-1\n", ResultKind.FAILED, 200, "-1", None, None),
        ("200 result=-2\n", ResultKind.FAILED, 200, "-2", None, None),
        ("100 result=0 Trying...\n200 result=0 Gosub complete\n", ResultKind.OK, 200, "0", None, None),
        (
            "100 result=0 Trying...\n200 result=0 Gosub complete (abnormal exit)\n",
            ResultKind.FAILED,
            200,
            "0",
            None,
            None,
        ),
        ("100 result=0 Trying...\n200 result=-1 Gosub label not found\n", ResultKind.FAILED, 200, "-1", None, None),
        ("100 result=0 Trying...\n", ResultKind.OK, 100, "", None, None),
        ("510 Invalid or unknown command\n", ResultKind.INVALID, 510, "", None, None),
        ("511 Command Not Permitted on a dead channel\n", ResultKind.DEAD, 511, "", None, None),
        ("520-Invalid command syntax.\nUsage\n520 End of proper usage.\n", ResultKind.USAGE, 520, "", None, None),
        ("503 result=-2 Memory allocation failure\n", ResultKind.FAILED, 503, "", None, None),
        ("tail of a long value)\n", ResultKind.LOST_SYNC, 0, "", None, None),
        ("", ResultKind.LOST_SYNC, 0, "", None, None),
        ("2000 result=0\n", ResultKind.LOST_SYNC, 0, "", None, None),
    ],
)
def test_results_are_read(
    text: str, kind: ResultKind, code: int, result: str, value: str | None, endpos: int | None
) -> None:
    read = parse_result(text)

    assert (kind, code, result, value, endpos) == (read.kind, read.code, read.result, read.value, read.endpos)
    assert read == parse_encoded_result(url_encode(text, safe="").encode())


def test_a_time_out_is_seen() -> None:
    assert parse_result("200 result=12 (timeout)\n").value == "timeout"


@settings(max_examples=300)
@given(st.text(max_size=60))
def test_no_result_makes_the_parser_raise(text: str) -> None:
    parse_result(text)
    parse_result("200 result=1 (" + text + ")\n")
    parse_encoded_result(text.encode())

"""The PBX by itself: it boots clean, admits calls, hands them to an engine, and serves them without one.

A raw socket stands for the engine, SIPp for callers and phones; Asterisk is real.
"""

from __future__ import annotations

import base64
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote
from urllib.request import Request, urlopen

import pytest

from deploy.asterisk.pbx import Pbx, PbxError
from deploy.demo.sipp import own_media_port
from tests.patience import COMMAND_SECONDS

CHECKOUT = Path(__file__).resolve().parents[2]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCENARIOS = Path(__file__).parent / "sipp"
CALLER = "+33612345678"
ADMISSION_SECONDS = 1.0

Message = dict[str, str]
Sipp = "Callable[..., subprocess.Popen[bytes]]"


class RawAmi:
    """One manager session, without anything of callrouter's."""

    def __init__(self, pbx: Pbx) -> None:
        self._socket = socket.create_connection((pbx.ami_host, pbx.ami_port), timeout=5)
        self._stream = self._socket.makefile("rb")
        self._stream.readline()
        self.seen: list[Message] = []
        self._number = 0

    def login(self, user: str, secret: str) -> Message:
        return self.action("Login", Username=user, Secret=secret)

    def action(self, name: str, **headers: str) -> Message:
        self._number += 1
        action_id = f"t{self._number}"
        lines = [f"Action: {name}", f"ActionID: {action_id}", *(f"{key}: {value}" for key, value in headers.items())]
        self._socket.sendall("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n")
        return self.wait(lambda message: "Response" in message and message.get("ActionID") == action_id)

    def event(self, name: str, seconds: float = 5, **fields: str) -> Message:
        """The next event of that name with these fields, seen or still to come; it is given once."""
        return self.wait(
            lambda m: m.get("Event") == name and all(m.get(key) == value for key, value in fields.items()), seconds
        )

    def wait(self, wanted: Callable[[Message], bool], seconds: float = 5) -> Message:
        for place, message in enumerate(self.seen):
            if wanted(message):
                return self.seen.pop(place)
        deadline = time.monotonic() + seconds
        while True:
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                message = self._read()
            except TimeoutError:
                names = [m.get("Event") or m.get("Message") for m in self.seen]
                raise AssertionError(f"not within {seconds} s; seen {names}") from None
            if wanted(message):
                return message
            self.seen.append(message)

    def agi(self, channel: str, command: str, seconds: float = 5, lease: str = "30") -> str:
        """Queue one AGI command with its wake-up; the result's text."""
        self._number += 1
        command_id = f"c{self._number}"
        assert self.action("AGI", Channel=channel, Command=command, CommandID=command_id)["Response"] == "Success"
        self.action("AbsoluteTimeout", Channel=channel, Timeout=lease)
        return unquote(self.event("AsyncAGIExec", seconds, CommandId=command_id)["Result"])

    def close(self) -> None:
        self._stream.close()
        self._socket.close()

    def _read(self) -> Message:
        message: Message = {}
        while (line := self._stream.readline()) != b"\r\n":
            if not line:
                raise ConnectionResetError("Asterisk ended the session")
            key, _, value = line.decode(errors="replace").rstrip("\r\n").partition(": ")
            message[key] = value
        return message


@pytest.fixture(scope="module")
def phone_ports() -> dict[str, int]:
    return {name: _free_port() for name in ("agent-1", "agent-2", "carrier")}


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory, phone_ports: dict[str, int]) -> Iterator[Pbx]:
    with Pbx.start(
        tmp_path_factory.mktemp("pbx"),
        agents=3,
        agent_contacts={name: f"127.0.0.1:{phone_ports[name]}" for name in ("agent-1", "agent-2")},
        queue_members={"medical": ["agent-1"], "shop": ["agent-3"]},
        carrier=f"127.0.0.1:{phone_ports['carrier']}",
        admission_seconds=ADMISSION_SECONDS,
        qualify_seconds=0,  # SIPp's phones come with a test, go with it, and answer calls only
        extra_conf={"queues": "[line-2](team)\nmember => PJSIP/agent-2\n"},
    ) as running:
        yield running


@pytest.fixture
def ami(pbx: Pbx) -> Iterator[RawAmi]:
    """The engine's session; waits for the last test's one to be gone."""
    for _ in range(20):
        session = RawAmi(pbx)
        if session.login(pbx.ami_user, pbx.ami_secret)["Response"] == "Success":
            break
        session.close()
    yield session
    session.close()


@pytest.fixture
def sipp(pbx: Pbx, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a SIPp scenario: `sipp("talk", "0140000001")`, or a phone: `sipp("answer", port=5090)`."""
    running: list[subprocess.Popen[bytes]] = []

    def start(
        scenario: str,
        did: str = "-",
        *,
        port: int | None = None,
        hold_ms: int = 0,
        caller: str = CALLER,
        secret: str = "-",
        moved_to: str = "-",
        header: str = "X-Test: none",
    ) -> subprocess.Popen[bytes]:
        where = [] if port else [f"{pbx.sip_host}:{pbx.sip_port}", "-s", did]
        command = ["sipp", *where, "-p", str(port or _free_port()), "-i", "127.0.0.1", "-nostdin"]
        command += ["-mp", str(own_media_port())]
        # A phone answers whatever comes: an INVITE of an earlier test, sent again, would be its only call otherwise.
        command += [] if port else ["-m", "1"]
        command += ["-sf", str(SCENARIOS / f"{scenario}.xml"), "-d", str(hold_ms), "-timeout", "20s"]
        command += ["-key", "from", caller, "-key", "name", "Jean", "-au", caller, "-ap", secret]
        command += ["-key", "moved_to", moved_to, "-key", "header", header]
        command += ["-key", "pbx", f"{pbx.sip_host}:{pbx.sip_port}"]
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        running.append(process)
        if port:
            _wait_until_bound(port)
        return process

    yield start
    # While the phones can still answer: one that is killed in a conversation would be busy, and sent a BYE, for long.
    pbx.cli("channel request hangup all")
    deadline = time.monotonic() + 5
    while not pbx.cli("core show channels count").startswith("0 active channels"):
        assert time.monotonic() < deadline, "calls of a test outlive it"
        time.sleep(0.05)
    for process in running:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_bound(port: int) -> None:
    local = f"0100007F:{port:04X}"
    deadline = time.monotonic() + 3
    while local not in Path("/proc/net/udp").read_text():
        assert time.monotonic() < deadline, f"nothing listens on {port}"
        time.sleep(0.01)


def _variable(ami: RawAmi, channel: str, name: str) -> str:
    return ami.action("Getvar", Channel=channel, Variable=name)["Value"]


def _ended_row(pbx: Pbx, call: str) -> list[str]:
    shown = pbx.cli(f"database get callrouter ended/{call}")
    assert shown.startswith("Value: "), shown
    return shown.removeprefix("Value: ").strip().split("|")


# ---- the machine -----------------------------------------------------------------------------------------------


def test_boots_without_a_warning(tmp_path: Path) -> None:
    """Nothing of the configuration is doubtful to Asterisk."""
    with Pbx.start(tmp_path) as booted:
        lines = booted.log().splitlines()

    assert [line for line in lines if re.search(r"\b(WARNING|ERROR)\b", line)] == []


def test_listens_on_loopback_only(pbx: Pbx) -> None:
    """Neither AMI nor SIP can be reached from another machine."""
    hexadecimal = {f":{port:04X}" for port in (pbx.sip_port, pbx.ami_port)}
    tables = [Path(f"/proc/net/{kind}").read_text().splitlines()[1:] for kind in ("udp", "tcp")]
    addresses = {line.split()[1] for lines in tables for line in lines if line.split()[1][-5:] in hexadecimal}

    assert {address[:8] for address in addresses} == {"0100007F"}


def test_secrets_are_readable_by_the_owner_only(pbx: Pbx) -> None:
    """Whoever reads the AMI secret has a shell."""
    names = ("manager.conf", "pjsip.conf", "ari.conf", "callrouter/phones.conf", "callrouter-secrets.json")
    secret_files = [pbx.run_dir / "pbx.json", *(pbx.run_dir / "etc" / name for name in names)]

    assert {path.stat().st_mode & 0o077 for path in secret_files} == {0}


def test_prompts_and_music_are_found(pbx: Pbx) -> None:
    """English and French prompts, and music on hold, come with the PBX."""
    assert (pbx.sounds_dir / "en" / "beep.wav").exists()
    assert (pbx.sounds_dir / "fr" / "please-try-call-later.wav").exists()
    ordinary, soft = (pbx.cli("moh show files").split(f"Class: {name}\n")[1] for name in ("default", "callrouter-soft"))
    assert "/moh/" in ordinary.split("Class: ")[0]
    assert "/moh-soft/" in soft.split("Class: ")[0]


def test_a_second_start_in_the_same_folder_is_refused(pbx: Pbx) -> None:
    """Two Asterisks in one folder would share an AstDB and a control socket."""
    with pytest.raises(PbxError, match="already runs in"):
        Pbx.start(pbx.run_dir)


def test_a_port_that_is_taken_is_named(pbx: Pbx, tmp_path: Path) -> None:
    """A port asked for by number and taken is an error that shows both."""
    with pytest.raises(PbxError, match=f"AMI 127.0.0.1:{pbx.ami_port}.*cannot listen"):
        Pbx.start(tmp_path, ami_port=pbx.ami_port, sip_port=pbx.sip_port)


def test_a_phone_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """A contact for agent-9 among three agents is a mistake, not a new phone."""
    with pytest.raises(PbxError, match="there is no phone 'agent-9'"):
        Pbx.start(tmp_path, agents=3, agent_contacts={"agent-9": "127.0.0.1:5090"})


# ---- manager ---------------------------------------------------------------------------------------------------


def test_the_engine_is_alone(pbx: Pbx, ami: RawAmi) -> None:
    """A second session of the engine's user is refused while the first lives."""
    for _ in range(2):
        second = RawAmi(pbx)
        assert second.login(pbx.ami_user, pbx.ami_secret)["Response"] == "Error"
        second.close()

    assert ami.action("Ping")["Response"] == "Success"


@pytest.mark.parametrize(
    ("action", "headers"),
    [
        ("DBPut", {"Family": "callrouter/test", "Key": "k", "Val": "v"}),
        ("QueueStatus", {}),
        ("QueueReload", {}),
        ("UserEvent", {"UserEvent": "Hello"}),
        ("Filter", {"Operation": "Add", "Filter": "Event: Hangup"}),
        ("Status", {}),
        ("CoreShowChannels", {}),
        (
            "Originate",
            {"Channel": "Local/1@callrouter-outgoing/n", "Application": "Wait", "Data": "1", "Async": "true"},
        ),
    ],
)
def test_the_engine_may(ami: RawAmi, action: str, headers: dict[str, str]) -> None:
    """Each action the engine uses is within its privileges."""
    assert ami.action(action, **headers)["Response"] == "Success"


def test_the_engine_may_clear_what_it_wrote(ami: RawAmi) -> None:
    """One after the other: a family that is not there cannot be removed."""
    assert ami.action("DBPut", Family="callrouter/test-clear", Key="k", Val="v")["Response"] == "Success"
    assert ami.action("DBDelTree", Family="callrouter/test-clear")["Response"] == "Success"


def test_the_engine_may_change_a_queues_members(ami: RawAmi) -> None:
    """One after the other: who is not there cannot be removed."""
    for action in ("QueueAdd", "QueueRemove"):
        assert ami.action(action, Queue="shop", Interface="PJSIP/agent-2")["Response"] == "Success"


@pytest.mark.parametrize(
    ("action", "headers"),
    [
        ("Command", {"Command": "core show uptime"}),
        ("UpdateConfig", {"SrcFilename": "extensions.conf", "DstFilename": "extensions.conf"}),
        ("CreateConfig", {"Filename": "more.conf"}),
    ],
)
def test_the_engine_may_not(ami: RawAmi, action: str, headers: dict[str, str]) -> None:
    """Console and rewriting the configuration are not the engine's business."""
    assert ami.action(action, **headers)["Response"] == "Error"


def test_the_admin_can_end_a_stale_session(pbx: Pbx, ami: RawAmi) -> None:
    """The second user finds the engine's session and ends it."""
    admin = RawAmi(pbx)
    assert admin.login(pbx.ami_admin_user, pbx.ami_admin_secret)["Response"] == "Success"
    sessions = pbx.cli("manager show connected")
    row = next(line for line in sessions.splitlines() if re.match(r"\s*callrouter\s", line))
    descriptor = row.split()[4]

    assert admin.action("Command", Command=f"manager kick session {descriptor}")["Response"] == "Success"
    with pytest.raises(OSError):
        ami.wait(lambda _: False)
    admin.close()


# ---- entry, lease, fallback, journal ---------------------------------------------------------------------------


@pytest.mark.parametrize("did", ["0140000001", "+33140000001", "7", "reception"])
def test_a_call_reaches_the_engine(ami: RawAmi, sipp: Callable[..., subprocess.Popen[bytes]], did: str) -> None:
    """Whatever the number looks like, AsyncAGIStart carries the call's id and the number."""
    caller = sipp("give_up", did, hold_ms=300)
    started = ami.event("AsyncAGIStart")
    environment = dict(line.split(": ", 1) for line in unquote(started["Env"]).splitlines() if ": " in line)

    assert re.fullmatch(r"\d{10}-\d+-\d{6}", environment["agi_arg_1"])
    assert _variable(ami, started["Channel"], "CR_CALL") == environment["agi_arg_1"]
    assert _variable(ami, started["Channel"], "CR_DID") == did
    assert environment["agi_callerid"] == CALLER
    assert caller.wait(10) == 0


def test_a_number_with_strange_characters_is_filtered(
    ami: RawAmi, sipp: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """What a stranger dials never becomes a path, a comma or an expression in Asterisk's dialplan."""
    sipp("give_up", "01%2Cs%2C1%29/%24%7BEPOCH%7D", hold_ms=300)
    started = ami.event("AsyncAGIStart")

    assert _variable(ami, started["Channel"], "CR_DID") == "01s1EPOCH"


def test_without_an_engine_the_lease_ends_in_the_fallback(
    pbx: Pbx, ami: RawAmi, sipp: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """After CR_ADMISSION seconds the caller hears a prompt, is hung up on, and leaves a journal row."""
    caller = sipp("listen", "0140000001")
    started = ami.event("AsyncAGIStart")
    at = time.monotonic()
    ami.event("AsyncAGIEnd", Channel=started["Channel"])
    lease = time.monotonic() - at
    call = _variable(ami, started["Channel"], "CR_CALL")
    state = "eyJub2RlIjoibWVudSJ9+/=="
    ami.action("Setvar", Channel=started["Channel"], Variable="CR_STATE", Value=state)
    ami.event("Newstate", Channel=started["Channel"], ChannelStateDesc="Up")
    hangup = ami.event("Hangup", 15, Channel=started["Channel"])

    assert ADMISSION_SECONDS - 0.1 < lease < ADMISSION_SECONDS + 0.2
    assert hangup["Cause"] == "16"
    assert caller.wait(10) == 0
    form, epoch, _cause, did, shown, number, how, lost, before, answers, kept = _ended_row(pbx, call)
    assert abs(int(epoch) - time.time()) < 5
    assert 0 <= int(epoch) - int(lost) <= 10
    assert (form, did, shown, number, how, kept) == ("v2", "0140000001", "a", CALLER, "1", state)
    # Of the answers, when they objected to a recording besides, and when a conversation ended that nobody went on from.
    assert (before, answers) == ("////", "//////")


def test_every_call_leaves_a_row_that_says_who_had_it(
    pbx: Pbx, ami: RawAmi, sipp: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """The engine that took a call says so in CR_LOST, and deletes the row once it has its own."""
    sipp("give_up", "0140000001", hold_ms=400)
    started = ami.event("AsyncAGIStart")
    call = _variable(ami, started["Channel"], "CR_CALL")
    assert _variable(ami, started["Channel"], "CR_LOST") == "new"
    ami.action("Setvar", Channel=started["Channel"], Variable="CR_LOST", Value="taken")
    ami.event("Hangup", Channel=started["Channel"])

    assert _ended_row(pbx, call)[6] == "taken"


@pytest.mark.parametrize("queue", ["medical", "line-2"])
def test_the_published_fallback_queue_serves_alone(
    pbx: Pbx,
    ami: RawAmi,
    sipp: Callable[..., subprocess.Popen[bytes]],
    phone_ports: dict[str, int],
    queue: str,
) -> None:
    """queue:<name>: an agent answers, and the conversation outlives any lease."""
    agent = {"medical": "agent-1", "line-2": "agent-2"}[queue]
    ami.action("DBPut", Family="callrouter/fallback", Key="0140000002", Val=f"queue:{queue}")
    sipp("answer", port=phone_ports[agent])
    caller = sipp("talk", "0140000002", hold_ms=2500)
    ami.event("AgentConnect", Queue=queue)

    assert caller.wait(10) == 0
    assert ami.event("AgentComplete", Queue=queue)["Reason"] == "caller"


def test_the_published_fallback_number_is_dialled(
    pbx: Pbx, ami: RawAmi, sipp: Callable[..., subprocess.Popen[bytes]], phone_ports: dict[str, int]
) -> None:
    """number:<digits>: the carrier is called with the digits."""
    ami.action("DBPut", Family="callrouter/fallback", Key="0140000003", Val="number:+33611223344")
    sipp("answer", port=phone_ports["carrier"])
    caller = sipp("talk", "0140000003", hold_ms=300)
    begun = ami.event("DialBegin")

    assert begun["DialString"] == "+33611223344@trunk-out"
    assert caller.wait(10) == 0


# ---- phones ------------------------------------------------------------------------------------------------------


def test_a_phone_registers_with_its_secret(pbx: Pbx, sipp: Callable[..., subprocess.Popen[bytes]]) -> None:
    """The softphone, on the carrier's own address, is told apart by its name and its secret."""
    wrong = sipp("register", caller="softphone", secret="guess")
    right = sipp("register", caller="softphone", secret=pbx.phone_secrets["softphone"])

    assert wrong.wait(10) != 0
    assert right.wait(10) == 0
    assert "sip:softphone@127.0.0.1" in pbx.cli("pjsip show contacts")


def test_nobody_calls_under_a_phones_name(sipp: Callable[..., subprocess.Popen[bytes]]) -> None:
    """A caller who claims to be agent-1 must know its secret."""
    assert sipp("challenged", "agent-2", caller="agent-1").wait(10) == 0


def test_a_number_of_strange_beginning_is_refused(sipp: Callable[..., subprocess.Popen[bytes]]) -> None:
    """What no pattern admits gets 404, without a channel for the engine."""
    assert sipp("refused", "%24x").wait(10) == 0


# ---- routines --------------------------------------------------------------------------------------------------


@pytest.fixture
def channel(ami: RawAmi, sipp: Callable[..., subprocess.Popen[bytes]]) -> str:
    """A caller answered by the engine, who stays 12 s."""
    sipp("talk", "0140000001", hold_ms=12000)
    name = ami.event("AsyncAGIStart")["Channel"]
    assert "200 result=0" in ami.agi(name, "ANSWER")
    return name


def _gosub(ami: RawAmi, channel: str, context: str, seconds: float = 8, **variables: str) -> str:
    for variable, value in variables.items():
        ami.action("Setvar", Channel=channel, Variable=variable, Value=value)
    result = ami.agi(channel, f"GOSUB {context} s 1", seconds, lease="14400")
    assert "200 result=0 Gosub complete" in result, result
    return _variable(ami, channel, "CR_RESULT")


def _lease_left(ami: RawAmi, channel: str) -> float | None:
    """Seconds, or None when the lease is off. TimeToHangup is an instant: seconds since 1970, 0 for never."""
    ami.action("Status", Channel=channel)
    ends_at = int(ami.event("Status", Channel=channel)["TimeToHangup"])
    return ends_at - time.time() if ends_at else None


def test_record_returns_with_its_status_and_the_lease(pbx: Pbx, ami: RawAmi, channel: str) -> None:
    """A silent caller is recorded until CR_MAX; the routine arms the lease again before it returns."""
    path = pbx.recordings_dir / "message-1.wav"

    result = _gosub(
        ami, channel, "callrouter-record", CR_FILE=str(path), CR_SILENCE="0", CR_MAX="1", CR_RECORD_OPTIONS="q"
    )

    assert result == "TIMEOUT"
    assert path.exists()
    left = _lease_left(ami, channel)
    assert left is not None
    assert 8 < left <= 10


def test_queue_with_nobody_logged_in_returns_at_once(ami: RawAmi, channel: str) -> None:
    """agent-3 has not registered: the caller does not wait for nobody."""
    assert _gosub(ami, channel, "callrouter-queue", CR_QUEUE="shop", CR_QUEUE_OPTIONS="c") == "JOINEMPTY"


def test_queue_time_out_returns(
    ami: RawAmi, channel: str, sipp: Callable[..., subprocess.Popen[bytes]], phone_ports: dict[str, int]
) -> None:
    """CR_QUEUE_WAIT bounds the wait, whatever the agent's phone does."""
    sipp("ring", port=phone_ports["agent-1"])

    result = _gosub(ami, channel, "callrouter-queue", CR_QUEUE="medical", CR_QUEUE_OPTIONS="c", CR_QUEUE_WAIT="1")

    assert result == "TIMEOUT"


def test_a_key_leaves_the_queue(
    ami: RawAmi, channel: str, sipp: Callable[..., subprocess.Popen[bytes]], phone_ports: dict[str, int]
) -> None:
    """One of the caller's own keys returns to the engine, lease on; others do nothing. The next visit has none."""
    sipp("ring", port=phone_ports["agent-2"])
    queue = {"CR_QUEUE": "line-2", "CR_QUEUE_OPTIONS": "c", "CR_QUEUE_WAIT": "20"}
    for name, value in {**queue, "CR_QUEUE_KEYS": "5*", "CR_QUEUE_POSITION": "3"}.items():
        ami.action("Setvar", Channel=channel, Variable=name, Value=value)
    ami.action("AGI", Channel=channel, Command="GOSUB callrouter-queue s 1", CommandID="k")
    ami.action("AbsoluteTimeout", Channel=channel, Timeout="14400")
    ami.event("AgentCalled")
    for key in "125":
        _press(ami, channel, key)
    result = unquote(ami.event("AsyncAGIExec", CommandId="k")["Result"])

    assert "200 result=0 Gosub complete" in result
    assert (_variable(ami, channel, "CR_RESULT"), _variable(ami, channel, "CR_KEY")) == ("KEY:5", "5")
    assert [_variable(ami, channel, name) for name in ("CR_QUEUE_KEYS", "CR_QUEUE_POSITION")] == ["", ""]
    assert _lease_left(ami, channel) is not None


def test_no_key_leaves_a_queue_where_the_caller_has_none(
    ami: RawAmi, channel: str, sipp: Callable[..., subprocess.Popen[bytes]], phone_ports: dict[str, int]
) -> None:
    """Every team has the context of keys, and most callers use none."""
    sipp("ring", port=phone_ports["agent-2"])
    for name, value in {"CR_QUEUE": "line-2", "CR_QUEUE_OPTIONS": "c", "CR_QUEUE_WAIT": "3"}.items():
        ami.action("Setvar", Channel=channel, Variable=name, Value=value)
    ami.action("AGI", Channel=channel, Command="GOSUB callrouter-queue s 1", CommandID="k")
    ami.action("AbsoluteTimeout", Channel=channel, Timeout="14400")
    ami.event("AgentCalled")
    for key in "0123456789*#":
        _press(ami, channel, key)
    ami.event("AsyncAGIExec", CommandId="k")

    assert _variable(ami, channel, "CR_RESULT") == "TIMEOUT"


def test_queue_answered_is_never_cut_by_the_wake_up(
    ami: RawAmi, channel: str, sipp: Callable[..., subprocess.Popen[bytes]], phone_ports: dict[str, int]
) -> None:
    """Inside the routine the lease is off: nothing can cut the conversation."""
    sipp("answer", port=phone_ports["agent-1"])
    for name, value in {"CR_QUEUE": "medical", "CR_QUEUE_OPTIONS": "c", "CR_QUEUE_WAIT": "20"}.items():
        ami.action("Setvar", Channel=channel, Variable=name, Value=value)
    ami.action("AGI", Channel=channel, Command="GOSUB callrouter-queue s 1", CommandID="q")
    ami.action("AbsoluteTimeout", Channel=channel, Timeout="14400")
    connected = ami.event("AgentConnect")
    assert _lease_left(ami, channel) is None
    ami.action("Status", Channel=channel)
    assert ami.event("Status", Channel=channel)["Application"] == "Queue"

    ami.action("Hangup", Channel=connected["DestChannel"])
    result = unquote(ami.event("AsyncAGIExec", CommandId="q")["Result"])

    assert "200 result=0 Gosub complete" in result
    assert _variable(ami, channel, "CR_RESULT") == "CONTINUE"


def _dial_both(ami: RawAmi, channel: str, screen: str = "") -> None:
    variables = {
        "__CR_LEG_0": "PJSIP/agent-1",
        "__CR_LEG_1": "PJSIP/agent-2",
        "__CR_SCREEN": screen,
        "__CR_RING": "8",
        "CR_DIAL": "Local/0@callrouter-leg/n&Local/1@callrouter-leg/n",
    }
    for name, value in variables.items():
        ami.action("Setvar", Channel=channel, Variable=name, Value=value)
    ami.action("AGI", Channel=channel, Command="GOSUB callrouter-dial s 1", CommandID="d")
    ami.action("AbsoluteTimeout", Channel=channel, Timeout="14400")


def _phone_up(ami: RawAmi, agent: str) -> str:
    return ami.wait(
        lambda m: (
            m.get("Event") == "Newstate"
            and m["Channel"].startswith(f"PJSIP/{agent}-")
            and m["ChannelStateDesc"] == "Up"
        )
    )["Channel"]


def _press(ami: RawAmi, channel: str, digit: str) -> None:
    time.sleep(0.3)
    assert ami.action("PlayDTMF", Channel=channel, Digit=digit, Duration="100", Receive="1")["Response"] == "Success"


def test_dial_without_screening_reports_the_bridge(
    pbx: Pbx, ami: RawAmi, channel: str, sipp: Callable[..., subprocess.Popen[bytes]], phone_ports: dict[str, int]
) -> None:
    """The first phone that answers gets the caller; the engine is told which leg, now or from the notes."""
    sipp("ring", port=phone_ports["agent-1"])
    sipp("answer", port=phone_ports["agent-2"])
    _dial_both(ami, channel)
    bridged = ami.event("UserEvent", UserEvent="CallrouterBridged")

    assert (bridged["Call"], bridged["Leg"]) == (_variable(ami, channel, "CR_CALL"), "1")
    ami.action("Hangup", Channel=_phone_up(ami, "agent-2"))
    assert "Gosub complete" in unquote(ami.event("AsyncAGIExec", CommandId="d")["Result"])
    assert _variable(ami, channel, "CR_RESULT") == "ANSWER"
    assert _variable(ami, channel, "CR_ACCEPTED_BY") == "1"
    assert _variable(ami, channel, "CR_ACCEPTED_BY") == "1"
    ami.action("Hangup", Channel=channel)
    ami.event("Hangup", Channel=channel)
    assert _ended_row(pbx, bridged["Call"])[9].split("/")[4] == "1"


def test_a_refused_screening_lets_the_others_ring(
    ami: RawAmi, channel: str, sipp: Callable[..., subprocess.Popen[bytes]], phone_ports: dict[str, int]
) -> None:
    """Someone who answers but does not press 1 is dropped; the one who accepts later gets the call."""
    sipp("answer", port=phone_ports["agent-1"])
    sipp("answer", port=phone_ports["agent-2"], hold_ms=1500)
    _dial_both(ami, channel, screen="beep")
    first = _phone_up(ami, "agent-1")
    _press(ami, first, "2")
    ami.event("Hangup", Channel=first)
    second = _phone_up(ami, "agent-2")
    _press(ami, second, "1")
    bridged = ami.event("UserEvent", UserEvent="CallrouterBridged")

    assert bridged["Leg"] == "1"
    ami.action("Hangup", Channel=second)
    ami.event("AsyncAGIExec", CommandId="d")
    assert _variable(ami, channel, "CR_RESULT") == "ANSWER"


def test_refused_by_all_is_told(
    ami: RawAmi, channel: str, sipp: Callable[..., subprocess.Popen[bytes]], phone_ports: dict[str, int]
) -> None:
    """Nobody pressed 1: the engine is told that they were asked and refused, and the caller is still there."""
    sipp("answer", port=phone_ports["agent-1"])
    sipp("answer", port=phone_ports["agent-2"])
    _dial_both(ami, channel, screen="beep")
    for agent in ("agent-1", "agent-2"):
        _press(ami, _phone_up(ami, agent), "9")
    ami.event("AsyncAGIExec", CommandId="d")

    assert _variable(ami, channel, "CR_RESULT") == "DONTCALL"
    assert "200 result=0" in ami.agi(channel, "NOOP")


def test_all_busy_is_busy(
    ami: RawAmi,
    channel: str,
    sipp: Callable[..., subprocess.Popen[bytes]],
    phone_ports: dict[str, int],
) -> None:
    """A busy phone is told from one nobody answers."""
    sipp("busy", port=phone_ports["agent-1"])
    sipp("busy", port=phone_ports["agent-2"])
    _dial_both(ami, channel)
    ami.event("AsyncAGIExec", CommandId="d")

    assert _variable(ami, channel, "CR_RESULT") == "BUSY"


def test_an_engine_that_dies_inside_a_routine_disturbs_nobody(
    pbx: Pbx, ami: RawAmi, channel: str, sipp: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """The session drops during a recording: it runs to its end, then the lease leads to the fallback."""
    call = _variable(ami, channel, "CR_CALL")
    for name, value in {"CR_FILE": str(pbx.recordings_dir / "m2.wav"), "CR_MAX": "2", "CR_LEASE": "0.5"}.items():
        ami.action("Setvar", Channel=channel, Variable=name, Value=value)
    ami.action("AGI", Channel=channel, Command="GOSUB callrouter-record s 1", CommandID="r")
    ami.action("AbsoluteTimeout", Channel=channel, Timeout="14400")
    ami.close()
    deadline = time.monotonic() + 10
    while "not found" in pbx.cli(f"database get callrouter ended/{call}"):
        assert time.monotonic() < deadline
        time.sleep(0.2)

    assert _ended_row(pbx, call)[3] == "0140000001"


# ---- redirections ------------------------------------------------------------------------------------------------
# agent-2, whom the others name instead of themselves, is a phone that Asterisk's dialplan may well call.


def _dialled_since(ami: RawAmi) -> list[str]:
    """The phones that were dialled, in order, of all that was seen so far."""
    ami.action("Ping")
    return [m["DestChannel"].partition("-0")[0] for m in ami.seen if m.get("Event") == "DialBegin"]


def test_an_agents_redirection_is_not_followed(
    ami: RawAmi, channel: str, sipp: Callable[..., subprocess.Popen[bytes]], phone_ports: dict[str, int]
) -> None:
    """A queue's member answers 302: nobody else is rung for them, and the caller leaves by the queue's time-out."""
    sipp("moved", port=phone_ports["agent-1"], moved_to="agent-2")
    colleague = sipp("answer", port=phone_ports["agent-2"])

    result = _gosub(ami, channel, "callrouter-queue", CR_QUEUE="medical", CR_QUEUE_OPTIONS="c", CR_QUEUE_WAIT="2")

    assert result == "TIMEOUT"
    assert set(_dialled_since(ami)) == {"PJSIP/agent-1"}
    assert colleague.poll() is None


def test_a_dialled_partys_redirection_is_not_followed(
    ami: RawAmi, channel: str, sipp: Callable[..., subprocess.Popen[bytes]], phone_ports: dict[str, int]
) -> None:
    """Who was dialled for the engine answers 302: the leg is busy, and the engine takes the exit for that."""
    sipp("moved", port=phone_ports["carrier"], moved_to="agent-2")

    result = _gosub(
        ami,
        channel,
        "callrouter-dial",
        __CR_LEG_0="PJSIP/+33611223344@trunk-out",
        __CR_RING="8",
        __CR_SCREEN="",
        CR_DIAL="Local/0@callrouter-leg/n",
    )

    assert result == "BUSY"
    assert _dialled_since(ami) == ["Local/0@callrouter-leg", "PJSIP/trunk-out"]


@pytest.mark.parametrize(("plan", "phone"), [("queue:medical", "agent-1"), ("number:+33611223344", "carrier")])
def test_the_fallback_follows_no_redirection(
    ami: RawAmi,
    sipp: Callable[..., subprocess.Popen[bytes]],
    phone_ports: dict[str, int],
    plan: str,
    phone: str,
) -> None:
    """Without an engine too: nothing but what was published is dialled."""
    ami.action("DBPut", Family="callrouter/fallback", Key="0140000004", Val=plan)
    sipp("moved", port=phone_ports[phone], moved_to="agent-2")
    sipp("give_up", "0140000004", hold_ms=4000)
    first = ami.event("DialBegin", 8)
    ami.event("DialEnd", DestChannel=first["DestChannel"])
    time.sleep(1)

    expected = {"agent-1": "PJSIP/agent-1", "carrier": "PJSIP/trunk-out"}[phone]
    assert {first["DestChannel"].partition("-0")[0], *_dialled_since(ami)} == {expected}


def test_a_colleagues_redirection_is_not_followed(
    ami: RawAmi, channel: str, sipp: Callable[..., subprocess.Popen[bytes]], phone_ports: dict[str, int]
) -> None:
    """A caller who is transferred to a colleague does not get whom the colleague's phone names."""
    sipp("moved", port=phone_ports["agent-1"], moved_to="agent-2")
    ami.action("Redirect", Channel=channel, Context="callrouter-phones", Exten="agent-1", Priority="1")
    first = ami.event("DialBegin")
    ami.event("DialEnd", DestChannel=first["DestChannel"])
    time.sleep(1)

    assert [first["DestChannel"].partition("-0")[0], *_dialled_since(ami)] == ["PJSIP/agent-1"]


def test_nothing_that_dials_follows_a_redirection(pbx: Pbx) -> None:
    """Every Dial() and Queue() of the dialplan has the option, and no template of pjsip.conf has PJSIP follow one."""
    etc = pbx.run_dir / "etc"
    dialplan = (etc / "extensions.conf").read_text() + (etc / "callrouter/extensions.conf").read_text()
    while "${" in dialplan:  # what stands there for good, not what a variable may hold
        dialplan = re.sub(r"\$\{[^{}]*\}", "", dialplan)
    steps = re.findall(r"^[^;\n]*\b(Dial|Queue)\((.*)\)\s*$", dialplan, re.MULTILINE)
    options = [arguments.split(",")[{"Dial": 2, "Queue": 1}[name]].partition("(")[0] for name, arguments in steps]
    sip = (pbx.run_dir / "etc/pjsip.conf").read_text()

    agents = sum(name.startswith("agent-") for name in pbx.phone_secrets)
    assert len(options) == 9 + agents
    assert [option for option in options if "i" not in option] == []
    assert sip.count("type = endpoint") == sip.count("redirect_method = user") == 2


# ---- expensive numbers -------------------------------------------------------------------------------------------
# The carrier's phone would answer; nothing but what the engine or the published fallback names may reach it.
EXPENSIVE = "0899123456"


def test_no_phone_dials_out(pbx: Pbx, ami: RawAmi, sipp: Callable[..., subprocess.Popen[bytes]]) -> None:
    """A phone that proves who it is reaches other phones only."""
    caller = sipp("phone_calls_out", EXPENSIVE, caller="agent-1", secret=pbx.phone_secrets["agent-1"])

    assert caller.wait(10) == 0
    assert _dialled_since(ami) == []


def test_no_agent_transfers_a_caller_out(
    pbx: Pbx, ami: RawAmi, sipp: Callable[..., subprocess.Popen[bytes]], phone_ports: dict[str, int]
) -> None:
    """Their REFER leads nowhere, as they are told, and the conversation goes on."""
    ami.action("DBPut", Family="callrouter/fallback", Key="0140000005", Val="queue:medical")
    sipp("agent_transfers", port=phone_ports["agent-1"], hold_ms=300, moved_to=EXPENSIVE)
    caller = sipp("talk", "0140000005", hold_ms=4000)
    ami.event("AgentConnect")

    assert caller.wait(15) == 0
    assert set(_dialled_since(ami)) == {"PJSIP/agent-1"}
    assert f"transfer to '{EXPENSIVE}@callrouter-phones' but target does not exist" in pbx.log()


def test_no_caller_transfers_themselves_out(
    ami: RawAmi, sipp: Callable[..., subprocess.Popen[bytes]], phone_ports: dict[str, int]
) -> None:
    """A caller's REFER is declined, whoever they speak with."""
    ami.action("DBPut", Family="callrouter/fallback", Key="0140000006", Val="queue:medical")
    sipp("answer", port=phone_ports["agent-1"])
    caller = sipp("caller_transfers", "0140000006", hold_ms=2500, moved_to=EXPENSIVE)
    ami.event("AgentConnect")

    assert caller.wait(15) == 0
    assert set(_dialled_since(ami)) == {"PJSIP/agent-1"}


@pytest.mark.parametrize("named", ["Diversion", "P-Asserted-Identity"])
def test_who_a_caller_says_they_are_is_never_dialled(
    ami: RawAmi, sipp: Callable[..., subprocess.Popen[bytes]], phone_ports: dict[str, int], named: str
) -> None:
    """Neither their number nor one that they were forwarded by."""
    ami.action("DBPut", Family="callrouter/fallback", Key="0140000007", Val="queue:medical")
    sipp("answer", port=phone_ports["agent-1"])
    header = f"{named}: <sip:{EXPENSIVE}@127.0.0.1>"
    caller = sipp("talk_as", "0140000007", caller=EXPENSIVE, hold_ms=2500, header=header)
    ami.event("AgentConnect")

    assert caller.wait(15) == 0
    assert set(_dialled_since(ami)) == {"PJSIP/agent-1"}


# ---- production --------------------------------------------------------------------------------------------------


def test_render_keeps_its_secrets(tmp_path: Path) -> None:
    """`pbx.py render` writes the same secrets again, takes the engine's from the environment, and binds AMI locally."""
    etc = tmp_path / "etc"
    command = [sys.executable, str(CHECKOUT / "deploy/asterisk/pbx.py"), "render", "--out", str(etc)]
    command += ["--trunk-match", "203.0.113.10", "--external-address", "198.51.100.7", "--rtp", "20000-20100"]
    written = []
    for _ in range(2):
        environment = {**os.environ, "CALLROUTER_AMI_SECRET": "from-the-environment"}
        subprocess.run(command, check=True, capture_output=True, env=environment)
        written.append({path.name: path.read_text() for path in etc.rglob("*.*")})

    assert written[0] == written[1]
    assert "secret = from-the-environment" in written[0]["manager.conf"]
    assert "bindaddr = 127.0.0.1" in written[0]["manager.conf"]
    assert "match = 203.0.113.10" in written[0]["pjsip.conf"]
    assert "@{" not in "".join(written[0].values())
    assert (etc / "callrouter-secrets.json").stat().st_mode & 0o077 == 0


def test_ari_is_there_when_asked_for(tmp_path: Path) -> None:
    """The bench's ARI answers under its secret, and its modules start without a complaint."""
    with Pbx.start(tmp_path, agents=1, ari=True) as pbx:
        token = base64.b64encode(f"{pbx.ari_user}:{pbx.ari_secret}".encode()).decode()
        asked = Request(
            f"http://127.0.0.1:{pbx.http_port}/ari/asterisk/info", headers={"Authorization": f"Basic {token}"}
        )
        with urlopen(asked, timeout=5) as answer:
            assert answer.status == 200
        assert not re.search(r"\b(WARNING|ERROR)\b", pbx.log())


def test_asterisk_has_real_time_priority_and_its_guard(pbx: Pbx) -> None:
    """`highpriority`, and an astcanary that can be started: without it the priority lasts two minutes."""
    children = Path(f"/proc/{pbx.pid}/task/{pbx.pid}/children").read_text().split()
    canaries = [one for one in children if "astcanary" in Path(f"/proc/{one}/cmdline").read_text()]
    sung = pbx.run_dir / "run" / "alt.asterisk.canary.tweet.tweet.tweet"

    threads = [int(task.name) for task in Path(f"/proc/{pbx.pid}/task").iterdir()]
    assert {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_RR}
    assert [os.sched_getscheduler(int(one)) for one in canaries] == [os.SCHED_OTHER]
    assert sung.exists()


# ---- the end ---------------------------------------------------------------------------------------------------


def test_stop_runs_hangup_handlers_and_restart_keeps_the_journal(
    tmp_path: Path,
) -> None:
    """AstDB, ports and secrets survive a restart of the PBX."""
    pbx = Pbx.start(tmp_path, agents=1)
    ports = (pbx.sip_port, pbx.ami_port)
    pbx.cli("database put callrouter/ended x 1")
    pbx.stop()
    pbx.restart()
    try:
        assert (pbx.sip_port, pbx.ami_port) == ports
        assert "Value: 1" in pbx.cli("database get callrouter/ended x")
    finally:
        pbx.stop()


def test_asterisk_dies_with_its_parent(tmp_path: Path) -> None:
    """A test run that is killed leaves no Asterisk behind."""
    code = (
        f"import sys, os; sys.path.insert(0, {str(CHECKOUT)!r})\n"
        "from pathlib import Path; from deploy.asterisk.pbx import Pbx\n"
        f"print(Pbx.start(Path({str(tmp_path)!r}), agents=1).pid, flush=True); os._exit(1)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS
    )
    pid = int(done.stdout)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and "State:\tZ" not in Path(f"/proc/{pid}/status").read_text():
        assert time.monotonic() < deadline, f"process {pid} lives on"
        time.sleep(0.05)

"""Asterisk is killed in the middle of calls, alone or with the engine: every caller has their row, and service is back.

Its last second of AstDB is gone, no hangup handler runs, and nobody hears a BYE.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from callrouter.asterisk.line.recordings import WAV_BYTES_PER_SECOND
from deploy.demo import stories
from deploy.demo.caller import HangUp, Outcome, Press, Speak, Step, UntilSound, UntilTone, UntilToneEnds, Wait
from deploy.demo.stack import clean_environment, phones_are_known
from deploy.demo.verdict import caller_complaints
from tests.patience import COMMAND_SECONDS

if TYPE_CHECKING:
    from deploy.demo.sipp import CallerIdentity
    from tests.acceptance.conftest import Row, Town

SERVICE_SECONDS = 10.0
"""From the instant at which a new Asterisk answers SIP until a call is served, and until an agent is rung."""
MESSAGE_SECONDS = 8.0
"""Six seconds of speech are a message there."""
IN_OUR_HANDS = Counter(playing=1, collecting=1, queued=1, connected=1)
STAY = Wait(60)
MESSAGE = Speak(
    "Bonjour, ici Paul Mercier. Je voudrais déplacer notre rendez-vous de jeudi. Merci de me rappeler. " * 3
)
APPOINTMENT: tuple[Step, ...] = (UntilSound(), Wait(0.5), Press("2"))


@dataclass(kw_only=True)
class Scene:
    """Callers in every place that a call can be in, until their telephones are taken away."""

    town: Town
    callers: dict[str, CallerIdentity] = field(default_factory=dict)
    calls: list[asyncio.Task[Outcome]] = field(default_factory=list)

    def begin(self, name: str, did: str, *script: Step) -> None:
        """Somebody calls, and stays."""

        async def place() -> None:
            call = self.town.calling(did, *script, STAY, caller=self.callers[name])
            self.calls.append(asyncio.get_running_loop().create_task(call))

        self.callers[name] = self.town.somebody()
        self.town.run(place())

    def states(self) -> Counter[str]:
        """Of the live calls."""
        return Counter(call["state"] for call in self.town.get("/live")["calls"])

    def row(self, name: str) -> Row:
        """The caller's only row, with its details."""
        return self.town.row_of(self.callers[name])

    def end(self) -> None:
        """Their telephones, to which nobody has said goodbye."""

        async def cancel() -> None:
            for call in self.calls:
                call.cancel()
            await asyncio.gather(*self.calls, return_exceptions=True)

        self.town.run(cancel())


@contextmanager
def everywhere(town: Town) -> Iterator[Scene]:
    """Two talk to both secretaries, one waits for them, one leaves a message, one is connected outside, one is in a
    menu.
    """
    scene = Scene(town=town)
    try:
        for name in ("talking", "talking too"):
            scene.begin(name, stories.MOREAU, *APPOINTMENT)
        tone = (UntilTone(), UntilToneEnds(), Wait(0.2))
        scene.begin("leaving a message", stories.LENOIR, *tone, MESSAGE)
        scene.begin("outside", stories.BRIGHTON, UntilSound(), Wait(1.5), Press("3"))
        wanted = Counter(connected=3, recording=1)
        assert town.until(scene.states, lambda states: states >= wanted, 40) >= wanted
        scene.begin("waiting", stories.MOREAU, *APPOINTMENT)
        wanted = Counter(connected=3, queued=1, recording=1)
        assert town.until(scene.states, lambda states: states >= wanted, 20) >= wanted
        scene.begin("in a menu", stories.MOREAU, UntilSound())
        wanted = Counter(connected=3, queued=1, recording=1, collecting=1)
        assert town.until(scene.states, lambda states: states >= wanted, 10) >= wanted
        town.until(lambda: recorded_seconds(town), lambda seconds: seconds > MESSAGE_SECONDS, 30)
        yield scene
    finally:
        scene.end()


def recorded_seconds(town: Town) -> float:
    """Of the message that is being left, as far as Asterisk has written it."""
    leaving = [call["call_id"] for call in town.get("/live")["calls"] if call["state"] == "recording"]
    files = [file for one in leaving for file in town.stack.pbx.recordings_dir.glob(f"{one}-*.wav")]
    return max((file.stat().st_size / WAV_BYTES_PER_SECOND for file in files), default=0.0)


def all_recorded(scene: Scene) -> dict[str, Row]:
    """Each of them has one row, of what they had reached."""
    rows = {name: scene.row(name) for name in scene.callers}
    assert {name: row["disposition"] for name, row in rows.items()} == {
        "talking": "answered",
        "talking too": "answered",
        "leaving a message": "message_left",
        "outside": "redirected",
        "waiting": "abandoned",
        "in a menu": "left_early",
    }
    assert {rows[name]["agent"] for name in ("talking", "talking too")} == {"agent-1", "agent-2"}
    assert rows["waiting"]["path"][-1] == "secretaries"
    for row in rows.values():
        began, ended = row["clocks"]["ringing_at"], row["clocks"]["ended_at"]
        assert ended is not None
        assert began < ended
    return rows


def now(town: Town) -> dict[str, float]:
    """What Prometheus is shown of callers who wait, and of agents at work."""
    names = (
        "callrouter_callers_waiting",
        'callrouter_agents{state="talking"}',
        "callrouter_callers_waiting_oldest_seconds",
    )
    figures = town.figures()
    return {name: figures[name] for name in names if name in figures}


class Answering:
    """From when on Asterisk answers SIP: it is asked (OPTIONS) twenty times a second, in a thread of its own."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self.at = 0.0
        self._thread = threading.Thread(target=self._ask, name="does it answer")
        self._thread.start()

    def wait(self) -> float:
        """The instant (monotonic)."""
        self._thread.join(60)
        return self.at

    def _ask(self) -> None:
        host, port = self._address
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.bind(("127.0.0.1", 0))
            wire.settimeout(0.05)
            wire.connect((host, port))
            deadline = time.monotonic() + 60
            for number in range(10_000):
                try:
                    wire.send(_options(f"{host}:{port}", f"127.0.0.1:{wire.getsockname()[1]}", number))
                    wire.recv(4096)
                except OSError:  # nobody is there, or it does not answer yet
                    time.sleep(0.05)
                else:
                    self.at = time.monotonic()
                    return
                if time.monotonic() > deadline:
                    return


def _options(where: str, contact: str, number: int) -> bytes:
    lines = [
        f"OPTIONS sip:{where} SIP/2.0",
        f"Via: SIP/2.0/UDP {contact};branch=z9hG4bK-look-{number};rport",
        "Max-Forwards: 70",
        f"From: <sip:look@{contact}>;tag=look{number}",
        f"To: <sip:{where}>",
        f"Call-ID: look-{number}@{contact}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:look@{contact}>",
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def served_again(town: Town, answering: Answering) -> tuple[float, float]:
    """Seconds from when Asterisk answers SIP until the engine has a call in its hands, and until an agent takes one.

    Somebody calls every second. Who comes before the engine does is served by the fallback, and counts for neither.
    """
    since = answering.wait()
    assert since, "Asterisk does not answer SIP"
    agents = [town.stack.agents[number] for number in (5, 6)]
    before = sum(agent.answered_calls for agent in agents)
    scene, handled, taken = Scene(town=town), 0.0, 0.0
    try:
        for number in range(20):
            scene.begin(f"caller {number}", stories.BRIGHTON, UntilSound(), Wait(0.5), Press("2"))
            until = time.monotonic() + 1.0
            while time.monotonic() < until and not (handled and taken):
                if not handled and scene.states() & IN_OUR_HANDS:
                    handled = time.monotonic()
                if not taken and sum(agent.answered_calls for agent in agents) > before:
                    taken = time.monotonic()
                time.sleep(0.05)
            if handled and taken:
                break
    finally:
        scene.end()
    assert handled, "the engine serves nobody"
    assert taken, "no agent is rung"
    return handled - since, taken - since


def test_asterisk_is_killed_and_its_callers_have_their_rows(own_town: Town) -> None:
    """The engine lives: it knows what each call had reached, and when nobody could be heard any more."""
    town = own_town
    with everywhere(town) as scene:
        seen = now(town)
        town.stack.pbx.kill()
        gone = town.until(lambda: now(town), lambda figures: not figures)
        time.sleep(3.0)  # longer than it takes to notice
        answering = Answering(town.stack.sip_address)
        town.stack.pbx.restart()
        rows = all_recorded(scene)
    assert max(served_again(town, answering)) < SERVICE_SECONDS
    assert (seen["callrouter_callers_waiting"], seen['callrouter_agents{state="talking"}']) == (1, 2)
    assert gone == {}  # nobody knows: that is not nought
    assert now(town).keys() == seen.keys()
    assert 2 <= rows["talking"]["talk_seconds"] <= 30
    [gap] = town.get("/api/stats")["gaps"]
    assert "Asterisk" in gap["reason"]
    assert gap["until_at"] is not None
    town.run(phones_are_known(town.stack.pbx, len(town.stack.agents)))


def test_asterisk_and_the_engine_are_killed_together(own_town: Town) -> None:
    """As by a machine that is reset: the next start ends what its own journal knows as live."""
    town = own_town
    with everywhere(town) as scene:
        town.stack.pbx.kill()
        town.run(town.stack.engine.kill())
        answering = Answering(town.stack.sip_address)
        town.stack.pbx.restart()
        town.run(town.stack.engine.start())
        rows = all_recorded(scene)
    assert 2 <= rows["talking"]["talk_seconds"] <= 30
    # Who they were offered to is in the journal of facts.
    assert (rows["talking"]["offers"][-1]["agent"], rows["talking"]["offers"][-1]["outcome"]) == (
        rows["talking"]["agent"],
        "answered",
    )
    assert max(served_again(town, answering)) < SERVICE_SECONDS
    [gap] = town.get("/api/stats")["gaps"]  # whichever of the two was noticed
    assert gap["until_at"] is not None
    # Told once, and for good: another start has nothing to tell.
    ended = "they ended with them"
    assert town.stack.engine.log_path.read_text().count(ended) == 1
    town.run(town.stack.engine.stop())
    town.run(town.stack.engine.start())
    assert town.until(lambda: town.stack.engine.log_path.read_text().count(ended), lambda told: told > 1, 3.0) == 1
    all_recorded(scene)


def test_a_planned_restart_costs_no_call(own_town: Town) -> None:
    """Drained first: who talks goes on talking, new callers are sent elsewhere, and then Asterisk can be stopped."""
    town = own_town
    scene = Scene(town=town)
    try:
        scene.begin("talking", stories.MOREAU, *APPOINTMENT, stories.reached(1, 2), Wait(6), HangUp())
        assert town.until(scene.states, lambda states: states["connected"] == 1, 30)["connected"] == 1
        with _command(town, "pbx", "drain") as draining:
            assert draining.stdout is not None
            assert draining.stdout.readline() == "Asterisk takes no new call by trunk.\n"
            assert draining.stdout.readline() == "1 call, 2 channels left\n"
            refused = town.call(stories.MOREAU, HangUp())
            assert refused.answered is None
            assert refused.status.startswith("503"), refused.status
            said, _ = draining.communicate(timeout=30)
        assert draining.returncode == 0
        assert said.splitlines()[-1].startswith("No call is left: stop Asterisk now.")
        assert town.nobody_is_left()
        [call] = scene.calls
        assert caller_complaints(town.run(asyncio.wait_for(asyncio.shield(call), 10))) == []
        assert scene.row("talking")["disposition"] == "answered"
    finally:
        scene.end()
    drained = "drained: the PBX takes no new call by trunk: end it with `callrouter pbx undrain`"
    assert drained in _said(town, "status")

    town.stack.pbx.stop()
    answering = Answering(town.stack.sip_address)
    town.stack.pbx.restart()
    assert max(served_again(town, answering)) < SERVICE_SECONDS
    assert drained not in _said(town, "status")
    assert _said(town, "pbx", "undrain") == "Asterisk takes new calls by trunk.\n"
    assert town.until(lambda: _drained_by(town), lambda found: len(found) >= 2) == ["off", "on"]


def _drained_by(town: Town) -> list[str]:
    """What the audit trail has of it, the newest first."""
    return [deed["object"] for deed in town.get("/api/audit")["deeds"] if deed["action"] == "pbx.drain"]


def _said(town: Town, *arguments: str) -> str:
    """What a command writes, with 0 or with 1."""
    with _command(town, *arguments) as running:
        return running.communicate(timeout=COMMAND_SECONDS)[0]


def _command(town: Town, *arguments: str) -> subprocess.Popen[str]:
    """`callrouter …` beside the engine."""
    return subprocess.Popen(
        [sys.executable, "-m", "callrouter", *arguments],
        env=clean_environment() | town.stack.engine.environment | {"NO_COLOR": "1"},
        cwd=town.stack.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

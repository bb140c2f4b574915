"""The clients, the teams and the telephones of a run, and everything that serves them, started together."""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.callers import Sink
from deploy.asterisk.pbx import Pbx, teams_of_folder
from deploy.demo import g711
from deploy.demo.stack import Engine, engine_beside, phones_are_known
from tests.laws.sip import Port

AGENTS: Final = tuple(f"agent-{number}" for number in range(1, 11))
TEAMS: Final = {"red": AGENTS[:6], "blue": AGENTS[4:]}
RING_SECONDS: Final = 5.0
"""Of a team: so long its queue rings a telephone (`ring`)."""
COLLEAGUE_SECONDS: Final = 20.0
"""So long the telephone of a colleague rings to whom an agent gave the caller: no queue rings it, but a Dial()."""
INVITE_SECONDS: Final = 6.4
"""RFC 3261's timer B, as set below: what answers an INVITE nothing, not even 100, is given up after it."""
WRAP_UP: Final = {"alpha": 1.0, "beta": 2.0, "gamma": 0.0}
HELLO_SECONDS, ASK_SECONDS = 1.0, 0.4
MENU_SECONDS: Final = 1.0
DOCTOR, NURSE, ON_CALL = "+33639980001", "+33639980002", "+33639980003"
FIRST_CALLER: Final = 33612341000
UNWANTED: Final = "+33899123456"
SESSION_SECONDS: Final = 90
"""RFC 4028's shortest: whoever vanishes is found after half of it, and some seconds."""
MESSAGE: Final = (
    "message: { prompt: { sound: ask }, max: 20s, silence: 3s, min: 2s, deliver: box, done: bye, empty: bye }"
)
SHARED: Final = {
    "queues": f"""
queues:
  red: {{ members: [{", ".join(TEAMS["red"])}], ring: {RING_SECONDS:g}s, log_in: true }}
  blue: {{ members: [{", ".join(TEAMS["blue"])}], ring: {RING_SECONDS:g}s, log_in: true }}
  green: {{ members: [] }}
""",
    "agents": "agents:\n"
    + "".join(f'  {name}: {{ name: {name}, number: "{100 + n}", language: en }}\n' for n, name in enumerate(AGENTS, 1))
    + "pauses: [lunch, training]\n",
    "contacts": f"""
country: FR
contacts:
  doctor: {{ name: Doctor, number: "{DOCTOR}" }}
  nurse: {{ name: Nurse, number: "{NURSE}" }}
  on_call: {{ name: On call, number: "{ON_CALL}" }}
  box: {{ name: Box, email: box@example.com }}
""",
    "dialling": 'countries: []\nprefixes: ["06 39 98"]\n',
    "trunk": 'country: FR\nnumber: "01 99 00 00 00"\nalso_shows: [caller]\nforwarding: diversion\n',
}
_HEAD: Final = """
client: {name}
name: {name}
numbers: ["{did}"]
timezone: Europe/Paris
language: en
fallback: {{ {fallback} }}
identity: {{ show: caller }}
{more}
nodes:
"""
DIDS: Final = {
    "alpha": "+33199000101",
    "beta": "+33199000102",
    "gamma": "+33199000103",
    "delta": "+33199000104",
    "epsilon": "+33199000105",
}
BACK_TO: Final = {"alpha": "word", "beta": "word", "gamma": "thanks"}
"""Where in the tree an agent sends a caller back to."""
_TREES: Final = {
    "alpha": (
        "queue: red",
        "wrap_up: { answered: 1s, transferred: 2s }\nstart: hello",
        f"""
  hello: {{ play: {{ prompt: {{ sound: hello }}, interruptible: false, next: choose }} }}
  choose:
    menu:
      prompt: {{ sound: ask }}
      timeout: {MENU_SECONDS:g}s
      keys: {{ "1": team, "2": outside, "3": word, "4": ring_me }}
      no_input: {{ retry: 0, then: team }}
      no_match: {{ retry: 0, then: team }}
  team: {{ queue: {{ name: red, max_wait: 12s, overflow: word }} }}
  outside: {{ dial: {{ contacts: [doctor, nurse], ring: 5s, no_answer: word }} }}
  word: {{ {MESSAGE} }}
  ring_me:
    callback:
      done: bye
      declined: bye
      no_input: {{ retry: 0, then: bye }}
      no_match: {{ retry: 0, then: bye }}
      automatic: {{ queue: red, ring: 6s, attempts: 2, pause: 4s }}
  bye: {{ hangup: {{}} }}
""",
    ),
    "beta": (
        "queue: blue",
        "wrap_up: { answered: 2s }\nlists: { unwanted: ['08*'] }\nstart: who",
        f"""
  who: {{ caller: {{ unwanted: refuse, otherwise: hello }} }}
  refuse: {{ reject: {{ cause: rejected }} }}
  hello: {{ play: {{ prompt: {{ sound: hello }}, interruptible: false, next: team }} }}
  team: {{ queue: {{ name: blue, max_wait: 7s, overflow: word }} }}
  word: {{ {MESSAGE} }}
  bye: {{ hangup: {{}} }}
""",
    ),
    "gamma": (
        "queue: blue",
        "start: outside",
        """
  outside: { dial: { contacts: [on_call], ring: 5s, screen: { sound: ask }, no_answer: team } }
  team: { queue: { name: blue, max_wait: 7s, overflow: thanks, done: thanks } }
  thanks: { play: { prompt: { sound: hello }, interruptible: false, next: bye } }
  bye: { hangup: {} }
""",
    ),
    "delta": (
        "node: bye",
        "start: told",
        """
  told: { play: { prompt: { sound: hello }, interruptible: false, next: bye } }
  bye: { hangup: {} }
""",
    ),
    "epsilon": (
        "node: bye",
        "accepted: { empty-queue: Nobody sits there in this test. }\nstart: team",
        """
  team: { queue: { name: green, max_wait: 5s, overflow: sorry } }
  sorry: { play: { prompt: { sound: hello }, interruptible: false, next: bye } }
  bye: { hangup: {} }
""",
    ),
}


@dataclass(kw_only=True)
class Town:
    """What runs."""

    root: Path
    pbx: Pbx
    port: Port
    sink: Sink
    engine: Engine

    @property
    def address(self) -> tuple[str, int]:
        """Where the PBX is called."""
        return self.pbx.sip_host, self.pbx.sip_port


@contextlib.asynccontextmanager
async def town(port: Port) -> AsyncIterator[Town]:
    """Everything, with the telephones of a port; in the end nothing is left of it."""
    async with contextlib.AsyncExitStack() as cleanup:
        root = Path(tempfile.mkdtemp(prefix="callrouter-"))
        cleanup.callback(shutil.rmtree, root, ignore_errors=True)
        sink = Sink()
        cleanup.callback(sink.close)
        folder = root / "clients" / "dialplans"
        write_folder(folder)
        pbx = Pbx.start(
            root / "pbx",
            agents=len(AGENTS),
            agent_contacts=dict.fromkeys(AGENTS, port.contact),
            teams=teams_of_folder(folder),
            carrier=port.contact,
            session_seconds=SESSION_SECONDS,
            # A fifth of RFC 3261's times, so that a telephone without power is given up after 6 s and not 32.
            extra_conf={"pjsip": f"[system](+)\ntimer_t1 = 100\ntimer_b = {round(INVITE_SECONDS * 1000)}\n"},
        )
        cleanup.callback(pbx.__exit__)
        settings = {"DIALPLANS_DIR": str(folder), "CLOCK_SHIFT": "0", "CLIENT_CALLS": "0", "GRACE_SECONDS": "2"}
        engine = engine_beside(root, pbx, {f"CALLROUTER_{name}": value for name, value in settings.items()})
        cleanup.push_async_callback(engine.stop)
        await engine.start()
        await phones_are_known(pbx, len(AGENTS))
        yield Town(root=root, pbx=pbx, port=port, sink=sink, engine=engine)


def write_folder(folder: Path) -> None:
    """The clients' files, and two sounds that are no tones."""
    (folder / "shared").mkdir(parents=True)
    for name, text in SHARED.items():
        (folder / "shared" / f"{name}.yaml").write_text(text, encoding="utf-8")
    for name, (fallback, more, nodes) in _TREES.items():
        head = _HEAD.format(name=name, did=DIDS[name], fallback=fallback, more=more)
        (folder / f"{name}.yaml").write_text(head + nodes, encoding="utf-8")
    sounds = folder / "sounds" / "en"
    sounds.mkdir(parents=True)
    for name, seconds in (("hello", HELLO_SECONDS), ("ask", ASK_SECONDS)):
        _write_noise(sounds / f"{name}.wav", seconds)


def _write_noise(path: Path, seconds: float) -> None:
    chance = random.Random(path.name)
    samples = b"".join(
        chance.randrange(-6000, 6000).to_bytes(2, "little", signed=True) for _ in range(round(seconds * g711.RATE))
    )
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(g711.RATE)
        sound.writeframes(samples)

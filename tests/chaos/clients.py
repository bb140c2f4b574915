"""The clients that are called in a round, each for callers of one kind, and the people who work for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.chaos.sounds import write_sounds

DIDS: Final = {
    "menu": "+33199000201",
    "line": "+33199000202",
    "dial": "+33199000203",
    "message": "+33199000204",
    "lookup": "+33199000205",
    "digits": "+33199000206",
    "callback": "+33199000207",
    "probe": "+33199000208",
    "quick": "+33199000209",
}
"""By the kind of its callers."""
KEYS: Final = {"1": "one", "2": "two"}
"""Of the menu: the node it leads to, and the sound that is heard there."""
DOCTOR: Final = "+33639980001"
RING_SECONDS: Final = 6.0
SILENCE_SECONDS: Final = 2.0
"""Of a caller who leaves a message; it ends then."""
SHORTEST_MESSAGE_SECONDS: Final = 2.0
_BYE: Final = "bye: { hangup: { prompt: { sound: bye } } }"
_CLOSING: Final = "  closing: { hangup: { prompt: { sound: closing } } }\n"
"""What the PBX says alone, and no tree leads to."""


def _said(name: str) -> str:
    """A node that says its sound, whatever is keyed, and ends."""
    return f"  {name}: {{ play: {{ prompt: {{ sound: {name} }}, interruptible: false, next: bye }} }}\n"


def _look(path: str) -> str:
    """Nodes that ask the web service and say whether it answered."""
    return f"""\
  look:
    lookup:
      url: "http://@SERVICE@/{path}"
      timeout: 8s
      fields: {{ word: word }}
      next: found
      failed: failed
{_said("found")}{_said("failed")}"""


_TREES: Final[Mapping[str, str]] = {
    "menu": f"""
  choose:
    menu:
      prompt: {{ sound: ask }}
      timeout: 1s
      keys: {{ "1": one, "2": two }}
      no_input: {{ retry: 9, then: bye }}
      no_match: {{ retry: 9, then: bye }}
{_said("one")}{_said("two")}  {_BYE}
""",
    "line": f"""
  team: {{ queue: {{ name: red, max_wait: 3m, overflow: bye }} }}
  {_BYE}
""",
    "dial": f"""
  outside: {{ dial: {{ contacts: [doctor], ring: 20s, no_answer: bye }} }}
  {_BYE}
""",
    "message": f"""
  word:
    message:
      prompt: {{ sound: one }}
      max: 40s
      silence: {SILENCE_SECONDS:g}s
      min: {SHORTEST_MESSAGE_SECONDS:g}s
      deliver: box
      done: thanks
      empty: bye
{_said("thanks")}  {_BYE}
""",
    "lookup": f"""
  tell: {{ notify: {{ contact: crm, data: {{ reason: called }}, next: look }} }}
{_look("lookup/{call_id}")}  {_BYE}
""",
    "digits": f"""
  number:
    collect_digits:
      prompt: {{ sound: ask }}
      variable: number
      min: 4
      max: 4
      timeout: 1s
      next: look
      no_input: {{ retry: 9, then: bye }}
      no_match: {{ retry: 9, then: bye }}
{_look("digits/{number}/{call_id}")}  {_BYE}
""",
    "callback": f"""
  ring_me:
    callback:
      done: bye
      declined: bye
      no_input: {{ retry: 0, then: bye }}
      no_match: {{ retry: 0, then: bye }}
      automatic: {{ queue: blue, ring: 10s, attempts: 3, pause: 3s }}
  {_BYE}
""",
    "probe": f"""
  here: {{ play: {{ prompt: {{ sound: probe }}, interruptible: false, next: bye }} }}
  {_BYE}
""",
    "quick": """
  here: { play: { prompt: { sound: tick }, interruptible: false, next: again } }
  again: { play: { prompt: { sound: tick }, interruptible: false, next: away } }
  away: { hangup: {} }
""",
}
_HEAD: Final = """\
client: {name}
name: {name}
numbers: ["{did}"]
timezone: Europe/Paris
language: en
fallback: {{ {fallback} }}
identity: {{ show: {shown} }}
start: {start}
nodes:
"""
_FALLBACKS: Final = {"line": "queue: red", "dial": f'number: "{DOCTOR}"'}
"""What the PBX does alone, where that is not its closing prompt."""
BLUE: Final = 2
"""So many agents call back, beside those who take calls."""


def agents(count: int) -> tuple[str, ...]:
    """Names of so many agents; the last ones are those who call back."""
    return tuple(f"agent-{number}" for number in range(1, count + BLUE + 1))


def write_folder(folder: Path, count: int, service: str) -> None:
    """The clients' files for so many agents, and the sounds; `service` is host and port of the web service."""
    (folder / "shared").mkdir(parents=True)
    names = agents(count)
    shared = {
        "queues": (
            "queues:\n"
            f"  red: {{ members: [{', '.join(names[:-BLUE])}], ring: {RING_SECONDS:g}s }}\n"
            f"  blue: {{ members: [{', '.join(names[-BLUE:])}], ring: {RING_SECONDS:g}s }}\n"
        ),
        "agents": "agents:\n" + "".join(f"  {name}: {{ name: {name}, language: en }}\n" for name in names),
        "contacts": (
            "country: FR\ncontacts:\n"
            f'  doctor: {{ name: Doctor, number: "{DOCTOR}" }}\n'
            "  box: { name: Box, email: box@example.com }\n"
            f'  crm: {{ name: CRM, url: "http://{service}/notify" }}\n'
        ),
        "dialling": 'countries: []\nprefixes: ["06 39 98", "06 12"]\n',
        "trunk": 'country: FR\nnumber: "01 99 00 00 00"\nalso_shows: [caller]\nforwarding: diversion\n',
    }
    for name, text in shared.items():
        (folder / "shared" / f"{name}.yaml").write_text(text, encoding="utf-8")
    for name, tree in _TREES.items():
        start = tree.strip().partition(":")[0]
        shown = "operator" if name == "callback" else "caller"
        fallback = _FALLBACKS.get(name, "node: closing")
        head = _HEAD.format(name=name, did=DIDS[name], shown=shown, start=start, fallback=fallback)
        text = head + tree.replace("@SERVICE@", service) + ("" if name in _FALLBACKS else _CLOSING)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    write_sounds(folder / "sounds" / "en")

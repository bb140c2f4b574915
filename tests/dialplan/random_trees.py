"""Random clients' documents, mostly going forward as people write them, and random callers who walk them to the end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import yaml

from callrouter.core import engine, facts, inputs
from callrouter.core.call import Call, CallerId, DialOutcome, Presentation, QueueOutcome, RecordOutcome
from callrouter.core.effects import Answer, CollectDigits, Dial, EnterQueue, Hangup, LookAtQueues, Lookup, Play, Record
from callrouter.core.engine import Turn
from callrouter.core.plan import Plan
from callrouter.dialplan.compile.compiled import Compiled
from callrouter.dialplan.compile.compiler import compile_client
from callrouter.dialplan.documents.drafts import draft
from callrouter.dialplan.folder.sound_files import PaperSpeech
from callrouter.dialplan.language.reader import read
from callrouter.dialplan.shared.people import Person
from callrouter.dialplan.shared.queues import TeamQueue
from callrouter.dialplan.shared.reading import Shared
from callrouter.testing import TUESDAY_10

VARIABLES = ("dossier", "postcode")
VALUES = {"dossier": ("1234", "5678"), "postcode": ("75011", "92100")}
QUEUES = ("medical", "legal")
CALLERS = ("+33612340007", "+33612340008", "+33899123456", "+442079460041", None)
KEYS = "0123456789*#"
LONGEST_CALL = 5_000
"""Results told to one call, far beyond its bounds: a call that needs more does not end."""


Verb = Callable[[Random, Callable[[], str], Callable[[], dict[str, Any]]], dict[str, Any]]
"""What a verb holds, given where it may lead, and what may follow silence."""


def _queue(name: str) -> TeamQueue:
    return TeamQueue(
        name=name,
        title=name,
        members=("agent-1",),
        strategy="leastrecent",
        ring_seconds=15,
        retry_seconds=1,
        wrap_up_seconds=0,
        max_callers=0,
    )


SHARED = Shared(
    queues={name: _queue(name) for name in QUEUES},
    contacts={
        "doctor": Person(name="doctor", number="+33612360001"),
        "nurse": Person(name="nurse", number="+33612360002"),
        "crm": Person(name="crm", url="https://crm.example/calls"),
        "office": Person(name="office", email="office@acme.example"),
    },
)
HEAD: dict[str, Any] = {
    "client": "acme",
    "numbers": ["01 99 00 00 90"],
    "timezone": "Europe/Paris",
    "language": "fr",
    "hours": {"open": {"mon-fri": ["08:00-12:30", "13:30-19:00"], "sat": "22:00-03:00"}, "holidays": "FR"},
    "lists": {"vip": ["06 12 34 00 07"], "known": ["06 12 34*"], "unwanted": ["08*", "anonymous"]},
}


def document(
    random: Random, verbs: Mapping[str, Verb] | None = None, forward: float = 0.96, often: Collection[str] = ()
) -> dict[str, Any]:
    """A client's document of up to a dozen nodes; most of its ways go forward, some go anywhere."""
    names = [f"node_{place}" for place in range(random.randint(1, 12))]
    nodes = {name: _node(random, names, place, verbs or VERBS, forward, often) for place, name in enumerate(names)}
    fallback: dict[str, str] = random.choice([{"queue": "medical"}, {"node": random.choice(names)}, {"number": DOCTOR}])
    found = {**HEAD, "fallback": fallback, "start": names[0], "nodes": nodes}
    return found if random.random() < 0.1 else without_unreached(found)


DOCTOR = "06 12 36 00 01"


def without_unreached(found: dict[str, Any]) -> dict[str, Any]:
    """The document without nodes nothing leads to, which would be refused for that alone."""
    nodes = found["nodes"]
    reached: set[str] = set()
    waiting = [found["start"], found["fallback"].get("node", found["start"])]
    while waiting:
        name = waiting.pop()
        if name in nodes and name not in reached:
            reached.add(name)
            waiting += texts(nodes[name])
    return {**found, "nodes": {name: node for name, node in nodes.items() if name in reached}}


def texts(value: object) -> list[str]:
    """Every text of a value: targets are among them."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for inner in value.values() for text in texts(inner)]
    return [text for inner in value for text in texts(inner)] if isinstance(value, list) else []


def _node(
    random: Random, names: list[str], place: int, verbs: Mapping[str, Verb], forward: float, often: Collection[str]
) -> dict[str, Any]:
    following = names[place + 1 :]

    def to() -> str:
        return random.choice(following if following and random.random() < forward else names)

    def retry() -> dict[str, Any]:
        return {"retry": random.randint(0, 2), "then": to()}

    last = not following
    verb = random.choice(("hangup", "reject") if last and random.random() < 0.9 else (*verbs, *often))
    return {verb: verbs[verb](random, to, retry)}


def maybe(random: Random, name: str, to: Callable[[], str]) -> dict[str, Any]:
    return {name: to()} if random.random() < 0.3 else {}


def _prompt(random: Random) -> Any:
    aloud = [{"say": "Votre dossier"}, {random.choice(["digits", "number"]): random.choice(VARIABLES)}]
    return aloud if random.random() < 0.05 else random.choice(["Bonjour.", "Un instant.", "Pour les ventes, tapez 1."])


def _conditions(random: Random, to: Callable[[], str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for _ in range(random.randint(1, 3)):
        variable = random.choice(VARIABLES)
        kinds: list[dict[str, Any]] = [
            {"variable": variable, "equals": list(random.sample(VALUES[variable], random.randint(1, 2)))},
            {"variable": variable},
            {"from": "2026-01-0" + str(random.randint(1, 5)), "to": "2026-02-01"},
            {"variable": variable, "is_set": "false"},
            {"variable": variable, "starts_with": "75"},
            {"variable": variable, "number": {"below": "5000"}},
            {"queue": random.choice(QUEUES), "agents": {"below": "1"}},
            {"queue": random.choice(QUEUES), "expected_wait": {"above": "2m"}},
            {"percentage": str(random.randint(1, 99))},
        ]
        found.append({**random.choice(kinds), "then": to()})
    return found


VERBS: dict[str, Verb] = {
    "answer": lambda r, to, retry: {"next": to()},
    "play": lambda r, to, retry: {"prompt": _prompt(r), "interruptible": r.choice(["true", "false"]), "next": to()},
    "menu": lambda r, to, retry: {
        "prompt": "Pour les ventes, tapez 1.",
        "keys": {key: to() for key in r.sample(KEYS, r.randint(1, 4))},
        "no_input": retry(),
        "no_match": retry(),
    },
    "collect_digits": lambda r, to, retry: {
        "prompt": "Composez votre numéro.",
        "variable": r.choice(VARIABLES),
        "min": str(r.randint(1, 4)),
        "max": str(r.randint(4, 6)),
        "next": to(),
        "no_input": retry(),
        "no_match": retry(),
    },
    "opening_hours": lambda r, to, retry: {"open": to(), "closed": to(), **maybe(r, "holiday", to)},
    "caller": lambda r, to, retry: {
        **{name: to() for name in r.sample(("vip", "known", "unwanted"), r.randint(1, 2))},
        "otherwise": to(),
    },
    "branch": lambda r, to, retry: {"when": _conditions(r, to), "otherwise": to()},
    "set": lambda r, to, retry: {"variables": {r.choice(VARIABLES): r.choice(["1234", "75011"])}, "next": to()},
    "queue": lambda r, to, retry: {
        "name": r.choice(QUEUES),
        "max_wait": "1m",
        "overflow": to(),
        **maybe(r, "done", to),
    },
    "dial": lambda r, to, retry: {
        "contacts": r.choice([["doctor"], ["doctor", "nurse"]]),
        "mode": r.choice(["in_turn", "at_once"]),
        "no_answer": to(),
        **maybe(r, "done", to),
    },
    "redirect": lambda r, to, retry: {"number": DOCTOR, "failed": to()},
    "message": lambda r, to, retry: {"deliver": "office", "done": to(), **maybe(r, "empty", to)},
    "lookup": lambda r, to, retry: {
        "url": r.choice(["https://crm.example/callers", "https://crm.example/files/{dossier}"]),
        "fields": {r.choice(VARIABLES): "file.number"},
        "next": to(),
        "failed": to(),
    },
    "notify": lambda r, to, retry: {
        "contact": "crm",
        "data": r.choice([{"reason": "urgent"}, {"file": "{postcode}"}]),
        "next": to(),
    },
    "callback": lambda r, to, retry: {"done": to(), "declined": to(), "no_input": retry(), "no_match": retry()},
    "reject": lambda r, to, retry: {},
    "hangup": lambda r, to, retry: {},
}


def as_text(value: Any) -> Any:
    """Numbers as the texts a document holds."""
    if isinstance(value, dict):
        return {key: as_text(inner) for key, inner in value.items()}
    return [as_text(inner) for inner in value] if isinstance(value, list) else str(value)


def compiled(found: dict[str, Any], shared: Shared = SHARED) -> Compiled:
    """What becomes of a document."""
    content = yaml.safe_dump(as_text(found), sort_keys=False, allow_unicode=True).encode()
    return compile_client(draft(read(content, "acme.yaml")), shared, PaperSpeech(), TUESDAY_10.date())


@dataclass(kw_only=True)
class Walk:
    """A call that was walked to its end."""

    plan: Plan
    call: Call
    facts: list[facts.Fact]
    queues: Collection[str]
    """Those there are."""
    keys: int = 0
    """Pressed by the caller."""
    failures: int = 0
    """Commands that failed."""


def walk(plan: Plan, random: Random, *, most_keys: int, failing: float = 0.0, queues: Collection[str] = QUEUES) -> Walk:
    """A caller out of any list, at any instant of a year, to whom anything happens that can."""
    number = random.choice(CALLERS)
    presentation = Presentation.WITHHELD if number is None else Presentation.ALLOWED
    at = TUESDAY_10 + timedelta(minutes=random.randint(0, 366 * 24 * 60))
    offered = inputs.CallOffered(
        call_id=f"{random.getrandbits(64):016x}",
        did=plan.numbers[0],
        caller=CallerId(number=number, presentation=presentation),
        at=at,
    )
    turn = engine.start(plan, offered)
    walked = Walk(plan=plan, call=turn.call, facts=list(turn.facts), queues=queues)
    for _ in range(LONGEST_CALL):
        at += timedelta(seconds=random.randint(1, 20))
        turn = _go_on(walked, turn, random, at, most_keys, failing)
        if turn.call.ended:
            return walked
    raise AssertionError("the call does not end")


def _go_on(walked: Walk, turn: Turn, random: Random, at: datetime, most_keys: int, failing: float) -> Turn:
    """Answer what the call waits for."""
    wanted = turn.effects[-1]
    step = turn.call.step
    if isinstance(turn.effects[0], Answer) and not isinstance(wanted, Answer):
        turn = _tell(walked, turn, inputs.CallAnswered(step=step, at=at))
    if random.random() < failing and not isinstance(wanted, Answer | Hangup):
        walked.failures += 1
        return _tell(walked, turn, inputs.CommandFailed(step=step, reason="out of order", at=at))
    told: inputs.Input
    match wanted:
        case Answer():
            told = inputs.CallAnswered(step=step, at=at)
        case Play():
            turn = _press(walked, turn, random, at, most_keys, random.choice([0, 0, 1, 2]))
            told = inputs.PromptEnded(step=step, at=at)
        case CollectDigits(max_digits=longest):
            turn = _press(walked, turn, random, at, most_keys, random.choice([0, 1, 1, longest]))
            told = inputs.CollectEnded(step=step, at=at)
        case EnterQueue(queue=queue):
            assert queue in walked.queues, "a queue that is not there"
            told = inputs.QueueLeft(step=step, outcome=random.choice(list(QueueOutcome)), at=at)
        case Dial(numbers=numbers):
            assert numbers
            assert all(number.startswith("+") for number in numbers), "a number that is not there"
            told = inputs.DialEnded(step=step, outcome=random.choice(list(DialOutcome)), at=at)
        case LookAtQueues(queues=asked):
            assert set(asked) <= set(walked.queues), "a queue that is not there"
            look = inputs.QueueLook(agents=random.randint(0, 2), free=random.randint(0, 1), waiting=1, talk_seconds=90)
            told = inputs.QueuesSeen(step=step, looks=random.choice([{}, dict.fromkeys(asked, look)]), at=at)
        case Lookup(fields=fields):
            values = {field.variable: random.choice(["1234", "75011", "é"]) for field in fields}
            failed = inputs.LookupFailed(step=step, reason="no answer", at=at)
            told = failed if random.random() < 0.5 else inputs.LookupDone(step=step, values=values, at=at)
        case Record(max_seconds=longest):
            seconds = random.choice([0.5, 10.0, longest])
            outcome = random.choice(list(RecordOutcome))
            told = inputs.RecordingEnded(step=step, outcome=outcome, seconds=seconds, at=at)
        case _:
            told = inputs.CallerHungUp(at=at, cause=16)
    return _tell(walked, turn, told)


def _press(walked: Walk, turn: Turn, random: Random, at: datetime, most_keys: int, wanted: int) -> Turn:
    for _ in range(min(wanted, most_keys - walked.keys)):
        walked.keys += 1
        turn = _tell(walked, turn, inputs.DigitPressed(digit=random.choice(KEYS), at=at))
    return turn


def _tell(walked: Walk, turn: Turn, told: inputs.Input) -> Turn:
    after = engine.step(walked.plan, turn.call, told)
    walked.call = after.call
    walked.facts += after.facts
    assert not any(isinstance(one, facts.InputRefused) for one in after.facts), after.facts
    return after

"""Random clients' documents, mostly going forward as people write them, and random callers who walk them to the end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import yaml

from callrouter.core import facts, inputs
from callrouter.core.call import Call, CallerId, DialOutcome, Presentation, QueueOutcome, RecordOutcome, replace
from callrouter.core.effects import Answer, CollectDigits, Dial, Effect, EnterQueue, Hangup, Play
from callrouter.core.plan import Plan
from callrouter.dialplan.compile.compiled import Compiled
from callrouter.dialplan.compile.compiler import compile_client
from callrouter.dialplan.documents.drafts import draft
from callrouter.dialplan.folder.sound_files import PaperSpeech
from callrouter.dialplan.language.reader import read
from callrouter.dialplan.shared.people import Person
from callrouter.dialplan.shared.queues import TeamQueue
from callrouter.dialplan.shared.reading import Shared
from callrouter.questions.decisions import UNSEEN, Decided, Decision, Decisions, Kind, Option, decisions_of
from callrouter.questions.rehearsal import RehearsedStep, aside, begin, done, happening, tell
from callrouter.questions.waits import Happening
from callrouter.testing import TUESDAY_10

VARIABLES = ("dossier", "postcode")
VALUES = {"dossier": ("1234", "5678"), "postcode": ("75011", "92100")}
QUEUES = ("medical", "legal")
CALLERS = ("+33612340007", "+33612340008", "+33899123456", "+442079460041", None)
KEYS = "0123456789*#"
LONGEST_CALL = 5_000
"""Results told to one call, far beyond its bounds: a call that needs more does not end."""


RARE: dict[Kind, tuple[Option, ...]] = {
    "queue": tuple(QueueOutcome),
    "dial": tuple(DialOutcome),
    "message": ("0.5", "100000"),
    "look": (inputs.QueueLook(agents=2, free=0, waiting=1, talk_seconds=90), UNSEEN),
    "answer": ("1234", "75011", "é"),
}
"""What happens besides what conditions tell apart, by kind of decision."""


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


CONTACTS = {
    "doctor": Person(name="doctor", number="+33612360001", email="doctor@acme.example"),
    "nurse": Person(name="nurse", number="+33612360002"),
    "crm": Person(name="crm", url="https://crm.example/calls"),
    "office": Person(name="office", email="office@acme.example"),
}
SHARED = Shared(
    queues={name: _queue(name) for name in QUEUES},
    contacts=CONTACTS,
    people={name: person.reach for name, person in CONTACTS.items()},
)
HEAD: dict[str, Any] = {
    "client": "acme",
    "numbers": ["01 99 00 00 90", "01 99 00 00 92"],
    "timezone": "Europe/Paris",
    "language": "fr",
    "hours": {"open": {"mon-fri": ["08:00-12:30", "13:30-19:00"], "sat": "22:00-03:00"}, "holidays": "FR"},
    "lists": {"vip": ["06 12 34 00 07"], "known": ["06 12 34*"], "unwanted": ["08*", "anonymous"]},
    "forms": {"order": {"deliver": "doctor", "fields": {"number": "number", "file": "text"}}},
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


def maybe(random: Random, name: str, to: Callable[[], Any]) -> dict[str, Any]:
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
            {"did": random.choice(HEAD["numbers"])},
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
        **maybe(r, "keys", lambda: {key: to() for key in r.sample("129*#", r.randint(1, 2))}),
        **maybe(r, "priority_of", lambda: {r.choice(("vip", "known")): str(r.randint(0, 9))}),
        **maybe(r, "comfort", lambda: {"messages": "Merci.", "every": "20s"}),
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
    "form": lambda r, to, retry: {
        "form": "order",
        "fields": r.choice([{}, {"file": "n° {dossier}"}, {"number": "{caller}", "file": "in {postcode}"}]),
        "next": to(),
        **maybe(r, "failed", to),
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
    """A call that is walked to its end, and what was done to it."""

    decisions: Decisions
    step: RehearsedStep
    random: Random
    most_keys: int
    failing: float
    """How likely a command fails."""
    queues: Collection[str]
    """Those there are."""
    keys: int = 0
    """Pressed by the caller."""
    failures: int = 0
    """Commands that failed."""

    @property
    def plan(self) -> Plan:
        """The tree that is walked."""
        return self.decisions.plan

    @property
    def call(self) -> Call:
        """The call as it stands."""
        return self.step.call

    @property
    def facts(self) -> list[facts.Fact]:
        """All that was concluded, in order."""
        return [fact for step in done(self.plan, self.step).steps for fact in step.facts]

    def go_on(self) -> None:
        """Let anything happen that can at the present wait."""
        wait, random = self.step.wait, self.random
        self._check(wait)
        if isinstance(wait, Play):
            pressed = [random.choice(KEYS) for _ in range(random.choice([0, 0, 1, 2]))][: self.most_keys - self.keys]
            self.keys += len(pressed)
            at = self.step.at
            self.step = aside(self.plan, self.step, [inputs.DigitPressed(digit=key, at=at) for key in pressed])
        if random.random() < self.failing and not isinstance(wait, Answer | Hangup):
            self.failures += 1
            number, at = self.call.step, self.step.at
            answered = [inputs.CallAnswered(step=number, at=at)] if isinstance(self.step.effects[0], Answer) else []
            failed = inputs.CommandFailed(step=number, reason="out of order", at=at)
            self.step = tell(self.plan, self.step, Happening("fails", [*answered, failed]))
        else:
            happened = happening(self.decisions, self.step, self._decided())
            happened.inputs[-1] = self._as_the_switch_may(happened.inputs[-1])
            self.step = tell(self.plan, self.step, happened)
        refused = [fact for fact in self.step.facts if isinstance(fact, facts.InputRefused)]
        assert not refused, refused

    def _check(self, wait: Effect) -> None:
        """What is asked for is there."""
        for decision in decisions_of(wait):
            assert decision.kind not in ("queue", "look") or decision.of in self.queues, "a queue that is not there"
        if isinstance(wait, Dial):
            assert wait.numbers
            assert all(number.startswith("+") for number in wait.numbers), "a number that is not there"

    def _decided(self) -> Decided:
        decided: dict[Decision, Option] = {}
        call, wait, at = self.call, self.step.wait, self.step.at
        while decision := self.decisions.undecided(call, wait, at, decided):
            options = tuple(self.decisions.options(call, wait, decision))
            if isinstance(wait, CollectDigits):
                decided[decision] = self._keys(wait, options)
            elif decision.kind == "keys":  # in a queue, whose other keys do nothing
                key = self.random.choice((*options, "5")) if self.keys < self.most_keys else ""
                self.keys += bool(key)
                decided[decision] = key
            else:
                decided[decision] = self.random.choice((*options, *RARE.get(decision.kind, ())))
        return decided

    def _keys(self, wait: CollectDigits, options: tuple[Option, ...]) -> str:
        """What may be keyed there, or anything; silence when the caller has pressed as many keys as they will."""
        meant = self.decisions.keys(self.call, wait, str(self.random.choice(options)))
        keyed = "".join(self.random.choice(KEYS) for _ in range(self.random.choice([0, 1, 1, wait.max_digits])))
        keys = self.random.choice([meant, keyed, keyed])
        keys = keys if len(keys) <= self.most_keys - self.keys else ""
        self.keys += len(keys)
        return keys

    def _as_the_switch_may(self, ended: inputs.Input) -> inputs.Input:
        """The end of a wait, also as no rehearsal has it: a recording that fails, a queue that says who hangs up."""
        if isinstance(ended, inputs.RecordingEnded):
            return replace(ended, outcome=self.random.choice(list(RecordOutcome)))
        if isinstance(ended, inputs.CallerHungUp) and isinstance(self.step.wait, EnterQueue):
            return inputs.QueueLeft(step=self.call.step, outcome=QueueOutcome.ABANDONED, at=ended.at)
        return ended


def walk(plan: Plan, random: Random, *, most_keys: int, failing: float = 0.0, queues: Collection[str] = QUEUES) -> Walk:
    """A caller out of any list, at any instant of a year, to whom anything happens that can."""
    number = random.choice(CALLERS)
    presentation = Presentation.WITHHELD if number is None else Presentation.ALLOWED
    offered = inputs.CallOffered(
        call_id=f"{random.getrandbits(64):016x}",
        did=random.choice(plan.numbers),
        caller=CallerId(number=number, presentation=presentation),
        at=TUESDAY_10 + timedelta(minutes=random.randint(0, 366 * 24 * 60)),
    )
    walked = Walk(
        decisions=Decisions(plan),
        step=begin(plan, offered),
        random=random,
        most_keys=most_keys,
        failing=failing,
        queues=queues,
    )
    for _ in range(LONGEST_CALL):
        walked.go_on()
        if walked.call.ended:
            return walked
    raise AssertionError("the call does not end")

"""Offer to call back.

```yaml
callback:
  prompt: { say: "Toutes nos secrétaires sont en ligne." }
  timeout: 5s
  done: goodbye
  declined: secretaries
  no_input: { retry: 1, then: secretaries }
  no_match: { retry: 2, then: secretaries }
  automatic: { queue: medical, brief: { say: "Rappel, cabinet Moreau" }, hours: open }
```

The caller hears the number they call from: 1 confirms it, 2 keys another one (ended by #), 3 declines. Who shows no
number, or calls from one that cannot or may not be called, is asked for one at once, where * declines. A number
must be one that the client may have dialled (`shared/dialling.yaml`): any other is `no_match`. What the caller wants
stands in /api/callbacks. A call that books a callback and reaches nobody counts as one that left word (`message_left`).

With `automatic`, callrouter calls back. The callback waits in the queue in the caller's place: it has the turn they had
when they last entered a queue in that call, else that of the instant in which they asked. An agent who takes it hears
`brief`, and only then is the caller rung; they see the number that `identity` says, here or of the client, else the one
they had dialled. So nobody is called back whom no agent waits for, and never more callers at once than agents are free.
Who does not answer, or is busy, is rung again after `pause`, `attempts` times in all; after `days` it is given up. A
caller who rings again and is answered, from the number that they wanted to be called at, is not called back any more.
Each time, the number must still be one that may be dialled. What `automatic` says is that of the client's file as it is
then, not when the caller asked; a callback whose node is gone from the file waits for a person, as all do without
`automatic`.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from callrouter.core import numbers
from callrouter.core.agents.preference import Preference
from callrouter.core.call import MAX_CALLBACKS, Call, Callback, CallState, replace
from callrouter.core.dialling import Dialling
from callrouter.core.effects import CollectDigits, Part, ReadAs, Sound
from callrouter.core.identity import Identity
from callrouter.core.inputs import Result
from callrouter.core.nodes._base import Leave, Node, Stay, Step, keyed, read_in, remember, sounds_in, spoken
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Question, Reads, Uses, Variables
from callrouter.core.read_aloud import PromptPart, SpokenVariable

if TYPE_CHECKING:
    from callrouter.core.plan import Plan

LONGEST_NUMBER = 17
"""Keys of a number: an international 00, and 15 digits at most (ITU-T E.164)."""

_AGREED = LeftBy.NOTHING | LeftBy.KEY


class Automatic(Struct, frozen=True, kw_only=True):
    """How a client's callers are called back by themselves."""

    queue: str
    """Whose agents call back."""
    preference: Preference | None = None
    """Whom of them the client wants."""
    priority: int = 0
    brief: tuple[Sound, ...] = ()
    """What the agent hears first."""
    ring_seconds: float = 30.0
    attempts: int = 3
    """How often somebody is rung at most."""
    pause_seconds: float = 900.0
    """From one attempt to the next."""
    days: int = 3
    """After so many times 24 h nobody is rung any more."""
    hours: str = ""
    """A set of hours of the plan in which people are rung; empty: at any time."""
    identity: Identity | None = None
    """Whose number they see; None: what the client's other calls show."""

    @property
    def pbx_queue(self) -> str:
        """The queue at the PBX: the team's, or one derived from it."""
        return self.preference.queue if self.preference else self.queue

    def __str__(self) -> str:
        """For a person."""
        hours = f" in hours {self.hours}" if self.hours else ""
        brief = f", after «{' '.join(sound.text or sound.file for sound in self.brief)}»" if self.brief else ""
        who = f", {self.preference}" if self.preference else ""
        shown = f", as {self.identity}" if self.identity else ""
        return (
            f"by queue {self.queue} (priority {self.priority}{who}){hours}, {self.attempts} times for "
            f"{self.ring_seconds:g} s, {self.pause_seconds:g} s apart, for {self.days} days{brief}{shown}"
        )


class CallbackNode(Node, frozen=True, kw_only=True):
    """Offer to call back; exits are `done`, `declined`, `no_input` and `no_match`."""

    kind: ClassVar[str] = "callback"
    exit_names: ClassVar[frozenset[str]] = frozenset({"done", "declined", "no_input", "no_match"})

    sounds: tuple[PromptPart, ...] = ()
    """Said first, once."""
    number_sounds: tuple[Sound, ...]
    """Before the number: “We call you back at”."""
    choice_sounds: tuple[Sound, ...]
    """After the number: what 1, 2 and 3 do."""
    ask_sounds: tuple[Sound, ...]
    """Asks for a number, ended by #; * declines."""
    no_input_sounds: tuple[PromptPart, ...] = ()
    no_match_sounds: tuple[PromptPart, ...] = ()
    region: str
    """Country whose national numbers the caller may key."""
    dialling: Dialling
    """What may be dialled, and so be called back."""
    language: str
    figures: tuple[str, ...] = ()
    """Sounds of figures, where the switch has none of its own for the language."""
    timeout_seconds: float = 5.0
    no_input_retries: int = 1
    no_match_retries: int = 2
    automatic: Automatic | None = None
    """None: a person calls."""

    def about(self) -> About:
        """Who has asked for as many call-backs as they may goes to `done` at once; what is said counts as chosen."""
        asks = partial(CollectDigits, timeout_seconds=self.timeout_seconds)
        return About(
            family=Family.KEEPS,
            left_by={
                "done": _AGREED,
                "declined": LeftBy.KEY,
                "no_input": LeftBy.SILENCE,
                "no_match": LeftBy.WRONG_KEYS,
            },
            does=(
                asks(sounds=(*sounds_in(self.sounds), *self.number_sounds, *self.choice_sounds), max_digits=1),
                asks(sounds=self.ask_sounds, max_digits=LONGEST_NUMBER),
            ),
            reads=Reads(own_number=True),
            variables=Variables(needed=read_in(self.sounds, self.no_input_sounds, self.no_match_sounds)),
            uses=Uses(calls_back_from=(self.automatic.pbx_queue,) if self.automatic else ()),
            effort=Effort(),
            unheard={
                "timeout_seconds": "the longest wait for a key or an answer",
                "dialling": "the list of what may be called back",
                "automatic": "how callers are called back",
            },
        )

    def question(self, asked: CollectDigits) -> Question:
        """What is to become of the number: yes, no, or another one, which is asked for next."""
        if asked.max_digits == 1:
            return Question(keys=("1", "3"), seldom=("2", "9"))
        number = numbers.example(self.region)
        return Question(keys=(f"{number}#",) if number else (), seldom=("*", "1#"))

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Offer the caller's own number, or ask for one."""
        if len(call.callbacks) >= MAX_CALLBACKS:
            return Leave(call=call, exit="done", because="asked before")
        call = keyed(call)
        number = call.caller.number or ""
        if number.startswith("+") and not self._refusal(number):
            return self._offer(plan, remember(call, number=int(number[1:])), self.sounds)
        return self._ask(plan, call, self.sounds)

    def resume(self, plan: Plan, call: Call, result: Result, at: datetime) -> Step:
        """Judge by the keys that were pressed, or by their absence."""
        asking = "number" not in call.memory
        if not call.digits:
            tries = call.memory.get("no_input", 0) + 1
            if tries > self.no_input_retries:
                return Leave(call=call, exit="no_input", because=f"silent {tries}×")
            call = remember(call, no_input=tries)
            return (
                self._ask(plan, call, self.no_input_sounds) if asking else self._offer(plan, call, self.no_input_sounds)
            )
        return self._take_number(plan, call) if asking else self._choose(plan, call, at)

    def wait_again(self, plan: Plan, call: Call, at: datetime) -> Stay:
        """Offer the number, or ask for one."""
        return self._offer(plan, call) if "number" in call.memory else self._ask(plan, call)

    def _choose(self, plan: Plan, call: Call, at: datetime) -> Step:
        key, call = call.digits[0], replace(call, digits=call.digits[1:])
        match key:
            case "1":
                number = f"+{call.memory['number']}"
                booked = Callback(number=number, node=self.name, asked_at=at)
                call = replace(call, callbacks=(*call.callbacks, booked))
                return Leave(call=call, exit="done", because=f"call back {number}")
            case "2":
                memory = {name: value for name, value in call.memory.items() if name != "number"}
                return self._ask(plan, replace(call, memory=memory))
            case "3":
                return Leave(call=call, exit="declined", because="key 3")
            case _:
                return self._no_match(plan, replace(call, digits=""), f"key {key} unknown")

    def _take_number(self, plan: Plan, call: Call) -> Step:
        entered, _, rest = call.digits.partition("#")
        if entered.startswith("*"):
            return Leave(call=replace(call, digits=""), exit="declined", because="key *")
        call = replace(call, digits=rest)
        number = numbers.normalise(entered, self.region)
        if refusal := self._refusal(number or ""):
            return self._no_match(plan, replace(call, digits=""), f"{len(entered)} digits: {refusal}")
        assert number is not None
        return self._offer(plan, remember(call, number=int(number[1:])))

    def _refusal(self, number: str) -> str:
        """Why nobody can or may call back there; short, as the record keeps it."""
        if not numbers.is_valid(number):
            return "no number"
        return "may not be dialled" if not self.may_call_back(number) else ""

    def may_call_back(self, number: str) -> bool:
        """Whether an E.164 number may be dialled for the client; also asked at each attempt."""
        return not self.dialling.refusal(number)

    def _no_match(self, plan: Plan, call: Call, because: str) -> Step:
        tries = call.memory.get("no_match", 0) + 1
        if tries > self.no_match_retries:
            return Leave(call=call, exit="no_match", because=f"{because}, {tries}×")
        call = remember(call, no_match=tries)
        asking = "number" not in call.memory
        return self._ask(plan, call, self.no_match_sounds) if asking else self._offer(plan, call, self.no_match_sounds)

    def _offer(self, plan: Plan, call: Call, before: tuple[PromptPart, ...] = ()) -> Stay:
        aloud = SpokenVariable(
            variable="number",
            read_as=ReadAs.TELEPHONE,
            language=self.language,
            region=self.region,
            figures=self.figures,
        )
        number = aloud.read(f"+{call.memory['number']}", plan.timezone)
        return self._collect(plan, call, before, (*self.number_sounds, number, *self.choice_sounds), 1)

    def _ask(self, plan: Plan, call: Call, before: tuple[PromptPart, ...] = ()) -> Stay:
        return self._collect(plan, call, before, self.ask_sounds, LONGEST_NUMBER)

    def _collect(
        self, plan: Plan, call: Call, before: tuple[PromptPart, ...], asks: tuple[Part, ...], wanted: int
    ) -> Stay:
        heard, troubles = spoken(plan, call, before)
        collect = CollectDigits(sounds=heard + asks, max_digits=wanted, timeout_seconds=self.timeout_seconds)
        return Stay(call=call, state=CallState.COLLECTING, effects=(collect,), troubles=troubles)

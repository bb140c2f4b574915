"""Collect several digits into a variable.

```yaml
collect_digits:
  prompt: { say: "Composez votre numéro de dossier, puis dièse." }
  variable: dossier
  min: 4
  max: 8
  timeout: 5s
  next: lookup
  no_input: { retry: 1, then: secretaries }
  no_match: { retry: 1, then: secretaries }
```

`#` ends early; `max` digits end at once; fewer than `min` are a `no_match`, none a `no_input`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.call import Call, CallState, replace
from callrouter.core.effects import CollectDigits
from callrouter.core.inputs import Result
from callrouter.core.nodes._base import (
    Leave,
    Node,
    Stay,
    Step,
    keyed,
    read_in,
    remember,
    sounds_in,
    spoken,
    usual_seconds,
)
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, NumberAsked, Question, Reads, Uses, Variables
from callrouter.core.read_aloud import PromptPart

if TYPE_CHECKING:
    from callrouter.core.plan import Plan

_NOT_A_NUMBER = frozenset("*#ABCD")


class CollectDigitsNode(Node, frozen=True, kw_only=True):
    """Collect digits into a variable; exits are `next`, `no_input` and `no_match`."""

    kind: ClassVar[str] = "collect_digits"
    exit_names: ClassVar[frozenset[str]] = frozenset({"next", "no_input", "no_match"})

    sounds: tuple[PromptPart, ...]
    variable: str
    min_digits: int
    max_digits: int
    timeout_seconds: float = 5.0
    no_input_retries: int = 1
    no_match_retries: int = 1
    no_input_sounds: tuple[PromptPart, ...] = ()
    no_match_sounds: tuple[PromptPart, ...] = ()

    def about(self) -> About:
        """Digits enough lead on; the variable is set then, and only then."""
        asks = CollectDigits(
            sounds=sounds_in(self.sounds), max_digits=self.max_digits, timeout_seconds=self.timeout_seconds
        )
        return About(
            family=Family.ASKS,
            left_by={"next": LeftBy.KEY, "no_input": LeftBy.SILENCE, "no_match": LeftBy.WRONG_KEYS},
            does=(asks,),
            reads=Reads(),
            variables=Variables(
                needed=read_in(self.sounds, self.no_input_sounds, self.no_match_sounds),
                longest={self.variable: self.max_digits},
                known_after={"next": frozenset({self.variable})},
            ),
            uses=Uses(),
            effort=Effort(keys=self.min_digits, seconds=usual_seconds(self.sounds)),
            unheard={"timeout_seconds": "the longest wait for a key or an answer"},
        )

    def question(self, asked: CollectDigits) -> Question:
        """Any number of its length; `*` stands in none."""
        number = NumberAsked(variable=self.variable, min_digits=self.min_digits, max_digits=self.max_digits)
        return Question(number=number, wrong="*")

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Use what was keyed beforehand as far as it goes, and ask for the rest."""
        call = keyed(call)
        if self._complete(call.digits):
            return self._judge(plan, call)
        return self._ask(plan, call, self.sounds if not call.digits else ())

    def resume(self, plan: Plan, call: Call, result: Result, at: datetime) -> Step:
        """Judge by the keys that were pressed, or by their absence."""
        if call.digits:
            return self._judge(plan, call)
        tries = call.memory.get("no_input", 0) + 1
        if tries > self.no_input_retries:
            return Leave(call=call, exit="no_input", because=f"silent {tries}×")
        return self._ask(plan, remember(call, no_input=tries), self.no_input_sounds + self.sounds)

    def _complete(self, digits: str) -> bool:
        return "#" in digits or len(digits) >= self.max_digits

    def _judge(self, plan: Plan, call: Call) -> Step:
        entered, hash_key, rest = call.digits.partition("#")
        if len(entered) > self.max_digits or (len(entered) == self.max_digits and not hash_key):
            entered, rest = call.digits[: self.max_digits], call.digits[self.max_digits :]
        if len(entered) >= self.min_digits and _NOT_A_NUMBER.isdisjoint(entered):
            variables = {**call.variables, self.variable: entered}
            call = replace(call, digits=rest, variables=variables)
            return Leave(call=call, exit="next", because=f"{self.variable} = {entered}")
        call = replace(call, digits="")
        tries = call.memory.get("no_match", 0) + 1
        if tries > self.no_match_retries:
            return Leave(call=call, exit="no_match", because=f"{len(entered)} digits, {tries}×")
        return self._ask(plan, remember(call, no_match=tries), self.no_match_sounds + self.sounds)

    def wait_again(self, plan: Plan, call: Call, at: datetime) -> Stay:
        """Ask for what is missing of the number."""
        return self._ask(plan, call, self.sounds if not call.digits else ())

    def _ask(self, plan: Plan, call: Call, sounds: tuple[PromptPart, ...]) -> Stay:
        wanted = self.max_digits - len(call.digits)
        parts, troubles = spoken(plan, call, sounds)
        collect = CollectDigits(sounds=parts, max_digits=wanted, timeout_seconds=self.timeout_seconds)
        return Stay(call=call, state=CallState.COLLECTING, effects=(collect,), troubles=troubles)

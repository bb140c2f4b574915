"""Ask for one key.

```yaml
menu:
  prompt: { say: "Pour une urgence, tapez 1. Pour un rendez-vous, tapez 2." }
  timeout: 5s
  keys: { "1": urgent, "2": secretaries }
  no_input: { retry: 1, then: secretaries }
  no_match: { retry: 2, then: secretaries, prompt: { say: "Choix inconnu." } }
```

A key cuts the prompt short and a known one ends the wait at once; keys pressed beforehand count. Silence and
unknown keys repeat the menu as often as `retry` says, then go where `then` says.
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
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Question, Reads, Uses, Variables
from callrouter.core.read_aloud import PromptPart

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


class MenuNode(Node, frozen=True, kw_only=True):
    """Ask for one key; exits are `key:1` …, `no_input` and `no_match`."""

    kind: ClassVar[str] = "menu"
    exit_names: ClassVar[frozenset[str]] = frozenset({"no_input", "no_match"})

    sounds: tuple[PromptPart, ...]
    keys: tuple[str, ...]
    timeout_seconds: float = 5.0
    no_input_retries: int = 1
    no_match_retries: int = 1
    no_input_sounds: tuple[PromptPart, ...] = ()
    no_match_sounds: tuple[PromptPart, ...] = ()

    def about(self) -> About:
        """Its keys lead on, and nothing else does but patience."""
        return About(
            family=Family.ASKS,
            left_by={
                **{f"key:{key}": LeftBy.KEY for key in self.keys},
                "no_input": LeftBy.SILENCE,
                "no_match": LeftBy.WRONG_KEYS,
            },
            does=(CollectDigits(sounds=sounds_in(self.sounds), max_digits=1, timeout_seconds=self.timeout_seconds),),
            reads=Reads(),
            variables=Variables(needed=read_in(self.sounds, self.no_input_sounds, self.no_match_sounds)),
            uses=Uses(),
            effort=Effort(keys=1, seconds=usual_seconds(self.sounds)),
            unheard={"timeout_seconds": "the longest wait for a key or an answer"},
        )

    def question(self, asked: CollectDigits) -> Question:
        """Its keys; the last digit that is none of them means nothing."""
        return Question(keys=self.keys, wrong=next((key for key in "9876543210" if key not in self.keys), ""))

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Use a key pressed beforehand, or ask."""
        if "#" not in self.keys:
            call = keyed(call)
        return self._choose(plan, call) if call.digits else self._ask(plan, call)

    def resume(self, plan: Plan, call: Call, result: Result, at: datetime) -> Step:
        """Judge by the keys that were pressed, or by their absence."""
        if call.digits:
            return self._choose(plan, call)
        tries = call.memory.get("no_input", 0) + 1
        if tries > self.no_input_retries:
            return Leave(call=call, exit="no_input", because=f"silent {tries}×")
        return self._ask(plan, remember(call, no_input=tries), self.no_input_sounds)

    def wait_again(self, plan: Plan, call: Call, at: datetime) -> Stay:
        """Ask again, without what was said of a try before."""
        return self._ask(plan, call)

    def _choose(self, plan: Plan, call: Call) -> Step:
        key = call.digits[0]
        if key in self.keys:
            return Leave(call=replace(call, digits=call.digits[1:]), exit=f"key:{key}", because=f"key {key}")
        # What was keyed after an unknown key was meant for a menu the caller did not reach.
        call = replace(call, digits="")
        tries = call.memory.get("no_match", 0) + 1
        if tries > self.no_match_retries:
            return Leave(call=call, exit="no_match", because=f"key {key} unknown, {tries}×")
        return self._ask(plan, remember(call, no_match=tries), self.no_match_sounds)

    def _ask(self, plan: Plan, call: Call, before: tuple[PromptPart, ...] = ()) -> Stay:
        parts, troubles = spoken(plan, call, before + self.sounds)
        collect = CollectDigits(sounds=parts, max_digits=1, timeout_seconds=self.timeout_seconds)
        return Stay(call=call, state=CallState.COLLECTING, effects=(collect,), troubles=troubles)

"""Ring people of the client's.

```yaml
dial:
  contacts: [doctor, nurse]
  mode: in_turn
  ring: 20s
  screen: true
  no_answer: urgent_message
```

`mode` is `in_turn` (one after the other) or `at_once` (the first to accept is connected). With `screen`, the
called party must press 1 to accept, so that a mobile's voicemail does not swallow an emergency. Nobody:
`no_answer`. After the conversation the call ends, or goes on at `done`.

A contact may be the name of a rota (`shared/calendars.yaml`): whoever is on call at that instant is rung, and nobody
where the rota has a gap. Two who are on call together are rung at once, in `in_turn` too.

`identity` is whose number they see, where it is not that of the client's other calls: `identity: { show: operator }`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.call import Call, CallState, DialOutcome
from callrouter.core.effects import Dial, Part
from callrouter.core.identity import Identity
from callrouter.core.inputs import DialEnded, Result
from callrouter.core.nodes._base import Leave, Node, Stay, Step, read_in, remember, sounds_in, spoken
from callrouter.core.nodes.about import WHOSE_NUMBER, About, Effort, Family, LeftBy, Reads, Ring, Uses, Variables
from callrouter.core.read_aloud import PromptPart
from callrouter.core.rota import Contact, Rota

if TYPE_CHECKING:
    from callrouter.core.plan import Plan

_NOBODY_OR_OTHERS = LeftBy.NOTHING | LeftBy.OTHERS


class DialNode(Node, frozen=True, kw_only=True):
    """Ring contacts; exits are `no_answer` and, if wanted, `done`."""

    kind: ClassVar[str] = "dial"
    exit_names: ClassVar[frozenset[str]] = frozenset({"no_answer"})
    optional_exits: ClassVar[frozenset[str]] = frozenset({"done"})

    contacts: tuple[Contact | Rota, ...]
    at_once: bool = False
    ring_seconds: float = 20.0
    screen: tuple[PromptPart, ...] = ()
    identity: Identity | None = None
    """Whose number they see; None: what the client's other calls show."""

    def about(self) -> About:
        """It may be passed at once where nobody need be on call."""
        rotas = tuple([one for one in self.contacts if isinstance(one, Rota)])
        left_by = dict.fromkeys(self.exits, LeftBy.OTHERS)
        if len(rotas) == len(self.contacts):
            left_by["no_answer"] = _NOBODY_OR_OTHERS
        return About(
            family=Family.REACHES,
            left_by=left_by,
            does=(self._rings(self.people(), sounds_in(self.screen)),),
            reads=Reads(rotas=rotas),
            variables=Variables(needed=read_in(self.screen)),
            uses=Uses(
                rings=tuple([Ring(whom=one, path=("contacts", index)) for index, one in enumerate(self.contacts)]),
                at_once=self.at_once,
            ),
            effort=Effort(),
            unheard={"identity": WHOSE_NUMBER},
        )

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Ring the first, or all."""
        return self._ring(plan, call, 0, at)

    def resume(self, plan: Plan, call: Call, result: Result, at: datetime) -> Step:
        """The conversation is over; or the next one's turn; or nobody is left."""
        outcome = result.outcome if isinstance(result, DialEnded) else DialOutcome.FAILED
        if outcome is DialOutcome.ANSWERED:
            return self.leave_or_finish(call, "done", "conversation over")
        following = call.memory.get("next", 0) + 1
        if self.at_once or following >= len(self.contacts):
            return Leave(call=call, exit="no_answer", because=outcome.value)
        return self._ring(plan, call, following, at)

    def wait_again(self, plan: Plan, call: Call, at: datetime) -> Stay:
        """The same people: those who were on call when they began to be rung."""
        began_at = call.dials[-1].started_at if call.dials else at
        return self._wait_for(plan, call, self.targets(call.memory.get("next", 0), began_at))

    def people(self) -> tuple[Contact, ...]:
        """Everybody this node may ever ring, each once."""
        found: list[Contact] = []
        for entry in self.contacts:
            found.extend(entry.people() if isinstance(entry, Rota) else (entry,))
        return tuple(dict.fromkeys(found))

    def targets(self, index: int, at: datetime) -> tuple[Contact, ...]:
        """Whom the attempt `index` rings at this instant, all of them at once; who is named twice, once."""
        entries = self.contacts if self.at_once else (self.contacts[index],)
        found = (entry.at(at) if isinstance(entry, Rota) else (entry,) for entry in entries)
        return tuple(dict.fromkeys(contact for people in found for contact in people))

    def _ring(self, plan: Plan, call: Call, index: int, at: datetime) -> Step:
        targets = self.targets(index, at)
        while not targets and not self.at_once and index + 1 < len(self.contacts):
            index += 1
            targets = self.targets(index, at)
        if not targets:
            return Leave(call=call, exit="no_answer", because="nobody is on call")
        return self._wait_for(plan, remember(call, next=index), targets)

    def _wait_for(self, plan: Plan, call: Call, targets: tuple[Contact, ...]) -> Stay:
        screen, troubles = spoken(plan, call, self.screen)
        return Stay(call=call, state=CallState.DIALLING, effects=(self._rings(targets, screen),), troubles=troubles)

    def _rings(self, people: tuple[Contact, ...], screen: tuple[Part, ...]) -> Dial:
        return Dial(
            numbers=tuple([contact.number for contact in people]),
            names=tuple([contact.name for contact in people]),
            ring_seconds=self.ring_seconds,
            screen=screen,
            identity=self.identity,
        )

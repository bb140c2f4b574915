"""How queues stand, by AMI `QueueSummary` (`app_queue.c`, manager_queues_summary), which needs no privilege.

`LoggedIn` counts the members whose telephone is there, `Available` those of them who would be rung now, `TalkTime` is
the running mean of the queue's conversations (each new one a quarter of it). A team's callers wait in its own queue and
in those derived from it: all of them are counted, and the agents are the team's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from callrouter.asterisk.codec import AmiMessage, whole_number
from callrouter.asterisk.link import AmiLink
from callrouter.core.inputs import QueueLook
from callrouter.errors import AmiError

LOOK_SECONDS = 1.0
"""A queue that has not been seen by then cannot be looked at: the caller hears nothing meanwhile."""

OnSeen = Callable[[Mapping[str, QueueLook]], None]


Derived = Callable[[str], Sequence[str]]
"""The queues derived from a team's."""


def none_derived(_: str) -> Sequence[str]:
    """No client prefers anybody."""
    return ()


def look(link: AmiLink, names: tuple[str, ...], on_seen: OnSeen, derived: Derived = none_derived) -> None:
    """Ask how teams' queues stand; `on_seen` is told once, within `LOOK_SECONDS`, those that could be looked at."""
    _Looking(link, {name: (name, *derived(name)) for name in names}, on_seen)


class _Looking:
    """One question about several teams' queues."""

    def __init__(self, link: AmiLink, teams: Mapping[str, Sequence[str]], on_seen: OnSeen) -> None:
        self._on_seen = on_seen
        self._teams = teams
        self._looks: dict[str, QueueLook] = {}
        names = [name for queues in teams.values() for name in queues]
        self._left = set(names)
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._done)
        batch = link.batch()
        answers = {name: batch.collect("QueueSummary", {"Queue": name}) for name in names}
        try:
            batch.write()
        except AmiError:
            self._done()
            return
        for name, answer in answers.items():
            answer.add_done_callback(partial(self._answered, name))

    def _answered(self, name: str, answer: asyncio.Future[list[AmiMessage]]) -> None:
        # Asked for even when it comes too late, so that no error stays unheard.
        failed = answer.cancelled() or answer.exception() is not None
        if name not in self._left:
            return
        self._left.discard(name)
        found = None if failed else next((_read(event, name) for event in answer.result() if _is(event, name)), None)
        if found is not None:
            self._looks[name] = found
        if not self._left:
            self._done()

    def _done(self) -> None:
        self._timer.cancel()
        self._left.clear()
        on_seen, self._on_seen = self._on_seen, lambda _: None
        on_seen({team: self._whole(queues) for team, queues in self._teams.items() if team in self._looks})

    def _whole(self, queues: Sequence[str]) -> QueueLook:
        """A team's own queue, with the callers of those derived from it that could be looked at."""
        seen = [self._looks[name] for name in queues if name in self._looks]
        talks = [one.talk_seconds for one in seen if one.talk_seconds]
        return QueueLook(
            agents=seen[0].agents,
            free=seen[0].free,
            waiting=sum(one.waiting for one in seen),
            talk_seconds=sum(talks) / len(talks) if talks else 0.0,
        )


def _is(event: AmiMessage, name: str) -> bool:
    return event["Event"] == "QueueSummary" and event["Queue"].lower() == name.lower()


def _read(event: AmiMessage, name: str) -> QueueLook | None:
    fields = [whole_number(event[field]) for field in ("LoggedIn", "Available", "Callers", "TalkTime")]
    known = [field for field in fields if field is not None]
    if len(known) < len(fields):
        return None
    agents, free, waiting, talk = known
    return QueueLook(agents=agents, free=free, waiting=waiting, talk_seconds=float(talk))

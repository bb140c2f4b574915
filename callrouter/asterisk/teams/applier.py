"""Makes a PBX's queues and telephones what a document of teams says, while it serves calls.

Asterisk reads its included files again: that touches neither callers who wait, nor conversations, nor registrations
(tests/asterisk/teams/test_applier.py measures it). What goes is drained first. A queue that the document has no more
stays as it was as long as somebody waits in it, or a tree in service still names it; then it is closed, and then it
goes: in a queue that Asterisk has dropped a caller would wait in vain. A telephone goes at once: a conversation that
it is in goes on, and its BYE is understood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol

import structlog

from callrouter.asterisk.teams.console import RELOADS
from callrouter.asterisk.teams.document import Team, Teams
from callrouter.asterisk.teams.folder import Applied, Leaving, PbxFolder
from callrouter.errors import ConsoleAway, NotApplied

log = structlog.get_logger(__name__)

DRAIN_SECONDS: Final = 1.0
"""How often what is on its way out is looked at."""


class Asked(Protocol):
    """What Asterisk's console can do for us (`Console`)."""

    def reload(self, file: str) -> None: ...

    def waiting(self) -> dict[str, int]: ...

    def phones(self) -> set[str]: ...


class Applier:
    """Applies documents to one PBX."""

    def __init__(self, folder: PbxFolder, console: Asked) -> None:
        self._folder = folder
        self._console = console

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to drain.

        Raises:
            PbxUnitError: the folder cannot be read.
        """
        return self._folder.applied().is_settled

    def apply(self, teams: Teams, *, afresh: bool = False) -> None:
        """Make the PBX as the document says; `afresh`: have Asterisk read everything again, whatever it had.

        Raises:
            ConsoleAway: Asterisk does not run, or is not ours to ask. It reads the files when it starts.
            NotApplied: Asterisk does not have what the files say; those of before are back.
            PbxUnitError: the files cannot be read or written.
        """
        before = self._folder.applied()
        try:
            wanted = follow(before, teams, self._console.waiting)
        except ConsoleAway:
            self._folder.write(Applied(teams=teams, leaving=_left(before, teams)))
            raise
        if afresh:
            self._folder.touch()
        changed = self._folder.write(wanted)
        try:
            self._load(frozenset(RELOADS) if afresh else changed, wanted)
        except NotApplied:
            self._load_quietly(self._folder.write(before))
            raise
        if changed:
            log.info(
                "queues and telephones were applied to Asterisk",
                revision=teams.revision,
                files=sorted(changed),
                leaving=[one.team.name for one in wanted.leaving],
            )

    def drain(self) -> None:
        """Go on with what is on its way out.

        Raises:
            as `apply`.
        """
        self.apply(self._folder.applied().teams)

    def _load(self, changed: frozenset[str], wanted: Applied) -> None:
        for file in RELOADS:
            if file in changed:
                self._console.reload(file)
        if not changed:
            return
        missing = [f"queue {name}" for name in set(wanted.queues) - self._console.waiting().keys()]
        missing += [f"telephone {name}" for name in wanted.phones - self._console.phones()]
        if missing:
            raise NotApplied(
                f"Asterisk has loaded its files, and has no {', no '.join(sorted(missing))}: its log says why; what it "
                "had before is back"
            )

    def _load_quietly(self, changed: frozenset[str]) -> None:
        for file in RELOADS:
            if file in changed:
                self._console.reload(file)


def follow(before: Applied, teams: Teams, waiting: Callable[[], Mapping[str, int]]) -> Applied:
    """What comes after `before`, once the document is `teams`; callers that wait are asked for only if they matter."""
    left = _left(before, teams)
    return Applied(teams=teams, leaving=tuple(_drained(left, teams, waiting() if left else {})))


def _left(before: Applied, teams: Teams) -> tuple[Leaving, ...]:
    """What the document has no more. A queue that comes back is none of them."""
    there = {team.name.lower() for team in teams.teams}  # app_queue ignores case
    candidates = [*before.leaving, *(Leaving(team=team) for team in before.teams.teams)]
    return tuple(one for one in candidates if one.team.name.lower() not in there)


def _drained(left: tuple[Leaving, ...], teams: Teams, callers: Mapping[str, int]) -> Iterator[Leaving]:
    for one in left:
        waiting = callers.get(one.team.name, 0)
        if one.team.name in teams.still_named:
            yield Leaving(team=one.team)
        elif waiting and not one.closed:
            yield one
        elif waiting or not one.closed:
            yield Leaving(team=Team(name=one.team.name), closed=True)

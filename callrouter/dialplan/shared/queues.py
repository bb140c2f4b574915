"""The teams' lines, and who answers them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct

from callrouter.dialplan.documents.people import TeamQueueBlock
from callrouter.dialplan.documents.shared_files import QueuesFile
from callrouter.dialplan.issues import Issue, Severity, closest, shown
from callrouter.dialplan.language.bounds import unusual
from callrouter.dialplan.language.reader import Document


class TeamQueue(Struct, frozen=True, kw_only=True):
    """A team's line, as the switch is to hold it."""

    name: str
    title: str
    members: tuple[str, ...]
    strategy: str
    ring_seconds: float
    retry_seconds: float
    wrap_up_seconds: float
    max_callers: int
    """0: no bound."""
    log_in: bool = False
    """Whether a member is rung only while logged in."""
    misses: int = 0
    """After how many missed offers in a row a member is paused; 0: never."""
    weight: int = 0
    """Greater goes first, where teams share agents."""
    levels: Mapping[str, int] = {}
    """By agent: 1 is rung first; all others are of level 1."""
    next_level_seconds: float | None = None
    """After how long each further level is rung too; None: as soon as nobody of the one before is free."""

    def level(self, agent: str) -> int:
        """An agent's, from 1."""
        return self.levels.get(agent, 1)


def team_queue(name: str, block: TeamQueueBlock) -> TeamQueue:
    """The line of a document's queue."""
    return TeamQueue(
        name=name,
        title=block.title or name,
        members=block.members,
        strategy=block.strategy,
        ring_seconds=block.ring,
        retry_seconds=block.retry,
        wrap_up_seconds=block.wrap_up,
        max_callers=block.max_callers,
        log_in=block.log_in,
        misses=block.misses,
        weight=block.weight,
        levels=block.levels,
        next_level_seconds=block.next_level,
    )


def strangers(file: QueuesFile, document: Document, agents: Collection[str], bad: Collection[str] = ()) -> list[Issue]:
    """Members of queues who are no agents; `bad` are agents that are refused."""
    issues: list[Issue] = []
    for name, queue in file.queues.items():
        for index, member in enumerate(queue.members):
            if member not in agents:
                wrong = "is refused: mend it in" if member in bad else "is not in"
                message = f"queue {shown(name)}: agent {shown(member)} {wrong} shared/agents.yaml"
                message += " first" if member in bad else ""
                meant = "" if member in bad else closest(member, agents)
                issues.append(document.issue(message, "queues", name, "members", index, suggestion=meant))
    return issues


def odd_times(file: QueuesFile, document: Document) -> Iterator[Issue]:
    """Times of a line that no caller would endure, or no agent notice, and that it does not accept by name."""
    for name, queue in file.queues.items():
        for key, wrong, warning in unusual(queue):
            if warning not in queue.accepted:
                yield Issue(
                    file=document.file,
                    line=document.line("queues", name, key),
                    field=f"queues.{name}.{key}",
                    message=f"queue {shown(name)}: {wrong}",
                    severity=Severity.WARNING,
                    name=warning,
                )

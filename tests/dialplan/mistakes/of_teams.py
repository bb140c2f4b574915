"""Mistakes with whom a client wants of a team: of another team, everybody, nobody, or for callers who never come."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.dialplan.mistakes.firms import Firm, right
from tests.dialplan.mistakes.kind import Kind, Mistake, at


def _members(firm: Firm, queue: str) -> list[str]:
    found: list[str] = firm.folder.shared["queues"]["queues"][queue]["members"]
    return found


def _wants(firm: Firm, queue: str, wanted: dict[str, Any]) -> None:
    firm.client["agents"] = {queue: wanted}


def no_member(random: Random) -> Mistake | None:
    """An agent of another team, one who has left, or one whose name is mistyped."""
    firm = right(random)
    queue = firm.trade.queue
    others = [f"agent-{place}" for place in range(1, 9) if f"agent-{place}" not in _members(firm, queue)]
    first = _members(firm, queue)[0]
    stranger = random.choice([random.choice(others), "agent-9", first.replace("agent", "agnet"), first + "0"])
    key, named = random.choice(["prefer", "never"]), [first, stranger]
    _wants(firm, queue, {key: named})
    return Mistake(firm.folder, (at(firm.folder, "agents", queue, key, 1),))


def nobody_left(random: Random) -> Mistake | None:
    """Every member is one whom the client never wants."""
    firm = right(random)
    queue = firm.trade.queue
    _wants(firm, queue, {"never": random.sample(_members(firm, queue), 2)})
    return Mistake(firm.folder, (at(firm.folder, "agents", queue, "never"),))


def both(random: Random) -> Mistake | None:
    """Somebody is preferred, and never wanted."""
    firm = right(random)
    queue = firm.trade.queue
    first, second = random.sample(_members(firm, queue), 2)
    _wants(firm, queue, {"prefer": [first, second], "never": [random.choice([first, second])]})
    return Mistake(firm.folder, (at(firm.folder, "agents", queue), at(firm.folder, "agents", queue, "never")))


def wrong_team(random: Random) -> Mistake | None:
    """The team of the firm that the file was copied from, or a team that there is not."""
    firm = right(random)
    others = [name for name in firm.folder.shared["queues"]["queues"] if name != firm.trade.queue]
    queue = random.choice(others)
    agent = random.choice(_members(firm, queue))
    if firm.chance(0.3):
        queue = random.choice([queue + "s", queue[:-1]])
    _wants(firm, queue, random.choice([{"prefer": [agent]}, {"never": [agent]}]))
    return Mistake(firm.folder, (at(firm.folder, "agents", queue),))


def idle_wait(random: Random) -> Mistake | None:
    """A time until the others are rung where there are no others, or nobody is preferred."""
    firm = right(random)
    queue = firm.trade.queue
    first, second = random.sample(_members(firm, queue), 2)
    wanted = random.choice(
        [{"never": [first]}, {"prefer": [first], "never": [second]}, {}, {"prefer": [first, second]}]
    )
    _wants(firm, queue, {**wanted, "next_level": random.choice(["15s", "30s", "1m"])})
    return Mistake(firm.folder, (at(firm.folder, "agents", queue, "next_level"),))


KINDS = (
    Kind(name="agent who is not of the team", line=10, make=no_member),
    Kind(name="nobody of the team is left", line=10, make=nobody_left),
    Kind(name="agent preferred and never wanted", line=10, make=both),
    Kind(name="agents of a team that nobody waits for", line=10, make=wrong_team),
    Kind(name="time until others where there are none", line=10, make=idle_wait),
)

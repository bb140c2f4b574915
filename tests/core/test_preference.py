"""Whom of a team clients want: what comes to the same shares one queue, and nothing else does."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from callrouter.asterisk.commands import opaque_id
from callrouter.core.agents.preference import (
    LONGEST_QUEUE,
    Preference,
    leaves_out,
    levels_with,
    shortest,
    team_of,
    without_gaps,
)
from callrouter.pbx_names import wrong_name

AGENTS = ("anne", "bruno", "carl", "dora", "never", "a-b")
LONGEST_NAME = 48
"""Characters of a name in the documents (`language.values.name`)."""


@st.composite
def teams(draw: st.DrawFn) -> tuple[dict[str, int], float | None]:
    """Levels of its members, and after how long each further level is rung too."""
    members = draw(st.lists(st.sampled_from(AGENTS), min_size=1, unique=True))
    return {agent: draw(st.integers(1, 4)) for agent in members}, draw(st.sampled_from([None, 10.0, 20.0]))


@st.composite
def wishes(draw: st.DrawFn, members: tuple[str, ...]) -> Preference:
    """Any that names members, in any order."""
    chosen = st.lists(st.sampled_from(members), unique=True)
    never = draw(chosen)
    prefer = [agent for agent in draw(chosen) if agent not in never]
    after = draw(st.sampled_from([None, 10, 20]))
    return Preference(team="medical", prefer=tuple(prefer), never=tuple(never), next_level_seconds=after)


def met(preference: Preference, levels: dict[str, int], after: float | None) -> tuple[object, ...]:
    """What callers meet: who is rung, in which order, and when further ones are. By the words of the documents, and by
    nothing of the code that is tested."""
    rung = [agent for agent in levels if agent not in preference.never]
    places = {agent: (agent not in preference.prefer, levels[agent]) for agent in rung}
    groups = tuple(frozenset(a for a in rung if places[a] == place) for place in sorted(set(places.values())))
    wait = preference.next_level_seconds or after
    return (groups, wait if len(groups) > 1 else None)


@given(st.data())
def test_the_same_queue_if_and_only_if_callers_meet_the_same(data: st.DataObject) -> None:
    """Of one team: equal agents, levels and times share a queue; others never do. So there are never more queues than
    different wishes, whatever the order in which they are written or read."""
    levels, after = data.draw(teams())
    several = data.draw(st.lists(wishes(tuple(levels)), min_size=1, max_size=12))
    queues = [one.queue if (one := shortest(wish, levels, after)) else "medical" for wish in several]
    wanted = [met(wish, levels, after) for wish in several]

    assert [[a == b for b in queues] for a in queues] == [[a == b for b in wanted] for a in wanted]
    assert len(set(queues)) == len(set(wanted))
    backwards = [shortest(wish, dict(reversed(levels.items())), after) for wish in several[::-1]]
    assert [one.queue if one else "medical" for one in backwards[::-1]] == queues


@given(st.data())
def test_who_wants_what_the_team_does_has_no_queue(data: st.DataObject) -> None:
    """And what is shortest stays as it is."""
    levels, after = data.draw(teams())
    wish = data.draw(wishes(tuple(levels)))
    found = shortest(wish, levels, after)
    plain = Preference(team="medical")

    assert (found is None) == (met(wish, levels, after) == met(plain, levels, after))
    if found is not None:
        assert shortest(found, levels, after) == found
        assert levels_with(found, levels) == levels_with(wish, levels)


names = st.from_regex(r"[a-z][a-z0-9_-]{0,47}", fullmatch=True)


@given(names, st.lists(names, unique=True, max_size=12), st.integers(0, 12), st.none() | st.integers(1, 3600))
def test_the_pbx_can_hold_its_name_which_is_its_own(
    team: str, agents: list[str], split: int, after: int | None
) -> None:
    """The team is found in it; no team, and no other preference, has it."""
    one = Preference(
        team=team,
        prefer=tuple(sorted(agents[:split])),
        never=tuple(sorted(agents[split:])),
        next_level_seconds=after,
    )
    asterisks = bool(re.search("[.][-_]", one.queue))  # extensions.conf, callrouter-queue-there
    others = [Preference(team=team, prefer=one.never, never=one.prefer, next_level_seconds=after)]
    others += [Preference(team=team, prefer=one.prefer, never=one.never, next_level_seconds=(after or 0) + 1)]

    assert team_of(one.queue) == team == team_of(team)
    assert len(one.queue) <= LONGEST_QUEUE
    assert leaves_out(one.queue) == asterisks == (bool(one.never) or f"{team}._" in one.queue)
    if one != Preference(team=team):
        assert one.queue != team
        assert (opaque_id(one.queue), wrong_name(one.queue) if len(team) > 1 else "") == (one.queue, "")
        assert [other.queue == one.queue for other in others] == [other == one for other in others]


def test_a_long_list_is_told_by_a_digest() -> None:
    """Of names that no other list has."""
    team = "m" * LONGEST_NAME
    few, many = (Preference(team=team, prefer=tuple(f"agent-{place:02}" for place in range(most))) for most in (2, 20))

    assert few.queue == f"{team}.agent-00.agent-01"
    assert many.queue.startswith(f"{team}._")
    assert Preference(team=team, never=many.prefer).queue != many.queue


def test_it_reads_as_it_is_meant() -> None:
    """By people, in records' explanations and drawings; and the queue's name says the same."""
    one = Preference(team="medical", prefer=("anne", "bruno"), never=("carl",), next_level_seconds=20)

    assert str(one) == "anne and bruno first, never carl, further levels after 20 s each"
    assert one.queue == "medical.anne.bruno.-carl.20s"


def test_preferred_agents_come_first_in_their_teams_order() -> None:
    """The team's levels decide among them, and among the others; a level that nobody is left in is passed over."""
    levels = {"anne": 1, "bruno": 2, "carl": 2, "dora": 4}
    wanted = Preference(team="medical", prefer=("anne", "dora"), never=("bruno",))

    assert levels_with(wanted, levels) == {"anne": 1, "dora": 2, "carl": 3}
    assert without_gaps(levels) == {"anne": 1, "bruno": 2, "carl": 2, "dora": 3}

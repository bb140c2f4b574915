"""Agents without a telephone, telephones without an agent, and names that the PBX cannot hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from callrouter.asterisk.teams.document import folder_teams, teams_from, text_of
from callrouter.dialplan.folder.files import load_shared
from callrouter.dialplan.shared.crew import crew_of
from callrouter.dialplan.shared.reading import Shared

QUEUES = "queues:\n  night: { members: [anne, bruno] }\n"


def read(folder: Path, agents: str, queues: str = QUEUES) -> Shared:
    (folder / "shared").mkdir()
    (folder / "shared" / "agents.yaml").write_text(agents)
    (folder / "shared" / "queues.yaml").write_text(queues)
    return load_shared(folder)


def test_telephones_that_are_listed_are_all_there_are(tmp_path: Path) -> None:
    """One that is nobody's own is a note, and the PBX has it too."""
    shared = read(tmp_path, "agents:\n  anne: { phone: desk-1 }\n  bruno: {}\nphones: [desk-1, bruno, desk-3]\n")

    assert [str(issue) for issue in shared.issues] == [
        'shared/agents.yaml:4: note: telephone "desk-3" is no agent\'s own'
    ]
    assert shared.wrong_teams == ()
    assert shared.telephones == ("desk-1", "bruno", "desk-3")


OTHER = "the PBX has this name for something else"


@pytest.mark.parametrize(
    ("agents", "queues", "found"),
    [
        (
            "agents:\n  anne: { phone: desk-1 }\n  bruno: { phone: dask-1 }\nphones: [desk-1]\n",
            "queues: {}\n",
            'shared/agents.yaml:3: agent "bruno" has no telephone: "dask-1" is not among `phones` (did you mean "desk-',
        ),
        (
            "agents:\n  anne: { phone: trunk }\n  bruno: {}\n",
            "queues: {}\n",
            f'shared/agents.yaml:2: agent "anne": telephone "trunk": {OTHER}',
        ),
        (
            "agents:\n  anne: { phone: PJSIP/desk }\n  bruno: {}\n",
            "queues: {}\n",
            'shared/agents.yaml:2: agent "anne": telephone "PJSIP/desk": the PBX knows names of 2 to 79 letters',
        ),
        (
            "agents: { anne: {}, bruno: {} }\n",
            "queues:\n  general: { members: anne }\n",
            f'shared/queues.yaml:2: queue "general": {OTHER}',
        ),
        (
            "agents: { anne: {}, bruno: {} }\nphones: [anne, bruno, softphone]\n",
            QUEUES,
            f'shared/agents.yaml:2: telephone "softphone": {OTHER}',
        ),
    ],
)
def test_what_the_pbx_could_not_hold_is_an_error(tmp_path: Path, agents: str, queues: str, found: str) -> None:
    """And hands nothing over to the PBX."""
    shared = read(tmp_path, agents, queues)

    assert [str(issue)[: len(found)] for issue in shared.issues] == [found]
    assert shared.wrong_teams


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ("levels: { brumo: 2 }", '"brumo" is no member (did you mean "bruno"?)'),
        ("levels: { bruno: 0 }", "levels.bruno: must be 1 or more, not 0"),
        ("levels: { bruno: 10 }", "levels.bruno: must be 9 or less, not 10"),
        ("next_level: 30s", "next_level does nothing: all members are of one level"),
        ("levels: { anne: 2, bruno: 2 }, next_level: 30s", "next_level does nothing"),
    ],
)
def test_levels_that_do_nothing_are_errors(tmp_path: Path, settings: str, found: str) -> None:
    """So that nobody waits for what never comes."""
    shared = read(
        tmp_path,
        "agents: { anne: {}, bruno: {} }\n",
        f"queues:\n  night: {{ members: [anne, bruno], {settings} }}\n",
    )

    (issue,) = shared.issues
    assert found in str(issue)
    assert shared.wrong_teams


def test_levels_reach_the_pbx(tmp_path: Path) -> None:
    """With the time in whole seconds."""
    settings = "levels: { anne: 1, bruno: 3 }, next_level: 2.5s, weight: 4"
    shared = read(
        tmp_path,
        "agents: { anne: {}, bruno: {} }\n",
        f"queues:\n  night: {{ members: [anne, bruno], {settings} }}\n",
    )
    teams = folder_teams(shared.queues, shared.phones)

    assert shared.issues == ()
    assert teams == teams_from(text_of(teams), "here")
    (team,) = teams.teams
    assert (team.levels, team.next_level_seconds, team.weight) == ({"bruno": 3}, 3, 4)
    # Whoever logs in is added with it.
    crew = crew_of(shared)
    assert crew is not None
    assert [crew.agents[name].places[0].penalty for name in ("anne", "bruno")] == [0, 2]


@pytest.mark.parametrize(
    ("queues", "line"),
    [
        (QUEUES, 2),
        ("queues:\n  night: { members: [anne] }\n  day: { members: [bruno] }\n", 3),
    ],
)
def test_two_who_never_log_out_with_one_telephone(tmp_path: Path, queues: str, line: int) -> None:
    """Of one team or of two: app_queue would ring it for the one, and the figures name the other."""
    shared = read(tmp_path, "agents:\n  anne: { phone: desk-1 }\n  bruno: { phone: desk-1 }\n", queues)

    (issue,) = shared.issues
    name = "night" if line == 2 else "day"
    told = f'queue "{name}": "anne" and "bruno" have one telephone, "desk-1": give each their own'
    assert str(issue).startswith(f"shared/queues.yaml:{line}: {told}")
    assert shared.wrong_teams


def test_who_logs_in_may_have_one_telephone(tmp_path: Path) -> None:
    """One after the other; and one member of several teams is no two."""
    queues = (
        "queues:\n  night: { members: [anne, bruno], log_in: true }\n"
        "  day: { members: [carla] }\n  noon: { members: [carla] }\n"
    )
    agents = "agents:\n  anne: { phone: desk-1 }\n  bruno: { phone: desk-1 }\n  carla: {}\n"

    assert read(tmp_path, agents, queues).issues == ()


@pytest.mark.parametrize(("first", "second"), [("true", "false"), ("false", "true")])
def test_nobody_is_of_both_kinds_of_team(tmp_path: Path, first: str, second: str) -> None:
    """Whoever logs out would be rung by the other team all the same, and a pause could not say at which telephone."""
    queues = (
        f"queues:\n  night: {{ members: [anne, bruno], log_in: {first} }}\n"
        f"  day: {{ members: [carla, bruno], log_in: {second} }}\n"
    )
    shared = read(tmp_path, "agents: { anne: {}, bruno: {}, carla: {} }\n", queues)

    asks, does_not = ("night", "day") if first == "true" else ("day", "night")
    (issue,) = shared.issues
    assert str(issue) == (
        f'shared/queues.yaml:3: queue "day": "bruno" logs in for "{asks}", and "{does_not}" asks for no log-in: '
        "give both the same `log_in`, or take the agent out of one"
    )
    assert crew_of(shared) is None

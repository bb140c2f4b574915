"""Agents log in, pause, move and log out, on a real Asterisk: by telephone, and by what others ask of the roster."""

from __future__ import annotations

from pathlib import Path

import pytest

from callrouter.core.agents.sessions import SessionKind
from callrouter.core.agents.standing import AgentState
from callrouter.errors import AgentRefused
from callrouter.store.tables import AuditOutcome
from tests.asterisk.agents.workplace import PIN, a_pbx, at_desk, at_work, crew_of
from tests.asterisk.engine_room import until

TWO = ("agent-1", "agent-2")


async def test_a_day_by_telephone(tmp_path: Path) -> None:
    """Log in with the PIN, pause for a reason, come back, log out: each is what Asterisk does, and is spoken in
    French.
    """
    async with a_pbx(tmp_path, TWO) as there, at_work(*there, crew_of(*TWO)) as (place, _):
        before = place.members()
        await place.key("agent-1", "*10", then=f"{PIN}#")
        await place.has("agent-1 (PJSIP/agent-1)")
        logged_in = place.members()
        await place.key("agent-1", "*122")
        await place.has("paused:training")
        await place.key("agent-1", "*13")
        await until(lambda: not any("paused" in line for line in place.members()), 5)
        await place.key("agent-1", "*11")
        await until(lambda: not place.members(), 5)

    assert before == []
    assert len(logged_in) == 1
    assert place.pins.asked == [("agent-1", PIN)]
    assert [words for words, _ in place.spoken] == [
        "Composez votre code, puis dièse.",
        "Vous êtes connecté.",
        "Vous êtes en pause. training",
        "Vous prenez les appels.",
        "Vous êtes déconnecté.",
    ]
    assert {language for _, language in place.spoken} == {"fr"}
    assert [(deed.principal, deed.action, deed.outcome) for deed in place.deeds] == [
        ("agent:agent-1", "agent.login", AuditOutcome.DONE),
        ("agent:agent-1", "agent.pause", AuditOutcome.DONE),
        ("agent:agent-1", "agent.pause", AuditOutcome.DONE),
        ("agent:agent-1", "agent.login", AuditOutcome.DONE),
    ]
    kinds = [(session.kind, session.reason, session.ended_at is not None) for session in place.told]
    assert kinds == [
        (SessionKind.LOGIN, "", False),
        (SessionKind.PAUSE, "training", False),
        (SessionKind.PAUSE, "training", True),
        (SessionKind.LOGIN, "", True),
    ]


async def test_one_agent_one_place(tmp_path: Path) -> None:
    """A second log-in, at another telephone, moves them; whoever was logged in there is logged out."""
    async with a_pbx(tmp_path, TWO) as there, at_work(*there, crew_of(*TWO)) as (place, _):
        place.roster.log_in("agent-1", "agent-1")
        place.roster.log_in("agent-2", "agent-2")
        await until(lambda: len(place.members()) == 2, 5)
        await place.key("agent-2", "*10101", then=f"{PIN}#")
        await until(lambda: len(place.members()) == 1, 5)
        shown = place.members()
        standings = [place.roster.standing(agent) for agent in place.roster.crew.agents.values()]

    assert "agent-1 (PJSIP/agent-2)" in shown[0]
    assert [(one.state, one.phone) for one in standings] == [(AgentState.READY, "agent-2"), (AgentState.LOGGED_OUT, "")]
    ended = [(one.agent, one.phone, one.ended_by) for one in place.told if one.ended_at]
    assert ended == [("agent-2", "agent-2", "moved"), ("agent-1", "agent-1", "moved")]


async def test_what_is_refused_changes_nothing(tmp_path: Path) -> None:
    """A wrong PIN, a number nobody has, a pause of who is not logged in, a reason there is not: said, and in the
    trail.
    """
    async with a_pbx(tmp_path, TWO) as there, at_work(*there, crew_of(*TWO)) as (place, _):
        await place.key("agent-1", "*10", then="1111#2222#3333#")
        await place.key("agent-1", "*10199", then="1111#2222#3333#")
        await place.key("agent-1", "*121")
        members = place.members()
        place.roster.log_in("agent-1", "agent-1")
        await place.key("agent-1", "*129")
        await place.has("agent-1 (PJSIP/agent-1)")
        paused = [line for line in place.members() if "paused" in line]
        with pytest.raises(AgentRefused, match="no telephone 'nowhere'"):
            place.roster.log_in("agent-1", "nowhere")
        with pytest.raises(AgentRefused, match="no agent 'agent-9'"):
            place.roster.log_in("agent-9", "agent-1")

    assert (members, paused) == ([], [])
    said = [words for words, _ in place.spoken if "Composez" not in words and "enter" not in words]
    assert said == [
        "Ce numéro ou ce code n'est pas valable.",
        "That number or PIN is not right.",
        "Vous n'êtes pas connecté.",
        "Ce motif n'existe pas.",
    ]
    assert {deed.outcome for deed in place.deeds} == {AuditOutcome.REFUSED}
    assert {deed.principal for deed in place.deeds} == {"agent:agent-1", "telephone:agent-1"}


async def test_the_same_again_changes_nothing(tmp_path: Path) -> None:
    """Paused twice, unpaused twice (Asterisk tells of each), logged in twice: one session of each."""
    async with a_pbx(tmp_path, TWO) as there, at_work(*there, crew_of(*TWO)) as (place, _):
        for _ in range(2):
            place.roster.log_in("agent-1", "agent-1")
        for _ in range(2):
            place.roster.pause("agent-1", "lunch")
        for _ in range(2):
            place.roster.ready("agent-1")
        changes = place.roster.changes

    assert changes == 3
    assert [(one.kind, one.ended_at is None) for one in place.told] == [
        (SessionKind.LOGIN, True),
        (SessionKind.PAUSE, True),
        (SessionKind.PAUSE, False),
    ]


async def test_teams_without_log_ins_pause_too(tmp_path: Path) -> None:
    """Members of queues.conf are always there; they pause and come back, and are not logged in or out."""
    queues = "[desk](team)\nmember => PJSIP/agent-1,0,agent-1,PJSIP/agent-1\n"
    async with a_pbx(tmp_path, TWO, queues) as there, at_work(*there, at_desk("agent-1")) as (place, _):
        await place.key("agent-1", "*121")
        await place.has("paused:lunch", "desk")
        await place.key("agent-1", "*11")
        await place.has("paused:lunch", "desk")
        await place.key("agent-1", "*13")
        await until(lambda: not any("paused" in line for line in place.members("desk")), 5)
        with pytest.raises(AgentRefused, match="no team that asks for log-ins"):
            place.roster.log_in("agent-1", "agent-2")

    assert [words for words, _ in place.spoken] == [
        "You are paused. lunch",
        "Nobody logs in or out here.",
        "You are taking calls.",
    ]


async def test_after_too_many_wrong_pins(tmp_path: Path) -> None:
    """The right one is none either; that it is locked is said, and in the trail under a name of its own."""
    async with a_pbx(tmp_path, TWO) as there, at_work(*there, crew_of(*TWO)) as (place, _):
        place.pins.locked = True
        await place.key("agent-1", "*10", then=f"{PIN}#")
        members = place.members()

    assert members == []
    assert place.spoken[-1][0] == "Trop de codes erronés. Adressez-vous à votre responsable."
    assert [(deed.principal, deed.action) for deed in place.deeds] == [("agent:agent-1", "agent.locked")]

"""A caller asks to be called back, and is: the whole of callrouter, an agent's telephone, a carrier."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.demo import g711, stories
from deploy.demo.agents import Habits
from deploy.demo.caller import HangUp, Press, UntilSound, Wait
from deploy.demo.carrier import VOICE_HERTZ, Habit
from deploy.demo.sipp import CallerIdentity
from deploy.demo.stack import CHECKOUT, running
from deploy.demo.telephone import SEQUENCES, Telephone

if TYPE_CHECKING:
    from tests.acceptance.conftest import LoopThread, Row, Town

DID = "+33199000077"
OPERATOR = "+33199000000"
"""Who we are when we call out: the demonstration's `shared/trunk.yaml`."""
CALLER = CallerIdentity(number="+33612340001", name="Jeanne Martin")
CLIENT = """
client: clinique-verte
name: Clinique Verte
numbers: ["01 99 00 00 77"]
timezone: Europe/Paris
language: fr
start: offer
nodes:
  offer:
    callback:
      done: bye
      declined: bye
      no_input: { retry: 1, then: bye }
      no_match: { retry: 1, then: bye }
      automatic: { queue: shop, brief: { say: "Rappel, Clinique Verte" }, ring: 15s }
  bye: { hangup: { prompt: { say: "Merci, au revoir." } } }
"""


@pytest.fixture
def clinic_town(thread: LoopThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """A stack that serves this client too, and whose carrier knows the caller."""
    monkeypatch.setitem(stories.CARRIER, CALLER.number, Habit.ANSWERS)
    for hurried in (5, 6):  # the whisper and the caller's ring are part of an agent's time
        monkeypatch.setitem(stories.HABITS, hurried, Habits(ring_seconds=1.0, talk_seconds=8.0))
    from tests.acceptance.conftest import Town

    folder = tmp_path / "dialplans"
    shutil.copytree(CHECKOUT / "dialplans", folder)
    (folder / "clinique-verte.yaml").write_text(CLIENT)
    context = running(environment={"CALLROUTER_DIALPLANS_DIR": str(folder)})
    stack = thread.run(context.__aenter__())
    try:
        yield Town(stack=stack, thread=thread)
    finally:
        thread.run(context.__aexit__(None, None, None))


def hears_voice(heard: g711.Pcm) -> bool:
    """Whether whoever answers was heard for half a second."""
    starts = range(0, len(heard) - g711.FRAME, g711.FRAME)
    tones = [g711.tone_of(heard[start : start + g711.FRAME]) or 0.0 for start in starts]
    return sum(abs(tone - VOICE_HERTZ) < 20 for tone in tones) > 25


def looked_at(town: Town, seen: set[str]) -> list[Row]:
    """The callbacks there are; what Prometheus is shown of agents who have one is added to what was seen."""
    figures = town.figures()
    seen |= {state for state in ("ringing", "talking") if figures.get(f'callrouter_agents{{state="{state}"}}')}
    found: list[Row] = town.get("/api/callbacks")["callbacks"]
    return found


@pytest.fixture(params=[0, SEQUENCES // 2], ids=["lower half", "upper half"])
def _numbered(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the RTP sequence numbers of every telephone begin: anywhere (RFC 3550, 5.1). See `outgoing.CODECS`."""
    begin, half = Telephone.begin_stream, SEQUENCES // 2
    monkeypatch.setattr(Telephone, "begin_stream", lambda self, number: begin(self, request.param + number % half))


@pytest.mark.usefixtures("_numbered")
def test_the_caller_is_called_back_by_an_agent(clinic_town: Town) -> None:
    """They key 1 and hang up; an agent picks up, hears for whom, then the caller's telephone rings, and they talk."""
    town = clinic_town
    outcome = town.call(DID, UntilSound(), Wait(1.0), Press("1"), Wait(1.0), HangUp(), caller=CALLER)
    assert outcome.trouble == ""

    seen: set[str] = set()
    (row,) = town.until(lambda: looked_at(town, seen), lambda rows: bool(rows and rows[0]["settled_by"]), 40.0)
    assert seen == {"ringing", "talking"}
    assert (row["number"], row["state"], row["settled_by"]) == (CALLER.number, "done", "called_back")
    (call,) = row["calls"]
    assert call["outcome"] == "answered"
    assert call["agent"] in ("agent-5", "agent-6")
    assert call["shown"] == OPERATOR

    # As the telephones have it.
    carrier = town.stack.carrier
    assert carrier.dialled == [CALLER.number]
    assert OPERATOR in carrier.invites[0]["from"]
    agent = town.stack.agents[int(call["agent"][-1])]
    # The callback is settled when the caller answers; they have just begun to speak.
    assert town.until(lambda: hears_voice(agent.heard_last), bool, 10.0), "the agent did not hear the caller"
    # The conversation is no journey of its own.
    assert [one["disposition"] for one in town.rows_of(CALLER)] == ["message_left"]
    assert town.nobody_is_left()


def test_the_engine_is_killed_while_the_caller_is_rung(clinic_town: Town) -> None:
    """Asterisk goes on alone: they talk; the next engine records it, and rings nobody again."""
    town = clinic_town
    outcome = town.call(DID, UntilSound(), Wait(1.0), Press("1"), Wait(1.0), HangUp(), caller=CALLER)
    assert outcome.trouble == ""
    assert town.until(lambda: town.stack.carrier.dialled, bool, 30.0) == [CALLER.number]
    town.run(town.stack.engine.kill())
    over = "0 active channels"
    assert town.until(lambda: town.stack.pbx.cli("core show channels count").split("\n")[0], over.__eq__, 30.0) == over
    town.run(town.stack.engine.start())

    (row,) = town.until(
        lambda: town.get("/api/callbacks")["callbacks"], lambda rows: bool(rows and rows[0]["settled_by"]), 30.0
    )
    assert row["settled_by"] == "called_back"
    assert [call["outcome"] for call in row["calls"]] == ["answered"]
    assert town.stack.carrier.dialled == [CALLER.number]

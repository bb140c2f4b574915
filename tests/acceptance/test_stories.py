"""Every caller of the demonstration gets what their story says: outcome, row, details, figures."""

from __future__ import annotations

import io
import re
import wave
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from deploy.demo import g711, stories
from deploy.demo.caller import HangUp, Press, Speak, UntilSound, Wait
from deploy.demo.hearing import HEARD, heard, spoken_part
from deploy.demo.verdict import caller_complaints, row_complaints
from deploy.demo.voice import speech

if TYPE_CHECKING:
    from tests.acceptance.conftest import Told, Town

NAMES = [story.name for story in stories.STORIES]
REACHED = {"answered", "redirected"}


@pytest.mark.parametrize("name", NAMES)
def test_story_ends_as_told(told: dict[str, Told], name: str) -> None:
    one = told[name]
    assert caller_complaints(one.outcome) == []
    assert row_complaints(one.story, one.row) == []


def test_asterisk_has_nothing_to_complain_of(told: dict[str, Told]) -> None:
    """A line for each ordinary call would hide the one that matters. These are Asterisk's own, of what is
    ordinary here: nobody is in a team (app_queue.c), a caller hung up in a routine (app_stack.c), a row of the
    journal was struck off twice (db.c)."""
    ordinary = re.compile(r"Unable to join queue 'returns'|Abnormal (AGI |')Gosub|AstDB key /callrouter/ended/\S+ does")
    lines = [line for line in next(iter(told.values())).log.splitlines() if re.search(r"\b(WARNING|ERROR)\b", line)]

    assert [line for line in lines if not ordinary.search(line)] == []


@pytest.mark.parametrize("name", NAMES)
def test_clocks_of_the_row_are_in_order(told: dict[str, Told], name: str) -> None:
    row = told[name].row
    clocks = {clock: datetime.fromisoformat(at) for clock, at in row["clocks"].items() if at is not None}
    # Answering and entering the queue leave together: their order is that of Asterisk's replies.
    for order in (
        ("ringing_at", "answered_at", "bridged_at", "ended_at"),
        ("ringing_at", "entered_service_at", "offered_at", "bridged_at", "ended_at"),
    ):
        known = [clocks[clock] for clock in order if clock in clocks]
        assert known == sorted(known)
    assert "ended_at" in clocks
    assert ("bridged_at" in clocks) == (row["disposition"] in REACHED)
    lived = told[name].outcome
    assert lived.ended is not None
    assert (clocks["ended_at"] - clocks["ringing_at"]).total_seconds() == pytest.approx(
        lived.ended - lived.dialled, abs=1.0
    )


@pytest.mark.parametrize("name", NAMES)
def test_detail_explains_the_row(told: dict[str, Told], town: Town, name: str) -> None:
    row = told[name].row
    detail = town.detail(row["call_id"])
    assert {key: detail[key] for key in row} == row
    assert detail["explanation"][-1].endswith(f"ended: {row['disposition']}")
    for visit in detail["visits"]:
        assert any(visit["node"] in line for line in detail["explanation"])


@pytest.mark.parametrize(
    ("name", "queue", "outcome"),
    [
        ("appointment", "medical", "answered"),
        ("vip_law", "legal", "answered"),
        ("leak_elsewhere", "trades", "answered"),
        ("shop", "shop", "answered"),
        ("abandons", "medical", "abandoned"),
        ("returns", "returns", "empty"),
    ],
)
def test_visit_to_the_queue_is_recorded(told: dict[str, Told], town: Town, name: str, queue: str, outcome: str) -> None:
    [visit] = town.detail(told[name].row["call_id"])["queue_visits"]
    assert (visit["queue"], visit["outcome"]) == (queue, outcome)
    assert (visit["answered_at"] is not None) == (outcome == "answered")
    assert visit["left_at"] is not None


def test_dials_are_recorded_one_by_one(told: dict[str, Told], town: Town) -> None:
    urgent = town.detail(told["urgent"].row["call_id"])["dials"]
    assert [dial["outcome"] for dial in urgent] == ["refused", "answered"]
    leak = town.detail(told["leak_paris"].row["call_id"])
    assert [dial["outcome"] for dial in leak["dials"]] == ["busy", "answered"]
    assert leak["variables"]["postcode"] == "75011"


@pytest.mark.parametrize("name", ["message", "message_hash", "returns"])
def test_recorded_message_is_the_callers_own_speech(told: dict[str, Told], town: Town, name: str) -> None:
    story, row = told[name].story, told[name].row
    [message] = town.detail(row["call_id"])["messages"]
    [said] = [speech(step.text, step.voice) for step in story.script if isinstance(step, Speak)]
    recorded = g711.read_wav(town.stack.pbx.recordings_dir / f"{message['recording']}.wav")
    assert heard(recorded, spoken_part(said)[: 3 * g711.RATE]) > HEARD
    assert message["seconds"] == pytest.approx(len(recorded) / g711.RATE, abs=1.5)
    listed = [one for one in town.get("/api/messages", limit=500)["messages"] if one["call_id"] == row["call_id"]]
    assert [one["recording"] for one in listed] == [message["recording"]]


def test_a_message_is_played_by_the_api_as_asterisk_wrote_it(told: dict[str, Told], town: Town) -> None:
    """A whole WAV, which any player reads; and who listened is in the audit trail."""
    [message] = town.detail(told["message"].row["call_id"])["messages"]
    engine = town.stack.engine
    url = f"{engine.web_url}/api/recordings/{message['recording']}/audio"
    played = httpx.get(url, headers={"Authorization": f"Bearer {engine.token}"})

    assert (played.status_code, played.headers["content-type"]) == (200, "audio/wav")
    assert played.content == (town.stack.pbx.recordings_dir / f"{message['recording']}.wav").read_bytes()
    with wave.open(io.BytesIO(played.content)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, g711.RATE)
        assert sound.getnframes() / g711.RATE == pytest.approx(message["seconds"], abs=0.1)
    [listed] = town.get("/api/recordings", call_id=told["message"].row["call_id"])["recordings"]
    assert (listed["recording_id"], listed["on_disk"], listed["client"]) == (
        message["recording"],
        True,
        told["message"].story.client,
    )
    deeds = town.get("/api/audit", action="recording.play")["deeds"]
    assert ("operator", message["recording"], "127.0.0.1") in {
        (deed["principal"], deed["object"], deed["address"]) for deed in deeds
    }


def test_every_call_moved_its_counter_by_one(told: dict[str, Told]) -> None:
    any_told = next(iter(told.values()))
    moved = {
        sample: value - any_told.before.get(sample, 0.0)
        for sample, value in any_told.after.items()
        if sample.startswith("callrouter_calls_total{") and value != any_told.before.get(sample, 0.0)
    }
    expected = Counter(
        f'callrouter_calls_total{{client="{story.client}",disposition="{story.disposition}"}}'
        for story in stories.STORIES
    )
    assert moved == {sample: float(count) for sample, count in expected.items()}


def test_one_call_moves_one_counter(town: Town) -> None:
    before = town.figures()
    caller = town.somebody()
    town.call(stories.BRIGHTON, UntilSound(), Wait(1), Press("1"), caller=caller)
    assert town.row_of(caller)["disposition"] == "self_served"
    after = town.figures()
    moved = {
        sample: after[sample] - before.get(sample, 0.0)
        for sample in after
        if sample.startswith("callrouter_calls")
        and "_created" not in sample
        and after[sample] != before.get(sample, 0.0)
    }
    assert moved == {'callrouter_calls_total{client="brighton-books",disposition="self_served"}': 1.0}


def test_stats_agree_with_the_rows(told: dict[str, Told], town: Town) -> None:
    rows = town.rows()
    # As instants: one of a whole second, as of the journal, is written without a fraction, and sorts after the others.
    moments = sorted((row["clocks"]["ringing_at"] for row in rows), key=datetime.fromisoformat)
    period = {"from": moments[0], "to": moments[-1].replace(moments[-1][:4], str(int(moments[-1][:4]) + 1), 1)}
    stats = {client["client"]: client for client in town.get("/api/stats", **period)["clients"]}
    for client in {row["client"] for row in rows}:
        own = Counter(row["disposition"] for row in rows if row["client"] == client)
        assert stats[client]["received"] == sum(own.values())
        assert {name: count for name, count in stats[client]["by_disposition"].items() if count} == own


def test_nobody_is_left_on_the_line(told: dict[str, Told], town: Town) -> None:
    assert town.nobody_is_left()


def test_national_number_reaches_the_same_client(town: Town) -> None:
    caller = town.somebody()
    town.call("0199000010", UntilSound(), Wait(0.5), HangUp(), caller=caller)
    row = town.row_of(caller)
    assert (row["client"], row["did"], row["disposition"]) == ("cabinet-moreau", "+33199000010", "left_early")

"""Subscriptions in a client's file: what they become, how they are shown, and what differs between two of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from callrouter.core import engine
from callrouter.core.call import CallerId, Disposition, Message, replace
from callrouter.core.dispatch import Kind, Subscription
from callrouter.core.inputs import CallOffered
from callrouter.core.plan import Plan
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.dialplan.show.text import tree
from callrouter.questions.delivered import of_call
from callrouter.questions.diff.settings import unheard
from callrouter.testing import TUESDAY_10
from tests.dialplan.reference.test_schema import complaints

CLIENT = """client: acme
numbers: ["01 99 00 00 90"]
timezone: Europe/Paris
language: fr
fallback: {{ node: bye }}
{block}start: bye
nodes:
  bye: {{ hangup: {{}} }}
"""
CRM = """subscriptions:
  crm:
    url: https://crm.example/hooks
    secret: env:CRM
    events: [call.ended, message.taken.v1]
"""


def plan_of(folder: Path, block: str = CRM) -> Plan:
    """The client with this block, in which nothing is wrong, and an editor agrees."""
    written = CLIENT.format(block=block)
    folder.mkdir(exist_ok=True)
    (folder / "acme.yaml").write_text(written)
    catalogue = load_directory(folder, PaperSpeech(), now=TUESDAY_10)
    assert [str(issue) for issue in catalogue.issues] == []
    assert complaints("client", written) == []
    return catalogue.plans["acme"]


def test_a_plan_holds_them(tmp_path: Path) -> None:
    """A kind is the same with its version and without."""
    assert plan_of(tmp_path).subscriptions == {
        "crm": Subscription(
            name="crm",
            url="https://crm.example/hooks",
            secret="CRM",
            kinds=(Kind.CALL_ENDED, Kind.MESSAGE_TAKEN),
            line=7,
        )
    }


def test_the_only_event_needs_no_list(tmp_path: Path) -> None:
    block = CRM.replace("[call.ended, message.taken.v1]", "day.figures").replace("    secret: env:CRM\n", "")
    (one,) = plan_of(tmp_path, block).subscriptions.values()

    assert (one.kinds, one.secret) == ((Kind.DAY_FIGURES,), "")


def test_they_stand_below_the_tree(tmp_path: Path) -> None:
    assert tree(plan_of(tmp_path)).splitlines()[-1] == (
        "  subscription crm: https://crm.example/hooks is told of call.ended and message.taken, signed with"
        " CALLROUTER_SECRET_CRM"
    )


def test_what_differs_is_said(tmp_path: Path) -> None:
    """And nothing, where only lines have moved."""
    one, none = plan_of(tmp_path / "1"), plan_of(tmp_path / "2", "")
    moved = plan_of(tmp_path / "3", f"answer_phrase: Acme\n{CRM}")
    becomes = (
        CRM.replace("message.taken.v1", "day.figures").replace("/hooks", "/new").replace("    secret: env:CRM\n", "")
    )
    other = plan_of(tmp_path / "4", becomes)

    assert list(unheard(none, one)) == [
        (
            "Subscription crm is new: https://crm.example/hooks is told of call.ended and message.taken, signed with"
            " CALLROUTER_SECRET_CRM."
        )
    ]
    assert list(unheard(one, none)) == [
        "Subscription crm is gone: nothing more is posted to https://crm.example/hooks."
    ]
    assert [said for said in unheard(one, moved) if "crm" in said] == []
    assert list(unheard(one, other)) == [
        (
            "Subscription crm: it is now told at https://crm.example/new instead of https://crm.example/hooks; it is"
            " now told of day.figures too; it is no longer told of message.taken; what it is told is now not signed"
            " instead of signed with CALLROUTER_SECRET_CRM."
        )
    ]


def test_explain_and_route_say_who_is_told_of_a_call(tmp_path: Path) -> None:
    """Of what it gives to know, as far as they want to."""
    plan = plan_of(tmp_path, CRM.replace("call.ended,", "call.ended, call.abandoned,"))
    at = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    message = Message(recording="r", node="note", deliver="", started_at=at, seconds=5.0)
    offered = CallOffered(call_id="c", did=plan.numbers[0], caller=CallerId(), at=at)
    call = replace(engine.start(plan, offered).call, disposition=None)
    gave_up = replace(call, disposition=Disposition.ABANDONED)
    crm = "subscription crm: https://crm.example/hooks is told of"

    assert list(of_call(plan, call)) == []
    assert list(of_call(plan, gave_up)) == [f"{crm} call.ended and call.abandoned"]
    assert list(of_call(plan, replace(call, disposition=Disposition.MESSAGE_LEFT, messages=(message,)))) == [
        "delivery: nobody is named; it stands on the agents' list",
        f"{crm} call.ended and message.taken",
    ]

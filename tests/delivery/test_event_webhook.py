"""What happens to calls reaches a web service as the stream has it, kept and sent like any other delivery."""

from __future__ import annotations

import json
from datetime import timedelta

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest

from callrouter.app.web_services import WebServices
from callrouter.core import engine, facts, inputs
from callrouter.core.call import CallerId
from callrouter.core.nodes import HangupNode, NotifyNode
from callrouter.core.templates import parse
from callrouter.delivery.event_webhook import CONTACT, EventWebhook
from callrouter.delivery.ports import Delivery
from callrouter.errors import SettingsError
from callrouter.runtime.calls import LiveCall, LiveCalls
from callrouter.runtime.fence import Fence
from callrouter.settings import Settings
from callrouter.store.database import Database
from callrouter.stream.events import CallEnded, CallNotified, CallWaiting, decode, schema
from callrouter.stream.feed import Feed
from callrouter.stream.making import EventMaker
from callrouter.testing import plan_of

from ..api.stories import abandoned, after, live  # noqa: TID252  # tests are no installed package
from ..stream.test_making import PLAN  # noqa: TID252  # tests are no installed package
from .rooms import MONDAY, Clock

ADDRESS = "https://crm.example/calls"


def test_those_of_the_kinds_that_are_wanted_are_delivered_though_nobody_listens() -> None:
    taken: list[Delivery] = []
    webhook = EventWebhook(ADDRESS, ["call.waiting", "call.ended"], epoch=7, take=taken.append)
    calls = LiveCalls()
    calls.add(LiveCall(live("1"), PLAN))
    feed = Feed(
        7, EventMaker(calls, lambda: {PLAN.client: PLAN}, lambda: after(99)), calls=calls, now=lambda: after(99),
        also_tell=webhook.tell,
    )  # fmt: skip
    waiting, over = live("1"), abandoned("1")
    feed.observe([facts.CallStarted(call=waiting), facts.QueueEntered(call=waiting, visit=waiting.queue_visits[0])])
    feed.observe([facts.CallEnded(call=over)])
    told = [decode(one.body.encode()) for one in taken]

    assert not feed.listening
    assert [type(event) for event in told] == [CallWaiting, CallEnded]
    assert [one.delivery_id for one in taken] == ["event-7-1", "event-7-2"]
    assert {(one.call_id, one.client, one.contact, one.address) for one in taken} == {
        ("1", PLAN.client, CONTACT, ADDRESS)
    }
    for one in taken:
        jsonschema.validate(json.loads(one.body), schema())


def test_what_a_notify_sends_is_a_kind_like_the_others() -> None:
    """Field by field: neither more nor less than the schema says."""
    plan = plan_of(
        NotifyNode(name="told", contact="crm", url=ADDRESS, data=(("a", parse("b")),), exits={"next": "bye"}),
        HangupNode(name="bye"),
    )
    caller = CallerId(number="+33612340001", name="Claire")
    offered = inputs.CallOffered(call_id="1", did="+33199000010", caller=caller, at=MONDAY)
    [asked] = [one for one in engine.start(plan, offered).facts if isinstance(one, facts.NotificationAsked)]
    body = json.loads(asked.notification.body)
    read = msgspec.json.decode(asked.notification.body, type=CallNotified)

    assert set(body) == {"event", *CallNotified.__struct_fields__}
    assert set(body["caller"]) == set(CallerId.__struct_fields__)
    assert (read.at, read.caller, read.data) == (MONDAY, caller, {"a": "b"})
    jsonschema.validate(body, schema())


async def test_an_address_that_may_not_be_asked_ends_the_start(database: Database) -> None:
    def settings(*hosts: str) -> Settings:
        return Settings(
            _env_file=None, outgoing_hosts=hosts, events_url="https://crm.example/x", events=("call.ended",)
        )

    def services(made: Settings) -> WebServices:
        return WebServices.of(made, {}, database, Clock(), None, Fence(needs_proof=False))  # type: ignore[arg-type]

    with pytest.raises(SettingsError, match=r"CALLROUTER_EVENTS_URL: .*crm\.example"):
        services(settings("other.example")).event_webhook(settings("other.example"), 7)
    allowed = settings("crm.example")
    made = services(allowed)
    tell = made.event_webhook(allowed, 7)
    assert tell is not None
    call = abandoned("1")
    maker = EventMaker(LiveCalls(), dict, lambda: MONDAY + timedelta(seconds=1))
    [gave_up, event] = maker.of_fact(facts.CallEnded(call=call))
    tell(gave_up)  # nobody wants to know
    tell(event)

    assert made.asked.backlog == 1

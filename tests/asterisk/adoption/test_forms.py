"""A form that the tree filled in travels with the call: the engine that took it may die at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from callrouter.core.call import CallState, Disposition
from callrouter.core.facts import MessageLeft
from callrouter.core.forms import Field, FieldType, Form
from callrouter.core.nodes import CollectDigitsNode, FormNode, PlayNode
from callrouter.core.templates import parse
from tests.asterisk.adoption.successors import BYE, FIVE_SECONDS, asterisk_of, path, succession
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import DID, plan_of

ORDER = Form(
    name="order",
    title="Order",
    deliver="desk",
    fields=(
        Field(name="number", label="Number", type=FieldType.NUMBER, required=True),
        Field(name="file", label="File", type=FieldType.TEXT, required=True),
        Field(name="urgency", label="Urgency", type=FieldType.URGENCY),
    ),
)
PLAN = plan_of(
    CollectDigitsNode(
        name="digits",
        sounds=(),
        variable="dossier",
        min_digits=4,
        max_digits=4,
        timeout_seconds=5.0,
        exits={"next": "order", "no_input": "bye", "no_match": "bye"},
    ),
    FormNode(
        name="order",
        form=ORDER,
        given=(("file", parse("n° {dossier}")), ("urgency", parse("urgent"))),
        region="FR",
        exits={"next": "thanks", "failed": "bye"},
    ),
    PlayNode(name="thanks", sounds=FIVE_SECONDS, interruptible=False, exits={"next": "bye"}),
    BYE,
)


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    yield from asterisk_of(tmp_path_factory.mktemp("forms") / "pbx")


async def test_what_was_keyed_is_a_message_that_outlives_its_engine(pbx: Pbx) -> None:
    """Told while the call goes on, by the first engine; kept in the call's record, by the second; once."""
    async with succession(pbx, PLAN) as engines:
        pbx.cli(f"channel originate Local/visible{DID}@test-caller/n extension press-1-4711@test-caller")
        await engines.first.reached(lambda call: call.state is CallState.PLAYING)
        (left,) = [fact.message for fact in engines.first.seen if isinstance(fact, MessageLeft)]
        await engines.killed(1.0)
        room = await engines.second()
        call = await room.the_end(10)

    assert path(call) == [("digits", "next"), ("order", "next"), ("thanks", "next"), ("bye", "end")]
    assert (left.form, left.deliver, left.recording) == ("order", "desk", "")
    assert [(value.name, value.value) for value in left.values] == [
        ("number", "+33612340009"),
        ("file", "n° 4711"),
        ("urgency", "urgent"),
    ]
    assert call.messages == (left,)
    assert call.disposition is Disposition.MESSAGE_LEFT
    assert not [fact for fact in room.seen if isinstance(fact, MessageLeft)]


async def test_who_hides_their_number_leaves_no_form_that_needs_it(pbx: Pbx) -> None:
    async with succession(pbx, PLAN) as engines:
        pbx.cli(f"channel originate Local/withheld{DID}@test-caller/n extension press-1-4711@test-caller")
        call = await engines.first.the_end(10)

    assert path(call) == [("digits", "next"), ("order", "failed"), ("bye", "end")]
    assert call.messages == ()

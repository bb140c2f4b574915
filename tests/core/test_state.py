"""The serialised call: what it keeps when room is short, and what it refuses to read."""

from __future__ import annotations

import base64
import json
import zlib
from datetime import timedelta
from random import Random
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.core import state
from callrouter.core.call import Call, DialOutcome, Disposition, FormValue, Message, QueueOutcome, replace
from callrouter.core.explain import explain
from callrouter.core.nodes import DialNode, HangupNode, MessageNode, PlayNode, QueueNode
from callrouter.core.nodes.form import MAX_FORMS_BYTES, bytes_of
from callrouter.core.plan import MAX_MESSAGES, MAX_VARIABLES_LENGTH
from callrouter.core.rota import Contact
from callrouter.errors import CoreError, StateDecodeError
from callrouter.testing import TUESDAY_10, Playbook, assert_serialises, plan_of, sound

PLAN = plan_of(
    PlayNode(name="music", sounds=(sound("music"),), exits={"next": "team"}),
    QueueNode(name="team", queue="sales", max_wait_seconds=30, exits={"overflow": "doctor", "done": "music"}),
    DialNode(name="doctor", contacts=(Contact(name="doctor", number="+33639980001"),), exits={"no_answer": "music"}),
    MessageNode(name="message", sounds=(), exits={"done": "bye"}),
    HangupNode(name="bye"),
)


def _long_journey(rounds: int, *, name: str = "") -> Playbook:
    """A caller who goes round, waiting in a queue and being dialled for in turn; the first agent talks to them."""
    call = Playbook(PLAN).offer(name=name).expects("answer", "play music").answered()
    for number in range(rounds):
        call.after(2.000003).prompt_ended().expects("queue sales").after(7.000001 + number).agent_rings("agent-1")
        if number == 0:
            call.after(3).agent_answers("agent-1").after(11).queue_left(QueueOutcome.ANSWERED).expects("play music")
            continue
        call.after(23.000017).queue_left(QueueOutcome.TIMEOUT).expects("dial +33639980001")
        call.after(19.100002).dial_ended(DialOutcome.NO_ANSWER).expects("play music")
    return call


def test_a_long_journey_stays_small_and_keeps_its_sums() -> None:
    """After a hundred queues and dials a successor still knows the waiting time, the agent and the outcome."""
    call = _long_journey(100)

    again = state.decode(PLAN, state.encode(PLAN, call.call))

    assert max(call.state_sizes) <= state.MAX_ENCODED
    assert again.visits_dropped == len(call.call.visits)
    assert again.earlier.attempts + len(again.queue_visits) + len(again.dials) == 199
    assert again.waiting_seconds(call.at) == pytest.approx(call.call.waiting_seconds(call.at))
    assert again.talk_seconds() == pytest.approx(11)
    assert again.agent == "agent-1"
    assert again.offered
    assert explain(again, PLAN)[:2] == [
        f"({again.visits_dropped} earlier steps are no longer known)",
        f"({again.earlier.attempts} earlier queues and dials, {again.earlier.waiting_seconds:.0f} s of waiting)",
    ]
    call.hangs_up().ends(Disposition.ANSWERED)


def test_what_was_summed_up_once_is_summed_up_again() -> None:
    """A call may be taken over twice."""
    call = _long_journey(30)
    once = state.decode(PLAN, state.encode(PLAN, call.stops_here()))
    assert once.earlier.attempts

    twice = state.decode(PLAN, state.encode(PLAN, once))

    assert twice == once
    assert_serialises(PLAN, once)


def test_a_long_name_gives_way_last() -> None:
    """Five hundred emoji are more than a call can carry; the live call keeps them."""
    call = Playbook(PLAN).offer(name="📞🦊" * 250, call_id="a").expects("answer", "play music")

    again = state.decode(PLAN, state.encode(PLAN, call.call))

    assert again.caller.number == call.call.caller.number
    assert 0 < len(again.caller.name) <= len(call.call.caller.name) == 500
    assert call.call.caller.name.startswith(again.caller.name)
    call.answered().hangs_up().ends(Disposition.LEFT_EARLY)


def test_the_longest_forms_fit_beside_the_longest_variables() -> None:
    """Both bounds are reached, by texts that nothing makes shorter, after as many messages as a call may leave."""
    random = Random(7)
    texts = ["".join(random.choices(ascii_letters + digits, k=58)) for _ in range(8)]
    form = Message(
        recording="",
        node="message",
        deliver="desk",
        started_at=TUESDAY_10,
        seconds=0.0,
        form="order",
        values=tuple(
            FormValue(name=f"v{place}", value=text[:26], label=text[26:38], type="text")
            for place, text in enumerate(texts[4:])
        ),
    )
    spoken = replace(form, recording="5f1c6a0e9b7d4c21-0", seconds=14.25, form="", values=())
    call = replace(
        _small_call(),
        variables={f"v{place}": text for place, text in enumerate(texts[:4])},
        messages=(*[replace(spoken, recording=f"5f1c6a0e9b7d4c21-{place}") for place in range(MAX_MESSAGES)], form),
    )

    assert sum(len(name) + len(value) for name, value in call.variables.items()) == MAX_VARIABLES_LENGTH
    assert MAX_FORMS_BYTES - 10 < bytes_of(call.messages) <= MAX_FORMS_BYTES
    assert state.decode(PLAN, state.encode(PLAN, call)) == call


def test_variables_that_do_not_fit_are_an_error_of_ours() -> None:
    """They decide, so they are not dropped: the compiler bounds them."""
    call = replace(_small_call(), variables={f"v{n}": str(hash(str(n))) for n in range(200)})

    with pytest.raises(CoreError, match=f"needs .* characters of {state.MAX_ENCODED}"):
        state.encode(PLAN, call)


def _small_call() -> Call:
    call = Playbook(PLAN).offer().expects("answer", "play music").answered().prompt_ended().expects("queue sales")
    return call.after(5).agent_rings("agent-1").stops_here()


def _forged(**fields: object) -> bytes:
    """A state with some of its fields, by position, replaced."""
    written = json.loads(base64.b64decode(state.encode(PLAN, _small_call())))
    for position, value in fields.items():
        written[int(position.removeprefix("f"))] = value
    return base64.b64encode(json.dumps(written).encode())


SMALL = state.encode(PLAN, _small_call())
LONG = state.encode(PLAN, _long_journey(6).stops_here())


def test_short_and_long_forms() -> None:
    """Plain while it fits, deflated beyond."""
    assert base64.b64decode(SMALL).startswith(b"[")
    assert not base64.b64decode(LONG).startswith(b"[")


@pytest.mark.parametrize("encoded", [SMALL, LONG], ids=["plain", "deflated"])
def test_cut_anywhere(encoded: bytes) -> None:
    """Never half a call."""
    for end in range(len(encoded)):
        with pytest.raises(StateDecodeError):
            state.decode(PLAN, encoded[:end])


@pytest.mark.parametrize("encoded", [SMALL, LONG], ids=["plain", "deflated"])
@given(data=st.data())
def test_one_byte_changed(encoded: bytes, data: st.DataObject) -> None:
    """Refused, or a call all the same; nothing else."""
    position = data.draw(st.integers(0, len(encoded) - 1))
    changed = encoded[:position] + bytes([data.draw(st.integers(0, 255))]) + encoded[position + 1 :]
    try:
        call = state.decode(PLAN, changed)
    except StateDecodeError:
        return

    assert isinstance(call, Call)


@given(st.binary(max_size=1200))
def test_foreign_bytes(foreign: bytes) -> None:
    """As they are, and wrapped as ours are."""
    for encoded in (foreign, base64.b64encode(foreign), base64.b64encode(zlib.compress(foreign))):
        with pytest.raises(StateDecodeError):
            state.decode(PLAN, encoded)
        with pytest.raises(StateDecodeError):
            state.peek(encoded)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(st.integers(3, 24), json_values)
def test_any_field_forged(position: int, value: object) -> None:
    """A field of another type or shape is refused; no other error comes out."""
    try:
        call = state.decode(PLAN, _forged(**{f"f{position}": value}))
    except StateDecodeError:
        return

    assert isinstance(call, Call)
    assert call.node in PLAN.nodes


@pytest.mark.parametrize(
    "encoded",
    [
        _forged(f0=99),
        _forged(f1="another-client"),
        _forged(f2="ba9876543210"),
        _forged(f7="dancing"),
        _forged(f8="1"),
        _forged(f9=77),
        _forged(f9=-1),
        _forged(f9="nowhere"),
        _forged(f13=10**30),
        _forged(f13=1e300),
        _forged(f14=[None, None]),
        _forged(f17=[["sales"]]),
        _forged(f18=[["doctor", 0, None, None, None, 0, "", [[-1, 0, 0]]]]),
        _forged(f18=[["doctor", 0, None, None, None, -1, "", []]]),
        _forged(f8=-1),
        _forged(f19=[["x", 0, "", 0, float("nan")]]),
        _forged(f24=[1, 2]),
        base64.b64encode(b"[" * 60_000),
        base64.b64encode(b"[1]"),
        base64.b64encode(zlib.compress(b" " * 50_000_000)),
        b"\xff\xfe",
        b"",
    ],
)
def test_forged(encoded: bytes) -> None:
    """What a hostile or a newer writer may leave in the channel."""
    with pytest.raises(StateDecodeError):
        state.decode(PLAN, encoded)


def test_peek_leads_to_the_plan() -> None:
    """Without it."""
    assert state.peek(LONG) == (PLAN.client, PLAN.version)


def test_instants_keep_their_microseconds() -> None:
    """And may lie before the ringing, when a clock was set back."""
    call = _small_call()
    early = call.clocks.ringing_at - timedelta(microseconds=1)
    call = replace(call, clocks=replace(call.clocks, answered_at=early))

    assert state.decode(PLAN, state.encode(PLAN, call)) == call

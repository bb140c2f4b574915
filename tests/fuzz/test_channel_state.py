"""The call that a channel carries: cut, forged, of another plan. Whoever may set channel variables may write it."""

from __future__ import annotations

import base64
import json
import tracemalloc
import zlib
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from callrouter.asterisk.ended_row import ended_call, read_row, version_of
from callrouter.core import engine, inputs, state
from callrouter.core.books.redating import redated
from callrouter.core.call import Call
from callrouter.core.explain import explain
from callrouter.core.lifecycle import admits
from callrouter.core.plan import Plan
from callrouter.errors import CoreError, StateDecodeError
from callrouter.store.trace import call_json
from tests.core.strategies import FITTING, KIND_BY_NAME, happenings, offers, plans
from tests.fuzz.tally import Draw, cases, count

MOST_BYTES = 8 * 1024 * 1024
"""What reading a state may take at any instant, however it was forged."""

WORDS = ["", "node_0", "node_1", *FITTING, "answered", "abandoned", "\ud800", "hung_up", "medical", "agent-1", "9"]
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 40)
    | st.sampled_from([-(2**63), 2**63, 10**30, 10**400, 1e300, -0.0, float("nan"), float("inf"), 60_000_000, 10**15])
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(WORDS)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def journeys(draw: st.DrawFn) -> tuple[Plan, Call]:
    """A plan, and a call somewhere in it."""
    plan, offered = draw(plans()), draw(offers)
    call, at = engine.start(plan, offered).call, offered.at
    for _ in range(draw(st.integers(0, 8))):
        told = draw(happenings(call, at))
        call, at = engine.step(plan, call, told).call, told.at
    return plan, call


def written(fields: Any, deflated: bool) -> bytes:
    """As `state.encode` packs its fields."""
    text = json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode()
    if deflated:
        deflate = zlib.compressobj(5, zlib.DEFLATED, 12, 4, zlib.Z_DEFAULT_STRATEGY, state._WORDS)
        text = deflate.compress(text) + deflate.flush()
    return base64.b64encode(text)


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to everything inside a value."""
    keys = range(len(value)) if isinstance(value, list) else list(value) if isinstance(value, dict) else ()
    return [found for key in keys for found in ((*way, key), *places(value[key], (*way, key)))]


def at(value: Any, way: tuple[Any, ...]) -> Any:
    for key in way:
        value = value[key]
    return value


EDITS = (*["nudge"] * 12, "replace", "double", "drop", "copy")


def nudged(draw: st.DrawFn, value: Any) -> Any:
    """Another value of the same type, as a writer might have left it: most of these read."""
    match value:
        case bool() | None:
            return draw(st.sampled_from([None, True, False, 0, 1, ""]))
        case int():
            return value + draw(st.sampled_from([-(10**9), -value, -1, 1, 7, 10**9]))
        case float():
            return draw(st.sampled_from([0.0, -1.0, 0.5, value * 1e9]))
        case str():
            return draw(st.sampled_from([*WORDS, value + "x", value[:-1]]))
        case list():
            return draw(st.sampled_from([[], value + value, value[::-1], value[:1]]))
        case _:
            return {}


@st.composite
def forged(draw: st.DrawFn) -> tuple[Plan, bytes]:
    """The state of a call with some of what it holds replaced, doubled, dropped, moved; or with a byte changed."""
    plan, call = draw(journeys())
    encoded = state.encode(plan, call)
    fields = state._unpack(encoded)
    for _ in range(draw(st.integers(1, 4))):
        *way, last = draw(st.sampled_from(places(fields)))
        there = at(fields, tuple(way))
        match draw(st.sampled_from(EDITS)):
            case "nudge":
                there[last] = nudged(draw, there[last])
            case "double" if isinstance(there, list) and way:
                there.insert(last, there[last])
            case "drop" if way:
                del there[last]
            case "copy":
                there[last] = json.loads(json.dumps(at(fields, draw(st.sampled_from(places(fields))))))
            case _:
                there[last] = draw(values)
    encoded = written(fields, draw(st.booleans()))
    if not draw(st.integers(0, 5)):
        spoilt = bytearray(encoded)
        spoilt[draw(st.integers(0, len(spoilt) - 1))] = draw(st.integers(0, 255))
        encoded = bytes(spoilt)[: draw(st.sampled_from([100_000, len(encoded) - 1, len(encoded) // 2]))]
    return plan, encoded


@cases(120, 0.12)
@given(forged(), st.data())
def test_a_forged_state_is_refused_or_is_a_call(found: tuple[Plan, bytes], data: st.DataObject) -> None:
    """Nothing else is raised than StateDecodeError; a call that reads goes on by every input, and ends."""
    count("channel state: forged")
    plan, encoded = found
    try:
        state.peek(encoded)
        call = state.decode(plan, encoded)
    except StateDecodeError:
        return

    count("channel state: forged, and read")
    go_on(plan, call, data.draw)


def go_on(plan: Plan, call: Call, draw: Draw) -> None:
    """What an engine that has taken the call over may meet with it."""
    moment = call.clocks.ringing_at
    for _ in range(draw(st.integers(1, 8))):
        told = draw(happenings(call, moment))
        turn = engine.step(plan, call, told)
        assert admits(call.state, type(told)) or turn.call is call
        call, moment = turn.call, told.at
        try:
            again = state.decode(plan, state.encode(plan, call))
        except CoreError:  # more than a channel may hold: the driver falls back
            continue
        assert again.state == call.state
    ended = engine.step(plan, call, inputs.CallerHungUp(at=moment + timedelta(seconds=1), cause=16)).call
    assert ended.ended
    explain(ended, plan)
    redated(ended, timedelta(seconds=5))


@cases(100, 0.04)
@given(st.binary(max_size=1200) | st.text(max_size=300).map(str.encode), st.data())
def test_foreign_bytes_are_refused(foreign: bytes, data: st.DataObject) -> None:
    """As they are, and packed as ours are."""
    count("channel state: foreign")
    plan = data.draw(st.sampled_from(PLANS))
    deflate = zlib.compressobj(5, zlib.DEFLATED, 12, 4, zlib.Z_DEFAULT_STRATEGY, state._WORDS)
    for encoded in (foreign, base64.b64encode(foreign), base64.b64encode(deflate.compress(foreign) + deflate.flush())):
        for read in (state.peek, lambda one: state.decode(plan, one)):
            try:
                read(encoded)
            except StateDecodeError:
                continue
            raise AssertionError(encoded)


@st.composite
def rows(draw: st.DrawFn) -> tuple[Plan, str, str]:
    """A row of Asterisk's journal: of both formats, with a forged state, and with fields that are none."""
    plan, encoded = draw(forged())
    epochs = st.sampled_from(["1795427490", "1795427999", "", "0", "9999999999", "99999999999", "-1", "٣", "x" * 40])
    answers = st.lists(st.sampled_from(["agent-1", "_forwarded", "12", "999999999999"]) | epochs, max_size=7).map(
        "/".join
    )
    text = st.sampled_from(["", "+33199000010", "+33612345678", "anonymous", "${SHELL(id)}", "a/b"]) | st.text(
        max_size=30
    )
    how = draw(st.sampled_from(["new", "taken", "1", "", "2"]))
    fields = [draw(epochs), draw(epochs), draw(text), draw(st.sampled_from("apfx")), draw(text), how]
    if draw(st.booleans()):
        fields = ["v2", *fields, draw(epochs), draw(answers), draw(answers)]
    else:
        fields = [*fields[:3], draw(text), how, draw(text), draw(epochs)]
    key = f"/callrouter/ended/{draw(st.sampled_from(['1795427490-1-211208', 'x-1', '..', 'é']))}"
    return plan, key, "|".join([*fields, draw(st.sampled_from([encoded.decode("ascii", "replace"), "", "AAAA"]))])


@cases(80, 0.05)
@given(rows())
def test_a_row_of_asterisks_journal_is_a_call_or_none(found: tuple[Plan, str, str]) -> None:
    """Whatever stands in it, the call it gives has ended, once, and can be written down."""
    count("channel state: rows of the journal")
    plan, key, value = found
    row = read_row(key, value)
    if row is None:
        return
    version_of(row)
    call = ended_call(row, plan, plan, "FR")

    assert call.ended
    assert call.disposition is not None
    assert call.clocks.ended_at is not None
    assert call.clocks.ended_at >= call.clocks.ringing_at
    call_json(call)


def _some_plans() -> list[Plan]:
    from callrouter.core.nodes import HangupNode
    from callrouter.testing import plan_of

    return [plan_of(HangupNode(name="bye"))]


PLANS = _some_plans()


def test_no_state_takes_more_memory_than_it_may() -> None:
    """What unpacks to gigabytes is not unpacked, and what is nested deeply is not followed."""
    bombs = [
        base64.b64encode(zlib.compress(b" " * 50_000_000)),
        base64.b64encode(b"[" * 60_000),
        written([[]] * 20_000, True),
        written([[["a"] * 9] * 400] * 35, True),
        base64.b64encode(b"[" + b"9" * 65_000 + b"]"),
    ]
    deflate = zlib.compressobj(9, zlib.DEFLATED, 12, 9, zlib.Z_DEFAULT_STRATEGY, state._WORDS)
    bombs.append(base64.b64encode(deflate.compress(b"[" + b"0," * 20_000_000) + deflate.flush()))
    for bomb in bombs:
        tracemalloc.start()
        try:
            state.decode(PLANS[0], bomb)
        except StateDecodeError:
            pass
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < MOST_BYTES, (bomb[:40], peak)


def test_every_input_is_tried() -> None:
    """The kinds that `happenings` draws from are all that there are."""
    assert set(KIND_BY_NAME) == {kind.__name__ for kind in inputs.Input.__args__}

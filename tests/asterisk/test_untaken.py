"""Calls that the engine does not take, on a real Asterisk: as few as can be, and each of them said with its reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from callrouter.core.call import Disposition
from callrouter.core.nodes import RejectNode
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import DID, EXTENSIONS, engine_room, plan_of, until

TEN = "0123456789"
REFUSES = plan_of(RejectNode(name="refuse", cause=21))
DIVERTED = f"""
; A call that was forwarded by a very long number, at our entry, and past what bounds it there.
[test-diverted]
exten => entry,1,Set(PART={TEN * 10})
 same => n,Set(REDIRECTING(from-num,i)={"${PART}" * 10})
 same => n,Goto(callrouter-entry,{DID},1)
exten => past,1,Set(PART={TEN * 10})
 same => n,Set(REDIRECTING(from-num,i)={"${PART}" * 10})
 same => n,Set(CR_DID={DID})
 same => n,AGI(agi:async,1-2-3)
 same => n,Goto(callrouter-fallback,s,1)
exten => foreign,1,AGI(agi:async)
"""


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk that waits long for an engine: whom it does not take must not wait so long."""
    folder = tmp_path_factory.mktemp("untaken")
    extra = {"extensions": EXTENSIONS + DIVERTED}
    with Pbx.start(folder / "pbx", admission_seconds=30, extra_conf=extra) as running:
        running.cli("module load res_clioriginate.so")
        yield running


def ring(pbx: Pbx, extension: str) -> None:
    """Somebody calls an extension of [test-diverted]."""
    pbx.cli(f"channel originate Local/{extension}@test-diverted/n extension listen@test-caller")


async def test_a_call_forwarded_by_a_very_long_number_has_its_tree(pbx: Pbx) -> None:
    """Whom the tree refuses the fallback does not serve."""
    async with engine_room(pbx, REFUSES) as room:
        ring(pbx, "entry")
        call = await room.the_end(5)

    assert call.disposition is Disposition.REJECTED
    assert call.diverted_from == TEN * 4


@pytest.mark.parametrize(
    ("extension", "said"), [("past", "a call's environment was cut short; Asterisk's fallback serves it")]
)
async def test_whom_the_engine_does_not_take_the_fallback_has_at_once(pbx: Pbx, extension: str, said: str) -> None:
    """And the log says why."""
    async with engine_room(pbx, REFUSES) as room:
        with capture_logs() as logged:
            ring(pbx, extension)
            await until(lambda: "callrouter-fallback" in pbx.cli("core show channels concise"), 5)

        assert not room.live
        assert [line["event"] for line in logged if line["log_level"] == "warning"] == [said]


async def test_what_is_somebody_elses_is_left_alone_and_said(pbx: Pbx) -> None:
    """A channel in AsyncAGI that did not pass our entry."""
    async with engine_room(pbx, REFUSES) as room:
        with capture_logs() as logged:
            ring(pbx, "foreign")
            await until(lambda: bool(logged), 5)

        assert not room.live
        assert [line["event"] for line in logged] == [
            "a channel is in AsyncAGI without a call's id: it is somebody else's"
        ]

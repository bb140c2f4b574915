"""What a standby makes of what it sees, and by which clock."""

from __future__ import annotations

from callrouter.asterisk.leading.heartbeat import BEAT_SECONDS
from callrouter.asterisk.leading.watcher import LOOK_SECONDS
from callrouter.asterisk.leading.watching import (
    STILL_SECONDS,
    UNSEEN_SECONDS,
    SessionSeen,
    Verdict,
    Watching,
    global_in,
    sessions_in,
)
from callrouter.runtime.fence import FENCE_SECONDS

LISTED = """
  Username         IP Address                                               Start       Elapsed     FileDes   HttpCnt   ReadPerms   WritePerms
  callrouter       127.0.0.1                                                1795996872  12          8         0         0000008547  0000012387
  callrouter-admi  127.0.0.1                                                1795996873  11          9         0         0000000000  0000000016
  callrouter2      127.0.0.1                                                1795996873  11          10        0         0000000000  0000000016
3 users connected.
""".splitlines()  # noqa: E501 - as Asterisk prints it

ONE = [SessionSeen(descriptor=8, since="1795996872")]
OTHER = [SessionSeen(descriptor=8, since="1795996999")]


def test_sessions_are_read_from_what_asterisk_prints() -> None:
    assert sessions_in(LISTED, "callrouter") == ONE
    assert [one.descriptor for one in sessions_in(LISTED, "callrouter-admin")] == [9]
    assert sessions_in(LISTED, "nobody") == []


def test_a_variable_is_read_from_what_asterisk_prints() -> None:
    printed = ["   CR_BEATS=1", "   CR_BEAT=12.5", "   CR_MAX_CALLS=1000", "", "    -- 3 variable(s)"]

    assert global_in(printed, "CR_BEAT") == "12.5"
    assert global_in(printed, "CR_STANDBY") == ""


def verdicts(*looks: tuple[float, list[SessionSeen], str]) -> list[Verdict]:
    watching = Watching()
    return [watching.look(sessions, beat, at) for at, sessions, beat in looks]


def every(seconds: float, until: float) -> list[float]:
    return [round(step * seconds, 3) for step in range(int(until / seconds) + 1)]


def test_nobody_there_is_free_at_once() -> None:
    assert verdicts((0, ONE, "1"), (0.1, [], "1")) == [Verdict.TAKEN, Verdict.FREE]


def test_who_beats_is_never_stale() -> None:
    found = verdicts(*((at, ONE, str(int(at / BEAT_SECONDS))) for at in every(0.1, 20)))

    assert set(found) == {Verdict.TAKEN}


def test_who_stands_still_is_stale_after_three_beats() -> None:
    at = every(0.1, 5)
    found = verdicts(*((one, ONE, "1") for one in at))

    assert at[found.index(Verdict.STALE)] == STILL_SECONDS


def test_another_session_begins_anew() -> None:
    """Also of the same descriptor: it has had no time to beat."""
    found = verdicts(*((at, ONE if at < 2.5 else OTHER, "1") for at in every(0.1, 5)))

    assert set(found) == {Verdict.TAKEN}


def test_a_standby_that_was_stopped_itself_knows_nothing() -> None:
    """The machine slept: neither beat."""
    found = verdicts((0.0, ONE, "1"), (0.1, ONE, "1"), (60.0, ONE, "1"), (60.1, ONE, "1"))

    assert set(found) == {Verdict.TAKEN}


def test_a_fence_ends_before_anybody_can_be_in_charge() -> None:
    """A proof is asked for with a beat, which the standby sees a look later at most."""
    assert FENCE_SECONDS < STILL_SECONDS
    assert LOOK_SECONDS < UNSEEN_SECONDS < STILL_SECONDS
    assert 2 * BEAT_SECONDS < FENCE_SECONDS, "one beat that is late closes no fence"

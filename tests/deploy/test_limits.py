"""More calls than allowed are refused by Asterisk's first steps, before any engine hears of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.asterisk.pbx import Pbx, PbxError
from tests.acceptance import raw_sip
from tests.asterisk.callers import Callers
from tests.deploy.test_pbx import RawAmi

DID, NATIONAL, OTHER = "+33140000001", "0140000001", "0140000002"
CALLER = b"<sip:+33639980001@127.0.0.1>"
MAX_CALLS, CLIENT_CALLS = 4, 2


@pytest.fixture(scope="module", params=[("congestion", 503), ("busy", 486)], ids=["congestion", "busy"])
def limited(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pbx, int]]:
    """A small PBX, and the status it refuses with."""
    over_limit, status = request.param
    folder = tmp_path_factory.mktemp("limits") / "pbx"
    with Pbx.start(folder, agents=1, max_calls=MAX_CALLS, over_limit=over_limit, admission_seconds=8) as pbx:
        for did in (DID, NATIONAL):
            pbx.cli(f"database put callrouter/limit {did} acme:{CLIENT_CALLS}")
        yield pbx, status


@pytest.fixture
def ami(limited: tuple[Pbx, int]) -> Iterator[RawAmi]:
    """The engine, which takes calls and does nothing with them."""
    pbx, _ = limited
    session = RawAmi(pbx)
    assert session.login(pbx.ami_user, pbx.ami_secret)["Response"] == "Success"
    yield session
    session.close()
    pbx.cli("channel request hangup all")
    _until(lambda: _live(pbx) == 0)


@pytest.fixture
def callers(limited: tuple[Pbx, int], tmp_path: Path) -> Iterator[Callers]:
    """Those who are let in, and ring."""
    with Callers(limited[0], tmp_path) as found:
        yield found


def _until(true: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _live(pbx: Pbx) -> int:
    return int(pbx.cli("core show channels count").split()[0])


def _refused(pbx: Pbx, did: str) -> int:
    """The status a further caller gets, at once."""
    began = time.monotonic()
    status = raw_sip.call((pbx.sip_host, pbx.sip_port), did, CALLER)
    assert time.monotonic() - began < 1
    return status


def _starts(ami: RawAmi) -> int:
    ami.action("Ping")
    return sum(message.get("Event") == "AsyncAGIStart" for message in ami.seen)


def _let_in(pbx: Pbx, ami: RawAmi, callers: Callers, *dids: str) -> None:
    """Each of them reaches the engine."""
    before = _starts(ami)
    for did in dids:
        callers.call("listen", did)
    _until(lambda: _starts(ami) == before + len(dids))
    assert _live(pbx) == before + len(dids)


def test_a_client_has_no_more_calls_than_its_own(limited: tuple[Pbx, int], ami: RawAmi, callers: Callers) -> None:
    """Whichever of its numbers is dialled; others are not touched, and a call that ends makes room for the next."""
    pbx, status = limited
    _let_in(pbx, ami, callers, DID, NATIONAL)

    assert [_refused(pbx, did) for did in (DID, NATIONAL, DID)] == [status] * 3
    assert _starts(ami) == CLIENT_CALLS
    _let_in(pbx, ami, callers, OTHER)

    first = next(message["Channel"] for message in ami.seen if message.get("Event") == "AsyncAGIStart")
    pbx.cli(f"channel request hangup {first}")
    _until(lambda: _live(pbx) == CLIENT_CALLS)
    callers.call("listen", DID)
    _until(lambda: _starts(ami) == CLIENT_CALLS + 2)
    assert _refused(pbx, DID) == status


def test_all_clients_together_have_no_more_than_the_machine(
    limited: tuple[Pbx, int], ami: RawAmi, callers: Callers
) -> None:
    """The call beyond is refused and counted, leaves no row, and the engine never sees it."""
    pbx, status = limited
    rows, before = pbx.cli("database show callrouter/ended"), _counted(pbx)
    _let_in(pbx, ami, callers, OTHER, OTHER, OTHER, NATIONAL)

    assert [_refused(pbx, did) for did in (OTHER, NATIONAL, "0140000003")] == [status] * 3
    assert (_starts(ami), _live(pbx)) == (MAX_CALLS, MAX_CALLS)
    assert _counted(pbx) == before + 3
    assert pbx.cli("database show callrouter/ended") == rows


def test_the_count_falls_without_an_engine_too(limited: tuple[Pbx, int], ami: RawAmi, callers: Callers) -> None:
    """The engine dies with all places taken: the fallback serves these calls, and the next ones are let in."""
    pbx, status = limited
    _let_in(pbx, ami, callers, OTHER, OTHER, DID, NATIONAL)
    ami.close()
    assert _refused(pbx, OTHER) == status
    _until(lambda: _live(pbx) == 0, 25)

    assert "0 active" in pbx.cli("group show channels") or "@callrouter" not in pbx.cli("group show channels")
    callers.call("listen", DID)
    _until(lambda: _live(pbx) == 1)


def test_a_number_that_is_filtered_counts_once(limited: tuple[Pbx, int], ami: RawAmi, callers: Callers) -> None:
    """The last place is taken by a call that goes through the entry twice."""
    pbx, _ = limited
    _let_in(pbx, ami, callers, OTHER, OTHER, OTHER)
    _let_in(pbx, ami, callers, "0140000001%7E")


@pytest.mark.parametrize(("did", "limit"), [(OTHER, MAX_CALLS), (DID, CLIENT_CALLS)], ids=["machine", "client"])
def test_calls_of_the_same_instant_see_each_other(limited: tuple[Pbx, int], ami: RawAmi, did: str, limit: int) -> None:
    """As many as there are places are let in, neither more nor fewer; each other is counted."""
    pbx, status = limited
    for _ in range(5):
        before, starts = _refused_in_all(pbx), _starts(ami)
        burst = raw_sip.Burst((pbx.sip_host, pbx.sip_port), did, CALLER, calls=24)
        statuses = burst.final_answers(24 - limit)
        _until(lambda starts=starts: _starts(ami) == starts + limit)  # type: ignore[misc]

        assert statuses == [status] * (24 - limit)
        assert _live(pbx) == limit
        assert _refused_in_all(pbx) == before + 24 - limit
        burst.cancel()
        _until(lambda: _live(pbx) == 0)


def test_refusals_are_counted_by_whose_limit_it_was(limited: tuple[Pbx, int], ami: RawAmi, callers: Callers) -> None:
    """A client's beside the machine's."""
    pbx, _ = limited
    clients, machine = _counted_of(pbx, "acme"), _counted_of(pbx, "_all")
    _let_in(pbx, ami, callers, DID, NATIONAL)
    _refused(pbx, DID)
    _let_in(pbx, ami, callers, OTHER, OTHER)
    _refused(pbx, DID)
    _refused(pbx, OTHER)

    assert (_counted_of(pbx, "acme"), _counted_of(pbx, "_all")) == (clients + 1, machine + 2)


def _counted_of(pbx: Pbx, client: str) -> int:
    shown = pbx.cli(f"database get callrouter/refused {client}")
    return int(shown.removeprefix("Value: ")) if shown.startswith("Value: ") else 0


def _refused_in_all(pbx: Pbx) -> int:
    return _counted_of(pbx, "acme") + _counted_of(pbx, "_all")


def test_what_cannot_be_a_limit_is_refused(tmp_path: Path) -> None:
    """When the configuration is rendered."""
    for wrong in ({"max_calls": -1}, {"over_limit": "silence"}):
        with pytest.raises(PbxError, match="max_calls is a count"):
            Pbx.start(tmp_path, agents=1, **wrong)


def _counted(pbx: Pbx) -> int:
    shown = pbx.cli("dialplan show globals")
    return next((int(line.partition("=")[2]) for line in shown.splitlines() if "CR_REFUSED" in line), 0)

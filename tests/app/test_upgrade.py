"""Two engines are restarted one after the other; whatever goes wrong, it stops where one leads. On real engines:
tests/asterisk/leading/test_standby.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI, Response

from callrouter.app.leading import upgrade
from callrouter.app.leading.upgrade import Unit, Upgrade
from callrouter.cli.upgrade.commands import UNITS
from callrouter.cli.upgrade.commands import upgrade as command
from callrouter.errors import HandOverFailed, SettingsError
from tests.api.serving import serving


class Pair:
    """Two engines that say where they stand, and change it as they are restarted."""

    def __init__(self) -> None:
        self.stands = {"one": "1.0", "two": "0.0"}
        self.releases = {"one": "1", "two": "1"}
        self.restarted: list[str] = []
        self.said: list[str] = []
        self.comes_back = True

    def app(self, name: str) -> FastAPI:
        app = FastAPI()

        @app.get("/metrics")
        async def metrics() -> Response:
            stand = self.stands[name]
            return Response(
                f"# HELP callrouter_leader …\ncallrouter_leader {stand}\n" if stand else "", status_code=200
            )

        @app.get("/health")
        async def health() -> dict[str, str]:
            return {"version": self.releases[name]}

        return app

    async def restart(self, unit: Unit) -> None:
        """As systemd does: whoever led hands over."""
        self.restarted.append(unit.name)
        other = "two" if unit.name == "one" else "one"
        if self.stands[unit.name] == "1.0":
            self.stands[other] = "1.0"
        self.stands[unit.name] = "0.0" if self.comes_back else ""
        self.releases[unit.name] = "2"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Upgrade]:
        async with serving(self.app("one")) as one, serving(self.app("two")) as two:
            units = [Unit(name="one", url=one), Unit(name="two", url=two)]
            yield Upgrade(units, self.restart, self.said.append)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade, "KNOWN_SECONDS", 0.01)
    monkeypatch.setattr(upgrade, "START_SECONDS", 0.3)
    monkeypatch.setattr(upgrade, "IN_CHARGE_SECONDS", 0.3)


async def test_the_one_that_waits_is_restarted_first() -> None:
    pair = Pair()
    async with pair.running() as upgrading:
        await upgrading.run()

    assert pair.restarted == ["two", "one"]
    assert pair.stands == {"one": "0.0", "two": "1.0"}
    assert pair.said[0] == "one leads (release 1); two is restarted first"
    assert pair.said[1] == "two waits (release 2); one is restarted and hands over"
    assert pair.said[3] == "one waits (release 2): done"


async def test_a_release_that_does_not_come_up_harms_nobody() -> None:
    pair = Pair()
    pair.comes_back = False
    async with pair.running() as upgrading:
        with pytest.raises(HandOverFailed, match=r"two does not wait for its place: one leads on.*journalctl -u two"):
            await upgrading.run()

    assert pair.restarted == ["two"]
    assert pair.stands["one"] == "1.0"


@pytest.mark.parametrize("stands", [{"one": "0.0", "two": "0.0"}, {"one": "", "two": ""}, {"one": "1.0", "two": "1.0"}])
async def test_unless_one_leads_nothing_is_restarted(stands: dict[str, str]) -> None:
    pair = Pair()
    pair.stands = stands
    async with pair.running() as upgrading:
        with pytest.raises(HandOverFailed, match="nothing was restarted"):
            await upgrading.run()

    assert pair.restarted == []


async def test_one_that_is_away_is_started_first() -> None:
    pair = Pair()
    pair.stands = {"one": "", "two": "1.0"}
    async with pair.running() as upgrading:
        await upgrading.run()

    assert pair.restarted == ["one", "two"]
    assert pair.stands == {"one": "1.0", "two": "0.0"}


def test_a_single_engine_is_none_of_two(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The command says what is missing, and restarts nothing."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SettingsError, match="CALLROUTER_ENGINE_URL does not name two engines"):
        command(list(UNITS))

"""`callrouter upgrade`: two engines are restarted, and no call notices."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from callrouter.app.leading.upgrade import Unit, Upgrade
from callrouter.errors import HandOverFailed, SettingsError
from callrouter.settings import load_settings

UNITS = ["callrouter-engine@1", "callrouter-engine@2"]


def upgrade(
    unit: Annotated[
        list[str], typer.Option(help="The two services, in the order of CALLROUTER_ENGINE_URL.", metavar="NAME")
    ] = UNITS,
) -> None:
    """Restart two engines by systemd, the one that waits first, after a release was installed: calls go on."""
    urls = load_settings().engine_base_url.split(",")
    if len(urls) != 2 or len(unit) != 2:
        raise SettingsError(
            "CALLROUTER_ENGINE_URL does not name two engines (http://127.0.0.1:8081,http://127.0.0.1:8082), each with "
            "its --unit. A single engine is restarted by systemctl: calls in menus get CALLROUTER_GRACE_SECONDS"
        )
    units = [Unit(name=name, url=url) for name, url in zip(unit, urls, strict=True)]
    asyncio.run(Upgrade(units, _restart, typer.echo).run())


async def _restart(unit: Unit) -> None:
    process = await asyncio.create_subprocess_exec("systemctl", "restart", unit.name)
    if await process.wait():
        raise HandOverFailed(f"systemctl does not restart {unit.name}: nothing else is done")

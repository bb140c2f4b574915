"""Entries of ours in Asterisk's database are counted by family, on a real Asterisk."""

from __future__ import annotations

import asyncio

from callrouter.asterisk.pbx.database_size import FAMILIES, DatabaseSize
from callrouter.core.nodes import HangupNode
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import engine_room, plan_of


async def test_what_grows_there_is_seen(pbx: Pbx) -> None:
    """Each family by itself, also one without entries."""
    async with engine_room(pbx, plan_of(HangupNode(name="bye"))) as room:
        size = DatabaseSize(room.link, link_up=lambda: True)
        assert size.by_family == {}
        await size.look()
        before = dict(size.by_family)
        assert set(before) == set(FAMILIES)
        try:
            for number in range(3):
                await asyncio.to_thread(pbx.cli, f"database put callrouter/outgoing o{number}/order x")
            await size.look()
            assert size.by_family["outgoing"] - before["outgoing"] == 3
            assert {**size.by_family, "outgoing": 0} == {**before, "outgoing": 0}
        finally:
            await asyncio.to_thread(pbx.cli, "database deltree callrouter/outgoing")

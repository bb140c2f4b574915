"""An engine that takes another one's place serves what that one served, whatever stands in its own folder."""

from __future__ import annotations

import pytest

from callrouter.app.dialplans import Dialplans
from callrouter.app.live import taken_over
from callrouter.runtime.reload import Why
from callrouter.store.database import Database
from tests.app.live.test_last_live import Site, site, text

__all__ = ["site"]
CONTACTS = 'contacts:\n  doctor: {{ number: "01 99 00 00 {}" }}\n'


def versions(served: Dialplans) -> dict[str, str]:
    return {client: plan.version for client, plan in served.served.plans.items()}


@pytest.fixture
def long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """All files of the folder were saved long before the take-over."""
    monkeypatch.setattr(taken_over, "FRESH_SECONDS", 0.0)


async def test_the_same_folder_is_loaded_as_at_any_start(site: Site) -> None:
    site.put("m.yaml", text())
    before = versions(await site.start())
    after = await site.start(took_over=True)

    assert versions(after) == before
    assert after.served.refused == ()
    assert after.served.seen is not None


@pytest.mark.usefixtures("long_ago")
@pytest.mark.parametrize("postgresql", ["there", "away"])
async def test_a_folder_that_differs_is_not_used(site: Site, away: Database, postgresql: str) -> None:
    """Another document, one more and one less: nothing of it is served, to the first call or later; and it is said."""
    site.put("m.yaml", text())
    site.put("n.yaml", text("n", "01 99 00 00 11"))
    (site.folder / "shared").mkdir()
    site.put("shared/contacts.yaml", CONTACTS.format("90"))
    before = versions(await site.start())
    site.put("m.yaml", text(number="01 99 00 00 12"))
    (site.folder / "n.yaml").unlink()
    site.put("o.yaml", text("o", "01 99 00 00 13"))
    site.put("shared/contacts.yaml", CONTACTS.format("91"))

    after = await site.start(None if postgresql == "there" else away, took_over=True)
    first = await after.disk.for_did("+33199000010")
    assert first is not None
    assert first.version == before["m"]
    assert versions(after) == before
    assert after.served.for_did("+33199000010").client == "m"
    assert after.served.for_did("+33199000012").client == after.served.for_did("+33199000013").client == "unknown-did"
    assert {one.file for one in after.served.refused} == {"m.yaml", "n.yaml", "o.yaml", "shared/contacts.yaml"}
    assert taken_over.DIFFERS in after.served.trouble
    assert after.served.seen == after.loader.look(), "the folder would be loaded though nothing was saved"
    assert versions(await site.start(took_over=True)) == before, "the next engine knows it no more"

    await after.served.reload(Why.ASKED)
    assert after.served.for_did("+33199000012").client == "m"
    assert after.served.trouble == ""


async def test_what_was_just_saved_goes_live_right_afterwards(site: Site) -> None:
    """The engine before may not have seen it any more."""
    site.put("m.yaml", text())
    before = versions(await site.start())
    site.put("m.yaml", text(number="01 99 00 00 12"))
    after = await site.start(took_over=True)

    assert versions(after) == before
    assert after.served.seen is None, "nobody would load it"


@pytest.mark.usefixtures("long_ago")
async def test_a_start_makes_live_what_the_folder_says(site: Site) -> None:
    """As ever: nobody led before."""
    site.put("m.yaml", text())
    before = versions(await site.start())
    site.put("m.yaml", text(number="01 99 00 00 12"))

    assert versions(await site.start()) != before

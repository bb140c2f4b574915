"""Every channel does what its case file says, and what the queue relies on."""

from __future__ import annotations

import pytest

from callrouter.delivery.channel import Channel, Channels, Delivered, FailedForGood, FailedForNow, Tools
from callrouter.delivery.channels import CHANNELS
from callrouter.delivery.channels.webhook import Webhook
from callrouter.runtime.guarded_http import GuardedHttp
from tests.delivery.channels.walking import cases_of, check_channel, delivery_to, missing


@pytest.mark.parametrize("kind", CHANNELS, ids=lambda kind: kind.name)
async def test_a_channel_does_what_its_cases_say(kind: type[Channel]) -> None:
    """On a real receiver."""
    await check_channel(kind)


def test_no_channel_owes_anything() -> None:
    """Parts, cases for every outcome, and no file that nobody reads."""
    assert list(missing(CHANNELS)) == []


def test_the_scheme_says_which_channel() -> None:
    """Whatever its case; for others there is none, and the queue gives up at once."""
    channels = Channels(CHANNELS, Tools(http=GuardedHttp(["crm.example"], {})))

    assert isinstance(channels.of("HTTPS://crm.example/"), Webhook)
    assert channels.of("fax:+33140000001") is None
    assert channels.check("fax:+33140000001") == 'no channel delivers to "fax:"'
    assert channels.check("https://crm.example/") is None


def test_two_channels_cannot_share_a_scheme() -> None:
    """Nobody could say which one delivers."""
    with pytest.raises(ValueError, match="webhook and webhook both deliver to http"):
        Channels((Webhook, Webhook), Tools(http=GuardedHttp([], {})))


async def test_what_a_webhook_says_of_the_service() -> None:
    """One that refuses is there; one that fails, or cannot be reached, is not; it may say when to ask again."""
    cases = cases_of(Webhook)
    told = {}
    async with cases.room() as room:
        channel = Webhook(room.tools)
        for behaviour in ("missing", "redirect", "fail", "busy", "closed", "elsewhere"):
            outcome = await channel.send(delivery_to(room.address(behaviour)))
            told[behaviour] = None if isinstance(outcome, FailedForGood | Delivered) else outcome.destination_answers

    assert told == {
        "missing": True,
        "redirect": True,
        "fail": False,
        "busy": False,
        "closed": False,
        "elsewhere": None,
    }
    assert FailedForNow(reason="", destination_answers=True).retry_after_seconds == 0


async def test_what_a_web_service_answers_is_kept_in_short() -> None:
    """The number of a ticket, for whoever asks them about it: one line, and nothing that is no sign."""
    async with cases_of(Webhook).room() as room:
        outcome = await Webhook(room.tools).send(delivery_to(room.address("good")))
        long = await Webhook(room.tools).send(delivery_to(room.address("long")))

    assert isinstance(outcome, Delivered)
    assert outcome.answer.startswith('{"customer": {"name": "Jeanne')
    assert isinstance(long, Delivered)
    assert long.answer == "bell and line " + "x" * 186

"""The receiver of subscriptions in the integrator's guide, run as it stands there."""

from __future__ import annotations

from dataclasses import replace as with_
from datetime import UTC, datetime
from pathlib import Path

from callrouter.api.schemas.happened import happened_body
from callrouter.core.dispatch import Kind
from callrouter.delivery.channel import Delivered, FailedForNow, Outcome, Tools
from callrouter.delivery.channels.webhook import Webhook
from callrouter.dispatch.telling import Telling
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.store.subscribed.happened import Happened

from ..delivery.channels.walking import delivery_to  # noqa: TID252  # tests are no installed package
from ..dispatch.subscribers import a_call, subscribed  # noqa: TID252  # tests are no installed package
from .test_receiver import OTHER, SECRET, receiver


async def test_it_takes_each_event_once_and_the_highest_revision(tmp_path: Path) -> None:
    """A repetition, and a correction that comes before what it corrects, do no harm; a stranger is refused."""
    with receiver(tmp_path, which=1) as (host, printed):
        outcomes = [
            await _post(host, "first", 1),
            await _post(host, "first", 1),
            await _post(host, "third", 3),
            await _post(host, "second", 2),
            await _post(host, "other", 4, secret="OTHER"),
            await _post(host, "unsigned", 4, secret=""),
        ]
        said = printed.read_text()

    assert [type(one) for one in outcomes] == [*[Delivered] * 4, FailedForNow, FailedForNow]
    assert said == "call.ended.v1 acme 1\ncall.ended.v1 acme 3\n"


async def _post(host: str, event_id: str, revision: int, secret: str = "RIGHT") -> Outcome:
    secrets = {"RIGHT": SECRET, "OTHER": OTHER}
    http = GuardedHttp([host], secrets)
    plan = subscribed()
    own = plan.subscriptions["crm"]
    call = a_call()
    happened = Happened(
        kind=Kind.CALL_ENDED,
        owner="acme",
        names=("crm",),
        at=datetime.now(UTC),
        call_id=call.call_id,
        call=call,
        revision=revision,
    )
    telling = Telling(event_id=event_id, happened=happened, plan=plan, subscription=own, confidential=False)
    delivery = with_(delivery_to(f"http://{host}/hooks", event_id), body=happened_body(telling), secret=secret)
    outcome = await Webhook(Tools(http=http, secrets=secrets)).send(delivery)
    await http.close()
    return outcome

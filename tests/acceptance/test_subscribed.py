"""A caller gives up, another one leaves a message, somebody takes it on: a web service is told, signed and in order."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped]
import pytest
from standardwebhooks import Webhook

from deploy.demo import stories
from deploy.demo.caller import HangUp, Wait
from tests.acceptance.conftest import CHECKOUT, LoopThread, Town, open_town

SECONDS = 60.0
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DOCUMENT = """\
client: subscribed
name: Cabinet Martin
numbers: ["01 99 00 00 77", "01 99 00 00 78"]
timezone: Europe/Paris
language: fr
contacts:
  anne: {{ name: Anne Martin, email: anne@martin.example }}
subscriptions:
  crm:
    url: {url}
    secret: env:CRM
    events: [call.ended, call.abandoned, message.taken, message.acknowledged]
fallback: {{ queue: medical }}
start: which
nodes:
  which:
    branch:
      when:
        - {{ did: "01 99 00 00 78", then: line }}
      otherwise: message
  line:
    queue: {{ name: medical, max_wait: 3m, overflow: message }}
  message:
    message: {{ max: 20s, deliver: anne, done: bye }}
  bye:
    hangup: {{}}
"""


@dataclass
class Receiver:
    """A web service that believes what is signed."""

    port: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def types(self, call_id: str) -> list[str]:
        """What it was told of a call, in order."""
        return [one["type"] for one in self.events if call_id in _calls_of(one)]


def _calls_of(event: dict[str, Any]) -> set[str]:
    data = event["data"]
    return {data.get("call_id"), *(one.get("call_id") for one in data.get("messages", ()))}


@contextmanager
def receiving() -> Iterator[Receiver]:
    """It listens, in a thread of its own."""
    receiver = Receiver()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.events.append(Webhook(SECRET).verify(body, headers))
            receiver.ids.append(headers["webhook-id"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def crm() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def town(thread: LoopThread, crm: Receiver, tmp_path: Path) -> Iterator[Town]:
    """A stack with a client who has its own system told."""
    (tmp_path / "shared").mkdir()
    for path in (CHECKOUT / "dialplans" / "shared").glob("*.yaml"):
        (tmp_path / "shared" / path.name).write_text(path.read_text())
    (tmp_path / "subscribed.yaml").write_text(DOCUMENT.format(url=f"http://127.0.0.1:{crm.port}/hooks"))
    settings = {
        "CALLROUTER_DIALPLANS_DIR": str(tmp_path),
        "CALLROUTER_OUTGOING_HOSTS": f"127.0.0.1:{crm.port}",
        "CALLROUTER_SECRET_CRM": SECRET,
    }
    yield from open_town(thread, settings)


def test_a_web_service_is_told_what_happens_to_calls_and_messages(town: Town, crm: Receiver) -> None:
    """What each call has to say comes one after the other, each once, and by the schema that is published."""
    hasty, patient = town.somebody("Marc Henry"), town.somebody("Paul Mercier")
    (story,) = [one for one in stories.STORIES if one.name == "message_hash"]
    town.call("+33199000078", Wait(1.2), HangUp(), caller=hasty)
    town.call("+33199000077", *story.script[-2:], caller=patient)
    gave_up, spoke = (town.rows_of(caller)[0]["call_id"] for caller in (hasty, patient))
    town.until(lambda: len(crm.events), lambda many: many >= 4, SECONDS)
    (message,) = town.get("/api/messages", client="subscribed")["messages"]
    engine = town.stack.engine
    address = f"{engine.web_url}/api/messages/{message['message_id']}/acknowledge"
    answer = httpx.post(address, headers={"Authorization": f"Bearer {engine.token}"}, trust_env=False)
    assert answer.status_code == 200, answer.text
    town.until(lambda: len(crm.events), lambda many: many >= 5, SECONDS)

    assert crm.types(gave_up) == ["call.ended.v1", "call.abandoned.v1"]
    told = crm.types(spoke)
    assert sorted(told[:2]) == ["call.ended.v1", "message.taken.v1"]
    assert told[2:] == ["message.acknowledged.v1"]
    assert [one["id"] for one in crm.events] == crm.ids
    assert len(set(crm.ids)) == len(crm.ids) == 5
    schema = json.loads((CHECKOUT / "docs" / "events.schema.json").read_text())
    for event in crm.events:
        jsonschema.validate(event, schema)
        assert event["client"] == "subscribed"
    (taken,) = [one for one in crm.events if one["type"] == "message.taken.v1"]
    assert taken["data"]["messages"][0]["caller"]["number"] == patient.number
    (abandoned,) = [one for one in crm.events if one["type"] == "call.abandoned.v1"]
    assert (abandoned["data"]["disposition"], abandoned["data"]["caller"]["number"]) == ("abandoned", hasty.number)

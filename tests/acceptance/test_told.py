"""A caller speaks, hangs up, and somebody has it as mail: real telephones, the worker, a mail server, a web page."""

from __future__ import annotations

import email
import email.policy
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.demo import stories
from tests.acceptance.conftest import CHECKOUT, LoopThread, Town, open_town
from tests.delivery.channels.mail_server import MailBox, mail_server
from tests.runtime.web_service import WebService, web_service

SECONDS = 60.0
DOCUMENT = """\
client: told
name: Cabinet Martin
numbers: ["01 99 00 00 77"]
timezone: Europe/Paris
language: fr
contacts:
  anne: { name: Anne Martin, email: anne@martin.example }
  bruno: { name: Bruno Petit, email: bruno@martin.example }
  crm: { name: CRM, url: "http://@CRM@/good/calls" }
delivery:
  night:
    urgent:
      - { to: [anne, bruno], by: email, wait: 10m }
    ordinary: { to: anne, by: email }
fallback: { queue: medical }
start: told
nodes:
  told:
    notify: { contact: crm, data: { why: urgent }, next: message }
  message:
    message: { max: 20s, deliver: night, done: bye }
  bye:
    hangup: {}
"""


@asynccontextmanager
async def post_office() -> AsyncIterator[MailBox]:
    async with mail_server() as box:
        yield box


@pytest.fixture
def box(thread: LoopThread) -> Iterator[MailBox]:
    """A mail server."""
    context = post_office()
    yield thread.run(context.__aenter__())
    thread.run(context.__aexit__(None, None, None))


@pytest.fixture
def crm(thread: LoopThread) -> Iterator[WebService]:
    """The client's own web service."""
    context = web_service()
    yield thread.run(context.__aenter__())
    thread.run(context.__aexit__(None, None, None))


@pytest.fixture
def town(thread: LoopThread, box: MailBox, crm: WebService, tmp_path: Path) -> Iterator[Town]:
    """A stack whose mail goes there, with a client who wants to be told."""
    for path in (CHECKOUT / "dialplans" / "shared").glob("*.yaml"):
        (tmp_path / "shared").mkdir(exist_ok=True)
        (tmp_path / "shared" / path.name).write_text(path.read_text())
    (tmp_path / "told.yaml").write_text(DOCUMENT.replace("@CRM@", crm.host))
    settings = {
        "CALLROUTER_DIALPLANS_DIR": str(tmp_path),
        "CALLROUTER_SMTP_URL": f"smtp://127.0.0.1:{box.port}",
        "CALLROUTER_MAIL_FROM": "messages@answering.example",
        "CALLROUTER_PUBLIC_URL": "https://desk.example",
        "CALLROUTER_OUTGOING_HOSTS": crm.host,
        "CALLROUTER_EVENTS_URL": crm.url("good/events"),
        "CALLROUTER_EVENTS": "call.ended",
    }
    yield from open_town(thread, settings)


def test_a_message_is_mailed_with_what_was_said_and_acknowledged_behind_its_link(town: Town, box: MailBox) -> None:
    """Once it is complete, not when somebody looks; a scanner that follows the link changes nothing."""
    (story,) = [one for one in stories.STORIES if one.name == "message_hash"]
    caller = town.somebody("Paul Mercier")
    town.call("+33199000077", *story.script[-2:], caller=caller)
    mail = received(box)
    (message,) = town.until(lambda: town.get("/api/messages", client="told")["messages"], bool)
    town.until(lambda: town.get(f"/api/messages/{message['message_id']}/delivery"), lambda one: one["state"] == "told")

    assert mail["To"] == "anne@martin.example"
    assert "Cabinet Martin" in str(mail["Subject"])
    body = mail.get_body(("plain",))
    assert body is not None
    text = str(body.get_content())
    assert caller.number[-8:-6] in text
    (sound,) = list(mail.iter_attachments())
    assert sound.get_content_type() == "audio/wav"
    assert len(sound.get_content()) > 16_000

    link = next(word for word in text.split() if word.startswith("https://desk.example/m/")).strip(".<>")
    here = link.replace("https://desk.example", town.stack.engine.web_url)
    with httpx.Client(trust_env=False) as browser:
        looked = [browser.get(here) for _ in range(3)]
        assert {one.status_code for one in looked} == {200}
        assert not [one for one in looked if caller.number[-6:] in one.text]
        shown = browser.post(f"{here}/show")
        assert (shown.status_code, "Cabinet Martin" in shown.text) == (200, True)
        taken = browser.post(f"{here}/acknowledge", follow_redirects=True)
        assert taken.status_code == 200
    trail = town.get(f"/api/messages/{message['message_id']}/delivery")

    assert (trail["state"], trail["acknowledged_by"]) == ("acknowledged", "anne")
    assert len(box.received) == 1


def test_web_services_are_told_of_a_call_by_the_worker(town: Town, crm: WebService) -> None:
    """What the tree asked for while the call went on, and the operator's events; each with its own key."""
    (story,) = [one for one in stories.STORIES if one.name == "message_hash"]
    caller = town.somebody("Paul Mercier")
    town.call("+33199000077", *story.script[-2:], caller=caller)
    call_id = town.row_of(caller)["call_id"]

    def told() -> dict[str, dict[str, Any]]:
        bodies = [one.partition(b"\r\n\r\n") for one in crm.asked]
        return {head.split(b" ")[1].decode(): json.loads(body) for head, _, body in bodies}

    found = town.until(told, lambda one: len(one) == 2)
    notified, ended = found["/good/calls"], found["/good/events"]
    assert (notified["event"], notified["call_id"], notified["data"]) == ("call.notify", call_id, {"why": "urgent"})
    assert (ended["event"], ended["call"]["call_id"]) == ("call.ended", call_id)
    (of_call,) = [one for one in crm.asked if b"/good/calls" in one]
    assert f"Idempotency-Key: {call_id}-n0\r\n".encode() in of_call
    assert town.get("/api/deliveries", state="waiting")["deliveries"] == []


def received(box: MailBox) -> EmailMessage:
    """The first mail, once it is there."""
    deadline = time.monotonic() + SECONDS
    while not box.received and time.monotonic() < deadline:
        time.sleep(0.05)
    found = email.message_from_bytes(box.received[0], policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found

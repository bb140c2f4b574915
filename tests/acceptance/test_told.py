"""A caller speaks, hangs up, and somebody has it as mail: real telephones, the worker, a mail server, a web page."""

from __future__ import annotations

import email
import email.policy
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from deploy.demo import stories
from tests.acceptance.conftest import CHECKOUT, LoopThread, Town, open_town
from tests.delivery.channels.mail_server import MailBox, mail_server

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
delivery:
  night:
    urgent:
      - { to: [anne, bruno], by: email, wait: 10m }
    ordinary: { to: anne, by: email }
fallback: { queue: medical }
start: message
nodes:
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
def town(thread: LoopThread, box: MailBox, tmp_path: Path) -> Iterator[Town]:
    """A stack whose mail goes there, with a client who wants to be told."""
    for path in (CHECKOUT / "dialplans" / "shared").glob("*.yaml"):
        (tmp_path / "shared").mkdir(exist_ok=True)
        (tmp_path / "shared" / path.name).write_text(path.read_text())
    (tmp_path / "told.yaml").write_text(DOCUMENT)
    settings = {
        "CALLROUTER_DIALPLANS_DIR": str(tmp_path),
        "CALLROUTER_SMTP_URL": f"smtp://127.0.0.1:{box.port}",
        "CALLROUTER_MAIL_FROM": "messages@answering.example",
        "CALLROUTER_PUBLIC_URL": "https://desk.example",
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


def received(box: MailBox) -> EmailMessage:
    """The first mail, once it is there."""
    deadline = time.monotonic() + SECONDS
    while not box.received and time.monotonic() < deadline:
        time.sleep(0.05)
    found = email.message_from_bytes(box.received[0], policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found

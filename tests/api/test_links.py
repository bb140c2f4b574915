"""Pages behind a link, over HTTP: nothing before the button, nothing for others, and nothing that stays anywhere."""

from __future__ import annotations

import asyncio
import re
import wave
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callrouter.api.links.words import ENGLISH, FRENCH, words_for
from callrouter.api.messages.desk import Taking
from callrouter.core.call import replace
from callrouter.core.dispatch import Reach
from callrouter.store.access.audit import list_audit
from callrouter.store.access.trail import AuditTrail
from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import acknowledge
from callrouter.store.dispatch.links import TOKEN_BYTES
from callrouter.store.messages import Change, change_message
from callrouter.store.tables import MessageChangeKind
from callrouter.store.writing.writer import Writer
from deploy.demo.plain_http import plain_client
from tests.store.dispatch.rows import LENOIR, MOREAU, linked, states, take, tell, told
from tests.store.test_revisions import rows

from .plans import AtOnce, Plans
from .serving import make_gate, serving
from .stories import message_left
from .test_web_app import web

TEXT = 'Veut <script>alert("x")</script>\nle résultat & vite.'
UNGUESSED = "A" * 43


class _Parsed(HTMLParser):
    """That it is HTML: each tag that is opened is closed, in order."""

    VOID = ("meta", "br", "input")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(answer: httpx.Response, status: int = 200) -> str:
    """The page, which no browser keeps, frames, or runs anything of."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy.pop("style-src").startswith("'sha256-")
    assert policy == {
        "default-src": "'none'",
        "media-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    parsed = _Parsed()
    parsed.feed(answer.text)
    assert parsed.open == []
    assert {"script", "link", "img", "iframe"}.isdisjoint(parsed.seen)
    return answer.text


def soon(seconds: float = 3_600) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


@pytest.fixture
async def api(database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that knows no token."""
    trail = AuditTrail(database)
    writing = asyncio.get_running_loop().create_task(trail.run())
    plans = Plans()
    doctor = Reach(name="doctor", title="Dr Moreau", language="fr")
    plans.plans[MOREAU] = replace(plans.plans[MOREAU], name="Cabinet <Moreau>", people={"doctor": doctor})
    app = web(database, folder=tmp_path, gate=make_gate(trail=trail), taking=Taking(plans, AtOnce(database)))
    try:
        async with serving(app) as base, plain_client(base_url=base) as client:
            yield client
    finally:
        writing.cancel()
        await trail.close()


async def test_before_the_button_nothing_is_shown_and_nothing_is_done(
    api: httpx.AsyncClient, database: Database
) -> None:
    """Scanners of mail ask for it, again and again, and for whatever else they find."""
    message = await take(database, text=TEXT)
    token = await linked(database, await tell(database, message), soon())

    for _ in range(3):
        page = checked(await api.get(f"/m/{token}"))
        checked(await api.head(f"/m/{token}"))
    for path in ("show", "acknowledge"):
        assert (await api.get(f"/m/{token}/{path}")).status_code == 405
    checked(await api.get(f"/m/{token}/recording"), 404)

    assert f'action="{token}/show"' in page
    for secret in ("Moreau", "Martin", "Veut", "33612345678", message, MOREAU):
        assert secret not in page
    assert await told(database, message) == []
    assert await states(database, message) == ["accepted"]


async def test_shown_and_taken_on(api: httpx.AsyncClient, database: Database) -> None:
    """Whatever stands in the message is text; it is on record who viewed it, and who takes it on."""
    message = await take(database, text=TEXT, urgent=True, caller_name='"><b>Jean')
    token = await linked(database, await tell(database, message), soon())
    await tell(database, message, "queued", contact="partner")

    early = checked(await api.post(f"/m/{token}/acknowledge"), 409)
    first = checked(await api.post(f"/m/{token}/show"))
    again = checked(await api.post(f"/m/{token}/show"))
    done = checked(await api.post(f"/m/{token}/acknowledge"))
    twice = checked(await api.post(f"/m/{token}/acknowledge"))
    await asyncio.sleep(1.2)
    deeds = [row.deed for row in (await list_audit(database)).rows]

    assert 'action="show"' in early
    assert "Veut" not in early
    assert "Message pour Cabinet &lt;Moreau&gt;" in first
    assert "Veut &lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;\nle résultat &amp; vite." in first
    assert "&#34;&gt;&lt;b&gt;Jean" in first
    assert 'href="tel:+33612345678"' in first
    assert ("Urgent" in first, "Pris le 30/11/2026 à" in first) == (True, True)
    assert ('action="acknowledge"' in first, "<audio" in first) == (True, False)
    assert first == again
    assert ("Vous avez pris ce message en charge" in done, "<form" in done) == (True, False)
    assert done == twice
    assert await told(database, message) == ["viewed doctor", "acknowledged doctor", "withdrawn partner"]
    assert await states(database, message) == ["acknowledged", "withdrawn"]
    (deed,) = deeds
    assert (deed.principal, deed.action, deed.object) == ("contact:doctor", "message.acknowledge", message)
    assert (deed.client, deed.address) == (MOREAU, "127.0.0.1")


async def test_somebody_else_took_it_on(api: httpx.AsyncClient, database: Database) -> None:
    """Who it was is said, of the client's people by their title."""
    by_partner, done, by_desk = [await take(database) for _ in range(3)]
    pages = []
    await acknowledge(database, by_partner, by="email_doctor", how="link", at=soon(0))
    await change_message(database, done, Change(kind=MessageChangeKind.DONE, principal="token:desk", at=soon(0)))
    for message in (by_partner, done, by_desk):
        token = await linked(database, await tell(database, message), soon())
        checked(await api.post(f"/m/{token}/show"))
        if message == by_desk:
            await acknowledge(database, message, by="token:desk", how="api", at=soon(0))
        pages.append(checked(await api.post(f"/m/{token}/acknowledge")))

    assert "déjà pris en charge par Dr Moreau, e-mail : " in pages[0]
    assert "déjà pris en charge par le secrétariat : " in pages[1]
    assert "déjà pris en charge par le secrétariat : " in pages[2]
    assert await told(database, by_partner) == ["acknowledged email_doctor", "viewed doctor"]


async def test_a_form(api: httpx.AsyncClient, database: Database) -> None:
    """Its fields by their labels, and nothing twice; a number that no telephone dials is text."""
    fields = {"name": "Zoé", "number": "+33612340001", "words": "x\ny"}
    labels = (("name", "Nom"), ("number", "Tél"), ("words", "Message <i>"))
    caller = {"caller_name": "Zoé", "caller_number": "sip:zoé@a"}
    message = await take(database, form="patient", fields=fields, labels=labels, **caller)
    token = await linked(database, await tell(database, message), soon())

    page = checked(await api.post(f"/m/{token}/show"))

    assert "<dt>Nom</dt>" in page
    assert "<dt>Message &lt;i&gt;</dt>" in page
    assert "<dd>sip:zoé@a</dd>" in page
    assert '<dd><a href="tel:+33612340001">+33612340001</a></dd>' in page
    assert (page.count("Zoé"), "Veut voir" in page, "tel:sip" in page) == (1, False, False)


async def test_links_that_lead_nowhere(api: httpx.AsyncClient, database: Database) -> None:
    """One that has ended says so; of others nobody can tell whether they ever were, by what they are answered."""
    message = await take(database)
    delivery = await tell(database, message)
    gone, good = await linked(database, delivery, soon(-1)), await linked(database, delivery, soon())
    wrong = [UNGUESSED, good[:-1], f"{good}A", "x", "%00", "%C3%A9", "%FF", "a%20b", "A" * 5_000, "{token}"]

    pages = {
        re.sub(r"\s", "", checked(await api.request(method, f"/m/{token}{path}"), 404))
        for token in wrong
        for method, path in (("GET", ""), ("POST", "/show"), ("POST", "/acknowledge"), ("GET", "/recording"))
    }
    for method, path in (("GET", ""), ("POST", "/show"), ("POST", "/acknowledge"), ("GET", "/recording")):
        assert "has ended" in checked(await api.request(method, f"/m/{gone}{path}"), 410)

    assert len(pages) == 1
    assert await told(database, message) == []
    assert len(good) == len(UNGUESSED) == -(-TOKEN_BYTES * 8 // 6)


async def test_a_message_that_was_given_to_somebody_else(api: httpx.AsyncClient, database: Database) -> None:
    """It is not shown any more to whom it was sent by mistake."""
    message = await take(database)
    token = await linked(database, await tell(database, message), soon())
    checked(await api.post(f"/m/{token}/show"))
    change = Change(kind=MessageChangeKind.REASSIGNED, principal="operator", at=datetime.now(UTC), deliver="nurse")
    await change_message(database, message, change)

    checked(await api.post(f"/m/{token}/show"), 410)


async def test_the_recording(api: httpx.AsyncClient, database: Database, tmp_path: Path) -> None:
    """To be heard once the message was shown, also in parts; each listening is in the audit trail."""
    with wave.open(str(tmp_path / "7-1.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(8000))
    writer = Writer(database)
    await writer.write([message_left("7"), message_left("8")])
    writer.close()
    here, lost = [await linked(database, await tell(database, f"{one}.m1"), soon()) for one in "78"]

    checked(await api.get(f"/m/{here}/recording"), 404)
    page = checked(await api.post(f"/m/{here}/show"))
    heard = await api.get(f"/m/{here}/recording")
    part = await api.get(f"/m/{here}/recording", headers={"Range": "bytes=0-1"})
    checked(await api.post(f"/m/{lost}/show"))
    checked(await api.get(f"/m/{lost}/recording"), 404)
    await rows(database, "UPDATE recordings SET deleted_at = now() RETURNING 1")
    deleted = checked(await api.post(f"/m/{here}/show"))
    checked(await api.get(f"/m/{here}/recording"), 404)
    trail = (await list_audit(database)).rows

    assert '<audio controls controlslist="nodownload" preload="none" src="recording">' in page
    assert (heard.status_code, heard.headers["content-type"]) == (200, "audio/wav")
    assert heard.content == (tmp_path / "7-1.wav").read_bytes()
    assert (heard.headers["cache-control"], heard.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert (part.status_code, part.content) == (206, b"RI")
    assert ("<audio" in deleted, "ne peut plus" in deleted) == (False, True)
    assert [(one.deed.principal, one.deed.action, one.deed.object, one.times) for one in trail] == [
        ("contact:doctor", "recording.play", "7-1", 2)
    ]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_while_postgresql_is_away(
    database: Database, method: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page says so; no log holds the link."""
    nowhere = Database(database.url.set(database="nowhere"))
    async with serving(web(nowhere)) as base, plain_client(base_url=base) as client:
        answer = await client.request(method, f"/m/{UNGUESSED}{'/show' if method == 'POST' else ''}")
    await nowhere.close()

    assert "Try again in a minute" in checked(answer, 503)
    assert answer.headers["retry-after"] == "60"
    assert UNGUESSED not in caplog.text + "".join(capsys.readouterr())


async def test_what_is_our_fault(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Is a page too, and in the log without the link."""

    async def broken(*_: object) -> None:
        raise ValueError("ours")

    monkeypatch.setattr("callrouter.api.links.pages.find_link", broken)
    async with serving(web(database)) as base, plain_client(base_url=base) as client:
        page = checked(await client.get(f"/m/{UNGUESSED}"), 500)
    logged = "".join(capsys.readouterr())

    assert "Something went wrong" in page
    assert "ours" not in page
    assert "a message cannot be shown by its link" in logged
    assert UNGUESSED not in logged


async def test_in_their_language(api: httpx.AsyncClient, database: Database) -> None:
    """Their own by the client's file; else what their browser asks for; else the client's."""
    messages = {client: await take(database, client) for client in (MOREAU, LENOIR)}
    tokens = {
        one: await linked(database, await tell(database, id_, client=one), soon()) for one, id_ in messages.items()
    }
    found = {
        (client, asked): checked(await api.get(f"/m/{token}", headers={"Accept-Language": asked}))
        for client, token in tokens.items()
        for asked in ("en-GB,en;q=0.9", "de, fr-CA;q=0.8, en;q=0.7", "de", "")
    }
    nobody = checked(await api.get(f"/m/{UNGUESSED}", headers={"Accept-Language": "fr"}), 404)

    spoken = {key: re.findall(r'<html lang="(..)">', page)[0] for key, page in found.items()}
    assert {spoken[MOREAU, asked] for _, asked in spoken} == {"fr"}
    assert [spoken[LENOIR, asked] for client, asked in spoken if client == LENOIR] == ["en", "fr", "fr", "fr"]
    assert "Ce lien n’existe pas" in nobody


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("fr", "fr"),
        ("FR-be", "fr"),
        ("en;q=0.5, fr;q=0.6", "fr"),
        ("en;q=0, fr;q=0.001", "fr"),
        ("fr;q=x, en", "en"),
        ("*", "en"),
        (", ".join(["de"] * 30 + ["fr"]), "en"),
        ("fr" * 1_000, "en"),
        (f"fr{' ' * 30_000};", "en"),
    ],
)
def test_what_browsers_ask_for(accepted: str, language: str) -> None:
    assert words_for(accepted=[accepted]).language == language


@given(st.text(max_size=60), st.lists(st.text(st.sampled_from("fren;q=0.1,-* \t"), max_size=60), max_size=3))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_any_wish_is_one_of_ours(own: str, accepted: list[str]) -> None:
    assert words_for(own=own, accepted=accepted) in (ENGLISH, FRENCH)

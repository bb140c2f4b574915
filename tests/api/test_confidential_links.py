"""Pages behind the link to a confidential message: nothing of it before a PIN or a code."""

from __future__ import annotations

import asyncio
import re
import wave
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from callrouter.api.links.words import ENGLISH, FRENCH
from callrouter.api.messages.desk import Taking
from callrouter.core.call import replace
from callrouter.core.dispatch import Reach
from callrouter.store.database import Database
from callrouter.store.dispatch.board import Why, count_board, list_board
from callrouter.store.dispatch.opening import hash_of_code
from callrouter.store.tables import delivery_codes
from callrouter.store.writing.writer import Writer
from deploy.demo.plain_http import plain_client
from tests.store.dispatch.rows import MOREAU, linked, stand, take, tell, told
from tests.store.test_revisions import rows

from .plans import AtOnce, Plans
from .serving import make_gate, serving
from .stories import message_left
from .test_links import TEXT, checked, soon
from .test_web_app import web

PEOPLE = (
    Reach(name="doctor", title="Dr Moreau", language="fr", email="moreau@example.org", pin="DR_MOREAU_PIN"),
    Reach(name="partner", title="Dr Noir", language="en", number="+33639980077", email="noir@example.org"),
    Reach(name="box", title="Box", language="en", email="box@example.org"),
    Reach(name="unset", title="Unset", language="en", email="u@example.org", number="+33639980078", pin="NOT_SET"),
)
SECRETS = {"DR_MOREAU_PIN": "471100"}
UNTOLD = ("Moreau", "Noir", "Martin", "Veut", "33612345678", MOREAU, "471100", "DR_MOREAU_PIN", "639980077")


@pytest.fixture
def plans() -> Plans:
    plans = Plans()
    plans.plans[MOREAU] = replace(plans.plans[MOREAU], people={one.name: one for one in PEOPLE})
    return plans


@pytest.fixture
async def api(database: Database, plans: Plans, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that knows no token."""
    app = web(database, folder=tmp_path, gate=make_gate(), taking=Taking(plans, AtOnce(database)), secrets=SECRETS)
    async with serving(app) as base, plain_client(base_url=base) as client:
        yield client


async def sent(database: Database, contact: str, **values: Any) -> tuple[str, str]:
    """A confidential message that somebody was sent a link to: its id, and the link's token."""
    message = await take(database, text=TEXT, urgent=True)
    await stand(database, message, "running", policy={"name": "doctors", "confidential": True})
    return message, await linked(database, await tell(database, message, contact=contact, **values), soon())


def proof_of(page: str) -> str:
    found = re.search(r'name="proof" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def test_by_a_pin(api: httpx.AsyncClient, database: Database) -> None:
    """Until it is given nothing is shown, done, or noted as viewed."""
    message, token = await sent(database, "doctor")

    cover = checked(await api.get(f"/m/{token}"))
    early = [
        checked(await api.post(f"/m/{token}/{path}", data=data), 403)
        for path in ("show", "acknowledge")
        for data in ({}, {"given": "mille"}, {"given": "12"}, {"proof": "x" * 43})
    ]
    code = checked(await api.post(f"/m/{token}/code"), 409)
    wrong = checked(await api.post(f"/m/{token}/show", data={"given": "471101"}), 403)
    assert await told(database, message) == ["code_refused doctor"]
    shown = checked(await api.post(f"/m/{token}/show", data={"given": " 47 11 00 "}))
    proof = proof_of(shown)
    again = checked(await api.post(f"/m/{token}/show", data={"proof": proof}))
    done = checked(await api.post(f"/m/{token}/acknowledge", data={"proof": proof}))

    for page in (cover, *early, code, wrong):
        for secret in (*UNTOLD, message):
            assert secret not in page
    assert f'action="{token}/show"' in cover
    assert (FRENCH.confidential in cover, FRENCH.pin in cover, FRENCH.send_code in cover) == (True, True, False)
    assert FRENCH.wrong.format(left=4) in wrong
    assert "Veut &lt;script&gt;" in shown
    assert again == shown
    assert "Vous avez pris ce message en charge" in done
    assert await told(database, message) == [
        "code_refused doctor",
        "code_accepted doctor",
        "viewed doctor",
        "acknowledged doctor",
    ]


async def test_five_wrong_ones_close_the_link_and_it_stands_on_the_board(
    api: httpx.AsyncClient, database: Database
) -> None:
    """Twelve come at once: five are looked at."""
    message, token = await sent(database, "doctor")

    answers = await asyncio.gather(
        *(api.post(f"/m/{token}/show", data={"given": f"{number:04}"}) for number in range(12))
    )
    late = [
        checked(await api.post(f"/m/{token}/show", data={"given": "471100"}), 410),
        checked(await api.get(f"/m/{token}"), 410),
    ]
    board = await list_board(database, now=datetime.now(UTC))

    assert sorted(one.status_code for one in answers) == [403] * 4 + [410] * 8
    assert all(ENGLISH.closed_title in page for page in late)
    assert await told(database, message) == [*["code_refused doctor"] * 5, "link_closed doctor"]
    (entry,) = board.entries
    assert (entry.dispatch.message_id, entry.why) == (message, (Why.CLOSED,))
    assert sum((await count_board(database, datetime.now(UTC))).attention.values()) == 1
    assert entry.because == "A link to it was closed, after too many wrong PINs or codes (doctor)."


async def test_by_a_code_that_comes_by_the_other_way(api: httpx.AsyncClient, database: Database) -> None:
    """By SMS where the link came by mail; three an hour."""
    message, token = await sent(database, "partner")

    cover = checked(await api.get(f"/m/{token}"))
    none = checked(await api.post(f"/m/{token}/show", data={"given": "123456"}), 403)
    asked = [await api.post(f"/m/{token}/code") for _ in range(4)]
    ids = await rows(database, "SELECT delivery_id, means, address FROM deliveries WHERE kind = 'code'")
    async with database.connection() as connection:
        code = update(delivery_codes).where(delivery_codes.c.delivery_id == ids[0][0])
        await connection.execute(code.values(code_hash=hash_of_code(ids[0][0], "012345"), expires_at=soon()))
    shown = checked(await api.post(f"/m/{token}/show", data={"given": "012345"}))

    assert (ENGLISH.send_code in cover, "by SMS" in cover, 'autocomplete="one-time-code"' in cover) == (True,) * 3
    assert ENGLISH.no_code in none
    assert [one.status_code for one in asked] == [200, 200, 200, 429]
    assert ENGLISH.code_sent.format(means="by SMS", end="…77") in asked[0].text
    assert ENGLISH.too_many_codes in asked[3].text
    assert {(means, address) for _, means, address in ids} == {("sms", "sms:+33639980077")}
    for page in (cover, none, *(checked(one, one.status_code) for one in asked)):
        for secret in (*UNTOLD, message):
            assert secret not in page
    assert "Veut &lt;script&gt;" in shown


async def test_by_mail_where_the_link_came_by_sms(api: httpx.AsyncClient, database: Database) -> None:
    _, token = await sent(database, "partner", means="sms", address="sms:+33639980077")

    asked = checked(await api.post(f"/m/{token}/code"))

    assert ENGLISH.code_sent.format(means="by e-mail", end="n…@example.org") in asked
    assert await rows(database, "SELECT address FROM deliveries WHERE kind = 'code'") == [("mailto:noir@example.org",)]


async def test_a_pin_that_is_not_set_leaves_a_code(api: httpx.AsyncClient, database: Database) -> None:
    """It is the operator's to mend, and nobody stands before a closed door for it who can be sent one."""
    _, token = await sent(database, "unset")

    assert ENGLISH.send_code in checked(await api.get(f"/m/{token}"))


@pytest.mark.parametrize("contact", ["box", "gone"])
async def test_who_can_prove_nothing_is_shown_nothing(api: httpx.AsyncClient, database: Database, contact: str) -> None:
    """No PIN, no second way; or a contact that the client's file has no more."""
    message, token = await sent(database, contact)

    answers = [
        await api.get(f"/m/{token}"),
        await api.post(f"/m/{token}/show", data={"given": "123456"}),
        await api.post(f"/m/{token}/acknowledge"),
        await api.post(f"/m/{token}/code"),
    ]

    for one in answers:
        assert (one.status_code, "Veut" in one.text) == (403, False)
    assert await told(database, message) == []


async def test_without_the_clients_plan_nothing_is_shown(
    api: httpx.AsyncClient, database: Database, plans: Plans
) -> None:
    """It says who may be asked for what."""
    _, token = await sent(database, "doctor")
    plans.are_known = False

    checked(await api.get(f"/m/{token}"), 503)
    checked(await api.post(f"/m/{token}/show", data={"given": "471100"}), 503)


async def test_the_sound_is_behind_it_too(api: httpx.AsyncClient, database: Database, tmp_path: Path) -> None:
    """The page's own address of it leads there, and no other."""
    call = message_left("7")
    writer = Writer(database)
    assert await writer.write([call]) == []
    writer.close()
    ((message, name),) = await rows(database, "SELECT message_id, recording FROM messages")
    await stand(database, message, "running", policy={"name": "doctors", "confidential": True})
    token = await linked(database, await tell(database, message, contact="doctor"), soon())
    path = tmp_path / f"{name}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\0\0" * 8000)

    shown = checked(await api.post(f"/m/{token}/show", data={"given": "471100"}))
    source = re.search(r'src="(recording[?]proof=[^"]+)"', shown)
    assert source is not None
    heard = await api.get(f"/m/{token}/{source[1]}")
    unproved = [await api.get(f"/m/{token}/recording{query}") for query in ("", "?proof=", "?proof=abc")]

    assert (heard.status_code, heard.headers["content-type"]) == (200, "audio/wav")
    assert [one.status_code for one in unproved] == [404] * 3


@pytest.mark.parametrize(
    "body", [b"\xff" * 100, b"given=%ff%fe", b"&" * 5000, b"given=" + b"1" * 60_000, b"proof=\x00"]
)
async def test_whatever_is_posted(api: httpx.AsyncClient, database: Database, body: bytes) -> None:
    """It is no try, and no fault of ours."""
    message, token = await sent(database, "doctor")
    headers = {"content-type": "application/x-www-form-urlencoded"}

    for path in ("show", "acknowledge"):
        checked(await api.post(f"/m/{token}/{path}", content=body, headers=headers), 403)
    assert await told(database, message) == []

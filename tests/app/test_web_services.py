"""The ways to tell somebody of something, made by the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from callrouter.app.web_services import channels_of, guard_of, sender_of, tools_of
from callrouter.delivery.servers import MailServer, Security, SmsGateway
from callrouter.settings import Settings, load_settings


def settings_of(monkeypatch: pytest.MonkeyPatch, **given: str) -> Settings:
    for name, value in given.items():
        monkeypatch.setenv(f"CALLROUTER_{name}", value)
    return load_settings(Path("no.env"))


async def test_each_way_works_by_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(
        monkeypatch,
        OUTGOING_HOSTS="sms.example,crm.example",
        SMTP_URL="smtp+starttls://answering:p%40ss@mail.example",
        MAIL_FROM="messages@answering.example",
        SMS_URL="https://sms.example/v1",
        SMS_SECRET="the-token",
        SMS_SENDER="Answering",
    )
    http = guard_of(settings, {})
    tools = tools_of(settings, {"CRM": "x"}, http)
    channels = channels_of(settings, {}, http)

    assert tools.mail == MailServer(
        host="mail.example",
        port=587,
        security=Security.STARTTLS,
        user="answering",
        password="p@ss",
        sender="messages@answering.example",
    )
    assert tools.sms == SmsGateway(url="https://sms.example/v1", secret="the-token", sender="Answering")
    for address in ("mailto:a@clinic.example", "sms:+33612340001", "https://crm.example/"):
        assert channels.check(address) is None
    assert sender_of(settings) == ("messages@answering.example", "answering.example")
    assert not {"p@ss", "the-token"} & set(repr(tools).replace("'", " ").split())
    await channels.close()


async def test_without_them_each_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(monkeypatch)
    channels = channels_of(settings, {}, guard_of(settings, {}))

    assert channels.check("mailto:a@clinic.example") == "no mail server is set: CALLROUTER_SMTP_URL"
    assert channels.check("sms:+33612340001") == "no SMS gateway is set: CALLROUTER_SMS_URL"
    assert "CALLROUTER_OUTGOING_HOSTS" in (channels.check("https://crm.example/") or "")
    assert sender_of(settings) == ("", "localhost")
    await channels.close()

"""What stands between a document and somebody's web service, on a real HTTP server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from callrouter.core.effects import HttpRequest
from callrouter.errors import RequestFailed, RequestForbidden, RequestRefused
from callrouter.runtime.guarded_http import GuardedHttp
from tests.runtime.web_service import web_service


async def test_only_hosts_that_are_allowed() -> None:
    """By name and port; what looks alike is another host."""
    async with web_service() as service:
        http = GuardedHttp(["crm.example", "*.firm.example", service.host], {})
        for url in (
            "http://crm.example.evil.org/",
            "http://firm.example/",
            "http://crm.example@evil.org/",
            "http://127.0.0.1:1/",
            "http://[::1]/",
            "file:///etc/passwd",
            f"http://localhost:{service.port}/",
        ):
            with pytest.raises(RequestForbidden) as forbidden:
                await http.send(HttpRequest(method="GET", url=url), 1.0)
            assert http.why_forbidden(url) == str(forbidden.value)
        assert b'"customer"' in await http.send(HttpRequest(method="GET", url=service.url("good")), 1.0)
        assert http.why_forbidden(service.url("good")) is None
        with pytest.raises(RequestFailed, match="cannot be asked"):
            await http.send(HttpRequest(method="GET", url="http://a.b.firm.example/"), 1.0)
        await http.close()


async def test_secrets_are_sent_and_never_told() -> None:
    """By name, from the environment; one that is not set is named, and cookies are not kept."""
    async with web_service() as service:
        http = GuardedHttp([service.host], {"CRM": "s3cret"})
        headers = (("Authorization", "env:CRM"),)
        for _ in range(2):
            await http.send(
                HttpRequest(method="POST", url=service.url("good"), headers=headers, body='{"a": "é"}'), 1.0
            )
        with pytest.raises(RequestForbidden, match="CALLROUTER_SECRET_ERP is not set"):
            await http.send(HttpRequest(method="GET", url=service.url("good"), headers=(("X-Key", "env:ERP"),)), 1.0)
        await http.close()

    assert len(service.asked) == 2
    assert all(b"Authorization: s3cret\r\n" in asked for asked in service.asked)
    assert service.asked[0].endswith('{"a": "é"}'.encode())
    assert b"ookie" not in service.asked[1]


def test_an_address_is_counted_by_the_entry_that_allows_it() -> None:
    """By its place: no document can make more figures than the list has entries, and no figure names a host."""
    http = GuardedHttp(["*.crm.example", "a.example:8443"], {})
    for url, service in (
        ("https://b.crm.example/x", "1"),
        ("https://a.example:8443/", "2"),
        ("https://a.example/", "other"),
        ("no address", "other"),
    ):
        assert http.allowed_as(url) == service


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("", 0.0),
        ("120", 120.0),
        ("an hour from now", 3600.0),
        ("an hour ago", 0.0),
        ("-5", 0.0),
        ("soon", 0.0),
        ("9" * 200, 0.0),
    ],
)
async def test_a_service_may_say_when_to_ask_again(said: str, seconds: float) -> None:
    """In seconds or as an instant; what is neither is as if nothing was said."""
    hour, now = timedelta(hours=1), datetime.now(UTC)
    instants = {"an hour from now": now + hour, "an hour ago": now - hour}
    async with web_service() as service:
        service.retry_after = format_datetime(instants[said], usegmt=True) if said in instants else said
        http = GuardedHttp([service.host], {})
        with pytest.raises(RequestRefused) as refused:
            await http.send(HttpRequest(method="GET", url=service.url("busy")), 1.0)
        await http.close()

    assert refused.value.status == 503
    assert refused.value.retry_after_seconds == pytest.approx(seconds, abs=30)


async def test_whether_a_request_that_failed_may_have_arrived() -> None:
    """It has not where nobody listens; it may have wherever a connection was made."""
    found = {}
    async with web_service() as service:
        http = GuardedHttp([service.host, "127.0.0.1:1"], {})
        for how in ("slow", "hang-up", "garbage", "huge", "http://127.0.0.1:1/"):
            url = how if "//" in how else service.url(how)
            with pytest.raises(RequestFailed) as failed:
                await http.send(HttpRequest(method="GET", url=url), 1.0)
            found[how] = failed.value.may_have_arrived
        with pytest.raises(RequestForbidden) as forbidden:
            await http.send(HttpRequest(method="GET", url="https://elsewhere.example/"), 1.0)
        await http.close()

    assert found.pop("http://127.0.0.1:1/") is False
    assert set(found.values()) == {True}
    assert not forbidden.value.may_have_arrived

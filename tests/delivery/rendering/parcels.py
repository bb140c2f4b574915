"""What somebody may be told: one example, and whatever Hypothesis thinks of."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
from hypothesis import strategies as st

from callrouter.core.dispatch import Means
from callrouter.delivery.parcel import Attachment, Parcel, Told
from callrouter.delivery.rendering import body_of

SENDER, DOMAIN = "messages@answering.example", "answering.example"
LINK = "https://calls.example/m/" + "Tk_-" * 10 + "abc"
TOLD = Told(
    message_id="m1",
    taken_at=datetime(2026, 11, 30, 13, 5, 9, 123456, tzinfo=UTC),
    urgent=False,
    caller_number="+33612340001",
    caller_name="Jeanne Martin",
    text="Forte fièvre <38,5>.\nRappelez vite.",
    fields=(("Date of birth", "1950-04-05"),),
    recording=None,
    seconds=0.0,
    link=LINK,
)
PARCEL = Parcel(
    delivery_id="8b0f2f5e-3c1b-4d7c-9a55-0f6f4c1f7f10",
    client="cabinet-moreau",
    client_name="Cabinet du Dr Moreau",
    timezone="Europe/Paris",
    language="en",
    contact="doctor",
    contact_title="Dr Moreau",
    kind="message",
    messages=(TOLD,),
    confidential=False,
)
NOTICE = msgspec.structs.replace(
    PARCEL, kind="notice", acknowledged_by="Dr Petit", acknowledged_at=datetime(2026, 11, 30, 13, 9, tzinfo=UTC)
)
SECRETS = ("Jeanne", "Martin", "612340001", "06 12 34 00 01", "fièvre", "fievre", "1950", "Date of birth", "Rappelez")
"""What nobody may read of it when it is confidential."""


def parcel(*messages: Told, **changes: object) -> Parcel:
    """The example, with other messages, or otherwise changed."""
    return msgspec.structs.replace(PARCEL, **({"messages": messages} if messages else {}), **changes)


def told(**changes: object) -> Told:
    """Its message, changed."""
    return msgspec.structs.replace(TOLD, **changes)


def spoken(path: Path) -> Attachment:
    """A recording in that file."""
    return Attachment(name="m1.wav", content_type="audio/wav", path=path)


def written(means: Means, one: Parcel) -> str:
    """As it is sent."""
    return body_of(means, one, sender=SENDER, domain=DOMAIN)


_NASTY = (
    "\r\n", "\r", "\n", "\x00", "\x85", "\u2028", "\u202e", "\u2066", "\ud800", "\ufeff", "=?utf-8?q?x?=",
    "<b>", '"', "\\", ",", "-", "@", "(", ")", "é", "€", "^",
    "👩\u200d👧", "🇫🇷", "e\u0301", "مرحبا", "中", "%s", "{x}", ":", ";",
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.one_of(st.sampled_from(_NASTY), st.text("abc é", max_size=20)), max_size=30).map("".join),
    st.text("abcdefgh ", min_size=60, max_size=500),
)
"""Anything, also what no name is made of."""
LINKS = st.one_of(st.just(""), st.text("abcXYZ019_-", max_size=60).map(lambda end: f"https://calls.example/m/{end}"))
MESSAGES = st.builds(
    Told,
    message_id=st.just("m1"),
    taken_at=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    urgent=st.booleans(),
    caller_number=st.one_of(st.sampled_from(("", "+33612340001", "+12025550123", "3639", "anonymous")), TEXTS),
    caller_name=TEXTS,
    text=TEXTS,
    fields=st.lists(st.tuples(TEXTS, TEXTS), max_size=4).map(tuple),
    recording=st.none(),
    seconds=st.floats(0, 4000),
    transcript=TEXTS,
    transcript_by=TEXTS,
    link=LINKS,
)
PARCELS = st.builds(
    Parcel,
    delivery_id=st.one_of(st.uuids().map(str), st.text(min_size=1, max_size=40)),
    client=st.just("cabinet-moreau"),
    client_name=TEXTS,
    timezone=st.sampled_from(("Europe/Paris", "America/Guadeloupe", "UTC", "Asia/Kathmandu")),
    language=st.sampled_from(("fr", "en", "fr-CA", "tlh")),
    contact=st.just("doctor"),
    contact_title=TEXTS,
    kind=st.sampled_from(("message", "notice")),
    reply_code=st.sampled_from(("", "K7M3P")),
    messages=st.lists(MESSAGES, min_size=1, max_size=4).map(tuple),
    confidential=st.booleans(),
    acknowledged_by=TEXTS,
)

"""What mail says, part by part; each part as plain text and as HTML, so that the two cannot say different things."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import zip_longest
from typing import Final

from callrouter.delivery.parcel import Parcel, Told
from callrouter.delivery.rendering import people
from callrouter.delivery.rendering.recordings import Fate, Recording
from callrouter.delivery.rendering.words import Words, words_in, written_in

CODE_MINUTES: Final = 10
"""How long a code opens a message, as people are told it."""
_DIALLED: Final = re.compile(r"\+?[0-9]{2,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """One line."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A label, and what stands behind it."""

    label: str
    value: str
    colon: str
    number: str = ""
    """What a tap on the value calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Lines."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where something can be done, in words before it."""

    label: str
    url: str
    colon: str


Part = Heading | Pair | Paragraph | Link


def subject_of(parcel: Parcel) -> str:
    """One line: whose message it is, of whom, and whether it is urgent."""
    words, client = words_in(parcel.language), people.on_one_line(parcel.client_name)
    first, count = parcel.messages[0], len(parcel.messages)
    time = people.clock(first.taken_at, parcel.timezone)
    if parcel.kind == "code":
        return words.code_for.format(client=client, time=time)
    if parcel.kind == "notice":
        who = people.on_one_line(parcel.acknowledged_by) or words.who_unknown
        return words.taken_on.format(client=client, who=who, time=time)
    if parcel.confidential:
        said = (words.confidential if count == 1 else words.confidentials).format(client=client, count=count)
    elif count > 1:
        said = words.messages.format(client=client, count=count)
    else:
        caller = people.on_one_line(first.caller_name) or people.number(first.caller_number, parcel.timezone)
        said = (words.message_from if caller else words.message).format(client=client, caller=caller, time=time)
    return f"{words.urgent} – {said}" if any(one.urgent for one in parcel.messages) else said


def label_of_link(parcel: Parcel, words: Words) -> str:
    """What stands before a link."""
    return words.read_it if parcel.kind == "notice" else words.take_on


def parts_of(parcel: Parcel, recordings: Sequence[Recording]) -> Iterator[Part]:
    """All of it, from the first line on; `recordings` are those of its messages, in order."""
    words = words_in(parcel.language)
    yield Heading(text=subject_of(parcel))
    if title := people.on_one_line(parcel.contact_title):
        yield Paragraph(text=words.intended_for.format(title=title))
    if parcel.kind == "code":
        yield Pair(label=words.code, value=parcel.code, colon=words.colon)
        yield Paragraph(text=words.code_opens.format(minutes=CODE_MINUTES))
        yield Paragraph(text=words.code_for_nobody)
        return
    silent = parcel.confidential or parcel.kind == "notice"
    if parcel.confidential and parcel.kind == "message":
        yield Paragraph(text=words.nothing_of_it)
    for one, recording in zip_longest(parcel.messages, recordings):
        if not silent:
            yield from _said(one, recording, parcel.timezone, words)
        if one.link:
            yield Link(label=label_of_link(parcel, words), url=one.link, colon=words.colon)
    if parcel.kind == "notice":
        return
    if any(one.link for one in parcel.messages):
        yield Paragraph(text=f"{words.link_opens} {words.asks_code}" if parcel.confidential else words.link_opens)
    elif parcel.confidential:
        yield Paragraph(text=words.no_link)
    if parcel.reply_code:
        said = words.answer if len(parcel.messages) == 1 else words.answer_all
        yield Paragraph(text=said.format(code=parcel.reply_code))


def plain(parts: Iterable[Part]) -> str:
    """As text."""
    return "\n".join(_plain(parts)).strip("\n") + "\n"


def html(parts: Iterable[Part], language: str) -> str:
    """As a page: nothing that stands in it is fetched from anywhere."""
    body = "\n".join(map(_html, parts))
    lang = escape(written_in(language))
    return f'<!DOCTYPE html>\n<html lang="{lang}">\n<meta charset="utf-8">\n<body>\n{body}\n</body>\n</html>\n'


def _said(one: Told, recording: Recording | None, timezone: str, words: Words) -> Iterator[Part]:
    when = people.instant(one.taken_at, timezone, words)
    yield Heading(text=f"{when} – {words.urgent}" if one.urgent else when)
    number = people.number(one.caller_number, timezone) or words.withheld
    name = people.on_one_line(one.caller_name)
    dialled = one.caller_number if _DIALLED.fullmatch(one.caller_number) else ""
    if name:
        number = f"{name}, {number}"
    yield Pair(label=words.caller, value=number, number=dialled, colon=words.colon)
    for label, value in one.fields:
        yield Pair(label=people.on_one_line(label), value=people.on_lines(value), colon=words.colon)
    if text := people.on_lines(one.text):
        yield Paragraph(text=text)
    fates = {Fate.ATTACHED: words.attached, Fate.TOO_LARGE: words.too_large, Fate.GONE: words.gone}
    if recording is not None and recording.fate in fates:
        said = fates[recording.fate].format(duration=people.duration(one.seconds))
        yield Pair(label=words.recording, value=said, colon=words.colon)
    if transcript := people.on_lines(one.transcript):
        yield Pair(label=words.transcript, value=transcript, colon=words.colon)
        yield Paragraph(text=words.by_machine.format(machine=people.on_one_line(one.transcript_by)))


def _plain(parts: Iterable[Part]) -> Iterator[str]:
    before: Part | None = None
    for part in parts:
        if not (isinstance(part, Pair) and isinstance(before, Pair)):
            yield ""
        match part:
            case Heading(text=text):
                yield text
                yield "-" * min(len(text), 72)
            case Pair(label=label, value=value, colon=colon):
                yield f"{label}{colon}{value}".replace("\n", "\n    ")
            case Paragraph(text=text):
                yield text
            case Link(label=label, url=url, colon=colon):
                yield f"{label}{colon.rstrip()}\n{url}"
        before = part


def _html(part: Part) -> str:
    match part:
        case Heading(text=text):
            return f"<h3>{escape(text)}</h3>"
        case Pair(label=label, value=value, colon=colon, number=number):
            said = _lines(value)
            if number:
                said = f'<a href="tel:{escape(number)}">{said}</a>'
            return f"<p><b>{escape(label + colon)}</b>{said}</p>"
        case Paragraph(text=text):
            return f"<p>{_lines(text)}</p>"
        case Link(label=label, url=url, colon=colon):
            return f'<p><b>{escape(label + colon)}</b><br><a href="{escape(url)}">{escape(url)}</a></p>'


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>\n")

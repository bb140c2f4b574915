"""The text of an SMS: three parts at most, every link whole; what has no room is left out at the end of the words."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from callrouter.delivery.parcel import Parcel, Told
from callrouter.delivery.rendering import gsm, people
from callrouter.delivery.rendering.letter import label_of_link, subject_of
from callrouter.delivery.rendering.words import Words, words_in

MOST_PARTS: Final = 3
_CUT: Final = "..."
_LONGEST: Final = 800
"""Characters of the words that are looked at: three parts hold no more."""
_LONGEST_NAME: Final = 40


def of(parcel: Parcel) -> str:
    """All of it."""
    words = words_in(parcel.language)
    if parcel.kind == "code":
        return _code(parcel, words)
    head = subject_of(parcel)
    if len(parcel.messages) > 1 and parcel.kind == "message":
        return _several(head, parcel, words)
    [one, *_] = parcel.messages
    silent = parcel.confidential or parcel.kind == "notice"
    lines = [head] if silent else [head, *_said(one, parcel.timezone, words)]
    answer = _answer(parcel, words)
    if one.link:
        link = f"\n{_plainer(label_of_link(parcel, words) + words.colon)}{one.link}"
        return _fitted("\n".join(lines), f"{link}{answer}")
    if parcel.confidential and parcel.kind == "message":
        lines.append(words.no_link)
    return _fitted("\n".join(lines), answer)


def _answer(parcel: Parcel, words: Words) -> str:
    return f"\n{_plainer(words.answer_sms.format(code=parcel.reply_code))}" if parcel.reply_code else ""


def _code(parcel: Parcel, words: Words) -> str:
    client = "".join(gsm.clusters(people.on_one_line(parcel.client_name))[:_LONGEST_NAME])
    time = people.clock(parcel.messages[0].taken_at, parcel.timezone)
    return _plainer(f"{words.code_sms.format(client=client, code=parcel.code, time=time)} {words.code_for_nobody}")


def _several(head: str, parcel: Parcel, words: Words) -> str:
    """Each message in a line, as many as there is room for, and how many more there are."""
    count = len(parcel.messages)
    lines = [("" if parcel.confidential else _line(one, parcel.timezone, words), one.link) for one in parcel.messages]
    for shown in range(count, 0, -1):
        left = _left(count - shown, words) + _answer(parcel, words)
        text = _plainer(head) + "".join(f"\n{_plainer(said)} {link}".rstrip() for said, link in lines[:shown]) + left
        if gsm.parts(text) <= MOST_PARTS:
            return text
    said, link = lines[0]
    tail = f"\n{link}{_left(count - 1, words)}{_answer(parcel, words)}"
    return _fitted(f"{head}\n{said}", tail)


def _left(count: int, words: Words) -> str:
    return f"\n{_plainer(words.more.format(count=count))}" if count else ""


def _line(one: Told, timezone: str, words: Words) -> str:
    urgent = f"{words.urgent} " if one.urgent else ""
    name = "".join(gsm.clusters(people.on_one_line(one.caller_name))[:_LONGEST_NAME])
    number = people.number(one.caller_number, timezone) or words.withheld
    return f"{urgent}{people.day_and_clock(one.taken_at, timezone)} {name} {number}".replace("  ", " ")


def _said(one: Told, timezone: str, words: Words) -> Iterator[str]:
    """What there is beside the name, which the head says: the number first, without which nobody can be called."""
    yield people.number(one.caller_number, timezone) or words.withheld
    if text := people.on_one_line(one.text):
        yield text
    for label, value in one.fields:
        yield f"{people.on_one_line(label)}{words.colon}{people.on_one_line(value)}"
    if one.recording is not None:
        yield words.spoken.format(duration=people.duration(one.seconds))
    if transcript := people.on_one_line(one.transcript):
        yield f"({words.transcript_sms}) {transcript}"


def _fitted(said: str, tail: str) -> str:
    """The words, cut where they must be, and a tail that is never cut."""
    said = _plainer(said)
    if gsm.parts(said + tail) <= MOST_PARTS:
        return said + tail
    signs = gsm.clusters(said[:_LONGEST])

    def taken(count: int) -> str:
        return "".join(signs[:count]).rstrip() + _CUT + tail

    count = bisect_right(range(len(signs) + 1), MOST_PARTS, key=lambda many: gsm.parts(taken(many))) - 1
    return taken(count) if count > 0 else tail.strip()


def _plainer(text: str) -> str:
    """In the GSM alphabet, which has more room, if it can be."""
    plain = gsm.plainer(text)
    return text if plain is None else plain

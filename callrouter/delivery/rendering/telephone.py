"""What is said to somebody who is rung for a message. Of the message itself nothing before a key: see `Said`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from callrouter.delivery.parcel import Parcel, Told
from callrouter.delivery.rendering import people

LONGEST: Final = 3000
"""Characters of one message that are said: some four minutes."""


class Said(Struct, frozen=True, kw_only=True):
    """The sentences of one call."""

    language: str
    greeting: str
    """To whoever answers, a voicemail too: for whom it is, from whom, and a key."""
    message: str
    """After the key; the recording is played after it."""
    plays: bool
    """Whether the message's recording is."""
    pin: str
    """Before the message, where it is confidential and they have a PIN."""
    choice: str
    thanks: str
    taken: str
    """To who still listens when somebody else has taken the message on."""


class _Words(Struct, frozen=True, kw_only=True):
    greeting: str
    urgent: str
    caller: str
    withheld: str
    taken_at: str
    recording: str
    confidential: str
    pin: str
    choice: str
    thanks: str
    taken: str


_WORDS: Final[Mapping[str, _Words]] = {
    "en": _Words(
        greeting="Message for {title}, from {client}. To hear it, press 1.",
        urgent="Urgent.",
        caller="From {name}, {number}.",
        withheld="number withheld",
        taken_at="Taken at {clock}.",
        recording="The caller says:",
        confidential=(
            "This message is confidential, and is not read out. You find it behind the link that you were sent, "
            "and our agents have it."
        ),
        pin="This message is confidential. Enter your PIN, then the hash key.",
        choice="To take it on, press 1. To hear it again, press 2. If it is not for you, press 3.",
        thanks="Thank you. You have taken it on. Goodbye.",
        taken="Somebody has taken it on: there is nothing left to do. Goodbye.",
    ),
    "fr": _Words(
        greeting="Message pour {title}, de la part de {client}. Pour l'écouter, tapez 1.",
        urgent="Urgent.",
        caller="De {name}, {number}.",
        withheld="numéro masqué",
        taken_at="Pris à {clock}.",
        recording="L'appelant dit :",
        confidential=(
            "Ce message est confidentiel, et n'est pas lu. Vous le trouverez derrière le lien qui vous a été envoyé, "
            "ou auprès de nos agents."
        ),
        pin="Ce message est confidentiel. Saisissez votre code, puis dièse.",
        choice="Pour le prendre en charge, tapez 1. Pour le réécouter, tapez 2. S'il n'est pas pour vous, tapez 3.",
        thanks="Merci. Vous l'avez pris en charge. Au revoir.",
        taken="Quelqu'un l'a déjà pris en charge : il n'y a plus rien à faire. Au revoir.",
    ),
}
LANGUAGE: Final = "en"
"""Where nobody has translated it."""


def of(parcel: Parcel) -> Said:
    """All of it, for the one message of a parcel."""
    language = parcel.language if parcel.language in _WORDS else LANGUAGE
    words, [one, *_] = _WORDS[language], parcel.messages
    title, client = people.on_one_line(parcel.contact_title), people.on_one_line(parcel.client_name)
    return Said(
        language=language,
        greeting=words.greeting.format(title=title, client=client),
        message=words.confidential if parcel.confidential else _message(one, parcel.timezone, words),
        plays=one.recording is not None and not parcel.confidential,
        pin=words.pin,
        choice=words.choice,
        thanks=words.thanks,
        taken=words.taken,
    )


def _message(one: Told, timezone: str, words: _Words) -> str:
    return " ".join(_parts(one, timezone, words))[:LONGEST]


def _parts(one: Told, timezone: str, words: _Words) -> Iterator[str]:
    if one.urgent:
        yield words.urgent
    number = people.number(one.caller_number, timezone) or words.withheld
    name = people.on_one_line(one.caller_name)
    yield words.caller.format(name=name, number=number).replace("  ", " ").replace(" ,", "")
    yield words.taken_at.format(clock=people.clock(one.taken_at, timezone))
    if text := people.on_one_line(one.text):
        yield _sentence(text)
    for label, value in one.fields:
        yield _sentence(f"{people.on_one_line(label)}: {people.on_one_line(value)}")
    if one.recording is not None:
        yield words.recording


def _sentence(text: str) -> str:
    """With a pause after it."""
    return text if text[-1:] in ".!?" else f"{text}."

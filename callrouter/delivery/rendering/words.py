"""What is said to whoever is told of messages, by language. A new language is one more entry of WORDS, whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct


class Words(Struct, frozen=True, kw_only=True):
    """One language. What stands in braces is filled in; a text for one message, and where there are, for `count`."""

    weekdays: tuple[str, ...]
    """Monday first."""
    months: tuple[str, ...]
    instant: str
    urgent: str
    """Before a subject, and in an SMS."""
    colon: str
    """Between a label and its value."""
    message: str
    """Of `client`, taken at `time`."""
    message_from: str
    """The same, from `caller`."""
    messages: str
    confidential: str
    """Of `client`: one whose words stay in the house."""
    confidentials: str
    taken_on: str
    """Of `client`: `who` has taken on the message of `time`."""
    who_unknown: str
    """In the place of `who`."""
    intended_for: str
    caller: str
    """A label."""
    withheld: str
    """In the place of a number."""
    recording: str
    """A label."""
    attached: str
    """What is said of a recording of `duration`."""
    too_large: str
    gone: str
    spoken: str
    """In an SMS: there is a recording of `duration`."""
    transcript: str
    """A label: what a machine understood of a recording."""
    by_machine: str
    """That a machine wrote it, `machine`."""
    transcript_sms: str
    """In an SMS, before it."""
    nothing_of_it: str
    """Why a confidential message says nothing."""
    take_on: str
    """Before a link."""
    read_it: str
    """The same, where somebody else has taken the message on."""
    link_opens: str
    """What a link is for."""
    asks_code: str
    """Of a confidential message: that the page asks who they are."""
    no_link: str
    """Where there is none and nothing may be said: what to do."""
    more: str
    """In an SMS of several messages: so many have no room."""
    answer: str
    """Of mail: that `code` in an answer takes it on."""
    answer_all: str
    """The same, of several messages."""
    answer_sms: str
    """Of an SMS, for one message or more."""
    code_for: str
    """Of `client`: there is a code for the message of `time`."""
    code: str
    """A label."""
    code_opens: str
    """What it is for, and how long: `minutes`."""
    code_sms: str
    """All that an SMS says of `code`, of `client`, for the message of `time`."""
    code_for_nobody: str
    """That nobody else is to have it."""


WORDS: Final[Mapping[str, Words]] = {
    "en": Words(
        weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        months=(
            "January", "February", "March", "April", "May", "June",
            "July", "August", "September", "October", "November", "December",
        ),
        instant="{weekday} {day} {month} {year}, {time}",
        urgent="URGENT",
        colon=": ",
        message="{client}: message of {time}",
        message_from="{client}: message from {caller}, {time}",
        messages="{client}: {count} messages",
        confidential="{client}: a confidential message",
        confidentials="{client}: {count} confidential messages",
        taken_on="{client}: {who} has taken on the message of {time}",
        who_unknown="somebody else",
        intended_for="For {title}",
        caller="Caller",
        withheld="number withheld",
        recording="Recording",
        attached="{duration}, attached",
        too_large="{duration}, too large to be attached",
        gone="{duration}, no longer there",
        spoken="spoken message of {duration}",
        transcript="As a machine understood it",
        by_machine="Written by a machine ({machine}), which may be wrong: listen to the recording where it matters.",
        transcript_sms="by machine",
        nothing_of_it="Nothing of it is sent by this way.",
        take_on="Read it and take it on",
        read_it="Read it",
        link_opens="The link opens a page with a button. Opening it tells nobody anything: only the button says that "
        "you have taken the message on.",
        asks_code="It asks for your PIN first, or sends you a code.",
        no_link="Ask the answering service for it.",
        more="and {count} more",
        answer="Or answer this mail, with {code} alone in the first line: that takes the message on.",
        answer_all="Or answer this mail, with {code} alone in the first line: that takes all of them on.",
        answer_sms="Or answer {code} to take it on",
        code_for="{client}: your code for the message of {time}",
        code="Code",
        code_opens="It opens the message behind the link that you were sent, for {minutes} minutes.",
        code_sms="{client}: {code} is your code for the message of {time}.",
        code_for_nobody="Nobody of the answering service asks you for it.",
    ),
    "fr": Words(
        weekdays=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
        months=(
            "janvier", "février", "mars", "avril", "mai", "juin",
            "juillet", "août", "septembre", "octobre", "novembre", "décembre",
        ),
        instant="{weekday} {day} {month} {year}, {time}",
        urgent="URGENT",
        colon="\u00a0: ",
        message="{client}\u00a0: message de {time}",
        message_from="{client}\u00a0: message de {caller}, {time}",
        messages="{client}\u00a0: {count} messages",
        confidential="{client}\u00a0: un message confidentiel",
        confidentials="{client}\u00a0: {count} messages confidentiels",
        taken_on="{client}\u00a0: {who} a pris en charge le message de {time}",
        who_unknown="quelqu'un d'autre",
        intended_for="Pour {title}",
        caller="Appelant",
        withheld="numéro masqué",
        recording="Enregistrement",
        attached="{duration}, en pièce jointe",
        too_large="{duration}, trop volumineux pour être joint",
        gone="{duration}, n'existe plus",
        spoken="message vocal de {duration}",
        transcript="Transcrit par une machine",
        by_machine="Texte écrit par une machine ({machine}), qui peut se tromper\u00a0: en cas de doute, écoutez "
        "l'enregistrement.",
        transcript_sms="par une machine",
        nothing_of_it="Rien de son contenu n'est envoyé par cette voie.",
        take_on="Le lire et le prendre en charge",
        read_it="Le lire",
        link_opens="Le lien ouvre une page avec un bouton. L'ouvrir ne prévient personne\u00a0: seul le bouton indique "
        "que vous avez pris le message en charge.",
        asks_code="Elle demande d'abord votre code PIN, ou vous envoie un code.",
        no_link="Demandez-le au secrétariat téléphonique.",
        more="et {count} de plus",
        answer="Ou répondez à ce courriel avec {code} seul sur la première ligne\u00a0: c'est prendre le message en "
        "charge.",
        answer_all="Ou répondez à ce courriel avec {code} seul sur la première ligne\u00a0: c'est les prendre tous en "
        "charge.",
        answer_sms="Ou répondez {code} pour le prendre en charge",
        code_for="{client}\u00a0: votre code pour le message de {time}",
        code="Code",
        code_opens="Il ouvre le message derrière le lien que vous avez reçu, pendant {minutes} minutes.",
        code_sms="{client}\u00a0: {code} est votre code pour le message de {time}.",
        code_for_nobody="Personne du secrétariat ne vous le demandera.",
    ),
}  # fmt: skip
"""By language."""


def written_in(language: str) -> str:
    """In which language somebody is written to: theirs (`fr` of `fr-CA`), or English if nobody has translated it."""
    code = language.lower()
    return next((one for one in (code, code.partition("-")[0]) if one in WORDS), "en")


def words_in(language: str) -> Words:
    """Those that somebody of a language is written to in."""
    return WORDS[written_in(language)]

"""What callers are told while they wait in a line, by language: whole sentences, because no language is put together of
the words of another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from callrouter.core.waiting.announcing import MOST_MINUTES, MOST_PLACES
from callrouter.dialplan.language.own_texts import OwnText

NEXT: Final = OwnText(
    name="standard_position_next",
    meaning="says to a caller who waits that they are the next one",
    words={
        "en": "You are the next caller in line.",
        "fr": "Vous êtes la prochaine personne à qui nous répondrons.",
        "de": "Sie sind als Nächstes an der Reihe.",
        "es": "Usted es la próxima persona en ser atendida.",
        "it": "Lei è la prossima persona a cui risponderemo.",
        "nl": "U bent als volgende aan de beurt.",
        "pt": "É a próxima pessoa a ser atendida.",
    },
)
PLACE: Final = OwnText(
    name="standard_position",
    meaning="says to a caller who waits what their position is; {count} is the number",
    words={
        "en": "You are number {count} in line.",
        "fr": "Vous êtes en position {count} dans la file d'attente.",
        "de": "Sie haben Platz {count} in der Warteschlange.",
        "es": "Ocupa la posición {count} en la cola.",
        "it": "Lei è in posizione {count} nella coda.",
        "nl": "U bent nummer {count} in de wachtrij.",
        "pt": "Está na posição {count} da fila de espera.",
    },
)
FURTHER_BACK: Final = OwnText(
    name="standard_position_further",
    meaning="says to a caller who waits that there are at least {count} before them",
    words={
        "en": "There are at least {count} callers before you.",
        "fr": "Il y a au moins {count} personnes avant vous.",
        "de": "Vor Ihnen warten mindestens {count} weitere Anrufer.",
        "es": "Hay al menos {count} personas antes que usted.",
        "it": "Ci sono almeno {count} persone prima di lei.",
        "nl": "Er zijn minstens {count} wachtenden voor u.",
        "pt": "Há pelo menos {count} pessoas à sua frente.",
    },
)
SOON: Final = OwnText(
    name="standard_wait_short",
    meaning="says to a caller who waits that it should take less than a minute",
    words={
        "en": "We should answer you in less than one minute.",
        "fr": "Nous devrions vous répondre dans moins d'une minute.",
        "de": "Wir werden Ihren Anruf voraussichtlich in weniger als einer Minute annehmen.",
        "es": "Deberíamos atenderle en menos de un minuto.",
        "it": "Dovremmo risponderle in meno di un minuto.",
        "nl": "Wij verwachten u binnen een minuut te woord te staan.",
        "pt": "Devemos atendê-lo em menos de um minuto.",
    },
)
MINUTES: Final = OwnText(
    name="standard_wait",
    meaning="says to a caller who waits how many minutes it should take at most; {count} is 2 or more",
    words={
        "en": "We should answer you in less than {count} minutes.",
        "fr": "Nous devrions vous répondre dans moins de {count} minutes.",
        "de": "Wir werden Ihren Anruf voraussichtlich in weniger als {count} Minuten annehmen.",
        "es": "Deberíamos atenderle en menos de {count} minutos.",
        "it": "Dovremmo risponderle in meno di {count} minuti.",
        "nl": "Wij verwachten u binnen {count} minuten te woord te staan.",
        "pt": "Devemos atendê-lo em menos de {count} minutos.",
    },
)
LONGER: Final = OwnText(
    name="standard_wait_long",
    meaning="says to a caller who waits that it may take more than {count} minutes",
    words={
        "en": "It may take more than {count} minutes.",
        "fr": "L'attente pourrait dépasser {count} minutes.",
        "de": "Es kann länger als {count} Minuten dauern.",
        "es": "La espera puede superar los {count} minutos.",
        "it": "L'attesa potrebbe superare i {count} minuti.",
        "nl": "Het kan langer dan {count} minuten duren.",
        "pt": "A espera pode ultrapassar {count} minutos.",
    },
)

WAITING_TEXTS: Final = (NEXT, PLACE, FURTHER_BACK, SOON, MINUTES, LONGER)


def by_place() -> Iterator[tuple[OwnText, int]]:
    """The sentence for each place from 1, then that for all further back, each with its number."""
    yield NEXT, 1
    yield from ((PLACE, place) for place in range(2, MOST_PLACES + 1))
    yield FURTHER_BACK, MOST_PLACES


def by_minutes() -> Iterator[tuple[OwnText, int]]:
    """The sentence for each number of minutes from 1, then that for all that is longer, each with its number."""
    yield SOON, 1
    yield from ((MINUTES, minutes) for minutes in range(2, MOST_MINUTES + 1))
    yield LONGER, MOST_MINUTES

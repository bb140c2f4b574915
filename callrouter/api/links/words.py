"""What the pages say, by language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One language's."""

    language: str
    title: str
    waiting: str
    """That there is a message, and nothing of it."""
    press: str
    show: str
    message_for: str
    """Whose caller it is: `{client}`."""
    urgent: str
    taken: str
    """When: `{at}`."""
    caller: str
    number: str
    says: str
    listen: str
    silent: str
    """Its sound is there no more."""
    take_on: str
    """The button."""
    what_it_means: str
    """Of the button."""
    yours: str
    """They took it on: `{at}`."""
    taken_on: str
    """Somebody else did: `{who}`, `{at}`."""
    us: str
    """Who that is, where it was nobody of the client's."""
    when: str
    """How an instant is written, for strftime."""
    ended_title: str
    ended: str
    unknown_title: str
    unknown: str
    away_title: str
    away: str
    failed_title: str
    failed: str


ENGLISH: Final = Words(
    language="en",
    title="Message",
    waiting="There is a message for you.",
    press="It is shown when you press the button.",
    show="Show it",
    message_for="Message for {client}",
    urgent="Urgent",
    taken="Taken on {at}",
    caller="From",
    number="Telephone",
    says="Message",
    listen="Recording",
    silent="The recording cannot be heard any more.",
    take_on="I take it on",
    what_it_means="Press it if you see to this message. Nobody else is then told of it.",
    yours="You took this message on: {at}.",
    taken_on="This message was taken on by {who}: {at}.",
    us="the answering service",
    when="%Y-%m-%d %H:%M",
    ended_title="This link has ended",
    ended="The message is not shown by it any more. If you still need it, call the answering service.",
    unknown_title="There is no such link",
    unknown="Was it copied as a whole? Open it once more from the message that you were sent.",
    away_title="Try again in a minute",
    away="The message cannot be shown at the moment. Nothing is lost, and nothing was done.",
    failed_title="Something went wrong",
    failed="The message cannot be shown. Try again; if that does not help, call the answering service.",
)
FRENCH: Final = Words(
    language="fr",
    title="Message",
    waiting="Un message vous attend.",
    press="Il s’affiche quand vous appuyez sur le bouton.",
    show="Afficher",
    message_for="Message pour {client}",
    urgent="Urgent",
    taken="Pris le {at}",
    caller="De la part de",
    number="Téléphone",
    says="Message",
    listen="Enregistrement",
    silent="L’enregistrement ne peut plus être écouté.",
    take_on="Je m’en charge",
    what_it_means="Appuyez si vous vous chargez de ce message. Plus personne d’autre n’est alors prévenu.",
    yours="Vous avez pris ce message en charge : {at}.",
    taken_on="Ce message est déjà pris en charge par {who} : {at}.",
    us="le secrétariat",
    when="%d/%m/%Y à %H:%M",
    ended_title="Ce lien a expiré",
    ended="Il n’affiche plus le message. Si vous en avez encore besoin, appelez le secrétariat.",
    unknown_title="Ce lien n’existe pas",
    unknown="A-t-il été copié en entier ? Ouvrez-le de nouveau depuis le message reçu.",
    away_title="Réessayez dans une minute",
    away="Le message ne peut pas être affiché pour le moment. Rien n’est perdu, et rien n’a été fait.",
    failed_title="Un problème est survenu",
    failed="Le message ne peut pas être affiché. Réessayez ; si rien ne change, appelez le secrétariat.",
)
WORDS: Final = {one.language: one for one in (ENGLISH, FRENCH)}

_ACCEPTED: Final = re.compile(r"([a-z]{2,3})(?:-[a-z0-9-]*)?\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?))?", re.IGNORECASE)
_MOST_ACCEPTED: Final = 20
_LONGEST: Final = 60
"""Characters of one of them."""


def words_for(*, own: str = "", accepted: Iterable[str] = (), clients: str = "") -> Words:
    """The words of a page: in their own language, where the client's file says which it is; else in what their browser
    asks for (`Accept-Language`); else in the client's.
    """
    for language in (own, *_preferred(accepted), clients):
        found = WORDS.get(language.partition("-")[0].lower())
        if found is not None:
            return found
    return ENGLISH


def written(words: Words, at: datetime) -> str:
    """An instant of a zone, for a person."""
    return at.strftime(words.when)


def _preferred(accepted: Iterable[str]) -> list[str]:
    """Languages, those that are wanted most first."""
    parts = [part.strip() for part in ",".join(accepted).split(",", _MOST_ACCEPTED)[:_MOST_ACCEPTED]]
    found = [match for part in parts if len(part) <= _LONGEST and (match := _ACCEPTED.fullmatch(part))]
    weighed = [(float(match[2] or 1.0), match[1].lower()) for match in found]
    return [language for weight, language in sorted(weighed, key=lambda one: -one[0]) if weight > 0]

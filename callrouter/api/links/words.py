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
    confidential: str
    """That there is a confidential message, and nothing of it."""
    pin: str
    """A label."""
    pin_hint: str
    code: str
    """A label."""
    code_hint: str
    """Where a code can be had: `{means}`."""
    send_code: str
    """The button."""
    by_sms: str
    by_mail: str
    code_sent: str
    """`{means}`, and the end of the number or address, `{end}`."""
    wrong: str
    """So many tries are left: `{left}`."""
    once_more: str
    """It was given too long ago, or elsewhere."""
    no_code: str
    """None would be right."""
    too_many_codes: str
    closed_title: str
    closed: str
    no_way_title: str
    no_way: str
    """Neither PIN nor code can be given."""
    transcript: str
    by_machine: str
    """Of a transcript: `{machine}`."""


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
    confidential="There is a confidential message for you.",
    pin="Your PIN",
    pin_hint="The digits that you have agreed on with the answering service.",
    code="The code that you were sent",
    code_hint="First have the code sent to you: it comes {means}.",
    send_code="Send me the code",
    by_sms="by SMS",
    by_mail="by e-mail",
    code_sent="The code is on its way {means}, to {end}. It is valid for 10 minutes.",
    wrong="That is not right. Tries left: {left}.",
    once_more="Please give it once more.",
    no_code="There is no code that is valid now: have one sent to you.",
    too_many_codes="Three codes were sent within the hour. Use the last one, or try again later.",
    closed_title="This link is closed",
    closed="What was given was wrong too often. Call the answering service: it can send you the message again.",
    no_way_title="The message cannot be opened here",
    no_way="No PIN of yours is set up, and no second way to send you a code. Call the answering service.",
    transcript="As a machine understood the recording",
    by_machine="Written by a machine ({machine}): listen to the recording where it matters.",
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
    confidential="Un message confidentiel vous attend.",
    pin="Votre code PIN",
    pin_hint="Les chiffres convenus avec le secrétariat.",
    code="Le code que vous avez reçu",
    code_hint="Faites-vous d’abord envoyer le code : il arrive {means}.",
    send_code="M’envoyer le code",
    by_sms="par SMS",
    by_mail="par courriel",
    code_sent="Le code part {means}, vers {end}. Il est valable 10 minutes.",
    wrong="Ce n’est pas cela. Essais restants : {left}.",
    once_more="Merci de le saisir encore une fois.",
    no_code="Aucun code n’est valable en ce moment : faites-vous en envoyer un.",
    too_many_codes="Trois codes ont été envoyés en une heure. Utilisez le dernier, ou réessayez plus tard.",
    closed_title="Ce lien est fermé",
    closed="Trop d’essais étaient faux. Appelez le secrétariat : il peut vous renvoyer le message.",
    no_way_title="Le message ne peut pas être ouvert ici",
    no_way="Aucun code PIN n’est prévu pour vous, ni un second moyen de vous envoyer un code. Appelez le secrétariat.",
    transcript="L’enregistrement, transcrit par une machine",
    by_machine="Texte écrit par une machine ({machine}) : en cas de doute, écoutez l’enregistrement.",
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

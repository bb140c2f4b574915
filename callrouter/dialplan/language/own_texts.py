"""The few sentences callrouter says by itself, by language: what a client's document need not write."""

from __future__ import annotations

LANGUAGES = ("en", "fr")
"""Languages a client may have: those every sentence below exists in."""

ACCEPT = {
    "en": "A call for {name}. To accept it, press 1.",
    "fr": "Appel pour : {name}. Pour l'accepter, tapez 1.",
}
"""To somebody of the client's who is rung with `screen: true`."""

FALLBACK_BYE = {
    "en": "We are sorry, we cannot take your call right now. Please call again later.",
    "fr": "Nous sommes désolés, nous ne pouvons pas prendre votre appel pour le moment. Merci de rappeler plus tard.",
}
"""To a caller nobody could answer after something failed."""

UNKNOWN_NUMBER = {
    "fr": "Le numéro que vous avez composé n'est pas attribué. Merci de vérifier votre numéro.",
    "en": "The number you have dialled is not in service. Please check the number.",
}
"""To a caller of a number no client has, one language after the other."""

CALLBACK_NUMBER = {
    "en": "We can call you back at the following number.",
    "fr": "Nous pouvons vous rappeler au numéro suivant.",
}
"""Before the number a caller is to be called back at, which is read digit by digit."""

CALLBACK_CHOICES = {
    "en": "To be called back at this number, press 1. To give another number, press 2. Otherwise, press 3.",
    "fr": "Pour être rappelé à ce numéro, tapez 1. Pour donner un autre numéro, tapez 2. Sinon, tapez 3.",
}
"""After the number."""

CALLBACK_ASK = {
    "en": "Please enter the number we should call, then press the hash key. If you do not want a call, press star.",
    "fr": "Composez le numéro auquel vous rappeler, puis dièse. Si vous ne souhaitez pas être rappelé, tapez étoile.",
}
"""To a caller whose number is not known, or who wants to be called at another one."""

"""The few sentences callrouter says by itself, by language: what a client's document need not write.

`shared/prompts.yaml` may hold each of them under its name, for a language that has none here, or in other words.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class OwnText(Struct, frozen=True, kw_only=True):
    """A sentence in every language it has been translated into."""

    name: str
    """Under which `shared/prompts.yaml` may hold it."""
    meaning: str
    """What it is there for, for a person."""
    words: Mapping[str, str]
    """By language."""

    def said(self, language: str, *, name: str = "") -> str | None:
        """The sentence; `name` is the client's. None: nobody has translated it."""
        words = self.words.get(language)
        return None if words is None else words.replace("{name}", name)


def counted(words: str, count: int) -> str:
    """A sentence with its number in place of `{count}`."""
    return words.replace("{count}", str(count))


ACCEPT = OwnText(
    name="standard_accept",
    meaning="asks somebody who is rung to accept the call",
    words={
        "en": "A call for {name}. To accept it, press 1.",
        "fr": "Appel pour : {name}. Pour l'accepter, tapez 1.",
        "de": "Ein Anruf für {name}. Um ihn anzunehmen, drücken Sie die 1.",
        "es": "Llamada para {name}. Para aceptarla, pulse 1.",
        "it": "Chiamata per {name}. Per accettarla, prema 1.",
        "nl": "Een oproep voor {name}. Druk op 1 om aan te nemen.",
        "pt": "Chamada para {name}. Para aceitar, prima 1.",
    },
)
"""To somebody of the client's who is rung with `screen: true`."""

FALLBACK_BYE = OwnText(
    name="standard_goodbye",
    meaning="says good-bye where nobody could take the call",
    words={
        "en": "We are sorry, we cannot take your call right now. Please call again later.",
        "fr": (
            "Nous sommes désolés, nous ne pouvons pas prendre votre appel pour le moment. Merci de rappeler plus tard."
        ),
        "de": "Es tut uns leid, wir können Ihren Anruf im Moment nicht annehmen. Bitte rufen Sie später wieder an.",
        "es": "Lo sentimos, no podemos atender su llamada en este momento. Por favor, llame más tarde.",
        "it": "Siamo spiacenti, al momento non possiamo rispondere. La preghiamo di richiamare più tardi.",
        "nl": "Het spijt ons, we kunnen uw oproep nu niet beantwoorden. Belt u later nog eens.",
        "pt": "Lamentamos, não podemos atender a sua chamada neste momento. Por favor, ligue mais tarde.",
    },
)
"""To a caller nobody could answer after something failed."""

UNKNOWN_NUMBER = {
    "fr": "Le numéro que vous avez composé n'est pas attribué. Merci de vérifier votre numéro.",
    "en": "The number you have dialled is not in service. Please check the number.",
}
"""To a caller of a number no client has, one language after the other."""

CALLBACK_NUMBER = OwnText(
    name="standard_callback_number",
    meaning="stands before the number a caller is to be called back at",
    words={
        "en": "We can call you back at the following number.",
        "fr": "Nous pouvons vous rappeler au numéro suivant.",
        "de": "Wir können Sie unter der folgenden Nummer zurückrufen.",
        "es": "Podemos devolverle la llamada al siguiente número.",
        "it": "Possiamo richiamarla al seguente numero.",
        "nl": "We kunnen u terugbellen op het volgende nummer.",
        "pt": "Podemos ligar-lhe de volta para o seguinte número.",
    },
)
"""Before the number a caller is to be called back at, which is read as a telephone number."""

CALLBACK_CHOICES = OwnText(
    name="standard_callback_choices",
    meaning="asks whether to call back there: 1 yes, 2 another number, 3 no",
    words={
        "en": "To be called back at this number, press 1. To give another number, press 2. Otherwise, press 3.",
        "fr": "Pour être rappelé à ce numéro, tapez 1. Pour donner un autre numéro, tapez 2. Sinon, tapez 3.",
        "de": "Für einen Rückruf unter dieser Nummer drücken Sie die 1. Für eine andere Nummer die 2. Sonst die 3.",
        "es": "Para que le llamemos a este número, pulse 1. Para dar otro número, pulse 2. Si no, pulse 3.",
        "it": "Per essere richiamato a questo numero, prema 1. Per dare un altro numero, prema 2. Altrimenti, prema 3.",
        "nl": "Om op dit nummer teruggebeld te worden, drukt u op 1. Voor een ander nummer, op 2. Anders, op 3.",
        "pt": "Para receber a chamada neste número, prima 1. Para dar outro número, prima 2. Caso contrário, prima 3.",
    },
)
"""After the number."""

CALLBACK_ASK = OwnText(
    name="standard_callback_ask",
    meaning="asks for a number that ends with the hash key; star declines",
    words={
        "en": "Please enter the number we should call, then press the hash key. If you do not want a call, press star.",
        "fr": (
            "Composez le numéro auquel vous rappeler, puis dièse. Si vous ne souhaitez pas être rappelé, tapez étoile."
        ),
        "de": "Bitte geben Sie die Nummer ein, dann die Rautetaste. Wenn Sie keinen Rückruf möchten, die Sterntaste.",
        "es": "Marque el número al que debemos llamar y después almohadilla. Si no desea que le llamemos, asterisco.",
        "it": "Componga il numero da richiamare, poi cancelletto. Se non desidera essere richiamato, asterisco.",
        "nl": "Toets het nummer in dat we moeten bellen, gevolgd door een hekje. Wilt u geen oproep, toets ster.",
        "pt": "Marque o número para o qual devemos ligar e depois cardinal. Se não quiser a chamada, asterisco.",
    },
)
"""To a caller whose number is not known, or who wants to be called at another one."""

OWN_TEXTS = (ACCEPT, FALLBACK_BYE, CALLBACK_NUMBER, CALLBACK_CHOICES, CALLBACK_ASK)

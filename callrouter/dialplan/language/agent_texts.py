"""What agents' telephones answer them, by language, when they key in a feature code."""

from __future__ import annotations

from typing import Final

from callrouter.dialplan.language.own_texts import OwnText

ASK_PIN: Final = OwnText(
    name="agent_ask_pin",
    meaning="asks an agent for their PIN",
    words={
        "en": "Please enter your PIN, then press hash.",
        "fr": "Composez votre code, puis dièse.",
        "de": "Bitte geben Sie Ihre PIN ein, dann die Rautetaste.",
        "es": "Marque su código y después almohadilla.",
        "it": "Componga il suo codice, poi cancelletto.",
        "nl": "Toets uw pincode in, gevolgd door een hekje.",
        "pt": "Marque o seu código e depois cardinal.",
    },
)
LOGGED_IN: Final = OwnText(
    name="agent_logged_in",
    meaning="says to an agent that they are logged in",
    words={
        "en": "You are logged in.",
        "fr": "Vous êtes connecté.",
        "de": "Sie sind angemeldet.",
        "es": "Ha iniciado la sesión.",
        "it": "Accesso effettuato.",
        "nl": "U bent aangemeld.",
        "pt": "Sessão iniciada.",
    },
)
LOGGED_OUT: Final = OwnText(
    name="agent_logged_out",
    meaning="says to an agent that they are logged out",
    words={
        "en": "You are logged out.",
        "fr": "Vous êtes déconnecté.",
        "de": "Sie sind abgemeldet.",
        "es": "Ha cerrado la sesión.",
        "it": "Sessione terminata.",
        "nl": "U bent afgemeld.",
        "pt": "Sessão terminada.",
    },
)
PAUSED: Final = OwnText(
    name="agent_paused",
    meaning="says to an agent that they are paused, and why",
    words={
        "en": "You are paused. {name}",
        "fr": "Vous êtes en pause. {name}",
        "de": "Sie machen Pause. {name}",
        "es": "Está en pausa. {name}",
        "it": "È in pausa. {name}",
        "nl": "U hebt pauze. {name}",
        "pt": "Está em pausa. {name}",
    },
)
READY: Final = OwnText(
    name="agent_ready",
    meaning="says to an agent that they are offered calls",
    words={
        "en": "You are taking calls.",
        "fr": "Vous prenez les appels.",
        "de": "Sie nehmen Anrufe an.",
        "es": "Está atendiendo llamadas.",
        "it": "Sta ricevendo le chiamate.",
        "nl": "U neemt oproepen aan.",
        "pt": "Está a atender chamadas.",
    },
)
WRONG: Final = OwnText(
    name="agent_wrong",
    meaning="says that number or PIN are wrong",
    words={
        "en": "That number or PIN is not right.",
        "fr": "Ce numéro ou ce code n'est pas valable.",
        "de": "Diese Nummer oder PIN ist nicht richtig.",
        "es": "Ese número o código no es correcto.",
        "it": "Questo numero o codice non è valido.",
        "nl": "Dit nummer of deze pincode klopt niet.",
        "pt": "Esse número ou código não está certo.",
    },
)
LOCKED: Final = OwnText(
    name="agent_locked",
    meaning="says that too many wrong PINs were keyed in",
    words={
        "en": "Too many wrong PINs. Please ask your supervisor.",
        "fr": "Trop de codes erronés. Adressez-vous à votre responsable.",
        "de": "Zu viele falsche PINs. Bitte fragen Sie Ihre Leitung.",
        "es": "Demasiados códigos incorrectos. Consulte a su responsable.",
        "it": "Troppi codici errati. Si rivolga al suo responsabile.",
        "nl": "Te veel foute pincodes. Vraag uw leidinggevende.",
        "pt": "Demasiados códigos errados. Fale com o seu responsável.",
    },
)
NOT_LOGGED_IN: Final = OwnText(
    name="agent_not_logged_in",
    meaning="says to an agent that they are not logged in",
    words={
        "en": "You are not logged in.",
        "fr": "Vous n'êtes pas connecté.",
        "de": "Sie sind nicht angemeldet.",
        "es": "No ha iniciado la sesión.",
        "it": "Non ha effettuato l'accesso.",
        "nl": "U bent niet aangemeld.",
        "pt": "Não iniciou a sessão.",
    },
)
ALWAYS_IN: Final = OwnText(
    name="agent_always_in",
    meaning="says to an agent that nobody logs in or out: their teams, or this telephone, ask for no log-in",
    words={
        "en": "Nobody logs in or out here.",
        "fr": "Ici, personne ne se connecte ni ne se déconnecte.",
        "de": "Hier meldet sich niemand an oder ab.",
        "es": "Aquí no se inicia ni se cierra la sesión.",
        "it": "Qui non si effettua l'accesso.",
        "nl": "Hier meldt niemand zich aan of af.",
        "pt": "Aqui não se inicia nem se termina a sessão.",
    },
)
NO_REASON: Final = OwnText(
    name="agent_no_reason",
    meaning="says to an agent that there is no such reason of a pause",
    words={
        "en": "There is no such reason.",
        "fr": "Ce motif n'existe pas.",
        "de": "Diesen Grund gibt es nicht.",
        "es": "Ese motivo no existe.",
        "it": "Questo motivo non esiste.",
        "nl": "Die reden bestaat niet.",
        "pt": "Esse motivo não existe.",
    },
)
LATER: Final = OwnText(
    name="agent_later",
    meaning="says to an agent that what they ask for cannot be done now",
    words={
        "en": "This is not possible now. Please try again later.",
        "fr": "Ce n'est pas possible pour le moment. Merci de réessayer plus tard.",
        "de": "Das ist im Moment nicht möglich. Bitte versuchen Sie es später noch einmal.",
        "es": "Ahora no es posible. Inténtelo más tarde.",
        "it": "Al momento non è possibile. Riprovi più tardi.",
        "nl": "Dit is nu niet mogelijk. Probeer het later nog eens.",
        "pt": "Agora não é possível. Tente mais tarde.",
    },
)

AGENT_TEXTS = (
    *(ASK_PIN, LOGGED_IN, LOGGED_OUT, PAUSED, READY, WRONG, LOCKED, NOT_LOGGED_IN, ALWAYS_IN, NO_REASON, LATER),
)

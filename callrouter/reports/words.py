"""The words of reports, in French and English: the trade's own terms, and one sentence of what each figure means.

docs/figures.md and docs/chiffres.md say the same at length; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from callrouter.core.service_level import Formula, WaitingClock
from callrouter.periods import Comparison
from callrouter.reports.model import Basis, By, Key, Missing, Span, Unit, Value


class Language(StrEnum):
    """In which reports are written."""

    ENGLISH = "en"
    FRENCH = "fr"


@dataclass(frozen=True, slots=True)
class Term:
    """A figure as people call it."""

    name: str
    short: str
    """For the head of a narrow column."""
    means: str


_EN, _FR = Language.ENGLISH, Language.FRENCH

TERMS: Final[Mapping[Language, Mapping[str, Term]]] = {
    _EN: {
        "received": Term("Calls received", "Received", "All calls that rang in the period, however they ended."),
        "offered": Term(
            "Calls offered", "Offered", "Calls that reached a queue or a person: those that asked for somebody."
        ),
        "answered": Term(
            "Answered", "Answered", "A person spoke with the caller; a prompt or a voicemail is no answer."
        ),
        "answered_within": Term("Answered in time", "In time", "Answered after no longer than the threshold."),
        "abandoned": Term("Abandoned", "Abandoned", "The call ended while the caller was waiting for a person."),
        "short_abandoned": Term(
            "Short abandons", "Short", "Of the abandoned calls, those that waited less than the limit."
        ),
        "overflowed": Term(
            "Overflowed",
            "Overflow",
            "The caller waited for a person and ended at a machine: a message, an announcement.",
        ),
        "answered_by_agent": Term("Answered by an agent", "Agent", "An agent spoke with the caller."),
        "redirected": Term("Put through", "Put through", "The caller spoke with somebody of the client's own."),
        "message_left": Term(
            "Messages left", "Messages", "The caller left a message, or a number to be called back at."
        ),
        "self_served": Term("Served by the announcement", "Self-served", "The caller heard what they called for."),
        "left_early": Term("Left early", "Left early", "The caller rang off before asking for anybody."),
        "rejected": Term("Refused", "Refused", "Refused by the client's own rules."),
        "failed": Term("Failed", "Failed", "A fault of ours, or of the line."),
        "called_back": Term(
            "Called back", "Called back", "Callers who gave up or asked to be called back, and were reached later."
        ),
        "pickup_rate": Term("Pickup rate", "Pickup", "Answered ÷ offered, short abandons left out."),
        "service_level": Term("Service level", "Service level", "Share of the calls that were answered in time."),
        "target": Term("Target", "Target", "The service level that was promised."),
        "abandon_rate": Term("Abandon rate", "Abandons", "Abandoned ÷ offered, short abandons left out of both."),
        "asa_seconds": Term(
            "Mean wait (ASA)", "Mean wait", "Of answered calls, from entering the queue to the answer."
        ),
        "waiting_p50_seconds": Term("Median wait", "Median", "Half of the answered calls waited no longer."),
        "waiting_p90_seconds": Term("Wait, 90 %", "p90", "Nine answered calls in ten waited no longer."),
        "waiting_p95_seconds": Term("Wait, 95 %", "p95", "Nineteen answered calls in twenty waited no longer."),
        "waiting_max_seconds": Term("Longest wait", "Longest", "Of the answered calls."),
        "abandoned_waiting_mean_seconds": Term(
            "Mean wait before abandoning", "Gave up after", "How long those who gave up had waited, on average."
        ),
        "talk_mean_seconds": Term("Mean talk time", "Talk", "Mean time for which answered callers were spoken with."),
        "conversations": Term(
            "Conversations", "Conversations", "Of agents with callers, who rang or were called back."
        ),
        "aht_seconds": Term(
            "Mean handle time (AHT)", "AHT", "Talk, hold and wrap-up of agents, for each of their conversations."
        ),
        "talk_seconds": Term("Talk time", "Talk", "Of agents, in all; without the time on hold."),
        "hold_seconds": Term("Time on hold", "Hold", "For which agents had callers on hold, in all."),
        "wrap_up_seconds": Term("Wrap-up", "Wrap-up", "Work of agents after conversations, in all."),
        "messages": Term("Messages taken", "Messages taken", "Of callers, by the client's tree or by agents."),
        "messages_urgent": Term("Urgent messages", "Urgent", "Of these, the ones that were told as urgent."),
        "messages_unacknowledged": Term(
            "Urgent, not taken on", "Not taken on", "Urgent messages that nobody has acknowledged."
        ),
        "accepted_p50_seconds": Term(
            "Messages passed on after",
            "Passed on",
            "From a message to whoever passes it on taking it: half were faster.",
        ),
        "delivered_p50_seconds": Term(
            "Messages delivered after", "Delivered", "Until it is known to have reached somebody: half were faster."
        ),
        "acknowledged_p50_seconds": Term(
            "Urgent messages taken on after", "Taken on", "Until somebody acknowledged an urgent one: half were faster."
        ),
        "callbacks": Term("Callbacks asked for", "Callbacks", "Callers who asked to be called back."),
        "callbacks_open": Term("Callbacks open", "Open", "Of these, those that nothing has settled."),
        "callbacks_reached": Term("Callbacks reached", "Reached", "Of these, those whose caller was spoken with."),
        "callback_p50_seconds": Term(
            "Callbacks reached after", "After", "From the wish until the caller was spoken with: half were faster."
        ),
        "gave_up_reached": Term(
            "Abandoned and reached later", "Gave up, reached", "Share of those who gave up who were spoken with later."
        ),
        "entered": Term(
            "Visits", "Visits", "Entries into the queue; a call that passes three queues has three visits."
        ),
        "visits_answered": Term("Answered in the queue", "Answered", "Visits that ended with an agent."),
        "visits_abandoned": Term("Abandoned in the queue", "Abandoned", "Visits that ended while the caller waited."),
        "visits_overflowed": Term(
            "Overflowed from the queue", "Overflow", "The queue gave up: too long, full, or nobody was logged in."
        ),
        "visits_exited": Term("Left by a key", "Left by key", "The caller chose another way."),
        "visits_answered_share": Term("Answered, of all visits", "Answered", "Answered ÷ visits."),
        "visits_within_share": Term(
            "Answered in time, of all visits", "In time", "Within each call's own threshold ÷ visits."
        ),
        "visit_mean_seconds": Term("Mean wait in the queue", "Mean wait", "Of answered visits."),
        "visit_p50_seconds": Term(
            "Median wait in the queue", "Median", "Half of the answered visits waited no longer."
        ),
        "visit_p95_seconds": Term(
            "Wait in the queue, 95 %", "p95", "Nineteen answered visits in twenty waited no longer."
        ),
        "visit_max_seconds": Term("Longest wait in the queue", "Longest", "Of answered visits."),
        "offers": Term("Offers", "Offers", "How often the agent was rung for a caller."),
        "missed": Term("Missed", "Missed", "Offers that the agent let ring, or refused."),
        "logged_in_seconds": Term("Logged in", "Logged in", "For how long the agent was logged in."),
        "available_seconds": Term("Available", "Available", "Of this, free for the next caller."),
        "paused_seconds": Term("Paused", "Paused", "Of this, in pauses."),
        "occupancy": Term(
            "Occupancy", "Occupancy", "Talk, hold and wrap-up ÷ (talk, hold and wrap-up + available time)."
        ),
    },
    _FR: {
        "received": Term(
            "Appels reçus", "Reçus", "Tous les appels arrivés dans la période, quelle que soit leur issue."
        ),
        "offered": Term(
            "Appels présentés",
            "Présentés",
            "Appels arrivés à une file d'attente ou à une personne : ils demandaient quelqu'un.",
        ),
        "answered": Term(
            "Appels décrochés",
            "Décrochés",
            "Une personne a parlé à l'appelant ; une annonce ou un répondeur n'est pas une réponse.",
        ),
        "answered_within": Term("Décrochés dans le délai", "Dans le délai", "Décrochés sans dépasser le seuil."),
        "abandoned": Term("Abandons", "Abandons", "L'appel a pris fin pendant que l'appelant attendait une personne."),
        "short_abandoned": Term(
            "Abandons courts", "Courts", "Parmi les abandons, ceux dont l'attente était inférieure à la limite."
        ),
        "overflowed": Term(
            "Débordements",
            "Débordés",
            "L'appelant a attendu une personne, et son appel s'est terminé sur une machine : un message, une annonce.",
        ),
        "answered_by_agent": Term("Décrochés par un agent", "Agent", "Un agent a parlé à l'appelant."),
        "redirected": Term("Appels transmis", "Transmis", "L'appelant a parlé à une personne du client."),
        "message_left": Term(
            "Messages laissés", "Messages", "L'appelant a laissé un message, ou demandé à être rappelé."
        ),
        "self_served": Term("Renseignés par l'annonce", "Renseignés", "L'appelant a entendu ce qu'il cherchait."),
        "left_early": Term(
            "Raccrochés avant demande", "Raccrochés", "L'appelant a raccroché avant de demander quelqu'un."
        ),
        "rejected": Term("Appels refusés", "Refusés", "Refusés selon les règles du client."),
        "failed": Term("Appels en échec", "Échecs", "Par notre faute, ou celle de la ligne."),
        "called_back": Term(
            "Rappelés", "Rappelés", "Appelants qui ont abandonné ou demandé un rappel, et qui ont été joints ensuite."
        ),
        "pickup_rate": Term("Taux de décroché", "Décroché", "Décrochés ÷ présentés, hors abandons courts."),
        "service_level": Term("Qualité de service (QS)", "QS", "Part des appels décrochés dans le délai."),
        "target": Term("Objectif de QS", "Objectif", "La qualité de service promise."),
        "abandon_rate": Term("Taux d'abandon", "Abandon", "Abandons ÷ présentés, hors abandons courts des deux côtés."),
        "asa_seconds": Term(
            "Attente moyenne", "Attente moy.", "Des appels décrochés, de l'entrée en file d'attente au décroché."
        ),
        "waiting_p50_seconds": Term(
            "Attente médiane", "Médiane", "La moitié des appels décrochés n'a pas attendu davantage."
        ),
        "waiting_p90_seconds": Term(
            "Attente, 90 %", "P90", "Neuf appels décrochés sur dix n'ont pas attendu davantage."
        ),
        "waiting_p95_seconds": Term(
            "Attente, 95 %", "P95", "Dix-neuf appels décrochés sur vingt n'ont pas attendu davantage."
        ),
        "waiting_max_seconds": Term("Attente maximale", "Maximum", "Des appels décrochés."),
        "abandoned_waiting_mean_seconds": Term(
            "Attente moyenne avant abandon",
            "Avant abandon",
            "Le temps qu'avaient attendu en moyenne ceux qui ont renoncé.",
        ),
        "talk_mean_seconds": Term(
            "Durée moyenne de conversation", "Conversation", "Durée moyenne de conversation des appels décrochés."
        ),
        "conversations": Term("Conversations", "Conversations", "Des agents avec les appelants, rappels compris."),
        "aht_seconds": Term(
            "Durée moyenne de traitement (DMT)",
            "DMT",
            "Conversation, mise en attente et post-appel des agents, par conversation.",
        ),
        "talk_seconds": Term("Temps de conversation", "Conversation", "Des agents, en tout, hors mise en attente."),
        "hold_seconds": Term(
            "Temps de mise en attente", "En attente", "Pendant les conversations des agents, en tout."
        ),
        "wrap_up_seconds": Term("Post-appel", "Post-appel", "Travail des agents après les conversations, en tout."),
        "messages": Term("Messages pris", "Messages pris", "Des appelants, par l'arbre du client ou par les agents."),
        "messages_urgent": Term("Messages urgents", "Urgents", "Parmi eux, ceux qui ont été transmis en urgence."),
        "messages_unacknowledged": Term(
            "Urgents non pris en charge", "Non pris", "Messages urgents dont personne n'a accusé réception."
        ),
        "accepted_p50_seconds": Term(
            "Délai de remise des messages",
            "Remise",
            "Du message à sa remise au transporteur : la moitié a été plus rapide.",
        ),
        "delivered_p50_seconds": Term(
            "Délai de réception des messages", "Réception", "Jusqu'à son arrivée connue : la moitié a été plus rapide."
        ),
        "acknowledged_p50_seconds": Term(
            "Délai de prise en charge des urgences",
            "Prise en charge",
            "D'un message urgent : la moitié a été plus rapide.",
        ),
        "callbacks": Term("Rappels demandés", "Rappels", "Appelants qui ont demandé à être rappelés."),
        "callbacks_open": Term("Rappels en cours", "En cours", "Parmi eux, ceux que rien n'a encore réglés."),
        "callbacks_reached": Term("Rappels aboutis", "Aboutis", "Parmi eux, ceux dont l'appelant a été joint."),
        "callback_p50_seconds": Term(
            "Délai de rappel", "Délai", "De la demande jusqu'à la conversation : la moitié a été plus rapide."
        ),
        "gave_up_reached": Term(
            "Abandons joints ensuite",
            "Abandons joints",
            "Part de ceux qui ont abandonné et qui ont été joints ensuite.",
        ),
        "entered": Term(
            "Passages", "Passages", "Entrées dans la file ; un appel qui traverse trois files fait trois passages."
        ),
        "visits_answered": Term("Décrochés dans la file", "Décrochés", "Passages qui ont abouti à un agent."),
        "visits_abandoned": Term(
            "Abandons dans la file", "Abandons", "Passages qui ont pris fin pendant l'attente de l'appelant."
        ),
        "visits_overflowed": Term(
            "Débordements de la file",
            "Débordés",
            "La file a renoncé : trop long, pleine, ou personne n'était connecté.",
        ),
        "visits_exited": Term("Quittée par une touche", "Par touche", "L'appelant a choisi une autre voie."),
        "visits_answered_share": Term("Décrochés, sur tous les passages", "Décroché", "Décrochés ÷ passages."),
        "visits_within_share": Term(
            "Dans le délai, sur tous les passages", "Dans le délai", "Dans le délai propre à chaque appel ÷ passages."
        ),
        "visit_mean_seconds": Term("Attente moyenne dans la file", "Attente moy.", "Des passages décrochés."),
        "visit_p50_seconds": Term(
            "Attente médiane dans la file", "Médiane", "La moitié des passages décrochés n'a pas attendu davantage."
        ),
        "visit_p95_seconds": Term(
            "Attente dans la file, 95 %", "P95", "Dix-neuf passages décrochés sur vingt n'ont pas attendu davantage."
        ),
        "visit_max_seconds": Term("Attente maximale dans la file", "Maximum", "Des passages décrochés."),
        "offers": Term("Présentations", "Présentations", "Nombre de fois où l'agent a été sonné pour un appelant."),
        "missed": Term("Manqués", "Manqués", "Présentations que l'agent a laissées sonner, ou refusées."),
        "logged_in_seconds": Term("Temps connecté", "Connecté", "Durée pendant laquelle l'agent était connecté."),
        "available_seconds": Term("Temps disponible", "Disponible", "Dont libre pour l'appel suivant."),
        "paused_seconds": Term("Temps de pause", "Pause", "Dont en pause."),
        "occupancy": Term(
            "Taux d'occupation",
            "Occupation",
            "Conversation, attente et post-appel ÷ (ces temps + temps disponible).",
        ),
    },
}
"""By the column's name."""

FORMULAS: Final[Mapping[Language, Mapping[Formula, str]]] = {
    _EN: {
        Formula.ANSWERED_ONLY: "answered in time ÷ answered",
        Formula.EARLY_ABANDON_COUNTS: "(answered in time + abandoned in time) ÷ offered",
        Formula.LATE_ABANDON_ONLY: "answered in time ÷ (offered − abandoned in time)",
        Formula.SHORT_ABANDON_AS_MET: "(answered in time + short abandons) ÷ offered",
        Formula.SHORT_ABANDON_EXCLUDED: "answered in time ÷ (offered − short abandons)",
        Formula.STRICT: "answered in time ÷ offered",
    },
    _FR: {
        Formula.ANSWERED_ONLY: "décrochés dans le délai ÷ décrochés",
        Formula.EARLY_ABANDON_COUNTS: "(décrochés + abandons dans le délai) ÷ présentés",
        Formula.LATE_ABANDON_ONLY: "décrochés dans le délai ÷ (présentés − abandons dans le délai)",
        Formula.SHORT_ABANDON_AS_MET: "(décrochés dans le délai + abandons courts) ÷ présentés",
        Formula.SHORT_ABANDON_EXCLUDED: "décrochés dans le délai ÷ (présentés − abandons courts)",
        Formula.STRICT: "décrochés dans le délai ÷ présentés",
    },
}

CLOCKS: Final[Mapping[Language, Mapping[WaitingClock, str]]] = {
    _EN: {WaitingClock.ENTERED_SERVICE: "entering the queue"},
    _FR: {WaitingClock.ENTERED_SERVICE: "l'entrée en file d'attente"},
}

OF: Final[Mapping[Language, Mapping[By, str]]] = {
    _EN: {
        By.CLIENT: "Client",
        By.DID: "Number called",
        By.VERSION: "Version of the plan",
        By.QUEUE: "Queue",
        By.AGENT: "Agent",
        By.NODE: "Last node",
        By.DAY: "Day",
        By.WEEKDAY: "Weekday",
        By.HOUR: "Hour",
        By.MONTH: "Month",
    },
    _FR: {
        By.CLIENT: "Client",
        By.DID: "Numéro appelé",
        By.VERSION: "Version du plan",
        By.QUEUE: "File d'attente",
        By.AGENT: "Agent",
        By.NODE: "Dernière étape",
        By.DAY: "Jour",
        By.WEEKDAY: "Jour de la semaine",
        By.HOUR: "Heure",
        By.MONTH: "Mois",
    },
}
"""The head of the first column."""

PHRASES: Final[Mapping[Language, Mapping[str, str]]] = {
    _EN: {
        "title": "Calls by {by}",
        "title_queue": "Visits to queues",
        "title_agent": "Agents' work",
        "monthly": "Telephone service report",
        "all": "All clients",
        "clients": "{n} clients",
        "total": "Total",
        "others": "and {n} others",
        "promise": "promise {n}",
        "promised": "Promise",
        "basis": "Service level = {formula} ({name}). In time: within {within} s. Short abandon: a wait of less than "
        "{short} s. Waiting is measured from {clock}.",
        "target": "Target: {target}.",
        "default": "No target is known for these calls: the default stands in.",
        "verdict": "Target reached",
        "reached": "reached",
        "missed": "missed",
        "gap": "Calls may be missing: {from_at} to {until_at}.",
        "now": "now",
        "gapless": "The record has no gap in this period.",
        "zones": "in each client's time zone",
        "compared": "Compared with {period}",
        "before": "before",
        "change": "Change",
        "no_calls": "No calls.",
        "by_day": "Calls by day",
        "by_hour": "Calls by hour of the day",
        "by_weekday": "Calls by day of the week",
        "key": "Key figures",
        "made_with": "How the figures are made",
        "by_promise": "Under each promise",
        "means": "What the figures mean",
        "page": "Page",
        "of_pages": "of",
        "made": "Made on {at}",
        "points": "pts",
        "clock": "times of {zone}",
        "kept": "Figures",
        "about": "About",
        "period": "Period",
        "missing": "Gaps",
        "not_told": "–",
        "with_target": "target {target}",
        "mail_subject": "Telephone service report – {month} – {client}",
        "mail_greeting": "Good morning,",
        "mail_text": "Enclosed is the report of the calls of {client} in {month}: how many there were, how many were "
        "answered and how fast, by day and by hour, compared with the month before.",
        "mail_end": "The report says itself by which formula its figures were made. Every figure can be traced to its "
        "calls: ask for it.",
    },
    _FR: {
        "title": "Appels par {by}",
        "title_queue": "Passages dans les files d'attente",
        "title_agent": "Travail des agents",
        "monthly": "Bilan de l'accueil téléphonique",
        "all": "Tous les clients",
        "clients": "{n} clients",
        "total": "Total",
        "others": "et {n} autres",
        "promise": "engagement {n}",
        "promised": "Engagement",
        "basis": "QS = {formula} ({name}). Dans le délai : en {within} s au plus. Abandon court : moins de {short} s "
        "d'attente. L'attente est mesurée depuis {clock}.",
        "target": "Objectif : {target}.",
        "default": "Aucun objectif n'est connu pour ces appels : la valeur par défaut est appliquée.",
        "verdict": "Objectif atteint",
        "reached": "atteint",
        "missed": "non atteint",
        "gap": "Des appels peuvent manquer : du {from_at} au {until_at}.",
        "now": "présent",
        "gapless": "Aucune interruption de l'enregistrement dans cette période.",
        "zones": "à l'heure de chaque client",
        "compared": "Comparé à : {period}",
        "before": "avant",
        "change": "Évolution",
        "no_calls": "Aucun appel.",
        "by_day": "Appels par jour",
        "by_hour": "Appels par heure de la journée",
        "by_weekday": "Appels par jour de la semaine",
        "key": "Chiffres clés",
        "made_with": "Comment les chiffres sont établis",
        "by_promise": "Selon chaque engagement",
        "means": "Ce que disent les chiffres",
        "page": "Page",
        "of_pages": "sur",
        "made": "Établi le {at}",
        "points": "pts",
        "clock": "heures de {zone}",
        "kept": "Chiffres",
        "about": "À propos",
        "period": "Période",
        "missing": "Interruptions",
        "not_told": "–",
        "with_target": "objectif {target}",
        "mail_subject": "Bilan de l'accueil téléphonique – {month} – {client}",
        "mail_greeting": "Bonjour,",
        "mail_text": "Vous trouverez ci-joint le bilan des appels de {client} en {month} : combien il y en a eu, "
        "combien ont été décrochés et en combien de temps, par jour et par heure, comparés au mois précédent.",
        "mail_end": "Le bilan dit lui-même selon quelle formule ses chiffres sont établis. Chaque chiffre peut être "
        "ramené à ses appels : demandez-le.",
    },
}

_MONTHS: Final = {
    _EN: (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    _FR: (
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    ),
}
_WEEKDAYS: Final = {
    _EN: ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    _FR: ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
}
_COMPARISONS: Final = {
    _EN: {Comparison.BEFORE: "the period before", Comparison.WEEKDAYS: "the same weekdays before"},
    _FR: {Comparison.BEFORE: "la période précédente", Comparison.WEEKDAYS: "les mêmes jours de semaine auparavant"},
}


def said(phrase: str, language: Language, /, **values: object) -> str:
    """A phrase, its places filled."""
    return PHRASES[language][phrase].format(**values)


def term(name: str, language: Language) -> Term:
    """How a column is called."""
    return TERMS[language][name]


def label(by: By, key: Key, language: Language) -> str:
    """What a row is called: days and hours in the language's own words."""
    match by:
        case By.DAY if isinstance(key, date):
            return f"{_WEEKDAYS[language][key.weekday()][:3]} {day(key, language)}"
        case By.MONTH if isinstance(key, date):
            return month(key, language)
        case By.WEEKDAY:
            return _WEEKDAYS[language][int(str(key)) - 1]
        case By.HOUR:
            hour = int(str(key))
            return f"{hour:02d}:00–{hour + 1:02d}:00" if language is _EN else f"{hour} h – {hour + 1} h"
        case _:
            return str(key)


def short_label(by: By, key: Key, language: Language) -> str:
    """The same where there is little room: under the bars of a chart."""
    match by:
        case By.DAY if isinstance(key, date):
            return str(key.day)
        case By.MONTH if isinstance(key, date):
            return f"{_MONTHS[language][key.month - 1][: 4 if language is _FR else 3]} {key:%y}"
        case By.WEEKDAY:
            return _WEEKDAYS[language][int(str(key)) - 1][:3]
        case By.HOUR:
            return f"{key}" if language is _EN else f"{key} h"
        case _:
            return str(key)


def day(of: date, language: Language) -> str:
    """A day, as people of the language write it in a table."""
    return f"{of:%d/%m/%Y}" if language is _FR else f"{of:%Y-%m-%d}"


def month(of: date, language: Language) -> str:
    """A month with its year."""
    return f"{_MONTHS[language][of.month - 1]} {of.year}"


def period(span: Span, language: Language) -> str:
    """A period as its clocks show it: a month by its name, whole days by their dates, else its two times."""
    start, end = span.from_at, span.to_at
    midnights = all(at.hour == at.minute == at.second == at.microsecond == 0 for at in (start, end))
    if not midnights:
        return f"{instant(start, language)} – {instant(end, language)}"
    first, after = start.date(), end.date()
    last = date.fromordinal(after.toordinal() - 1)
    if first.day == after.day == 1:
        months = (month(first, language), month(last, language))
        return months[0] if months[0] == months[1] else " – ".join(months)
    days = (day(first, language), day(last, language))
    return days[0] if days[0] == days[1] else " – ".join(days)


def instant(at: datetime, language: Language) -> str:
    """A time of day with its day and, so that an hour that is shown twice is one, its zone's short name."""
    return f"{day(at.date(), language)} {at:%H:%M %Z}"


def comparison(kind: Comparison, language: Language) -> str:
    """With what a report is compared."""
    return _COMPARISONS[language][kind]


def basis(of: Basis, language: Language) -> list[str]:
    """What a service level was made with: the formula with its name, threshold, limit, clock and target."""
    target = of.target
    made = said(
        "basis",
        language,
        formula=FORMULAS[language][target.formula],
        name=target.formula.value,
        within=number(target.within_seconds, language),
        short=number(target.short_abandon_seconds, language),
        clock=CLOCKS[language][target.clock],
    )
    if not of.promised:
        return [made, said("default", language)]
    return [made, said("target", language, target=value(target.target, Unit.SHARE, language))]


def gap(of: Missing, span: Span, language: Language) -> str:
    """A time in which calls may be missing, on the clocks of the report."""
    zone = span.from_at.tzinfo
    until = of.until_at
    return said(
        "gap",
        language,
        from_at=instant(of.from_at.astimezone(zone), language),
        until_at=said("now", language) if until is None else instant(until.astimezone(zone), language),
    )


def value(of: Value, unit: Unit, language: Language) -> str:
    """A cell for people; a dash where there was nothing to compute from."""
    if of is None:
        return said("not_told", language)
    match unit:
        case Unit.COUNT:
            return _grouped(f"{of:,.0f}", language)
        case Unit.SHARE:
            shown = f"{of * 100:.1f}"
            return f"{shown.replace('.', ',')} %" if language is _FR else f"{shown}%"
        case Unit.SECONDS:
            return _duration(float(of), language)


def change(now: Value, before: Value, unit: Unit, language: Language) -> str:
    """How a figure differs from the one it is compared with: shares in points, counts in per cent, times in seconds."""
    if now is None or before is None:
        return ""
    if unit is Unit.SHARE:
        return f"{_signed((now - before) * 100, 1, language)} {said('points', language)}"
    if unit is Unit.SECONDS:
        return f"{_signed(now - before, 1, language)} s"
    if not before:
        return ""
    return _signed((now - before) / before * 100, 0, language) + (" %" if language is _FR else "%")


def number(of: float, language: Language) -> str:
    """A number as short as it is exact."""
    return f"{of:g}".replace(".", "," if language is _FR else ".")


def _signed(of: float, places: int, language: Language) -> str:
    shown = f"{of:+.{places}f}".replace("-", "−")
    if float(f"{of:.{places}f}") == 0:
        shown = shown.replace("+", "±").replace("−", "±")
    return shown.replace(".", ",") if language is _FR else shown


def _duration(seconds: float, language: Language) -> str:
    if seconds < 100:
        shown = f"{seconds:.1f}"
        return f"{shown.replace('.', ',') if language is _FR else shown} s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d}" if hours else f"{minutes} min {rest:02d}"


def _grouped(shown: str, language: Language) -> str:
    # A narrow space that does not break, as French numbers have it.
    return shown.replace(",", "\u202f") if language is _FR else shown

"""The words of statements of consumption, in French and English."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from callrouter.consumption.rating import Charge, Line
from callrouter.reports.words import Language, day, month

_EN, _FR = Language.ENGLISH, Language.FRENCH
_SPACE: Final = "\u202f"
"""A narrow space that does not break, as French numbers have it."""
_SYMBOLS: Final = {"EUR": "€", "GBP": "£", "USD": "$"}

CHARGES: Final[Mapping[Language, Mapping[Charge, str]]] = {
    _EN: {
        Charge.MONTHLY: "Monthly flat rate",
        Charge.CALLS_INCLUDED: "Calls, included in the flat rate",
        Charge.CALLS: "Calls",
        Charge.MINUTES_INCLUDED: "Minutes of conversation, included in the flat rate",
        Charge.MINUTES: "Minutes of conversation",
        Charge.CALLBACKS: "Callers called back",
        Charge.MESSAGES: "Messages taken",
        Charge.SMS: "SMS sent",
        Charge.CALLS_SURCHARGE: "Surcharge on calls: {name}",
        Charge.MINUTES_SURCHARGE: "Surcharge on minutes: {name}",
        Charge.MINIMUM: "Up to the monthly minimum",
    },
    _FR: {
        Charge.MONTHLY: "Forfait mensuel",
        Charge.CALLS_INCLUDED: "Appels compris dans le forfait",
        Charge.CALLS: "Appels",
        Charge.MINUTES_INCLUDED: "Minutes de conversation comprises dans le forfait",
        Charge.MINUTES: "Minutes de conversation",
        Charge.CALLBACKS: "Rappels aboutis",
        Charge.MESSAGES: "Messages pris",
        Charge.SMS: "SMS envoyés",
        Charge.CALLS_SURCHARGE: "Majoration par appel : {name}",
        Charge.MINUTES_SURCHARGE: "Majoration par minute : {name}",
        Charge.MINIMUM: "Complément au minimum mensuel",
    },
}

WHY: Final[Mapping[Language, Mapping[str, str]]] = {
    _EN: {
        "rejected": "refused by the client's rules",
        "left_early": "rang off before asking for anybody",
        "self_served": "served by the announcement",
        "failed": "failed by a fault of ours or of the line",
        "abandoned": "given up while waiting",
        "answered": "answered",
        "redirected": "put through",
        "message_left": "message left",
        "short_abandon": "given up after a short wait",
        "short": "conversation too short",
        "marked": "wrong number, or else marked as not billed",
        "no_tariff": "on days without a tariff",
        "elsewhere": "of somebody else",
        "not_priced": "without a price",
    },
    _FR: {
        "rejected": "refusés selon vos consignes",
        "left_early": "raccrochés avant toute demande",
        "self_served": "servis par l'annonce",
        "failed": "en échec, de notre fait ou de celui de la ligne",
        "abandoned": "abandonnés pendant l'attente",
        "answered": "décrochés",
        "redirected": "transmis",
        "message_left": "avec message",
        "short_abandon": "abandonnés après une courte attente",
        "short": "conversation trop brève",
        "marked": "faux numéros ou signalés comme non facturés",
        "no_tariff": "aux jours sans tarif",
        "elsewhere": "d'un autre client",
        "not_priced": "sans prix",
    },
}

PHRASES: Final[Mapping[Language, Mapping[str, str]]] = {
    _EN: {
        "title": "Consumption statement",
        "number": "No. {number}, issued {at}",
        "draft": "Not issued: as of {at}",
        "net": "Total without VAT",
        "vat": "VAT",
        "vat_of": "VAT {rate} of {net}",
        "gross": "Total with VAT",
        "calls": "Calls billed",
        "not_billed": "{n} calls not billed",
        "line": "What",
        "quantity": "Quantity",
        "unit": "Unit price",
        "amount": "Amount",
        "tier": "tier {n}",
        "since": "from {day}",
        "correction": "{what}, correction of {month}",
        "lines": "What is billed",
        "corrections": "Corrections of earlier months",
        "totals": "Totals",
        "terms": "Tariff {tariff} (version {version}), {since} to {until}.",
        "how": "All prices are without VAT. A call belongs to the month in which it rang, by the clocks of {zone}. Of "
        "a conversation whole seconds are counted, then rounded up as the tariff says. A line is rounded once, VAT "
        "once for each rate.",
        "late": "What was learnt after an earlier statement is billed, or given back, here, once, with its month.",
        "none": "Not billed: {all}.",
        "nothing": "Nothing is billed.",
        "annex": "This statement says what was consumed and how the amount was made; each line can be followed to its "
        "calls.",
        "page": "Page",
        "of_pages": "of",
        "made_with": "How it was made",
    },
    _FR: {
        "title": "Relevé de consommation",
        "number": "N° {number}, émis le {at}",
        "draft": "Non émis : état au {at}",
        "net": "Total HT",
        "vat": "TVA",
        "vat_of": "TVA {rate} sur {net}",
        "gross": "Total TTC",
        "calls": "Appels facturés",
        "not_billed": "{n} appels non facturés",
        "line": "Désignation",
        "quantity": "Quantité",
        "unit": "Prix unitaire HT",
        "amount": "Montant HT",
        "tier": "tranche {n}",
        "since": "à partir du {day}",
        "correction": "{what}, régularisation de {month}",
        "lines": "Détail de la facturation",
        "corrections": "Régularisations de mois antérieurs",
        "totals": "Totaux",
        "terms": "Tarif {tariff} (version {version}), du {since} au {until}.",
        "how": "Tous les prix s'entendent hors taxes. Un appel appartient au mois où il a sonné, à l'heure de {zone}. "
        "D'une conversation, les secondes entières sont comptées, puis arrondies vers le haut selon le tarif. Chaque "
        "ligne est arrondie une fois, la TVA une fois par taux.",
        "late": "Ce qui a été connu après un relevé antérieur est facturé ou déduit ici, une fois, avec son mois.",
        "none": "Non facturés : {all}.",
        "nothing": "Rien n'est facturé.",
        "annex": "Ce relevé indique ce qui a été consommé et comment le montant est établi ; chaque ligne peut être "
        "ramenée à ses appels.",
        "page": "Page",
        "of_pages": "sur",
        "made_with": "Comment le relevé est établi",
    },
}


def said(phrase: str, language: Language, /, **values: object) -> str:
    """A phrase, its places filled."""
    return PHRASES[language][phrase].format(**values)


def charge(line: Line, language: Language) -> str:
    """What a line bills, whichever month it is of."""
    found = CHARGES[language][line.charge].format(name=line.name)
    if line.place:
        found += f", {said('tier', language, n=line.place)}"
    if line.since.day != 1:
        found += f", {said('since', language, day=day(line.since, language))}"
    return found


def what(line: Line, language: Language) -> str:
    """What a line bills; of a correction, of which month."""
    found = charge(line, language)
    if line.correction:
        return said("correction", language, what=found, month=month(line.month, language))
    return found


def money(amount: Decimal, currency: str, language: Language) -> str:
    """With its currency, as each language writes it."""
    symbol = _SYMBOLS.get(currency, currency)
    shown = number(amount, language)
    if language is _FR or symbol == currency:
        return f"{shown}\u00a0{symbol}"
    return f"−{symbol}{shown[1:]}" if shown.startswith("−") else f"{symbol}{shown}"


def number(of: Decimal | int, language: Language) -> str:
    """With all its digits."""
    shown = f"{of:,}".replace("-", "−")
    return shown.replace(",", _SPACE).replace(".", ",") if language is _FR else shown


def percent(share: Decimal, language: Language) -> str:
    """20 %, as each language writes it."""
    shown = f"{(share * 100).normalize():f}"
    return f"{shown.replace('.', ',')}\u00a0%" if language is _FR else f"{shown}%"


def quantity(line: Line) -> Decimal | int:
    """In the unit of the price: minutes, months, pieces."""
    if line.per == 1:
        return line.quantity
    if line.quantity % line.per == 0:
        return line.quantity // line.per
    return (Decimal(line.quantity) / line.per).quantize(Decimal("0.01"))


def last_day(until: date, language: Language) -> str:
    """The day before one that is not included."""
    return day(date.fromordinal(until.toordinal() - 1), language)

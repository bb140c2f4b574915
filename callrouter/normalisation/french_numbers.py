"""Rules of French for what begins with a figure or a plus: telephone numbers, times, dates, amounts, ordinals."""

from __future__ import annotations

from re import Match

from callrouter.normalisation import french_values as values
from callrouter.normalisation.french_words import MONTHS, PER, SHORT_MONTHS, UNITS
from callrouter.normalisation.rules import Rule, any_of

_HOURS = r"(?:[01]?[0-9]|2[0-4])"
_MONTH = r"(?:0[1-9]|1[0-2])"
_TO = r"\s?[-–—]\s?(?=[0-9])"
"""A dash before another value of the kind: from the one to the other."""
_DAY_AND_MONTH = (
    rf"(?P<day>0?[1-9]|[12][0-9]|3[01])/(?P<month>{_MONTH}|[1-9](?=/))"
    r"(?:/(?P<year>20[0-9]{2}|[0-9]{2})|(?<=[0-9]{2}/[0-9]{2})|(?<=/0[1-9]))"
)
"""`24/12`, `1/02`, `1/5/26`; `3/10` is a share."""
_ELSEWHERE = r"(?!\s?(?:€|euros?|rue|route|avenue|boulevard|chemin|km|m)\b)"
_EUROS = r"(?P<euros>[0-9]{1,3}(?:\s[0-9]{3})+|[0-9]+)(?:[,.](?P<cents>[0-9]{1,2}))?"
_FEMININE = "heures?|minutes?|secondes?|semaines?|personnes?|années?|touches?"


def _hours(found: Match[str]) -> str:
    """`9-12h`."""
    return f"{values.feminine(int(found['from_hour']))} à {values.time(found['to_hour'], found['to_minute'])}"


def _time(found: Match[str]) -> str:
    return values.time(found["hour"], found["minute"]) + (" à " if found["hour_dash"] else "")


def _clock(found: Match[str]) -> str:
    return values.time(found["clock_hour"], found["clock_minute"]) + (" à " if found["clock_dash"] else "")


def _date(found: Match[str]) -> str:
    said = values.date(int(found["day"]), int(found["month"]), found["year"])
    return said + (" au " if found["day_dash"] else "")


def _iso_date(found: Match[str]) -> str:
    return values.date(int(found["iso_day"]), int(found["iso_month"]), found["iso_year"])


def _short_month(found: Match[str]) -> str:
    return f"{found['month_day']} {SHORT_MONTHS[found['month_name']]}"


def _ordinal(found: Match[str]) -> str:
    ending = found["ending"]
    return values.ordinal(int(found["nth_number"]), is_feminine=ending in ("re", "ère")) + "s" * ending.endswith("s")


def _feminine(found: Match[str]) -> str:
    return f"{values.feminine(int(found['feminine_number']))} {found['feminine_word']}"


NUMBERS: tuple[Rule, ...] = (
    (
        "service",
        r"0\s?8[0-9]{2}(?:\s[0-9]{3}\s[0-9]{3}|(?:\s[0-9]{2}){3})(?![0-9])|08[0-29]0[0-9]{6}(?![0-9])",
        values.service_number,
    ),
    (
        "telephone",
        r"(?:(?:\+|00)33\s?(?:\(0\)\s?)?[1-9]|0[1-9])(?:[ ./-]?[0-9]{2}){4}(?![0-9])",
        values.telephone,
    ),
    ("abroad", r"\+[0-9]{1,3}(?:[ .-][0-9]{1,4}){2,6}(?![0-9])", values.telephone_abroad),
    (
        "directory",
        rf"(?P<first_half>11[68])\s?(?P<second_half>[0-9]{{3}})(?![0-9]){_ELSEWHERE}",
        lambda found: f"{found['first_half']}, {found['second_half']}",
    ),
    (
        "short",
        rf"(?<=[Ll]e\s|[Aa]u\s|ro\s)(?P<upper_half>3[0-9])(?P<lower_half>[0-9]{{2}})(?![0-9]){_ELSEWHERE}",
        lambda found: f"{found['upper_half']}, {values.group(found['lower_half'])}",
    ),
    ("always", r"24\s?(?:[hH](?:eures)?)?\s?(?:/|sur)\s?24(?:\s?[hH])?(?!\w)", lambda _: "24 heures sur 24"),
    (
        "all_days",
        r"(?P<of_days>[1-7])\s?(?:j(?:ours)?)?\s?/\s?7(?:\s?j(?:ours)?)?(?![\w/])",
        lambda found: f"{found['of_days']} jours sur 7",
    ),
    (
        "hours",
        rf"(?P<from_hour>{_HOURS})\s?[-–—]\s?(?P<to_hour>{_HOURS})\s?[hH](?P<to_minute>[0-5][0-9])?(?!\w)",
        _hours,
    ),
    (
        "time",
        rf"(?P<hour>{_HOURS})\s?(?:[hH]|[Hh]eures?(?=\s[0-5][0-9]))\s?(?P<minute>[0-5][0-9])?(?!\w)(?P<hour_dash>{_TO})?",
        _time,
    ),
    (
        "clock",
        rf"(?P<clock_hour>{_HOURS}):(?P<clock_minute>[0-5][0-9])(?![\w:])(?P<clock_dash>{_TO})?",
        _clock,
    ),
    ("iso", rf"(?P<iso_year>20[0-9]{{2}})-(?P<iso_month>{_MONTH})-(?P<iso_day>[0-3][0-9])(?![0-9])", _iso_date),
    ("date", rf"{_DAY_AND_MONTH}(?![\w/])(?P<day_dash>{_TO})?", _date),
    (
        "fraction",
        r"(?P<part>[0-9]+)/(?P<whole>[0-9]+)(?![\w/])",
        lambda found: f"{found['part']} sur {found['whole']}",
    ),
    (
        "amount",
        rf"{_EUROS}\s?(?P<large>[kM])?(?:€|EUR\b|[Ee]uros?\b)(?:\s?/\s?(?P<per>{any_of(PER)})\b)?",
        values.amount,
    ),
    ("percent", r"(?P<percent_number>[0-9]+(?:[,.][0-9]+)?)\s?%", values.percent),
    ("measure", rf"(?P<measured>[0-9][0-9 ]*(?:,[0-9]+)?)\s?(?P<unit>{any_of(UNITS)})(?![\w'])", values.measure),
    ("first_of", rf"1(?=\s(?:{'|'.join(MONTHS)})\b)", lambda _: "premier"),
    ("nth", r"(?P<nth_number>[0-9]{1,2})(?P<ending>ers?|ère|re|èmes?|emes?|ièmes?|es?|nde?)(?![\w'])", _ordinal),
    ("short_month", rf"(?P<month_day>[0-9]{{1,2}})\s(?P<month_name>{any_of(SHORT_MONTHS)})\.", _short_month),
    ("feminine", rf"(?P<feminine_number>[2-6]?1)\s(?P<feminine_word>{_FEMININE})\b", _feminine),
    (
        "decimal",
        r"(?P<decimal_number>[0-9]+,[0-9]+)(?![\w,])",
        lambda found: values.decimal(found["decimal_number"]),
    ),
    ("thousands", r"[1-9][0-9]{0,2}(?:\s[0-9]{3})+(?![0-9])", lambda found: found[0].replace(" ", "")),
)

"""The demonstration's callers: what each does, and how their call must end.

The clients, their trees and numbers stand in dialplans/. Numbers are from the ranges reserved for fiction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays

from deploy.demo.agents import Habits, voice_hertz
from deploy.demo.caller import HangUp, Press, Speak, Step, UntilSound, UntilTone, UntilToneEnds, Wait
from deploy.demo.carrier import VOICE_HERTZ, Habit
from deploy.demo.sipp import CallerIdentity

HABITS = {
    **dict.fromkeys((1, 2), Habits(ring_seconds=2.5)),
    **dict.fromkeys((3, 4), Habits(ring_seconds=1.5)),
    **dict.fromkeys((5, 6), Habits(ring_seconds=1.0, talk_seconds=4.0)),  # always in a hurry: they hang up first
}
"""How each agent works."""

CARRIER = {
    "+33639980001": Habit.ACCEPTS,  # the doctor
    "+33639980002": Habit.VOICEMAIL,  # the doctor on call, away
    **dict.fromkeys(("+33639980003", "+33639980004"), Habit.BUSY),  # the technicians, whoever is on duty
    "+33639980005": Habit.ACCEPTS,  # Monsieur Garnier
    "+442079460041": Habit.ANSWERS,  # the warehouse
}
"""What happens at the numbers that clients have us dial."""

MOREAU, LENOIR = "+33199000010", "+33199000020"
GARNIER, GARNIER_SECOND = "+33199000030", "+33199000031"
BRIGHTON, NOBODY = "+442079460040", "+33199009999"


@dataclass(frozen=True, kw_only=True)
class Story:
    """One caller: who, where to, what they do, and the row their call must become.

    `through` are nodes passed in that order (others may lie between them); `agents` are the ones who may have answered.
    """

    name: str
    does: str
    caller: CallerIdentity
    did: str
    script: tuple[Step, ...]
    client: str
    disposition: str
    through: tuple[str, ...] = ()
    agents: tuple[int, ...] = ()


def reached(*agents: int) -> UntilTone:
    """Until one of these agents is heard."""
    return UntilTone(tuple(voice_hertz(agent) for agent in agents))


def _caller(number: str, name: str) -> CallerIdentity:
    return CallerIdentity(number=number, name=name)


_GREETED = (UntilSound(), Wait(1.5))
_PERSON = UntilTone((VOICE_HERTZ,))
_AFTER_BEEP = (UntilTone(), UntilToneEnds(), Wait(0.2))
_FRENCH_MESSAGE = Speak(
    "Bonjour, ici Paul Mercier. Je voudrais déplacer notre rendez-vous de jeudi. Merci de me rappeler."
)
_ENGLISH_MESSAGE = Speak(
    "Hello, this is Mary Green. I would like to return a cookery book. Please call me back.", "en-gb"
)

STORIES = (
    Story(
        name="appointment",
        does="keys 2 during the greeting, talks to a secretary, hangs up",
        caller=_caller("+33612340001", "Claire Dubois"),
        did=MOREAU,
        script=(*_GREETED, Press("2"), reached(1, 2), Wait(3), HangUp()),
        client="cabinet-moreau",
        disposition="answered",
        through=("filter", "hours", "welcome", "secretaries"),
        agents=(1, 2),
    ),
    Story(
        name="urgent",
        does="keys 1; a voicemail answers but does not accept, the doctor does",
        caller=_caller("+33612340002", "Hugo Petit"),
        did=MOREAU,
        script=(*_GREETED, Press("1"), _PERSON, Wait(2), HangUp()),
        client="cabinet-moreau",
        disposition="redirected",
        through=("welcome", "urgent"),
    ),
    Story(
        name="type_ahead",
        does="knows the menu: keys 2 the moment the call is answered",
        caller=_caller("+33612340003", "Lucie Robert"),
        did=MOREAU,
        script=(Press("2"), reached(1, 2), Wait(2), HangUp()),
        client="cabinet-moreau",
        disposition="answered",
        through=("welcome", "secretaries"),
        agents=(1, 2),
    ),
    Story(
        name="vip",
        does="is known: no menu, served first",
        caller=_caller("+33612340007", "Pharmacie du Marché"),
        did=MOREAU,
        script=(reached(1, 2), Wait(2), HangUp()),
        client="cabinet-moreau",
        disposition="answered",
        through=("filter", "priority"),
        agents=(1, 2),
    ),
    Story(
        name="unwanted",
        does="calls from a surcharged number",
        caller=_caller("+33899123456", "Gagnez gros"),
        did=MOREAU,
        script=(),
        client="cabinet-moreau",
        disposition="rejected",
        through=("filter", "refuse"),
    ),
    Story(
        name="wrong_keys",
        does="keys 9 three times",
        caller=_caller("+33612340004", "Léon Faure"),
        did=MOREAU,
        script=(*_GREETED, Press("9"), Wait(2), Press("9"), Wait(2), Press("9"), reached(1, 2), Wait(2), HangUp()),
        client="cabinet-moreau",
        disposition="answered",
        through=("welcome", "secretaries"),
        agents=(1, 2),
    ),
    Story(
        name="silent",
        does="keys nothing at all",
        caller=_caller("+33612340005", "Odette Blanc"),
        did=MOREAU,
        script=(reached(1, 2), Wait(2), HangUp()),
        client="cabinet-moreau",
        disposition="answered",
        through=("welcome", "secretaries"),
        agents=(1, 2),
    ),
    Story(
        name="abandons",
        does="keys 2, loses patience and hangs up in the queue",
        caller=_caller("+33612340006", "Marc Henry"),
        did=MOREAU,
        script=(*_GREETED, Press("2"), Wait(1.2), HangUp()),
        client="cabinet-moreau",
        disposition="abandoned",
        through=("welcome", "secretaries"),
    ),
    Story(
        name="message",
        does="the office is closed: leaves a message, hangs up",
        caller=_caller("+33612340010", "Paul Mercier"),
        did=LENOIR,
        script=(*_AFTER_BEEP, _FRENCH_MESSAGE, HangUp()),
        client="etude-lenoir",
        disposition="message_left",
        through=("filter", "hours", "night", "take_message/ask"),
    ),
    Story(
        name="message_hash",
        does="the office is closed: leaves a message, ends it with #, hears the thanks",
        caller=_caller("+33612340012", "Paul Mercier"),
        did=LENOIR,
        script=(*_AFTER_BEEP, _FRENCH_MESSAGE, Press("#")),
        client="etude-lenoir",
        disposition="message_left",
        through=("night", "take_message/ask", "take_message/bye"),
    ),
    Story(
        name="left_early",
        does="hears that the office is closed and hangs up",
        caller=_caller("+33612340013", "Inès Roy"),
        did=LENOIR,
        script=(*_GREETED, HangUp()),
        client="etude-lenoir",
        disposition="left_early",
        through=("filter", "hours"),
    ),
    Story(
        name="withheld",
        does="hides the number, keys none in either: hears that the office is closed, leaves a message",
        caller=CallerIdentity(number="+33612340099", withheld=True),
        did=LENOIR,
        script=(*_AFTER_BEEP, _FRENCH_MESSAGE, HangUp()),
        client="etude-lenoir",
        disposition="message_left",
        through=("filter", "screening/ask", "hours", "night", "take_message/ask"),
    ),
    Story(
        name="vip_law",
        does="a known client: answered though the office is closed",
        caller=_caller("+33612340011", "Société Armor"),
        did=LENOIR,
        script=(reached(3), Wait(2), HangUp()),
        client="etude-lenoir",
        disposition="answered",
        through=("filter", "priority"),
        agents=(3,),
    ),
    Story(
        name="leak_paris",
        does="keys 75011#: the technician on duty is busy, the owner accepts",
        caller=_caller("+33612340014", "Nadia Amar"),
        did=GARNIER,
        script=(*_GREETED, Press("75011#"), _PERSON, Wait(2), HangUp()),
        client="plomberie-garnier",
        disposition="redirected",
        through=("welcome", "area", "onsite"),
    ),
    Story(
        name="leak_elsewhere",
        does="calls the second number and keys 92100: the team answers",
        caller=_caller("+33612340015", "Yann Le Goff"),
        did=GARNIER_SECOND,
        script=(*_GREETED, Press("92100"), reached(4), Wait(2), HangUp()),
        client="plomberie-garnier",
        disposition="answered",
        through=("welcome", "area", "dispatch"),
        agents=(4,),
    ),
    Story(
        name="opening_times",
        does="keys 1 and listens to the end",
        caller=_caller("+447700900001", "Alice Brown"),
        did=BRIGHTON,
        script=(*_GREETED, Press("1")),
        client="brighton-books",
        disposition="self_served",
        through=("welcome", "times"),
    ),
    Story(
        name="shop",
        does="keys 2; the agent hangs up first",
        caller=_caller("+447700900002", "Tom Hughes"),
        did=BRIGHTON,
        script=(*_GREETED, Press("2"), reached(5, 6)),
        client="brighton-books",
        disposition="answered",
        through=("welcome", "staff"),
        agents=(5, 6),
    ),
    Story(
        name="warehouse",
        does="keys 3 and is put through to the warehouse",
        caller=_caller("+447700900003", "Priya Patel"),
        did=BRIGHTON,
        script=(*_GREETED, Press("3"), _PERSON, Wait(2), HangUp()),
        client="brighton-books",
        disposition="redirected",
        through=("welcome", "warehouse"),
    ),
    Story(
        name="returns",
        does="keys 4: nobody sits there, leaves a message",
        caller=_caller("+447700900004", "Mary Green"),
        did=BRIGHTON,
        script=(*_GREETED, Press("4"), *_AFTER_BEEP, _ENGLISH_MESSAGE, Press("#")),
        client="brighton-books",
        disposition="message_left",
        through=("welcome", "returns", "take_message/ask"),
    ),
    Story(
        name="unknown",
        does="dials a number that no client has",
        caller=_caller("+33612340016", "Jean Perdu"),
        did=NOBODY,
        script=(),
        client="unknown-did",
        disposition="rejected",
    ),
)


def clock_shift_seconds(now: datetime) -> float:
    """From `now` to an ordinary Tuesday, 10:05 in Paris: surgery and shop are open, the law office is closed."""
    paris = ZoneInfo("Europe/Paris")
    day = now.astimezone(paris).date() + timedelta(days=1)
    while day.weekday() != 1 or _is_special(day):
        day += timedelta(days=1)
    return (datetime(day.year, day.month, day.day, 10, 5, tzinfo=paris).astimezone(UTC) - now).total_seconds()


def _is_special(day: date) -> bool:
    return day in holidays.country_holidays("FR") or day in holidays.country_holidays("GB", subdiv="ENG")

"""Values read aloud as lists of sounds: Asterisk's own in French and English, elsewhere figures spoken ahead. Pure.

Why not AGI's SAY commands: several of them in a row go on after the key that should have cut them short, and
each wants the channel's language set before. One Read over all the sounds (`commands.read`) stops at a key as every
prompt does, keys pressed ahead included, and survives a sound that is missing. The words and their order are those of
Asterisk's `say.c` (ast_say_number_full_fr, ast_say_number_full_en, ast_say_date_fr, ast_say_time_fr …); a name such as
`fr/digits/5` is found whatever the channel's language (`file.c`, fileexists_core tries it without one).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from callrouter.core.effects import ReadAs, Reading

FRENCH_DIGITS = 10
"""Of a number of the French plan, the 0 in front included."""


def sounds_of(reading: Reading) -> tuple[str, ...]:
    """The sounds that read a value, as Asterisk names them."""
    if reading.figures:
        return tuple(_spoken_ahead(reading.value, reading.figures))
    french = reading.language == "fr"
    match reading.read_as:
        case ReadAs.DIGITS:
            words = list(reading.value)
        case ReadAs.TELEPHONE:
            words = _in_pairs(reading.value) if french and len(reading.value) == FRENCH_DIGITS else list(reading.value)
        case ReadAs.NUMBER:
            words = _number(int(reading.value), french=french)
        case ReadAs.DATE:
            words = _date(date.fromisoformat(reading.value), french=french)
        case ReadAs.TIME:
            hour, _, minute = reading.value.partition(":")
            words = _french_time(int(hour), int(minute)) if french else _english_time(int(hour), int(minute))
    folder = "fr" if french else "en"
    return tuple(f"{folder}/digits/{word}" for word in words)


def _spoken_ahead(digits: str, figures: tuple[str, ...]) -> Iterator[str]:
    """Two figures a file; an odd one goes first."""
    odd = len(digits) % 2
    if odd:
        yield figures[int(digits[0])]
    for at in range(odd, len(digits), 2):
        yield figures[10 + int(digits[at : at + 2])]


def _in_pairs(digits: str) -> list[str]:
    """`zéro un, quarante, zéro zéro`: numbers of the French plan are said two digits at a time."""
    pairs = [digits[at : at + 2] for at in range(0, len(digits), 2)]
    return [word for pair in pairs for word in (list(pair) if pair[0] == "0" else _french(int(pair)))]


def _number(number: int, *, french: bool) -> list[str]:
    if number < 0:
        return ["minus", *_number(-number, french=french)]
    if number == 0:
        return ["0"]
    return _french(number) if french else _english(number)


def _french(number: int) -> list[str]:
    """`vingt et un`, `soixante et onze`, `quatre-vingt-onze`."""
    if number >= 1_000_000:
        return [*_french(number // 1_000_000), "million", *_rest(number % 1_000_000)]
    if number >= 1_000:
        thousands = [] if number < 2_000 else _french(number // 1_000)
        return [*thousands, "thousand", *_rest(number % 1_000)]
    if number >= 100:
        hundreds = [] if number < 200 else [str(number // 100)]
        return [*hundreds, "hundred", *_rest(number % 100)]
    if number >= 80:
        return ["80", *_rest(number - 80)]
    if number >= 70:
        return ["60", *(["et"] if number == 71 else []), *_french(number - 60)]
    if number > 20:
        tens, units = divmod(number, 10)
        return [str(tens * 10), *(["et"] if units == 1 else []), *_rest(units)]
    return [str(number)]


def _rest(number: int) -> list[str]:
    return _french(number) if number else []


def _english(number: int) -> list[str]:
    for size, word in ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = number % size
            return [*_english(number // size), word, *(_english(rest) if rest else [])]
    if number > 20:
        tens, units = divmod(number, 10)
        return [str(tens * 10), *([str(units)] if units else [])]
    return [str(number)]


def _date(day: date, *, french: bool) -> list[str]:
    """Weekday, day, month and year: `day-0` is Sunday, `mon-0` is January."""
    weekday, month = f"day-{day.isoweekday() % 7}", f"mon-{day.month - 1}"
    if french:
        return [weekday, *_french(day.day), month, *_french(day.year)]
    return [weekday, month, *_ordinal(day.day), *_english_year(day.year)]


def _ordinal(day: int) -> list[str]:
    if day <= 20 or day == 30:
        return [f"h-{day}"]
    return [str(day // 10 * 10), f"h-{day % 10}"]


def _english_year(year: int) -> list[str]:
    """`two thousand nine`, but `twenty twenty-six`."""
    if year % 1000 < 10 or not 1000 <= year <= 9999:
        return _english(year)
    century, rest = divmod(year, 100)
    if rest == 0:
        return [*_english(century), "hundred"]
    return [*_english(century), *(["oh"] if rest < 10 else []), *_english(rest)]


def _french_time(hour: int, minute: int) -> list[str]:
    """`quatorze heures trente`; French Asterisk calls `heures` oclock. Hours and minutes are feminine: but the sounds
    have no `une`, and a missing one would be left out: `un` is said.
    """
    return [*_number(hour, french=True), "oclock", *(_french(minute) if minute else [])]


def _english_time(hour: int, minute: int) -> list[str]:
    """`two thirty p.m.`, `nine oh five a.m.`, `ten o'clock a.m.`."""
    half = "p-m" if hour >= 12 else "a-m"
    minutes = ["oh", str(minute)] if minute < 10 else _english(minute)
    return [*_english(hour % 12 or 12), *(minutes if minute else ["oclock"]), half]

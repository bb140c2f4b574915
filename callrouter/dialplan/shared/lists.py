"""Lists of callers, of one client or of all, from what the documents write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from callrouter.core import numbers
from callrouter.core.call import WITHOUT_NUMBER, Presentation
from callrouter.core.numbers import ANONYMOUS, CallerList
from callrouter.dialplan.issues import Issue, Severity, closest, shown
from callrouter.dialplan.language.reader import Document

_WITHOUT_NUMBER: Mapping[str, Presentation] = {
    **{one.value: one for one in WITHOUT_NUMBER},
    ANONYMOUS: Presentation.WITHHELD,
}
"""Entries that are no numbers; `anonymous` is what `withheld` was called."""

OTHERWISE = "otherwise"
"""Where callers go whom no list holds: no list can be called so."""


class WrongEntry(Struct, frozen=True, kw_only=True):
    """An entry of a list that is wrong, or unwise: what, where in the list, and what was probably meant."""

    message: str
    path: tuple[int, ...] = ()
    suggestion: str = ""
    name: str = ""
    """Of a warning, what a file may accept it by."""


def caller_list(name: str, entries: tuple[str, ...], country: str) -> tuple[CallerList, list[WrongEntry]]:
    """The list, and what is wrong with it; national numbers are those of a country."""
    whole: set[str] = set()
    beginnings: list[str] = []
    without_number: set[Presentation] = set()
    wrong = [WrongEntry(message=f'"{OTHERWISE}" cannot be the name of a list')] if name == OTHERWISE else []
    for index, entry in enumerate(entries):
        if entry in _WITHOUT_NUMBER:
            without_number.add(_WITHOUT_NUMBER[entry])
        elif entry.endswith("*"):
            found = numbers.prefixes(entry.removesuffix("*"), country)
            beginnings.extend(found)
            if not found:
                message = f'{shown(entry)} is no beginning of a number: write "08*" or "+338*"'
                wrong.append(WrongEntry(message=message, path=(index,)))
        elif (number := numbers.written(entry, country)) is not None:
            whole.add(number)
            if message := unlikely(number):
                wrong.append(WrongEntry(message=message, path=(index,), name="unlikely-number"))
        else:
            message = f"{shown(entry)} {numbers.wrong_number(entry, country)}"
            wrong.append(WrongEntry(message=message, path=(index,), suggestion=closest(entry, _WITHOUT_NUMBER)))
    made = CallerList(
        name=name, numbers=frozenset(whole), prefixes=tuple(beginnings), without_number=frozenset(without_number)
    )
    return made, wrong


def unlikely(number: str) -> str:
    """What is unwise about a number in E.164, or an empty string."""
    if numbers.was_given_out(number):
        return ""
    return f"{number} is no number that an operator of its country could have given out: is a digit wrong?"


def shared_lists(
    written: Mapping[str, tuple[str, ...]], document: Document, country: str
) -> tuple[dict[str, CallerList], list[Issue]]:
    """The lists that all clients may ask, and what is wrong with them; one with an error is left out."""
    found: dict[str, CallerList] = {}
    issues: list[Issue] = []
    for name, entries in written.items():
        made, wrong = caller_list(name, entries, country)
        issues.extend(_issues(name, wrong, document))
        if all(one.name for one in wrong):
            found[name] = made
    return found, issues


def _issues(name: str, wrong: list[WrongEntry], document: Document) -> Iterator[Issue]:
    for one in wrong:
        yield Issue(
            file=document.file,
            line=document.line("lists", name, *one.path),
            field=".".join(("lists", name, *map(str, one.path))),
            message=f"list {shown(name)}: {one.message}",
            suggestion=one.suggestion,
            severity=Severity.WARNING if one.name else Severity.ERROR,
            name=one.name,
        )

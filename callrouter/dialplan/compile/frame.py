"""The frame of a client's tree: its zone and languages, on which all else stands, and what its nodes can name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from phonenumbers import SUPPORTED_REGIONS

from callrouter.core import numbers
from callrouter.core.call import replace
from callrouter.core.dialling import Dialling
from callrouter.core.numbers import CallerList
from callrouter.core.schedule import Schedule
from callrouter.core.transfers.targets import TransferRules
from callrouter.dialplan.compile.delivery import policies_of
from callrouter.dialplan.compile.forms import asked_by
from callrouter.dialplan.compile.preferences import preferences_of
from callrouter.dialplan.documents.calendar import hours_called
from callrouter.dialplan.documents.client_file import ClientFile
from callrouter.dialplan.documents.drafts import Draft
from callrouter.dialplan.issues import Severity, closest, shown
from callrouter.dialplan.language import timezones
from callrouter.dialplan.language.bounds import unusual
from callrouter.dialplan.language.languages import LANGUAGES
from callrouter.dialplan.scope import NameScope
from callrouter.dialplan.shared import hours
from callrouter.dialplan.shared.almanac import Almanac
from callrouter.dialplan.shared.dialling import allowance
from callrouter.dialplan.shared.lists import caller_list, unlikely
from callrouter.dialplan.shared.people import Person, people
from callrouter.dialplan.shared.reading import Shared
from callrouter.dialplan.sounds import SoundSource

UNKNOWN_CLIENT = "unknown-did"
"""Client of the calls nobody's numbers hold."""


def scope_of(drafted: Draft, file: ClientFile, shared: Shared, sounds: SoundSource) -> NameScope:
    """What the client is compiled with; nothing is named yet."""
    country = (file.country or timezones.country_of(file.timezone, shared.country)).upper()
    return NameScope(
        document=drafted.document,
        shared=shared,
        sounds=sounds,
        name=file.name or file.client,
        country=country,
        language=file.language,
        timezone=file.timezone,
        first_language=file.language,
        written={*file.nodes, *drafted.broken},
    )


def languages_of(file: ClientFile) -> tuple[str, ...]:
    """The client's languages, the first one first."""
    return tuple(dict.fromkeys((file.language, *file.languages)))


def check_frame(scope: NameScope, file: ClientFile) -> bool:
    """What everything else stands on; without it nothing more is compiled."""
    before = len(scope.issues)
    if file.client == UNKNOWN_CLIENT:
        scope.fail(f"client: {shown(file.client)} is kept for calls to numbers no client has", "client")
    _check_former_names(scope, file)
    if not timezones.known_timezone(file.timezone):
        meant = timezones.closest_timezone(file.timezone)
        scope.fail(f"timezone: {shown(file.timezone)} is no time zone", "timezone", suggestion=meant)
    if file.language not in LANGUAGES:
        meant = closest(file.language, LANGUAGES)
        known = "" if meant else ': write its code, such as "fr", "en", "de" or "es"'
        scope.fail(f"language: {shown(file.language)} is not spoken here{known}", "language", suggestion=meant)
    for index, language in enumerate(file.languages):
        if language not in LANGUAGES:
            meant = closest(language, LANGUAGES)
            scope.fail(f"languages: {shown(language)} is not spoken here", "languages", index, suggestion=meant)
    if file.languages and file.language not in file.languages:
        scope.fail(f"languages: {shown(file.language)}, the client's first language, is missing", "languages")
    if scope.country not in SUPPORTED_REGIONS:
        scope.fail(f'country: {shown(scope.country)} is no country: write an ISO code such as "FR"', "country")
    return len(scope.issues) == before


def _check_former_names(scope: NameScope, file: ClientFile) -> None:
    """What one file can say of its earlier names; whether another file has one of them, the folder says."""
    for index, name in enumerate(file.formerly):
        if name == file.client:
            scope.fail(f"formerly: {shown(name)} is the client's present name", "formerly", index)
        elif name == UNKNOWN_CLIENT:
            scope.fail(f"formerly: {shown(name)} is kept for calls to numbers no client has", "formerly", index)
        elif name in file.formerly[:index]:
            scope.fail(f"formerly: {shown(name)} stands here twice", "formerly", index)


def named(scope: NameScope, file: ClientFile, today: date) -> NameScope:
    """The scope with what the client's nodes name; findings go to the list that both share."""
    contacts, wrong = people(file.contacts, scope.document, scope.country)
    scope.issues.extend(wrong)
    for key, odd, warning in unusual(file.service_level):
        scope.fail(f"service_level: {odd}", "service_level", key, name=warning)
    _check_given_out(scope, contacts)
    own, wrong = allowance(file.dialling, scope.document, scope.country)
    scope.issues.extend(wrong)
    general = _general(scope.shared.dialling, scope.country)
    found = replace(
        scope,
        almanac=_almanac(scope, file, today),
        schedules=_schedules(scope, file, today),
        numbers=numbers_of(scope, file),
        today=today,
        priority=file.priority,
        lists=_lists(scope, file),
        contacts=contacts,
        preferences=preferences_of(scope, file) if file.agents else {},
        dialling=general.plus(countries=own.countries, prefixes=own.prefixes) if own != Dialling() else general,
    )
    # Steps name what is found above, and forms name policies.
    if file.delivery:
        found = replace(found, policies=policies_of(found, file))
    return replace(found, forms=asked_by(found, file)) if file.forms else found


def _check_given_out(scope: NameScope, contacts: Mapping[str, Person]) -> None:
    """Warn of contacts whose number nobody could have: a digit was mistaken."""
    for name, person in contacts.items():
        if person.number is not None and (wrong := unlikely(person.number)):
            scope.fail(f"contact {shown(name)}: {wrong}", "contacts", name, "number", name="unlikely-number")


@lru_cache(maxsize=64)
def _general(shared: Dialling, country: str) -> Dialling:
    """What all clients of a country may have dialled."""
    return shared.plus(countries=(country,))


def _almanac(scope: NameScope, file: ClientFile, today: date) -> Almanac:
    """The holidays that the client's hours keep; where they keep none, those of its country."""
    calendars = (scope.shared.calendars.get(block.calendar or "") for block in file.hours.values())
    kept = (block.holidays for block in (*file.hours.values(), *calendars) if block)
    codes = tuple(dict.fromkeys(code.strip() for of_block in kept for code in of_block))
    return Almanac(codes=codes or (scope.country,), year=today.year)


def _schedules(scope: NameScope, file: ClientFile, today: date) -> Mapping[str, Schedule]:
    found: dict[str, Schedule] = {}
    for written, block in file.hours.items():
        name = hours_called(written)
        calendar = scope.shared.calendars.get(block.calendar) if block.calendar else None
        if block.calendar and calendar is None:
            scope.calendar(block.calendar, "hours", written, "calendar")
        if block.calendar in scope.shared.bad_calendars:
            mend = f"calendar {shown(block.calendar)} cannot be used: mend it in shared/calendars.yaml first"
            scope.fail(mend, "hours", written, "calendar")
        wrong: list[hours.WrongHours] = []
        # The name is known whatever is wrong: nodes that use it are not blamed.
        found[name] = hours.schedule(
            name,
            block,
            scope.timezone,
            scope.language,
            today,
            country=scope.country,
            wrong=wrong,
            calendar=calendar,
        )
        for one in wrong:
            scope.fail(f"hours.{one.place}: {one.message}", "hours", written, *one.path)
    return found


def _lists(scope: NameScope, file: ClientFile) -> Mapping[str, CallerList]:
    """The shared lists, and the client's own, which stand instead of shared ones of their names."""
    if not file.lists:
        return scope.shared.lists
    found = dict(scope.shared.lists)
    for name, entries in file.lists.items():
        if name in scope.shared.lists:
            instead = f"lists.{name}: stands instead of the list of that name in shared/lists.yaml"
            scope.fail(instead, "lists", name, severity=Severity.NOTE)
        made, wrong = caller_list(name, entries, scope.country)
        for one in wrong:
            scope.fail(
                f"lists.{name}: {one.message}", "lists", name, *one.path, suggestion=one.suggestion, name=one.name
            )
        found[name] = made
    return found


def numbers_of(scope: NameScope, file: ClientFile) -> tuple[str, ...]:
    """The numbers callers dial, in E.164."""
    found: dict[str, int] = {}
    for index, written in enumerate(file.numbers):
        number = numbers.written(written, scope.country)
        if number is None:
            wrong = f"numbers: {shown(written)} {numbers.wrong_number(written, scope.country)}"
            scope.fail(wrong, "numbers", index)
        elif number in numbers.EMERGENCY:
            scope.fail(f"numbers: {shown(written)} is an emergency number: no client has it", "numbers", index)
        elif number in found:
            scope.fail(f"numbers: {shown(written)} stands here twice (first on line {found[number]})", "numbers", index)
        else:
            found[number] = scope.document.line("numbers", index)
            if wrong := unlikely(number):
                scope.fail(f"numbers: {wrong}", "numbers", index, name="unlikely-number")
    return tuple(found)


def transfer_rules(scope: NameScope) -> TransferRules:
    """Whom the client's callers may be given to: its contacts, the shared ones, and what it may have dialled."""
    people_of_all = {**scope.shared.contacts, **scope.contacts}
    numbers_by_name = {name: person.number for name, person in people_of_all.items() if person.number is not None}
    return TransferRules(contacts=numbers_by_name, dialling=scope.dialling, own=scope.numbers, region=scope.country)

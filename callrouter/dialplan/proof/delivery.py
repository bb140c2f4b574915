"""Delivery: an urgent message that comes in the coming two weeks must reach somebody by two ways, whenever it comes."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from msgspec import Struct

from callrouter.core.dispatch import Course, Means, Step, is_closed
from callrouter.core.forms import FieldType
from callrouter.core.rota import Contact, Rota, Turns
from callrouter.core.schedule import Schedule
from callrouter.dialplan.documents.client_file import ClientFile
from callrouter.dialplan.documents.delivery import PolicyBlock, StepBlock
from callrouter.dialplan.issues import Severity, errors, shown
from callrouter.dialplan.language.words import CALLED, listed
from callrouter.dialplan.proof.graph import Tree
from callrouter.dialplan.proof.reached import Channels, Directory, Timetable, pieces
from callrouter.dialplan.scope import NameScope
from callrouter.dialplan.shared.people import Person

LEAST_CHANNELS = 2
"""One mailbox is full, one telephone is off."""

_YEAR_DAYS = 366
_A_DAY = timedelta(days=1)

_IS_WRITTEN = {Means.EMAIL: "email", Means.SMS: "number", Means.WEBHOOK: "url", Means.PHONE: "number"}
"""The key of a contact that the means need."""

Path = tuple[str | int, ...]


class _Going(Struct, frozen=True, kw_only=True):
    """A course of a policy, as it is written and as it was compiled."""

    policy: str
    key: str
    """Under which its steps are written: `urgent` or `ordinary`."""
    urgent: bool
    blocks: Sequence[StepBlock]
    course: Course
    last: str = ""
    """Contact who is told where nobody is on call, as the document names them."""

    @property
    def called(self) -> str:
        """What begins a sentence about it."""
        as_ordinary = " (as ordinary, for nothing else is written)" if self.urgent and self.key == "ordinary" else ""
        return f"policy {shown(self.policy)}, {'urgent' if self.urgent else 'ordinary'}{as_ordinary}"

    def at(self, step: int, *path: str | int) -> Path:
        """The place of a step, or of a part of it."""
        return ("delivery", self.policy, self.key, step, *path)

    def step(self, index: int) -> str:
        """A step, at the beginning of a sentence."""
        return f"{self.called}, step {index + 1}" if len(self.blocks) > 1 else self.called


class _Ahead(Struct, frozen=True, kw_only=True):
    """The time that is looked at."""

    today: date
    days: int
    zone: ZoneInfo
    directory: Directory

    @property
    def since(self) -> datetime:
        """The midnight before, by the client's clock."""
        return datetime.combine(self.today, time(), self.zone).astimezone(UTC)

    @property
    def until(self) -> datetime:
        """The midnight after the last day."""
        return datetime.combine(self.today + self.days * _A_DAY, time(), self.zone).astimezone(UTC)

    def clock(self, at: datetime) -> str:
        """An instant for a person."""
        return f"{at.astimezone(self.zone):%a %Y-%m-%d %H:%M}"


def check_delivery(scope: NameScope, file: ClientFile, tree: Tree, today: date) -> None:
    """Each policy of the client's, and those forms whose messages may be urgent though nobody has said what becomes of
    such."""
    if file.delivery:
        ahead = _Ahead(
            today=today, days=scope.shared.days_ahead, zone=ZoneInfo(scope.timezone), directory=_directory(scope, file)
        )
        for name, block in file.delivery.items():
            _check_policy(scope, name, block, ahead)
    _check_forms(scope, file)
    if tree.complete:
        for name in file.delivery:
            if name not in scope.named_for:
                wrong = f"policy {shown(name)} is named by no form and no node: take it out, or write deliver: {name}"
                scope.fail(wrong, "delivery", name, name="idle-policy")


def _directory(scope: NameScope, file: ClientFile) -> Directory:
    steps = (step for block in file.delivery.values() for step in (*block.urgent, *block.ordinary))
    named = {name: scope.whom(name) for step in steps for name in step.to}
    own = {name: person.reach for name, person in scope.contacts.items()}
    return Directory(
        people={**scope.shared.people, **own},
        on_call=scope.shared.people,
        rotas={name: whom for name, whom in named.items() if isinstance(whom, Rota)},
    )


def _check_forms(scope: NameScope, file: ClientFile) -> None:
    """Forms whose messages may be urgent must have a policy where there are any; else that is advice, for what is right
    otherwise."""
    if not file.delivery and errors(scope.issues):
        return
    for name, block in file.forms.items():
        person = scope.contacts.get(block.deliver) or scope.shared.contacts.get(block.deliver)
        urgent = any(one.type == FieldType.URGENCY for one in block.fields.values())
        if not urgent or person is None or block.deliver in scope.policies or len(person.reach.means) >= LEAST_CHANNELS:
            continue
        by = listed([CALLED[means] for means in person.reach.means])
        told = f"is told once, by {by} alone" if by else "is told of none by itself"
        wrong = f"form {shown(name)}: its messages may be urgent, and {shown(block.deliver)} {told}"
        if file.delivery:
            scope.fail(f"{wrong}: name a policy of delivery", "forms", name, "deliver")
        else:
            mend = 'a policy under "delivery" tells somebody by several ways until they acknowledge'
            scope.fail(f"{wrong}: {mend}", "forms", name, "deliver", severity=Severity.NOTE)


def _check_policy(scope: NameScope, name: str, block: PolicyBlock, ahead: _Ahead) -> None:
    policy, last = scope.policies[name], block.last or ""
    urgent, key = (block.urgent, "urgent") if block.urgent else (block.ordinary, "ordinary")
    going = _Going(policy=name, key=key, urgent=True, blocks=urgent, course=policy.urgent, last=last)
    before = len(errors(scope.issues))
    _check_last(scope, name, block, ahead)
    _check_waits(scope, going)
    _check_addresses(scope, going, ahead)
    _check_on_call(scope, going, ahead)
    # Whatever is wrong so far leaves somebody out, as a name does that nobody has.
    if len(errors(scope.issues)) == before and _is_known(going):
        _check_reached(scope, going, ahead)
    if block.urgent and block.ordinary:
        going = _Going(
            policy=name, key="ordinary", urgent=False, blocks=block.ordinary, course=policy.ordinary, last=last
        )
        _check_addresses(scope, going, ahead)
        _check_told(scope, going, ahead)
    if block.confidential:
        _check_confidential(scope, name, block)
        _check_openings(scope, name, block, ahead)


def _is_known(going: _Going) -> bool:
    """Whether everybody whom a course names is somebody."""
    steps = zip(going.blocks, going.course.steps, strict=True)
    return all(len(block.to) == len(step.to) for block, step in steps)


# What is written


def _check_waits(scope: NameScope, going: _Going) -> None:
    """An urgent message waits for nobody's hour, and each step of it for an answer before another one is to begin."""
    without = "take it out" if going.key == "urgent" else 'write what becomes of urgent messages, under "urgent"'
    last = len(going.blocks) - 1
    for index, block in enumerate(going.blocks):
        if block.at:
            wrong = f"{going.step(index)}: waits for a time of day, and an urgent message waits for none"
            scope.fail(f"{wrong}: {without}", *going.at(index, "at"))
        if block.hours is not None:
            wrong = f"{going.step(index)}: waits for hours, and an urgent message waits for none"
            scope.fail(f"{wrong}: {without}", *going.at(index, "hours"))
        if block.wait is None and (index < last or going.course.repeat):
            follows = f"step {index + 2} follows" if index < last else "the steps begin again"
            wrong = f"{going.step(index)}: waits for no acknowledgement, though {follows}"
            scope.fail(f"{wrong}: write how long, as in wait: 10m", *going.at(index))
        elif block.wait is None and going.key == "urgent":
            said = f"{going.step(index)}: no acknowledgement is waited for: the message is done once somebody is told"
            mend = "with a wait it stands on the agents' list if nobody acknowledges"
            scope.fail(f"{said}; {mend}", *going.at(index), severity=Severity.NOTE)


def _check_addresses(scope: NameScope, going: _Going, ahead: _Ahead) -> None:
    """Whoever is told must have an address for each of the means, or one that costs nothing where none are written."""
    for index, block in enumerate(going.blocks):
        for place, name in enumerate(block.to):
            for who, person in _persons(scope, name, ahead.today):
                if wrong := _lacking(block, who, person):
                    scope.fail(f"{going.step(index)}: {wrong}", *going.at(index, "to", place))
        last = scope.whom(going.last) if any(name in ahead.directory.rotas for name in block.to) else None
        if isinstance(last, Person) and (wrong := _lacking(block, f"contact {shown(going.last)}", last)):
            scope.fail(f"{going.step(index)}: {wrong}", "delivery", going.policy, "last")


def _check_last(scope: NameScope, name: str, block: PolicyBlock, ahead: _Ahead) -> None:
    """Whoever stands in for rotas needs one to stand in for."""
    steps = (*block.urgent, *block.ordinary)
    if block.last is not None and not any(one in ahead.directory.rotas for step in steps for one in step.to):
        wrong = f"policy {shown(name)}: last is told where a rota has nobody, and its steps name no rota"
        scope.fail(f"{wrong}: take it out, or name them in a step", "delivery", name, "last")


def _lacking(block: StepBlock, who: str, person: Person) -> str:
    """What a person lacks to be told by the means of a step, and the mend; nothing: they have it all."""
    reach = person.reach
    if not block.by:
        mend = f"write by: sms, or an address ({person.source})" if reach.number else f"write one ({person.source})"
        return "" if reach.means else f"{who} has neither email nor url: {mend}"
    missing = [means for means in map(Means, block.by) if not reach.address(means)]
    if not missing:
        return ""
    keys = listed([*dict.fromkeys(_IS_WRITTEN[means] for means in missing)], "or")
    words = listed([str(means) for means in missing])
    return f"{who} has no {keys} to be told by {words}: write it ({person.source}), or name other means"


def _persons(scope: NameScope, name: str, today: date) -> Iterator[tuple[str, Person]]:
    """A contact, or all who may be on call from today on by a rota, with what a person calls them."""
    whom = scope.whom(name)
    if isinstance(whom, Rota):
        for one in coming(whom, today):
            if person := scope.shared.contacts.get(one.name):
                yield f"{shown(one.name)}, whom rota {shown(name)} names,", person
    elif whom is not None:
        yield f"contact {shown(name)}", whom


def coming(rota: Rota, today: date) -> tuple[Contact, ...]:
    """Everybody whom a rota may have on call from a day on, each once; who was on call in the past does not matter."""
    turns = (rota.turns, *(shift.turns for shift in rota.shifts))
    days = (one.people for one in rota.exceptions if one.last >= today - _A_DAY)
    parts = (one.people for one in rota.swaps if one.ends.date() >= today)
    return tuple(dict.fromkeys(chain(*(_coming(one, today) for one in turns), *days, *parts)))


def _coming(turns: Turns, today: date) -> Iterator[Contact]:
    weeks = (people for monday, people in turns.weeks.items() if monday >= today - 14 * _A_DAY)
    return chain(*turns.cycle, *weeks)


def _check_confidential(scope: NameScope, name: str, block: PolicyBlock) -> None:
    """Say what a machine is sent of what nobody else is to read."""
    for key, steps in (("urgent", block.urgent), ("ordinary", block.ordinary)):
        for index, step in enumerate(steps):
            if Means.WEBHOOK in step.by:
                said = (
                    f"policy {shown(name)} is confidential: its webhooks get the ids of message and call, the client,"
                )
                rest = "times and the link, and nothing of what the caller said"
                scope.fail(f"{said} {rest}", "delivery", name, key, index, "by", severity=Severity.NOTE)
                return


# What opens a confidential message


def _check_openings(scope: NameScope, name: str, block: PolicyBlock, ahead: _Ahead) -> None:
    """Whoever is sent a link to what is confidential must be able to open it; `last` too, where a rota has nobody."""
    blamed: set[str] = set()
    for step, called, path in _links(scope, block):
        for who, person in _persons(scope, called, ahead.today):
            closed = [means for means in _means_of(step, person) if is_closed(person.reach, means)]
            if closed and person.name not in blamed:
                blamed.add(person.name)
                wrong = f"policy {shown(name)} is confidential: {_unopened(who, person, closed)}"
                scope.fail(wrong, "delivery", name, *path)


def _links(scope: NameScope, block: PolicyBlock) -> Iterator[tuple[StepBlock, str, tuple[str | int, ...]]]:
    """Names of those who are told, each with the step, and where it stands."""
    for key, steps in (("urgent", block.urgent), ("ordinary", block.ordinary)):
        for index, step in enumerate(steps):
            for place, called in enumerate(step.to):
                yield step, called, (key, index, "to", place)
            if block.last is not None and any(isinstance(scope.whom(called), Rota) for called in step.to):
                yield step, block.last, ("last",)


def _means_of(step: StepBlock, person: Person) -> tuple[Means, ...]:
    """By which a step sends somebody a link; a telephone is read none."""
    by = (means for means in map(Means, step.by or person.reach.means) if means is not Means.PHONE)
    return tuple(means for means in by if person.reach.address(means))


def _unopened(who: str, person: Person, closed: Sequence[Means]) -> str:
    """What somebody lacks to open their links, and how that is mended."""
    by = listed([CALLED[means] for means in closed])
    lacks = "an email" if Means.SMS in closed else "a mobile number"
    if Means.WEBHOOK in closed:
        lacks = "a mobile number or an email"
    wrong = f"{who} is sent a link by {by}, and has neither a PIN that opens it nor {lacks} for a code"
    return f"{wrong}: write pin: env:NAME, or {lacks} ({person.source})"


# Who is on call


def _check_on_call(scope: NameScope, going: _Going, ahead: _Ahead, passed: Container[int] = ()) -> None:
    """Whoever is told by rota must be there, unless a contact who follows always is; steps `passed` are left out."""
    for index, place, name, rota in _rotas(going, ahead):
        here = going.at(index, "to", place)
        if (ends := _end(rota, ahead)) is not None:
            wrong = f"{going.step(index)}: rota {shown(name)} has nobody from {ahead.clock(ends)} on"
            scope.fail(f"{wrong}: write who follows in shared/calendars.yaml", *here, dated=True)
        elif index not in passed and not going.last and not _contact_from(going, index, ahead):
            instants = _beginnings(scope, going.course.steps[index], ahead)
            if (gone := next((at for at in instants if not rota.at(at)), None)) is not None:
                wrong = f"{going.step(index)}: nobody is on call by rota {shown(name)} {_when(rota, gone, ahead)}"
                mend = "write who is, in shared/calendars.yaml, or a contact who is told then, with last"
                scope.fail(f"{wrong}: {mend}", *here, dated=True)
            elif week := _last_week(rota):
                wrong = f"{going.step(index)}: rota {shown(name)} is written until {week}, and nobody is told after it"
                scope.fail(f"{wrong}: name a contact who is told then, with last", *here)


def _end(rota: Rota, ahead: _Ahead) -> datetime | None:
    """From when on, within the days ahead, a rota has nobody for as many days again; None: it goes on."""
    table = Timetable(rota=rota, since=ahead.since, until=ahead.until + ahead.days * _A_DAY)
    gaps = (first for first, last in table.gaps() if last - first >= ahead.days * _A_DAY)
    return next((first for first in gaps if first < ahead.until), None)


def _last_week(rota: Rota) -> str:
    """The last one that is written of turns that have no cycle to go on; empty: they go on."""
    ending = (one for one in (rota.turns, *(shift.turns for shift in rota.shifts)) if one.weeks and not one.cycle)
    last = min((max(one.weeks) for one in ending), default=None)
    return f"{last:%G-W%V}" if last else ""


def _when(rota: Rota, gone: datetime, ahead: _Ahead) -> str:
    """Until when nobody is on call from an instant on, for a person."""
    table = Timetable(rota=rota, since=gone, until=ahead.until + ahead.days * _A_DAY)
    return f"from {ahead.clock(gone)} to {ahead.clock(next(last for _, last in table.gaps()))}"


def _rotas(going: _Going, ahead: _Ahead) -> Iterator[tuple[int, int, str, Rota]]:
    """The rotas of a course, each where it first stands: step, place, name."""
    told: set[str] = set()
    for index, block in enumerate(going.blocks):
        for place, name in enumerate(block.to):
            if (rota := ahead.directory.rotas.get(name)) is not None and name not in told:
                told.add(name)
                yield index, place, name, rota


def _contact_from(going: _Going, index: int, ahead: _Ahead) -> bool:
    """Whether a step, or one after it, tells a contact by name."""
    following = (name for block in going.blocks[index:] for name in block.to)
    return any(name not in ahead.directory.rotas for name in following)


def _check_reached(scope: NameScope, going: _Going, ahead: _Ahead) -> None:
    """At every minute an urgent message that comes must reach somebody by two channels."""
    for piece in pieces(going.course, ahead.directory, ahead.since, ahead.until, going.last):
        if len(piece.channels) < LEAST_CHANNELS:
            by_rota = any(True for _ in _rotas(going, ahead))
            when = f" that comes on {ahead.clock(piece.begins)}" if by_rota else ""
            wrong = f"policy {shown(going.policy)}: an urgent message{when} {_reaches(piece.channels)}"
            mend = "tell somebody else too, or by other means, in the same step or in one more"
            if going.key == "ordinary":
                mend = 'write who is told of such under "urgent", by two ways'
            scope.fail(f"{wrong}: {mend}", "delivery", going.policy, going.key, dated=by_rota)
            return


def _reaches(channels: Channels) -> str:
    for name, means in channels.values():
        return f"reaches {shown(name)} by {CALLED[means]}, and that is all"
    return "reaches nobody"


# Who is told of what is not urgent


def _check_told(scope: NameScope, going: _Going, ahead: _Ahead) -> None:
    """Every step must be one that begins some day, and tells somebody then."""
    wrong = {index: found for index in range(len(going.blocks)) if (found := _never(scope, going, index, ahead))}
    if len(wrong) == len(going.blocks):
        because = "; ".join(dict.fromkeys(why for why, _, _ in wrong.values()))
        dated = any(by_time for _, _, by_time in wrong.values())
        message = f"policy {shown(going.policy)}: nobody is ever told of its ordinary messages ({because})"
        mend = "write a step that tells somebody, some time"
        scope.fail(f"{message}: {mend}", "delivery", going.policy, going.key, dated=dated)
        return
    for index, (why, path, by_time) in wrong.items():
        scope.fail(f"{going.step(index)}: never begins ({why}): take it out", *going.at(index, *path), dated=by_time)
    _check_on_call(scope, going, ahead, passed=wrong)


def _never(scope: NameScope, going: _Going, index: int, ahead: _Ahead) -> tuple[str, Path, bool] | None:
    """Why a step never tells anybody, the part of it that says so, and whether time brought that about."""
    step = going.course.steps[index]
    schedule = scope.schedules.get(step.hours) if step.hours else None
    if schedule is not None and not _opens(schedule, ahead.today):
        return f"hours {shown(step.hours)} never open", ("hours",), bool(schedule.exceptions)
    instants = [*_beginnings(scope, step, ahead)]
    if instants and step.to and not any(ahead.directory.told(step, at, going.last) for at in instants):
        rotas = [name for name in step.to if name in ahead.directory.rotas]
        if rotas:
            return f"rota {shown(rotas[0])} has nobody on call then, in the coming {ahead.days} days", ("to",), True
    return None


def _opens(schedule: Schedule, today: date) -> bool:
    """Whether hours hold any time of the coming year."""
    return any(schedule.open_parts(today + days * _A_DAY) for days in range(_YEAR_DAYS))


def _beginnings(scope: NameScope, step: Step, ahead: _Ahead) -> Iterator[datetime]:
    """Instants within the days ahead at which a step may begin, in order: its times of day, or, while hours are open,
    each at which somebody else may be on call."""
    if step.at:
        days = (ahead.today + days * _A_DAY for days in range(ahead.days))
        yield from (datetime.combine(day, clock, ahead.zone).astimezone(UTC) for day in days for clock in step.at)
        return
    rotas = (ahead.directory.rotas[name] for name in step.to if name in ahead.directory.rotas)
    tables = (Timetable(rota=rota, since=ahead.since, until=ahead.until) for rota in rotas)
    found = {ahead.since, *chain.from_iterable(table.instants for table in tables)}
    schedule = scope.schedules.get(step.hours) if step.hours else None
    if schedule is not None:
        zone = ZoneInfo(schedule.timezone)
        for day in (ahead.today + days * _A_DAY for days in range(ahead.days)):
            openings = (datetime.combine(day, part.start, zone).astimezone(UTC) for part in schedule.open_parts(day))
            found.update(openings)
    yield from (at for at in sorted(found) if schedule is None or schedule.at(at).open)

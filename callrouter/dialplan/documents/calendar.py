"""Hours, calendars and rotas as the documents write them: texts that can be read, not yet schedules."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, WithJsonSchema, model_validator

from callrouter.dialplan.issues import shown
from callrouter.dialplan.language import values
from callrouter.dialplan.language.fields import (
    Before,
    Block,
    DateRanges,
    Dates,
    DatesOrPart,
    Line,
    Name,
    Names,
    OneOrMany,
    Texts,
    as_list,
    as_mapping,
    missing_key,
)

HOURS_KEYS = ("open", "holidays", "closed", "exceptions", "calendar")
UNNAMED_HOURS = "(hours)"
"""Stands for the name of the one set of hours that has none: no document can write it."""

ONLY_HOURS = "open"
"""What a client's hours are called in its plan when there is one set of them, without a name."""


def hours_called(written: str) -> str:
    """The name in the plan of a set of hours as it is written."""
    return ONLY_HOURS if written == UNNAMED_HOURS else written


def _checked(check: Any) -> Before:
    """Keeps the text, once `check` has found that it can be read."""

    def validate(value: object) -> object:
        check(value)
        return value

    return Before(validate)


def named_hours(value: object) -> object:
    """The one unnamed set of hours as a set with a name."""
    if isinstance(value, dict) and any(key in HOURS_KEYS for key in value):
        for key in HOURS_KEYS:
            inner = value.get(key)
            if isinstance(inner, dict) and any(one in HOURS_KEYS for one in inner):
                raise ValueError(
                    f"no set of hours can be called {shown(key)}, a word of the hours: give it another name"
                )
        return {UNNAMED_HOURS: value}
    return value


def _hours_name(value: object) -> object:
    return value if value == UNNAMED_HOURS else values.name(value)


def _week_name(value: object) -> str:
    values.iso_week(value)
    return values.text(value)


class OrOneSet:
    """Lets editors accept a client's only set of hours without a name."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """One set, or several by name."""
        named: dict[str, Any] = handler(schema)
        return {"anyOf": [named.get("additionalProperties", {}), named]}


HoursName = Annotated[str, Before(_hours_name), WithJsonSchema({"type": "string"})]
Days = Annotated[str, _checked(values.weekdays), WithJsonSchema({"type": "string", "examples": ["mon-fri", "sat"]})]
ClockRange = Annotated[
    str,
    _checked(values.clock_range),
    WithJsonSchema({"type": "string", "pattern": "^ ?[0-9]{1,2}:[0-9]{2} ?[-–] ?[0-9]{1,2}:[0-9]{2} ?$"}),
]
ClockRanges = Annotated[tuple[ClockRange, ...], Before(as_list), OneOrMany()]
WeekName = Annotated[
    str,
    Before(_week_name),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{4}-W[0-9]{2}$", "examples": ["2026-W52"]}),
]
WeekPart = Annotated[
    str,
    _checked(values.week_parts),
    WithJsonSchema({"type": "string", "examples": ["mon-fri 08:00-18:00", "fri 18:00..mon 08:00"]}),
]


class HoursBlock(Block):
    """One set of opening hours, on the wall clock of the client's zone."""

    missing: ClassVar[Mapping[str, str]] = {"open": "say when it is open, or where the call goes then"}

    open: Annotated[dict[Days, ClockRanges], Before(as_mapping)] = Field(default_factory=dict)
    """Days of the week (`mon-fri`, `sat`, `daily`) and their hours, those over midnight (`22:00-06:00`) on the day on
    which they begin; not written together with `calendar`."""
    calendar: Name | None = None
    """A calendar of `shared/calendars.yaml` to start from; what is written here comes before what it says."""
    holidays: Texts = ()
    """Countries, or `FR-57` for one with its region: their public holidays are closed, and known by their names."""
    closed: DateRanges = ()
    """Days (see Days and dates) on which it is closed: no hours begin on them."""
    exceptions: dict[Dates, ClockRanges] = Field(default_factory=dict)
    """Days (see Days and dates) with other hours than the week's; asked before `closed` and before holidays. One day
    decides, whatever it is; several change those that the week opens and that are no public holidays."""

    @model_validator(mode="after")
    def _week(self) -> Self:
        if "open" not in self.model_fields_set and self.calendar is None:
            raise missing_key("open")
        if self.open and self.calendar is not None:
            raise ValueError('has both "open" and "calendar": the week is the calendar\'s, or written here')
        return self


class CalendarBlock(Block):
    """Hours that several clients keep."""

    missing: ClassVar[Mapping[str, str]] = {"open": "say when it is open, or where the call goes then"}

    open: Annotated[dict[Days, ClockRanges], Before(as_mapping)]
    """Days of the week (`mon-fri`, `sat`, `daily`) and their hours, those over midnight (`22:00-06:00`) on the day on
    which they begin."""
    holidays: Texts = ()
    """Countries, or `FR-57` for one with its region: their public holidays are closed, and known by their names."""
    closed: DateRanges = ()
    """Days (see Days and dates) on which it is closed: no hours begin on them."""
    exceptions: dict[Dates, ClockRanges] = Field(default_factory=dict)
    """Days (see Days and dates) with other hours than the week's; asked before `closed` and before holidays. One day
    decides, whatever it is; several change those that the week opens and that are no public holidays."""


class ShiftBlock(Block):
    """Times of the week with turns of their own: the days, the nights, the week-ends."""

    missing: ClassVar[Mapping[str, str]] = {"when": 'say at which times, as in "mon-fri 18:00-08:00"'}

    when: Annotated[tuple[WeekPart, ...], Before(as_list), Field(min_length=1), OneOrMany()]
    """`mon-thu 18:00-08:00` (the nights that begin from Monday to Thursday), `fri 18:00..mon 08:00` (from one instant
    of the week to another). Who has a shift is whose turn it is when it begins."""
    cycle: Annotated[tuple[Names, ...], Before(as_list), OneOrMany()] = ()
    """Contacts who take turns of a week, one after the other, again and again; a list in the list for two at once."""
    starting: Annotated[str, _checked(values.day)] | None = None
    """A day in the first week of the cycle's first contact; by default the rota's."""
    weeks: dict[WeekName, Names] = Field(default_factory=dict)
    """Weeks by their ISO name (`2026-W52`) and who has the shift in them; they come before the cycle."""

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.cycle and not self.weeks:
            raise ValueError('names nobody: write "cycle", or "weeks"')
        return self


class RotaBlock(Block):
    """People who take turns of a week: who is on call at an instant is decided when the call comes."""

    missing: ClassVar[Mapping[str, str]] = {
        "timezone": "write one such as Europe/Paris",
        "starting": "say in which week the first of the cycle begins, as in 2026-11-23",
    }

    timezone: Line
    """IANA time zone in which turns change, such as Europe/Paris."""
    change: Annotated[str, _checked(values.weekly_instant)] = "mon 00:00"
    """Day and time at which the week changes hands, such as `mon 08:00`; days of exception begin at that time too."""
    cycle: Annotated[tuple[Names, ...], Before(as_list), OneOrMany()] = ()
    """Contacts of `shared/contacts.yaml` who take turns of a week, one after the other, again and again. A list in the
    list is on call together, and is rung at once: `[[anna, bob], carla]`."""
    starting: Annotated[str, _checked(values.day)] | None = None
    """A day in the first week of the cycle's first contact, in the past: nobody is on call before. Needed with
    `cycle`."""
    weeks: dict[WeekName, Names] = Field(default_factory=dict)
    """Weeks by their ISO name (`2026-W52`) and who has them; they come before the cycle."""
    shifts: dict[Name, ShiftBlock] = Field(default_factory=dict)
    """Times of the week with turns of their own, by name; `cycle` and `weeks` have all other times."""
    exceptions: dict[DatesOrPart, Names] = Field(default_factory=dict)
    """Days (see Days and dates) and who has them, or parts of one (`2026-12-24 18:00..24:00`,
    `2026-12-24 18:00..08:00`, `2026-12-24 18:00..2026-12-26 08:00`); they come before all else, parts first. **A day
    begins at the hour of `change` and ends at that hour of the day after**: with `mon 08:00`, `2026-12-25` is 25
    December 08:00 to 26 December 08:00. A part is what the clock says: `2026-12-25 00:00..24:00`."""
    holidays: Texts = ()
    """Countries, or `FR-57`, whose public holidays the exceptions may name; by default that of the time zone."""

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.cycle and not self.weeks and not self.shifts:
            raise ValueError('names nobody: write "cycle" with "starting", "weeks" or "shifts"')
        if self.starting is None and (
            self.cycle or any(one.cycle and not one.starting for one in self.shifts.values())
        ):
            raise missing_key("starting")
        return self

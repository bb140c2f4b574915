"""The documents as pydantic models: what may be written, and what each text becomes.

Unknown keys are refused. A node is a mapping with exactly one key, its verb. What one verb may hold stands in
`verbs`; what a value may look like in `values`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self, TypeVar

from pydantic import ConfigDict, Field, WithJsonSchema, model_validator

from callrouter.core.schedule import DAYS
from callrouter.core.service_level import Formula
from callrouter.dialplan import values
from callrouter.dialplan.fields import (
    Before,
    Block,
    Count,
    Duration,
    Line,
    Name,
    Names,
    OneOf,
    OneOrMany,
    Positive,
    Sentence,
    Share,
    Texts,
    WhenUsed,
    as_list,
    as_mapping,
)
from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.outside import CallbackBlock, LookupBlock, NotifyBlock
from callrouter.dialplan.sentences import LANGUAGES
from callrouter.dialplan.verbs import (
    AnswerBlock,
    BranchBlock,
    CallerBlock,
    CollectDigitsBlock,
    DialBlock,
    HangupBlock,
    IncludeBlock,
    MenuBlock,
    MessageBlock,
    OpeningHoursBlock,
    PlayBlock,
    QueueBlock,
    RedirectBlock,
    RejectBlock,
    SetBlock,
    missing,
)

HOURS_KEYS = ("open", "holidays", "closed", "exceptions", "calendar")
UNNAMED_HOURS = "(hours)"
"""Stands for the name of the one set of hours that has none: no document can write it."""


def _checked(check: Any) -> Before:
    """Keeps the text, once `check` has found that it can be read."""

    def validate(value: object) -> object:
        check(value)
        return value

    return Before(validate)


def _named_hours(value: object) -> object:
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


def _formula(value: object) -> Formula:
    word = values.text(value)
    try:
        return Formula(word)
    except ValueError:
        hint = closest(word, list(Formula))
        meant = f' (did you mean "{hint}"?)' if hint else f": the formulas are {', '.join(Formula)}"
        raise ValueError(f"{shown(word)} is no formula{meant}") from None


def _hours_name(value: object) -> object:
    return value if value == UNNAMED_HOURS else values.name(value)


PARAMETER_TYPES = ("node", "text", "queue", "contact", "number", "duration", "count", "hours", "list")
ParameterType = Annotated[str, OneOf(*PARAMETER_TYPES)]


class OrType:
    """Tells editors that a parameter's type alone may be written."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """The type, or the mapping."""
        return {"anyOf": [{"enum": list(PARAMETER_TYPES)}, handler(schema)]}


class OrOneSet:
    """Tells editors that a client's only set of hours needs no name."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """One set, or several by name."""
        named: dict[str, Any] = handler(schema)
        return {"anyOf": [named.get("additionalProperties", {}), named]}


_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
Language = Annotated[Line, WithJsonSchema({"enum": list(LANGUAGES)})]
HoursName = Annotated[str, Before(_hours_name), WithJsonSchema({"type": "string"})]
Days = Annotated[str, _checked(values.weekdays), WithJsonSchema({"type": "string", "examples": ["mon-fri", "sat"]})]
Dates = Annotated[
    str,
    _checked(values.days),
    WithJsonSchema({"type": "string", "pattern": f"^{_DATE}([.][.]{_DATE})?$", "examples": ["2026-12-24..2027-01-03"]}),
]
ClockRange = Annotated[
    str,
    _checked(values.clock_range),
    WithJsonSchema({"type": "string", "pattern": "^ ?[0-9]{1,2}:[0-9]{2} ?[-–] ?[0-9]{1,2}:[0-9]{2} ?$"}),
]
ClockRanges = Annotated[tuple[ClockRange, ...], Before(as_list), OneOrMany()]
DateRanges = Annotated[tuple[Dates, ...], Before(as_list), OneOrMany()]


class HoursBlock(Block):
    """One set of opening hours, on the wall clock of the client's zone."""

    open: Annotated[dict[Days, ClockRanges], Before(as_mapping)] = Field(default_factory=dict)
    """Days of the week (`mon-fri`, `sat`, `daily`) and their hours; not written together with `calendar`."""
    calendar: Name | None = None
    """A calendar of `shared/calendars.yaml` to start from; what is written here comes before what it says."""
    holidays: Texts = ()
    """Countries, or `FR-57` for one with its region: their public holidays are closed."""
    closed: DateRanges = ()
    """Days, or `first..last`, on which it is closed all day."""
    exceptions: dict[Dates, ClockRanges] = Field(default_factory=dict)
    """Days with other hours than the week's; asked before `closed` and before holidays."""

    @model_validator(mode="after")
    def _week(self) -> Self:
        if "open" not in self.model_fields_set and self.calendar is None:
            raise missing("open")
        if self.open and self.calendar is not None:
            raise ValueError('has both "open" and "calendar": the week is the calendar\'s, or written here')
        return self


class CalendarBlock(Block):
    """Hours that several clients keep."""

    open: Annotated[dict[Days, ClockRanges], Before(as_mapping)]
    """Days of the week (`mon-fri`, `sat`, `daily`) and their hours."""
    holidays: Texts = ()
    """Countries, or `FR-57` for one with its region: their public holidays are closed."""
    closed: DateRanges = ()
    """Days, or `first..last`, on which it is closed all day."""
    exceptions: dict[Dates, ClockRanges] = Field(default_factory=dict)
    """Days with other hours than the week's; asked before `closed` and before holidays."""


def _week_name(value: object) -> str:
    values.iso_week(value)
    return values.text(value)


WeekName = Annotated[
    str,
    Before(_week_name),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{4}-W[0-9]{2}$", "examples": ["2026-W52"]}),
]


class RotaBlock(Block):
    """People who take turns of a week: who is on call at an instant is decided when the call comes."""

    timezone: Line
    """IANA time zone in which turns change, such as Europe/Paris."""
    change: Annotated[str, _checked(values.weekly_instant)] = "mon 00:00"
    """Day and time at which the week changes hands, such as `mon 08:00`; days of exception begin at that time too."""
    cycle: Annotated[tuple[Name, ...], Before(as_list), OneOrMany()] = ()
    """Contacts who take turns of a week, one after the other, again and again."""
    starting: Annotated[str, _checked(values.day)] | None = None
    """A day in the first week of the cycle's first contact; needed with `cycle`."""
    weeks: dict[WeekName, Name] = Field(default_factory=dict)
    """Weeks by their ISO name (`2026-W52`) and who has them; they come before the cycle."""
    exceptions: dict[Dates, Name] = Field(default_factory=dict)
    """Days, or `first..last`, and who has them; they come before weeks and cycle."""

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.cycle and not self.weeks:
            raise ValueError('names nobody: write "cycle" with "starting", or "weeks"')
        if self.cycle and self.starting is None:
            raise missing("starting")
        return self


class DiallingBlock(Block):
    """What may be dialled, besides fixed lines and mobiles of the client's own country."""

    countries: Texts = ()
    """ISO codes of countries whose fixed lines and mobiles may be dialled too."""
    prefixes: Texts = ()
    """Beginnings of numbers that may be dialled whatever they cost, such as `"0892 70"` or `"+377"`."""


class ServiceLevelBlock(Block):
    """What the client was promised."""

    within: Positive = 20.0
    """Waiting time within which a call counts as answered in time."""
    target: Share = 0.8
    """Share of the calls to be answered in time."""
    short_abandon: Duration = 5.0
    """Callers who give up sooner do not count."""
    formula: Annotated[Formula, Before(_formula), WithJsonSchema({"enum": [str(one) for one in Formula]})] = (
        Formula.SHORT_ABANDON_EXCLUDED
    )
    """How calls that nobody answered count."""


class FallbackBlock(Block):
    """Who has the call when something cannot be done: a queue, a number or a node."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    queue: Name | None = None
    """A team's queue."""
    number: Line | None = None
    """A telephone number."""
    node: Name | None = None
    """A node of the tree; Asterisk alone cannot follow it when no engine runs."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(value is not None for value in (self.queue, self.number, self.node)) != 1:
            raise ValueError('must name exactly one of "queue", "number" and "node"')
        return self


class ContactBlock(Block):
    """Somebody of the client's: to be rung (`number`), written to (`email`), or told by machine (`url`)."""

    name: Line = ""
    """What a person calls it."""
    number: Line | None = None
    """Telephone number, national or international."""
    email: Line | None = None
    """E-mail address."""
    url: Line | None = None
    """A webhook, `https://…`, that takes a POST."""

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.number is None and self.email is None and self.url is None:
            raise ValueError('has neither "number" nor "email" nor "url": nobody could reach it')
        if self.url is not None and not _looks_like_url(self.url):
            raise ValueError(f"url {shown(self.url)} is no address of a web server: write https://…")
        if self.email is not None and not _looks_like_email(self.email):
            raise ValueError(f"email {shown(self.email)} is no e-mail address")
        return self


def _looks_like_email(address: str) -> bool:
    local, at, domain = address.rpartition("@")
    return bool(local and at and "." in domain.strip(".") and not any(char.isspace() for char in address))


def _looks_like_url(address: str) -> bool:
    scheme, colon, rest = address.partition("://")
    host = rest.partition("/")[0]
    return scheme in ("http", "https") and bool(colon and host) and not any(char.isspace() for char in address)


class AgentBlock(Block):
    """Somebody of ours who answers callers."""

    name: Line = ""
    """What a person calls him."""
    phone: Line | None = None
    """His telephone at the PBX, where it does not have the agent's own name."""


class TeamQueueBlock(Block):
    """A team's line: who answers it, and how it rings them."""

    title: Line = ""
    """What a person calls it."""
    members: Annotated[tuple[Name, ...], Before(as_list), OneOrMany()] = ()
    """The agents who answer it: all of them must stand in `shared/agents.yaml`, where there is one."""
    strategy: Line = "leastrecent"
    """Whom it rings first, in Asterisk's words: ringall, leastrecent, fewestcalls, random, rrmemory or linear."""
    ring: Positive = 15.0
    """How long one agent is rung."""
    retry: Positive = 1.0
    """Pause before the next one is rung."""
    wrap_up: Duration = 0.0
    """Time an agent has to himself after a call."""
    max_callers: Count = 0
    """Callers who may wait; 0 is no bound."""

    @model_validator(mode="after")
    def _known_strategy(self) -> Self:
        known = ("ringall", "leastrecent", "fewestcalls", "random", "rrmemory", "linear")
        if self.strategy not in known:
            hint = closest(self.strategy, known)
            raise ValueError(
                f"strategy {shown(self.strategy)} is unknown"
                + (f' (did you mean "{hint}"?)' if hint else f": the strategies are {', '.join(known)}")
            )
        return self


Held = TypeVar("Held", bound=Block)
Verb = Annotated[Held | None, WhenUsed()]


class NodeBlock(Block):
    """A step of the tree: its verb, and what the verb needs."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    answer: Verb[AnswerBlock] = None
    play: Verb[PlayBlock] = None
    menu: Verb[MenuBlock] = None
    collect_digits: Verb[CollectDigitsBlock] = None
    opening_hours: Verb[OpeningHoursBlock] = None
    caller: Verb[CallerBlock] = None
    branch: Verb[BranchBlock] = None
    set_: Verb[SetBlock] = Field(default=None, alias="set")
    queue: Verb[QueueBlock] = None
    dial: Verb[DialBlock] = None
    redirect: Verb[RedirectBlock] = None
    callback: Verb[CallbackBlock] = None
    lookup: Verb[LookupBlock] = None
    notify: Verb[NotifyBlock] = None
    include: Verb[IncludeBlock] = None
    message: Verb[MessageBlock] = None
    reject: Verb[RejectBlock] = None
    hangup: Verb[HangupBlock] = None

    @model_validator(mode="before")
    @classmethod
    def _one_verb(cls, value: object) -> object:
        """One verb; one that needs nothing may stand alone (`hangup:`)."""
        if not isinstance(value, dict) or not value:
            raise ValueError(f"holds no verb: write one of {', '.join(VERBS)} below it")
        known = [key for key in value if key in VERBS]
        if len(known) > 1:
            raise ValueError(f"holds {len(known)} verbs ({', '.join(known)}): a node has exactly one")
        return {key: {} if inner is None else inner for key, inner in value.items()}

    @property
    def verb(self) -> tuple[str, Block]:
        """The verb as the document writes it, and what it holds."""
        (key,) = self.model_fields_set
        return _VERB_OF[key], getattr(self, key)


_VERB_OF = {key: field.alias or key for key, field in NodeBlock.model_fields.items()}
VERBS = tuple(_VERB_OF.values())


class ClientFile(Block):
    """One client's numbers, hours, people and tree.

    ```yaml
    client: cabinet-exemple
    name: Cabinet Exemple
    numbers: ["01 99 00 00 90"]
    timezone: Europe/Paris
    language: fr
    hours: { calendar: office, closed: ["2026-12-24..2027-01-03"] }
    lists: { vip: ["06 12 34 00 07"], unwanted: ["08*", anonymous] }
    service_level: { within: 20s, target: 90%, short_abandon: 5s }
    fallback: { queue: medical }
    start: filter
    nodes:
      filter:
        caller: { vip: secretaries, unwanted: refuse, otherwise: hours }
      hours:
        opening_hours: { open: secretaries, closed: on_duty }
      on_duty:
        dial: { contacts: [doctors], ring: 20s, screen: true, no_answer: message }
      secretaries:
        queue: { name: medical, max_wait: 3m, overflow: message }
      message:
        include: { snippet: take_a_message, with: { to: post_box, after: bye } }
      refuse:
        reject: { cause: busy }
      bye:
        hangup: { prompt: { sound: goodbye } }
    ```
    """

    client: Name
    """The client's identifier, such as `cabinet-moreau`: figures and records are kept under it."""
    name: Line = ""
    """What a person calls the client."""
    numbers: Annotated[Texts, Field(min_length=1)]
    """The numbers callers dial, in quotes."""
    timezone: Line
    """IANA time zone of all times of the file, such as Europe/Paris."""
    language: Language
    """The language callers are spoken to in first: en or fr."""
    languages: Annotated[tuple[Language, ...], Before(as_list), OneOrMany()] = ()
    """All languages of the client, when there are several: `set: { language: … }` changes from one to another."""
    country: Line | None = None
    """ISO code of the country whose national numbers are written here; by default the time zone's."""
    hours: Annotated[dict[HoursName, HoursBlock], Before(_named_hours), OrOneSet()] = Field(default_factory=dict)
    """Opening hours: one set, or several by name."""
    lists: Mapping[Name, Texts] = Field(default_factory=dict)
    """Lists of callers: whole numbers, beginnings (`"08*"`), and `anonymous` for those who withhold theirs."""
    contacts: Mapping[Name, ContactBlock] = Field(default_factory=dict)
    """People of this client only, besides those of `shared/contacts.yaml`."""
    dialling: DiallingBlock = Field(default_factory=DiallingBlock)
    """Numbers this client may have dialled besides fixed lines and mobiles of its country."""
    service_level: ServiceLevelBlock = Field(default_factory=ServiceLevelBlock)
    """What the client was promised."""
    fallback: FallbackBlock | None = None
    """Who has the call when something cannot be done."""
    emergency: Names = ()
    """The nodes an urgent call must come to: `check` warns when the way there is longer than the way to others."""
    start: Name
    """The node at which a call begins."""
    nodes: Annotated[dict[Name, NodeBlock], Before(as_mapping), Field(min_length=1, max_length=500)]
    """The tree: each node has a name and one verb."""


class ContactsFile(Block):
    """People of the clients: whom to ring, where messages go, whom to tell by machine.

    ```yaml
    country: FR
    contacts:
      doctor_a: { name: Docteur Adam, number: "01 99 00 99 01" }
      doctor_b: { name: Docteur Bernard, number: "01 99 00 99 02" }
      post_box: { name: Boîte du cabinet, email: cabinet@exemple.example }
      agenda: { name: Agenda du cabinet, url: "https://agenda.exemple.example/calls" }
    ```
    """

    country: Line | None = None
    """ISO code of the country whose national numbers are written here; by default the operator's."""
    contacts: Annotated[dict[Name, ContactBlock], Before(as_mapping)]
    """Contacts by name."""


class AgentsFile(Block):
    """The agents who answer callers. With this file, a queue's members can only be agents of it.

    ```yaml
    agents:
      agent-1: { name: Anne Martin }
      agent-2: { name: Bruno Petit, phone: desk-12 }
    ```
    """

    agents: Annotated[dict[Name, AgentBlock], Before(as_mapping)]
    """Agents by the name that queues and figures know them under."""


class QueuesFile(Block):
    """The teams' lines, shared by many clients.

    ```yaml
    queues:
      medical: { title: Medical secretaries, members: [agent-1, agent-2], ring: 15s }
    ```
    """

    queues: Annotated[dict[Name, TeamQueueBlock], Before(as_mapping)]
    """Queues by name."""


class PromptsFile(Block):
    """Sentences that several clients say: `{ sound: goodbye }` is the one in the client's language.

    ```yaml
    prompts:
      goodbye: { fr: "Merci de votre appel. Au revoir.", en: "Thank you for calling. Goodbye." }
    ```
    """

    prompts: Annotated[dict[Name, dict[Name, Sentence]], Before(as_mapping)]
    """Sentences by name, then by language."""


class CalendarsFile(Block):
    """Hours that several clients keep, and rotas of people on call.

    ```yaml
    calendars:
      office:
        open: { mon-fri: ["08:00-12:30", "13:30-19:00"], sat: "09:00-12:00" }
        holidays: FR
        exceptions: { "2026-12-24": "08:00-12:00" }
    rotas:
      doctors:
        timezone: Europe/Paris
        change: mon 08:00
        cycle: [doctor_a, doctor_b]
        starting: 2026-11-23
        weeks: { 2026-W53: doctor_b }
        exceptions: { "2026-12-25": doctor_a }
    ```
    """

    calendars: dict[Name, CalendarBlock] = Field(default_factory=dict)
    """Hours by name: a client's `hours: { calendar: … }` starts from one."""
    rotas: dict[Name, RotaBlock] = Field(default_factory=dict)
    """Rotas by name: `dial` takes one wherever it takes a contact."""


class DiallingFile(Block):
    """What may be dialled at all, against toll fraud: whoever makes us ring an expensive number earns money by it.

    Without this file, fixed lines, mobiles, VoIP and toll-free numbers of each client's own country (and of its
    territories) may be dialled, and nothing else.

    ```yaml
    countries: [BE, CH]
    prefixes: ["0820 20"]
    refused: ["+882", "+979"]
    ```
    """

    countries: Texts = ()
    """ISO codes of countries whose fixed lines and mobiles every client may have dialled, besides its own."""
    prefixes: Texts = ()
    """Beginnings of numbers that may be dialled whatever they cost."""
    refused: Texts = ()
    """Beginnings that may never be dialled, whatever else allows them."""
    country: Line | None = None
    """ISO code of the country whose national beginnings are written here; by default the operator's."""


class ParameterBlock(Block):
    """A parameter of a snippet."""

    type: ParameterType
    """What it stands for."""
    default: Annotated[Any, WithJsonSchema({})] = None
    """Its value when the place of inclusion gives none."""
    about: Line = ""
    """What a person should know of it."""


def _parameter(value: object) -> object:
    """`after: node` for `after: { type: node }`."""
    return {"type": value} if isinstance(value, str) else value


class SnippetBlock(Block):
    """A sub-tree that several clients use; `$name` stands for the value of a parameter."""

    about: Line = ""
    """What it does, for people."""
    parameters: dict[Name, Annotated[ParameterBlock, Before(_parameter), OrType()]] = Field(default_factory=dict)
    """Its parameters by name, each with its type: node, text, queue, contact, number, duration, count, hours, list."""
    start: Name
    """The node at which it begins."""
    nodes: Annotated[dict[Name, Any], Before(as_mapping), Field(min_length=1, max_length=100)]
    """Its nodes, as in a client's file; a parameter of type node is a way out."""

    @model_validator(mode="after")
    def _names(self) -> Self:
        for name in self.parameters:
            if name in self.nodes:
                raise ValueError(f"{shown(name)} is a parameter and a node: give one of them another name")
        if self.start not in self.nodes:
            hint = closest(self.start, self.nodes)
            meant = f' (did you mean "{hint}"?)' if hint else ""
            raise ValueError(f"start {shown(self.start)} does not exist{meant}")
        return self


class SnippetsFile(Block):
    """Sub-trees with parameters, put into clients' trees by `include`.

    ```yaml
    snippets:
      take_a_message:
        about: Asks for a message, and thanks for it.
        parameters:
          to: contact
          after: node
          longest: { type: duration, default: 2m }
        start: ask
        nodes:
          ask:
            message: { prompt: "Laissez un message après le bip.", max: $longest, deliver: $to, done: thanks }
          thanks:
            play: { prompt: "Merci, nous vous rappelons.", next: $after }
    ```
    """

    snippets: Annotated[dict[Name, SnippetBlock], Before(as_mapping)]
    """Snippets by name."""


SHARED_FILES: Mapping[str, type[Block]] = {
    "contacts": ContactsFile,
    "agents": AgentsFile,
    "queues": QueuesFile,
    "calendars": CalendarsFile,
    "prompts": PromptsFile,
    "snippets": SnippetsFile,
    "dialling": DiallingFile,
}
"""The documents beside the clients, `shared/<name>.yaml`; each may be absent."""

__all__ = ["DAYS", "SHARED_FILES", "VERBS", "Block", "ClientFile", "Names", "NodeBlock"]

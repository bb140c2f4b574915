"""The documents beside the clients, `shared/<name>.yaml`, as pydantic models."""

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from callrouter.core.agents.standing import OWN_REASONS
from callrouter.dialplan.documents.calendar import CalendarBlock, RotaBlock
from callrouter.dialplan.documents.people import AgentBlock, ContactBlock, TeamQueueBlock
from callrouter.dialplan.documents.snippets import SnippetBlock
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language.fields import (
    Before,
    Block,
    Count,
    Line,
    Name,
    OneOf,
    OneOrMany,
    Sentence,
    Texts,
    as_list,
    as_mapping,
)


class ContactsFile(Block):
    """People of the clients: whom to ring, where messages go, whom to tell by machine.

    ```yaml
    country: FR
    contacts:
      doctor_a: { name: Docteur Adam, number: "06 12 34 00 21", email: adam@exemple.example }
      doctor_b: { name: Docteur Bernard, number: "06 12 34 00 22", email: bernard@exemple.example }
      post_box: { name: Boîte du cabinet, email: cabinet@exemple.example }
      agenda: { name: Agenda du cabinet, url: "https://agenda.exemple.example/calls", secret: env:AGENDA }
    ```
    """

    missing: ClassVar[Mapping[str, str]] = {"contacts": "write them below it, as in doctor: { number: … }"}

    country: Line | None = None
    """ISO code of the country whose national numbers are written here; by default the operator's."""
    contacts: Annotated[dict[Name, ContactBlock], Before(as_mapping)]
    """Contacts by name."""


class AgentsFile(Block):
    """The agents who answer callers. With this file, a queue's members can only be agents of it.

    ```yaml
    agents:
      agent-1: { name: Anne Martin, number: "101", language: fr }
      agent-2: { name: Bruno Petit, phone: desk-12 }
    pauses: [lunch, training]
    ```
    """

    missing: ClassVar[Mapping[str, str]] = {"agents": "write them below it, as in agent-1: { name: Anne Martin }"}

    agents: Annotated[dict[Name, AgentBlock], Before(as_mapping)]
    """Agents by the name that queues and figures know them under."""
    phones: Texts = ()
    """Every telephone of the PBX, where they are to be listed: an agent's own must then be one of them, and one that is
    nobody's own is there too, for whoever sits down at it. Without it each agent has theirs."""
    pauses: Annotated[Texts, Field(max_length=9)] = ()
    """Why an agent may pause: `*121` at their telephone is the first of them, `*122` the second."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        numbers: dict[str, str] = {}
        for name, agent in self.agents.items():
            if agent.number is not None and numbers.setdefault(agent.number, name) != name:
                raise ValueError(f"agents {shown(numbers[agent.number])} and {shown(name)} have the same number")
        for reason in self.pauses:
            if not _REASON.fullmatch(reason) or reason in OWN_REASONS or self.pauses.count(reason) > 1:
                raise ValueError(
                    f"pauses: {shown(reason)} cannot be a reason: write each once, up to 40 letters, digits and "
                    f"blanks, and none of {', '.join(sorted(OWN_REASONS))}"
                )
        return self


_REASON = re.compile(r"[^\W_](?:[\w '’-]{0,38}[\w])?")


class QueuesFile(Block):
    """The teams' lines, shared by many clients.

    ```yaml
    queues:
      medical: { title: Medical secretaries, members: [agent-1, agent-2], ring: 15s }
    ```
    """

    missing: ClassVar[Mapping[str, str]] = {"queues": "write them below it, as in medical: { members: [agent-1] }"}

    queues: Annotated[dict[Name, TeamQueueBlock], Before(as_mapping)]
    """Queues by name."""


class ListsFile(Block):
    """Lists of callers that every client's `caller` may ask. A client's own list of the same name stands instead of it.

    ```yaml
    country: FR
    lists:
      nuisance: ["09 48 12 34*", "0162*", "0163*"]
      ambulances: ["01 99 00 00 15"]
    ```
    """

    missing: ClassVar[Mapping[str, str]] = {"lists": 'write them below it, as in nuisance: ["0162*"]'}

    country: Line | None = None
    """ISO code of the country whose national numbers are written here; by default the operator's."""
    lists: Annotated[dict[Name, Texts], Before(as_mapping)]
    """Lists by name: whole numbers, beginnings (`"08*"`), and callers without a number, by why they have none:
    `withheld`, `unauthenticated`, `unavailable`."""


class PromptsFile(Block):
    """Sentences that several clients say: `{ sound: goodbye }` is the one in the client's language.

    ```yaml
    prompts:
      goodbye: { fr: "Merci de votre appel. Au revoir.", en: "Thank you for calling. Goodbye." }
    ```
    """

    missing: ClassVar[Mapping[str, str]] = {"prompts": "write them below it, as in goodbye: { fr: …, en: … }"}

    prompts: Annotated[dict[Name, dict[Name, Sentence]], Before(as_mapping)]
    """Sentences by name, then by language."""


DAYS_AHEAD = 14
"""By then somebody has written who comes next."""
MOST_DAYS_AHEAD = 92
"""Three months: each day is looked at for each client."""


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
        exceptions: { "2026-12-25": doctor_a, "2026-12-31 18:00..24:00": doctor_b }
      vets:
        timezone: Europe/Paris
        change: mon 08:00
        starting: 2026-11-23
        shifts:
          day: { when: "mon-fri 08:00-18:00", cycle: [doctor_a, doctor_b] }
          night: { when: "mon-thu 18:00-08:00", cycle: [[doctor_a, doctor_b], doctor_a] }
          weekend: { when: "fri 18:00..mon 08:00", cycle: [doctor_b, doctor_a] }
    ```
    """

    calendars: dict[Name, CalendarBlock] = Field(default_factory=dict)
    """Hours by name: a client's `hours: { calendar: … }` starts from one."""
    rotas: dict[Name, RotaBlock] = Field(default_factory=dict)
    """Rotas by name: `dial` takes one wherever it takes a contact."""
    days_ahead: Annotated[Count, Field(ge=1, le=MOST_DAYS_AHEAD)] = DAYS_AHEAD
    """How many days ahead it is proved that urgent messages reach somebody, and so how long before its end a rota that
    is told of messages is refused: `1` to `92`, by default two weeks."""


class DiallingFile(Block):
    """What may be dialled at all, against toll fraud: whoever makes us ring an expensive number earns money by it.

    Without this file, fixed lines, mobiles, VoIP and toll-free numbers of each client's own country (and of its
    territories) may be dialled or called back, and nothing else. In France `080…` are ordinary numbers; `081…` to
    `089…` cost more than a call, `0820` and `0825` too, and so may short numbers (`3…` with four digits, `118…` with
    six).

    A beginning opens numbers that cost more only where it names them, by three digits or more after the country's code:
    `"0892"` does; `"08"`, `"+33"` or `"+377"` open ordinary numbers only.

    ```yaml
    countries: [BE, CH]
    prefixes: ["0820 20"]
    refused: ["+882", "+979"]
    ```
    """

    countries: Texts = ()
    """ISO codes of countries whose fixed lines and mobiles every client may have dialled, besides its own."""
    prefixes: Texts = ()
    """Beginnings of numbers that may be dialled; whatever they cost if they have three digits after the country's
    code."""
    refused: Texts = ()
    """Beginnings that may never be dialled, whatever else allows them."""
    country: Line | None = None
    """ISO code of the country whose national beginnings are written here; by default the operator's."""


class TrunkFile(Block):
    """Who we are when we call out (redirects, dials, callbacks, fallbacks), and what the carrier shows of it.

    A carrier lets the operator show its own number, and others only where it has agreed to it. Without this file
    nothing is declared: whoever is rung sees the caller's number, if the carrier lets it through.

    ```yaml
    country: FR
    number: "01 99 00 00 00"
    also_shows: [client]
    forwarding: diversion
    ```
    """

    missing: ClassVar[Mapping[str, str]] = {"number": "write the operator's own number"}

    country: Line | None = None
    """ISO code of the country whose national numbers are written here; by default the operator's."""
    number: Line
    """The operator's own number: what is shown unless a client's file says more (`identity`)."""
    also_shows: Annotated[tuple[Annotated[str, OneOf("client", "caller")], ...], Before(as_list), OneOrMany()] = ()
    """Whose numbers the carrier shows besides: `client`, `caller`."""
    forwarding: Annotated[str, OneOf("none", "diversion", "history_info")] = "none"
    """The header in which it wants the number that the caller dialled: `diversion` (RFC 5806), `history_info`
    (RFC 7044), or `none`."""


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

    missing: ClassVar[Mapping[str, str]] = {"snippets": "write them below it, each with its start and nodes"}

    snippets: Annotated[dict[Name, SnippetBlock], Before(as_mapping)]
    """Snippets by name."""


SHARED_FILES: Mapping[str, type[Block]] = {
    "contacts": ContactsFile,
    "agents": AgentsFile,
    "queues": QueuesFile,
    "calendars": CalendarsFile,
    "lists": ListsFile,
    "prompts": PromptsFile,
    "snippets": SnippetsFile,
    "dialling": DiallingFile,
    "trunk": TrunkFile,
}
"""The documents beside the clients, `shared/<name>.yaml`; each may be absent."""

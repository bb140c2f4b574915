"""A client's document as a pydantic model: what may be written, and what each text becomes.

Unknown keys are refused. What a node may hold stands in `verbs`, hours in `calendar`, people in `people`, forms in
`forms`, who is told of messages in `delivery`, which systems are told what happens in `subscriptions`; what a value
may look like in `fields` and `values`.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import ConfigDict, Field, WithJsonSchema, create_model, model_validator

from callrouter.core.service_level import Formula
from callrouter.dialplan.documents.calendar import HoursBlock, HoursName, OrOneSet, named_hours
from callrouter.dialplan.documents.delivery import MOST_POLICIES, PolicyBlock
from callrouter.dialplan.documents.forms import MOST_FORMS, FormBlock
from callrouter.dialplan.documents.people import ContactBlock
from callrouter.dialplan.documents.reports import MOST_REPORTS, ReportBlock
from callrouter.dialplan.documents.retention import RetentionBlock
from callrouter.dialplan.documents.subscriptions import MOST_SUBSCRIPTIONS, SubscriptionBlock
from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.language import bounds, values
from callrouter.dialplan.language.bounds import Accepted
from callrouter.dialplan.language.fields import (
    Before,
    Block,
    Count,
    Duration,
    Line,
    Name,
    Names,
    OneOrMany,
    Positive,
    Read,
    ReadOnce,
    Share,
    Texts,
    as_list,
    as_mapping,
)
from callrouter.dialplan.language.identities import IdentityBlock
from callrouter.dialplan.language.languages import LANGUAGES
from callrouter.dialplan.verbs import AnyNode, NodeBlock, Verb, node_block


def _formula(value: object) -> Formula:
    word = values.text(value)
    try:
        return Formula(word)
    except ValueError:
        hint = closest(word, list(Formula))
        meant = f' (did you mean "{hint}"?)' if hint else f": the formulas are {', '.join(Formula)}"
        raise ValueError(f"{shown(word)} is no formula{meant}") from None


CallsAtOnce = Annotated[
    int, Read(values.count, {"type": "integer", "minimum": 1, "maximum": 1000}), Field(ge=1, le=1000)
]
Language = Annotated[Line, WithJsonSchema({"enum": list(LANGUAGES)})]


class DiallingBlock(Block):
    """What may be dialled and called back, besides fixed lines and mobiles of the client's own country."""

    countries: Texts = ()
    """ISO codes of countries whose fixed lines and mobiles may be dialled too."""
    prefixes: Texts = ()
    """Beginnings of numbers that may be dialled, such as `"+377"`; whatever they cost if they have three digits
    after the country's code, such as `"0892 70"`."""


class WrapUpBlock(Block):
    """How long an agent is left alone after a conversation, by how it ended."""

    answered: Annotated[Duration, bounds.WRAP_UP] = 0.0
    """After a conversation that ended with the agent."""
    transferred: Annotated[Duration, bounds.WRAP_UP] | None = None
    """After the agent has given the caller to somebody else; by default as `answered`."""


class PreferenceBlock(Block):
    """Whom of a team this client wants for its callers, by the team's name; they wait in a queue derived from it then:
    `agents: { medical: { prefer: [agent-1], never: [agent-3], next_level: 20s } }`.

    Who is preferred is rung before all others of the team; among those, and among the others, the team's `levels`
    decide (levels that nobody is left in are passed over). Who is in `never` is not rung for this client's callers,
    even when nobody else is free. It counts wherever callers of this client's tree wait for the team: queues,
    callbacks, transfers to the team, and the fallback without an engine. Clients who want the same of a team share one
    derived queue, such as `medical.agent-1.-agent-3.20s`; all clients together may have 60. Records, figures and
    permissions know the team only. Strategy, ring times, `max_callers` and `weight` are the team's, and each queue has
    them for itself: who was rung last, how many calls an agent had, and how many callers may wait are counted by queue.
    Between a team's queues, which are of one weight, whichever looks first gets an agent who becomes free (each looks
    once a second): a caller who waits with few others may be answered before one who has waited longer with many. The
    position that a caller is told is that in their own queue. A `branch` that looks at the team counts the callers of
    all of its queues, and all of its agents.
    """

    prefer: Names = ()
    """Agents of the team who are rung before all others of it."""
    never: Names = ()
    """Agents of the team who are not rung, even when nobody else is free."""
    next_level: Positive | None = None
    """After how long the others are rung too, and each further level of the team; by default the team's `next_level`,
    and without that as soon as nobody of the level before is free."""

    @model_validator(mode="after")
    def _acts(self) -> Self:
        if not self.prefer and not self.never and self.next_level is None:
            raise ValueError("says nothing: write prefer, never or next_level")
        for agent in self.prefer:
            if agent in self.never:
                raise ValueError(f"{shown(agent)} stands in prefer and in never: take them out of one")
        return self


class ServiceLevelBlock(Block):
    """What the client was promised."""

    within: Annotated[Positive, bounds.PROMISE] = 20.0
    """Waiting time within which a call counts as answered in time."""
    target: Share = 0.8
    """Share of the calls to be answered in time."""
    short_abandon: Annotated[Duration, bounds.SHORT_ABANDON] = 5.0
    """Callers who give up sooner do not count."""
    formula: Annotated[Formula, Before(_formula), WithJsonSchema({"enum": [str(one) for one in Formula]})] = (
        Formula.SHORT_ABANDON_EXCLUDED
    )
    """How calls that nobody answered count."""


class FallbackBlock(Block):
    """Who has the call when something cannot be done: a queue, a number or a node.

    Without an engine, too, Asterisk gives callers to it, but while the tree's `opening_hours` or a date of a `branch`
    say that the client is closed: then they get what a caller of no list gets who presses nothing, a message, a
    farewell, a queue or a number. So they do at all times where no `fallback` is declared. Callers of the tree's lists
    have what it gives them, where that is a queue, a number or a refusal of their own. Nobody reads keys then, looks at
    queues, or asks a web service. `callrouter show FILE --alone now` says what callers get, for two weeks.
    """

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    queue: Name | None = None
    """A team's queue."""
    number: Line | None = None
    """A telephone number."""
    node: Name | None = None
    """A node of the tree that Asterisk can follow when no engine runs: a queue, redirect, message, hangup or reject."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(value is not None for value in (self.queue, self.number, self.node)) != 1:
            raise ValueError('must name exactly one of "queue", "number" and "node"')
        return self


class ClientFile(Block):
    """One client's numbers, hours, people and tree.

    ```yaml
    client: cabinet-exemple
    name: Cabinet Exemple
    numbers: ["01 99 00 00 90"]
    timezone: Europe/Paris
    language: fr
    hours: { calendar: office, closed: ["2026-12-24..2027-01-03"] }
    lists: { vip: ["06 12 34 00 07"], unwanted: ["08*"] }
    service_level: { within: 20s, target: 90%, short_abandon: 5s }
    fallback: { queue: medical }
    delivery:
      to_doctors:
        urgent:
          - { to: doctors, by: [sms, email], wait: 10m }
          - { to: [doctor_a, doctor_b], by: sms, wait: 15m }
        repeat: 2
        ordinary: { to: post_box, at: ["12:00", "18:00"] }
    subscriptions:
      crm: { url: "https://crm.example/hooks", secret: env:CRM, events: [call.ended, message.taken] }
    reports: { to: post_box, monthly: pdf }
    retention: { calls: 24 months, recordings: 30 days, messages: 6 months }
    forms:
      night: { when: { hours: closed }, deliver: to_doctors, fields: { name: name, number: number, reason: text } }
      day:
        title: Rendez-vous
        deliver: to_doctors
        fields:
          name: { type: name, label: Nom, required: true }
          number: { type: number, label: Téléphone, required: true }
          doctor: { type: choice, label: Médecin, choices: { noir: Docteur Noir, any: Peu importe } }
          urgency: { type: urgency, label: Urgence }
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

    missing: ClassVar[Mapping[str, str]] = {
        "client": "write the client's identifier, such as cabinet-moreau",
        "numbers": "write the numbers callers dial",
        "timezone": "write one such as Europe/Paris",
        "language": "write the language callers are spoken to in, such as fr",
        "start": "say at which node a call begins",
        "nodes": "write the tree, each node with its name and one verb",
    }

    node_block: ClassVar[type[AnyNode]] = NodeBlock
    """The model of its nodes."""

    client: Name
    """The client's identifier, such as `cabinet-moreau`: figures and records are kept under it."""
    formerly: Names = ()
    """Earlier identifiers of this client: questions about it cover what was recorded under them. No other file may
    have one of them."""
    name: Line = ""
    """What a person calls the client."""
    numbers: Annotated[Texts, Field(min_length=1)]
    """The numbers callers dial, in quotes."""
    timezone: Line
    """IANA time zone of all times of the file, such as Europe/Paris."""
    language: Language
    """The language callers are spoken to in first, by its code: `fr`, `en`, `de`, `es` …"""
    languages: Annotated[tuple[Language, ...], Before(as_list), OneOrMany()] = ()
    """All languages of the client, when there are several: `set: { language: … }` changes from one to another."""
    country: Line | None = None
    """ISO code of the country whose national numbers are written here; by default the time zone's."""
    hours: Annotated[dict[HoursName, HoursBlock], Before(named_hours), OrOneSet()] = Field(default_factory=dict)
    """Opening hours: one set, or several by name."""
    lists: dict[Name, Texts] = Field(default_factory=dict)
    """Lists of callers: whole numbers, beginnings (`"08*"`), and callers without a number, by why they have none:
    `withheld` (also written `anonymous`), `unauthenticated`, `unavailable`."""
    contacts: dict[Name, ContactBlock] = Field(default_factory=dict)
    """People of this client only, besides those of `shared/contacts.yaml`."""
    dialling: DiallingBlock = Field(default_factory=DiallingBlock)
    """Numbers this client may have dialled besides fixed lines and mobiles of its country."""
    service_level: ServiceLevelBlock = Field(default_factory=ServiceLevelBlock)
    """What the client was promised."""
    max_calls: CallsAtOnce | None = None
    """Live calls the client may have at once; those beyond are refused by the PBX, as busy or so that the carrier sends
    them elsewhere. By default what the operator has set (`CALLROUTER_CLIENT_CALLS`)."""
    priority: Count = 0
    """Of the client's callers in queues, beside other clients' in the same team's line: higher ones are answered first.
    A queue node may say otherwise."""
    fallback: FallbackBlock | None = None
    """Who has the call when something cannot be done."""
    identity: IdentityBlock | None = None
    """Whose number whoever is rung outside sees; by default the operator's."""
    answer_phrase: Line = ""
    """How agents answer for this client: shown on their telephone, and whispered where a queue has no `brief`."""
    wrap_up: WrapUpBlock | None = None
    """How long agents are left alone after a conversation; by default as their team's `wrap_up` says."""
    agents: Annotated[dict[Name, PreferenceBlock], Before(as_mapping)] = Field(default_factory=dict)
    """Whom the client wants, by team: agents who are rung first for its callers, and agents who never are; wherever its
    callers wait for that team, in callbacks and in the fallback too."""
    forms: Annotated[dict[Name, FormBlock], Before(as_mapping), Field(max_length=MOST_FORMS)] = Field(
        default_factory=dict
    )
    """What is to be asked for messages that somebody writes down, by name: the first whose `when` holds is for the
    call."""
    delivery: Annotated[dict[Name, PolicyBlock], Before(as_mapping), Field(max_length=MOST_POLICIES)] = Field(
        default_factory=dict
    )
    """Who is told of messages, by what and when: policies by name, which `deliver` of forms and of `message` nodes may
    name. No contact or rota may have the same name."""
    subscriptions: Annotated[
        dict[Name, SubscriptionBlock], Before(as_mapping), Field(max_length=MOST_SUBSCRIPTIONS)
    ] = Field(default_factory=dict)
    """Other systems that are told what happens to this client's calls and messages, by name."""
    reports: Annotated[tuple[ReportBlock, ...], Before(as_list), Field(max_length=MOST_REPORTS), OneOrMany()] = ()
    """Who is sent a report of each month by mail."""
    retention: RetentionBlock | None = None
    """For how long calls, recordings, messages, transcripts and traces are kept; by default as the operator has it."""
    emergency: Names = ()
    """The nodes an urgent call must reach: `check` warns when the way there is longer than the way to others."""
    accepted: Annotated[dict[Accepted, Line], Before(as_mapping)] = Field(default_factory=dict)
    """Warnings that are right for this client, by the name `check` says them with, and the reason why: they are not
    said any more."""
    start: Name
    """The node at which a call begins."""
    nodes: Annotated[
        dict[Name, Annotated[NodeBlock, ReadOnce()]], Before(as_mapping), Field(min_length=1, max_length=500)
    ]
    """The tree: each node has a name and one verb."""


def client_file(verbs: Mapping[str, Verb]) -> type[ClientFile]:
    """The model of a file whose nodes have these verbs."""
    block = node_block(verbs)
    once = Annotated[block, ReadOnce()]  # type: ignore[valid-type]
    nodes = Annotated[dict[Name, once], Before(as_mapping), Field(min_length=1, max_length=500)]
    made = create_model("ClientFile", __base__=ClientFile, __doc__=ClientFile.__doc__, nodes=(nodes, ...))
    made.node_block = block
    return made

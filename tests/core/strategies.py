"""Random small plans out of all kinds of nodes, and random things that can happen to a call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st

from callrouter.core import inputs, templates
from callrouter.core.call import (
    WITHOUT_NUMBER,
    Call,
    CallerId,
    DialOutcome,
    LegFailure,
    Presentation,
    QueueOutcome,
    RecordOutcome,
    replace,
)
from callrouter.core.conditions import (
    Bounds,
    DateWithin,
    DidIs,
    Measure,
    QueueStands,
    ShareOfCalls,
    VariableIs,
    VariableNumber,
    VariableStartsWith,
    VariableUnset,
)
from callrouter.core.dialling import Dialling
from callrouter.core.effects import LookupField, ReadAs
from callrouter.core.forms import Field, FieldType, Form
from callrouter.core.nodes import (
    ALL,
    AnswerNode,
    BranchNode,
    CallbackNode,
    CallerNode,
    CollectDigitsNode,
    DialNode,
    FormNode,
    HangupNode,
    LookupNode,
    MenuNode,
    MessageNode,
    Node,
    NotifyNode,
    OpeningHoursNode,
    PlayNode,
    QueueNode,
    RedirectNode,
    RejectNode,
    SetNode,
)
from callrouter.core.numbers import CallerList
from callrouter.core.plan import MAX_VARIABLES_LENGTH, Plan, variables_length
from callrouter.core.read_aloud import SpokenVariable
from callrouter.core.rota import Contact, Rota, Turns
from callrouter.core.schedule import Schedule, TimeRange
from callrouter.testing import plan_of, sound

KEYS = "0123456789*#"
VARIABLES = ("dossier", "postcode", "motif")
HOURS = Schedule(
    name="open",
    timezone="Europe/Paris",
    week=((TimeRange(start=time(8), end=time(18)),),) * 5 + ((),) * 2,
    holidays={date(2026, 5, 1): "Fête du Travail"},
)

sounds = st.sampled_from([(), (sound("one"),), (sound("two", 30), sound("three"))])
some_sounds = st.sampled_from([(sound("one"),), (sound("two", 30), sound("three"))])
retries = st.integers(0, 2)
numbers = st.sampled_from(["+33639980001", "+33639980002", "+442079460041"])
people = st.builds(Contact, name=st.sampled_from(["doctor", "nurse"]), number=numbers)
rotas = st.builds(
    Rota,
    name=st.just("on_call"),
    timezone=st.just("Europe/Paris"),
    turns=st.builds(
        Turns,
        cycle=st.lists(st.lists(people, min_size=1, max_size=2).map(tuple), max_size=2).map(tuple),
        starting=st.just(date(2026, 2, 2)),
    ),
)
contacts = st.lists(st.one_of(people, rotas), min_size=1, max_size=3)
keys = st.lists(st.sampled_from(KEYS), unique=True, min_size=1, max_size=4)
bounds = st.builds(Bounds, below=st.one_of(st.none(), st.floats(0, 50)), at_least=st.one_of(st.none(), st.floats(0, 9)))
conditions = st.one_of(
    st.builds(VariableUnset, variable=st.sampled_from(VARIABLES)),
    st.builds(VariableStartsWith, variable=st.sampled_from(VARIABLES), prefixes=st.just(("7", "9"))),
    st.builds(VariableNumber, variable=st.sampled_from(VARIABLES), bounds=bounds),
    st.builds(
        QueueStands, queue=st.sampled_from(["medical", "legal"]), measure=st.sampled_from(Measure), bounds=bounds
    ),
    st.builds(VariableIs, variable=st.sampled_from(VARIABLES), values=st.sampled_from([(), ("1",), ("75011", "12")])),
    st.just(DateWithin(spans=((date(2026, 1, 1), date(2026, 6, 30)),))),
    st.builds(DidIs, numbers=st.sampled_from([("+33199000010",), ("+33199000011", "+33199000012")])),
    st.builds(ShareOfCalls, percent=st.floats(0, 100)),
)
caller_lists = st.builds(
    CallerList,
    name=st.sampled_from(["vip", "unwanted"]),
    numbers=st.frozensets(numbers, max_size=2),
    prefixes=st.sampled_from([(), ("+338",), ("+33",)]),
    without_number=st.frozensets(st.sampled_from(WITHOUT_NUMBER)),
)
parts = st.lists(
    st.one_of(
        st.sampled_from([sound("one"), sound("two", 30)]),
        st.builds(
            SpokenVariable,
            variable=st.sampled_from(VARIABLES),
            read_as=st.sampled_from(ReadAs),
            language=st.sampled_from(["fr", "en"]),
        ),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
agents = st.sampled_from(["agent-1", "agent-2", ""])
legs = st.sampled_from(["", "1795427775.12", "1795427775.13", "1795427775.14"])
values = st.text(st.characters(codec="utf-8"), max_size=20)

FORMS = (
    Form(
        name="order",
        title="Order",
        deliver="desk",
        fields=(
            Field(name="number", label="Number", type=FieldType.NUMBER, required=True),
            Field(name="file", label="File", type=FieldType.TEXT),
        ),
    ),
    Form(name="file", title="File", deliver="", fields=(Field(name="file", label="File", type=FieldType.TEXT),)),
)

KINDS: dict[type[Node], st.SearchStrategy[Node]] = {
    AnswerNode: st.builds(AnswerNode, name=st.just("")),
    PlayNode: st.builds(PlayNode, name=st.just(""), sounds=parts, interruptible=st.booleans()),
    MenuNode: st.builds(
        MenuNode,
        name=st.just(""),
        sounds=sounds,
        keys=keys.map(tuple),
        no_input_retries=retries,
        no_match_retries=retries,
        no_match_sounds=sounds,
    ),
    CollectDigitsNode: st.integers(0, 6).flatmap(
        lambda least: st.builds(
            CollectDigitsNode,
            name=st.just(""),
            sounds=sounds,
            variable=st.sampled_from(VARIABLES),
            min_digits=st.just(least),
            max_digits=st.integers(max(1, least), 12),
            no_input_retries=retries,
            no_match_retries=retries,
        )
    ),
    OpeningHoursNode: st.just(OpeningHoursNode(name="", hours="open")),
    CallerNode: st.builds(
        CallerNode,
        name=st.just(""),
        lists=st.lists(caller_lists, max_size=2, unique_by=lambda one: one.name).map(tuple),
    ),
    BranchNode: st.builds(BranchNode, name=st.just(""), when=st.lists(conditions, max_size=3).map(tuple)),
    SetNode: st.builds(
        SetNode, name=st.just(""), variables=st.dictionaries(st.sampled_from(VARIABLES), values, min_size=1)
    ),
    QueueNode: st.builds(
        QueueNode,
        name=st.just(""),
        queue=st.sampled_from(["medical", "legal"]),
        max_wait_seconds=st.just(60.0),
        announcement=sounds,
        objection=st.sampled_from(["1", "9"]),
        keep_days=st.just(30),
    ),
    DialNode: st.builds(DialNode, name=st.just(""), contacts=contacts.map(tuple), at_once=st.booleans(), screen=sounds),
    RedirectNode: st.builds(RedirectNode, name=st.just(""), number=numbers),
    MessageNode: st.builds(MessageNode, name=st.just(""), sounds=sounds, deliver=st.sampled_from(["", "doctor"])),
    LookupNode: st.builds(
        LookupNode,
        name=st.just(""),
        url=st.sampled_from(["https://crm.example/{caller}", "https://crm.example/?d={dossier}"]).map(templates.parse),
        fields=st.sampled_from(VARIABLES).map(lambda name: (LookupField(variable=name, path=("a",), longest=40),)),
    ),
    NotifyNode: st.builds(
        NotifyNode,
        name=st.just(""),
        contact=st.just("crm"),
        url=st.just("https://crm.example/hook"),
        data=st.just((("file", templates.parse("{dossier} of {caller_name}")),)),
    ),
    FormNode: st.builds(
        FormNode,
        name=st.just(""),
        form=st.sampled_from(FORMS),
        given=st.sampled_from(["{dossier}", "{caller}", "n° {motif} {dossier}"]).map(
            lambda text: (("file", templates.parse(text)),)
        ),
        region=st.just("FR"),
    ),
    CallbackNode: st.builds(
        CallbackNode,
        name=st.just(""),
        number_sounds=some_sounds,
        choice_sounds=some_sounds,
        ask_sounds=some_sounds,
        region=st.just("FR"),
        dialling=st.just(Dialling(countries=frozenset({"FR"}))),
        language=st.just("fr"),
        no_input_retries=retries,
        no_match_retries=retries,
    ),
    RejectNode: st.builds(RejectNode, name=st.just(""), sounds=sounds, cause=st.sampled_from([21, 17, 1])),
    HangupNode: st.builds(HangupNode, name=st.just(""), sounds=sounds),
}
assert set(KINDS) == set(ALL), "a new kind of node needs a strategy"


def exits_of(node: Node) -> list[str]:
    """Every exit this node may take, optional ones too."""
    exits = sorted(node.exit_names | node.optional_exits)
    if isinstance(node, MenuNode):
        exits += [f"key:{key}" for key in node.keys]
    if isinstance(node, BranchNode):
        exits += [f"when:{place}" for place in range(len(node.when))]
    if isinstance(node, CallerNode):
        exits += [f"list:{callers.name}" for callers in node.lists]
    return exits


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Up to eight nodes, joined at random: loops, dead ends and all."""
    chosen = draw(st.lists(st.one_of(*KINDS.values()), min_size=1, max_size=8))
    names = [f"node_{place}" for place in range(len(chosen))]
    nodes = []
    for name, node in zip(names, chosen, strict=True):
        exits = {way: draw(st.sampled_from(names)) for way in exits_of(node)}
        for optional in node.optional_exits:
            if draw(st.booleans()):
                exits.pop(optional, None)
        nodes.append(replace(node, name=name, exits=exits))
    fallback = draw(st.sampled_from(["", *names]))
    plan = plan_of(*nodes, fallback=fallback, schedules={"open": HOURS})
    assert variables_length(plan.about.values()) <= MAX_VARIABLES_LENGTH
    return plan


offers = st.builds(
    inputs.CallOffered,
    call_id=st.sampled_from(["5f1c6a0e9b7d4c21", "0b2c3d4e5f607182"]),
    did=st.one_of(st.just("+33199000010"), st.text(max_size=60)),
    caller=st.builds(
        CallerId,
        number=st.one_of(st.none(), numbers, st.just("+33899123456"), st.text(max_size=60)),
        name=st.one_of(st.just(""), st.text(max_size=700)),
        presentation=st.sampled_from(Presentation),
    ),
    diverted_from=st.one_of(st.none(), numbers, st.text(max_size=60)),
    at=st.just(datetime(2026, 1, 6, 9, 0, tzinfo=UTC)),
)

FITTING: dict[str, tuple[str, ...]] = {
    "answering": ("CallAnswered", "DigitPressed"),
    "playing": ("PromptEnded", "DigitPressed", "CallAnswered"),
    "collecting": ("CollectEnded", "DigitPressed", "DigitPressed"),
    "queued": ("QueueLeft", "AgentOffered", "AgentAnswered", "LegHeard", "DigitPressed"),
    "dialling": ("DialEnded", "LegAnswered", "LegFailed"),
    "connected": (
        "QueueLeft",
        "DialEnded",
        "LegHeard",
        "LegFailed",
        "Transferred",
        "ConsultationHeard",
        "RecordingTold",
        "SupervisorTold",
    ),
    "recording": ("RecordingEnded", "RecordingFound"),
    "consulting": ("QueuesSeen", "LookupDone", "LookupFailed", "DigitPressed"),
    "hanging_up": ("CallerHungUp",),
    "adrift": (
        "AgentOffered",
        "AgentAnswered",
        "LegHeard",
        "LegAnswered",
        "RecordingFound",
        "MessageTaken",
        "CallerHungUp",
    ),
    "ended": ("CallerHungUp",),
}
_whole = st.integers(0, 999)
failures = st.builds(LegFailure, leg=_whole, sip=_whole, cause=_whole)
KIND_BY_NAME = {kind.__name__: kind for kind in inputs.Input.__args__}


def signs(at: datetime) -> st.SearchStrategy[inputs.LegHeard]:
    """What may be heard of a channel that was rung."""
    return st.builds(
        inputs.LegHeard,
        leg=legs,
        sign=st.sampled_from(inputs.LegSign),
        at=st.just(at),
        cause=st.sampled_from([0, 16, 17, 21, 26, 34]),
        agent=agents,
        rang_seconds=st.sampled_from([0.0, 0.0, 2.0]),
    )


def transfers(step: int, at: datetime) -> st.SearchStrategy[inputs.Transferred]:
    """Whom an agent may want to give their caller to."""
    return st.builds(
        inputs.Transferred,
        step=st.just(step),
        target=st.one_of(st.sampled_from(["team.legal", "bye", "0612345678", "+33899123456"]), st.text()),
        colleague=st.one_of(st.just(""), agents),
        team=st.sampled_from(["", "", "legal"]),
        foreign=st.booleans(),
        at=st.just(at),
    )


def consultations(at: datetime) -> st.SearchStrategy[inputs.ConsultationHeard]:
    """What may be heard of an agent's consultation."""
    return st.builds(
        inputs.ConsultationHeard,
        consultation=st.sampled_from(["k-1", "k-2"]),
        sign=st.sampled_from(inputs.ConsultationSign),
        at=st.just(at),
        party=st.sampled_from(["doctor", "legal", "+33612345001"]),
        agent=st.one_of(st.just(""), agents),
        queue=st.sampled_from(["", "legal"]),
        channel=legs,
    )


@st.composite
def happenings(draw: st.DrawFn, call: Call, at: datetime) -> inputs.Input:
    """What could happen next: mostly something that fits, sometimes nonsense, a late step, or a hang-up."""
    at += timedelta(microseconds=draw(st.integers(0, 90_000_000)))
    names = FITTING[call.state] * 3 if draw(st.integers(0, 9)) else tuple(KIND_BY_NAME)
    name = draw(st.sampled_from(names))
    step = call.step if draw(st.integers(0, 9)) else draw(st.integers(-1, call.step + 1))
    return made(draw, name, step, at)


def _recorded(draw: Callable[[st.SearchStrategy[Any]], Any], name: str, step: int, at: datetime) -> inputs.Input:
    seconds, heard = draw(st.floats(0, 300)), draw(st.booleans())
    spoken = draw(st.none() | st.floats(0, seconds))
    if name == "RecordingFound":
        return inputs.RecordingFound(seconds=seconds, heard=heard, spoken_seconds=spoken, at=at)
    if name == "MessageTaken":
        node = draw(st.sampled_from(("message", "gone")))
        return inputs.MessageTaken(node=node, recording="r", began_at=at, seconds=seconds, heard=heard, at=at)
    outcome = draw(st.sampled_from(RecordOutcome))
    return inputs.RecordingEnded(step=step, outcome=outcome, seconds=seconds, heard=heard, at=at)


_CONVERSATION = ("LegHeard", "Transferred", "ConsultationHeard", "RecordingTold", "SupervisorTold")


def _in_conversation(draw: Callable[[st.SearchStrategy[Any]], Any], name: str, step: int, at: datetime) -> inputs.Input:
    """What is heard of people and of what is recorded of them."""
    match name:
        case "RecordingTold":
            what = draw(st.sampled_from(inputs.RecordingSign))
            return inputs.RecordingTold(sign=what, at=at, by=draw(agents))
        case "SupervisorTold":
            mode = draw(st.sampled_from(inputs.SupervisionMode))
            return inputs.SupervisorTold(mode=mode, party=draw(agents), leg=draw(legs), at=at)
        case _:
            of_kind = {
                "LegHeard": signs(at),
                "Transferred": transfers(step, at),
                "ConsultationHeard": consultations(at),
            }
            told: inputs.Input = draw(of_kind[name])
            return told


def made(draw: Callable[[st.SearchStrategy[Any]], Any], name: str, step: int, at: datetime) -> inputs.Input:
    """One input of this name."""
    if name in _CONVERSATION:
        return _in_conversation(draw, name, step, at)
    match name:
        case "DigitPressed":
            return inputs.DigitPressed(digit=draw(st.sampled_from([*KEYS, "A", "", "é", "11"])), at=at)
        case "AgentOffered" | "AgentAnswered":
            person = inputs.AgentOffered if name == "AgentOffered" else inputs.AgentAnswered
            return person(agent=draw(agents), leg=draw(legs), at=at)
        case "QueueLeft":
            return inputs.QueueLeft(step=step, outcome=draw(st.sampled_from(QueueOutcome)), at=at)
        case "LegAnswered":
            return inputs.LegAnswered(leg=0, at=at, channel=draw(legs))
        case "LegFailed":
            return inputs.LegFailed(failure=draw(failures), at=at)
        case "DialEnded":
            return inputs.DialEnded(step=step, outcome=draw(st.sampled_from(DialOutcome)), at=at)
        case "RecordingEnded" | "RecordingFound" | "MessageTaken":
            return _recorded(draw, name, step, at)
        case "QueuesSeen":
            look = st.builds(
                inputs.QueueLook,
                agents=st.integers(0, 9),
                free=st.integers(0, 9),
                waiting=st.integers(0, 99),
                talk_seconds=st.floats(0, 900),
            )
            looks = st.dictionaries(st.sampled_from(["medical", "legal"]), look)
            return inputs.QueuesSeen(step=step, looks=draw(looks), at=at)
        case "LookupDone":
            # No longer than the node's field allows, in bytes: the performer sees to that.
            known = st.dictionaries(st.sampled_from(VARIABLES), st.text(max_size=10))
            return inputs.LookupDone(step=step, values=draw(known), at=at)
        case "LookupFailed" | "CommandFailed":
            failed: inputs.Input = KIND_BY_NAME[name](step=step, reason=draw(st.text(max_size=300)), at=at)
            return failed
        case "ControlLost":
            return inputs.ControlLost(reason="the lease ran out", at=at)
        case "CallerHungUp":
            return inputs.CallerHungUp(at=at, cause=draw(st.sampled_from([None, 16])))
        case _:
            plain: inputs.Input = KIND_BY_NAME[name](step=step, at=at)
            return plain

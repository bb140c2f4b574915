"""Expected routes, as written: beside `acme.yaml`, `acme.test.yaml` says where callers must end.

The models hold what such a table may say, and its meaning: editors and the reference take it from here.
`questions.expected` plays each row.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from callrouter.core.call import DialOutcome, QueueOutcome
from callrouter.dialplan.language import values
from callrouter.dialplan.language.fields import Block, Duration, OneOrMany, Read, as_list, as_mapping

ANYBODY = "*"
"""Name of all queues, or of all contacts."""

FAILED = "failed"
"""Said of a lookup that is not answered."""

SUFFIX = ".test"
"""Between the client's name and `.yaml`."""

ORDINARY_CALLER = "+33612340001"
MOST_CALLS = 500


def client_files_of(table: str) -> tuple[str, str]:
    """The file whose callers a table is about, by the table's name; its own suffix comes first."""
    stem, dot, suffix = table.rpartition(".")
    client = stem.removesuffix(SUFFIX)
    return f"{client}{dot}{suffix}", f"{client}.{'yml' if suffix == 'yaml' else 'yaml'}"


def tables_of(client_file: str) -> tuple[str, str]:
    """The tables that may stand beside a client's file, by its name."""
    stem = client_file.rpartition(".")[0]
    return f"{stem}{SUFFIX}.yaml", f"{stem}{SUFFIX}.yml"


def wait_of(written: str) -> int:
    """The number of a wait, from 1.

    Raises:
        ValueError: it is none.
    """
    number = values.count(written)
    if number < 1:
        raise ValueError("waits are counted from 1: the caller hangs up in the middle of the first at the earliest")
    return number


def _keys(value: object) -> str:
    """`["9", "2"]` for `"9,2"`."""
    parts = value if isinstance(value, list) else [value]
    return ",".join(values.text(part) if part is not None else "" for part in parts)


def _queue_states(value: object) -> object:
    """`{ medical: { agents: 0, waiting: 7 } }` for `{ medical: "agents:0,waiting:7" }`."""
    if not isinstance(value, dict):
        return as_mapping(value)
    return {name: _joined(state) if isinstance(state, dict) else state for name, state in value.items()}


def _joined(state: dict[object, object]) -> str:
    """What is said of one queue; `outcome` is what becomes of its callers."""
    said = {key: values.text(value) for key, value in state.items()}
    return ",".join(value if key == "outcome" else f"{key}:{value}" for key, value in said.items())


def _lookups(value: object) -> object:
    """`failed` alone is said of all lookups."""
    return {ANYBODY: FAILED} if value == FAILED else as_mapping(value)


_QUEUE_STATE = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "outcome": {"enum": [str(one) for one in QueueOutcome]},
                **{measure: {"type": "integer", "minimum": 0} for measure in ("agents", "free", "waiting")},
                "talk": {"type": "string"},
            },
        },
    ]
}
_TEXT = {"type": ["string", "number", "boolean"]}
Text = Annotated[str, Read(values.text, {"type": "string", "minLength": 1})]
Texts = Annotated[tuple[Text, ...], Field(min_length=1), BeforeValidator(as_list), OneOrMany()]
Keys = Annotated[
    str,
    Read(
        _keys,
        {
            "anyOf": [
                {"type": ["string", "integer"]},
                {"type": "array", "items": {"type": ["string", "integer", "null"]}},
            ]
        },
    ),
]
QueueState = Annotated[str, Read(values.text, _QUEUE_STATE)]
Answer = Annotated[str, Read(values.text, _TEXT)]
Dialled = Annotated[str, Read(values.text, {"enum": [str(one) for one in DialOutcome]})]


class OrFailed:
    """Lets editors accept `failed` alone."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """The mapping, or the word."""
        return {"anyOf": [{"const": FAILED}, handler(schema)]}


class ExpectedCall(Block):
    """One call: who calls, when, what everybody does, and what must come of it."""

    missing: ClassVar[Mapping[str, str]] = {
        "at": 'say when, as in "tue 10:00"',
        "expect": "say what must come of it, as in queue:medical",
    }

    from_: Text = Field(default=ORDINARY_CALLER, alias="from")
    """Who calls: a number, or why there is none (`withheld`, `unauthenticated`, `unavailable`). National numbers are
    those of the client's country."""
    to: Text | None = None
    """The number dialled; by default the client's first."""
    at: Text
    """When, in the client's zone: `2026-05-01T09:00`, the next ordinary `tue 10:00`, `holiday 10:00`, or the next of
    some days: `12-24 17:00`, `christmas 10:00`."""
    keys: Keys = ""
    """What is keyed at each question, and in each queue that a key leaves, a comma between two: `"9,2"`; nothing is
    silence."""
    ahead: Text = ""
    """Keys pressed at once, while the call is being answered."""
    queues: Annotated[dict[Text, QueueState], BeforeValidator(_queue_states)] = Field(default_factory=dict)
    """Queues by name, or `"*"`: what becomes of callers (`full`), or how they stand (`{ agents: 0, waiting: 7 }`)."""
    dial: Annotated[dict[Text, Dialled], BeforeValidator(as_mapping)] = Field(default_factory=dict)
    """What contacts, rotas, numbers or `"*"` do when they are rung, such as `busy`."""
    lookups: Annotated[dict[Text, Answer], BeforeValidator(_lookups), OrFailed()] = Field(default_factory=dict)
    """What web services answer, by variable; `failed` for all of them, or by the name of one."""
    message: Duration = 10.0
    """How long the caller speaks after the beep."""
    hang_up_after: Annotated[int, Read(wait_of, {"type": "integer", "minimum": 1})] | None = None
    """The caller hangs up in the middle of this wait, counted from 1."""
    expect: Texts
    """What must come of it; of several, all: `queue:medical`, `dial:doctor`, `redirect:+33…`, `message:night`,
    `callback:offer`, `reject`, the first word of one, a disposition such as `abandoned`, or `node:NAME` for a node
    passed."""
    hears: Texts | None = None
    """Words the caller must hear on the way."""


class ExpectedCalls(Block):
    """Where callers of a client must end; `callrouter check` plays each call.

    ```yaml
    calls:
      - { at: "tue 10:00", expect: queue:medical }
      - { at: "2026-12-25T10:00", dial: { "*": no_answer }, expect: message:message }
      - { from: "06 12 34 00 07", at: "sun 03:00", queues: { medical: full }, expect: message:message }
      - { at: "tue 10:00", queues: { medical: { agents: 0 } }, message: 1s, expect: abandoned }
      - { at: "sun 03:00", dial: { doctors: busy }, expect: [message:message, node:on_duty] }
    ```
    """

    missing: ClassVar[Mapping[str, str]] = {
        "calls": 'write them below it, as in - { at: "tue 10:00", expect: queue:medical }'
    }

    calls: Annotated[
        tuple[ExpectedCall, ...], BeforeValidator(as_list), Field(min_length=1, max_length=MOST_CALLS), OneOrMany()
    ]
    """The calls, at most 500."""

"""The kinds of values the documents hold: what each text becomes, and what an editor is told about it.

Every annotation carries two things: the function that reads the text (all scalars of a document are texts), and the
JSON Schema of what may be written, for editors that know types.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from types import NoneType
from typing import Annotated, Any, ClassVar, get_args

from msgspec import msgpack
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError, core_schema

from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.language import dates, values
from callrouter.dialplan.language.sentences import pieces

LONGEST_SENTENCE = 2_000
"""Characters of a text to say: some two minutes."""

MAX_VALUE = 64
"""Characters of a variable's value: a call's variables travel with it."""

BLOCKS_KEPT = 32_768
"""How many of a model's blocks are kept, those used last: all nodes of a thousand clients who have none in common."""


class Block(BaseModel):
    """A mapping of the document: unknown keys are refused, nothing changes after reading."""

    # Built when first needed: most blocks only ever are parts of a client's file, whose validator holds theirs.
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False, defer_build=True)

    missing: ClassVar[Mapping[str, str]] = {}
    """What to write for a key that is needed and is not there, where a person may wonder."""


def missing_key(key: str) -> PydanticCustomError:
    """A key that is needed here, though not everywhere."""
    return PydanticCustomError("missing_key", "is missing", {"key": key})


class Before:
    """A function that is given what is written, before it is read.

    Says so to pydantic at first hand: to find out what a `BeforeValidator` takes costs more than all reading does.
    """

    def __init__(self, change: Callable[[object], object]) -> None:
        self._change = change

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """What the function returns is read as the rest of the annotation says."""
        return core_schema.no_info_before_validator_function(self._change, handler(source))


class WhenUsed:
    """For a model or None: its validator is built when a document first uses it, for most clients use few of the verbs.

    Read by the model itself; pydantic puts the place before what it finds wrong.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """A function instead of all that the model holds."""
        (model,) = (one for one in get_args(source) if one is not NoneType)
        return core_schema.nullable_schema(core_schema.no_info_plain_validator_function(model.model_validate))

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """What editors are told is all of it: the model is the one whose method the function is."""
        model = schema["schema"]["function"]["function"].__self__
        told: dict[str, Any] = handler(core_schema.nullable_schema(_whole(model)))
        return told


class ReadOnce:
    """For a block that clients write alike, as a trade's clients do most of their nodes: it is read once, and shared.

    That is right because a block depends on nothing but what is written, and never changes.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """A function instead of all that the model holds."""
        return core_schema.no_info_plain_validator_function(_Blocks(source).read)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """What editors are told is all of it."""
        told: dict[str, Any] = handler(_whole(schema["function"]["function"].__self__.model))
        return told


class _Blocks:
    """The blocks of a model that were read last, by what was written of each."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.model = model
        self._block = lru_cache(maxsize=BLOCKS_KEPT)(self._read)

    def read(self, value: object) -> BaseModel:
        """The block of a value; what is wrong with it is not kept, but found anew wherever it stands."""
        return self._block(msgpack.encode(value))

    def _read(self, written: bytes) -> BaseModel:
        return self.model.model_validate(msgpack.decode(written))


def _whole(model: type[BaseModel]) -> Any:
    """All that a model holds, for a place that is read by a function."""
    return core_schema.definitions_schema(model.__pydantic_core_schema__, [])


class OneOrMany:
    """Lets editors accept the only item of a list for the list."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """The list, or one of its items."""
        listed: dict[str, Any] = handler(schema)
        return {"anyOf": [listed.get("items", {}), listed]}


def as_list(value: object) -> object:
    """A single value as a list of one."""
    if value is None:
        raise ValueError("is empty")
    return value if isinstance(value, list | tuple) else [value]


def as_mapping(value: object) -> object:
    """A mapping, or a sentence that says one is needed."""
    if value is None:
        raise ValueError("is empty")
    if isinstance(value, dict):
        return value
    raise ValueError(f"must be a mapping, not {shown(value) if isinstance(value, str) else 'a list'}")


def _sentence(value: object) -> str:
    words = " ".join(values.text(value).split())
    if len(words) > LONGEST_SENTENCE:
        raise ValueError(f"is {len(words)} characters long: nobody listens to more than {LONGEST_SENTENCE}")
    pieces(words)
    return words


def _words(value: object) -> object:
    """A sentence, or one for each language."""
    if isinstance(value, dict):
        if not value:
            raise ValueError("is empty")
        return {values.name(language): _sentence(words) for language, words in value.items()}
    return _sentence(value)


def _line(value: object) -> str:
    words = values.text(value).strip()
    if len(words) > 200 or not words.isprintable():
        raise ValueError(f"{shown(words, 30)} must be one line of at most 200 characters")
    return words


def _variable_value(value: object) -> str:
    words = _line(value)
    if len(words) > MAX_VALUE:
        raise ValueError(f"{shown(words, 30)} is longer than {MAX_VALUE} characters: a call carries its variables")
    return words


Path = tuple[str | int, ...]
"""Keys, and places in lists."""


def targets(block: Block, *path: str | int) -> Iterator[tuple[Path, str]]:
    """Every exit of a verb: its path, and the node it leads to."""
    for name, key, leads in _fields(type(block)):
        yield from _targets(getattr(block, name), leads, (*path, key))
    # Keys that a verb does not name itself: the lists of `caller`.
    yield from _targets(block.model_extra or {}, True, path)


def _targets(value: object, leads: bool, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, Block):
        yield from targets(value, *path)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _targets(item, leads, (*path, index))
    elif leads and isinstance(value, dict):
        yield from (((*path, key), target) for key, target in value.items())
    elif leads and isinstance(value, str):
        yield path, value


@cache
def _fields(model: type[Block]) -> tuple[tuple[str, str, bool], ...]:
    """Of each field: its name, the key it is written under, and whether it holds exits itself."""
    found = ((name, field) for name, field in model.model_fields.items())
    return tuple(
        (name, field.alias or name, any(_leads(one) for one in (field.annotation, *field.metadata)))
        for name, field in found
    )


def _leads(annotation: object) -> bool:
    """Whether an annotation is that of an exit, or holds one."""
    if isinstance(annotation, _Leads):
        return True
    inner = (*get_args(annotation), *getattr(annotation, "__metadata__", ()))
    return any(_leads(one) for one in inner)


class Read:
    """A text that a function reads, and what an editor is told of it; as `Before`, at first hand."""

    def __init__(self, read: Callable[[object], object], written: dict[str, Any]) -> None:
        self._schema = core_schema.no_info_plain_validator_function(read)
        self._written = written

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Read by the function."""
        return self._schema

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """As it is written."""
        return dict(self._written)


class OneOf:
    """A text that is one of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def read(self, value: object) -> str:
        """The word.

        Raises:
            ValueError: it is another one.
        """
        word = values.text(value)
        if word not in self.words:
            hint = closest(word, self.words)
            meant = f' (did you mean "{hint}"?)' if hint else ""
            two = len(self.words) == 2
            listed = f"neither {self.words[0]} nor {self.words[1]}" if two else f"none of {', '.join(self.words)}"
            raise ValueError(f"{shown(word)} is {listed}{meant}")
        return word

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Read by `read`."""
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """The words."""
        return {"enum": list(self.words)}


class _Leads:
    """Marks a field of a verb as an exit, so that none is ever left out of what looks at all of them."""


_LEADS = _Leads()

_NAME = {"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,47}$"}
_SENTENCE = {"type": "string", "minLength": 1, "maxLength": LONGEST_SENTENCE}
_SCALAR = {"type": ["string", "number", "boolean"]}
_DURATION = {
    "type": "string",
    "pattern": "^([0-9]+([.][0-9]+)?(ms|s|m|h) ?)+$",
    "examples": ["20s", "3m", "1m30s", "500ms"],
}

Name = Annotated[str, Read(values.name, _NAME)]
Target = Annotated[str, Read(values.name, _NAME), _LEADS]
"""The name of the node an exit leads to."""
Line = Annotated[str, Read(_line, {"type": "string", "minLength": 1, "maxLength": 200})]
Sentence = Annotated[str, Read(_sentence, _SENTENCE)]
Words = Annotated[
    str | dict[str, str],
    Read(
        _words,
        {
            "anyOf": [
                _SENTENCE,
                {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string", "minLength": 1}},
            ]
        },
    ),
]
"""A sentence, or the same sentence in several languages."""
Value = Annotated[str, Read(_variable_value, _SCALAR)]
"""What a variable may be."""
Texts = Annotated[tuple[Line, ...], Before(as_list), OneOrMany()]
Values = Annotated[tuple[Annotated[str, Read(_line, _SCALAR)], ...], Before(as_list), OneOrMany()]
Names = Annotated[tuple[Name, ...], Before(as_list), Field(min_length=1), OneOrMany()]
Positive = Annotated[float, Read(values.positive_duration, _DURATION)]
Duration = Annotated[float, Read(values.duration, _DURATION)]
Count = Annotated[int, Read(values.count, {"type": "integer", "minimum": 0, "maximum": 1000})]
Retries = Annotated[int, Read(values.retries, {"type": "integer", "minimum": 0, "maximum": values.MOST_RETRIES})]
Flag = Annotated[bool, Read(values.flag, {"type": "boolean"})]
Percentage = Annotated[
    float,
    Read(
        values.percentage,
        {"anyOf": [{"type": "number", "minimum": 0, "maximum": 100}, {"type": "string", "pattern": "^[0-9.]+ ?%?$"}]},
    ),
]
Share = Annotated[
    float,
    Read(values.share, {"type": "string", "pattern": "^[0-9]+([.][0-9]+)? ?%$", "examples": ["80%", "90%"]}),
]
Day = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$"})]
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_MONTH_DAY = "[0-9]{2}-[0-9]{2}"
_DATES = {
    "type": "string",
    "pattern": f"^({_DATE}([.][.]{_DATE})?|{_MONTH_DAY}([.][.]{_MONTH_DAY})?|[^0-9].*)$",
    "examples": ["2026-12-24..2027-01-03", "12-24", "10-15..04-15", "eve of christmas", "school holidays A"],
}
Dates = Annotated[str, Read(dates.text, _DATES)]
"""Days: with their year, of every year, or by what they are called."""
DatesOrPart = Annotated[
    str,
    Read(
        dates.days_or_part_text,
        {
            "type": "string",
            "pattern": f"^({_DATE}.*|{_MONTH_DAY}.*|[^0-9].*)$",
            "examples": ["2026-12-24", "2026-12-24 18:00..24:00", "christmas"],
        },
    ),
]
"""Days, or part of one."""
DateRanges = Annotated[tuple[Dates, ...], Before(as_list), OneOrMany()]

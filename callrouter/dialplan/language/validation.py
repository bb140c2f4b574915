"""What pydantic found, as issues with file, line and node, in the words of the people who write the files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from callrouter.dialplan.issues import Issue, closest, shown
from callrouter.dialplan.language.reader import Document, Key, dotted, node_name, tree_path

Model = TypeVar("Model", bound=BaseModel)


def validate(model: type[Model], document: Document) -> tuple[Model | None, list[Issue]]:
    """The document as a model, or None; and everything that is wrong with it."""
    return validate_part(model, document, document.value, ())


def validate_part(model: type[Model], document: Document, value: object, path: Key) -> tuple[Model | None, list[Issue]]:
    """A part of the document, which stands at `path`, as a model, or None; and everything that is wrong with it."""
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        return None, [
            _issue(model, document, path, found)
            for found in error.errors(include_url=False, include_input=True, include_context=True)
            if not _is_of_its_entries(found)
        ]


def _is_of_its_entries(found: ErrorDetails) -> bool:
    """Whether a list or mapping is called too short only because its entries are wrong, as is said of them."""
    return found["type"] == "too_short" and bool(found["input"])


def broken_nodes(issues: Iterable[Issue]) -> frozenset[str]:
    """The nodes that have errors of their own."""
    return frozenset(issue.node for issue in issues if issue.node)


def _issue(model: type[BaseModel], document: Document, path: Key, found: ErrorDetails) -> Issue:
    full = (*path, *found["loc"])
    absent = str(found["ctx"]["key"]) if found["type"] == "missing_key" else ""
    missing = found["type"] == "missing" or bool(absent)
    known = document.known(*full)
    message, suggestion = _sentence(model, found)
    if missing:
        field = absent or str(found["loc"][-1])
    else:
        field = dotted(known)
        label = _label(known)
        message = f"{label}: {message}" if label and found["type"] != "extra_forbidden" else message
    return Issue(
        file=document.file,
        line=document.line(*full),
        node=node_name(known),
        field=field,
        message=message,
        suggestion=suggestion,
    )


def _label(known: Key) -> str:
    """What a person calls the value: inside a node, its path after the verb."""
    known = tree_path(known)
    inner = known[3:] if node_name(known) else known
    if node_name(known) and len(known) == 3:
        return str(known[2])
    return dotted(tuple(part if isinstance(part, str) else part + 1 for part in inner))


_MEANT_VERBS = {
    **dict.fromkeys(("transfer", "forward", "renvoi"), "redirect"),
    **dict.fromkeys(("voicemail", "record", "messagerie"), "message"),
    **dict.fromkeys(("ring", "call", "appel"), "dial"),
    **dict.fromkeys(("say", "speak", "announce"), "play"),
    **dict.fromkeys(("ivr", "choice"), "menu"),
    **dict.fromkeys(("hours", "schedule", "time"), "opening_hours"),
    **dict.fromkeys(("if", "switch", "condition"), "branch"),
    **dict.fromkeys(("http", "webhook"), "lookup"),
    **dict.fromkeys(("email", "sms", "mail"), "notify"),
    **dict.fromkeys(("team", "line", "file"), "queue"),
    **dict.fromkeys(("end", "raccrocher"), "hangup"),
}
"""What others call a verb: by its letters, `transfer` is next to `answer`."""


def _sentence(model: type[BaseModel], found: ErrorDetails) -> tuple[str, str]:
    """What is wrong, and the name that was probably meant."""
    loc = found["loc"]
    last = str(loc[-1]) if loc else ""
    value = found.get("input")
    match found["type"]:
        case "missing" | "missing_key":
            where, last = (loc, str(found["ctx"]["key"])) if found["type"] == "missing_key" else (loc[:-1], last)
            hint = getattr(_model_at(model, where), "missing", {}).get(last)
            return f'"{last}" is missing' + (f": {hint}" if hint else ""), ""
        case "extra_forbidden":
            allowed = _keys(model, loc[:-1])
            kind = "verb" if "hangup" in allowed else "key"
            hint = (_MEANT_VERBS.get(last.lower(), "") if kind == "verb" else "") or closest(last, allowed)
            listed = "" if hint else f": the {kind}s here are {', '.join(allowed)}"
            return f"unknown {kind} {shown(last)}{listed}", hint
        case "value_error":
            return str(found["ctx"]["error"]), ""
        case "string_type":
            return "is empty" if value is None else "must be a text", ""
        case "model_type" | "model_attributes_type" if value is not None:
            return f"must be a mapping, not {_kind(value)}: {_what_it_holds(_model_at(model, loc))}", ""
        case "dict_type" | "model_type" | "model_attributes_type" | "mapping_type":
            return "is empty" if value is None else f"must be a mapping, not {_kind(value)}", ""
        case "too_short":
            return "is empty", ""
        case "too_long":
            return f"holds {found['ctx']['actual_length']} entries, {found['ctx']['max_length']} are the most", ""
        case "greater_than_equal":
            return f"must be {found['ctx']['ge']} or more, not {value}", ""
        case "less_than_equal":
            return f"must be {found['ctx']['le']} or less, not {value}", ""
        case _:
            return found["msg"], ""


_FEW_KEYS = 8


def _what_it_holds(model: type[BaseModel]) -> str:
    """What to write into a mapping: its keys, or of many those that it needs."""
    allowed = _keys(model, ())
    needed = tuple(field.alias or key for key, field in model.model_fields.items() if field.is_required())
    listed = allowed if len(allowed) <= _FEW_KEYS else needed
    word = "it needs" if listed is needed else "its key is" if len(listed) == 1 else "its keys are"
    return f"{word} {', '.join(listed)}"


def _kind(value: object) -> str:
    if isinstance(value, str):
        return shown(value)
    return "a list" if isinstance(value, list | tuple) else "a mapping"


def _keys(model: type[BaseModel], loc: Iterable[str | int]) -> tuple[str, ...]:
    """The keys that may stand at a place of the document."""
    return tuple(field.alias or key for key, field in _model_at(model, loc).model_fields.items())


def _model_at(model: type[BaseModel], loc: Iterable[str | int]) -> type[BaseModel]:
    """The model of the mapping at a place of the document."""
    here = model
    within_mapping = False
    for part in loc:
        if within_mapping or isinstance(part, int):
            within_mapping = False
            continue
        for key, field in here.model_fields.items():
            if (field.alias or key) == part:
                within_mapping = get_origin(field.annotation) in (dict, Mapping)
                here = _inner_model(field.annotation) or here
                break
    return here


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """The model an annotation holds, through Annotated, Optional, tuples and mappings."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        if inner := _inner_model(argument):
            return inner
    return None

"""The language as editors and people read of it: JSON Schema of each document, and what each key means.

Both are made of the models that read the documents (`client_file`, `shared_files`, and what these hold) and of the text
below each key there, so that they cannot say anything else than what is read.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, Final, get_args

from pydantic import BaseModel

from callrouter.dialplan.documents.client_file import ClientFile
from callrouter.dialplan.documents.expected_file import ExpectedCalls
from callrouter.dialplan.documents.shared_files import SHARED_FILES
from callrouter.dialplan.language.fields import Block
from callrouter.dialplan.verbs import AnyNode

EXPECTED: Final = "expected"
DOCUMENTS: Final[Mapping[str, type[Block]]] = {"client": ClientFile, **SHARED_FILES, EXPECTED: ExpectedCalls}
"""The kinds of documents by name: a client's, the shared ones, and the table of where callers must end."""

_DIALECT = "http://json-schema.org/draft-07/schema#"
"""The dialect every editor understands."""

_PARAMETER = {"type": "string", "pattern": r"\$[a-z][a-z0-9_-]*"}


def json_schema(name: str, client: type[ClientFile] = ClientFile) -> dict[str, Any]:
    """The JSON Schema of a kind of document, with the meaning of each key; `client` is the model of a client's file.

    Raises:
        KeyError: there is no such kind.
    """
    schema = _of_model(client if name == "client" else DOCUMENTS[name])
    if name == "snippets":
        _put_nodes_into_snippets(schema, client)
    definitions = dict(sorted(schema.pop("$defs", {}).items()))
    return {"$schema": _DIALECT, **schema, "$defs": definitions}


def _of_model(model: type[Block]) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True)
    models = {found.__name__: found for found in models_within(model)}
    for title, definition in ((model.__name__, schema), *schema.get("$defs", {}).items()):
        if found := models.get(title):
            _explain(definition, found)
    _tidy(schema)
    return schema


def models_within(model: type[BaseModel]) -> Iterator[type[Block]]:
    """A model, and all that its fields hold, each once."""
    seen: set[type] = set()
    waiting: list[Any] = [model]
    while waiting:
        found = waiting.pop()
        if isinstance(found, type) and issubclass(found, Block):
            if found in seen:
                continue
            seen.add(found)
            yield found
            waiting.extend(field.annotation for field in reversed(found.model_fields.values()))
        else:
            waiting.extend(get_args(found))


def _explain(definition: dict[str, Any], model: type[Block]) -> None:
    """Put the meaning of the model and of its keys into its schema."""
    definition["description"] = summary(model)
    definition.pop("title", None)
    described = meanings(model)
    for key, field in model.model_fields.items():
        written = field.alias or key
        inner = definition["properties"][written]
        if text := described.get(key) or _of_verb(model, key):
            if "$ref" in inner:
                inner = definition["properties"][written] = {"allOf": [inner]}
            inner["description"] = text


def _of_verb(model: type[Block], key: str) -> str:
    """What a verb does, from the model of what it holds."""
    return summary(model.verbs[key].block) if issubclass(model, AnyNode) else ""


def summary(model: type[Block]) -> str:
    """What a model is for: its docstring without the example."""
    text = inspect.getdoc(model) or ""
    return text.partition("```")[0].strip()


@cache
def _classes(module: str) -> Mapping[str, ast.ClassDef]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


@cache
def meanings(model: type[Block]) -> Mapping[str, str]:
    """What each field of a model means: the text below it in the source."""
    found: dict[str, str] = {}
    for parent in model.__bases__:
        if issubclass(parent, Block) and parent is not Block:
            found.update(meanings(parent))
    written = _classes(model.__module__).get(model.__name__)
    for field, text in pairwise(written.body if written else ()):  # the list of verbs is made, not written
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if field.target.id not in model.model_fields:
            continue
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str):
            found[field.target.id] = " ".join(text.value.value.split())
    return found


def _tidy(schema: Any) -> None:
    """Leave out what helps nobody, and write defaults as the document would."""
    if isinstance(schema, list):
        for item in schema:
            _tidy(item)
        return
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get("title"), str):
        del schema["title"]
    if "default" in schema:
        default = as_written(schema["default"], schema)
        if default is None:
            del schema["default"]
        else:
            schema["default"] = default
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            _tidy(list(value.values()))
        elif key not in ("default", "examples"):
            _tidy(value)


def as_written(default: Any, schema: Mapping[str, Any]) -> Any:
    """A default as a document writes it; None: it is nothing to write."""
    if default in (None, [], {}, ""):
        return None
    if isinstance(default, float):
        if "%" in schema.get("pattern", ""):
            return f"{default * 100:g}%"
        return duration(default) if schema.get("type") == "string" else default
    return default if isinstance(default, str | int | bool) else None


def duration(seconds: float) -> str:
    """Seconds as the documents write them."""
    minutes, rest = divmod(seconds, 60)
    if minutes and not rest:
        return f"{minutes:g}m"
    return f"{minutes:g}m{rest:g}s" if minutes else f"{rest:g}s"


def _put_nodes_into_snippets(schema: dict[str, Any], client: type[ClientFile]) -> None:
    """A snippet's nodes are a client's, in which a parameter may stand for any value."""
    nodes = _of_model(client)
    wanted = {"NodeBlock"}
    waiting = ["NodeBlock"]
    while waiting:
        for name in _references(nodes["$defs"][waiting.pop()]):
            if name not in wanted:
                wanted.add(name)
                waiting.append(name)
    definitions = schema["$defs"]
    definitions |= {name: _with_parameters(nodes["$defs"][name]) for name in sorted(wanted)}
    snippet = definitions["SnippetBlock"]["properties"]["nodes"]
    snippet["additionalProperties"] = {"$ref": "#/$defs/NodeBlock"}


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref":
                yield value.rpartition("/")[2]
            else:
                yield from _references(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _references(item)


def _with_parameters(schema: Any) -> Any:
    """Every single value may be `$name`, and so may every list."""
    if isinstance(schema, list):
        return [_with_parameters(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {
        key: {name: _with_parameters(part) for name, part in value.items()}
        if key == "properties"
        else {"anyOf": [value, _PARAMETER]}
        if key == "propertyNames"
        else value
        if key in ("required", "enum", "examples", "default", "oneOf")
        else _with_parameters(value)
        for key, value in schema.items()
    }
    single = schema.get("type") in ("string", "integer", "number", "boolean") or "enum" in schema
    if not single:
        return inner
    kept = {key: inner.pop(key) for key in ("description", "default") if key in inner}
    return {**kept, "anyOf": [inner, _PARAMETER]}

"""The reference of the language as Markdown, made of the nodes' docstrings and of the models of the documents."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from callrouter.dialplan.documents.calendar import CalendarBlock
from callrouter.dialplan.documents.client_file import ClientFile
from callrouter.dialplan.documents.shared_files import SHARED_FILES
from callrouter.dialplan.documents.snippets import PARAMETER_TYPES
from callrouter.dialplan.language.bounds import ACCEPTABLE
from callrouter.dialplan.language.fields import Block
from callrouter.dialplan.language.identities import IdentityBlock
from callrouter.dialplan.language.languages import LANGUAGES
from callrouter.dialplan.language.own_texts import OWN_TEXTS
from callrouter.dialplan.language.prompts import PromptBlock
from callrouter.dialplan.language.waiting_texts import WAITING_TEXTS
from callrouter.dialplan.reference.schema import DOCUMENTS, EXPECTED, json_schema, meanings, models_within, summary

_HEAD = """\
# Reference of the clients' files

<!-- Made by `callrouter schema --write dialplans`: edit the docstrings and field texts in the source instead. -->

One client is one file, `<client>.yaml`; what several clients use stands beside them in `shared/`. `callrouter check`
says what is wrong with them, `callrouter route` walks them as a caller would. The first line of a file may be
`# yaml-language-server: $schema=schema/client.json`: then editors complete and check it while it is written.

Every value is taken as the text that is written: `no`, `08:00` and `0612345678` are these texts and nothing else (put
telephone numbers in quotes all the same: editors take them for numbers otherwise). Where a list is asked for, a single
value may stand alone. Names are lower-case letters, digits, `_` and `-`, a letter first. Durations are written `20s`,
`3m`, `1m30s` or `500ms`. Anchors, aliases and tags are not understood: share things by the files in `shared/`.
"""

_SNIPPETS = """\
`$name` in a snippet is the value of a parameter, alone or within a text; `$$` is a dollar. A parameter of type `node`
is a way out: it leads to a node of whoever includes the snippet. The types are {types}.
The snippet's nodes become nodes of the tree under the name of the node that includes it (`night/ask`).
"""

_DATES = """\
Wherever days stand (in `exceptions` and `closed` of hours, in a rota's `exceptions`, in `dates` of a branch), they are
written in one of these ways:

| written | days |
|---|---|
| `2026-12-24` | that day |
| `2026-12-24..2027-01-02` | from the first to the last of these days |
| `12-24` | that day of every year; `02-29` comes in leap years only |
| `10-15..04-15` | these days of every year, here over New Year. One that ends on `02-29` ends on 28 February in \
other years, one that begins on it begins on 1 March |
| `christmas`, `lundi de Pâques` | a public holiday by its name, in any language in which the country's have names; \
the countries are those of `holidays`, else the client's own (a rota's: that of its time zone) |
| `eve of christmas`, `veille de Noël` | the day before it |
| `public holidays`, `eve of public holidays` | each of them, or the day before each |
| `school holidays A` | those of the French zone A, B or C; elsewhere of a region (`school holidays DE-BY`). They \
are known as far as they are published; later ones are reckoned by the usual rule |

What comes every year is known from the year before this one to five years after it, as public holidays are.

**Which hours a day has.** First decides what names a day with its year, then what names one day of every year, then
what names several (a season, `public holidays`, `school holidays`); in each case `exceptions` before `closed`. Two
exceptions of the same kind that claim the same day with other hours are refused. Then public holidays are closed, and
then the week says.

- One day (`2026-12-27`, `12-24`, `christmas`, `eve of christmas`) decides whatever it is: `"2026-12-27":
  "10:00-18:00"` opens that Sunday.
- Several days (with `..`, `eve of public holidays`, `school holidays`) change the hours of those which the week opens
  and which are no public holidays: `"2026-12-24..2027-01-02": "09:00-12:00"` shortens the working days between, and
  opens neither Sunday nor Christmas. `public holidays` changes those that fall on a day which the week opens.
  `12-24..12-24` is 24 December where that is a working day. (A week without any hours says nothing of its days: then
  all but public holidays are opened.)
- Hours belong to the day on which they begin. A night `22:00-06:00` of Thursday goes on until Friday at 06:00, be
  Friday a public holiday or closed; the night that would begin on a holiday or on a closed day is off as a whole, its
  morning after midnight too.
- The clock on the wall decides. In the hour that comes twice when clocks go back, hours hold both times; of hours that
  the clocks leave out, `check` warns.

`callrouter show --hours` shows each day of a week and why it is so; `check` names the days that may surprise.
"""

_ACCEPTED = """\
Some warnings end with a name in brackets: what they warn of is seldom meant. A client for whom it is right says so,
with the reason, and `check` is silent about it: `accepted: { long-ring: "The telephone hangs in the stable." }`.
"""


def reference(client: type[ClientFile] = ClientFile) -> str:
    """The whole reference; `client` is the model of a client's file."""
    return "\n".join(line.rstrip() for line in "\n".join(_sections(client)).splitlines()) + "\n"


def _sections(client: type[ClientFile]) -> Iterator[str]:
    yield _HEAD
    yield "## A client's file\n"
    schema = json_schema("client", client)
    yield from _document(client, schema, skip=(client.node_block,))
    yield "### Days and dates\n"
    yield _DATES
    yield "### accepted\n"
    yield _ACCEPTED
    yield "| name | said when |"
    yield "|---|---|"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in ACCEPTABLE.items())
    yield ""
    yield "## Nodes\n"
    yield "A node is a name and one verb. Exits name the node that follows.\n"
    for name, verb in client.node_block.verbs.items():
        model, definitions = verb.block, schema["$defs"]
        yield f"### {name}\n"
        yield inspect.getdoc(sys.modules[verb.node.__module__] if verb.node else model) or ""
        yield ""
        yield from _table(model, definitions[model.__name__])
        for inner in models_within(model):
            if inner is not model and inner.__name__ not in _COMMON and inner is not IdentityBlock:
                yield f"{_called(inner)}:\n"
                yield from _table(inner, definitions[inner.__name__])
    yield "### Prompts, silence and wrong keys\n"
    for model in models_within(client.node_block):
        if model.__name__ in _COMMON:
            yield f"{_COMMON[model.__name__]}\n"
            yield from _table(model, schema["$defs"][model.__name__])
            if model is PromptBlock:
                yield _filled(_SENTENCES)
    for name, model in SHARED_FILES.items():
        yield f"## shared/{name}.yaml\n"
        yield from _document(model, json_schema(name), skip=())
        if name == "snippets":
            yield _SNIPPETS.format(types=", ".join(f"`{kind}`" for kind in PARAMETER_TYPES))
    yield "## client.test.yaml\n"
    yield "Beside `acme.yaml`, `acme.test.yaml`:\n"
    yield from _document(DOCUMENTS[EXPECTED], json_schema(EXPECTED), skip=())


_SENTENCES = """\
Wherever something is said (to agents and to those who are rung, too), a sentence may hold values in braces:
`Votre dossier {dossier} est prêt le {jour:date} à {jour:time}.` A variable is read digit by digit, or as the word after
the colon says: `digits`, `telephone`, `number`, `date` (2026-11-24), `time` (14:30). `{caller}` is the number that
calls, `{did}` the one that was dialled; both are read as telephone numbers, in French in pairs. A value that is no such
thing is left out, and so is the number of a caller who shows none. Names and other texts cannot be read aloud.

`language` gives a part a voice of its own: a menu asks `[{ say: "Pour le français, tapez 1.", language: fr },
{ say: "For English, press 2.", language: en }]`, and its keys lead to a `set: { language: … }` each.

Languages are those that espeak-ng speaks: {languages}.
Digits and telephone numbers are read aloud in all of them, numbers, days and times in English and French. callrouter's
own sentences exist in en, fr, de, es, it, nl and pt; `check` asks for them elsewhere, `shared/prompts.yaml` may hold
them under the names {own}.

Sentences are written as people write them and read as people say them: `14h30`, `9h-12h`, `24/12`, `12,50 €`, `15 %`,
`1er`, `n° 12`, `SARL`, `M.`, `Dr`, telephone numbers; in English `2:30 pm`, `£12.50`, `Mr`. Capitals that make no word
are spelt.
"""


def _filled(text: str) -> str:
    own = ", ".join(f"`{one.name}`" for one in (*OWN_TEXTS, *WAITING_TEXTS))
    return text.replace("{own}", own).replace("{languages}", ", ".join(LANGUAGES))


_COMMON = {
    "PromptBlock": "A prompt is a text in quotes, or one of these; several make a list:",
    "RetryBlock": "`no_input` and `no_match` are the name of a node, or:",
}


def _document(model: type[Block], schema: Mapping[str, Any], *, skip: tuple[type[Block], ...]) -> Iterator[str]:
    yield inspect.getdoc(model) or ""
    yield ""
    yield from _table(model, schema)
    # A client's own identity and a node's are one thing, described with the client's.
    hidden = {inner for skipped in skip for inner in models_within(skipped)} - {IdentityBlock}
    for inner in models_within(model):
        if inner is model or inner in hidden:
            continue
        title = "calendars.*" if inner is CalendarBlock else _path_to(model, inner)
        yield f"### {title}\n"
        yield inspect.getdoc(inner) or ""
        yield ""
        yield from _table(inner, schema["$defs"][inner.__name__])


def _path_to(model: type[Block], wanted: type[Block]) -> str:
    """Where in a document a model stands: `contacts.*`, `fallback`."""
    for key, field in model.model_fields.items():
        held = list(models_within_annotation(field.annotation))
        if wanted in held:
            many = "Mapping" in str(field.annotation) or "dict[" in str(field.annotation)
            here = (field.alias or key) + (".*" if many and key != "hours" else "")
            direct = held[0] is wanted
            return here if direct else f"{here}.{_path_to(held[0], wanted)}"
    return wanted.__name__


def models_within_annotation(annotation: Any) -> Iterator[type[Block]]:
    """The models an annotation holds, the outermost first."""
    if isinstance(annotation, type) and issubclass(annotation, Block):
        yield from models_within(annotation)
    else:
        for inner in get_args(annotation):
            yield from models_within_annotation(inner)


def _called(model: type[Block]) -> str:
    text = summary(model).split("\n")[0].rstrip(".")
    return text.partition(": ")[0] if ": " in text else text


def _table(model: type[Block], schema: Mapping[str, Any]) -> Iterator[str]:
    """Every key: what it holds, whether it is needed, what it means."""
    described = meanings(model)
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    if model.__name__ == "CallerBlock":
        yield "| *name of a list* | name | | Where the callers of that list go. |"
    for key, field in model.model_fields.items():
        written = field.alias or key
        inner = schema["properties"][written]
        default = "**needed**" if field.is_required() else _default(inner)
        meaning = described.get(key, "").replace("|", "\\|")
        yield f"| `{written}` | {_kind(inner).replace('|', chr(92) + '|')} | {default} | {meaning} |"
    yield ""


def _default(schema: Mapping[str, Any]) -> str:
    default = schema.get("default")
    if default is None:
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _kind(schema: Mapping[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return _block_name(schema["$ref"])
    if "allOf" in schema:
        return _kind(schema["allOf"][0])
    if schema.get("enum") == list(LANGUAGES):
        return "language"
    if "enum" in schema:
        return " or ".join(f"`{word}`" for word in schema["enum"])
    if "anyOf" in schema:
        kinds = list(dict.fromkeys(_kind(part) for part in schema["anyOf"] if part.get("type") != "null"))
        listed = [kind for kind in kinds if kind.startswith("list of ")]
        return listed[0] if listed else " or ".join(kinds)
    if schema.get("type") == "array":
        return f"list of {_many(_kind(schema.get('items', {})))}"
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties") or next(iter(schema.get("patternProperties", {}).values()), None)
        return f"mapping to {_kind(inner)}" if isinstance(inner, dict) and inner else "mapping"
    if "pattern" in schema:
        return _by_pattern(schema["pattern"])
    if isinstance(schema.get("type"), list):
        return "text or number"
    words = {"integer": "whole number", "boolean": "`true` or `false`", "string": "text", "number": "number"}
    return words.get(str(schema.get("type")), "value")


def _many(kind: str) -> str:
    if kind.startswith("`"):  # words to choose from stay as they are
        return kind
    first = kind.partition(" or ")[0]
    return first if first.endswith("s") else f"{first}s"


def _by_pattern(pattern: str) -> str:
    for sign, word in (("(ms|s|m|h)", "duration"), ("%", "percentage"), ("W[0-9]", "week"), ("[-–]", "hours")):
        if sign in pattern:
            return word
    if "{4}-" in pattern:
        return "day"
    return "name" if pattern.startswith("^[a-z]") else "text"


def _block_name(reference_: str) -> str:
    name = reference_.rpartition("/")[2].removesuffix("Block")
    return " ".join(re.findall("[A-Z][a-z]*", name)).lower()

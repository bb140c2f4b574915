"""`lookup`, as the documents write it."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from callrouter.core.effects import LookupField
from callrouter.core.nodes import LookupNode, Node
from callrouter.core.templates import parse
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language import values
from callrouter.dialplan.language.fields import (
    MAX_VALUE,
    Before,
    Block,
    Count,
    Flag,
    Line,
    Name,
    OneOf,
    Read,
    Target,
    as_mapping,
)
from callrouter.dialplan.language.templates import TemplateText, template_text
from callrouter.dialplan.language.words import length
from callrouter.dialplan.verbs._base import Names, Verb, own_name

LONGEST_LOOKUP_SECONDS = 10.0
"""Nobody listens longer to hold music without knowing why."""
LONGEST_FIELD = 200
"""Bytes of a field: a call carries its variables."""
SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"})
OWN_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "content-type", "accept-encoding"}
)

_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_SECRET = re.compile(r"env:[A-Z][A-Z0-9_]{0,63}")
_PATH = re.compile(r"[^.\s]+(?:\.[^.\s]+)*")


def _url(value: object) -> str:
    """An address whose host is written out: a caller's words must not choose who is asked."""
    written = template_text(value)
    scheme, _, rest = written.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "{" in scheme + host:
        raise ValueError(f"{shown(host, 60)}: the host must be written out: variables stand only after it")
    url = urlsplit(written)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError(f"{shown(written, 60)} is no address of a web service: write https://…")
    if "@" in host:
        raise ValueError("an address holds no user and no password: send a secret in a header, as env:NAME")
    if "#" in written:
        raise ValueError('an address of a web service has no part after "#"')
    _ = url.port  # raises ValueError for what is no port
    return written


def _header(value: object) -> str:
    name = values.text(value).strip()
    if not _HEADER.fullmatch(name):
        raise ValueError(f"{shown(name)} is no name of a header: letters, digits and -")
    if name.lower() in OWN_HEADERS:
        raise ValueError(f"header {name} is written by callrouter itself: leave it out")
    return name


def _header_value(value: object) -> str:
    words = values.text(value).strip()
    if len(words) > 200 or not (words.isascii() and words.isprintable()):
        raise ValueError(f"{shown(words, 30)} must be one line of at most 200 plain ASCII characters")
    if words.startswith("env:") and not _SECRET.fullmatch(words):
        raise ValueError(f'{shown(words, 40)} names no variable: write "env:CRM_TOKEN" for CALLROUTER_SECRET_CRM_TOKEN')
    return words


def _path(value: object) -> str:
    words = values.text(value).strip()
    if len(words) > 200 or not _PATH.fullmatch(words):
        raise ValueError(f'{shown(words, 40)} is no way into an answer: write keys with dots between, "customer.name"')
    return words


def _field(value: object) -> object:
    """`name: customer.name` for `name: { path: customer.name }`."""
    return {"path": value} if isinstance(value, str) else value


def _timeout(value: object) -> float:
    seconds = values.positive_duration(value)
    if seconds > LONGEST_LOOKUP_SECONDS:
        raise ValueError(f"{shown(values.text(value))} is too long: a caller waits at most {LONGEST_LOOKUP_SECONDS:g}s")
    return seconds


Url = Annotated[str, Read(_url, {"type": "string", "pattern": "^https?://", "maxLength": 500})]
HeaderName = Annotated[str, Read(_header, {"type": "string"})]
HeaderValue = Annotated[str, Read(_header_value, {"type": "string", "maxLength": 200})]
Path = Annotated[str, Read(_path, {"type": ["string", "number"]})]


class _OrPath:
    """Lets editors accept the path alone."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """The mapping, or the path."""
        return {"anyOf": [{"type": ["string", "number"]}, handler(core_schema)]}


class FieldBlock(Block):
    """A part of the answer that becomes a variable."""

    missing: ClassVar[Mapping[str, str]] = {"path": "say where the value stands in the answer, as in customer.name"}

    path: Path
    """The path to it: keys with dots between, and numbers for places in a list (`phones.0`)."""
    max: Count = MAX_VALUE
    """Bytes it may take at most (1 to 200): a longer one is an answer that failed."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if not 1 <= self.max <= LONGEST_FIELD:
            raise ValueError(f"max is {self.max}: a field takes 1 to {LONGEST_FIELD} bytes")
        return self


class LookupBlock(Block):
    """Ask a web service."""

    missing: ClassVar[Mapping[str, str]] = {
        "url": "write the address that is asked, as in https://crm.example/callers/{caller}",
        "next": "say which node follows",
        "failed": "say where the call goes when the web service does not answer, or not with every field",
    }

    url: Url
    """Its address; `{variables}` after the host are encoded. `{caller}`, `{did}`, `{client}`, `{call_id}` are always
    there."""
    method: Annotated[str, OneOf("GET", "POST")] = "GET"
    """`GET`, or `POST` with a `body`."""
    headers: Annotated[dict[HeaderName, HeaderValue], Before(as_mapping)] = Field(default_factory=dict)
    """Headers to send; a secret is written `env:NAME` and stands in CALLROUTER_SECRET_NAME."""
    body: Annotated[dict[Line, TemplateText], Before(as_mapping)] = Field(default_factory=dict)
    """What is posted, as JSON: names, and texts with `{variables}`."""
    timeout: Annotated[float, Read(_timeout, {"type": "string", "examples": ["3s"]})] = 3.0
    """How long the caller waits for the answer, at most 10 s."""
    fields: Annotated[dict[Name, Annotated[FieldBlock, Before(_field), _OrPath()]], Before(as_mapping)] = Field(
        default_factory=dict
    )
    """Variables, and the way to the value of each in the answer."""
    music: Flag = True
    """Hold music when the answer takes longer than a short silence."""
    next: Target
    """Answered in time, with every field."""
    failed: Target
    """Anything else."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.body and self.method == "GET":
            raise ValueError('a GET has no "body": write "method: POST", or put the values into the url')
        for name, value in self.headers.items():
            if name.lower() in SECRET_HEADERS and not value.startswith("env:"):
                raise ValueError(
                    f"header {name}: a secret does not stand in a document: write env:NAME, and set"
                    " CALLROUTER_SECRET_NAME in the engine's environment"
                )
        return self


def build(names: Names, name: str, block: LookupBlock) -> Node:
    """Its fields must not have names that every call has."""
    for variable in block.fields:
        own_name(names, variable, "nodes", name, "lookup", "fields", variable)
    return LookupNode(
        name=name,
        line=names.line("nodes", name),
        exits=names.leads(name, "lookup", ("next", block.next, ("next",)), ("failed", block.failed, ("failed",))),
        method=block.method,
        url=parse(block.url),
        headers=tuple(block.headers.items()),
        body=tuple((key, parse(value)) for key, value in block.body.items()),
        fields=tuple(
            LookupField(variable=variable, path=tuple(field.path.split(".")), longest=field.max)
            for variable, field in block.fields.items()
        ),
        timeout_seconds=block.timeout,
        music=block.music,
    )


def describe(node: LookupNode) -> str:
    """What is asked, and for which variables."""
    wanted = ", ".join(field.variable for field in node.fields)
    sent = f"{node.method} {node.url.written}, at most {length(node.timeout_seconds)}"
    return f"{sent}, for {wanted}" if wanted else sent


LOOKUP = Verb(name="lookup", node=LookupNode, block=LookupBlock, build=build, describe=describe)

"""What is published of the language: schemas for editors and the reference, in step with what is read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs would be a dependency of their own
import pytest
import yaml

from callrouter.cli.schema import published
from callrouter.core.nodes import ALL
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.dialplan.folder.files import read_tables
from callrouter.dialplan.reference.schema import DOCUMENTS, json_schema, meanings, models_within
from callrouter.dialplan.reference.text import reference
from callrouter.dialplan.verbs import VERBS, NodeBlock
from callrouter.questions.expected import run_expected

DIALPLANS = Path(__file__).parents[3] / "dialplans"
TABLES = sorted(DIALPLANS.glob("*.test.yaml"))
SHARED_NAMES = [name for name in DOCUMENTS if name not in ("client", "expected")]
BROKEN = Path(__file__).parents[1] / "broken"
CLIENTS = sorted(path for path in DIALPLANS.glob("*.yaml") if ".test." not in path.name)
SHARED = sorted((DIALPLANS / "shared").glob("*.yaml"))


class _Editor(yaml.SafeLoader):
    """YAML 1.2's core schema, as editors read it: `on` and dates are texts, `0612345678` is a number."""


_Editor.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Editor.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def as_editor(text: str) -> Any:
    """A document as an editor with a YAML language server has it."""
    return yaml.load(text, Loader=_Editor)


def complaints(document: str, text: str) -> list[str]:
    """What an editor underlines."""
    validator = jsonschema.Draft7Validator(json_schema(document))
    return [error.message for error in validator.iter_errors(as_editor(text))]


def test_what_is_published_is_in_step() -> None:
    """`callrouter schema --write dialplans` would change nothing."""
    for path, text in published(DIALPLANS).items():
        assert path.read_text() == text, f"{path.name}: run `callrouter schema --write dialplans`"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_schemas_are_schemas(name: str) -> None:
    """By the dialect's own schema."""
    jsonschema.Draft7Validator.check_schema(json_schema(name))


@pytest.mark.parametrize("path", CLIENTS, ids=lambda path: path.stem)
def test_the_demonstration_clients_are_right_in_an_editor(path: Path) -> None:
    """They say which schema is theirs, and it holds."""
    text = path.read_text()

    assert text.startswith("# yaml-language-server: $schema=schema/client.json\n")
    assert complaints("client", text) == []


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_the_tables_of_expected_routes_are_right_in_an_editor(path: Path) -> None:
    """Those of the demonstration clients."""
    text = path.read_text()

    assert text.startswith("# yaml-language-server: $schema=schema/expected.json\n")
    assert complaints("expected", text) == []


@pytest.mark.parametrize(
    "row",
    [
        "{ expect: queue }",
        "{ at: 'tue 10:00' }",
        "{ at: 'tue 10:00', expct: queue }",
        "{ at: 'tue 10:00', expect: queue, dial: { doctor: bussy } }",
        "{ at: 'tue 10:00', expect: queue, hang_up_after: 0 }",
        "{ at: 'tue 10:00', expect: queue, queues: { medical: { agent: 1 } } }",
    ],
)
def test_an_editor_sees_what_is_wrong_in_a_table(row: str) -> None:
    """Each key, and the words it takes."""
    assert complaints("expected", f"calls:\n  - {row}\n") != []


@pytest.mark.parametrize("path", SHARED, ids=lambda path: path.stem)
def test_the_shared_files_are_right_in_an_editor(path: Path) -> None:
    """Each by its own schema."""
    text = path.read_text()

    assert text.startswith(f"# yaml-language-server: $schema=../schema/{path.stem}.json\n")
    assert complaints(path.stem, text) == []


STRUCTURAL = [
    *("branch_condition_of_two_kinds", "caller_without_otherwise", "client_name_with_capitals", "dial_unknown_mode"),
    *("dial_without_no_answer", "duration_in_words", "duration_without_unit", "hours_range_unreadable"),
    *("menu_without_keys", "menu_without_no_input", "menu_without_no_match", "message_without_done", "node_is_text"),
    *("node_without_verb", "prompt_say_and_sound", "queue_without_max_wait", "queue_without_overflow"),
    *("redirect_without_failed", "reject_unknown_cause", "retry_not_a_number", "service_level_unknown_formula"),
    *("service_level_without_percent", "two_verbs", "unknown_key_in_node", "unknown_key_of_client", "unknown_verb"),
    *("fallback_of_two_kinds", "target_is_a_list", "prompt_empty"),
]


@pytest.mark.parametrize("stem", STRUCTURAL)
def test_an_editor_sees_what_is_wrong_in_shape(stem: str) -> None:
    """What needs no other file is underlined while it is written."""
    assert complaints("client", (BROKEN / f"{stem}.yaml").read_text()) != []


def test_an_editor_is_never_stricter_than_we_are() -> None:
    """A broken file whose mistake is not one of shape has no other complaint."""
    wrong = {path.stem: complaints("client", path.read_text()) for path in BROKEN.glob("loop_*.yaml")}

    assert {stem: found for stem, found in wrong.items() if found} == {}


def test_an_editor_takes_a_single_value_for_a_list_as_we_do() -> None:
    """Of conditions and of calls too; and keys that are not in quotes."""
    text = (Path(__file__).parents[1] / "full_language/clinic.yaml").read_text()
    alone = "\n  one:\n    branch: { when: { percentage: 10, then: bye }, otherwise: bye }\n"

    assert complaints("client", text) == []
    assert complaints("client", text.rstrip("\n") + alone) == []
    assert complaints("expected", "calls: { at: 'tue 10:00', keys: [9, 2], expect: queue }\n") == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_key_is_documented(document: str) -> None:
    """In its model, below the key."""
    for model in models_within(DOCUMENTS[document]):
        if model is not NodeBlock:
            assert set(model.model_fields) == set(meanings(model)), model.__name__


def examples() -> dict[str, str]:
    """The reference's examples, by the heading they stand under."""
    found: dict[str, str] = {}
    for section in re.split(r"^#{2,3} ", reference(), flags=re.MULTILINE)[1:]:
        heading = section.partition("\n")[0]
        blocks = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
        if blocks:
            (found[heading],) = blocks
    return found


EXAMPLES = examples()


def test_every_verb_and_every_file_has_an_example() -> None:
    """In the reference."""
    files = {"A client's file", "client.test.yaml", *(f"shared/{name}.yaml" for name in SHARED_NAMES)}

    assert set(EXAMPLES) == files | set(VERBS)
    assert {verb.node for verb in VERBS.values() if verb.node} == set(ALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The reference's own folder: its client, and its shared files."""
    (tmp_path / "shared").mkdir()
    for name in SHARED_NAMES:
        (tmp_path / "shared" / f"{name}.yaml").write_text(EXAMPLES[f"shared/{name}.yaml"])
    return tmp_path


def test_the_example_of_a_client_can_be_served(folder: Path) -> None:
    """With the examples of the shared files beside it; and an editor agrees with all of them."""
    (folder / "client.yaml").write_text(EXAMPLES["A client's file"])
    catalogue = load_directory(folder, PaperSpeech())

    assert [str(issue) for issue in catalogue.issues] == []
    assert "message/ask" in catalogue.plans["cabinet-exemple"].nodes
    assert complaints("client", EXAMPLES["A client's file"]) == []
    for name in SHARED_NAMES:
        assert complaints(name, EXAMPLES[f"shared/{name}.yaml"]) == []


def test_the_example_of_expected_routes_holds(folder: Path) -> None:
    """For the example of a client."""
    (folder / "client.yaml").write_text(EXAMPLES["A client's file"])
    (folder / "client.test.yaml").write_text(EXAMPLES["client.test.yaml"])
    catalogue = load_directory(folder, PaperSpeech())

    assert [str(issue) for issue in run_expected(read_tables(folder), catalogue)] == []
    assert complaints("expected", EXAMPLES["client.test.yaml"]) == []


def targets(value: Any) -> Iterator[str]:
    """Names of nodes an example leads to: every name that is the value of a way out."""
    ways = ("next", "open", "closed", "holiday", "otherwise", "overflow", "done", "no_answer", "failed", "empty")
    if isinstance(value, list):
        for item in value:
            yield from targets(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in (*ways, "then", "no_input", "no_match", "declined", "after") and isinstance(item, str):
                yield item
            elif key == "rises":
                continue
            elif key in ("keys", "caller"):
                yield from (target for target in item.values() if isinstance(target, str))
            else:
                yield from targets(item)


FRAME = """\
client: example
numbers: ["01 99 00 00 91", "01 99 00 00 11"]
timezone: Europe/Paris
language: fr
hours: {{ open: {{ mon-fri: "09:00-17:00" }}, holidays: FR }}
lists: {{ vip: ["06 12 34 00 07"], unwanted: ["08*"] }}
contacts:
  doctor: {{ number: "01 99 00 99 11" }}
  nurse: {{ number: "01 99 00 99 12" }}
  email_doctor: {{ email: a@b.example }}
  crm: {{ url: "https://crm.example/calls" }}
fallback: {{ queue: medical }}
forms: {{ order: {{ deliver: crm, fields: {{ number: number, file: text }} }} }}
start: begin
nodes:
  begin:
    set: {{ variables: {variables}, next: example }}
  example:
{example}
{others}
"""


@pytest.mark.parametrize("verb", VERBS)
def test_the_example_of_a_verb_can_be_served(verb: str, folder: Path) -> None:
    """In a client that has the names it uses; and an editor agrees."""
    text = EXAMPLES[verb]
    others = "\n".join(
        f"  {name}:\n    hangup:" for name in dict.fromkeys(targets(as_editor(text))) if name != "example"
    )
    variables = "{ dossier: '1234', rendezvous: '2026-12-01', postcode: '75011', age: '30' }"
    client = FRAME.format(variables=variables, example=re.sub("^", "    ", text, flags=re.MULTILINE), others=others)
    (folder / "client.yaml").write_text(client)
    catalogue = load_directory(folder, PaperSpeech())

    assert [str(issue) for issue in catalogue.issues if issue.severity == "error"] == []
    assert catalogue.plans
    assert complaints("client", client) == []


def test_the_command_shows_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One schema, the reference, or all written into a folder."""
    from callrouter.cli.schema import schema

    schema("queues")
    assert json.loads(capsys.readouterr().out) == json_schema("queues")
    schema(as_reference=True)
    assert capsys.readouterr().out == reference()
    schema(write=tmp_path)
    assert (tmp_path / "schema" / "client.json").read_text() == (DIALPLANS / "schema" / "client.json").read_text()

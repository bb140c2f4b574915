"""Each reader's document names all there is for them: a list that grows elsewhere grows here, or this fails."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from callrouter.api.engine_app import Operations, create_engine_app
from callrouter.api.engine_client import EngineClient
from callrouter.api.web_app import create_web_app
from callrouter.asterisk.session import LinkCounters
from callrouter.cli.application import COMMANDS, app
from callrouter.core.call import Disposition
from callrouter.core.service_level import Formula
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.dialplan.folder.files import read_tables
from callrouter.metrics import DialplanMetrics, EngineMetrics, Sources
from callrouter.metrics.staff import staff_now
from callrouter.metrics.waiting import WaitingNow
from callrouter.questions.expected import run_expected
from callrouter.settings import Settings, shown_settings
from callrouter.store.dispatch.board import BoardFigures
from callrouter.store.figures.today import Today
from callrouter.store.outgoing.watch import Wishes
from callrouter.store.retention.watch import LastRun
from callrouter.store.tables import metadata
from callrouter.stream.feed import Feed

from ..api.agents_at_work import SomeAgents  # noqa: TID252  # tests are no installed package
from ..api.serving import make_gate  # noqa: TID252  # tests are no installed package

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
BOARDS = ROOT / "deploy" / "grafana" / "dashboards"
WRITTEN_AT = datetime(2026, 11, 29, 10, tzinfo=UTC)
"""The day of the transcripts: days of the examples are over later."""
HANDBOOKS = (
    "README.md",
    "docs/operator.md",
    "docs/editor.md",
    "docs/integrator.md",
    "docs/security.md",
    "docs/telephony.md",
)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def named_in(name: str, pattern: str) -> set[str]:
    """What a document names in backticks, alone or with something after it."""
    return {found for span in re.findall(r"`([^`\n]+)`", text_of(name)) for found in re.findall(pattern, span)}


def test_the_operator_finds_every_setting() -> None:
    settings = {one.variable for one in shown_settings(Settings(_env_file=None), ROOT / "no.env")}

    assert settings - named_in("docs/operator.md", r"CALLROUTER_[A-Z_]+") == set()


class Rows:
    """What the recorder counts."""

    backlog = memory_calls = memory_limit = written_total = failed_total = 0
    oldest_seconds = 0.0
    disk_refuses = False


def families() -> Iterator[Metric]:
    """All metrics that are callrouter's own."""
    registry = CollectorRegistry()
    DialplanMetrics(registry)
    counted = Sources(
        leader=bool,
        live_calls=int,
        link_up=bool,
        frozen=bool,
        link=LinkCounters(),
        writer=Rows(),
        notifications=int,
        refused=dict,
        callbacks=dict,
        callbacks_under_way=int,
        message_calls=lambda: {"answered": 1},
        message_calls_under_way=lambda: 1,
        tasks=int,
        database=dict,
        kept_calls=int,
        journal_refused=bool,
        board=lambda: BoardFigures(attention={}, overdue=0),
        marks_wait_seconds=lambda: 0.0,
        promised=dict,
        waiting=WaitingNow,
        staff=lambda: staff_now([], []),
        wishes=lambda: Wishes(open={}, oldest_seconds={}, recent={}),
        today=lambda: Today(clients={}, gap_seconds=0.0),
        retention=lambda: LastRun(since_seconds=0, seconds=0, failed=False, deleted={}),
    )
    EngineMetrics(registry, version="", target_of=lambda _: None).watch(counted)
    return (family for family in registry.collect() if family.name.startswith("callrouter_"))


def metrics() -> dict[str, str]:
    """Their types, by their names as /metrics has them."""
    suffixes = {"counter": "_total", "info": "_info"}
    return {
        family.name + suffixes.get(family.type, ""): "gauge" if family.type == "info" else family.type
        for family in families()
    }


def test_the_operator_finds_every_metric_and_no_other() -> None:
    named = named_in("docs/operator.md", r"callrouter_[a-z_]+")

    assert named == set(metrics())


def test_the_operator_finds_the_type_of_every_metric() -> None:
    rows = re.findall(
        r"^\| `(callrouter_\w+)` \| (\w+) \| [^|]* \| [^|]+ \|$", text_of("docs/operator.md"), re.MULTILINE
    )

    assert dict(rows) == metrics()
    assert len(rows) == len(metrics())


def alerts() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def test_the_operator_finds_every_alert_and_no_other() -> None:
    assert re.findall(r"^### (Callrouter\w+)$", text_of("docs/operator.md"), re.MULTILINE) == list(alerts())


@pytest.mark.parametrize("name", alerts())
def test_an_alert_says_what_to_do(name: str) -> None:
    """In the rule, which is what a telephone shows, and in the handbook: meaning, where to look, what to do."""
    section = text_of("docs/operator.md").partition(f"### {name}\n")[2].partition("\n#")[0]
    rule = alerts()[name]

    assert re.findall(r"^\*\*(\w+(?: \w+)?)\*\*", section, re.MULTILINE) == ["Means", "Look at", "Do"]
    assert f"**Means** ({rule['labels']['severity']})" in section
    assert rule["annotations"]["action"]


def test_the_metrics_of_rules_and_boards_are_there() -> None:
    recording = yaml.safe_load(RULES.with_name("recording.yml").read_text(encoding="utf-8"))["groups"]
    boards = [json.loads(path.read_text(encoding="utf-8")) for path in BOARDS.glob("*.json")]
    asked = [
        *(rule["expr"] for rule in alerts().values()),
        *(rule["expr"] for group in recording for rule in group["rules"]),
        *(target["expr"] for board in boards for panel in board["panels"] for target in panel.get("targets", [])),
        *(one["query"] for board in boards for one in board["templating"]["list"]),
    ]
    used = {re.sub("_(bucket|count)$", "", name) for name in re.findall(r"callrouter_[a-z_]+", " ".join(asked))}

    assert used - metrics().keys() == set()


async def nothing() -> Any:
    raise AssertionError


def pages(application: FastAPI) -> set[str]:
    return set(application.openapi()["paths"])


def test_the_integrator_finds_every_page() -> None:
    """Of both processes."""
    nobody: Any = None
    web = create_web_app(nobody, nobody, EngineClient("http://engine", "token"), nobody, gate=make_gate())
    engine = create_engine_app(
        [],
        CollectorRegistry(),
        {},
        gate=make_gate(),
        operations=Operations(status=nothing, reload=nothing),
        agents=SomeAgents(),
        feed=Feed(0, nobody, calls=nobody, now=nobody),
    )

    assert (pages(web) | pages(engine)) - named_in("docs/integrator.md", r"/[a-z/_{}-]+") == set()


def test_the_integrator_finds_every_table() -> None:
    assert set(metadata.tables) - named_in("docs/integrator.md", r"[a-z_]+") == set()


def test_the_integrator_finds_every_word_of_an_answer() -> None:
    """Dispositions, and the formulas of the service level."""
    named = named_in("docs/integrator.md", r"[a-z_]+")

    assert {*map(str, Disposition), *map(str, Formula)} - named == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_explained(command: str) -> None:
    """In the operator's handbook or in the editor's guide."""
    named = named_in("docs/operator.md", r"[a-z]+") | named_in("docs/editor.md", r"[a-z]+")

    assert command in named


def typed(name: str) -> list[str]:
    """The commands of callrouter's that a document shows in its blocks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text_of(name), re.MULTILINE | re.DOTALL)
    joined = "\n".join(blocks).replace("\\\n", " ")
    found = re.findall(r"^(?:\$ )?(?:\S+=\S+ )*(?:\.venv/bin/)?callrouter (.*)$", joined, re.MULTILINE)
    return [line.partition("  #")[0].strip() for line in found]


def known(group: Any) -> list[list[str]]:
    """Each command below one, as words begin that call it."""
    return [[name] for name in group.list_commands(typer.Context(group))]


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command that these words call, and its arguments."""
    group: Any = typer.main.get_command(app)
    context = typer.Context(group)
    # Some groups are a command by themselves, too.
    while hasattr(group, "resolve_command") and not (group.invoke_without_command and words[:1] not in known(group)):
        _, group, words = group.resolve_command(context, words)
    return group, words


@pytest.mark.parametrize(("name", "line"), [(name, line) for name in HANDBOOKS for line in typed(name)])
def test_what_is_shown_can_be_typed(name: str, line: str) -> None:
    """The command is there, and has the options."""
    command, arguments = command_of(shlex.split(line.partition(" > ")[0]))
    known = {option for one in command.params for option in one.opts} | {"--help"}

    assert {one for one in arguments if one.startswith("--")} - known == set()


def test_the_editors_examples_pass(tmp_path: Path) -> None:
    """As one folder, without a finding, expected routes and all."""
    blocks = re.findall(r"^```yaml\n# dialplans/(\S+)\n(.*?)^```", text_of("docs/editor.md"), re.MULTILINE | re.DOTALL)
    for name, content in blocks:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    catalogue = load_directory(tmp_path, PaperSpeech(), now=WRITTEN_AT)

    assert set(catalogue.plans) == {"cabinet-blanc", "clinique-verte"}
    assert (*catalogue.issues, *run_expected(read_tables(tmp_path), catalogue, WRITTEN_AT)) == ()


def anchors(path: Path) -> set[str]:
    """The headings of a document, as GitHub names them in links."""
    headings = re.findall(
        r"^#+ (.*)$", re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", [*DOCS.glob("*.md"), ROOT / "README.md"], ids=lambda path: path.name)
def test_links_lead_to_a_heading(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]*)#([^)]+)\)", document.read_text(encoding="utf-8"))
    places = [(document.parent / file if file else document, anchor) for file, anchor in links]

    assert [(place.name, anchor) for place, anchor in places if anchor not in anchors(place)] == []


def test_the_readme_leads_to_every_document() -> None:
    linked = set(re.findall(r"\]\((docs/[a-z]+\.md)\)", text_of("README.md")))

    assert linked == {f"docs/{path.name}" for path in DOCS.glob("*.md")}

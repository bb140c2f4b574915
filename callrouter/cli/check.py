"""`callrouter check`: all that is wrong with the clients' files, each finding with its place and its mend."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from callrouter.cli.arguments import Parser
from callrouter.cli.web_services import check_web_services
from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.dialplan.issues import Issue, errors
from callrouter.dialplan.show.text import tree
from callrouter.questions.expected import run_expected
from callrouter.settings import load_secrets, load_settings

SUMMARY: Final = """\
Check the clients' files and run their expected routes: every finding with file, line, node, reason and mend.
Exit 1 when there are errors."""


def main(arguments: Sequence[str]) -> int:
    """Run the command; 0, or 1 when there are errors.

    Raises:
        DialplanError: there is no such folder, or no client's file in it.
        SettingsError: a setting is wrong.
    """
    asked = _asked(arguments)
    settings = load_settings()
    where = asked.path or settings.dialplans_dir
    folder = where if where.is_dir() else where.parent
    places = (folder / "sounds", *(asked.sounds or settings.sounds_dirs))
    catalogue = load_directory(where, PaperSpeech(places), region=settings.region, beside=True)
    outgoing = check_web_services(catalogue.plans.values(), settings.outgoing_hosts, load_secrets())
    issues = (*catalogue.issues, *outgoing, *run_expected(where, catalogue))
    if asked.json:
        print(json.dumps(_as_json(catalogue, issues), indent=2, ensure_ascii=False))
    elif asked.github:
        prefix = "" if folder == Path() else f"{os.path.relpath(folder)}/"
        for issue in issues:
            print(issue.as_github(prefix))
    else:
        _say(catalogue, issues, show=asked.show)
    return 1 if errors(issues) else 0


def _asked(arguments: Sequence[str]) -> Namespace:
    parser = Parser(prog="callrouter check", description=SUMMARY)
    add = parser.add_argument
    where = "a folder of clients' files, or one client's file; by default CALLROUTER_DIALPLANS_DIR"
    add("path", type=Path, nargs="?", metavar="PATH", help=where)
    add("--json", action="store_true", help="for machines")
    add("--github", action="store_true", help="as annotations of GitHub's workflows")
    add("--show", action="store_true", help="draw the trees of the files that are right")
    folder = "a folder of sound files, besides 'sounds' beside the clients; may be repeated"
    add("--sounds", action="append", type=Path, default=[], metavar="FOLDER", help=folder)
    return parser.parse_args(arguments)


def _say(catalogue: Catalogue, issues: Sequence[Issue], *, show: bool) -> None:
    if show:
        for plan in catalogue.plans.values():
            print(tree(plan) + "\n")
    for issue in issues:
        print(str(issue))
    wrong = len(errors(issues))
    warnings = len(issues) - wrong
    nodes = sum(len(plan.nodes) for plan in catalogue.plans.values())
    good = f"{_count(len(catalogue.plans), 'client')} with {_count(nodes, 'node')} can be served"
    print(f"{good}; {_count(wrong, 'error')}, {_count(warnings, 'warning')}.")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _as_json(catalogue: Catalogue, issues: Sequence[Issue]) -> dict[str, object]:
    clients = [
        {"client": plan.client, "version": plan.version, "numbers": plan.numbers, "nodes": len(plan.nodes)}
        for plan in catalogue.plans.values()
    ]
    return {"ok": not errors(issues), "clients": clients, "issues": [issue.as_json() for issue in issues]}

"""`callrouter check`: all that is wrong with the clients' files, each finding with its place and its mend."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from callrouter.app.outgoing_check import check_told, check_web_services
from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.dialplan.folder.files import read_tables
from callrouter.dialplan.folder.loudness import far_from_the_others
from callrouter.dialplan.folder.sound_files import sound_folders
from callrouter.dialplan.issues import Issue, Severity, errors, how_many
from callrouter.dialplan.show.text import tree
from callrouter.questions.alone import left_out
from callrouter.questions.expected import run_expected
from callrouter.settings import load_secrets, load_settings


def check(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH",
            help="A folder of clients' files, or one client's file; by default CALLROUTER_DIALPLANS_DIR.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    as_github: Annotated[bool, typer.Option("--github", help="As annotations of GitHub's workflows.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Draw the trees of the files that are right.")] = False,
    sounds: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            help="A folder of sound files, besides 'sounds' beside the clients; may be repeated.",
        ),
    ] = None,
) -> None:
    """Check the clients' files and run their expected routes: every finding with file, line, node, reason and mend.

    Exit 1 when there are errors.
    """
    settings = load_settings()
    where = path or settings.dialplans_dir
    folder = where if where.is_dir() else where.parent
    places = sound_folders(folder, sounds or settings.sounds_dirs)
    catalogue = load_directory(where, PaperSpeech(places), region=settings.region, beside=True)
    plans, secrets = catalogue.plans.values(), load_secrets()
    outgoing = (*check_web_services(plans, settings.outgoing_hosts, secrets), *check_told(plans, settings, secrets))
    loud = far_from_the_others(plans)
    alone = left_out(plans, datetime.now(UTC))
    issues = (*catalogue.issues, *outgoing, *loud, *alone, *run_expected(read_tables(where), catalogue))
    if as_json:
        print(json.dumps(_as_json(catalogue, issues), indent=2, ensure_ascii=False))
    elif as_github:
        prefix = "" if folder == Path() else f"{os.path.relpath(folder)}/"
        for issue in issues:
            print(issue.as_github(prefix))
    else:
        _say(catalogue, issues, show=show)
    raise typer.Exit(1 if errors(issues) else 0)


def _say(catalogue: Catalogue, issues: Sequence[Issue], *, show: bool) -> None:
    if show:
        for plan in catalogue.plans.values():
            print(tree(plan) + "\n")
    for issue in issues:
        print(str(issue))
    wrong = len(errors(issues))
    warnings = sum(issue.severity is Severity.WARNING for issue in issues)
    nodes = sum(len(plan.nodes) for plan in catalogue.plans.values())
    good = f"{how_many(len(catalogue.plans), 'client')} with {how_many(nodes, 'node')} can be served"
    print(f"{good}; {how_many(wrong, 'error')}, {how_many(warnings, 'warning')}.")


def _as_json(catalogue: Catalogue, issues: Sequence[Issue]) -> dict[str, object]:
    clients = [
        {"client": plan.client, "version": plan.version, "numbers": plan.numbers, "nodes": len(plan.nodes)}
        for plan in catalogue.plans.values()
    ]
    return {"ok": not errors(issues), "clients": clients, "issues": [issue.as_json() for issue in issues]}

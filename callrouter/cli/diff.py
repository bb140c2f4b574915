"""`callrouter diff OLD NEW`: what changes for whom, in terms of callers and times."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.dialplan.folder.revisions import unfolded
from callrouter.dialplan.issues import how_many
from callrouter.errors import DialplanError
from callrouter.questions.diff.told import ClientDifference, differences, of_shared

MOST_SENTENCES = 40
"""Changes of one client that are told; more are counted. `--json` has all of them."""


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", show_default=False)],
    new: Annotated[str, typer.Argument(metavar="NEW", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 1 when something changes, or may.")] = False,
) -> None:
    """Say what changes for whom between two versions of the clients' files, in terms of callers and times.

    OLD and NEW are files, folders, or git revisions such as HEAD~1:dialplans.
    """
    with unfolded(old) as old_path, unfolded(new) as new_path:
        before, after = _loaded(old_path), _loaded(new_path)
        old_plans, new_plans = _plans(before, old_path), _plans(after, new_path)
    if old_path.is_file() and new_path.is_file() and len(old_plans) == len(new_plans) == 1:
        new_plans = dict(zip(old_plans, new_plans.values(), strict=True))
    found = tuple(differences(old_plans, new_plans, datetime.now(UTC)))
    shared = tuple(of_shared(before, after, found))
    if as_json:
        print(json.dumps(_as_json(found, shared), ensure_ascii=False))
    else:
        told = [_told(one) for one in found]
        print("\n\n".join((*told, "\n".join(shared)) if shared else told) or "Nothing changes for any caller.")
    raise typer.Exit(1 if (found or shared) and exit_code else 0)


def _loaded(path: Path) -> Catalogue:
    return load_directory(path, PaperSpeech())


def _plans(catalogue: Catalogue, path: Path) -> Mapping[str, Plan]:
    if path.is_file():
        plans = {name: plan for name, plan in catalogue.plans.items() if plan.source == path.name}
    else:
        plans = dict(catalogue.plans)
    wrong = [str(issue) for issue in catalogue.issues if issue.file in catalogue.refused]
    if not plans or (path.is_dir() and wrong):
        raise DialplanError("only files that can be served can be compared:\n" + "\n".join(wrong))
    return plans


def _told(found: ClientDifference) -> str:
    lines = [*found.notes, *(str(sentence) for sentence in found.sentences[:MOST_SENTENCES])]
    more = len(found.sentences) - MOST_SENTENCES
    if more > 0:
        lines.append(f"And {how_many(more, 'more change')}, in less usual circumstances; --json has them all.")
    return "\n".join((f"{found.name} ({found.client})", *(f"  {line}" for line in lines)))


def _as_json(found: Sequence[ClientDifference], shared: Sequence[str]) -> dict[str, object]:
    clients = [
        {
            "client": one.client,
            "notes": one.notes,
            "changes": [sentence.as_json() for sentence in one.sentences],
        }
        for one in found
    ]
    return {"changed": bool(found or shared), "clients": clients, "shared": shared}

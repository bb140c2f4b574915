"""`callrouter diff OLD NEW`: what changes for whom, in terms of callers and times."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.dialplan.folder.revisions import unfolded
from callrouter.dialplan.language.reader import read
from callrouter.dialplan.shared.reading import FOLDER
from callrouter.dialplan.verbs import describe
from callrouter.errors import DialplanError
from callrouter.questions.diff.compare import Compared, compare
from callrouter.questions.diff.same_tree import differing
from callrouter.questions.diff.settings import changed_contacts, changed_queues, unheard
from callrouter.questions.diff.wording import Sentence, callers_named, sentences

MOST_SENTENCES = 40
"""Changes of one client that are told; more are counted. `--json` has all of them."""

MOST_PLACES = 5
"""Nodes that are named as different; more are counted."""


class _Difference(Struct, frozen=True, kw_only=True):
    """What changes for one client."""

    client: str
    name: str
    notes: tuple[str, ...]
    """What no comparison of calls can say: a client who comes or goes, numbers, the fallback, what was not compared."""
    sentences: tuple[Sentence, ...] = ()


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
    found = tuple(_differences(old_plans, new_plans, datetime.now(UTC)))
    shared = tuple(_of_shared(before, after, found))
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


def _differences(old: Mapping[str, Plan], new: Mapping[str, Plan], now: datetime) -> Iterator[_Difference]:
    for client in sorted({*old, *new}):
        before, after = old.get(client), new.get(client)
        if before is None and after is not None:
            yield _Difference(client=client, name=after.name, notes=(f"is new, on {', '.join(after.numbers)}.",))
        elif after is None and before is not None:
            gone = f"is gone: callers of {', '.join(before.numbers)} now hear that the number is not in service."
            yield _Difference(client=client, name=before.name, notes=(gone,))
        elif before is not None and after is not None and before.version != after.version:
            compared = compare(before, after, now)
            told = sentences(compared)
            quiet = tuple(unheard(before, after))
            notes = (*_notes(before, after), *quiet, *_doubts(before, after, compared, quiet))
            if notes or told:
                yield _Difference(client=client, name=after.name, notes=notes, sentences=told)


def _of_shared(old: Catalogue, new: Catalogue, found: Sequence[_Difference]) -> Iterator[str]:
    """What changes beside the clients' trees: their teams, and files that may hold what no call shows."""
    yield from changed_queues(old.queues, new.queues)
    told = {one.client for one in found}
    for name in sorted({*old.documents, *new.documents}):
        before, now = _values(old, name), _values(new, name)
        if not name.startswith(f"{FOLDER}/") or before == now or name == f"{FOLDER}/queues.yaml":
            continue
        if name == f"{FOLDER}/contacts.yaml":
            yield from changed_contacts(before, now)
        elif not any(name in uses.get(client, ()) for uses in (old.uses, new.uses) for client in told):
            yield f"{name} has changed; no call shows a difference."


def _values(catalogue: Catalogue, name: str) -> object:
    """What a document says, whatever its comments and the order of its keys."""
    return read(catalogue.documents[name], name).value if name in catalogue.documents else None


def _notes(old: Plan, new: Plan) -> Iterator[str]:
    if added := [number for number in new.numbers if number not in old.numbers]:
        yield f"Callers of {', '.join(added)} now come to this tree."
    if gone := [number for number in old.numbers if number not in new.numbers]:
        yield f"Callers of {', '.join(gone)} no longer come to this tree."
    before, after = _fallback(old), _fallback(new)
    if before != after:
        yield f"When something fails, callers now come to {after} instead of {before}."


def _doubts(old: Plan, new: Plan, compared: Compared, quiet: Sequence[str]) -> Iterator[str]:
    """What the comparison of calls leaves open: where it stopped, or found nothing although the trees differ."""
    if compared.cut:
        who = callers_named(tuple(sorted(compared.cut)), compared.callers)
        yield f"Not all was compared: {who} can go more ways than are looked at; more may change than is told."
    if vague := compared.vague - compared.cut:
        who = callers_named(tuple(sorted(vague)), compared.callers)
        yield f"Where calls end was compared; of what {who} hear on the longest ways, only the beginning."
    fallbacks = {old.fallback, new.fallback}
    places = [now or before for before, now in differing(old, new) if not {before, now} & fallbacks]
    if compared.differences or quiet:
        places = []
    if places:
        named = ", ".join(places[:MOST_PLACES]) + (
            f" and {len(places) - MOST_PLACES} more" * (len(places) > MOST_PLACES)
        )
        yield f"The trees differ in {named}; no caller who was tried meets another end."


def _fallback(plan: Plan) -> str:
    node = plan.nodes.get(plan.fallback)
    if node and node.about().queues:
        return f"queue {node.about().queues[0]}"
    return f"{node.kind} {describe(node)}".strip() if node else "a hang-up"


def _told(found: _Difference) -> str:
    lines = [*found.notes, *(str(sentence) for sentence in found.sentences[:MOST_SENTENCES])]
    more = len(found.sentences) - MOST_SENTENCES
    if more > 0:
        lines.append(
            f"And {more} more change{'s' if more > 1 else ''}, in less usual circumstances; --json has them all."
        )
    return "\n".join((f"{found.name} ({found.client})", *(f"  {line}" for line in lines)))


def _as_json(found: Sequence[_Difference], shared: Sequence[str]) -> dict[str, object]:
    clients = [
        {
            "client": one.client,
            "notes": one.notes,
            "changes": [sentence.as_json() for sentence in one.sentences],
        }
        for one in found
    ]
    return {"changed": bool(found or shared), "clients": clients, "shared": shared}

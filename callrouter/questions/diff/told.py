"""What a comparison of two folders tells: each client's changes, what no call shows, and what clients share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from callrouter.core.effects import EnterQueue
from callrouter.core.plan import Plan
from callrouter.dialplan.folder.catalogue import Catalogue
from callrouter.dialplan.language.reader import read
from callrouter.dialplan.shared.reading import FOLDER
from callrouter.dialplan.verbs import describe
from callrouter.questions.diff.compare import Compared, compare
from callrouter.questions.diff.same_tree import differing
from callrouter.questions.diff.settings import changed_contacts, changed_queues, unheard
from callrouter.questions.diff.wording import Sentence, callers_named, sentences

MOST_PLACES = 5
"""Nodes that are named as different; more are counted."""


class ClientDifference(Struct, frozen=True, kw_only=True):
    """What changes for one client."""

    client: str
    name: str
    notes: tuple[str, ...]
    """What no comparison of calls can say: a client who comes or goes, numbers, the fallback, what was not compared."""
    sentences: tuple[Sentence, ...] = ()


def differences(old: Mapping[str, Plan], new: Mapping[str, Plan], now: datetime) -> Iterator[ClientDifference]:
    """What changes for each client, by name; clients for whom nothing does are left out."""
    old = _by_present_name(old, new)
    for client in sorted({*old, *new}):
        before, after = old.get(client), new.get(client)
        if before is None and after is not None:
            yield ClientDifference(client=client, name=after.name, notes=(f"is new, on {', '.join(after.numbers)}.",))
        elif after is None and before is not None:
            gone = f"is gone: callers of {', '.join(before.numbers)} now hear that the number is not in service."
            yield ClientDifference(client=client, name=before.name, notes=(gone,))
        elif before is not None and after is not None and before.version != after.version:
            compared = compare(before, after, now)
            told = sentences(compared)
            quiet = tuple(unheard(before, after))
            notes = (*_notes(before, after), *quiet, *_doubts(before, after, compared, quiet))
            if notes or told:
                yield ClientDifference(client=client, name=after.name, notes=notes, sentences=told)


def of_shared(old: Catalogue, new: Catalogue, found: Sequence[ClientDifference]) -> Iterator[str]:
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


def _by_present_name(old: Mapping[str, Plan], new: Mapping[str, Plan]) -> dict[str, Plan]:
    """A client that was renamed is the same client, if its file says so."""
    renamed: dict[str, str] = {}
    for client in new.keys() - old.keys():
        was = next((name for name in new[client].formerly if name in old and name not in new), None)
        if was is not None:
            renamed[was] = client
    return {renamed.get(client, client): plan for client, plan in old.items()}


def _of_names(old: Plan, new: Plan) -> Iterator[str]:
    added = [name for name in new.formerly if name not in old.formerly]
    gone = [name for name in old.formerly if name not in (*new.formerly, new.client)]
    if old.client in new.formerly:
        yield f"Is now called {new.client} instead of {old.client}; what is recorded under that name stays theirs."
        added.remove(old.client)
    if added:
        yield f"What is recorded under {', '.join(added)} is now the client's too."
    if gone:
        yield f"What is recorded under {', '.join(gone)} is no longer the client's."


def _notes(old: Plan, new: Plan) -> Iterator[str]:
    yield from _of_names(old, new)
    if added := [number for number in new.numbers if number not in old.numbers]:
        yield f"Callers of {', '.join(added)} now reach this tree."
    if gone := [number for number in old.numbers if number not in new.numbers]:
        yield f"Callers of {', '.join(gone)} no longer reach this tree."
    before, after = _fallback(old), _fallback(new)
    if before != after:
        yield f"When something fails, callers now reach {after} instead of {before}."


def _doubts(old: Plan, new: Plan, compared: Compared, quiet: Sequence[str]) -> Iterator[str]:
    """What the comparison of calls leaves open: where it stopped, or found nothing although the trees differ."""
    if compared.cut:
        who = callers_named(sorted(compared.cut), compared.kinds)
        yield f"Not all was compared: {who} can go more ways than are looked at; more may change than is told."
    if vague := compared.vague - compared.cut:
        who = callers_named(sorted(vague), compared.kinds)
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
    for effect in node.about().does if node else ():
        if isinstance(effect, EnterQueue):
            return f"queue {effect.queue}" + (f" ({effect.preference})" if effect.preference else "")
    return f"{node.kind} {describe(node)}".strip() if node else "a hang-up"

"""The plans of all clients, found by the number that was dialled, and replaced as a whole.

A wrong file is refused and the rest stay. When a folder is loaded again, a client whose new file is wrong keeps
its last good plan, and versions that calls still use stay to be found.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct, field

from callrouter.core import numbers
from callrouter.core.agents.standing import Crew
from callrouter.core.call import replace
from callrouter.core.nodes import RejectNode
from callrouter.core.plan import Plan
from callrouter.dialplan.compile.compiled import Compiled
from callrouter.dialplan.compile.compiler import version_of
from callrouter.dialplan.compile.frame import UNKNOWN_CLIENT
from callrouter.dialplan.documents.expected_file import client_files_of
from callrouter.dialplan.documents.shared_files import SHARED_FILES
from callrouter.dialplan.folder.look import is_client_file, is_table
from callrouter.dialplan.issues import Issue, errors, shown
from callrouter.dialplan.language.own_texts import UNKNOWN_NUMBER
from callrouter.dialplan.language.reader import Key
from callrouter.dialplan.shared.queues import TeamQueue
from callrouter.dialplan.shared.reading import DEFAULT_COUNTRY, FOLDER
from callrouter.dialplan.sounds import SoundSource
from callrouter.errors import DialplanError


class Overdue(Struct, frozen=True, kw_only=True):
    """A plan that may stay in service, and not go there: its days are over, or its rota ends."""

    plan: Plan
    uses: frozenset[str]
    """The documents it stands on, its own included."""


class Catalogue(Struct, frozen=True, kw_only=True, dict=True):
    """Plans in service, and what was wrong when they were loaded. Immutable: a reload makes another."""

    plans: Mapping[str, Plan]
    """By client."""
    unknown: Plan
    """For numbers no client has: client `unknown-did`."""
    issues: tuple[Issue, ...] = ()
    loaded_at: datetime
    queues: Mapping[str, TeamQueue] = field(default_factory=dict)
    crew: Crew | None = None
    """Who answers callers; None: the files that say so are wrong."""
    region: str = DEFAULT_COUNTRY
    """Country whose national form a trunk may send."""
    refused: frozenset[str] = frozenset()
    """Files that are not served as they stand."""
    overdue: Mapping[str, Overdue] = field(default_factory=dict)
    """By refused file: what it says, where time alone speaks against that."""
    meant: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By refused file: the client it says it is, and was, as far as it says so."""
    older: Mapping[tuple[str, str], Plan] = field(default_factory=dict)
    """Plans no new call gets, by client and version, for the calls that started with them."""
    documents: Mapping[str, bytes] = field(default_factory=dict)
    """Every document that was loaded, by its path in the folder."""
    uses: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By client: the documents its plan stands on, its own included."""

    @cached_property
    def _by_did(self) -> Mapping[str, Plan]:
        return {did: plan for plan in self.plans.values() for did in plan.numbers}

    @cached_property
    def meant_clients(self) -> frozenset[str]:
        """Clients, by their present or former name, whose file is refused."""
        return frozenset(name for names in self.meant.values() for name in names)

    @cached_property
    def ok(self) -> bool:
        """Whether every file is served as it stands."""
        return not errors(self.issues)

    def for_did(self, did: str) -> Plan:
        """The plan of a dialled number as the switch sent it (+33…, 0033…, 33… or national); `unknown` without one."""
        plan = self._by_did.get(did)
        if plan is None:
            number = numbers.normalise(did, self.region)
            plan = self._by_did.get(number) if number else None
        return plan or self.unknown

    def without(self, refused: Mapping[str, Iterable[Issue]]) -> Catalogue:
        """This catalogue without the plans of some files (by name, with the reasons): each keeps what it had before."""
        out = {plan.source: plan for plan in self.plans.values() if plan.source in refused}
        clients = {plan.client for plan in out.values()}
        return replace(
            self,
            plans={client: plan for client, plan in self.plans.items() if client not in clients},
            issues=(*self.issues, *(issue for issues in refused.values() for issue in issues)),
            refused=self.refused | out.keys(),
            meant={**self.meant, **{file: (plan.client, *plan.formerly) for file, plan in out.items()}},
            uses={client: files for client, files in self.uses.items() if client not in clients},
        )

    def plan(self, client: str, version: str) -> Plan | None:
        """The plan a call started with."""
        plan = self.unknown if client == UNKNOWN_CLIENT else self.plans.get(client)
        return plan if plan and plan.version == version else self.older.get((client, version))

    def with_overdue(self, files: Collection[str] | None = None) -> Catalogue:
        """With what time alone speaks against, of these files, or of all; who has a plan keeps it."""
        chosen = [one for file, one in self.overdue.items() if files is None or file in files]
        fresh = {one.plan.client: one for one in chosen if one.plan.client not in self.plans}
        return replace(
            self,
            plans={**self.plans, **{client: one.plan for client, one in fresh.items()}},
            uses={**self.uses, **{client: one.uses for client, one in fresh.items()}},
        )

    def replace_from(self, previous: Catalogue, in_use: Collection[tuple[str, str]] | None = None) -> Catalogue:
        """This catalogue as the successor of another one.

        Clients whose file is refused now, under whatever name it stands, and whatever name it gives the client that
        was theirs, keep the plan they had, except for numbers another client has now. Plans that are no longer current
        stay by version; with `in_use` (client, version of live calls), only those.
        """
        kept: dict[str, Plan] = {}
        for client, plan in previous.plans.items():
            if client not in self.plans and (plan.source in self.refused or client in self.meant_clients):
                own = tuple(did for did in plan.numbers if did not in self._by_did)
                kept[client] = plan if own == plan.numbers else replace(plan, numbers=own)
        plans = {**self.plans, **kept}
        older = {
            (plan.client, plan.version): plan
            for plan in (*previous.older.values(), *previous.plans.values(), previous.unknown)
            if not _current(plan, plans, self.unknown) and (in_use is None or (plan.client, plan.version) in in_use)
        }
        return replace(self, plans=plans, older=older)


def _current(plan: Plan, plans: Mapping[str, Plan], unknown: Plan) -> bool:
    current = unknown if plan.client == UNKNOWN_CLIENT else plans.get(plan.client)
    return current is not None and current.version == plan.version


def client_files(path: Path) -> tuple[Path, ...]:
    """The clients' documents: a folder's, in the order of their names, or the one file.

    Raises:
        DialplanError: there is none.
    """
    return (path,) if path.is_file() else tuple(path / name for name in client_names(path))


def client_names(path: Path) -> tuple[str, ...]:
    """The names of the clients' documents, in order: 800 paths would cost milliseconds at every save.

    Raises:
        DialplanError: there is none.
    """
    refuse_other_documents(path)
    if path.is_file():
        return (path.name,)
    if not path.is_dir():
        raise DialplanError(f"{path} does not exist: name a folder of clients' files, or one client's file")
    found = [name for name in sorted(os.listdir(path)) if is_client_file(name)]  # noqa: PTH208 - ten times as fast
    if not found:
        raise DialplanError(f"{path} holds no client's file: each ends in .yaml")
    return tuple(found)


def refuse_other_documents(path: Path) -> None:
    """Of a table or a shared file that is named in a client's place every line would be wrong.

    Raises:
        DialplanError: it is one; the sentence says what to name.
    """
    if path.is_file() and is_table(path.name):
        client = path.with_name(client_files_of(path.name)[0])
        raise DialplanError(f"{path} holds expected routes: name {client}, or the folder; they are played with it")
    folder = (path if path.is_dir() else path.parent).absolute()
    if folder.name == FOLDER and any((folder / f"{kind}.yaml").is_file() for kind in SHARED_FILES):
        raise DialplanError(f"{path} is what clients share, and no client's: name the folder above, {folder.parent}")


def admit(compiled: Collection[Compiled], held: Mapping[str, str] | None = None) -> tuple[dict[str, Plan], list[Issue]]:
    """The plans that do not claim what another file has: a client's identifier, present or former, or a number.

    Of two that claim the same, the one has it that had it before, else the earlier: whoever copies a file, or mistypes
    a number, must not take a client's calls away. `held` says which file had what and still claims it; one that is
    wrong by now keeps it too.
    """
    held = held or {}
    files = {one.document.file: one for one in compiled}
    owners = {claim: _Owner(files[file]) for claim, file in held.items() if files[file].plan is None}
    admitted: dict[str, Plan] = {}
    issues: list[Issue] = []
    for one in sorted(compiled, key=lambda one: _takes(one, held)):
        if one.plan is None:
            continue
        wrong = list(_conflicts(one, one.plan, owners))
        issues.extend(wrong)
        if wrong:
            continue
        admitted[one.plan.client] = one.plan
        owners |= {what: _Owner(one, place) for what, place in claims_of(one.plan)}
    return {one.client: one.plan for one in compiled if one.plan and admitted.get(one.client) is one.plan}, issues


class _Owner(NamedTuple):
    """Who has an identifier or a number, and its place in the document, where that is known."""

    compiled: Compiled
    place: Key = ()


def claims_of(plan: Plan) -> Iterator[tuple[str, Key]]:
    """What no two files may have: the client's identifiers, present and former, and numbers; each with its place."""
    yield plan.client, ("client",)
    yield from ((name, ("formerly", index)) for index, name in enumerate(plan.formerly))
    yield from ((did, ("numbers", index)) for index, did in enumerate(plan.numbers))


def _takes(one: Compiled, held: Mapping[str, str]) -> bool:
    """Whether a file claims what another one has."""
    claimed = claims_of(one.plan) if one.plan else ()
    return any(held.get(claim, one.document.file) != one.document.file for claim, _ in claimed)


def _conflicts(one: Compiled, plan: Plan, owners: Mapping[str, _Owner]) -> Iterator[Issue]:
    for what, place in claims_of(plan):
        if what in owners:
            owner, its_place = owners[what]
            field, file = str(place[0]), owner.document.file
            its_place = its_place or ("numbers" if field == "numbers" else "formerly",)
            where = f"{file}:{owner.document.line(*its_place)}"
            if field == "numbers":
                message = f"{what} belongs to {shown(owner.client or file)} already ({where})"
            elif what == owner.client:
                message = f"{shown(what)} is the client of {file} already"
            else:
                message = f"{shown(what)} is a former name of {shown(owner.client or file)} already ({where})"
            line = one.document.line(*place)
            yield Issue(file=one.document.file, line=line, field=field, message=f"{field}: {message}")


def unknown_plan(sounds: SoundSource) -> Plan:
    """What callers of numbers no client has hear: that it is not in service, in each language.

    Raises:
        SpeechError: nothing can be spoken.
    """
    said = tuple(sounds.say(text, language) for language, text in UNKNOWN_NUMBER.items())
    node = RejectNode(name="unknown", sounds=said, cause=1)
    return Plan(
        client=UNKNOWN_CLIENT,
        name="Unknown numbers",
        version=version_of(repr(UNKNOWN_NUMBER).encode()),
        numbers=(),
        timezone="UTC",
        language="fr",
        start=node.name,
        nodes={node.name: node},
    )

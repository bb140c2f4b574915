"""The proof: what must hold of a whole tree before it may go live, and what its callers would complain about.

`graph` looks at a tree as nodes and ways, and keeps ways that need a key apart from those that do not; `ways` proves
that exits lead somewhere, nodes are reached, and no way goes round or on for ever; `flow` finds what is certain at a
node, from which `variables` proves that what is read is set, and `rules` that no list or condition is `hidden` by an
earlier one, `turned_away` that nobody is refused for having no number; `calendar` looks at hours (`kept_hours`) and
`surprises` at days on which they are not what one may think, `rotas` at who is on call, `delivery` at who is `reached`
by messages, `fallback` at what Asterisk can do alone, and `dialled` at numbers that lead back here through the
telephone network. `effort`, `advice`, `years` (slips of the year) and `decided` (exits that earlier nodes made dead,
with `weeks`) only warn.

What passes keeps three promises, which `tests/dialplan/test_proof_soundness.py` tries to break: every call ends with
a disposition; a caller who presses k keys makes a call pass at most (k + 1) times the longest way without a key; and a
call never needs a node, list, variable or set of hours that is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from callrouter.dialplan.documents.client_file import ClientFile
from callrouter.dialplan.issues import lasting
from callrouter.dialplan.proof.advice import check_people, check_queues, check_retention, check_territory
from callrouter.dialplan.proof.calendar import check_hours, check_open
from callrouter.dialplan.proof.decided import check_decided
from callrouter.dialplan.proof.delivery import check_delivery
from callrouter.dialplan.proof.dialled import check_dialled
from callrouter.dialplan.proof.effort import check_effort
from callrouter.dialplan.proof.fallback import check_fallback
from callrouter.dialplan.proof.graph import Tree
from callrouter.dialplan.proof.rotas import check_rotas
from callrouter.dialplan.proof.rules import check_rules, check_seasons
from callrouter.dialplan.proof.turned_away import check_turned_away
from callrouter.dialplan.proof.variables import check_room, check_set
from callrouter.dialplan.proof.ways import check_lengths, check_loops, check_reached, check_targets, check_whole
from callrouter.dialplan.proof.years import check_years
from callrouter.dialplan.scope import NameScope

__all__ = ["Tree", "check_dialled", "prove"]


def prove(scope: NameScope, file: ClientFile, tree: Tree, today: date, dids: Sequence[str]) -> None:
    """Put all that is wrong with a client's tree, and all that is unwise, among the scope's issues.

    A tree of which nodes are missing (because they have errors of their own) is judged as far as that can be done:
    nothing is said of a node that only the missing ones may lead to. `dids` are the client's numbers, in E.164.
    """
    check_targets(scope, tree.written)
    check_loops(scope, tree)
    check_room(scope, tree)
    check_rules(scope, tree)
    check_seasons(scope, tree, today)
    check_hours(scope, file.hours, today)
    check_rotas(scope, tree, today)
    check_delivery(scope, file, tree, today)
    check_years(scope, file.hours, tree, today)
    check_fallback(scope, tree)
    check_people(scope, tree)
    check_queues(scope, tree)
    check_territory(scope, file, dids)
    check_retention(scope, file)
    if not lasting(scope.issues):
        check_whole(scope, tree)
        check_open(scope, tree, today)
    if tree.complete:
        check_reached(scope, tree)
        check_lengths(scope, tree)
        check_set(scope, tree)
        check_decided(scope, tree)
        check_effort(scope, tree, file.emergency)
        check_turned_away(scope, tree)

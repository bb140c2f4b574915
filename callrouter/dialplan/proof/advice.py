"""What one client means and hardly any other: somebody rung twice in a row, a line that nobody answers, a far zone.

All of it is advice, which a file may accept by name (`language.bounds.ACCEPTABLE`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from callrouter.core.nodes.about import About, LeftBy, Ring
from callrouter.core.numbers import territories_of
from callrouter.core.retention.rule import CNIL_DAYS, MONTH_DAYS
from callrouter.core.rota import Rota
from callrouter.dialplan.documents.client_file import ClientFile
from callrouter.dialplan.documents.retention import retention_of
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language.timezones import country_of
from callrouter.dialplan.proof.graph import Tree
from callrouter.dialplan.scope import NameScope
from callrouter.dialplan.shared.public_holidays import OF_FRANCE, countries


def check_people(scope: NameScope, tree: Tree) -> None:
    """Warn where the telephone that has just been rung in vain is rung again."""
    for name, about in tree.own.ringing.items():
        for path, who in _again(tree, name, about):
            scope.fail(f"{who} is rung twice in a row", "nodes", name, tree.nodes[name].kind, *path, name="same-person")


def _again(tree: Tree, name: str, about: About) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where somebody is rung again, and who: within a node, and in the node that follows when nobody answers."""
    rings = about.uses.rings
    together = about.uses.at_once
    for place, two in enumerate(rings):
        before = rings[:place] if together else rings[place - 1 : place] if place else ()
        if before and _whom(two) in [_whom(one) for one in before]:
            yield two.path, _shown(two)
    last = rings if together else rings[-1:]
    for way, target in tree.nodes[name].exits.items():
        following = tree.about[target].uses.rings if target in tree.about and way != "done" else ()
        if not following or LeftBy.OTHERS not in about.left_by[way]:
            continue
        if any(_whom(following[0]) == _whom(one) for one in last):
            yield (way,), f"{_shown(following[0])}, whom node {shown(target)} rings first,"


def _whom(ring: Ring) -> object:
    """One telephone, or one rota."""
    whom = ring.whom
    if isinstance(whom, Rota):
        return ring.numbers[0][1] if len(ring.numbers) == 1 else whom
    return whom if isinstance(whom, str) else whom.number


def _shown(ring: Ring) -> str:
    return shown(ring.whom if isinstance(ring.whom, str) else ring.whom.name)


def check_queues(scope: NameScope, tree: Tree) -> None:
    """Warn of lines in which callers wait and nobody could ever answer."""
    for name, about in tree.own.queueing.items():
        for queue in about.queues:
            known = scope.shared.queues.get(queue)
            if known is not None and not known.members:
                wrong = f"queue {shown(queue)} has no members: nobody would ever answer"
                scope.fail(wrong, "nodes", name, tree.nodes[name].kind, "name", name="empty-queue")


def check_retention(scope: NameScope, file: ClientFile) -> None:
    """Warn of what is kept for longer than the law has it, or shorter than a report looks back."""
    kept = retention_of(file.retention)
    if kept.recordings is not None and kept.recordings > CNIL_DAYS:
        wrong = (
            f"recordings are kept for {kept.recordings} days: in France the CNIL has them kept for six months at most "
            f"({CNIL_DAYS} days)"
        )
        scope.fail(wrong, "retention", "recordings", name="long-recordings")
    if file.reports and kept.messages is not None and kept.messages < 2 * MONTH_DAYS:
        wrong = (
            f"messages are kept for {kept.messages} days, and the report of each month compares those of two months: "
            f"write {2 * MONTH_DAYS} days or more"
        )
        scope.fail(wrong, "retention", "messages", name="short-messages")


def check_territory(scope: NameScope, file: ClientFile, dids: Sequence[str]) -> None:
    """Warn of a zone in which none of the client's numbers lies; numbers of no place lie everywhere."""
    here = country_of(scope.timezone, "")
    places = [territories_of(did) for did in dids]
    if places and all(found and here not in found for found in places):
        there = " or ".join(sorted({place for found in places for place in found}))
        zone = f"{shown(scope.timezone)} is of {here or 'no country'}"
        wrong = f"timezone: {zone}, and the numbers are of {there}: times would be theirs"
        scope.fail(wrong, "timezone", name="other-territory")
    for name, block in file.hours.items():
        for index, code in enumerate(block.holidays):
            if wrong := _foreign_holidays(code, here, scope.timezone):
                scope.fail(f"holidays: {wrong}", "hours", name, "holidays", index, name="other-territory")


def _foreign_holidays(code: str, here: str, timezone: str) -> str:
    """What is wrong with holidays where a zone lies, or an empty string; unknown ones are blamed elsewhere."""
    country, _, region = code.partition("-")
    if (country == here and not region) or not here or country not in countries():
        return ""
    if country != here and not (country == "FR" and here in OF_FRANCE):
        return f"those of {shown(code)} are kept in the time zone of {here}"
    own = OF_FRANCE.get(here, "")
    overseas = region in OF_FRANCE or region in OF_FRANCE.values()
    if country == "FR" and region and region not in (own, here) and (own or overseas):
        return f"those of {shown(code)} are kept in {shown(timezone)}"
    return ""

"""Did every caller get what their story says? Compares callers' outcomes and callrouter's rows with the stories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deploy.demo.caller import Outcome
    from deploy.demo.stories import Story

Row = Mapping[str, Any]
Key = tuple[str | None, str]


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A call that was placed for a story."""

    story: Story
    outcome: Outcome


def caller_key(story: Story) -> Key:
    """What identifies this story's rows: caller and number dialled."""
    return None if story.caller.withheld else story.caller.number, story.did


def row_key(row: Row) -> Key:
    """The same, of a row."""
    return row["caller"]["number"], row["did"]


def complaints(placed: Sequence[Placed], rows: Iterable[Row]) -> list[str]:
    """What went otherwise than its story says; nothing when all is well. Rows of other callers are ignored.

    The same caller's calls and rows are paired in the order they began.
    """
    by_caller: defaultdict[Key, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: str(row["clocks"]["ringing_at"])):
        by_caller[row_key(row)].append(row)
    stories: defaultdict[Key, list[Placed]] = defaultdict(list)
    for call in sorted(placed, key=lambda call: call.outcome.dialled):
        stories[caller_key(call.story)].append(call)
    found: list[str] = []
    for key, calls in stories.items():
        own = by_caller[key]
        if len(own) != len(calls):
            found.append(f"{calls[0].story.name}: {len(calls)} calls placed, {len(own)} rows written")
        for call, row in zip(calls, own, strict=False):
            found += [f"{call.story.name}: {one}" for one in row_complaints(call.story, row)]
        for call in calls:
            found += [f"{call.story.name}: {one}" for one in caller_complaints(call.outcome)]
    return found


def caller_complaints(outcome: Outcome) -> list[str]:
    """What the caller has to complain of."""
    if outcome.went_well:
        return []
    return [outcome.trouble or f"SIPp ended with {outcome.exit_code}: {outcome.complaints}"]


def row_complaints(story: Story, row: Row) -> list[str]:
    """How a row differs from what its story says."""
    found = []
    if row["client"] != story.client:
        found.append(f"client {row['client']} instead of {story.client}")
    if row["disposition"] != story.disposition:
        found.append(f"{row['disposition']} instead of {story.disposition} (path {' → '.join(row['path'])})")
    if not _in_order(story.through, row["path"]):
        found.append(f"path {' → '.join(row['path'])} instead of {' → '.join(story.through)}")
    agents = {f"agent-{number}" for number in story.agents}
    if agents and row["agent"] not in agents:
        found.append(f"answered by {row['agent']} instead of {' or '.join(sorted(agents))}")
    if not agents and row["agent"] is not None:
        found.append(f"answered by {row['agent']}, though no agent should have been")
    return found


def _in_order(wanted: Sequence[str], path: Sequence[str]) -> bool:
    """Whether the wanted nodes are in the path, in that order."""
    rest = iter(path)
    return all(node in rest for node in wanted)

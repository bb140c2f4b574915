"""Figures of queues: recomputed from the visits, kept or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callrouter.core.call import Call, Disposition, QueueOutcome, QueueVisit, replace
from callrouter.store.database import Database
from callrouter.store.figures.asking import Grouping
from callrouter.store.figures.visits import QueueFigures, read_queues
from tests.store.figures.test_rebuilding import NOW, OCTOBER, rebuild_all, some_call, write


def with_visits(call: Call, random: Random) -> Call:
    """The same, after some queues."""
    visits, at = list[QueueVisit](), call.clocks.ringing_at + timedelta(seconds=5)
    for _ in range(random.randrange(4)):
        outcome = random.choice([*QueueOutcome, None])
        left_at = at + timedelta(seconds=random.choice([0, 3, 20, 21, 4000]))
        visits.append(
            replace(
                call.queue_visits[0] if call.queue_visits else some_visit(call),
                queue=random.choice(["medical", "everybody"]),
                entered_at=at,
                offers=random.randrange(3),
                answered_at=left_at if outcome is QueueOutcome.ANSWERED else None,
                left_at=left_at,
                outcome=outcome,
            )
        )
        at = left_at
    return replace(call, queue_visits=tuple(visits))


def some_visit(call: Call) -> QueueVisit:
    """Of a call that had none."""
    return QueueVisit(queue="medical", entered_at=call.clocks.ringing_at)


@pytest.mark.parametrize(
    "by",
    [[Grouping.QUEUE], [Grouping.CLIENT, Grouping.QUEUE], [Grouping.DAY], [Grouping.QUEUE, Grouping.HOUR], []],
    ids=lambda by: "-".join(by) or "all",
)
async def test_figures_are_those_of_the_visits(
    database: Database, make_call: Callable[..., Call], by: list[Grouping]
) -> None:
    """Before days are kept, and after."""
    random = Random(4)
    calls = [with_visits(some_call(make_call, random, number), random) for number in range(500)]
    await write(database, calls)
    expected: dict[tuple[Any, ...], list[QueueVisit]] = {}
    for call in calls:
        at = call.clocks.ringing_at.astimezone(ZoneInfo("UTC"))
        if at.month != 10:
            continue
        for visit in call.queue_visits:
            values = {
                Grouping.QUEUE: visit.queue,
                Grouping.CLIENT: call.client,
                Grouping.DAY: at.date(),
                Grouping.HOUR: visit.entered_at.astimezone(ZoneInfo("UTC")).hour,
            }
            expected.setdefault(tuple(values[one] for one in by), []).append(visit)

    for _ in range(2):
        found = await read_queues(database, OCTOBER, by=by, now=NOW)
        assert [one.keys for one in found.groups] == sorted(expected)
        for one in found.groups:
            check(one.figures, expected[one.keys], hours=Grouping.HOUR in by)
        await rebuild_all(database)


def check(figures: QueueFigures, visits: Sequence[QueueVisit], *, hours: bool) -> None:
    """Counted once more."""
    outcomes = Counter(visit.outcome for visit in visits)
    waits = [visit.waiting_seconds(NOW) for visit in visits if visit.outcome is QueueOutcome.ANSWERED]
    lost = [visit.waiting_seconds(NOW) for visit in visits if visit.outcome is QueueOutcome.ABANDONED]
    assert figures.entered == len(visits)
    assert (figures.unseen, dict(figures.by_outcome)) == (
        outcomes[None],
        {outcome: outcomes[outcome] for outcome in QueueOutcome},
    )
    assert figures.offers == sum(visit.offers for visit in visits)
    assert figures.answered_within == sum(wait <= 20 for wait in waits)
    assert figures.waiting.max_seconds == max(waits, default=None)
    assert figures.abandoned_waiting.mean_seconds == (pytest.approx(sum(lost) / len(lost)) if lost else None)
    assert figures.overflowed == sum(outcomes[one] for one in QueueOutcome if one.overflowed)


async def test_numbers_have_no_visits(database: Database) -> None:
    """They are told so."""
    with pytest.raises(ValueError, match="by the number that was dialled"):
        await read_queues(database, OCTOBER, by=[Grouping.DID], now=NOW)


def test_dispositions_have_kinds() -> None:
    """The numbers that stand in rows of days: none may ever change."""
    from callrouter.store.figures.encoding import DISPOSITIONS, OUTCOMES

    assert {one.value: number for one, number in DISPOSITIONS.items()} == {
        "answered": 0,
        "redirected": 1,
        "message_left": 2,
        "self_served": 3,
        "abandoned": 4,
        "left_early": 5,
        "rejected": 6,
        "failed": 7,
    }
    assert [one.value for one in sorted(OUTCOMES, key=lambda one: OUTCOMES[one])] == [
        *("answered", "abandoned", "timeout", "full", "empty", "exited", "failed")
    ]
    assert set(DISPOSITIONS) == set(Disposition)

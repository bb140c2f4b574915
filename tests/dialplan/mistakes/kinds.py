"""All kinds of mistakes, in the order of the issue's lines."""

from __future__ import annotations

from tests.dialplan.mistakes import (
    of_dates,
    of_numbers,
    of_places,
    of_sentences,
    of_services,
    of_shared,
    of_teams,
    of_times,
    of_trees,
    of_waiting,
)
from tests.dialplan.mistakes.kind import Kind

KINDS: tuple[Kind, ...] = tuple(
    sorted(
        (
            *of_numbers.KINDS,
            *of_dates.KINDS,
            *of_times.KINDS,
            *of_trees.KINDS,
            *of_sentences.KINDS,
            *of_places.KINDS,
            *of_services.KINDS,
            *of_shared.KINDS,
            *of_teams.KINDS,
            *of_waiting.KINDS,
        ),
        key=lambda kind: kind.line,
    )
)

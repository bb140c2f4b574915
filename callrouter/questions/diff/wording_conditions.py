"""What has to happen besides what a caller does, in words: who does not answer, how a queue stands, what is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from callrouter.dialplan.documents.expected_file import FAILED
from callrouter.dialplan.issues import how_many
from callrouter.questions.decisions import UNSEEN
from callrouter.questions.diff.compare import Compared
from callrouter.questions.diff.diagram import Path, Taken

MOST_STANDINGS = 3
"""Ways for a queue to stand that are named one by one."""


def circumstances(others: Path, compared: Compared) -> str:
    """`when doctor does not answer and they say nothing after the beep`; empty when all is ordinary."""
    queues = [taken.decision.of for taken in others if taken.decision.kind == "queue"]
    people = [taken.decision.of for taken in others if taken.decision.kind == "dial"]
    parts = [f"no agent of {' or '.join(queues)} answers"] if queues else []
    if people:
        parts.append(f"{listed(people, 'and')} {'does' if len(people) == 1 else 'do'} not answer")
    for taken in others:
        parts += _part(taken)
    drawn = [taken for taken in others if taken.decision.kind == "draw"]
    share = f"in {sum(compared.shares[one] for one in drawn[0].options):g} % of the calls" if drawn else ""
    return " ".join(part for part in (share, f"when {' and '.join(parts)}" if parts else "") if part)


def _part(taken: Taken) -> Iterator[str]:
    of = taken.decision.of
    match taken.decision.kind:
        case "message":
            yield "they say nothing after the beep"
        case "look":
            yield f"queue {of} {_stands(taken)}"
        case "lookup":
            yield "the web service fails" if taken.options == (FAILED,) else "the web service answers"
        case "answer":
            yield f"the web service answers {' or '.join(f'{of} = {value}' for value in taken.options)}"
        case _:
            pass


def _stands(taken: Taken) -> str:
    """`has no agents logged in`; what a set of ways to stand has in common, when nothing else has it."""
    for said in dict.fromkeys(part for option in taken.options for part in option.split(",")):
        holding = {option for option in taken.everything if said in option.split(",")}
        if holding == set(taken.options):
            return _one_standing(said)
    words = [_one_standing(option) for option in taken.options[:MOST_STANDINGS]]
    more = len(taken.options) - MOST_STANDINGS
    return ", or ".join(words) + (f", or stands in {how_many(more, 'more way')}" if more > 0 else "")


def _one_standing(option: str) -> str:
    if option == UNSEEN:
        return "cannot be looked at"
    if ":" not in option:
        return "stands as usual"
    return f"has {listed([_measured(*part.split(':')) for part in option.split(',')], 'and')}"


_COUNTED = {"agents": ("agent", "logged in"), "free": ("agent", "free"), "waiting": ("caller", "waiting")}


def _measured(measure: str, value: str) -> str:
    if measure not in _COUNTED:
        return f"conversations of {value}"
    noun, doing = _COUNTED[measure]
    return f"{f'no {noun}s' if value == '0' else how_many(int(value), noun)} {doing}"


def listed(words: Sequence[str], last: str) -> str:
    """`a, b and c`, with this word before the last."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"

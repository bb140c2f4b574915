"""How one queue of Asterisk differs from its team, each a sentence.

AMI shows members, strategy, weight and bound (app_queue.c, manager_queues_status). How long a telephone rings, the
pause after it and when further levels come in it does not show: they are read from the files that Asterisk loads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from callrouter.asterisk.codec import AmiMessage, whole_number
from callrouter.asterisk.teams.document import Team
from callrouter.dialplan.issues import how_many


class Written(Struct, frozen=True):
    """A setting of a team's that Asterisk's files hold."""

    file: str
    key: str
    value: str
    """Empty: it is not to be there."""
    what: str

    def variable(self, team: Team) -> str:
        """How it is asked for (func_config.c)."""
        return f"AST_CONFIG({self.file},{team.name},{self.key})"

    def difference(self, found: str) -> str:
        """What is otherwise; empty when it is as it should be."""
        if found == self.value:
            return ""
        return f"{self.what} is {found or 'not set'}, and not {self.value or 'set'}"


_QUEUES: Final = "queues.conf"


def written_of(team: Team) -> list[Written]:
    """What Asterisk's files have to say of a team; what the team leaves to the template is not looked at."""
    rule = team.name if team.next_level_seconds else ""
    found = [
        Written(_QUEUES, "timeout", _seconds(team.ring_seconds), "ringing, in seconds,"),
        Written(_QUEUES, "retry", _seconds(team.retry_seconds), "the pause after it, in seconds,"),
        Written(_QUEUES, "wrapuptime", _seconds(team.wrap_up_seconds), "wrap-up, in seconds,"),
    ]
    found = [one for one in found if one.value]
    found.append(Written(_QUEUES, "defaultrule", rule, "the rule by which further levels come in"))
    if team.next_level_seconds:
        first = f"{team.next_level_seconds},1"
        found.append(Written("queuerules.conf", "penaltychange", first, "the second at which a further level comes in"))
    return found


def _seconds(value: int | None) -> str:
    return "" if value is None else str(value)


def differences_of(team: Team, answer: Sequence[AmiMessage]) -> Iterator[str]:
    """What QueueStatus shows of a queue that is otherwise than its team, each a sentence.

    An agent who has logged in by telephone or by hand, and is no member by the file, is no difference.
    """
    rung: dict[str, None] = {}
    members = {one.interface: one.agent for one in team.members}
    for event in answer:
        if event["Event"] == "QueueParams":
            if team.strategy not in (None, event["Strategy"]):
                yield f"its strategy is {event['Strategy']}, and not {team.strategy}"
            if event["Weight"] != str(team.weight):
                yield f"its weight is {event['Weight']}, and not {team.weight}"
            if team.max_callers is not None and event["Max"] != str(team.max_callers):
                yield f"it holds {_callers(event['Max'])}, and not {_callers(str(team.max_callers))}"
        elif event["Event"] == "QueueMember":
            rung[event["Location"]] = None
            agent = members.get(event["Location"], "")
            level = (whole_number(event["Penalty"]) or 0) + 1
            if agent and event["Membership"] == "static" and level != team.penalty(agent) + 1:
                yield f"{agent} is of level {level}, and not {team.penalty(agent) + 1}"
            if event["Location"] not in members and event["Membership"] == "static":
                yield f"{event['Name']} ({event['Location']}) is rung, and is no member"
    for interface, agent in members.items():
        if interface not in rung:
            yield f"{agent} ({interface}) is a member, and is not rung"
    in_order = [interface for interface in rung if interface in members]
    if team.strategy == "linear" and in_order != [interface for interface in members if interface in rung]:
        # A queue's members are kept in order only if it was linear when it was made (app_queue.c, init_queue).
        yield "its members are not rung in the order of the file: they will be once Asterisk has been restarted"


def _callers(bound: str) -> str:
    return "any number of callers" if bound == "0" else how_many(whole_number(bound) or 0, "caller")

"""What of teams, agents and telephones the PBX could not hold, or would not ring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from callrouter.dialplan.documents.people import AgentBlock
from callrouter.dialplan.documents.shared_files import AgentsFile, QueuesFile
from callrouter.dialplan.issues import Issue, Severity, closest, shown
from callrouter.dialplan.language.reader import Document
from callrouter.pbx_names import wrong_name


def wrong_queues(file: QueuesFile, document: Document) -> Iterator[Issue]:
    """Queues, and members without a file of agents, whose names the PBX cannot hold."""
    for name, queue in file.queues.items():
        if wrong := wrong_name(name):
            yield document.issue(f"queue {shown(name)}: {wrong}", "queues", name)
        for index, member in enumerate(queue.members):
            if wrong := wrong_name(member):
                yield document.issue(
                    f"queue {shown(name)}: agent {shown(member)}: {wrong}", "queues", name, "members", index
                )


def wrong_agents(file: AgentsFile, document: Document) -> Iterator[Issue]:
    """Agents whose name or telephone the PBX cannot hold, or who have no telephone, where telephones are listed."""
    for name, agent in file.agents.items():
        phone = phone_of(name, agent)
        at = ("agents", name) if agent.phone is None else ("agents", name, "phone")
        wrong = wrong_name(name)
        if wrong:
            yield document.issue(f"agent {shown(name)}: {wrong}", "agents", name)
        elif wrong := wrong_name(phone):
            yield document.issue(f"agent {shown(name)}: telephone {shown(phone)}: {wrong}", *at)
        elif file.phones and phone not in file.phones:
            message = f"agent {shown(name)} has no telephone: {shown(phone)} is not among `phones`"
            yield document.issue(message, *at, suggestion=closest(phone, file.phones))


def wrong_phones(file: AgentsFile, document: Document) -> Iterator[Issue]:
    """Listed telephones that the PBX cannot hold, and notes of those that are nobody's."""
    taken = {phone_of(name, agent) for name, agent in file.agents.items()}
    for index, phone in enumerate(file.phones):
        if wrong := wrong_name(phone):
            yield document.issue(f"telephone {shown(phone)}: {wrong}", "phones", index)
        elif phone not in taken:
            yield Issue(
                file=document.file,
                line=document.line("phones", index),
                field="phones",
                message=f"telephone {shown(phone)} is no agent's own",
                severity=Severity.NOTE,
            )


def shared_phones(file: QueuesFile, document: Document, agents: Mapping[str, AgentBlock]) -> Iterator[Issue]:
    """Teams that ask for no log-ins, whose member has the telephone of another one of such a team: it rings for both,
    and nobody can say who answered.
    """
    owners: dict[str, str] = {}
    for name, queue in file.queues.items():
        for index, member in enumerate(() if queue.log_in else queue.members):
            phone = phone_of(member, agents.get(member) or AgentBlock())
            owner = owners.setdefault(phone, member)
            if owner != member:
                message = (
                    f"queue {shown(name)}: {shown(owner)} and {shown(member)} have one telephone, {shown(phone)}: "
                    "give each their own, or let their teams ask for log-ins (`log_in: true`)"
                )
                yield document.issue(message, "queues", name, "members", index)


def mixed_teams(file: QueuesFile, document: Document) -> Iterator[Issue]:
    """Members of a team that asks for log-ins who are members of one that does not, too: logged out, they would be
    rung all the same.
    """
    first: dict[str, tuple[str, bool]] = {}
    for name, queue in file.queues.items():
        for index, member in enumerate(queue.members):
            other, log_in = first.setdefault(member, (name, queue.log_in))
            if log_in != queue.log_in:
                asks, does_not = (other, name) if log_in else (name, other)
                message = (
                    f"queue {shown(name)}: {shown(member)} logs in for {shown(asks)}, and {shown(does_not)} asks for "
                    "no log-in: give both the same `log_in`, or take the agent out of one"
                )
                yield document.issue(message, "queues", name, "members", index)


def phone_of(name: str, agent: AgentBlock) -> str:
    """The telephone of an agent, by default of their own name."""
    return agent.phone or name

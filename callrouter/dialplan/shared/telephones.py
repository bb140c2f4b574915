"""What of teams, agents and telephones the PBX could not hold, or would not ring."""

from __future__ import annotations

from collections import Counter
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
    """Members of a team who have one telephone between them: the PBX rings it once, for the first of them."""
    for name, queue in file.queues.items():
        phones = {member: phone_of(member, agents[member]) for member in queue.members if member in agents}
        for phone, times in Counter(phones.values()).items():
            if times > 1:
                some = " and ".join(shown(member) for member in phones if phones[member] == phone)
                yield Issue(
                    file=document.file,
                    line=document.line("queues", name, "members"),
                    field=f"queues.{name}.members",
                    message=f"queue {shown(name)}: {some} have one telephone, {shown(phone)}: only the first is rung",
                    severity=Severity.WARNING,
                )


def phone_of(name: str, agent: AgentBlock) -> str:
    """The telephone of an agent, by default of their own name."""
    return agent.phone or name

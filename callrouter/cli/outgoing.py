"""What the operator's settings would refuse of what the trees ask of web services: only `check` can know both."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from urllib.parse import urlsplit

from callrouter.core.nodes import Node
from callrouter.core.plan import Plan
from callrouter.dialplan.issues import Issue, Severity, shown


def check_outgoing(plans: Collection[Plan], hosts: Collection[str], secrets: Mapping[str, str]) -> Iterator[Issue]:
    """Warn of hosts that may not be asked and of secrets that are not set.

    Settings may be another machine's: where none of them is made, nothing is known and nothing is said.
    """
    if hosts or secrets:
        found = (
            _issue(plan, node, wrong)
            for plan in plans
            for node in plan.nodes.values()
            for wrong in _wrong(node, hosts, secrets)
        )
        yield from dict.fromkeys(found)


def _wrong(node: Node, hosts: Collection[str], secrets: Mapping[str, str]) -> Iterator[str]:
    from callrouter.runtime.outgoing import is_among

    for address in node.about().uses.addresses:
        for secret in address.secrets:
            if secret not in secrets:
                yield f"CALLROUTER_SECRET_{secret} is not set: the lookup would always fail"
        url = urlsplit(address.url)
        host = (url.hostname or "").lower()
        if not is_among(hosts, host, url.port or (443 if url.scheme == "https" else 80)):
            yield f"{shown(host)} is not in CALLROUTER_OUTGOING_HOSTS: it would never be asked"


def _issue(plan: Plan, node: Node, wrong: str) -> Issue:
    file = node.source or plan.source
    name = node.name.rpartition("/")[2].partition("@")[0]
    return Issue(file=file, line=node.line, node=name, field="", message=wrong, severity=Severity.WARNING)

"""What the operator's settings would refuse of what the trees ask of web services: only `check` can know both."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from urllib.parse import urlsplit

from callrouter.core.nodes import LookupNode, Node, NotifyNode
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
    from callrouter.runtime.guarded_http import is_among

    if isinstance(node, LookupNode):
        address = "".join(piece.text or "x" for piece in node.url.pieces)
        for _, value in node.headers:
            if value.startswith("env:") and value.removeprefix("env:") not in secrets:
                yield f"CALLROUTER_SECRET_{value.removeprefix('env:')} is not set: the lookup would always fail"
    elif isinstance(node, NotifyNode):
        address = node.url
    else:
        return
    url = urlsplit(address)
    host = (url.hostname or "").lower()
    if not is_among(hosts, host, url.port or (443 if url.scheme == "https" else 80)):
        yield f"{shown(host)} is not in CALLROUTER_OUTGOING_HOSTS: it would never be asked"


def _issue(plan: Plan, node: Node, wrong: str) -> Issue:
    file = node.source or plan.source
    name = node.name.rpartition("/")[2].partition("@")[0]
    return Issue(file=file, line=node.line, node=name, field="", message=wrong, severity=Severity.WARNING)

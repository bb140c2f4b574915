"""What the operator's settings would refuse of what the trees ask of web services: only `check` can know both."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from callrouter.core.nodes import Node
from callrouter.core.plan import Plan
from callrouter.dialplan.issues import Issue, Severity

if TYPE_CHECKING:
    from callrouter.delivery.channel import Channels
    from callrouter.runtime.guarded_http import GuardedHttp


def check_web_services(plans: Collection[Plan], hosts: Collection[str], secrets: Mapping[str, str]) -> Iterator[Issue]:
    """Warn of hosts that may not be asked, of addresses nothing can be delivered to, and of secrets that are not set.

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
    uses = node.about().uses
    for address in uses.asks:
        for secret in address.secrets:
            if secret not in secrets:
                yield f"CALLROUTER_SECRET_{secret} is not set: the lookup would always fail"
        if (wrong := _guard(hosts, secrets).why_forbidden(address.url)) is not None:
            yield wrong
    for told in uses.tells:
        if (wrong := _channels(hosts, secrets).check(told)) is not None:
            yield wrong


# Imported where they are needed: few trees ask or tell anybody, and an HTTP client takes a while to load.


def _guard(hosts: Collection[str], secrets: Mapping[str, str]) -> GuardedHttp:
    from callrouter.runtime.guarded_http import GuardedHttp

    return GuardedHttp(hosts, secrets)


def _channels(hosts: Collection[str], secrets: Mapping[str, str]) -> Channels:
    from callrouter.delivery.channel import Channels, Tools
    from callrouter.delivery.channels import CHANNELS

    return Channels(CHANNELS, Tools(http=_guard(hosts, secrets)))


def _issue(plan: Plan, node: Node, wrong: str) -> Issue:
    file = node.source or plan.source
    name = node.name.rpartition("/")[2].partition("@")[0]
    return Issue(file=file, line=node.line, node=name, field="", message=wrong, severity=Severity.WARNING)

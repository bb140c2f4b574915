"""What the operator's settings refuse of what the trees ask of web services: said by `check`, and by the engine."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

import structlog

from callrouter.core.dispatch import Subscription
from callrouter.core.nodes import Node
from callrouter.core.plan import Plan
from callrouter.delivery.signing import key_of
from callrouter.dialplan.issues import Issue, Severity, shown

if TYPE_CHECKING:
    from callrouter.delivery.channel import Channels
    from callrouter.runtime.guarded_http import GuardedHttp

log = structlog.get_logger(__name__)


def check_web_services(plans: Collection[Plan], hosts: Collection[str], secrets: Mapping[str, str]) -> Iterator[Issue]:
    """Warn of hosts that may not be asked, of addresses nothing can be delivered to, and of secrets that are not set.

    Settings may be another machine's: where none of them is made, nothing is known and nothing is said.
    """
    if hosts or secrets:
        yield from refused_by(plans, hosts, secrets)


def refused_by(plans: Collection[Plan], hosts: Collection[str], secrets: Mapping[str, str]) -> Iterator[Issue]:
    """The same, where the settings are the ones that count."""
    found = (
        _issue(plan, node, wrong)
        for plan in plans
        for node in plan.nodes.values()
        for wrong in _wrong(node, hosts, secrets)
    )
    yield from dict.fromkeys(found)
    for plan in plans:
        for one in plan.subscriptions.values():
            for wrong in _wrong_subscription(one, hosts, secrets):
                message = f"subscription {shown(one.name)}: {wrong}"
                yield Issue(file=plan.source, line=one.line, message=message, severity=Severity.WARNING)


class OutgoingCheck:
    """What the engine's own settings refuse of the plans in service."""

    def __init__(self, hosts: Collection[str], secrets: Mapping[str, str]) -> None:
        self.issues: tuple[Issue, ...] = ()
        self._hosts = hosts
        self._secrets = secrets

    @property
    def trouble(self) -> str:
        """What is refused, with file and line, in one sentence; empty when nothing is."""
        more = f" (and {len(self.issues) - 1} more)" if len(self.issues) > 1 else ""
        return f"{self.issues[0]}{more}" if self.issues else ""

    def look(self, plans: Collection[Plan]) -> None:
        """Look at the plans that are in service now, and log what is new."""
        before = frozenset(self.issues)
        self.issues = tuple(refused_by(plans, self._hosts, self._secrets))
        for issue in self.issues:
            if issue not in before:
                log.warning("web service", issue=str(issue))


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


def _wrong_subscription(one: Subscription, hosts: Collection[str], secrets: Mapping[str, str]) -> Iterator[str]:
    if one.secret and one.secret not in secrets:
        yield f"CALLROUTER_SECRET_{one.secret} is not set: nothing would be told"
    elif one.secret:
        try:
            key_of(secrets[one.secret])
        except ValueError as error:
            yield f"CALLROUTER_SECRET_{one.secret}: {error}"
    if (wrong := _channels(hosts, secrets).check(one.url)) is not None:
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

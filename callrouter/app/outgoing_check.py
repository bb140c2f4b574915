"""What the operator's settings refuse of what clients' files want: web services that trees ask, people who are to be
told of messages. Said by `check`; what trees ask of web services by the engine, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

import structlog

from callrouter.core.dispatch import Means, Policy, Reach, Subscription, is_pin
from callrouter.core.nodes import Node
from callrouter.core.plan import Plan
from callrouter.delivery.signing import key_of
from callrouter.dialplan.issues import Issue, Severity, shown
from callrouter.dialplan.language.words import CALLED

if TYPE_CHECKING:
    from callrouter.delivery.channel import Channels
    from callrouter.runtime.guarded_http import GuardedHttp
    from callrouter.settings import Settings

log = structlog.get_logger(__name__)


def check_web_services(plans: Collection[Plan], hosts: Collection[str], secrets: Mapping[str, str]) -> Iterator[Issue]:
    """Warn of hosts that may not be asked, of addresses nothing can be delivered to, and of secrets that are not set.

    Settings may be another machine's: where none of them is made, nothing is known and nothing is said.
    """
    if hosts or secrets:
        yield from refused_by(plans, hosts, secrets)
        yield from _unheard(plans, hosts, secrets)


def refused_by(plans: Collection[Plan], hosts: Collection[str], secrets: Mapping[str, str]) -> Iterator[Issue]:
    """The same, where the settings are the ones that count."""
    found = (
        _issue(plan, node, wrong)
        for plan in plans
        for node in plan.nodes.values()
        for wrong in _wrong(node, hosts, secrets)
    )
    yield from dict.fromkeys(found)


def check_told(plans: Collection[Plan], settings: Settings, secrets: Mapping[str, str]) -> Iterator[Issue]:
    """Warn of people who are to be told of messages by a way that is not set up, once for each policy and way.

    Where neither a mail server nor an SMS gateway is set, nothing is known and nothing is said: they may be set where
    the worker runs.
    """
    if settings.mail_server is not None or settings.sms_gateway is not None:
        channels = _channels(settings.outgoing_hosts, secrets, settings)
        found = (
            Issue(file=plan.source, line=0, field=f"delivery.{name}", message=wrong, severity=Severity.WARNING)
            for plan in plans
            for name in _named(plan)
            for wrong in (*_untold(plan, name, settings, channels), *_unopened(plan, name, secrets, channels))
        )
        yield from dict.fromkeys(found)


def _named(plan: Plan) -> Iterator[str]:
    """Policies, and contacts who get messages by themselves."""
    named = (*(form.deliver for form in plan.forms), *(about.uses.delivers for about in plan.about.values()))
    yield from dict.fromkeys((*plan.policies, *(name for name in named if name)))


def _untold(plan: Plan, name: str, settings: Settings, channels: Channels) -> Iterator[str]:
    policy = plan.policy_for(name)
    if policy is None:
        return
    who = f'{"policy" if name in plan.policies else "contact"} "{name}"'
    if policy.confidential and not settings.public_url:
        yield f"{who} is confidential, and no link to its messages can be sent: CALLROUTER_PUBLIC_URL is not set"
    for reach, means in _reaches(plan, policy):
        address = reach.address(means)
        if not address:
            continue
        if channels.of(address) is not None and (wrong := channels.check(address)) is not None:
            yield f'{who}: "{reach.name}" cannot be told by {CALLED[means]}: {wrong}'


def _unopened(plan: Plan, name: str, secrets: Mapping[str, str], channels: Channels) -> Iterator[str]:
    """Whose PIN is not set, or who cannot be sent a code, of those who are told of what is confidential."""
    policy = plan.policy_for(name)
    if policy is None or not policy.confidential:
        return
    for reach, means in _reaches(plan, policy):
        second = reach.second_means(means)
        if reach.pin and not is_pin(secrets.get(reach.pin, "")):
            yield f'policy "{name}": the PIN of "{reach.name}", CALLROUTER_SECRET_{reach.pin}, is not 4 to 12 digits'
        elif not reach.pin and second and (wrong := channels.check(reach.address(second))) is not None:
            yield f'policy "{name}": "{reach.name}" cannot be sent a code by {CALLED[second]}: {wrong}'


def _reaches(plan: Plan, policy: Policy) -> Iterator[tuple[Reach, Means]]:
    """All whom a policy may tell, by all means."""
    for step in dict.fromkeys((*policy.urgent.steps, *policy.ordinary.steps)):
        rotas = (plan.rotas[name] for name in step.to if name in plan.rotas)
        on_call = (one.name for rota in rotas for one in rota.people())
        for name in dict.fromkeys((*step.to, *on_call, policy.last)):
            if (reach := plan.people.get(name)) is not None:
                yield from ((reach, means) for means in step.by or reach.means)


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


def _unheard(plans: Collection[Plan], hosts: Collection[str], secrets: Mapping[str, str]) -> Iterator[Issue]:
    """Of subscriptions: they are the worker's to tell, whose settings may be others than the engine's."""
    for plan in plans:
        for one in plan.subscriptions.values():
            for wrong in _wrong_subscription(one, hosts, secrets):
                message = f"subscription {shown(one.name)}: {wrong}"
                yield Issue(file=plan.source, line=one.line, message=message, severity=Severity.WARNING)


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


def _channels(hosts: Collection[str], secrets: Mapping[str, str], settings: Settings | None = None) -> Channels:
    from callrouter.delivery.channel import Channels, Tools
    from callrouter.delivery.channels import CHANNELS

    mail, sms = (settings.mail_server, settings.sms_gateway) if settings else (None, None)
    return Channels(CHANNELS, Tools(http=_guard(hosts, secrets), secrets=secrets, mail=mail, sms=sms))


def _issue(plan: Plan, node: Node, wrong: str) -> Issue:
    file = node.source or plan.source
    name = node.name.rpartition("/")[2].partition("@")[0]
    return Issue(file=file, line=node.line, node=name, field="", message=wrong, severity=Severity.WARNING)

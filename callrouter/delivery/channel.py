"""What a way to deliver must be able to do, and how an attempt can end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from callrouter.delivery.ports import Delivery
from callrouter.delivery.servers import MailServer, SmsGateway
from callrouter.runtime.guarded_http import GuardedHttp


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The address has taken it; that a person has it may be told later, by a receipt."""

    answer: str = ""
    """What the other side said, in its own words; empty: nothing worth keeping."""
    receipt_id: str | None = None
    """By which the other side names it in a receipt; None: there will be none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedForNow:
    """It may succeed later, or nobody knows whether it has succeeded: it is sent again, with the same id."""

    reason: str
    """A sentence for a person, without secrets."""
    destination_answers: bool | None
    """Whether the other side is there at all: one that is not is left alone after some failures. None: nothing was
    learnt about it.
    """
    retry_after_seconds: float = 0.0
    """The other side asks not to be tried before; 0: it did not say."""
    fate_unknown: bool = False
    """The other side may have taken it: the connection broke between the last word of ours and its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedForGood:
    """It can never succeed at this address."""

    reason: str
    """A sentence for a person, without secrets."""


Outcome = Delivered | FailedForNow | FailedForGood


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What channels are made with; a channel whose tool is not there says in `check` which setting it needs."""

    http: GuardedHttp
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By name, without prefix: what is posted is signed with them."""
    mail: MailServer | None = None
    sms: SmsGateway | None = None


class Channel(ABC):
    """A way to deliver: one module in `channels/`, one line in its list, one case file in `tests/delivery/channels`.

    It says how to send, once; when, how often and how many at a time is the queue's business.
    """

    name: ClassVar[str]
    """One word, for logs and for the case file."""
    schemes: ClassVar[frozenset[str]]
    """How its addresses begin; no two channels share one. An address is a URL: `https:`, `mailto:` (RFC 6068), `sms:`
    (RFC 5724), `tel:` (RFC 3966).
    """
    deadline_seconds: ClassVar[float]
    """The queue ends an attempt that is still under way after this time; it counts as failed for now."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools

    @abstractmethod
    def check(self, address: str) -> str | None:
        """Why nothing can be delivered to an address of these schemes as the engine is set up, and what to do about it;
        None when it can. Asked by `callrouter check` and before every attempt; does no I/O.
        """

    @abstractmethod
    def destination(self, address: str) -> str:
        """What answers, and fails, as one: a host, a mail server, a gateway. Asked for addresses that pass `check`."""

    @abstractmethod
    async def send(self, delivery: Delivery) -> Outcome:
        """One attempt; raises nothing that the other side can cause.

        It may be cancelled at any await, and the same delivery is sent again whenever its fate is unknown: what is sent
        must hold `delivery_id`, so that the receiver can tell.
        """

    async def close(self) -> None:  # noqa: B027 - most keep nothing
        """Give back what is kept between attempts, such as a connection; a `send` that follows begins anew."""


class Channels:
    """The channels in use, by the schemes of their addresses.

    Raises:
        ValueError: two of them claim the same scheme.
    """

    def __init__(self, kinds: Iterable[type[Channel]], tools: Tools) -> None:
        self._by_scheme: dict[str, Channel] = {}
        for channel in (kind(tools) for kind in kinds):
            for scheme in channel.schemes:
                if scheme in self._by_scheme:
                    raise ValueError(f"{self._by_scheme[scheme].name} and {channel.name} both deliver to {scheme}:")
                self._by_scheme[scheme] = channel

    def of(self, address: str) -> Channel | None:
        """The channel that delivers to this address."""
        return self._by_scheme.get(_scheme(address))

    def check(self, address: str) -> str | None:
        """Why nothing can be delivered there, and what to do about it; None when it can."""
        channel = self.of(address)
        return f'no channel delivers to "{_scheme(address)}:"' if channel is None else channel.check(address)

    async def close(self) -> None:
        """Have each give back what it keeps between attempts."""
        for channel in dict.fromkeys(self._by_scheme.values()):
            await channel.close()


def _scheme(address: str) -> str:
    return address.partition(":")[0].lower()

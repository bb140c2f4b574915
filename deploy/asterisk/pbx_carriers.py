"""The carriers: who may send us calls, where numbers are dialled and in which order, as sections of pjsip.conf.

A carrier NAME has an endpoint `trunk-NAME` for its calls to us, and one for each address that takes ours:
`trunk-NAME-out`, `trunk-NAME-out-2` … Of several contacts of one endpoint PJSIP dials one, whatever their order, and no
other when that one refuses (findings/asterisk-two-contacts.sh); so each address is an endpoint, and extensions.conf
walks them (callrouter-carriers). The file is read by pbx_carriers_file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ANY_OUT: Final = "trunk-out"
"""What is dialled when the carrier is not chosen yet: the first one's first address, where nobody walks them all."""
CODECS: Final = ("alaw", "ulaw")
_FOR_EVER: Final = 4_000_000_000
"""Tries of a registration: Asterisk's own 10 would leave us unregistered for good after ten minutes without network."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """What is around the PBX: the address by which others see it, and the networks that reach it directly."""

    external_address: str | None = None
    external_media_address: str | None = None
    """Where it is not the same: the sound has an address of its own."""
    local_networks: Sequence[str] = ("127.0.0.0/8",)

    def settings(self) -> list[str]:
        """The lines of a transport."""
        if self.external_address is None:
            return []
        return [
            f"external_signaling_address = {self.external_address}",
            f"external_media_address = {self.external_media_address or self.external_address}",
            *(f"local_net = {network}" for network in self.local_networks),
        ]


@dataclass(frozen=True, kw_only=True)
class Tls:
    """SIP over TLS: what proves who we are, and who may prove that they are the carrier."""

    certificate: Path
    key: Path
    authorities: Path
    port: int = 5061


@dataclass(frozen=True, kw_only=True)
class PhonesBy:
    """How agents' telephones reach us."""

    transport: str = "udp"
    srtp: bool = False


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """One carrier, or one contract with it. The fields are those of its table in the file."""

    name: str
    calls_from: Sequence[str] = ()
    calls_to: Sequence[str] = ()
    """HOST or HOST:PORT; the first is tried first."""
    transport: str = "udp"
    srtp: bool = False
    codecs: Sequence[str] = CODECS
    user: str | None = None
    secret: str = field(default="", repr=False)
    realm: str | None = None
    registrar: str | None = None
    from_user: str | None = None
    from_domain: str | None = None
    outbound_proxy: str | None = None
    did_header: str | None = None
    identity_header: str = "From"
    session_timers: str = "always"
    qualify_seconds: int = 0

    @property
    def endpoint(self) -> str:
        """Whose calls to us are."""
        return f"trunk-{self.name}" if self.name else "trunk"

    @property
    def endpoints_out(self) -> list[str]:
        """One for each address of `calls_to`."""
        first = f"{self.endpoint}-out"
        return [first if number == 1 else f"{first}-{number}" for number in range(1, len(self.calls_to) + 1)]

    @property
    def secure(self) -> bool:
        """Whether its calls are SIP over TLS."""
        return self.transport == "tls"


@dataclass(frozen=True, kw_only=True)
class Carriers:
    """All that stands in the file; `carriers` in the order in which numbers are dialled."""

    carriers: Sequence[Carrier] = ()
    network: Network = field(default_factory=Network)
    tls: Tls | None = None
    tcp_port: int = 5060
    phones: PhonesBy = field(default_factory=PhonesBy)

    @property
    def out(self) -> list[str]:
        """Every endpoint by which a number can be dialled, in order."""
        return [name for carrier in self.carriers for name in carrier.endpoints_out]

    @property
    def incoming(self) -> list[str]:
        """Every endpoint by which calls come in."""
        return [carrier.endpoint for carrier in self.carriers if carrier.calls_from]

    @property
    def modules(self) -> str:
        """What modules.conf needs besides."""
        srtp = self.phones.srtp or any(carrier.srtp for carrier in self.carriers)
        return "; Calls that nobody else can listen to\nrequire = res_srtp.so" if srtp else ""

    def transports(self, host: str) -> str:
        """The transports besides UDP that somebody uses."""
        used = {carrier.transport for carrier in self.carriers} | {self.phones.transport}
        lines: list[str] = []
        if "tcp" in used:
            lines += ["[tcp]", "type = transport", "protocol = tcp", f"bind = {host}:{self.tcp_port}"]
            lines += [*self.network.settings(), ""]
        if "tls" in used and self.tls is not None:
            lines += ["[tls]", "type = transport", "protocol = tls", f"bind = {host}:{self.tls.port}"]
            lines += [f"cert_file = {self.tls.certificate}", f"priv_key_file = {self.tls.key}"]
            lines += [f"ca_list_file = {self.tls.authorities}", "method = tlsv1_2", "verify_server = yes"]
            lines += [*self.network.settings(), ""]
        return "\n".join(lines)

    def phone_lines(self) -> str:
        """The lines of pjsip.conf's [phone]."""
        return "\n".join([f"transport = {self.phones.transport}", *_encryption(self.phones.srtp)])

    def endpoints(self) -> str:
        """Every carrier's sections, and `trunk-out`."""
        lines = [line for carrier in self.carriers for line in _carrier(carrier)]
        first = next((carrier for carrier in self.carriers if carrier.calls_to), None)
        if first is None:
            lines += ["; No carrier takes calls: numbers cannot be dialled.", f"[{ANY_OUT}]", "type = aor"]
            lines += [f"[{ANY_OUT}](carrier-out)", "transport = udp", f"aors = {ANY_OUT}"]
        elif ANY_OUT not in self.out:
            lines += ["; The first of them, for what is dialled without a choice.", *_endpoint_out(first, ANY_OUT)]
            lines += [f"aors = {first.endpoints_out[0]}"]
        return "\n".join(lines)


def _carrier(carrier: Carrier) -> Iterator[str]:
    yield f"; ---- {carrier.name or 'the carrier of the command line'}"
    yield from _endpoint_in(carrier)
    if carrier.user is not None:
        yield from (f"[{carrier.endpoint}-auth]", "type = auth", "auth_type = digest", f"username = {carrier.user}")
        yield "password = " + carrier.secret.replace(";", r"\;")
        yield f"realm = {carrier.realm or ''}"
    if carrier.registrar is not None:
        yield from _registration(carrier, carrier.registrar)
    for name, address in zip(carrier.endpoints_out, carrier.calls_to, strict=True):
        yield from _endpoint_out(carrier, name)
        yield from (f"aors = {name}", f"[{name}]", "type = aor", f"contact = {_uri(carrier, address)}")
        yield from (f"qualify_frequency = {carrier.qualify_seconds}", "qualify_timeout = 3")
        yield from _proxy(carrier)
    yield ""


def _endpoint_in(carrier: Carrier) -> Iterator[str]:
    if not carrier.calls_from:
        return
    yield f"[{carrier.endpoint}](carrier-in)"
    yield from _common(carrier)
    if carrier.did_header is not None:
        yield from ("context = callrouter-did", f"set_var = CR_DID_HEADER={carrier.did_header}")
    yield from (f"[{carrier.endpoint}]", "type = identify", f"endpoint = {carrier.endpoint}")
    yield from (f"match = {address}" for address in carrier.calls_from)


def _endpoint_out(carrier: Carrier, name: str) -> Iterator[str]:
    yield f"[{name}](carrier-out)"
    yield from _common(carrier)
    if carrier.user is not None:
        yield f"outbound_auth = {carrier.endpoint}-auth"
    if carrier.from_user is not None:
        yield f"from_user = {carrier.from_user}"
    if carrier.from_domain is not None:
        yield f"from_domain = {carrier.from_domain}"
    yield f"send_pai = {_yes(carrier.identity_header == 'P-Asserted-Identity')}"
    yield f"send_rpid = {_yes(carrier.identity_header == 'Remote-Party-ID')}"
    yield from _proxy(carrier)


def _common(carrier: Carrier) -> Iterator[str]:
    yield from (f"transport = {carrier.transport}", f"allow = {','.join(carrier.codecs)}")
    yield f"timers = {carrier.session_timers}"
    yield from _encryption(carrier.srtp)


def _registration(carrier: Carrier, registrar: str) -> Iterator[str]:
    domain = carrier.from_domain or registrar
    yield from (f"[{carrier.endpoint}-registration]", "type = registration", f"transport = {carrier.transport}")
    yield f"server_uri = {_uri(carrier, registrar)}"
    yield f"client_uri = sip:{carrier.user}@{domain}"
    yield from (f"outbound_auth = {carrier.endpoint}-auth", f"contact_user = {carrier.user}", "expiration = 300")
    # A carrier that is away, or refuses us for a while, is asked again for as long as we run.
    yield from (f"max_retries = {_FOR_EVER}", "retry_interval = 30", "forbidden_retry_interval = 120")
    yield from ("fatal_retry_interval = 120", "auth_rejection_permanent = no", "max_random_initial_delay = 1")
    yield from _proxy(carrier)


def _proxy(carrier: Carrier) -> Iterator[str]:
    if carrier.outbound_proxy is not None:
        yield f"outbound_proxy = {_uri(carrier, carrier.outbound_proxy)}\\;lr"


def _uri(carrier: Carrier, address: str) -> str:
    """As pjsip.conf has it, where a semicolon begins a comment unless a backslash is before it."""
    transport = "" if carrier.transport == "udp" else f"\\;transport={carrier.transport}"
    return f"sip:{address}{transport}"


def _encryption(srtp: bool) -> list[str]:
    return ["media_encryption = sdes"] if srtp else []


def _yes(value: bool) -> str:
    return "yes" if value else "no"

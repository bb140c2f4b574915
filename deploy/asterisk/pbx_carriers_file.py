"""Read the file of carriers (TOML; carriers.example.toml shows every key), and refuse what could not work.

Needs the standard library only: the PBX may have nothing else.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from deploy.asterisk.pbx_carriers import ANY_OUT, CODECS, Carrier, Carriers, Network, PhonesBy, Tls
from deploy.asterisk.pbx_install import PbxError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TRANSPORTS: Final = ("udp", "tcp", "tls")
_DID_HEADERS: Final = ("To", "P-Called-Party-ID")
_IDENTITY_HEADERS: Final = ("From", "P-Asserted-Identity", "Remote-Party-ID")
_SESSION_TIMERS: Final = ("always", "yes", "required", "no")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?")
_WORD: Final = re.compile(r"[A-Za-z0-9+_.*#@-]{1,80}")
_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"
"""Where Debian keeps the authorities that everybody trusts."""
_TABLES: Final = ("network", "tls", "phones", "tcp_port", "carriers")


def carriers_of_file(path: Path) -> Carriers:
    """What the file declares, with the secrets that it names.

    Raises:
        PbxError: it cannot be read, or something in it could not work; the message says where, and what to write.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PbxError(f"{path}: {error}") from error
    try:
        return carriers_of(document, folder=path.parent)
    except PbxError as error:
        raise PbxError(f"{path}: {error}") from error


def carriers_of(document: Mapping[str, Any], *, folder: Path = Path()) -> Carriers:
    """The same of what TOML holds; a relative path in it begins at `folder`. Raises PbxError."""
    top = _Table(document, "", folder, _TABLES)
    tables = top.tables("carriers")
    carriers = Carriers(
        carriers=[_carrier(table, f"carriers, number {place}", folder) for place, table in enumerate(tables, 1)],
        network=_network(top.table("network", ("external_address", "external_media_address", "local_networks"))),
        tls=_tls(top.table("tls", ("certificate", "key", "authorities", "port"))) if "tls" in document else None,
        tcp_port=top.port("tcp_port", 5060),
        phones=_phones(top.table("phones", ("transport", "srtp"))),
    )
    _check(carriers)
    return carriers


def _network(table: _Table) -> Network:
    for name in ("external_address", "external_media_address"):
        table.checked(name, _is_address, "an IP address: a name would be looked up once, when Asterisk starts")
    external = table.text("external_address")
    if external is None and table.text("external_media_address") is not None:
        raise table.wrong("external_media_address", "needs an external_address beside it")
    networks = table.networks("local_networks")
    return Network(
        external_address=external,
        external_media_address=table.text("external_media_address"),
        local_networks=networks or ("127.0.0.0/8",),
    )


def _tls(table: _Table) -> Tls:
    return Tls(
        certificate=table.file("certificate"),
        key=table.file("key"),
        authorities=table.file("authorities", _AUTHORITIES),
        port=table.port("port", 5061),
    )


def _phones(table: _Table) -> PhonesBy:
    found = PhonesBy(transport=table.choice("transport", TRANSPORTS, "udp"), srtp=table.flag("srtp"))
    if found.srtp and found.transport != "tls":
        raise table.wrong("srtp", 'needs transport = "tls": the key of the sound travels in the signalling')
    return found


def _carrier(found: Mapping[str, Any], place: str, folder: Path) -> Carrier:
    names = list(Carrier.__dataclass_fields__)
    table = _Table(found, f'carrier "{found["name"]}"' if isinstance(found.get("name"), str) else place, folder, names)
    table.checked("name", _NAME.fullmatch, "lower-case letters, digits and -, for example acme")
    for name in ("registrar", "from_domain", "outbound_proxy"):
        table.checked(name, _HOST.fullmatch, "HOST or HOST:PORT, without sip: and parameters")
    for name in ("user", "realm", "from_user"):
        table.checked(name, _WORD.fullmatch, "letters, digits and + _ . * # @ - only")
    if table.text("name") is None:
        raise table.wrong("name", "is missing")
    carrier = Carrier(
        name=str(table.text("name")),
        calls_from=table.networks("calls_from"),
        calls_to=table.words("calls_to", _HOST.fullmatch, "HOST or HOST:PORT, without sip: and parameters"),
        transport=table.choice("transport", TRANSPORTS, "udp"),
        srtp=table.flag("srtp"),
        codecs=table.words("codecs", CODECS.__contains__, f"one of {', '.join(CODECS)}") or CODECS,
        user=table.text("user"),
        secret=_secret(table),
        realm=table.text("realm"),
        registrar=table.text("registrar"),
        from_user=table.text("from_user"),
        from_domain=table.text("from_domain"),
        outbound_proxy=table.text("outbound_proxy"),
        did_header=table.choice("did_header", _DID_HEADERS) or None,
        identity_header=table.choice("identity_header", _IDENTITY_HEADERS, "From"),
        session_timers=table.choice("session_timers", _SESSION_TIMERS, "always"),
        qualify_seconds=table.count("qualify_seconds", 10),
    )
    _check_carrier(carrier, table)
    return carrier


def _check_carrier(carrier: Carrier, table: _Table) -> None:
    if not carrier.calls_from and not carrier.calls_to:
        raise table.wrong("calls_from", "and calls_to are both missing: say where its calls come from, or go to")
    if carrier.srtp and not carrier.secure:
        raise table.wrong("srtp", 'needs transport = "tls": the key of the sound travels in the signalling')
    if carrier.registrar is not None and carrier.user is None:
        raise table.wrong("registrar", "needs user and secret")
    if (carrier.user is None) != (not carrier.secret):
        raise table.wrong("user", 'and secret go together: secret = "env:CALLROUTER_SECRET_…" or "file:/path"')
    if carrier.registrar is not None and len(carrier.user or "") < 2:
        raise table.wrong("user", "of one character cannot be told from Asterisk's own extensions")


def _secret(table: _Table) -> str:
    """The secret itself: the file of carriers only says where it is."""
    source = table.text("secret")
    if source is None:
        return ""
    kind, _, place = source.partition(":")
    if kind == "env" and place:
        found = os.environ.get(place)
        if found is None:
            raise table.wrong("secret", f"names {place}, which is not in the environment of this command")
    elif kind == "file" and place:
        try:
            found = (table.folder / place).read_text(encoding="utf-8").strip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise table.wrong("secret", f"cannot be read: {error}") from error
    else:
        raise table.wrong("secret", 'does not stand in this file: write "env:NAME" or "file:/path"')
    if not found or found != found.strip() or any(ord(sign) < 32 for sign in found):
        raise table.wrong("secret", "is empty, begins or ends with a blank, or holds a line break")
    return found


def _check(carriers: Carriers) -> None:
    """What only all of them together show."""
    seen: dict[str, str] = {}
    if any(carrier.endpoint == ANY_OUT for carrier in carriers.carriers):
        raise PbxError(f"a carrier would be {ANY_OUT} at the PBX, where that is what is dialled: name it otherwise")
    networks: list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, str]] = []
    for carrier in carriers.carriers:
        for name in {carrier.endpoint, *carrier.endpoints_out}:
            if name in seen:
                raise PbxError(
                    f'carriers "{seen[name]}" and "{carrier.name}" would both be {name} at the PBX: name one otherwise'
                )
            seen[name] = carrier.name
        for network in map(ipaddress.ip_network, carrier.calls_from):
            for other, owner in networks:
                if other.version == network.version and other.overlaps(network):
                    raise PbxError(
                        f'carriers "{owner}" and "{carrier.name}": calls from {network} may be of '
                        "either; leave it in calls_from of one (the calls of the other then count as its own)"
                    )
            networks.append((network, carrier.name))
    if carriers.tls is None and "tls" in {carriers.phones.transport, *(one.transport for one in carriers.carriers)}:
        raise PbxError('transport = "tls" needs a table [tls] with certificate and key')


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class _Table:
    """One table of the file: each value is of the right kind, or a PbxError says where it is not."""

    def __init__(self, found: Mapping[str, Any], where: str, folder: Path, names: Sequence[str]) -> None:
        self.folder = folder
        self._found = found
        self._where = where
        for name in found:
            if name not in names:
                close = difflib.get_close_matches(name, names, 1)
                hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}"
                raise self.wrong(name, f"does not exist ({hint})")

    def wrong(self, name: str, what: str) -> PbxError:
        """An error about one key."""
        return PbxError(f"{self._where}{': ' if self._where else ''}{name} {what}")

    def text(self, name: str) -> str | None:
        found = self._found.get(name)
        if found is not None and not isinstance(found, str):
            raise self.wrong(name, f"is {found!r}: write a text, in quotation marks")
        return found

    def checked(self, name: str, good: Callable[[str], object], expected: str) -> None:
        found = self.text(name)
        if found is not None and not good(found):
            raise self.wrong(name, f"is {found!r}: write {expected}")

    def choice(self, name: str, choices: Sequence[str], default: str = "") -> str:
        found = self.text(name)
        if found is not None and found not in choices:
            raise self.wrong(name, f"is {found!r}: write one of {', '.join(choices)}")
        return default if found is None else found

    def flag(self, name: str) -> bool:
        found = self._found.get(name, False)
        if not isinstance(found, bool):
            raise self.wrong(name, f"is {found!r}: write true or false")
        return found

    def count(self, name: str, default: int) -> int:
        found = self._found.get(name, default)
        if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= 86400:
            raise self.wrong(name, f"is {found!r}: write a whole number from 0 to 86400")
        return found

    def port(self, name: str, default: int) -> int:
        found = self._found.get(name, default)
        if not isinstance(found, int) or isinstance(found, bool) or not 0 < found < 65536:
            raise self.wrong(name, f"is {found!r}: write a port, 1 to 65535")
        return found

    def words(self, name: str, good: Callable[[str], object], expected: str) -> tuple[str, ...]:
        found = self._found.get(name, [])
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise self.wrong(name, f'is {found!r}: write a list of texts, for example ["…", "…"]')
        for one in found:
            if not good(one):
                raise self.wrong(name, f"holds {one!r}: write {expected}")
        if len(set(found)) < len(found):
            raise self.wrong(name, "names one twice")
        return tuple(found)

    def networks(self, name: str) -> tuple[str, ...]:
        """Addresses and networks. A name is none: Asterisk looks one up when it starts, and never again."""

        def good(text: str) -> bool:
            try:
                ipaddress.ip_network(text)
            except ValueError:
                return False
            return True

        expected = 'addresses or networks, for example "203.0.113.0/28"; `getent ahosts NAME` says a name\'s addresses'
        return self.words(name, good, expected)

    def file(self, name: str, default: str | None = None) -> Path:
        found = self.text(name) or default
        if found is None:
            raise self.wrong(name, "is missing: write the path of a PEM file")
        path = (self.folder / found).absolute()
        if not path.is_file():
            raise self.wrong(name, f"is {found!r}, where there is no file")
        if set(str(path)) & set(";\r\n\0"):
            raise self.wrong(name, f"is {found!r}: a semicolon or line break cannot stand in Asterisk's files")
        return path

    def tables(self, name: str) -> list[Mapping[str, Any]]:
        found = self._found.get(name, [])
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self.wrong(name, "are tables: begin each with [[carriers]]")
        return found

    def table(self, name: str, names: Sequence[str]) -> _Table:
        found = self._found.get(name, {})
        if not isinstance(found, dict):
            raise self.wrong(name, f"is a table: begin it with [{name}]")
        return _Table(found, f"[{name}]", self.folder, names)

"""Render Asterisk's configuration: the templates of etc/ and one set of values, for tests, Docker and production."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from callrouter.asterisk.teams.document import Teams
from callrouter.asterisk.teams.folder import PbxFolder, Site
from callrouter.errors import PbxUnitError
from deploy.asterisk.pbx_carriers import ANY_OUT, Carrier, Carriers, Network
from deploy.asterisk.pbx_install import PbxError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TEMPLATES = Path(__file__).resolve().parent / "etc"
SECRET_FILES = frozenset({"manager.conf", "pjsip.conf", "ari.conf"})
SECRETS = "callrouter-secrets.json"
"""Where the phones' secrets are kept by default, in the configuration's folder."""
MAX_CALLS = 1000
"""Live calls in all, by default: what two cores hold (1,300 in bench/RESULTS.md) with a margin."""
ADMISSION_SECONDS = 1.8
"""How long an engine has to take a call: a caller hears the fallback 3 s after they called, of which half a second is
before its sentence, and half for all else. An engine takes a call within milliseconds at any rate that it sustains."""
LEASE_SECONDS = 10.0
"""How long it has to go on after a routine: a link that stands still for eight seconds is back after them."""
OVER_LIMIT = {"congestion": 34, "busy": 17}
"""How a call beyond a limit is refused, and the cause (Q.850) that PJSIP makes 503 or 486 of."""
_NO_LIMIT = 1_000_000_000
_PLACE = re.compile(r"@\{([a-z_]+)\}")
_ADDRESS = re.compile(r"[A-Za-z0-9.:\[\]-]+:[0-9]{1,5}")
_ARI_MODULES = (
    "res_http_websocket",
    "res_websocket_client",
    "res_stasis",
    "res_stasis_answer",
    "res_stasis_playback",
    "res_stasis_recording",
    "res_stasis_snoop",
    "res_stasis_device_state",
    "app_stasis",
    "res_ari",
    "res_ari_model",
    "res_ari_applications",
    "res_ari_asterisk",
    "res_ari_bridges",
    "res_ari_channels",
    "res_ari_endpoints",
    "res_ari_events",
    "res_ari_playbacks",
)


@dataclass(frozen=True, kw_only=True)
class Directories:
    """Asterisk's own folders (asterisk.conf, [directories]); all absolute."""

    etc: Path
    modules: Path
    data: Path
    var: Path
    spool: Path
    run: Path
    log: Path
    sbin: Path
    """Where astcanary is."""


@dataclass(frozen=True, kw_only=True)
class PbxConfig:
    """Everything the templates leave open.

    The phones agent-1 … agent-N (`agents`) exist, and those that `teams` names. A phone in `agent_contacts`
    ("agent-1": "127.0.0.1:5090") is called there; the others register with their secret from `phone_secrets`.
    `carriers` are those of a file (pbx_carriers_file), with the networks around us; without a file there is one, whose
    calls come from `trunk_match` and which takes ours at `carrier` (HOST:PORT).
    `domains` are the names by which telephones know this PBX, beside its addresses: a transfer that names any other
    is refused. Where it listens on all addresses and has no `domains`, whatever is named is taken for it.
    Phones are asked every `qualify_seconds` whether they are there; 0: never, and all count as there.
    `session_seconds` (90 or more) is the interval of SIP session timers. Beyond `max_calls` live calls (0: any number),
    or its client's own limit, a call is refused with `over_limit`. `teams` are the queues. `extra_conf` appends text
    to a file ("extensions", "pjsip", "manager", "queues", "modules").
    """

    directories: Directories
    ami_secret: str
    ami_admin_secret: str
    phone_secrets: Mapping[str, str]
    secrets_path: Path | None = None
    sip_host: str = "127.0.0.1"
    sip_port: int = 5060
    ami_host: str = "127.0.0.1"
    ami_port: int = 5038
    ami_permit: Sequence[str] = ("127.0.0.1/255.255.255.255",)
    rtp_start: int = 10000
    rtp_end: int = 17999
    http_port: int | None = None
    ari_secret: str = ""
    external_address: str | None = None
    domains: Sequence[str] = ()
    trunk_match: Sequence[str] = ("127.0.0.1",)
    carrier: str | None = None
    carriers: Carriers = field(default_factory=Carriers)
    agents: int = 8
    agent_contacts: Mapping[str, str] = field(default_factory=dict)
    teams: Teams = field(default_factory=Teams)
    language: str = "en"
    admission_seconds: float = ADMISSION_SECONDS
    lease_seconds: float = LEASE_SECONDS
    wrapup_seconds: int = 0
    qualify_seconds: int = 5
    session_seconds: int = 900
    max_calls: int = MAX_CALLS
    over_limit: str = "congestion"
    fallback_prompt: str = "please-try-call-later"
    fallback_queue_seconds: int = 300
    verbose: bool = False
    realtime: bool = True
    extra_conf: Mapping[str, str] = field(default_factory=dict)

    @property
    def numbered_phones(self) -> tuple[str, ...]:
        """Those that exist whatever the folder says."""
        return tuple(f"agent-{number}" for number in range(1, self.agents + 1))

    @property
    def declared(self) -> Carriers:
        """The carriers of the file, else the one that the other fields describe."""
        network = self.carriers.network
        if network.external_address is None and self.external_address is not None:
            network = Network(external_address=self.external_address)
        one = Carrier(name="", calls_from=self.trunk_match, calls_to=[self.carrier] if self.carrier else [])
        return replace(self.carriers, network=network, carriers=self.carriers.carriers or [one])


_EVERY_ADDRESS = frozenset({"0.0.0.0", "::", "[::]"})  # compared with, not listened on


def render(config: PbxConfig, out: Path) -> None:
    """Write every file of the configuration into `out`; those with secrets are readable by their owner only.

    What Asterisk reads again while it runs, teams and phones, stands in a folder of its own (`PbxFolder`).

    Raises PbxError when a value cannot stand in a configuration file, or names something that does not exist.
    """
    _check(config)
    values = _values(config)
    out.mkdir(parents=True, exist_ok=True)
    for template in sorted(TEMPLATES.glob("*.conf")):
        extra = config.extra_conf.get(template.stem, "")
        text = _PLACE.sub(
            lambda place, extra=extra: extra if place[1] == "extra" else values[place[1]],  # type: ignore[misc]
            template.read_text(encoding="utf-8"),
        )
        target = out / template.name
        target.touch(mode=0o600 if template.name in SECRET_FILES else 0o644)
        target.write_text(text.rstrip() + "\n", encoding="utf-8")
    site = Site(
        secrets=config.secrets_path or out / SECRETS,
        phones=config.numbered_phones,
        contacts=config.agent_contacts,
    )
    try:
        PbxFolder(out).install(site, config.phone_secrets, config.teams)
    except PbxUnitError as error:
        raise PbxError(str(error)) from error


def _check(config: PbxConfig) -> None:
    known = {*config.numbered_phones, *config.teams.phones}
    members = {member.phone for team in config.teams.teams for member in team.members}
    for name in sorted((set(config.agent_contacts) | members) - known):
        raise PbxError(f"there is no phone {name!r}: agents={config.agents} gives agent-1 … agent-{config.agents}")
    for address in (*config.agent_contacts.values(), *([config.carrier] if config.carrier else [])):
        if not _ADDRESS.fullmatch(address):
            raise PbxError(f"{address!r} is not an address: write HOST:PORT, for example 127.0.0.1:5090")
    if config.max_calls < 0 or config.over_limit not in OVER_LIMIT:
        raise PbxError(f"max_calls is a count (0: any number), and over_limit one of {', '.join(OVER_LIMIT)}")
    templates = {path.stem for path in TEMPLATES.glob("*.conf") if "@{extra}" in path.read_text(encoding="utf-8")}
    for name in sorted(set(config.extra_conf) - templates):
        raise PbxError(f"extra_conf[{name!r}]: only {', '.join(sorted(templates))} can be extended")
    if any(set(secret) & set(" ;\r\n\0") for secret in _secrets(config)):
        raise PbxError("a secret holds a blank, a semicolon or a line break, which Asterisk's files cannot carry")


def _secrets(config: PbxConfig) -> list[str]:
    return [config.ami_secret, config.ami_admin_secret, config.ari_secret, *config.phone_secrets.values()]


def _values(config: PbxConfig) -> dict[str, str]:
    folders = config.directories
    carriers = config.declared
    return {
        "etc_dir": str(folders.etc),
        "modules_dir": str(folders.modules),
        "data_dir": str(folders.data),
        "var_dir": str(folders.var),
        "spool_dir": str(folders.spool),
        "run_dir": str(folders.run),
        "log_dir": str(folders.log),
        "sbin_dir": str(folders.sbin),
        "realtime": "yes" if config.realtime else "no",
        "language": config.language,
        "ami_host": config.ami_host,
        "ami_port": str(config.ami_port),
        "ami_secret": config.ami_secret,
        "ami_admin_secret": config.ami_admin_secret,
        "ami_permit": "\n".join(f"permit = {network}" for network in config.ami_permit),
        "sip_host": config.sip_host,
        "sip_port": str(config.sip_port),
        "sip_external": "\n".join(carriers.network.settings()),
        "transports": carriers.transports(config.sip_host),
        "carriers": carriers.endpoints(),
        "domains": "&".join(_domains(config, carriers.network.external_address)),
        "carriers_out": "&".join(carriers.out) or ANY_OUT,
        "trunks": "&".join(carriers.incoming),
        "carrier_modules": carriers.modules,
        "phone_transport": carriers.phone_lines(),
        "softphone_secret": config.phone_secrets["softphone"],
        "rtp_start": str(config.rtp_start),
        "rtp_end": str(config.rtp_end),
        "http_enabled": "no" if config.http_port is None else "yes",
        "http_port": str(config.http_port or 8088),
        "ari_modules": _ari_modules(config),
        "ari_user": _ari_user(config),
        "admission_seconds": f"{config.admission_seconds:g}",
        "lease_seconds": f"{config.lease_seconds:g}",
        "wrapup_seconds": str(config.wrapup_seconds),
        "qualify_seconds": str(config.qualify_seconds),
        "session_seconds": str(config.session_seconds),
        "max_calls": str(config.max_calls or _NO_LIMIT),
        "over_limit_cause": str(OVER_LIMIT[config.over_limit]),
        "fallback_prompt": config.fallback_prompt,
        "fallback_queue_seconds": str(config.fallback_queue_seconds),
        "log_verbose": ",verbose(5),dtmf" if config.verbose else "",
    }


def _domains(config: PbxConfig, external_address: str | None) -> list[str]:
    """What a telephone may call this PBX; none where nobody can say."""
    own = [] if config.sip_host in _EVERY_ADDRESS else [config.sip_host]
    known = [*own, *config.domains]
    return [*known, external_address] if known and external_address else known


def _ari_modules(config: PbxConfig) -> str:
    if config.http_port is None:
        return ""
    return "\n".join(["; ARI, for comparison in the bench", *(f"load = {name}.so" for name in _ARI_MODULES)])


def _ari_user(config: PbxConfig) -> str:
    if config.http_port is None:
        return ""
    return f"\n[callrouter]\ntype = user\nread_only = no\npassword = {config.ari_secret}"

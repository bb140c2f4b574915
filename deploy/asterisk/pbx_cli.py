"""The command line of pbx.py."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
import threading
from pathlib import Path

from callrouter.asterisk.teams.document import Teams
from deploy.asterisk.pbx_carriers import Carriers
from deploy.asterisk.pbx_carriers_file import carriers_of_file
from deploy.asterisk.pbx_install import CHECKOUT, Installation, PbxError, find, find_or_install, rootfs_dir
from deploy.asterisk.pbx_music import level_folder, level_once, soft_of, soften_folder, soften_once
from deploy.asterisk.pbx_process import Pbx
from deploy.asterisk.pbx_render import MAX_CALLS, OVER_LIMIT, SECRETS, Directories, PbxConfig, render
from deploy.asterisk.pbx_teams import teams_of_file, teams_of_folder

_DEFAULT_DIR = CHECKOUT / ".asterisk" / "run"


def main(arguments: list[str] | None = None) -> int:
    """Returns the process's exit code: 0, or 1 after saying on stderr what is wrong."""
    options = _parser().parse_args(arguments)
    try:
        run: int = options.run(options)
    except PbxError as error:
        print(f"pbx.py: {error}", file=sys.stderr)
        return 1
    return run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pbx.py", description="Asterisk for callrouter.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    install = commands.add_parser("install", help="find an Asterisk, or make one in .asterisk/rootfs")
    install.set_defaults(run=_install)

    start = commands.add_parser("start", help="start Asterisk in a folder of its own, on free loopback ports")
    start.add_argument("--dir", type=Path, default=_DEFAULT_DIR, help="its folder (default: %(default)s)")
    start.add_argument("--foreground", action="store_true", help="stay until Ctrl-C, then stop Asterisk")
    start.add_argument("--sip-port", type=int, help="UDP (default: a free one)")
    start.add_argument("--ami-port", type=int, help="TCP (default: a free one)")
    start.add_argument("--ari", action="store_true", help="also start the ARI interface")
    start.add_argument("--verbose", action="store_true", help="write every dialplan step to the log")
    _shared(start)
    start.set_defaults(run=_start)

    for name, run, text in (("stop", _stop, "stop it"), ("status", _status, "say whether it runs, and where")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--dir", type=Path, default=_DEFAULT_DIR, help="its folder (default: %(default)s)")
        command.set_defaults(run=run)

    music = commands.add_parser("music", help="bring a folder's music on hold to the loudness of callrouter's prompts")
    music.add_argument("folder", type=Path, help="of WAV files, changed in place: for example /usr/share/asterisk/moh")
    music.set_defaults(run=_music)

    write = commands.add_parser("render", help="write the configuration for a production machine or an image")
    write.add_argument("--out", type=Path, required=True, help="for example /etc/asterisk")
    write.add_argument("--sip-host", default="0.0.0.0", help="address to listen on (default: %(default)s)")
    write.add_argument("--sip-port", type=int, default=5060, help="UDP (default: %(default)s)")
    write.add_argument("--external-address", help="public address, when Asterisk is behind NAT")
    write.add_argument(
        "--domain",
        action="append",
        default=[],
        help="a name by which telephones know this PBX: with one, a transfer that names any other place is refused "
        "(repeat)",
    )
    write.add_argument("--rtp", default="10000-17999", metavar="FIRST-LAST", help="UDP ports (default: %(default)s)")
    write.add_argument("--trunk-match", action="append", help="an address or network calls come from (repeat)")
    write.add_argument(
        "--secrets",
        type=Path,
        help="JSON file of the phones' secrets, made if missing (default: OUT/callrouter-secrets.json)",
    )
    _shared(write)
    write.set_defaults(run=_render)
    return parser


def _shared(parser: argparse.ArgumentParser) -> None:
    teams = parser.add_mutually_exclusive_group()
    teams.add_argument(
        "--dialplans",
        type=Path,
        default=Path(os.environ.get("CALLROUTER_DIALPLANS_DIR") or CHECKOUT / "dialplans"),
        help="the clients' folder: its shared/ names the teams and the agents' phones (default: %(default)s)",
    )
    teams.add_argument("--teams", type=Path, metavar="FILE", help="what `callrouter teams` wrote, where it is not here")
    parser.add_argument("--agents", type=int, default=8, help="phones agent-1 … agent-N besides (default: %(default)s)")
    parser.add_argument("--carrier", metavar="HOST:PORT", help="where numbers are dialled")
    parser.add_argument(
        "--carriers",
        type=Path,
        metavar="FILE",
        default=Path(found) if (found := os.environ.get("CALLROUTER_CARRIERS")) else None,
        help="TOML: registration, TLS and SRTP, NAT, several carriers (default: CALLROUTER_CARRIERS; else none)",
    )
    parser.add_argument(
        "--max-calls",
        type=int,
        default=int(os.environ.get("CALLROUTER_MAX_CALLS") or MAX_CALLS),
        help="live calls in all, 0: any number; those beyond are refused (default: CALLROUTER_MAX_CALLS, else 1000)",
    )
    parser.add_argument(
        "--over-limit",
        choices=tuple(OVER_LIMIT),
        default=os.environ.get("CALLROUTER_OVER_LIMIT") or "congestion",
        help="how: congestion (503: the carrier may send them elsewhere) or busy (486) (default: %(default)s)",
    )
    parser.add_argument("--language", default="en", help="of Asterisk's own prompts: en, fr (default: %(default)s)")


def _teams(options: argparse.Namespace) -> Teams:
    return teams_of_file(options.teams) if options.teams else teams_of_folder(options.dialplans)


def _carriers(options: argparse.Namespace, others: tuple[str, ...]) -> Carriers:
    """Of the file; `others` are options that say the same, and would be overlooked."""
    if options.carriers is None:
        return Carriers()
    for name in others:
        if getattr(options, name) is not None:
            raise PbxError(f"--{name.replace('_', '-')} says what {options.carriers} is to say: write it there")
    return carriers_of_file(options.carriers)


def _install(_: argparse.Namespace) -> int:
    installation = find_or_install()
    if installation.data_dir.is_relative_to(rootfs_dir()):  # ours: a machine's own files are its operator's
        level_once(installation.data_dir / "moh")
        soften_once(installation.data_dir / "moh")
    print(f"{installation.version}: {' '.join(installation.command)}")
    return 0


def _music(options: argparse.Namespace) -> int:
    for name, gain in level_folder(options.folder).items():
        print(f"{name}: {gain:+.1f} dB")
    soften_folder(options.folder)
    print(f"{soft_of(options.folder)}: the same, softer, for callers who are spoken to while they wait")
    return 0


def _start(options: argparse.Namespace) -> int:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    pbx = Pbx.start(
        options.dir,
        agents=options.agents,
        teams=_teams(options),
        carrier=options.carrier,
        carriers=_carriers(options, ("carrier",)),
        language=options.language,
        max_calls=options.max_calls,
        over_limit=options.over_limit,
        ari=options.ari,
        sip_port=options.sip_port,
        ami_port=options.ami_port,
        verbose=options.verbose,
        die_with_parent=options.foreground,
    )
    _describe(pbx)
    if not options.foreground:
        pbx.leave_running()
        return 0
    while not stopped.wait(1):
        if not pbx.is_running():
            raise PbxError(f"Asterisk ended by itself: its log is {pbx.log_path}")
    pbx.stop()
    return 0


def _stop(options: argparse.Namespace) -> int:
    Pbx.attach(options.dir).stop()
    return 0


def _status(options: argparse.Namespace) -> int:
    pbx = Pbx.attach(options.dir)
    _describe(pbx)
    print(pbx.cli("core show channels count").strip())
    return 0


def _describe(pbx: Pbx) -> None:
    print(f"{pbx.version} runs as process {pbx.pid}")
    print(f"  SIP (UDP)  {pbx.sip_host}:{pbx.sip_port}")
    print(f"  AMI        {pbx.ami_host}:{pbx.ami_port}, user {pbx.ami_user}")
    if pbx.http_port is not None:
        print(f"  ARI        127.0.0.1:{pbx.http_port}, user {pbx.ari_user}")
    print(f"  log        {pbx.log_path}")
    print(f"  secrets    {pbx.run_dir / 'pbx.json'}")


def _render(options: argparse.Namespace) -> int:
    installation = find()
    if installation is None:
        raise PbxError("no Asterisk is installed on this machine: install it first (its folders go into asterisk.conf)")
    first, _, last = options.rtp.partition("-")
    if not (first.isdigit() and last.isdigit() and int(first) < int(last) < 65536):
        raise PbxError(f"--rtp {options.rtp}: write FIRST-LAST, for example 10000-17999")
    secrets_path = options.secrets or options.out / SECRETS
    teams = _teams(options)
    known = _kept_secrets(secrets_path, options.agents, teams)
    config = PbxConfig(
        directories=_system_directories(options.out, installation),
        ami_secret=known["ami"],
        ami_admin_secret=known["ami-admin"],
        phone_secrets=known,
        secrets_path=secrets_path.absolute(),
        sip_host=options.sip_host,
        sip_port=options.sip_port,
        rtp_start=int(first),
        rtp_end=int(last),
        external_address=options.external_address,
        domains=options.domain,
        trunk_match=options.trunk_match or ["127.0.0.1"],
        carrier=options.carrier,
        carriers=_carriers(options, ("carrier", "trunk_match", "external_address")),
        agents=options.agents,
        teams=teams,
        language=options.language,
        max_calls=options.max_calls,
        over_limit=options.over_limit,
    )
    render(config, options.out)
    print(f"written to {options.out}; secrets in {secrets_path}")
    return 0


def _system_directories(out: Path, installation: Installation) -> Directories:
    return Directories(
        etc=out,
        modules=installation.modules_dir,
        data=installation.data_dir,
        var=Path("/var/lib/asterisk"),
        spool=Path("/var/spool/asterisk"),
        run=Path("/var/run/asterisk"),
        log=Path("/var/log/asterisk"),
        sbin=Path(installation.command[-1]).parent,
    )


def _kept_secrets(path: Path, agents: int, teams: Teams) -> dict[str, str]:
    """The secrets of earlier runs, completed. CALLROUTER_AMI_SECRET and CALLROUTER_AMI_ADMIN_SECRET come first."""
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name in (
        "ami",
        "ami-admin",
        "softphone",
        *(f"agent-{number}" for number in range(1, agents + 1)),
        *teams.phones,
    ):
        known.setdefault(name, secrets.token_urlsafe(18))
    for name, variable in (("ami", "CALLROUTER_AMI_SECRET"), ("ami-admin", "CALLROUTER_AMI_ADMIN_SECRET")):
        known[name] = os.environ.get(variable) or known[name]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    return known

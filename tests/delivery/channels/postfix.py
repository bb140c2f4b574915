"""Debian's Postfix, with configuration, queue and mailboxes of its own in a temporary folder: none of the system's."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from callrouter.delivery.servers import MailServer, Security
from tests.delivery.channels.mail_server import SENDER
from tests.patience import ANSWER_SECONDS

POSTFIX = "/usr/sbin/postfix"
NOBODY = 65534
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file_prefixes = {folder}
maillog_file = {folder}/postfix.log
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.answering.example
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = answering.example, clinic.example
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = inline:{{ {{doctor@clinic.example = doctor/}} {{{sender} = sender/}} }}
virtual_uid_maps = static:{nobody}
virtual_gid_maps = static:{nobody}
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
transport_maps = inline:{{ {{elsewhere.example = smtp:[127.0.0.1]:{elsewhere}}} {reports} }}
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
anvil unix - - n - 1 anvil
bounce unix - - n - 0 bounce
cleanup unix n - n - 0 cleanup
defer unix - - n - 0 bounce
error unix - - n - - error
flush unix n - n 1000? 0 flush
lmtp unix - - n - - lmtp
postlog unix-dgram n - n - 1 postlogd
proxymap unix - - n - - proxymap
qmgr unix n - n 300 1 qmgr
retry unix - - n - - error
rewrite unix - - n - - trivial-rewrite
scache unix - - n - 1 scache
smtp unix - - n - - smtp
tlsmgr unix - - n 1000? 1 tlsmgr
trace unix - - n - 0 bounce
virtual unix - n n - - virtual
"""


@dataclass(frozen=True)
class Postfix:
    """One that runs, with mailboxes of `doctor@clinic.example` and of the sender; it relays to `elsewhere.example`."""

    folder: Path
    port: int
    elsewhere: int
    """The port of the server for `elsewhere.example`; whoever wants one starts it."""

    @property
    def server(self) -> MailServer:
        """As the settings have it."""
        return MailServer(host="127.0.0.1", port=self.port, security=Security.NONE, sender=SENDER)

    def mails(self, box: str) -> list[EmailMessage]:
        """What is in a mailbox, `doctor` or `sender`."""
        found = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in self._box(box).glob("new/*")]
        return [one for one in found if isinstance(one, EmailMessage)]

    def reports(self, envelope_id: str) -> list[dict[str, str]]:
        """What Postfix reported of a mail of this id: `Action`, `Status` and the rest of the recipient's part."""
        found = []
        for one in self.mails("sender"):
            for part in one.walk():
                if part.get_content_type() == "message/delivery-status":
                    whole, recipient = (one for one in part.walk() if one is not part)
                    if whole["Original-Envelope-Id"] == envelope_id:
                        found.append({name: str(value) for name, value in recipient.items()})
        return found

    def report(self, envelope_id: str) -> dict[str, str]:
        """The first one, when it is there."""
        until = time.monotonic() + ANSWER_SECONDS
        while not (found := self.reports(envelope_id)):
            assert time.monotonic() < until, (self.folder / "postfix.log").read_text()
            time.sleep(0.05)
        return found[0]

    def keeps_a_report(self) -> None:
        """One could not be handed over, and is kept to be handed over again."""
        until = time.monotonic() + ANSWER_SECONDS
        kept = f"to=<{SENDER}>, relay=none"
        while not any(kept in line and "status=deferred" in line for line in self._logged()):
            assert time.monotonic() < until, "\n".join(self._logged())
            time.sleep(0.05)

    def _logged(self) -> list[str]:
        return (self.folder / "postfix.log").read_text().splitlines()

    def _box(self, box: str) -> Path:
        return self.folder / "mail" / box


def reports_map(port: int) -> str:
    """Where mail for the sender goes, as the operator's guide has it."""
    return f"{{{SENDER} = lmtp:inet:127.0.0.1:{port}}}"


@contextmanager
def postfix(*, reports: int | None = None) -> Iterator[Postfix]:
    """It, until it is stopped. What is for the sender goes to that port by LMTP; without one, into a mailbox."""
    folder = Path(tempfile.mkdtemp(prefix="callrouter-postfix-"))
    try:
        made = Postfix(folder=folder, port=free_port(), elsewhere=free_port())
        folder.chmod(0o755)  # its daemons are users of their own
        for name, owner in (("conf", "root"), ("queue", "root"), ("data", "postfix"), ("mail", NOBODY)):
            (folder / name).mkdir()
            shutil.chown(folder / name, owner)
        values = {"folder": folder, "sender": SENDER, "nobody": NOBODY, "elsewhere": made.elsewhere, "port": made.port}
        values["reports"] = reports_map(reports) if reports else ""
        (folder / "conf" / "main.cf").write_text(MAIN.format(**values))
        (folder / "conf" / "master.cf").write_text(MASTER.format(**values))
        _run(folder, "start")
        try:
            _wait_for(made.port)
            yield made
        finally:
            _run(folder, "stop")
    finally:
        shutil.rmtree(folder)


def _run(folder: Path, command: str) -> None:
    subprocess.run([POSTFIX, "-c", folder / "conf", command], check=True, capture_output=True)


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    until = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.05)
        else:
            return

"""The file of carriers: what it says is rendered, and what could not work is refused with its place and its mend."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from deploy.asterisk.pbx_carriers import Carrier, Carriers, Network
from deploy.asterisk.pbx_carriers_file import carriers_of_file
from deploy.asterisk.pbx_install import PbxError

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLE = CHECKOUT / "deploy/asterisk/carriers.example.toml"
A_CARRIER = '[[carriers]]\nname = "acme"\ncalls_from = ["203.0.113.10"]\n'


def written(folder: Path, text: str) -> Path:
    """A file of carriers, with what it may name beside it."""
    for name in ("pbx.crt", "pbx.key", "authorities.crt"):
        (folder / "keys").mkdir(exist_ok=True)
        (folder / "keys" / name).write_text("PEM")
    path = folder / "carriers.toml"
    path.write_text(text)
    return path


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example, as an operator would have filled it in."""
    monkeypatch.setenv("CALLROUTER_SECRET_ACME", "of-the-environment")
    text = EXAMPLE.read_text().replace(
        'key = "keys/pbx.key"', 'key = "keys/pbx.key"\nauthorities = "keys/authorities.crt"'
    )
    return written(tmp_path, text)


def test_the_example_says_what_it_seems_to_say(example: Path) -> None:
    found = carriers_of_file(example)
    acme, backup = found.carriers

    assert found.out == ["trunk-acme-out", "trunk-acme-out-2", "trunk-backup-out"]
    assert (acme.transport, acme.srtp, acme.secret) == ("tls", True, "of-the-environment")
    assert (backup.transport, backup.registrar, backup.qualify_seconds) == ("udp", None, 10)
    assert found.network == Network(external_address="198.51.100.7", local_networks=("127.0.0.0/8", "10.20.0.0/16"))
    assert found.tls is not None
    assert found.tls.certificate == example.parent / "keys/pbx.crt"


def test_the_example_shows_every_key() -> None:
    """A key that is not shown is not found."""
    text = EXAMPLE.read_text()

    assert [one.name for one in fields(Carrier) if f"\n{one.name} = " not in text.replace("\n# ", "\n")] == []


def test_a_secret_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    """Without its line break; the path begins at the file of carriers."""
    (tmp_path / "acme.secret").write_text("half; a secret\n")
    found = carriers_of_file(written(tmp_path, A_CARRIER + 'user = "u1"\nsecret = "file:acme.secret"\n'))

    assert found.carriers[0].secret == "half; a secret"
    assert "half" not in repr(found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("carriers = 3", "carriers are tables: begin each with [[carriers]]"),
        ("[[carriers]]\nname = acme\n", "at line 2, column 8"),
        ("[[carriers]]\n", "carriers, number 1: name is missing"),
        ('[[carriers]]\nname = "Acme Télécom"\n', "name is 'Acme Télécom': write lower-case letters"),
        ('[[carriers]]\nname = "acme"\n', 'carrier "acme": calls_from and calls_to are both missing'),
        (
            '[[carriers]]\nname = "acme"\ncall_from = ["1.2.3.4"]\n',
            "call_from does not exist (did you mean calls_from?)",
        ),
        ("[nat]\nx = 1\n", "nat does not exist (there are network, tls, phones, tcp_port, carriers)"),
        (
            '[[carriers]]\nname = "acme"\ncalls_from = "203.0.113.10"\n',
            "calls_from is '203.0.113.10': write a list of texts",
        ),
        (
            '[[carriers]]\nname = "acme"\ncalls_from = ["sip.acme.example"]\n',
            "calls_from holds 'sip.acme.example': write addresses",
        ),
        (
            '[[carriers]]\nname = "acme"\ncalls_from = ["203.0.113.10/28"]\n',
            "calls_from holds '203.0.113.10/28': write addresses",
        ),
        (
            '[[carriers]]\nname = "acme"\ncalls_to = ["sip:acme.example"]\n',
            "calls_to holds 'sip:acme.example': write HOST or HOST:PORT",
        ),
        ('[[carriers]]\nname = "acme"\ncalls_to = ["a.example", "a.example"]\n', "calls_to names one twice"),
        (A_CARRIER + 'transport = "sctp"\n', "transport is 'sctp': write one of udp, tcp, tls"),
        (A_CARRIER + 'transport = "tls"\n', 'transport = "tls" needs a table [tls] with certificate and key'),
        (A_CARRIER + "srtp = true\n", 'srtp needs transport = "tls": the key of the sound travels in the signalling'),
        (A_CARRIER + 'srtp = "yes"\n', "srtp is 'yes': write true or false"),
        (A_CARRIER + 'codecs = ["g729"]\n', "codecs holds 'g729': write one of alaw, ulaw"),
        (A_CARRIER + 'registrar = "acme.example"\n', "registrar needs user and secret"),
        (A_CARRIER + 'user = "u1"\n', "user and secret go together"),
        (
            A_CARRIER + 'user = "u1"\nsecret = "letmein"\n',
            'secret does not stand in this file: write "env:NAME" or "file:/path"',
        ),
        (
            A_CARRIER + 'user = "u1"\nsecret = "env:CALLROUTER_SECRET_NONE"\n',
            "CALLROUTER_SECRET_NONE, which is not in the environment",
        ),
        (A_CARRIER + 'user = "u1"\nsecret = "file:none"\n', "secret cannot be read"),
        (A_CARRIER + 'user = "u1"\nsecret = "file:keys"\n', "secret cannot be read"),
        (A_CARRIER + 'did_header = "X-DID"\n', "did_header is 'X-DID': write one of To, P-Called-Party-ID"),
        (A_CARRIER + 'from_domain = "acme.example;x"\n', "from_domain is 'acme.example;x': write HOST"),
        (A_CARRIER + "qualify_seconds = -1\n", "qualify_seconds is -1: write a whole number from 0"),
        (A_CARRIER + "qualify_seconds = true\n", "qualify_seconds is True: write a whole number from 0"),
        ("tcp_port = 70000\n", "tcp_port is 70000: write a port, 1 to 65535"),
        (
            '[network]\nexternal_address = "pbx.example"\n',
            "[network]: external_address is 'pbx.example': write an IP address",
        ),
        ('[network]\nexternal_media_address = "192.0.2.1"\n', "external_media_address needs an external_address"),
        ('[tls]\nkey = "keys/pbx.key"\n', "[tls]: certificate is missing"),
        (
            '[tls]\ncertificate = "none.crt"\nkey = "keys/pbx.key"\n',
            "certificate is 'none.crt', where there is no file",
        ),
        ("[phones]\nsrtp = true\n", '[phones]: srtp needs transport = "tls"'),
        (A_CARRIER.replace("acme", "out"), "a carrier would be trunk-out at the PBX"),
        (A_CARRIER + A_CARRIER, 'carriers "acme" and "acme" would both be trunk-acme at the PBX'),
        (A_CARRIER + A_CARRIER.replace("acme", "acme-out"), "calls from 203.0.113.10/32 may be of either"),
        (
            (
                '[[carriers]]\nname = "acme"\ncalls_to = ["a.example"]\n'
                '[[carriers]]\nname = "acme-out"\ncalls_to = ["b.example"]\n'
            ),
            'carriers "acme" and "acme-out" would both be trunk-acme-out at the PBX',
        ),
    ],
)
def test_what_could_not_work_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(PbxError) as refused:
        carriers_of_file(written(tmp_path, text))

    assert message in str(refused.value)
    assert str(tmp_path / "carriers.toml") in str(refused.value)
    assert "letmein" not in str(refused.value)


def rendered(etc: Path, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CHECKOUT / "deploy/asterisk/pbx.py"), "render", "--out", str(etc), *options]
    environment = {**os.environ, "CALLROUTER_SECRET_ACME": "half;secret", **more}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


def test_render_writes_what_the_file_says(tmp_path: Path, example: Path) -> None:
    """Transports with the addresses that others see, the secret so that Asterisk reads it whole, its file closed."""
    done = rendered(tmp_path / "etc", CALLROUTER_CARRIERS=str(example))  # as in a container; --carriers is the same
    assert done.returncode == 0, done.stderr
    sip = (tmp_path / "etc/pjsip.conf").read_text()

    assert "password = half\\;secret" in sip
    assert (tmp_path / "etc/pjsip.conf").stat().st_mode & 0o077 == 0
    assert sip.count("external_media_address = 198.51.100.7\nlocal_net = 127.0.0.0/8\nlocal_net = 10.20.0.0/16") == 2
    assert "contact = sip:sip1.acme.example:5061\\;transport=tls" in sip
    assert "require = res_srtp.so" in (tmp_path / "etc/modules.conf").read_text()
    assert (
        "CR_CARRIERS = trunk-acme-out&trunk-acme-out-2&trunk-backup-out"
        in (tmp_path / "etc/extensions.conf").read_text()
    )


@pytest.mark.parametrize(
    "option", [("--carrier", "192.0.2.1:5060"), ("--trunk-match", "192.0.2.1"), ("--external-address", "192.0.2.1")]
)
def test_an_option_that_the_file_would_overrule_is_refused(
    tmp_path: Path, example: Path, option: tuple[str, str]
) -> None:
    """Nothing is overlooked in silence."""
    done = rendered(tmp_path / "etc", "--carriers", str(example), *option)

    assert done.returncode == 1
    assert f"{option[0]} says what {example} is to say: write it there" in done.stderr


TELEPHONY = (CHECKOUT / "docs/telephony.md").read_text()


@pytest.mark.parametrize("text", re.findall(r"^```toml\n(.*?)^```", TELEPHONY, re.MULTILINE | re.DOTALL))
def test_the_guides_examples_are_whole(tmp_path: Path, text: str) -> None:
    """They can be copied; a secret's file is beside them."""
    (tmp_path / "acme.secret").write_text("secret\n")
    path = written(tmp_path, text.replace("[tls]\n", '[tls]\nauthorities = "keys/authorities.crt"\n'))

    assert carriers_of_file(path) != Carriers()

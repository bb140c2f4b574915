"""Carriers as they are: registration, TLS and SRTP, several of them, an account in place of the number dialled.

Both sides are real: our PBX, and a second Asterisk as the carrier. The order of our carriers: one that refuses (UDP),
two that are not who they should be (TLS), and acme, which answers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.asterisk.pbx import Pbx
from deploy.asterisk.pbx_carriers import Carrier, Carriers, Network, PhonesBy, Tls
from tests.deploy import trunk
from tests.deploy.trunk import Authority, FalseCarrier, RefusingCarrier, SecurePhone, dial, invite, wait_for, was_heard

ANSWERED_AT = "0033611223344"
TELEPHONY = (Path(__file__).resolve().parents[2] / "docs/telephony.md").read_text(encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class Trunk:
    """Our PBX and the carriers around it."""

    ours: Pbx
    carrier: Pbx
    refusing: RefusingCarrier
    unknown: FalseCarrier
    misnamed: FalseCarrier
    tls: Tls
    """Ours, with the authority that telephones trust."""


@pytest.fixture(scope="module")
def trunks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trunk]:
    folder = tmp_path_factory.mktemp("trunk")
    authority, other = Authority(folder / "keys"), Authority(folder / "other-keys")
    server, client = authority.server(), other.server()
    with (
        RefusingCarrier() as refusing,
        FalseCarrier(other.server()) as unknown,
        FalseCarrier(authority.server("other.example")) as misnamed,
        trunk.start_carrier(folder / "carrier", trunk.trusting(server, other)) as carrier,
        Pbx.start(
            folder / "ours",
            agents=1,
            admission_seconds=0.5,
            carriers=Carriers(
                tls=trunk.trusting(client, authority),
                phones=PhonesBy(transport="tls", srtp=True),
                carriers=[
                    Carrier(
                        name="refusing",
                        calls_from=["127.0.0.2"],
                        calls_to=[refusing.address],
                        did_header="To",
                        from_user="acme-account",
                        from_domain="acme.example",
                        identity_header="P-Asserted-Identity",
                        qualify_seconds=1,
                    ),
                    *(
                        Carrier(name=name, calls_to=[one.address], transport="tls", qualify_seconds=1)
                        for name, one in (("unknown", unknown), ("misnamed", misnamed))
                    ),
                    trunk.acme(server.port),
                ],
            ),
            extra_conf={"modules": trunk.LOAD, "extensions": trunk.DIALLER},
        ) as ours,
    ):
        wait_for(ours, "pjsip show registrations", " Registered")
        wait_for(ours, "pjsip show contacts", "Avail")
        yield Trunk(ours=ours, carrier=carrier, refusing=refusing, unknown=unknown, misnamed=misnamed, tls=client)


@pytest.fixture(autouse=True)
def afterwards(trunks: Trunk) -> Iterator[None]:
    trunks.refusing.status = "503 Service Unavailable"
    trunks.refusing.dialled.clear()
    trunks.carrier.cli("database deltree talk")
    # A test before this one may have silenced it.
    wait_for(trunks.ours, "pjsip show endpoint trunk-refusing-out", " Avail ")
    yield
    for pbx in (trunks.ours, trunks.carrier):
        pbx.cli("channel request hangup all")
        wait_for(pbx, "core show channels count", "0 active channels")


def test_we_are_registered_with_proof(trunks: Trunk) -> None:
    """The carrier asks who we are; its secret, with a semicolon in it, reaches it whole; it knows where to call us."""
    assert f"{trunk.ACCOUNT}@" in trunks.carrier.cli("pjsip show contacts")


def test_a_call_in_and_out_is_heard_both_ways_and_by_nobody_else(trunks: Trunk) -> None:
    """From the carrier to a number of ours, and on to an outside number: SRTP on both legs, both hear each other."""
    trunks.ours.cli(f"database put callrouter/fallback 0199000001 number:{ANSWERED_AT}")
    trunk.call_from_carrier(trunks.carrier, "0199000001")
    shown = wait_for(trunks.carrier, f"database get talk {ANSWERED_AT}", trunk.ACCOUNT)

    recordings = trunks.carrier.recordings_dir
    assert was_heard(recordings / f"{ANSWERED_AT}-heard.wav")
    assert was_heard(recordings / "0199000001-heard.wav")
    assert re.search(rf"Value: {trunk.ACCOUNT} 1\b", shown)


def test_a_call_without_srtp_is_refused(trunks: Trunk) -> None:
    """From the carrier's own address: nobody is talked into sound that others can listen to (488)."""
    assert invite(trunks.ours, "0199000001", source="127.0.0.1") == 488


def test_a_call_from_a_strangers_address_is_refused(trunks: Trunk) -> None:
    """Who is no carrier is asked who they are, and has no answer; no call begins."""
    before = trunks.ours.cli("core show calls")

    assert invite(trunks.ours, "0199000002", source="127.0.0.3") == 401
    assert trunks.ours.cli("core show calls") == before


@pytest.mark.parametrize(
    "to",
    [
        "<sip:0199000003@carrier.example>",
        '"Bell; <x>" <sip:0199000003@carrier.example;user=phone>',
        "<tel:0199000003;phone-context=+33>",
        "sip:0199000003@carrier.example",
        "<sip:0199000003;npdi@carrier.example>",
    ],
)
@pytest.mark.parametrize("account", ["0033199000000", "acme-account"])
def test_the_number_dialled_stands_in_the_header_that_the_carrier_names(trunks: Trunk, account: str, to: str) -> None:
    """The INVITE is for our account; To says the number, whose client has no room for a call (503)."""
    trunks.ours.cli("database put callrouter/limit 0199000003 a-client:0")
    before = _refused(trunks.ours)

    assert invite(trunks.ours, account, source="127.0.0.2", to=to) == 503
    assert _refused(trunks.ours) == before + 1


def _refused(pbx: Pbx) -> int:
    found = re.search(r"Value: (\d+)", pbx.cli("database get callrouter/refused a-client"))
    return int(found[1]) if found else 0


def test_the_accounts_calls_begin_as_all_others(trunks: Trunk) -> None:
    """callrouter-did's first step is callrouter-entry's: a caller who cancels at once leaves the same trace."""
    dialplan = (trunks.ours.run_dir / "etc/extensions.conf").read_text()
    contexts = dict(re.findall(r"^\[([\w-]+)\]\n((?:(?!\[).*\n)*)", dialplan, re.MULTILINE))
    first = {
        name: set(re.findall(r"^exten => _\S+,1,(MSet.*)$", contexts[name], re.MULTILINE))
        for name in ("callrouter-entry", "callrouter-did")
    }

    assert len(first["callrouter-entry"]) == 1
    assert first["callrouter-entry"] == first["callrouter-did"]


@pytest.mark.parametrize("status", ["503 Service Unavailable", "500 Server Internal Error", "403 Forbidden"])
def test_a_carrier_that_cannot_carry_a_call_is_passed_over(trunks: Trunk, status: str) -> None:
    """The next that can be reached has it, with the number as it was dialled; those that are away are not tried."""
    trunks.refusing.status = status
    dial(trunks.ours, ANSWERED_AT)
    wait_for(trunks.carrier, f"database get talk {ANSWERED_AT}", trunk.ACCOUNT)

    assert trunks.refusing.dialled == [ANSWERED_AT]


@pytest.mark.parametrize(
    "status", ["486 Busy Here", "404 Not Found", "480 Temporarily Unavailable", "603 Decline", "600 Busy Everywhere"]
)
def test_what_the_called_party_says_is_not_asked_again(trunks: Trunk, status: str) -> None:
    """Busy is busy: no other carrier rings them a second time."""
    trunks.refusing.status = status
    dial(trunks.ours, ANSWERED_AT)
    wait_for(trunks.ours, "core show channels count", "0 active channels")

    assert trunks.refusing.dialled == [ANSWERED_AT]
    assert trunks.carrier.cli("database show talk").count(ANSWERED_AT) == 0


def test_a_carrier_that_falls_silent_is_passed_over(trunks: Trunk) -> None:
    """First a call is lost to it until its ring time is over; once OPTIONS has found it away, no call is."""
    trunks.refusing.status = None
    dial(trunks.ours, ANSWERED_AT, ring_seconds=6)
    wait_for(trunks.carrier, f"database get talk {ANSWERED_AT}", trunk.ACCOUNT, seconds=12)
    tried = len(set(trunks.refusing.dialled))
    trunks.refusing.dialled.clear()
    trunks.carrier.cli("database deltree talk")
    begun = time.monotonic()
    dial(trunks.ours, ANSWERED_AT, ring_seconds=6)
    wait_for(trunks.carrier, f"database get talk {ANSWERED_AT}", trunk.ACCOUNT)

    assert tried == 1
    assert trunks.refusing.dialled == []
    assert time.monotonic() - begun < 3
    assert "func_hangupcause" not in trunks.ours.log()


def test_we_speak_with_nobody_who_cannot_prove_to_be_the_carrier(trunks: Trunk) -> None:
    """A server that nobody we trust vouches for, and one of another name, are met and told nothing."""
    for one in (trunks.unknown, trunks.misnamed):
        deadline = time.monotonic() + 5
        while not one.met:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    assert (trunks.unknown.told, trunks.misnamed.told) == (b"", b"")
    contacts = trunks.ours.cli("pjsip show contacts")
    assert re.findall(r"trunk-(\w+)-out/\S+ \w+ Unavail", contacts) == ["misnamed", "unknown"]


def test_the_carrier_sees_who_we_are_where_it_wants_it(trunks: Trunk) -> None:
    """From is the account, P-Asserted-Identity the number shown, whoever calls, and Diversion the number dialled."""
    dial(trunks.ours, ANSWERED_AT)
    wait_for(trunks.carrier, f"database get talk {ANSWERED_AT}", trunk.ACCOUNT)
    invite = trunks.refusing.invites[-1]

    assert re.search(r"^From: .*<sip:acme-account@acme\.example>", invite, re.MULTILINE)
    assert re.search(r"^P-Asserted-Identity: .*<sip:\+33199000050@acme\.example>", invite, re.MULTILINE)
    assert re.search(r"^Diversion: .*<sip:\+33199000051@", invite, re.MULTILINE)
    assert "612345678" not in invite


def test_a_telephone_registers_and_rings_over_tls_and_is_offered_srtp_only(trunks: Trunk) -> None:
    """`[phones]`: its secret and what is said there are for nobody else's ears."""
    with SecurePhone(trunks.tls, "agent-1", trunks.ours.phone_secrets["agent-1"]) as phone:
        phone.register()
        trunks.ours.cli("channel originate PJSIP/agent-1 extension 1@test-ear")
        offer = phone.receive("INVITE")

    assert "RTP/SAVP" in offer
    assert "a=crypto:" in offer


def test_who_is_beyond_nat_is_told_the_address_that_they_can_reach(tmp_path: Path) -> None:
    """For SIP and for the sound; whoever is in a local network is told the PBX's own."""
    network = Network(
        external_address="198.51.100.7", external_media_address="198.51.100.8", local_networks=["127.0.0.1/32"]
    )
    with Pbx.start(
        tmp_path,
        agents=0,
        admission_seconds=0.2,
        carriers=Carriers(network=network, carriers=[Carrier(name="acme", calls_from=["127.0.0.0/8"])]),
    ) as pbx:
        outside = trunk.answer(pbx, "0199000001", source="127.0.0.2")
        inside = trunk.answer(pbx, "0199000001", source="127.0.0.1")

    assert re.search(r"^Contact: <sip:198\.51\.100\.7[:>]", outside, re.MULTILINE)
    assert "c=IN IP4 198.51.100.8\r\n" in outside
    assert re.search(r"^Contact: <sip:127\.0\.0\.1:", inside, re.MULTILINE)
    assert "c=IN IP4 127.0.0.1\r\n" in inside


def test_the_guides_commands_are_asterisks(trunks: Trunk) -> None:
    """Each that docs/telephony.md has somebody type is there; those that change what other tests use are not tried."""
    commands = set(re.findall(r"`?(?:asterisk -rx '|`)((?:pjsip|queue|logger|core|module) [^'`\n]+)['`]", TELEPHONY))
    asked = {one for one in commands if not one.startswith(("core restart", "core reload", "module load"))}
    unknown = {one for one in asked if "No such command" in trunks.ours.cli(one)}

    assert len(asked) > 8
    assert unknown == set()

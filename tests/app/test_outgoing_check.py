"""`check` warns of web services that the operator's settings would never let be asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from callrouter.app.outgoing_check import OutgoingCheck, check_told, check_web_services
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.settings import Settings

TREE = """\
client: acme
numbers: ["01 99 00 00 90"]
timezone: Europe/Paris
language: fr
contacts: { crm: { url: "https://tell.example/calls" } }
fallback: { node: bye }
start: ask
nodes:
  ask:
    lookup:
      url: "https://crm.example:8443/callers/{caller}"
      headers: { Authorization: "env:CRM_TOKEN" }
      next: tell
      failed: bye
  tell:
    notify: { contact: crm, next: bye }
  bye:
    hangup:
"""


def said(place: Path, hosts: tuple[str, ...], secrets: dict[str, str]) -> list[str]:
    """What is said of the tree."""
    (place / "acme.yaml").write_text(TREE)
    plans = load_directory(place, PaperSpeech()).plans
    return [str(issue) for issue in check_web_services(plans.values(), hosts, secrets)]


def test_hosts_and_secrets_that_are_missing(tmp_path: Path) -> None:
    """Each with the node that needs it."""
    assert said(tmp_path, ("other.example",), {}) == [
        'acme.yaml:9: warning: node "ask": CALLROUTER_SECRET_CRM_TOKEN is not set: the lookup would always fail',
        'acme.yaml:9: warning: node "ask": "crm.example" is not in CALLROUTER_OUTGOING_HOSTS: it would never be asked',
        (
            'acme.yaml:15: warning: node "tell": "tell.example" is not in CALLROUTER_OUTGOING_HOSTS:'
            " it would never be asked"
        ),
    ]


def test_what_is_allowed_is_no_finding(tmp_path: Path) -> None:
    """By host, port, or all below one."""
    assert said(tmp_path, ("crm.example:8443", "*.example"), {"CRM_TOKEN": "x"}) == []


def test_without_settings_nothing_is_known(tmp_path: Path) -> None:
    """The dialplans may be checked where no engine ever runs."""
    assert said(tmp_path, (), {}) == []


def test_the_engine_knows_its_settings(tmp_path: Path) -> None:
    """Also when none is made: then no host may be asked. File and line of the first, and how many more."""
    (tmp_path / "acme.yaml").write_text(TREE)
    plans = load_directory(tmp_path, PaperSpeech()).plans.values()
    engine = OutgoingCheck((), {})
    engine.look(plans)

    assert engine.trouble == (
        'acme.yaml:9: warning: node "ask": CALLROUTER_SECRET_CRM_TOKEN is not set: the lookup would always fail'
        " (and 2 more)"
    )
    well = OutgoingCheck(("crm.example:8443", "*.example"), {"CRM_TOKEN": "x"})
    well.look(plans)
    assert well.trouble == ""


SUBSCRIBED = """\
client: acme
numbers: ["01 99 00 00 90"]
timezone: Europe/Paris
language: fr
fallback: { node: bye }
subscriptions:
  crm: { url: "https://crm.example/hooks", secret: env:CRM, events: call.ended }
start: bye
nodes:
  bye: { hangup: {} }
"""


def test_of_subscriptions_too(tmp_path: Path) -> None:
    """A secret that is not set, or is none, and a host that is not allowed: nothing would be told."""
    (tmp_path / "acme.yaml").write_text(SUBSCRIBED)
    plans = load_directory(tmp_path, PaperSpeech()).plans.values()
    right = {"CRM": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}

    def issues(hosts: tuple[str, ...], secrets: dict[str, str]) -> list[str]:
        return [str(issue) for issue in check_web_services(plans, hosts, secrets)]

    assert issues(("crm.example",), right) == []
    assert issues(("other.example",), {}) == [
        'acme.yaml:7: warning: subscription "crm": CALLROUTER_SECRET_CRM is not set: nothing would be told',
        (
            'acme.yaml:7: warning: subscription "crm": "crm.example" is not in CALLROUTER_OUTGOING_HOSTS:'
            " it would never be asked"
        ),
    ]
    assert issues(("crm.example",), {"CRM": "abc"}) == [
        (
            'acme.yaml:7: warning: subscription "crm": CALLROUTER_SECRET_CRM: it is no signing secret: it must be'
            " whsec_ and 24 to 64 bytes as base64"
        )
    ]


TOLD = """\
client: acme
numbers: ["01 99 00 00 90"]
timezone: Europe/Paris
language: fr
contacts:
  anne: { number: "06 12 34 00 21", email: anne@acme.example }
  crm: { url: "https://crm.example/messages", pin: "env:CRM_PIN" }
  box: { email: box@acme.example }
delivery:
  doctors:
    urgent: [{ to: anne, by: [sms, email], wait: 10m }, { to: crm, by: webhook, wait: 10m }]
    confidential: true
forms:
  usual: { deliver: doctors, fields: { text: { type: text } } }
fallback: { node: bye }
start: ask
nodes:
  ask: { message: { prompt: "Un message ?", deliver: box, done: bye } }
  bye:
    hangup:
"""


def untold(place: Path, **settings: Any) -> list[str]:
    """What is said of whom messages are for."""
    (place / "acme.yaml").write_text(TOLD)
    plans = load_directory(place, PaperSpeech()).plans
    assert plans
    secrets = {"CRM_PIN": settings.pop("pin", "4711")}
    return [str(issue) for issue in check_told(plans.values(), Settings(**settings), secrets)]


def test_ways_to_tell_people_that_are_not_set_up(tmp_path: Path) -> None:
    """Each once for whoever needs it."""
    gateway = {"sms_url": "https://sms.example/send", "outgoing_hosts": ("sms.example",)}
    assert untold(tmp_path, **gateway) == [
        (
            'acme.yaml: warning: policy "doctors" is confidential, and no link to its messages can be sent:'
            " CALLROUTER_PUBLIC_URL is not set"
        ),
        (
            'acme.yaml: warning: policy "doctors": "anne" cannot be told by e-mail: no mail server is set:'
            " CALLROUTER_SMTP_URL"
        ),
        (
            'acme.yaml: warning: policy "doctors": "crm" cannot be told by webhook: "crm.example" is not in'
            " CALLROUTER_OUTGOING_HOSTS: it would never be asked"
        ),
        (
            'acme.yaml: warning: policy "doctors": "anne" cannot be sent a code by e-mail: no mail server is set:'
            " CALLROUTER_SMTP_URL"
        ),
        'acme.yaml: warning: contact "box": "box" cannot be told by e-mail: no mail server is set: CALLROUTER_SMTP_URL',
    ]


def test_what_is_set_up_is_no_finding(tmp_path: Path) -> None:
    """Nor is anything where no way at all is: the worker may be on another machine."""
    assert untold(tmp_path) == []
    gateway = {"sms_url": "https://sms.example/send", "outgoing_hosts": ("sms.example", "crm.example")}
    mail = {"smtp_url": "smtp://127.0.0.1:25", "mail_from": "desk@answering.example"}
    assert untold(tmp_path, **gateway, **mail, public_url="https://desk.example") == []


def test_a_pin_that_is_not_set_or_is_none(tmp_path: Path) -> None:
    """It is not repeated."""
    gateway = {"sms_url": "https://sms.example/send", "outgoing_hosts": ("sms.example", "crm.example")}
    mail = {"smtp_url": "smtp://127.0.0.1:25", "mail_from": "desk@answering.example"}
    for pin in ("", "123", "12a4", "1234567890123"):
        assert untold(tmp_path, **gateway, **mail, public_url="https://desk.example", pin=pin) == [
            'acme.yaml: warning: policy "doctors": the PIN of "crm", CALLROUTER_SECRET_CRM_PIN, is not 4 to 12 digits'
        ]

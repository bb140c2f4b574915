"""Client files such as an answering service keeps: four trades in two languages, some 30 nodes each.

Everything follows from the client's number, so that a run can be repeated. `python -m bench.clients FOLDER [COUNT]`
writes them, with the shared files beside them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

COUNT = 800

SHARED = {
    "queues.yaml": """\
queues:
  medical: { title: Medical secretaries, members: [agent-1, agent-2] }
  legal: { title: Law offices, members: [agent-3, agent-4] }
  trades: { title: Trades, members: [agent-5, agent-6] }
  shop: { title: Shops, members: [agent-7] }
""",
    "contacts.yaml": """\
country: FR
contacts:
  duty: { name: Permanence, number: "01 99 00 99 01" }
  duty_2: { name: Seconde permanence, number: "01 99 00 99 02" }
  post_box: { name: Boîte commune, email: messages@operator.example }
""",
}

NAMES = ("Moreau", "Lenoir", "Garnier", "Petit", "Rousseau", "Blanc", "Fontaine", "Chevalier", "Masson", "Perrin")
TOWNS = ("Paris", "Lyon", "Lille", "Nantes", "Rennes", "Dijon", "Tours", "Metz", "Nice", "Brest", "Pau")


@dataclass(frozen=True, kw_only=True)
class Trade:
    """What clients of one trade have in common."""

    slug: str
    title: str
    queue: str
    hours: tuple[str, ...]
    subjects: tuple[str, str, str]


TRADES = (
    Trade(
        slug="cabinet",
        title="Cabinet du docteur",
        queue="medical",
        hours=('mon-fri: ["08:00-12:30", "13:30-19:00"]', 'sat: "09:00-12:00"'),
        subjects=("un rendez-vous", "une ordonnance", "des résultats d'analyses"),
    ),
    Trade(
        slug="etude",
        title="Étude de maître",
        queue="legal",
        hours=('mon-thu: ["09:00-12:00", "14:00-18:00"]', 'fri: "09:00-16:00"'),
        subjects=("un dossier en cours", "un nouveau dossier", "la comptabilité"),
    ),
    Trade(
        slug="plomberie",
        title="Plomberie",
        queue="trades",
        hours=('mon-fri: "07:30-19:30"', 'sat: "08:00-13:00"'),
        subjects=("un devis", "un chantier en cours", "une facture"),
    ),
    Trade(
        slug="boutique",
        title="Maison",
        queue="shop",
        hours=('tue-sat: ["10:00-13:00", "14:00-19:00"]',),
        subjects=("une commande", "un retour", "nos horaires"),
    ),
)


def client(number: int) -> str:
    """The document of one client."""
    trade = TRADES[number % len(TRADES)]
    name = f"{NAMES[number // 4 % len(NAMES)]} {TOWNS[number // 40 % len(TOWNS)]}"
    slug = f"{trade.slug}-{number:04d}"
    title = f"{trade.title} {name}"
    first, second, third = trade.subjects
    did = f"01 99 {number // 10_000:02d} {number // 100 % 100:02d} {number % 100:02d}"
    holidays = ("FR", "FR-57", "FR", "FR-68")[number % 4]
    wait = 2 + number % 3
    return f"""\
# {title}, client {number}.
client: {slug}
name: {title}
numbers: ["{did}"]
timezone: Europe/Paris
language: fr

hours:
  open:
    {chr(10).join(("", *(f"    {line}" for line in trade.hours))).strip()}
  holidays: {holidays}
  closed: ["2026-12-24..2027-01-0{1 + number % 4}"]
  exceptions:
    "2026-12-12": "10:00-1{5 + number % 4}:00"

lists:
  vip: ["06 12 34 {number // 100 % 100:02d} {number % 100:02d}", "+33 6 12 35 00 {number % 100:02d}"]
  partners: ["01 98 {number // 100 % 100:02d} {number % 100:02d}*"]
  unwanted: ["08*", "09 48*"]

contacts:
  owner: {{ name: {name}, number: "06 12 36 {number // 100 % 100:02d} {number % 100:02d}" }}
  assistant: {{ number: "06 12 37 {number // 100 % 100:02d} {number % 100:02d}" }}
  mail: {{ email: contact@{slug}.example }}

service_level: {{ within: 20s, target: 90%, short_abandon: 5s }}
fallback: {{ queue: {trade.queue} }}

start: filter
nodes:
  filter:
    caller: {{ vip: priority, partners: partner, unwanted: refuse, otherwise: season }}
  season:
    branch:
      when:
        - {{ from: 2026-12-20, to: 2027-01-05, then: season_greeting }}
      otherwise: hours
  season_greeting:
    play:
      prompt: {{ say: "{title} vous souhaite de bonnes fêtes." }}
      next: hours
  hours:
    opening_hours: {{ open: welcome, closed: closed, holiday: holiday }}
  welcome:
    menu:
      prompt:
        say: >-
          {title}, bonjour. Pour une urgence, tapez 1. Pour {first}, tapez 2.
          Pour {second}, tapez 3. Pour toute autre demande, tapez 4.
      timeout: 4s
      keys: {{ "1": urgent, "2": first_subject, "3": second_subject, "4": other }}
      no_input: {{ retry: 1, then: secretaries }}
      no_match: {{ retry: 2, then: secretaries, prompt: {{ say: "Ce choix n'existe pas." }} }}
  urgent:
    dial:
      contacts: [owner, duty, duty_2]
      mode: in_turn
      ring: 20s
      screen: true
      no_answer: urgent_queue
  urgent_queue:
    queue: {{ name: {trade.queue}, priority: 10, max_wait: 1m, overflow: urgent_message, brief: "Urgence, {title}." }}
  urgent_message:
    message:
      prompt: {{ say: "Personne ne peut vous répondre à cet instant. Laissez votre numéro après le bip." }}
      max: 1m
      deliver: mail
      done: goodbye
  first_subject:
    set: {{ variables: {{ subject: first }}, next: reference }}
  second_subject:
    set: {{ variables: {{ subject: second }}, next: reference }}
  reference:
    collect_digits:
      prompt: {{ say: "Si vous avez un numéro de dossier, composez-le, puis dièse." }}
      variable: reference
      min: 4
      max: 8
      timeout: 4s
      next: known
      no_input: {{ retry: 0, then: by_subject }}
      no_match: {{ retry: 1, then: by_subject, prompt: {{ say: "Un numéro de dossier a quatre à huit chiffres." }} }}
  known:
    branch:
      when:
        - {{ variable: reference, equals: ["{1000 + number}", "{2000 + number}"], then: follow_up }}
      otherwise: by_subject
  follow_up:
    play: {{ prompt: {{ say: "Merci. Nous vous passons la personne qui suit votre dossier." }}, next: assistant }}
  assistant:
    dial: {{ contacts: assistant, ring: 25s, screen: true, no_answer: secretaries }}
  by_subject:
    branch:
      when:
        - {{ variable: subject, equals: first, then: first_queue }}
        - {{ variable: subject, equals: second, then: second_queue }}
      otherwise: secretaries
  first_queue:
    queue: {{ name: {trade.queue}, max_wait: {wait}m, overflow: busy, brief: "{title}, pour {first}." }}
  second_queue:
    queue: {{ name: {trade.queue}, max_wait: {wait}m, overflow: busy, brief: "{title}, pour {second}." }}
  other:
    menu:
      prompt: {{ say: "Pour {third}, tapez 1. Pour laisser un message, tapez 2. Pour une secrétaire, tapez 3." }}
      keys: {{ "1": third_subject, "2": take_message, "3": secretaries }}
      no_input: {{ retry: 1, then: secretaries }}
      no_match: {{ retry: 1, then: secretaries }}
  third_subject:
    play: {{ prompt: {{ say: "Pour {third}, une secrétaire va vous répondre." }}, next: secretaries }}
  secretaries:
    queue: {{ name: {trade.queue}, max_wait: {wait}m, overflow: busy, brief: "{title}." }}
  priority:
    queue: {{ name: {trade.queue}, priority: 5, max_wait: 3m, overflow: vip_dial, brief: "{title}, prioritaire." }}
  vip_dial:
    dial: {{ contacts: [owner, assistant], mode: at_once, ring: 15s, screen: true, no_answer: take_message }}
  partner:
    redirect: {{ number: "01 98 {number // 100 % 100:02d} {number % 100:02d} 00", ring: 25s, failed: partner_queue }}
  partner_queue:
    queue: {{ name: {trade.queue}, priority: 2, max_wait: 2m, overflow: take_message, brief: "{title}, confrère." }}
  busy:
    play: {{ prompt: {{ say: "Toutes nos secrétaires sont en ligne." }}, next: take_message }}
  take_message:
    message:
      prompt: {{ say: "Laissez votre nom, votre numéro et l'objet de votre appel après le bip." }}
      max: 2m
      deliver: mail
      done: goodbye
      empty: nothing_heard
  nothing_heard:
    hangup: {{ prompt: {{ say: "Nous n'avons rien entendu. Merci de rappeler." }} }}
  closed:
    play: {{ prompt: {{ say: "{title} est fermé à cette heure." }}, next: closed_menu }}
  closed_menu:
    menu:
      prompt: {{ say: "Pour une urgence, tapez 1. Pour laisser un message, tapez 2." }}
      keys: {{ "1": urgent, "2": take_message }}
      no_input: {{ retry: 1, then: take_message }}
      no_match: {{ retry: 1, then: take_message }}
  holiday:
    play: {{ prompt: {{ say: "C'est un jour férié." }}, next: closed_menu }}
  refuse:
    reject: {{ cause: rejected, prompt: {{ say: "Nous ne prenons pas d'appels commerciaux." }} }}
  goodbye:
    hangup: {{ prompt: {{ say: "Merci de votre appel. Au revoir." }} }}
"""


def write_clients(folder: Path, count: int = COUNT) -> None:
    """Write the documents of `count` clients, and the shared files, into a folder."""
    (folder / "shared").mkdir(parents=True, exist_ok=True)
    for name, text in SHARED.items():
        (folder / "shared" / name).write_text(text, encoding="utf-8")
    for number in range(count):
        (folder / f"client-{number:04d}.yaml").write_text(client(number), encoding="utf-8")


if __name__ == "__main__":
    write_clients(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else COUNT)

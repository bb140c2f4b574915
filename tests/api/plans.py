"""Clients in service, and messages that are in the record at once, for tests of pages that need them."""

from __future__ import annotations

from callrouter.core.call import replace
from callrouter.core.forms import Field, FieldType, Form
from callrouter.core.nodes.queue import QueueNode
from callrouter.core.plan import Plan
from callrouter.errors import AnotherMessage, DatabaseUnreachable
from callrouter.store.database import Database
from callrouter.store.messages import TakenMessage, find_message, keep_taken
from callrouter.store.taken.sameness import Kept, is_same
from callrouter.testing import plan_of

MOREAU, LENOIR = "cabinet-moreau", "etude-lenoir"
SHORT = Form(
    name="patient",
    title="A patient's message",
    fields=(
        Field(name="name", label="Name", type=FieldType.NAME, required=True),
        Field(name="number", label="Telephone", type=FieldType.NUMBER, required=True),
    ),
    deliver="email_doctor",
)


def plan(client: str = MOREAU, *forms: Form) -> Plan:
    """A client's, with these forms, two contacts, and a queue."""
    queue = QueueNode(name="secretaries", queue="medical", exits={"overflow": "secretaries"}, max_wait_seconds=60)
    contacts = {"email_doctor": "Dr Moreau, e-mail", "doctor": "Dr Moreau"}
    return replace(plan_of(queue), client=client, forms=forms, contacts=contacts)


class Plans:
    """What is live: one client with forms, and one without."""

    def __init__(self, *forms: Form) -> None:
        self.plans = {MOREAU: plan(MOREAU, *forms), LENOIR: plan(LENOIR)}
        self.are_known = True

    async def live(self, client: str) -> Plan | None:
        if not self.are_known:
            raise DatabaseUnreachable("PostgreSQL is away")
        return self.plans.get(client)


class AtOnce:
    """A journal without a disk."""

    is_away = False

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, message_id: str) -> TakenMessage | None:
        return None

    async def take(self, message: TakenMessage) -> Kept | None:
        await keep_taken(self._database, [message])
        kept = await find_message(self._database, message.message_id)
        if kept is not None and not is_same(message, kept):
            raise AnotherMessage("another one")
        return kept

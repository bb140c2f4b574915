"""Mistakes between a tree and the settings: hosts that may not be asked, secrets that are not set."""

from __future__ import annotations

from random import Random

from tests.dialplan.mistakes.firms import CRM, right
from tests.dialplan.mistakes.kind import Kind, Mistake, at


def host(random: Random) -> Mistake | None:
    """A web service whose host is not among those that may be asked, or misspelt."""
    firm = right(random)
    nodes = firm.client["nodes"]
    if "lookup" not in nodes.get("which", {}):
        return None
    other = random.choice(["crm.firm.exemple", "crm.frim.example", "agenda.other.example", "www.crm.firm.example"])
    if firm.chance(0.5):
        nodes["which"]["lookup"]["url"] = f"https://{other}/files/{{dossier}}"
        return Mistake(firm.folder, (at(firm.folder, "nodes", "which"),))
    firm.client["contacts"]["crm"]["url"] = f"https://{other}/calls"
    return Mistake(firm.folder, (at(firm.folder, "nodes", "tell"),))


def secret(random: Random) -> Mistake | None:
    """A secret that nobody has set, or by another name."""
    firm = right(random)
    nodes = firm.client["nodes"]
    if "lookup" not in nodes.get("which", {}):
        return None
    name = random.choice(["CRM_KEY", "CRM_TOKENS", "TOKEN", "CRM_TOKEN_2", "API_KEY"])
    nodes["which"]["lookup"]["headers"] = {"Authorization": f"env:{name}"}
    if firm.chance(0.3):
        firm.folder.hosts, firm.folder.secrets = (CRM,), {}
    return Mistake(firm.folder, (at(firm.folder, "nodes", "which"),))


KINDS = (
    Kind(name="host that may not be asked", line=22, make=host),
    Kind(name="secret that is not set", line=22, make=secret),
)

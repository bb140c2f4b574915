"""Which systems a client has told what happens, as its file says it under `subscriptions`."""

from __future__ import annotations

from collections.abc import Mapping

from callrouter.core.dispatch import Subscription
from callrouter.dialplan.documents.client_file import ClientFile
from callrouter.dialplan.issues import shown
from callrouter.dialplan.scope import NameScope


def subscriptions_of(scope: NameScope, file: ClientFile) -> Mapping[str, Subscription]:
    """The client's own, by name: a tree that leads to another client's brings none of that one's."""
    found: dict[str, Subscription] = {}
    for name, block in file.subscriptions.items():
        for other in found.values():
            twice = [kind for kind in block.events if kind in other.kinds]
            if other.url == block.url and twice:
                wrong = f"{shown(name)} would be told of {shown(twice[0])} at the same address as {shown(other.name)}"
                scope.fail(f"{wrong}: one of them says it already", "subscriptions", name)
                break
        found[name] = Subscription(
            name=name,
            url=block.url,
            secret=(block.secret or "").removeprefix("env:"),
            kinds=block.events,
            line=scope.document.line("subscriptions", name),
        )
    return found

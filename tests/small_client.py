"""The smallest client that there is: callers hear a sentence, and are hung up on."""

from __future__ import annotations

TREE = """\
client: {client}
numbers: ["{number}"]
timezone: Europe/Paris
language: fr
fallback: {{ node: bye }}
start: bye
nodes:
  bye:
    hangup: {{ prompt: {{ say: "{words}" }} }}
"""


def small_client(words: str = "Au revoir.", client: str = "a", number: str = "01 99 00 00 10") -> str:
    """Its file."""
    return TREE.format(client=client, number=number, words=words)

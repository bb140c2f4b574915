"""A key that is needed and not there: the sentence says what to write for it."""

from __future__ import annotations

from collections.abc import Iterator

from callrouter.dialplan import verbs
from callrouter.dialplan.documents import client_file, expected_file, shared_files
from callrouter.dialplan.language.fields import Block

DOCUMENTS = (verbs, client_file, expected_file, shared_files)
"""What imports all blocks there are."""


def _blocks(model: type[Block]) -> Iterator[type[Block]]:
    for one in model.__subclasses__():
        yield one
        yield from _blocks(one)


def test_each_needed_key_says_what_to_write() -> None:
    """Of every block of every document; and nothing is said of keys that are not there at all."""
    ours = [block for block in dict.fromkeys(_blocks(Block)) if block.__module__.startswith("callrouter.")]
    needed = {
        (block.__name__, field.alias or name)
        for block in ours
        for name, field in block.model_fields.items()
        if field.is_required()
    }
    explained = {(block.__name__, key) for block in ours for key in block.missing}
    known = {(block.__name__, field.alias or name) for block in ours for name, field in block.model_fields.items()}

    assert len(ours) > len(DOCUMENTS)
    assert sorted(needed - explained) == []
    assert sorted(explained - known) == []

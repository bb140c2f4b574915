"""What agents hear is said in every language that our other sentences are said in."""

from __future__ import annotations

import pytest

from callrouter.dialplan.language.agent_texts import AGENT_TEXTS, PAUSED
from callrouter.dialplan.language.own_texts import FALLBACK_BYE, OwnText


@pytest.mark.parametrize("text", AGENT_TEXTS, ids=lambda text: text.name)
def test_in_every_language(text: OwnText) -> None:
    """And only a pause names its reason."""
    assert text.words.keys() == FALLBACK_BYE.words.keys()
    assert {"{name}" in words for words in text.words.values()} == {text is PAUSED}


def test_each_has_a_name() -> None:
    """Its own."""
    assert len({text.name for text in AGENT_TEXTS}) == len(AGENT_TEXTS)

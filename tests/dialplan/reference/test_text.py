"""The example in each node's docstring is what the language accepts."""

from __future__ import annotations

import inspect
import re
import sys

import pytest

from callrouter.core.nodes import ALL, Node
from callrouter.dialplan.language.reader import read
from callrouter.dialplan.language.validation import validate
from callrouter.dialplan.verbs import NodeBlock


@pytest.mark.parametrize("node", ALL, ids=lambda node: node.kind)
def test_the_example_can_be_written(node: type[Node]) -> None:
    """Every key of it is known, and its verb is the node's."""
    text = inspect.getdoc(sys.modules[node.__module__]) or ""
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    document = read("\n".join(examples).encode(), f"{node.kind}.yaml")
    block, issues = validate(NodeBlock, document)

    assert len(examples) == 1
    assert [str(issue) for issue in (*document.issues, *issues)] == []
    assert block is not None
    assert block.verb.name == node.kind

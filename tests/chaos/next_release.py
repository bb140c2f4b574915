"""callrouter as a release after this one might be: `python tests/chaos/next_release.py VERB…`, as `callrouter VERB…`.

It writes the state of calls in another format, with a field more, and reads that of this release, by the code that is
there for it (`core.state`); and it compiles every document to another version. This release cannot read its states.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import callrouter

VERSION: Final = "0.2.0"
PROGRAM: Final = (sys.executable, "-P", str(Path(__file__).resolve()))
"""How it is started."""


def become_the_next() -> None:
    """Before anything else of callrouter is imported that would take the names."""
    callrouter.__version__ = VERSION
    from callrouter.core import state
    from callrouter.dialplan.compile import compiler

    fields_of = state._fields

    def fields(plan: Any, call: Any) -> list[Any]:
        return [*fields_of(plan, call), 0]

    vars(state).update(
        FORMAT=state.FORMAT + 1,
        _FIELDS_BEFORE=state._FIELDS,
        _FIELDS=state._FIELDS + 1,
        _NEW_FIELDS=(0,),
        _fields=fields,
    )
    vars(compiler).update(FORMAT=compiler.FORMAT + 1)


if __name__ == "__main__":
    become_the_next()
    from callrouter.cli import main

    sys.argv[0] = "callrouter"
    main()

"""What the garbage collector does, and when: the one place that says so.

What calls, plans and documents are made of is freed when nobody refers to it any more, and makes no circles to speak
of. So all the collector would find is itself in the way: a look through hundreds of plans takes longer than a call
may wait. Three kinds of work have a policy of their own: a command that ends soon, plans that are made to stay, and a
process that serves calls.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SERVING_THRESHOLDS: Final = (20_000, 20, 20)
"""`gc.set_threshold`: a call's values are no concern of the collector's (`core.call`); circles are rare in the rest."""


def load_code() -> None:
    """A command begins: nearly all of a short one is the loading of code, none of which is ever garbage."""
    gc.disable()


def code_is_loaded() -> None:
    """The command is loaded. At its end the interpreter would go through all of it, for a seventh of the whole time."""
    gc.freeze()
    gc.enable()


@contextmanager
def made_to_stay() -> Iterator[None]:
    """While something large is made that is kept: looking through it takes a fifth of the time.

    Afterwards it is put out of the collector's sight, whose first round would look through all of it.
    """
    wanted = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if wanted:
            gc.freeze()
            gc.enable()


def serve() -> None:
    """From now on the process serves calls, with all that it will need: nobody looks through that again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SERVING_THRESHOLDS)

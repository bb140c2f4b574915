"""The command of the worker process."""

from __future__ import annotations

from typing import Annotated

import typer

from callrouter.app.leading.started import will_say_started
from callrouter.app.lifetime import end_with, run
from callrouter.app.worker.process import run_worker
from callrouter.settings import load_settings


def worker(
    with_parent: Annotated[int, typer.Option(hidden=True)] = 0,
    says_started: Annotated[int, typer.Option(hidden=True)] = -1,
) -> None:
    """Tell people of messages, as the clients' files say."""
    if with_parent:
        end_with(with_parent)
    will_say_started(says_started)
    run(run_worker(load_settings()))

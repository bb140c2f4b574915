"""`callrouter engine`: the link to Asterisk, and the calls."""

from __future__ import annotations

from typing import Annotated

import typer

from callrouter.app.engine import run_engine
from callrouter.app.leading.spare import wait_for_turn
from callrouter.app.leading.started import will_say_started
from callrouter.app.lifetime import end_with, run
from callrouter.settings import load_settings


def engine(
    with_parent: Annotated[int, typer.Option(hidden=True)] = 0,
    spare: Annotated[float, typer.Option(hidden=True)] = 0.0,
    says_started: Annotated[int, typer.Option(hidden=True)] = -1,
) -> None:
    """Run the engine: the link to Asterisk, and the calls. SIGTERM lets live calls finish, SIGHUP reloads dialplans."""
    if with_parent:
        end_with(with_parent)
    if spare:
        wait_for_turn(spare)
    will_say_started(says_started)
    settings = load_settings()
    run(run_engine(settings, settings.required_api_token()))

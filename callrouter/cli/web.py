"""`callrouter web`: the API."""

from __future__ import annotations

from typing import Annotated

import typer

from callrouter.app.leading.started import will_say_started
from callrouter.app.lifetime import end_with, run
from callrouter.app.web import run_web
from callrouter.settings import load_settings


def web(
    with_parent: Annotated[int, typer.Option(hidden=True)] = 0,
    says_started: Annotated[int, typer.Option(hidden=True)] = -1,
) -> None:
    """Run the API, with its documentation at /api/docs."""
    if with_parent:
        end_with(with_parent)
    will_say_started(says_started)
    settings = load_settings()
    run(run_web(settings, settings.required_api_token()))

"""`callrouter web`: the API."""

from __future__ import annotations

from callrouter.app.lifetime import run
from callrouter.app.web import run_web
from callrouter.settings import load_settings


def web() -> None:
    """Run the API, with its documentation at /api/docs."""
    settings = load_settings()
    run(run_web(settings, settings.required_api_token()))

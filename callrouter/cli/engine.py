"""`callrouter engine`: the link to Asterisk, and the calls."""

from __future__ import annotations

from callrouter.app.engine import run_engine
from callrouter.app.lifetime import run
from callrouter.settings import load_settings


def engine() -> None:
    """Run the engine: the link to Asterisk, and the calls. SIGTERM lets live calls finish, SIGHUP reloads dialplans."""
    settings = load_settings()
    run(run_engine(settings, settings.required_api_token()))

"""`callrouter up`: engine and web on this machine."""

from __future__ import annotations

import secrets

import typer
import uvloop

from callrouter.app.up import run_up
from callrouter.settings import load_settings


def up() -> None:
    """Run engine and web on this machine, with an embedded PostgreSQL unless CALLROUTER_DATABASE_URL names one."""
    settings = load_settings()
    settings.required_ami_secret()
    if settings.api_token is not None:
        token = settings.api_token.get_secret_value()
    else:
        token = secrets.token_urlsafe(24)
        typer.echo(f"API token of this run (set CALLROUTER_API_TOKEN to choose your own): {token}")
    raise typer.Exit(uvloop.run(run_up(settings, token)))

"""`callrouter up`: engine and web on this machine."""

from __future__ import annotations

import typer
import uvloop

from callrouter.app.folders import prepare_folders
from callrouter.app.up import run_up
from callrouter.settings import ENV_FILE, load_settings, make_private
from callrouter.settings.token import kept_token


def up() -> None:
    """Run engine and web on this machine, with an embedded PostgreSQL unless CALLROUTER_DATABASE_URL names one."""
    make_private(ENV_FILE)
    settings = load_settings()
    settings.required_ami_secret()
    if settings.api_token is not None:
        token = settings.api_token.get_secret_value()
    else:
        prepare_folders(settings)
        token, path = kept_token(settings.data_dir)
        typer.echo(f"the API's token is in {path} (set CALLROUTER_API_TOKEN to choose your own)")
    raise typer.Exit(uvloop.run(run_up(settings, token)))

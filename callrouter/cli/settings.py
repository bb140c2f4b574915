"""`callrouter settings`: every setting, its value with secrets masked, and where it comes from."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from callrouter.settings import load_settings, shown_settings


def settings(
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show all settings and where each comes from: the environment, .env, or the default. Secrets are masked."""
    shown = shown_settings(load_settings())
    if as_json:
        rows = [{"variable": one.variable, "value": one.value, "from": one.origin.value} for one in shown]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    width = max(len(one.variable) for one in shown)
    for one in shown:
        value = one.value or "(not set)"
        typer.echo(f"{one.variable:<{width}}  {value:<28}  {one.origin.value:<11}  {one.description}")

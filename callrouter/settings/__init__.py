"""Turns CALLROUTER_* variables and a `.env` file into one frozen object, and says where each value came from.

The environment wins over `.env`, which wins over the default: `model` says what there is, `servers` reads addresses of
mail servers and pages, `loading` where each value comes from, `token` keeps the API's token where none is set. Only
`app` and `cli` see it.
"""

from __future__ import annotations

from callrouter.settings.loading import (
    ENV_FILE,
    Origin,
    ShownSetting,
    load_secrets,
    load_settings,
    make_private,
    shown_settings,
)
from callrouter.settings.model import Settings

__all__ = [
    "ENV_FILE",
    "Origin",
    "Settings",
    "ShownSetting",
    "load_secrets",
    "load_settings",
    "make_private",
    "shown_settings",
]

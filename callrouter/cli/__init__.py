"""The `callrouter` command: one module for each verb, imported only when it is called.

up · engine · web       run it (both parts, or one)
check · route           question the clients' files, without Asterisk or PostgreSQL
show · diff · schema    see a tree and its hours, and what a change means for callers
explain · stats         question the record
status · dialplan       the engine's state; what was live when, rollback, publish
db · settings           the database's schema; the settings and where they come from

A command that cannot do its work says so in one sentence on standard error and ends with 2 when a setting or a
client's file is wrong, with 1 otherwise.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, Final

from callrouter.cli.left_out import left_out
from callrouter.errors import CallrouterError, DialplanError, SettingsError
from callrouter.garbage import short_command

EXIT_FAILED: Final = 1
EXIT_MISCONFIGURED: Final = 2
EXIT_INTERRUPTED: Final = 130
"""As shells say it: 128 and the number of SIGINT."""

COMMANDS: Final = {
    "up": ("callrouter.cli.up:up", "Run everything on this machine: engine, web and, by default, PostgreSQL."),
    "engine": ("callrouter.cli.engine:engine", "Run the engine: the link to Asterisk, and the calls."),
    "web": ("callrouter.cli.web:web", "Run the API."),
    "check": ("callrouter.cli.check:main", "Check the clients' files, and say all that is wrong with them."),
    "schema": ("callrouter.cli.schema:schema", "Show the JSON Schema of the clients' files, or their reference."),
    "route": ("callrouter.cli.route:main", "Walk a client's tree as a caller would, without a telephone."),
    "show": ("callrouter.cli.show:main", "Draw a client's tree, or a week of its hours."),
    "diff": ("callrouter.cli.diff:main", "Say what changes for whom between two versions of the clients' files."),
    "explain": ("callrouter.cli.explain:explain", "Say why a call ended where it did."),
    "stats": ("callrouter.cli.stats:stats", "Show each client's figures for a period."),
    "status": ("callrouter.cli.status:status", "Show the engine's state, the plans in service, and what is wrong."),
    "dialplan": ("callrouter.cli.dialplan:app", "See what was live when, go back to a version, or publish a folder."),
    "db": ("callrouter.cli.db:app", "Upgrade the database's schema, or show it."),
    "settings": ("callrouter.cli.settings:settings", "Show all settings and where each comes from."),
}


ANSWERS_AT_ONCE: Final = frozenset({"check", "route", "show", "diff"})
"""Commands that parse their own arguments: `MODULE:main` takes them and returns the exit code."""


def main() -> None:
    """Run the command of this process's arguments, and exit."""
    try:
        name = sys.argv[1] if len(sys.argv) > 1 else ""
        if name in ANSWERS_AT_ONCE:
            with short_command():
                with left_out():
                    code = load(name)(sys.argv[2:])
                sys.stdout.flush()
            sys.exit(code)
        # Imported here: typer takes as long to load as `route` to answer.
        from callrouter.cli.application import run

        run()
    except CallrouterError as error:
        print(f"callrouter: {error}", file=sys.stderr)
        sys.exit(EXIT_MISCONFIGURED if isinstance(error, SettingsError | DialplanError) else EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output (head, less) has had enough; the interpreter's own flush must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)


def load(name: str) -> Any:
    """What a command is: a function, or a Typer application."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    return getattr(importlib.import_module(module), attribute)

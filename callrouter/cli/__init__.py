"""The command callrouter: one module for each verb, imported only when it is called.

`up`, `engine`, `web`, `worker` run it (all parts, or one)
`upgrade`                       restart two engines one after the other
`check`, `route`                question the clients' files, without Asterisk or PostgreSQL
`show`, `diff`, `schema`        see a tree and its hours, and what a change means for callers
`explain`, `stats`              question the record
`report`                        the figures of a period as people print them
`consumption`                   what clients pay: tariffs, invoices, and each line's calls
`callbacks`                     who is to be called back, who gave up, what came of calling them
`messages`                      what callers want somebody to know, and what became of it
`deliveries`                    what web services should have been told of calls, and were not
`teams`, `pbx`                  the teams, as the PBX needs them; brought to Asterisk, on its own host
`agents`                        where agents stand, and their PINs
`staffing`                      how many of them a line needs
`status`, `dialplan`            the engine's state; what was live when, rollback, publish
`token`, `audit`                who may ask the API for what; who did what, and who was refused
`retention`, `person`           what goes when its time is over; what is known of one number, erased on request
`db`, `settings`                the database's schema; the settings and where they come from

`application` lists them; `usage` is how their options look in `--help`, `progress` what they say while they work.

A command that cannot do its work says so in one sentence on standard error and ends with 2 when its arguments, a
setting or a client's file is wrong, with 1 otherwise.
"""

from __future__ import annotations

import os
import sys
from typing import Final

from callrouter import garbage, hurry
from callrouter.errors import CallrouterError, DialplanError, SettingsError, UsageError

EXIT_FAILED: Final = 1
EXIT_MISCONFIGURED: Final = 2
EXIT_INTERRUPTED: Final = 130
"""As shells say it: 128 and the number of SIGINT."""


def main() -> None:
    """Run the command of this process's arguments, and exit."""
    if sys.argv[1:2] == ["engine"]:
        is_spare = any(argument.startswith("--spare") for argument in sys.argv)
        (hurry.expect if is_spare else hurry.begin)()  # until it has a loop
    garbage.load_code()  # until `application` has loaded the command
    try:
        from callrouter.cli.application import run

        try:
            run()
        finally:
            sys.stdout.flush()
    except CallrouterError as error:
        print(f"callrouter: {error}", file=sys.stderr)
        sys.exit(EXIT_MISCONFIGURED if isinstance(error, SettingsError | DialplanError | UsageError) else EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output (head, less) has had enough; the interpreter's own flush must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)

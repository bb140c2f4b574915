"""What PostgreSQL's error codes (SQLSTATE) mean to us: is it the server's state, or what we asked?

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from __future__ import annotations

from typing import Final

import asyncpg

GONE: Final = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What is raised where nobody answers on a connection, for want of time too. The last one is asyncpg's for a statement
on a connection whose server has just said that it ends it, before the end itself has arrived (0.32.0).
"""

OUTAGES: Final = frozenset({"08", "25", "28", "3D", "3F", "40", "42", "53", "55", "57", "58"})
"""Classes that say nothing of the rows: connection, read-only, log-in, rights, missing table, disk, locks, shutdown."""

_OURS: Final = frozenset({"42601"})
"""In those classes, what nobody but us can mend: a syntax error."""

_BROKEN: Final = frozenset({"F0", "XX"})
"""Its configuration or its files are broken."""

READ_ONLY: Final = "25006"
NO_RIGHTS: Final = "42501"
TOO_SLOW: Final = "57014"
LOCKED: Final = "55P03"
DISK_FULL: Final = "53100"
_NOT_THERE: Final = frozenset({"42P01", "42703", "3F000"})


def code_of(error: BaseException | None) -> str:
    """The SQLSTATE of a driver's error; empty when it has none."""
    return str(getattr(error, "sqlstate", None) or "")


def is_outage(error: BaseException) -> bool:
    """Whether another try, later or after the operator's help, may do; False when it is about the rows themselves."""
    return code_of(error)[:2] in OUTAGES


def is_refusal(error: BaseException | None) -> bool:
    """Whether the server's state, its settings or our rights are why, and not a mistake of ours."""
    code = code_of(error)
    return code not in _OURS and code[:2] in OUTAGES | _BROKEN


def advice(error: BaseException | None, role: str) -> str:
    """How to mend it, as a sentence."""
    code, said = code_of(error), str(error)
    if code == NO_RIGHTS:
        return _rights_advice(said, _quoted(role))
    if code == READ_ONLY:
        return "It is read-only, as a standby is: name the primary in CALLROUTER_DATABASE_URL."
    if code == TOO_SLOW:
        return "It took too long and was cut off: ask for a shorter period, or look at what else keeps the server busy."
    if code == LOCKED:
        return "Somebody else holds a lock on it: try again at a quieter time."
    if code == DISK_FULL:
        return "Make room on its disk."
    if code in _NOT_THERE:
        return "The schema is not this release's, or not on the role's search_path: see `callrouter db current`."
    return "Its log says more."


def _rights_advice(said: str, role: str) -> str:
    if "owner" in said:
        return f"Let {role} own callrouter's tables, or run `callrouter db upgrade` as the role that does."
    if "schema" in said:
        return f"Let an administrator of that database run: GRANT USAGE, CREATE ON SCHEMA public TO {role};"
    return (
        "Let the owner of the tables run: "
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}; "
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role};"
    )


def _quoted(role: str) -> str:
    """An identifier, as SQL writes it."""
    return '"' + role.replace('"', '""') + '"'

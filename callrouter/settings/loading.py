"""Reads the settings, words what is wrong with them, and lists them for people."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from dotenv import dotenv_values
from pydantic import AliasChoices, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from callrouter.errors import SettingsError
from callrouter.settings.model import PREFIX, Settings, split_database_url, url_host

ENV_FILE: Final = Path(".env")
SECRET_PREFIX: Final = f"{PREFIX}SECRET_"
"""How the variables begin whose values documents may send to web services, and never see."""


class Origin(StrEnum):
    """Where the value of a setting came from."""

    ENVIRONMENT = "environment"
    ENV_FILE = ".env"
    DEFAULT = "default"


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownSetting:
    """One line of `callrouter settings`: secrets are masked."""

    variable: str
    value: str
    origin: Origin
    description: str


def load_settings(env_file: Path = ENV_FILE) -> Settings:
    """The settings of this process.

    Raises:
        SettingsError: a variable is wrong or misspelt; names each, where it stands, and what is needed instead.
    """
    given = _given(env_file)
    _refuse_misspelt(given)
    try:
        return Settings(_env_file=env_file, _env_file_encoding="utf-8")
    except ValidationError as error:
        raise SettingsError("\n".join(_complaints(error, given))) from None


def make_private(env_file: Path) -> None:
    """Take a file of settings away from all but its owner, where anybody may read it and it is ours.

    A link, or a file that a group may read and others may not, was arranged so by somebody.
    """
    try:
        status = env_file.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_mode & 0o007 and status.st_uid == os.geteuid():
            env_file.chmod(0o600)
    except OSError:
        return  # whether it can be read is said by who reads it


def load_secrets(env_file: Path = ENV_FILE) -> dict[str, str]:
    """The secrets that documents name (`env:CRM` is CALLROUTER_SECRET_CRM), by that name; the environment wins.

    Raises:
        SettingsError: the file cannot be read, or a secret cannot stand in a header.
    """
    secrets: dict[str, str] = {}
    for variable, (value, origin) in _given(env_file).items():
        if not variable.startswith(SECRET_PREFIX):
            continue
        if not (value.isascii() and value.isprintable()):
            raise SettingsError(f"{variable} ({origin}) holds what a header cannot: it must be one line of plain ASCII")
        secrets[variable.removeprefix(SECRET_PREFIX)] = value
    return secrets


def shown_settings(settings: Settings, env_file: Path = ENV_FILE) -> list[ShownSetting]:
    """All settings as an operator reads them, in the order they are declared."""
    given = _given(env_file)
    return [
        ShownSetting(
            variable=variable,
            value=_shown(getattr(settings, name)),
            origin=given[variable][1] if variable in given else Origin.DEFAULT,
            description=Settings.model_fields[name].description or "",
        )
        for name, variable in _variables()
    ]


def _variables() -> Iterator[tuple[str, str]]:
    for name, field in Settings.model_fields.items():
        yield name, _variable(name, field)


def _variable(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else PREFIX + name.upper()


def _given(env_file: Path) -> dict[str, tuple[str, Origin]]:
    """Every CALLROUTER_* variable that is set and not empty."""
    given: dict[str, tuple[str, Origin]] = {}
    try:
        from_file = dotenv_values(env_file, encoding="utf-8") if env_file.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{env_file} cannot be read ({error}): make it a UTF-8 text file you may read") from error
    for origin, values in ((Origin.ENV_FILE, from_file), (Origin.ENVIRONMENT, os.environ)):
        for variable, value in values.items():
            if variable.upper().startswith(PREFIX) and value:
                given[variable.upper()] = (value, origin)
    return given


def _refuse_misspelt(given: Mapping[str, tuple[str, Origin]]) -> None:
    """A misspelt variable would leave the default in force without a word. Others' variables are none of ours."""
    known = [variable for _, variable in _variables()]
    for variable, (_, origin) in given.items():
        if variable in known or variable.startswith(SECRET_PREFIX):
            continue
        for meant in difflib.get_close_matches(variable, known, n=1, cutoff=0.9):
            raise SettingsError(f"{variable} ({origin}) is not a setting: did you mean {meant}?")


def _complaints(error: ValidationError, given: Mapping[str, tuple[str, Origin]]) -> Iterator[str]:
    names = {name: name for name in Settings.model_fields} | {variable: name for name, variable in _variables()}
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        message = problem["msg"].removeprefix("Value error, ")
        if not problem["loc"]:
            yield message
            continue
        name = names[str(problem["loc"][0])]
        field = Settings.model_fields[name]
        variable = _variable(name, field)
        value, origin = given.get(variable, ("", Origin.DEFAULT))
        shown = "a secret" if "SecretStr" in str(field.annotation) else repr(value[:200])
        needs = field.json_schema_extra["needs"] if isinstance(field.json_schema_extra, dict) else ""
        yield f"{variable} ({origin}) is {shown}: {message[:1].lower()}{message[1:]}; it must be {needs}"


def _shown(value: object) -> str:
    match value:
        case None | "" | ():
            return ""
        case bool():
            return "on" if value else "off"
        case SecretStr():
            return _masked(value.get_secret_value())
        case Mapping():
            return ",".join(f"{language}={voice}" for language, voice in value.items())
        case tuple():
            separator = os.pathsep if isinstance(value[0], Path) else ","
            return separator.join(str(part) for part in value)
        case _:
            return str(value)


def _masked(secret: str) -> str:
    """Stars; of PostgreSQL's URL, everything but the password, so that one sees which database it is."""
    try:
        url = split_database_url(secret)
    except ValueError:
        return "********"
    if not url.hostname:
        return "********"
    host = url_host(url.hostname) + (f":{url.port}" if url.port else "")
    user = f"{url.username}:********@" if url.username else ""
    return f"{url.scheme}://{user}{host}{url.path}"

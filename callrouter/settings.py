"""Turns CALLROUTER_* variables and a `.env` file into one frozen object, and says where each value came from.

The environment wins over `.env`, which wins over the default. Only `app` and `cli` see it.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from callrouter.errors import SettingsError

PREFIX: Final = "CALLROUTER_"
ENV_FILE: Final = Path(".env")

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


class Origin(StrEnum):
    """Where the value of a setting came from."""

    ENVIRONMENT = "environment"
    ENV_FILE = ".env"
    DEFAULT = "default"


def _setting(description: str, needs: str, **options: Any) -> Any:
    """A setting: what it is, and what a right value looks like (said when it is wrong)."""
    return Field(description=description, json_schema_extra={"needs": needs}, **options)


class Settings(BaseSettings):
    """Everything an operator can set; make it with `load_settings`, which explains what is wrong.

    Durations are seconds; relative paths start at the working directory.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    ami_host: str = _setting(
        "Where Asterisk's manager interface listens", "a host name or address", default="127.0.0.1"
    )
    ami_port: Port = _setting("Its port", "a port, 1 to 65535", default=5038)
    ami_user: str = _setting("The engine's user of manager.conf", "a name of manager.conf", default="callrouter")
    ami_secret: SecretStr | None = _setting("That user's secret; the engine needs it", "a secret", default=None)
    database_url: SecretStr | None = _setting(
        "PostgreSQL; without it an embedded one is used, under the data folder",
        "postgresql://user:password@host:5432/database",
        default=None,
    )
    data_dir: Path = _setting("What callrouter keeps on disk", "a folder", default=Path(".run/data"))
    dialplans_dir: Path = _setting("The clients' files", "a folder", default=Path("dialplans"))
    prompts_dir: Path = _setting("Rendered prompts; Asterisk reads it", "a folder", default=Path(".run/data/prompts"))
    sounds_dirs: Annotated[tuple[Path, ...], NoDecode] = _setting(
        "Where sound files are looked for, by language", f"folders separated by '{os.pathsep}'", default=()
    )
    recordings_dir: Path = _setting(
        "Recorded messages; Asterisk writes there", "a folder", default=Path(".run/data/recordings")
    )
    trunk_dial: str = _setting(
        "How a number is dialled outside", "a dial string that holds {number} once", default="PJSIP/{number}@trunk-out"
    )
    http_host: str = _setting("Where engine and web listen", "an address of this machine", default="127.0.0.1")
    engine_port: Port = _setting("The engine's /health, /ready, /metrics, /live", "a port, 1 to 65535", default=8081)
    web_port: Port = _setting("The API's port", "a port, 1 to 65535", default=8080)
    engine_url: str = _setting(
        "Where web finds the engine; made of host and port when not set", "http://host:port", default=""
    )
    api_token: SecretStr | None = _setting(
        "The API's bearer token; `callrouter up` makes one when there is none", "16 characters or more", default=None
    )
    log_format: Literal["json", "console"] = _setting("How log lines look", "json or console", default="console")
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "From which level on lines are written", "debug, info, warning or error", default="info"
    )
    grace_seconds: Seconds = _setting("How long a stop waits for live calls", "seconds, 0 to 86400", default=30.0)
    clock_shift_seconds: float = _setting(
        "Added to the clock that opening hours are read by, for demonstrations",
        "seconds, may be negative",
        default=0.0,
        allow_inf_nan=False,
        validation_alias=AliasChoices("CALLROUTER_CLOCK_SHIFT", "clock_shift_seconds"),
    )
    region: str = _setting("Country of numbers written without one", "two capitals, such as FR", default="FR")

    @field_validator("log_format", "log_level", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("sounds_dirs", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        return tuple(part for part in value.split(os.pathsep) if part) if isinstance(value, str) else value

    @field_validator("trunk_dial")
    @classmethod
    def _holds_number(cls, value: str) -> str:
        if value.count("{number}") != 1 or any(char in value.replace("{number}", "") for char in "{}$,&\r\n"):
            raise ValueError("it does not hold {number} once, or holds one of { } $ , &")
        return value

    @field_validator("region")
    @classmethod
    def _is_region(cls, value: str) -> str:
        if len(value) != 2 or not (value.isascii() and value.isalpha() and value.isupper()):
            raise ValueError("it is not a country's code")
        return value

    @field_validator("engine_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if not value:
            return value
        url = urlsplit(value)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError("it is not an http address")
        _ = url.port  # raises ValueError for what is not a port
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and urlsplit(value.get_secret_value()).scheme not in ("postgresql", "postgres"):
            raise ValueError("it does not begin with postgresql://")
        return value

    @field_validator("api_token")
    @classmethod
    def _is_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and (len(value.get_secret_value()) < 16 or not value.get_secret_value().isascii()):
            raise ValueError("it is too short, or not plain ASCII")
        return value

    @field_validator("ami_secret", "ami_user", "ami_host")
    @classmethod
    def _is_one_line(cls, value: str | SecretStr | None) -> str | SecretStr | None:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value or ""
        if any(ord(char) < 32 for char in text):
            raise ValueError("it holds control characters")
        return value

    @model_validator(mode="before")
    @classmethod
    def _below_the_data_folder(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Prompts and recordings follow the data folder unless they are set themselves."""
        data_dir = values.get("data_dir")
        if data_dir is None:
            return values
        return {"prompts_dir": Path(data_dir, "prompts"), "recordings_dir": Path(data_dir, "recordings")} | values

    @model_validator(mode="after")
    def _ports_differ(self) -> Settings:
        if self.engine_port == self.web_port:
            raise ValueError("CALLROUTER_ENGINE_PORT and CALLROUTER_WEB_PORT are the same: give each its own")
        return self

    @property
    def engine_base_url(self) -> str:
        """Where the engine's HTTP side is, without a slash at the end."""
        return self.engine_url or f"http://{_url_host(self.http_host)}:{self.engine_port}"

    def required_ami_secret(self) -> str:
        """The AMI secret. Raises SettingsError when there is none."""
        if self.ami_secret is None:
            raise SettingsError(
                "CALLROUTER_AMI_SECRET is not set, and the engine cannot log in to Asterisk without it: "
                "put the secret of manager.conf's user in the environment or in .env"
            )
        return self.ami_secret.get_secret_value()

    def dial_string(self, number: str) -> str:
        """What Asterisk dials to reach an outside number."""
        return self.trunk_dial.replace("{number}", number)


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
        if variable in known:
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
        case SecretStr():
            return _masked(value.get_secret_value())
        case tuple():
            return os.pathsep.join(str(part) for part in value)
        case _:
            return str(value)


def _masked(secret: str) -> str:
    """Stars; of a URL, everything but user and password, so that one sees which database it is."""
    url = urlsplit(secret)
    if not url.scheme or not url.hostname:
        return "********"
    host = _url_host(url.hostname) + (f":{url.port}" if url.port else "")
    user = f"{url.username}:********@" if url.username else ""
    return f"{url.scheme}://{user}{host}{url.path}"


def _url_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host

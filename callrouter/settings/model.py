"""Every setting: what it is, what a right value looks like, and the default."""

from __future__ import annotations

import ipaddress
import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from callrouter.core.retention.rule import Kind, Retention, why_refused
from callrouter.delivery.servers import MailServer, SmsGateway
from callrouter.delivery.signing import key_of
from callrouter.errors import SettingsError
from callrouter.settings import servers

PREFIX: Final = "CALLROUTER_"

_HOST = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?|\[[0-9a-f:]+\](:[0-9]{1,5})?")

_UNCLEAR: Final = (
    "its parts cannot be told apart: percent-encode / @ : in the password (%2F %40 %3A; also ? # [ ]), "
    "and write one host and one port"
)

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


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
    ami_admin_user: str = _setting(
        "The second user of manager.conf, by which one of two engines sees the other and ends a stopped one's session",
        "a name of manager.conf",
        default="callrouter-admin",
    )
    ami_admin_secret: SecretStr | None = _setting(
        "That user's secret: set it for both of two engines on one PBX, and for no single one", "a secret", default=None
    )
    pbx: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")] = _setting(
        "What the record calls this engine's PBX: the same for ever, and no other engine's",
        "a short name of small letters, digits and hyphens",
        default="pbx-1",
    )
    pbx_dir: Path = _setting(
        "Asterisk's configuration folder, where `callrouter pbx apply` writes queues and telephones",
        "a folder",
        default=Path("/etc/asterisk"),
    )
    pbx_key: SecretStr | None = _setting(
        "By which the engine signs what `callrouter pbx apply` gets, the same for both; `callrouter up` makes one",
        "16 characters or more",
        default=None,
    )
    database_url: SecretStr | None = _setting(
        "PostgreSQL; without it an embedded one is used, under the data folder",
        "postgresql://user:password@host:5432/database",
        default=None,
    )
    data_dir: Path = _setting("What callrouter keeps on disk", "a folder", default=Path(".run/data"))
    dialplans_dir: Path = _setting("The clients' files", "a folder", default=Path("dialplans"))
    watch: bool = _setting(
        "Whether a saved file goes live by itself; otherwise by `callrouter dialplan publish` or SIGHUP",
        "on or off",
        default=True,
    )
    expected_routes: Literal["refuse", "report"] = _setting(
        "What becomes of a saved tree that fails its own expected routes: it stays out of service, or is only reported",
        "refuse or report",
        default="refuse",
    )
    prompts_dir: Path = _setting("Rendered prompts; Asterisk reads it", "a folder", default=Path(".run/data/prompts"))
    sounds_dirs: Annotated[tuple[Path, ...], NoDecode] = _setting(
        "Where sound files are looked for, by language", f"folders separated by '{os.pathsep}'", default=()
    )
    speech_engine: Literal["espeak-ng", "piper"] = _setting(
        "What speaks the texts of prompts", "espeak-ng or piper", default="espeak-ng"
    )
    speech_voices: Annotated[Mapping[str, str], NoDecode] = _setting(
        "Voices by language; for piper, the paths of models",
        "language=voice, separated by commas",
        default_factory=dict,
    )
    recordings_dir: Path = _setting(
        "Recorded messages; Asterisk writes there", "a folder", default=Path(".run/data/recordings")
    )
    recordings_keep_days: Annotated[int, Field(ge=0, le=3650)] = _setting(
        "After how many days a recording is deleted; 0: when somebody does", "days, 0 to 3650", default=0
    )
    keep_calls_days: Annotated[int, Field(le=3650)] | None = _setting(
        "For how many days calls, with all that hangs on them, are kept, "
        "where a client's file does not say it; empty: for ever",
        "days, 62 to 3650",
        default=None,
    )
    keep_messages_days: Annotated[int, Field(le=3650)] | None = _setting(
        "For how many days messages, with their recordings, are kept, "
        "where a client's file does not say it; empty: for ever",
        "days, 7 to 3650",
        default=None,
    )
    keep_transcripts_days: Annotated[int, Field(le=3650)] | None = _setting(
        "For how many days what a machine wrote down of recorded messages is kept, "
        "where a client's file does not say it; empty: for ever",
        "days, 1 to 3650",
        default=None,
    )
    keep_traces_days: Annotated[int, Field(le=3650)] | None = _setting(
        "For how many days it is kept how calls went through their trees, "
        "where a client's file does not say it; empty: for ever",
        "days, 1 to 3650",
        default=None,
    )
    transcriber: Literal["off", "command", "faster-whisper"] = _setting(
        "What writes recorded messages down, in the worker: a program of yours, or the extra `whisper`",
        "off, command or faster-whisper",
        default="off",
    )
    transcribe_command: str = _setting(
        "That program with its arguments; it gets the file as its last one, and {language} in any of them is the "
        "language's code",
        "a command line",
        default="",
    )
    transcribe_seconds: Annotated[float, Field(ge=1, le=3600)] = _setting(
        "How long it may take for one recording", "seconds, 1 to 3600", default=300.0
    )
    whisper_model: Path | None = _setting(
        "The folder of faster-whisper's model; nothing is fetched from anywhere", "a folder", default=None
    )
    trunk_dial: str = _setting(
        "How a number is dialled outside", "a dial string that holds {number} once", default="PJSIP/{number}@trunk-out"
    )
    outgoing_hosts: Annotated[tuple[str, ...], NoDecode] = _setting(
        "Hosts that `lookup` and `notify` may ask: crm.example, crm.example:8443, *.example",
        "hosts separated by commas",
        default=(),
    )
    events_url: SecretStr | None = _setting(
        "A web service of yours that is sent what happens to calls; its host must be one that may be asked",
        "https://host/path",
        default=None,
    )
    events: Annotated[tuple[str, ...], NoDecode] = _setting(
        "Which kinds of events it is sent: call.ended, message.taken, ...",
        "kinds of events about calls, separated by commas",
        default=(),
    )
    smtp_url: SecretStr | None = _setting(
        "The server that mail to contacts goes by; without one nobody is told by mail",
        "smtp+starttls://user:password@host:port, smtps:// or, on this machine, smtp://",
        default=None,
    )
    mail_from: str = _setting(
        "Where that mail comes from, and where what bounces goes to", "a mail address, alone", default=""
    )
    sms_url: SecretStr | None = _setting(
        "The web service that sends SMS; its host must be one that may be asked", "https://host/path", default=None
    )
    sms_secret: SecretStr | None = _setting(
        "Its bearer token, where it wants one", "a token of one line of plain ASCII", default=None
    )
    sms_sender: Annotated[str, Field(max_length=32)] = _setting(
        "The number or name that SMS come from; without one the gateway's own", "a number or a short name", default=""
    )
    sms_receipt_secret: SecretStr | None = _setting(
        "By which the gateway signs its receipts; without one none is taken",
        "whsec_ and 24 to 64 bytes as base64",
        default=None,
    )
    sms_replies: bool = _setting(
        "Whether the gateway hands over what people answer to SMS (POST /api/replies/sms, signed as its receipts are): "
        "then each SMS says with which code to answer",
        "on or off",
        default=False,
    )
    lmtp_host: str = _setting(
        "Where `callrouter worker` listens for mail that comes back: whoever may connect there may say what became of "
        "our mail",
        "an address of this machine",
        default="127.0.0.1",
    )
    lmtp_port: Annotated[int, Field(ge=0, le=65535)] = _setting(
        "The port; 0: it does not listen", "a port, 1 to 65535, or 0", default=0
    )
    public_url: str = _setting(
        "Where people reach web from outside; without it nobody is sent a link to a message",
        "https://host, or http:// on this machine",
        default="",
    )
    link_hours: Annotated[int, Field(ge=1, le=8760)] = _setting(
        "How long such a link opens its message", "hours, 1 to 8760", default=72
    )
    message_calls: Annotated[int, Field(ge=1, le=100)] = _setting(
        "How many people are rung at a time to tell them of messages (`by: phone`)", "calls, 1 to 100", default=4
    )
    heartbeat_url: SecretStr | None = _setting(
        "An address outside that `callrouter worker` asks for as long as it works, so that its silence is noticed; its "
        "host must be one that may be asked",
        "https://host/path",
        default=None,
    )
    http_host: str = _setting("Where engine and web listen", "an address of this machine", default="127.0.0.1")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = _setting(
        "Reverse proxies whose X-Forwarded-For is believed",
        "addresses or networks separated by commas: 127.0.0.1, 10.0.0.0/8",
        default=(),
    )
    engine_port: Port = _setting("The engine's /health, /ready, /metrics, /live", "a port, 1 to 65535", default=8081)
    web_port: Port = _setting("The API's port", "a port, 1 to 65535", default=8080)
    engine_url: str = _setting(
        "Where web finds the engine, of two both; made of host and port when not set",
        "http://host:port, or two separated by a comma",
        default="",
    )
    api_token: SecretStr | None = _setting(
        "The API's bearer token; `callrouter up` makes one when there is none", "16 characters or more", default=None
    )
    log_format: Literal["json", "console"] = _setting("How log lines look", "json or console", default="console")
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "From which level on lines are written", "debug, info, warning or error", default="info"
    )
    log_numbers: Literal["whole", "masked"] = _setting(
        "How log lines show callers' numbers and names: masked, numbers have their last three digits, and names go",
        "whole or masked",
        default="whole",
    )
    client_calls: Annotated[int, Field(ge=0, le=100_000)] = _setting(
        "Live calls a client may have at once, unless its file says `max_calls`; 0: any number",
        "a count, 0 to 100000",
        default=300,
    )
    grace_seconds: Seconds = _setting("How long a stop waits for live calls", "seconds, 0 to 86400", default=30.0)
    first_sound_seconds: Seconds = _setting(
        "Silence before the first sound, once a caller is answered or somebody who is rung picks up: what is said "
        "before the way there is through is lost",
        "seconds, 0 to 2",
        default=0.3,
    )
    media_timeout_seconds: Seconds = _setting(
        "After how long without a packet a leg that has sent media is ended; 0: never",
        "0, or seconds from 120 to 86400",
        default=120.0,
    )
    clock_shift_seconds: float = _setting(
        "Added to the clock that opening hours are read by, for demonstrations",
        "seconds, may be negative",
        default=0.0,
        allow_inf_nan=False,
        validation_alias=AliasChoices("CALLROUTER_CLOCK_SHIFT", "clock_shift_seconds"),
    )
    realtime: bool = _setting(
        "Whether the engine asks for real-time priority, as Asterisk does", "on or off", default=True
    )
    spare: bool = _setting(
        "Whether `callrouter up` has a second engine loaded, which goes on when the first one dies",
        "on or off",
        default=True,
    )
    region: str = _setting("Country of numbers written without one", "two capitals, such as FR", default="FR")

    @field_validator("log_format", "log_level", "log_numbers", "expected_routes", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("sounds_dirs", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        return tuple(part for part in value.split(os.pathsep) if part) if isinstance(value, str) else value

    @field_validator("outgoing_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        hosts = tuple(part.strip().lower() for part in value.split(",") if part.strip())
        wrong = next((host for host in hosts if not _HOST.fullmatch(host)), None)
        if wrong is not None:
            raise ValueError(f"{wrong!r} is no host: write names only, without https:// and without a path")
        return hosts

    @field_validator("events", mode="before")
    @classmethod
    def _split_kinds(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        from callrouter.stream.events import OF_CALLS  # few have any, and each command reads the settings

        kinds = tuple(part.strip() for part in value.split(",") if part.strip())
        wrong = next((kind for kind in kinds if kind not in OF_CALLS), None)
        if wrong is not None:
            raise ValueError(f"{wrong!r} is none: there are {', '.join(sorted(OF_CALLS))}")
        return kinds

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        networks = tuple(part.strip() for part in value.split(",") if part.strip())
        for network in networks:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise ValueError(f"{network!r} is no address and no network ({error})") from None
        return networks

    @field_validator("speech_voices", mode="before")
    @classmethod
    def _split_voices(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [part.strip().partition("=") for part in value.split(",") if part.strip()]
        if not all(language and voice for language, _, voice in pairs):
            raise ValueError("a part of it has no language or no voice")
        return {language.strip(): voice.strip() for language, _, voice in pairs}

    @field_validator("trunk_dial")
    @classmethod
    def _holds_number(cls, value: str) -> str:
        if value.count("{number}") != 1 or any(char in value.replace("{number}", "") for char in "{}$,&\r\n"):
            raise ValueError("it does not hold {number} once, or holds one of { } $ , &")
        return value

    @field_validator("keep_calls_days", "keep_messages_days", "keep_transcripts_days", "keep_traces_days")
    @classmethod
    def _destroys_nothing(cls, value: int | None, info: ValidationInfo) -> int | None:
        wrong = "" if value is None else why_refused(Kind(str(info.field_name).split("_")[1]), value)
        if wrong:
            raise ValueError(wrong)
        return value

    @field_validator("media_timeout_seconds")
    @classmethod
    def _is_patient(cls, value: float) -> float:
        if 0 < value < 120:
            raise ValueError("a telephone that is muted may send nothing for so long")
        return value

    @field_validator("first_sound_seconds")
    @classmethod
    def _is_short(cls, value: float) -> float:
        if value > 2:
            raise ValueError("callers take a line for dead that is silent for longer")
        return value

    @field_validator("region")
    @classmethod
    def _is_region(cls, value: str) -> str:
        if len(value) != 2 or not (value.isascii() and value.isalpha() and value.isupper()):
            raise ValueError("it is not a country's code")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _is_mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            servers.mail_server(value.get_secret_value(), "")
        return value

    @field_validator("mail_from")
    @classmethod
    def _is_mail_address(cls, value: str) -> str:
        return servers.mail_address(value) if value else value

    @field_validator("public_url")
    @classmethod
    def _is_public(cls, value: str) -> str:
        return servers.public_url(value) if value else value

    @field_validator("sms_secret", "sms_sender")
    @classmethod
    def _fits_a_header(cls, value: str | SecretStr | None) -> str | SecretStr | None:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value or ""
        if not text.isprintable() or (isinstance(value, SecretStr) and not text.isascii()):
            raise ValueError("it holds what cannot be sent")
        return value

    @field_validator("sms_receipt_secret")
    @classmethod
    def _is_signing_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            key_of(value.get_secret_value())
        return value

    @field_validator("events_url", "sms_url", "heartbeat_url")
    @classmethod
    def _is_web_service(cls, value: SecretStr | None) -> SecretStr | None:
        cls._is_http(value.get_secret_value() if value is not None else "")
        return value

    @field_validator("engine_url")
    @classmethod
    def _are_http(cls, value: str) -> str:
        return ",".join(cls._is_http(part.strip()) for part in value.split(",") if part.strip())

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
        if value is not None:
            split_database_url(value.get_secret_value())
        return value

    @field_validator("api_token", "pbx_key")
    @classmethod
    def _is_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and (len(value.get_secret_value()) < 16 or not value.get_secret_value().isascii()):
            raise ValueError("it is too short, or not plain ASCII")
        return value

    @field_validator("ami_secret", "ami_user", "ami_host", "ami_admin_secret", "ami_admin_user")
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

    @field_validator("transcribe_command")
    @classmethod
    def _is_command_line(cls, value: str) -> str:
        shlex.split(value)  # raises ValueError where a quote does not end
        return value

    @model_validator(mode="after")
    def _something_transcribes(self) -> Settings:
        if self.transcriber == "command" and not self.transcribe_command.strip():
            raise ValueError("CALLROUTER_TRANSCRIBER=command needs CALLROUTER_TRANSCRIBE_COMMAND: write which program")
        if self.transcriber == "faster-whisper" and self.whisper_model is None:
            raise ValueError("CALLROUTER_TRANSCRIBER=faster-whisper needs CALLROUTER_WHISPER_MODEL: write its folder")
        return self

    @model_validator(mode="after")
    def _replies_are_signed(self) -> Settings:
        if self.sms_replies and self.sms_receipt_secret is None:
            raise ValueError("CALLROUTER_SMS_REPLIES needs CALLROUTER_SMS_RECEIPT_SECRET: answers are signed with it")
        return self

    @model_validator(mode="after")
    def _events_go_somewhere(self) -> Settings:
        if (self.events_url is not None) is not bool(self.events):
            raise ValueError("CALLROUTER_EVENTS_URL and CALLROUTER_EVENTS go together: set both, or neither")
        return self

    @model_validator(mode="after")
    def _mail_comes_from_somewhere(self) -> Settings:
        if (self.smtp_url is not None) is not bool(self.mail_from):
            raise ValueError("CALLROUTER_SMTP_URL and CALLROUTER_MAIL_FROM go together: set both, or neither")
        return self

    @property
    def retention(self) -> Retention:
        """For how long what is kept, where a client's file does not say it."""
        return Retention(
            calls=self.keep_calls_days,
            recordings=self.recordings_keep_days or None,
            messages=self.keep_messages_days,
            transcripts=self.keep_transcripts_days,
            traces=self.keep_traces_days,
        )

    @property
    def mail_server(self) -> MailServer | None:
        """The server that mail goes by; None: there is none."""
        return None if self.smtp_url is None else servers.mail_server(self.smtp_url.get_secret_value(), self.mail_from)

    @property
    def sms_gateway(self) -> SmsGateway | None:
        """The service that sends SMS; None: there is none."""
        if self.sms_url is None:
            return None
        secret = self.sms_secret.get_secret_value() if self.sms_secret is not None else ""
        return SmsGateway(url=self.sms_url.get_secret_value(), secret=secret, sender=self.sms_sender)

    @property
    def sms_receipt_key(self) -> bytes | None:
        """What receipts for SMS are signed with; None: none is taken."""
        return None if self.sms_receipt_secret is None else key_of(self.sms_receipt_secret.get_secret_value())

    @property
    def engine_base_url(self) -> str:
        """Where the engine's HTTP side is, without a slash at the end; of two engines both, separated by a comma."""
        return self.engine_url or f"http://{url_host(self.http_host)}:{self.engine_port}"

    def required_ami_secret(self) -> str:
        """The AMI secret. Raises SettingsError when there is none."""
        if self.ami_secret is None:
            raise SettingsError(
                "CALLROUTER_AMI_SECRET is not set, and the engine cannot log in to Asterisk without it: "
                "put the secret of manager.conf's user in the environment or in .env"
            )
        return self.ami_secret.get_secret_value()

    def required_pbx_key(self) -> str:
        """The key of what the PBX's unit gets. Raises SettingsError when there is none."""
        if self.pbx_key is None:
            raise SettingsError(
                "CALLROUTER_PBX_KEY is not set, and the engine and `callrouter pbx apply` need the same one: put 16 "
                "characters or more in the environment or in .env of both (`callrouter up` makes one by itself)"
            )
        return self.pbx_key.get_secret_value()

    def required_api_token(self) -> str:
        """The API's token. Raises SettingsError when there is none."""
        if self.api_token is None:
            raise SettingsError(
                "CALLROUTER_API_TOKEN is not set, and engine and web need the same one: put 16 characters or more in "
                "the environment or in .env (`callrouter up` makes one by itself, and says in which file)"
            )
        return self.api_token.get_secret_value()


def split_database_url(text: str) -> SplitResult:
    """The parts of PostgreSQL's URL, without doubt as to where each ends.

    Raises:
        ValueError: it is none, or a sign in the password makes it unclear where the password ends. Repeats nothing.
    """
    if not text.startswith(("postgresql://", "postgres://")):
        raise ValueError("it does not begin with postgresql://")
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        raise ValueError(_UNCLEAR) from None
    if text.count("@") > 1 or ("@" in text and "@" not in url.netloc):
        raise ValueError(_UNCLEAR)
    return url


def url_host(host: str) -> str:
    """A host as URLs write it."""
    return f"[{host}]" if ":" in host else host

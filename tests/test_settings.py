"""Settings: what wins, what is refused and how, and that no secret is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from callrouter.errors import SettingsError
from callrouter.settings import Origin, Settings, load_settings, make_private, shown_settings
from callrouter.settings.loading import _masked

ROOT = Path(__file__).parents[1]


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def refusal(env_file: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file)
    return str(caught.value)


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.write_text("CALLROUTER_AMI_PORT=7001\nCALLROUTER_AMI_HOST=pbx.example\n")
    monkeypatch.setenv("CALLROUTER_AMI_PORT", "7002")

    settings = load_settings(env_file)

    shown = {one.variable: (one.value, one.origin) for one in shown_settings(settings, env_file)}
    assert shown["CALLROUTER_AMI_PORT"] == ("7002", Origin.ENVIRONMENT)
    assert shown["CALLROUTER_AMI_HOST"] == ("pbx.example", Origin.ENV_FILE)
    assert shown["CALLROUTER_AMI_USER"] == ("callrouter", Origin.DEFAULT)
    assert (settings.ami_host, settings.ami_port) == ("pbx.example", 7002)


def test_an_empty_variable_is_as_good_as_none(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLROUTER_AMI_PORT", "")

    assert load_settings(env_file).ami_port == 5038


def test_prompts_and_recordings_follow_the_data_folder_unless_set(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLROUTER_DATA_DIR", "/srv/callrouter")
    monkeypatch.setenv("CALLROUTER_RECORDINGS_DIR", "/srv/voice")

    settings = load_settings(env_file)

    assert settings.prompts_dir == Path("/srv/callrouter/prompts")
    assert settings.recordings_dir == Path("/srv/voice")


def test_lists_of_folders_and_the_clock_shift(env_file: Path) -> None:
    env_file.write_text("CALLROUTER_SOUNDS_DIRS=/a:/b\nCALLROUTER_CLOCK_SHIFT=-3600.5\nCALLROUTER_LOG_LEVEL=INFO\n")

    settings = load_settings(env_file)

    assert settings.sounds_dirs == (Path("/a"), Path("/b"))
    assert settings.clock_shift_seconds == -3600.5
    assert settings.log_level == "info"


def test_voices_by_language(env_file: Path) -> None:
    env_file.write_text("CALLROUTER_SPEECH_VOICES=fr=/models/fr.onnx, en=/models/en.onnx\n")

    settings = load_settings(env_file)

    assert settings.speech_voices == {"fr": "/models/fr.onnx", "en": "/models/en.onnx"}
    shown = {one.variable: one.value for one in shown_settings(settings, env_file)}
    assert shown["CALLROUTER_SPEECH_VOICES"] == "fr=/models/fr.onnx,en=/models/en.onnx"


def test_settings_cannot_be_changed(env_file: Path) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings(env_file).ami_port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("variable", "value", "needs"),
    [
        ("CALLROUTER_AMI_PORT", "five", "a port, 1 to 65535"),
        ("CALLROUTER_AMI_PORT", "70000", "a port, 1 to 65535"),
        ("CALLROUTER_AMI_HOST", "pbx\nAction: Logoff", "a host name or address"),
        ("CALLROUTER_LOG_FORMAT", "xml", "json or console"),
        ("CALLROUTER_LOG_LEVEL", "chatty", "debug, info, warning or error"),
        ("CALLROUTER_GRACE_SECONDS", "-1", "seconds, 0 to 86400"),
        ("CALLROUTER_FIRST_SOUND_SECONDS", "3", "seconds, 0 to 2"),
        ("CALLROUTER_MEDIA_TIMEOUT_SECONDS", "60", "0, or seconds from 120 to 86400"),
        ("CALLROUTER_CLOCK_SHIFT", "nan", "seconds, may be negative"),
        ("CALLROUTER_TRUNK_DIAL", "PJSIP/trunk", "a dial string that holds {number} once"),
        ("CALLROUTER_TRUNK_DIAL", "PJSIP/{number}@${x}", "a dial string that holds {number} once"),
        ("CALLROUTER_SPEECH_ENGINE", "festival", "espeak-ng or piper"),
        ("CALLROUTER_SPEECH_VOICES", "fr", "language=voice, separated by commas"),
        ("CALLROUTER_REGION", "France", "two capitals, such as FR"),
        ("CALLROUTER_ENGINE_URL", "engine:8081", "http://host:port, or two separated by a comma"),
        ("CALLROUTER_ENGINE_URL", "http://engine:port", "http://host:port, or two separated by a comma"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_needed(
    env_file: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, needs: str
) -> None:
    monkeypatch.setenv(variable, value)

    said = refusal(env_file)

    assert said.startswith(f"{variable} (environment) is {value!r}: ")
    assert said.endswith(f"; it must be {needs}")


def test_all_wrong_values_are_named_at_once_and_say_where_they_stand(env_file: Path) -> None:
    env_file.write_text("CALLROUTER_AMI_PORT=x\nCALLROUTER_WEB_PORT=y\n")

    assert [line.split(" is ")[0] for line in refusal(env_file).splitlines()] == [
        "CALLROUTER_AMI_PORT (.env)",
        "CALLROUTER_WEB_PORT (.env)",
    ]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CALLROUTER_API_TOKEN", "hunter2"),
        ("CALLROUTER_DATABASE_URL", "mysql://root:hunter2@db/x"),
        ("CALLROUTER_AMI_SECRET", "hunter2\r\nAction: Command"),
    ],
)
def test_a_wrong_secret_is_not_repeated(
    env_file: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    said = refusal(env_file)

    assert said.startswith(f"{variable} (environment) is a secret: ")
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:se/kr@et@h:1/x",
        "postgresql://u:12/kret@h:1/x",
        "postgresql://u:12?kret@h/x",
        "postgresql://u:12#kret@h/x",
        "postgresql://u:kr@et@h/x",
        "postgresql://u:[kret@h/x",
        "postgresql://u:pass@h:kret/x",
        "postgresql://u:pass@h:99999/kret",
    ],
)
def test_a_password_that_hides_where_it_ends_is_refused(
    env_file: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("CALLROUTER_DATABASE_URL", url)

    said = refusal(env_file)

    assert "percent-encode / @ : in the password" in said
    assert not any(part in said for part in ("kr@", "kret", "12", "se/"))
    assert _masked(url) == "********"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:a%2Fb%40c:d@[::1]:1/x", "postgresql://u:********@[::1]:1/x"),
        ("postgresql:///x?host=/run/postgresql", "********"),
        ("postgres://h", "postgres://h"),
    ],
)
def test_a_url_whose_parts_are_clear(env_file: Path, monkeypatch: pytest.MonkeyPatch, url: str, shown: str) -> None:
    monkeypatch.setenv("CALLROUTER_DATABASE_URL", url)

    values = {one.variable: one.value for one in shown_settings(load_settings(env_file), env_file)}
    assert values["CALLROUTER_DATABASE_URL"] == shown


@pytest.mark.parametrize("secret", ["a://hunter2", "//[", "http://[hunter2", "x://u:p@hunter2:y", "é://\uff0f"])
def test_a_secret_that_looks_like_a_url_is_masked(secret: str) -> None:
    assert _masked(secret) == "********"


def test_a_misspelt_variable_is_not_silently_ignored(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLROUTER_AMI_PROT", "5039")

    assert refusal(env_file) == "CALLROUTER_AMI_PROT (environment) is not a setting: did you mean CALLROUTER_AMI_PORT?"


def test_two_servers_on_one_port_are_refused(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLROUTER_WEB_PORT", "8081")

    assert "CALLROUTER_ENGINE_PORT and CALLROUTER_WEB_PORT are the same" in refusal(env_file)


def test_an_env_file_in_a_wrong_encoding_is_refused(env_file: Path) -> None:
    env_file.write_bytes(b"CALLROUTER_AMI_SECRET=\xe9t\xe9\n")

    assert "make it a UTF-8 text file" in refusal(env_file)


def test_secrets_are_masked(env_file: Path) -> None:
    env_file.write_text(
        "CALLROUTER_AMI_SECRET=hunter2\nCALLROUTER_API_TOKEN=hunter2hunter2hunter2\n"
        "CALLROUTER_DATABASE_URL=postgresql://cr:hunter2@db.example:5433/calls?password=hunter2\n"
    )

    settings = load_settings(env_file)

    shown = {one.variable: one.value for one in shown_settings(settings, env_file)}
    assert "hunter2" not in repr(settings) + repr(shown)
    assert shown["CALLROUTER_DATABASE_URL"] == "postgresql://cr:********@db.example:5433/calls"
    assert shown["CALLROUTER_AMI_SECRET"] == "********"


def test_the_engine_says_what_it_lacks(env_file: Path) -> None:
    with pytest.raises(SettingsError, match="CALLROUTER_AMI_SECRET is not set"):
        load_settings(env_file).required_ami_secret()


def test_the_example_file_names_every_setting_and_its_default(env_file: Path) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    given = dict(
        line.lstrip("#").split("=", 1) for line in example.splitlines() if line.lstrip("#").startswith("CALLROUTER_")
    )

    shown = shown_settings(load_settings(env_file), env_file)

    assert [one.variable for one in shown] == list(given)
    written = {one.variable: one.value.removesuffix(".0") for one in shown if one.value}
    assert {name: given[name] for name in written} == written


def test_every_setting_says_what_it_is_and_needs() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert isinstance(field.json_schema_extra, dict)
        assert field.json_schema_extra["needs"], name


@pytest.mark.parametrize(("mode", "becomes"), [(0o644, 0o600), (0o666, 0o600), (0o640, 0o640), (0o600, 0o600)])
def test_a_file_of_settings_is_taken_away_from_others(env_file: Path, mode: int, becomes: int) -> None:
    """What a group was given is left to it."""
    env_file.write_text("CALLROUTER_AMI_SECRET=hunter2\n")
    env_file.chmod(mode)
    make_private(env_file)

    assert env_file.stat().st_mode & 0o777 == becomes


def test_a_link_and_a_missing_file_are_left(env_file: Path) -> None:
    """The one leads to a file that somebody else arranged, the other is no fault."""
    make_private(env_file)
    elsewhere = env_file.with_name("callrouter.env")
    elsewhere.touch(0o644)
    env_file.symlink_to(elsewhere)
    make_private(env_file)

    assert elsewhere.stat().st_mode & 0o777 == 0o644


def test_events_need_kinds_that_there_are_and_somewhere_to_go(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLROUTER_EVENTS", "call.ended, call.over")
    assert "'call.over' is none: there are call.abandoned, call.answered, " in refusal(env_file)

    monkeypatch.setenv("CALLROUTER_EVENTS", "call.ended, message.taken")
    assert "CALLROUTER_EVENTS_URL and CALLROUTER_EVENTS go together" in refusal(env_file)

    monkeypatch.setenv("CALLROUTER_EVENTS_URL", "crm.example/calls")
    assert "it is not an http address" in refusal(env_file)

    monkeypatch.setenv("CALLROUTER_EVENTS_URL", "https://crm.example/calls/")
    assert load_settings(env_file).events == ("call.ended", "message.taken")


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://127.0.0.1", "127.0.0.1 25 none  "),
        ("smtp://localhost:2525", "localhost 2525 none  "),
        ("smtp://relay.internal", "relay.internal 25 none  "),
        ("smtp://u:pw9@[::1]", "::1 25 none u pw9"),
        ("smtp+starttls://u%40x.example:p%2F%40%3a%C3%A9@mail.example", "mail.example 587 starttls u@x.example p/@:é"),
        ("SMTPS://u:pw9@mail.example:4650/", "mail.example 4650 tls u pw9"),
    ],
)
def test_a_mail_server(env_file: Path, monkeypatch: pytest.MonkeyPatch, url: str, server: str) -> None:
    monkeypatch.setenv("CALLROUTER_SMTP_URL", url)
    monkeypatch.setenv("CALLROUTER_MAIL_FROM", "messages@answering.example")
    settings = load_settings(env_file)
    made = settings.mail_server

    assert made is not None
    assert f"{made.host} {made.port} {made.security} {made.user} {made.password}" == server
    assert made.sender == "messages@answering.example"
    shown = {one.variable: one.value for one in shown_settings(settings, env_file)}
    assert shown["CALLROUTER_SMTP_URL"] == "********"
    assert made.password not in repr(made) or not made.password


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("mail.example", "it begins with none of smtp://"),
        ("https://mail.example", "it begins with none of smtp://"),
        ("smtps://", "its parts cannot be told apart"),
        ("smtps://u:hunter/2@mail.example", "its parts cannot be told apart"),
        ("smtps://u:hunter@2@mail.example", "its parts cannot be told apart"),
        ("smtps://u:hunter2@mail.example:port", "its parts cannot be told apart"),
        ("smtps://u:hunter2%07@mail.example", "user or password holds what no mail server is told"),
        ("smtp://u:hunter2@mail.example", "it would send the password in the clear"),
    ],
)
def test_a_mail_server_that_is_none(env_file: Path, monkeypatch: pytest.MonkeyPatch, url: str, wrong: str) -> None:
    monkeypatch.setenv("CALLROUTER_SMTP_URL", url)
    monkeypatch.setenv("CALLROUTER_MAIL_FROM", "messages@answering.example")

    said = refusal(env_file)

    assert said.startswith(f"CALLROUTER_SMTP_URL (environment) is a secret: {wrong}")
    assert "hunter" not in said


def test_mail_has_a_server_and_comes_from_somewhere(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLROUTER_MAIL_FROM", "Messages <messages@answering.example>")
    assert "it is no mail address" in refusal(env_file)

    monkeypatch.setenv("CALLROUTER_MAIL_FROM", "messages@answering.example")
    assert "CALLROUTER_SMTP_URL and CALLROUTER_MAIL_FROM go together" in refusal(env_file)


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("http://calls.example", "what people open there would be read on the way"),
        ("calls.example", "it is not a web address"),
        ("https://calls.example/?a=b", "it is not a web address"),
        ("https://u:p@calls.example", "it is not a web address"),
        ("https://calls.example:port", "CALLROUTER_PUBLIC_URL"),
        ("https://calls.example/" + "a" * 120, "it is longer than 120 characters"),
        ("https://calls.example/a b", "holds signs that no address has"),
    ],
)
def test_pages_that_links_cannot_lead_to(env_file: Path, monkeypatch: pytest.MonkeyPatch, url: str, wrong: str) -> None:
    monkeypatch.setenv("CALLROUTER_PUBLIC_URL", url)

    assert wrong in refusal(env_file)


@pytest.mark.parametrize("url", ["https://calls.example", "https://example/calls", "http://127.0.0.1:8080"])
def test_pages_that_links_lead_to(env_file: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CALLROUTER_PUBLIC_URL", f"{url}/")

    assert load_settings(env_file).public_url == url


def test_an_sms_gateway(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings(env_file).sms_gateway is None

    monkeypatch.setenv("CALLROUTER_SMS_URL", "https://sms.example/v1/")
    monkeypatch.setenv("CALLROUTER_SMS_SECRET", "hunter2")
    gateway = load_settings(env_file).sms_gateway
    assert gateway is not None
    assert (gateway.url, gateway.secret, gateway.sender) == ("https://sms.example/v1/", "hunter2", "")
    assert "hunter2" not in repr(gateway)

    monkeypatch.setenv("CALLROUTER_SMS_SECRET", "hunter2\r\nX: 1")
    assert "CALLROUTER_SMS_SECRET (environment) is a secret: it holds what cannot be sent" in refusal(env_file)


def test_what_sms_receipts_are_signed_with(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings(env_file).sms_receipt_key is None

    monkeypatch.setenv("CALLROUTER_SMS_RECEIPT_SECRET", "whsec_" + "a2V5" * 8)
    assert load_settings(env_file).sms_receipt_key == b"key" * 8

    monkeypatch.setenv("CALLROUTER_SMS_RECEIPT_SECRET", "hunter2")
    said = refusal(env_file)
    assert "it is no signing secret" in said
    assert "hunter2" not in said


def test_where_mail_that_comes_back_is_heard(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(env_file)
    assert (settings.lmtp_host, settings.lmtp_port) == ("127.0.0.1", 0)

    monkeypatch.setenv("CALLROUTER_LMTP_PORT", "70000")
    assert "CALLROUTER_LMTP_PORT" in refusal(env_file)

"""compose.yaml, the units and Prometheus's files are accepted by the tools that read them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from callrouter.app.web import STOP_SECONDS as WEB_STOP_SECONDS
from callrouter.app.wiring.ground import STOP_SECONDS as ENGINE_STOP_SECONDS
from callrouter.app.worker.process import STOP_SECONDS as WORKER_STOP_SECONDS
from callrouter.settings import Settings

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SECRETS = (
    "CALLROUTER_AMI_ADMIN_SECRET",
    "CALLROUTER_AMI_SECRET",
    "CALLROUTER_API_TOKEN",
    "CALLROUTER_DB_PASSWORD",
    "CALLROUTER_GRAFANA_PASSWORD",
    "CALLROUTER_PBX_KEY",
    "CALLROUTER_TRUNK_MATCH",
)


def _compose() -> list[str]:
    """The compose plugin of docker, or the stand-alone program."""
    if shutil.which("docker"):
        plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if plugin.returncode == 0:
            return ["docker", "compose"]
    return ["docker-compose"]


def _config(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_compose(), "-f", str(DEPLOY / "compose.yaml"), "config"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment},
    )


def test_compose_accepts_the_file() -> None:
    """With every secret given, compose resolves the whole file."""
    done = _config(**dict.fromkeys(SECRETS, "1.2.3.4"))

    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert set(services) == {
        *("asterisk", "postgres", "migrate", "engine", "engine-2", "pbx", "web", "worker", "prometheus", "grafana")
    }
    assert all("healthcheck" in service for name, service in services.items() if name != "migrate")
    shared = {"recordings", "prompts"}
    assert shared <= {volume.split(":")[0] for volume in map(_volume, services["asterisk"]["volumes"])}


def test_what_leaves_the_house_is_the_same_for_engines_and_worker(tmp_path: Path) -> None:
    """Hosts that may be asked, ways to tell people, and the secrets that clients' files name."""
    secrets = tmp_path / "secrets.env"
    secrets.write_text("CALLROUTER_SECRET_CRM=s3cret\n")
    given = {"CALLROUTER_OUTGOING_HOSTS": "crm.example", "CALLROUTER_SMTP_URL": "smtp://mail.example"}
    done = _config(**dict.fromkeys(SECRETS, "1.2.3.4"), **given, CALLROUTER_SECRETS_FILE=str(secrets))

    services = yaml.safe_load(done.stdout)["services"]
    for name in ("engine", "engine-2", "worker"):
        assert (given | {"CALLROUTER_SECRET_CRM": "s3cret"}).items() <= services[name]["environment"].items()
    assert services["web"]["environment"]["CALLROUTER_SECRET_CRM"] == "s3cret"  # contacts' PINs are such


def test_what_comes_back_of_messages_reaches_who_hears_it() -> None:
    """Answers to SMS reach web, and the worker says how to give them; mail comes back to the worker's port."""
    given = {
        "CALLROUTER_SMS_REPLIES": "on",
        "CALLROUTER_SMS_RECEIPT_SECRET": "whsec_eA",
        "CALLROUTER_LMTP_PORT": "2525",
    }
    services = yaml.safe_load(_config(**dict.fromkeys(SECRETS, "1.2.3.4"), **given).stdout)["services"]

    port = given.pop("CALLROUTER_LMTP_PORT")
    assert given.items() <= services["web"]["environment"].items()
    assert given.items() <= services["worker"]["environment"].items()
    assert services["worker"]["environment"]["CALLROUTER_LMTP_PORT"] == port
    assert "2525" in str(services["worker"]["ports"])


@pytest.mark.parametrize("missing", SECRETS)
def test_no_secret_has_a_default(missing: str) -> None:
    """A secret that is not set stops compose, and is named."""
    done = _config(**{name: "x" for name in SECRETS if name != missing})

    assert done.returncode != 0
    assert missing in done.stderr or "set " in done.stderr


def test_ami_is_not_published() -> None:
    """The manager interface is reached inside the network namespace only."""
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]

    assert not [port for port in services["asterisk"]["ports"] if "5038" in port]
    assert services["engine"]["network_mode"] == "service:asterisk"


def test_two_engines_differ_in_their_port_only() -> None:
    """They share the folder of what is live, and whoever asks them knows both."""
    done = _config(**dict.fromkeys(SECRETS, "1.2.3.4"))
    services = yaml.safe_load(done.stdout)["services"]
    one, other = services["engine"], services["engine-2"]
    ports = [engine["environment"].pop("CALLROUTER_ENGINE_PORT") for engine in (one, other)]
    checks = [engine.pop("healthcheck")["test"][-1] for engine in (one, other)]

    assert one == other
    assert ports == ["8081", "8082"]
    assert checks[0].replace("8081", "8082") == checks[1]
    for asking in ("web", "pbx"):
        urls = services[asking]["environment"]["CALLROUTER_ENGINE_URL"].split(",")
        assert [url.rsplit(":", 1)[1] for url in urls] == ports


def test_the_unit_of_two_is_that_of_one() -> None:
    """But for the number, the port, and that both are not started beside each other."""
    one, two = (
        [line for line in (DEPLOY / "systemd" / name).read_text().splitlines() if not line.startswith("#")]
        for name in ("callrouter-engine.service", "callrouter-engine@.service")
    )

    assert [line for line in one if line not in two] == ["Description=callrouter: call engine"]
    assert [line for line in two if line not in one] == [
        "Description=callrouter: call engine %i of two",
        "Conflicts=callrouter-engine.service",
        "Environment=CALLROUTER_ENGINE_PORT=808%i",
    ]


@pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").glob("*.service")), ids=lambda path: path.name)
def test_systemd_knows_every_setting(unit: Path, tmp_path: Path) -> None:
    """systemd-analyze has nothing to say about the unit, but that the program is not installed here."""
    copy = tmp_path / unit.name
    copy.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text()))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)

    complaints = [line for line in done.stderr.splitlines() if unit.name in line]
    assert complaints == []
    assert "\nExecReload=/bin/kill -HUP $MAINPID\n" in unit.read_text()


def test_an_image_gets_what_its_dockerfile_copies_and_nothing_else() -> None:
    """Neither an operator's `.env` nor the data of `callrouter up` is sent to Docker, let alone copied."""
    lines = [line for line in (DEPLOY.parent / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    kept = {line[1:] for line in lines if line.startswith("!")}
    copied: set[str] = set()
    for dockerfile in (DEPLOY / "docker").glob("Dockerfile.*"):
        for line in re.findall(r"(?m)^COPY (.+)$", dockerfile.read_text()):
            copied |= {source.removeprefix("./") for source in line.split()[:-1]}

    assert lines[0] == "*"
    assert kept == copied
    assert all((DEPLOY.parent / name).exists() for name in kept)


UNITS = {
    "engine": Settings(_env_file=None).grace_seconds + ENGINE_STOP_SECONDS,
    "web": WEB_STOP_SECONDS,
    "worker": WORKER_STOP_SECONDS,
}
"""Each unit's process, and how long it may take to stop by its own limit."""


def _unit(name: str) -> list[tuple[str, str]]:
    """A unit's settings, in order."""
    lines = (DEPLOY / "systemd" / f"callrouter-{name}.service").read_text().splitlines()
    return [(key, value) for key, is_setting, value in (line.partition("=") for line in lines) if is_setting]


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_writes_only_where_it_may(name: str) -> None:
    """With ProtectSystem=strict, every folder of the settings' that is written has to be a StateDirectory."""
    unit = _unit(name)
    given = dict(value.split("=", 1) for key, value in unit if key == "Environment")
    settings = Settings.model_validate(
        {variable.removeprefix("CALLROUTER_").lower(): value for variable, value in given.items()}
    )
    states = {Path("/var/lib", folder) for key, value in unit if key == "StateDirectory" for folder in value.split()}

    assert ("ProtectSystem", "strict") in unit
    assert {settings.data_dir, settings.prompts_dir, settings.recordings_dir} <= states


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_waits_for_the_process_to_end_by_itself(name: str) -> None:
    """systemd kills later than the process would itself; so does compose."""
    (seconds,) = [float(value) for key, value in _unit(name) if key == "TimeoutStopSec"]
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]

    assert seconds > UNITS[name]
    assert name != "engine" or float(services[name]["stop_grace_period"].removesuffix("s")) > UNITS[name]


@pytest.mark.parametrize("name", UNITS)
def test_what_a_unit_needs_is_documented(name: str) -> None:
    """The file of settings, the user, and every folder."""
    told = (DEPLOY / "systemd" / "README.md").read_text()
    unit = dict(_unit(name))

    assert unit["EnvironmentFile"] in told
    assert f"--shell /usr/sbin/nologin {unit['User']}\n" in told
    assert unit["WorkingDirectory"] in told
    assert "DATA_DIR" in told


def test_prometheus_accepts_its_files() -> None:
    """promtool checks the configuration and the rules it names."""
    done = subprocess.run(
        ["promtool", "check", "config", str(DEPLOY / "prometheus" / "prometheus.yml")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_dashboards_use_the_provisioned_source() -> None:
    """Every panel reads from the data source that is provisioned, or from a choice the dashboard offers."""
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())
    uid = source["datasources"][0]["uid"]
    for path in (DEPLOY / "grafana" / "dashboards").glob("*.json"):
        board = json.loads(path.read_text())
        choices = {f"${{{v['name']}}}" for v in board["templating"]["list"] if v["type"] == "datasource"}
        used = {target["datasource"]["uid"] for panel in board["panels"] for target in panel.get("targets", [])}

        assert used <= {uid, *choices}, path.name


def _volume(volume: object) -> str:
    """Newer compose prints a mapping where the older prints text."""
    if isinstance(volume, dict):
        return f"{volume['source']}:{volume['target']}"
    return str(volume)


def test_the_asterisk_image_can_render(tmp_path: Path) -> None:
    """What the image copies, laid out as there, runs with a plain interpreter and none of callrouter's packages."""
    dockerfile = (DEPLOY / "docker/Dockerfile.asterisk").read_text()
    entrypoint = (DEPLOY / "docker/asterisk-entrypoint.sh").read_text()
    copied = re.findall(r"^COPY (deploy/asterisk|callrouter) (\S+)$", dockerfile, re.MULTILINE)
    started = re.search(r"^python3 (\S+/pbx\.py) render", entrypoint, re.MULTILINE)
    assert len(copied) == 2
    assert started
    for source, target in copied:
        shutil.copytree(DEPLOY.parent / source, tmp_path / target.lstrip("/"))
    program = tmp_path / started[1].lstrip("/")

    done = subprocess.run(
        [shutil.which("python3") or "python3", "-I", "-S", str(program), "render", "--help"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stderr

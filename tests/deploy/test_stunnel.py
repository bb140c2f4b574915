"""AMI through the tunnel of deploy/stunnel, with a real stunnel at both ends and a real Asterisk."""

from __future__ import annotations

import asyncio
import signal
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.core.call import CallState, Disposition
from tests.asterisk.callers import CHECKOUT, Pbx, free_port
from tests.asterisk.engine_room import EXTENSIONS, engine_room, plan_of, until
from tests.asterisk.test_link import Listener, address_of, running
from tests.asterisk.test_switch import MENU_ENDS, menu

FOLDER = CHECKOUT / "deploy" / "stunnel"
ACTIONS = 120
"""More than 1,024 bytes of them: what Asterisk's own TLS leaves unread."""


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    folder = tmp_path_factory.mktemp("stunnel")
    with Pbx.start(folder / "pbx", extra_conf={"extensions": EXTENSIONS}) as running_:
        running_.cli("module load res_clioriginate.so")
        yield running_


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the README has them made, and one of a stranger's."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("pbx", "engine", "stranger"):
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
        made += ["-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt"]
        subprocess.run(made, check=True, capture_output=True)
        (folder / f"{name}.key").chmod(0o600)
    return folder


@contextmanager
def stunnel(name: str, folder: Path, changes: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The tunnel's end of that file, with other paths and ports."""
    text = (FOLDER / f"{name}.conf").read_text(encoding="utf-8")
    text = text.replace("/etc/stunnel/", f"{folder}/")
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    path = folder / f"{name}.conf"
    path.write_text(text, encoding="utf-8")
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(["stunnel4", str(path)], stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(port: int, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nobody listens on port {port}")


@contextmanager
def pbx_end(pbx: Pbx, folder: Path) -> Iterator[int]:
    """Where it listens."""
    port = free_port()
    listens, leads = f"accept = 127.0.0.1:{port}", f"connect = 127.0.0.1:{pbx.ami_port}"
    with stunnel("ami-pbx", folder, {"accept = 5039": listens, "connect = 127.0.0.1:5038": leads}):
        wait_for(port)
        yield port


def between(near: int, far: int) -> dict[str, str]:
    """Where the engine's end listens, and where it leads."""
    return {
        "accept = 127.0.0.1:5038": f"accept = 127.0.0.1:{near}",
        "connect = pbx.example:5039": f"connect = 127.0.0.1:{far}",
    }


@contextmanager
def engine_end(to: int, folder: Path, **changes: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Where the engine connects to, and the process."""
    port = free_port()
    others = {f"/{name}.": f"/{other}." for name, other in changes.items()}
    with stunnel("ami-engine", folder, between(port, to) | others) as process:
        wait_for(port)
        yield port, process


async def test_a_call_through_the_tunnel(pbx: Pbx, certificates: Path) -> None:
    """As on the loopback; and what is written together is answered together, unlike with Asterisk's own TLS."""
    with pbx_end(pbx, certificates) as far, engine_end(far, certificates) as (near, _):
        async with engine_room(replace(pbx, ami_port=near), plan_of(menu(), *MENU_ENDS)) as room:
            async with asyncio.timeout(3):
                await asyncio.gather(*room.link.send_batch([("Ping", {})] * ACTIONS))
            await room.call("key-2")
            await room.reached(lambda call: call.state is CallState.COLLECTING)
            call = await room.the_end()
            took = []
            for _ in range(50):
                began = time.perf_counter()
                await room.link.send("Ping")
                took.append(time.perf_counter() - began)

    assert call.disposition is Disposition.SELF_SERVED
    assert (call.visits[0].node, call.visits[0].exit) == ("menu", "key:2")
    assert statistics.median(took) < 0.02


async def test_a_stranger_is_not_let_in(pbx: Pbx, certificates: Path) -> None:
    """With a certificate of their own, and with a server in the place of the PBX's."""
    with pbx_end(pbx, certificates) as far, engine_end(far, certificates, engine="stranger") as (near, _):
        listener = Listener(replace(address_of(pbx), port=near))
        async with running(listener):
            await until(lambda: listener.link.counters.failures >= 2, 10)
        assert listener.link.counters.connections == 0


async def test_a_tunnel_that_dies_is_a_link_that_is_cut(pbx: Pbx, certificates: Path) -> None:
    """Noticed within 5 s; when it is there again, so is the link."""
    with pbx_end(pbx, certificates) as far:
        with engine_end(far, certificates) as (near, process):
            link = AmiLink(replace(address_of(pbx), port=near))
            working = asyncio.get_running_loop().create_task(link.run())
            await until(lambda: link.state is LinkState.UP, 20)
            began = time.monotonic()
            process.kill()
            await until(lambda: link.state is not LinkState.UP, 10)
            noticed = time.monotonic() - began
        with stunnel("ami-engine", certificates, between(near, far)):
            await until(lambda: link.state is LinkState.UP, 20)
            await link.close()
            await working

    assert noticed <= 5.0


async def test_a_tunnel_that_hangs_is_noticed(pbx: Pbx, certificates: Path) -> None:
    """It takes what is written, and nothing comes back: as any link that is half open."""
    with pbx_end(pbx, certificates) as far, engine_end(far, certificates) as (near, process):
        link = AmiLink(replace(address_of(pbx), port=near))
        working = asyncio.get_running_loop().create_task(link.run())
        await until(lambda: link.state is LinkState.UP, 20)
        began = time.monotonic()
        process.send_signal(signal.SIGSTOP)
        await until(lambda: link.state is not LinkState.UP, 10)
        noticed = time.monotonic() - began
        process.send_signal(signal.SIGCONT)
        await until(lambda: link.state is LinkState.UP, 20)
        await link.close()
        await working

    assert noticed <= 5.0

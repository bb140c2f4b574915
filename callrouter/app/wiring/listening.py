"""Sockets that we listen on: taken before anything else starts, so that a port of somebody else's ends the start."""

from __future__ import annotations

import socket

from callrouter.errors import SettingsError


def listen(host: str, port: int, variable: str) -> socket.socket:
    """A listening socket.

    Raises:
        SettingsError: the port is taken or not ours to take; names the setting.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise SettingsError(
            f"{host}:{port} cannot be listened on ({error.strerror}): another program may have it; stop it, or set "
            f"{variable} to a free port"
        ) from error
    return listening

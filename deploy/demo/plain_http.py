"""Clients for what listens on this machine."""

from __future__ import annotations

from typing import Any

import httpx


def plain_client(**options: Any) -> httpx.AsyncClient:
    """A client for `http://` only; `options` are httpx's, with a `timeout` of 30 s unless it is among them.

    It asks directly, whatever proxy the environment names, and reads no certificates: those of the whole world take
    40 ms of CPU for each client, and many a client asks one question. A machine that is busy with telephones may be
    seconds late; who measures how soon an answer comes looks at a clock.
    """
    return httpx.AsyncClient(verify=False, trust_env=False, **{"timeout": 30.0} | options)

"""Clients for what listens on this machine."""

from __future__ import annotations

from typing import Any

import httpx


def plain_client(**options: Any) -> httpx.AsyncClient:
    """A client for `http://` only; `options` are httpx's.

    It asks directly, whatever proxy the environment names, and reads no certificates: those of the whole world take
    40 ms of CPU for each client, and many a client asks one question.
    """
    return httpx.AsyncClient(verify=False, trust_env=False, **options)

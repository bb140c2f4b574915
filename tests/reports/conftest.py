"""Calls for reports of a real record."""

from __future__ import annotations

from tests.store.conftest import make_call as make_call

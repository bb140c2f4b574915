"""Hypothesis profiles, and a guard: a transcript that is not played to its end fails its test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from callrouter.testing import finish_all

settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, max_examples=3000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(autouse=True)
def _every_transcript_is_complete() -> Iterator[None]:
    """No playbook may be left in the middle of its call."""
    yield
    finish_all()
